/* SPDX-License-Identifier: Apache-2.0 */
/* What the three writers of requests share. A writer first checks what its model takes, then writes
 * without any way to fail but size, so that no half of a body is ever built for nothing. */
#ifndef ROUTER_TALK_WRITE_H
#define ROUTER_TALK_WRITE_H

#include "router/talk.h"

struct talk_out {
	const struct talk *talk;
	const struct talk_target *to;
	const struct model_traits *traits;
	struct json_out *o;
	struct err *err;
};

/* What the protocol can carry beyond what the model takes. */
struct talk_carries {
	bool image_urls, file_urls;
	size_t stops;
};

/* ERR_UNSUPPORTED if the model or its protocol cannot take a part, the schema, the stop sequences
 * or an assistant's message at the end. */
MUST_CHECK bool talk_out_check(const struct talk_out *out, const struct talk_carries *carries);

/* The client's limit, at most the model's; the model's where the client gave none. */
int64_t talk_out_limit(const struct talk_out *out);
/* How hard the model shall think: as given, or what the given budget comes to. */
enum talk_effort talk_out_effort(const struct talk *t);
/* The model's word for it: the same, else the nearest; of two equally near the harder one if `up`.
 * Absent if the model has no words. */
struct str talk_out_effort_word(const struct model_traits *traits, enum talk_effort effort,
                                bool up);
bool talk_out_last_is_assistant(const struct talk *t);

bool talk_is_blank(struct str s);              /* only white space */
bool talk_number_is_zero(struct str number);   /* of JSON text */
bool talk_number_above_one(struct str number); /* > 1 */

/* The schema of a tool's arguments; that of no arguments if it has none. */
struct str talk_tool_schema(const struct talk_tool *tool);
/* A call's id in the letters that every provider takes. */
void talk_put_id(struct json_out *o, const char *key, struct str id);
/* The member if the number was given. */
void talk_put_number(struct json_out *o, const char *key, struct str number);
void talk_put_stops(struct json_out *o, const char *key, const struct talk *t);
/* The texts of a list, one below the other. */
void talk_join_texts(const struct talk_part *list, struct buf *out);
bool talk_is_media(const struct talk_part *part); /* image, file, audio */
/* A schema whose properties all have a type, as Kimi wants them. */
void talk_put_typed_schema(struct json_out *o, const char *key, struct str schema);

#endif
