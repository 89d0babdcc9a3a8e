/* SPDX-License-Identifier: Apache-2.0 */
/* The Model Context Protocol without any product: framing, both eras, lifecycle, cancellation,
 * progress, questions to the host. What it serves is a const description with callbacks, so that
 * the product and the fixtures of the conformance suite stand on the same core. Private to mcp/.
 * The surprising fact: a server never sees which era it talks to. It asks, and is run again with
 * the answers, whether these came in the same request or in another one. */
#ifndef MCP_CORE_H
#define MCP_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "mcp/jsonrpc.h"

struct mcp__core;    /* one host's conversation */
struct mcp__request; /* one request of it that the server answers, now or later */

/* ---- What a server is ---- */

/* Methods of what is not offered are unknown methods. */
enum mcp__offer {
	MCP__OFFERS_TOOLS = 1,
	MCP__OFFERS_PROMPTS = 2,
	MCP__OFFERS_RESOURCES = 4,
	MCP__OFFERS_COMPLETIONS = 8,
	MCP__OFFERS_LOGGING = 16,
	MCP__OFFERS_SUBSCRIPTIONS = 32, /* resources/subscribe, up to 2025-11-25 */
};

/* One page, which depends neither on the connection nor on earlier calls. */
struct mcp__listing {
	/* Puts the array; NULL: an empty one. `data` is mcp__core_new's. */
	void (*put)(void *data, struct json_out *o, const char *key);
	int64_t ttl_ms; /* how long a host may keep it */
};

/* What a request asks for. */
enum mcp__asked {
	MCP__ASKED_TOOL,       /* name: the tool's; arguments */
	MCP__ASKED_PROMPT,     /* name: the prompt's; arguments */
	MCP__ASKED_RESOURCE,   /* name: the URI */
	MCP__ASKED_COMPLETION, /* name: the prompt's or the URI template; see mcp__request_params */
	MCP__ASKED_SUBSCRIBE,  /* name: the URI */
	MCP__ASKED_UNSUBSCRIBE
};

struct mcp__server {
	const char *name, *title, *version;
	const char *instructions; /* or NULL */
	unsigned offers;
	struct mcp__listing tools, prompts, resources, templates;
	/* A request has come, or goes on with the answers to what it asked. It ends by exactly one
	 * of mcp__result_send, mcp__request_fail, mcp__request_lacks and mcp__request_ask, now or
	 * later. `data` is mcp__core_new's. */
	void (*run)(void *data, struct mcp__request *r);
	/* The host has cancelled the request or is gone: nothing may be called on it any more. May
	 * be NULL. */
	void (*dropped)(void *data, struct mcp__request *r);
};

/* ---- A conversation ---- */

struct mcp__core_io {
	void (*line)(void *data, struct str line); /* one message for the host, without newline */
	/* Call mcp__core_tick after so many milliseconds, instead of what was said before; -1: do
	 * not. May be NULL: then nothing times out and nothing is told while a request waits. */
	void (*wake)(void *data, int64_t delay_ms);
	void *data;            /* of these two */
	const struct env *env; /* NULL: the real one */
};

/* `server` is borrowed. */
MUST_CHECK struct mcp__core *mcp__core_new(const struct mcp__server *server, void *data,
                                           const struct mcp__core_io *io, struct err *err);
void mcp__core_feed(struct mcp__core *core, struct str bytes); /* any piece of the input */
void mcp__core_tick(struct mcp__core *core);
/* The input has ended: open streams are ended, open questions count as cancelled. */
void mcp__core_end(struct mcp__core *core);
size_t mcp__core_in_flight(const struct mcp__core *core); /* requests without an answer */
void mcp__core_free(struct mcp__core *core);              /* drops them; NULL is fine */

/* ---- A request ---- */

/* A request that is answered later is found again by its number; NULL: it is gone. */
int64_t mcp__request_number(const struct mcp__request *r);
struct mcp__request *mcp__core_request(struct mcp__core *core, int64_t number);

enum mcp__asked mcp__request_asked(const struct mcp__request *r);
/* Texts live as long as the request. */
struct str mcp__request_name(const struct mcp__request *r);
struct str mcp__request_arguments(const struct mcp__request *r); /* a raw object, or absent */
struct str mcp__request_params(const struct mcp__request *r);    /* all of them, raw */
bool mcp__request_is_modern(const struct mcp__request *r);       /* for error codes only */

/* The server's own, for what it must remember between `run` and the end. Not freed by the core. */
void mcp__request_set_data(struct mcp__request *r, void *data);
void *mcp__request_data(const struct mcp__request *r);

/* ---- Its result ---- */

/* Opens the result: put its members, but not `_meta`. `room` bytes are reserved at once: memory
 * that was not moved can be wiped wholly, and is. */
struct json_out *mcp__result_begin(struct mcp__request *r, size_t room);
/* How long a host may keep a resource's contents, and whether others may see them. */
void mcp__result_cache(struct mcp__request *r, int64_t ttl_ms, bool is_public);
/* Closes and sends it, and ends the request. False if it is too large for a line: the request goes
 * on, and may begin a smaller result. */
MUST_CHECK bool mcp__result_send(struct mcp__request *r, struct err *err);
/* Ends it with a protocol error. `data` is raw JSON or absent. */
void mcp__request_fail(struct mcp__request *r, int number, const char *text, struct str data);

/* ---- Progress ---- */

/* Told only if the host asked for it, if `progress` is above the last one, and not more than five
 * times a second; the one that reaches `total` always. `total` 0: not known. */
void mcp__request_progress(struct mcp__request *r, int64_t progress, int64_t total,
                           const char *message);
/* The request waits for something that may take seconds: from now on the seconds are told as its
 * progress. `why` is a const text. NULL: it does not wait any more. */
void mcp__request_waits(struct mcp__request *r, const char *why);

/* ---- Log messages to the host ---- */

enum mcp__level { /* of RFC 5424, from below */
	MCP__LEVEL_DEBUG,
	MCP__LEVEL_INFO,
	MCP__LEVEL_NOTICE,
	MCP__LEVEL_WARNING,
	MCP__LEVEL_ERROR,
	MCP__LEVEL_CRITICAL,
	MCP__LEVEL_ALERT,
	MCP__LEVEL_EMERGENCY,
	MCP__LEVEL_COUNT /* also: none at all */
};
/* Sent only where the host asked for that level, and only by a server that offers logging. */
void mcp__request_log(struct mcp__request *r, enum mcp__level level, const char *text);

/* ---- Questions to the host ---- */

enum mcp__ability { /* of a host, as it declared it: for this request, or in initialize */
	MCP__CAN_FILL_FORM = 1, /* elicitation/create with a schema */
	MCP__CAN_OPEN_URL = 2,  /* elicitation/create with mode "url" */
	MCP__CAN_SAMPLE = 4,    /* sampling/createMessage */
	MCP__CAN_LIST_ROOTS = 8 /* roots/list */
};
bool mcp__request_can(const struct mcp__request *r, enum mcp__ability ability);
/* Ends the request: it cannot be served without that ability. */
void mcp__request_lacks(struct mcp__request *r, enum mcp__ability ability);

struct mcp__input {
	const char *key; /* the answer's name; of letters, digits and '_' */
	enum mcp__ability kind;
	struct str params; /* raw, of its method */
};

#define MCP__INPUTS_MAX 8

/* Asks the host. `run` is called with the answers: for this request, or for the one that takes its
 * place, with `state` (any text of at most LIMIT_MCP_STATE bytes; absent: none), which the host
 * cannot read into, change, use for other arguments or keep for longer than LIMIT_MCP_STATE_MS. It
 * can present it twice: what must happen once is the server's to watch. Where a host gives no
 * answer, it is {"action":"cancel"}.
 * ERR_UNSUPPORTED if the host has not declared one of the abilities: nothing was asked. */
MUST_CHECK bool mcp__request_ask(struct mcp__request *r, const struct mcp__input *inputs,
                                 size_t count, struct str state, struct err *err);
/* The raw answer of that name, an object; absent: there is none (yet). */
struct str mcp__request_answer(const struct mcp__request *r, const char *key);
bool mcp__request_answered(const struct mcp__request *r); /* there are answers of any name */
/* The state that mcp__request_ask was given; absent: none. */
struct str mcp__request_state(const struct mcp__request *r);

#endif
