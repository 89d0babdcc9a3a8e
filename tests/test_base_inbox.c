/* SPDX-License-Identifier: Apache-2.0 */
/* The inbox with one thread and with three: nothing lost, nothing twice, each producer's items in
 * its order, and a wait that ends. */
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/env.h"
#include "base/inbox.h"
#include "tests/check.h"

#define PER_PRODUCER 10000

struct note {
	struct inbox_item item;
	int producer;
	int number;
};

static bool is_readable(const struct inbox *in)
{
	struct pollfd fd = { .fd = inbox_fd(in), .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void items_come_oldest_first(void)
{
	struct err err = { 0 };
	struct inbox *in = inbox_new(&err);
	struct note notes[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
	int want = 1;

	if (!CHECK(in != NULL))
		return;
	for (size_t i = 0; i < ARRAY_LEN(notes); i++)
		inbox_post(in, &notes[i].item);
	for (struct inbox_item *at = inbox_take(in); at != NULL; at = at->next)
		CHECK_I64(CONTAINER_OF(at, struct note, item)->number, want++);
	CHECK_I64(want, 4);
	CHECK(inbox_take(in) == NULL);
	inbox_free(in);
}

static void descriptor_is_readable_while_items_wait(void)
{
	struct err err = { 0 };
	struct inbox *in = inbox_new(&err);
	struct note notes[2] = { { .number = 1 }, { .number = 2 } };

	if (!CHECK(in != NULL))
		return;
	CHECK(!is_readable(in));
	inbox_post(in, &notes[0].item);
	CHECK(is_readable(in));
	inbox_post(in, &notes[1].item);
	CHECK(is_readable(in));
	CHECK(inbox_take(in) == &notes[0].item);
	CHECK(!is_readable(in));
	inbox_post(in, &notes[0].item); /* an item may be posted again */
	CHECK(is_readable(in));
	CHECK(inbox_take(in) == &notes[0].item && notes[0].item.next == NULL);
	inbox_free(in);
}

static void wait_gives_up_after_its_time(void)
{
	struct err err = { 0 };
	struct env clock = env_real();
	struct inbox *in = inbox_new(&err);

	if (!CHECK(in != NULL))
		return;
	int64_t start = env_mono_us(&clock);
	CHECK(inbox_wait(in, 30) == NULL);
	int64_t took = env_mono_us(&clock) - start;
	CHECK(took >= 30000);
	CHECK(took < 10000000);
	CHECK(inbox_wait(in, 0) == NULL);
	inbox_free(in);
}

static void wait_takes_what_is_there_at_once(void)
{
	struct err err = { 0 };
	struct inbox *in = inbox_new(&err);
	struct note note = { .number = 1 };

	if (!CHECK(in != NULL))
		return;
	inbox_post(in, &note.item);
	CHECK(inbox_wait(in, 0) == &note.item);
	inbox_post(in, &note.item);
	CHECK(inbox_wait(in, -1) == &note.item);
	inbox_free(in);
}

struct producer {
	struct inbox *in;
	struct note *notes;
	int number;
};

static void *produce(void *data)
{
	const struct producer *p = data;

	for (int i = 0; i < PER_PRODUCER; i++) {
		p->notes[i] = (struct note){ .producer = p->number, .number = i };
		inbox_post(p->in, &p->notes[i].item);
	}
	return NULL;
}

/* Takes until both producers' items are there; counts those that come out of their order. */
static int64_t consume_all(struct inbox *in)
{
	int next[2] = { 0, 0 };
	int64_t disorder = 0;

	while (next[0] + next[1] < 2 * PER_PRODUCER) {
		struct inbox_item *at = inbox_wait(in, 20000);
		if (!CHECK(at != NULL))
			break;
		for (; at != NULL; at = at->next) {
			const struct note *note = CONTAINER_OF(at, struct note, item);
			disorder += note->number != next[note->producer];
			next[note->producer]++;
		}
	}
	CHECK_I64(next[0], PER_PRODUCER);
	CHECK_I64(next[1], PER_PRODUCER);
	return disorder;
}

static void two_producers_lose_nothing_and_keep_their_order(void)
{
	struct note notes[2 * PER_PRODUCER];
	struct err err = { 0 };
	struct inbox *in = inbox_new(&err);
	struct producer producers[2] = { { in, notes, 0 }, { in, notes + PER_PRODUCER, 1 } };
	pthread_t threads[2];

	if (!CHECK(in != NULL))
		return;
	for (size_t i = 0; i < 2; i++)
		CHECK_I64(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
	CHECK_I64(consume_all(in), 0);
	for (size_t i = 0; i < 2; i++)
		CHECK_I64(pthread_join(threads[i], NULL), 0);
	CHECK(inbox_wait(in, 0) == NULL);
	inbox_free(in);
}

static void what_is_inside_is_not_delivered_by_free(void)
{
	struct err err = { 0 };
	struct inbox *in = inbox_new(&err);
	struct note note = { .number = 1 };

	if (!CHECK(in != NULL))
		return;
	inbox_post(in, &note.item); /* its deliver is NULL, so a call would crash */
	inbox_free(in);
	inbox_free(NULL);
	CHECK(note.item.next == NULL);
}

static void no_descriptor_is_an_error(void)
{
	struct rlimit old;
	struct err err = { 0 };

	CHECK_I64(getrlimit(RLIMIT_NOFILE, &old), 0);
	struct rlimit none = { .rlim_cur = 0, .rlim_max = old.rlim_max };
	CHECK_I64(setrlimit(RLIMIT_NOFILE, &none), 0);
	struct inbox *in = inbox_new(&err);
	CHECK_I64(setrlimit(RLIMIT_NOFILE, &old), 0);
	CHECK(in == NULL);
	CHECK_I64(err.code, ERR_UNAVAILABLE);
	CHECK_STR(err.text, "cannot open an eventfd: Too many open files");
	inbox_free(in);
}

static const struct check_case CASES[] = {
	CASE(items_come_oldest_first),
	CASE(descriptor_is_readable_while_items_wait),
	CASE(wait_gives_up_after_its_time),
	CASE(wait_takes_what_is_there_at_once),
	CASE(two_producers_lose_nothing_and_keep_their_order),
	CASE(what_is_inside_is_not_delivered_by_free),
	CASE(no_descriptor_is_an_error),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
