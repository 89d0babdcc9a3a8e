/* SPDX-License-Identifier: Apache-2.0 */
/* The one way to move money, and the checks that add it up again. */
#include "store/balances.h"
#include "tests/check.h"
#include "tests/store_setup.h"

/* ---- Helpers ---- */

static bool post(struct setup *s, const struct ledger_txn *txn, struct err *err)
{
	int64_t id = 0;
	OWN_TX struct store_tx tx = { 0 };

	return store__tx_begin(&tx, s->st, err) && store__ledger_post(s->st, txn, &id, err) &&
	       store__tx_commit(&tx, err);
}

static int64_t count(struct setup *s, struct store_query query)
{
	OWN_QUERY struct store_query q = query;
	struct err err = { 0 };
	bool row = false;

	(void)s;
	if (!CHECK(store__step(&q, &row, &err)) || !CHECK(row))
		return -1;
	return store__col_i64(&q, 0);
}

/* ---- Cases ---- */

static void a_transaction_moves_every_account_it_names(void)
{
	struct setup s;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	struct ledger_txn txn = {
		.kind = "test",
		.ref = STR("r1"),
		.postings = { { s.buyer.credit, money_of_micros(-600) },
		              { s.buyer.hold, money_of_micros(450) },
		              { LEDGER_USAGE, money_of_micros(150) } },
		.count = 3,
	};
	CHECK(post(&s, &txn, &err));
	CHECK_I64(setup_balance(&s, s.buyer.credit), 400);
	CHECK_I64(setup_balance(&s, s.buyer.hold), 450);
	CHECK_I64(setup_balance(&s, LEDGER_USAGE), 150);
	CHECK_I64(setup_balance(&s, LEDGER_OPERATOR), -1000);
	CHECK_I64(count(&s, store__query(s.st, "SELECT count(*) FROM entry WHERE txn ="
	                                       " (SELECT id FROM txn WHERE ref = 'r1')")),
	          3);
	CHECK_I64(count(&s, store__query(s.st, "SELECT sum(micros) FROM entry")), 0);
	setup_done(&s);
}

static void amounts_of_zero_write_no_entry(void)
{
	struct setup s;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	struct ledger_txn txn = { .kind = "test",
		                  .ref = STR("r0"),
		                  .postings = { { s.buyer.credit, MONEY_ZERO },
		                                { s.buyer.hold, MONEY_ZERO } },
		                  .count = 2 };
	CHECK(post(&s, &txn, &err));
	CHECK_I64(count(&s, store__query(s.st, "SELECT count(*) FROM txn WHERE ref = 'r0'")), 1);
	CHECK_I64(count(&s, store__query(s.st, "SELECT count(*) FROM entry WHERE txn ="
	                                       " (SELECT id FROM txn WHERE ref = 'r0')")),
	          0);
	setup_done(&s);
}

static void an_account_that_cannot_owe_refuses_and_nothing_is_written(void)
{
	struct setup s;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	int64_t entries = count(&s, store__query(s.st, "SELECT count(*) FROM entry"));
	struct ledger_txn txn = { .kind = "test",
		                  .ref = STR("r"),
		                  .postings = { { LEDGER_USAGE, money_of_micros(1001) },
		                                { s.buyer.credit, money_of_micros(-1001) } },
		                  .count = 2 };
	CHECK(!post(&s, &txn, &err));
	CHECK_I64(err.code, ERR_INSUFFICIENT_FUNDS);
	CHECK_STR(err.text, "0.001001 USD is needed and 0.001 USD is there");
	CHECK_I64(err.funds.required, 1001);
	CHECK_I64(err.funds.available, 1000);
	CHECK_I64(setup_balance(&s, s.buyer.credit), 1000);
	CHECK_I64(setup_balance(&s, LEDGER_USAGE), 0);
	CHECK_I64(count(&s, store__query(s.st, "SELECT count(*) FROM entry")), entries);
	setup_check_books(&s);
	setup_done(&s);
}

static void the_last_micro_can_be_moved(void)
{
	struct setup s;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	struct ledger_txn txn = { .kind = "test",
		                  .ref = STR("r"),
		                  .postings = { { s.buyer.credit, money_of_micros(-1000) },
		                                { s.buyer.wallet, money_of_micros(1000) } },
		                  .count = 2 };
	CHECK(post(&s, &txn, &err));
	CHECK_I64(setup_balance(&s, s.buyer.credit), 0);
	CHECK_I64(setup_balance(&s, s.buyer.wallet), 1000);
	setup_check_books(&s);
	setup_done(&s);
}

static void a_balance_that_does_not_fit_is_refused(void)
{
	struct setup s;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	struct ledger_txn txn = { .kind = "test",
		                  .ref = STR("r"),
		                  .postings = { { LEDGER_OPERATOR, money_of_micros(-INT64_MAX) },
		                                { s.buyer.credit, money_of_micros(INT64_MAX) } },
		                  .count = 2 };
	CHECK(!post(&s, &txn, &err));
	CHECK_I64(err.code, ERR_TOO_LARGE);
	CHECK_I64(setup_balance(&s, s.buyer.credit), 1000);
	setup_done(&s);
}

static void an_unknown_account_is_an_error(void)
{
	struct setup s;
	struct money found = MONEY_ZERO;
	struct err err = { 0 };

	if (!setup_memory(&s, 0))
		return;
	CHECK(!store__ledger_balance(s.st, 999, &found, &err));
	CHECK_I64(err.code, ERR_STORAGE);
	CHECK_STR(err.text, "there is no ledger account 999");
	setup_done(&s);
}

static void an_undone_transaction_leaves_balances_as_they_were(void)
{
	struct setup s;
	struct err err = { 0 };
	int64_t id = 0;

	if (!setup_memory(&s, 1000))
		return;
	struct ledger_move move = { "test", STR("r"), s.buyer.credit, s.buyer.hold,
		                    money_of_micros(300) };
	{
		OWN_TX struct store_tx tx = { 0 };
		CHECK(store__tx_begin(&tx, s.st, &err));
		CHECK(store__ledger_move(s.st, &move, &id, &err));
		CHECK_I64(setup_balance(&s, s.buyer.credit), 700);
	}
	CHECK_I64(setup_balance(&s, s.buyer.credit), 1000);
	CHECK_I64(setup_balance(&s, s.buyer.hold), 0);
	setup_check_books(&s);
	setup_done(&s);
}

static void an_inner_transaction_is_undone_alone(void)
{
	struct setup s;
	struct err err = { 0 };
	int64_t id = 0;

	if (!setup_memory(&s, 1000))
		return;
	struct ledger_move move = { "test", STR("r"), s.buyer.credit, s.buyer.hold,
		                    money_of_micros(300) };
	OWN_TX struct store_tx outer = { 0 };
	CHECK(store__tx_begin(&outer, s.st, &err));
	CHECK(store__ledger_move(s.st, &move, &id, &err));
	{
		OWN_TX struct store_tx inner = { 0 };
		CHECK(store__tx_begin(&inner, s.st, &err));
		CHECK(store__ledger_move(s.st, &move, &id, &err));
	}
	CHECK(store__tx_commit(&outer, &err));
	CHECK_I64(setup_balance(&s, s.buyer.credit), 700);
	CHECK_I64(setup_balance(&s, s.buyer.hold), 300);
	setup_done(&s);
}

/* A bare call has no savepoint: what it wrote before it failed can only go with the whole. */
static void a_bare_call_that_fails_after_a_write_costs_the_whole_transaction(void)
{
	struct setup s;
	struct err err = { 0 };
	int64_t id = 0;

	if (!setup_memory(&s, 1000))
		return;
	struct ledger_move move = { "test", STR("r"), s.buyer.credit, s.buyer.hold,
		                    money_of_micros(300) };
	{
		OWN_TX struct store_tx outer = { 0 };
		OWN_TX struct store_tx later = { 0 };
		CHECK(store__tx_begin(&outer, s.st, &err));
		{
			OWN_TX struct store_tx bare = { 0 };
			CHECK(store__tx_begin_bare(&bare, s.st, &err));
			CHECK(store__ledger_move(s.st, &move, &id, &err));
		}
		CHECK(!store__tx_begin(&later, s.st, &err));
		CHECK_I64(err.code, ERR_STORAGE);
		CHECK(!store__tx_commit(&outer, &err));
	}
	CHECK_I64(setup_balance(&s, s.buyer.credit), 1000);
	OWN_TX struct store_tx again = { 0 };
	CHECK(store__tx_begin(&again, s.st, &err));
	CHECK(store__tx_commit(&again, &err));
	setup_done(&s);
}

static void gathered_balances_are_written_before_another_kind_of_job_reads(void)
{
	struct setup s;
	struct err err = { 0 };
	int64_t id = 0;

	if (!setup_memory(&s, 1000))
		return;
	struct ledger_move move = { "test", STR("r"), s.buyer.credit, s.buyer.wallet,
		                    money_of_micros(300) };
	OWN_TX struct store_tx batch = { 0 };
	CHECK(store__tx_begin_batch(&batch, s.st, false, &err));
	s.st->db.gather = true;
	CHECK(store__ledger_move(s.st, &move, &id, &err));
	s.st->db.gather = false;
	CHECK_I64(count(&s, store__query(s.st, "SELECT micros FROM ledger_account"
	                                       " WHERE name LIKE 'credit:%'")),
	          1000);
	OWN_TX struct store_tx job = { 0 };
	CHECK(store__tx_begin(&job, s.st, &err));
	CHECK_I64(count(&s, store__query(s.st, "SELECT micros FROM ledger_account"
	                                       " WHERE name LIKE 'credit:%'")),
	          700);
	CHECK(store__tx_commit(&job, &err));
	CHECK(store__tx_commit(&batch, &err));
	setup_check_books(&s);
	setup_done(&s);
}

static void books_refuse_to_be_changed(void)
{
	static const char *const TRIES[] = {
		"UPDATE entry SET micros = micros + 1",
		"DELETE FROM entry",
		"UPDATE txn SET kind = 'x'",
		"DELETE FROM txn",
		"UPDATE ledger_account SET micros = -1 WHERE name LIKE 'credit:%'",
		"INSERT INTO entry (txn, account, micros) VALUES (1, 1, 0)",
		"INSERT INTO entry (txn, account, micros) VALUES (1, 1, 1.5)",
	};
	struct setup s;
	struct err err = { 0 };

	if (!setup_memory(&s, 1000))
		return;
	for (size_t i = 0; i < ARRAY_LEN(TRIES); i++) {
		if (store__exec(s.st, TRIES[i], &err))
			CHECK_FAIL("accepted: %s", TRIES[i]);
	}
	setup_check_books(&s);
	setup_done(&s);
}

static void verify_counts_what_it_saw(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_verdict v = { 0 };
	struct err err = { 0 };

	if (!setup_memory(&s, 1000) || !setup_hold(&s, 10, &hold))
		return;
	CHECK(store_ledger_verify(s.st, &v, &err));
	CHECK_STR(v.problem, "");
	CHECK_I64(v.accounts, 6);     /* usage, overrun, operator, wallet, credit, hold */
	CHECK_I64(v.transactions, 3); /* funding, purchase, hold */
	CHECK_I64(v.entries, 6);
	CHECK_I64(v.receipts, 0);
	setup_done(&s);
}

static const struct check_case CASES[] = {
	CASE(a_transaction_moves_every_account_it_names),
	CASE(amounts_of_zero_write_no_entry),
	CASE(an_account_that_cannot_owe_refuses_and_nothing_is_written),
	CASE(the_last_micro_can_be_moved),
	CASE(a_balance_that_does_not_fit_is_refused),
	CASE(an_unknown_account_is_an_error),
	CASE(an_undone_transaction_leaves_balances_as_they_were),
	CASE(an_inner_transaction_is_undone_alone),
	CASE(a_bare_call_that_fails_after_a_write_costs_the_whole_transaction),
	CASE(gathered_balances_are_written_before_another_kind_of_job_reads),
	CASE(books_refuse_to_be_changed),
	CASE(verify_counts_what_it_saw),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
