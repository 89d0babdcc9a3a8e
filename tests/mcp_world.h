/* SPDX-License-Identifier: Apache-2.0 */
/* A folder, a loop and a shop for tests of the link, the commands and the transcripts. The shop is
 * the real store with its worker; the listener is left out or is the test's own. */
#ifndef TESTS_MCP_WORLD_H
#define TESTS_MCP_WORLD_H

#include <stdio.h>

#include "base/env.h"
#include "mcp/mcp.h"
#include "net/net.h"
#include "store/store.h"

#define WORLD_PATH 128

struct world {
	char folder[WORLD_PATH];
	char db[WORLD_PATH];
	char socket[WORLD_PATH];
	struct net_loop *loop;
	struct env env;
	struct store_models *models;
};

/* False (and the case has failed) if there is no such folder or loop. */
bool world_open(struct world *w);
/* Steps the loop until what is freed and posted has been delivered, then removes the folder. */
void world_close(struct world *w);
/* One round of the loop that waits for nothing. */
void world_step(struct world *w);
/* Steps the loop until `*flag`, at most `ms`. False if it stayed false. */
bool world_wait(struct world *w, const bool *flag, int64_t ms);
void world_pass(struct world *w, int64_t ms); /* steps for that long */

/* One process's hooks for a link: opens the store at `db`. */
struct till {
	struct world *world;
	const char *db;
	const char *base_url;
	struct store *store;
	struct store_worker *worker;
	int opened, drained, closed;
	int busy;       /* so many times `idle` says no */
	int open_fails; /* so many times `open` fails, with ERR_STORAGE */
	struct err failed;
};

struct mcp_owner till_owner(struct till *t);

/* A link of a process whose till this is, over the world's database. */
struct mcp_link *world_link(struct world *w, struct till *t);
/* Makes the link reach the store, as owner or relay, by a call. */
void world_attach(struct world *w, struct mcp_link *link);

/* An answer that is waited for. */
struct waiter {
	bool answered;
	int count;
	char text[8192];
};

void waiter_answer(void *data, struct str answer);
bool waiter_has(const struct waiter *got, const char *part); /* checked */

/* A command line as main gets it: "key list acme" behind the program's name. */
#define WORDS_MAX 16
struct words {
	char text[512];
	char *argv[WORDS_MAX];
	int argc;
};

void words_split(struct words *w, const char *line);

/* Output of this process's fd 1 or 2 while it is caught. */
struct caught {
	int fd, saved;
	FILE *file;
	char text[16384];
};

void catch_begin(struct caught *c, int fd);
void catch_end(struct caught *c); /* `text` is what was printed */

#endif
