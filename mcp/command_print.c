/* SPDX-License-Identifier: Apache-2.0 */
/* Results of commands for people: aligned tables and short lists, made from the same JSON that
 * --json prints. Money is shown as decimals; columns are as wide as their longest text, counted in
 * characters, not bytes. */
#include "mcp/command.h"

#include "base/limits.h"

/* ---- Cells ---- */

enum cell_type {
	CELL_TEXT,
	CELL_RIGHT, /* a number or a decimal text */
	CELL_USD    /* micro-USD, shown as decimals */
};

struct column {
	const char *title;
	const char *member;
	enum cell_type type;
};

#define CELL_MAX 512
#define COLUMNS_MAX 10

static void put_cell(const struct json *row, const struct column *column, struct buf *out)
{
	const struct json *value = json_get(row, column->member);
	char usd[MONEY_TEXT_MAX];
	int64_t n = 0;

	if (json_is(value, JSON_STRING)) {
		buf_add(out, json_text(value));
	} else if (json_i64(value, &n) && column->type == CELL_USD) {
		money_format_usd(money_of_micros(n), usd);
		buf_add_z(out, usd);
	} else if (json_is(value, JSON_NUMBER)) {
		buf_add_i64(out, n);
	} else if (json_is(value, JSON_BOOL)) {
		buf_add_z(out, json_true(value) ? "yes" : "no");
	} else {
		buf_add_char(out, '-');
	}
}

static size_t width_of(struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += ((unsigned char)text.p[i] & 0xC0) != 0x80; /* not inside a character */
	return n;
}

static void put_spaces(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_add_char(out, ' ');
}

/* Text on the left, or numbers on the right; nothing follows the last column. */
static void put_padded(struct buf *out, struct str text, size_t width, bool right, bool last)
{
	size_t used = width_of(text);
	size_t gap = used < width ? width - used : 0;

	if (right)
		put_spaces(out, gap);
	buf_add(out, text);
	if (!right && !last)
		put_spaces(out, gap);
	buf_add_z(out, last ? "\n" : "  ");
}

static void measure(const struct json *rows, const struct column *columns, size_t count,
                    size_t *widths)
{
	OWN_BUF struct buf cell = buf_make(CELL_MAX);

	for (size_t i = 0; i < count; i++) {
		widths[i] = width_of(str_of(columns[i].title));
		for (const struct json *row = json_first(rows); row != NULL; row = json_next(row)) {
			buf_reset(&cell);
			put_cell(row, &columns[i], &cell);
			size_t width = width_of(buf_str(&cell));
			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
}

static void put_row(const struct json *row, const struct column *columns, size_t count,
                    const size_t *widths, struct buf *out)
{
	OWN_BUF struct buf cell = buf_make(CELL_MAX);

	for (size_t i = 0; i < count; i++) {
		buf_reset(&cell);
		put_cell(row, &columns[i], &cell);
		put_padded(out, buf_str(&cell), widths[i], columns[i].type != CELL_TEXT,
		           i + 1 == count);
	}
}

static void put_titles(const struct column *columns, size_t count, const size_t *widths,
                       struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		put_padded(out, str_of(columns[i].title), widths[i], columns[i].type != CELL_TEXT,
		           i + 1 == count);
}

static void put_table(const struct json *rows, const struct column *columns, size_t count,
                      struct buf *out)
{
	size_t widths[COLUMNS_MAX];

	measure(rows, columns, count, widths);
	put_titles(columns, count, widths, out);
	for (const struct json *row = json_first(rows); row != NULL; row = json_next(row))
		put_row(row, columns, count, widths, out);
}

/* One object as lines "title  value". */
static void put_list(const struct json *object, const struct column *lines, size_t count,
                     struct buf *out)
{
	OWN_BUF struct buf cell = buf_make(CELL_MAX);
	size_t width = 0;

	for (size_t i = 0; i < count; i++) {
		size_t w = width_of(str_of(lines[i].title));
		width = w > width ? w : width;
	}
	for (size_t i = 0; i < count; i++) {
		buf_reset(&cell);
		put_cell(object, &lines[i], &cell);
		put_padded(out, str_of(lines[i].title), width, false, false);
		buf_add(out, buf_str(&cell));
		buf_add_char(out, '\n');
	}
}

/* ---- Accounts ---- */

static const struct column ACCOUNT_LINES[] = {
	{ "account", "id", CELL_TEXT },       { "name", "name", CELL_TEXT },
	{ "wallet", "walletUsd", CELL_TEXT }, { "credit", "creditUsd", CELL_TEXT },
	{ "held", "heldUsd", CELL_TEXT },     { "created", "createdAt", CELL_TEXT },
};

static const struct column POLICY_LINES[] = {
	{ "max purchase", "maxPurchaseUsd", CELL_TEXT },
	{ "daily", "dailyUsd", CELL_TEXT },
	{ "approval above", "approvalAboveUsd", CELL_TEXT },
};

static const struct column ACCOUNT_COLUMNS[] = {
	{ "ACCOUNT", "id", CELL_TEXT },        { "NAME", "name", CELL_TEXT },
	{ "WALLET", "walletUsd", CELL_RIGHT }, { "CREDIT", "creditUsd", CELL_RIGHT },
	{ "HELD", "heldUsd", CELL_RIGHT },     { "CREATED", "createdAt", CELL_TEXT },
};

static const struct column SERVICE_COLUMNS[] = {
	{ "SERVICE", "id", CELL_TEXT },    { "NAME", "displayName", CELL_TEXT },
	{ "STATUS", "status", CELL_TEXT }, { "BALANCE", "creditBalanceUsd", CELL_RIGHT },
	{ "HELD", "heldUsd", CELL_RIGHT }, { "AVAILABLE", "availableUsd", CELL_RIGHT },
};

static const struct column KEY_COLUMNS[] = {
	{ "KEY", "id", CELL_TEXT },          { "KIND", "kind", CELL_TEXT },
	{ "LABEL", "label", CELL_TEXT },     { "PREFIX", "prefix", CELL_TEXT },
	{ "LOOKUP", "lookup", CELL_TEXT },   { "STATUS", "status", CELL_TEXT },
	{ "SPENT", "spentUsd", CELL_RIGHT }, { "LAST USED", "lastUsedAt", CELL_TEXT },
};

void mcp__print_account(const struct json *result, struct buf *out)
{
	const struct json *account = json_get(result, "account");

	put_list(account, ACCOUNT_LINES, ARRAY_LEN(ACCOUNT_LINES), out);
	buf_add_z(out, "policy in USD (-: no limit)\n");
	put_list(json_get(account, "policy"), POLICY_LINES, ARRAY_LEN(POLICY_LINES), out);
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
	put_table(json_get(result, "accounts"), ACCOUNT_COLUMNS, ARRAY_LEN(ACCOUNT_COLUMNS), out);
}

void mcp__print_key_list(const struct json *result, struct buf *out)
{
	put_table(json_get(result, "keys"), KEY_COLUMNS, ARRAY_LEN(KEY_COLUMNS), out);
}

void mcp__print_account_show(const struct json *result, struct buf *out)
{
	mcp__print_account(result, out);
	buf_add_char(out, '\n');
	put_table(json_get(result, "services"), SERVICE_COLUMNS, ARRAY_LEN(SERVICE_COLUMNS), out);
	buf_add_char(out, '\n');
	mcp__print_key_list(result, out);
}

/* ---- Money and keys ---- */

void mcp__print_wallet_fund(const struct json *result, struct buf *out)
{
	static const struct column LINES[] = {
		{ "transaction", "transaction", CELL_TEXT }, { "account", "accountId", CELL_TEXT },
		{ "reference", "reference", CELL_TEXT },     { "amount", "amountUsd", CELL_TEXT },
		{ "wallet", "walletUsd", CELL_TEXT },
	};
	const struct json *funding = json_get(result, "funding");

	put_list(funding, LINES, ARRAY_LEN(LINES), out);
	if (json_true(json_get(funding, "repeated")))
		buf_add_z(out, "this reference was known: nothing was added again\n");
}

void mcp__print_key_revoke(const struct json *result, struct buf *out)
{
	static const struct column LINES[] = {
		{ "key", "id", CELL_TEXT },
		{ "kind", "kind", CELL_TEXT },
		{ "label", "label", CELL_TEXT },
		{ "status", "status", CELL_TEXT },
	};

	put_list(json_get(result, "key"), LINES, ARRAY_LEN(LINES), out);
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
	static const struct column COLUMNS[] = {
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
	put_table(table, COLUMNS, ARRAY_LEN(COLUMNS), out);
}

void mcp__print_ledger_verify(const struct json *result, struct buf *out)
{
	static const struct column LINES[] = {
		{ "accounts", "accounts", CELL_TEXT },
		{ "transactions", "transactions", CELL_TEXT },
		{ "entries", "entries", CELL_TEXT },
		{ "receipts", "receipts", CELL_TEXT },
		{ "difference", "differenceUsdMicros", CELL_USD },
	};
	const struct json *verdict = json_get(result, "verdict");

	put_list(verdict, LINES, ARRAY_LEN(LINES), out);
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
