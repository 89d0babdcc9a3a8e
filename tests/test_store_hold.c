/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a hold: each end, the second end, the prices that count, who pays an overrun, and
 * what a crash makes of open ones. Tokens cost 1 micro in and 2 out (setup_call). */
#include "store/live.h"
#include "tests/check.h"
#include "tests/store_setup.h"

/* Balances of the buyer and the books, in micros. */
struct stand {
	int64_t credit, hold, usage, overrun;
};

static void check_stand(struct setup *s, const struct stand *want)
{
	struct store_balance live = setup_live_balance(s, &s->buyer);

	CHECK_I64(setup_balance(s, s->buyer.credit), want->credit);
	CHECK_I64(setup_balance(s, s->buyer.hold), want->hold);
	CHECK_I64(setup_balance(s, LEDGER_USAGE), want->usage);
	CHECK_I64(setup_balance(s, LEDGER_OVERRUN), want->overrun);
	CHECK_I64(money_micros(live.available), want->credit);
	CHECK_I64(money_micros(live.held), want->hold);
	setup_check_books(s);
}

static bool reserve(struct setup *s, int64_t amount, struct store_hold *hold, struct err *err)
{
	const struct store_key *key = setup_live_key(s, &s->buyer.router);

	*hold = (struct store_hold){ .request_id = id_make(&s->env, ID_REQUEST) };
	return key != NULL && store_live_reserve(store_live(s->st), key, money_of_micros(amount),
	                                         s->clock.now_ms, hold, err);
}

static void a_written_hold_moves_credit_aside(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_open_holds open = { 0 };
	struct err err = { 0 };

	if (!setup_memory(&s, 1000) || !setup_hold(&s, 300, &hold))
		return;
	check_stand(&s, &(struct stand){ .credit = 700, .hold = 300 });
	CHECK(store_holds_open(s.st, &open, &err));
	CHECK_I64(open.count, 1);
	CHECK_I64(money_micros(open.amount), 300);
	setup_done(&s);
}

struct end_row {
	const char *what;
	enum hold_state state;
	int64_t input, output;
	int64_t charged;
	struct stand after;
};

/* 1000 of credit, 300 of it held. */
static const struct end_row ENDS[] = {
	{ "settled below the hold", HOLD_SETTLED, 100, 50, 200, { 800, 0, 200, 0 } },
	{ "settled to the micro", HOLD_SETTLED, 100, 100, 300, { 700, 0, 300, 0 } },
	{ "settled at nothing", HOLD_SETTLED, 0, 0, 0, { 1000, 0, 0, 0 } },
	{ "more than held, credit covers it", HOLD_SETTLED, 500, 100, 700, { 300, 0, 700, 0 } },
	{ "more than there is", HOLD_SETTLED, 1000, 100, 1000, { 0, 0, 1200, -200 } },
	{ "released", HOLD_RELEASED, 0, 0, 0, { 1000, 0, 0, 0 } },
	{ "failed, tokens or not", HOLD_FAILED, 100, 50, 0, { 1000, 0, 0, 0 } },
};

static void check_end(const struct end_row *row)
{
	struct setup s;
	struct store_hold hold;
	struct store_outcome outcome = setup_settled(row->input, row->output);
	struct money charged = MONEY_ZERO;
	struct store_open_holds open = { 0 };
	struct err err = { 0 };

	check_note("%s", row->what);
	if (!setup_memory(&s, 1000) || !setup_hold(&s, 300, &hold))
		return;
	outcome.state = row->state;
	if (!store_hold_end(s.st, &hold, &outcome, &charged, &err))
		CHECK_FAIL("%s", err.text);
	CHECK_I64(money_micros(charged), row->charged);
	check_stand(&s, &row->after);
	CHECK(store_holds_open(s.st, &open, &err));
	CHECK_I64(open.count, 0);
	setup_done(&s);
}

static void each_end_moves_exactly_its_money(void)
{
	for (size_t i = 0; i < ARRAY_LEN(ENDS); i++)
		check_end(&ENDS[i]);
}

static void a_second_end_is_refused_and_moves_nothing(void)
{
	static const enum hold_state SECOND[] = { HOLD_SETTLED, HOLD_RELEASED, HOLD_FAILED };
	struct setup s;
	struct store_hold hold;
	struct store_outcome outcome = setup_settled(100, 50);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000) || !setup_hold(&s, 300, &hold))
		return;
	CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err));
	for (size_t i = 0; i < ARRAY_LEN(SECOND); i++) {
		charged = money_of_micros(7);
		outcome.state = SECOND[i];
		CHECK(!store_hold_end(s.st, &hold, &outcome, &charged, &err));
		CHECK_I64(err.code, ERR_CONFLICT);
		CHECK_I64(money_micros(charged), 7);
	}
	CHECK(!store_hold_mark(s.st, &hold, 5, &err));
	CHECK_I64(err.code, ERR_CONFLICT);
	check_stand(&s, &(struct stand){ .credit = 800, .usage = 200 });
	setup_done(&s);
}

static void an_end_needs_the_request_that_made_the_hold(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_outcome outcome = setup_settled(1, 1);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000) || !setup_hold(&s, 300, &hold))
		return;
	hold.request_id = id_make(&s.env, ID_REQUEST);
	CHECK(!store_hold_end(s.st, &hold, &outcome, &charged, &err));
	CHECK_I64(err.code, ERR_CONFLICT);
	setup_done(&s);
}

static void tokens_without_a_price_are_refused_and_the_hold_stays(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_call call = setup_call();
	struct store_outcome outcome = setup_settled(10, 10);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	call.prices.per_million[TOKEN_CACHE_READ] = -1;
	if (!setup_memory(&s, 1000) || !CHECK(reserve(&s, 300, &hold, &err)) ||
	    !CHECK(store_hold_write(s.st, &hold, &call, &err)))
		return;
	outcome.counts.n[TOKEN_CACHE_READ] = 1;
	CHECK(!store_hold_end(s.st, &hold, &outcome, &charged, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	outcome.counts.n[TOKEN_CACHE_READ] = -1;
	CHECK(!store_hold_end(s.st, &hold, &outcome, &charged, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	outcome.counts.n[TOKEN_CACHE_READ] = 0;
	CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err));
	check_stand(&s, &(struct stand){ .credit = 970, .usage = 30 });
	setup_done(&s);
}

static void a_call_without_prices_cannot_be_held(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_call call = setup_call();
	struct err err = { 0 };

	if (!setup_memory(&s, 1000) || !CHECK(reserve(&s, 300, &hold, &err)))
		return;
	call.prices.per_million[TOKEN_OUTPUT] = -1;
	CHECK(!store_hold_write(s.st, &hold, &call, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	call = setup_call();
	call.long_above = 1000;
	call.long_prices.per_million[TOKEN_UNCACHED_INPUT] = -1;
	CHECK(!store_hold_write(s.st, &hold, &call, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	store_live_unreserve(store_live(s.st), &hold);
	check_stand(&s, &(struct stand){ .credit = 1000 });
	setup_done(&s);
}

struct long_row {
	int64_t input, cache_read, output;
	int64_t charged;
};

/* Long above 1000 prompt tokens: then 2 in, 0.2 read, 3 out; else 1, 0.1, 2. */
static const struct long_row LONGS[] = {
	{ 1000, 0, 10, 1020 },    /* at the limit */
	{ 1001, 0, 10, 2032 },    /* 2002 + 30: all of it dearer, output too */
	{ 901, 100, 0, 1822 },    /* cached tokens count: 1802 + 20 */
	{ 900, 100, 2000, 4910 }, /* output does not: 900 + 10 + 4000 */
};

static void long_prompts_have_long_prices_for_every_token(void)
{
	for (size_t i = 0; i < ARRAY_LEN(LONGS); i++) {
		struct setup s;
		struct store_hold hold;
		struct store_call call = setup_call();
		struct store_outcome outcome = setup_settled(LONGS[i].input, LONGS[i].output);
		struct money charged = MONEY_ZERO;
		struct err err = { 0 };

		check_note("row %zu", i);
		call.long_above = 1000;
		outcome.counts.n[TOKEN_CACHE_READ] = LONGS[i].cache_read;
		if (!setup_memory(&s, 10000) || !CHECK(reserve(&s, 5000, &hold, &err)) ||
		    !CHECK(store_hold_write(s.st, &hold, &call, &err)))
			return;
		CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err));
		CHECK_I64(money_micros(charged), LONGS[i].charged);
		setup_check_books(&s);
		setup_done(&s);
	}
}

/* What others have reserved in memory is not there for an overrun, though the ledger still has it.
 */
/* What answered costs 3 in and 5 out, above 150 input tokens twice that. */
static struct store_call other_call(void)
{
	struct store_call call = setup_call();

	call.upstream = STR("relay");
	call.prices = (struct token_prices){ { 3000000, -1, -1, -1, 5000000 } };
	call.long_prices = (struct token_prices){ { 6000000, -1, -1, -1, 10000000 } };
	call.long_above = 150;
	return call;
}

static void what_answered_sets_the_prices(void)
{
	static const struct {
		int64_t input, output, charged;
	} ROWS[] = { { 150, 10, 500 }, { 151, 1, 916 } };

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct setup s;
		struct store_hold hold;
		struct store_call used = other_call();
		struct store_outcome outcome = setup_settled(ROWS[i].input, ROWS[i].output);
		struct money charged = MONEY_ZERO;
		struct err err = { 0 };

		if (!setup_memory(&s, 1000) || !setup_hold(&s, 950, &hold))
			return;
		outcome.used = &used;
		CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err));
		CHECK_I64(money_micros(charged), ROWS[i].charged);
		check_stand(&s, &(struct stand){ .credit = 1000 - ROWS[i].charged,
		                                 .usage = ROWS[i].charged });
		setup_done(&s);
	}
}

static void what_answered_must_have_prices(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_call used = other_call();
	struct store_outcome outcome = setup_settled(1, 1);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000) || !setup_hold(&s, 300, &hold))
		return;
	used.prices.per_million[TOKEN_OUTPUT] = -1;
	outcome.used = &used;
	CHECK(!store_hold_end(s.st, &hold, &outcome, &charged, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	check_stand(&s, &(struct stand){ .credit = 700, .hold = 300 });
	setup_done(&s);
}

static void an_overrun_does_not_take_what_others_reserved(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_hold other;
	struct store_call call = setup_call();
	struct store_outcome outcome = setup_settled(500, 0);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000) || !setup_hold(&s, 300, &hold) ||
	    !CHECK(reserve(&s, 650, &other, &err)))
		return;
	CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err));
	CHECK_I64(money_micros(charged), 350);
	CHECK(store_hold_write(s.st, &other, &call, &err));
	check_stand(&s, &(struct stand){ .credit = 0, .hold = 650, .usage = 500, .overrun = -150 });
	setup_done(&s);
}

static void an_undone_end_gives_the_overrun_back(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_outcome outcome = setup_settled(500, 0);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000) || !setup_hold(&s, 300, &hold))
		return;
	{
		OWN_TX struct store_tx tx = { 0 };
		CHECK(store__tx_begin(&tx, s.st, &err));
		CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err));
	}
	check_stand(&s, &(struct stand){ .credit = 700, .hold = 300 });
	CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err));
	check_stand(&s, &(struct stand){ .credit = 500, .usage = 500 });
	setup_done(&s);
}

static void a_hold_that_the_ledger_cannot_cover_is_refused(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_call call = setup_call();
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	/* Memory that believes in more than there is, as no code path should make it. */
	atomic_fetch_add(&store__live_pool(store_live(s.st), s.buyer.service)->available, 500);
	if (!CHECK(reserve(&s, 1200, &hold, &err)))
		return;
	CHECK(!store_hold_write(s.st, &hold, &call, &err));
	CHECK_I64(err.code, ERR_INSUFFICIENT_FUNDS);
	CHECK_I64(err.funds.required, 1200);
	CHECK_I64(setup_balance(&s, s.buyer.credit), 1000);
	setup_check_books(&s);
	setup_done(&s);
}

/* ---- Crash ---- */

static void a_crash_releases_what_was_only_held(void)
{
	struct setup s;
	struct store_hold hold;

	if (!setup_file(&s, 1000) || !setup_hold(&s, 300, &hold) || !setup_crash(&s) ||
	    !setup_open(&s))
		return;
	check_stand(&s, &(struct stand){ .credit = 1000 });
	setup_done(&s);
}

struct crash_row {
	const char *what;
	int64_t output_estimate;
	int64_t held;
	struct stand after;
};

/* The call's input estimate is 100 tokens. */
static const struct crash_row CRASHES[] = {
	{ "bills the estimate", 50, 300, { 800, 0, 200, 0 } },
	{ "never above the hold; the rest is our loss", 150, 300, { 700, 0, 400, -100 } },
	{ "bills the input when no output was counted", 0, 300, { 900, 0, 100, 0 } },
};

static void a_crash_settles_the_estimate_of_what_was_streaming(void)
{
	for (size_t i = 0; i < ARRAY_LEN(CRASHES); i++) {
		const struct crash_row *row = &CRASHES[i];
		struct setup s;
		struct store_hold hold;
		struct err err = { 0 };

		check_note("%s", row->what);
		if (!setup_file(&s, 1000) || !setup_hold(&s, row->held, &hold) ||
		    !CHECK(store_hold_mark(s.st, &hold, 1, &err)) ||
		    !CHECK(store_hold_mark(s.st, &hold, row->output_estimate, &err)) ||
		    !setup_crash(&s) || !setup_open(&s))
			return;
		check_stand(&s, &row->after);
		setup_done(&s);
	}
}

static void a_crash_writes_receipts_that_say_so(void)
{
	struct setup s;
	struct store_hold held;
	struct store_hold streaming;
	struct err err = { 0 };
	OWN_JSON_OUT struct json_out out = json_out_make(10000);

	if (!setup_file(&s, 1000) || !setup_hold(&s, 100, &held) ||
	    !setup_hold(&s, 300, &streaming) ||
	    !CHECK(store_hold_mark(s.st, &streaming, 50, &err)) || !setup_crash(&s) ||
	    !setup_open(&s))
		return;
	CHECK(store_receipt_put(s.st, &s.buyer.account_id, id_str(&streaming.request_id), &out,
	                        &err));
	CHECK(str_find(buf_str(&out.text), STR("\"recovered\":true")) >= 0);
	CHECK(str_find(buf_str(&out.text), STR("\"evidence\":\"estimated\"")) >= 0);
	CHECK(str_find(buf_str(&out.text), STR("\"status\":\"settled\"")) >= 0);
	CHECK(str_find(buf_str(&out.text), STR("\"buyerChargeUsdMicros\":200")) >= 0);
	json_out_done(&out);
	out = json_out_make(10000);
	CHECK(store_receipt_put(s.st, &s.buyer.account_id, id_str(&held.request_id), &out, &err));
	CHECK(str_find(buf_str(&out.text), STR("\"status\":\"released\"")) >= 0);
	CHECK(str_find(buf_str(&out.text), STR("\"evidence\":\"none\"")) >= 0);
	setup_done(&s);
}

static void what_was_settled_before_a_crash_stays_settled(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_outcome outcome = setup_settled(100, 50);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	if (!setup_file(&s, 1000) || !setup_hold(&s, 300, &hold) ||
	    !CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err)))
		return;
	for (int crash = 0; crash < 3; crash++) {
		if (!setup_crash(&s) || !setup_open(&s))
			return;
		check_stand(&s, &(struct stand){ .credit = 800, .usage = 200 });
	}
	setup_done(&s);
}

static void names_are_those_of_the_contract(void)
{
	CHECK_STR(hold_state_name(HOLD_HELD), "held");
	CHECK_STR(hold_state_name(HOLD_STREAMING), "streaming");
	CHECK_STR(hold_state_name(HOLD_SETTLED), "settled");
	CHECK_STR(hold_state_name(HOLD_RELEASED), "released");
	CHECK_STR(hold_state_name(HOLD_FAILED), "failed");
	CHECK_STR(evidence_name(EVIDENCE_PROVIDER), "provider");
	CHECK_STR(evidence_name(EVIDENCE_ESTIMATED), "estimated");
	CHECK_STR(evidence_name(EVIDENCE_NONE), "none");
}

static const struct check_case CASES[] = {
	CASE(a_written_hold_moves_credit_aside),
	CASE(each_end_moves_exactly_its_money),
	CASE(a_second_end_is_refused_and_moves_nothing),
	CASE(an_end_needs_the_request_that_made_the_hold),
	CASE(tokens_without_a_price_are_refused_and_the_hold_stays),
	CASE(a_call_without_prices_cannot_be_held),
	CASE(long_prompts_have_long_prices_for_every_token),
	CASE(what_answered_sets_the_prices),
	CASE(what_answered_must_have_prices),
	CASE(an_overrun_does_not_take_what_others_reserved),
	CASE(an_undone_end_gives_the_overrun_back),
	CASE(a_hold_that_the_ledger_cannot_cover_is_refused),
	CASE(a_crash_releases_what_was_only_held),
	CASE(a_crash_settles_the_estimate_of_what_was_streaming),
	CASE(a_crash_writes_receipts_that_say_so),
	CASE(what_was_settled_before_a_crash_stays_settled),
	CASE(names_are_those_of_the_contract),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
