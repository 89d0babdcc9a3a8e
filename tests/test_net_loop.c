/* SPDX-License-Identifier: Apache-2.0 */
/* The loop itself: watches, timers, signals, and items from other threads. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.h"
#include "tests/check.h"

static struct net_loop *loop_or_exit(void)
{
	struct err err = { 0 };
	struct net_loop *loop = net_loop_new(&err);
	if (loop == NULL) {
		CHECK_FAIL("no loop: %s", err.text);
		exit(1);
	}
	return loop;
}

static void step(struct net_loop *loop, int timeout_ms)
{
	struct err err = { 0 };
	if (!net_loop_step(loop, timeout_ms, &err))
		CHECK_FAIL("step: %s", err.text);
}

/* ---- Timers ---- */

struct fired {
	struct net_timer timer;
	struct trace *trace;
	char name;
};

struct trace {
	char names[64];
	size_t count;
};

static void note(void *data)
{
	struct fired *f = data;
	if (f->trace->count < sizeof(f->trace->names) - 1)
		f->trace->names[f->trace->count++] = f->name;
}

static void run_ms(struct net_loop *loop, int64_t ms)
{
	step(loop, 0);
	int64_t end = net_loop_now_ms(loop) + ms;
	while (net_loop_now_ms(loop) < end)
		step(loop, 5);
}

static void timers_fire_in_the_order_of_their_time(void)
{
	struct net_loop *loop = loop_or_exit();
	static const int64_t DELAYS[] = { 50, 10, 40, 20, 30, 0 };
	struct trace trace = { 0 };
	struct fired f[6];
	for (size_t i = 0; i < 6; i++) {
		f[i] = (struct fired){ .trace = &trace, .name = (char)('a' + (int)i) };
		net_timer_init(&f[i].timer, loop, note, &f[i]);
		CHECK(!net_timer_runs(&f[i].timer));
		net_timer_start(&f[i].timer, DELAYS[i]);
		CHECK(net_timer_runs(&f[i].timer));
	}
	run_ms(loop, 80);
	CHECK_STR(trace.names, "fbdeca");
	CHECK(!net_timer_runs(&f[0].timer));
	net_loop_free(loop);
}

static void a_timer_moves_when_it_is_started_again_and_never_fires_early(void)
{
	struct net_loop *loop = loop_or_exit();
	struct trace trace = { 0 };
	struct fired f = { .trace = &trace, .name = 'x' };
	net_timer_init(&f.timer, loop, note, &f);
	net_timer_start(&f.timer, 1);
	net_timer_start(&f.timer, 60);
	step(loop, 0);
	int64_t start = net_loop_now_ms(loop);
	run_ms(loop, 20);
	CHECK_I64((int64_t)trace.count, 0);
	while (trace.count == 0)
		step(loop, -1);
	CHECK(net_loop_now_ms(loop) - start >= 60);
	net_timer_start(&f.timer, 5);
	net_timer_stop(&f.timer);
	net_timer_stop(&f.timer);
	run_ms(loop, 20);
	CHECK_I64((int64_t)trace.count, 1);
	net_loop_free(loop);
}

/* Stops and starts many timers in an order that a generator decides; those that are left must fire
 * in the order of their times. */
struct heap_trace {
	int64_t last;
	size_t fired;
	bool disordered;
};

struct heap_timer {
	struct net_timer timer;
	struct heap_trace *trace;
};

static void note_order(void *data)
{
	struct heap_timer *h = data;
	if (h->timer.due_ms < h->trace->last)
		h->trace->disordered = true;
	h->trace->last = h->timer.due_ms;
	h->trace->fired++;
}

static void many_timers_keep_their_order(void)
{
	struct net_loop *loop = loop_or_exit();
	static struct heap_timer timers[500];
	struct heap_trace trace = { 0 };
	uint32_t seed = 1;
	size_t running = 0;
	for (size_t i = 0; i < 500; i++) {
		timers[i].trace = &trace;
		net_timer_init(&timers[i].timer, loop, note_order, &timers[i]);
	}
	for (int i = 0; i < 5000; i++) {
		seed = seed * 1664525u + 1013904223u;
		struct net_timer *t = &timers[seed >> 16 & 255].timer;
		if ((seed >> 28) < 6)
			net_timer_stop(t);
		else
			net_timer_start(t, (int64_t)(seed >> 8 & 63));
	}
	for (size_t i = 0; i < 500; i++)
		running += net_timer_runs(&timers[i].timer) ? 1 : 0;
	CHECK(running > 50);
	run_ms(loop, 100);
	CHECK_I64((int64_t)trace.fired, (int64_t)running);
	CHECK(!trace.disordered);
	net_loop_free(loop);
}

static void start_again(void *data)
{
	struct fired *f = data;
	note(f);
	net_timer_start(&f->timer, 0);
}

static void a_timer_that_starts_itself_does_not_hold_the_loop(void)
{
	struct net_loop *loop = loop_or_exit();
	struct trace trace = { 0 };
	struct fired f = { .trace = &trace, .name = 'x' };
	net_timer_init(&f.timer, loop, start_again, &f);
	net_timer_start(&f.timer, 0);
	step(loop, 100);
	CHECK_I64((int64_t)trace.count, 1);
	net_timer_stop(&f.timer);
	net_loop_free(loop);
}

/* ---- Watches ---- */

struct end {
	struct net_watch *watch;
	struct end *other;
	int fd;
	int calls;
	unsigned events; /* of the last call */
};

static void count(void *data, unsigned events)
{
	struct end *e = data;
	e->calls++;
	e->events = events;
}

static struct net_watch *watch(struct net_loop *loop, struct end *e, unsigned events,
                               net_watch_fn *fn)
{
	struct err err = { 0 };
	e->watch = net_watch_new(loop, e->fd, events, fn, e, &err);
	if (e->watch == NULL)
		CHECK_FAIL("no watch: %s", err.text);
	return e->watch;
}

static void pair(struct end *a, struct end *b)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
		exit(1);
	*a = (struct end){ .fd = fds[0], .other = b };
	*b = (struct end){ .fd = fds[1], .other = a };
}

static void close_pair(struct end *a, struct end *b)
{
	if (a->fd >= 0)
		CHECK(close(a->fd) == 0);
	if (b->fd >= 0)
		CHECK(close(b->fd) == 0);
}

static void a_watch_reports_what_it_wants_and_nothing_else(void)
{
	struct net_loop *loop = loop_or_exit();
	struct end a;
	struct end b;
	pair(&a, &b);
	if (watch(loop, &a, NET_READ, count) == NULL)
		return;
	step(loop, 0);
	CHECK_I64(a.calls, 0);
	CHECK(write(b.fd, "x", 1) == 1);
	step(loop, 100);
	CHECK_I64(a.calls, 1);
	CHECK_I64(a.events, NET_READ);
	net_watch_set(a.watch, NET_WRITE);
	step(loop, 100);
	CHECK_I64(a.calls, 2);
	CHECK_I64(a.events, NET_WRITE);
	net_watch_set(a.watch, 0);
	step(loop, 0);
	step(loop, 0);
	CHECK_I64(a.calls, 2);
	net_watch_set(a.watch, NET_READ); /* level-triggered: the byte is still there */
	step(loop, 100);
	CHECK_I64(a.calls, 3);
	CHECK_I64(a.events, NET_READ);
	net_watch_free(a.watch);
	net_watch_free(NULL);
	close_pair(&a, &b);
	net_loop_free(loop);
}

static void a_hang_up_comes_with_what_was_wanted(void)
{
	struct net_loop *loop = loop_or_exit();
	struct end a;
	struct end b;
	pair(&a, &b);
	if (watch(loop, &a, NET_READ, count) == NULL)
		return;
	CHECK(close(b.fd) == 0);
	b.fd = -1;
	step(loop, 100);
	CHECK_I64(a.events, NET_READ | NET_HANGUP);
	net_watch_set(a.watch, 0); /* and without a wish there is no report, not even that */
	step(loop, 0);
	step(loop, 0);
	CHECK_I64(a.calls, 1);
	net_watch_free(a.watch);
	close_pair(&a, &b);
	net_loop_free(loop);
}

static void a_half_closed_peer_is_reported_without_reading(void)
{
	struct net_loop *loop = loop_or_exit();
	struct end a;
	struct end b;
	pair(&a, &b);
	if (watch(loop, &a, NET_HANGUP, count) == NULL)
		return;
	CHECK(write(b.fd, "x", 1) == 1);
	step(loop, 0);
	CHECK_I64(a.calls, 0);
	CHECK(shutdown(b.fd, SHUT_WR) == 0);
	step(loop, 100);
	CHECK_I64(a.calls, 1);
	CHECK_I64(a.events, NET_HANGUP);
	net_watch_free(a.watch);
	close_pair(&a, &b);
	net_loop_free(loop);
}

static void free_both(void *data, unsigned events)
{
	struct end *e = data;
	count(e, events);
	net_watch_free(e->watch);
	net_watch_free(e->other->watch);
}

static void a_watch_freed_in_a_callback_is_not_called_in_the_same_round(void)
{
	struct net_loop *loop = loop_or_exit();
	struct end a;
	struct end b;
	pair(&a, &b);
	if (watch(loop, &a, NET_WRITE, free_both) == NULL ||
	    watch(loop, &b, NET_WRITE, free_both) == NULL)
		return;
	step(loop, 100);
	CHECK_I64(a.calls + b.calls, 1);
	step(loop, 0);
	CHECK_I64(a.calls + b.calls, 1);
	close_pair(&a, &b);
	net_loop_free(loop);
}

static void a_regular_file_is_always_ready(void)
{
	struct net_loop *loop = loop_or_exit();
	FILE *file = tmpfile();
	if (!CHECK(file != NULL))
		return;
	struct end a = { .fd = fileno(file) };
	struct end b = { .fd = a.fd };
	if (watch(loop, &a, NET_READ, count) == NULL || watch(loop, &b, NET_WRITE, count) == NULL)
		return;
	step(loop, -1);
	step(loop, -1);
	CHECK_I64(a.calls, 2);
	CHECK_I64(a.events, NET_READ);
	CHECK_I64(b.calls, 2);
	net_watch_set(a.watch, 0);
	net_watch_free(b.watch);
	step(loop, 0);
	CHECK_I64(a.calls, 2);
	CHECK_I64(b.calls, 2);
	net_watch_set(a.watch, NET_READ);
	a.other = &b;
	step(loop, -1);
	CHECK_I64(a.calls, 3);
	net_watch_free(a.watch);
	CHECK(fclose(file) == 0);
	net_loop_free(loop);
}

static void files_may_be_freed_by_each_other(void)
{
	struct net_loop *loop = loop_or_exit();
	FILE *file = tmpfile();
	if (!CHECK(file != NULL))
		return;
	struct end a = { .fd = fileno(file) };
	struct end b = { .fd = a.fd, .other = &a };
	a.other = &b;
	if (watch(loop, &a, NET_READ, free_both) == NULL ||
	    watch(loop, &b, NET_READ, free_both) == NULL)
		return;
	step(loop, -1);
	step(loop, 0);
	CHECK_I64(a.calls + b.calls, 1);
	CHECK(fclose(file) == 0);
	net_loop_free(loop);
}

static void a_closed_descriptor_cannot_be_watched(void)
{
	struct net_loop *loop = loop_or_exit();
	struct err err = { 0 };
	struct end a = { .fd = -1 };
	CHECK(net_watch_new(loop, a.fd, NET_READ, count, &a, &err) == NULL);
	CHECK_I64(err.code, ERR_UNAVAILABLE);
	net_loop_free(loop);
}

/* ---- Other threads, signals ---- */

struct letter {
	struct inbox_item item;
	struct net_loop *loop;
	int number;
	int *sum;
};

static void read_letter(struct inbox_item *item)
{
	struct letter *l = CONTAINER_OF(item, struct letter, item);
	*l->sum = *l->sum * 10 + l->number;
	if (l->number == 3)
		net_loop_stop(l->loop);
	free(l);
}

static void *post_letters(void *data)
{
	const struct letter *model = data;
	for (int i = 1; i <= 3; i++) {
		struct letter *l = malloc(sizeof(*l));
		if (l == NULL)
			abort();
		*l = *model;
		l->number = i;
		inbox_post(net_loop_inbox(l->loop), &l->item);
	}
	return NULL;
}

static void items_of_another_thread_arrive_in_order(void)
{
	struct net_loop *loop = loop_or_exit();
	struct err err = { 0 };
	int sum = 0;
	struct letter model = { .item = { .deliver = read_letter }, .loop = loop, .sum = &sum };
	pthread_t thread;
	if (!CHECK(pthread_create(&thread, NULL, post_letters, &model) == 0))
		return;
	CHECK(net_loop_run(loop, &err)); /* until the third one stops it */
	CHECK_I64(sum, 123);
	CHECK(pthread_join(thread, NULL) == 0);
	net_loop_free(loop);
}

static void add_one(void *data)
{
	int *n = data;
	(*n)++;
}

static void a_signal_is_delivered_on_the_loop_and_only_once_per_number(void)
{
	struct net_loop *loop = loop_or_exit();
	struct err err = { 0 };
	int usr1 = 0;
	int usr2 = 0;
	CHECK(net_loop_on_signal(loop, SIGUSR1, add_one, &usr1, &err));
	CHECK(net_loop_on_signal(loop, SIGUSR2, add_one, &usr2, &err));
	CHECK(!net_loop_on_signal(loop, SIGUSR1, add_one, &usr2, &err));
	CHECK_I64(err.code, ERR_CONFLICT);
	CHECK(kill(getpid(), SIGUSR2) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK_I64(usr1 + usr2, 0);
	step(loop, 100);
	step(loop, 0);
	CHECK_I64(usr1, 1);
	CHECK_I64(usr2, 1);
	net_loop_free(loop);
}

static void an_impossible_signal_is_an_error(void)
{
	struct net_loop *loop = loop_or_exit();
	struct err err = { 0 };
	CHECK(!net_loop_on_signal(loop, 4711, add_one, NULL, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	net_loop_free(loop);
}

static void a_broken_pipe_is_an_error_and_no_signal(void)
{
	struct net_loop *loop = loop_or_exit();
	int fds[2];
	if (!CHECK(pipe2(fds, O_CLOEXEC) == 0))
		return;
	CHECK(close(fds[0]) == 0);
	CHECK(write(fds[1], "x", 1) == -1 && errno == EPIPE);
	CHECK(close(fds[1]) == 0);
	net_loop_free(loop);
}

static void a_stop_before_the_run_counts(void)
{
	struct net_loop *loop = loop_or_exit();
	struct err err = { 0 };
	net_loop_stop(loop);
	CHECK(net_loop_run(loop, &err)); /* would hang */
	net_loop_free(loop);
	net_loop_free(NULL);
}

static const struct check_case CASES[] = {
	CASE(timers_fire_in_the_order_of_their_time),
	CASE(a_timer_moves_when_it_is_started_again_and_never_fires_early),
	CASE(many_timers_keep_their_order),
	CASE(a_timer_that_starts_itself_does_not_hold_the_loop),
	CASE(a_watch_reports_what_it_wants_and_nothing_else),
	CASE(a_hang_up_comes_with_what_was_wanted),
	CASE(a_half_closed_peer_is_reported_without_reading),
	CASE(a_watch_freed_in_a_callback_is_not_called_in_the_same_round),
	CASE(a_regular_file_is_always_ready),
	CASE(files_may_be_freed_by_each_other),
	CASE(a_closed_descriptor_cannot_be_watched),
	CASE(items_of_another_thread_arrive_in_order),
	CASE(a_signal_is_delivered_on_the_loop_and_only_once_per_number),
	CASE(an_impossible_signal_is_an_error),
	CASE(a_broken_pipe_is_an_error_and_no_signal),
	CASE(a_stop_before_the_run_counts),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
