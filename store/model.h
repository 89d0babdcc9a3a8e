/* SPDX-License-Identifier: Apache-2.0 */
/* What can be routed: models with prices, limits and traits, and the routes to those who answer for
 * them. Built from the JSON files of store/data/ (compiled in) and the configuration's `models` and
 * `routes` sections. Made once at start, then read-only: any thread may look. A second public
 * header beside store.h, because the router needs this table and nothing else of the store on its
 * hot path. */
#ifndef STORE_MODEL_H
#define STORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
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

/* How a model is told to think. */
enum model_thinking {
	THINKING_NONE,
	THINKING_EFFORT,        /* OpenAI: reasoning_effort */
	THINKING_BUDGET,        /* Anthropic 4.5 and older: enabled with budget_tokens */
	THINKING_ADAPTIVE,      /* Anthropic 4.6 and later: adaptive with output_config.effort */
	THINKING_GEMINI_BUDGET, /* Gemini 2.5: thinkingBudget */
	THINKING_GEMINI_LEVEL,  /* Gemini 3: thinkingLevel */
	THINKING_SWITCH,        /* Kimi k2.5 and k2.6: on or off */
	THINKING_ALWAYS,        /* Kimi k2-thinking: cannot be switched off */
	MODEL_THINKING_COUNT
};

#define MODEL_EFFORTS_MAX 8

/* What a model can do and take. Translation asks these, never a model's name. */
struct model_traits {
	enum model_thinking thinking;
	struct str efforts[MODEL_EFFORTS_MAX]; /* the words that its maker takes, least first */
	size_t effort_count;
	int64_t thinking_floor;    /* tokens of the least thinking budget; 0: it can be off */
	bool sampling;             /* takes temperature, top_p, top_k */
	bool structured;           /* takes a JSON schema for its answer */
	bool prefill;              /* an assistant's message may stand last */
	bool images, files, audio; /* input that it takes besides text */
};

struct store_model {
	struct str id;          /* the catalog's name, what callers send */
	struct str upstream_id; /* what the provider is asked for */
	struct str display_name;
	struct str replacement; /* the successor that the maker names; absent if none */
	enum provider provider;
	enum model_state state; /* as in the data; store_model_state knows the date too */
	int64_t deprecated_s;   /* Unix seconds of the day; 0: unknown */
	int64_t retires_s;      /* the first day on which it does not answer; 0: unknown */
	int64_t context_tokens;
	int64_t max_output_tokens;
	struct token_prices prices;
	int64_t long_above;              /* prompt tokens above which long_prices hold; 0: never */
	struct token_prices long_prices; /* for the whole request, output too */
	struct str price_version;        /* names this set of prices on receipts */
	int64_t created_s;               /* Unix seconds, for OpenAI's model list */
	struct model_traits traits;
};

/* The prices for a request of that many prompt tokens, cached ones included. */
const struct token_prices *store_model_prices(const struct store_model *m, int64_t prompt_tokens);

/* What an upstream says it ran is not what it was asked for: neither the same name nor the same
 * with or without a date at its end ("-2026-03-05", "-20251001"). False if it says nothing. */
bool store_model_differs(struct str asked, struct str reported);

/* Who may answer on a route: a provider's own address and credential (of the settings), or another
 * pair that speaks the same format. */
struct store_upstream {
	struct str name; /* for receipts, logs and breakers: one name, one address and credential */
	enum provider provider;
	struct str base_url; /* without a slash at its end; absent: the provider's setting */
	struct str key;      /* absent: the provider's setting */
	int64_t weight;      /* 1 or more */
	int64_t price_ppm;   /* price factor in millionths of the list price */
	bool configured;     /* has a key, its own or the setting's */
};

/* What one upstream of a route asks for one model. */
struct store_offer {
	const struct store_upstream *upstream;
	const struct store_model *model;
	struct token_prices prices; /* list prices times the upstream's factor, rounded up */
	struct token_prices long_prices;
	struct str price_version; /* of these prices: "2026-11-22", "2026-11-22*0.8" */
};

/* POST /<alias>/v1/messages, or /openai/v1/... */
struct store_route {
	struct str alias;
	bool weighted; /* draw by weight; else in the listed order */
	const struct store_upstream *upstreams;
	size_t upstream_count;
	const struct store_offer *offers; /* each upstream's models, in the order of upstreams */
	size_t offer_count;
};

struct store_models;

struct store_models_options {
	const struct json *models, *routes; /* sections of the configuration; may be NULL */
	bool has_key[PROVIDER_COUNT];       /* the settings have a credential for it */
	bool refuse_retired;                /* no successor serves a retired model */
	const struct env
		*env; /* whose clock tells what has retired; borrowed for the table's life */
};

/* A member of `models` whose id is known replaces the fields that it names; another adds a model.
 * ERR_INVALID_ARGUMENT names the faulty member. */
MUST_CHECK struct store_models *store_models_new(const struct store_models_options *options,
                                                 struct err *err);
/* Another holder of the same table: the last one to free it does. Any thread. */
struct store_models *store_models_share(struct store_models *m);
void store_models_free(struct store_models *m); /* wipes the keys of upstreams; NULL is fine */

size_t store_models_count(const struct store_models *m);
const struct store_model *store_models_at(const struct store_models *m,
                                          size_t i); /* catalog order */
const struct store_model *store_models_find(const struct store_models *m, struct str id);

/* The state now: a model whose end has come is retired, whatever the data says. */
enum model_state store_model_state(const struct store_models *m, const struct store_model *model);
/* Who answers for a model: itself unless it is retired, then the successor that its maker names, or
 * that one's. NULL if there is none or retired models are refused. */
const struct store_model *store_model_serving(const struct store_models *m,
                                              const struct store_model *asked);
/* Can be asked for: an upstream of some route is configured for the model that serves it, which has
 * a price for input and for output. */
bool store_model_routable(const struct store_models *m, const struct store_model *model);
bool store_provider_configured(const struct store_models *m, enum provider p); /* in the settings */

/* Aliases, without the route behind /openai/v1. */
const struct store_route *store_route_find(const struct store_models *m, struct str alias);
size_t store_routes_count(const struct store_models *m);
const struct store_route *store_route_at(const struct store_models *m, size_t i);
/* The route behind /openai/v1: the configured one named "openai", else every model at its
 * provider's own settings. */
const struct store_route *store_route_chat(const struct store_models *m);
/* The model of that id that this route lists, whether it can be called now or not. */
const struct store_model *store_route_model(const struct store_route *r, struct str id);
/* Offers for a model that can be called now (configured, with prices for input and output), in the
 * order of the route, at most `max`; returns how many. `model` is one that serves. */
size_t store_route_offers(const struct store_route *r, const struct store_model *model,
                          const struct store_offer **out, size_t max);

#endif
