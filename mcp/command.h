/* SPDX-License-Identifier: Apache-2.0 */
/* Operators' commands: one const table of words, arguments, help, what runs on the store thread and
 * what prints the answer for people. Private to mcp/. The command line is turned into the JSON of a
 * request and back, so a command is the same whether this process owns the store or another does.
 */
#ifndef MCP_COMMAND_H
#define MCP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "mcp/mcp.h"
#include "store/store.h"

/* Runs the command `name` ("account create") on the store thread. Appends the members of its result
 * to the object that the caller has opened in `out` and will close; after a failure what was
 * appended must be thrown away. ERR_UNSUPPORTED for a name that no command has. */
MUST_CHECK bool mcp__command_run(const struct mcp_shop *shop, struct store *st, struct str name,
                                 const struct json *arguments, struct json_out *out,
                                 struct err *err);
/* The command changes money or keys: its commit must survive a power loss. */
bool mcp__command_is_durable(struct str name);

/* ---- The table ---- */

/* The arguments of all commands, read from JSON; texts are absent where a command has them not. */
struct mcp__command_args {
	struct str name, account, usd, reference, key_id, by, path;
	struct str max_purchase_usd, daily_usd, approval_above_usd; /* decimals, or "none" */
	int64_t from_ms, to_ms;                                     /* 0: no bound */
	struct money amount;                                        /* of `usd` */
	struct store_policy policy; /* of the three texts, where they are present */
};

struct mcp__command_call {
	const struct mcp_shop *shop;
	struct store *st;
	const struct mcp__command_args *args;
};

struct mcp__command {
	const char *words; /* "account create" */
	const char *usage; /* of its arguments: "ACCOUNT USD --reference TEXT" */
	const char *help;
	const struct json_fields *fields; /* operands first, in order; the others are --flags */
	size_t operands;
	bool durable;
	bool slow; /* takes as long as the books are large: no deadline, and progress is told */
	bool (*run)(const struct mcp__command_call *call, struct json_out *out, struct err *err);
	void (*print)(const struct json *result, struct buf *out); /* for people */
	bool (*bad)(const struct json *result); /* it was done, but the exit code is 1; or NULL */
};

const struct mcp__command *mcp__command_find(struct str words); /* NULL: none */
const struct mcp__command *mcp__command_at(size_t i);           /* NULL behind the last one */

/* Reads and checks; ERR_INVALID_ARGUMENT. The texts borrow from `arguments`. */
MUST_CHECK bool mcp__command_read(const struct mcp__command *command, const struct json *arguments,
                                  struct mcp__command_args *out, struct err *err);

/* ---- command_run.c: the store's side ---- */

bool mcp__run_account_create(const struct mcp__command_call *call, struct json_out *out,
                             struct err *err);
bool mcp__run_account_list(const struct mcp__command_call *call, struct json_out *out,
                           struct err *err);
bool mcp__run_account_show(const struct mcp__command_call *call, struct json_out *out,
                           struct err *err);
bool mcp__run_account_policy(const struct mcp__command_call *call, struct json_out *out,
                             struct err *err);
bool mcp__run_wallet_fund(const struct mcp__command_call *call, struct json_out *out,
                          struct err *err);
bool mcp__run_key_list(const struct mcp__command_call *call, struct json_out *out, struct err *err);
bool mcp__run_key_revoke(const struct mcp__command_call *call, struct json_out *out,
                         struct err *err);
bool mcp__run_key_rotate(const struct mcp__command_call *call, struct json_out *out,
                         struct err *err);
bool mcp__run_usage(const struct mcp__command_call *call, struct json_out *out, struct err *err);
bool mcp__run_ledger_verify(const struct mcp__command_call *call, struct json_out *out,
                            struct err *err);

/* status.c */
bool mcp__run_status(const struct mcp__command_call *call, struct json_out *out, struct err *err);

/* ---- command_print.c: for people ---- */

void mcp__print_account_create(const struct json *result, struct buf *out);
void mcp__print_account_list(const struct json *result, struct buf *out);
void mcp__print_account_show(const struct json *result, struct buf *out);
void mcp__print_account(const struct json *result, struct buf *out);
void mcp__print_wallet_fund(const struct json *result, struct buf *out);
void mcp__print_key_list(const struct json *result, struct buf *out);
void mcp__print_key_revoke(const struct json *result, struct buf *out);
void mcp__print_key_rotate(const struct json *result, struct buf *out);
void mcp__print_usage(const struct json *result, struct buf *out);
void mcp__print_ledger_verify(const struct json *result, struct buf *out);
void mcp__print_backup(const struct json *result, struct buf *out);
void mcp__print_status(const struct json *result, struct buf *out); /* status_frame.c */

/* ---- command_line.c: from words to a request ---- */

struct mcp__command_line {
	const struct mcp__command *command;
	bool json, help;
	struct buf request;
};

/* Reads argv[1..]. ERR_INVALID_ARGUMENT for what is not a command, or not its arguments; `command`
 * is set as soon as it is known, so that its usage can be shown. End it with _done either way. */
MUST_CHECK bool mcp__command_line_read(struct mcp__command_line *line, int argc, char **argv,
                                       struct err *err);
void mcp__command_line_done(struct mcp__command_line *line);
/* What is allowed: the usage of the command, or of all that start with the same word. */
void mcp__command_line_put_usage(const struct mcp__command_line *line, int argc, char **argv,
                                 struct buf *out);
/* What an answer makes of us: text for stdout and stderr, and the exit code. */
int mcp__command_line_finish(const struct mcp__command_line *line, struct str answer,
                             struct buf *out, struct buf *complaint);

#endif
