/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct store_models, shared by the look-ups (model.c) and the loader
 * (model_load.c). All memory that a model or route points into comes from one pool, because a
 * configured field replaces a built-in one and nobody wants to track which text is whose. */
#ifndef STORE_MODEL_TABLE_H
#define STORE_MODEL_TABLE_H

#include <stdalign.h>

#include "store/model.h"

struct store__pool_chunk {
	struct store__pool_chunk *next;
	alignas(max_align_t) unsigned char bytes[];
};

struct store_models {
	struct store_model *models;
	size_t count;
	struct store_route *routes;
	size_t route_count;
	bool has_key[PROVIDER_COUNT];
	struct store__pool_chunk *pool;
};

/* Memory that lives as long as `m`, or NULL. */
void *store__models_alloc(struct store_models *m, size_t size);

/* By catalog id only; NULL if unknown. */
struct store_model *store__models_by_id(struct store_models *m, struct str id);

/* Applies a JSON array of models or routes over what is there. `m->models` and `m->routes` have
 * room for all of it. ERR_INVALID_ARGUMENT names the faulty member. */
MUST_CHECK bool store__models_load(struct store_models *m, const struct json *list,
                                   struct err *err);
MUST_CHECK bool store__routes_load(struct store_models *m, const struct json *list,
                                   struct err *err);

/* Once everything is loaded: each route's models are of its provider. */
MUST_CHECK bool store__routes_check(const struct store_models *m, struct err *err);

/* Prices of classes that have none of their own, once everything is loaded. */
void store__models_complete(struct store_models *m);

#endif
