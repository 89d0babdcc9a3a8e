/* SPDX-License-Identifier: Apache-2.0 */
/* Buyer sessions and the route key. */
#include "tests/check.h"
#include "tests/store_world.h"

#define HOUR_MS INT64_C(3600000)

struct shop {
	struct store_world w;
	struct id account, service, router_id;
	struct secret purchase, router, route;
};

static bool open_shop(struct shop *s)
{
	struct store_purchase purchase = { 0 };

	*s = (struct shop){ 0 };
	if (!world_open(&s->w))
		return false;
	s->account = world_account(&s->w, "acme", 10000, &s->purchase);
	CHECK(world_buy(&s->w, &s->account, 2500, "k", &purchase));
	s->service = purchase.service;
	s->router_id = world_router_key(&s->w, &s->account, &s->service, &s->router).id;
	CHECK(store_route_key_rotate(s->w.st, &s->account, &s->route, &s->w.err));
	return true;
}

static void close_shop(struct shop *s)
{
	secret_wipe(&s->purchase);
	secret_wipe(&s->router);
	secret_wipe(&s->route);
	world_close(&s->w);
}

static bool works(struct shop *s, const struct secret *key)
{
	return store_live_key(store_live(s->w.st), secret_str(key), s->w.time.now_ms, &s->w.err) !=
	       NULL;
}

static void every_kind_of_key_signs_in(void)
{
	struct shop s;

	if (!open_shop(&s))
		return;
	const struct {
		const struct secret *key;
		enum key_kind kind;
	} ROWS[] = { { &s.purchase, KEY_PURCHASE },
		     { &s.router, KEY_ROUTER },
		     { &s.route, KEY_ROUTE } };

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		OWN_SECRET struct secret token = { 0 };
		struct store_session made = { 0 }, found = { 0 };

		CHECK(store_session_create(s.w.st, secret_str(ROWS[i].key), &made, &token,
		                           &s.w.err));
		CHECK(id_eq(&made.account, &s.account));
		CHECK_I64(made.kind, ROWS[i].kind);
		CHECK_I64(made.expires_ms, WORLD_START_MS + 12 * HOUR_MS);
		CHECK_I64((int64_t)secret_str(&token).len, 43);
		CHECK(store_session_find(s.w.st, secret_str(&token), &found, &s.w.err));
		CHECK(id_eq(&found.account, &s.account));
		CHECK_I64(found.kind, ROWS[i].kind);
		CHECK_I64(found.expires_ms, made.expires_ms);
	}
	close_shop(&s);
}

static void what_is_no_key_does_not_sign_in(void)
{
	static const char *const BAD[] = { "", "rk_short", "ask_live_x.y" };
	OWN_SECRET struct secret token = { 0 }, foreign = { 0 };
	struct store_session session;
	struct shop s;

	if (!open_shop(&s))
		return;
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		CHECK(!store_session_create(s.w.st, str_of(BAD[i]), &session, &token, &s.w.err));
		CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	}
	key_make(&s.w.env, KEY_ROUTE, &foreign);
	CHECK(!store_session_create(s.w.st, secret_str(&foreign), &session, &token, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	CHECK_STR(token.text, "");
	CHECK(!store_session_find(s.w.st, secret_str(&s.route), &session, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	CHECK(!store_session_find(s.w.st, STR(""), &session, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	close_shop(&s);
}

static void a_session_lasts_twelve_hours(void)
{
	OWN_SECRET struct secret token = { 0 }, next = { 0 };
	struct store_session session;
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK(store_session_create(s.w.st, secret_str(&s.purchase), &session, &token, &s.w.err));
	s.w.time.now_ms += 12 * HOUR_MS - 1;
	CHECK(store_session_find(s.w.st, secret_str(&token), &session, &s.w.err));
	s.w.time.now_ms += 1;
	CHECK(!store_session_find(s.w.st, secret_str(&token), &session, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	/* Old sessions are swept by new ones and do not come back with the clock. */
	CHECK(store_session_create(s.w.st, secret_str(&s.purchase), &session, &next, &s.w.err));
	s.w.time.now_ms -= HOUR_MS;
	CHECK(!store_session_find(s.w.st, secret_str(&token), &session, &s.w.err));
	CHECK(store_session_find(s.w.st, secret_str(&next), &session, &s.w.err));
	close_shop(&s);
}

static void a_session_does_not_outlive_a_key_with_an_end(void)
{
	OWN_SECRET struct secret token = { 0 }, brief = { 0 };
	struct store_key_limits limits = { .spend_limit = money_of_micros(-1),
		                           .expires_ms = WORLD_START_MS + HOUR_MS };
	struct store_session session = { 0 };
	struct store_key_info info;
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK(store_router_key_create(s.w.st, &s.account, id_str(&s.service), STR("x"), &limits,
	                              &info, &brief, &s.w.err));
	CHECK(store_session_create(s.w.st, secret_str(&brief), &session, &token, &s.w.err));
	CHECK_I64(session.expires_ms, WORLD_START_MS + HOUR_MS);
	s.w.time.now_ms += HOUR_MS;
	CHECK(!store_session_create(s.w.st, secret_str(&brief), &session, &token, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	close_shop(&s);
}

static void revoking_a_key_signs_its_sessions_out(void)
{
	OWN_SECRET struct secret by_router = { 0 }, by_purchase = { 0 };
	struct store_session session;
	struct store_key_info info;
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK(store_session_create(s.w.st, secret_str(&s.router), &session, &by_router, &s.w.err));
	CHECK(store_session_create(s.w.st, secret_str(&s.purchase), &session, &by_purchase,
	                           &s.w.err));
	CHECK(store_key_revoke(s.w.st, &s.account, id_str(&s.router_id), &info, &s.w.err));
	CHECK(!store_session_find(s.w.st, secret_str(&by_router), &session, &s.w.err));
	CHECK(store_session_find(s.w.st, secret_str(&by_purchase), &session, &s.w.err));
	CHECK(!store_session_create(s.w.st, secret_str(&s.router), &session, &by_router, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	close_shop(&s);
}

static void a_new_route_key_ends_the_old_one_but_not_the_session(void)
{
	OWN_SECRET struct secret token = { 0 }, second = { 0 };
	struct token_counts counts = { .n = { [TOKEN_OUTPUT] = 10 } };
	struct store_session session;
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK(str_starts(secret_str(&s.route), STR("rk_")));
	world_call(&s.w, &s.route, "gpt-5.4", &counts);
	CHECK_I64(money_micros(world_credit(&s.w, &s.account)), 25000000 - 20);
	CHECK(store_session_create(s.w.st, secret_str(&s.route), &session, &token, &s.w.err));
	CHECK(store_route_key_rotate(s.w.st, &s.account, &second, &s.w.err));
	CHECK(!works(&s, &s.route));
	CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	CHECK(works(&s, &second));
	CHECK(store_session_find(s.w.st, secret_str(&token), &session, &s.w.err));
	world_call(&s.w, &second, "gpt-5.4", &counts);
	CHECK_I64(money_micros(world_credit(&s.w, &s.account)), 25000000 - 40);
	close_shop(&s);
}

static void a_route_key_may_come_before_the_first_credit(void)
{
	OWN_SECRET struct secret route = { 0 };
	struct token_counts counts = { .n = { [TOKEN_OUTPUT] = 10 } };
	struct store_purchase purchase;
	struct id stranger, nobody = id_of(STR("acct_0000000000000000000000"));
	struct shop s;

	if (!open_shop(&s))
		return;
	stranger = world_account(&s.w, "stranger", 1000, NULL);
	CHECK(store_route_key_rotate(s.w.st, &stranger, &route, &s.w.err));
	CHECK(works(&s, &route));
	CHECK(works(&s, &s.route)); /* the other account's is untouched */
	CHECK(world_buy(&s.w, &stranger, 500, "k", &purchase));
	world_call(&s.w, &route, "gpt-5.4", &counts);
	CHECK_I64(money_micros(world_credit(&s.w, &stranger)), 4999980);
	CHECK(!store_route_key_rotate(s.w.st, &nobody, &route, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_NOT_FOUND);
	close_shop(&s);
}

static const struct check_case CASES[] = {
	CASE(every_kind_of_key_signs_in),
	CASE(what_is_no_key_does_not_sign_in),
	CASE(a_session_lasts_twelve_hours),
	CASE(a_session_does_not_outlive_a_key_with_an_end),
	CASE(revoking_a_key_signs_its_sessions_out),
	CASE(a_new_route_key_ends_the_old_one_but_not_the_session),
	CASE(a_route_key_may_come_before_the_first_credit),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
