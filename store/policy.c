/* SPDX-License-Identifier: Apache-2.0 */
/* May an account spend this much now? Every refusal names the rule, its limit and what is left,
 * because its reader is a program that has to decide what to do next. */
#include "store/shop.h"

#define DAY_MS INT64_C(86400000)

static bool check_purchase_limit(const struct store_policy *policy, struct money amount,
                                 struct err *err)
{
	char limit[MONEY_TEXT_MAX], wanted[MONEY_TEXT_MAX];

	if (money_is_negative(policy->max_purchase) || money_cmp(amount, policy->max_purchase) <= 0)
		return true;
	money_format_usd(policy->max_purchase, limit);
	money_format_usd(amount, wanted);
	return err_set(err, ERR_POLICY_REFUSED,
	               "max-purchase: one purchase may be at most %s USD, this one is %s USD: buy "
	               "less, or have the operator raise the limit",
	               limit, wanted);
}

/* What was bought since midnight UTC. */
static bool spent_today(struct store *st, int64_t account, struct money *out, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT sum(total_cents) FROM purchase"
	                         " WHERE account = ?1 AND created_ms >= ?2 AND created_ms < ?3");
	int64_t midnight = store__now(st) / DAY_MS * DAY_MS;
	bool row;

	store__bind_i64(&q, 1, account);
	store__bind_i64(&q, 2, midnight);
	store__bind_i64(&q, 3, midnight + DAY_MS);
	if (!store__step(&q, &row, err))
		return false;
	if (!money_of_cents(out, store__col_i64(&q, 0)))
		return err_set(err, ERR_INTERNAL, "the day's purchases do not add up");
	return true;
}

static bool check_day(struct store *st, const struct store__account_row *account,
                      struct money amount, struct err *err)
{
	char limit[MONEY_TEXT_MAX], wanted[MONEY_TEXT_MAX], left_text[MONEY_TEXT_MAX];
	struct money spent, left;

	if (money_is_negative(account->policy.daily))
		return true;
	if (!spent_today(st, account->row, &spent, err))
		return false;
	if (!money_sub(&left, account->policy.daily, spent) || money_is_negative(left))
		left = MONEY_ZERO;
	if (money_cmp(amount, left) <= 0)
		return true;
	money_format_usd(account->policy.daily, limit);
	money_format_usd(amount, wanted);
	money_format_usd(left, left_text);
	return err_set(err, ERR_POLICY_REFUSED,
	               "daily: purchases of one UTC day may be %s USD together, %s USD is left and "
	               "this one is %s USD: buy less, wait until 00:00 UTC, or have the operator "
	               "raise the limit",
	               limit, left_text, wanted);
}

static bool check_funds(struct store *st, const struct store__account_row *account,
                        struct money amount, struct err *err)
{
	char wanted[MONEY_TEXT_MAX], have[MONEY_TEXT_MAX];
	struct money wallet;

	if (!store__ledger_balance(st, account->wallet, &wallet, err))
		return false;
	if (money_cmp(amount, wallet) <= 0)
		return true;
	money_format_usd(amount, wanted);
	money_format_usd(wallet, have);
	(void)err_set(err, ERR_INSUFFICIENT_FUNDS, /* the figures follow */
	              "this purchase is %s USD and the wallet has %s USD: buy less, or have the "
	              "operator fund the wallet",
	              wanted, have);
	if (err)
		err->funds = (struct err_funds){ .required = money_micros(amount),
			                         .available = money_micros(wallet) };
	return false;
}

static bool check_approval(const struct store_policy *policy, struct money amount, bool approved,
                           struct err *err)
{
	char limit[MONEY_TEXT_MAX], wanted[MONEY_TEXT_MAX];

	if (approved || money_is_negative(policy->approval_above) ||
	    money_cmp(amount, policy->approval_above) <= 0)
		return true;
	money_format_usd(policy->approval_above, limit);
	money_format_usd(amount, wanted);
	return err_set(err, ERR_APPROVAL_REQUIRED,
	               "approval-above: a purchase above %s USD needs a person's consent, this one "
	               "is %s USD: have it approved, or buy %s USD or less",
	               limit, wanted, limit);
}

bool store__policy_check(struct store *st, const struct store__account_row *account,
                         struct money amount, bool approved, struct err *err)
{
	return check_purchase_limit(&account->policy, amount, err) &&
	       check_day(st, account, amount, err) && check_funds(st, account, amount, err) &&
	       check_approval(&account->policy, amount, approved, err);
}
