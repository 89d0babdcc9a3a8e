/* SPDX-License-Identifier: Apache-2.0 */
/* Twenty thousand random operations against a model that knows nothing of SQL: a few integers per
 * buyer. Batches are undone now and then, the process dies now and then; after each stretch every
 * balance, in the books and in memory, is the model's. */
#include <stdlib.h>
#include <string.h>

#include "store/live.h"
#include "tests/check.h"
#include "tests/store_setup.h"

#define OPERATIONS 20000
#define BUYERS 3
#define HOLDS_MAX 40
#define BATCH_MAX 60

struct model_hold {
	bool open;
	bool streaming;
	int64_t amount, output;
	size_t buyer;
};

struct model {
	int64_t available[BUYERS], held[BUYERS], spent[BUYERS];
	int64_t usage, overrun, funded;
	struct model_hold holds[HOLDS_MAX];
};

struct world {
	struct setup s;
	struct buyer buyers[BUYERS];
	const struct store_key *keys[BUYERS];
	struct store_hold holds[HOLDS_MAX]; /* the real ones of model.holds */
	struct store_hold made[BATCH_MAX];  /* in this batch, ended in it or not */
	size_t made_count;
	struct model model;
	uint64_t random;
	int ends, undone, crashes;
};

/* xorshift64*: the same run for the same seed, everywhere. */
static int64_t below(struct world *w, int64_t n)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (int64_t)((w->random * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % n;
}

static size_t pick_buyer(struct world *w)
{
	return (size_t)below(w, BUYERS);
}

/* A hold that is open, or (`open` false) a free place; HOLDS_MAX if there is none. */
static size_t pick_hold(struct world *w, bool open)
{
	size_t start = (size_t)below(w, HOLDS_MAX);

	for (size_t i = 0; i < HOLDS_MAX; i++) {
		size_t at = (start + i) % HOLDS_MAX;
		if (w->model.holds[at].open == open)
			return at;
	}
	return HOLDS_MAX;
}

/* ---- Operations: on the store, then on the model ---- */

static void fund(struct world *w)
{
	size_t b = pick_buyer(w);
	int64_t amount = 1 + below(w, 2000);
	struct ledger_move move = { "funding", STR("more"), LEDGER_OPERATOR, w->buyers[b].credit,
		                    money_of_micros(amount) };
	int64_t id = 0;
	struct err err = { 0 };
	OWN_TX struct store_tx tx = { 0 };

	if (!CHECK(store__tx_begin(&tx, w->s.st, &err)) ||
	    !CHECK(store__ledger_move(w->s.st, &move, &id, &err)) ||
	    !CHECK(store__live_pool_add(w->s.st, w->buyers[b].service, move.amount, &err)) ||
	    !CHECK(store__tx_commit(&tx, &err)))
		return;
	w->model.funded += amount;
	/* In memory it arrives with the commit of the batch: see commit_batch. */
	w->model.available[b] += amount;
}

static int64_t live_available(struct world *w, size_t b)
{
	return money_micros(setup_live_balance(&w->s, &w->buyers[b]).available);
}

static void hold(struct world *w)
{
	size_t b = pick_buyer(w);
	size_t at = pick_hold(w, false);
	int64_t amount = below(w, 900);
	struct store_call call = setup_call();
	struct err err = { 0 };

	if (at == HOLDS_MAX)
		return;
	int64_t available = live_available(w, b);
	w->holds[at] = (struct store_hold){ .request_id = id_make(&w->s.env, ID_REQUEST) };
	bool ok = store_live_reserve(store_live(w->s.st), w->keys[b], money_of_micros(amount),
	                             SETUP_NOW_MS, &w->holds[at], &err);
	CHECK(ok == (amount <= available));
	if (!ok)
		return;
	if (below(w, 10) == 0) {
		store_live_unreserve(store_live(w->s.st), &w->holds[at]);
		return;
	}
	CHECK(store_hold_write(w->s.st, &w->holds[at], &call, &err));
	w->made[w->made_count++] = w->holds[at];
	w->model.available[b] -= amount;
	w->model.held[b] += amount;
	w->model.holds[at] = (struct model_hold){ .open = true, .amount = amount, .buyer = b };
}

static void mark(struct world *w)
{
	size_t at = pick_hold(w, true);
	int64_t output = below(w, 300);
	struct err err = { 0 };

	if (at == HOLDS_MAX)
		return;
	CHECK(store_hold_mark(w->s.st, &w->holds[at], output, &err));
	w->model.holds[at].streaming = true;
	w->model.holds[at].output = output;
}

/* What a settlement of `cost` does; `extra` is the most that other credit may pay. */
static int64_t model_settle(struct model *m, size_t at, int64_t cost, int64_t extra)
{
	struct model_hold *h = &m->holds[at];
	int64_t from_hold = cost < h->amount ? cost : h->amount;
	int64_t more = cost - from_hold < extra ? cost - from_hold : extra;

	m->held[h->buyer] -= h->amount;
	m->available[h->buyer] += h->amount - from_hold - more;
	m->spent[h->buyer] += from_hold + more;
	m->usage += cost;
	m->overrun -= cost - from_hold - more;
	h->open = false;
	return from_hold + more;
}

static void end(struct world *w)
{
	static const enum hold_state ENDS[] = { HOLD_SETTLED, HOLD_SETTLED, HOLD_SETTLED,
		                                HOLD_RELEASED, HOLD_FAILED };
	size_t at = pick_hold(w, true);
	int64_t input = below(w, 500);
	int64_t output = below(w, 200);
	struct store_outcome outcome = setup_settled(input, output);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	if (at == HOLDS_MAX)
		return;
	outcome.state = ENDS[below(w, (int64_t)ARRAY_LEN(ENDS))];
	int64_t extra = live_available(w, w->model.holds[at].buyer);
	CHECK(store_hold_end(w->s.st, &w->holds[at], &outcome, &charged, &err));
	int64_t cost = outcome.state == HOLD_SETTLED ? input + 2 * output : 0;
	CHECK_I64(money_micros(charged), model_settle(&w->model, at, cost, extra));
	CHECK(!store_hold_end(w->s.st, &w->holds[at], &outcome, &charged, &err));
	CHECK_I64(err.code, ERR_CONFLICT);
	w->ends++;
}

/* ---- Batches ---- */

static void run_one(struct world *w)
{
	int64_t n = below(w, 100);

	w->s.st->db.gather = n >= 10 && below(w, 2) == 0;
	if (n < 10)
		fund(w);
	else if (n < 50)
		hold(w);
	else if (n < 60)
		mark(w);
	else
		end(w);
	w->s.st->db.gather = false;
}

/* A batch that is lost: who has reserved in it gives that back, all else is as it was. */
static void forget_batch(struct world *w, const struct model *before,
                         const struct store_hold *holds)
{
	for (size_t i = 0; i < w->made_count; i++)
		store_live_unreserve(store_live(w->s.st), &w->made[i]);
	memcpy(w->holds, holds, sizeof(w->holds));
	w->model = *before;
	w->undone++;
}

static void run_batch(struct world *w, int operations)
{
	struct model before = w->model;
	struct store_hold holds[HOLDS_MAX];
	struct err err = { 0 };
	bool undo = below(w, 8) == 0;

	memcpy(holds, w->holds, sizeof(holds));
	w->made_count = 0;
	{
		OWN_TX struct store_tx tx = { 0 };
		if (!CHECK(store__tx_begin_batch(&tx, w->s.st, false, &err)))
			return;
		for (int i = 0; i < operations; i++)
			run_one(w);
		if (!undo)
			CHECK(store__tx_commit(&tx, &err));
	}
	if (undo)
		forget_batch(w, &before, holds);
}

/* ---- Restarts ---- */

static bool look_up_keys(struct world *w)
{
	for (size_t i = 0; i < BUYERS; i++) {
		w->keys[i] = setup_live_key(&w->s, &w->buyers[i].router);
		if (w->keys[i] == NULL)
			return false;
	}
	return true;
}

static void model_crash(struct model *m)
{
	for (size_t i = 0; i < HOLDS_MAX; i++) {
		struct model_hold *h = &m->holds[i];
		if (h->open)
			model_settle(m, i, h->streaming ? 100 + 2 * h->output : 0, 0);
	}
}

static bool crash(struct world *w)
{
	w->crashes++;
	if (!setup_crash(&w->s) || !setup_open(&w->s))
		return false;
	model_crash(&w->model);
	memset(w->holds, 0, sizeof(w->holds));
	return look_up_keys(w);
}

/* ---- Comparing ---- */

static void compare(struct world *w)
{
	const struct model *m = &w->model;

	for (size_t i = 0; i < BUYERS; i++) {
		struct store_balance live = setup_live_balance(&w->s, &w->buyers[i]);
		CHECK_I64(setup_balance(&w->s, w->buyers[i].credit), m->available[i]);
		CHECK_I64(setup_balance(&w->s, w->buyers[i].hold), m->held[i]);
		CHECK_I64(money_micros(live.available), m->available[i]);
		CHECK_I64(money_micros(live.held), m->held[i]);
		CHECK_I64(atomic_load(&w->keys[i]->use->committed), m->spent[i] + m->held[i]);
		CHECK(m->available[i] >= 0);
	}
	CHECK_I64(setup_balance(&w->s, LEDGER_USAGE), m->usage);
	CHECK_I64(setup_balance(&w->s, LEDGER_OVERRUN), m->overrun);
	CHECK_I64(setup_balance(&w->s, LEDGER_OPERATOR), -m->funded);
}

static bool make_world(struct world *w, uint64_t seed)
{
	static const char *const NAMES[] = { "a", "b", "c" };
	*w = (struct world){ .random = seed };
	if (!setup_file(&w->s, 0))
		return false;
	for (size_t i = 0; i < BUYERS; i++) {
		w->model.available[i] = 5000;
		w->model.funded += 5000;
		if (!setup_buyer(&w->s, NAMES[i], 5000, &w->buyers[i]))
			return false;
	}
	return look_up_keys(w);
}

static void any_sequence_leaves_the_books_as_the_model_has_them(void)
{
	static struct world w;

	if (!make_world(&w, 20261122))
		return;
	for (int done = 0; done < OPERATIONS;) {
		int operations = 1 + (int)below(&w, BATCH_MAX);
		run_batch(&w, operations);
		done += operations;
		if (below(&w, 40) == 0 && !crash(&w))
			return;
		if (below(&w, 10) == 0)
			compare(&w);
		if (below(&w, 60) == 0)
			setup_check_books(&w.s);
	}
	compare(&w);
	setup_check_books(&w.s);
	check_note("%d ends, %d batches undone, %d crashes", w.ends, w.undone, w.crashes);
	CHECK(w.ends > 4000 && w.undone > 40 && w.crashes > 5);
	setup_done(&w.s);
}

static const struct check_case CASES[] = {
	CASE(any_sequence_leaves_the_books_as_the_model_has_them),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
