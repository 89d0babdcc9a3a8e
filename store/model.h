/* SPDX-License-Identifier: Apache-2.0 */
/* What can be routed: models with prices and limits, and route aliases. Built from the JSON files
 * of store/data/ (compiled in) and the configuration's `models` and `routes` sections. Made once
 * at start, then read-only: any thread may look. A second public header beside store.h, because
 * the router needs this table and nothing else of the store on its hot path. */
#ifndef STORE_MODEL_H
#define STORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/money.h"
#include "base/str.h"

enum provider {
	PROVIDER_OPENAI,
	PROVIDER_ANTHROPIC,
	PROVIDER_GOOGLE,
	PROVIDER_KIMI,
	PROVIDER_COUNT
};

const char *provider_name(enum provider p); /* "openai" */
MUST_CHECK bool provider_parse(struct str name, enum provider *out);

enum model_state {
	MODEL_ACTIVE,
	MODEL_DEPRECATED, /* still answers; its maker has named an end */
	MODEL_RETIRED,    /* its maker no longer answers for it */
	MODEL_STATE_COUNT
};

const char *model_state_name(enum model_state s); /* "active" */

struct store_model {
	struct str id;           /* the catalog's name, what callers send */
	struct str upstream_id;  /* what the provider is asked for */
	struct str display_name;
	struct str replacement;  /* the successor that the maker names; absent if none */
	enum provider provider;
	enum model_state state;
	int64_t context_tokens;
	int64_t max_output_tokens;
	struct token_prices prices;
	int64_t long_above;             /* prompt tokens above which long_prices hold; 0: never */
	struct token_prices long_prices; /* for the whole request, output too */
	struct str price_version;       /* names this set of prices on receipts */
	int64_t created_s;              /* Unix seconds, for OpenAI's model list */
};

/* The prices for a request of that many prompt tokens, cached ones included. */
const struct token_prices *store_model_prices(const struct store_model *m, int64_t prompt_tokens);

/* A route alias: POST /<alias>/v1/messages. */
struct store_route {
	struct str alias;
	enum provider provider;
	const struct store_model *const *models; /* those that it serves */
	size_t model_count;
};

struct store_models;

/* `models` and `routes` come from the configuration and may be NULL. A member of `models` whose id
 * is known replaces the fields that it names; another adds a model. `has_key[p]` tells which
 * providers are configured: a model of another provider, a retired one, or one without a price for
 * input and output is not routable. ERR_INVALID_ARGUMENT names the faulty member. */
MUST_CHECK struct store_models *store_models_new(const struct json *models,
                                                 const struct json *routes,
                                                 const bool has_key[PROVIDER_COUNT],
                                                 struct err *err);
void store_models_free(struct store_models *m);

size_t store_models_count(const struct store_models *m);
const struct store_model *store_models_at(const struct store_models *m, size_t i); /* catalog order */
const struct store_model *store_models_find(const struct store_models *m, struct str id);
bool store_model_routable(const struct store_models *m, const struct store_model *model);
bool store_provider_configured(const struct store_models *m, enum provider p);
const struct store_route *store_route_find(const struct store_models *m, struct str alias);
size_t store_routes_count(const struct store_models *m);
const struct store_route *store_route_at(const struct store_models *m, size_t i);
const struct store_model *store_route_model(const struct store_route *r, struct str id);

#endif
