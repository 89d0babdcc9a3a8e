/* SPDX-License-Identifier: Apache-2.0 */
/* Saved values of a transcript: kept as JSON text, so that one goes back in with the type that it
 * came out with. Private to mcp/. */
#ifndef MCP_TRANSCRIPT_VALUE_H
#define MCP_TRANSCRIPT_VALUE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

struct mcp__value;

struct mcp__values { /* zeroed: none */
	struct mcp__value *first;
};

void mcp__values_done(struct mcp__values *values); /* wipes: keys are among them */
/* A second value of the same name replaces the first. */
MUST_CHECK bool mcp__values_set(struct mcp__values *values, struct str name,
                                const struct json *value, struct err *err);
MUST_CHECK bool mcp__values_set_text(struct mcp__values *values, struct str name, struct str text,
                                     struct err *err);

/* Appends the text with each ${name} replaced. ERR_NOT_FOUND for a name that was not saved. */
MUST_CHECK bool mcp__values_fill(const struct mcp__values *values, struct str text, struct buf *out,
                                 struct err *err);
/* The same for all strings of a tree; a string that is exactly "${name}" becomes the value itself,
 * whatever its type. `node` NULL is null. */
MUST_CHECK bool mcp__values_put(const struct mcp__values *values, struct json_out *out,
                                const char *key, const struct json *node, struct err *err);

/* "apiKeys[0].id" of a tree. ERR_NOT_FOUND names the part that is missing. */
const struct json *mcp__value_at(const struct json *root, struct str path, struct err *err);

#endif
