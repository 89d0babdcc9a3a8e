/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats have in common: the table of their routes, reading a request's JSON, and the
 * checks that every provider makes. */
#include <stdarg.h>
#include <stdio.h>

#include "tests/provider_sim/sim.h"

struct route {
	const char *method, *path;
	const struct sim_format *format;
	enum sim_want want;
	bool prefix; /* the path goes on */
};

static const struct route ROUTES[] = {
	{ "POST", "/v1/chat/completions", &sim_openai, SIM_COMPLETION, false },
	{ "POST", "/v1/responses", &sim_responses, SIM_COMPLETION, false },
	{ "POST", "/v1/responses/input_tokens", &sim_responses, SIM_COUNT, false },
	{ "POST", "/v1/messages", &sim_anthropic, SIM_COMPLETION, false },
	{ "POST", "/v1/messages/count_tokens", &sim_anthropic, SIM_COUNT, false },
	{ "POST", "/kimi/v1/chat/completions", &sim_kimi, SIM_COMPLETION, false },
	{ "POST", "/v1beta/models/", &sim_google, SIM_COMPLETION, true },
	{ "GET", "/v1/models", &sim_openai, SIM_MODELS, false },
	{ "GET", "/kimi/v1/models", &sim_kimi, SIM_MODELS, false },
	{ "GET", "/v1beta/models", &sim_google, SIM_MODELS, false },
};

static bool is_at(const struct net_request *rq, const struct route *route)
{
	struct str path = net_request_path(rq);
	if (!str_eq(net_request_method(rq), str_of(route->method)))
		return false;
	return route->prefix ? str_starts(path, str_of(route->path))
	                     : str_eq(path, str_of(route->path));
}

bool sim_route(const struct net_request *rq, struct sim_ask *ask)
{
	for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++) {
		if (!is_at(rq, &ROUTES[i]))
			continue;
		ask->format = ROUTES[i].format;
		ask->want = ROUTES[i].want;
		if (ask->want == SIM_MODELS && ask->format == &sim_openai &&
		    net_request_header(rq, "anthropic-version").p != NULL)
			ask->format = &sim_anthropic;
		return true;
	}
	return false;
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

bool sim_has_bearer(const struct net_request *rq, struct str key)
{
	struct str value = net_request_header(rq, "authorization");
	if (!str_starts(value, STR("Bearer ")))
		return false;
	return str_eq((struct str){ value.p + 7, value.len - 7 }, key);
}

bool sim_text_is(const struct json *object, const char *key, const char *value)
{
	return str_eq(json_text(json_get(object, key)), str_of(value));
}

static bool is_among(struct str text, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (str_eq(text, str_of(*list)))
			return true;
	}
	return false;
}

struct str sim_unknown_key(const struct json *object, const char *const *known)
{
	const struct json *member = json_is(object, JSON_OBJECT) ? json_first(object) : NULL;
	for (; member != NULL; member = json_next(member)) {
		if (!is_among(json_key(member), known))
			return json_key(member);
	}
	return (struct str){ NULL, 0 };
}

/* ---- Messages ---- */

static void read_text(struct str text, int64_t *bytes, struct str *last)
{
	if (text.p == NULL)
		return;
	*last = text;
	*bytes += (int64_t)text.len;
}

void sim_read_content(const struct json *content, int64_t *bytes, struct str *last)
{
	read_text(json_text(content), bytes, last);
	if (!json_is(content, JSON_ARRAY))
		return;
	const struct json *part = json_first(content);
	for (; part != NULL; part = json_next(part)) {
		read_text(json_text(json_get(part, "text")), bytes, last);
		const struct json *result = json_get(part, "content");
		read_text(json_text(result), bytes, last);
		const struct json *inner = json_is(result, JSON_ARRAY) ? json_first(result) : NULL;
		for (; inner != NULL; inner = json_next(inner))
			read_text(json_text(json_get(inner, "text")), bytes, last);
	}
}

bool sim_read_messages(struct sim_ask *ask, struct sim_error *error)
{
	const struct json *messages = json_get(ask->tree, "messages");
	if (ask->model.p == NULL)
		return sim_refuse(error, 400, "model: a model is required");
	if (!json_is(messages, JSON_ARRAY) || json_count(messages) == 0)
		return sim_refuse(error, 400, "messages: at least one message is required");
	struct str unused;
	sim_read_content(json_get(ask->tree, "system"), &ask->text_bytes, &unused);
	const struct json *m = json_first(messages);
	for (; m != NULL; m = json_next(m)) {
		struct str text = { NULL, 0 };
		sim_read_content(json_get(m, "content"), &ask->text_bytes, &text);
		if (sim_text_is(m, "role", "user") || sim_text_is(m, "role", "tool"))
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
	return true;
}

bool sim_ask_read(const struct net_request *rq, struct str key, struct sim_ask *ask,
                  struct sim_error *error)
{
	if (!ask->format->authorized(rq, key))
		return sim_refuse(error, 401, "the API key is missing or wrong");
	if (!read_json(rq, ask, error) || !ask->format->read(rq, ask, error))
		return false;
	if (!knows(ask->format, ask->model))
		return sim_refuse(error, 404, "model: %.*s does not exist", STR_ARG(ask->model));
	return true;
}
