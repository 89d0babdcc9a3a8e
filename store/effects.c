/* SPDX-License-Identifier: Apache-2.0 */
/* The queue between a transaction and the live tables. Only what has committed may be seen by a
 * running call, and it must be seen before anybody hears of the commit: so a rotated key is dead
 * in memory before its answer is sent. */
#include "store/live.h"

#include <stdlib.h>

enum effect_kind {
	EFFECT_POOL_NEW,
	EFFECT_POOL_ADD,
	EFFECT_KEY_NEW,
	EFFECT_KEY_DEAD,
	EFFECT_FROZEN,
	EFFECT_HOLD_ENDED,
	EFFECT_TAKEN /* done when queued; undone when dropped */
};

struct effect {
	enum effect_kind kind;
	int64_t row;                  /* of POOL_ADD's service, KEY_DEAD's key */
	struct store_pool *pool;      /* POOL_NEW, HOLD_ENDED, TAKEN */
	struct live_account *account; /* POOL_NEW, FROZEN */
	struct store_key *key;        /* KEY_NEW */
	struct key_use *use;          /* HOLD_ENDED */
	int64_t amount;               /* POOL_ADD, TAKEN; HOLD_ENDED: what was held */
	bool frozen;                  /* FROZEN */
	int64_t charge, back;         /* HOLD_ENDED */
};

struct store_effects {
	struct effect *list;
	size_t count, room;
};

struct store_effects *store__effects_new(struct err *err)
{
	struct store_effects *effects = calloc(1, sizeof(*effects));

	if (effects == NULL)
		err_no_memory(err);
	return effects;
}

size_t store__effects_count(const struct store *st)
{
	return st->effects->count;
}

/* The next free place, not yet counted: so that a record can be made before it is promised. */
static struct effect *next_place(struct store_effects *effects, struct err *err)
{
	if (effects->count == effects->room) {
		size_t room = effects->room == 0 ? 64 : effects->room * 2;
		struct effect *list = realloc(effects->list, room * sizeof(*list));
		if (list == NULL) {
			err_no_memory(err);
			return NULL;
		}
		effects->list = list;
		effects->room = room;
	}
	return &effects->list[effects->count];
}

static bool queue(struct store *st, const struct effect *effect, struct err *err)
{
	struct effect *place = next_place(st->effects, err);

	if (place == NULL)
		return false;
	*place = *effect;
	st->effects->count++;
	return true;
}

/* ---- What can be queued ---- */

bool store__live_pool_new(struct store *st, const struct store_pool_row *row, struct err *err)
{
	struct live_account *account = store__live_account(st->live, row->account, err);

	if (account == NULL)
		return false;
	struct store_pool *pool = store__live_make_pool(row, err);
	if (pool == NULL)
		return false;
	if (queue(st, &(struct effect){ EFFECT_POOL_NEW, .pool = pool, .account = account }, err))
		return true;
	free(pool);
	return false;
}

bool store__live_pool_add(struct store *st, int64_t service, struct money amount, struct err *err)
{
	return queue(
		st,
		&(struct effect){ EFFECT_POOL_ADD, .row = service, .amount = money_micros(amount) },
		err);
}

bool store__live_key_new(struct store *st, const struct store_key_row *row, struct err *err)
{
	struct store_key *key = store__live_make_key(st->live, row, err);

	if (key == NULL)
		return false;
	if (queue(st, &(struct effect){ EFFECT_KEY_NEW, .key = key, .row = row->service }, err))
		return true;
	store__live_free_key(key);
	return false;
}

bool store__live_key_dead(struct store *st, int64_t key, struct err *err)
{
	return queue(st, &(struct effect){ EFFECT_KEY_DEAD, .row = key }, err);
}

bool store__live_account_frozen(struct store *st, int64_t account, bool frozen, struct err *err)
{
	struct live_account *live = store__live_account(st->live, account, err);

	return live != NULL &&
	       queue(st, &(struct effect){ EFFECT_FROZEN, .account = live, .frozen = frozen }, err);
}

bool store__effect_hold_ended(struct store *st, const struct store_hold *hold, struct money charge,
                              struct money back, struct err *err)
{
	struct effect effect = {
		EFFECT_HOLD_ENDED,
		.pool = hold->pool,
		.use = hold->key->use,
		.amount = money_micros(hold->amount),
		.charge = money_micros(charge),
		.back = money_micros(back),
	};

	return queue(st, &effect, err);
}

bool store__effect_take(struct store *st, struct store_pool *pool, struct money want,
                        struct money *taken, struct err *err)
{
	struct effect *place = next_place(st->effects, err);
	int64_t before = atomic_load(&pool->available);
	int64_t take = 0;

	if (place == NULL)
		return false;
	do {
		take = before < money_micros(want) ? before : money_micros(want);
	} while (!atomic_compare_exchange_weak(&pool->available, &before, before - take));
	*place = (struct effect){ EFFECT_TAKEN, .pool = pool, .amount = take };
	st->effects->count++;
	*taken = money_of_micros(take);
	return true;
}

/* ---- What becomes of it ---- */

static void drop(struct effect *e)
{
	switch (e->kind) {
	case EFFECT_POOL_NEW:
		free(e->pool);
		return;
	case EFFECT_KEY_NEW:
		store__live_free_key(e->key);
		return;
	case EFFECT_TAKEN:
		atomic_fetch_add(&e->pool->available, e->amount);
		return;
	case EFFECT_POOL_ADD:
	case EFFECT_KEY_DEAD:
	case EFFECT_FROZEN:
	case EFFECT_HOLD_ENDED:
		return;
	}
}

void store__effects_drop(struct store *st, size_t keep)
{
	struct store_effects *effects = st->effects;

	while (effects->count > keep)
		drop(&effects->list[--effects->count]);
}

static void apply_hold_ended(const struct effect *e)
{
	atomic_fetch_sub(&e->pool->held, e->amount);
	atomic_fetch_add(&e->pool->available, e->back);
	atomic_fetch_sub(&e->use->held, e->amount);
	atomic_fetch_add(&e->use->committed, e->charge - e->amount);
	atomic_fetch_sub(&e->use->running, 1);
}

static void apply(struct store_live *live, const struct effect *e)
{
	struct store_pool *pool = NULL;
	struct store_key *key = NULL;

	switch (e->kind) {
	case EFFECT_POOL_NEW:
		store__live_put_pool(live, e->pool, e->account);
		return;
	case EFFECT_POOL_ADD:
		pool = store__live_pool(live, e->row);
		if (pool != NULL)
			atomic_fetch_add(&pool->available, e->amount);
		return;
	case EFFECT_KEY_NEW:
		if (e->row != 0) /* its service may be as new as the key */
			e->key->pool = store__live_pool(live, e->row);
		store__live_put_key(live, e->key);
		return;
	case EFFECT_KEY_DEAD:
		key = store__live_key_row(live, e->row);
		if (key != NULL)
			atomic_store(&key->use->dead, true);
		return;
	case EFFECT_FROZEN:
		atomic_store(&e->account->frozen, e->frozen);
		return;
	case EFFECT_HOLD_ENDED:
		apply_hold_ended(e);
		return;
	case EFFECT_TAKEN:
		return;
	}
}

void store__effects_apply(struct store *st)
{
	for (size_t i = 0; i < st->effects->count; i++)
		apply(st->live, &st->effects->list[i]);
	st->effects->count = 0;
}

void store__effects_free(struct store_effects *effects)
{
	if (effects == NULL)
		return;
	while (effects->count > 0)
		drop(&effects->list[--effects->count]);
	free(effects->list);
	free(effects);
}
