/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the API that need no listener: queries as objects, the allowance of sign-ins, the table
 * of routes against its description, counters; and, with one, terms that are replaced under a
 * running stream. */
#include <stdio.h>
#include <stdlib.h>

#include "router/api.h"
#include "router/embedded.h"
#include "router/throttle.h"
#include "tests/router_world.h"

/* ---- Queries ---- */

struct asked {
	struct str q;
	int64_t limit;
};
static const struct json_field FIELD[] = {
	{ .name = "q", .type = JSON_FIELD_STR, .offset = offsetof(struct asked, q), .max = 20 },
	{ .name = "limit",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct asked, limit),
	  .min = 1,
	  .max = 10 },
};
static const struct json_fields FIELDS = JSON_FIELDS(FIELD);

static void a_query_is_read_like_a_body(void)
{
	static const struct {
		const char *query, *q;
		int64_t limit;
	} ROWS[] = {
		{ "", "-", -1 },
		{ "q=a", "a", -1 },
		{ "limit=7&q=a+b", "a b", 7 },
		{ "q=%C3%A9%2B%26&&limit=10", "\xc3\xa9+&", 10 },
		{ "q=&limit=3", "-", 3 },
		{ "q=a=b", "a=b", -1 },
		{ "q=12", "12", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct asked asked = { STR("-"), -1 };
		struct err err = { 0 };

		check_note("%s", ROWS[i].query);
		OWN_JSON struct json *tree = api_query(str_of(ROWS[i].query), &FIELDS, &err);
		if (!CHECK(tree != NULL))
			continue;
		CHECK(json_read(tree, &FIELDS, &asked, &err));
		CHECK_TEXT(asked.q, ROWS[i].q);
		CHECK_I64(asked.limit, ROWS[i].limit);
	}
}

static void a_bad_query_is_refused(void)
{
	static const char *const ROWS[] = { "q=%",      "q=%4", "q=%zz",   "q=%ff",
		                            "q=%00",    "=a",   "q=a&q=b", "limit=7&limit=8",
		                            "%71=a&q=b" };

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct err err = { 0 };

		check_note("%s", ROWS[i]);
		OWN_JSON struct json *tree = api_query(str_of(ROWS[i]), &FIELDS, &err);
		CHECK(tree == NULL);
		CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	}
}

static void what_is_no_number_or_unknown_is_refused_by_its_name(void)
{
	static const char *const ROWS[] = { "limit=x", "limit=0", "limit=11", "limit=1.5",
		                            "colour=red" };

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct asked asked = { { 0 }, 0 };
		struct err err = { 0 };

		check_note("%s", ROWS[i]);
		OWN_JSON struct json *tree = api_query(str_of(ROWS[i]), &FIELDS, &err);
		if (!CHECK(tree != NULL))
			continue;
		CHECK(!json_read(tree, &FIELDS, &asked, &err));
		CHECK(strstr(err.text, i == 4 ? "colour" : "limit") != NULL);
	}
}

/* ---- Sign-ins ---- */

static void ten_at_once_then_one_in_six_seconds(void)
{
	struct throttle t = { 0 };
	int64_t wait = -1;

	for (int i = 0; i < 10; i++)
		CHECK(throttle_take(&t, STR("10.0.0.1"), 1000, &wait));
	CHECK(!throttle_take(&t, STR("10.0.0.1"), 1000, &wait));
	CHECK_I64(wait, 6000);
	CHECK(!throttle_take(&t, STR("10.0.0.1"), 4000, &wait));
	CHECK_I64(wait, 3000);
	CHECK(throttle_take(&t, STR("10.0.0.2"), 4000, &wait)); /* somebody else's is whole */
	CHECK(throttle_take(&t, STR("10.0.0.1"), 7000, &wait));
	CHECK(!throttle_take(&t, STR("10.0.0.1"), 7000, &wait));
	for (int i = 0; i < 10; i++) /* a minute later all ten are back */
		CHECK(throttle_take(&t, STR("10.0.0.1"), 67000, &wait));
	CHECK(!throttle_take(&t, STR("10.0.0.1"), 67000, &wait));
	throttle_give_back(&t, STR("10.0.0.1"));
	CHECK(throttle_take(&t, STR("10.0.0.1"), 67000, &wait));
	throttle_give_back(&t, STR("10.0.0.9")); /* unknown: nothing to give */
}

static void thousands_of_addresses_fit_by_forgetting_the_quiet_ones(void)
{
	struct throttle t = { 0 };
	char peer[32];
	int64_t wait;

	for (int i = 0; i < 5000; i++) {
		(void)snprintf(peer, sizeof peer, "10.0.%d.%d", i / 256, i % 256);
		CHECK(throttle_take(&t, str_of(peer), 1000 + i, &wait));
	}
	for (int i = 0; i < 10; i++)
		CHECK(throttle_take(&t, STR("10.9.9.9"), 9000, &wait));
	CHECK(!throttle_take(&t, STR("10.9.9.9"), 9000, &wait));
}

/* ---- The table ---- */

static void every_route_is_described(void)
{
	struct err err = { 0 };
	OWN_JSON struct json *doc =
		json_parse((struct str){ router__openapi, router__openapi_len }, &err);

	if (!CHECK(doc != NULL))
		return;
	for (size_t i = 0; i < api_route_count; i++) {
		const struct api_route *route = &api_routes[i];
		char verb[8];
		size_t n = 0;

		check_note("%s %s", route->method, route->path);
		for (; route->method[n]; n++)
			verb[n] = (char)(route->method[n] | 0x20);
		verb[n] = '\0';
		CHECK(json_get(json_get(json_get(doc, "paths"), route->path), verb) != NULL);
	}
}

/* ---- Counting ---- */

static void errors_are_kept_to_a_bound_newest_last(void)
{
	struct router *r = calloc(1, sizeof *r);
	struct env env = env_real();

	if (!CHECK(r != NULL))
		return;
	r->options.env = &env;
	for (int i = 0; i < STATS_ERRORS + 3; i++) {
		const struct stats_error e = { .status = i, .code = ERR_TIMEOUT, .text = "late" };
		stats_note_error(r, &e);
	}
	CHECK_I64((int64_t)r->stats.failure_count, STATS_ERRORS + 3);
	CHECK_I64(r->stats.failures[2].status, STATS_ERRORS + 2);
	CHECK_I64(r->stats.failures[3].status, 3); /* the oldest that is left */
	CHECK_STR(r->stats.failures[3].text, "late");
	free(r);
}

static void series_that_do_not_fit_are_counted_together(void)
{
	struct router *r = calloc(1, sizeof *r);
	int64_t kept = 0;
	char path[32];

	if (!CHECK(r != NULL))
		return;
	for (int64_t i = 0; i < STATS_SERIES * INT64_C(2); i++) {
		(void)snprintf(path, sizeof path, "/route/%d", (int)i);
		stats_api(r, path, 200);
		stats_api(r, path, 200);
	}
	for (size_t i = 0; i < STATS_SERIES; i++)
		kept += r->stats.series[i].count;
	CHECK_I64(kept + r->stats.other, STATS_SERIES * INT64_C(4));
	CHECK(r->stats.other >= STATS_SERIES * INT64_C(2));
	free(r);
}

/* ---- Terms ---- */

static void keep_waiting(struct world *w, struct net_request *rq, int number)
{
	(void)number;
	upstream_stream(rq);
	net_reply_write(rq, STR("data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\","
	                        "\"model\":\"gpt-5.4\",\"choices\":[{\"index\":0,"
	                        "\"delta\":{\"content\":\"hello\"}}]}\n\n"));
	w->waiting[w->waiting_count++] = rq;
}

static void finish(struct net_request *rq)
{
	net_reply_write(rq, STR("data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\","
	                        "\"model\":\"gpt-5.4\",\"choices\":[],\"usage\":{"
	                        "\"prompt_tokens\":10,\"completion_tokens\":5,"
	                        "\"total_tokens\":15}}\n\ndata: [DONE]\n\n"));
	net_reply_end(rq);
}

/* The built-in models, but a token of gpt-5.4's output costs 100 micros. */
static struct store_models *dear_models(const struct env *env)
{
	struct err err = { 0 };
	OWN_JSON struct json *list =
		json_parse(STR("[{\"id\":\"gpt-5.4\",\"prices\":{\"output\":\"100\"}}]"), &err);
	const struct store_models_options options = { .models = list,
		                                      .has_key = { [PROVIDER_OPENAI] = true },
		                                      .env = env };
	struct store_models *models = store_models_new(&options, &err);

	if (!models)
		CHECK_FAIL("%s", err.text);
	return models;
}

#define CALL                                                                   \
	"{\"model\":\"gpt-5.4\",\"stream\":true,\"max_completion_tokens\":20," \
	"\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static void turn_until_waiting(struct world *w, int count)
{
	for (int i = 0; i < 500 && w->waiting_count < count; i++)
		world_turn(w, 10);
	CHECK_I64(w->waiting_count, count);
	world_turn(w, 50);
}

static void a_running_stream_ends_by_the_terms_that_it_began_with(void)
{
	struct world w;
	struct got first = { 0 }, second = { 0 };
	struct err err = { 0 };

	world_open(&w, 1000, keep_waiting);
	world_send(&w, &first, "POST", "/openai/v1/chat/completions", w.key.text, CALL);
	turn_until_waiting(&w, 1);
	struct router_terms terms = { .models = dear_models(&w.env),
		                      .limits = router_limits_default() };
	for (size_t i = 0; i < PROVIDER_COUNT; i++)
		terms.upstreams[i] = (struct router_upstream){ w.upstream_url, "sk-new" };
	CHECK(router_reload(w.router, &terms, &err));
	store_models_free(terms.models); /* the router has its share */
	world_send(&w, &second, "POST", "/openai/v1/chat/completions", w.key.text, CALL);
	turn_until_waiting(&w, 2);
	CHECK_STR(w.upstream_auth, "Bearer sk-new");
	finish(w.waiting[0]);
	finish(w.waiting[1]);
	CHECK(world_wait(&w, &first) && world_wait(&w, &second));
	CHECK(strstr(buf_str(&first.body).p, "[DONE]") != NULL);
	struct got old = world_receipt(&w, first.request_id);
	struct got new = world_receipt(&w, second.request_id);
	/* 10 x 2.5 + 5 x 15 and 10 x 2.5 + 5 x 100 micros */
	CHECK(strstr(buf_str(&old.body).p, "\"buyerChargeUsdMicros\":100,") != NULL);
	CHECK(strstr(buf_str(&new.body).p, "\"buyerChargeUsdMicros\":525,") != NULL);
	got_done(&first);
	got_done(&second);
	got_done(&old);
	got_done(&new);
	world_close(&w);
}

static const struct check_case CASES[] = {
	CASE(a_query_is_read_like_a_body),
	CASE(a_bad_query_is_refused),
	CASE(what_is_no_number_or_unknown_is_refused_by_its_name),
	CASE(ten_at_once_then_one_in_six_seconds),
	CASE(thousands_of_addresses_fit_by_forgetting_the_quiet_ones),
	CASE(every_route_is_described),
	CASE(errors_are_kept_to_a_bound_newest_last),
	CASE(series_that_do_not_fit_are_counted_together),
	CASE(a_running_stream_ends_by_the_terms_that_it_began_with),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
