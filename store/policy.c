/* SPDX-License-Identifier: Apache-2.0 */
/* May an account spend this much now? All rules are weighed, whether they pass or not, so that a
 * buyer can be told before it buys; a refusal is the first rule that does not pass. Consent comes
 * last: nobody is asked for what cannot be bought. */
#include "store/shop.h"

#include <assert.h>

#define DAY_MS INT64_C(86400000)

static const char *const RULES[] = {
	[STORE_RULE_MAX_PURCHASE] = "max-purchase",
	[STORE_RULE_DAILY] = "daily",
	[STORE_RULE_WALLET] = "wallet",
	[STORE_RULE_APPROVAL] = "approval-above",
};
static_assert(ARRAY_LEN(RULES) == STORE_RULE_COUNT, "one name per rule");

static const enum err_code REFUSALS[] = {
	[STORE_RULE_MAX_PURCHASE] = ERR_POLICY_REFUSED,
	[STORE_RULE_DAILY] = ERR_POLICY_REFUSED,
	[STORE_RULE_WALLET] = ERR_INSUFFICIENT_FUNDS,
	[STORE_RULE_APPROVAL] = ERR_APPROVAL_REQUIRED,
};
static_assert(ARRAY_LEN(REFUSALS) == STORE_RULE_COUNT, "one refusal per rule");

const char *store_rule_name(enum store_rule rule)
{
	return RULES[rule];
}

/* ---- Weighing ---- */

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

/* `used` of the limit is gone already. A limit below that leaves nothing, not less. */
static struct store_check weigh(struct money limit, struct money used, struct money amount)
{
	struct store_check check = { .passed = true, .limit = limit, .left = limit };

	if (money_is_negative(limit))
		return check;
	if (!money_sub(&check.left, limit, used) || money_is_negative(check.left))
		check.left = MONEY_ZERO;
	check.passed = money_cmp(amount, check.left) <= 0;
	return check;
}

static enum err_code outcome_of(const struct store_policy_verdict *verdict)
{
	for (size_t rule = 0; rule < STORE_RULE_COUNT; rule++)
		if (!verdict->checks[rule].passed)
			return REFUSALS[rule];
	return ERR_NONE;
}

bool store__policy_weigh(struct store *st, const struct store__account_row *account,
                         struct money amount, struct store_policy_verdict *out, struct err *err)
{
	const struct store_policy *policy = &account->policy;
	struct store_policy_verdict verdict = { .amount = amount };
	struct money spent, wallet;

	if (!spent_today(st, account->row, &spent, err) ||
	    !store__ledger_balance(st, account->wallet, &wallet, err))
		return false;
	verdict.checks[STORE_RULE_MAX_PURCHASE] = weigh(policy->max_purchase, MONEY_ZERO, amount);
	verdict.checks[STORE_RULE_DAILY] = weigh(policy->daily, spent, amount);
	verdict.checks[STORE_RULE_WALLET] = weigh(wallet, MONEY_ZERO, amount);
	verdict.checks[STORE_RULE_APPROVAL] = weigh(policy->approval_above, MONEY_ZERO, amount);
	verdict.outcome = outcome_of(&verdict);
	*out = verdict;
	return true;
}

bool store_policy_weigh(struct store *st, const struct id *account, struct money amount,
                        struct store_policy_verdict *out, struct err *err)
{
	struct store__account_row row;

	return store__account_load(st, account, &row, err) &&
	       store__policy_weigh(st, &row, amount, out, err);
}

/* ---- Refusing ---- */

/* Each refusal names the rule, its limit and what is left, because its reader is a program that
 * has to decide what to do next. */
static bool refuse(const struct store_policy_verdict *verdict, enum store_rule rule,
                   struct err *err)
{
	const struct store_check *check = &verdict->checks[rule];
	char limit[MONEY_TEXT_MAX], left[MONEY_TEXT_MAX], wanted[MONEY_TEXT_MAX];

	money_format_usd(check->limit, limit);
	money_format_usd(check->left, left);
	money_format_usd(verdict->amount, wanted);
	switch (rule) {
	case STORE_RULE_MAX_PURCHASE:
		return err_set(err, REFUSALS[rule],
		               "max-purchase: one purchase may be at most %s USD, this one is %s "
		               "USD: buy less, or have the operator raise the limit",
		               limit, wanted);
	case STORE_RULE_DAILY:
		return err_set(err, REFUSALS[rule],
		               "daily: purchases of one UTC day may be %s USD together, %s USD is "
		               "left and this one is %s USD: buy less, wait until 00:00 UTC, or "
		               "have the operator raise the limit",
		               limit, left, wanted);
	case STORE_RULE_WALLET:
		(void)err_set(err, REFUSALS[rule], /* the figures follow */
		              "this purchase is %s USD and the wallet has %s USD: buy less, or "
		              "have the operator fund the wallet",
		              wanted, left);
		if (err)
			err->funds = (struct err_funds){ .required = money_micros(verdict->amount),
				                         .available = money_micros(check->left) };
		return false;
	case STORE_RULE_APPROVAL:
		return err_set(err, REFUSALS[rule],
		               "approval-above: a purchase above %s USD needs a person's consent, "
		               "this one is %s USD: have it approved, or buy %s USD or less",
		               limit, wanted, limit);
	case STORE_RULE_COUNT:
		break;
	}
	return err_set(err, ERR_INTERNAL, "there is no such rule");
}

bool store__policy_check(const struct store_policy_verdict *verdict, bool approved, struct err *err)
{
	for (size_t rule = 0; rule < STORE_RULE_COUNT; rule++) {
		bool waived = approved && rule == STORE_RULE_APPROVAL;

		if (!verdict->checks[rule].passed && !waived)
			return refuse(verdict, (enum store_rule)rule, err);
	}
	return true;
}
