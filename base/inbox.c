/* SPDX-License-Identifier: Apache-2.0 */
/* A locked list and an eventfd. The descriptor is written only when the list was empty and cleared
 * before the list is taken: so a wake-up may be seen with nothing to take, but never an item
 * without a wake-up. */
#include "base/inbox.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/env.h"

struct inbox {
	pthread_mutex_t lock;
	struct inbox_item *first;
	struct inbox_item *last; /* meaningful while `first` is not NULL */
	int fd;
};

struct inbox *inbox_new(struct err *err)
{
	struct inbox *in = calloc(1, sizeof(*in));

	if (in == NULL) {
		err_no_memory(err);
		return NULL;
	}
	in->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (in->fd < 0) {
		err_record_errno(err, ERR_UNAVAILABLE, "cannot open an eventfd");
		free(in);
		return NULL;
	}
	(void)pthread_mutex_init(&in->lock, NULL); /* cannot fail without attributes */
	return in;
}

void inbox_free(struct inbox *in)
{
	if (in == NULL)
		return;
	(void)close(in->fd);
	(void)pthread_mutex_destroy(&in->lock);
	free(in);
}

int inbox_fd(const struct inbox *in)
{
	return in->fd;
}

void inbox_post(struct inbox *in, struct inbox_item *item)
{
	item->next = NULL;
	(void)pthread_mutex_lock(&in->lock);
	bool was_empty = in->first == NULL;
	if (was_empty)
		in->first = item;
	else
		in->last->next = item;
	in->last = item;
	(void)pthread_mutex_unlock(&in->lock);

	/* A full counter (EAGAIN) means that the descriptor is readable already. */
	if (was_empty)
		(void)eventfd_write(in->fd, 1);
}

struct inbox_item *inbox_take(struct inbox *in)
{
	eventfd_t ignored;

	(void)eventfd_read(in->fd, &ignored); /* EAGAIN: nothing was posted since */
	(void)pthread_mutex_lock(&in->lock);
	struct inbox_item *list = in->first;
	in->first = NULL;
	(void)pthread_mutex_unlock(&in->lock);
	return list;
}

/* Milliseconds until `end_us`, rounded up so that a wait does not spin through its last one. */
static int ms_until(int64_t end_us, int64_t now_us)
{
	int64_t left = (end_us - now_us + 999) / 1000;

	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

struct inbox_item *inbox_wait(struct inbox *in, int timeout_ms)
{
	struct env clock = env_real();
	int64_t end_us = env_mono_us(&clock) + (int64_t)timeout_ms * 1000;
	struct inbox_item *list = inbox_take(in);

	while (list == NULL) {
		int left = timeout_ms < 0 ? -1 : ms_until(end_us, env_mono_us(&clock));
		if (left == 0)
			break;
		struct pollfd fd = { .fd = in->fd, .events = POLLIN };
		(void)poll(&fd, 1, left); /* EINTR and early wake-ups just go round again */
		list = inbox_take(in);
	}
	return list;
}
