/* SPDX-License-Identifier: Apache-2.0 */
/* What the product offers besides tools: resources, prompts, completions, and the instructions.
 * Resources and some completions become work for the shop; prompts are written here. Private to
 * mcp/. */
#ifndef MCP_OFFER_H
#define MCP_OFFER_H

#include "base/env.h"
#include "base/json.h"
#include "mcp/core.h"

extern const char mcp__instructions[];

/* Work for the shop. */
struct mcp__errand {
	const char *kind; /* "tool" or "view" */
	const char *name;
	struct json_out arguments; /* made by json_out_make */
};

/* ---- Resources ---- */

void mcp__put_resources(void *data, struct json_out *o, const char *key);
void mcp__put_templates(void *data, struct json_out *o, const char *key);
/* What reads the resource that the request names. False: it has been answered, there is no such
 * resource. */
MUST_CHECK bool mcp__resource_errand(struct mcp__request *r, struct mcp__errand *out);
/* Answers with what the errand brought: a raw result, or a raw error. */
void mcp__resource_answer(struct mcp__request *r, struct str raw_result);
void mcp__resource_fail(struct mcp__request *r, struct str raw_error);

/* ---- Prompts ---- */

void mcp__put_prompts(void *data, struct json_out *o, const char *key);
void mcp__prompt_get(struct mcp__request *r, const struct env *env);

/* ---- Completions ---- */

/* False: it has been answered already. */
MUST_CHECK bool mcp__completion_errand(struct mcp__request *r, struct mcp__errand *out);
/* An error completes nothing: whoever types must not be told of keys. */
void mcp__completion_answer(struct mcp__request *r, struct str raw_result);

/* What the argument of a prompt is completed with: a const list, or an errand's `of`; both NULL:
 * nothing. False: there is no such prompt. */
MUST_CHECK bool mcp__prompt_completes(struct str prompt, struct str argument,
                                      const char *const **list, const char **of);
/* The same for a template's URI, which has one variable. */
MUST_CHECK bool mcp__template_completes(struct str uri, struct str argument, const char **of);

/* ---- The reference ---- */

void mcp__resources_put_markdown(struct buf *out);
void mcp__prompts_put_markdown(struct buf *out);

#endif
