/* SPDX-License-Identifier: Apache-2.0 */
/* A shop in memory for tests of mcp/: one funded account, a clock that stands, and work that is
 * answered at once. */
#ifndef TESTS_MCP_DESK_H
#define TESTS_MCP_DESK_H

#include "base/env.h"
#include "base/id.h"
#include "base/json.h"
#include "base/secret.h"
#include "mcp/mcp.h"
#include "store/store.h"

#define DESK_START_MS INT64_C(1795334400000) /* 2026-11-22T08:00:00Z */

struct desk {
	struct env_fixed clock;
	struct env env;
	struct store *st;
	struct store_models *models;
	struct mcp_shop shop;
	struct store_account account; /* "tester", with 100 USD in its wallet */
	struct secret key;            /* its purchase key */
};

/* Aborts if anything fails. `with_providers`: all four have a key; else none. */
void desk_open(struct desk *desk, bool with_providers);
void desk_close(struct desk *desk);

/* Runs a request to the shop; the caller frees the parsed answer. */
struct json *desk_work(struct desk *desk, struct str request);
/* Calls a tool with the account's key (or without one); `arguments` is JSON text. */
struct json *desk_call(struct desk *desk, const char *tool, const char *arguments);
struct json *desk_call_keyless(struct desk *desk, const char *tool, const char *arguments);

/* The value at "result.quote.id" or "items.0.id"; NULL if there is none. */
const struct json *desk_at(const struct json *root, const char *path);
/* The same as text; absent if it is none. */
struct str desk_text(const struct json *root, const char *path);
/* Copies an id out of an answer; the case fails, and `out` is empty, if there is none. */
bool desk_copy_id(const struct json *answer, const char *path, char out[ID_TEXT_MAX]);

/* Buys 25 USD of credit, once per desk, and makes a router key labelled "one". */
void desk_buy(struct desk *desk, char service[ID_TEXT_MAX]);
void desk_make_key(struct desk *desk, const char *service, char id[ID_TEXT_MAX],
                   struct secret *secret);

/* The case fails unless the call fails with that code and a message that contains `part`. */
void desk_refuses(struct desk *desk, const char *tool, const char *arguments, const char *code,
                  const char *part);

#endif
