/* SPDX-License-Identifier: Apache-2.0 */
/* What routing and pricing need to know of a request body, found in one pass over its bytes, and
 * the splices that make the upstream's body of it. Nothing is parsed into a tree. */
#ifndef ROUTER_ASK_H
#define ROUTER_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "router/dialect.h"
#include "store/model.h"

/* Members of the root object that somebody looks at. The names are in ask.c. */
enum ask_member {
	ASK_MODEL,
	ASK_MESSAGES,
	ASK_STREAM,
	ASK_STREAM_OPTIONS,
	ASK_MAX_TOKENS,
	ASK_MAX_COMPLETION_TOKENS,
	ASK_N,
	ASK_SERVICE_TIER,
	ASK_STORE,
	ASK_USER,
	ASK_SAFETY_IDENTIFIER,
	ASK_PROMPT_CACHE_KEY,
	ASK_METADATA,
	ASK_MODALITIES,
	ASK_AUDIO,
	ASK_PREDICTION,
	ASK_WEB_SEARCH_OPTIONS,
	ASK_MODERATION,
	ASK_SPEED,
	ASK_INFERENCE_GEO,
	ASK_CONTAINER,
	ASK_MCP_SERVERS,
	ASK_FALLBACKS,
	ASK_INPUT,
	ASK_MAX_OUTPUT_TOKENS,
	ASK_PREVIOUS_RESPONSE_ID,
	ASK_CONVERSATION,
	ASK_BACKGROUND,
	ASK_PROMPT,
	ASK_TOOLS,
	ASK_MEMBER_COUNT
};

struct ask {
	struct str text; /* the whole body */
	bool is_object;
	struct {
		size_t start;     /* offset of the key's quote */
		struct str value; /* raw; absent if the body has no such member */
	} member[ASK_MEMBER_COUNT];
	bool writes_cache;    /* a cache mark is somewhere: input may be written for 5 minutes */
	bool writes_cache_1h; /* ... or for an hour */
	int64_t images;       /* image parts: their tokens have little to do with their bytes */
	bool unbounded;       /* a document or file: only the context window bounds its tokens */
	bool tools;
	bool sealed; /* holds thinking that another provider signed (talk.h), or that nobody did */
	struct str server_tool; /* the raw type of a tool that the provider would run and bill */
	bool stream;
	int64_t output_limit; /* as asked for, or as lowered; 0: none */
	bool lowered;         /* output_limit is what the balance can carry, and must be sent */
	int64_t choices;      /* n */
};

/* Reads a body of that protocol. ERR_INVALID_ARGUMENT: not strict JSON, no object, or a member of a
 * wrong kind. The spans borrow from `body`. */
MUST_CHECK bool ask_read(struct str body, enum dialect dialect, struct ask *out, struct err *err);
const char *ask_member_name(enum ask_member m);
bool ask_has(const struct ask *ask, enum ask_member m); /* there, and not null */

/* Changes of the body, in order of their place. */
#define ASK_SPLICES_MAX 16
struct splice {
	size_t at, drop;
	struct str put;
};
struct splices {
	struct splice list[ASK_SPLICES_MAX];
	size_t count;
};

/* Writes a lowered output limit as member `m`; does nothing if the limit is the caller's own.
 * `text` is scratch that must live until the splices are applied. */
void ask_set_lowered(const struct ask *ask, struct splices *s, enum ask_member m, char text[24],
                     struct buf *added);
/* Replaces a member's value, or adds the member in front if the body has none. `value` is JSON text
 * and must live until the splices are applied; so must `added`, where an added member is written.
 */
void ask_set(const struct ask *ask, struct splices *s, enum ask_member m, struct str value,
             struct buf *added);
/* Writes another key before a member's value. */
void ask_rename(const struct ask *ask, struct splices *s, enum ask_member m, struct str key);
/* The changed body: slices of the old one with the changes between them. */
void ask_apply(const struct ask *ask, const struct splices *s, struct str added, struct buf *out);

/* The worst case that a hold covers (docs/money.md, "What a hold covers"). */
struct bound {
	int64_t input_tokens;
	int64_t output_tokens;
	struct money amount;
};
MUST_CHECK bool ask_bound(const struct ask *ask, const struct store_offer *offer, struct bound *out,
                          struct err *err);
/* Output tokens (per choice) that `available` would pay for beside this input; 0 if none. */
int64_t ask_affordable(const struct ask *ask, const struct store_offer *offer,
                       const struct bound *bound, struct money available);
/* Input tokens billed when no provider tells: a quarter of the bytes, rounded up. */
int64_t ask_estimate(const struct ask *ask);

#endif
