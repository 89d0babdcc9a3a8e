/* SPDX-License-Identifier: Apache-2.0 */
/* What people at a console or a panel ask: pages of requests, lists, freezing, the operator's
 * sessions, the audit log. A token costs 1 micro as input and 2 as output. */
#include <stdio.h>
#include <stdlib.h>

#include "store/office.h"
#include "tests/check.h"
#include "tests/store_world.h"

#define HOUR_MS INT64_C(3600000)

struct shop {
	struct store_world w;
	struct id account, stranger, service, key_id;
	struct secret purchase, key;
	struct buf text;
};

static void call(struct shop *s, const char *model, int64_t input, int64_t output)
{
	struct token_counts counts = {
		.n = { [TOKEN_UNCACHED_INPUT] = input, [TOKEN_OUTPUT] = output }
	};

	s->w.time.now_ms += 1000;
	world_call(&s->w, &s->key, model, &counts);
}

static bool open_shop(struct shop *s)
{
	struct store_purchase purchase = { 0 };

	*s = (struct shop){ .text = buf_make(20000) };
	if (!world_open(&s->w))
		return false;
	s->account = world_account(&s->w, "acme", 10000, &s->purchase);
	s->stranger = world_account(&s->w, "stranger", 10000, NULL);
	CHECK(world_buy(&s->w, &s->account, 2500, "k", &purchase));
	s->service = purchase.service;
	s->key_id = world_router_key(&s->w, &s->account, &s->service, &s->key).id;
	return true;
}

static void close_shop(struct shop *s)
{
	secret_wipe(&s->purchase);
	secret_wipe(&s->key);
	buf_done(&s->text);
	world_close(&s->w);
}

/* ---- Requests ---- */

static void write_line(void *data, const struct store_request_line *line)
{
	struct buf *text = data;

	buf_addf(text, "%.*s %lld;", STR_ARG(line->model), (long long)money_micros(line->charge));
}

/* The page as text; the next one's beginning goes to `next`. */
static const char *page(struct shop *s, const struct id *account,
                        const struct store_request_query *query, struct id *next)
{
	buf_reset(&s->text);
	CHECK(store_request_each(s->w.st, account, query, write_line, &s->text, next, &s->w.err));
	return buf_str(&s->text).p;
}

static void requests_come_newest_first_and_page_by_page(void)
{
	struct shop s;
	struct id next, after;

	if (!open_shop(&s))
		return;
	call(&s, "first", 1, 0);
	call(&s, "second", 2, 0);
	call(&s, "third", 3, 2);
	struct store_request_query query = { .limit = 2 };
	CHECK_STR(page(&s, &s.account, &query, &next), "third 7;second 2;");
	CHECK(id_is(id_str(&next), ID_REQUEST));
	query.before = id_str(&next);
	CHECK_STR(page(&s, &s.account, &query, &after), "first 1;");
	CHECK(id_is_empty(&after));
	query = (struct store_request_query){ .limit = 3 };
	CHECK_STR(page(&s, &s.account, &query, &next), "third 7;second 2;first 1;");
	CHECK(id_is_empty(&next)); /* exactly full, and nothing follows */
	CHECK_STR(page(&s, &s.stranger, &query, &next), "");
	close_shop(&s);
}

static void pages_have_the_accounts_own_requests_only(void)
{
	struct shop s;
	struct id next;
	struct store_purchase other = { 0 };

	if (!open_shop(&s))
		return;
	CHECK(world_buy(&s.w, &s.stranger, 2500, "k", &other));
	OWN_SECRET struct secret theirs = { 0 };
	(void)world_router_key(&s.w, &s.stranger, &other.service, &theirs);
	call(&s, "mine", 1, 0);
	struct token_counts counts = { .n = { [TOKEN_UNCACHED_INPUT] = 9 } };
	world_call(&s.w, &theirs, "theirs", &counts);
	struct store_request_query query = { .limit = 10 };
	CHECK_STR(page(&s, &s.account, &query, &next), "mine 1;");
	CHECK_STR(page(&s, &s.stranger, &query, &next), "theirs 9;");
	close_shop(&s);
}

static void requests_are_searched(void)
{
	struct shop s;
	struct id next;

	if (!open_shop(&s))
		return;
	call(&s, "gpt-5.4", 1, 0);
	call(&s, "claude-haiku-4-5", 2, 0);
	const struct {
		struct store_request_query query;
		const char *want;
	} ROWS[] = {
		{ { .q = STR("HAIKU") }, "claude-haiku-4-5 2;" },
		{ { .q = STR("%") }, "" },
		{ { .q = STR("gpt-5_4") }, "" },
		{ { .model = STR("gpt-5.4") }, "gpt-5.4 1;" },
		{ { .model = STR("gpt-5") }, "" },
		{ { .status = STR("settled") }, "claude-haiku-4-5 2;gpt-5.4 1;" },
		{ { .status = STR("failed") }, "" },
		{ { .key_id = id_str(&s.key_id) }, "claude-haiku-4-5 2;gpt-5.4 1;" },
		{ { .key_id = STR("router_key_none") }, "" },
		{ { .service_id = id_str(&s.service) }, "claude-haiku-4-5 2;gpt-5.4 1;" },
		{ { .service_id = STR("svc_none") }, "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct store_request_query query = ROWS[i].query;
		check_note("row %zu", i);
		query.limit = 10;
		CHECK_STR(page(&s, &s.account, &query, &next), ROWS[i].want);
	}
	close_shop(&s);
}

static void only_a_request_of_ones_own_begins_a_page(void)
{
	struct shop s;
	struct id next;

	if (!open_shop(&s))
		return;
	call(&s, "a", 1, 0);
	call(&s, "b", 1, 0);
	struct store_request_query query = { .limit = 1 };
	(void)page(&s, &s.account, &query, &next);
	query.before = id_str(&next);
	CHECK(!store_request_each(s.w.st, &s.stranger, &query, write_line, &s.text, &next,
	                          &s.w.err));
	CHECK_I64(s.w.err.code, ERR_INVALID_ARGUMENT);
	query.before = STR("nonsense");
	CHECK(!store_request_each(s.w.st, &s.account, &query, write_line, &s.text, &next,
	                          &s.w.err));
	CHECK_I64(s.w.err.code, ERR_INVALID_ARGUMENT);
	close_shop(&s);
}

/* A search looks at 5000 receipts; the older one is found on the next page. */
static void a_long_search_goes_on_where_it_stopped(void)
{
	struct shop s;
	struct id next;

	if (!open_shop(&s))
		return;
	call(&s, "needle", 1, 0);
	for (int i = 0; i < 5000; i++)
		call(&s, "hay", 1, 0);
	struct store_request_query query = { .limit = 5, .q = STR("needle") };
	CHECK_STR(page(&s, &s.account, &query, &next), "");
	CHECK(!id_is_empty(&next));
	struct id from = next;
	query.before = id_str(&from);
	CHECK_STR(page(&s, &s.account, &query, &next), "needle 1;");
	CHECK(id_is_empty(&next));
	close_shop(&s);
}

/* ---- Usage by class ---- */

static void write_parts(void *data, const struct store_usage *row)
{
	buf_addf(data, "%.*s", STR_ARG(row->label.p ? row->label : STR("total")));
	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++)
		buf_addf(data, " %lld", (long long)money_micros(row->by_class[c]));
	buf_add_char(data, ';');
}

static void usage_tells_each_classs_part(void)
{
	struct shop s;
	struct token_counts counts = { .n = { 10, 8, 3, 20, 5 } };

	if (!open_shop(&s))
		return;
	world_call(&s.w, &s.key, "m", &counts); /* 10, 10, 6, 2, 10 */
	CHECK(store_usage_each(s.w.st, &s.account, (struct str){ 0 }, 0, 0, USAGE_BY_KEY,
	                       write_parts, &s.text, &s.w.err));
	CHECK_STR(s.text.p, "prod-router 10 10 6 2 10;total 10 10 6 2 10;");
	close_shop(&s);
}

/* ---- Freezing ---- */

static bool works(struct shop *s)
{
	return store_live_key(store_live(s->w.st), secret_str(&s->key), s->w.time.now_ms,
	                      &s->w.err) != NULL;
}

static void a_frozen_account_stops_at_once_and_goes_on_when_it_is_lifted(void)
{
	struct shop s;
	struct store_account account;
	struct store_session session;
	struct store_purchase purchase;
	OWN_SECRET struct secret token = { 0 };

	if (!open_shop(&s))
		return;
	CHECK(store_session_create(s.w.st, secret_str(&s.purchase), &session, &token, &s.w.err));
	CHECK(works(&s));
	const struct store_key *held =
		store_live_key(store_live(s.w.st), secret_str(&s.key), s.w.time.now_ms, &s.w.err);
	CHECK(store_account_freeze(s.w.st, &s.account, true, &s.w.err));
	CHECK(store_account_freeze(s.w.st, &s.account, true, &s.w.err)); /* again is fine */
	CHECK(!works(&s));
	CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	CHECK(strstr(s.w.err.text, "frozen") != NULL);
	struct store_hold hold = { 0 };
	CHECK(!store_live_reserve(store_live(s.w.st), held, money_of_micros(1), s.w.time.now_ms,
	                          &hold, &s.w.err));
	CHECK(!store_account_by_key(s.w.st, secret_str(&s.purchase), &account, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	CHECK(strstr(s.w.err.text, "frozen") != NULL);
	CHECK(!store_session_find(s.w.st, secret_str(&token), &session, &s.w.err));
	CHECK(!world_buy(&s.w, &s.account, 100, "k2", &purchase));
	CHECK_I64(s.w.err.code, ERR_POLICY_REFUSED);
	CHECK(world_buy(&s.w, &s.account, 2500, "k", &purchase)); /* an old answer stands */
	CHECK(store_account_find(s.w.st, STR("acme"), &account, &s.w.err));
	CHECK_I64(account.frozen_ms, WORLD_START_MS);
	CHECK(store_account_freeze(s.w.st, &s.account, false, &s.w.err));
	CHECK(works(&s));
	CHECK(store_account_by_key(s.w.st, secret_str(&s.purchase), &account, &s.w.err));
	CHECK_I64(account.frozen_ms, 0);
	CHECK(world_buy(&s.w, &s.account, 100, "k2", &purchase));
	struct id nobody = { "acct_nobody" };
	CHECK(!store_account_freeze(s.w.st, &nobody, true, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_NOT_FOUND);
	close_shop(&s);
}

static void a_frozen_account_is_frozen_after_a_restart(void)
{
	char folder[] = "/tmp/test-office-XXXXXX";
	char path[80], command[90];
	struct env_fixed time = { .now_ms = WORLD_START_MS };
	struct env env = env_fixed(&time);
	struct err err = { 0 };
	struct store_account account;
	OWN_SECRET struct secret purchase = { 0 }, route = { 0 };

	if (!CHECK(mkdtemp(folder) != NULL))
		return;
	(void)snprintf(path, sizeof(path), "%s/s.db", folder);
	const struct store_options options = { .path = path, .env = &env };
	struct store *st = store_open(&options, &err);
	if (!CHECK(st != NULL))
		return;
	CHECK(store_account_create(st, STR("acme"), &account, &purchase, &err));
	CHECK(store_route_key_rotate(st, &account.id, &route, &err));
	CHECK(store_account_freeze(st, &account.id, true, &err));
	store_close(st);
	st = store_open(&options, &err);
	if (!CHECK(st != NULL))
		return;
	CHECK(store_live_key(store_live(st), secret_str(&route), time.now_ms, &err) == NULL);
	CHECK(strstr(err.text, "frozen") != NULL);
	store_close(st);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	CHECK_I64(system(command), 0);
}

/* ---- The audit log ---- */

static void write_audit(void *data, const struct store_audit *e)
{
	buf_addf(data, "%.*s %.*s %.*s %.*s\n", STR_ARG(e->who), STR_ARG(e->what),
	         STR_ARG(e->before.p ? e->before : STR("-")),
	         STR_ARG(e->after.p ? e->after : STR("-")));
}

static const char *audit_of(struct shop *s, struct str subject, int64_t below, size_t limit)
{
	buf_reset(&s->text);
	CHECK(store_audit_each(s->w.st, subject, below, limit, write_audit, &s->text, &s->w.err));
	return buf_str(&s->text).p;
}

static void changes_of_an_account_are_written_down(void)
{
	struct shop s;
	struct store_funding funding;
	struct store_policy policy = { .max_purchase = world_cents(500),
		                       .daily = money_of_micros(-1),
		                       .approval_above = money_of_micros(-1) };

	if (!open_shop(&s))
		return;
	store_act_as(s.w.st, "admin@127.0.0.1");
	CHECK(store_wallet_fund(s.w.st, &s.stranger, world_cents(250), STR("bank \"7\""), &funding,
	                        &s.w.err));
	CHECK(store_wallet_fund(s.w.st, &s.stranger, world_cents(250), STR("bank \"7\""), &funding,
	                        &s.w.err)); /* no second entry */
	CHECK(store_account_set_policy(s.w.st, &s.stranger, &policy, &s.w.err));
	store_act_as(s.w.st, NULL);
	CHECK(store_account_freeze(s.w.st, &s.stranger, true, &s.w.err));
	CHECK_STR(audit_of(&s, id_str(&s.stranger), 0, 10),
	          "operator account.freeze {\"frozen\":false} {\"frozen\":true}\n"
	          "admin@127.0.0.1 account.policy "
	          "{\"maxPurchaseUsd\":null,\"dailyUsd\":null,\"approvalAboveUsd\":null} "
	          "{\"maxPurchaseUsd\":\"5.00\",\"dailyUsd\":null,\"approvalAboveUsd\":null}\n"
	          "admin@127.0.0.1 wallet.fund {\"walletUsd\":\"100.00\"} "
	          "{\"walletUsd\":\"102.50\",\"amountUsd\":\"2.50\","
	          "\"reference\":\"bank \\\"7\\\"\"}\n"
	          "operator wallet.fund {\"walletUsd\":\"0.00\"} "
	          "{\"walletUsd\":\"100.00\",\"amountUsd\":\"100.00\",\"reference\":\"first\"}\n"
	          "operator account.create - {\"name\":\"stranger\"}\n");
	close_shop(&s);
}

static void write_what(void *data, const struct store_audit *e)
{
	buf_addf(data, "%lld %.*s %.*s;", (long long)e->id, STR_ARG(e->who), STR_ARG(e->what));
}

static void changes_of_keys_are_written_down_with_who_made_them(void)
{
	struct shop s;
	struct store_key_info info;
	char want[200];
	OWN_SECRET struct secret secret = { 0 };

	if (!open_shop(&s))
		return;
	CHECK(store_key_rotate(s.w.st, &s.account, id_str(&s.key_id), &info, &secret, &s.w.err));
	struct id second = info.id;
	CHECK(store_key_revoke(s.w.st, NULL, id_str(&second), &info, &s.w.err));
	CHECK(store_key_revoke(s.w.st, NULL, id_str(&second), &info, &s.w.err)); /* no entry */
	CHECK(!store_key_revoke(s.w.st, NULL, STR("router_key_none"), &info, &s.w.err));
	buf_reset(&s.text);
	CHECK(store_audit_each(s.w.st, (struct str){ 0 }, 0, 3, write_what, &s.text, &s.w.err));
	/* Before them: two accounts made and funded. */
	(void)snprintf(want, sizeof(want), "7 operator key.revoke;6 %s key.rotate;5 %s key.create;",
	               s.account.text, s.account.text);
	CHECK_STR(s.text.p, want);
	CHECK(strstr(audit_of(&s, id_str(&s.key_id), 0, 1), "\"revoked\":false") != NULL);
	buf_reset(&s.text);
	CHECK(store_audit_each(s.w.st, (struct str){ 0 }, 6, 1, write_what, &s.text, &s.w.err));
	(void)snprintf(want, sizeof(want), "5 %s key.create;", s.account.text);
	CHECK_STR(s.text.p, want);
	close_shop(&s);
}

/* ---- Sessions ---- */

static void the_operators_session_lasts_twelve_hours_and_belongs_to_one_token(void)
{
	struct shop s;
	int64_t expires = 0;
	OWN_SECRET struct secret token = { 0 };

	if (!open_shop(&s))
		return;
	CHECK(store_admin_session_create(s.w.st, STR("opensesame"), &token, &expires, &s.w.err));
	CHECK_I64(expires, WORLD_START_MS + 12 * HOUR_MS);
	expires = 0;
	CHECK(store_admin_session_find(s.w.st, secret_str(&token), STR("opensesame"), &expires,
	                               &s.w.err));
	CHECK_I64(expires, WORLD_START_MS + 12 * HOUR_MS);
	CHECK(!store_admin_session_find(s.w.st, secret_str(&token), STR("changed"), &expires,
	                                &s.w.err));
	CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	CHECK(!store_admin_session_find(s.w.st, STR(""), STR("opensesame"), &expires, &s.w.err));
	s.w.time.now_ms += 12 * HOUR_MS;
	CHECK(!store_admin_session_find(s.w.st, secret_str(&token), STR("opensesame"), &expires,
	                                &s.w.err));
	s.w.time.now_ms -= 1;
	CHECK(store_admin_session_end(s.w.st, secret_str(&token), &s.w.err));
	CHECK(store_admin_session_end(s.w.st, secret_str(&token), &s.w.err));
	CHECK(!store_admin_session_find(s.w.st, secret_str(&token), STR("opensesame"), &expires,
	                                &s.w.err));
	close_shop(&s);
}

static void a_buyer_signs_out_and_a_router_keys_session_knows_its_service(void)
{
	struct shop s;
	struct store_session session;
	OWN_SECRET struct secret a = { 0 }, b = { 0 };

	if (!open_shop(&s))
		return;
	CHECK(store_session_create(s.w.st, secret_str(&s.key), &session, &a, &s.w.err));
	CHECK(id_eq(&session.service, &s.service));
	CHECK(store_session_create(s.w.st, secret_str(&s.purchase), &session, &b, &s.w.err));
	CHECK(id_is_empty(&session.service));
	CHECK(store_session_end(s.w.st, secret_str(&a), &s.w.err));
	CHECK(!store_session_find(s.w.st, secret_str(&a), &session, &s.w.err));
	CHECK(store_session_find(s.w.st, secret_str(&b), &session, &s.w.err));
	close_shop(&s);
}

/* ---- Lists ---- */

static void write_purchase(void *data, const struct store_purchase_line *line)
{
	buf_addf(data, "%lld %.*s;", (long long)line->purchase.total_cents,
	         STR_ARG(line->display_name));
}

static void write_funding(void *data, const struct store_funding_line *line)
{
	buf_addf(data, "%lld %.*s;", (long long)money_micros(line->amount),
	         STR_ARG(line->reference));
}

static void write_account(void *data, const struct store_account *account)
{
	buf_addf(data, "%s;", account->name);
}

static void write_key(void *data, const struct store_key_info *key)
{
	buf_addf(data, "%s;", key_kind_name(key->kind));
}

static void what_came_in_is_listed_newest_first(void)
{
	struct shop s;
	struct store_funding funding;
	struct store_purchase purchase;

	if (!open_shop(&s))
		return;
	CHECK(world_buy(&s.w, &s.account, 100, "k2", &purchase));
	CHECK(store_wallet_fund(s.w.st, &s.account, world_cents(1), STR("more"), &funding,
	                        &s.w.err));
	CHECK(store_purchase_each(s.w.st, &s.account, id_str(&s.service), 10, write_purchase,
	                          &s.text, &s.w.err));
	CHECK(store_funding_each(s.w.st, &s.account, 1, write_funding, &s.text, &s.w.err));
	CHECK_STR(s.text.p, "100 Primary Router Credit Pool;2500 Primary Router Credit Pool;"
	                    "10000 more;");
	close_shop(&s);
}

static void accounts_and_keys_are_searched(void)
{
	struct shop s;

	if (!open_shop(&s))
		return;
	const struct str none = { 0 };
	CHECK(store_account_search(s.w.st, none, none, 10, write_account, &s.text, &s.w.err));
	CHECK(store_account_search(s.w.st, STR("STRANG"), none, 10, write_account, &s.text,
	                           &s.w.err));
	CHECK(store_account_search(s.w.st, none, id_str(&s.account), 10, write_account, &s.text,
	                           &s.w.err));
	CHECK(store_account_search(s.w.st, none, none, 1, write_account, &s.text, &s.w.err));
	CHECK_STR(s.text.p, "acme;stranger;stranger;stranger;acme;");
	buf_reset(&s.text);
	CHECK(store_key_search(s.w.st, none, 2, write_key, &s.text, &s.w.err));
	CHECK(store_key_search(s.w.st, STR("acme"), 10, write_key, &s.text, &s.w.err));
	CHECK(store_key_search(s.w.st, id_str(&s.key_id), 10, write_key, &s.text, &s.w.err));
	CHECK(store_key_search(s.w.st, STR("%"), 10, write_key, &s.text, &s.w.err));
	CHECK_STR(s.text.p, "router;purchase;router;purchase;router;");
	close_shop(&s);
}

static void one_key_is_found_by_its_owner_or_the_operator(void)
{
	struct shop s;
	struct store_key_info info;

	if (!open_shop(&s))
		return;
	CHECK(store_key_find(s.w.st, &s.account, id_str(&s.key_id), &info, &s.w.err));
	CHECK_STR(info.label, "prod-router");
	CHECK(store_key_find(s.w.st, NULL, id_str(&s.key_id), &info, &s.w.err));
	CHECK(!store_key_find(s.w.st, &s.stranger, id_str(&s.key_id), &info, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_NOT_FOUND);
	close_shop(&s);
}

static void balances_in_memory_are_read_without_the_store(void)
{
	struct shop s;
	struct store_pool_name pools[4];
	struct store_hold hold = { 0 };
	size_t count = 9;

	if (!open_shop(&s))
		return;
	CHECK(store_live_pools(s.w.st, &s.stranger, (struct str){ 0 }, pools, 4, &count, &s.w.err));
	CHECK_I64((int64_t)count, 0);
	CHECK(store_live_pools(s.w.st, &s.account, (struct str){ 0 }, pools, 4, &count, &s.w.err));
	CHECK_I64((int64_t)count, 1);
	CHECK(id_eq(&pools[0].service, &s.service));
	const struct store_key *key =
		store_live_key(store_live(s.w.st), secret_str(&s.key), s.w.time.now_ms, &s.w.err);
	CHECK(store_live_reserve(store_live(s.w.st), key, money_of_micros(300), s.w.time.now_ms,
	                         &hold, &s.w.err));
	struct store_balance b = store_pool_balance(pools[0].pool);
	CHECK_I64(money_micros(b.balance), 25000000);
	CHECK_I64(money_micros(b.held), 300);
	CHECK_I64(money_micros(b.available), 24999700);
	store_live_unreserve(store_live(s.w.st), &hold);
	close_shop(&s);
}

static const struct check_case CASES[] = {
	CASE(requests_come_newest_first_and_page_by_page),
	CASE(pages_have_the_accounts_own_requests_only),
	CASE(requests_are_searched),
	CASE(only_a_request_of_ones_own_begins_a_page),
	CASE(a_long_search_goes_on_where_it_stopped),
	CASE(usage_tells_each_classs_part),
	CASE(a_frozen_account_stops_at_once_and_goes_on_when_it_is_lifted),
	CASE(a_frozen_account_is_frozen_after_a_restart),
	CASE(changes_of_an_account_are_written_down),
	CASE(changes_of_keys_are_written_down_with_who_made_them),
	CASE(the_operators_session_lasts_twelve_hours_and_belongs_to_one_token),
	CASE(a_buyer_signs_out_and_a_router_keys_session_knows_its_service),
	CASE(what_came_in_is_listed_newest_first),
	CASE(accounts_and_keys_are_searched),
	CASE(one_key_is_found_by_its_owner_or_the_operator),
	CASE(balances_in_memory_are_read_without_the_store),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
