/* SPDX-License-Identifier: Apache-2.0 */
/* Adds the books up again from their smallest parts and compares with every figure that is kept
 * for speed. Each check looks for the first row that is wrong; the first check that finds one is
 * what the verdict tells. */
#include "store/receipt.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- The verdict ---- */

static bool is_clean(const struct store_verdict *v)
{
	return v->problem[0] == '\0';
}

PRINTF_LIKE(2, 3) static void note(struct store_verdict *v, const char *format, ...)
{
	va_list args;

	if (!is_clean(v))
		return;
	va_start(args, format);
	(void)vsnprintf(v->problem, sizeof(v->problem), format, args); /* a cut text still tells */
	va_end(args);
}

static bool count_rows(struct store_query query, int64_t *out, struct err *err)
{
	OWN_QUERY struct store_query q = query;
	bool row = false;

	if (!store__step(&q, &row, err))
		return false;
	*out = row ? store__col_i64(&q, 0) : 0;
	return true;
}

static bool count_all(struct store *st, struct store_verdict *v, struct err *err)
{
	return count_rows(store__query(st, "SELECT count(*) FROM ledger_account"), &v->accounts,
	                  err) &&
	       count_rows(store__query(st, "SELECT count(*) FROM entry"), &v->entries, err) &&
	       count_rows(store__query(st, "SELECT count(*) FROM txn"), &v->transactions, err) &&
	       count_rows(store__query(st, "SELECT count(*) FROM receipt"), &v->receipts, err);
}

/* ---- Entries and balances ---- */

static bool check_balances(struct store *st, struct store_verdict *v, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st,
		"SELECT a.name, a.micros - coalesce(e.total, 0) FROM ledger_account a"
		" LEFT JOIN (SELECT account, sum(micros) AS total FROM entry GROUP BY account) e"
		" ON e.account = a.id WHERE a.micros <> coalesce(e.total, 0)"
		" ORDER BY a.id LIMIT 1");
	bool row = false;

	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return true;
	v->difference = store__col_money(&q, 1);
	note(v, "the balance of '%.*s' differs from its entries by %lld micros",
	     STR_ARG(store__col_str(&q, 0)), (long long)money_micros(v->difference));
	return true;
}

static bool check_transactions(struct store *st, struct store_verdict *v, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st,
		"SELECT txn, sum(micros) FROM entry GROUP BY txn HAVING sum(micros) <> 0 LIMIT 1");
	bool row = false;

	if (!store__step(&q, &row, err))
		return false;
	if (row)
		note(v, "the entries of transaction %lld sum to %lld micros instead of zero",
		     (long long)store__col_i64(&q, 0), (long long)store__col_i64(&q, 1));
	return true;
}

/* An entry of a transaction or account that is not there. Foreign keys forbid it, but not to
 * somebody who opens the file with other tools. */
static bool check_references(struct store *st, struct store_verdict *v, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT id FROM entry e WHERE NOT EXISTS (SELECT 1 FROM txn WHERE id = e.txn)"
		    " OR NOT EXISTS (SELECT 1 FROM ledger_account WHERE id = e.account) LIMIT 1");
	bool row = false;

	if (!store__step(&q, &row, err))
		return false;
	if (row)
		note(v, "entry %lld has no transaction or no account",
		     (long long)store__col_i64(&q, 0));
	return true;
}

/* ---- Holds ---- */

static bool check_holds(struct store *st, struct store_verdict *v, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT s.public_id, l.micros - coalesce(h.total, 0) FROM service s"
		    " JOIN ledger_account l ON l.id = s.hold"
		    " LEFT JOIN (SELECT service, sum(amount) AS total FROM hold GROUP BY service) h"
		    " ON h.service = s.id WHERE l.micros <> coalesce(h.total, 0) LIMIT 1");
	bool row = false;

	if (!store__step(&q, &row, err))
		return false;
	if (row)
		note(v, "what is held of '%.*s' differs from its open holds by %lld micros",
		     STR_ARG(store__col_str(&q, 0)), (long long)store__col_i64(&q, 1));
	return true;
}

/* ---- Receipts ---- */

static bool adds_up(const struct receipt *r)
{
	struct money cost = MONEY_ZERO;
	struct money billed = MONEY_ZERO;
	struct err ignored;

	if (str_eq(r->status, STR("settled")) &&
	    !token_charge(&r->counts, &r->prices, &cost, &ignored))
		return false;
	return money_add(&billed, r->charge, r->overrun) && money_cmp(billed, cost) == 0;
}

static bool check_receipt(const struct receipt *r, int64_t seq, struct hash *chain,
                          struct store_verdict *v, struct err *err)
{
	struct hash expected = { { 0 } };

	if (r->seq != seq)
		note(v, "receipt number %lld is missing", (long long)seq);
	if (!store__receipt_hash(r, chain, &expected, err))
		return false;
	if (!hash_eq(&expected, &r->hash))
		note(v, "receipt %lld of '%.*s' was changed: its hash does not follow",
		     (long long)r->seq, STR_ARG(r->request_id));
	if (!adds_up(r))
		note(v, "the charge of receipt %lld of '%.*s' is not its tokens by its prices",
		     (long long)r->seq, STR_ARG(r->request_id));
	*chain = r->hash;
	return true;
}

static bool check_receipts(struct store *st, struct store_verdict *v, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT " RECEIPT_COLUMNS " FROM receipt r ORDER BY r.seq");
	struct hash chain = { { 0 } };
	bool row = false;
	int64_t seq = 0;

	while (is_clean(v)) {
		if (!store__step(&q, &row, err))
			return false;
		if (!row)
			break;
		struct receipt r = store__receipt_read(&q);
		if (!check_receipt(&r, ++seq, &chain, v, err))
			return false;
	}
	/* The head in memory is that of the last receipt that this process wrote. */
	if (is_clean(v) && (seq != st->receipt || !hash_eq(&chain, &st->chain)))
		note(v, "receipts after number %lld are missing", (long long)seq);
	return true;
}

/* ---- Totals that are kept twice ---- */

static bool check_usage(struct store *st, struct store_verdict *v, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT (SELECT micros FROM ledger_account WHERE id = 1)"
	                         " - (SELECT coalesce(sum(charge + overrun), 0) FROM receipt),"
	                         " (SELECT micros FROM ledger_account WHERE id = 2)"
	                         " + (SELECT coalesce(sum(overrun), 0) FROM receipt)");
	bool row = false;

	if (!store__step(&q, &row, err))
		return false;
	if (store__col_i64(&q, 0) != 0)
		note(v, "the account 'usage' differs from the receipts by %lld micros",
		     (long long)store__col_i64(&q, 0));
	if (store__col_i64(&q, 1) != 0)
		note(v, "the account 'overrun' differs from the receipts by %lld micros",
		     (long long)store__col_i64(&q, 1));
	return true;
}

static bool check_keys(struct store *st, struct store_verdict *v, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT k.public_id, k.spent - coalesce(r.total, 0) FROM api_key k"
		    " LEFT JOIN (SELECT key, sum(charge) AS total FROM receipt GROUP BY key) r"
		    " ON r.key = k.id WHERE k.spent <> coalesce(r.total, 0) LIMIT 1");
	bool row = false;

	if (!store__step(&q, &row, err))
		return false;
	if (row)
		note(v, "what the key '%.*s' has spent differs from its receipts by %lld micros",
		     STR_ARG(store__col_str(&q, 0)), (long long)store__col_i64(&q, 1));
	return true;
}

typedef bool check_fn(struct store *st, struct store_verdict *v, struct err *err);

static check_fn *const CHECKS[] = {
	check_balances, check_transactions, check_references, check_holds,
	check_receipts, check_usage,        check_keys,
};

bool store_ledger_verify(struct store *st, struct store_verdict *out, struct err *err)
{
	struct store_verdict v = { 0 };

	if (!count_all(st, &v, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(CHECKS) && is_clean(&v); i++) {
		if (!CHECKS[i](st, &v, err))
			return false;
	}
	*out = v;
	return true;
}
