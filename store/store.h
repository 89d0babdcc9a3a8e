/* SPDX-License-Identifier: Apache-2.0 */
/* The shop and its books: accounts, keys, catalog, quotes, purchases, services, the double-entry
 * ledger with holds, receipts. The only speaker of SQL; it knows neither HTTP nor MCP.
 *
 * Written in whole operations, so that another database can stand behind it. Three groups:
 *   store_worker_*  the thread that owns the database; any thread may submit a job to it
 *   store_live_*    what a running call needs of balances and keys, in memory; any thread
 *   everything else runs on the store thread inside a job (or, before a worker exists and in
 *                   tests, on the only thread). Each such call is one transaction, or one savepoint
 *                   of the batch that its job runs in: it happens wholly or not at all. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/id.h"
#include "base/inbox.h"
#include "base/json.h"
#include "base/money.h"
#include "base/secret.h"
#include "base/str.h"
#include "store/model.h"

/* ---- Opening ---- */

struct store;
struct store_lock;

/* Takes the right to own the database at `path` (a lock file beside it, made with its folder,
 * 0700 / 0600). ERR_CONFLICT if another process owns it. Held until freed or the process ends. */
MUST_CHECK struct store_lock *store_lock_take(const char *path, struct err *err);
void store_lock_free(struct store_lock *lock); /* NULL is fine */

enum store_durability {
	STORE_POWER,  /* an acknowledged charge survives a power loss */
	STORE_PROCESS /* it survives kill -9 */
};

struct store_options {
	const char *path; /* of the database; ":memory:" for a fresh one that is never written */
	enum store_durability durability;
	const struct env *env;
};

/* Opens, migrates, and ends what a crash left held, by rule (docs/money.md): in one transaction,
 * before anything is served. The caller holds the lock. ERR_STORAGE if the file is damaged, no
 * database, or of a newer version. */
MUST_CHECK struct store *store_open(const struct store_options *options, struct err *err);
void store_close(struct store *st); /* checkpoints; NULL is fine */

/* ---- The worker: one thread, one transaction for all that has queued up ---- */

struct store_job {
	struct inbox_item item; /* the worker's */
	/* Runs on the store thread. False undoes what this job wrote, and only that. */
	bool (*run)(struct store_job *job, struct store *st, struct err *err);
	/* Runs on the thread of `reply`, after the commit: `ok` and `err` are set. */
	void (*done)(struct store_job *job);
	struct inbox *reply; /* NULL: nobody waits, `done` runs on the store thread */
	bool power; /* commit as STORE_POWER whatever the setting: purchases, keys, funding */
	/* `run` makes exactly one of the calls store_hold_write, _mark and _end and no other: then
	 * it needs no savepoint of its own, and balances are written once per batch. */
	bool single;
	bool ok;
	struct err err;
};

struct store_worker;

/* From here on only the worker's thread uses `st`. */
MUST_CHECK struct store_worker *store_worker_start(struct store *st, struct err *err);
void store_worker_submit(struct store_worker *w, struct store_job *job);
/* Finishes what is queued, joins the thread; its last replies are in their inboxes. */
void store_worker_stop(struct store_worker *w);
/* False after the disk refused a commit in a way that cannot be retried (a failed sync): nothing is
 * accepted any more and the process should end. Any thread. */
bool store_worker_healthy(const struct store_worker *w);

#define STORE_BATCH_STEPS 10 /* batches of at most 1, 2, 4, … 512 jobs */

struct store_worker_stats {
	int64_t commits, jobs, largest_batch;
	int64_t queued;                     /* submitted and not yet answered */
	int64_t batches[STORE_BATCH_STEPS]; /* by size, each counted once */
};
struct store_worker_stats store_worker_stats(const struct store_worker *w); /* any thread */

/* ---- Live: keys and balances in memory, for the request path. Any thread, never a disk. ---- */

struct store_live;
struct store_key; /* a router or route key; never freed before store_close, even when revoked */

struct store_live *store_live(struct store *st);

/* The key that this text is, whatever its state was a moment ago: checksum, look-up, keyed hash,
 * revocation, expiry. ERR_UNAUTHORIZED, one text for unknown, malformed and revoked; a purchase key
 * gets a text that says which kind is wanted. */
MUST_CHECK const struct store_key *store_live_key(struct store_live *live, struct str text,
                                                  int64_t now_ms, struct err *err);
const struct id *store_key_id(const struct store_key *key);
const struct id *store_key_account(const struct store_key *key);
bool store_key_allows_model(const struct store_key *key, struct str model_id);
/* Wants its calls' output limit lowered to what the balance can pay, rather than refused. */
bool store_key_lowers(const struct store_key *key);

/* Money set aside for one request. The caller's memory; `row` names it in the database. */
struct store_hold {
	struct id request_id;
	const struct store_key *key;
	struct store_pool *pool;
	int64_t row;
	struct money amount;
};

/* Sets `amount` aside with one compare-and-subtract, and counts the request against the key's
 * limits (spend, requests per minute, concurrency). Nothing is on disk yet.
 * ERR_INSUFFICIENT_FUNDS with funds; ERR_RATE_LIMITED; ERR_UNAUTHORIZED if the key died. */
MUST_CHECK bool store_live_reserve(struct store_live *live, const struct store_key *key,
                                   struct money amount, int64_t now_ms, struct store_hold *hold,
                                   struct err *err);
/* Gives a reserve back that store_hold_write did not, or could not, put on disk. */
void store_live_unreserve(struct store_live *live, struct store_hold *hold);

struct store_balance {
	struct money balance; /* available + held */
	struct money held;
	struct money available;
};

/* ---- Holds and receipts (ledger; run in jobs) ---- */

enum hold_state {
	HOLD_HELD,      /* on disk, the upstream may be asked */
	HOLD_STREAMING, /* bytes were delivered: a crash settles the estimate */
	HOLD_SETTLED,
	HOLD_RELEASED, /* nothing produced, nothing billed */
	HOLD_FAILED,   /* the upstream failed; nothing billed */
	HOLD_STATE_COUNT
};

enum evidence {
	EVIDENCE_PROVIDER,  /* the provider's own final figures */
	EVIDENCE_ESTIMATED, /* by the rule of docs/money.md */
	EVIDENCE_NONE,      /* nothing was billed */
	EVIDENCE_COUNT
};

const char *hold_state_name(enum hold_state s); /* "settled" */
const char *evidence_name(enum evidence e);     /* "provider" */

/* What a hold is for; texts are copied. */
struct store_call {
	struct str model;          /* catalog id, as asked for */
	struct str served_by;      /* catalog id of the one that answers for it; absent: itself */
	struct str upstream_model; /* what the upstream is asked for */
	struct str upstream;       /* its name (store_upstream); absent: the provider's name */
	enum provider provider;
	struct str route; /* "openai" or the alias */
	bool stream;
	struct token_prices prices;      /* in force now; stand on the receipt */
	struct token_prices long_prices; /* for prompts above long_above; see store_model */
	int64_t long_above;
	struct str price_version;
	int64_t input_estimate; /* tokens billed if the process dies after the first byte */
	int64_t created_ms;
};

/* Moves credit -> hold in the ledger and writes the hold. If the database disagrees with memory:
 * ERR_INSUFFICIENT_FUNDS, nothing written. */
MUST_CHECK bool store_hold_write(struct store *st, const struct store_hold *hold,
                                 const struct store_call *call, struct err *err);

/* Bytes of the answer have left for the client; `output_estimate` tokens so far. */
MUST_CHECK bool store_hold_mark(struct store *st, const struct store_hold *hold,
                                int64_t output_estimate, struct err *err);

struct store_outcome {
	enum hold_state state; /* HOLD_SETTLED, HOLD_RELEASED or HOLD_FAILED */
	enum evidence evidence;
	struct token_counts counts;
	struct str reported_model; /* what the upstream says it ran; absent if unknown */
	struct str attempts;       /* a JSON array text: every upstream attempt */
	int status;                /* HTTP status that the client saw, 0 if none */
	int64_t first_byte_ms;     /* after created_ms; -1 if no byte was sent */
	int64_t settled_ms;
	/* What answered, when it is not what the hold names: another upstream or model, with its
	 * own prices. NULL: as held. Its model, route, stream and times are not read. */
	const struct store_call *used;
};

/* Ends a hold, once: charge by the prices of what answered, the rest back to credit, receipt
 * written and chained. More than was held is taken from what is available, else booked to `overrun`
 * and told in the log by the caller. ERR_CONFLICT if it had ended already. `*charged` is what the
 * buyer paid. */
MUST_CHECK bool store_hold_end(struct store *st, const struct store_hold *hold,
                               const struct store_outcome *outcome, struct money *charged,
                               struct err *err);

/* The receipt of a request of this account as the JSON object of contract section 5.
 * ERR_NOT_FOUND. */
MUST_CHECK bool store_receipt_put(struct store *st, const struct id *account, struct str request_id,
                                  struct json_out *out, struct err *err);

/* Request ids of the account's newest receipts, newest first, so many of each of its services. */
typedef void store_receipt_fn(void *data, struct str request_id);
MUST_CHECK bool store_receipt_recent(struct store *st, const struct id *account, int64_t limit,
                                     store_receipt_fn *fn, void *data, struct err *err);

struct store_open_holds {
	int64_t count;
	struct money amount;
};
MUST_CHECK bool store_holds_open(struct store *st, struct store_open_holds *out, struct err *err);

/* ---- Accounts and the wallet ---- */

struct store_policy { /* negative: no limit */
	struct money max_purchase;
	struct money daily;
	struct money approval_above;
};

struct store_account {
	struct id id;
	char name[LIMIT_ACCOUNT_NAME + 1];
	struct money wallet;
	struct store_policy policy;
	int64_t created_ms, frozen_ms; /* frozen_ms 0: it is not */
};

/* Makes the account and its purchase key, which is shown here once. ERR_CONFLICT if the name is
 * taken. */
MUST_CHECK bool store_account_create(struct store *st, struct str name, struct store_account *out,
                                     struct secret *purchase_key, struct err *err);
/* By id or by name. ERR_NOT_FOUND. */
MUST_CHECK bool store_account_find(struct store *st, struct str id_or_name,
                                   struct store_account *out, struct err *err);
/* The account whose live purchase key this is. ERR_UNAUTHORIZED: no key, wrong kind, unknown. */
MUST_CHECK bool store_account_by_key(struct store *st, struct str key_text,
                                     struct store_account *out, struct err *err);
typedef void store_account_fn(void *data, const struct store_account *account);
MUST_CHECK bool store_account_each(struct store *st, store_account_fn *fn, void *data,
                                   struct err *err);
MUST_CHECK bool store_account_set_policy(struct store *st, const struct id *account,
                                         const struct store_policy *policy, struct err *err);

struct store_funding {
	int64_t txn;
	struct money amount;
	struct money wallet;
	bool repeated; /* the reference was known: nothing moved */
};
/* Operator credit. The same reference for the same account and amount is the same entry; with
 * another amount ERR_IDEMPOTENCY_CONFLICT. */
MUST_CHECK bool store_wallet_fund(struct store *st, const struct id *account, struct money amount,
                                  struct str reference, struct store_funding *out, struct err *err);

/* ---- Keys ---- */

struct store_key_limits {
	struct money spend_limit;    /* negative: none */
	int64_t expires_ms;          /* 0: never */
	int64_t requests_per_minute; /* 0: no limit */
	int64_t max_concurrent;      /* 0: no limit */
	bool lower_output; /* a call that the balance cannot carry whole runs with a lower limit */
	const struct json *allowed_models; /* array of ids, in: borrowed; NULL: every model */
};

struct store_key_info {
	struct id id;
	struct id account;
	struct id service; /* empty for purchase keys */
	enum key_kind kind;
	char label[LIMIT_LABEL + 1];
	char lookup[KEY_LOOKUP_LEN + 1];
	bool revoked, frozen; /* frozen: its account is */
	struct money spend_limit, spent;
	int64_t expires_ms, requests_per_minute, max_concurrent;
	bool lower_output;
	struct str allowed_models; /* a JSON array text or absent; valid during the callback or
	                              until the next store call */
	int64_t created_ms, last_used_ms, revoked_ms;
};

/* A router key for a service of this account. ERR_NOT_FOUND for another's service. */
MUST_CHECK bool store_router_key_create(struct store *st, const struct id *account,
                                        struct str service_id, struct str label,
                                        const struct store_key_limits *limits,
                                        struct store_key_info *out, struct secret *secret,
                                        struct err *err);
/* A new key of the same kind, service, label and limits; the old one is dead when this commits.
 * `account` NULL: the operator, any account. ERR_NOT_FOUND; ERR_CONFLICT if already revoked. */
MUST_CHECK bool store_key_rotate(struct store *st, const struct id *account, struct str key_id,
                                 struct store_key_info *out, struct secret *secret,
                                 struct err *err);
/* Revoking a revoked key is fine and answers the same. */
MUST_CHECK bool store_key_revoke(struct store *st, const struct id *account, struct str key_id,
                                 struct store_key_info *out, struct err *err);
typedef void store_key_fn(void *data, const struct store_key_info *key);
/* Keys of an account, or of one of its services if `service_id` is present (ERR_NOT_FOUND). */
MUST_CHECK bool store_key_each(struct store *st, const struct id *account, struct str service_id,
                               store_key_fn *fn, void *data, struct err *err);

/* ---- Buyer sessions ---- */

struct store_session {
	struct id account;
	enum key_kind kind; /* of the key that signed in: a router key may look, not make keys */
	struct id service;  /* of a router key: what it may look at; else empty */
	int64_t expires_ms;
};
/* Signs in with a purchase or route key (or a router key, whose account it is). */
MUST_CHECK bool store_session_create(struct store *st, struct str key_text,
                                     struct store_session *out, struct secret *token,
                                     struct err *err);
MUST_CHECK bool store_session_find(struct store *st, struct str token, struct store_session *out,
                                   struct err *err);
/* The account's route key: makes the first, or replaces the one there is. */
MUST_CHECK bool store_route_key_rotate(struct store *st, const struct id *account,
                                       struct secret *secret, struct err *err);

/* ---- Catalog and quotes ---- */

struct store_item {
	const char *id, *sku, *name, *category, *checkout_kind, *service_type, *description;
	const struct json_fields *configuration; /* what checkout needs */
	const char *const *quote_capabilities;   /* NULL-ended */
	const char *const *service_capabilities; /* NULL-ended */
};

size_t store_items_count(void);
const struct store_item *store_item_at(size_t i);
const struct store_item *store_item_find(struct str id);
/* Items whose category is `category` (absent: any) and whose texts hold every word of `q`, in any
 * order and case. Fills `out` up to `limit`, returns how many. */
size_t store_item_search(struct str category, struct str q, const struct store_item **out,
                         size_t limit);

struct store_quote {
	struct id id;
	const struct store_item *item;
	int64_t total_cents;
	char display_name[96];
	struct money credit_amount;
	struct id service; /* where the credit goes, empty: the account's pool */
	char status[16];   /* open, used, expired */
	int64_t expires_ms;
};

/* Prices a configuration. ERR_INVALID_ARGUMENT names the field; ERR_NOT_FOUND for the item or for
 * configuration.serviceId. */
MUST_CHECK bool store_quote_create(struct store *st, const struct id *account, struct str item_id,
                                   int64_t quantity, const struct json *configuration,
                                   struct store_quote *out, struct err *err);

/* ---- Purchases and services ---- */

struct store_service {
	struct id id;
	struct id account;
	char service_type[32];
	char display_name[96];
	char status[16];
	struct store_balance balance;
	int64_t created_ms;
	const struct store_item *item;
};

struct store_purchase {
	struct id id;
	char status[16]; /* completed */
	int64_t total_cents;
	struct id quote; /* empty for a direct purchase */
	struct id service;
	int64_t created_ms;
	bool repeated; /* an earlier purchase answered; nothing moved now */
};

struct store_purchase_request {
	struct str quote_id; /* either this ... */
	struct str item_id;  /* ... or these three */
	int64_t quantity;
	const struct json *configuration;
	struct str idempotency_key; /* required */
	struct str approval; /* a person's consent: the id of store_approval_open's question */
};

/* Wallet -> credit in one transaction, with its idempotency record and the consent that it uses up.
 * ERR_INSUFFICIENT_FUNDS, ERR_QUOTE_EXPIRED, ERR_IDEMPOTENCY_CONFLICT, ERR_POLICY_REFUSED (also if
 * a person has just said no), ERR_APPROVAL_REQUIRED, ERR_CONFLICT for a consent that is not good
 * (any more), ERR_NOT_FOUND. */
MUST_CHECK bool store_purchase_create(struct store *st, const struct id *account,
                                      const struct store_purchase_request *request,
                                      struct store_purchase *purchase,
                                      struct store_service *service, struct err *err);
MUST_CHECK bool store_purchase_find(struct store *st, const struct id *account, struct str id,
                                    struct store_purchase *out, struct err *err);

/* ---- Policy and consent ---- */

enum store_rule { /* in the order in which they refuse */
	STORE_RULE_MAX_PURCHASE,
	STORE_RULE_DAILY,
	STORE_RULE_WALLET, /* its limit is the balance */
	STORE_RULE_APPROVAL,
	STORE_RULE_COUNT
};
const char *store_rule_name(enum store_rule rule); /* "max-purchase" */

struct store_check {
	bool passed;
	struct money limit; /* negative: none */
	struct money left;  /* of it, before this amount; negative: there is no limit */
};
struct store_policy_verdict {
	enum err_code outcome; /* of a purchase of this amount now; ERR_NONE: it may be bought */
	struct money amount;
	struct store_check checks[STORE_RULE_COUNT];
};
MUST_CHECK bool store_policy_weigh(struct store *st, const struct id *account, struct money amount,
                                   struct store_policy_verdict *out, struct err *err);
/* The same for what a request asks to buy, priced now. */
MUST_CHECK bool store_purchase_weigh(struct store *st, const struct id *account,
                                     const struct store_purchase_request *request,
                                     struct store_policy_verdict *out, struct err *err);

struct store_approval {
	struct id id; /* known only to whoever asks: it is what a consent refers to */
	int64_t total_cents;
	char display_name[96];
	int64_t expires_ms;
};
/* Notes that a person is being asked about this purchase, at today's price, LIMIT_APPROVAL_MS
 * long. ERR_POLICY_REFUSED if one has said no to it in the last LIMIT_REFUSAL_MS. */
MUST_CHECK bool store_approval_open(struct store *st, const struct id *account,
                                    const struct store_purchase_request *request,
                                    struct store_approval *out, struct err *err);
/* The person has said no, or (`cancelled`) nothing. A question that was answered, or that nobody
 * asked, stays as it is. */
MUST_CHECK bool store_approval_refuse(struct store *st, const struct id *account, struct str id,
                                      bool cancelled, struct err *err);

/* ---- Services ---- */

MUST_CHECK bool store_service_find(struct store *st, const struct id *account, struct str id,
                                   struct store_service *out, struct err *err);
typedef void store_service_fn(void *data, const struct store_service *service);
MUST_CHECK bool store_service_each(struct store *st, const struct id *account, store_service_fn *fn,
                                   void *data, struct err *err);

/* ---- Usage ---- */

enum usage_group {
	USAGE_BY_NONE,
	USAGE_BY_MODEL,
	USAGE_BY_KEY,
	USAGE_BY_DAY,
	USAGE_GROUP_COUNT
};

struct store_usage {
	struct str group; /* model id, key id or 2026-11-22; absent for the total */
	int64_t requests;
	struct token_counts counts;
	struct money charge;
	struct money by_class[TOKEN_CLASS_COUNT]; /* each cut to a micro: parts of `charge` */
	struct str label;                         /* of a key group; else as `group` */
};
typedef void store_usage_fn(void *data, const struct store_usage *row);
/* Receipts of [from_ms, to_ms), grouped, then the total with an absent group. `service_id` absent:
 * all services of the account. 0 for no bound. */
MUST_CHECK bool store_usage_each(struct store *st, const struct id *account, struct str service_id,
                                 int64_t from_ms, int64_t to_ms, enum usage_group by,
                                 store_usage_fn *fn, void *data, struct err *err);

/* ---- At a glance: for a person who watches ---- */

struct store_overview {
	int64_t accounts, open_holds;
	int64_t receipts;                   /* of all time */
	struct money wallets, credit, held; /* of all accounts; credit is what is available */
	struct money charged;               /* of all time */
};
MUST_CHECK bool store_overview(struct store *st, struct store_overview *out, struct err *err);

struct store_balances_row {
	struct id account;
	struct str name; /* borrowed for the call */
	struct money wallet, credit, held;
};
typedef void store_balances_fn(void *data, const struct store_balances_row *row);
/* At most `limit` accounts: first those with the most held, then with the most credit. */
MUST_CHECK bool store_overview_accounts(struct store *st, int64_t limit, store_balances_fn *fn,
                                        void *data, struct err *err);

struct store_activity { /* texts are borrowed for the call */
	struct str request_id, account, key, model, upstream, status;
	int64_t http_status, input_tokens, output_tokens;
	struct money charge;
	int64_t created_ms, settled_ms;
};
typedef void store_activity_fn(void *data, const struct store_activity *activity);
/* The newest receipts of all accounts, at most `limit`, newest first. `account` is the account's
 * name, `key` the key's label. */
MUST_CHECK bool store_overview_receipts(struct store *st, int64_t limit, store_activity_fn *fn,
                                        void *data, struct err *err);

/* ---- The books ---- */

struct store_verdict {
	int64_t accounts, entries, transactions, receipts;
	struct money difference; /* the first wrong balance: column minus its entries */
	char problem[256];       /* empty: everything adds up */
};
/* Re-adds every balance from its entries, every transaction to zero, every receipt's charge from
 * its counts and prices, and the receipt chain. Answers what it found; false only if it could not
 * look. */
MUST_CHECK bool store_ledger_verify(struct store *st, struct store_verdict *out, struct err *err);

/* A consistent copy of the database at `path` (which must not exist), with its pepper beside it.
 * Runs in slices so that other work goes on: call until `*done`. */
struct store_backup;
MUST_CHECK struct store_backup *store_backup_begin(struct store *st, const char *path,
                                                   struct err *err);
MUST_CHECK bool store_backup_step(struct store_backup *b, bool *done, struct err *err);
void store_backup_free(struct store_backup *b); /* an unfinished copy is removed */

#endif
