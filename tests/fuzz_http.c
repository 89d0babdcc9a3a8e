/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: one request, its head and its chunked body. The first byte chooses where the
 * rest is split; the answer must be the same as for one piece, and every text of the head must lie
 * in what was received. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "net/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	BODY_MAX = 64
};

struct answer {
	int status;  /* 0: complete, -1: more is needed */
	size_t used; /* bytes of a complete request */
	struct buf body;
};

/* A request that is parsed as it arrives. */
struct parse {
	struct http_scan scan;
	struct http_chunks chunks;
	struct http_head *head;
	size_t in_body; /* bytes after the head that were used */
	bool has_head;
	struct answer answer;
};

static void check_inside(struct str whole, struct str part)
{
	if (part.p != NULL)
		assert(part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

static void check_head(struct str whole, const struct http_head *head)
{
	assert(head->method.len > 0 && head->path.len > 0 && head->path.p[0] == '/');
	assert(head->header_count <= LIMIT_HTTP_HEADERS);
	assert(head->framing == HTTP_LENGTH || head->length == 0);
	assert(head->is_1_0 || head->host.p != NULL);
	check_inside(whole, head->method);
	check_inside(whole, head->path);
	check_inside(whole, head->query);
	check_inside(whole, head->host);
	check_inside(whole, head->origin);
	for (size_t i = 0; i < head->header_count; i++) {
		assert(head->headers[i].name.len > 0);
		check_inside(whole, head->headers[i].name);
		check_inside(whole, head->headers[i].value);
	}
}

static void feed_head(struct parse *p, struct str seen)
{
	struct http_fault fault = { 0 };
	switch (net__head_scan(&p->scan, seen, LIMIT_HTTP_HEAD, &fault)) {
	case HTTP_MORE:
		return;
	case HTTP_BAD:
		p->answer.status = fault.status;
		return;
	case HTTP_DONE:
		break;
	}
	struct str text = { seen.p + p->scan.start, p->scan.end - p->scan.start };
	p->has_head = net__head_parse(text, p->head, &fault);
	p->answer.status = fault.status;
	if (!p->has_head)
		return;
	check_head(text, p->head);
	p->answer.used = p->scan.end;
	p->answer.status = p->head->framing == HTTP_CHUNKED ? -1 : 0;
}

static void feed_body(struct parse *p, struct str seen)
{
	struct http_fault fault = { 0 };
	size_t used = 0;
	size_t from = p->scan.end + p->in_body;
	struct str rest = { seen.p + from, seen.len - from };
	enum http_progress progress =
		net__chunks_feed(&p->chunks, rest, &used, &p->answer.body, &fault);
	assert(used <= rest.len);
	p->in_body += used;
	if (progress == HTTP_BAD)
		p->answer.status = fault.status;
	if (progress == HTTP_DONE) {
		p->answer.status = 0;
		p->answer.used = from + used;
	}
}

/* `seen` is everything so far. */
static void feed(struct parse *p, struct str seen)
{
	if (p->answer.status == -1 && !p->has_head)
		feed_head(p, seen);
	if (p->answer.status == -1 && p->has_head)
		feed_body(p, seen);
}

static struct answer answer_of(struct str bytes, size_t split)
{
	struct parse p = { .head = malloc(sizeof(*p.head)) };
	if (p.head == NULL)
		abort();
	p.answer = (struct answer){ .status = -1, .body = buf_make(BODY_MAX) };
	feed(&p, (struct str){ bytes.p, split });
	feed(&p, bytes);
	free(p.head);
	return p.answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct str bytes = { (const char *)data + 1, size - 1 };
	struct answer whole = answer_of(bytes, bytes.len);
	struct answer parts = answer_of(bytes, data[0] * bytes.len / 256);
	assert(whole.status == parts.status);
	if (whole.status == 0) {
		assert(whole.used == parts.used && whole.used <= bytes.len);
		assert(str_eq(buf_str(&whole.body), buf_str(&parts.body)));
	}
	buf_done(&whole.body);
	buf_done(&parts.body);
	return 0;
}
