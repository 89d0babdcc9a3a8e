/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: level-triggered epoll, timers, an inbox for other threads, signals.
 *
 * A watch that wants less than before costs no system call: what epoll still reports is dropped,
 * and only then is epoll told. A connection that stops and starts to read with each request
 * therefore almost never calls epoll_ctl. */
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"

enum {
	EVENTS_PER_ROUND = 128
};

struct net_watch {
	struct net_corpse corpse;
	struct net_loop *loop;
	net_watch_fn *fn; /* NULL once freed */
	void *data;
	int fd;
	unsigned wanted; /* NET_* */
	unsigned told;   /* what epoll reports; 0 if it does not know the descriptor */
	bool always;     /* epoll refused it: in the list below */
	struct net_watch *prev, *next;
};

struct signal_entry {
	struct signal_entry *next;
	int signo;
	void (*fn)(void *data);
	void *data;
};

struct net_loop {
	int epoll;
	int signal_fd;
	bool stopping;
	int64_t now_ms;
	size_t watches;
	struct net_timers timers;
	struct inbox *inbox;
	struct net_watch *inbox_watch;
	struct net_watch *signal_watch;
	struct signal_entry *signals;
	sigset_t signal_set;
	struct net_watch *always;        /* ready whenever they want something */
	struct net_watch *always_cursor; /* the next one of the list being walked */
	struct net_task *tasks;
	struct net_task **tasks_end;
	struct net_task last_task; /* marks where this round's tasks end; has no function */
	struct net_corpse *corpses;
};

/* ---- Put off ---- */

void net__task_post(struct net_loop *loop, struct net_task *t)
{
	if (t->link != NULL)
		return;
	t->next = NULL;
	t->link = loop->tasks_end;
	*loop->tasks_end = t;
	loop->tasks_end = &t->next;
}

void net__task_cancel(struct net_loop *loop, struct net_task *t)
{
	if (t->link == NULL)
		return;
	*t->link = t->next;
	if (t->next != NULL)
		t->next->link = t->link;
	else if (loop->tasks_end == &t->next)
		loop->tasks_end = t->link;
	t->link = NULL;
}

/* One pass: what a task posts is for the next round, or two of them could play ball for ever. */
static void run_tasks(struct net_loop *loop)
{
	struct net_task *last = &loop->last_task;
	if (loop->tasks == NULL)
		return;
	net__task_post(loop, last);
	while (loop->tasks != last) {
		struct net_task *t = loop->tasks;
		net__task_cancel(loop, t);
		t->fn(t->data);
	}
	net__task_cancel(loop, last);
}

void net__loop_bury(struct net_loop *loop, struct net_corpse *corpse)
{
	corpse->next = loop->corpses;
	loop->corpses = corpse;
}

static void free_corpses(struct net_loop *loop)
{
	while (loop->corpses != NULL) {
		struct net_corpse *c = loop->corpses;
		loop->corpses = c->next;
		free(c);
	}
}

/* ---- Watches ---- */

static uint32_t epoll_mask(unsigned events)
{
	return ((events & NET_READ) != 0 ? (uint32_t)EPOLLIN : 0) |
	       ((events & NET_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0) |
	       ((events & NET_HANGUP) != 0 ? (uint32_t)EPOLLRDHUP : 0);
}

static void always_add(struct net_watch *w)
{
	if (w->told != 0)
		(void)epoll_ctl(w->loop->epoll, EPOLL_CTL_DEL, w->fd, NULL); /* or is it closed? */
	w->always = true;
	w->told = 0;
	w->prev = NULL;
	w->next = w->loop->always;
	if (w->next != NULL)
		w->next->prev = w;
	w->loop->always = w;
}

static void always_remove(struct net_watch *w)
{
	if (w->loop->always_cursor == w)
		w->loop->always_cursor = w->next;
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		w->loop->always = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
}

/* Has epoll report `events`. False with errno if it refuses. */
static bool tell(struct net_watch *w, unsigned events)
{
	if (w->always || w->told == events)
		return true;
	struct epoll_event ev = { .events = epoll_mask(events), .data = { .ptr = w } };
	int op = w->told == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
	if (epoll_ctl(w->loop->epoll, op, w->fd, &ev) != 0)
		return false;
	w->told = events;
	return true;
}

struct net_watch *net_watch_new(struct net_loop *loop, int fd, unsigned events, net_watch_fn *fn,
                                void *data, struct err *err)
{
	struct net_watch *w = calloc(1, sizeof(*w));
	if (w == NULL) {
		(void)err_no_memory(err); /* its value is for functions that return bool */
		return NULL;
	}
	w->loop = loop;
	w->fd = fd;
	w->fn = fn;
	w->data = data;
	w->wanted = events;
	if (!tell(w, events)) {
		if (errno != EPERM) {
			(void)err_set_errno(err, ERR_UNAVAILABLE, "epoll_ctl");
			free(w);
			return NULL;
		}
		always_add(w);
	}
	loop->watches++;
	return w;
}

void net_watch_set(struct net_watch *w, unsigned events)
{
	w->wanted = events;
	if ((events & ~w->told) == 0)
		return;
	/* What was told before is likely to be wanted again soon, except writing, which would be
	 * reported at once. A descriptor that epoll refuses now is treated as always ready: whoever
	 * then reads or writes it finds out what is wrong with it. */
	if (!tell(w, events | (w->told & ~(unsigned)NET_WRITE)))
		always_add(w);
}

void net_watch_free(struct net_watch *w)
{
	if (w == NULL)
		return;
	assert(w->fn != NULL);
	w->wanted = 0;
	if (w->always)
		always_remove(w);
	else if (w->told != 0)
		(void)tell(
			w,
			0); /* fails only if the descriptor is closed, and then it is forgotten */
	w->fn = NULL;
	w->loop->watches--;
	net__loop_bury(w->loop, &w->corpse);
}

static void dispatch(struct net_watch *w, uint32_t ready)
{
	if (w->fn == NULL)
		return;
	unsigned events = 0;
	if ((ready & EPOLLIN) != 0)
		events |= NET_READ;
	if ((ready & EPOLLOUT) != 0)
		events |= NET_WRITE;
	if ((ready & EPOLLRDHUP) != 0)
		events |= NET_HANGUP;
	bool unwanted = (events & ~w->wanted) != 0;
	events &= w->wanted;
	if ((ready & (EPOLLHUP | EPOLLERR)) != 0) {
		unwanted = unwanted || w->wanted == 0;
		events = w->wanted != 0 ? w->wanted | NET_HANGUP : 0;
	}
	if (unwanted)
		(void)tell(w, w->wanted); /* the worst is to be asked again */
	if (events != 0)
		w->fn(w->data, events);
}

static bool always_ready(const struct net_loop *loop)
{
	for (const struct net_watch *w = loop->always; w != NULL; w = w->next)
		if (w->wanted != 0)
			return true;
	return false;
}

static void dispatch_always(struct net_loop *loop)
{
	loop->always_cursor = loop->always;
	while (loop->always_cursor != NULL) {
		struct net_watch *w = loop->always_cursor;
		loop->always_cursor = w->next;
		unsigned events = w->wanted & (NET_READ | NET_WRITE);
		if (events != 0)
			w->fn(w->data, events);
	}
}

/* ---- Inbox and signals ---- */

static void deliver_inbox(void *data, unsigned events)
{
	struct net_loop *loop = data;
	(void)events;
	struct inbox_item *item = inbox_take(loop->inbox);
	while (item != NULL) {
		struct inbox_item *next = item->next;
		item->deliver(item);
		item = next;
	}
}

struct inbox *net_loop_inbox(struct net_loop *loop)
{
	return loop->inbox;
}

static void deliver_signals(void *data, unsigned events)
{
	struct net_loop *loop = data;
	(void)events;
	struct signalfd_siginfo info;
	if (read(loop->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	for (struct signal_entry *s = loop->signals; s != NULL; s = s->next)
		if ((uint32_t)s->signo == info.ssi_signo) {
			s->fn(s->data);
			return;
		}
}

/* Blocks the signal and has the descriptor, made with the first one, report it. */
static bool catch_signal(struct net_loop *loop, int signo, struct err *err)
{
	if (sigaddset(&loop->signal_set, signo) != 0)
		return err_set_errno(err, ERR_INVALID_ARGUMENT, "sigaddset");
	int failed = pthread_sigmask(SIG_BLOCK, &loop->signal_set, NULL);
	if (failed != 0)
		return err_set(err, ERR_INTERNAL, "signal %d cannot be blocked", signo);
	int fd = signalfd(loop->signal_fd, &loop->signal_set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, ERR_UNAVAILABLE, "signalfd");
	loop->signal_fd = fd;
	if (loop->signal_watch == NULL)
		loop->signal_watch = net_watch_new(loop, fd, NET_READ, deliver_signals, loop, err);
	return loop->signal_watch != NULL;
}

bool net_loop_on_signal(struct net_loop *loop, int signo, void (*fn)(void *data), void *data,
                        struct err *err)
{
	for (const struct signal_entry *s = loop->signals; s != NULL; s = s->next)
		if (s->signo == signo)
			return err_set(err, ERR_CONFLICT, "signal %d is taken", signo);
	struct signal_entry *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_no_memory(err);
	if (!catch_signal(loop, signo, err)) {
		free(s);
		return false;
	}
	*s = (struct signal_entry){ .next = loop->signals, .signo = signo, .fn = fn, .data = data };
	loop->signals = s;
	return true;
}

/* ---- The loop ---- */

struct net_loop *net_loop_new(struct err *err)
{
	struct net_loop *loop = calloc(1, sizeof(*loop));
	if (loop == NULL) {
		(void)err_no_memory(err); /* its value is for functions that return bool */
		return NULL;
	}
	loop->signal_fd = -1;
	loop->tasks_end = &loop->tasks;
	loop->now_ms = net__clock_ms();
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		(void)err_set_errno(err, ERR_UNAVAILABLE, "epoll_create1");
		goto failed;
	}
	/* Writing to a peer that went away is an ordinary error here, not the end of the process.
	 */
	if (sigemptyset(&loop->signal_set) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
		(void)err_set_errno(err, ERR_INTERNAL, "signal");
		goto failed;
	}
	loop->inbox = inbox_new(err);
	if (loop->inbox == NULL)
		goto failed;
	loop->inbox_watch =
		net_watch_new(loop, inbox_fd(loop->inbox), NET_READ, deliver_inbox, loop, err);
	if (loop->inbox_watch == NULL)
		goto failed;
	return loop;
failed:
	net_loop_free(loop);
	return NULL;
}

void net_loop_free(struct net_loop *loop)
{
	if (loop == NULL)
		return;
	net_watch_free(loop->inbox_watch);
	net_watch_free(loop->signal_watch);
	if (loop->watches != 0 || loop->timers.count != 0)
		log_event(LOG_DEBUG, "loop_left", "watches=%zu timers=%zu", loop->watches,
		          loop->timers.count);
	while (loop->signals != NULL) {
		struct signal_entry *s = loop->signals;
		loop->signals = s->next;
		free(s);
	}
	net__timers_done(&loop->timers);
	free_corpses(loop);
	inbox_free(loop->inbox);
	if (loop->signal_fd >= 0)
		(void)close(loop->signal_fd); /* nothing was written to it */
	if (loop->epoll >= 0)
		(void)close(loop->epoll); /* likewise */
	free(loop);
}

bool net_loop_step(struct net_loop *loop, int timeout_ms, struct err *err)
{
	struct epoll_event events[EVENTS_PER_ROUND];
	if (loop->tasks != NULL || always_ready(loop))
		timeout_ms = 0;
	int wait = net__timers_wait(&loop->timers, net__clock_ms(), timeout_ms);
	int n = epoll_wait(loop->epoll, events, EVENTS_PER_ROUND, wait);
	if (n < 0 && errno != EINTR)
		return err_set_errno(err, ERR_INTERNAL, "epoll_wait");
	loop->now_ms = net__clock_ms();
	for (int i = 0; i < n; i++)
		dispatch(events[i].data.ptr, events[i].events);
	dispatch_always(loop);
	net__timers_fire(&loop->timers, loop->now_ms);
	run_tasks(loop);
	free_corpses(loop);
	return true;
}

bool net_loop_run(struct net_loop *loop, struct err *err)
{
	while (!loop->stopping)
		if (!net_loop_step(loop, -1, err))
			return false;
	loop->stopping = false;
	return true;
}

void net_loop_stop(struct net_loop *loop)
{
	loop->stopping = true;
}

int64_t net_loop_now_ms(const struct net_loop *loop)
{
	return loop->now_ms;
}

struct net_timers *net__loop_timers(struct net_loop *loop)
{
	return &loop->timers;
}
