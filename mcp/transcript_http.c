/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP step of a transcript, over a real connection to the shop's own listener. */
#include <string.h>

#include "base/limits.h"
#include "mcp/transcript.h"

#define HEADERS_MAX 32
#define STEP_MS 1000

struct answer {
	int status;
	struct json_out headers; /* an object */
	bool events;             /* the body is a stream of events */
	bool json;
	struct buf body;
	bool ended;
	enum net_end end;
	struct buf why;
};

/* ---- The answer as it comes ---- */

static void add_lower(struct buf *out, struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		buf_add_char(out, c);
	}
}

static bool comes_again(const struct net_header *headers, size_t count, size_t i)
{
	for (size_t later = i + 1; later < count; later++) {
		if (str_eq_nocase(headers[i].name, headers[later].name))
			return true;
	}
	return false;
}

/* Names in lower case, a repeated one with its last value: an object has each key once. */
static void put_headers(struct json_out *out, const struct net_header *headers, size_t count)
{
	OWN_BUF struct buf name = buf_make(LIMIT_UPSTREAM_HEAD);

	json_put_object(out, NULL);
	for (size_t i = 0; i < count; i++) {
		if (comes_again(headers, count, i))
			continue;
		buf_reset(&name);
		add_lower(&name, headers[i].name);
		if (name.p != NULL)
			json_put_str(out, name.p, headers[i].value);
	}
	json_put_end(out, '}');
}

static void answer_head(void *data, struct net_exchange *x)
{
	struct answer *a = data;
	struct str type = net_exchange_header(x, "content-type");
	size_t count = 0;
	const struct net_header *headers = net_exchange_headers(x, &count);

	a->status = net_exchange_status(x);
	a->events = str_starts(type, STR("text/event-stream"));
	a->json = str_starts(type, STR("application/json"));
	put_headers(&a->headers, headers, count);
}

static void answer_data(void *data, struct net_exchange *x, struct str bytes)
{
	struct answer *a = data;

	(void)x;
	buf_add(&a->body, bytes);
}

static void answer_done(void *data, enum net_end end, const char *why)
{
	struct answer *a = data;

	a->ended = true;
	a->end = end;
	buf_add_z(&a->why, why);
}

static void answer_free(struct answer *a)
{
	json_out_done(&a->headers);
	buf_wipe(&a->body);
	buf_done(&a->body);
	buf_done(&a->why);
}

/* ---- The answer as JSON ---- */

/* "[DONE]" is no JSON: it stays a text. */
static void put_event(void *data, const struct net_sse_event *event)
{
	struct json_out *out = data;

	if (event->data.p == NULL)
		return;
	if (json_scan(event->data, NULL, NULL, NULL))
		json_put_raw(out, NULL, event->data);
	else
		json_put_str(out, NULL, event->data);
}

static bool put_events(struct json_out *out, struct str body, struct err *err)
{
	struct net_sse sse;

	net_sse_init(&sse);
	json_put_object(out, "body");
	json_put_array(out, "events");
	bool ok = net_sse_feed(&sse, body, put_event, out, err);
	json_put_end(out, ']');
	json_put_end(out, '}');
	net_sse_done(&sse);
	return ok;
}

static bool put_answer(const struct answer *a, struct json_out *out, struct err *err)
{
	struct str body = buf_str(&a->body);
	bool ok = true;

	if (!buf_ok(&a->body, "the answer's body", err))
		return false;
	json_put_object(out, NULL);
	json_put_i64(out, "status", a->status);
	json_put_raw(out, "headers", buf_str(&a->headers.text));
	if (a->events)
		ok = put_events(out, body, err);
	else if (a->json && json_scan(body, NULL, NULL, NULL))
		json_put_raw(out, "body", body);
	else
		json_put_str(out, "body", body);
	json_put_end(out, '}');
	return ok && json_out_ok(out, err);
}

/* ---- The request ---- */

struct outgoing {
	struct buf url;
	struct buf body;
	struct net_header headers[HEADERS_MAX];
	size_t count;
};

static bool add_header(struct outgoing *o, struct str name, struct str value, struct err *err)
{
	if (o->count == HEADERS_MAX)
		return err_set(err, ERR_TOO_LARGE, "more than %d headers", HEADERS_MAX);
	o->headers[o->count++] = (struct net_header){ .name = name, .value = value };
	return true;
}

/* The shop's base URL without its path: transcripts name whole paths. */
static void add_origin(struct buf *url, const char *base_url)
{
	struct str rest = str_of(base_url);
	struct str scheme = str_cut(&rest, '/');

	(void)str_cut(&rest, '/'); /* between the two slashes */
	struct str host = str_cut(&rest, '/');
	buf_add(url, scheme);
	buf_add_z(url, "//");
	buf_add(url, host);
}

static bool build_headers(struct outgoing *o, const struct json *headers, bool json_body,
                          struct err *err)
{
	bool has_type = false;

	for (const struct json *h = json_first(headers); h != NULL; h = json_next(h)) {
		has_type = has_type || str_eq_nocase(json_key(h), STR("content-type"));
		if (!add_header(o, json_key(h), json_text(h), err))
			return false;
	}
	return !json_body || has_type ||
	       add_header(o, STR("content-type"), STR("application/json"), err);
}

/* A body that is a string is sent as it is, so that a transcript can send what is no JSON. */
static bool build(struct outgoing *o, const char *base_url, const struct json *request,
                  struct err *err)
{
	const struct json *body = json_get(request, "body");
	bool json_body = body != NULL && !json_is(body, JSON_STRING);

	add_origin(&o->url, base_url);
	buf_add(&o->url, json_text(json_get(request, "path")));
	if (json_body) {
		OWN_JSON_OUT struct json_out text = json_out_make(LIMIT_HTTP_BODY);
		json_put_tree(&text, NULL, body);
		buf_add(&o->body, buf_str(&text.text));
	} else if (body != NULL) {
		buf_add(&o->body, json_text(body));
	}
	return buf_ok(&o->url, "the path", err) && buf_ok(&o->body, "the body", err) &&
	       build_headers(o, json_get(request, "headers"), json_body, err);
}

static bool exchange(struct mcp__http *http, const struct outgoing *o, const char *method,
                     struct answer *a, struct err *err)
{
	static const struct net_exchange_events EVENTS = {
		.head = answer_head,
		.data = answer_data,
		.done = answer_done,
	};
	const struct net_exchange_request request = {
		.method = method,
		.url = o->url.p,
		.headers = o->headers,
		.header_count = o->count,
		.body = buf_str(&o->body),
	};
	struct net_exchange *x = net_exchange_start(http->client, &request, &EVENTS, a, err);

	if (x == NULL)
		return false;
	while (!a->ended) {
		if (!net_loop_step(http->loop, STEP_MS, err)) {
			if (!a->ended)
				net_exchange_cancel(x);
			return false;
		}
	}
	if (a->end != NET_END_COMPLETE)
		return err_set(err, ERR_UNAVAILABLE, "the connection failed: %.*s",
		               STR_ARG(buf_str(&a->why)));
	return true;
}

bool mcp__http_run(struct mcp__http *http, const struct json *request, struct json_out *answer,
                   struct err *err)
{
	struct outgoing o = { .url = buf_make(LIMIT_HTTP_LINE), .body = buf_make(LIMIT_HTTP_BODY) };
	struct answer a = { .headers = json_out_make(LIMIT_FRAME),
		            .body = buf_make(LIMIT_FRAME),
		            .why = buf_make(LIMIT_ERR_TEXT) };
	bool ok = false;

	if (http->base_url == NULL)
		return err_set(err, ERR_UNAVAILABLE, "the shop has no listener");
	if (http->client == NULL)
		http->client = net_client_new(http->loop, err);
	if (http->client != NULL && build(&o, http->base_url, request, err))
		ok = exchange(http, &o, json_text(json_get(request, "method")).p, &a, err) &&
		     put_answer(&a, answer, err);
	buf_done(&o.url);
	buf_wipe(&o.body);
	buf_done(&o.body);
	answer_free(&a);
	return ok;
}

void mcp__http_done(struct mcp__http *http)
{
	net_client_free(http->client);
	http->client = NULL;
}
