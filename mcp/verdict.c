/* SPDX-License-Identifier: Apache-2.0 */
/* What policy says to a purchase, for programs: every rule with its limit and what is left of it,
 * the same before buying (quote_create), without buying (wallet_get) and in a refusal. */
#include "mcp/tool.h"

void mcp__put_limit(struct json_out *o, const char *key, struct money limit)
{
	if (money_is_negative(limit))
		json_put_null(o, key);
	else
		json_put_usd(o, key, limit);
}

static void put_check(struct json_out *o, const struct store_policy_verdict *verdict,
                      enum store_rule rule)
{
	const struct store_check *check = &verdict->checks[rule];

	json_put_object(o, NULL);
	json_put_z(o, "rule", store_rule_name(rule));
	mcp__put_limit(o, "limitUsd", check->limit);
	json_put_usd(o, "amountUsd", verdict->amount);
	mcp__put_limit(o, "leftUsd", check->left);
	json_put_bool(o, "passed", check->passed);
	json_put_end(o, '}');
}

void mcp__put_verdict(struct json_out *o, const char *key,
                      const struct store_policy_verdict *verdict)
{
	json_put_object(o, key);
	json_put_z(o, "outcome",
	           verdict->outcome == ERR_NONE ? "allowed" : err_code_name(verdict->outcome));
	json_put_usd(o, "amountUsd", verdict->amount);
	json_put_array(o, "checks");
	for (int rule = 0; rule < STORE_RULE_COUNT; rule++)
		put_check(o, verdict, (enum store_rule)rule);
	json_put_end(o, ']');
	json_put_end(o, '}');
}
