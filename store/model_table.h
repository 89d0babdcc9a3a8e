/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct store_models, shared by the look-ups (model.c) and the loaders
 * (model_load.c, model_traits.c, model_route.c). All memory that a model or route points into comes
 * from one pool, because a configured field replaces a built-in one and nobody wants to track which
 * text is whose. */
#ifndef STORE_MODEL_TABLE_H
#define STORE_MODEL_TABLE_H

#include <stdalign.h>
#include <stdatomic.h>

#include "store/model.h"

struct store__pool_chunk {
	struct store__pool_chunk *next;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

struct store_models {
	_Atomic int holders;
	struct store_model *models;
	size_t count;
	struct store_route *routes;
	size_t route_count;
	struct store_route chat;
	bool has_key[PROVIDER_COUNT];
	bool refuse_retired;
	const struct env *env;
	struct store__pool_chunk *pool;
};

/* "openai", "anthropic", "google", "kimi", NULL. */
extern const char *const store__provider_choices[PROVIDER_COUNT + 1];

/* Zeroed memory that lives as long as `m`, or NULL. */
void *store__models_alloc(struct store_models *m, size_t size);
/* A copy that lives as long as `m`. An absent text leaves `*out` as it is. */
MUST_CHECK bool store__models_keep(struct store_models *m, struct str text, struct str *out,
                                   struct err *err);

/* By catalog id only; NULL if unknown. */
struct store_model *store__models_by_id(struct store_models *m, struct str id);
bool store__prices_complete(const struct token_prices *p); /* for input and output */

/* ---- Loading ---- */

/* Applies a JSON array of models or routes over what is there. `m->models` and `m->routes` have
 * room for all of it. ERR_INVALID_ARGUMENT names the faulty member. */
MUST_CHECK bool store__models_load(struct store_models *m, const struct json *list,
                                   struct err *err);
MUST_CHECK bool store__routes_load(struct store_models *m, const struct json *list,
                                   struct err *err);

/* Prices of classes that have none of their own, once every model is loaded. */
void store__models_complete(struct store_models *m);
/* Once every route is loaded: the one behind /openai/v1 if none is configured, and that one name
 * means one upstream everywhere. */
MUST_CHECK bool store__routes_complete(struct store_models *m, struct err *err);

extern const struct json_fields store__traits_fields;
/* The traits of a model of which nothing is said. */
struct model_traits store__traits_plain(void);
/* Lays the members of `object` over `*traits`. */
MUST_CHECK bool store__traits_read(struct store_models *m, const struct json *object,
                                   struct model_traits *traits, struct err *err);

/* Texts that go into URLs and JSON as they are. */
bool store__is_name(struct str s);
MUST_CHECK bool store__is_list_of_objects(const char *list, const struct json *node,
                                          struct err *err);
/* Puts the member's place and, if it has one, its name before the text. Returns false. */
bool store__blame(struct err *err, const char *list, size_t i, struct str name);

#endif
