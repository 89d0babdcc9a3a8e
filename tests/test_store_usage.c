/* SPDX-License-Identifier: Apache-2.0 */
/* Usage: receipts added up by model, key and day. A token costs 1 micro as input, 1.25 and 2 as
 * cache writes, 0.1 as cache read, 2 as output. */
#include "tests/check.h"
#include "tests/store_world.h"

#define DAY_MS INT64_C(86400000)

struct shop {
	struct store_world w;
	struct id account, service, stranger, first_id, second_id;
	struct secret first, second;
	struct buf text;
};

static void call(struct shop *s, const struct secret *key, const char *model, int64_t input,
                 int64_t output)
{
	struct token_counts counts = {
		.n = { [TOKEN_UNCACHED_INPUT] = input, [TOKEN_OUTPUT] = output }
	};

	world_call(&s->w, key, model, &counts);
}

/* Two keys, two models, two days: four calls. */
static bool open_shop(struct shop *s)
{
	struct store_purchase purchase = { 0 };

	*s = (struct shop){ .text = buf_make(2000) };
	if (!world_open(&s->w))
		return false;
	s->account = world_account(&s->w, "acme", 10000, NULL);
	s->stranger = world_account(&s->w, "stranger", 10000, NULL);
	CHECK(world_buy(&s->w, &s->account, 2500, "k", &purchase));
	s->service = purchase.service;
	s->first_id = world_router_key(&s->w, &s->account, &s->service, &s->first).id;
	s->second_id = world_router_key(&s->w, &s->account, &s->service, &s->second).id;
	call(s, &s->first, "gpt-5.4", 100, 10);
	call(s, &s->first, "claude-haiku-4-5", 1, 2);
	s->w.time.now_ms += DAY_MS;
	call(s, &s->second, "gpt-5.4", 1000, 0);
	call(s, &s->first, "gpt-5.4", 0, 5);
	return true;
}

static void close_shop(struct shop *s)
{
	secret_wipe(&s->first);
	secret_wipe(&s->second);
	buf_done(&s->text);
	world_close(&s->w);
}

static void write_row(void *data, const struct store_usage *row)
{
	struct buf *text = data;

	if (row->group.p)
		buf_add(text, row->group);
	else
		buf_add_z(text, "total");
	buf_addf(text, ": %lld calls", (long long)row->requests);
	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++)
		buf_addf(text, " %lld", (long long)row->counts.n[c]);
	buf_addf(text, " = %lld\n", (long long)money_micros(row->charge));
}

/* All services, all of time, unless said. */
static const char *usage(struct shop *s, enum usage_group by, int64_t from, int64_t to)
{
	buf_reset(&s->text);
	CHECK(store_usage_each(s->w.st, &s->account, (struct str){ 0 }, from, to, by, write_row,
	                       &s->text, &s->w.err));
	return s->text.p;
}

static void the_total_comes_alone_without_a_group(void)
{
	struct shop s;

	if (open_shop(&s))
		CHECK_STR(usage(&s, USAGE_BY_NONE, 0, 0), "total: 4 calls 1101 0 0 0 17 = 1135\n");
	close_shop(&s);
}

static void usage_is_grouped_by_model(void)
{
	struct shop s;

	if (open_shop(&s))
		CHECK_STR(usage(&s, USAGE_BY_MODEL, 0, 0),
		          "claude-haiku-4-5: 1 calls 1 0 0 0 2 = 5\n"
		          "gpt-5.4: 3 calls 1100 0 0 0 15 = 1130\n"
		          "total: 4 calls 1101 0 0 0 17 = 1135\n");
	close_shop(&s);
}

static void usage_is_grouped_by_key(void)
{
	OWN_BUF struct buf want = buf_make(500);
	struct shop s;

	if (open_shop(&s)) {
		buf_addf(&want,
		         "%s: 3 calls 101 0 0 0 17 = 135\n%s: 1 calls 1000 0 0 0 0 = 1000\n"
		         "total: 4 calls 1101 0 0 0 17 = 1135\n",
		         s.first_id.text, s.second_id.text);
		CHECK_STR(usage(&s, USAGE_BY_KEY, 0, 0), want.p);
	}
	close_shop(&s);
}

static void usage_is_grouped_by_utc_day(void)
{
	struct shop s;

	if (open_shop(&s)) {
		s.w.time.now_ms = WORLD_START_MS + 57600000 - 1; /* the last of the 22nd */
		call(&s, &s.first, "gpt-5.4", 1, 0);
		CHECK_STR(usage(&s, USAGE_BY_DAY, 0, 0), "2026-11-22: 3 calls 102 0 0 0 12 = 126\n"
		                                         "2026-11-23: 2 calls 1000 0 0 0 5 = 1010\n"
		                                         "total: 5 calls 1102 0 0 0 17 = 1136\n");
	}
	close_shop(&s);
}

static void all_five_classes_are_counted(void)
{
	static const struct token_counts COUNTS = { { 50, 200, 100, 1500, 120 } };
	struct shop s;

	if (open_shop(&s)) {
		s.w.time.now_ms += DAY_MS;
		world_call(&s.w, &s.first, "gpt-5.4", &COUNTS);
		/* 50 + 250 + 200 + 150 + 240 */
		CHECK_STR(usage(&s, USAGE_BY_NONE, s.w.time.now_ms, 0),
		          "total: 1 calls 50 200 100 1500 120 = 890\n");
	}
	close_shop(&s);
}

static void a_span_has_its_start_and_not_its_end(void)
{
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK_STR(usage(&s, USAGE_BY_NONE, WORLD_START_MS, WORLD_START_MS + DAY_MS),
	          "total: 2 calls 101 0 0 0 12 = 125\n");
	CHECK_STR(usage(&s, USAGE_BY_NONE, WORLD_START_MS + 1, 0),
	          "total: 2 calls 1000 0 0 0 5 = 1010\n");
	CHECK_STR(usage(&s, USAGE_BY_MODEL, WORLD_START_MS + 2 * DAY_MS, 0),
	          "total: 0 calls 0 0 0 0 0 = 0\n");
	CHECK(!store_usage_each(s.w.st, &s.account, (struct str){ 0 }, 5, 4, USAGE_BY_NONE,
	                        write_row, &s.text, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_INVALID_ARGUMENT);
	close_shop(&s);
}

static void a_service_may_be_named_if_it_is_ones_own(void)
{
	struct shop s;

	if (!open_shop(&s))
		return;
	CHECK(store_usage_each(s.w.st, &s.account, id_str(&s.service), 0, 0, USAGE_BY_NONE,
	                       write_row, &s.text, &s.w.err));
	CHECK_TEXT(buf_str(&s.text), "total: 4 calls 1101 0 0 0 17 = 1135\n");
	CHECK(!store_usage_each(s.w.st, &s.stranger, id_str(&s.service), 0, 0, USAGE_BY_NONE,
	                        write_row, &s.text, &s.w.err));
	CHECK_I64(s.w.err.code, ERR_NOT_FOUND);
	buf_reset(&s.text);
	CHECK(store_usage_each(s.w.st, &s.stranger, (struct str){ 0 }, 0, 0, USAGE_BY_KEY,
	                       write_row, &s.text, &s.w.err));
	CHECK_TEXT(buf_str(&s.text), "total: 0 calls 0 0 0 0 0 = 0\n");
	close_shop(&s);
}

static const struct check_case CASES[] = {
	CASE(the_total_comes_alone_without_a_group),
	CASE(usage_is_grouped_by_model),
	CASE(usage_is_grouped_by_key),
	CASE(usage_is_grouped_by_utc_day),
	CASE(all_five_classes_are_counted),
	CASE(a_span_has_its_start_and_not_its_end),
	CASE(a_service_may_be_named_if_it_is_ones_own),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
