/* SPDX-License-Identifier: Apache-2.0 */
/* Timers in a binary heap of pointers into their owners' objects. Starting a timer that runs moves
 * it, so an owner needs one timer however many deadlines it has. A delay counts from the clock and
 * not from the loop's cached time: otherwise a slow callback would shorten it. */
#include "net/loop.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

int64_t net__clock_ms(void)
{
	struct timespec ts;
	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		abort();
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void put(struct net_timers *h, size_t slot, struct net_timer *t)
{
	h->heap[slot - 1] = t;
	t->slot = slot;
}

static struct net_timer *at(const struct net_timers *h, size_t slot)
{
	return h->heap[slot - 1];
}

static void sift_up(struct net_timers *h, struct net_timer *t, size_t slot)
{
	for (; slot > 1 && at(h, slot / 2)->due_ms > t->due_ms; slot /= 2)
		put(h, slot, at(h, slot / 2));
	put(h, slot, t);
}

static void sift_down(struct net_timers *h, struct net_timer *t, size_t slot)
{
	for (;;) {
		size_t child = slot * 2;
		if (child > h->count)
			break;
		if (child < h->count && at(h, child + 1)->due_ms < at(h, child)->due_ms)
			child++;
		if (at(h, child)->due_ms >= t->due_ms)
			break;
		put(h, slot, at(h, child));
		slot = child;
	}
	put(h, slot, t);
}

static void place(struct net_timers *h, struct net_timer *t, size_t slot)
{
	if (slot > 1 && at(h, slot / 2)->due_ms > t->due_ms)
		sift_up(h, t, slot);
	else
		sift_down(h, t, slot);
}

static void append(struct net_timers *h, struct net_timer *t)
{
	if (h->count == h->cap) {
		size_t cap = h->cap != 0 ? h->cap * 2 : 64;
		struct net_timer **heap = reallocarray(h->heap, cap, sizeof(struct net_timer *));
		if (heap == NULL)
			abort();
		h->heap = heap;
		h->cap = cap;
	}
	h->count++;
	sift_up(h, t, h->count);
}

static void cut(struct net_timers *h, struct net_timer *t)
{
	size_t slot = t->slot;
	assert(slot <= h->count && at(h, slot) == t);
	struct net_timer *last = at(h, h->count);
	h->count--;
	t->slot = 0;
	if (last != t)
		place(h, last, slot);
}

void net_timer_init(struct net_timer *t, struct net_loop *loop, void (*fn)(void *data), void *data)
{
	*t = (struct net_timer){ .loop = loop, .fn = fn, .data = data };
}

void net_timer_start(struct net_timer *t, int64_t delay_ms)
{
	struct net_timers *h = net__loop_timers(t->loop);
	/* The clock is cut to whole milliseconds, so one more is needed to never fire early. */
	t->due_ms = net__clock_ms() + (delay_ms > 0 ? delay_ms + 1 : 0);
	if (t->slot == 0)
		append(h, t);
	else
		place(h, t, t->slot);
}

void net_timer_stop(struct net_timer *t)
{
	if (t->slot != 0)
		cut(net__loop_timers(t->loop), t);
}

bool net_timer_runs(const struct net_timer *t)
{
	return t->slot != 0;
}

void net__timers_done(struct net_timers *h)
{
	for (size_t slot = 1; slot <= h->count; slot++)
		at(h, slot)->slot = 0;
	free(h->heap);
	*h = (struct net_timers){ 0 };
}

void net__timers_fire(struct net_timers *h, int64_t now_ms)
{
	/* A callback that starts its timer again with no delay must not hold the loop here. */
	for (size_t most = h->count; most > 0 && h->count > 0; most--) {
		struct net_timer *t = at(h, 1);
		if (t->due_ms > now_ms)
			return;
		cut(h, t);
		t->fn(t->data);
	}
}

int net__timers_wait(const struct net_timers *h, int64_t now_ms, int most)
{
	if (h->count == 0)
		return most;
	int64_t wait = at(h, 1)->due_ms - now_ms;
	if (wait < 0)
		wait = 0;
	if (most >= 0 && wait > most)
		return most;
	return wait > INT_MAX ? INT_MAX : (int)wait;
}
