/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes through each reader and each writer. What is written passes the gate that
 * it will meet elsewhere; only a depth that grew beyond it in translation is forgiven. */
#include <assert.h>
#include <stdint.h>

#include "tests/talk_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_for(const struct talk_way *way, const struct talk *talk,
                      const struct store_model *model)
{
	OWN_JSON_OUT struct json_out out = json_out_make(LIMIT_HTTP_BODY);
	struct talk_target to = { model, STR("acct") };
	struct err err = { 0 };

	if (!way->write(talk, &to, &out, &err)) {
		assert(err.code == ERR_UNSUPPORTED || err.code == ERR_TOO_LARGE ||
		       err.code == ERR_INVALID_ARGUMENT);
		return;
	}
	assert(json_scan(buf_str(&out.text), NULL, NULL, &err) || err.code == ERR_TOO_LARGE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = { (const char *)data, size };

	for (size_t i = 0; i < talk_way_count; i++) {
		OWN_TALK struct talk talk;
		struct err err = { 0 };

		talk_init(&talk);
		if (!talk_ways[i].read(body, &talk, &err)) {
			assert(err.code != ERR_NONE && err.code != ERR_INTERNAL);
			continue;
		}
		for (size_t m = 0; m < talk_model_count; m++)
			write_for(&talk_ways[i], &talk, &talk_models[m]);
	}
	return 0;
}
