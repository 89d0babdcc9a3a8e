/* SPDX-License-Identifier: Apache-2.0 */
/* Errors in the words of the protocol that the route speaks (contract section 5). */
#ifndef ROUTER_FAILURE_H
#define ROUTER_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/net.h"
#include "router/dialect.h"

struct failure {
	enum err_code code;
	int status; /* 0: the code's own */
	const char *text;
	const struct err_funds *funds; /* with ERR_INSUFFICIENT_FUNDS, or NULL */
	int64_t affordable_tokens; /* with funds: output tokens that could be paid; -1: unknown */
	bool model;                /* the thing not found is a model */
};

struct failure failure_of(const struct err *err);
int failure_status(const struct failure *f);
/* The error body; `request_id` may be NULL. */
void failure_put(const struct failure *f, enum dialect dialect, const char *request_id,
                 struct buf *out);
/* The error as an event of a stream that has begun. */
void failure_put_event(const struct failure *f, enum dialect dialect, const char *request_id,
                       struct buf *out);

/* Answers with it: body, x-request-id (made if `request_id` is NULL is the caller's business),
 * x-should-retry where a retry is of no use, and `retry_after` (absent: none). */
void failure_reply(const struct failure *f, enum dialect dialect, const char *request_id,
                   struct str retry_after, struct net_request *rq);

#endif
