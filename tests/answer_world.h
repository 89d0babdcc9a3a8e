/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of translated answers share: upstream bytes through a source into events or into
 * all three sinks at once, events as readable lines, and a client that puts a stream together
 * again, so that it can be compared with the whole answer. */
#ifndef TESTS_ANSWER_WORLD_H
#define TESTS_ANSWER_WORLD_H

#include "router/talk.h"

enum answer_format {
	ANSWER_CHAT,
	ANSWER_MESSAGES,
	ANSWER_GEMINI,
	ANSWER_FORMATS
};
#define ANSWER_SHAPES 3

extern const struct token_counts ANSWER_COUNTS; /* 50, 200, 30, 1500, 120 */

/* Events as lines: "TEXT Hello". */
struct answer_log {
	struct buf text;
	bool merge; /* neighbours of one kind become one line, as in a whole answer */
	enum talk_event_kind last;
	int64_t last_index;
};
struct answer_log answer_log_make(bool merge);
talk_event_fn answer_log_event; /* data: struct answer_log */

/* Feeds a stream to a source, cut in two at `cut`. False: it was refused, or had no end. */
bool answer_stream(enum answer_format format, struct str bytes, size_t cut, talk_event_fn *fn,
                   void *data);
bool answer_whole(enum answer_format format, struct str body, talk_event_fn *fn, void *data);

/* All shapes at once. */
struct answer_sinks {
	struct talk_sink *stream[ANSWER_SHAPES], *whole[ANSWER_SHAPES];
	struct buf out[ANSWER_SHAPES];
};
void answer_sinks_init(struct answer_sinks *a, const struct talk *talk);
void answer_sinks_done(struct answer_sinks *a);
talk_event_fn answer_sinks_event; /* data: struct answer_sinks */
/* Ends the streams, well or with an error. */
void answer_sinks_end(struct answer_sinks *a, bool well);

/* Complete events, and every data line is JSON or [DONE]. */
bool answer_is_well_formed(struct str stream);
/* The whole answer as a client would have it from the stream; false if the stream breaks a rule of
 * its protocol (order, indexes, numbers), with the rule in `why`. */
bool answer_assemble(enum talk_shape shape, struct str stream, struct json_out *out,
                     const char **why);
/* Compares as JSON values; notes the difference. */
bool answer_same_json(struct str got, struct str want);

#endif
