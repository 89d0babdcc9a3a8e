/* SPDX-License-Identifier: Apache-2.0 */
/* Reads models from JSON, the shipped file first and the configuration over it with the same code.
 * A member whose id is known replaces only the fields that it names.
 *
 * A token class without a price of its own is ordinary input at OpenAI, Google and Kimi. At
 * Anthropic it has no price at all and cannot be billed: its writes cost more than input, so
 * guessing would lose money. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/limits.h"
#include "store/model_table.h"

#define NO_PRICE (-1)
#define MAX_TOKENS 1000000000 /* no window is larger; keeps sums of token counts far from 2^63 */
#define DATE_LEN 10

/* ---- Small readers ---- */

bool store__is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool word =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!word && (c == '\0' || !strchr("-._:/", c)))
			return false;
	}
	return s.len > 0;
}

static bool read_date(const char *field, struct str date, int64_t *seconds, struct err *err)
{
	char text[] = "0000-00-00T00:00:00Z";
	int64_t ms;

	if (date.len == DATE_LEN) {
		memcpy(text, date.p, DATE_LEN);
		if (time_parse(str_of(text), &ms, NULL)) {
			*seconds = ms / 1000;
			return true;
		}
	}
	return err_set(err, ERR_INVALID_ARGUMENT, "%s must be a date like '2026-11-22', not '%.*s'",
	               field, STR_ARG(date));
}

/* ---- Prices ---- */

static bool read_price(const struct json *node, int64_t *out, struct err *err)
{
	int64_t price;

	if (json_is(node, JSON_NULL)) {
		*out = NO_PRICE;
		return true;
	}
	if (json_is(node, JSON_STRING))
		return token_price_parse(json_text(node), out, err);
	if (!json_is(node, JSON_NUMBER) || !json_micros(node, 6, &price) || price < 0)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "must be USD per million tokens with at most six decimals, or null");
	*out = price;
	return true;
}

static bool price_class(struct str name, enum token_class *out)
{
	for (int c = 0; c < TOKEN_CLASS_COUNT; c++) {
		if (str_eq(name, str_of(token_class_price_field((enum token_class)c)))) {
			*out = (enum token_class)c;
			return true;
		}
	}
	return false;
}

static bool read_prices(const struct json *object, struct token_prices *prices, struct err *err)
{
	for (const struct json *at = json_first(object); at; at = json_next(at)) {
		struct str name = json_key(at);
		enum token_class class;

		if (!price_class(name, &class))
			return err_set(err, ERR_INVALID_ARGUMENT,
			               "prices has no '%.*s': known are input, output, cacheRead, "
			               "cacheWrite5m, cacheWrite1h",
			               STR_ARG(name));
		if (!read_price(at, &prices->per_million[class], err))
			return err_prefix(err, "prices.%.*s", STR_ARG(name));
	}
	return true;
}

static struct token_prices no_prices(void)
{
	struct token_prices p;

	for (int c = 0; c < TOKEN_CLASS_COUNT; c++)
		p.per_million[c] = NO_PRICE;
	return p;
}

struct long_record {
	int64_t above;
	const struct json *prices;
};

static const struct json_field LONG_ARRAY[] = {
	{ .name = "aboveTokens",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct long_record, above),
	  .required = true,
	  .min = 0,
	  .max = MAX_TOKENS,
	  .doc = "prompt tokens above which these prices hold for the whole request; 0: never" },
	{ .name = "prices",
	  .type = JSON_FIELD_OBJECT,
	  .offset = offsetof(struct long_record, prices),
	  .doc = "USD per million tokens by class" },
};
static const struct json_fields LONG_FIELDS = JSON_FIELDS(LONG_ARRAY);

static bool read_long_context(const struct json *object, struct store_model *model, struct err *err)
{
	struct long_record r = { 0 };
	struct token_prices prices = model->long_prices;

	if (!json_read(object, &LONG_FIELDS, &r, err) || !read_prices(r.prices, &prices, err))
		return err_prefix(err, "longContext");
	if (r.above > 0 &&
	    (prices.per_million[TOKEN_UNCACHED_INPUT] < 0 || prices.per_million[TOKEN_OUTPUT] < 0))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "longContext.prices needs input and output");
	model->long_above = r.above;
	model->long_prices = prices;
	return true;
}

/* ---- Models ---- */

struct model_record {
	struct str id, provider, upstream_id, display_name, state, replacement;
	struct str deprecated_on, retired_on, price_version, created;
	int64_t context_tokens, max_output_tokens;
	const struct json *prices, *long_context, *traits;
};

const char *const store__provider_choices[] = { "openai", "anthropic", "google", "kimi", NULL };
static const char *const STATE_CHOICES[] = { "active", "deprecated", "retired", NULL };
static_assert(ARRAY_LEN(STATE_CHOICES) == MODEL_STATE_COUNT + 1, "every state may be named");

#define FIELD(key, kind, low, high, member)                                    \
	.name = (key), .type = JSON_FIELD_##kind, .min = (low), .max = (high), \
	.offset = offsetof(struct model_record, member)
#define TEXT(key, member) FIELD(key, STR, 1, LIMIT_MODEL_ID, member)
#define DATE(key, member) FIELD(key, STR, DATE_LEN, DATE_LEN, member)
#define TOKENS(key, member) FIELD(key, INT, 1, MAX_TOKENS, member)
#define OBJECT(key, member) FIELD(key, OBJECT, 0, 0, member)

static const struct json_field MODEL_ARRAY[] = {
	{ TEXT("id", id), .required = true },
	{ TEXT("provider", provider), .choices = store__provider_choices },
	{ TEXT("upstreamId", upstream_id) },
	{ TEXT("displayName", display_name) },
	{ TEXT("state", state), .choices = STATE_CHOICES },
	{ TEXT("replacement", replacement) },
	{ DATE("deprecatedOn", deprecated_on) },
	{ DATE("retiredOn", retired_on) }, /* from that day on retired, whatever `state` says */
	{ TOKENS("contextTokens", context_tokens) },
	{ TOKENS("maxOutputTokens", max_output_tokens) },
	{ OBJECT("prices", prices) },
	{ OBJECT("longContext", long_context) },
	{ OBJECT("traits", traits), .sub = &store__traits_fields },
	{ TEXT("priceVersion", price_version) },
	{ DATE("created", created) }, /* its release, else the day it was listed here */
};
static const struct json_fields MODEL_FIELDS = JSON_FIELDS(MODEL_ARRAY);

static bool read_names(struct store_models *m, const struct model_record *r,
                       struct store_model *model, struct err *err)
{
	if (!store__is_name(r->id) || (r->upstream_id.p && !store__is_name(r->upstream_id)))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "an id has letters, digits and '-._:/' only");
	return store__models_keep(m, r->id, &model->id, err) &&
	       store__models_keep(m, r->upstream_id, &model->upstream_id, err) &&
	       store__models_keep(m, r->display_name, &model->display_name, err) &&
	       store__models_keep(m, r->replacement, &model->replacement, err) &&
	       store__models_keep(m, r->price_version, &model->price_version, err);
}

static void read_choices(const struct model_record *r, struct store_model *model)
{
	for (int p = 0; p < PROVIDER_COUNT; p++) {
		if (str_eq(r->provider, str_of(provider_name((enum provider)p))))
			model->provider = (enum provider)p;
	}
	for (int s = 0; s < MODEL_STATE_COUNT; s++) {
		if (str_eq(r->state, str_of(model_state_name((enum model_state)s))))
			model->state = (enum model_state)s;
	}
}

static bool read_dates(const struct model_record *r, struct store_model *model, struct err *err)
{
	/* Who says "active" of a model means it, whatever day its maker has named. */
	if (r->state.p)
		model->deprecated_s = model->retires_s = 0;
	return (!r->deprecated_on.p ||
	        read_date("deprecatedOn", r->deprecated_on, &model->deprecated_s, err)) &&
	       (!r->retired_on.p ||
	        read_date("retiredOn", r->retired_on, &model->retires_s, err)) &&
	       (!r->created.p || read_date("created", r->created, &model->created_s, err));
}

static bool read_numbers(const struct model_record *r, struct store_model *model, struct err *err)
{
	if (r->context_tokens > 0)
		model->context_tokens = r->context_tokens;
	if (r->max_output_tokens > 0)
		model->max_output_tokens = r->max_output_tokens;
	if (r->prices && !read_prices(r->prices, &model->prices, err))
		return false;
	if (r->long_context && !read_long_context(r->long_context, model, err))
		return false;
	/* Receipts must not name a published price list for prices that are not on it. */
	if ((r->prices || r->long_context) && !r->price_version.p)
		model->price_version = STR("config");
	return true;
}

/* Lays the record over `*model`, which is a copy: a fault leaves the table as it was. */
static bool apply(struct store_models *m, const struct model_record *r, struct store_model *model,
                  struct err *err)
{
	if (!read_names(m, r, model, err) || !read_dates(r, model, err))
		return false;
	read_choices(r, model);
	return store__traits_read(m, r->traits, &model->traits, err) && read_numbers(r, model, err);
}

static bool check_new(const struct model_record *r, struct err *err)
{
	const char *missing = !r->provider.p          ? "provider"
	                      : !r->context_tokens    ? "contextTokens"
	                      : !r->max_output_tokens ? "maxOutputTokens"
	                                              : NULL;

	if (missing)
		return err_set(err, ERR_INVALID_ARGUMENT, "a new model needs '%s'", missing);
	return true;
}

static bool add_model(struct store_models *m, const struct model_record *r, struct err *err)
{
	struct store_model model = {
		.prices = no_prices(),
		.long_prices = no_prices(),
		.price_version = STR_INIT("config"),
		.traits = store__traits_plain(),
	};

	if (!check_new(r, err) || !apply(m, r, &model, err))
		return false;
	if (!model.upstream_id.p)
		model.upstream_id = model.id;
	if (!model.display_name.p)
		model.display_name = model.id;
	m->models[m->count++] = model;
	return true;
}

static bool load_model(struct store_models *m, const struct json *node, struct err *err)
{
	struct model_record r = { 0 };
	struct store_model *known, changed;

	if (!json_read(node, &MODEL_FIELDS, &r, err))
		return false;
	known = store__models_by_id(m, r.id);
	if (!known)
		return add_model(m, &r, err);
	changed = *known;
	if (!apply(m, &r, &changed, err))
		return false;
	*known = changed;
	return true;
}

bool store__blame(struct err *err, const char *list, size_t i, struct str name)
{
	if (name.p)
		return err_prefix(err, "%s[%zu] '%.*s'", list, i, STR_ARG(name));
	return err_prefix(err, "%s[%zu]", list, i);
}

bool store__is_list_of_objects(const char *list, const struct json *node, struct err *err)
{
	size_t i = 0;

	if (!json_is(node, JSON_ARRAY))
		return err_set(err, ERR_INVALID_ARGUMENT, "%s must be an array of objects", list);
	for (const struct json *at = json_first(node); at; at = json_next(at), i++) {
		if (!json_is(at, JSON_OBJECT))
			return err_set(err, ERR_INVALID_ARGUMENT, "%s[%zu] must be an object", list,
			               i);
	}
	return true;
}

bool store__models_load(struct store_models *m, const struct json *list, struct err *err)
{
	size_t i = 0;

	if (!store__is_list_of_objects("models", list, err))
		return false;
	for (const struct json *at = json_first(list); at; at = json_next(at), i++) {
		if (!load_model(m, at, err))
			return store__blame(err, "models", i, json_text(json_get(at, "id")));
	}
	return true;
}

static void complete_prices(enum provider provider, struct token_prices *p)
{
	int64_t input = p->per_million[TOKEN_UNCACHED_INPUT];

	if (provider == PROVIDER_ANTHROPIC)
		return;
	for (int c = TOKEN_CACHE_WRITE_5M; c <= TOKEN_CACHE_READ; c++) {
		if (p->per_million[c] < 0)
			p->per_million[c] = input;
	}
}

void store__models_complete(struct store_models *m)
{
	for (size_t i = 0; i < m->count; i++) {
		struct store_model *model = &m->models[i];

		complete_prices(model->provider, &model->prices);
		if (model->long_above > 0)
			complete_prices(model->provider, &model->long_prices);
		else
			model->long_prices = model->prices;
	}
}
