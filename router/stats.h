/* SPDX-License-Identifier: Apache-2.0 */
/* What /metrics and the admin panel tell of calls: counters that are moved when a call ends, and
 * the last failures. All of the loop's thread, fixed in size, and a few dozen instructions a call.
 */
#ifndef ROUTER_STATS_H
#define ROUTER_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/money.h"
#include "base/str.h"

struct call;
struct router;

#define STATS_SERIES 1024 /* route, model, status; more are counted as "other" */
#define STATS_STEPS 14
#define STATS_ERRORS 128

/* Times in microseconds; `count[i]` is of those up to the i-th bound, the last of all above. */
struct histogram {
	int64_t count[STATS_STEPS + 1];
	int64_t sum_us;
};
/* The upper bounds, in microseconds. */
extern const int64_t stats_bounds_us[STATS_STEPS];

struct stats_series {
	char route[64];
	char model[LIMIT_MODEL_ID + 1];
	int status;
	int64_t count; /* 0: the slot is free */
};

/* A failed request, as told to stats_note_error; texts are copied, absent or NULL: unknown. */
struct stats_error {
	int status;
	enum err_code code;
	const char *text;
	struct str route, model, upstream;
	const struct id *request, *account, *key;
};

struct stats_failure {
	int64_t at_ms; /* 0: the slot was never used */
	int status;
	enum err_code code;
	char text[200];
	char route[64], model[LIMIT_MODEL_ID + 1], upstream[64];
	struct id request, account, key;
};

struct stats {
	struct stats_series series[STATS_SERIES];
	int64_t other; /* requests beyond the table */
	struct histogram added, first_byte;
	int64_t tokens[TOKEN_CLASS_COUNT];
	int64_t charged, held, released; /* micros, ever */
	struct stats_failure failures[STATS_ERRORS];
	size_t failure_count; /* ever; the next slot is its remainder */
};

/* Moments of a call, monotonic microseconds, 0: not reached. */
struct stats_clock {
	int64_t body_us;     /* the request was there */
	int64_t sent_us;     /* the first attempt left */
	int64_t upstream_us; /* what the client could get first came from the upstream */
	int64_t out_us;      /* and left for the client */
};

/* A call has ended with its receipt. */
void stats_settled(const struct call *c);
/* A call was refused before it held anything, with this status. */
void stats_refused(const struct call *c, int status);
/* A request to our own API; `path` is its pattern. */
void stats_api(struct router *r, const char *path, int status);
void stats_note_error(struct router *r, const struct stats_error *e);

#endif
