/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events, cut out of a stream wherever the reads split it. An event is blank lines,
 * then lines, then the blank line that ends it, so the raw texts of all events and the rest put
 * together are the stream byte for byte. An event that lies within one read is not copied. A CR
 * ends its line at once; an LF that comes for it with the next read belongs to the next event. */
#include <string.h>

#include "net/net.h"

static const struct str BYTE_ORDER_MARK = STR_INIT("\xEF\xBB\xBF");

void net_sse_init(struct net_sse *s)
{
	*s = (struct net_sse){
		.pending = buf_make(LIMIT_SSE_EVENT),
		.joined = buf_make(LIMIT_SSE_EVENT),
	};
}

void net_sse_done(struct net_sse *s)
{
	buf_done(&s->pending);
	buf_done(&s->joined);
}

/* ---- Fields ---- */

/* Takes the next line, without its end. */
static struct str take_line(struct str *rest)
{
	size_t n = 0;
	while (n < rest->len && rest->p[n] != '\n' && rest->p[n] != '\r')
		n++;
	struct str line = { rest->p, n };
	if (n + 1 < rest->len && rest->p[n] == '\r' && rest->p[n + 1] == '\n')
		n++;
	if (n < rest->len)
		n++;
	*rest = (struct str){ rest->p + n, rest->len - n };
	return line;
}

/* A single data line is borrowed; from the second one on they are joined. */
static void add_data(struct net_sse *s, struct net_sse_event *event, struct str value)
{
	if (event->data.p == NULL) {
		event->data = value;
		return;
	}
	if (s->joined.len == 0)
		buf_add(&s->joined, event->data);
	buf_add_char(&s->joined, '\n');
	buf_add(&s->joined, value);
	event->data = buf_str(&s->joined);
}

static void read_field(struct net_sse *s, struct net_sse_event *event, struct str line)
{
	struct str value = line;
	struct str name = str_cut(&value, ':');
	if (value.p == NULL)
		value = STR("");
	else if (value.len > 0 && value.p[0] == ' ')
		value = (struct str){ value.p + 1, value.len - 1 };
	if (str_eq(name, STR("data")))
		add_data(s, event, value);
	else if (str_eq(name, STR("event")))
		event->name = value;
}

static bool dispatch(struct net_sse *s, struct str raw, net_sse_fn *fn, void *data, struct err *err)
{
	struct net_sse_event event = { .raw = raw };
	struct str rest = raw;
	if (!s->started && str_starts(rest, BYTE_ORDER_MARK))
		rest = (struct str){ rest.p + BYTE_ORDER_MARK.len, rest.len - BYTE_ORDER_MARK.len };
	s->started = true;
	buf_reset(&s->joined);
	while (rest.len > 0)
		read_field(s, &event, take_line(&rest));
	if (!buf_ok(&s->joined, "a server-sent event", err))
		return false;
	fn(data, &event);
	return true;
}

/* ---- Cutting ---- */

/* How many of the bytes belong to the current event; `*complete` if its end is among them. */
static size_t scan(struct net_sse *s, struct str bytes, bool *complete)
{
	for (size_t i = 0; i < bytes.len; i++) {
		char c = bytes.p[i];
		bool second_half = s->after_cr && c == '\n';
		s->after_cr = c == '\r';
		if (second_half)
			continue;
		if (c != '\r' && c != '\n') {
			s->in_line = true;
			s->has_line = true;
			continue;
		}
		if (s->in_line || !s->has_line) {
			s->in_line = false;
			continue;
		}
		s->has_line = false;
		*complete = true;
		if (c == '\r' && i + 1 < bytes.len && bytes.p[i + 1] == '\n') {
			s->after_cr = false;
			return i + 2;
		}
		return i + 1;
	}
	*complete = false;
	return bytes.len;
}

/* The event's bytes in one piece; false above the limit, now and at every later feed. */
static bool gather(struct net_sse *s, struct str part, bool complete, struct str *raw)
{
	if (complete && s->pending.len == 0 && !s->pending.failed && part.len <= LIMIT_SSE_EVENT) {
		*raw = part;
		return true;
	}
	buf_add(&s->pending, part);
	*raw = buf_str(&s->pending);
	return !s->pending.failed;
}

bool net_sse_feed(struct net_sse *s, struct str bytes, net_sse_fn *fn, void *data, struct err *err)
{
	while (bytes.len > 0 && !s->pending.failed) {
		bool complete = false;
		size_t n = scan(s, bytes, &complete);
		struct str raw;
		if (!gather(s, (struct str){ bytes.p, n }, complete, &raw))
			break;
		bytes = (struct str){ bytes.p + n, bytes.len - n };
		if (!complete)
			return true;
		if (!dispatch(s, raw, fn, data, err))
			return false;
		buf_reset(&s->pending);
	}
	return buf_ok(&s->pending, "a server-sent event", err);
}

struct str net_sse_rest(const struct net_sse *s)
{
	struct str rest = buf_str(&s->pending);
	while (rest.len > 0 && (rest.p[0] == '\n' || rest.p[0] == '\r'))
		rest = (struct str){ rest.p + 1, rest.len - 1 };
	return rest.len > 0 ? buf_str(&s->pending) : (struct str){ NULL, 0 };
}
