/* SPDX-License-Identifier: Apache-2.0 */
/* Routes: what is shipped, who may answer on a configured one, in which order and at which price.
 */
#include <stdio.h>

#include "tests/check.h"
#include "tests/model_world.h"

#define OFFERS_MAX 8

static const struct store_route *route_of(const struct model_world *w, const char *alias)
{
	return store_route_find(w->m, str_of(alias));
}

/* The names of the upstreams that offer a model, each followed by a space. */
static void check_offers(const struct model_world *w, const struct store_route *route,
                         const char *model, const char *want)
{
	const struct store_offer *offers[OFFERS_MAX];
	OWN_BUF struct buf names = buf_make(1024);
	size_t n = store_route_offers(route, model_of(w, model), offers, OFFERS_MAX);

	for (size_t i = 0; i < n; i++) {
		CHECK_TEXT(offers[i]->model->id, model);
		buf_add(&names, offers[i]->upstream->name);
		buf_add_char(&names, ' ');
	}
	if (!CHECK(str_eq(buf_str(&names), str_of(want))))
		check_note("%s: '%.*s'", model, STR_ARG(buf_str(&names)));
}

static void shipped_routes_serve_the_active_anthropic_models(void)
{
	static const char *const IDS[] = { "claude-haiku-4-5", "claude-sonnet-4-6",
		                           "claude-opus-4-6",  "claude-opus-4-7",
		                           "claude-opus-4-8",  "claude-sonnet-5" };
	struct model_world w;

	if (!model_world_open(&w, NULL, NULL))
		return;
	CHECK_I64((int64_t)store_routes_count(w.m), 2);
	CHECK_TEXT(store_route_at(w.m, 0)->alias, "claude");
	CHECK_TEXT(store_route_at(w.m, 1)->alias, "claude-fast");
	CHECK(!store_route_at(w.m, 2));
	CHECK(!route_of(&w, "claude-slow") && !route_of(&w, "openai"));
	for (size_t r = 0; r < store_routes_count(w.m); r++) {
		const struct store_route *route = store_route_at(w.m, r);

		CHECK(store_route_find(w.m, route->alias) == route);
		CHECK(!route->weighted);
		CHECK_I64((int64_t)route->offer_count, ARRAY_LEN(IDS));
		for (size_t i = 0; i < ARRAY_LEN(IDS); i++) {
			CHECK(store_route_model(route, str_of(IDS[i])) == model_of(&w, IDS[i]));
			check_offers(&w, route, IDS[i], "anthropic ");
		}
		CHECK(store_route_model(route, STR("claude-haiku-4-5-20251001")) != NULL);
		CHECK(!store_route_model(route, STR("gpt-5.4")));
		check_offers(&w, route, "gpt-5.4", "");
	}
	model_world_close(&w);
}

static void chat_offers_every_model_at_its_provider(void)
{
	struct model_world w;

	model_world_init(&w);
	w.options.has_key[PROVIDER_KIMI] = false;
	if (!CHECK(model_world_fill(&w, NULL, NULL)))
		return;
	const struct store_route *chat = store_route_chat(w.m);
	CHECK_TEXT(chat->alias, "openai");
	CHECK_I64((int64_t)chat->offer_count, 23);
	check_offers(&w, chat, "gpt-5.4", "openai ");
	check_offers(&w, chat, "claude-opus-4-6", "anthropic ");
	check_offers(&w, chat, "gemini-3.8-flash", "google ");
	check_offers(&w, chat, "kimi-k2.6", ""); /* no key */
	CHECK(store_route_model(chat, STR("kimi-k2.6")) == model_of(&w, "kimi-k2.6"));
	const struct store_offer *offer = NULL;
	CHECK(store_route_offers(chat, model_of(&w, "gpt-5.4"), &offer, 1) == 1);
	check_prices(&offer->prices, model_of(&w, "gpt-5.4")->prices.per_million);
	check_prices(&offer->long_prices, model_of(&w, "gpt-5.4")->long_prices.per_million);
	CHECK_TEXT(offer->price_version, "2026-11-22");
	CHECK(!offer->upstream->base_url.p && !offer->upstream->key.p);
	model_world_close(&w);
}

static void short_routes_can_be_changed_and_added(void)
{
	struct model_world w;

	if (!model_world_open(
		    &w, NULL,
		    "[{\"alias\":\"claude-fast\",\"models\":[\"claude-haiku-4-5\"]},"
		    "{\"alias\":\"gpt\",\"provider\":\"openai\",\"models\":[\"gpt-5.4\"]},"
		    "{\"alias\":\"claude\",\"strategy\":\"weighted\"}]"))
		return;
	CHECK_I64((int64_t)store_routes_count(w.m), 3);
	check_offers(&w, route_of(&w, "claude-fast"), "claude-haiku-4-5", "anthropic ");
	check_offers(&w, route_of(&w, "claude-fast"), "claude-sonnet-5", "");
	check_offers(&w, route_of(&w, "gpt"), "gpt-5.4", "openai ");
	CHECK(route_of(&w, "claude")->weighted);
	CHECK_I64((int64_t)route_of(&w, "claude")->offer_count, 6);
	model_world_close(&w);
}

#define UPSTREAM(members) "{\"provider\":\"anthropic\",\"models\":[\"claude-opus-4-6\"]" members "}"
#define ROUTE(alias, upstreams) "{\"alias\":\"" alias "\",\"upstreams\":[" upstreams "]}"

static void upstreams_keep_their_order_names_and_weights(void)
{
	struct model_world w;

	if (!model_world_open(
		    &w, NULL,
		    "[{\"alias\":\"mix\",\"strategy\":\"weighted\",\"upstreams\":["
		    "{\"provider\":\"anthropic\",\"weight\":3,"
		    "\"models\":[\"claude-opus-4-6\",\"claude-haiku-4-5\"]},"
		    "{\"name\":\"relay\",\"provider\":\"anthropic\",\"baseUrl\":\"http://10.0.0.1:9/a/\","
		    "\"apiKey\":\"k-1\",\"models\":[\"claude-opus-4-6\"]},"
		    "{\"provider\":\"anthropic\",\"baseUrl\":\"https://x.example\","
		    "\"models\":[\"claude-haiku-4-5\"]}]}]"))
		return;
	const struct store_route *mix = route_of(&w, "mix");
	CHECK(mix->weighted);
	CHECK_I64((int64_t)mix->upstream_count, 3);
	CHECK_I64((int64_t)mix->offer_count, 4);
	check_offers(&w, mix, "claude-opus-4-6", "anthropic relay ");
	check_offers(&w, mix, "claude-haiku-4-5", "anthropic mix-3 ");
	CHECK_I64(mix->upstreams[0].weight, 3);
	CHECK_I64(mix->upstreams[1].weight, 1);
	CHECK_TEXT(mix->upstreams[1].base_url, "http://10.0.0.1:9/a");
	CHECK_TEXT(mix->upstreams[1].key, "k-1");
	CHECK(!mix->upstreams[2].key.p);
	model_world_close(&w);
}

/* Opus 4.6 lists 5, 6.25, 10, 0.5 and 25; at 0.8 that is 4, 5, 8, 0.4 and 20. The call: 50 input,
 * 200 written for 5 minutes, 1500 read, 120 output: 50*4 + 200*5 + 1500*0.4 + 120*20 = 4200. */
static void a_price_factor_gives_the_second_seeds_charge(void)
{
	static const int64_t WANT[] = { 4000000, 5000000, 8000000, 400000, 20000000 };
	const struct token_counts counts = { { 50, 200, 0, 1500, 120 } };
	struct model_world w;
	struct money charge = MONEY_ZERO;

	if (!model_world_open(&w, NULL,
	                      "[" ROUTE("seed", UPSTREAM(",\"priceFactor\":\"0.8\"")) "]"))
		return;
	const struct store_offer *offer = &route_of(&w, "seed")->offers[0];
	check_prices(&offer->prices, WANT);
	check_prices(&offer->long_prices, WANT);
	CHECK_TEXT(offer->price_version, "2026-11-22*0.80");
	CHECK_I64(offer->upstream->price_ppm, 800000);
	CHECK(token_charge(&counts, &offer->prices, &charge, &w.err));
	CHECK_I64(money_micros(charge), 4200);
	model_world_close(&w);
}

static void an_upstreams_own_key_makes_its_models_routable(void)
{
	struct model_world w;

	model_world_init(&w);
	for (size_t p = 0; p < PROVIDER_COUNT; p++)
		w.options.has_key[p] = false;
	if (!CHECK(model_world_fill(
		    &w, NULL, "[" ROUTE("r", UPSTREAM(",\"apiKey\":\"k\"") "," UPSTREAM("")) "]")))
		return;
	check_offers(&w, route_of(&w, "r"), "claude-opus-4-6", "r-1 ");
	CHECK(store_model_routable(w.m, model_of(&w, "claude-opus-4-6")));
	CHECK(!store_model_routable(w.m, model_of(&w, "claude-opus-4-7")));
	CHECK(!store_provider_configured(w.m, PROVIDER_ANTHROPIC));
	model_world_close(&w);
}

static void the_route_behind_chat_can_be_configured(void)
{
	struct model_world w;

	if (!model_world_open(&w, NULL,
	                      "[" ROUTE("openai", "{\"name\":\"mine\",\"provider\":\"openai\","
	                                          "\"baseUrl\":\"http://127.0.0.1:1/v1\","
	                                          "\"models\":[\"gpt-5.4\"]}") "]"))
		return;
	check_offers(&w, store_route_chat(w.m), "gpt-5.4", "mine ");
	check_offers(&w, store_route_chat(w.m), "kimi-k2.6", "");
	CHECK_I64((int64_t)store_routes_count(w.m), 2);
	CHECK(!route_of(&w, "openai"));
	CHECK(!store_model_routable(w.m, model_of(&w, "kimi-k2.6")));
	CHECK(store_model_routable(w.m, model_of(&w, "claude-opus-4-6"))); /* by its alias */
	model_world_close(&w);
}

static void one_upstream_may_stand_in_several_routes(void)
{
	struct model_world w;

	CHECK(model_world_open(
		&w, NULL,
		"[" ROUTE("a", UPSTREAM(",\"name\":\"relay\",\"apiKey\":\"k\",\"weight\":2")) "," ROUTE(
			"b",
			UPSTREAM(
				",\"name\":\"relay\",\"apiKey\":\"k\",\"priceFactor\":\"2\"")) "]"));
	model_world_close(&w);
}

static void a_faulty_route_is_refused_by_name(void)
{
	static const struct {
		const char *routes, *where;
	} ROWS[] = {
		{ "{}", "routes must be an array" },
		{ "[{\"alias\":\"x\"}]", "routes[0] 'x'" },
		{ "[{\"provider\":\"openai\"}]", "alias" },
		{ "[{\"alias\":\"admin\"}]", "path of the router" },
		{ "[{\"alias\":\"openai\"}]", "a new route needs" },
		{ "[{\"alias\":\"a/b\"}]", "letters" },
		{ "[{\"alias\":\"claude\",\"models\":[\"gpt-9\"]}]", "'gpt-9'" },
		{ "[{\"alias\":\"claude\",\"models\":[\"gpt-5.4\"]}]",
		  "routes[0] 'claude': model 'gpt-5.4' is not of provider 'anthropic'" },
		{ "[{\"alias\":\"claude\",\"provider\":\"openai\"}]",
		  "is not of provider 'openai'" },
		{ "[{\"alias\":\"claude\",\"models\":[]}]", "models" },
		{ "[{\"alias\":\"claude\",\"weight\":1}]", "weight" },
		{ "[{\"alias\":\"claude\",\"strategy\":\"random\"}]", "ordered, weighted" },
		{ "[{\"alias\":\"claude\",\"models\":[\"claude-opus-4-6\",\"claude-opus-4-6\"]}]",
		  "'claude-opus-4-6' is listed twice" },
		{ "[{\"alias\":\"r\",\"upstreams\":[]}]", "upstreams" },
		{ "[{\"alias\":\"r\",\"upstreams\":[{\"provider\":\"kimi\"}]}]",
		  "'models' is missing" },
		{ "[{\"alias\":\"r\",\"provider\":\"kimi\",\"upstreams\":["
		  "{\"provider\":\"kimi\",\"models\":[\"kimi-k2.6\"]}]}]",
		  "either 'upstreams' or" },
		{ "[" ROUTE("r", UPSTREAM(",\"weight\":0")) "]", "'weight'" },
		{ "[" ROUTE("r", UPSTREAM(",\"priceFactor\":\"0\"")) "]",
		  "upstreams[0]: 'priceFactor'" },
		{ "[" ROUTE("r", UPSTREAM(",\"priceFactor\":\"1000.000001\"")) "]",
		  "'priceFactor'" },
		{ "[" ROUTE("r", UPSTREAM(",\"priceFactor\":\"-1\"")) "]", "'priceFactor'" },
		{ "[" ROUTE("r", UPSTREAM(",\"priceFactor\":0.8")) "]", "'priceFactor'" },
		{ "[" ROUTE("r", UPSTREAM(",\"baseUrl\":\"ftp://x\"")) "]", "'baseUrl'" },
		{ "[" ROUTE("r", UPSTREAM(",\"apiKey\":\"a b\"")) "]", "'apiKey'" },
		{ "[" ROUTE("r", UPSTREAM(",\"name\":\"a b\"")) "]", "'name'" },
		{ "[" ROUTE("r", UPSTREAM("") "," UPSTREAM("")) "]",
		  "route 'r': two upstreams have the name 'anthropic'" },
		{ "[" ROUTE("r", UPSTREAM(",\"name\":\"openai\"")) "]",
		  "'openai' means the provider's own" },
		{ "[" ROUTE("r", UPSTREAM(",\"name\":\"anthropic\",\"apiKey\":\"k\"")) "]",
		  "'anthropic' means the provider's own" },
		{ "[" ROUTE("a", UPSTREAM(",\"name\":\"x\",\"apiKey\":\"k\"")) "," ROUTE(
			  "b", UPSTREAM(",\"name\":\"x\",\"apiKey\":\"l\"")) "]",
		  "'x' means another upstream of route 'b'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct model_world w;

		model_world_init(&w);
		if (!CHECK(!model_world_fill(&w, NULL, ROWS[i].routes)) ||
		    !CHECK_I64(w.err.code, ERR_INVALID_ARGUMENT) ||
		    !CHECK(strstr(w.err.text, ROWS[i].where) != NULL))
			check_note("row %zu: %s", i, w.err.text);
		model_world_close(&w);
	}
}

static void a_model_moved_away_from_its_route_is_refused(void)
{
	struct model_world w;

	model_world_init(&w);
	CHECK(!model_world_fill(&w, "[{\"id\":\"claude-haiku-4-5\",\"provider\":\"openai\"}]",
	                        NULL));
	CHECK(strstr(w.err.text, "'claude'") != NULL);
	model_world_close(&w);
}

/* ---- The documentation ---- */

#define DOCS_MAX (64u << 10)

/* Cuts the text of the next ```json block off `rest`; absent if there is none. */
static struct str next_example(struct str *rest)
{
	static const struct str OPEN = STR_INIT("```json\n"), END = STR_INIT("\n```");
	int64_t at = str_find(*rest, OPEN);

	if (at < 0)
		return (struct str){ 0 };
	struct str text = { rest->p + at + OPEN.len, rest->len - (size_t)at - OPEN.len };
	int64_t end = str_find(text, END);
	if (!CHECK(end > 0))
		return (struct str){ 0 };
	*rest = (struct str){ text.p + end, text.len - (size_t)end };
	return (struct str){ text.p, (size_t)end };
}

static void check_example(struct str text)
{
	struct model_world w;

	model_world_init(&w);
	OWN_JSON struct json *file = json_parse(text, &w.err);
	w.options.models = json_get(file, "models");
	w.options.routes = json_get(file, "routes");
	w.m = store_models_new(&w.options, &w.err);
	CHECK(w.options.models || w.options.routes);
	CHECK_STR(w.err.text, "");
	model_world_close(&w);
}

static void the_examples_of_the_documentation_work(void)
{
	static char text[DOCS_MAX];
	FILE *file = fopen(FIXTURES "/../docs/config.md", "r");
	int examples = 0;

	if (!CHECK(file != NULL))
		return;
	struct str rest = { text, fread(text, 1, sizeof text, file) };
	CHECK(fclose(file) == 0);
	for (;;) {
		struct str example = next_example(&rest);

		if (!example.p)
			break;
		check_example(example);
		examples++;
	}
	CHECK_I64(examples, 3);
}

static const struct check_case CASES[] = {
	CASE(shipped_routes_serve_the_active_anthropic_models),
	CASE(chat_offers_every_model_at_its_provider),
	CASE(short_routes_can_be_changed_and_added),
	CASE(upstreams_keep_their_order_names_and_weights),
	CASE(a_price_factor_gives_the_second_seeds_charge),
	CASE(an_upstreams_own_key_makes_its_models_routable),
	CASE(the_route_behind_chat_can_be_configured),
	CASE(one_upstream_may_stand_in_several_routes),
	CASE(a_faulty_route_is_refused_by_name),
	CASE(a_model_moved_away_from_its_route_is_refused),
	CASE(the_examples_of_the_documentation_work),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
