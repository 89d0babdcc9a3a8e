/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions, nested by savepoints. What lives in memory beside the database goes along with
 * them: the receipt chain's head and the queued live effects are put back when one is undone. The
 * surprising kind is the bare one, which has no savepoint: it may only be used by calls that check
 * everything before their first write, and a failure after that costs the surrounding one too. */
#include "store/balances.h"

#include <assert.h>

#include "store/live.h"

static bool run_now(struct store_query query, struct err *err)
{
	OWN_QUERY struct store_query q = query;

	return store__run(&q, err);
}

static bool set_synchronous(struct store *st, bool full, struct err *err)
{
	if (st->db.full == full)
		return true;
	/* Not a kept statement: SQLite obeys this pragma when it parses it. */
	if (!store__exec(st, full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
	                 err))
		return false;
	st->db.full = full;
	return true;
}

static bool may_begin(const struct store *st, struct err *err)
{
	if (st->db.broken)
		return err_set(err, ERR_STORAGE,
		               "the disk failed to sync '%s'; restart when it is mended", st->path);
	if (st->db.torn)
		return err_set(err, ERR_STORAGE, "an earlier step of this transaction failed");
	return true;
}

static void mark(struct store_tx *tx, struct store *st, enum store_tx_level level)
{
	*tx = (struct store_tx){
		.st = st,
		.level = level,
		.changes = sqlite3_total_changes64(st->db.handle),
		.effects = store__effects_count(st),
		.chain = st->chain,
		.receipt = st->receipt,
	};
	st->db.depth++;
}

bool store__tx_begin_batch(struct store_tx *tx, struct store *st, bool power, struct err *err)
{
	assert(st->db.depth == 0);
	if (!may_begin(st, err) || !set_synchronous(st, power, err) ||
	    !run_now(store__query(st, "BEGIN IMMEDIATE"), err))
		return false;
	mark(tx, st, TX_OUTERMOST);
	return true;
}

bool store__tx_begin(struct store_tx *tx, struct store *st, struct err *err)
{
	if (st->db.depth == 0)
		return store__tx_begin_batch(tx, st, true, err);
	if (!may_begin(st, err) || !store__balances_flush(st, err) ||
	    !run_now(store__query(st, "SAVEPOINT inner"), err))
		return false;
	mark(tx, st, TX_SAVEPOINT);
	return true;
}

bool store__tx_begin_bare(struct store_tx *tx, struct store *st, struct err *err)
{
	if (st->db.depth == 0)
		return store__tx_begin_batch(tx, st, true, err);
	if (!may_begin(st, err))
		return false;
	mark(tx, st, TX_INSIDE);
	return true;
}

/* The database's part of undoing; false if the surrounding transaction cannot be trusted now. */
static bool roll_back(const struct store_tx *tx)
{
	struct store *st = tx->st;
	bool lost = sqlite3_get_autocommit(st->db.handle) != 0; /* SQLite has undone all of it */

	switch (tx->level) {
	case TX_INSIDE:
		return sqlite3_total_changes64(st->db.handle) == tx->changes;
	case TX_SAVEPOINT:
		store__balances_drop(st);
		return !lost && run_now(store__query(st, "ROLLBACK TO inner"), NULL) &&
		       run_now(store__query(st, "RELEASE inner"), NULL);
	case TX_OUTERMOST:
		store__balances_drop(st);
		return lost || run_now(store__query(st, "ROLLBACK"), NULL);
	}
	return false;
}

static void leave(struct store_tx *tx)
{
	tx->st->db.depth--;
	tx->st = NULL;
}

void store__tx_done(struct store_tx *tx)
{
	struct store *st = tx->st;

	if (st == NULL)
		return;
	bool whole = roll_back(tx);
	leave(tx);
	st->db.torn = !whole && st->db.depth > 0;
	store__effects_drop(st, tx->effects);
	st->chain = tx->chain;
	st->receipt = tx->receipt;
}

static bool write_out(struct store_tx *tx, struct err *err)
{
	struct store *st = tx->st;

	switch (tx->level) {
	case TX_INSIDE:
		return true;
	case TX_SAVEPOINT:
		return run_now(store__query(st, "RELEASE inner"), err);
	case TX_OUTERMOST:
		return store__balances_flush(st, err) && run_now(store__query(st, "COMMIT"), err);
	}
	return false;
}

bool store__tx_commit(struct store_tx *tx, struct err *err)
{
	struct store *st = tx->st;

	if (!may_begin(st, err) || !write_out(tx, err)) {
		store__tx_done(tx);
		return false;
	}
	leave(tx);
	if (st->db.depth > 0)
		return true;
	store__effects_apply(st);
	store__backup_turn(st);
	return true;
}
