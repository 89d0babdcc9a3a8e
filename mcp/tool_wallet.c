/* SPDX-License-Identifier: Apache-2.0 */
/* The wallet that purchases are paid from, and the rules that its owner has set. Only the operator
 * puts money in; there is no tool for it. */
#include "mcp/tool.h"

static void put_policy(struct json_out *out, const struct store_policy *policy,
                       const struct store_policy_verdict *verdict)
{
	json_put_object(out, "policy");
	mcp__put_limit(out, "maxPurchaseUsd", policy->max_purchase);
	mcp__put_limit(out, "dailyUsd", policy->daily);
	mcp__put_limit(out, "approvalAboveUsd", policy->approval_above);
	mcp__put_verdict(out, "verdict", verdict);
	json_put_end(out, '}');
}

static bool get_wallet(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct store_account account;
	struct store_policy_verdict verdict; /* of a purchase of nothing: it shows what is left */

	if (!json_read(call->arguments, &mcp__no_fields, NULL, err) ||
	    !store_account_find(call->st, id_str(call->account), &account, err) ||
	    !store_policy_weigh(call->st, call->account, MONEY_ZERO, &verdict, err))
		return false;
	json_put_object(out, NULL);
	json_put_object(out, "wallet");
	json_put_usd(out, "balanceUsd", account.wallet);
	json_put_usd(out, "availableUsd",
	             account.wallet); /* purchases are instant: nothing is held */
	json_put_end(out, '}');
	put_policy(out, &account.policy, &verdict);
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape WALLET_MEMBERS[] = {
	{ .name = "balanceUsd", .type = MCP__TEXT, .doc = "Money, decimal USD." },
	{ .name = "availableUsd", .type = MCP__TEXT, .doc = "Part that can be spent now." },
};
static const struct mcp__shapes WALLET_SHAPES = MCP__SHAPES(WALLET_MEMBERS);
static const struct mcp__shape POLICY_MEMBERS[] = {
	{ .name = "maxPurchaseUsd",
	  .type = MCP__TEXT,
	  .nullable = true,
	  .doc = "Most that one purchase may cost." },
	{ .name = "dailyUsd",
	  .type = MCP__TEXT,
	  .nullable = true,
	  .doc = "Most that one UTC day's purchases may cost." },
	{ .name = "approvalAboveUsd",
	  .type = MCP__TEXT,
	  .nullable = true,
	  .doc = "Above this a person must consent." },
	{ .name = "verdict", .type = MCP__OBJECT, .doc = "Each rule in checks, with leftUsd." },
};
static const struct mcp__shapes POLICY_SHAPES = MCP__SHAPES(POLICY_MEMBERS);
static const struct mcp__shape ANSWER_MEMBERS[] = {
	{ .name = "wallet", .type = MCP__OBJECT, .doc = "The wallet.", .sub = &WALLET_SHAPES },
	{ .name = "policy",
	  .type = MCP__OBJECT,
	  .doc = "Spending rules; null is no limit.",
	  .sub = &POLICY_SHAPES },
};
static const struct mcp__shapes ANSWER_SHAPES = MCP__SHAPES(ANSWER_MEMBERS);

const struct mcp__tool mcp__tool_wallet_get = {
	.name = "wallet_get",
	.title = "Get the wallet",
	.description = "Shows the money that purchases are paid from, this account's spending "
		       "rules and what is left of each today. Free. Look here before a purchase; "
		       "router credit that is already bought is in service_get.",
	.hints = MCP__LOOK_ONLY,
	.needs_account = true,
	.input = &mcp__no_fields,
	.output = &ANSWER_SHAPES,
	.run = get_wallet,
};
