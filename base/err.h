/* SPDX-License-Identifier: Apache-2.0 */
/* One error type for the whole program: a code that programs act on and a line that people read.
 * An error is made once, where its cause is known; upper layers may prefix the text but never
 * replace the code. err.c has the only table from code to wire name, HTTP status and JSON-RPC
 * number. Texts are one line, lower case, user text in single quotes, and hold no secret. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/macros.h"

enum err_code {
	ERR_NONE,
	ERR_INVALID_ARGUMENT, /* the caller's input is wrong; the text says what is allowed */
	ERR_NOT_FOUND,        /* no such object, or another account's */
	ERR_UNAUTHORIZED,     /* no key, unknown key, revoked key, wrong kind of key */
	ERR_FORBIDDEN,        /* a known key that may not do this */
	ERR_QUOTE_EXPIRED,
	ERR_INSUFFICIENT_FUNDS, /* see struct err_funds */
	ERR_POLICY_REFUSED,
	ERR_APPROVAL_REQUIRED,
	ERR_IDEMPOTENCY_CONFLICT, /* same key, other arguments */
	ERR_IDEMPOTENCY_IN_FLIGHT,
	ERR_CONFLICT, /* the object is in a state that forbids this */
	ERR_RATE_LIMITED,
	ERR_TOO_LARGE,   /* a limit of base/limits.h was reached */
	ERR_UNSUPPORTED, /* understood, but not offered */
	ERR_TIMEOUT,
	ERR_UNAVAILABLE, /* cannot be served now; trying again may help */
	ERR_STORAGE,     /* the database or its disk failed */
	ERR_INTERNAL,    /* our own mistake, or no memory */
	ERR_CODE_COUNT
};

/* What an ERR_INSUFFICIENT_FUNDS was about, in micro-USD. `held` tells "no money" from "held by
 * your own running calls"; it is zero for a wallet. */
struct err_funds {
	int64_t required;
	int64_t available;
	int64_t held;
};

struct err {
	enum err_code code;
	char text[LIMIT_ERR_TEXT];
	struct err_funds funds; /* only with ERR_INSUFFICIENT_FUNDS */
};

/* Records code and text, replacing what was there; a text that is too long is cut at a character.
 * `err` may be NULL. Call it through err_set, whose value is the constant false. */
void err_record(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);

#define err_set(err, ...) (err_record((err), __VA_ARGS__), false)

/* Puts "prefix: " before the text and keeps the code. `err` may be NULL. Returns false. */
bool err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* err_set for a failed system call: the text is "what: strerror(errno)". */
#define err_set_errno(err, code, what) (err_record_errno((err), (code), (what)), false)
void err_record_errno(struct err *err, enum err_code code, const char *what);

/* No memory: ERR_INTERNAL, "out of memory". Returns false. */
bool err_no_memory(struct err *err);

/* The code's name on the wire (contract, section 4): "insufficient_funds". Never NULL. */
const char *err_code_name(enum err_code code);

/* The HTTP status that a route of ours answers with. */
int err_http_status(enum err_code code);

/* The JSON-RPC 2.0 error number when a failure must be a protocol error (-32602, -32603, ...). */
int err_rpc_number(enum err_code code);

#endif
