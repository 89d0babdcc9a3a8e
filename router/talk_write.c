/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers share: checks against the model's traits, effort, numbers. The surprising fact:
 * numbers are compared as text, because they pass from one body to the other as they were written
 * and only Anthropic's limit of 1 for the temperature asks for their size. */
#include "router/talk_write.h"

/* ---- Checks ---- */

static const char *part_fault(const struct talk_out *out, const struct talk_carries *carries,
                              const struct talk_part *part)
{
	switch (part->kind) {
	case TALK_IMAGE:
		if (!out->traits->images)
			return "this model takes no images";
		if (part->url.p && !carries->image_urls)
			return "this model takes no image by URL, and it is not fetched here; send "
			       "it as data:image/...;base64,...";
		return NULL;
	case TALK_FILE:
		if (!out->traits->files)
			return "this model takes no files";
		if (part->url.p && !carries->file_urls)
			return "this model takes no file by URL, and it is not fetched here; send "
			       "its data";
		return NULL;
	case TALK_AUDIO:
		return out->traits->audio ? NULL : "this model takes no audio";
	case TALK_TEXT:
	case TALK_THINKING:
	case TALK_TOOL_CALL:
	case TALK_TOOL_RESULT:
	case TALK_REFUSAL:
		return NULL;
	}
	return NULL;
}

static const char *parts_fault(const struct talk_out *out, const struct talk_carries *carries,
                               const struct talk_part *list)
{
	for (const struct talk_part *part = list; part; part = part->next) {
		const char *fault = part_fault(out, carries, part);

		for (const struct talk_part *p = part->content; p && !fault; p = p->next)
			fault = part_fault(out, carries, p);
		if (fault)
			return fault;
	}
	return NULL;
}

bool talk_out_check(const struct talk_out *out, const struct talk_carries *carries)
{
	const struct talk *t = out->talk;

	for (const struct talk_turn *turn = t->turns; turn; turn = turn->next) {
		const char *fault = parts_fault(out, carries, turn->parts);

		if (fault)
			return err_set(out->err, ERR_UNSUPPORTED, "%s[%zu]: %s", t->list_name,
			               turn->index, fault);
	}
	if (t->stop_count > carries->stops)
		return err_set(out->err, ERR_UNSUPPORTED,
		               "this model takes at most %zu stop sequences", carries->stops);
	if (t->format == TALK_FORMAT_SCHEMA && !out->traits->structured)
		return err_set(out->err, ERR_UNSUPPORTED,
		               "this model takes no schema for its answer; ask for JSON in words");
	if (talk_out_last_is_assistant(t) && !out->traits->prefill)
		return err_set(out->err, ERR_UNSUPPORTED,
		               "with this model the last message must be the user's or a tool's");
	return true;
}

bool talk_out_last_is_assistant(const struct talk *t)
{
	return t->last_turn && t->last_turn->role == TALK_ASSISTANT;
}

int64_t talk_out_limit(const struct talk_out *out)
{
	int64_t most = out->to->model->max_output_tokens;
	int64_t asked = out->talk->output_limit;

	return asked > 0 && asked < most ? asked : most;
}

/* ---- Effort ---- */

enum talk_effort talk_out_effort(const struct talk *t)
{
	if (t->effort != TALK_EFFORT_UNSET || t->thinking_budget < 0)
		return t->effort;
	if (t->thinking_budget == 0)
		return TALK_EFFORT_NONE;
	if (t->thinking_budget <= 2048)
		return TALK_EFFORT_LOW;
	return t->thinking_budget <= 8192 ? TALK_EFFORT_MEDIUM : TALK_EFFORT_HIGH;
}

static enum talk_effort effort_of_word(struct str word)
{
	for (int i = TALK_EFFORT_NONE; i < TALK_EFFORT_COUNT; i++)
		if (str_eq(word, talk_effort_word((enum talk_effort)i)))
			return (enum talk_effort)i;
	return TALK_EFFORT_UNSET;
}

struct str talk_out_effort_word(const struct model_traits *traits, enum talk_effort effort, bool up)
{
	struct str best = { 0 };
	int least = TALK_EFFORT_COUNT;

	for (size_t i = 0; i < traits->effort_count; i++) {
		enum talk_effort known = effort_of_word(traits->efforts[i]);
		int distance = known > effort ? (int)known - (int)effort : (int)effort - (int)known;

		/* No thinking is another thing than little of it. */
		if (known == TALK_EFFORT_NONE && effort != TALK_EFFORT_NONE)
			continue;
		if (distance < least || (distance == least && up && known > effort)) {
			least = distance;
			best = traits->efforts[i];
		}
	}
	return best;
}

/* ---- Texts and numbers ---- */

bool talk_is_blank(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != ' ' && s.p[i] != '\n' && s.p[i] != '\t' && s.p[i] != '\r')
			return false;
	return true;
}

/* The digits of a JSON number without its sign, point and exponent. */
struct digits {
	bool any;      /* a digit that is not zero */
	int64_t power; /* of ten, of the first such digit */
	char first;
	bool more; /* another one behind it */
};

static struct digits digits_of(struct str number)
{
	struct digits d = { 0 };
	struct str exponent = number;
	struct str mantissa = str_cut(&exponent, str_find(number, STR("E")) >= 0 ? 'E' : 'e');
	int64_t shift = 0, whole = 0, at = 0;
	bool point = false;

	for (size_t i = 0; i < mantissa.len; i++) {
		char c = mantissa.p[i];

		point = point || c == '.';
		if (c < '0' || c > '9')
			continue;
		whole += point ? 0 : 1;
		at++;
		if (c == '0')
			continue;
		d.more = d.any;
		if (!d.any) {
			d.any = true;
			d.first = c;
			d.power = -at;
		}
	}
	if (exponent.len > 0 && exponent.p[0] == '+')
		exponent = (struct str){ exponent.p + 1, exponent.len - 1 };
	/* Far beyond any double, which the tree has ruled out. */
	if (exponent.p && !str_to_i64(exponent, &shift))
		shift = 0;
	d.power += whole + shift;
	return d;
}

bool talk_number_is_zero(struct str number)
{
	return !digits_of(number).any;
}

bool talk_number_above_one(struct str number)
{
	struct digits d = digits_of(number);

	if (!d.any || str_starts(number, STR("-")))
		return false;
	return d.power > 0 || (d.power == 0 && (d.first > '1' || d.more));
}

/* ---- Writing ---- */

struct str talk_tool_schema(const struct talk_tool *tool)
{
	return tool->schema.p ? tool->schema : STR("{\"type\":\"object\",\"properties\":{}}");
}

void talk_put_id(struct json_out *o, const char *key, struct str id)
{
	static const struct str letters =
		STR_INIT("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
	OWN_BUF struct buf clean = buf_make(LIMIT_HTTP_BODY);

	for (size_t i = 0; i < id.len; i++) {
		struct str letter = { id.p + i, 1 };

		buf_add(&clean, str_find(letters, letter) >= 0 ? letter : STR("_"));
	}
	json_put_str(o, key, buf_str(&clean));
}

void talk_put_number(struct json_out *o, const char *key, struct str number)
{
	if (number.p)
		json_put_raw(o, key, number);
}

void talk_put_stops(struct json_out *o, const char *key, const struct talk *t)
{
	if (t->stop_count == 0)
		return;
	json_put_array(o, key);
	for (size_t i = 0; i < t->stop_count; i++)
		json_put_str(o, NULL, t->stops[i]);
	json_put_end(o, ']');
}

void talk_join_texts(const struct talk_part *list, struct buf *out)
{
	for (const struct talk_part *part = list; part; part = part->next) {
		if (part->kind != TALK_TEXT && part->kind != TALK_REFUSAL)
			continue;
		if (out->len > 0)
			buf_add_char(out, '\n');
		buf_add(out, part->text);
	}
}

bool talk_is_media(const struct talk_part *part)
{
	return part->kind == TALK_IMAGE || part->kind == TALK_FILE || part->kind == TALK_AUDIO;
}
