/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts, their wallets and their policies. */
#include "tests/check.h"
#include "tests/store_world.h"

static void a_new_account_is_found_by_id_and_by_name(void)
{
	OWN_SECRET struct secret key = { 0 };
	struct store_account made = { 0 }, found = { 0 };
	struct store_world w;

	if (!world_open(&w))
		return;
	CHECK(store_account_create(w.st, STR("acme"), &made, &key, &w.err));
	CHECK(id_is(id_str(&made.id), ID_ACCOUNT));
	CHECK_STR(made.name, "acme");
	CHECK_I64(money_micros(made.wallet), 0);
	CHECK(money_is_negative(made.policy.max_purchase));
	CHECK(money_is_negative(made.policy.daily));
	CHECK(money_is_negative(made.policy.approval_above));
	CHECK_I64(made.created_ms, WORLD_START_MS);
	CHECK(store_account_find(w.st, STR("acme"), &found, &w.err));
	CHECK(id_eq(&found.id, &made.id));
	CHECK(store_account_find(w.st, id_str(&made.id), &found, &w.err));
	CHECK_STR(found.name, "acme");
	CHECK(store_account_by_key(w.st, secret_str(&key), &found, &w.err));
	CHECK(id_eq(&found.id, &made.id));
	world_close(&w);
}

static void a_faulty_name_is_refused(void)
{
	static const struct {
		const char *name;
		enum err_code code;
	} ROWS[] = {
		{ "", ERR_INVALID_ARGUMENT },
		{ "two\nlines", ERR_INVALID_ARGUMENT },
		{ "\xff", ERR_INVALID_ARGUMENT },
		{ "acct_mine", ERR_INVALID_ARGUMENT },
		{ "12345678901234567890123456789012345678901234567890123456789012345",
		  ERR_INVALID_ARGUMENT },
		{ "taken", ERR_CONFLICT },
		{ "1234567890123456789012345678901234567890123456789012345678901234", ERR_NONE },
		{ "Jos\xc3\xa9 & Co", ERR_NONE },
	};
	struct store_world w;

	if (!world_open(&w))
		return;
	(void)world_account(&w, "taken", 0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		OWN_SECRET struct secret key = { 0 };
		struct store_account made = { 0 };
		struct err err = { 0 };
		bool ok = store_account_create(w.st, str_of(ROWS[i].name), &made, &key, &err);

		if (!CHECK(ok == (ROWS[i].code == ERR_NONE)) || !CHECK_I64(err.code, ROWS[i].code))
			check_note("row %zu: %s", i, err.text);
		CHECK(ok || key.text[0] == '\0');
	}
	world_close(&w);
}

static void an_unknown_account_is_not_found(void)
{
	struct id nobody = id_of(STR("acct_0000000000000000000000"));
	struct store_policy policy = { 0 };
	struct store_funding funding;
	struct store_account found;
	struct store_world w;

	if (!world_open(&w))
		return;
	CHECK(!store_account_find(w.st, STR("nobody"), &found, &w.err));
	CHECK_I64(w.err.code, ERR_NOT_FOUND);
	CHECK(!store_account_find(w.st, STR(""), &found, &w.err));
	CHECK_I64(w.err.code, ERR_NOT_FOUND);
	CHECK(!store_account_set_policy(w.st, &nobody, &policy, &w.err));
	CHECK_I64(w.err.code, ERR_NOT_FOUND);
	CHECK(!store_wallet_fund(w.st, &nobody, world_cents(100), STR("r"), &funding, &w.err));
	CHECK_I64(w.err.code, ERR_NOT_FOUND);
	world_close(&w);
}

static void collect_names(void *data, const struct store_account *account)
{
	buf_addf(data, "%s;", account->name);
}

static void accounts_are_listed_in_order_of_creation(void)
{
	OWN_BUF struct buf names = buf_make(200);
	struct store_world w;

	if (!world_open(&w))
		return;
	CHECK(store_account_each(w.st, collect_names, &names, &w.err));
	CHECK_TEXT(buf_str(&names), "");
	(void)world_account(&w, "zoe", 0, NULL);
	(void)world_account(&w, "adam", 0, NULL);
	CHECK(store_account_each(w.st, collect_names, &names, &w.err));
	CHECK_TEXT(buf_str(&names), "zoe;adam;");
	world_close(&w);
}

static void only_a_live_purchase_key_says_who_buys(void)
{
	OWN_SECRET struct secret mine = { 0 }, router = { 0 }, other = { 0 };
	struct store_purchase purchase = { 0 };
	struct store_account found;
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "acme", 10000, &mine);
	CHECK(world_buy(&w, &account, 2500, "k", &purchase));
	(void)world_router_key(&w, &account, &purchase.service, &router);
	CHECK(!store_account_by_key(w.st, secret_str(&router), &found, &w.err));
	CHECK_I64(w.err.code, ERR_UNAUTHORIZED);
	CHECK(strstr(w.err.text, "ask_live_") != NULL);
	key_make(&w.env, KEY_PURCHASE, &other);
	CHECK(!store_account_by_key(w.st, secret_str(&other), &found, &w.err));
	CHECK_I64(w.err.code, ERR_UNAUTHORIZED);
	CHECK(!store_account_by_key(w.st, STR("ask_live_nonsense"), &found, &w.err));
	CHECK_I64(w.err.code, ERR_UNAUTHORIZED);
	CHECK(!store_account_by_key(w.st, (struct str){ 0 }, &found, &w.err));
	CHECK_I64(w.err.code, ERR_UNAUTHORIZED);
	CHECK(store_account_by_key(w.st, secret_str(&mine), &found, &w.err));
	world_close(&w);
}

static void a_policy_is_kept(void)
{
	struct store_policy policy = { money_of_micros(1), money_of_micros(-1),
		                       money_of_micros(0) };
	struct store_account found = { 0 };
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "acme", 0, NULL);
	CHECK(store_account_set_policy(w.st, &account, &policy, &w.err));
	CHECK(store_account_find(w.st, STR("acme"), &found, &w.err));
	CHECK_I64(money_micros(found.policy.max_purchase), 1);
	CHECK_I64(money_micros(found.policy.daily), -1);
	CHECK_I64(money_micros(found.policy.approval_above), 0);
	world_close(&w);
}

static void a_funding_reference_counts_once(void)
{
	struct store_funding first = { 0 }, again = { 0 }, other = { 0 };
	struct store_world w;
	struct id a, b;

	if (!world_open(&w))
		return;
	a = world_account(&w, "a", 0, NULL);
	b = world_account(&w, "b", 0, NULL);
	CHECK(store_wallet_fund(w.st, &a, world_cents(2500), STR("wire 7"), &first, &w.err));
	CHECK(!first.repeated);
	CHECK_I64(money_micros(first.wallet), 25000000);
	CHECK(store_wallet_fund(w.st, &a, world_cents(2500), STR("wire 7"), &again, &w.err));
	CHECK(again.repeated);
	CHECK_I64(again.txn, first.txn);
	CHECK_I64(money_micros(again.amount), 25000000);
	CHECK_I64(money_micros(again.wallet), 25000000);
	CHECK(!store_wallet_fund(w.st, &a, world_cents(2501), STR("wire 7"), &again, &w.err));
	CHECK_I64(w.err.code, ERR_IDEMPOTENCY_CONFLICT);
	CHECK(strstr(w.err.text, "25.00") != NULL);
	CHECK(store_wallet_fund(w.st, &b, world_cents(100), STR("wire 7"), &other, &w.err));
	CHECK(!other.repeated && other.txn != first.txn);
	CHECK_I64(money_micros(world_wallet(&w, &a)), 25000000);
	CHECK_I64(money_micros(world_wallet(&w, &b)), 1000000);
	world_close(&w);
}

static void a_funding_has_bounds(void)
{
	static const struct {
		int64_t micros;
		const char *reference;
		bool ok;
	} ROWS[] = {
		{ 0, "r0", false },
		{ -1, "r1", false },
		{ INT64_C(1000000000001), "r2", false },
		{ INT64_C(1000000000000), "r3", true },
		{ 1, "r4", true },
		{ 5, "", false },
		{ 5, NULL, false },
		{ 5, "a\tb", false },
	};
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct store_funding funding;
		struct err err = { 0 };
		bool ok = store_wallet_fund(w.st, &account, money_of_micros(ROWS[i].micros),
		                            str_of(ROWS[i].reference), &funding, &err);

		if (!CHECK(ok == ROWS[i].ok))
			check_note("row %zu: %s", i, err.text);
		CHECK_I64(err.code, ROWS[i].ok ? ERR_NONE : ERR_INVALID_ARGUMENT);
	}
	CHECK_I64(money_micros(world_wallet(&w, &account)), INT64_C(1000000000001));
	world_close(&w);
}

static const struct check_case CASES[] = {
	CASE(a_new_account_is_found_by_id_and_by_name),
	CASE(a_faulty_name_is_refused),
	CASE(an_unknown_account_is_not_found),
	CASE(accounts_are_listed_in_order_of_creation),
	CASE(only_a_live_purchase_key_says_who_buys),
	CASE(a_policy_is_kept),
	CASE(a_funding_reference_counts_once),
	CASE(a_funding_has_bounds),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
