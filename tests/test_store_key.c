/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: shown once, limited, replaced, revoked, and never seen by another account. */
#include <stdio.h>

#include "tests/check.h"
#include "tests/store_world.h"

#define HOUR_MS INT64_C(3600000)

struct shop {
	struct store_world w;
	struct id account, service;
	struct secret purchase_key;
};

static bool open_shop(struct shop *s)
{
	struct store_purchase purchase = { 0 };

	if (!world_open(&s->w))
		return false;
	s->purchase_key = (struct secret){ 0 };
	s->account = world_account(&s->w, "acme", 10000, &s->purchase_key);
	CHECK(world_buy(&s->w, &s->account, 2500, "k", &purchase));
	s->service = purchase.service;
	return true;
}

static void close_shop(struct shop *s)
{
	secret_wipe(&s->purchase_key);
	world_close(&s->w);
}

/* Does the router take this key now? */
static bool works(struct shop *s, const struct secret *key)
{
	struct err err = { 0 };
	bool ok = store_live_key(store_live(s->w.st), secret_str(key), s->w.time.now_ms, &err);

	CHECK(ok || err.code == ERR_UNAUTHORIZED);
	return ok;
}

static void a_router_key_works_and_keeps_its_settings(void)
{
	OWN_JSON struct json *models = json_parse(STR("[\"gpt-5.4\", \"claude-haiku-4-5\"]"), NULL);
	OWN_SECRET struct secret secret = { 0 };
	struct store_key_info info = { 0 };
	struct store_key_limits limits = { .spend_limit = money_of_micros(1500000),
		                           .expires_ms = WORLD_START_MS + HOUR_MS,
		                           .requests_per_minute = 60,
		                           .max_concurrent = 4,
		                           .lower_output = true,
		                           .allowed_models = models };
	const struct store_key *live;
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK(store_router_key_create(s.w.st, &s.account, id_str(&s.service), STR("prod-router"),
	                              &limits, &info, &secret, &s.w.err));
	CHECK(id_is(id_str(&info.id), ID_ROUTER_KEY));
	CHECK(id_eq(&info.account, &s.account) && id_eq(&info.service, &s.service));
	CHECK_I64(info.kind, KEY_ROUTER);
	CHECK_STR(info.label, "prod-router");
	CHECK(!info.revoked);
	CHECK_I64(money_micros(info.spend_limit), 1500000);
	CHECK_I64(money_micros(info.spent), 0);
	CHECK_I64(info.expires_ms, WORLD_START_MS + HOUR_MS);
	CHECK_I64(info.requests_per_minute, 60);
	CHECK_I64(info.max_concurrent, 4);
	CHECK(info.lower_output);
	CHECK_TEXT(info.allowed_models, "[\"gpt-5.4\",\"claude-haiku-4-5\"]");
	CHECK_I64(info.created_ms, WORLD_START_MS);
	CHECK_I64(info.last_used_ms, 0);
	CHECK(str_starts(secret_str(&secret), STR("asr_live_")));
	CHECK(str_find(secret_str(&secret), str_of(info.lookup)) == 9);

	live = store_live_key(store_live(s.w.st), secret_str(&secret), WORLD_START_MS, &s.w.err);
	if (CHECK(live != NULL)) {
		CHECK(id_eq(store_key_id(live), &info.id));
		CHECK(id_eq(store_key_account(live), &s.account));
		CHECK(store_key_allows_model(live, STR("gpt-5.4")));
		CHECK(!store_key_allows_model(live, STR("gpt-5.4-mini")));
	}
	s.w.time.now_ms += HOUR_MS;
	CHECK(!works(&s, &secret));
	close_shop(&s);
}

static void labels_need_not_be_unique(void)
{
	OWN_SECRET struct secret one = { 0 }, two = { 0 };
	struct store_key_info a, b;
	struct shop s;

	if (!open_shop(&s))
		return;
	a = world_router_key(&s.w, &s.account, &s.service, &one);
	b = world_router_key(&s.w, &s.account, &s.service, &two);
	CHECK_STR(a.label, b.label);
	CHECK(!id_eq(&a.id, &b.id));
	CHECK(works(&s, &one) && works(&s, &two));
	CHECK_TEXT(a.allowed_models, NULL);
	close_shop(&s);
}

static void senseless_limits_are_refused(void)
{
	static const struct {
		int64_t spend, expires, rate, concurrent;
		const char *models, *names;
	} ROWS[] = {
		{ 0, 0, 0, 0, NULL, "spendLimitUsd" },
		{ -1, WORLD_START_MS, 0, 0, NULL, "expiresAt" },
		{ -1, 1, 0, 0, NULL, "expiresAt" },
		{ -1, -5, 0, 0, NULL, "expiresAt" },
		{ -1, 0, -1, 0, NULL, "requestsPerMinute" },
		{ -1, 0, 1000001, 0, NULL, "requestsPerMinute" },
		{ -1, 0, 0, -1, NULL, "maxConcurrent" },
		{ -1, 0, 0, 0, "[]", "1 to 32" },
		{ -1, 0, 0, 0, "{}", "1 to 32" },
		{ -1, 0, 0, 0, "[1]", "text" },
		{ -1, 0, 0, 0, "[\"\"]", "text" },
		{ -1, 0, 0, 0,
		  "[\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\","
		  "\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\","
		  "\"m\",\"m\",\"m\",\"m\",\"m\",\"m\",\"m\"]",
		  "1 to 32" },
	};
	struct shop s;

	if (!open_shop(&s))
		return;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		OWN_JSON struct json *models =
			ROWS[i].models ? json_parse(str_of(ROWS[i].models), NULL) : NULL;
		OWN_SECRET struct secret secret = { 0 };
		struct store_key_limits limits = { .spend_limit = money_of_micros(ROWS[i].spend),
			                           .expires_ms = ROWS[i].expires,
			                           .requests_per_minute = ROWS[i].rate,
			                           .max_concurrent = ROWS[i].concurrent,
			                           .allowed_models = models };
		struct store_key_info info;
		struct err err = { 0 };

		CHECK(!store_router_key_create(s.w.st, &s.account, id_str(&s.service), STR("x"),
		                               &limits, &info, &secret, &err));
		if (!CHECK_I64(err.code, ERR_INVALID_ARGUMENT) ||
		    !CHECK(strstr(err.text, ROWS[i].names) != NULL))
			check_note("row %zu: %s", i, err.text);
		CHECK_STR(secret.text, "");
	}
	close_shop(&s);
}

static void a_label_has_bounds(void)
{
	static const char *const BAD[] = {
		"", "a\nb", "\xc3",
		"12345678901234567890123456789012345678901234567890123456789012345"
	};
	struct store_key_limits limits = { .spend_limit = money_of_micros(-1) };
	struct shop s;

	if (!open_shop(&s))
		return;
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		OWN_SECRET struct secret secret = { 0 };
		struct store_key_info info;

		CHECK(!store_router_key_create(s.w.st, &s.account, id_str(&s.service),
		                               str_of(BAD[i]), &limits, &info, &secret, &s.w.err));
		CHECK_I64(s.w.err.code, ERR_INVALID_ARGUMENT);
	}
	close_shop(&s);
}

static void rotation_keeps_the_settings_and_ends_the_old_key(void)
{
	OWN_JSON struct json *models = json_parse(STR("[\"gpt-5.4\"]"), NULL);
	OWN_SECRET struct secret first = { 0 }, second = { 0 };
	struct store_key_info old = { 0 }, new = { 0 };
	struct store_key_limits limits = { .spend_limit = money_of_micros(2000000),
		                           .requests_per_minute = 9,
		                           .max_concurrent = 3,
		                           .lower_output = true,
		                           .allowed_models = models };
	struct token_counts counts = { .n = { [TOKEN_UNCACHED_INPUT] = 250 } };
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK(store_router_key_create(s.w.st, &s.account, id_str(&s.service), STR("ci"), &limits,
	                              &old, &first, &s.w.err));
	world_call(&s.w, &first, "gpt-5.4", &counts);
	CHECK(store_key_rotate(s.w.st, &s.account, id_str(&old.id), &new, &second, &s.w.err));
	CHECK(!id_eq(&old.id, &new.id));
	CHECK_STR(new.label, "ci");
	CHECK(id_eq(&new.service, &s.service));
	CHECK_I64(money_micros(new.spend_limit), 2000000);
	CHECK_I64(money_micros(new.spent), 250);
	CHECK_I64(new.requests_per_minute, 9);
	CHECK_I64(new.max_concurrent, 3);
	CHECK(new.lower_output);
	CHECK_TEXT(new.allowed_models, "[\"gpt-5.4\"]");
	CHECK(!works(&s, &first));
	CHECK(works(&s, &second));
	CHECK(!store_key_rotate(s.w.st, &s.account, id_str(&old.id), &new, &second, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_CONFLICT);
	CHECK(works(&s, &second));
	close_shop(&s);
}

static void an_expired_key_is_not_rotated(void)
{
	OWN_SECRET struct secret first = { 0 }, second = { 0 };
	struct store_key_info info = { 0 };
	struct store_key_limits limits = { .spend_limit = money_of_micros(-1),
		                           .expires_ms = WORLD_START_MS + 1 };
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK(store_router_key_create(s.w.st, &s.account, id_str(&s.service), STR("x"), &limits,
	                              &info, &first, &s.w.err));
	s.w.time.now_ms++;
	CHECK(!store_key_rotate(s.w.st, &s.account, id_str(&info.id), &info, &second, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_CONFLICT);
	CHECK_STR(second.text, "");
	close_shop(&s);
}

static void revoking_twice_answers_the_same(void)
{
	OWN_SECRET struct secret secret = { 0 };
	struct store_key_info info, first = { 0 }, again = { 0 };
	struct shop s;

	if (!open_shop(&s))
		return;
	info = world_router_key(&s.w, &s.account, &s.service, &secret);
	s.w.time.now_ms += 1000;
	CHECK(store_key_revoke(s.w.st, &s.account, id_str(&info.id), &first, &s.w.err));
	CHECK(first.revoked);
	CHECK_I64(first.revoked_ms, WORLD_START_MS + 1000);
	CHECK(!works(&s, &secret));
	s.w.time.now_ms += 1000;
	CHECK(store_key_revoke(s.w.st, &s.account, id_str(&info.id), &again, &s.w.err));
	CHECK_I64(again.revoked_ms, WORLD_START_MS + 1000);
	close_shop(&s);
}

static void anothers_key_and_a_missing_one_look_alike(void)
{
	OWN_SECRET struct secret secret = { 0 }, stolen = { 0 };
	struct store_key_limits limits = { .spend_limit = money_of_micros(-1) };
	struct store_key_info info, out;
	struct err missing = { 0 };
	char want[LIMIT_ERR_TEXT];
	struct id stranger;
	struct shop s;

	if (!open_shop(&s))
		return;
	stranger = world_account(&s.w, "stranger", 0, NULL);
	info = world_router_key(&s.w, &s.account, &s.service, &secret);
	CHECK(!store_key_revoke(s.w.st, &stranger, id_str(&info.id), &out, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_NOT_FOUND);
	(void)snprintf(want, sizeof(want), "there is no key '%s'", info.id.text);
	CHECK_STR(s.w.err.text, want);
	CHECK(!store_key_revoke(s.w.st, &stranger, STR("router_key_x"), &out, &missing));
	CHECK_STR(missing.text, "there is no key 'router_key_x'");
	CHECK_I64(missing.code, ERR_NOT_FOUND);
	CHECK(!store_key_rotate(s.w.st, &stranger, id_str(&info.id), &out, &stolen, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_NOT_FOUND);
	CHECK(!store_router_key_create(s.w.st, &stranger, id_str(&s.service), STR("x"), &limits,
	                               &out, &stolen, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_NOT_FOUND);
	CHECK_STR(stolen.text, "");
	CHECK(works(&s, &secret));
	close_shop(&s);
}

struct listed {
	size_t count;
	struct store_key_info last;
	struct buf *text;
};

static void list_key(void *data, const struct store_key_info *key)
{
	struct listed *l = data;

	l->count++;
	l->last = *key;
	buf_addf(l->text, "%s %s %s%s;", key_kind_name(key->kind), key->label,
	         key->revoked ? "revoked" : "live", key->service.text[0] ? " svc" : "");
}

static void only_the_operator_changes_a_purchase_key(void)
{
	OWN_BUF struct buf text = buf_make(500);
	OWN_SECRET struct secret second = { 0 };
	struct listed listed = { .text = &text };
	struct store_key_info info = { 0 };
	struct store_account found;
	struct str key_id;
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK(store_key_each(s.w.st, &s.account, (struct str){ 0 }, list_key, &listed, &s.w.err));
	CHECK_I64((int64_t)listed.count, 1);
	key_id = id_str(&listed.last.id);
	CHECK(!store_key_rotate(s.w.st, &s.account, key_id, &info, &second, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_FORBIDDEN);
	CHECK(!store_key_revoke(s.w.st, &s.account, key_id, &info, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_FORBIDDEN);
	CHECK(store_account_by_key(s.w.st, secret_str(&s.purchase_key), &found, &s.w.err));

	CHECK(store_key_rotate(s.w.st, NULL, key_id, &info, &second, &s.w.err));
	CHECK_I64(info.kind, KEY_PURCHASE);
	CHECK(id_is_empty(&info.service));
	CHECK(str_starts(secret_str(&second), STR("ask_live_")));
	CHECK(!store_account_by_key(s.w.st, secret_str(&s.purchase_key), &found, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_UNAUTHORIZED);
	CHECK(store_account_by_key(s.w.st, secret_str(&second), &found, &s.w.err));
	CHECK(store_key_revoke(s.w.st, NULL, id_str(&info.id), &info, &s.w.err));
	CHECK(!store_account_by_key(s.w.st, secret_str(&second), &found, &s.w.err));
	close_shop(&s);
}

static void lists_show_an_accounts_keys_or_a_services(void)
{
	OWN_BUF struct buf text = buf_make(500);
	OWN_SECRET struct secret router = { 0 }, route = { 0 };
	struct listed listed = { .text = &text };
	struct store_key_info info, out;
	struct id stranger;
	struct shop s;

	if (!open_shop(&s))
		return;
	stranger = world_account(&s.w, "stranger", 0, NULL);
	info = world_router_key(&s.w, &s.account, &s.service, &router);
	CHECK(store_route_key_rotate(s.w.st, &s.account, &route, &s.w.err));
	CHECK(store_key_revoke(s.w.st, &s.account, id_str(&info.id), &out, &s.w.err));
	CHECK(store_key_each(s.w.st, &s.account, (struct str){ 0 }, list_key, &listed, &s.w.err));
	CHECK_TEXT(buf_str(&text), "purchase purchase key live;"
	                           "router prod-router revoked svc;route route key live;");
	buf_reset(&text);
	CHECK(store_key_each(s.w.st, &s.account, id_str(&s.service), list_key, &listed, &s.w.err));
	CHECK_TEXT(buf_str(&text), "router prod-router revoked svc;");
	CHECK(!store_key_each(s.w.st, &stranger, id_str(&s.service), list_key, &listed, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_NOT_FOUND);
	close_shop(&s);
}

static void using_a_purchase_key_is_noted_to_the_minute(void)
{
	OWN_BUF struct buf text = buf_make(500);
	struct listed listed = { .text = &text };
	struct store_account found;
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK(store_account_by_key(s.w.st, secret_str(&s.purchase_key), &found, &s.w.err));
	s.w.time.now_ms += 59999;
	CHECK(store_account_by_key(s.w.st, secret_str(&s.purchase_key), &found, &s.w.err));
	CHECK(store_key_each(s.w.st, &s.account, (struct str){ 0 }, list_key, &listed, &s.w.err));
	CHECK_I64(listed.last.last_used_ms, WORLD_START_MS);
	s.w.time.now_ms += 1;
	CHECK(store_account_by_key(s.w.st, secret_str(&s.purchase_key), &found, &s.w.err));
	CHECK(store_key_each(s.w.st, &s.account, (struct str){ 0 }, list_key, &listed, &s.w.err));
	CHECK_I64(listed.last.last_used_ms, WORLD_START_MS + 60000);
	close_shop(&s);
}

static const struct check_case CASES[] = {
	CASE(a_router_key_works_and_keeps_its_settings),
	CASE(labels_need_not_be_unique),
	CASE(senseless_limits_are_refused),
	CASE(a_label_has_bounds),
	CASE(rotation_keeps_the_settings_and_ends_the_old_key),
	CASE(an_expired_key_is_not_rotated),
	CASE(revoking_twice_answers_the_same),
	CASE(anothers_key_and_a_missing_one_look_alike),
	CASE(only_the_operator_changes_a_purchase_key),
	CASE(lists_show_an_accounts_keys_or_a_services),
	CASE(using_a_purchase_key_is_noted_to_the_minute),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
