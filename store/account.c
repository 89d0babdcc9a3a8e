/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: who buys, the wallet that the operator fills, and the policy on spending it. A wallet
 * is a ledger account and nothing else: funding is a transfer from the operator's rail, so that the
 * books say where every micro came from. */
#include "store/store.h"

#include "base/limits.h"
#include "store/office.h"
#include "store/shop.h"

#define NOTE_MAX 4096 /* bytes of one side of an entry in the audit log */

bool store__check_name(const char *what, struct str text, size_t max, struct err *err)
{
	bool plain = text.p && text.len >= 1 && text.len <= max && str_is_utf8(text);

	for (size_t i = 0; plain && i < text.len; i++)
		plain = (unsigned char)text.p[i] >= 0x20 && text.p[i] != 0x7F;
	if (!plain)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "%s must be 1 to %zu bytes of UTF-8 without control characters",
		               what, max);
	return true;
}

/* ---- Reading ---- */

#define ACCOUNT_COLUMNS                                                                     \
	"SELECT a.public_id, a.name, w.micros, a.max_purchase, a.daily, a.approval_above, " \
	"a.created_ms, a.frozen_ms FROM account a JOIN ledger_account w ON w.id = a.wallet "

static struct store_policy policy_columns(const struct store_query *q, int first)
{
	return (struct store_policy){
		.max_purchase = store__col_money(q, first),
		.daily = store__col_money(q, first + 1),
		.approval_above = store__col_money(q, first + 2),
	};
}

static void account_columns(const struct store_query *q, struct store_account *out)
{
	*out = (struct store_account){
		.id = store__col_id(q, 0),
		.wallet = store__col_money(q, 2),
		.policy = policy_columns(q, 3),
		.created_ms = store__col_i64(q, 6),
		.frozen_ms = store__col_i64(q, 7),
	};
	store__col_text(q, 1, out->name, sizeof(out->name));
}

static bool not_found(struct str id, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "there is no account '%.*s'", STR_ARG(id));
}

bool store__account_load(struct store *st, const struct id *account, struct store__account_row *out,
                         struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT id, wallet, max_purchase, daily, approval_above, frozen_ms FROM account"
		    " WHERE public_id = ?1");
	bool row;

	store__bind_id(&q, 1, account);
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return not_found(id_str(account), err);
	*out = (struct store__account_row){
		.row = store__col_i64(&q, 0),
		.wallet = store__col_i64(&q, 1),
		.policy = policy_columns(&q, 2),
		.frozen = store__col_i64(&q, 5) != 0,
	};
	return true;
}

bool store_account_find(struct store *st, struct str id_or_name, struct store_account *out,
                        struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, ACCOUNT_COLUMNS "WHERE a.public_id = ?1 OR a.name = ?1");
	bool row;

	store__bind_str(&q, 1, id_or_name);
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return not_found(id_or_name, err);
	account_columns(&q, out);
	return true;
}

bool store_account_each(struct store *st, store_account_fn *fn, void *data, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(st, ACCOUNT_COLUMNS "ORDER BY a.id");
	struct store_account account;
	bool row;

	for (;;) {
		if (!store__step(&q, &row, err))
			return false;
		if (!row)
			return true;
		account_columns(&q, &account);
		fn(data, &account);
	}
}

/* NOLINTNEXTLINE(readability-function-size): the public header's shape */
bool store_account_search(struct store *st, struct str q, struct str after, size_t limit,
                          store_account_fn *fn, void *data, struct err *err)
{
	OWN_QUERY struct store_query query = store__query(
		st, ACCOUNT_COLUMNS
		"WHERE (?1 IS NULL OR instr(lower(a.name || ' ' || a.public_id), lower(?1)) > 0)"
		" AND (?2 IS NULL OR a.id > (SELECT id FROM account WHERE public_id = ?2))"
		" ORDER BY a.id LIMIT ?3");
	struct store_account account;
	bool row;

	store__bind_str(&query, 1, q);
	store__bind_str(&query, 2, after);
	store__bind_i64(&query, 3, (int64_t)limit);
	for (;;) {
		if (!store__step(&query, &row, err))
			return false;
		if (!row)
			return true;
		account_columns(&query, &account);
		fn(data, &account);
	}
}

bool store_account_by_key(struct store *st, struct str key_text, struct store_account *out,
                          struct err *err)
{
	struct store__key_owner owner;

	if (!store__key_identify(st, key_text, &owner, err))
		return false;
	if (owner.kind != KEY_PURCHASE)
		return err_set(err, ERR_UNAUTHORIZED,
		               "this is a %s key: buying needs a purchase key (%s...)",
		               key_kind_name(owner.kind), key_prefix(KEY_PURCHASE));
	return store_account_find(st, id_str(&owner.account_id), out, err);
}

/* ---- Changing ---- */

static bool insert_account(struct store *st, struct str name, const struct id *id, int64_t *row,
                           struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "INSERT INTO account (public_id, name, wallet, created_ms)"
	                         " VALUES (?1, ?2, ?3, ?4)");
	int64_t wallet;

	if (!store__ledger_open(st, "wallet", id, &wallet, err))
		return false;
	store__bind_id(&q, 1, id);
	store__bind_str(&q, 2, name);
	store__bind_i64(&q, 3, wallet);
	store__bind_i64(&q, 4, store__now(st));
	if (!store__run(&q, err))
		return false;
	*row = store__last_id(st);
	return true;
}

/* A name that reads like an id could be taken for another account's. */
static bool check_account_name(struct store *st, struct str name, struct err *err)
{
	struct store_account taken;
	struct err none = { 0 };

	if (!store__check_name("an account's name", name, LIMIT_ACCOUNT_NAME, err))
		return false;
	if (str_starts(name, STR("acct_")))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "an account's name must not start with 'acct_', as ids do");
	if (store_account_find(st, name, &taken, &none))
		return err_set(err, ERR_CONFLICT, "the account name '%.*s' is taken",
		               STR_ARG(name));
	if (none.code != ERR_NOT_FOUND)
		return err_set(err, none.code, "%s", none.text);
	return true;
}

static bool note_creation(struct store *st, const struct store_account *made, struct err *err)
{
	OWN_JSON_OUT struct json_out after = json_out_make(NOTE_MAX);

	json_put_object(&after, NULL);
	json_put_z(&after, "name", made->name);
	json_put_end(&after, '}');
	return store__audit(st,
	                    &(struct store__change){ .what = "account.create",
	                                             .subject = id_str(&made->id),
	                                             .after = &after },
	                    err);
}

bool store_account_create(struct store *st, struct str name, struct store_account *out,
                          struct secret *purchase_key, struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	OWN_SECRET struct secret secret = { 0 };
	struct store__key_spec spec = {
		.kind = KEY_PURCHASE,
		.label = STR_INIT("purchase key"),
		.limits = { .spend_limit = money_of_micros(-1) },
	};
	struct store_account made;
	struct id id = id_make(st->env, ID_ACCOUNT);
	int64_t key;

	if (!store__tx_begin(&tx, st, err) || !check_account_name(st, name, err) ||
	    !insert_account(st, name, &id, &spec.account, err) ||
	    !store__key_create(st, &spec, &secret, &key, err) ||
	    !store_account_find(st, id_str(&id), &made, err) || !note_creation(st, &made, err) ||
	    !store__tx_commit(&tx, err))
		return false;
	*out = made;
	*purchase_key = secret;
	return true;
}

static void put_policy(struct json_out *o, const struct store_policy *policy)
{
	const struct {
		const char *name;
		struct money limit;
	} rules[] = {
		{ "maxPurchaseUsd", policy->max_purchase },
		{ "dailyUsd", policy->daily },
		{ "approvalAboveUsd", policy->approval_above },
	};

	json_put_object(o, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (money_is_negative(rules[i].limit))
			json_put_null(o, rules[i].name);
		else
			json_put_usd(o, rules[i].name, rules[i].limit);
	}
	json_put_end(o, '}');
}

static bool note_policy(struct store *st, const struct id *account, const struct store_policy *old,
                        const struct store_policy *policy, struct err *err)
{
	OWN_JSON_OUT struct json_out before = json_out_make(NOTE_MAX);
	OWN_JSON_OUT struct json_out after = json_out_make(NOTE_MAX);

	put_policy(&before, old);
	put_policy(&after, policy);
	return store__audit(st,
	                    &(struct store__change){ .what = "account.policy",
	                                             .subject = id_str(account),
	                                             .before = &before,
	                                             .after = &after },
	                    err);
}

bool store_account_set_policy(struct store *st, const struct id *account,
                              const struct store_policy *policy, struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	OWN_QUERY struct store_query q = store__query(
		st, "UPDATE account SET max_purchase = ?2, daily = ?3, approval_above = ?4"
		    " WHERE public_id = ?1");
	struct store__account_row old;

	if (!store__tx_begin(&tx, st, err) || !store__account_load(st, account, &old, err))
		return false;
	store__bind_id(&q, 1, account);
	store__bind_money(&q, 2, policy->max_purchase);
	store__bind_money(&q, 3, policy->daily);
	store__bind_money(&q, 4, policy->approval_above);
	return store__run(&q, err) && note_policy(st, account, &old.policy, policy, err) &&
	       store__tx_commit(&tx, err);
}

/* ---- Funding ---- */

static bool check_funding(struct money amount, struct str reference, struct err *err)
{
	struct money most;

	if (!money_of_cents(&most, LIMIT_FUND_MAX_CENTS) || money_cmp(amount, MONEY_ZERO) <= 0 ||
	    money_cmp(amount, most) > 0)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "a funding must be more than 0 and at most %d USD",
		               LIMIT_FUND_MAX_CENTS / 100);
	return store__check_name("a funding's reference", reference, LIMIT_REFERENCE, err);
}

/* The entry that this reference stands for, if there is one. */
static bool find_funding(struct store *st, int64_t account, struct str reference,
                         struct store_funding *out, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT txn, amount FROM funding WHERE account = ?1 AND reference = ?2");

	store__bind_i64(&q, 1, account);
	store__bind_str(&q, 2, reference);
	if (!store__step(&q, &out->repeated, err))
		return false;
	if (out->repeated) {
		out->txn = store__col_i64(&q, 0);
		out->amount = store__col_money(&q, 1);
	}
	return true;
}

static bool insert_funding(struct store *st, const struct store__account_row *account,
                           struct money amount, struct str reference, struct store_funding *out,
                           struct err *err)
{
	const struct ledger_move move = { .kind = "funding",
		                          .ref = reference,
		                          .from = LEDGER_OPERATOR,
		                          .to = account->wallet,
		                          .amount = amount };
	OWN_QUERY struct store_query q =
		store__query(st, "INSERT INTO funding (account, reference, amount, txn, created_ms)"
	                         " VALUES (?1, ?2, ?3, ?4, ?5)");

	if (!store__ledger_move(st, &move, &out->txn, err))
		return false;
	out->amount = amount;
	store__bind_i64(&q, 1, account->row);
	store__bind_str(&q, 2, reference);
	store__bind_money(&q, 3, amount);
	store__bind_i64(&q, 4, out->txn);
	store__bind_i64(&q, 5, store__now(st));
	return store__run(&q, err);
}

static bool note_funding(struct store *st, const struct id *account,
                         const struct store_funding *funding, struct str reference, struct err *err)
{
	OWN_JSON_OUT struct json_out before = json_out_make(NOTE_MAX);
	OWN_JSON_OUT struct json_out after = json_out_make(NOTE_MAX);
	struct money was;

	if (!money_sub(&was, funding->wallet, funding->amount))
		return err_set(err, ERR_INTERNAL, "a wallet cannot be told");
	json_put_object(&before, NULL);
	json_put_usd(&before, "walletUsd", was);
	json_put_end(&before, '}');
	json_put_object(&after, NULL);
	json_put_usd(&after, "walletUsd", funding->wallet);
	json_put_usd(&after, "amountUsd", funding->amount);
	json_put_str(&after, "reference", reference);
	json_put_end(&after, '}');
	return store__audit(st,
	                    &(struct store__change){ .what = "wallet.fund",
	                                             .subject = id_str(account),
	                                             .before = &before,
	                                             .after = &after },
	                    err);
}

bool store_wallet_fund(struct store *st, const struct id *account, struct money amount,
                       struct str reference, struct store_funding *out, struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	struct store__account_row row;
	struct store_funding funding;

	if (!check_funding(amount, reference, err) || !store__tx_begin(&tx, st, err) ||
	    !store__account_load(st, account, &row, err) ||
	    !find_funding(st, row.row, reference, &funding, err))
		return false;
	if (funding.repeated && money_cmp(funding.amount, amount) != 0) {
		char text[MONEY_TEXT_MAX];

		money_format_usd(funding.amount, text);
		return err_set(err, ERR_IDEMPOTENCY_CONFLICT,
		               "the reference '%.*s' was used for %s USD already: "
		               "use another reference",
		               STR_ARG(reference), text);
	}
	if (!funding.repeated && !insert_funding(st, &row, amount, reference, &funding, err))
		return false;
	if (!store__ledger_balance(st, row.wallet, &funding.wallet, err) ||
	    (!funding.repeated && !note_funding(st, account, &funding, reference, err)) ||
	    !store__tx_commit(&tx, err))
		return false;
	*out = funding;
	return true;
}
