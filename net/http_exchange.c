/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer on a curl easy handle. Bytes that curl hands over are kept until curl
 * has returned, and only then given to the caller; so every function of net.h may be called from
 * every callback. Curl repeats a request by itself when a reused connection dies before the
 * answer; for a POST that could be paid twice without a trace, so a second sending is refused
 * here and the caller decides (docs/decisions/0003-libcurl-multi.md). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "net/http_exchange.h"

/* Above this many bytes not yet delivered, curl is told to hold the rest. */
#define BODY_HIGH LIMIT_HTTP_OUT_HIGH
#define BODY_MAX (BODY_HIGH + CURL_MAX_WRITE_SIZE)

/* A larger body buffer is not kept for the next exchange. */
#define BODY_KEPT ((size_t)4 * CURL_MAX_WRITE_SIZE)

/* Idle connections are not reused after this time: servers close them at about the same age, and
 * a request on a dying connection fails. */
#define IDLE_CONNECTION_SECONDS 50L
#define CONNECTION_LIFETIME_SECONDS 3600L
#define DNS_SECONDS 60L
#define KEEP_ALIVE_PROBE_SECONDS 30L

static int64_t now(const struct net_exchange *x)
{
	return net_loop_now_ms(net__client_loop(x->client));
}

/* ---- The answer's head ---- */

static bool refuse(struct net_exchange *x, const char *why)
{
	if (x->why == NULL)
		x->why = why;
	return false;
}

static bool add_header(struct net_exchange *x, struct net_header h)
{
	if (x->header_count == x->header_cap) {
		size_t cap = x->header_cap != 0 ? x->header_cap * 2 : 32;
		struct net_header *grown = realloc(x->headers, cap * sizeof(*grown));
		if (grown == NULL)
			return refuse(x, "out of memory");
		x->headers = grown;
		x->header_cap = cap;
	}
	x->headers[x->header_count++] = h;
	return true;
}

static struct str line_of(struct str *rest)
{
	struct str line = str_cut(rest, '\n');
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* The head's text does not move any more: cut it into fields. */
static bool parse_head(struct net_exchange *x)
{
	struct str rest = buf_str(&x->head);
	while (rest.p != NULL && rest.len > 0) {
		struct str value = line_of(&rest);
		if (value.len == 0)
			break;
		struct str name = str_cut(&value, ':');
		if (value.p == NULL || name.len == 0 || str_trim(name).len != name.len)
			return refuse(x, "the answer's head is malformed");
		if (!add_header(x, (struct net_header){ name, str_trim(value) }))
			return false;
	}
	x->head_complete = true;
	net__client_queue(x->client, x);
	return true;
}

/* "HTTP/1.1 200 OK". Curl has checked the form. */
static int status_of(struct str line)
{
	int64_t status = 0;
	(void)str_cut(&line, ' ');
	struct str code = str_cut(&line, ' ');
	return str_to_i64(str_trim(code), &status) && status > 0 && status < 1000 ? (int)status : 0;
}

static bool take_head_line(struct net_exchange *x, struct str line)
{
	if (x->head_complete)
		return true; /* a trailer field: nobody needs one */
	x->head_seen += line.len;
	if (x->head_seen > LIMIT_UPSTREAM_HEAD)
		return refuse(x, "the answer's head is too large");
	if (str_starts(line, STR("HTTP/"))) {
		x->status = status_of(str_trim(line_of(&line)));
		return x->status != 0 || refuse(x, "the answer's status is malformed");
	}
	struct str text = line;
	bool blank = line_of(&text).len == 0;
	if (blank && x->status < 200) {
		buf_reset(&x->head);
		return true;
	}
	buf_add(&x->head, line);
	if (x->head.failed)
		return refuse(x, "out of memory");
	return !blank || parse_head(x);
}

/* ---- Curl's callbacks ---- */

/* CURLOPT_HEADERFUNCTION: one line at a time, with its end. */
static size_t on_head_line(char *bytes, size_t size, size_t count, void *data)
{
	struct net_exchange *x = data;
	x->active_ms = now(x);
	return take_head_line(x, (struct str){ bytes, size * count }) ? size * count : 0;
}

/* CURLOPT_WRITEFUNCTION */
static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct net_exchange *x = data;
	if (x->paused || x->body.len >= BODY_HIGH) {
		x->stalled = true;
		net__client_queue(x->client, x);
		return CURL_WRITEFUNC_PAUSE;
	}
	x->active_ms = now(x);
	buf_add(&x->body, (struct str){ bytes, size * count });
	if (x->body.failed) {
		(void)refuse(x, "out of memory");
		return 0;
	}
	net__client_queue(x->client, x);
	return size * count;
}

/* CURLOPT_PREREQFUNCTION: a connection is there, the request is about to leave on it. */
static int on_before_send(void *data, char *peer_address, char *own_address, int peer_port,
                          int own_port)
{
	(void)peer_address;
	(void)own_address;
	(void)peer_port;
	(void)own_port;
	struct net_exchange *x = data;
	x->sends++;
	if (x->sends > 1 && !x->idempotent) {
		(void)refuse(x, "a reused connection closed before an answer came");
		return CURL_PREREQFUNC_ABORT;
	}
	return CURL_PREREQFUNC_OK;
}

/* ---- The handle ---- */

/* What is the same for every request is set once: handles go from exchange to exchange. */
static bool set_fixed(struct net_exchange *x)
{
	CURL *e = x->easy;
	unsigned bad = 0;
	bad |= curl_easy_setopt(e, CURLOPT_PRIVATE, x);
	bad |= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->error);
	bad |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	/* A stray http_proxy in the environment must not see our keys. */
	bad |= curl_easy_setopt(e, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	bad |= curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	bad |= curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	bad |= curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	bad |= curl_easy_setopt(e, CURLOPT_USERAGENT, "agent-store/" AGENT_STORE_VERSION);
	bad |= curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	bad |= curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, KEEP_ALIVE_PROBE_SECONDS);
	bad |= curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, KEEP_ALIVE_PROBE_SECONDS);
	bad |= curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
	bad |= curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_SECONDS);
	bad |= curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFETIME_SECONDS);
	bad |= curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, DNS_SECONDS);
	bad |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head_line);
	bad |= curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
	bad |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	bad |= curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
	bad |= curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_before_send);
	bad |= curl_easy_setopt(e, CURLOPT_PREREQDATA, x);
	return bad == CURLE_OK;
}

/* Silence is measured here and not by CURLOPT_LOW_SPEED_TIME, which counts in seconds and goes on
 * while the caller pauses. The check is lazy: bytes only write down the time. */
static void idle_fired(void *data)
{
	struct net_exchange *x = data;
	curl_off_t uploaded = 0;
	(void)curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
	if (x->paused || uploaded != x->uploaded)
		x->active_ms = now(x);
	x->uploaded = uploaded;
	int64_t left = x->active_ms + x->idle_ms - now(x);
	if (left > 0) {
		net_timer_start(&x->idle, left);
		return;
	}
	x->ended = true;
	x->end = NET_END_TIMEOUT;
	x->why = x->sends == 0 ? "no connection in time" : "the upstream was silent for too long";
	net__client_queue(x->client, x);
	net__client_turn(x->client);
}

struct net_exchange *net__exchange_new(struct net_client *c, struct err *err)
{
	struct net_exchange *x = calloc(1, sizeof(*x));
	if (x == NULL) {
		(void)err_no_memory(err); /* its value is for functions that return bool */
		return NULL;
	}
	x->client = c;
	x->head = buf_make(LIMIT_UPSTREAM_HEAD);
	x->body = buf_make(BODY_MAX);
	net_timer_init(&x->idle, net__client_loop(c), idle_fired, x);
	x->easy = curl_easy_init();
	if (x->easy == NULL || !set_fixed(x)) {
		net__exchange_free(x);
		err_record(err, ERR_UNAVAILABLE, "libcurl: no handle");
		return NULL;
	}
	net__client_own_sockets(c, x->easy);
	return x;
}

void net__exchange_free(struct net_exchange *x)
{
	if (x == NULL)
		return;
	if (x->easy != NULL)
		curl_easy_cleanup(x->easy);
	buf_done(&x->head);
	buf_done(&x->body);
	free(x->headers);
	free(x);
}

/* ---- The request ---- */

static void free_fields(struct curl_slist *fields)
{
	for (struct curl_slist *f = fields; f != NULL; f = f->next)
		bytes_wipe(f->data, strlen(f->data));
	curl_slist_free_all(fields);
}

static bool has_bad_bytes(struct str s)
{
	return s.len > 0 && (memchr(s.p, '\r', s.len) != NULL || memchr(s.p, '\n', s.len) != NULL ||
	                     memchr(s.p, '\0', s.len) != NULL);
}

static bool add_field(struct curl_slist **fields, const char *line, struct err *err)
{
	struct curl_slist *longer = curl_slist_append(*fields, line);
	if (longer == NULL)
		return err_no_memory(err);
	*fields = longer;
	return true;
}

/* "Name: value"; curl wants "Name;" for an empty one. */
static bool add_request_field(struct curl_slist **fields, struct buf *line,
                              const struct net_header *h, struct err *err)
{
	if (has_bad_bytes(h->name) || has_bad_bytes(h->value) || h->name.len == 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "a request field is malformed");
	buf_add(line, h->name);
	buf_add_z(line, h->value.len > 0 ? ": " : ";");
	if (h->value.len > 0)
		buf_add(line, h->value);
	bool ok = buf_ok(line, "a request field", err) && add_field(fields, line->p, err);
	buf_wipe(line); /* it may have been the provider's key */
	return ok;
}

/* Builds the list into `*fields`, of which the caller frees what is there, also on failure. */
static bool build_fields(const struct net_exchange_request *rq, struct curl_slist **fields,
                         struct err *err)
{
	OWN_BUF struct buf line = buf_make(LIMIT_HTTP_HEAD);
	bool typed = false;
	/* All its memory at once: growing would leave copies of keys behind. */
	bool ok = buf_reserve(&line, LIMIT_HTTP_LINE) != NULL || err_no_memory(err);
	for (size_t i = 0; ok && i < rq->header_count; i++) {
		typed = typed || str_eq_nocase(rq->headers[i].name, STR("content-type"));
		ok = add_request_field(fields, &line, &rq->headers[i], err);
	}
	/* Curl would wait for a 100 before large bodies, and would call untyped ones a form. */
	ok = ok && add_field(fields, "Expect:", err);
	if (!typed)
		ok = ok && add_field(fields, "Content-Type:", err);
	return ok;
}

static unsigned set_method(struct net_exchange *x, const struct net_exchange_request *rq)
{
	struct str method = str_of(rq->method);
	bool post = str_eq(method, STR("POST"));
	bool head = str_eq(method, STR("HEAD"));
	x->idempotent = head || str_eq(method, STR("GET"));
	unsigned bad = 0;
	if (post || rq->body.len > 0) {
		bad |= curl_easy_setopt(x->easy, CURLOPT_POST, 1L);
		bad |= curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		                        (curl_off_t)rq->body.len);
		/* Borrowed, not copied. NULL would make curl read stdin. */
		bad |= curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS,
		                        rq->body.len > 0 ? rq->body.p : "");
	} else {
		bad |= curl_easy_setopt(x->easy, CURLOPT_HTTPGET, 1L);
		bad |= curl_easy_setopt(x->easy, CURLOPT_NOBODY, head ? 1L : 0L);
	}
	bad |= curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST,
	                        post || x->idempotent ? NULL : rq->method);
	return bad;
}

static bool prepare(struct net_exchange *x, const struct net_exchange_request *rq, struct err *err)
{
	if (!build_fields(rq, &x->fields, err))
		return false;
	int64_t connect_ms = rq->connect_ms > 0 ? rq->connect_ms : LIMIT_UPSTREAM_CONNECT_MS;
	unsigned bad = set_method(x, rq);
	bad |= curl_easy_setopt(x->easy, CURLOPT_URL, rq->url);
	bad |= curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->fields);
	bad |= curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	if (bad != CURLE_OK)
		return err_set(err, ERR_UNAVAILABLE, "libcurl refuses the request");
	x->idle_ms = rq->idle_ms > 0 ? rq->idle_ms : LIMIT_UPSTREAM_IDLE_MS;
	x->active_ms = now(x);
	return true;
}

void net__exchange_reset(struct net_exchange *x)
{
	(void)curl_multi_remove_handle(net__client_multi(x->client), x->easy); /* if it is in */
	(void)curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, NULL);
	(void)curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, NULL);
	free_fields(x->fields);
	x->fields = NULL;
	net_timer_stop(&x->idle);
}

void net__exchange_clear(struct net_exchange *x)
{
	buf_reset(&x->head);
	buf_reset(&x->body);
	if (x->body.cap > BODY_KEPT)
		buf_done(&x->body);
	x->error[0] = '\0';
	x->why = NULL;
	x->head_seen = x->header_count = 0;
	x->status = 0;
	x->uploaded = 0;
	x->sends = 0;
	x->end = NET_END_COMPLETE;
	x->head_complete = x->head_told = x->paused = x->stalled = false;
	x->ended = x->gone = x->queued = false;
}

struct net_exchange *net_exchange_start(struct net_client *c,
                                        const struct net_exchange_request *request,
                                        const struct net_exchange_events *events, void *data,
                                        struct err *err)
{
	struct net_exchange *x = net__client_take_free(c);
	if (x == NULL)
		x = net__exchange_new(c, err);
	if (x == NULL)
		return NULL;
	x->events = *events;
	x->data = data;
	net__client_adopt(c, x);
	if (!prepare(x, request, err))
		goto failed;
	/* Curl asks for its timer at once; the connection is begun when that fires, in the loop. */
	CURLMcode rc = curl_multi_add_handle(net__client_multi(c), x->easy);
	if (rc != CURLM_OK) {
		err_record(err, ERR_UNAVAILABLE, "libcurl: %s", curl_multi_strerror(rc));
		goto failed;
	}
	net_timer_start(&x->idle, x->idle_ms);
	return x;
failed:
	net_exchange_cancel(x);
	return NULL;
}

/* ---- Ends and deliveries ---- */

static enum net_end end_of(const struct net_exchange *x, CURLcode result)
{
	if (result == CURLE_OK)
		return x->head_complete ? NET_END_COMPLETE : NET_END_BROKEN;
	if (result == CURLE_OPERATION_TIMEDOUT)
		return NET_END_TIMEOUT;
	/* No connection was ready for the request, whatever curl calls it. */
	if (x->sends == 0)
		return NET_END_NO_CONNECT;
	return x->sends > 1 && !x->idempotent ? NET_END_STALE : NET_END_BROKEN;
}

void net__exchange_ended(struct net_exchange *x, CURLcode result)
{
	if (x->ended || x->gone)
		return;
	x->ended = true;
	x->end = end_of(x, result);
	if (x->why == NULL && x->end != NET_END_COMPLETE)
		x->why = x->error[0] != '\0' ? x->error : curl_easy_strerror(result);
	net__client_queue(x->client, x);
}

static void finish(struct net_exchange *x)
{
	x->gone = true;
	net__exchange_reset(x); /* its connection is free for what `done` may start */
	net__client_retire(x->client, x);
	x->events.done(x->data, x->end, x->why != NULL ? x->why : "");
}

static void deliver_body(struct net_exchange *x)
{
	if (x->body.len == 0)
		return;
	x->events.data(x->data, x, buf_str(&x->body));
	buf_reset(&x->body);
}

void net__exchange_deliver(struct net_exchange *x)
{
	if (x->head_complete && !x->head_told) {
		x->head_told = true;
		x->events.head(x->data, x);
	}
	if (x->gone || x->paused)
		return;
	deliver_body(x);
	if (x->gone || x->paused)
		return;
	if (x->stalled && !x->ended) {
		x->stalled = false;
		/* May call on_body at once, which queues the exchange for this same turn. */
		(void)curl_easy_pause(x->easy, CURLPAUSE_CONT);
		return;
	}
	if (x->ended)
		finish(x);
}

/* ---- For callers ---- */

int net_exchange_status(const struct net_exchange *x)
{
	return x->status;
}

struct str net_exchange_header(const struct net_exchange *x, const char *name)
{
	for (size_t i = x->header_count; i > 0; i--) {
		if (str_eq_nocase(x->headers[i - 1].name, str_of(name)))
			return x->headers[i - 1].value;
	}
	return (struct str){ NULL, 0 };
}

const struct net_header *net_exchange_headers(const struct net_exchange *x, size_t *count)
{
	*count = x->header_count;
	return x->headers;
}

/* Only a flag: curl stops when it has more to give, and holds at most one read meanwhile. */
void net_exchange_pause(struct net_exchange *x)
{
	x->paused = true;
}

/* curl_easy_pause may hand over bytes at once, so it waits for a turn. */
void net_exchange_resume(struct net_exchange *x)
{
	if (!x->paused)
		return;
	x->paused = false;
	x->active_ms = now(x);
	net__client_queue(x->client, x);
	net__client_wake(x->client);
}

void net_exchange_cancel(struct net_exchange *x)
{
	if (x == NULL || x->gone)
		return;
	x->gone = true;
	net__exchange_reset(x);
	net__client_retire(x->client, x);
}
