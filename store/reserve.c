/* SPDX-License-Identifier: Apache-2.0 */
/* What a running call asks of the live tables, from any thread and without a disk: is this key
 * good, is there money. Each counter is moved by one atomic step that checks as it moves, and what
 * was moved is moved back when a later check refuses. */
#include "store/live.h"

#include <assert.h>

#define MINUTE_US INT64_C(60000000)

struct store_live *store_live(struct store *st)
{
	return st->live;
}

/* ---- Keys ---- */

static const struct store_key *look_up(struct store_live *live, struct str lookup)
{
	const struct store_key *found = NULL;

	(void)pthread_rwlock_rdlock(&live->lock);
	struct table_node *node = table_find(&live->keys, table_hash_str(lookup));
	while (node != NULL && found == NULL) {
		const struct store_key *key = CONTAINER_OF(node, struct store_key, by_lookup);
		if (str_eq(lookup, (struct str){ key->lookup, KEY_LOOKUP_LEN }))
			found = key;
		node = table_find_next(node);
	}
	(void)pthread_rwlock_unlock(&live->lock);
	return found;
}

static bool key_unknown(struct err *err)
{
	return err_set(err, ERR_UNAUTHORIZED,
	               "the key is not valid: it is unknown, mistyped, expired or revoked");
}

static bool is_alive(const struct store_key *key, int64_t now_ms)
{
	return !atomic_load(&key->use->dead) && (key->expires_ms == 0 || now_ms < key->expires_ms);
}

static bool is_not_frozen(const struct store_key *key, struct err *err)
{
	if (!atomic_load(&key->account->frozen))
		return true;
	return err_set(err, ERR_UNAUTHORIZED,
	               "the account of this key is frozen: its keys do not work until the operator "
	               "lifts that");
}

const struct store_key *store_live_key(struct store_live *live, struct str text, int64_t now_ms,
                                       struct err *err)
{
	enum key_kind kind = KEY_ROUTER;
	struct str lookup = { 0 };
	struct hash nobody = { { 0 } };

	if (!key_parse(text, &kind, &lookup)) {
		(void)key_unknown(err);
		return NULL;
	}
	if (kind == KEY_PURCHASE) {
		(void)err_set(err, ERR_UNAUTHORIZED,
		              "this is a purchase key (%s), which only buys; calls need a router "
		              "key (%s) or a route key (%s)",
		              key_prefix(KEY_PURCHASE), key_prefix(KEY_ROUTER),
		              key_prefix(KEY_ROUTE));
		return NULL;
	}
	const struct store_key *key = look_up(live, lookup);
	struct hash hash = secret_hash(&live->pepper, text);
	/* An unknown key takes as long as a wrong one. */
	bool same = hash_eq(&hash, key == NULL ? &nobody : &key->hash);
	if (key == NULL || !same || !is_alive(key, now_ms)) {
		(void)key_unknown(err);
		return NULL;
	}
	return is_not_frozen(key, err) ? key : NULL;
}

const struct id *store_key_id(const struct store_key *key)
{
	return &key->id;
}

const struct id *store_key_account(const struct store_key *key)
{
	return &key->account_id;
}

bool store_key_allows_model(const struct store_key *key, struct str model_id)
{
	if (key->models == NULL)
		return true;
	const struct json *m = json_first(key->models);
	while (m != NULL && !str_eq(json_text(m), model_id))
		m = json_next(m);
	return m != NULL;
}

bool store_key_lowers(const struct store_key *key)
{
	return key->lower_output;
}

/* ---- Limits of a key ---- */

static bool take_slot(const struct store_key *key, struct err *err)
{
	int64_t before = atomic_fetch_add(&key->use->running, 1);

	if (key->max_concurrent == 0 || before < key->max_concurrent)
		return true;
	atomic_fetch_sub(&key->use->running, 1);
	return err_set(err, ERR_RATE_LIMITED,
	               "this key may run %lld calls at once, and that many are running",
	               (long long)key->max_concurrent);
}

/* The allowance refills evenly: `rate_us` is when it would be full again, and each call puts that
 * off by its share of a minute. More than a minute away means that nothing is left. */
static bool take_turn(const struct store_key *key, int64_t now_ms, struct err *err)
{
	if (key->requests_per_minute == 0)
		return true;
	int64_t share = MINUTE_US / key->requests_per_minute;
	int64_t now = now_ms * 1000;
	int64_t before = atomic_load(&key->use->rate_us);
	int64_t after = 0;
	do {
		after = (before > now ? before : now) + share;
		if (after - now > MINUTE_US)
			return err_set(err, ERR_RATE_LIMITED,
			               "this key may make %lld requests per minute; try again in "
			               "%lld s",
			               (long long)key->requests_per_minute,
			               (long long)((after - now - MINUTE_US) / 1000000 + 1));
	} while (!atomic_compare_exchange_weak(&key->use->rate_us, &before, after));
	return true;
}

static void give_turn_back(const struct store_key *key)
{
	if (key->requests_per_minute != 0)
		atomic_fetch_sub(&key->use->rate_us, MINUTE_US / key->requests_per_minute);
}

struct shortage {
	struct money required, available, held;
};

static void set_funds(const struct shortage *s, struct err *err)
{
	if (err != NULL)
		err->funds =
			(struct err_funds){ money_micros(s->required), money_micros(s->available),
			                    money_micros(s->held) };
}

static bool limit_reached(const struct store_key *key, const struct shortage *s, struct err *err)
{
	char limit[MONEY_TEXT_MAX];
	char left[MONEY_TEXT_MAX];
	char need[MONEY_TEXT_MAX];

	money_format_usd(money_of_micros(key->spend_limit), limit);
	money_format_usd(s->available, left);
	money_format_usd(s->required, need);
	(void)err_set(err, ERR_INSUFFICIENT_FUNDS,
	              "the spend limit of this key is %s USD; %s USD of it is left, and the call "
	              "may cost %s USD",
	              limit, left, need);
	set_funds(s, err);
	return false;
}

static bool commit_spending(const struct store_key *key, int64_t amount, struct err *err)
{
	int64_t before = atomic_load(&key->use->committed);
	int64_t after = 0;

	do {
		bool fits = !__builtin_add_overflow(before, amount, &after);
		if (!fits || (key->spend_limit >= 0 && after > key->spend_limit)) {
			int64_t left = key->spend_limit - before;
			struct shortage s = { money_of_micros(amount),
				              money_of_micros(left > 0 ? left : 0),
				              money_of_micros(atomic_load(&key->use->held)) };
			return limit_reached(key, &s, err);
		}
	} while (!atomic_compare_exchange_weak(&key->use->committed, &before, after));
	atomic_fetch_add(&key->use->held, amount);
	return true;
}

static void give_spending_back(const struct store_key *key, int64_t amount)
{
	atomic_fetch_sub(&key->use->held, amount);
	atomic_fetch_sub(&key->use->committed, amount);
}

/* ---- Money ---- */

static bool too_little(const struct shortage *s, struct err *err)
{
	char need[MONEY_TEXT_MAX];
	char have[MONEY_TEXT_MAX];
	char held[MONEY_TEXT_MAX];

	money_format_usd(s->required, need);
	money_format_usd(s->available, have);
	money_format_usd(s->held, held);
	if (money_cmp(s->held, MONEY_ZERO) > 0)
		(void)err_set(err, ERR_INSUFFICIENT_FUNDS,
		              "the call may cost %s USD and %s USD is available; %s USD is held by "
		              "your own running calls until they end",
		              need, have, held);
	else
		(void)err_set(err, ERR_INSUFFICIENT_FUNDS,
		              "the call may cost %s USD and %s USD is available; buy credit", need,
		              have);
	set_funds(s, err);
	return false;
}

static bool take_money(struct store_pool *pool, int64_t amount, struct err *err)
{
	int64_t before = atomic_load(&pool->available);

	do {
		if (before < amount) {
			struct shortage s = { money_of_micros(amount), money_of_micros(before),
				              money_of_micros(atomic_load(&pool->held)) };
			return too_little(&s, err);
		}
	} while (!atomic_compare_exchange_weak(&pool->available, &before, before - amount));
	atomic_fetch_add(&pool->held, amount);
	return true;
}

static bool reserve(const struct store_key *key, struct store_pool *pool, int64_t amount,
                    int64_t now_ms, struct err *err)
{
	if (!take_slot(key, err))
		return false;
	if (take_turn(key, now_ms, err)) {
		if (commit_spending(key, amount, err)) {
			if (take_money(pool, amount, err))
				return true;
			give_spending_back(key, amount);
		}
		give_turn_back(key);
	}
	atomic_fetch_sub(&key->use->running, 1);
	return false;
}

static struct store_pool *pool_of(const struct store_key *key)
{
	return key->pool != NULL ? key->pool : atomic_load(&key->account->pool);
}

bool store_live_reserve(struct store_live *live, const struct store_key *key, struct money amount,
                        int64_t now_ms, struct store_hold *hold, struct err *err)
{
	struct store_pool *pool = pool_of(key);

	assert(!money_is_negative(amount));
	if (!is_alive(key, now_ms))
		return key_unknown(err);
	if (!is_not_frozen(key, err))
		return false;
	if (pool == NULL) {
		struct shortage nothing = { .required = amount };
		return too_little(&nothing, err);
	}
	if (!reserve(key, pool, money_micros(amount), now_ms, err))
		return false;
	atomic_store(&key->use->last_ms, now_ms);
	hold->key = key;
	hold->pool = pool;
	hold->amount = amount;
	hold->row = atomic_fetch_add(&live->next_row, 1);
	return true;
}

void store_live_unreserve(struct store_live *live, struct store_hold *hold)
{
	int64_t amount = money_micros(hold->amount);

	(void)live;
	assert(hold->pool != NULL); /* given back already */
	atomic_fetch_sub(&hold->pool->held, amount);
	atomic_fetch_add(&hold->pool->available, amount);
	give_spending_back(hold->key, amount);
	atomic_fetch_sub(&hold->key->use->running, 1);
	hold->pool = NULL;
}
