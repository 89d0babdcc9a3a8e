/* SPDX-License-Identifier: Apache-2.0 */
/* See model_world.h. The table copies what it needs, so a section's tree ends when it is made. */
#include "tests/model_world.h"

#include "tests/check.h"

void model_world_init(struct model_world *w)
{
	*w = (struct model_world){ .clock = { .now_ms = MODEL_WORLD_MS } };
	w->env = env_fixed(&w->clock);
	w->options.env = &w->env;
	for (size_t p = 0; p < PROVIDER_COUNT; p++)
		w->options.has_key[p] = true;
}

bool model_world_fill(struct model_world *w, const char *models, const char *routes)
{
	OWN_JSON struct json *models_tree = models ? json_parse(str_of(models), &w->err) : NULL;
	OWN_JSON struct json *routes_tree = routes ? json_parse(str_of(routes), &w->err) : NULL;
	struct store_models_options options = w->options;

	options.models = models_tree;
	options.routes = routes_tree;
	w->m = store_models_new(&options, &w->err);
	return w->m != NULL;
}

bool model_world_open(struct model_world *w, const char *models, const char *routes)
{
	model_world_init(w);
	if (model_world_fill(w, models, routes))
		return true;
	CHECK_STR(w->err.text, "");
	return false;
}

void model_world_close(struct model_world *w)
{
	store_models_free(w->m);
}

const struct store_model *model_of(const struct model_world *w, const char *id)
{
	return store_models_find(w->m, str_of(id));
}

void check_prices(const struct token_prices *p, const int64_t want[TOKEN_CLASS_COUNT])
{
	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++)
		CHECK_I64(p->per_million[c], want[c]);
}
