/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events: each stream of the table is fed whole, and then split at every offset, and
 * then byte by byte; the events must be the same and the raw texts must add up to the stream. */
#include "net/net.h"
#include "tests/check.h"

#include <stdlib.h>

/* Events are noted as "name|data;", with "-" for what is absent. */
struct notes {
	struct buf events;
	struct buf raw;
};

static void note(struct buf *out, struct str s)
{
	if (s.p == NULL)
		buf_add_char(out, '-');
	else
		buf_add(out, s);
}

static void on_event(void *data, const struct net_sse_event *event)
{
	struct notes *n = data;
	note(&n->events, event->name);
	buf_add_char(&n->events, '|');
	note(&n->events, event->data);
	buf_add_char(&n->events, ';');
	buf_add(&n->raw, event->raw);
}

struct row {
	struct str stream;
	const char *events;
	const char *rest; /* NULL: a clean end */
};

static const struct row ROWS[] = {
	{ STR_INIT(""), "", NULL },
	{ STR_INIT("data: one\n\n"), "-|one;", NULL },
	{ STR_INIT("data: one\r\n\r\n"), "-|one;", NULL },
	{ STR_INIT("data: one\r\r"), "-|one;", NULL },
	{ STR_INIT("data: one\n\ndata: two\n\n"), "-|one;-|two;", NULL },
	{ STR_INIT("data: one\r\n\r\ndata: two\r\n\r\n"), "-|one;-|two;", NULL },
	{ STR_INIT("data: one\r\rdata: two\r\r"), "-|one;-|two;", NULL },
	{ STR_INIT("data: one\n\r\ndata: two\r\n\n"), "-|one;-|two;", NULL },
	{ STR_INIT("event: ping\ndata: {}\n\n"), "ping|{};", NULL },
	{ STR_INIT("data: {}\nevent: last\nevent: wins\n\n"), "wins|{};", NULL },
	{ STR_INIT("data: a\ndata: b\ndata\ndata:  c\n\n"), "-|a\nb\n\n c;", NULL },
	{ STR_INIT("data\n\n"), "-|;", NULL },
	{ STR_INIT("data:\ndata:\n\n"), "-|\n;", NULL },
	{ STR_INIT("data:x:y\n\n"), "-|x:y;", NULL },
	{ STR_INIT(": a comment\n\n"), "-|-;", NULL },
	{ STR_INIT(": keep-alive\ndata: x\n\n"), "-|x;", NULL },
	{ STR_INIT("id: 7\nretry: 10\nDATA: no\ndatax: no\n\n"), "-|-;", NULL },
	{ STR_INIT("\n\n\ndata: x\n\n\n\n\ndata: y\n\n\n"), "-|x;-|y;", NULL },
	{ STR_INIT("\xEF\xBB\xBF"
	           "data: x\n\n\xEF\xBB\xBF"
	           "data: y\n\n"),
	  "-|x;-|-;", NULL },
	{ STR_INIT("data: \xF0\x9F\x98\x80\n\n"), "-|\xF0\x9F\x98\x80;", NULL },
	{ STR_INIT("data: one\n\ndata: tw"), "-|one;", "data: tw" },
	{ STR_INIT("data: one\n\ndata: two\n"), "-|one;", "data: two\n" },
	{ STR_INIT("data: one\n\n\n: x"), "-|one;", "\n: x" },
	{ STR_INIT("\r\n\r\n"), "", NULL },
};

/* Feeds the parts [0, a), [a, b), [b, end) and checks everything about the outcome. */
static void check_split(const struct row *row, size_t a, size_t b)
{
	struct notes n = { buf_make(1 << 20), buf_make(1 << 20) };
	struct net_sse s;
	net_sse_init(&s);
	size_t cuts[] = { 0, a, b, row->stream.len };
	bool good = true;
	for (size_t i = 0; i + 1 < ARRAY_LEN(cuts); i++) {
		struct str part = { row->stream.p + cuts[i], cuts[i + 1] - cuts[i] };
		good &= CHECK(net_sse_feed(&s, part, on_event, &n, NULL));
	}
	good &= CHECK_TEXT(buf_str(&n.events), row->events);
	good &= CHECK_TEXT(net_sse_rest(&s), row->rest);
	/* Blank lines at the end are nobody's; the rest is added as it is. */
	buf_add(&n.raw, buf_str(&s.pending));
	good &= CHECK(str_eq(buf_str(&n.raw), row->stream));
	if (!good)
		check_note("row %zu split at %zu and %zu", (size_t)(row - ROWS), a, b);
	net_sse_done(&s);
	buf_done(&n.events);
	buf_done(&n.raw);
}

static void events_are_the_same_wherever_reads_split(void)
{
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		size_t len = ROWS[i].stream.len;
		for (size_t a = 0; a <= len; a++) {
			for (size_t b = a; b <= len; b++)
				check_split(&ROWS[i], a, b);
		}
	}
}

static void events_are_the_same_byte_by_byte(void)
{
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct notes n = { buf_make(1 << 20), buf_make(1 << 20) };
		struct net_sse s;
		net_sse_init(&s);
		for (size_t k = 0; k < ROWS[i].stream.len; k++) {
			struct str byte = { ROWS[i].stream.p + k, 1 };
			CHECK(net_sse_feed(&s, byte, on_event, &n, NULL));
		}
		if (!CHECK_TEXT(buf_str(&n.events), ROWS[i].events))
			check_note("row %zu", i);
		CHECK_TEXT(net_sse_rest(&s), ROWS[i].rest);
		net_sse_done(&s);
		buf_done(&n.events);
		buf_done(&n.raw);
	}
}

struct borrowed {
	struct str stream;
	int inside;
};

static void on_borrowed(void *data, const struct net_sse_event *event)
{
	struct borrowed *b = data;
	b->inside += event->raw.p >= b->stream.p &&
	             event->raw.p + event->raw.len <= b->stream.p + b->stream.len &&
	             event->data.p > event->raw.p;
}

static void an_event_within_one_read_is_not_copied(void)
{
	struct borrowed b = { STR("data: one\n\ndata: two\n\n"), 0 };
	struct net_sse s;
	net_sse_init(&s);
	CHECK(net_sse_feed(&s, b.stream, on_borrowed, &b, NULL));
	CHECK_I64(b.inside, 2);
	CHECK(s.pending.p == NULL);
	net_sse_done(&s);
}

static void count_event(void *data, const struct net_sse_event *event)
{
	(void)event;
	(*(int *)data)++;
}

/* An event of exactly `size` bytes, fed in parts of `part` bytes. */
static bool feed_event_of(size_t size, size_t part, int *count, struct err *err)
{
	char *text = malloc(size);
	if (!CHECK(text != NULL))
		return false;
	memset(text, 'x', size);
	memcpy(text, "data:", 5); /* NOLINT(bugprone-not-null-terminated-result): bytes, not text */
	text[size - 2] = '\n';
	text[size - 1] = '\n';
	struct net_sse s;
	net_sse_init(&s);
	bool ok = true;
	for (size_t at = 0; ok && at < size; at += part) {
		size_t n = size - at < part ? size - at : part;
		ok = net_sse_feed(&s, (struct str){ text + at, n }, count_event, count, err);
	}
	if (!ok) { /* and it stays refused */
		CHECK(!net_sse_feed(&s, STR("data: y\n\n"), count_event, count, NULL));
	}
	net_sse_done(&s);
	free(text);
	return ok;
}

static void an_event_above_the_limit_is_refused(void)
{
	static const size_t PARTS[] = { (size_t)LIMIT_SSE_EVENT * 2, 65536, 65521 };
	for (size_t i = 0; i < ARRAY_LEN(PARTS); i++) {
		struct err err = { 0 };
		int count = 0;
		CHECK(feed_event_of(LIMIT_SSE_EVENT, PARTS[i], &count, &err));
		CHECK_I64(count, 1);
		CHECK(!feed_event_of(LIMIT_SSE_EVENT + 1, PARTS[i], &count, &err));
		CHECK_I64(count, 1);
		CHECK_I64(err.code, ERR_TOO_LARGE);
		CHECK_STR(err.text, "a server-sent event is larger than 8388608 bytes");
	}
}

static const struct check_case CASES[] = {
	CASE(events_are_the_same_wherever_reads_split),
	CASE(events_are_the_same_byte_by_byte),
	CASE(an_event_within_one_read_is_not_copied),
	CASE(an_event_above_the_limit_is_refused),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
