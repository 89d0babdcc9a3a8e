/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of net/ share about the loop: calls put off to the end of a round, memory put off
 * beyond it, and the timer heap. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "net/net.h"

/* A call that the loop makes, once, at the end of this round or the next one. This is how an object
 * reports a failure that it found inside a call of its user. Zeroed memory is a task at rest. */
struct net_task {
	struct net_task *next;
	struct net_task **link; /* what points at this task; NULL at rest */
	void (*fn)(void *data);
	void *data;
};
void net__task_post(struct net_loop *loop, struct net_task *t); /* nothing if it is posted */
void net__task_cancel(struct net_loop *loop, struct net_task *t);

/* The first member of everything that may be freed inside a callback: the loop calls free() on it
 * when no frame below can touch it any more. */
struct net_corpse {
	struct net_corpse *next;
};
void net__loop_bury(struct net_loop *loop, struct net_corpse *corpse);

/* A binary heap by due_ms. Slots count from one, so that zero can mean "stopped". */
struct net_timers {
	struct net_timer **heap;
	size_t count;
	size_t cap;
};
void net__timers_done(struct net_timers *h);
/* Calls what is due at `now_ms`; a timer that is started meanwhile waits for the next round. */
void net__timers_fire(struct net_timers *h, int64_t now_ms);
/* Milliseconds from `now_ms` to the first timer, at most `most`; `most` may be -1 for "for ever".
 */
int net__timers_wait(const struct net_timers *h, int64_t now_ms, int most);

struct net_timers *net__loop_timers(struct net_loop *loop);
int64_t net__clock_ms(void); /* monotonic, now */

#endif
