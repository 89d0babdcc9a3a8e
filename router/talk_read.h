/* SPDX-License-Identifier: Apache-2.0 */
/* What the three readers of requests share: which members are known, and how a part, a tool or an
 * option comes from the tree into the talk. Failures are told to `err` of the place; who knows
 * where in the body that is puts the path before the text. */
#ifndef ROUTER_TALK_READ_H
#define ROUTER_TALK_READ_H

#include "router/talk.h"

/* What becomes of a member of the root. */
enum talk_fate {
	TALK_FATE_READ,  /* the reader looks at it */
	TALK_FATE_DROP,  /* means nothing elsewhere, or is decided by the router */
	TALK_FATE_REFUSE /* cannot be honoured; `why` says what to do */
};

struct talk_member {
	const char *name;
	enum talk_fate fate;
	const char *why;
};

struct talk_members {
	const struct talk_member *members;
	size_t count;
	bool closed; /* a member that is not listed is refused, not dropped */
};

/* Where parts are added. */
struct talk_in {
	struct talk *talk;
	struct err *err;
	enum talk_role role;     /* of the turn, which begins with its first part */
	size_t index;            /* of the message or item */
	struct talk_part **list; /* instead of a turn: the system's texts, a result's content */
};

/* Parses the body and looks at its members. A member that is null counts as absent. */
MUST_CHECK bool talk_in_open(struct talk_in *in, struct str body, const struct talk_members *known);

/* A member, NULL if it is absent or null. */
const struct json *talk_in_get(const struct json *object, const char *key);
/* Optional members: an absent one leaves `out` as it is. */
MUST_CHECK bool talk_in_text(const struct talk_in *in, const struct json *object, const char *key,
                             struct str *out);
MUST_CHECK bool talk_in_bool(const struct talk_in *in, const struct json *object, const char *key,
                             bool *out);
MUST_CHECK bool talk_in_number(const struct talk_in *in, const struct json *object, const char *key,
                               struct str *out); /* as JSON text */
MUST_CHECK bool talk_in_count(const struct talk_in *in, const struct json *object, const char *key,
                              int64_t *out); /* 1 or more */
/* Required, and not empty. */
MUST_CHECK bool talk_in_need(const struct talk_in *in, const struct json *object, const char *key,
                             struct str *out);
/* The node as compact JSON text in the talk's arena. */
MUST_CHECK bool talk_in_json(const struct talk_in *in, const struct json *node, struct str *out);
/* A buffer's text, taken over into the arena. */
MUST_CHECK bool talk_in_keep(const struct talk_in *in, const struct buf *text, struct str *out);

/* Adds a part; NULL when there is no memory or when there are too many calls. */
struct talk_part *talk_in_part(struct talk_in *in, enum talk_part_kind kind);
MUST_CHECK bool talk_in_add_text(struct talk_in *in, enum talk_part_kind kind, struct str text);
MUST_CHECK bool talk_in_image_url(struct talk_in *in, struct str url); /* data: or https: */
MUST_CHECK bool talk_in_image_data(struct talk_in *in, struct str mime, struct str data);
MUST_CHECK bool talk_in_pdf(struct talk_in *in, struct str mime, struct str data, struct str name);
/* A file that came as a data: URL. */
MUST_CHECK bool talk_in_file_url(struct talk_in *in, struct str url, struct str name);
/* A call; `arguments` is the text that the client sent: empty becomes {}. */
struct talk_part *talk_in_call(struct talk_in *in, struct str id, struct str name,
                               struct str arguments);
/* A call of a freeform tool. */
struct talk_part *talk_in_custom_call(struct talk_in *in, struct str id, struct str name,
                                      struct str input);
/* A result; its content is read with `list` pointing into it. NULL if no call before it has the id.
 */
struct talk_part *talk_in_result(struct talk_in *in, struct str id);
/* Thinking that was signed: the seal tells what of. */
MUST_CHECK bool talk_in_thinking(struct talk_in *in, struct str text, const struct talk_seal *seal);

typedef bool talk_in_part_fn(struct talk_in *in, const struct json *part, struct str type);
/* A string, or an array of objects with a "type", each given to `fn`. NULL adds nothing. */
MUST_CHECK bool talk_in_content(struct talk_in *in, const struct json *content, const char *key,
                                talk_in_part_fn *fn);

/* {"name", "description", "strict", <schema_key>}. NULL on failure. */
struct talk_tool *talk_in_function(struct talk_in *in, const struct json *node,
                                   const char *schema_key);
/* {"name", "description", "format"}. */
MUST_CHECK bool talk_in_custom(struct talk_in *in, const struct json *node);
/* "none", "auto" or "required". */
MUST_CHECK bool talk_in_choice_word(struct talk_in *in, struct str word);
/* The tool that must be called; one that is not offered is refused. */
MUST_CHECK bool talk_in_named(struct talk_in *in, struct str name);
/* {"mode", "tools"}: the tools that are not in the list are taken off the offer. `inner` tells
 * where a tool's name is: NULL in the object itself, else in that member. */
MUST_CHECK bool talk_in_allowed(struct talk_in *in, const struct json *node, const char *inner);
MUST_CHECK bool talk_in_stops(struct talk_in *in, const struct json *node, const char *key);
MUST_CHECK bool talk_in_effort(struct talk_in *in, const struct json *object, const char *key);
/* {"name", "schema", "strict"} of a structured answer. */
MUST_CHECK bool talk_in_schema_format(struct talk_in *in, const struct json *node);

#endif
