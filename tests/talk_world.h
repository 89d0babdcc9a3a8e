/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of translation: the readers and writers by name, and models with one set of traits
 * each. They are made here and not taken from the catalog, so that a price list's change moves no
 * expectation. */
#ifndef TESTS_TALK_WORLD_H
#define TESTS_TALK_WORLD_H

#include "router/talk.h"

typedef bool talk_reader_fn(struct str body, struct talk *out, struct err *err);
typedef bool talk_writer_fn(const struct talk *t, const struct talk_target *to,
                            struct json_out *out, struct err *err);

/* A way from one protocol to another: the name of a folder of fixtures/translation. */
struct talk_way {
	const char *name;
	talk_reader_fn *read;
	talk_writer_fn *write;
};

extern const struct talk_way talk_ways[];
extern const size_t talk_way_count;
extern const struct store_model talk_models[]; /* "gpt", "claude-budget", … */
extern const size_t talk_model_count;

/* NULL if there is none of that name. */
const struct store_model *talk_world_model(struct str name);

#endif
