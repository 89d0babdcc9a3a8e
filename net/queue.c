/* SPDX-License-Identifier: Apache-2.0 */
/* The queue in front of every descriptor that is written without blocking. A refused
 * append leaves it as it was: what is queued may still be written before the connection ends. */
#include "net/queue.h"

#include <assert.h>

enum {
	REST_MAX = 64 << 10
};

void net__buf_rest(struct buf *b)
{
	if (b->cap > REST_MAX)
		buf_done(b);
	buf_reset(b);
}

struct net_queue net__queue_make(size_t max)
{
	return (struct net_queue){ .bytes = buf_make(max) };
}

void net__queue_done(struct net_queue *q)
{
	buf_done(&q->bytes);
	q->eaten = 0;
}

bool net__queue_add(struct net_queue *q, struct str bytes)
{
	if (q->eaten > q->bytes.len / 2) {
		buf_consume(&q->bytes, q->eaten);
		q->eaten = 0;
	}
	size_t before = q->bytes.len;
	buf_add(&q->bytes, bytes);
	if (!q->bytes.failed)
		return true;
	q->bytes.failed = false;
	assert(q->bytes.len == before);
	return false;
}

size_t net__queue_len(const struct net_queue *q)
{
	return q->bytes.len - q->eaten;
}

struct str net__queue_front(const struct net_queue *q)
{
	struct str all = buf_str(&q->bytes);
	return (struct str){ all.p + q->eaten, all.len - q->eaten };
}

void net__queue_eat(struct net_queue *q, size_t n)
{
	assert(n <= net__queue_len(q));
	q->eaten += n;
	if (q->eaten == q->bytes.len)
		net__queue_clear(q);
}

void net__queue_clear(struct net_queue *q)
{
	q->eaten = 0;
	net__buf_rest(&q->bytes);
}
