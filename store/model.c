/* SPDX-License-Identifier: Apache-2.0 */
/* The table of models and route aliases: making it and looking things up. A model is found by its
 * catalog id and by the dated id that its provider uses, since both are what people copy from
 * documentation; the catalog id wins where they collide. */
#include "store/model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/data.h"
#include "store/model_table.h"

static const char *const PROVIDERS[] = {
	[PROVIDER_OPENAI] = "openai",
	[PROVIDER_ANTHROPIC] = "anthropic",
	[PROVIDER_GOOGLE] = "google",
	[PROVIDER_KIMI] = "kimi",
};
static_assert(ARRAY_LEN(PROVIDERS) == PROVIDER_COUNT, "every provider has a name");

static const char *const STATES[] = {
	[MODEL_ACTIVE] = "active",
	[MODEL_DEPRECATED] = "deprecated",
	[MODEL_RETIRED] = "retired",
};
static_assert(ARRAY_LEN(STATES) == MODEL_STATE_COUNT, "every state has a name");

const char *provider_name(enum provider p)
{
	assert(p < PROVIDER_COUNT);
	return PROVIDERS[p];
}

bool provider_parse(struct str name, enum provider *out)
{
	for (size_t i = 0; i < ARRAY_LEN(PROVIDERS); i++) {
		if (str_eq(name, str_of(PROVIDERS[i]))) {
			*out = (enum provider)i;
			return true;
		}
	}
	return false;
}

const char *model_state_name(enum model_state s)
{
	assert(s < MODEL_STATE_COUNT);
	return STATES[s];
}

/* ---- Making the table ---- */

void *store__models_alloc(struct store_models *m, size_t size)
{
	struct store__pool_chunk *chunk = malloc(sizeof *chunk + size);

	if (!chunk)
		return NULL;
	chunk->next = m->pool;
	m->pool = chunk;
	return chunk->bytes;
}

static bool fill(struct store_models *m, const struct json *const models[2],
                 const struct json *const routes[2], struct err *err)
{
	m->models = calloc(json_count(models[0]) + json_count(models[1]) + 1, sizeof *m->models);
	m->routes = calloc(json_count(routes[0]) + json_count(routes[1]) + 1, sizeof *m->routes);
	if (!m->models || !m->routes)
		return err_no_memory(err);
	for (size_t i = 0; i < 2; i++) {
		if (models[i] && !store__models_load(m, models[i], err))
			return false;
	}
	store__models_complete(m);
	for (size_t i = 0; i < 2; i++) {
		if (routes[i] && !store__routes_load(m, routes[i], err))
			return false;
	}
	return store__routes_check(m, err);
}

struct store_models *store_models_new(const struct json *models, const struct json *routes,
                                      const bool has_key[PROVIDER_COUNT], struct err *err)
{
	struct str models_text = { store__models_json, store__models_json_len };
	struct str routes_text = { store__routes_json, store__routes_json_len };
	OWN_JSON struct json *shipped_models = json_parse(models_text, err);
	OWN_JSON struct json *shipped_routes = shipped_models ? json_parse(routes_text, err) : NULL;
	struct store_models *m;

	if (!shipped_routes)
		return NULL;
	m = calloc(1, sizeof *m);
	if (!m) {
		(void)err_no_memory(err); /* its value is for functions that return bool */
		return NULL;
	}
	memcpy(m->has_key, has_key, sizeof m->has_key);
	if (!fill(m, (const struct json *[]){ shipped_models, models },
	          (const struct json *[]){ shipped_routes, routes }, err)) {
		store_models_free(m);
		return NULL;
	}
	return m;
}

void store_models_free(struct store_models *m)
{
	if (!m)
		return;
	while (m->pool) {
		struct store__pool_chunk *chunk = m->pool;

		m->pool = chunk->next;
		free(chunk);
	}
	free(m->models);
	free(m->routes);
	free(m);
}

/* ---- Looking up ---- */

const struct token_prices *store_model_prices(const struct store_model *m, int64_t prompt_tokens)
{
	if (m->long_above > 0 && prompt_tokens > m->long_above)
		return &m->long_prices;
	return &m->prices;
}

size_t store_models_count(const struct store_models *m)
{
	return m->count;
}

const struct store_model *store_models_at(const struct store_models *m, size_t i)
{
	return i < m->count ? &m->models[i] : NULL;
}

struct store_model *store__models_by_id(struct store_models *m, struct str id)
{
	for (size_t i = 0; i < m->count; i++) {
		if (str_eq(m->models[i].id, id))
			return &m->models[i];
	}
	return NULL;
}

const struct store_model *store_models_find(const struct store_models *m, struct str id)
{
	const struct store_model *dated = NULL;

	for (size_t i = 0; i < m->count; i++) {
		if (str_eq(m->models[i].id, id))
			return &m->models[i];
		if (!dated && str_eq(m->models[i].upstream_id, id))
			dated = &m->models[i];
	}
	return dated;
}

bool store_model_routable(const struct store_models *m, const struct store_model *model)
{
	return m->has_key[model->provider] && model->state != MODEL_RETIRED &&
	       model->prices.per_million[TOKEN_UNCACHED_INPUT] >= 0 &&
	       model->prices.per_million[TOKEN_OUTPUT] >= 0;
}

bool store_provider_configured(const struct store_models *m, enum provider p)
{
	return m->has_key[p];
}

const struct store_route *store_route_find(const struct store_models *m, struct str alias)
{
	for (size_t i = 0; i < m->route_count; i++) {
		if (str_eq(m->routes[i].alias, alias))
			return &m->routes[i];
	}
	return NULL;
}

size_t store_routes_count(const struct store_models *m)
{
	return m->route_count;
}

const struct store_route *store_route_at(const struct store_models *m, size_t i)
{
	return i < m->route_count ? &m->routes[i] : NULL;
}

const struct store_model *store_route_model(const struct store_route *r, struct str id)
{
	const struct store_model *dated = NULL;

	for (size_t i = 0; i < r->model_count; i++) {
		if (str_eq(r->models[i]->id, id))
			return r->models[i];
		if (!dated && str_eq(r->models[i]->upstream_id, id))
			dated = r->models[i];
	}
	return dated;
}
