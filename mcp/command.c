/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the operators' commands. `backup` has no run: it does not fit one job and is done
 * in slices by the owner (backup.h). */
#include "mcp/command.h"

#include "base/limits.h"

/* ---- Arguments ---- */

#define ARG(field) offsetof(struct mcp__command_args, field)

#define ACCOUNT                                                                                 \
	{                                                                                       \
		.name = "account", .type = JSON_FIELD_STR, .offset = ARG(account),              \
		.required = true, .min = 1, .max = LIMIT_ACCOUNT_NAME, .doc = "an id or a name" \
	}
#define KEY_ID                                                                                    \
	{                                                                                         \
		.name = "keyId", .type = JSON_FIELD_STR, .offset = ARG(key_id), .required = true, \
		.min = 1, .max = LIMIT_LABEL, .doc = "an id of key list"                          \
	}
#define LIMIT_USD(member, target)                                                          \
	{                                                                                  \
		.name = (member), .type = JSON_FIELD_STR, .offset = ARG(target), .min = 1, \
		.max = MONEY_TEXT_MAX, .doc = "an amount in USD, or none"                  \
	}

static const struct json_field CREATE_FIELDS[] = {
	{ .name = "name",
	  .type = JSON_FIELD_STR,
	  .offset = ARG(name),
	  .required = true,
	  .min = 1,
	  .max = LIMIT_ACCOUNT_NAME,
	  .doc = "what the account is called" },
};

static const struct json_field ACCOUNT_FIELDS[] = { ACCOUNT };

static const struct json_field POLICY_FIELDS[] = {
	ACCOUNT,
	LIMIT_USD("maxPurchaseUsd", max_purchase_usd),
	LIMIT_USD("dailyUsd", daily_usd),
	LIMIT_USD("approvalAboveUsd", approval_above_usd),
};

static const struct json_field FUND_FIELDS[] = {
	ACCOUNT,
	{ .name = "usd",
	  .type = JSON_FIELD_STR,
	  .offset = ARG(usd),
	  .required = true,
	  .min = 1,
	  .max = MONEY_TEXT_MAX,
	  .doc = "an amount with at most two decimals" },
	{ .name = "reference",
	  .type = JSON_FIELD_STR,
	  .offset = ARG(reference),
	  .required = true,
	  .min = 1,
	  .max = LIMIT_REFERENCE,
	  .doc = "names the payment; the same one never counts twice" },
};

static const struct json_field KEY_FIELDS[] = { KEY_ID };

static const char *const USAGE_GROUPS[] = { "model", "key", "day", NULL };

static const struct json_field USAGE_FIELDS[] = {
	ACCOUNT,
	{ .name = "by",
	  .type = JSON_FIELD_STR,
	  .offset = ARG(by),
	  .max = LIMIT_LABEL,
	  .choices = USAGE_GROUPS,
	  .doc = "what the rows are" },
	{ .name = "from",
	  .type = JSON_FIELD_TIME,
	  .offset = ARG(from_ms),
	  .doc = "the first moment that counts" },
	{ .name = "to",
	  .type = JSON_FIELD_TIME,
	  .offset = ARG(to_ms),
	  .doc = "the first moment that does not count any more" },
};

static const struct json_field BACKUP_FIELDS[] = {
	{ .name = "path",
	  .type = JSON_FIELD_STR,
	  .offset = ARG(path),
	  .required = true,
	  .min = 1,
	  .max = LIMIT_HTTP_LINE,
	  .doc = "a file that does not exist yet" },
};

static const struct json_fields NO_ARGUMENTS = { NULL, 0 };
static const struct json_fields CREATE_ARGUMENTS = JSON_FIELDS(CREATE_FIELDS);
static const struct json_fields ACCOUNT_ARGUMENTS = JSON_FIELDS(ACCOUNT_FIELDS);
static const struct json_fields POLICY_ARGUMENTS = JSON_FIELDS(POLICY_FIELDS);
static const struct json_fields FUND_ARGUMENTS = JSON_FIELDS(FUND_FIELDS);
static const struct json_fields KEY_ARGUMENTS = JSON_FIELDS(KEY_FIELDS);
static const struct json_fields USAGE_ARGUMENTS = JSON_FIELDS(USAGE_FIELDS);
static const struct json_fields BACKUP_ARGUMENTS = JSON_FIELDS(BACKUP_FIELDS);

/* ---- Commands ---- */

static bool books_are_wrong(const struct json *result)
{
	return !json_true(json_get(json_get(result, "verdict"), "ok"));
}

static const struct mcp__command COMMANDS[] = {
	{ .words = "account create",
	  .usage = "NAME",
	  .help = "Makes an account and prints its purchase key, once.",
	  .fields = &CREATE_ARGUMENTS,
	  .operands = 1,
	  .durable = true,
	  .run = mcp__run_account_create,
	  .print = mcp__print_account_create },
	{ .words = "account list",
	  .usage = "",
	  .help = "Lists all accounts with their balances.",
	  .fields = &NO_ARGUMENTS,
	  .run = mcp__run_account_list,
	  .print = mcp__print_account_list },
	{ .words = "account show",
	  .usage = "ACCOUNT",
	  .help = "Shows balances, policy, services and keys of an account.",
	  .fields = &ACCOUNT_ARGUMENTS,
	  .operands = 1,
	  .run = mcp__run_account_show,
	  .print = mcp__print_account_show },
	{ .words = "account policy",
	  .usage = "ACCOUNT [--max-purchase-usd N] [--daily-usd N] [--approval-above-usd N]",
	  .help = "Sets what an account may spend; 'none' takes a limit away.",
	  .fields = &POLICY_ARGUMENTS,
	  .operands = 1,
	  .durable = true,
	  .run = mcp__run_account_policy,
	  .print = mcp__print_account },
	{ .words = "wallet fund",
	  .usage = "ACCOUNT USD --reference TEXT",
	  .help = "Adds operator credit; the same reference again is the same entry.",
	  .fields = &FUND_ARGUMENTS,
	  .operands = 2,
	  .durable = true,
	  .run = mcp__run_wallet_fund,
	  .print = mcp__print_wallet_fund },
	{ .words = "key list",
	  .usage = "ACCOUNT",
	  .help = "Lists an account's keys of both kinds, without their secrets.",
	  .fields = &ACCOUNT_ARGUMENTS,
	  .operands = 1,
	  .run = mcp__run_key_list,
	  .print = mcp__print_key_list },
	{ .words = "key revoke",
	  .usage = "KEY_ID",
	  .help = "Ends a key at once.",
	  .fields = &KEY_ARGUMENTS,
	  .operands = 1,
	  .durable = true,
	  .run = mcp__run_key_revoke,
	  .print = mcp__print_key_revoke },
	{ .words = "key rotate",
	  .usage = "KEY_ID",
	  .help = "Replaces a key and prints the new one, once.",
	  .fields = &KEY_ARGUMENTS,
	  .operands = 1,
	  .durable = true,
	  .run = mcp__run_key_rotate,
	  .print = mcp__print_key_rotate },
	{ .words = "usage",
	  .usage = "ACCOUNT [--by model|key|day] [--from T] [--to T]",
	  .help = "Adds up tokens and charges; T is a date or an RFC 3339 time.",
	  .fields = &USAGE_ARGUMENTS,
	  .operands = 1,
	  .run = mcp__run_usage,
	  .print = mcp__print_usage },
	{ .words = "ledger verify",
	  .usage = "",
	  .help = "Adds every balance up again from its entries; exit 1 if one is off.",
	  .fields = &NO_ARGUMENTS,
	  .slow = true,
	  .run = mcp__run_ledger_verify,
	  .print = mcp__print_ledger_verify,
	  .bad = books_are_wrong },
	{ .words = "status",
	  .usage = "",
	  .help = "Shows once what runs and what the books say; top goes on showing it.",
	  .fields = &NO_ARGUMENTS,
	  .run = mcp__run_status,
	  .print = mcp__print_status },
	{ .words = "backup",
	  .usage = "FILE",
	  .help = "Writes a consistent copy of the store while it serves.",
	  .fields = &BACKUP_ARGUMENTS,
	  .operands = 1,
	  .slow = true,
	  .print = mcp__print_backup },
};

const struct mcp__command *mcp__command_at(size_t i)
{
	return i < ARRAY_LEN(COMMANDS) ? &COMMANDS[i] : NULL;
}

const struct mcp__command *mcp__command_find(struct str words)
{
	for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
		if (str_eq(words, str_of(COMMANDS[i].words)))
			return &COMMANDS[i];
	}
	return NULL;
}

bool mcp_command_known(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
		struct str rest = str_of(COMMANDS[i].words);
		if (str_eq(str_cut(&rest, ' '), str_of(word)))
			return true;
	}
	return false;
}

/* ---- Reading and running ---- */

static bool read_limit(struct str text, const char *name, struct money *out, struct err *err)
{
	if (text.p == NULL)
		return true;
	if (str_eq(text, STR("none"))) {
		*out = money_of_micros(-1);
		return true;
	}
	return money_parse_usd(text, 2, out, err) || err_prefix(err, "%s", name);
}

bool mcp__command_read(const struct mcp__command *command, const struct json *arguments,
                       struct mcp__command_args *out, struct err *err)
{
	struct mcp__command_args args = { 0 };

	if (!json_read(arguments, command->fields, &args, err))
		return false;
	if (args.usd.p != NULL && !money_parse_usd(args.usd, 2, &args.amount, err))
		return err_prefix(err, "usd");
	if (!read_limit(args.max_purchase_usd, "maxPurchaseUsd", &args.policy.max_purchase, err) ||
	    !read_limit(args.daily_usd, "dailyUsd", &args.policy.daily, err) ||
	    !read_limit(args.approval_above_usd, "approvalAboveUsd", &args.policy.approval_above,
	                err))
		return false;
	*out = args;
	return true;
}

bool mcp__command_run(const struct mcp_shop *shop, struct store *st, struct str name,
                      const struct json *arguments, struct json_out *out, struct err *err)
{
	const struct mcp__command *command = mcp__command_find(name);
	struct mcp__command_args args;

	if (command == NULL || command->run == NULL)
		return err_set(err, ERR_UNSUPPORTED, "there is no command '%.*s'", STR_ARG(name));
	if (!mcp__command_read(command, arguments, &args, err))
		return false;
	const struct mcp__command_call call = { .shop = shop, .st = st, .args = &args };
	return command->run(&call, out, err);
}

bool mcp__command_is_durable(struct str name)
{
	const struct mcp__command *command = mcp__command_find(name);

	return command != NULL && command->durable;
}
