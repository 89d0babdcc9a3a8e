/* SPDX-License-Identifier: Apache-2.0 */
/* A table of models for a test: the shipped one with configured sections over it, under a clock
 * that stands. */
#ifndef TESTS_MODEL_WORLD_H
#define TESTS_MODEL_WORLD_H

#include "store/model.h"

#define MODEL_WORLD_MS 1795334400000 /* 2026-11-22 */
#define DAY_MS 86400000

struct model_world {
	struct env_fixed clock;
	struct env env;
	struct store_models_options options;
	struct store_models *m;
	struct err err;
};

/* Every provider has a key; nothing is made yet, so that options may be changed. */
void model_world_init(struct model_world *w);
/* Makes the table with sections as JSON text (or NULL). False with `w->err` if it is refused. */
bool model_world_fill(struct model_world *w, const char *models, const char *routes);
/* Both; a refusal fails the test. */
bool model_world_open(struct model_world *w, const char *models, const char *routes);
void model_world_close(struct model_world *w);
const struct store_model *model_of(const struct model_world *w, const char *id);
void check_prices(const struct token_prices *p, const int64_t want[TOKEN_CLASS_COUNT]);

#endif
