/* SPDX-License-Identifier: Apache-2.0 */
/* The words of operators' commands: what is refused, what request they become, and the whole way
 * from words to exit code over a link. */
#include <stdlib.h>

#include "mcp/command.h"
#include "tests/check.h"
#include "tests/mcp_world.h"

/* ---- Words ---- */

static void wrong_words_are_usage_errors(void)
{
	static const struct {
		const char *line, *text;
	} ROWS[] = {
		{ "account", "'account' needs a second word" },
		{ "account --json", "'account' needs a second word" },
		{ "account delete", "there is no command 'account delete'" },
		{ "account create", "'name' is missing" },
		{ "account create a b", "unexpected 'b'" },
		{ "account create --name x", "unknown option '--name'" },
		{ "account list all", "unexpected 'all'" },
		{ "account show", "'account' is missing" },
		{ "account policy", "'account' is missing" },
		{ "account policy a --daily-usd", "'--daily-usd' needs a value" },
		{ "account policy a --daily-usd --json", "'--daily-usd' needs a value" },
		{ "account policy a --daily-usd 1 --daily-usd 2", "'dailyUsd' is given twice" },
		{ "account policy a --dailyUsd 1", "unknown option '--dailyUsd'" },
		{ "account policy a --daily-usd -1",
		  "dailyUsd: '-1' is not an amount in USD with at most 2 decimals" },
		{ "wallet fund", "'account' is missing" },
		{ "wallet fund a", "'usd' is missing" },
		{ "wallet fund a 5", "'reference' is missing" },
		{ "wallet fund a 5.001 --reference r",
		  "usd: '5.001' is not an amount in USD with at most 2 decimals" },
		{ "wallet fund a five --reference r",
		  "usd: 'five' is not an amount in USD with at most 2 decimals" },
		{ "wallet fund a 5 --reference", "'--reference' needs a value" },
		{ "key", "'key' needs a second word" },
		{ "key list", "'account' is missing" },
		{ "key revoke", "'keyId' is missing" },
		{ "key rotate k --force", "unknown option '--force'" },
		{ "usage", "'account' is missing" },
		{ "usage a --by hour", "'by' must be one of: model, key, day" },
		{ "ledger", "'ledger' needs a second word" },
		{ "ledger verify now", "unexpected 'now'" },
		{ "backup", "'path' is missing" },
		{ "backup a b", "unexpected 'b'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct mcp__command_line line;
		struct words words;
		struct err err = { 0 };
		OWN_BUF struct buf usage = buf_make(1 << 16);
		check_note("%s", ROWS[i].line);
		words_split(&words, ROWS[i].line);
		CHECK(!mcp__command_line_read(&line, words.argc, words.argv, &err));
		CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
		CHECK_STR(err.text, ROWS[i].text);
		mcp__command_line_put_usage(&line, words.argc, words.argv, &usage);
		CHECK(str_starts(buf_str(&usage), STR("usage: agent-store ")));
		mcp__command_line_done(&line);
	}
}

static void a_time_that_is_none_is_a_usage_error(void)
{
	static const char *const LINES[] = { "usage a --from yesterday", "usage a --to 2026-13-01",
		                             "usage a --from 2026-11-22T08:00" };

	for (size_t i = 0; i < ARRAY_LEN(LINES); i++) {
		struct mcp__command_line line;
		struct words words;
		struct err err = { 0 };
		check_note("%s", LINES[i]);
		words_split(&words, LINES[i]);
		CHECK(!mcp__command_line_read(&line, words.argc, words.argv, &err));
		CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
		mcp__command_line_done(&line);
	}
}

static void words_become_a_request(void)
{
	static const struct {
		const char *line, *request;
	} ROWS[] = {
		{ "account list", "{\"command\":\"account list\",\"arguments\":{}}" },
		{ "wallet fund acme 5 --reference=a=b",
		  "{\"command\":\"wallet fund\",\"arguments\":{\"account\":\"acme\",\"usd\":\"5\","
		  "\"reference\":\"a=b\"}}" },
		{ "account create -- --help",
		  "{\"command\":\"account create\",\"arguments\":{\"name\":\"--help\"}}" },
		{ "usage a --from 2026-11-22 --by day",
		  "{\"command\":\"usage\",\"arguments\":{\"account\":\"a\","
		  "\"from\":\"2026-11-22T00:00:00Z\",\"by\":\"day\"}}" },
		{ "backup /tmp/x.db",
		  "{\"command\":\"backup\",\"arguments\":{\"path\":\"/tmp/x.db\"}}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct mcp__command_line line;
		struct words words;
		struct err err = { 0 };
		check_note("%s", ROWS[i].line);
		words_split(&words, ROWS[i].line);
		CHECK(mcp__command_line_read(&line, words.argc, words.argv, &err));
		CHECK_STR(line.request.p, ROWS[i].request);
		mcp__command_line_done(&line);
	}
}

static void a_path_is_made_absolute(void)
{
	struct mcp__command_line line;
	struct words words;
	struct err err = { 0 };

	words_split(&words, "backup x.db");
	CHECK(mcp__command_line_read(&line, words.argc, words.argv, &err));
	OWN_JSON struct json *request = json_parse(buf_str(&line.request), &err);
	struct str path = json_text(json_get(json_get(request, "arguments"), "path"));
	CHECK(str_starts(path, STR("/")) && str_ends(path, STR("/x.db")));
	mcp__command_line_done(&line);
}

static void only_first_words_of_commands_are_known(void)
{
	static const char *const KNOWN[] = { "account", "wallet", "key",   "usage",
		                             "ledger",  "backup", "status" };
	static const char *const UNKNOWN[] = { "",     "mcp",  "serve",          "accounts", "list",
		                               "acco", "fund", "account create", "--help" };

	for (size_t i = 0; i < ARRAY_LEN(KNOWN); i++)
		CHECK(mcp_command_known(KNOWN[i]));
	for (size_t i = 0; i < ARRAY_LEN(UNKNOWN); i++)
		CHECK(!mcp_command_known(UNKNOWN[i]));
}

static void the_help_names_every_command(void)
{
	OWN_BUF struct buf help = buf_make(1 << 16);
	size_t i = 0;

	mcp_commands_put_help(&help);
	for (; mcp__command_at(i) != NULL; i++)
		CHECK(str_find(buf_str(&help), str_of(mcp__command_at(i)->words)) >= 0);
	CHECK_I64((int64_t)i, 12);
}

static void commands_that_change_money_or_keys_are_durable(void)
{
	static const char *const DURABLE[] = { "account create", "account policy", "wallet fund",
		                               "key revoke", "key rotate" };
	static const char *const NOT[] = {
		"account list",  "account show", "key list", "usage",
		"ledger verify", "backup",       "status",   "nonsense"
	};

	for (size_t i = 0; i < ARRAY_LEN(DURABLE); i++)
		CHECK(mcp__command_is_durable(str_of(DURABLE[i])));
	for (size_t i = 0; i < ARRAY_LEN(NOT); i++)
		CHECK(!mcp__command_is_durable(str_of(NOT[i])));
}

/* ---- All of it ---- */

static int main_of(struct world *w, struct mcp_link *link, const char *line, struct caught *out,
                   struct caught *complaint)
{
	struct words words;

	words_split(&words, line);
	catch_begin(out, 1);
	catch_begin(complaint, 2);
	int code = mcp_command_main(w->loop, link, words.argc, words.argv);
	catch_end(complaint);
	catch_end(out);
	return code;
}

static void the_whole_way_gives_text_and_exit_code(void)
{
	static const struct {
		const char *line;
		int code;
		const char *out, *complaint;
	} ROWS[] = {
		{ "account list", 0, "ACCOUNT  NAME  WALLET  CREDIT  HELD  CREATED\n", "" },
		{ "account list --json", 0, "{\"accounts\":[]}\n", "" },
		{ "account show x", 1, "", "agent-store: there is no account 'x'\n" },
		{ "account show", 2, "",
		  "agent-store: 'account' is missing\nusage: agent-store account show ACCOUNT\n" },
		{ "key list --help", 0,
		  "usage: agent-store key list ACCOUNT\n\n"
		  "Lists an account's keys of both kinds, without their secrets.\n\n"
		  "With --json the result is one line of JSON.\n",
		  "" },
		{ "wallet --help", 0,
		  "usage: agent-store wallet fund ACCOUNT USD --reference TEXT\n", "" },
	};
	struct world w;
	struct till till = { .world = &w };
	struct caught out, complaint;
	struct err err = { 0 };

	if (!world_open(&w))
		return;
	till.db = w.db;
	const struct mcp_owner owner = till_owner(&till);
	struct mcp_link *link = mcp_link_new(w.loop, w.db, &owner, &err);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		check_note("%s", ROWS[i].line);
		CHECK_I64(main_of(&w, link, ROWS[i].line, &out, &complaint), ROWS[i].code);
		CHECK_STR(out.text, ROWS[i].out);
		CHECK_STR(complaint.text, ROWS[i].complaint);
	}
	mcp_link_free(link);
	world_close(&w);
}

static const struct check_case CASES[] = {
	CASE(wrong_words_are_usage_errors),
	CASE(a_time_that_is_none_is_a_usage_error),
	CASE(words_become_a_request),
	CASE(a_path_is_made_absolute),
	CASE(only_first_words_of_commands_are_known),
	CASE(the_help_names_every_command),
	CASE(commands_that_change_money_or_keys_are_durable),
	CASE(the_whole_way_gives_text_and_exit_code),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
