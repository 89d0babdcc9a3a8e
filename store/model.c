/* SPDX-License-Identifier: Apache-2.0 */
/* The table of models: making it, looking things up, and who answers for a retired one. A model is
 * found by its catalog id and by the dated id that its provider uses, since both are what people
 * copy from documentation; the catalog id wins where they collide. */
#include "store/model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
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
	struct store__pool_chunk *chunk = calloc(1, sizeof *chunk + size);

	if (!chunk)
		return NULL;
	chunk->next = m->pool;
	chunk->size = size;
	m->pool = chunk;
	return chunk->bytes;
}

bool store__models_keep(struct store_models *m, struct str text, struct str *out, struct err *err)
{
	char *copy;

	if (!text.p)
		return true;
	copy = store__models_alloc(m, text.len + 1);
	if (!copy)
		return err_no_memory(err);
	if (text.len > 0)
		memcpy(copy, text.p, text.len);
	*out = (struct str){ copy, text.len };
	return true;
}

/* The shipped lists first, the configured ones over them. */
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
	return store__routes_complete(m, err);
}

struct store_models *store_models_new(const struct store_models_options *options, struct err *err)
{
	struct str models_text = { store__models_json, store__models_json_len };
	struct str routes_text = { store__routes_json, store__routes_json_len };
	OWN_JSON struct json *models = json_parse(models_text, err);
	OWN_JSON struct json *routes = models ? json_parse(routes_text, err) : NULL;
	struct store_models *m;

	if (!routes)
		return NULL;
	m = calloc(1, sizeof *m);
	if (m)
		atomic_init(&m->holders, 1);
	if (!m) {
		(void)err_no_memory(err); /* its value is for functions that return bool */
		return NULL;
	}
	memcpy(m->has_key, options->has_key, sizeof m->has_key);
	m->refuse_retired = options->refuse_retired;
	m->env = options->env;
	if (!fill(m, (const struct json *[]){ models, options->models },
	          (const struct json *[]){ routes, options->routes }, err)) {
		store_models_free(m);
		return NULL;
	}
	return m;
}

struct store_models *store_models_share(struct store_models *m)
{
	atomic_fetch_add(&m->holders, 1);
	return m;
}

void store_models_free(struct store_models *m)
{
	if (!m || atomic_fetch_sub(&m->holders, 1) > 1)
		return;
	while (m->pool) {
		struct store__pool_chunk *chunk = m->pool;

		m->pool = chunk->next;
		bytes_wipe(chunk->bytes, chunk->size);
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

bool store__prices_complete(const struct token_prices *p)
{
	return p->per_million[TOKEN_UNCACHED_INPUT] >= 0 && p->per_million[TOKEN_OUTPUT] >= 0;
}

bool store_provider_configured(const struct store_models *m, enum provider p)
{
	return m->has_key[p];
}

/* ---- Names with dates ---- */

/* Digits stand where the form has zeros. */
static bool has_form(struct str text, const char *form)
{
	if (text.len != strlen(form))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		bool digit = text.p[i] >= '0' && text.p[i] <= '9';

		if (form[i] == '0' ? !digit : text.p[i] != form[i])
			return false;
	}
	return true;
}

/* `text` is `name` and a date. */
static bool is_dated(struct str text, struct str name)
{
	if (!str_starts(text, name))
		return false;
	struct str end = { text.p + name.len, text.len - name.len };
	return has_form(end, "-0000-00-00") || has_form(end, "-00000000");
}

bool store_model_differs(struct str asked, struct str reported)
{
	return reported.len > 0 && !str_eq(asked, reported) && !is_dated(reported, asked) &&
	       !is_dated(asked, reported);
}

/* ---- Lifecycle ---- */

enum model_state store_model_state(const struct store_models *m, const struct store_model *model)
{
	if (model->retires_s > 0 && env_now_ms(m->env) / 1000 >= model->retires_s)
		return MODEL_RETIRED;
	return model->state;
}

const struct store_model *store_model_serving(const struct store_models *m,
                                              const struct store_model *asked)
{
	const struct store_model *model = asked;

	/* Names can lead in a circle, but never through more models than there are. */
	for (size_t steps = 0; model && steps <= m->count; steps++) {
		if (store_model_state(m, model) != MODEL_RETIRED)
			return model;
		if (m->refuse_retired)
			return NULL;
		model = store_models_find(m, model->replacement);
	}
	return NULL;
}

bool store_model_routable(const struct store_models *m, const struct store_model *model)
{
	const struct store_model *serving = store_model_serving(m, model);
	const struct store_offer *offer;

	if (!serving)
		return false;
	if (store_route_offers(&m->chat, serving, &offer, 1) > 0)
		return true;
	for (size_t i = 0; i < m->route_count; i++) {
		if (store_route_offers(&m->routes[i], serving, &offer, 1) > 0)
			return true;
	}
	return false;
}
