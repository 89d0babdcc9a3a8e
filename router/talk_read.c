/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers share about members, texts and parts; tools and options are in
 * talk_read_tools.c. The surprising fact: a turn begins with its first part, so a message without
 * content leaves nothing behind and its neighbours are merged as if it were not there. */
#include "router/talk_read.h"

static const struct talk_member *find_member(const struct talk_members *known, struct str name)
{
	for (size_t i = 0; i < known->count; i++)
		if (str_eq(name, str_of(known->members[i].name)))
			return &known->members[i];
	return NULL;
}

static bool check_member(const struct talk_in *in, const struct json *member,
                         const struct talk_members *known)
{
	struct str name = json_key(member);
	const struct talk_member *found = find_member(known, name);

	if (json_is(member, JSON_NULL))
		return true;
	if (!found)
		return !known->closed || err_set(in->err, ERR_INVALID_ARGUMENT,
		                                 "unknown parameter '%.*s'", STR_ARG(name));
	if (found->fate == TALK_FATE_REFUSE)
		return err_set(in->err, ERR_UNSUPPORTED, "'%s' is not offered here: %s",
		               found->name, found->why);
	return true;
}

bool talk_in_open(struct talk_in *in, struct str body, const struct talk_members *known)
{
	struct json *tree = json_parse(body, in->err);

	if (!tree)
		return false;
	in->talk->tree = tree;
	if (!json_is(tree, JSON_OBJECT))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "the body must be a JSON object");
	for (const struct json *m = json_first(tree); m; m = json_next(m))
		if (!check_member(in, m, known))
			return false;
	return true;
}

const struct json *talk_in_get(const struct json *object, const char *key)
{
	const struct json *node = json_get(object, key);

	return json_is(node, JSON_NULL) ? NULL : node;
}

bool talk_in_text(const struct talk_in *in, const struct json *object, const char *key,
                  struct str *out)
{
	const struct json *node = talk_in_get(object, key);

	if (!node)
		return true;
	if (!json_is(node, JSON_STRING))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'%s' must be a string", key);
	*out = json_text(node);
	return true;
}

bool talk_in_need(const struct talk_in *in, const struct json *object, const char *key,
                  struct str *out)
{
	struct str text = { 0 };

	if (!talk_in_text(in, object, key, &text))
		return false;
	if (text.len == 0)
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'%s' is required and not empty",
		               key);
	*out = text;
	return true;
}

bool talk_in_bool(const struct talk_in *in, const struct json *object, const char *key, bool *out)
{
	const struct json *node = talk_in_get(object, key);

	if (!node)
		return true;
	if (!json_is(node, JSON_BOOL))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'%s' must be true or false", key);
	*out = json_true(node);
	return true;
}

bool talk_in_count(const struct talk_in *in, const struct json *object, const char *key,
                   int64_t *out)
{
	const struct json *node = talk_in_get(object, key);
	int64_t n = 0;

	if (!node)
		return true;
	if (!json_i64(node, &n) || n < 1)
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'%s' must be a whole number from 1",
		               key);
	*out = n;
	return true;
}

bool talk_in_keep(const struct talk_in *in, const struct buf *text, struct str *out)
{
	struct str copy;

	if (!buf_ok(text, "the request", in->err))
		return false;
	copy = talk_copy(in->talk, buf_str(text));
	if (!copy.p)
		return err_no_memory(in->err);
	*out = copy;
	return true;
}

bool talk_in_json(const struct talk_in *in, const struct json *node, struct str *out)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_HTTP_BODY);

	json_put_tree(&o, NULL, node);
	return json_out_ok(&o, in->err) && talk_in_keep(in, &o.text, out);
}

bool talk_in_number(const struct talk_in *in, const struct json *object, const char *key,
                    struct str *out)
{
	const struct json *node = talk_in_get(object, key);

	if (!node)
		return true;
	if (!json_is(node, JSON_NUMBER))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'%s' must be a number", key);
	return talk_in_json(in, node, out);
}

struct talk_part *talk_in_part(struct talk_in *in, enum talk_part_kind kind)
{
	struct talk_turn *turn = NULL;
	struct talk_part *part = NULL;

	/* Each result looks for its call. */
	if ((kind == TALK_TOOL_CALL && in->talk->call_count >= LIMIT_TALK_CALLS) ||
	    (kind == TALK_TOOL_RESULT && in->talk->result_count >= LIMIT_TALK_CALLS)) {
		(void)err_set(in->err, ERR_TOO_LARGE, "more than %d tool calls or results",
		              LIMIT_TALK_CALLS);
		return NULL;
	}
	if (in->list) {
		part = talk_add_part(in->talk, in->list, kind);
	} else {
		turn = talk_add_turn(in->talk, in->role, in->index);
		part = turn ? talk_add_part(in->talk, &turn->parts, kind) : NULL;
	}
	if (part)
		part->turn = turn;
	else
		(void)err_no_memory(in->err);
	return part;
}

bool talk_in_add_text(struct talk_in *in, enum talk_part_kind kind, struct str text)
{
	struct talk_part *part;

	if (text.len == 0)
		return true;
	part = talk_in_part(in, kind);
	if (!part)
		return false;
	part->text = text;
	return true;
}

/* "data:image/png;base64,iVBOR…": mime and data, or false. */
static bool cut_data_url(struct str url, struct str *mime, struct str *data)
{
	struct str rest = url, head, type;

	if (!str_starts(url, STR("data:")))
		return false;
	(void)str_cut(&rest, ':');
	head = str_cut(&rest, ',');
	if (!rest.p || !str_ends(head, STR(";base64")))
		return false;
	type = str_cut(&head, ';');
	*mime = type;
	*data = rest;
	return true;
}

bool talk_in_image_data(struct talk_in *in, struct str mime, struct str data)
{
	static const struct str known[] = { STR_INIT("image/jpeg"), STR_INIT("image/png"),
		                            STR_INIT("image/gif"), STR_INIT("image/webp") };
	struct talk_part *part;
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		found = found || str_eq_nocase(mime, known[i]);
	if (!found || data.len == 0)
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "an image must be base64 data of image/jpeg, image/png, image/gif "
		               "or image/webp");
	part = talk_in_part(in, TALK_IMAGE);
	if (!part)
		return false;
	part->mime = mime;
	part->data = data;
	return true;
}

bool talk_in_image_url(struct talk_in *in, struct str url)
{
	struct str mime = { 0 }, data = { 0 };
	struct talk_part *part;

	if (cut_data_url(url, &mime, &data))
		return talk_in_image_data(in, mime, data);
	if (!str_starts(url, STR("https://")))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "an image's URL must begin with https:// or data:image/");
	part = talk_in_part(in, TALK_IMAGE);
	if (!part)
		return false;
	part->url = url;
	return true;
}

bool talk_in_pdf(struct talk_in *in, struct str mime, struct str data, struct str name)
{
	struct talk_part *part;

	if (!str_eq_nocase(mime, STR("application/pdf")) || data.len == 0)
		return err_set(in->err, ERR_UNSUPPORTED,
		               "a file must be base64 data of application/pdf; send other texts "
		               "as text");
	part = talk_in_part(in, TALK_FILE);
	if (!part)
		return false;
	part->mime = mime;
	part->data = data;
	part->name = name;
	return true;
}

bool talk_in_file_url(struct talk_in *in, struct str url, struct str name)
{
	struct str mime = { 0 }, data = { 0 };

	if (!cut_data_url(url, &mime, &data))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'file_data' must begin with data:application/pdf;base64,");
	return talk_in_pdf(in, mime, data, name);
}

struct talk_part *talk_in_call(struct talk_in *in, struct str id, struct str name,
                               struct str arguments)
{
	struct str text = str_trim(arguments);
	struct talk_part *part;

	if (text.len == 0)
		text = STR("{}");
	/* Anthropic and Gemini take an object, not a text that may be one. */
	if (!json_scan(text, NULL, NULL, NULL) || text.p[0] != '{') {
		(void)err_set(in->err, ERR_INVALID_ARGUMENT,
		              "'arguments' must be the text of a JSON object");
		return NULL;
	}
	part = talk_in_part(in, TALK_TOOL_CALL);
	if (!part)
		return NULL;
	part->id = id;
	part->name = name;
	part->text = text;
	return part;
}

struct talk_part *talk_in_custom_call(struct talk_in *in, struct str id, struct str name,
                                      struct str input)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_HTTP_BODY);
	struct str arguments = { 0 };

	json_put_object(&o, NULL);
	json_put_str(&o, "input", input);
	json_put_end(&o, '}');
	if (!json_out_ok(&o, in->err) || !talk_in_keep(in, &o.text, &arguments))
		return NULL;
	return talk_in_call(in, id, name, arguments);
}

struct talk_part *talk_in_result(struct talk_in *in, struct str id)
{
	struct talk_part *call = talk_call_find(in->talk, id);
	struct talk_part *part;

	if (!call) {
		(void)err_set(in->err, ERR_INVALID_ARGUMENT,
		              "'%.*s' is not the id of a tool call before it", STR_ARG(id));
		return NULL;
	}
	part = talk_in_part(in, TALK_TOOL_RESULT);
	if (!part)
		return NULL;
	part->id = id;
	part->name = call->name;
	part->peer = call;
	call->peer = part;
	return part;
}

bool talk_in_thinking(struct talk_in *in, struct str text, const struct talk_seal *seal)
{
	struct talk_part *part = talk_in_part(in, TALK_THINKING);

	if (!part)
		return false;
	part->text = text;
	part->signer = seal->signer;
	part->redacted = seal->kind == TALK_SEAL_REDACTED;
	part->of_call = seal->kind == TALK_SEAL_CALL;
	if (part->redacted)
		part->data = seal->text;
	else
		part->signature = seal->text;
	return true;
}

static bool read_part(struct talk_in *in, const struct json *part, talk_in_part_fn *fn)
{
	struct str type = { 0 };

	if (!json_is(part, JSON_OBJECT))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "must be an object");
	return talk_in_need(in, part, "type", &type) && fn(in, part, type);
}

bool talk_in_content(struct talk_in *in, const struct json *content, const char *key,
                     talk_in_part_fn *fn)
{
	size_t i = 0;

	if (!content)
		return true;
	if (json_is(content, JSON_STRING))
		return talk_in_add_text(in, TALK_TEXT, json_text(content));
	if (!json_is(content, JSON_ARRAY))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'%s' must be a string or an array of parts", key);
	for (const struct json *part = json_first(content); part; part = json_next(part), i++)
		if (!read_part(in, part, fn))
			return err_prefix(in->err, "%s[%zu]", key, i);
	return true;
}
