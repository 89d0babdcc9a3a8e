/* SPDX-License-Identifier: Apache-2.0 */
/* From events to items, and the order in which items are written. Text goes out with the event
 * that brought it; only what must wait for a call's end is kept, and what a shape needs again. What
 * comes after the end of a call's arguments, or of the answer, is dropped in every shape alike. */
#include "router/sink.h"

#include <stdlib.h>

#include "base/limits.h"

static const struct sink_shape *const shapes[] = {
	[TALK_SHAPE_CHAT] = &sink_chat,
	[TALK_SHAPE_MESSAGES] = &sink_messages,
	[TALK_SHAPE_RESPONSES] = &sink_responses,
};

struct talk_sink *talk_sink_new(const struct talk_sink_options *options, struct err *err)
{
	struct talk_sink *s = calloc(1, sizeof *s);

	if (!s) {
		err_no_memory(err);
		return NULL;
	}
	s->shape = shapes[options->shape];
	s->talk = options->talk;
	s->created_s = options->created_s;
	s->wants_usage = options->wants_usage;
	s->request_id = buf_make(LIMIT_HTTP_LINE);
	s->model = buf_make(LIMIT_HTTP_LINE);
	s->stop = buf_make(LIMIT_UPSTREAM_BODY);
	s->json = json_out_make(LIMIT_HTTP_OUT_MAX);
	buf_add(&s->request_id, options->request_id);
	buf_add(&s->model, options->model);
	s->own_id = buf_str(&s->request_id);
	if (str_starts(s->own_id, STR("req_")))
		s->own_id = (struct str){ s->own_id.p + 4, s->own_id.len - 4 };
	if (buf_ok(&s->request_id, "the request's id", err) && buf_ok(&s->model, "the model", err))
		return s;
	talk_sink_free(s);
	return NULL;
}

static void item_free(struct sink_item *item)
{
	buf_done(&item->text);
	buf_done(&item->id);
	buf_done(&item->name);
	buf_done(&item->signature);
	free(item);
}

static size_t item_size(const struct sink_item *item)
{
	return sizeof *item + item->text.len + item->id.len + item->name.len + item->signature.len;
}

static void drop_first(struct talk_sink *s)
{
	struct sink_item *item = s->first;

	s->first = item->next;
	if (s->last == item)
		s->last = NULL;
	if (item->kind == SINK_CALL)
		s->calls[item->call] = NULL;
	s->held -= item_size(item);
	item_free(item);
}

void talk_sink_free(struct talk_sink *s)
{
	if (!s)
		return;
	while (s->first)
		drop_first(s);
	buf_done(&s->request_id);
	buf_done(&s->model);
	buf_done(&s->stop);
	json_out_done(&s->json);
	free(s);
}

/* ---- For the shapes ---- */

struct json_out *sink_json(struct talk_sink *s)
{
	buf_reset(&s->json.text);
	s->json.depth = 0;
	s->json.first[0] = true;
	return &s->json;
}

void sink_event(struct talk_sink *s, const char *name)
{
	if (!json_out_ok(&s->json, NULL)) {
		s->failed = true;
		return;
	}
	if (name) {
		buf_add_z(s->out, "event: ");
		buf_add_z(s->out, name);
		buf_add_char(s->out, '\n');
	}
	buf_add_z(s->out, "data: ");
	buf_add(s->out, buf_str(&s->json.text));
	buf_add_z(s->out, "\n\n");
}

void sink_put_seal(struct json_out *o, const char *key, const struct sink_item *item, bool bare)
{
	OWN_BUF struct buf marked = buf_make(LIMIT_UPSTREAM_BODY + LIMIT_LABEL);
	struct talk_seal seal = { item->seal, item->signer, buf_str(&item->signature) };

	if (item->kind == SINK_REDACTED)
		seal.text = buf_str(&item->text);
	if (bare && item->signer == PROVIDER_ANTHROPIC && item->seal != TALK_SEAL_CALL) {
		json_put_str(o, key, seal.text);
		return;
	}
	talk_seal_put(&marked, &seal);
	json_put_str(o, key, buf_str(&marked));
}

void sink_put_id(struct talk_sink *s, struct json_out *o, const char *prefix)
{
	OWN_BUF struct buf id = buf_make(LIMIT_HTTP_LINE + LIMIT_LABEL);

	buf_add_z(&id, prefix);
	buf_add(&id, s->own_id);
	json_put_str(o, "id", buf_str(&id));
}

bool sink_join(const struct talk_sink *s, enum sink_kind kind, struct buf *out)
{
	bool any = false;

	for (const struct sink_item *item = s->first; item; item = item->next) {
		if (item->kind != kind)
			continue;
		buf_add(out, buf_str(&item->text));
		any = true;
	}
	return any;
}

bool sink_is_freeform(const struct sink_item *item)
{
	return item->tool && item->tool->freeform;
}

void sink_freeform_input(const struct sink_item *item, struct buf *out)
{
	static const char *const keys[] = { "input" };
	struct str input = { 0 };

	if (json_pick(buf_str(&item->text), keys, &input, 1, NULL) && json_raw_string(input, out))
		return;
	buf_reset(out);
	buf_add(out, buf_str(&item->text));
}

int64_t sink_written_tokens(const struct token_counts *counts)
{
	return counts->n[TOKEN_CACHE_WRITE_5M] + counts->n[TOKEN_CACHE_WRITE_1H];
}

int64_t sink_input_tokens(const struct token_counts *counts)
{
	return counts->n[TOKEN_UNCACHED_INPUT] + counts->n[TOKEN_CACHE_READ] +
	       sink_written_tokens(counts);
}

/* ---- Items ---- */

static struct sink_item *new_item(struct talk_sink *s, enum sink_kind kind)
{
	struct sink_item *item = calloc(1, sizeof *item);

	if (!item) {
		s->failed = true;
		return NULL;
	}
	item->kind = kind;
	item->text = buf_make(LIMIT_UPSTREAM_BODY);
	item->id = buf_make(LIMIT_UPSTREAM_BODY);
	item->name = buf_make(LIMIT_UPSTREAM_BODY);
	item->signature = buf_make(LIMIT_UPSTREAM_BODY);
	return item;
}

static bool keeps(const struct talk_sink *s, const struct sink_item *item)
{
	return !s->out || s->shape->keeps || item->kind == SINK_THINKING || sink_is_freeform(item);
}

static void keep(struct talk_sink *s, struct sink_item *item, struct str text)
{
	if (s->held + text.len > LIMIT_UPSTREAM_BODY) {
		s->failed = true;
		return;
	}
	s->held += text.len;
	buf_add(&item->text, text);
}

static void open_item(struct talk_sink *s, struct sink_item *item)
{
	item->open = true;
	s->shape->open(s, item);
	if (item->text.len > 0 && item->kind != SINK_REDACTED)
		s->shape->more(s, item, buf_str(&item->text));
	if (keeps(s, item) || item->kind == SINK_REDACTED)
		return;
	s->held -= item->text.len;
	buf_done(&item->text);
}

/* Writes what may be written: the front item, and the next when it is complete. */
static void advance(struct talk_sink *s)
{
	while (s->out && s->front) {
		struct sink_item *item = s->front;

		if (!item->open)
			open_item(s, item);
		if (!item->complete)
			return;
		s->shape->close(s, item);
		s->front = item->next;
		if (!s->shape->keeps)
			drop_first(s);
	}
}

/* Puts a new item behind the others. Only a call can still get something after that. */
static void add_item(struct talk_sink *s, struct sink_item *item)
{
	if (s->last && s->last->kind != SINK_CALL)
		s->last->complete = true;
	advance(s);
	item->number = s->item_count++;
	s->held += item_size(item);
	if (s->held > LIMIT_UPSTREAM_BODY)
		s->failed = true;
	if (s->last)
		s->last->next = item;
	else
		s->first = item;
	s->last = item;
	if (!s->front)
		s->front = item;
	advance(s);
}

static void add_text(struct talk_sink *s, enum sink_kind kind, struct str text)
{
	struct sink_item *item = s->last;

	if (text.len == 0)
		return;
	if (!item || item->kind != kind || item->complete) {
		item = new_item(s, kind);
		if (!item)
			return;
		add_item(s, item);
	}
	if (item->open)
		s->shape->more(s, item, text);
	if (!item->open || keeps(s, item))
		keep(s, item, text);
}

/* Signs the thinking that just ended, or an empty one. */
static void add_signature(struct talk_sink *s, const struct talk_event *event,
                          enum talk_seal_kind seal)
{
	struct sink_item *item = s->last;

	if (!item || item->kind != SINK_THINKING || item->complete) {
		item = new_item(s, SINK_THINKING);
		if (!item)
			return;
		add_item(s, item);
	}
	buf_add(&item->signature, event->text);
	s->held += event->text.len;
	item->signer = event->signer;
	item->seal = seal;
	item->complete = true;
	advance(s);
}

static void add_redacted(struct talk_sink *s, const struct talk_event *event)
{
	struct sink_item *item = new_item(s, SINK_REDACTED);

	if (!item)
		return;
	buf_add(&item->text, event->text);
	item->signer = event->signer;
	item->seal = TALK_SEAL_REDACTED;
	item->complete = true;
	add_item(s, item);
}

static void add_call(struct talk_sink *s, const struct talk_event *event)
{
	struct sink_item *item;

	if (event->index != s->call_count || s->call_count == TALK_CALLS_MAX)
		return;
	if (event->text.len > 0 && !s->shape->signs_calls)
		add_signature(s, event, TALK_SEAL_CALL);
	item = new_item(s, SINK_CALL);
	if (!item)
		return;
	buf_add(&item->id, event->id);
	buf_add(&item->name, event->name);
	if (s->shape->signs_calls)
		buf_add(&item->signature, event->text);
	item->signer = event->signer;
	item->tool = s->talk ? talk_tool_find(s->talk, event->name) : NULL;
	item->call = s->call_count++;
	s->calls[item->call] = item;
	add_item(s, item);
}

/* Takes the bytes of `text` that belong to the object; true when its end was among them. */
static bool take_json(struct sink_braces *b, struct str *text)
{
	for (size_t i = 0; i < text->len && !b->odd; i++) {
		char c = text->p[i];

		if (b->quoted) {
			b->quoted = b->escaped || c != '"';
			b->escaped = !b->escaped && c == '\\';
		} else if (c == '"') {
			b->quoted = true;
		} else if (c == '{' || c == '[') {
			b->depth++;
		} else if ((c == '}' || c == ']') && b->depth > 0 && --b->depth == 0) {
			text->len = i + 1;
			return true;
		}
		b->odd = b->depth == 0 && c != ' ' && c != '\n' && c != '\r' && c != '\t';
	}
	return false;
}

static void add_arguments(struct talk_sink *s, const struct talk_event *event)
{
	struct str text = event->text;
	struct sink_item *item;

	if (event->index < 0 || event->index >= s->call_count || text.len == 0)
		return;
	item = s->calls[event->index];
	if (!item || item->complete)
		return;
	item->complete = take_json(&item->braces, &text);
	if (item->open)
		s->shape->more(s, item, text);
	if (!item->open || keeps(s, item))
		keep(s, item, text);
	advance(s);
}

static void set_finish(struct talk_sink *s, const struct talk_event *event)
{
	s->finish = event->finish;
	buf_reset(&s->stop);
	buf_add(&s->stop, event->stop);
}

static void start(struct talk_sink *s)
{
	if (s->started)
		return;
	s->started = true;
	if (s->out)
		s->shape->start(s);
}

void talk_sink_put(struct talk_sink *s, const struct talk_event *event, struct buf *out)
{
	if (s->ended || s->failed)
		return;
	s->out = out;
	start(s);
	switch (event->kind) {
	case TALK_EV_START:
	case TALK_EV_END:
		break;
	case TALK_EV_TEXT:
		add_text(s, SINK_TEXT, event->text);
		break;
	case TALK_EV_THINKING:
		add_text(s, SINK_THINKING, event->text);
		break;
	case TALK_EV_SIGNATURE:
		add_signature(s, event, TALK_SEAL_THINKING);
		break;
	case TALK_EV_REDACTED:
		add_redacted(s, event);
		break;
	case TALK_EV_TOOL:
		add_call(s, event);
		break;
	case TALK_EV_ARGUMENTS:
		add_arguments(s, event);
		break;
	case TALK_EV_REFUSAL:
		s->refused = s->refused || event->text.len > 0;
		add_text(s, SINK_REFUSAL, event->text);
		break;
	case TALK_EV_FINISH:
		set_finish(s, event);
		break;
	}
}

/* ---- The end ---- */

static void complete_all(struct talk_sink *s)
{
	bool cut = s->finish == TALK_FINISH_LENGTH || s->finish == TALK_FINISH_FILTER;

	for (struct sink_item *item = s->first; item; item = item->next) {
		item->cut = cut && !item->complete;
		item->complete = true;
	}
	advance(s);
}

/* Why there is no regular end; true if there is one. */
static bool ends_well(const struct talk_sink *s, struct err *err)
{
	if (s->failed)
		return err_set(err, ERR_TOO_LARGE, "the answer is too large");
	if (s->finish == TALK_FINISH_ERROR && !s->shape->tells_error)
		return err_set(err, ERR_UNAVAILABLE, SINK_MALFORMED);
	return true;
}

void talk_sink_end(struct talk_sink *s, const struct token_counts *counts, struct buf *out)
{
	struct err why = { 0 };

	if (s->ended)
		return;
	s->out = out;
	start(s);
	if (!s->failed)
		complete_all(s);
	if (ends_well(s, &why))
		s->shape->end(s, counts);
	else
		s->shape->fail(s, &why);
	s->ended = true;
}

void talk_sink_fail(struct talk_sink *s, const struct err *why, struct buf *out)
{
	if (s->ended)
		return;
	s->out = out;
	s->shape->fail(s, why);
	s->ended = true;
}

bool talk_sink_whole(struct talk_sink *s, const struct token_counts *counts, struct buf *out,
                     struct err *err)
{
	struct json_out *o = sink_json(s);

	s->out = NULL;
	complete_all(s);
	if (!ends_well(s, err))
		return false;
	s->shape->whole(s, o, counts);
	if (!json_out_ok(o, err))
		return false;
	buf_add(out, buf_str(&o->text));
	return buf_ok(out, "the answer", err);
}
