/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes through the event stream, a source (the first byte says which) and all
 * sinks. What comes out is well-formed whether the answer ended or broke off, and does not depend
 * on where the bytes were cut (the second byte). */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/answer_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool play(enum answer_format format, struct str stream, size_t cut, struct answer_sinks *a)
{
	bool ended;

	answer_sinks_init(a, NULL);
	ended = answer_stream(format, stream, cut, answer_sinks_event, a);
	answer_sinks_end(a, ended);
	return ended;
}

static void check_whole(struct talk_sink *sink)
{
	OWN_BUF struct buf whole = buf_make(SIZE_MAX);

	if (talk_sink_whole(sink, &ANSWER_COUNTS, &whole, NULL))
		assert(json_scan(buf_str(&whole), NULL, NULL, NULL));
}

static void check_answer(enum answer_format format, struct str body)
{
	struct answer_sinks a;

	answer_sinks_init(&a, NULL);
	answer_sinks_end(&a, answer_whole(format, body, answer_sinks_event, &a));
	for (size_t i = 0; i < ANSWER_SHAPES; i++)
		check_whole(a.whole[i]);
	answer_sinks_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer_sinks whole, parts;

	if (size < 2)
		return 0;
	struct str stream = { (const char *)data + 2, size - 2 };
	enum answer_format format = (enum answer_format)(data[0] % ANSWER_FORMATS);
	bool ended = play(format, stream, 0, &whole);
	if (play(format, stream, stream.len * data[1] / 256, &parts) != ended)
		abort();
	for (size_t i = 0; i < ANSWER_SHAPES; i++) {
		assert(answer_is_well_formed(buf_str(&whole.out[i])));
		assert(str_eq(buf_str(&whole.out[i]), buf_str(&parts.out[i])));
		if (ended)
			check_whole(whole.whole[i]);
	}
	answer_sinks_done(&whole);
	answer_sinks_done(&parts);
	check_answer(format, stream);
	return 0;
}
