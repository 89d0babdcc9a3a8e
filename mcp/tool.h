/* SPDX-License-Identifier: Apache-2.0 */
/* What a tool is: one const entry. Its input table reads the arguments and prints inputSchema; its
 * output table prints outputSchema and the reference; `run` maps JSON to a store call and back and
 * holds no rules of its own. Private to mcp/. */
#ifndef MCP_TOOL_H
#define MCP_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "mcp/mcp.h"
#include "store/store.h"

/* ---- Output tables ---- */

enum mcp__type {
	MCP__TEXT,
	MCP__TIME, /* RFC 3339 text */
	MCP__WHOLE,
	MCP__NUMBER,
	MCP__TRUTH,
	MCP__TEXTS,  /* an array of strings */
	MCP__OBJECT, /* `sub` describes its members */
	MCP__LIST    /* an array of objects that `sub` describes; NULL: of any objects */
};

struct mcp__shapes;

struct mcp__shape {
	const char *name;
	enum mcp__type type;
	bool nullable; /* may be null */
	bool optional; /* may be left out */
	const char *doc;
	const struct mcp__shapes *sub;
};

struct mcp__shapes {
	const struct mcp__shape *members;
	size_t count;
};

#define MCP__SHAPES(array)                \
	{                                 \
		(array), ARRAY_LEN(array) \
	}

/* ---- Tools ---- */

/* What a person has said to the question of an earlier try. */
struct mcp__consent {
	struct str approval; /* the question's id; absent: nobody was asked */
	bool given;
	bool cancelled; /* not given, by saying nothing */
};

/* What an error can carry besides its code and its text: raw JSON, empty if there is none. */
struct mcp__remarks {
	struct json_out verdict;  /* "policyVerdict": what policy says to a purchase */
	struct json_out approval; /* "approval": a question that would mend it, {"id", "message"} */
};

struct mcp__call {
	const struct mcp_shop *shop;
	struct store *st;
	const struct id *account;     /* the caller's; NULL unless the tool needs one */
	const struct json *arguments; /* NULL: none */
	/* Set by the session, never by arguments: */
	bool asks; /* it can ask a person */
	struct mcp__consent consent;
	struct str key_folder;        /* where key files may be made; absent: nowhere */
	struct mcp__remarks *remarks; /* of a failure */
};

struct mcp__hints {
	bool read_only, destructive, idempotent, open_world;
};

#define MCP__LOOK_ONLY                                \
	{                                             \
		.read_only = true, .idempotent = true \
	}

struct mcp__tool {
	const char *name, *title;
	const char *description; /* for a model: when to use it, what it costs, what comes back */
	struct mcp__hints hints;
	bool needs_account; /* only with a purchase key */
	bool durable;       /* changes money or keys */
	const struct json_fields *input;
	const struct mcp__shapes *output;
	/* Writes the whole result object; what a failure left in `out` is thrown away. It fails
	 * before it changes anything. */
	bool (*run)(const struct mcp__call *call, struct json_out *out, struct err *err);
};

/* By name or alias; NULL if there is none. */
const struct mcp__tool *mcp__tool_find(struct str name);
/* In the order of a purchase; NULL behind the last one. */
const struct mcp__tool *mcp__tool_at(size_t i);
/* The array of tools/list: the same bytes every time. */
void mcp__put_tools(struct json_out *o, const char *key);

/* A NULL-ended list as an array of strings. */
void mcp__put_names(struct json_out *o, const char *key, const char *const *names);

/* ---- The entries, in files by what they are about ---- */

extern const struct mcp__tool mcp__tool_catalog_categories;
extern const struct mcp__tool mcp__tool_catalog_search;
extern const struct mcp__tool mcp__tool_catalog_checkout_requirements;
extern const struct mcp__tool mcp__tool_quote_create;
extern const struct mcp__tool mcp__tool_purchase_create;
extern const struct mcp__tool mcp__tool_purchase_get_status;
extern const struct mcp__tool mcp__tool_service_list;
extern const struct mcp__tool mcp__tool_service_get;
extern const struct mcp__tool mcp__tool_router_api_key_create;
extern const struct mcp__tool mcp__tool_router_api_key_list;
extern const struct mcp__tool mcp__tool_router_api_key_rotate;
extern const struct mcp__tool mcp__tool_router_api_key_revoke;
extern const struct mcp__tool mcp__tool_router_usage_get;
extern const struct mcp__tool mcp__tool_router_request_get;
extern const struct mcp__tool mcp__tool_router_models_list;
extern const struct mcp__tool mcp__tool_wallet_get;

/* ---- Shared between these files ---- */

extern const struct json_fields mcp__no_fields;

struct mcp__service_argument {
	struct str service_id;
};
extern const struct json_fields mcp__service_fields;

/* {"outcome", "amountUsd", "checks": [{"rule", "limitUsd", "amountUsd", "leftUsd", "passed"}]} */
void mcp__put_verdict(struct json_out *o, const char *key,
                      const struct store_policy_verdict *verdict);
/* USD, or null for a negative limit: there is none. */
void mcp__put_limit(struct json_out *o, const char *key, struct money limit);

/* One of router_models_list. */
void mcp__put_model(struct json_out *out, const char *key, const struct store_models *models,
                    const struct store_model *model);

/* "baseUrl" and "anthropicBaseUrl": null without a listener, and then there is "problem" too. */
void mcp__put_urls(struct json_out *o, const struct mcp_shop *shop);

#endif
