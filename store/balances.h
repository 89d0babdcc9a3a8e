/* SPDX-License-Identifier: Apache-2.0 */
/* Balances in memory, so that a batch of calls on one service writes each balance once and not per
 * call. Exact, because this process is the only writer: a balance is read from the database when
 * it is first needed, changed here along with its entries, and written at once; or, for jobs that
 * promise to read nothing (`gather`), before a job of another kind begins or the batch commits. */
#ifndef STORE_BALANCES_H
#define STORE_BALANCES_H

#include "store/internal.h"

MUST_CHECK struct store_balances *store__balances_new(struct err *err);
void store__balances_free(struct store_balances *b); /* NULL is fine */
/* Writes what has changed. Inside a transaction. */
MUST_CHECK bool store__balances_flush(struct store *st, struct err *err);
/* Forgets everything: a transaction was undone. */
void store__balances_drop(struct store *st);

struct ledger_balance; /* one account's; valid until store__balances_drop */

MUST_CHECK struct ledger_balance *store__balance_of(struct store *st, int64_t account,
                                                    struct err *err);
struct money store__balance_money(const struct ledger_balance *b);
/* Where `amount` would take it; ERR_INSUFFICIENT_FUNDS with funds if it cannot owe that. */
MUST_CHECK bool store__balance_after(const struct ledger_balance *b, struct money amount,
                                     struct money *after, struct err *err);
void store__balance_set(struct store *st, struct ledger_balance *b, struct money m);

/* The key has spent more. */
MUST_CHECK bool store__balance_spend(struct store *st, int64_t key, struct money charge,
                                     struct err *err);

#endif
