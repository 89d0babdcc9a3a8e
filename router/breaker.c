/* SPDX-License-Identifier: Apache-2.0 */
/* Circuit breakers in a short list: an operator has a handful of upstreams and models, and a look
 * is a few comparisons. Times are the loop's monotonic clock, so a wall clock that jumps opens and
 * closes nothing. */
#include "router/breaker.h"

#include <assert.h>
#include <stdlib.h>

#define FAILURES_TO_OPEN 5
#define COOL_FIRST_MS 5000
#define COOL_MOST_MS 120000
#define RETRY_AFTER_MOST_MS 600000 /* an upstream that asks for more is asked again sooner */
#define TRIAL_MS 60000

struct node {
	struct breaker breaker;
	struct node *next;
};

struct breakers {
	struct node *first;
};

/* allowed[from] is the set of states that may follow. */
static const unsigned allowed[] = {
	[BREAKER_CLOSED] = 1u << BREAKER_OPEN,
	[BREAKER_OPEN] = 1u << BREAKER_TRIAL | 1u << BREAKER_CLOSED,
	[BREAKER_TRIAL] = 1u << BREAKER_OPEN | 1u << BREAKER_CLOSED,
};
static_assert(ARRAY_LEN(allowed) == BREAKER_STATE_COUNT, "moves of every state");

static const char *const names[] = {
	[BREAKER_CLOSED] = "closed",
	[BREAKER_OPEN] = "open",
	[BREAKER_TRIAL] = "trial",
};
static_assert(ARRAY_LEN(names) == BREAKER_STATE_COUNT, "a name for every state");

const char *breaker_state_name(enum breaker_state s)
{
	return names[s];
}

static void move(struct breaker *b, enum breaker_state to)
{
	assert(allowed[b->state] & 1u << to);
	b->state = to;
}

struct breakers *breakers_new(struct err *err)
{
	struct breakers *b = calloc(1, sizeof *b);

	if (!b)
		(void)err_no_memory(err); /* its value is for functions that return bool */
	return b;
}

void breakers_free(struct breakers *b)
{
	while (b && b->first) {
		struct node *n = b->first;
		b->first = n->next;
		free(n);
	}
	free(b);
}

struct breaker *breakers_of(struct breakers *b, const void *upstream, const void *model)
{
	struct node *n = b->first;

	while (n && (n->breaker.upstream != upstream || n->breaker.model != model))
		n = n->next;
	if (n)
		return &n->breaker;
	n = calloc(1, sizeof *n);
	if (!n)
		return NULL;
	n->breaker =
		(struct breaker){ .upstream = upstream, .model = model, .cool_ms = COOL_FIRST_MS };
	n->next = b->first;
	b->first = n;
	return &n->breaker;
}

bool breaker_admits(struct breaker *b, int64_t now_ms)
{
	if (!b || b->state == BREAKER_CLOSED)
		return true;
	if (b->state == BREAKER_OPEN && now_ms < b->open_until)
		return false;
	if (b->state == BREAKER_TRIAL && now_ms < b->trial_until)
		return false;
	if (b->state == BREAKER_OPEN)
		move(b, BREAKER_TRIAL);
	b->trial_until = now_ms + TRIAL_MS;
	return true;
}

void breaker_success(struct breaker *b)
{
	if (!b)
		return;
	b->failures = 0;
	b->cool_ms = COOL_FIRST_MS;
	if (b->state != BREAKER_CLOSED)
		move(b, BREAKER_CLOSED);
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void open_for(struct breaker *b, int64_t until)
{
	b->open_until = most(b->open_until, until);
	if (b->state != BREAKER_OPEN)
		move(b, BREAKER_OPEN);
}

void breaker_failure(struct breaker *b, int64_t now_ms, int64_t retry_after_ms)
{
	if (!b)
		return;
	b->failures++;
	if (retry_after_ms > 0)
		open_for(b, now_ms + least(retry_after_ms, RETRY_AFTER_MOST_MS));
	if (b->state == BREAKER_TRIAL ||
	    (b->state == BREAKER_CLOSED && b->failures >= FAILURES_TO_OPEN)) {
		open_for(b, now_ms + b->cool_ms);
		b->cool_ms = least(b->cool_ms * 2, COOL_MOST_MS);
	}
}

void breaker_abandon(struct breaker *b)
{
	if (b && b->state == BREAKER_TRIAL)
		b->trial_until = 0;
}

void breakers_each(const struct breakers *b, void (*fn)(void *data, const struct breaker *b),
                   void *data)
{
	for (const struct node *n = b->first; n; n = n->next)
		fn(data, &n->breaker);
}

/* ---- Sticky ---- */

/* FNV-1a over the account and the model's place; a collision of two buyers in one slot only makes
 * one of them forget. */
static uint64_t sticky_key(const struct id *account, const void *model)
{
	uint64_t h = 1469598103934665603u ^ (uint64_t)(uintptr_t)model;

	for (const char *p = account->text; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return h;
}

const void *sticky_find(const struct sticky *s, const struct id *account, const void *model,
                        int64_t now_ms)
{
	uint64_t key = sticky_key(account, model);
	size_t i = key % STICKY_SLOTS;

	return s->slot[i].key == key && s->slot[i].until > now_ms ? s->slot[i].upstream : NULL;
}

void sticky_note(struct sticky *s, const struct id *account, const void *model,
                 const void *upstream, int64_t until_ms)
{
	uint64_t key = sticky_key(account, model);
	size_t i = key % STICKY_SLOTS;

	s->slot[i].key = key;
	s->slot[i].upstream = upstream;
	s->slot[i].until = until_ms;
}
