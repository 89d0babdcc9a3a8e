/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's files share: the store itself, the ledger's one way to move money, and the
 * effects by which a committed change reaches the live tables. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "store/db.h"
#include "store/store.h"

struct store_effects;
struct store_balances;

struct store {
	struct store_db db;
	const struct env *env;
	enum store_durability durability;
	struct pepper pepper;
	struct store_live *live;
	struct store_effects *effects;
	struct store_balances *balances;
	struct store_backup *backup; /* the one that runs, or NULL */
	struct hash chain;           /* of the last receipt; zeros before the first */
	int64_t receipt;             /* its number */
	const char *acting;          /* who makes changes; NULL: the operator. See office.h */
	struct buf told_models;      /* backs allowed_models of the last store_key_info */
	char *path;
};

int64_t store__now(const struct store *st); /* milliseconds, from env */

/* ---- Schema ---- */

/* Brings an opened database to this version, or makes a new one. ERR_STORAGE for a foreign, a
 * damaged or a newer one. */
MUST_CHECK bool store__schema_open(struct store *st, struct err *err);
int store__schema_version(void);

/* ---- Ledger ---- */

/* Accounts that exist in every store; the schema makes them. */
enum {
	LEDGER_USAGE = 1,   /* what was used: all charges */
	LEDGER_OVERRUN = 2, /* used but covered by nobody; negative is our loss */
	LEDGER_OPERATOR = 3 /* rail:operator, where funding comes from; negative */
};

/* Makes the account "<kind>:<owner>", which can never owe. kind is "wallet", "credit" or "hold". */
MUST_CHECK bool store__ledger_open(struct store *st, const char *kind, const struct id *owner,
                                   int64_t *account, struct err *err);
MUST_CHECK bool store__ledger_balance(struct store *st, int64_t account, struct money *out,
                                      struct err *err);

#define LEDGER_POSTINGS_MAX 4

struct ledger_posting {
	int64_t account;
	struct money amount; /* above zero: into the account */
};

struct ledger_txn {
	const char *kind; /* "funding", "purchase", "hold", "settle", "release" */
	struct str ref;   /* what it belongs to: a purchase id, a request id, a funding reference */
	struct ledger_posting postings[LEDGER_POSTINGS_MAX]; /* sum to zero; zeros are left out */
	size_t count;
};

/* Writes one transaction and moves the balances; `*id` is its row. ERR_INSUFFICIENT_FUNDS, with
 * funds, if an account that cannot owe has too little: then the caller must roll back. Runs inside
 * the caller's transaction. */
MUST_CHECK bool store__ledger_post(struct store *st, const struct ledger_txn *txn, int64_t *id,
                                   struct err *err);
/* The same for the common case of two accounts. */
struct ledger_move {
	const char *kind;
	struct str ref;
	int64_t from, to;
	struct money amount;
};
MUST_CHECK bool store__ledger_move(struct store *st, const struct ledger_move *move, int64_t *id,
                                   struct err *err);

/* ---- After a crash ---- */

/* Ends every hold that an earlier process left open, by the rule of docs/money.md. */
MUST_CHECK bool store__holds_recover(struct store *st, struct err *err);

/* ---- Backup ---- */

/* Copies the next slice of the backup that runs, if any. Between transactions only. */
void store__backup_turn(struct store *st);

/* ---- Live effects ----
 * Queued inside a transaction; applied when the outermost one has committed, before anybody hears
 * of it; forgotten if the transaction that queued them is undone. Memory is taken when they are
 * queued, so that applying cannot fail. */

struct store_pool_row {
	int64_t service, account; /* rows */
	int64_t credit_account;   /* ledger rows */
	int64_t hold_account;
	struct money available, held;
};
/* A service that can be spent. The account's first pool is what its route keys spend. */
MUST_CHECK bool store__live_pool_new(struct store *st, const struct store_pool_row *row,
                                     struct err *err);
/* More credit for a service (a negative amount takes some). */
MUST_CHECK bool store__live_pool_add(struct store *st, int64_t service, struct money amount,
                                     struct err *err);

struct store_key_row {
	int64_t key, account, service; /* rows; service 0 for route keys */
	struct id id, account_id;
	enum key_kind kind;
	struct str lookup;
	struct hash hash;               /* secret_hash of the whole text */
	struct store_key_limits limits; /* allowed_models is not read; see below */
	struct str allowed_models;      /* JSON array text, absent: every model */
	struct money spent;             /* counts against limits.spend_limit */
};
/* A router or route key that works from now on. Texts are copied. */
MUST_CHECK bool store__live_key_new(struct store *st, const struct store_key_row *row,
                                    struct err *err);
/* A router or route key that must not work any more. Unknown ones (purchase keys) are fine. */
MUST_CHECK bool store__live_key_dead(struct store *st, int64_t key, struct err *err);
/* All keys of an account stop, or go on. */
MUST_CHECK bool store__live_account_frozen(struct store *st, int64_t account, bool frozen,
                                           struct err *err);

#endif
