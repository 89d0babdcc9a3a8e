/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that wait to be written: a buffer that is eaten from the front. Eaten bytes are moved away
 * only when they are the larger part, so a slow reader of a large answer costs no copying. */
#ifndef NET_QUEUE_H
#define NET_QUEUE_H

#include "base/str.h"

struct net_queue {
	struct buf bytes;
	size_t eaten; /* bytes at the front that are written already */
};

struct net_queue net__queue_make(size_t max);
void net__queue_done(struct net_queue *q);
/* False, and nothing is added, above the maximum or without memory. */
MUST_CHECK bool net__queue_add(struct net_queue *q, struct str bytes);
size_t net__queue_len(const struct net_queue *q);
struct str net__queue_front(const struct net_queue *q); /* all that waits; borrowed */
/* Removes `n` bytes from the front; memory above 64 KiB goes when nothing waits any more. */
void net__queue_eat(struct net_queue *q, size_t n);
void net__queue_clear(struct net_queue *q);

/* Frees the memory of an empty or unwanted buffer if it is more than an idle connection should
 * hold, and empties it in any case. */
void net__buf_rest(struct buf *b);

#endif
