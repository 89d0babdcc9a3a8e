/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and balances in memory: which key is good, each limit at its edge, and many threads that
 * want the same money. */
#include <pthread.h>
#include <stdio.h>

#include "store/live.h"
#include "tests/check.h"
#include "tests/store_setup.h"

static bool reserve(struct setup *s, const struct store_key *key, int64_t amount,
                    struct store_hold *hold, struct err *err)
{
	*hold = (struct store_hold){ .request_id = id_make(&s->env, ID_REQUEST) };
	return store_live_reserve(store_live(s->st), key, money_of_micros(amount), s->clock.now_ms,
	                          hold, err);
}

static const struct store_key *limited_key(struct setup *s, const struct store_key_limits *limits)
{
	OWN_SECRET struct secret text;

	if (!setup_key(s, &s->buyer, KEY_ROUTER, limits, &text))
		return NULL;
	return setup_live_key(s, &text);
}

static void check_refused(struct setup *s, struct str text, const char *want)
{
	struct err err = { 0 };

	CHECK(store_live_key(store_live(s->st), text, s->clock.now_ms, &err) == NULL);
	CHECK_I64(err.code, ERR_UNAUTHORIZED);
	CHECK_STR(err.text, want);
}

/* ---- Keys ---- */

#define NOT_VALID "the key is not valid: it is unknown, mistyped, expired or revoked"

static void a_key_is_found_by_its_text(void)
{
	struct setup s;

	if (!setup_memory(&s, 0))
		return;
	const struct store_key *key = setup_live_key(&s, &s.buyer.router);
	if (!CHECK(key != NULL))
		return;
	CHECK(id_eq(store_key_account(key), &s.buyer.account_id));
	CHECK(id_is(id_str(store_key_id(key)), ID_ROUTER_KEY));
	CHECK(setup_live_key(&s, &s.buyer.route) != key);
	setup_done(&s);
}

static void keys_are_found_again_after_a_restart(void)
{
	const struct store_key_limits limits = { .spend_limit = money_of_micros(-1),
		                                 .lower_output = true };
	OWN_SECRET struct secret lowering;
	struct setup s;

	if (!setup_file(&s, 500) || !setup_key(&s, &s.buyer, KEY_ROUTER, &limits, &lowering))
		return;
	CHECK(store_key_lowers(setup_live_key(&s, &lowering)));
	store_close(s.st);
	if (!setup_open(&s))
		return;
	const struct store_key *key = setup_live_key(&s, &s.buyer.router);
	CHECK(key != NULL && id_eq(store_key_account(key), &s.buyer.account_id));
	CHECK(!store_key_lowers(key) && store_key_lowers(setup_live_key(&s, &lowering)));
	CHECK(setup_live_key(&s, &s.buyer.route) != NULL);
	CHECK_I64(money_micros(setup_live_balance(&s, &s.buyer).available), 500);
	setup_done(&s);
}

static void unknown_malformed_and_mistyped_keys_get_one_answer(void)
{
	struct setup s;
	OWN_SECRET struct secret other;

	if (!setup_memory(&s, 0))
		return;
	key_make(&s.env, KEY_ROUTER, &other);
	check_refused(&s, secret_str(&other), NOT_VALID);
	other = s.buyer.router;
	other.text[30] = other.text[30] == 'a' ? 'b' : 'a';
	check_refused(&s, secret_str(&other), NOT_VALID);
	check_refused(&s, STR("hello"), NOT_VALID);
	check_refused(&s, STR(""), NOT_VALID);
	setup_done(&s);
}

/* The look-up part is public. A key made of it and another secret has a right checksum. */
static void the_look_up_part_alone_opens_nothing(void)
{
	struct setup s;
	struct env_fixed same = { .now_ms = SETUP_NOW_MS };
	struct env replay = env_fixed(&same);
	OWN_SECRET struct secret forged;
	enum key_kind kind = KEY_ROUTER;
	struct str lookup = { 0 };

	if (!setup_memory(&s, 0))
		return;
	struct store_key *key = store__live_key_row(store_live(s.st), 1);
	key_make(&replay, KEY_ROUTER, &forged);
	if (!CHECK(key != NULL) || !CHECK(key_parse(secret_str(&forged), &kind, &lookup)))
		return;
	struct store_key_row row = {
		.key = 77,
		.account = s.buyer.account,
		.service = s.buyer.service,
		.kind = KEY_ROUTER,
		.lookup = lookup,
		.hash = secret_hash(&s.st->pepper, STR("another text")),
		.limits = { .spend_limit = money_of_micros(-1) },
	};
	struct err err = { 0 };
	CHECK(store__live_key_new(s.st, &row, &err));
	store__effects_apply(s.st);
	check_refused(&s, secret_str(&forged), NOT_VALID);
	setup_done(&s);
}

static void a_purchase_key_is_told_which_kind_is_wanted(void)
{
	struct setup s;
	OWN_SECRET struct secret text;

	if (!setup_memory(&s, 0))
		return;
	key_make(&s.env, KEY_PURCHASE, &text);
	check_refused(
		&s, secret_str(&text),
		"this is a purchase key (ask_live_), which only buys; calls need a router key "
		"(asr_live_) or a route key (rk_)");
	setup_done(&s);
}

static void a_dead_key_is_refused_at_once_wherever_it_is_held(void)
{
	struct setup s;
	struct store_hold hold;
	struct err err = { 0 };

	if (!setup_memory(&s, 100))
		return;
	const struct store_key *key = setup_live_key(&s, &s.buyer.router);
	{
		OWN_TX struct store_tx undone = { 0 };
		CHECK(store__tx_begin(&undone, s.st, &err));
		CHECK(store__live_key_dead(s.st, key->row, &err));
	}
	CHECK(setup_live_key(&s, &s.buyer.router) == key);
	OWN_TX struct store_tx tx = { 0 };
	CHECK(store__tx_begin(&tx, s.st, &err));
	CHECK(store__live_key_dead(s.st, key->row, &err));
	CHECK(setup_live_key(&s, &s.buyer.router) == key);
	CHECK(store__tx_commit(&tx, &err));
	check_refused(&s, secret_str(&s.buyer.router), NOT_VALID);
	CHECK(!reserve(&s, key, 1, &hold, &err));
	CHECK_I64(err.code, ERR_UNAUTHORIZED);
	setup_done(&s);
}

static void a_key_ends_when_it_expires(void)
{
	struct setup s;
	OWN_SECRET struct secret text;
	struct store_hold hold;
	struct store_key_limits limits = { .spend_limit = money_of_micros(-1),
		                           .expires_ms = SETUP_NOW_MS + 1000 };
	struct err err = { 0 };

	if (!setup_memory(&s, 100) || !setup_key(&s, &s.buyer, KEY_ROUTER, &limits, &text))
		return;
	s.clock.now_ms += 999;
	const struct store_key *key = setup_live_key(&s, &text);
	s.clock.now_ms += 1;
	check_refused(&s, secret_str(&text), NOT_VALID);
	CHECK(key != NULL && !reserve(&s, key, 1, &hold, &err));
	CHECK_I64(err.code, ERR_UNAUTHORIZED);
	setup_done(&s);
}

static void an_allow_list_names_the_only_models(void)
{
	struct setup s;
	struct err err = { 0 };
	OWN_JSON struct json *list = json_parse(STR("[\"model-a\",\"model-b\"]"), &err);
	struct store_key_limits limits = { .spend_limit = money_of_micros(-1),
		                           .allowed_models = list };

	if (!setup_memory(&s, 0))
		return;
	const struct store_key *free_key = setup_live_key(&s, &s.buyer.router);
	const struct store_key *bound = limited_key(&s, &limits);
	if (!CHECK(free_key != NULL && bound != NULL))
		return;
	CHECK(store_key_allows_model(free_key, STR("anything")));
	CHECK(store_key_allows_model(bound, STR("model-a")));
	CHECK(store_key_allows_model(bound, STR("model-b")));
	CHECK(!store_key_allows_model(bound, STR("model-c")));
	CHECK(!store_key_allows_model(bound, STR("model")));
	setup_done(&s);
}

/* ---- Money ---- */

static void a_reserve_takes_and_gives_back(void)
{
	struct setup s;
	struct store_hold hold;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	const struct store_key *key = setup_live_key(&s, &s.buyer.router);
	CHECK(reserve(&s, key, 1000, &hold, &err));
	CHECK_I64(money_micros(setup_live_balance(&s, &s.buyer).available), 0);
	CHECK_I64(money_micros(setup_live_balance(&s, &s.buyer).held), 1000);
	CHECK_I64(money_micros(setup_live_balance(&s, &s.buyer).balance), 1000);
	store_live_unreserve(store_live(s.st), &hold);
	CHECK_I64(money_micros(setup_live_balance(&s, &s.buyer).available), 1000);
	CHECK_I64(money_micros(setup_live_balance(&s, &s.buyer).held), 0);
	CHECK_I64(atomic_load(&key->use->running), 0);
	CHECK_I64(atomic_load(&key->use->committed), 0);
	setup_done(&s);
}

static void no_money_and_money_held_by_own_calls_are_told_apart(void)
{
	struct setup s;
	struct store_hold hold;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000000))
		return;
	const struct store_key *key = setup_live_key(&s, &s.buyer.router);
	CHECK(!reserve(&s, key, 1000001, &hold, &err));
	CHECK_I64(err.code, ERR_INSUFFICIENT_FUNDS);
	CHECK_STR(err.text, "the call may cost 1.000001 USD and 1.00 USD is available; buy credit");
	CHECK_I64(err.funds.required, 1000001);
	CHECK_I64(err.funds.available, 1000000);
	CHECK_I64(err.funds.held, 0);
	CHECK(reserve(&s, key, 600000, &hold, &err));
	CHECK(!reserve(&s, key, 500000, &hold, &err));
	CHECK_STR(err.text,
	          "the call may cost 0.50 USD and 0.40 USD is available; 0.60 USD is held "
	          "by your own running calls until they end");
	CHECK_I64(err.funds.available, 400000);
	CHECK_I64(err.funds.held, 600000);
	setup_done(&s);
}

static void a_route_key_spends_the_accounts_first_service(void)
{
	struct setup s;
	struct store_hold hold;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	const struct store_key *key = setup_live_key(&s, &s.buyer.route);
	CHECK(reserve(&s, key, 400, &hold, &err));
	CHECK_I64(money_micros(setup_live_balance(&s, &s.buyer).available), 600);
	setup_done(&s);
}

static void a_route_key_without_a_service_has_no_money(void)
{
	struct setup s;
	struct store_hold hold;
	OWN_SECRET struct secret text;
	struct buyer nobody = { .account = 99 };
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	nobody.account_id = id_make(&s.env, ID_ACCOUNT);
	struct store_key_row row = { .key = 50,
		                     .account = nobody.account,
		                     .account_id = nobody.account_id,
		                     .kind = KEY_ROUTE,
		                     .limits = { .spend_limit = money_of_micros(-1) } };
	enum key_kind kind = KEY_ROUTE;
	key_make(&s.env, KEY_ROUTE, &text);
	CHECK(key_parse(secret_str(&text), &kind, &row.lookup));
	row.hash = secret_hash(&s.st->pepper, secret_str(&text));
	CHECK(store__live_key_new(s.st, &row, &err));
	store__effects_apply(s.st);
	const struct store_key *key = setup_live_key(&s, &text);
	CHECK(key != NULL && !reserve(&s, key, 1, &hold, &err));
	CHECK_I64(err.code, ERR_INSUFFICIENT_FUNDS);

	struct store_pool_row pool = { .service = 98,
		                       .account = 99,
		                       .available = money_of_micros(5) };
	CHECK(store__live_pool_new(s.st, &pool, &err));
	store__effects_apply(s.st);
	CHECK(key != NULL && reserve(&s, key, 5, &hold, &err));
	setup_done(&s);
}

/* ---- Limits ---- */

static void a_spend_limit_counts_spent_and_running(void)
{
	struct setup s;
	struct store_hold a;
	struct store_hold b;
	struct store_call call = setup_call();
	struct store_outcome outcome = setup_settled(100, 0);
	struct store_key_limits limits = { .spend_limit = money_of_micros(1000) };
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	if (!setup_memory(&s, 100000))
		return;
	const struct store_key *key = limited_key(&s, &limits);
	if (!CHECK(key != NULL) || !CHECK(reserve(&s, key, 900, &a, &err)))
		return;
	CHECK(!reserve(&s, key, 101, &b, &err));
	CHECK_I64(err.code, ERR_INSUFFICIENT_FUNDS);
	CHECK_STR(err.text,
	          "the spend limit of this key is 0.001 USD; 0.0001 USD of it is left, and "
	          "the call may cost 0.000101 USD");
	CHECK_I64(err.funds.required, 101);
	CHECK_I64(err.funds.available, 100);
	CHECK_I64(err.funds.held, 900);
	CHECK_I64(money_micros(setup_live_balance(&s, &s.buyer).available), 99100);
	CHECK(store_hold_write(s.st, &a, &call, &err));
	CHECK(store_hold_end(s.st, &a, &outcome, &charged, &err));
	CHECK(!reserve(&s, key, 901, &b, &err));
	CHECK_I64(err.funds.available, 900);
	CHECK_I64(err.funds.held, 0);
	CHECK(reserve(&s, key, 900, &b, &err));
	setup_done(&s);
}

static void what_a_key_has_spent_is_known_after_a_restart(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_call call = setup_call();
	struct store_outcome outcome = setup_settled(600, 0);
	struct store_key_limits limits = { .spend_limit = money_of_micros(1000) };
	OWN_SECRET struct secret text;
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	if (!setup_file(&s, 100000) || !setup_key(&s, &s.buyer, KEY_ROUTER, &limits, &text))
		return;
	CHECK(reserve(&s, setup_live_key(&s, &text), 700, &hold, &err));
	CHECK(store_hold_write(s.st, &hold, &call, &err));
	CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err));
	store_close(s.st);
	if (!setup_open(&s))
		return;
	CHECK(!reserve(&s, setup_live_key(&s, &text), 401, &hold, &err));
	CHECK_I64(err.funds.available, 400);
	CHECK(reserve(&s, setup_live_key(&s, &text), 400, &hold, &err));
	setup_done(&s);
}

static void requests_per_minute_refill_evenly(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_key_limits limits = { .spend_limit = money_of_micros(-1),
		                           .requests_per_minute = 3 };
	struct err err = { 0 };

	if (!setup_memory(&s, 100000))
		return;
	const struct store_key *key = limited_key(&s, &limits);
	if (!CHECK(key != NULL))
		return;
	for (int i = 0; i < 3; i++)
		CHECK(reserve(&s, key, 1, &hold, &err));
	CHECK(!reserve(&s, key, 1, &hold, &err));
	CHECK_I64(err.code, ERR_RATE_LIMITED);
	CHECK_STR(err.text, "this key may make 3 requests per minute; try again in 21 s");
	s.clock.now_ms += 19999;
	CHECK(!reserve(&s, key, 1, &hold, &err));
	s.clock.now_ms += 1;
	CHECK(reserve(&s, key, 1, &hold, &err));
	CHECK(!reserve(&s, key, 1, &hold, &err));
	s.clock.now_ms += 600000;
	for (int i = 0; i < 3; i++)
		CHECK(reserve(&s, key, 1, &hold, &err));
	CHECK(!reserve(&s, key, 1, &hold, &err));
	setup_done(&s);
}

static void a_refused_request_does_not_count(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_key_limits limits = { .spend_limit = money_of_micros(50),
		                           .requests_per_minute = 1,
		                           .max_concurrent = 1 };
	struct err err = { 0 };

	if (!setup_memory(&s, 10))
		return;
	const struct store_key *key = limited_key(&s, &limits);
	if (!CHECK(key != NULL))
		return;
	for (int i = 0; i < 3; i++) {
		CHECK(!reserve(&s, key, 60, &hold, &err)); /* above the limit */
		CHECK(!reserve(&s, key, 11, &hold, &err)); /* above the balance */
	}
	CHECK(reserve(&s, key, 10, &hold, &err));
	CHECK_I64(atomic_load(&key->use->committed), 10);
	setup_done(&s);
}

static void concurrency_is_bounded(void)
{
	struct setup s;
	struct store_hold a;
	struct store_hold b;
	struct store_hold c;
	struct store_key_limits limits = { .spend_limit = money_of_micros(-1),
		                           .max_concurrent = 2 };
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	const struct store_key *key = limited_key(&s, &limits);
	CHECK(reserve(&s, key, 1, &a, &err));
	CHECK(reserve(&s, key, 1, &b, &err));
	CHECK(!reserve(&s, key, 1, &c, &err));
	CHECK_I64(err.code, ERR_RATE_LIMITED);
	CHECK_STR(err.text, "this key may run 2 calls at once, and that many are running");
	store_live_unreserve(store_live(s.st), &a);
	CHECK(reserve(&s, key, 1, &c, &err));
	setup_done(&s);
}

/* ---- Threads ---- */

#define SPENDERS 8
#define ROUNDS 300
#define GOOD_FOR 10

struct spender {
	struct setup *s;
	const struct store_key *key;
	pthread_barrier_t *start;
	struct store_hold got[GOOD_FOR + 1];
	size_t count;
};

static void *spend(void *data)
{
	struct spender *me = data;
	struct err err;

	(void)pthread_barrier_wait(me->start);
	me->count = 0;
	while (me->count <= GOOD_FOR &&
	       store_live_reserve(store_live(me->s->st), me->key, money_of_micros(100),
	                          SETUP_NOW_MS, &me->got[me->count], &err))
		me->count++;
	return NULL;
}

static size_t spend_together(struct spender *spenders, pthread_t *threads)
{
	size_t admitted = 0;

	for (size_t i = 0; i < SPENDERS; i++)
		CHECK_I64(pthread_create(&threads[i], NULL, spend, &spenders[i]), 0);
	for (size_t i = 0; i < SPENDERS; i++) {
		CHECK_I64(pthread_join(threads[i], NULL), 0);
		admitted += spenders[i].count;
	}
	return admitted;
}

static void many_threads_admit_exactly_what_there_is(void)
{
	struct setup s;
	struct spender spenders[SPENDERS];
	pthread_t threads[SPENDERS];
	pthread_barrier_t start;

	if (!setup_memory(&s, GOOD_FOR * 100 + 99))
		return;
	CHECK_I64(pthread_barrier_init(&start, NULL, SPENDERS), 0);
	const struct store_key *key = setup_live_key(&s, &s.buyer.router);
	for (size_t i = 0; i < SPENDERS; i++)
		spenders[i] = (struct spender){ .s = &s, .key = key, .start = &start };
	for (int round = 0; round < ROUNDS; round++) {
		if (!CHECK_I64(spend_together(spenders, threads), GOOD_FOR))
			break;
		CHECK_I64(money_micros(setup_live_balance(&s, &s.buyer).available), 99);
		for (size_t i = 0; i < SPENDERS; i++) {
			for (size_t j = 0; j < spenders[i].count; j++)
				store_live_unreserve(store_live(s.st), &spenders[i].got[j]);
		}
	}
	CHECK_I64(atomic_load(&key->use->running), 0);
	CHECK_I64(pthread_barrier_destroy(&start), 0);
	setup_done(&s);
}

static void thousands_of_keys_are_all_found(void)
{
	enum {
		KEYS = 3000
	};
	static struct secret texts[KEYS];
	struct setup s;

	if (!setup_memory(&s, 0))
		return;
	for (size_t i = 0; i < KEYS; i++) {
		if (!setup_key(&s, &s.buyer, KEY_ROUTER, NULL, &texts[i]))
			return;
	}
	for (size_t i = 0; i < KEYS; i++) {
		if (!CHECK(setup_live_key(&s, &texts[i]) != NULL))
			break;
		secret_wipe(&texts[i]);
	}
	setup_done(&s);
}

static void last_use_is_written_to_the_minute(void)
{
	struct setup s;
	struct store_hold hold;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	const struct store_key *key = setup_live_key(&s, &s.buyer.router);
	CHECK(reserve(&s, key, 1, &hold, &err));
	store__live_save_uses(s.st);
	s.clock.now_ms += 59999;
	CHECK(reserve(&s, key, 1, &hold, &err));
	store__live_save_uses(s.st);
	OWN_QUERY struct store_query q =
		store__query(s.st, "SELECT last_used_ms FROM api_key WHERE id = ?1");
	bool row = false;
	store__bind_i64(&q, 1, key->row);
	CHECK(store__step(&q, &row, &err) && row);
	CHECK_I64(store__col_i64(&q, 0), SETUP_NOW_MS);
	CHECK(store__step(&q, &row, &err) && !row);
	s.clock.now_ms += 1;
	CHECK(reserve(&s, key, 1, &hold, &err));
	store__live_save_uses(s.st);
	CHECK(store__step(&q, &row, &err) && row);
	CHECK_I64(store__col_i64(&q, 0), SETUP_NOW_MS + 60000);
	store__query_done(&q);
	setup_done(&s);
}

static const struct check_case CASES[] = {
	CASE(a_key_is_found_by_its_text),
	CASE(keys_are_found_again_after_a_restart),
	CASE(unknown_malformed_and_mistyped_keys_get_one_answer),
	CASE(the_look_up_part_alone_opens_nothing),
	CASE(a_purchase_key_is_told_which_kind_is_wanted),
	CASE(a_dead_key_is_refused_at_once_wherever_it_is_held),
	CASE(a_key_ends_when_it_expires),
	CASE(an_allow_list_names_the_only_models),
	CASE(a_reserve_takes_and_gives_back),
	CASE(no_money_and_money_held_by_own_calls_are_told_apart),
	CASE(a_route_key_spends_the_accounts_first_service),
	CASE(a_route_key_without_a_service_has_no_money),
	CASE(a_spend_limit_counts_spent_and_running),
	CASE(what_a_key_has_spent_is_known_after_a_restart),
	CASE(requests_per_minute_refill_evenly),
	CASE(a_refused_request_does_not_count),
	CASE(concurrency_is_bounded),
	CASE(many_threads_admit_exactly_what_there_is),
	CASE(thousands_of_keys_are_all_found),
	CASE(last_use_is_written_to_the_minute),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
