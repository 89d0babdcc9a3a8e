/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP parser without sockets. Every head and every chunked body is also fed byte by byte, and
 * must give the same answer. */
#include "net/http_parse.h"

#include <stdlib.h>

#include "tests/check.h"

enum {
	HEAD_MAX = LIMIT_HTTP_HEAD
};

/* ---- Heads ---- */

/* Scans and parses the first `len` bytes. 0: a good head; -1: not complete. */
static int status_of(struct str bytes, struct http_head *head)
{
	struct http_scan scan = { 0 };
	struct http_fault fault = { 0 };
	switch (net__head_scan(&scan, bytes, HEAD_MAX, &fault)) {
	case HTTP_MORE:
		return -1;
	case HTTP_BAD:
		return fault.status;
	case HTTP_DONE:
		break;
	}
	struct str text = { bytes.p + scan.start, scan.end - scan.start };
	return net__head_parse(text, head, &fault) ? 0 : fault.status;
}

/* The same with one byte more at each call. */
static int status_by_bytes(struct str bytes, struct http_head *head)
{
	struct http_scan scan = { 0 };
	struct http_fault fault = { 0 };
	for (size_t n = 1; n <= bytes.len; n++) {
		enum http_progress p =
			net__head_scan(&scan, (struct str){ bytes.p, n }, HEAD_MAX, &fault);
		if (p == HTTP_BAD)
			return fault.status;
		if (p == HTTP_MORE)
			continue;
		struct str text = { bytes.p + scan.start, scan.end - scan.start };
		return net__head_parse(text, head, &fault) ? 0 : fault.status;
	}
	return -1;
}

struct head_row {
	struct str text;
	int status;
};

#define ROW(status, text)                \
	{                                \
		STR_INIT(text), (status) \
	}
#define LINE(status, line) ROW(status, line "\r\nHost: a\r\n\r\n")
#define FIELD(status, field) ROW(status, "POST /x HTTP/1.1\r\nHost: a\r\n" field "\r\n\r\n")

static const struct head_row HEADS[] = {
	/* request lines */
	LINE(0, "GET / HTTP/1.1"),
	LINE(0, "GET /a/b?c=d&e HTTP/1.1"),
	LINE(0, "GET //a HTTP/1.1"),
	LINE(0, "M-SEARCH /a%20b;c=1,2:@!$'()*+~ HTTP/1.1"),
	LINE(0, "GET / HTTP/1.0"),
	LINE(400, "GET  / HTTP/1.1"),
	LINE(400, "GET /  HTTP/1.1"),
	LINE(400, " GET / HTTP/1.1"),
	LINE(400, "GET / HTTP/1.1 "),
	LINE(400, "GET\t/ HTTP/1.1"),
	LINE(400, "GET /"),
	LINE(400, "GET"),
	LINE(400, "/ HTTP/1.1"),
	LINE(400, "GET / HTTP/1.1 x"),
	LINE(400, "G(T / HTTP/1.1"),
	LINE(400, "G\xC3\x89T / HTTP/1.1"),
	LINE(400, "GET a HTTP/1.1"),
	LINE(400, "GET * HTTP/1.1"),
	LINE(400, "GET http://a/ HTTP/1.1"),
	LINE(400, "CONNECT a:80 HTTP/1.1"),
	LINE(400, "GET /a#b HTTP/1.1"),
	LINE(400, "GET /a\\b HTTP/1.1"),
	LINE(400, "GET /\"<> HTTP/1.1"),
	LINE(400, "GET /\xC3\xA9 HTTP/1.1"),
	LINE(400, "GET /\x7F HTTP/1.1"),
	LINE(400, "GET /\0 HTTP/1.1"),
	LINE(400, "GET / http/1.1"),
	LINE(400, "GET / HTTP/1"),
	LINE(400, "GET / HTTP/1.10"),
	LINE(400, "GET / HTTP/x.1"),
	LINE(400, "GET / HTTQ/1.1"),
	LINE(505, "GET / HTTP/1.2"),
	LINE(505, "GET / HTTP/0.9"),
	LINE(505, "GET / HTTP/2.0"),
	ROW(505, "PRI * HTTP/2.0\r\n\r\n"),
	/* line ends */
	ROW(0, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
	ROW(400, "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"),
	ROW(-1, "GET / HTTP/1.1\r\nHost: a\r\n\r"),
	ROW(-1, "GET / HTTP/1.1\r\nHost: a\r\n"),
	FIELD(400, "X: a\rb"),
	FIELD(400, "X: a\r"),
	FIELD(400, "X: a\nY: b"),
	/* fields */
	FIELD(0, "X:"),
	FIELD(0, "X:  \t a b \t "),
	FIELD(0, "X: caf\xC3\xA9"),
	FIELD(0, "X: a\tb"),
	FIELD(0, "!#$%&'*+-.^_`|~9z: a"),
	FIELD(400, "X : a"),
	FIELD(400, "X\t: a"),
	FIELD(400, ": a"),
	FIELD(400, "X a"),
	FIELD(400, "X(: a"),
	FIELD(400, "X\xC3\xA9: a"),
	FIELD(400, "X: a\r\n b"),
	FIELD(400, "X: a\r\n\tb"),
	FIELD(400, "X: a\0b"),
	FIELD(400, "X: a\x01"),
	FIELD(400, "X: a\x7F"),
	FIELD(400, "X\0: a"),
	ROW(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
	/* Host */
	ROW(400, "GET / HTTP/1.1\r\n\r\n"),
	ROW(0, "GET / HTTP/1.0\r\n\r\n"),
	FIELD(400, "Host: a"),
	FIELD(400, "hOST: b"),
	ROW(400, "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r\nHost: a/\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
	ROW(0, "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
	/* framing */
	FIELD(0, "Content-Length: 0"),
	FIELD(0, "Content-Length: 005"),
	FIELD(0, "Content-Length: 999999999999999999"),
	FIELD(400, "Content-Length: 1000000000000000000"),
	FIELD(400, "Content-Length:"),
	FIELD(400, "Content-Length: +5"),
	FIELD(400, "Content-Length: -5"),
	FIELD(400, "Content-Length: 5, 5"),
	FIELD(400, "Content-Length: 5 5"),
	FIELD(400, "Content-Length: 0x5"),
	FIELD(400, "Content-Length: 5.0"),
	FIELD(400, "Content-Length: 5\r\nContent-Length: 5"),
	FIELD(400, "Content-Length: 5\r\ncontent-length: 6"),
	FIELD(0, "Transfer-Encoding: chunked"),
	FIELD(0, "transfer-encoding: Chunked"),
	FIELD(501, "Transfer-Encoding: xchunked"),
	FIELD(501, "Transfer-Encoding: chunked, chunked"),
	FIELD(501, "Transfer-Encoding: gzip, chunked"),
	FIELD(501, "Transfer-Encoding: identity"),
	FIELD(501, "Transfer-Encoding: chunked;a=b"),
	FIELD(400, "Transfer-Encoding: \x0B chunked"),
	FIELD(501, "Transfer-Encoding:"),
	FIELD(400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
	FIELD(400, "Transfer-Encoding: chunked\r\nContent-Length: 5"),
	FIELD(400, "Content-Length: 5\r\nTransfer-Encoding: chunked"),
	FIELD(400, "Content-Length: 0\r\nTransfer-Encoding: identity"),
	ROW(400, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
	/* what else decides */
	FIELD(415, "Content-Length: 5\r\nContent-Encoding: gzip"),
	FIELD(415, "Content-Encoding: br\r\nTransfer-Encoding: chunked"),
	FIELD(0, "Content-Encoding: gzip"),
	FIELD(0, "Content-Length: 0\r\nContent-Encoding: gzip"),
	FIELD(0, "Content-Length: 5\r\nExpect: 100-Continue"),
	FIELD(417, "Expect: 200-ok"),
	FIELD(417, "Content-Length: 5\r\nExpect: 100-continue, x"),
	FIELD(0, "Origin: http://a"),
	FIELD(400, "Origin: http://a\r\nOrigin: http://b"),
};

static void every_head_gets_its_status(void)
{
	static struct http_head head;
	for (size_t i = 0; i < ARRAY_LEN(HEADS); i++) {
		const struct head_row *r = &HEADS[i];
		int whole = status_of(r->text, &head);
		int bytes = status_by_bytes(r->text, &head);
		if (whole != r->status || bytes != r->status)
			CHECK_FAIL("row %zu '%.*s': got %d and %d, wanted %d", i, STR_ARG(r->text),
			           whole, bytes, r->status);
	}
}

static void a_head_is_taken_apart(void)
{
	static struct http_head head;
	struct str text = STR("POST /v1/x?a=b?c HTTP/1.1\r\nHost: A.b:1\r\nX-One:  1 \r\n"
	                      "Content-Length: 12\r\nExpect: 100-continue\r\nOrigin: null\r\n"
	                      "Connection: foo , Close\r\n\r\nbody");
	if (!CHECK_I64(status_of(text, &head), 0))
		return;
	CHECK_TEXT(head.method, "POST");
	CHECK_TEXT(head.path, "/v1/x");
	CHECK_TEXT(head.query, "a=b?c");
	CHECK_TEXT(head.host, "A.b:1");
	CHECK_TEXT(head.origin, "null");
	CHECK(!head.is_1_0);
	CHECK(head.wants_close);
	CHECK(head.expects_continue);
	CHECK_I64(head.framing, HTTP_LENGTH);
	CHECK_I64((int64_t)head.length, 12);
	CHECK_I64((int64_t)head.header_count, 6);
	CHECK_TEXT(head.headers[1].name, "X-One");
	CHECK_TEXT(head.headers[1].value, "1");
}

static void what_is_absent_stays_absent(void)
{
	static struct http_head head;
	if (!CHECK_I64(status_of(STR("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), &head), 0))
		return;
	CHECK_TEXT(head.query, NULL);
	CHECK_TEXT(head.host, NULL);
	CHECK_TEXT(head.origin, NULL);
	CHECK(head.is_1_0);
	CHECK(!head.expects_continue); /* no body, and HTTP/1.0 does not know it */
	CHECK_I64(head.framing, HTTP_NO_BODY);
}

/* A head with `fields` fields of `size` bytes each, besides Host. */
static struct buf head_of(size_t fields, size_t size)
{
	struct buf b = buf_make(1 << 20);
	buf_add(&b, STR("GET / HTTP/1.1\r\nHost: a\r\n"));
	for (size_t i = 0; i < fields; i++) {
		buf_add(&b, STR("x: "));
		for (size_t n = 3; n < size; n++)
			buf_add_char(&b, 'y');
		buf_add(&b, STR("\r\n"));
	}
	buf_add(&b, STR("\r\n"));
	return b;
}

static void the_limits_of_a_head_are_exact(void)
{
	static const struct {
		size_t fields, size;
		int status;
	} ROWS[] = {
		{ 99, 4, 0 },   { 100, 4, 431 },  /* 100 fields, with Host */
		{ 1, 8190, 0 }, { 1, 8191, 431 }, /* a line of 8192 bytes with its CR LF */
		{ 2, 8000, 0 }, { 3, 8000, 431 }, /* 24 033 bytes */
		{ 4, 4087, 0 }, { 4, 4088, 431 }, /* 27 + 4 * (4087 + 2) = 16 383 of 16 384 */
	};
	static struct http_head head;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		OWN_BUF struct buf b = head_of(ROWS[i].fields, ROWS[i].size);
		int whole = status_of(buf_str(&b), &head);
		int bytes = status_by_bytes(buf_str(&b), &head);
		if (whole != ROWS[i].status || bytes != ROWS[i].status)
			CHECK_FAIL("row %zu (%zu bytes): got %d and %d, wanted %d", i, b.len, whole,
			           bytes, ROWS[i].status);
	}
}

static void an_endless_line_is_refused_before_it_ends(void)
{
	struct http_scan scan = { 0 };
	struct http_fault fault = { 0 };
	OWN_BUF struct buf b = buf_make(LIMIT_HTTP_LINE + 1);
	while (b.len < LIMIT_HTTP_LINE)
		buf_add_char(&b, 'a');
	CHECK_I64(net__head_scan(&scan, buf_str(&b), HEAD_MAX, &fault), HTTP_MORE);
	buf_add_char(&b, 'a');
	CHECK_I64(net__head_scan(&scan, buf_str(&b), HEAD_MAX, &fault), HTTP_BAD);
	CHECK_I64(fault.status, 431);
}

static void a_body_after_the_head_is_not_looked_at(void)
{
	struct http_scan scan = { 0 };
	struct http_fault fault = { 0 };
	struct str text = STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n\n\n\n");
	CHECK_I64(net__head_scan(&scan, text, HEAD_MAX, &fault), HTTP_DONE);
	CHECK_I64((int64_t)scan.end, 27);
}

static void authorities_hold_no_more_than_a_name_and_a_port(void)
{
	CHECK(net__is_authority(STR("a.b-c_d:80")));
	CHECK(net__is_authority(STR("[::1]:80")));
	CHECK(!net__is_authority(STR("")));
	CHECK(!net__is_authority(STR("a/b")));
	CHECK(!net__is_authority(STR("u@a")));
	CHECK(!net__is_authority(STR("a%2e")));
}

/* ---- Chunked bodies ---- */

struct chunk_row {
	struct str text;
	const char *body; /* NULL if it is refused */
	int status;       /* 0: complete; -1: not yet */
	size_t after;     /* bytes that belong to the next request */
};

enum {
	BODY_MAX = 40
};

static const struct chunk_row CHUNKS[] = {
	{ STR_INIT("0\r\n\r\n"), "", 0, 0 },
	{ STR_INIT("5\r\nhello\r\n0\r\n\r\n"), "hello", 0, 0 },
	{ STR_INIT("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET"), "hello world", 0, 3 },
	{ STR_INIT("1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"), "abcdefghijklmnopqrstuvwxyz",
	  0, 0 },
	{ STR_INIT("1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"), "abcdefghijklmnopqrstuvwxyz",
	  0, 0 },
	{ STR_INIT("2\r\n\r\n\r\n0\r\n\r\n"), "\r\n", 0, 0 },
	{ STR_INIT("003\r\nabc\r\n000\r\n\r\n"), "abc", 0, 0 },
	{ STR_INIT("28\r\n0123456789012345678901234567890123456789\r\n0\r\n\r\n"),
	  "0123456789012345678901234567890123456789", 0, 0 },
	{ STR_INIT("5\r\nhello"), "hello", -1, 0 },
	{ STR_INIT("5\r\nhello\r\n0\r\n\r"), "hello", -1, 0 },
	{ STR_INIT("29\r\n"), NULL, 413, 0 },
	{ STR_INIT("20\r\n01234567890123456789012345678901\r\n9\r\n"), NULL, 413, 0 },
	{ STR_INIT("fffffffffffffff\r\n"), NULL, 413, 0 },
	{ STR_INIT("ffffffffffffffff\r\n"), NULL, 400, 0 },
	{ STR_INIT("0000000000000005\r\nhello\r\n"), NULL, 400, 0 },
	{ STR_INIT("\r\nhello"), NULL, 400, 0 },
	{ STR_INIT("5;a=b\r\nhello\r\n0\r\n\r\n"), NULL, 400, 0 },
	{ STR_INIT("5;\nhello"), NULL, 400, 0 },
	{ STR_INIT("5 \r\nhello\r\n0\r\n\r\n"), NULL, 400, 0 },
	{ STR_INIT(" 5\r\nhello\r\n0\r\n\r\n"), NULL, 400, 0 },
	{ STR_INIT("0x5\r\nhello\r\n0\r\n\r\n"), NULL, 400, 0 },
	{ STR_INIT("+5\r\nhello\r\n0\r\n\r\n"), NULL, 400, 0 },
	{ STR_INIT("-1\r\n"), NULL, 400, 0 },
	{ STR_INIT("g\r\n"), NULL, 400, 0 },
	{ STR_INIT("5\nhello\r\n0\r\n\r\n"), NULL, 400, 0 },
	{ STR_INIT("5\r\r\nhello"), NULL, 400, 0 },
	{ STR_INIT("5\r\nhello\n0\r\n\r\n"), NULL, 400, 0 },
	{ STR_INIT("5\r\nhello0\r\n\r\n"), NULL, 400, 0 },
	{ STR_INIT("5\r\nhelloworld\r\n"), NULL, 400, 0 },
	{ STR_INIT("5\r\nhello\r\r\n"), NULL, 400, 0 },
	{ STR_INIT("0\r\nX: a\r\n\r\n"), NULL, 400, 0 },
	{ STR_INIT("0\r\n\n"), NULL, 400, 0 },
	{ STR_INIT("0\r\n\rX"), NULL, 400, 0 },
};

/* Feeds `text` in two parts and then stops. Returns the status, or -1 while it is not complete. */
static int feed_in_two(struct str text, size_t split, struct buf *body, size_t *used)
{
	struct http_chunks c = { 0 };
	struct http_fault fault = { 0 };
	struct str parts[] = { { text.p, split }, { text.p + split, text.len - split } };
	*used = 0;
	for (size_t i = 0; i < 2; i++) {
		size_t n = 0;
		enum http_progress p = net__chunks_feed(&c, parts[i], &n, body, &fault);
		*used += n;
		if (p == HTTP_BAD)
			return fault.status;
		if (p == HTTP_DONE)
			return 0;
	}
	return -1;
}

static void check_chunks(const struct chunk_row *r, size_t split)
{
	OWN_BUF struct buf body = buf_make(BODY_MAX);
	size_t used;
	int status = feed_in_two(r->text, split, &body, &used);
	bool ok = status == r->status;
	if (ok && status <= 0)
		ok = str_eq(buf_str(&body), str_of(r->body)) && used == r->text.len - r->after;
	if (!ok)
		CHECK_FAIL("'%.*s' split at %zu: got %d, used %zu", STR_ARG(r->text), split, status,
		           used);
}

static void chunked_bodies_may_be_split_anywhere(void)
{
	for (size_t i = 0; i < ARRAY_LEN(CHUNKS); i++) {
		for (size_t split = 0; split <= CHUNKS[i].text.len; split++)
			check_chunks(&CHUNKS[i], split);
	}
}

static void a_finished_body_takes_no_more(void)
{
	struct http_chunks c = { 0 };
	struct http_fault fault = { 0 };
	OWN_BUF struct buf body = buf_make(BODY_MAX);
	size_t used = 9;
	CHECK_I64(net__chunks_feed(&c, STR("0\r\n\r\n"), &used, &body, &fault), HTTP_DONE);
	CHECK_I64(net__chunks_feed(&c, STR("5\r\n"), &used, &body, &fault), HTTP_DONE);
	CHECK_I64((int64_t)used, 0);
}

static const struct check_case CASES[] = {
	CASE(every_head_gets_its_status),
	CASE(a_head_is_taken_apart),
	CASE(what_is_absent_stays_absent),
	CASE(the_limits_of_a_head_are_exact),
	CASE(an_endless_line_is_refused_before_it_ends),
	CASE(a_body_after_the_head_is_not_looked_at),
	CASE(authorities_hold_no_more_than_a_name_and_a_port),
	CASE(chunked_bodies_may_be_split_anywhere),
	CASE(a_finished_body_takes_no_more),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
