/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a stream cut by the first byte's rule gives the same events as the stream in one
 * piece, and every raw text lies in the stream's order. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct buf *out, struct str s)
{
	buf_add_i64(out, s.p == NULL ? -1 : (int64_t)s.len);
	buf_add_char(out, ':');
	if (s.len > 0)
		buf_add(out, s);
}

static void on_event(void *data, const struct net_sse_event *event)
{
	put(data, event->name);
	put(data, event->data);
	assert(event->raw.len > 0);
}

static struct buf events_of(struct str stream, size_t step)
{
	struct buf out = buf_make(SIZE_MAX);
	struct net_sse s;
	net_sse_init(&s);
	for (size_t at = 0; at < stream.len; at += step) {
		size_t n = stream.len - at < step ? stream.len - at : step;
		if (!net_sse_feed(&s, (struct str){ stream.p + at, n }, on_event, &out, NULL))
			abort();
	}
	put(&out, net_sse_rest(&s).p == NULL ? STR("clean") : STR("cut"));
	net_sse_done(&s);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct str stream = { (const char *)data + 1, size - 1 };
	struct buf whole = events_of(stream, stream.len);
	struct buf parts = events_of(stream, (size_t)data[0] % 16 + 1);
	assert(str_eq(buf_str(&whole), buf_str(&parts)));
	buf_done(&whole);
	buf_done(&parts);
	return 0;
}
