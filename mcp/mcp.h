/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent host and an operator speak: JSON-RPC over stdio, the tools, the link between the
 * processes of one store, the operator's commands, transcripts. All on the loop thread; work that
 * needs the database goes through the store's worker. Knows nothing of the router: main.c joins
 * them. */
#ifndef MCP_MCP_H
#define MCP_MCP_H

#include <stdbool.h>

#include "base/config.h"
#include "base/env.h"
#include "base/err.h"
#include "base/json.h"
#include "net/net.h"
#include "store/store.h"

/* ---- The shop: what the owner of the store gives to tools and commands ---- */

struct mcp_shop {
	struct store_worker *worker;
	const struct store_models *models; /* read in jobs alone: a job may exchange them */
	const struct env *env;
	const char *base_url; /* "http://127.0.0.1:8787/openai/v1"; NULL without listener */
	const char *anthropic_base_url; /* "http://127.0.0.1:8787/claude" */
	const char *
		listen_problem; /* why there is no listener, for service_get; NULL if all is well */
	/* Appends members about what runs to the open object, for the command status. On the loop's
	 * thread. NULL: nothing runs here but a command. */
	void (*put_status)(void *data, struct json_out *out);
	void *status_data;
};

/* How main.c makes this process the owner, and ends that. `open` may take milliseconds. */
struct mcp_owner {
	bool (*open)(void *data, struct mcp_shop *shop, struct err *err);
	/* Begins to drain: no new HTTP connections. `idle` then says when nothing runs any more. */
	void (*drain)(void *data);
	bool (*idle)(void *data);
	/* Stops the worker and closes the store. */
	void (*close)(void *data);
	/* Attaching has failed: waiting calls are answered with this error, the next call tries
	 * again. May be NULL. */
	void (*failed)(void *data, const struct err *why);
	/* Another process owns the store, and this one works through it now. May be NULL. */
	void (*standby)(void *data);
	void *data;
	/* An operator's command: owns the store for a moment and serves nobody else. */
	bool passing;
};

/* ---- Work: one request to the shop, the same from stdio, a relay or a command ---- */

/* A request is a JSON object:
 *   {"tool": name, "arguments": {…}, "key": purchase key or absent,
 *    "asks": the session can ask a person, "consent": {"approval", "action"} what that one said,
 *    "keyFolder": where key files may be made}
 *   {"view": name, "arguments": {…}, "key"}         (what resources and completions show)
 *   {"command": name, "arguments": {…}}            (operators: the local user only)
 * Its answer is a JSON object: {"result": {…}} or {"error": {code, message, …}}.
 * Runs on the store thread, inside a job; writes exactly one answer. */
void mcp_work_run(const struct mcp_shop *shop, struct store *st, struct str request,
                  struct json_out *answer);
/* True if the request changes money or keys, so that its commit must survive a power loss. */
bool mcp_work_is_durable(struct str request);

/* ---- The link: how this process reaches the store ---- */

/*   idle ── first call, or 200 ms ──> attaching ── lock taken ──> owner
 *     ^                                │ │  ^                       (runs work itself, serves
 * relays) └───── failed: calls answered ───┘ v  │ the owner is gone relay (sends work to the owner)
 * and from each to closed.
 */
enum mcp_link_state {
	MCP_LINK_IDLE,
	MCP_LINK_ATTACHING,
	MCP_LINK_OWNER,
	MCP_LINK_RELAY,
	MCP_LINK_CLOSED,
	MCP_LINK_STATE_COUNT
};

struct mcp_link;

/* Takes no lock and touches no disk yet. `db` is the database's path; the lock file and the socket
 * are beside it. */
MUST_CHECK struct mcp_link *mcp_link_new(struct net_loop *loop, const char *db,
                                         const struct mcp_owner *owner, struct err *err);
/* Attaches now (serve), or in 200 ms (mcp). Nothing happens if it is attached or on its way. */
void mcp_link_attach(struct mcp_link *link, int64_t delay_ms);
enum mcp_link_state mcp_link_state(const struct mcp_link *link);
/* Sends a request to the shop, attaching first if need be. `answer` is called once, later, never
 * from inside this call; a request whose owner died is sent again to the next one. The returned
 * number takes the call back: `answer` is not called, and work that has not begun never happens,
 * while work that has begun is finished. A call that has no answer after 60 s is answered
 * ERR_UNAVAILABLE. 0: no memory, and no answer will come. */
typedef void mcp_answer_fn(void *data, struct str answer);
int64_t mcp_link_call(struct mcp_link *link, struct str request, mcp_answer_fn *answer, void *data);
void mcp_link_forget(struct mcp_link *link, int64_t call);
/* No new work; drains what runs (own calls, relays' calls, HTTP requests), closes the shop, then
 * calls `closed`. */
void mcp_link_close(struct mcp_link *link, void (*closed)(void *data), void *data);
void mcp_link_free(struct mcp_link *link); /* cuts; NULL is fine */

/* ---- Stdio: a session of an agent host ---- */

/* What the operator lets a session do; read only by the call that it is given to. NULL stands for
 * nothing at all. */
struct mcp_allowance {
	const char *purchase_key; /* NULL or "": it buys nothing */
	const char *key_folder;   /* where its router keys may become files; NULL or "": nowhere */
};

struct mcp_stdio;

/* Serves one host on the two descriptors. `ended` is called once, when the input has ended or the
 * output is broken and everything that was asked has been answered (or 2 s have passed). */
MUST_CHECK struct mcp_stdio *mcp_stdio_new(struct net_loop *loop, struct mcp_link *link, int in_fd,
                                           int out_fd, const struct mcp_allowance *allowance,
                                           void (*ended)(void *data), void *data, struct err *err);
void mcp_stdio_free(struct mcp_stdio *s);

/* A session without descriptors, for golden transcripts and fuzzing: lines in, lines out. */
struct mcp_session;
struct mcp_session_io {
	/* Sends work; the answer goes to mcp_session_answer with the same number. */
	void (*call)(void *data, int64_t number, struct str request);
	void (*forget)(void *data, int64_t number); /* its answer is not wanted any more */
	void (*line)(void *data, struct str line);  /* one message for the host, without newline */
	void *data;
	/* Call mcp_session_tick after so many milliseconds, instead of what was said before; -1: do
	 * not. NULL: nothing times out and nothing is told while a call waits. */
	void (*wake)(void *data, int64_t delay_ms);
	const struct env *env; /* NULL: the real one */
};
MUST_CHECK struct mcp_session *mcp_session_new(const struct mcp_session_io *io,
                                               const struct mcp_allowance *allowance,
                                               struct err *err);
void mcp_session_feed(struct mcp_session *s, struct str bytes); /* any piece of the input */
void mcp_session_answer(struct mcp_session *s, int64_t number, struct str answer);
void mcp_session_tick(struct mcp_session *s);
/* The input has ended: streams end, and questions to the host's user count as cancelled. */
void mcp_session_end(struct mcp_session *s);
size_t mcp_session_in_flight(const struct mcp_session *s);
void mcp_session_free(struct mcp_session *s);

/* ---- Agent hosts ---- */

#define MCP_KEY_PLACEHOLDER "ask_live_..."

struct mcp_host_variable {
	const char *name, *value; /* of an environment variable */
};

/* What a host is to start. Texts are borrowed for the call. */
struct mcp_host_setup {
	const char *program;      /* absolute path */
	const char *purchase_key; /* NULL: what the host reads has a placeholder instead */
	const struct mcp_host_variable *variables; /* more settings */
	size_t variable_count;
};

/* Appends what makes the agent host of that name start this program: text to paste, or with `json`
 * one line for programs. It holds the purchase key, if one is given: wipe it.
 * ERR_INVALID_ARGUMENT names the hosts there are. */
MUST_CHECK bool mcp_host_config_put(struct str host, const struct mcp_host_setup *setup, bool json,
                                    struct buf *out, struct err *err);
void mcp_hosts_put_names(struct buf *out); /* "claude-code|codex|..." */

/* ---- Operators' commands and transcripts ---- */

/* Is argv[1] the first word of an operator's command? */
bool mcp_command_known(const char *word);
/* Runs `agent-store <argv[1..]>` through the link and prints to stdout, errors to stderr.
 * The exit code: 0 done, 1 failed, 2 usage. */
int mcp_command_main(struct net_loop *loop, struct mcp_link *link, int argc, char **argv);
/* `agent-store top [--once] [--json]`: what runs and what the books say, each second, until a key
 * or a signal ends it. `owner` must be one that is passing. Registers its own signals. */
int mcp_top_main(struct net_loop *loop, const char *db, const struct mcp_owner *owner, int argc,
                 char **argv);
/* `agent-store transcript FILE…`: each file on the shop that `owner` opens (a fresh one per file).
 * Prints each step with its time; 1 with the first difference. */
int mcp_transcript_main(struct net_loop *loop, const struct mcp_owner *owner, int argc,
                        char **argv);
/* The usage texts of all commands and the tools' reference, printed from their tables. */
void mcp_commands_put_help(struct buf *out);
void mcp_tools_put_markdown(struct buf *out);

#endif
