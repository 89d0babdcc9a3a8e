/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats have in common: the table of them, reading a request's JSON, and the checks that
 * every provider makes. Google and Kimi will be two more rows. */
#include <stdarg.h>
#include <stdio.h>

#include "tests/provider_sim/sim.h"

static const struct sim_format *const FORMATS[] = { &sim_openai, &sim_anthropic };

const struct sim_format *sim_format_of(const struct net_request *rq)
{
	struct str path = net_request_path(rq);
	if (str_eq(path, STR("/v1/models")))
		return net_request_header(rq, "anthropic-version").p != NULL ? &sim_anthropic
		                                                             : &sim_openai;
	for (size_t i = 0; i < ARRAY_LEN(FORMATS); i++) {
		if (str_eq(path, str_of(FORMATS[i]->path)))
			return FORMATS[i];
	}
	return NULL;
}

bool sim_refuse(struct sim_error *error, int status, const char *format, ...)
{
	va_list args;
	*error = (struct sim_error){ .status = status };
	va_start(args, format);
	(void)vsnprintf(error->message, sizeof(error->message), format, args); /* cut if long */
	va_end(args);
	return false;
}

/* ---- Messages ---- */

/* Adds the length of all texts in a message's content, and keeps the last of them. */
static void read_content(const struct json *content, int64_t *bytes, struct str *last)
{
	if (json_is(content, JSON_STRING)) {
		*last = json_text(content);
		*bytes += (int64_t)last->len;
		return;
	}
	if (!json_is(content, JSON_ARRAY))
		return;
	const struct json *part = json_first(content);
	for (; part != NULL; part = json_next(part)) {
		struct str text = json_text(json_get(part, "text"));
		if (text.p == NULL)
			continue;
		*last = text;
		*bytes += (int64_t)text.len;
	}
}

static bool read_messages(struct sim_ask *ask, struct sim_error *error)
{
	const struct json *messages = json_get(ask->tree, "messages");
	if (!json_is(messages, JSON_ARRAY) || json_count(messages) == 0)
		return sim_refuse(error, 400, "messages: at least one message is required");
	struct str unused;
	read_content(json_get(ask->tree, "system"), &ask->text_bytes, &unused);
	const struct json *m = json_first(messages);
	for (; m != NULL; m = json_next(m)) {
		struct str text = { NULL, 0 };
		read_content(json_get(m, "content"), &ask->text_bytes, &text);
		if (str_eq(json_text(json_get(m, "role")), STR("user")))
			ask->last_user_text = text;
	}
	return true;
}

struct str sim_ask_scenario(const struct sim_ask *ask)
{
	struct str text = ask->last_user_text;
	ptrdiff_t open = text.p != NULL ? str_find(text, STR("[[")) : -1;
	if (open < 0)
		return (struct str){ NULL, 0 };
	struct str inner = { text.p + open + 2, text.len - (size_t)open - 2 };
	ptrdiff_t close = str_find(inner, STR("]]"));
	return close < 0 ? (struct str){ NULL, 0 } : (struct str){ inner.p, (size_t)close };
}

/* ---- Requests ---- */

static bool knows(const struct sim_format *format, struct str model)
{
	for (const char *const *prefix = format->models; *prefix != NULL; prefix++) {
		if (str_starts(model, str_of(*prefix)))
			return true;
	}
	return false;
}

static bool read_json(const struct net_request *rq, struct sim_ask *ask, struct sim_error *error)
{
	struct err err = { 0 };
	ask->tree = json_parse(net_request_body(rq), &err);
	if (ask->tree == NULL || !json_is(ask->tree, JSON_OBJECT))
		return sim_refuse(error, 400, "the body is not a JSON object: %s", err.text);
	ask->model = json_text(json_get(ask->tree, "model"));
	ask->stream = json_true(json_get(ask->tree, "stream"));
	ask->max_tokens = -1;
	if (ask->model.p == NULL)
		return sim_refuse(error, 400, "model: a model is required");
	return true;
}

bool sim_ask_read(const struct net_request *rq, struct str key, struct sim_ask *ask,
                  struct sim_error *error)
{
	if (!ask->format->authorized(rq, key))
		return sim_refuse(error, 401, "the API key is missing or wrong");
	if (!read_json(rq, ask, error) || !read_messages(ask, error))
		return false;
	if (!ask->format->read(rq, ask, error))
		return false;
	if (!knows(ask->format, ask->model))
		return sim_refuse(error, 404, "model: %.*s does not exist", STR_ARG(ask->model));
	return true;
}
