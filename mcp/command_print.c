/* SPDX-License-Identifier: Apache-2.0 */
/* Results of commands for people: aligned tables and short lists, made from the same JSON that
 * --json prints. */
#include "base/limits.h"
#include "mcp/command.h"
#include "mcp/command_table.h"

/* ---- Accounts ---- */

static const struct mcp__column ACCOUNT_LINES[] = {
	{ "account", "id", CELL_TEXT },       { "name", "name", CELL_TEXT },
	{ "wallet", "walletUsd", CELL_TEXT }, { "credit", "creditUsd", CELL_TEXT },
	{ "held", "heldUsd", CELL_TEXT },     { "created", "createdAt", CELL_TEXT },
};

static const struct mcp__column POLICY_LINES[] = {
	{ "max purchase", "maxPurchaseUsd", CELL_TEXT },
	{ "daily", "dailyUsd", CELL_TEXT },
	{ "approval above", "approvalAboveUsd", CELL_TEXT },
};

static const struct mcp__column ACCOUNT_COLUMNS[] = {
	{ "ACCOUNT", "id", CELL_TEXT },        { "NAME", "name", CELL_TEXT },
	{ "WALLET", "walletUsd", CELL_RIGHT }, { "CREDIT", "creditUsd", CELL_RIGHT },
	{ "HELD", "heldUsd", CELL_RIGHT },     { "CREATED", "createdAt", CELL_TEXT },
};

static const struct mcp__column SERVICE_COLUMNS[] = {
	{ "SERVICE", "id", CELL_TEXT },    { "NAME", "displayName", CELL_TEXT },
	{ "STATUS", "status", CELL_TEXT }, { "BALANCE", "creditBalanceUsd", CELL_RIGHT },
	{ "HELD", "heldUsd", CELL_RIGHT }, { "AVAILABLE", "availableUsd", CELL_RIGHT },
};

static const struct mcp__column KEY_COLUMNS[] = {
	{ "KEY", "id", CELL_TEXT },          { "KIND", "kind", CELL_TEXT },
	{ "LABEL", "label", CELL_TEXT },     { "PREFIX", "prefix", CELL_TEXT },
	{ "LOOKUP", "lookup", CELL_TEXT },   { "STATUS", "status", CELL_TEXT },
	{ "SPENT", "spentUsd", CELL_RIGHT }, { "LAST USED", "lastUsedAt", CELL_TEXT },
};

void mcp__print_account(const struct json *result, struct buf *out)
{
	const struct json *account = json_get(result, "account");

	mcp__put_list(account, ACCOUNT_LINES, ARRAY_LEN(ACCOUNT_LINES), out);
	buf_add_z(out, "policy in USD (-: no limit)\n");
	mcp__put_list(json_get(account, "policy"), POLICY_LINES, ARRAY_LEN(POLICY_LINES), out);
}

void mcp__print_account_create(const struct json *result, struct buf *out)
{
	const struct json *account = json_get(result, "account");
	struct str key = json_text(json_get(result, "purchaseKey"));

	buf_addf(out, "account       %.*s\n", STR_ARG(json_text(json_get(account, "id"))));
	buf_addf(out, "purchase key  %.*s\n", STR_ARG(key));
	buf_add_z(out, "\nThe key is shown this once. Give it to the agent's host:\n\n");
	buf_addf(out, "  AGENT_STORE_AGENT_API_KEY=%.*s\n", STR_ARG(key));
	buf_addf(
		out,
		"  claude mcp add agent-store --env AGENT_STORE_AGENT_API_KEY=%.*s -- agent-store\n",
		STR_ARG(key));
}

void mcp__print_account_list(const struct json *result, struct buf *out)
{
	mcp__put_table(json_get(result, "accounts"), ACCOUNT_COLUMNS, ARRAY_LEN(ACCOUNT_COLUMNS),
	               out);
}

void mcp__print_key_list(const struct json *result, struct buf *out)
{
	mcp__put_table(json_get(result, "keys"), KEY_COLUMNS, ARRAY_LEN(KEY_COLUMNS), out);
}

void mcp__print_account_show(const struct json *result, struct buf *out)
{
	mcp__print_account(result, out);
	buf_add_char(out, '\n');
	mcp__put_table(json_get(result, "services"), SERVICE_COLUMNS, ARRAY_LEN(SERVICE_COLUMNS),
	               out);
	buf_add_char(out, '\n');
	mcp__print_key_list(result, out);
}

/* ---- Money and keys ---- */

void mcp__print_wallet_fund(const struct json *result, struct buf *out)
{
	static const struct mcp__column LINES[] = {
		{ "transaction", "transaction", CELL_TEXT }, { "account", "accountId", CELL_TEXT },
		{ "reference", "reference", CELL_TEXT },     { "amount", "amountUsd", CELL_TEXT },
		{ "wallet", "walletUsd", CELL_TEXT },
	};
	const struct json *funding = json_get(result, "funding");

	mcp__put_list(funding, LINES, ARRAY_LEN(LINES), out);
	if (json_true(json_get(funding, "repeated")))
		buf_add_z(out, "this reference was known: nothing was added again\n");
}

void mcp__print_key_revoke(const struct json *result, struct buf *out)
{
	static const struct mcp__column LINES[] = {
		{ "key", "id", CELL_TEXT },
		{ "kind", "kind", CELL_TEXT },
		{ "label", "label", CELL_TEXT },
		{ "status", "status", CELL_TEXT },
	};

	mcp__put_list(json_get(result, "key"), LINES, ARRAY_LEN(LINES), out);
}

void mcp__print_key_rotate(const struct json *result, struct buf *out)
{
	mcp__print_key_revoke(result, out);
	buf_addf(out, "secret  %.*s\n", STR_ARG(json_text(json_get(result, "secret"))));
	buf_add_z(out, "\nThe key is shown this once; the one that it replaces is dead.\n");
}

/* ---- Usage and books ---- */

void mcp__print_usage(const struct json *result, struct buf *out)
{
	static const struct mcp__column COLUMNS[] = {
		{ "GROUP", "group", CELL_TEXT },
		{ "REQUESTS", "requests", CELL_RIGHT },
		{ "INPUT", "uncachedInputTokens", CELL_RIGHT },
		{ "WRITE 5M", "cacheWrite5mTokens", CELL_RIGHT },
		{ "WRITE 1H", "cacheWrite1hTokens", CELL_RIGHT },
		{ "READ", "cacheReadTokens", CELL_RIGHT },
		{ "OUTPUT", "outputTokens", CELL_RIGHT },
		{ "CHARGE", "buyerChargeUsdMicros", CELL_USD },
	};
	OWN_JSON_OUT struct json_out rows = json_out_make(LIMIT_FRAME);

	/* The total is one more row, under a name that no model, key or day has. */
	json_put_array(&rows, NULL);
	const struct json *usage = json_first(json_get(result, "usage"));
	for (; usage != NULL; usage = json_next(usage))
		json_put_tree(&rows, NULL, usage);
	json_put_object(&rows, NULL);
	json_put_z(&rows, "group", "total");
	const struct json *sum = json_first(json_get(result, "total"));
	for (; sum != NULL; sum = json_next(sum))
		json_put_tree(&rows, json_key(sum).p, sum);
	json_put_end(&rows, '}');
	json_put_end(&rows, ']');
	OWN_JSON struct json *table = json_parse(buf_str(&rows.text), NULL);
	mcp__put_table(table, COLUMNS, ARRAY_LEN(COLUMNS), out);
}

void mcp__print_ledger_verify(const struct json *result, struct buf *out)
{
	static const struct mcp__column LINES[] = {
		{ "accounts", "accounts", CELL_TEXT },
		{ "transactions", "transactions", CELL_TEXT },
		{ "entries", "entries", CELL_TEXT },
		{ "receipts", "receipts", CELL_TEXT },
		{ "difference", "differenceUsdMicros", CELL_USD },
	};
	const struct json *verdict = json_get(result, "verdict");

	mcp__put_list(verdict, LINES, ARRAY_LEN(LINES), out);
	if (json_true(json_get(verdict, "ok")))
		buf_add_z(out, "every balance equals its entries\n");
	else
		buf_addf(out, "WRONG: %.*s\n", STR_ARG(json_text(json_get(verdict, "problem"))));
}

void mcp__print_backup(const struct json *result, struct buf *out)
{
	buf_addf(out, "backup  %.*s\n",
	         STR_ARG(json_text(json_get(json_get(result, "backup"), "path"))));
}
