/* SPDX-License-Identifier: Apache-2.0 */
/* Models: what is shipped, what a configuration may change about it, and who answers for a retired
 * one. */
#include "tests/check.h"
#include "tests/model_world.h"

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
	struct model_world w;

	if (!model_world_open(&w, NULL, NULL))
		return;
	CHECK_I64((int64_t)store_models_count(w.m), 23);
	for (size_t i = 0; i < ARRAY_LEN(SHIPPED); i++) {
		const struct store_model *model = model_of(&w, SHIPPED[i].id);

		check_note("%s", SHIPPED[i].id);
		if (!CHECK(model != NULL))
			continue;
		CHECK_TEXT(model->id, SHIPPED[i].id);
		CHECK_TEXT(model->upstream_id, SHIPPED[i].upstream);
		CHECK_I64(model->provider, SHIPPED[i].provider);
		CHECK_I64(model->state, SHIPPED[i].state);
		CHECK_TEXT(model->price_version, "2026-11-22");
		check_prices(&model->prices, SHIPPED[i].prices);
		CHECK(store_model_routable(w.m, model));
	}
	model_world_close(&w);
}

static void every_ending_model_names_a_known_replacement(void)
{
	struct model_world w;
	size_t ending = 0;

	if (!model_world_open(&w, NULL, NULL))
		return;
	for (size_t i = 0; i < store_models_count(w.m); i++) {
		const struct store_model *model = store_models_at(w.m, i);
		const struct store_model *next = store_models_find(w.m, model->replacement);

		CHECK(model->context_tokens >= model->max_output_tokens);
		CHECK(model->created_s > 1700000000 && model->created_s < 1800000000);
		CHECK((model->retires_s > 0) == (model->state != MODEL_ACTIVE));
		if (model->state == MODEL_ACTIVE)
			continue;
		ending++;
		CHECK(next && next->state == MODEL_ACTIVE);
	}
	CHECK_I64((int64_t)ending, 9);
	CHECK(!store_models_at(w.m, store_models_count(w.m)));
	model_world_close(&w);
}

static void details_of_one_model_are_read(void)
{
	struct model_world w;

	if (!model_world_open(&w, NULL, NULL))
		return;
	const struct store_model *model = model_of(&w, "gpt-5.4");
	if (CHECK(model != NULL)) {
		CHECK_TEXT(model->display_name, "GPT-5.4");
		CHECK_TEXT(model->replacement, NULL);
		CHECK_I64(model->context_tokens, 1050000);
		CHECK_I64(model->max_output_tokens, 128000);
		CHECK_I64(model->created_s, 1772668800); /* 2026-03-05 */
	}
	model_world_close(&w);
}

static void long_prompts_have_other_prices(void)
{
	static const int64_t LONG[] = { 5000000, 5000000, 5000000, 500000, 22500000 };
	struct model_world w;

	if (!model_world_open(&w, NULL, NULL))
		return;
	const struct store_model *model = model_of(&w, "gpt-5.4");
	CHECK(store_model_prices(model, 0) == &model->prices);
	CHECK(store_model_prices(model, 272000) == &model->prices);
	CHECK(store_model_prices(model, 272001) == &model->long_prices);
	check_prices(&model->long_prices, LONG);
	model = model_of(&w, "claude-opus-4-6");
	CHECK(store_model_prices(model, 900000) == &model->prices);
	model_world_close(&w);
}

static void a_dated_upstream_id_finds_the_model_too(void)
{
	struct model_world w;

	if (!model_world_open(&w, NULL, NULL))
		return;
	CHECK(model_of(&w, "claude-haiku-4-5-20251001") == model_of(&w, "claude-haiku-4-5"));
	CHECK(!model_of(&w, "claude-haiku-4-5-2025"));
	CHECK(!model_of(&w, ""));
	CHECK(!store_models_find(w.m, (struct str){ 0 }));
	model_world_close(&w);
}

static void a_provider_without_a_key_is_not_routable(void)
{
	struct model_world w;

	model_world_init(&w);
	for (size_t p = 0; p < PROVIDER_COUNT; p++)
		w.options.has_key[p] = p == PROVIDER_OPENAI;
	if (!CHECK(model_world_fill(&w, NULL, NULL)))
		return;
	CHECK(store_provider_configured(w.m, PROVIDER_OPENAI));
	CHECK(!store_provider_configured(w.m, PROVIDER_ANTHROPIC));
	CHECK(store_model_routable(w.m, model_of(&w, "gpt-5.4")));
	CHECK(!store_model_routable(w.m, model_of(&w, "claude-haiku-4-5")));
	CHECK(!store_model_routable(w.m, model_of(&w, "claude-sonnet-4")));
	model_world_close(&w);
	store_models_free(NULL);
}

/* ---- Traits ---- */

/* Letters: s sampling, j JSON schema, p prefill, i images, f files, a audio. */
static const struct {
	const char *id;
	enum model_thinking thinking;
	int64_t floor;
	const char *efforts, *can;
} TRAITS[] = {
	{ "gpt-5.4-mini", THINKING_EFFORT, 0, "none low medium high xhigh ", "sjpif" },
	{ "claude-3-5-haiku", THINKING_NONE, 0, "", "spif" },
	{ "claude-haiku-4-5", THINKING_BUDGET, 0, "", "sjpif" },
	{ "claude-sonnet-4-6", THINKING_ADAPTIVE, 0, "low medium high max ", "sjif" },
	{ "claude-opus-4-7", THINKING_ADAPTIVE, 0, "low medium high xhigh max ", "jif" },
	{ "gemini-2.5-pro", THINKING_GEMINI_BUDGET, 128, "", "sjpifa" },
	{ "gemini-2.5-flash-lite", THINKING_GEMINI_BUDGET, 0, "", "sjpifa" },
	{ "gemini-3.1-flash-lite", THINKING_GEMINI_LEVEL, 0, "minimal low medium high ", "sjpifa" },
	{ "kimi-k2.6", THINKING_SWITCH, 0, "", "jpi" },
	{ "kimi-k2-thinking", THINKING_ALWAYS, 0, "", "jp" },
};

static void check_traits(const struct model_traits *t, size_t row)
{
	const bool has[] = {
		t->sampling, t->structured, t->prefill, t->images, t->files, t->audio
	};
	OWN_BUF struct buf efforts = buf_make(256);
	OWN_BUF struct buf can = buf_make(8);

	for (size_t i = 0; i < t->effort_count; i++) {
		buf_add(&efforts, t->efforts[i]);
		buf_add_char(&efforts, ' ');
	}
	for (size_t i = 0; i < ARRAY_LEN(has); i++) {
		if (has[i])
			buf_add_char(&can, "sjpifa"[i]);
	}
	CHECK_I64(t->thinking, TRAITS[row].thinking);
	CHECK_I64(t->thinking_floor, TRAITS[row].floor);
	CHECK(str_eq(buf_str(&efforts), str_of(TRAITS[row].efforts)));
	CHECK(str_eq(buf_str(&can), str_of(TRAITS[row].can)));
}

static void shipped_models_have_their_traits(void)
{
	struct model_world w;

	if (!model_world_open(&w, NULL, NULL))
		return;
	for (size_t i = 0; i < ARRAY_LEN(TRAITS); i++) {
		check_note("%s", TRAITS[i].id);
		check_traits(&model_of(&w, TRAITS[i].id)->traits, i);
	}
	model_world_close(&w);
}

static void configured_traits_replace_one_by_one(void)
{
	struct model_world w;

	if (!model_world_open(&w,
	                      "[{\"id\":\"gpt-5.4\",\"traits\":{\"efforts\":[\"high\"],"
	                      "\"images\":false}},"
	                      "{\"id\":\"new\",\"provider\":\"google\",\"contextTokens\":9,"
	                      "\"maxOutputTokens\":9,"
	                      "\"traits\":{\"thinking\":\"gemini-budget\",\"thinkingFloor\":512}}]",
	                      NULL))
		return;
	const struct model_traits *t = &model_of(&w, "gpt-5.4")->traits;
	CHECK_I64((int64_t)t->effort_count, 1);
	CHECK_TEXT(t->efforts[0], "high");
	CHECK(!t->images && t->files && t->thinking == THINKING_EFFORT);
	t = &model_of(&w, "new")->traits;
	CHECK(t->sampling && t->structured && t->images);
	CHECK(!t->prefill && !t->files && !t->audio);
	CHECK_I64(t->thinking, THINKING_GEMINI_BUDGET);
	CHECK_I64(t->thinking_floor, 512);
	model_world_close(&w);
}

/* ---- Lifecycle ---- */

static void a_retired_model_is_served_by_its_successor(void)
{
	static const struct {
		const char *asked, *serves;
	} ROWS[] = {
		{ "claude-sonnet-4", "claude-sonnet-4-6" },
		{ "claude-opus-4-1", "claude-opus-4-8" },
		{ "claude-3-5-haiku", "claude-haiku-4-5" },
		{ "gemini-3.1-flash-lite-preview", "gemini-3.1-flash-lite" },
		{ "kimi-k2-thinking", "kimi-k2.6" },
		{ "gemini-2.5-pro", "gemini-2.5-pro" },
		{ "gpt-5.4", "gpt-5.4" },
	};
	struct model_world w;

	if (!model_world_open(&w, NULL, NULL))
		return;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		const struct store_model *asked = model_of(&w, ROWS[i].asked);
		bool same = strcmp(ROWS[i].asked, ROWS[i].serves) == 0;

		check_note("%s", ROWS[i].asked);
		CHECK(store_model_serving(w.m, asked) == model_of(&w, ROWS[i].serves));
		CHECK((store_model_state(w.m, asked) == MODEL_RETIRED) == !same);
	}
	model_world_close(&w);
}

static void a_model_retires_on_its_day_without_a_restart(void)
{
	struct model_world w;

	if (!model_world_open(&w, NULL, NULL))
		return;
	const struct store_model *pro = model_of(&w, "gemini-2.5-pro");
	CHECK_I64(pro->retires_s, 1796083200); /* 2026-12-01 */
	w.clock.now_ms = 1796083200000 - 1;
	CHECK_I64(store_model_state(w.m, pro), MODEL_DEPRECATED);
	CHECK(store_model_serving(w.m, pro) == pro);
	w.clock.now_ms++;
	CHECK_I64(store_model_state(w.m, pro), MODEL_RETIRED);
	CHECK(store_model_serving(w.m, pro) == model_of(&w, "gemini-3.8-flash"));
	model_world_close(&w);
}

static void retired_models_can_be_refused(void)
{
	struct model_world w;

	model_world_init(&w);
	w.options.refuse_retired = true;
	if (!CHECK(model_world_fill(&w, NULL, NULL)))
		return;
	CHECK(!store_model_serving(w.m, model_of(&w, "claude-sonnet-4")));
	CHECK(!store_model_routable(w.m, model_of(&w, "claude-sonnet-4")));
	CHECK(store_model_serving(w.m, model_of(&w, "gpt-5.4")) == model_of(&w, "gpt-5.4"));
	model_world_close(&w);
}

#define NEW(id, more)                                                                           \
	"{\"id\":\"" id "\",\"provider\":\"openai\",\"contextTokens\":9,\"maxOutputTokens\":9," \
	"\"prices\":{\"input\":1,\"output\":1}," more "}"

static void successors_are_followed_but_not_in_circles(void)
{
	struct model_world w;

	if (!model_world_open(
		    &w,
		    "[" NEW("a", "\"state\":\"retired\",\"replacement\":\"b\"") "," NEW("b", "\"retiredOn\":\"2026-11-22\",\"replacement\":\"c\"") "," NEW(
			    "c",
			    "\"retiredOn\":\"2026-11-23\",\"replacement\":\"a\"") "," NEW("lost",
	                                                                                  "\"state\":\"retired\",\"replacement\":\"nobody\"") "," NEW("alone",
	                                                                                                                                              "\"state\":\"retired\"") "]",
		    NULL))
		return;
	CHECK(store_model_serving(w.m, model_of(&w, "a")) == model_of(&w, "c"));
	CHECK(store_model_routable(w.m, model_of(&w, "a")));
	CHECK(!store_model_serving(w.m, model_of(&w, "lost")));
	CHECK(!store_model_serving(w.m, model_of(&w, "alone")));
	w.clock.now_ms += DAY_MS;
	CHECK(!store_model_serving(w.m, model_of(&w, "a")));
	CHECK(!store_model_routable(w.m, model_of(&w, "c")));
	model_world_close(&w);
}

static void a_date_makes_no_other_model(void)
{
	static const struct {
		const char *asked, *reported; /* NULL: it says nothing */
		bool differs;
	} ROWS[] = {
		{ "gpt-5.4", "gpt-5.4", false },
		{ "gpt-5.4", "gpt-5.4-2026-03-05", false },
		{ "gpt-5.4-2026-03-05", "gpt-5.4", false },
		{ "claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001", false },
		{ "claude-haiku-4-5", "claude-haiku-4-5-20251001", false },
		{ "gpt-5.4", NULL, false },
		{ "gpt-5.4", "", false },
		{ "gpt-5.4", "gpt-5.4-mini", true },
		{ "gpt-5.4-2026-03-05", "gpt-5.4-2026-09-01", true },
		{ "gpt-5.4", "gpt-5.4-2026-3-5", true },
		{ "gpt-5.4", "gpt-5.4-2026030", true },
		{ "gpt-5.4", "gpt-5.4-202603055", true },
		{ "gpt-5.4", "gpt-5.4-dddddddd", true },
		{ "gpt-5.4", "GPT-5.4", true },
		{ "gemini-2.5-pro", "gemini-3.8-flash", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct str reported = { 0 };

		if (ROWS[i].reported)
			reported = str_of(ROWS[i].reported);
		if (!CHECK(store_model_differs(str_of(ROWS[i].asked), reported) == ROWS[i].differs))
			check_note("%s", ROWS[i].reported);
	}
}

/* ---- Configured models ---- */

static void a_configured_model_replaces_only_the_fields_it_names(void)
{
	static const int64_t WANT[] = { 3000000, 3000000, 3000000, 250000, 15000000 };
	struct model_world w;

	if (!model_world_open(&w,
	                      "[{\"id\":\"gpt-5.4\",\"prices\":{\"input\":3}},"
	                      "{\"id\":\"claude-sonnet-4\",\"state\":\"active\","
	                      "\"upstreamId\":\"claude-sonnet-4-6\"}]",
	                      NULL))
		return;
	CHECK_I64((int64_t)store_models_count(w.m), 23);
	const struct store_model *model = model_of(&w, "gpt-5.4");
	check_prices(&model->prices, WANT);
	CHECK_TEXT(model->display_name, "GPT-5.4");
	CHECK_TEXT(model->price_version, "config");
	CHECK_I64(model->long_above, 272000);
	/* Who says that it is active overrules the day that its maker named. */
	model = model_of(&w, "claude-sonnet-4");
	CHECK_TEXT(model->upstream_id, "claude-sonnet-4-6");
	CHECK_TEXT(model->price_version, "2026-11-22");
	CHECK(store_model_serving(w.m, model) == model);
	/* The catalog id wins over another model's upstream id. */
	CHECK_TEXT(model_of(&w, "claude-sonnet-4-6")->id, "claude-sonnet-4-6");
	model_world_close(&w);
}

static void a_configured_model_may_be_new(void)
{
	static const int64_t WANT[] = { 125000, -1, -1, -1, 1 };
	struct model_world w;

	if (!model_world_open(
		    &w,
		    "[{\"id\":\"my/model:1\",\"provider\":\"anthropic\",\"contextTokens\":1000,"
		    "\"maxOutputTokens\":10,\"prices\":{\"input\":\"0.125\",\"output\":0.000001,"
		    "\"cacheRead\":null},\"priceVersion\":\"mine\"},"
		    "{\"id\":\"free\",\"provider\":\"kimi\",\"contextTokens\":1,\"maxOutputTokens\":1}]",
		    NULL))
		return;
	const struct store_model *model = model_of(&w, "my/model:1");
	CHECK_I64((int64_t)store_models_count(w.m), 25);
	CHECK_TEXT(model->upstream_id, "my/model:1");
	CHECK_TEXT(model->display_name, "my/model:1");
	CHECK_TEXT(model->price_version, "mine");
	CHECK_I64(model->state, MODEL_ACTIVE);
	CHECK_I64(model->long_above, 0);
	/* Anthropic's cache classes are never guessed from the input price. */
	check_prices(&model->prices, WANT);
	CHECK(store_model_routable(w.m, model));
	CHECK(!store_model_routable(w.m, model_of(&w, "free")));
	model_world_close(&w);
}

static void long_prices_can_be_set_and_dropped(void)
{
	static const int64_t LONG[] = { 2000000, 2000000, 2000000, 2000000, 8000000 };
	struct model_world w;

	if (!model_world_open(&w,
	                      "[{\"id\":\"gpt-5.4-mini\",\"longContext\":{\"aboveTokens\":100,"
	                      "\"prices\":{\"input\":2,\"output\":8}}},"
	                      "{\"id\":\"gpt-5.4\",\"longContext\":{\"aboveTokens\":0}}]",
	                      NULL))
		return;
	check_prices(store_model_prices(model_of(&w, "gpt-5.4-mini"), 101), LONG);
	const struct store_model *model = model_of(&w, "gpt-5.4");
	CHECK(store_model_prices(model, 1000000) == &model->prices);
	model_world_close(&w);
}

static void a_faulty_member_is_refused_by_name(void)
{
	static const struct {
		const char *models, *where;
	} ROWS[] = {
		{ "{}", "models must be an array" },
		{ "[7]", "models[0]" },
		{ "[{\"id\":\"gpt-5.4\"},{}]", "models[1]" },
		{ "[{\"id\":\"a b\"}]", "models[0] 'a b'" },
		{ "[{\"id\":\"new\"}]", "models[0] 'new': a new model needs 'provider'" },
		{ "[{\"id\":\"new\",\"provider\":\"openai\",\"contextTokens\":5}]",
		  "'maxOutputTokens'" },
		{ "[{\"id\":\"gpt-5.4\",\"price\":{}}]", "price" },
		{ "[{\"id\":\"gpt-5.4\",\"provider\":\"acme\"}]", "provider" },
		{ "[{\"id\":\"gpt-5.4\",\"state\":\"gone\"}]", "state" },
		{ "[{\"id\":\"gpt-5.4\",\"contextTokens\":0}]", "contextTokens" },
		{ "[{\"id\":\"gpt-5.4\",\"prices\":{\"inputs\":1}}]", "'inputs'" },
		{ "[{\"id\":\"gpt-5.4\",\"prices\":{\"input\":-1}}]", "prices.input" },
		{ "[{\"id\":\"gpt-5.4\",\"prices\":{\"input\":\"1,5\"}}]", "prices.input" },
		{ "[{\"id\":\"gpt-5.4\",\"prices\":{\"input\":0.0000001}}]", "prices.input" },
		{ "[{\"id\":\"gpt-5.4\",\"prices\":{\"output\":true}}]", "prices.output" },
		{ "[{\"id\":\"kimi-k2.6\",\"longContext\":{\"aboveTokens\":5}}]", "longContext" },
		{ "[{\"id\":\"kimi-k2.6\",\"longContext\":{}}]", "longContext" },
		{ "[{\"id\":\"gpt-5.4\",\"created\":\"2026-13-01\"}]", "created" },
		{ "[{\"id\":\"gpt-5.4\",\"retiredOn\":\"yesterday!\"}]", "retiredOn" },
		{ "[{\"id\":\"gpt-5.4\",\"traits\":{\"thinking\":\"hard\"}}]", "'thinking'" },
		{ "[{\"id\":\"gpt-5.4\",\"traits\":{\"efforts\":[\"low\",\"more\"]}}]",
		  "'efforts'" },
		{ "[{\"id\":\"gpt-5.4\",\"traits\":{\"vision\":true}}]", "'vision'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct model_world w;

		model_world_init(&w);
		if (!CHECK(!model_world_fill(&w, ROWS[i].models, NULL)) ||
		    !CHECK_I64(w.err.code, ERR_INVALID_ARGUMENT) ||
		    !CHECK(strstr(w.err.text, ROWS[i].where) != NULL))
			check_note("row %zu: %s", i, w.err.text);
		model_world_close(&w);
	}
}

static const struct check_case CASES[] = {
	CASE(providers_and_states_have_names),
	CASE(shipped_models_have_their_makers_prices),
	CASE(every_ending_model_names_a_known_replacement),
	CASE(details_of_one_model_are_read),
	CASE(long_prompts_have_other_prices),
	CASE(a_dated_upstream_id_finds_the_model_too),
	CASE(a_provider_without_a_key_is_not_routable),
	CASE(shipped_models_have_their_traits),
	CASE(configured_traits_replace_one_by_one),
	CASE(a_retired_model_is_served_by_its_successor),
	CASE(a_model_retires_on_its_day_without_a_restart),
	CASE(retired_models_can_be_refused),
	CASE(successors_are_followed_but_not_in_circles),
	CASE(a_date_makes_no_other_model),
	CASE(a_configured_model_replaces_only_the_fields_it_names),
	CASE(a_configured_model_may_be_new),
	CASE(long_prices_can_be_set_and_dropped),
	CASE(a_faulty_member_is_refused_by_name),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
