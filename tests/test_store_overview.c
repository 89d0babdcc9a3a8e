/* SPDX-License-Identifier: Apache-2.0 */
/* The books at a glance. A token costs 1 micro as input and 2 as output. */
#include "tests/check.h"
#include "tests/store_world.h"

struct shop {
	struct store_world w;
	struct id account;
	struct secret key;
	struct buf text;
};

/* acme: wallet 75, credit 25; idle: wallet 10. */
static bool open_shop(struct shop *s)
{
	struct store_purchase purchase = { 0 };

	*s = (struct shop){ .text = buf_make(4000) };
	if (!world_open(&s->w))
		return false;
	(void)world_account(&s->w, "idle", 1000, NULL);
	s->account = world_account(&s->w, "acme", 10000, NULL);
	CHECK(world_buy(&s->w, &s->account, 2500, "k", &purchase));
	(void)world_router_key(&s->w, &s->account, &purchase.service, &s->key);
	return true;
}

static void close_shop(struct shop *s)
{
	secret_wipe(&s->key);
	buf_done(&s->text);
	world_close(&s->w);
}

static void call(struct shop *s, const char *model, int64_t input, int64_t output)
{
	struct token_counts counts = {
		.n = { [TOKEN_UNCACHED_INPUT] = input, [TOKEN_OUTPUT] = output }
	};

	world_call(&s->w, &s->key, model, &counts);
}

static struct store_overview overview(struct shop *s)
{
	struct store_overview o = { .accounts = -1 };

	CHECK(store_overview(s->w.st, &o, &s->w.err));
	return o;
}

static void an_empty_store_has_nothing(void)
{
	struct store_world w;
	struct store_overview o = { .accounts = -1 };

	if (!world_open(&w))
		return;
	CHECK(store_overview(w.st, &o, &w.err));
	CHECK_I64(o.accounts, 0);
	CHECK_I64(o.receipts, 0);
	CHECK_I64(o.open_holds, 0);
	CHECK_I64(money_micros(o.wallets), 0);
	CHECK_I64(money_micros(o.credit), 0);
	CHECK_I64(money_micros(o.charged), 0);
	world_close(&w);
}

static void totals_are_those_of_all_accounts(void)
{
	struct shop s;

	if (!open_shop(&s))
		return;
	call(&s, "gpt-5.4", 100, 10);
	call(&s, "gpt-5.4", 1, 0);
	struct store_overview o = overview(&s);
	CHECK_I64(o.accounts, 2);
	CHECK_I64(o.receipts, 2);
	CHECK_I64(money_micros(o.wallets), 85000000);
	CHECK_I64(money_micros(o.credit), 25000000 - 121);
	CHECK_I64(money_micros(o.charged), 121);
	close_shop(&s);
}

/* The hold is 1 USD, and what is held is not credit. */
static void a_running_call_shows_as_held(void)
{
	struct shop s;
	struct store_hold hold;

	if (!open_shop(&s))
		return;
	const struct store_key *key =
		store_live_key(store_live(s.w.st), secret_str(&s.key), WORLD_START_MS, &s.w.err);
	const struct store_call what = { .model = STR("gpt-5.4"),
		                         .upstream_model = STR("gpt-5.4"),
		                         .provider = PROVIDER_OPENAI,
		                         .route = STR("openai"),
		                         .price_version = STR("1"),
		                         .created_ms = WORLD_START_MS };
	CHECK(store_live_reserve(store_live(s.w.st), key, world_cents(100), WORLD_START_MS, &hold,
	                         &s.w.err));
	hold.request_id = id_make(&s.w.env, ID_REQUEST);
	CHECK(store_hold_write(s.w.st, &hold, &what, &s.w.err));
	struct store_overview o = overview(&s);
	CHECK_I64(o.open_holds, 1);
	CHECK_I64(money_micros(o.held), 1000000);
	CHECK_I64(money_micros(o.credit), 24000000);

	const struct store_outcome outcome = { .state = HOLD_RELEASED,
		                               .evidence = EVIDENCE_NONE,
		                               .attempts = STR("[]") };
	struct money charged;
	CHECK(store_hold_end(s.w.st, &hold, &outcome, &charged, &s.w.err));
	o = overview(&s);
	CHECK_I64(o.open_holds, 0);
	CHECK_I64(money_micros(o.held), 0);
	close_shop(&s);
}

static void write_account(void *data, const struct store_balances_row *row)
{
	buf_addf(data, "%.*s %lld %lld %lld\n", STR_ARG(row->name),
	         (long long)money_micros(row->wallet), (long long)money_micros(row->credit),
	         (long long)money_micros(row->held));
}

static void the_accounts_with_the_most_credit_come_first(void)
{
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK(store_overview_accounts(s.w.st, 10, write_account, &s.text, &s.w.err));
	CHECK_STR(s.text.p, "acme 75000000 25000000 0\nidle 10000000 0 0\n");
	buf_reset(&s.text);
	CHECK(store_overview_accounts(s.w.st, 1, write_account, &s.text, &s.w.err));
	CHECK_STR(s.text.p, "acme 75000000 25000000 0\n");
	close_shop(&s);
}

static void write_activity(void *data, const struct store_activity *a)
{
	buf_addf(data, "%.*s/%.*s %.*s by %.*s %.*s %lld: %lld + %lld = %lld\n",
	         STR_ARG(a->account), STR_ARG(a->key), STR_ARG(a->model), STR_ARG(a->upstream),
	         STR_ARG(a->status), (long long)a->http_status, (long long)a->input_tokens,
	         (long long)a->output_tokens, (long long)money_micros(a->charge));
}

static void the_newest_receipts_come_first(void)
{
	struct shop s;

	if (!open_shop(&s))
		return;
	call(&s, "gpt-5.4", 100, 10);
	call(&s, "gpt-5.4-mini", 7, 0);
	CHECK(store_overview_receipts(s.w.st, 10, write_activity, &s.text, &s.w.err));
	CHECK_STR(s.text.p, "acme/prod-router gpt-5.4-mini by openai settled 200: 7 + 0 = 7\n"
	                    "acme/prod-router gpt-5.4 by openai settled 200: 100 + 10 = 120\n");
	buf_reset(&s.text);
	CHECK(store_overview_receipts(s.w.st, 1, write_activity, &s.text, &s.w.err));
	CHECK_STR(s.text.p, "acme/prod-router gpt-5.4-mini by openai settled 200: 7 + 0 = 7\n");
	close_shop(&s);
}

int main(void)
{
	static const struct check_case CASES[] = {
		CASE(an_empty_store_has_nothing),
		CASE(totals_are_those_of_all_accounts),
		CASE(a_running_call_shows_as_held),
		CASE(the_accounts_with_the_most_credit_come_first),
		CASE(the_newest_receipts_come_first),
	};

	return check_main(CASES, ARRAY_LEN(CASES));
}
