/* SPDX-License-Identifier: Apache-2.0 */
/* Answers. While nothing is queued, head and body, or the three parts of a chunk, leave in one
 * system call without being copied. No function here calls the handler: what fails is noted and
 * told from the loop. */
#include "net/http_server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "base/json.h"
#include "base/limits.h"

enum {
	CHUNK_HEAD_MAX = 24,
	FAULT_BODY_MAX = 1024
};

/* ---- Bytes to the socket ---- */

/* Notes the failure; the loop tells the handler, which may be on the stack now. */
static void break_conn(struct http_conn *c)
{
	c->broken = true;
	net__queue_clear(&c->out);
	net__task_post(c->server->loop, &c->resume);
}

/* Bytes taken, 0 if it would block, -1 if the connection is broken. */
static ssize_t send_now(const struct http_conn *c, const struct str *parts, size_t count)
{
	struct iovec vectors[HTTP_PARTS_MAX];
	assert(count <= HTTP_PARTS_MAX);
	for (size_t i = 0; i < count; i++) {
		/* iov_base is not const, though sendmsg does not write: copied, not cast. */
		memcpy(&vectors[i].iov_base, &parts[i].p, sizeof(parts[i].p));
		vectors[i].iov_len = parts[i].len;
	}
	struct msghdr message = { .msg_iov = vectors, .msg_iovlen = count };
	ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n;
}

static bool queue_rest(struct http_conn *c, const struct str *parts, size_t count, size_t sent)
{
	for (size_t i = 0; i < count; i++) {
		size_t skip = sent < parts[i].len ? sent : parts[i].len;
		sent -= skip;
		struct str rest = { parts[i].p + skip, parts[i].len - skip };
		if (rest.len > 0 && !net__queue_add(&c->out, rest))
			return false;
	}
	return true;
}

void net__conn_send(struct http_conn *c, const struct str *parts, size_t count)
{
	ssize_t sent = 0;
	if (c->broken)
		return;
	bool was_empty = net__queue_len(&c->out) == 0;
	if (was_empty)
		sent = send_now(c, parts, count);
	if (sent < 0 || !queue_rest(c, parts, count, (size_t)sent)) {
		break_conn(c);
		return;
	}
	if (was_empty && net__queue_len(&c->out) > 0) {
		net__conn_deadline(c, c->server->options.write_stall_ms);
		net__conn_watch(c);
	}
}

/* The clock that runs after the queue took a step. */
static int64_t next_deadline(const struct http_conn *c)
{
	if (net__queue_len(&c->out) > 0)
		return c->server->options.write_stall_ms;
	/* It was 100 Continue that waited, and the body is still due. */
	return c->state == CONN_BODY ? c->server->options.body_idle_ms : 0;
}

bool net__conn_flush(struct http_conn *c)
{
	struct str front = net__queue_front(&c->out);
	ssize_t n = send_now(c, &front, 1);
	if (n < 0)
		return false;
	net__queue_eat(&c->out, (size_t)n);
	if (n > 0)
		net__conn_deadline(c, next_deadline(c));
	return true;
}

/* ---- The head ---- */

struct phrase {
	int status;
	struct str text;
};

static const struct phrase PHRASES[] = {
	{ 200, STR_INIT("OK") },
	{ 201, STR_INIT("Created") },
	{ 202, STR_INIT("Accepted") },
	{ 204, STR_INIT("No Content") },
	{ 304, STR_INIT("Not Modified") },
	{ 400, STR_INIT("Bad Request") },
	{ 401, STR_INIT("Unauthorized") },
	{ 402, STR_INIT("Payment Required") },
	{ 403, STR_INIT("Forbidden") },
	{ 404, STR_INIT("Not Found") },
	{ 405, STR_INIT("Method Not Allowed") },
	{ 408, STR_INIT("Request Timeout") },
	{ 409, STR_INIT("Conflict") },
	{ 413, STR_INIT("Content Too Large") },
	{ 415, STR_INIT("Unsupported Media Type") },
	{ 417, STR_INIT("Expectation Failed") },
	{ 422, STR_INIT("Unprocessable Content") },
	{ 429, STR_INIT("Too Many Requests") },
	{ 431, STR_INIT("Request Header Fields Too Large") },
	{ 500, STR_INIT("Internal Server Error") },
	{ 501, STR_INIT("Not Implemented") },
	{ 502, STR_INIT("Bad Gateway") },
	{ 503, STR_INIT("Service Unavailable") },
	{ 504, STR_INIT("Gateway Timeout") },
	{ 505, STR_INIT("HTTP Version Not Supported") },
	{ 529, STR_INIT("Overloaded") },
};

/* A status that an upstream invented has no phrase; RFC 9112, 4 lets it be empty. */
static struct str phrase_of(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(PHRASES); i++) {
		if (PHRASES[i].status == status)
			return PHRASES[i].text;
	}
	return STR("");
}

/* RFC 9110, 5.6.7. The wall clock is read here and not through an env: nothing depends on it. */
static struct str date_now(struct net_server *s)
{
	static const char DAYS[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char MONTHS[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct timespec now = { 0 };
	struct tm tm = { 0 };
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now); /* cannot fail for this clock */
	if (now.tv_sec != s->date_at && gmtime_r(&now.tv_sec, &tm) != NULL) {
		s->date_at = now.tv_sec;
		(void)snprintf(s->date, sizeof(s->date), "%s, %02u %s %04u %02u:%02u:%02u GMT",
		               DAYS[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100,
		               MONTHS[tm.tm_mon % 12], (unsigned)(tm.tm_year + 1900) % 10000,
		               (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
		               (unsigned)tm.tm_sec % 100);
	}
	return str_of(s->date);
}

/* Fields that only the server may set, because they describe its connection and its framing. */
static bool is_servers_own(struct str name)
{
	static const struct str OWN[] = { STR_INIT("content-length"), STR_INIT("transfer-encoding"),
		                          STR_INIT("connection"), STR_INIT("date") };
	for (size_t i = 0; i < ARRAY_LEN(OWN); i++) {
		if (str_eq_nocase(name, OWN[i]))
			return true;
	}
	return false;
}

static bool splits(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
			return true;
	}
	return false;
}

static void put_fields(struct buf *b, const struct net_header *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert(!splits(headers[i].name) && !splits(headers[i].value));
		if (is_servers_own(headers[i].name))
			continue;
		buf_add(b, headers[i].name);
		buf_add(b, STR(": "));
		buf_add(b, headers[i].value);
		buf_add(b, STR("\r\n"));
	}
}

/* Decides how the answer ends. */
static void begin_answer(struct http_conn *c, int status)
{
	uint64_t unread = net__conn_body_unread(c);
	assert(status >= 200 && status <= 999);
	if (status == 204 || status == 304)
		c->head_only = true;
	/* A client that was told to wait may or may not send its body after a final answer. */
	bool unsure = unread > 0 && c->request != NULL && c->request->head.expects_continue;
	if (unread > HTTP_DISCARD_MAX || unsure || c->server->draining)
		c->close = true;
}

/* Everything but the framing field and the empty line. */
static struct buf *put_head(struct http_conn *c, int status, const struct net_header *headers,
                            size_t count)
{
	struct buf *b = &c->server->head;
	buf_reset(b);
	buf_add(b, STR("HTTP/1.1 "));
	buf_add_char(b, (char)('0' + status / 100));
	buf_add_char(b, (char)('0' + status / 10 % 10));
	buf_add_char(b, (char)('0' + status % 10));
	buf_add_char(b, ' ');
	buf_add(b, phrase_of(status));
	buf_add(b, STR("\r\nDate: "));
	buf_add(b, date_now(c->server));
	buf_add(b, STR("\r\n"));
	put_fields(b, headers, count);
	return b;
}

static void end_head(const struct http_conn *c, struct buf *b)
{
	if (c->close)
		buf_add(b, STR("Connection: close\r\n"));
	buf_add(b, STR("\r\n"));
}

/* ---- Whole answers ---- */

static void send_whole(struct http_conn *c, int status, const struct net_header *headers,
                       size_t count, struct str body)
{
	begin_answer(c, status);
	struct buf *b = put_head(c, status, headers, count);
	if (status != 204) {
		buf_add(b, STR("Content-Length: "));
		buf_add_i64(b, (int64_t)body.len);
		buf_add(b, STR("\r\n"));
	}
	end_head(c, b);
	struct str parts[] = { buf_str(b), body };
	if (b->failed)
		break_conn(c);
	else
		net__conn_send(c, parts, c->head_only || body.len == 0 ? 1 : 2);
}

static void end_answer(struct http_conn *c)
{
	net__request_return(c);
	net__conn_move(c, CONN_FLUSHING);
	net__conn_finish(c);
}

void net_reply(struct net_request *rq, int status, const struct net_header *headers, size_t count,
               struct str body)
{
	struct http_conn *c = rq->conn;
	assert(c->request == rq && c->state != CONN_STREAMING);
	send_whole(c, status, headers, count, body);
	end_answer(c);
}

void net__conn_answer_fault(struct http_conn *c, struct http_fault fault)
{
	static const struct net_header JSON = { STR_INIT("Content-Type"),
		                                STR_INIT("application/json") };
	OWN_JSON_OUT struct json_out o = json_out_make(FAULT_BODY_MAX);
	json_put_object(&o, NULL);
	json_put_object(&o, "error");
	json_put_z(&o, "message", fault.text);
	json_put_z(&o, "type", "invalid_request_error");
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	send_whole(c, fault.status, &JSON, 1, buf_str(&o.text));
}

/* ---- Streamed answers ---- */

void net_reply_start(struct net_request *rq, int status, const struct net_header *headers,
                     size_t count)
{
	struct http_conn *c = rq->conn;
	assert(c->request == rq && c->state != CONN_STREAMING);
	/* The rest of the body is not read while we write: there is no way back to it. */
	if (net__conn_body_unread(c) > 0)
		c->close = true;
	begin_answer(c, status);
	struct buf *b = put_head(c, status, headers, count);
	if (!c->until_close && status != 204)
		buf_add(b, STR("Transfer-Encoding: chunked\r\n"));
	end_head(c, b);
	net__conn_move(c, CONN_STREAMING);
	net__conn_deadline(c, 0);
	struct str head = buf_str(b);
	if (b->failed)
		break_conn(c);
	else
		net__conn_send(c, &head, 1);
	net__conn_watch(c);
}

static struct str chunk_head(size_t len, char out[CHUNK_HEAD_MAX])
{
	int n = snprintf(out, CHUNK_HEAD_MAX, "%zx\r\n", len); /* at most 18 characters */
	return (struct str){ out, (size_t)n };
}

void net_reply_write(struct net_request *rq, struct str bytes)
{
	struct http_conn *c = rq->conn;
	char head[CHUNK_HEAD_MAX];
	assert(c->request == rq && c->state == CONN_STREAMING);
	if (bytes.len == 0 || c->head_only)
		return;
	struct str parts[] = { chunk_head(bytes.len, head), bytes, STR("\r\n") };
	if (c->until_close)
		net__conn_send(c, &parts[1], 1);
	else
		net__conn_send(c, parts, 3);
	if (net__queue_len(&c->out) > LIMIT_HTTP_OUT_HIGH)
		c->was_high = true;
}

void net_reply_end(struct net_request *rq)
{
	struct http_conn *c = rq->conn;
	struct str last = STR("0\r\n\r\n");
	assert(c->request == rq && c->state == CONN_STREAMING);
	if (!c->until_close && !c->head_only)
		net__conn_send(c, &last, 1);
	end_answer(c);
}

void net_reply_abort(struct net_request *rq)
{
	struct http_conn *c = rq->conn;
	assert(c->request == rq);
	c->aborted = true;
	c->close = true;
	end_answer(c);
}

size_t net_reply_queued(const struct net_request *rq)
{
	return net__queue_len(&rq->conn->out);
}
