/* SPDX-License-Identifier: Apache-2.0 */
/* Models, prices and routes: what is shipped, and what a configuration may change about it. */
#include "store/model.h"
#include "tests/check.h"

static const bool ALL[PROVIDER_COUNT] = { true, true, true, true };
static const bool NONE[PROVIDER_COUNT] = { false };

static struct store_models *shipped(void)
{
	struct err err = { 0 };
	struct store_models *m = store_models_new(NULL, NULL, ALL, &err);

	if (!m)
		CHECK_STR(err.text, "");
	return m;
}

/* With configured sections as JSON text, either NULL. The table copies what it needs, so the trees
 * end here. */
static struct store_models *configured(const char *models, const char *routes, struct err *err)
{
	OWN_JSON struct json *models_tree = models ? json_parse(str_of(models), err) : NULL;
	OWN_JSON struct json *routes_tree = routes ? json_parse(str_of(routes), err) : NULL;

	return store_models_new(models_tree, routes_tree, ALL, err);
}

static void check_prices(const struct token_prices *p, const int64_t want[TOKEN_CLASS_COUNT])
{
	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++)
		CHECK_I64(p->per_million[c], want[c]);
}

static void providers_and_states_have_names(void)
{
	enum provider p = PROVIDER_COUNT;

	CHECK_STR(provider_name(PROVIDER_KIMI), "kimi");
	CHECK_STR(model_state_name(MODEL_DEPRECATED), "deprecated");
	CHECK(provider_parse(STR("google"), &p));
	CHECK_I64(p, PROVIDER_GOOGLE);
	CHECK(!provider_parse(STR("Google"), &p));
	CHECK(!provider_parse(STR(""), &p));
	CHECK_I64(p, PROVIDER_GOOGLE);
}

/* Micro-USD per million: input, write 5m, write 1h, read, output. */
static const struct {
	const char *id, *upstream;
	enum provider provider;
	enum model_state state;
	int64_t prices[TOKEN_CLASS_COUNT];
} SHIPPED[] = {
	{ "gpt-5.4",
	  "gpt-5.4",
	  PROVIDER_OPENAI,
	  MODEL_ACTIVE,
	  { 2500000, 2500000, 2500000, 250000, 15000000 } },
	{ "gpt-5.4-mini",
	  "gpt-5.4-mini",
	  PROVIDER_OPENAI,
	  MODEL_ACTIVE,
	  { 750000, 750000, 750000, 75000, 4500000 } },
	{ "gpt-5.4-nano",
	  "gpt-5.4-nano",
	  PROVIDER_OPENAI,
	  MODEL_ACTIVE,
	  { 200000, 200000, 200000, 20000, 1250000 } },
	{ "claude-opus-4-1",
	  "claude-opus-4-1-20250805",
	  PROVIDER_ANTHROPIC,
	  MODEL_RETIRED,
	  { 15000000, 18750000, 30000000, 1500000, 75000000 } },
	{ "claude-sonnet-4",
	  "claude-sonnet-4-20250514",
	  PROVIDER_ANTHROPIC,
	  MODEL_RETIRED,
	  { 3000000, 3750000, 6000000, 300000, 15000000 } },
	{ "claude-haiku-4-5",
	  "claude-haiku-4-5-20251001",
	  PROVIDER_ANTHROPIC,
	  MODEL_ACTIVE,
	  { 1000000, 1250000, 2000000, 100000, 5000000 } },
	{ "claude-3-5-haiku",
	  "claude-3-5-haiku-20241022",
	  PROVIDER_ANTHROPIC,
	  MODEL_RETIRED,
	  { 800000, 1000000, 1600000, 80000, 4000000 } },
	{ "gemini-2.5-pro",
	  "gemini-2.5-pro",
	  PROVIDER_GOOGLE,
	  MODEL_DEPRECATED,
	  { 1250000, 1250000, 1250000, 125000, 10000000 } },
	{ "gemini-2.5-flash",
	  "gemini-2.5-flash",
	  PROVIDER_GOOGLE,
	  MODEL_DEPRECATED,
	  { 300000, 300000, 300000, 30000, 2500000 } },
	{ "gemini-2.5-flash-lite",
	  "gemini-2.5-flash-lite",
	  PROVIDER_GOOGLE,
	  MODEL_ACTIVE,
	  { 100000, 100000, 100000, 10000, 400000 } },
	{ "gemini-3.1-flash-lite-preview",
	  "gemini-3.1-flash-lite-preview",
	  PROVIDER_GOOGLE,
	  MODEL_RETIRED,
	  { 250000, 250000, 250000, 25000, 1500000 } },
	{ "kimi-k2.5",
	  "kimi-k2.5",
	  PROVIDER_KIMI,
	  MODEL_RETIRED,
	  { 600000, 600000, 600000, 100000, 3000000 } },
	{ "kimi-k2-0905",
	  "kimi-k2-0905-preview",
	  PROVIDER_KIMI,
	  MODEL_RETIRED,
	  { 600000, 600000, 600000, 150000, 2500000 } },
	{ "kimi-k2-thinking",
	  "kimi-k2-thinking",
	  PROVIDER_KIMI,
	  MODEL_RETIRED,
	  { 600000, 600000, 600000, 150000, 2500000 } },
	{ "claude-sonnet-4-6",
	  "claude-sonnet-4-6",
	  PROVIDER_ANTHROPIC,
	  MODEL_ACTIVE,
	  { 3000000, 3750000, 6000000, 300000, 15000000 } },
	{ "claude-opus-4-7",
	  "claude-opus-4-7",
	  PROVIDER_ANTHROPIC,
	  MODEL_ACTIVE,
	  { 5000000, 6250000, 10000000, 500000, 25000000 } },
	{ "claude-sonnet-5",
	  "claude-sonnet-5",
	  PROVIDER_ANTHROPIC,
	  MODEL_ACTIVE,
	  { 2000000, 2500000, 4000000, 200000, 10000000 } },
	{ "kimi-k2.6",
	  "kimi-k2.6",
	  PROVIDER_KIMI,
	  MODEL_ACTIVE,
	  { 950000, 950000, 950000, 160000, 4000000 } },
};

static void shipped_models_have_their_makers_prices(void)
{
	struct store_models *m = shipped();

	if (!CHECK(m != NULL))
		return;
	CHECK_I64((int64_t)store_models_count(m), 23);
	for (size_t i = 0; i < ARRAY_LEN(SHIPPED); i++) {
		const struct store_model *model = store_models_find(m, str_of(SHIPPED[i].id));

		check_note("%s", SHIPPED[i].id);
		if (!CHECK(model != NULL))
			continue;
		CHECK_TEXT(model->id, SHIPPED[i].id);
		CHECK_TEXT(model->upstream_id, SHIPPED[i].upstream);
		CHECK_I64(model->provider, SHIPPED[i].provider);
		CHECK_I64(model->state, SHIPPED[i].state);
		CHECK_TEXT(model->price_version, "2026-11-22");
		check_prices(&model->prices, SHIPPED[i].prices);
		CHECK(store_model_routable(m, model) == (SHIPPED[i].state != MODEL_RETIRED));
	}
	store_models_free(m);
}

static void every_retired_model_names_a_known_replacement(void)
{
	struct store_models *m = shipped();
	size_t retired = 0;

	if (!CHECK(m != NULL))
		return;
	for (size_t i = 0; i < store_models_count(m); i++) {
		const struct store_model *model = store_models_at(m, i);
		const struct store_model *next = store_models_find(m, model->replacement);

		CHECK(model->context_tokens >= model->max_output_tokens);
		CHECK(model->created_s > 1700000000 && model->created_s < 1800000000);
		if (model->state == MODEL_ACTIVE)
			continue;
		retired++;
		CHECK(next && next->state == MODEL_ACTIVE);
	}
	CHECK_I64((int64_t)retired, 9);
	CHECK(!store_models_at(m, store_models_count(m)));
	store_models_free(m);
}

static void details_of_one_model_are_read(void)
{
	struct store_models *m = shipped();
	const struct store_model *model = m ? store_models_find(m, STR("gpt-5.4")) : NULL;

	if (CHECK(model != NULL)) {
		CHECK_TEXT(model->display_name, "GPT-5.4");
		CHECK_TEXT(model->replacement, NULL);
		CHECK_I64(model->context_tokens, 1050000);
		CHECK_I64(model->max_output_tokens, 128000);
		CHECK_I64(model->created_s, 1772668800); /* 2026-03-05 */
	}
	store_models_free(m);
}

static void long_prompts_have_other_prices(void)
{
	static const int64_t LONG[] = { 5000000, 5000000, 5000000, 500000, 22500000 };
	struct store_models *m = shipped();
	const struct store_model *model = m ? store_models_find(m, STR("gpt-5.4")) : NULL;

	if (CHECK(model != NULL)) {
		CHECK(store_model_prices(model, 0) == &model->prices);
		CHECK(store_model_prices(model, 272000) == &model->prices);
		CHECK(store_model_prices(model, 272001) == &model->long_prices);
		check_prices(&model->long_prices, LONG);
		model = store_models_find(m, STR("claude-opus-4-6"));
		CHECK(store_model_prices(model, 900000) == &model->prices);
	}
	store_models_free(m);
}

static void a_dated_upstream_id_finds_the_model_too(void)
{
	struct store_models *m = shipped();

	if (!CHECK(m != NULL))
		return;
	CHECK(store_models_find(m, STR("claude-haiku-4-5-20251001")) ==
	      store_models_find(m, STR("claude-haiku-4-5")));
	CHECK(!store_models_find(m, STR("claude-haiku-4-5-2025")));
	CHECK(!store_models_find(m, STR("")));
	CHECK(!store_models_find(m, (struct str){ 0 }));
	store_models_free(m);
}

static void a_provider_without_a_key_is_not_routable(void)
{
	static const bool OPENAI_ONLY[PROVIDER_COUNT] = { [PROVIDER_OPENAI] = true };
	struct err err = { 0 };
	struct store_models *m = store_models_new(NULL, NULL, OPENAI_ONLY, &err);
	struct store_models *none = store_models_new(NULL, NULL, NONE, &err);

	if (CHECK(m && none)) {
		CHECK(store_provider_configured(m, PROVIDER_OPENAI));
		CHECK(!store_provider_configured(m, PROVIDER_ANTHROPIC));
		CHECK(store_model_routable(m, store_models_find(m, STR("gpt-5.4"))));
		CHECK(!store_model_routable(m, store_models_find(m, STR("claude-haiku-4-5"))));
		CHECK(!store_model_routable(none, store_models_find(none, STR("gpt-5.4"))));
	}
	store_models_free(m);
	store_models_free(none);
	store_models_free(NULL);
}

static void shipped_routes_serve_the_active_anthropic_models(void)
{
	static const char *const IDS[] = { "claude-haiku-4-5", "claude-sonnet-4-6",
		                           "claude-opus-4-6",  "claude-opus-4-7",
		                           "claude-opus-4-8",  "claude-sonnet-5" };
	struct store_models *m = shipped();

	if (!CHECK(m != NULL))
		return;
	CHECK_I64((int64_t)store_routes_count(m), 2);
	CHECK_TEXT(store_route_at(m, 0)->alias, "claude");
	CHECK_TEXT(store_route_at(m, 1)->alias, "claude-fast");
	CHECK(!store_route_at(m, 2));
	CHECK(!store_route_find(m, STR("claude-slow")));
	for (size_t r = 0; r < store_routes_count(m); r++) {
		const struct store_route *route = store_route_at(m, r);

		CHECK(store_route_find(m, route->alias) == route);
		CHECK_I64(route->provider, PROVIDER_ANTHROPIC);
		CHECK_I64((int64_t)route->model_count, ARRAY_LEN(IDS));
		for (size_t i = 0; i < ARRAY_LEN(IDS); i++)
			CHECK(store_route_model(route, str_of(IDS[i])) ==
			      store_models_find(m, str_of(IDS[i])));
		CHECK(store_route_model(route, STR("claude-haiku-4-5-20251001")) != NULL);
		CHECK(!store_route_model(route, STR("claude-opus-4-1")));
		CHECK(!store_route_model(route, STR("gpt-5.4")));
	}
	store_models_free(m);
}

static void a_configured_model_replaces_only_the_fields_it_names(void)
{
	static const int64_t WANT[] = { 3000000, 3000000, 3000000, 250000, 15000000 };
	struct err err = { 0 };
	struct store_models *m = configured("[{\"id\":\"gpt-5.4\",\"prices\":{\"input\":3}},"
	                                    "{\"id\":\"claude-sonnet-4\",\"state\":\"active\","
	                                    "\"upstreamId\":\"claude-sonnet-4-6\"}]",
	                                    NULL, &err);
	const struct store_model *model;

	if (!CHECK(m != NULL))
		return;
	CHECK_I64((int64_t)store_models_count(m), 23);
	model = store_models_find(m, STR("gpt-5.4"));
	check_prices(&model->prices, WANT);
	CHECK_TEXT(model->display_name, "GPT-5.4");
	CHECK_TEXT(model->price_version, "config");
	CHECK_I64(model->long_above, 272000);
	model = store_models_find(m, STR("claude-sonnet-4"));
	CHECK_TEXT(model->upstream_id, "claude-sonnet-4-6");
	CHECK_TEXT(model->price_version, "2026-11-22");
	CHECK(store_model_routable(m, model));
	/* The catalog id wins over another model's upstream id. */
	CHECK_TEXT(store_models_find(m, STR("claude-sonnet-4-6"))->id, "claude-sonnet-4-6");
	store_models_free(m);
}

static void a_configured_model_may_be_new(void)
{
	static const int64_t WANT[] = { 125000, -1, -1, -1, 1 };
	struct err err = { 0 };
	struct store_models *m = configured(
		"[{\"id\":\"my/model:1\",\"provider\":\"anthropic\",\"contextTokens\":1000,"
		"\"maxOutputTokens\":10,\"prices\":{\"input\":\"0.125\",\"output\":0.000001,"
		"\"cacheRead\":null},\"priceVersion\":\"mine\"},"
		"{\"id\":\"free\",\"provider\":\"kimi\",\"contextTokens\":1,\"maxOutputTokens\":1}]",
		NULL, &err);
	const struct store_model *model = m ? store_models_find(m, STR("my/model:1")) : NULL;

	if (!CHECK(model != NULL))
		return;
	CHECK_I64((int64_t)store_models_count(m), 25);
	CHECK_TEXT(model->upstream_id, "my/model:1");
	CHECK_TEXT(model->display_name, "my/model:1");
	CHECK_TEXT(model->price_version, "mine");
	CHECK_I64(model->state, MODEL_ACTIVE);
	CHECK_I64(model->long_above, 0);
	/* Anthropic's cache classes are never guessed from the input price. */
	check_prices(&model->prices, WANT);
	CHECK(store_model_routable(m, model));
	CHECK(!store_model_routable(m, store_models_find(m, STR("free"))));
	store_models_free(m);
}

static void long_prices_can_be_set_and_dropped(void)
{
	static const int64_t LONG[] = { 2000000, 2000000, 2000000, 2000000, 8000000 };
	struct err err = { 0 };
	struct store_models *m =
		configured("[{\"id\":\"gpt-5.4-mini\",\"longContext\":{\"aboveTokens\":100,"
	                   "\"prices\":{\"input\":2,\"output\":8}}},"
	                   "{\"id\":\"gpt-5.4\",\"longContext\":{\"aboveTokens\":0}}]",
	                   NULL, &err);
	const struct store_model *model = m ? store_models_find(m, STR("gpt-5.4-mini")) : NULL;

	if (!CHECK(model != NULL))
		return;
	check_prices(store_model_prices(model, 101), LONG);
	model = store_models_find(m, STR("gpt-5.4"));
	CHECK(store_model_prices(model, 1000000) == &model->prices);
	store_models_free(m);
}

static void routes_can_be_changed_and_added(void)
{
	struct err err = { 0 };
	struct store_models *m =
		configured(NULL,
	                   "[{\"alias\":\"claude-fast\",\"models\":[\"claude-haiku-4-5\"]},"
	                   "{\"alias\":\"gpt\",\"provider\":\"openai\",\"models\":[\"gpt-5.4\"]}]",
	                   &err);
	const struct store_route *route = m ? store_route_find(m, STR("claude-fast")) : NULL;

	if (!CHECK(route != NULL))
		return;
	CHECK_I64((int64_t)store_routes_count(m), 3);
	CHECK_I64((int64_t)route->model_count, 1);
	CHECK_I64(route->provider, PROVIDER_ANTHROPIC);
	CHECK(!store_route_model(route, STR("claude-sonnet-5")));
	route = store_route_find(m, STR("gpt"));
	CHECK(route && route->provider == PROVIDER_OPENAI);
	CHECK_I64((int64_t)store_route_find(m, STR("claude"))->model_count, 6);
	store_models_free(m);
}

static void a_faulty_member_is_refused_by_name(void)
{
	static const struct {
		const char *models, *routes, *where;
	} ROWS[] = {
		{ "{}", NULL, "models must be an array" },
		{ "[7]", NULL, "models[0]" },
		{ "[{\"id\":\"gpt-5.4\"},{}]", NULL, "models[1]" },
		{ "[{\"id\":\"a b\"}]", NULL, "models[0] 'a b'" },
		{ "[{\"id\":\"new\"}]", NULL, "models[0] 'new': a new model needs 'provider'" },
		{ "[{\"id\":\"new\",\"provider\":\"openai\",\"contextTokens\":5}]", NULL,
		  "'maxOutputTokens'" },
		{ "[{\"id\":\"gpt-5.4\",\"price\":{}}]", NULL, "price" },
		{ "[{\"id\":\"gpt-5.4\",\"provider\":\"acme\"}]", NULL, "provider" },
		{ "[{\"id\":\"gpt-5.4\",\"state\":\"gone\"}]", NULL, "state" },
		{ "[{\"id\":\"gpt-5.4\",\"contextTokens\":0}]", NULL, "contextTokens" },
		{ "[{\"id\":\"gpt-5.4\",\"prices\":{\"inputs\":1}}]", NULL, "'inputs'" },
		{ "[{\"id\":\"gpt-5.4\",\"prices\":{\"input\":-1}}]", NULL, "prices.input" },
		{ "[{\"id\":\"gpt-5.4\",\"prices\":{\"input\":\"1,5\"}}]", NULL, "prices.input" },
		{ "[{\"id\":\"gpt-5.4\",\"prices\":{\"input\":0.0000001}}]", NULL, "prices.input" },
		{ "[{\"id\":\"gpt-5.4\",\"prices\":{\"output\":true}}]", NULL, "prices.output" },
		{ "[{\"id\":\"kimi-k2.6\",\"longContext\":{\"aboveTokens\":5}}]", NULL,
		  "longContext" },
		{ "[{\"id\":\"kimi-k2.6\",\"longContext\":{}}]", NULL, "longContext" },
		{ "[{\"id\":\"gpt-5.4\",\"created\":\"2026-13-01\"}]", NULL, "created" },
		{ "[{\"id\":\"gpt-5.4\",\"retiredOn\":\"yesterday!\"}]", NULL, "retiredOn" },
		{ NULL, "{}", "routes must be an array" },
		{ NULL, "[{\"alias\":\"x\"}]", "routes[0] 'x'" },
		{ NULL, "[{\"provider\":\"openai\"}]", "alias" },
		{ NULL, "[{\"alias\":\"openai\"}]", "path of the router" },
		{ NULL, "[{\"alias\":\"a/b\"}]", "letters" },
		{ NULL, "[{\"alias\":\"claude\",\"models\":[\"gpt-9\"]}]", "'gpt-9'" },
		{ NULL, "[{\"alias\":\"claude\",\"models\":[\"gpt-5.4\"]}]",
		  "route 'claude': model 'gpt-5.4' is not of provider 'anthropic'" },
		{ NULL, "[{\"alias\":\"claude\",\"models\":[]}]", "models" },
		{ NULL, "[{\"alias\":\"claude\",\"weight\":1}]", "weight" },
		{ "[{\"id\":\"claude-haiku-4-5\",\"provider\":\"openai\"}]", NULL,
		  "route 'claude'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct err err = { 0 };
		struct store_models *m = configured(ROWS[i].models, ROWS[i].routes, &err);

		if (!CHECK(!m) || !CHECK_I64(err.code, ERR_INVALID_ARGUMENT) ||
		    !CHECK(strstr(err.text, ROWS[i].where) != NULL))
			check_note("row %zu: %s", i, err.text);
		store_models_free(m);
	}
}

static const struct check_case CASES[] = {
	CASE(providers_and_states_have_names),
	CASE(shipped_models_have_their_makers_prices),
	CASE(every_retired_model_names_a_known_replacement),
	CASE(details_of_one_model_are_read),
	CASE(long_prompts_have_other_prices),
	CASE(a_dated_upstream_id_finds_the_model_too),
	CASE(a_provider_without_a_key_is_not_routable),
	CASE(shipped_routes_serve_the_active_anthropic_models),
	CASE(a_configured_model_replaces_only_the_fields_it_names),
	CASE(a_configured_model_may_be_new),
	CASE(long_prices_can_be_set_and_dropped),
	CASE(routes_can_be_changed_and_added),
	CASE(a_faulty_member_is_refused_by_name),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
