/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that touches SQLite: the only prepare, step and exec. A query is a literal with its
 * binds beside it; binding never fails on its own, the first step tells. Statements are kept
 * prepared per literal, so a query that runs often costs no parsing. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/money.h"
#include "base/secret.h"
#include "base/str.h"

struct store;

/* ---- Queries ---- */

struct store_query {
	struct store *st;
	sqlite3_stmt *stmt;
	size_t slot;  /* in the cache; its end means: nobody's, finalized when done */
	int rc;       /* the first failure of prepare or bind */
	bool running; /* stepped, and not yet at its end */
};

#define OWN_QUERY CLEANUP(store__query_done)

/* A query, ready to bind. Only a string literal compiles. Declare it with OWN_QUERY; a query that
 * is in use further up the stack gets a statement of its own. */
#define store__query(st, sql) store__query_of((st), "" sql)
struct store_query store__query_of(struct store *st, const char *sql);
void store__query_done(struct store_query *q);

/* Indexes count from 1 (?1). Texts are borrowed until the query has run or is done. */
void store__bind_i64(struct store_query *q, int index, int64_t value);
void store__bind_money(struct store_query *q, int index, struct money value);
void store__bind_str(struct store_query *q, int index, struct str value);      /* absent: NULL */
void store__bind_z(struct store_query *q, int index, const char *value);       /* NULL: NULL */
void store__bind_id(struct store_query *q, int index, const struct id *value); /* empty: NULL */
void store__bind_hash(struct store_query *q, int index, const struct hash *value);
void store__bind_null(struct store_query *q, int index);

/* The next row, or the end. ERR_CONFLICT if a UNIQUE rule refused a row, else ERR_STORAGE. After
 * the end (or a failure) it is reset: bind anew what differs and step again. */
MUST_CHECK bool store__step(struct store_query *q, bool *row, struct err *err);
/* For statements that change rows and give none. */
MUST_CHECK bool store__run(struct store_query *q, struct err *err);
/* Runs and expects exactly one changed row; any other number is `code` with `text`. */
MUST_CHECK bool store__run_one(struct store_query *q, enum err_code code, const char *text,
                               struct err *err);
int64_t store__changed(const struct store_query *q); /* rows changed by the last run */
int64_t store__last_id(const struct store *st);      /* rowid of the last insert */

/* Columns count from 0. Borrowed texts live until the next step. */
int64_t store__col_i64(const struct store_query *q, int column); /* NULL: 0 */
struct money store__col_money(const struct store_query *q, int column);
struct str store__col_str(const struct store_query *q, int column);   /* NULL: absent */
struct id store__col_id(const struct store_query *q, int column);     /* NULL: empty */
struct hash store__col_hash(const struct store_query *q, int column); /* other length: zeros */
/* Copies a text of ours into a fixed array; what does not fit is cut. */
void store__col_text(const struct store_query *q, int column, char *out, size_t size);

/* ---- Transactions ---- */

enum store_tx_level {
	TX_OUTERMOST, /* ends with COMMIT */
	TX_SAVEPOINT, /* ends with RELEASE */
	TX_INSIDE     /* has no end of its own */
};

/* One public call. Outermost it is a transaction of its own (FULL: it survives a power loss),
 * inside a job a savepoint. Undone unless committed. Declare before the queries that it spans, so
 * that they are done first: an unfinished statement would make COMMIT fail. */
struct store_tx {
	struct store *st; /* NULL: not begun, or over */
	enum store_tx_level level;
	/* As they were when it began: */
	int64_t changes; /* of the connection */
	size_t effects;  /* queued */
	struct hash chain;
	int64_t receipt;
};

#define OWN_TX CLEANUP(store__tx_done)

MUST_CHECK bool store__tx_begin(struct store_tx *tx, struct store *st, struct err *err);
/* For calls of the request path, which check before they write: without a savepoint when inside
 * another transaction. If one fails after a write, the surrounding one can only roll back. */
MUST_CHECK bool store__tx_begin_bare(struct store_tx *tx, struct store *st, struct err *err);
/* The worker's batch. `power`: synced before it counts as committed. */
MUST_CHECK bool store__tx_begin_batch(struct store_tx *tx, struct store *st, bool power,
                                      struct err *err);
/* Outermost: writes, then applies the queued live effects. On failure all is undone. */
MUST_CHECK bool store__tx_commit(struct store_tx *tx, struct err *err);
void store__tx_done(struct store_tx *tx); /* rolls back what was not committed */

/* ---- The connection ---- */

#define STORE_DB_STATEMENTS 256 /* slots of the cache, a power of two; more are not kept */

struct store_db_statement {
	const char *sql; /* the literal itself is the key */
	sqlite3_stmt *stmt;
	bool busy;
};

struct store_db {
	sqlite3 *handle;
	int depth;          /* of open transactions, with and without a savepoint */
	bool gather;        /* balances may stay in memory until the next commit; see balances.h */
	bool torn;          /* a bare call failed half way: the innermost savepoint must go */
	bool full;          /* synchronous=FULL is set */
	bool broken;        /* a sync failed: nothing can be trusted to reach the disk any more */
	int64_t wal_frames; /* in the log, not yet copied into the database */
	struct store_db_statement statements[STORE_DB_STATEMENTS];
};

/* Opens the file (0600 if it is made here); neither reads nor changes what is in it. */
MUST_CHECK bool store__db_open(struct store *st, const char *path, struct err *err);
/* Turns the log on, once the database is known to be ours. */
MUST_CHECK bool store__db_use_wal(struct store *st, struct err *err);
void store__db_close(struct store *st); /* checkpoints; NULL handle is fine */
/* One or several statements, a literal of ours. */
MUST_CHECK bool store__exec(struct store *st, const char *script, struct err *err);
/* A second database, for a backup to be written to; without a journal, as nobody reads half of one.
 * The caller closes it with sqlite3_close. */
MUST_CHECK bool store__db_open_copy(const char *path, sqlite3 **out, struct err *err);
/* Records what SQLite said: ERR_STORAGE, or ERR_CONFLICT for a UNIQUE rule. Returns false. */
bool store__db_failed(struct store *st, int rc, struct err *err);
/* Copies the log into the database. `empty` also cuts the log to nothing. A failure is not an
 * error for anybody: the log stays and the next one tries again. */
void store__db_checkpoint(struct store *st, bool empty);

#endif
