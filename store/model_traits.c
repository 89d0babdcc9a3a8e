/* SPDX-License-Identifier: Apache-2.0 */
/* What a model can do and take, from JSON. A model of which nothing is said gets what every model
 * of today can: text and images, sampling, a schema for its answer, and no thinking, because an
 * unknown switch would be a 400 from its provider. */
#include <assert.h>

#include "store/model_table.h"

static const char *const THINKING[] = {
	[THINKING_NONE] = "none",
	[THINKING_EFFORT] = "effort",
	[THINKING_BUDGET] = "budget",
	[THINKING_ADAPTIVE] = "adaptive",
	[THINKING_GEMINI_BUDGET] = "gemini-budget",
	[THINKING_GEMINI_LEVEL] = "gemini-level",
	[THINKING_SWITCH] = "switch",
	[THINKING_ALWAYS] = "always",
	[MODEL_THINKING_COUNT] = NULL,
};
static_assert(ARRAY_LEN(THINKING) == MODEL_THINKING_COUNT + 1, "every way to think has a name");

static const char *const EFFORTS[] = { "none", "minimal", "low", "medium",
	                               "high", "xhigh",   "max", NULL };

#define MAX_FLOOR 1000000

struct traits_record {
	struct str thinking;
	const struct json *efforts;
	struct model_traits traits;
};

#define FLAG(key, member)                                               \
	{                                                               \
		.name = (key), .type = JSON_FIELD_BOOL,                 \
		.offset = offsetof(struct traits_record, traits.member) \
	}

static const struct json_field TRAITS_ARRAY[] = {
	{ .name = "thinking",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct traits_record, thinking),
	  .choices = THINKING },
	{ .name = "efforts",
	  .type = JSON_FIELD_LIST,
	  .offset = offsetof(struct traits_record, efforts),
	  .max = MODEL_EFFORTS_MAX,
	  .choices = EFFORTS },
	{ .name = "thinkingFloor",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct traits_record, traits.thinking_floor),
	  .max = MAX_FLOOR },
	FLAG("sampling", sampling),
	FLAG("structured", structured),
	FLAG("prefill", prefill),
	FLAG("images", images),
	FLAG("files", files),
	FLAG("audio", audio),
};
const struct json_fields store__traits_fields = JSON_FIELDS(TRAITS_ARRAY);

struct model_traits store__traits_plain(void)
{
	return (struct model_traits){
		.thinking = THINKING_NONE,
		.sampling = true,
		.structured = true,
		.images = true,
	};
}

static bool read_efforts(struct store_models *m, const struct json *list,
                         struct model_traits *traits, struct err *err)
{
	size_t n = 0;

	for (const struct json *at = json_first(list); at; at = json_next(at)) {
		assert(n < MODEL_EFFORTS_MAX); /* the field table has counted them */
		if (!store__models_keep(m, json_text(at), &traits->efforts[n], err))
			return false;
		n++;
	}
	traits->effort_count = n;
	return true;
}

bool store__traits_read(struct store_models *m, const struct json *object,
                        struct model_traits *traits, struct err *err)
{
	struct traits_record r = { .traits = *traits };

	if (!json_read(object, &store__traits_fields, &r, err))
		return false;
	for (int i = 0; i < MODEL_THINKING_COUNT; i++) {
		if (str_eq(r.thinking, str_of(THINKING[i])))
			r.traits.thinking = (enum model_thinking)i;
	}
	if (r.efforts && !read_efforts(m, r.efforts, &r.traits, err))
		return false;
	*traits = r.traits;
	return true;
}
