/* SPDX-License-Identifier: Apache-2.0 */
/* The settings that a running process may change: models, prices, routes, limits, and the
 * providers' addresses and keys. What was there before stays until nobody uses it any more; a file
 * that is bad changes nothing. */
#ifndef RELOAD_H
#define RELOAD_H

#include "base/config.h"
#include "base/env.h"
#include "mcp/mcp.h"
#include "net/net.h"
#include "router/router.h"

struct reload;

/* Settings as they were at the start, which the caller keeps. `env` is borrowed. */
MUST_CHECK struct reload *reload_new(const struct config *cfg, const struct env *env,
                                     struct err *err);
void reload_free(struct reload *r); /* NULL is fine */

/* In force now; the models may be shared, the texts live until the next reload.
 * ERR_INVALID_ARGUMENT for a limit that is wrong. */
MUST_CHECK bool reload_terms(const struct reload *r, struct router_terms *out, struct err *err);
struct store_models *reload_models(const struct reload *r);

/* Who uses them in a process that owns the store; all NULL in one that does not. */
struct reload_users {
	struct router *router; /* NULL: no listener */
	struct store_worker *worker;
	struct mcp_shop *shop; /* whose models the store's thread reads */
	struct inbox *reply;
};
/* Reads the file again and puts what it says in force. Logs what became of it. */
void reload_run(struct reload *r, const struct reload_users *users);

#endif
