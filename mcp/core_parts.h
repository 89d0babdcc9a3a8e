/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the core share. Private to core*.c; everyone else includes mcp/core.h. */
#ifndef MCP_CORE_PARTS_H
#define MCP_CORE_PARTS_H

#include "base/limits.h"
#include "base/secret.h"
#include "mcp/core.h"

#define RPC_MISSING_CAPABILITY (-32021)
#define RPC_UNSUPPORTED_VERSION (-32022)

#define MCP__META_PREFIX "io.modelcontextprotocol/"
#define MCP__MODERN_VERSION "2026-07-28"

/* ---- Eras (core_claim.c) ---- */

/* A version of the initialize era. */
struct mcp__version {
	const char *name;
	bool batches; /* JSON arrays of messages: only ever in one version */
	bool elicits;
	bool elicits_urls;
};

/* The newest if that one is not known. */
const struct mcp__version *mcp__version_choose(struct str raw_name);

/* What a request says of itself in params._meta. */
struct mcp__claim {
	bool modern;           /* it claims the era without sessions */
	int fault;             /* RPC_..., or 0 */
	const char *what;      /* of the fault */
	struct str version;    /* raw, with RPC_UNSUPPORTED_VERSION */
	struct str token;      /* progressToken: raw string or integer, or absent */
	unsigned can;          /* abilities; modern only */
	enum mcp__level level; /* modern only; MCP__LEVEL_COUNT: wants none */
};

void mcp__claim_read(const struct mcp__message *m, struct mcp__claim *out);
/* The abilities of a ClientCapabilities object. */
unsigned mcp__abilities_read(struct str raw_capabilities);
enum mcp__level mcp__level_read(struct str raw); /* MCP__LEVEL_COUNT: no such level */

/* ---- The conversation (core.c) ---- */

/* Replies to one batch, which leave together when the last one is there. */
struct mcp__batch {
	size_t waiting;  /* requests of it in flight */
	bool reading;    /* its messages are still being looked at */
	struct buf text; /* "[a,b" */
};

/*   FRESH ── a claim ──> MODERN ── initialize ──> LEGACY
 *     └── a request without one ────────────────────^
 * In MODERN a request without a claim is refused, but for initialize and ping; in LEGACY both are
 * served: some hosts go on to initialize after a discover that was answered. */
enum mcp__opening {
	MCP__FRESH,
	MCP__MODERN,
	MCP__LEGACY
};

struct mcp__core {
	const struct mcp__server *server;
	void *data;
	struct mcp__core_io io;
	struct env env;
	struct pepper seal; /* of request states */
	struct mcp__lines lines;
	enum mcp__opening opening;
	const struct mcp__version *version; /* that initialize has negotiated, or NULL */
	unsigned can;                       /* what initialize declared */
	enum mcp__level level;              /* of logging/setLevel */
	struct mcp__batch *batch;           /* the one that is being read, or NULL */
	int64_t last_number;
	int64_t last_question;
	size_t count;
	struct mcp__request *requests[LIMIT_MCP_IN_FLIGHT];
};

/* One message and what it claims, while it is dispatched. */
struct mcp__turn {
	struct mcp__core *core;
	const struct mcp__message *m;
	const struct mcp__claim *claim;
};

void mcp__core_say(struct mcp__core *core, struct str line);
/* Sends a whole reply, alone or into its batch. */
void mcp__core_send(struct mcp__core *core, struct mcp__batch *b, struct str reply);
void mcp__core_refuse(struct mcp__core *core, struct mcp__batch *b, struct str id, int number,
                      const char *text);
void mcp__batch_settle(struct mcp__core *core, struct mcp__batch *b);
/* Says when the next tick is due. */
void mcp__core_schedule(struct mcp__core *core);

/* ---- Methods (core_method.c) ---- */

typedef void mcp__method_fn(const struct mcp__turn *turn);

struct mcp__method {
	const char *name;
	bool legacy, modern;
	unsigned offer; /* needs this of the server; 0: nothing */
	mcp__method_fn *run;
};

bool mcp__is_initialize(const struct mcp__method *method);
bool mcp__is_ping(const struct mcp__method *method);
/* NULL: there is none in that era, or the server does not offer it. */
const struct mcp__method *mcp__method_find(const struct mcp__core *core, struct str raw_name,
                                           bool modern);

/* ---- Results (core_result.c) ---- */

/* `{"jsonrpc", "id", "result": {` and, for the modern era, its type; and the end of all that. */
void mcp__reply_open(struct json_out *o, struct str id, const char *type);
struct mcp__hint { /* of caching; NULL: none */
	int64_t ttl_ms;
	bool is_public;
};
void mcp__reply_close(struct json_out *o, const struct mcp__core *core, bool modern,
                      const struct mcp__hint *hint);
void mcp__put_server_info(struct json_out *o, const char *key, const struct mcp__server *server);

/* ---- Requests (core_request.c) ---- */

/* Waits for answers to what it asked by requests of our own; only in the initialize era. */
struct mcp__asking {
	int64_t first; /* the number of the first question */
	size_t count, open;
	char *keys[MCP__INPUTS_MAX];
	struct buf answers[MCP__INPUTS_MAX]; /* empty: open */
	int64_t due_us;
};

struct mcp__request {
	struct mcp__core *core;
	struct mcp__batch *batch; /* NULL if it came alone */
	int64_t number;
	char *id; /* as written */
	bool modern;
	bool listens; /* a stream of subscriptions/listen: it has no answer until it ends */
	enum mcp__asked asked;
	unsigned can;
	enum mcp__level level;

	struct buf params;
	struct str arguments; /* in params */
	struct buf name;
	struct buf answers; /* a raw object; empty: none */
	struct buf state;
	bool has_state;

	struct json_out out;
	struct mcp__hint hint;

	char *token;
	int64_t start_us, told_us, told; /* of progress: the last time and the last value */
	const char *waits;
	struct mcp__asking *asking;
	void *data;
};

/* What tools/call and its like have in common. Answers the turn itself, and gives NULL, if that
 * cannot begin. */
struct mcp__request *mcp__request_new(const struct mcp__turn *turn, enum mcp__asked asked);
struct mcp__request *mcp__stream_new(const struct mcp__turn *turn);
struct mcp__request *mcp__request_by_id(struct mcp__core *core, struct str id);
void mcp__request_run(struct mcp__request *r);
/* Takes it out of the conversation, settles its batch and frees it. */
void mcp__request_end(struct mcp__request *r);
/* The host does not want it any more. */
void mcp__request_drop(struct mcp__request *r);
void mcp__request_tick(struct mcp__request *r, int64_t now_us);
/* When it wants a tick; INT64_MAX: never. */
int64_t mcp__request_due_us(const struct mcp__request *r);

/* ---- Questions (core_ask.c) ---- */

/* A response of the host to one of our questions. */
void mcp__core_answered(struct mcp__core *core, const struct mcp__message *m);
/* Nobody will answer any more; `tell` the host so. The request runs on. */
void mcp__asking_give_up(struct mcp__request *r, bool tell);
void mcp__asking_free(struct mcp__request *r, bool tell);

/* ---- Streams (core_listen.c) ---- */

void mcp__core_listen(const struct mcp__turn *turn);
void mcp__stream_end(struct mcp__request *r);

/* ---- Request states (core_state.c) ---- */

/* "<expiry>.<text>.<seal>" of `state` for this request. */
void mcp__state_seal(const struct mcp__request *r, struct str state, struct buf *out);
/* False: not ours, too old, or of another request. */
MUST_CHECK bool mcp__state_open(const struct mcp__request *r, struct str sealed, struct buf *out);

#endif
