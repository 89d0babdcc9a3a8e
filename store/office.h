/* SPDX-License-Identifier: Apache-2.0 */
/* What people at a console or an admin panel ask of the store beside what programs do (store.h):
 * lists to page through, live balances, freezing, the operator's sessions, and the audit log. Runs
 * on the store thread inside a job, unless it says otherwise. */
#ifndef STORE_OFFICE_H
#define STORE_OFFICE_H

#include "store/store.h"

/* ---- Who changed what ----
 * Each change of an account, its wallet, its policy or a key is written down in the transaction
 * that makes it. Buyers act under their account's id, everybody else as set here. */

/* Who acts until the next call: "admin@127.0.0.1". NULL: "operator". Borrowed; a job that sets it
 * takes it back before it ends. */
void store_act_as(struct store *st, const char *who);

struct store_audit {
	int64_t id; /* grows with time */
	int64_t created_ms;
	struct str who;           /* absent in store_audit_note: who acts now */
	struct str what;          /* "account.freeze" */
	struct str subject;       /* the id of what was changed */
	struct str before, after; /* JSON objects or absent */
};
typedef void store_audit_fn(void *data, const struct store_audit *entry);
/* Newest first. `subject` absent: all; `below` 0: from the newest, else ids below it. */
MUST_CHECK bool store_audit_each(struct store *st, struct str subject, int64_t below, size_t limit,
                                 store_audit_fn *fn, void *data, struct err *err);
/* A change that is not in the database: a reload of the settings. */
MUST_CHECK bool store_audit_note(struct store *st, const struct store_audit *entry,
                                 struct err *err);

/* ---- Freezing ---- */

/* Stops all keys of an account at once, ends its sessions and refuses its purchases, or lifts that.
 * Running calls end as they would. Again is fine. ERR_NOT_FOUND. */
MUST_CHECK bool store_account_freeze(struct store *st, const struct id *account, bool frozen,
                                     struct err *err);

/* ---- Sessions ---- */

/* Ends a buyer's session; one that is unknown or over is fine. */
MUST_CHECK bool store_session_end(struct store *st, struct str token, struct err *err);

/* The operator's, good while the admin token is the one that it was signed in with. */
MUST_CHECK bool store_admin_session_create(struct store *st, struct str admin_token,
                                           struct secret *token, int64_t *expires_ms,
                                           struct err *err);
/* ERR_UNAUTHORIZED. */
MUST_CHECK bool store_admin_session_find(struct store *st, struct str token, struct str admin_token,
                                         int64_t *expires_ms, struct err *err);
MUST_CHECK bool store_admin_session_end(struct store *st, struct str token, struct err *err);

/* ---- Lists ---- */

struct store_request_query {
	struct str service_id; /* absent: all of the account's; likewise below */
	struct str q;          /* part of a request id, model, route, upstream or label; any case */
	struct str model, status, key_id;
	struct str before; /* the id of a request: older ones only */
	size_t limit;      /* 1 to STORE_REQUESTS_MAX */
};
#define STORE_REQUESTS_MAX 100

struct store_request_line {
	struct id id, key, service;
	struct str key_label, model, provider, upstream, route, status, evidence;
	bool stream;
	int http_status;
	struct token_counts counts;
	struct money charge;
	int64_t created_ms, first_byte_ms, settled_ms; /* first_byte_ms -1: none */
};
typedef void store_request_fn(void *data, const struct store_request_line *line);
/* Finished calls, newest first. Looks at a bounded number of receipts, so a page may be short and
 * yet have a next one: `*next` is its `before`, empty at the end. ERR_INVALID_ARGUMENT for a
 * `before` that is no request of this account. */
MUST_CHECK bool store_request_each(struct store *st, const struct id *account,
                                   const struct store_request_query *query, store_request_fn *fn,
                                   void *data, struct id *next, struct err *err);

struct store_purchase_line {
	struct store_purchase purchase;
	struct str display_name;
};
typedef void store_purchase_fn(void *data, const struct store_purchase_line *line);
/* Newest first; `service_id` absent: into all services. */
MUST_CHECK bool store_purchase_each(struct store *st, const struct id *account,
                                    struct str service_id, size_t limit, store_purchase_fn *fn,
                                    void *data, struct err *err);

struct store_funding_line {
	struct str reference;
	struct money amount;
	int64_t created_ms;
};
typedef void store_funding_fn(void *data, const struct store_funding_line *line);
MUST_CHECK bool store_funding_each(struct store *st, const struct id *account, size_t limit,
                                   store_funding_fn *fn, void *data, struct err *err);

/* Accounts, oldest first, whose name or id has `q` in it (absent: all). `after`: an account's id,
 * from the one after it on; absent: from the first. */
MUST_CHECK bool store_account_search(struct store *st, struct str q, struct str after, size_t limit,
                                     store_account_fn *fn, void *data, struct err *err);
/* Keys of all accounts, newest first, whose id, lookup, label or account's name has `q` in it. */
MUST_CHECK bool store_key_search(struct store *st, struct str q, size_t limit, store_key_fn *fn,
                                 void *data, struct err *err);
/* One key by its id; `account` NULL: any account's. ERR_NOT_FOUND. */
MUST_CHECK bool store_key_find(struct store *st, const struct id *account, struct str key_id,
                               struct store_key_info *out, struct err *err);

/* A key's limits as JSON, read into a struct store_key_limits and written with those alone that the
 * key has. */
extern const struct json_fields store_key_limit_fields;
void store_key_limits_put(struct json_out *out, const char *key, const struct store_key_info *info);

/* ---- Live balances ---- */

struct store_pool; /* the credit of a service in memory; lives until store_close */

struct store_pool_name {
	struct id service;
	const struct store_pool *pool;
};
/* The pools of an account, at most `max`; returns how many in `*count`. */
MUST_CHECK bool store_live_pools(struct store *st, const struct id *account, struct str service_id,
                                 struct store_pool_name *out, size_t max, size_t *count,
                                 struct err *err);
/* Any thread. */
struct store_balance store_pool_balance(const struct store_pool *pool);

#endif
