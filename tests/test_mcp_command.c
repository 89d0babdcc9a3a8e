/* SPDX-License-Identifier: Apache-2.0 */
/* Operators' commands from their words to what is printed, on a store in memory with a clock that
 * stands still. Random parts of ids and keys are blanked before comparing, so that a table stands
 * here as a person sees it. */
#include <stdlib.h>

#include "mcp/command.h"
#include "tests/check.h"
#include "tests/mcp_world.h"

#define NOON 1795348800000 /* 2026-11-22T12:00:00Z */

struct shop {
	struct env_fixed clock;
	struct env env;
	struct store *store;
	struct mcp_shop shop;
};

static bool shop_open(struct shop *s)
{
	struct err err = { 0 };

	*s = (struct shop){ .clock = { .now_ms = NOON } };
	s->env = env_fixed(&s->clock);
	const struct store_options options = {
		.path = ":memory:", .durability = STORE_PROCESS, .env = &s->env
	};
	s->store = store_open(&options, &err);
	s->shop = (struct mcp_shop){ .env = &s->env };
	return CHECK(s->store != NULL);
}

/* ---- Running words ---- */

/* Runs a command line that has no usage error; the exit code, with what is printed. */
static int run(struct shop *s, const char *line, struct buf *out, struct buf *complaint)
{
	struct mcp__command_line parsed;
	struct words words;
	struct err err = { 0 };
	OWN_JSON_OUT struct json_out answer = json_out_make(1 << 20);
	int code = -1;

	words_split(&words, line);
	buf_reset(out);
	buf_reset(complaint);
	if (mcp__command_line_read(&parsed, words.argc, words.argv, &err)) {
		mcp_work_run(&s->shop, s->store, buf_str(&parsed.request), &answer);
		code = mcp__command_line_finish(&parsed, buf_str(&answer.text), out, complaint);
	} else {
		CHECK_FAIL("%s: %s", line, err.text);
	}
	mcp__command_line_done(&parsed);
	return code;
}

/* Every id and key becomes its prefix and one '#' per random character. */
static void blank_random(struct buf *text)
{
	static const char *const PREFIXES[] = { "ask_live_  ", "acct_",     "svc_",
		                                "router_key_", "ask_live_", "asr_live_" };

	for (size_t i = 0; i < text->len; i++) {
		for (size_t p = 0; p < ARRAY_LEN(PREFIXES); p++) {
			struct str rest = { text->p + i, text->len - i };
			if (!str_starts(rest, str_of(PREFIXES[p])))
				continue;
			for (i += strlen(PREFIXES[p]);
			     i < text->len && strchr(" \n\"-", text->p[i]) == NULL; i++)
				text->p[i] = '#';
		}
	}
}

static void prints(struct shop *s, const char *line, const char *want)
{
	OWN_BUF struct buf out = buf_make(1 << 20), complaint = buf_make(1 << 16);

	check_note("%s", line);
	CHECK_I64(run(s, line, &out, &complaint), 0);
	blank_random(&out);
	CHECK_STR(buf_str(&out).p, want);
	CHECK_I64((int64_t)complaint.len, 0);
}

static void fails(struct shop *s, const char *line, const char *want)
{
	OWN_BUF struct buf out = buf_make(1 << 20), complaint = buf_make(1 << 16);

	check_note("%s", line);
	CHECK_I64(run(s, line, &out, &complaint), 1);
	CHECK_I64((int64_t)out.len, 0);
	blank_random(&complaint);
	CHECK_STR(buf_str(&complaint).p, want);
}

/* The result with --json matches; the caller frees it. */
static struct json *json_of(struct shop *s, const char *line, const char *pattern)
{
	OWN_BUF struct buf out = buf_make(1 << 20), complaint = buf_make(1 << 16);
	OWN_BUF struct buf where = buf_make(1 << 16);
	struct err err = { 0 };

	check_note("%s", line);
	CHECK_I64(run(s, line, &out, &complaint), 0);
	CHECK(out.len > 0 && out.p[out.len - 1] == '\n');
	struct json *result = json_parse(str_trim((struct str){ out.p, out.len - 1 }), &err);
	OWN_JSON struct json *want = json_parse(str_of(pattern), &err);
	if (!CHECK(result != NULL && want != NULL))
		return NULL;
	if (!json_matches(want, result, &where))
		CHECK_FAIL("%s", where.p);
	return result;
}

static void matches(struct shop *s, const char *line, const char *pattern)
{
	json_free(json_of(s, line, pattern));
}

/* ---- Accounts ---- */

static void accounts_are_made_and_listed(void)
{
	struct shop s;

	if (!shop_open(&s))
		return;
	prints(&s, "account list", "ACCOUNT  NAME  WALLET  CREDIT  HELD  CREATED\n");
	prints(&s, "account create acme",
	       "account       acct_######################\n"
	       "purchase key  ask_live_##################################################################\n"
	       "\n"
	       "The key is shown this once. Give it to the agent's host:\n"
	       "\n"
	       "  AGENT_STORE_AGENT_API_KEY=ask_live_##################################################################\n"
	       "  claude mcp add agent-store --env AGENT_STORE_AGENT_API_KEY=ask_live_################################################################## -- agent-store\n");
	matches(&s, "account create --json bj\xc3\xb6rn",
	        "{\"account\":{\"id\":\"*\",\"name\":\"bj\xc3\xb6rn\",\"walletUsd\":\"0.00\","
	        "\"creditUsd\":\"0.00\",\"heldUsd\":\"0.00\",\"policy\":{\"maxPurchaseUsd\":null,"
	        "\"dailyUsd\":null,\"approvalAboveUsd\":null},"
	        "\"createdAt\":\"2026-11-22T12:00:00.000Z\"},\"purchaseKey\":\"*\"}");
	prints(&s, "wallet fund acme 1234.5 --reference a",
	       "transaction  1\n"
	       "account      acct_######################\n"
	       "reference    a\n"
	       "amount       1234.50\n"
	       "wallet       1234.50\n");
	prints(&s, "account list",
	       "ACCOUNT                      NAME    WALLET  CREDIT  HELD  CREATED\n"
	       "acct_######################  acme   1234.50    0.00  0.00  2026-11-22T12:00:00.000Z\n"
	       "acct_######################  bj\xc3\xb6rn     0.00    0.00  0.00  2026-11-22T12:00:00.000Z\n");
	matches(&s, "account list --json",
	        "{\"accounts\":[{\"name\":\"acme\",\"walletUsd\":\"1234.50\"},{\"name\":\"*\"}]}");
	fails(&s, "account create acme", "agent-store: the account name 'acme' is taken\n");
	store_close(s.store);
}

static void an_account_is_shown_with_its_services_and_keys(void)
{
	struct shop s;

	if (!shop_open(&s))
		return;
	matches(&s, "account create acme --json", "{}");
	prints(&s, "account show acme",
	       "account  acct_######################\n"
	       "name     acme\n"
	       "wallet   0.00\n"
	       "credit   0.00\n"
	       "held     0.00\n"
	       "created  2026-11-22T12:00:00.000Z\n"
	       "policy in USD (-: no limit)\n"
	       "max purchase    -\n"
	       "daily           -\n"
	       "approval above  -\n"
	       "\n"
	       "SERVICE  NAME  STATUS  BALANCE  HELD  AVAILABLE\n"
	       "\n"
	       "KEY                                KIND      LABEL         PREFIX     LOOKUP            STATUS  SPENT  LAST USED\n"
	       "router_key_######################  purchase  purchase key  ask_live_  ################  active   0.00  -\n");
	matches(&s, "account show acme --json",
	        "{\"account\":{\"name\":\"acme\"},\"services\":[],\"keys\":[{\"kind\":\"purchase\","
	        "\"status\":\"active\",\"serviceId\":null,\"spentUsd\":\"0.00\","
	        "\"limits\":{\"spendLimitUsd\":null,\"expiresAt\":null,\"requestsPerMinute\":0,"
	        "\"maxConcurrent\":0,\"lowerOutput\":false,\"allowedModels\":null},\"revokedAt\":null}]}");
	fails(&s, "account show nobody", "agent-store: there is no account 'nobody'\n");
	store_close(s.store);
}

static void a_policy_changes_only_what_is_named(void)
{
	struct shop s;

	if (!shop_open(&s))
		return;
	matches(&s, "account create acme --json", "{}");
	matches(&s, "account policy acme --max-purchase-usd 50 --daily-usd=100.5 --json",
	        "{\"account\":{\"policy\":{\"maxPurchaseUsd\":\"50.00\",\"dailyUsd\":\"100.50\","
	        "\"approvalAboveUsd\":null}}}");
	matches(&s, "account policy acme --daily-usd none --approval-above-usd 0 --json",
	        "{\"account\":{\"policy\":{\"maxPurchaseUsd\":\"50.00\",\"dailyUsd\":null,"
	        "\"approvalAboveUsd\":\"0.00\"}}}");
	prints(&s, "account policy acme",
	       "account  acct_######################\n"
	       "name     acme\n"
	       "wallet   0.00\n"
	       "credit   0.00\n"
	       "held     0.00\n"
	       "created  2026-11-22T12:00:00.000Z\n"
	       "policy in USD (-: no limit)\n"
	       "max purchase    50.00\n"
	       "daily           -\n"
	       "approval above  0.00\n");
	store_close(s.store);
}

static void funding_twice_with_one_reference_is_told(void)
{
	struct shop s;

	if (!shop_open(&s))
		return;
	matches(&s, "account create acme --json", "{}");
	matches(&s, "wallet fund acme 100 --reference inv-1 --json",
	        "{\"funding\":{\"transaction\":1,\"reference\":\"inv-1\",\"amountUsd\":\"100.00\","
	        "\"walletUsd\":\"100.00\",\"repeated\":false}}");
	prints(&s, "wallet fund acme 100.00 --reference inv-1",
	       "transaction  1\n"
	       "account      acct_######################\n"
	       "reference    inv-1\n"
	       "amount       100.00\n"
	       "wallet       100.00\n"
	       "this reference was known: nothing was added again\n");
	OWN_BUF struct buf out = buf_make(1 << 16), complaint = buf_make(1 << 16);
	CHECK_I64(run(&s, "wallet fund acme 99 --reference inv-1", &out, &complaint), 1);
	CHECK(str_starts(buf_str(&complaint), STR("agent-store: ")));
	matches(&s, "account list --json", "{\"accounts\":[{\"walletUsd\":\"100.00\"}]}");
	store_close(s.store);
}

/* ---- Keys ---- */

static void keys_are_listed_rotated_and_revoked(void)
{
	struct shop s;
	OWN_BUF struct buf line = buf_make(256);

	if (!shop_open(&s))
		return;
	matches(&s, "account create acme --json", "{}");
	OWN_JSON struct json *list =
		json_of(&s, "key list acme --json",
	                "{\"keys\":[{\"kind\":\"purchase\",\"status\":\"active\"}]}");
	struct str id = json_text(json_get(json_first(json_get(list, "keys")), "id"));
	buf_addf(&line, "key rotate %.*s", STR_ARG(id));
	prints(&s, line.p,
	       "key     router_key_######################\n"
	       "kind    purchase\n"
	       "label   purchase key\n"
	       "status  active\n"
	       "secret  ask_live_##################################################################\n"
	       "\n"
	       "The key is shown this once; the one that it replaces is dead.\n");
	OWN_BUF struct buf out = buf_make(1 << 16), complaint = buf_make(1 << 16);
	CHECK_I64(run(&s, line.p, &out, &complaint), 1); /* it was rotated before */
	buf_reset(&line);
	buf_addf(&line, "key revoke %.*s", STR_ARG(id));
	prints(&s, line.p,
	       "key     router_key_######################\n"
	       "kind    purchase\n"
	       "label   purchase key\n"
	       "status  revoked\n");
	matches(&s, "key list acme --json",
	        "{\"keys\":[{\"status\":\"revoked\",\"revokedAt\":\"2026-11-22T12:00:00.000Z\"},"
	        "{\"status\":\"active\"}]}");
	CHECK_I64(run(&s, "key revoke router_key_0000000000000000000000", &out, &complaint), 1);
	store_close(s.store);
}

/* ---- Usage and books ---- */

/* Buys 25 USD of credit and settles one request of 24 in and 20 out at 2.5 and 15 USD per million:
 * 60 + 300 micros. */
static void use_credit(struct shop *s)
{
	struct store_account account;
	struct store_purchase purchase;
	struct store_service service;
	struct store_key_info info;
	struct store_key_limits limits = { .spend_limit = money_of_micros(-1) };
	OWN_SECRET struct secret secret = { 0 };
	struct store_hold hold = { .request_id = id_make(&s->env, ID_REQUEST) };
	struct money charged;
	struct err err = { 0 };
	OWN_JSON struct json *configuration = json_parse(STR("{\"creditAmountUsd\":25}"), &err);
	const struct store_purchase_request request = { .item_id = STR("cat_router_credit_001"),
		                                        .quantity = 1,
		                                        .configuration = configuration,
		                                        .idempotency_key = STR("k") };
	struct store_call call = { .model = STR("gpt-5.4"),
		                   .upstream_model = STR("gpt-5.4"),
		                   .provider = PROVIDER_OPENAI,
		                   .route = STR("openai"),
		                   .price_version = STR("1"),
		                   .created_ms = NOON };
	call.prices = (struct token_prices){ { 2500000, -1, -1, 250000, 15000000 } };
	call.long_prices = call.prices;
	const struct store_outcome outcome = { .state = HOLD_SETTLED,
		                               .evidence = EVIDENCE_PROVIDER,
		                               .counts = { { 24, 0, 0, 0, 20 } },
		                               .attempts = STR("[]"),
		                               .status = 200,
		                               .first_byte_ms = 5,
		                               .settled_ms = NOON + 10 };

	bool ok =
		store_account_find(s->store, STR("acme"), &account, &err) &&
		store_purchase_create(s->store, &account.id, &request, &purchase, &service, &err) &&
		store_router_key_create(s->store, &account.id, id_str(&service.id), STR("ci"),
	                                &limits, &info, &secret, &err);
	if (!CHECK(ok)) {
		CHECK_FAIL("%s", err.text);
		return;
	}
	const struct store_key *key =
		store_live_key(store_live(s->store), secret_str(&secret), NOON, &err);
	ok = key != NULL &&
	     store_live_reserve(store_live(s->store), key, money_of_micros(1000), NOON, &hold,
	                        &err) &&
	     store_hold_write(s->store, &hold, &call, &err) &&
	     store_hold_end(s->store, &hold, &outcome, &charged, &err);
	if (!ok)
		CHECK_FAIL("%s", err.text);
}

static void usage_is_added_up(void)
{
	struct shop s;

	if (!shop_open(&s))
		return;
	matches(&s, "account create acme --json", "{}");
	matches(&s, "wallet fund acme 100 --reference r --json", "{}");
	prints(&s, "usage acme",
	       "GROUP  REQUESTS  INPUT  WRITE 5M  WRITE 1H  READ  OUTPUT  CHARGE\n"
	       "total         0      0         0         0     0       0    0.00\n");
	use_credit(&s);
	prints(&s, "usage acme --by model",
	       "GROUP    REQUESTS  INPUT  WRITE 5M  WRITE 1H  READ  OUTPUT   CHARGE\n"
	       "gpt-5.4         1     24         0         0     0      20  0.00036\n"
	       "total           1     24         0         0     0      20  0.00036\n");
	matches(&s, "usage acme --by day --from 2026-11-22 --to 2026-11-23 --json",
	        "{\"usage\":[{\"group\":\"2026-11-22\",\"requests\":1,\"uncachedInputTokens\":24,"
	        "\"cacheWrite5mTokens\":0,\"cacheWrite1hTokens\":0,\"cacheReadTokens\":0,"
	        "\"outputTokens\":20,\"buyerChargeUsdMicros\":360}],"
	        "\"total\":{\"requests\":1,\"buyerChargeUsdMicros\":360}}");
	matches(&s, "usage acme --by key --json",
	        "{\"usage\":[{\"group\":\"*\",\"requests\":1}],\"total\":{\"requests\":1}}");
	matches(&s, "usage acme --to 2026-11-22T12:00:00Z --json",
	        "{\"usage\":[],\"total\":{\"requests\":0,\"buyerChargeUsdMicros\":0}}");
	matches(&s, "account list --json",
	        "{\"accounts\":[{\"walletUsd\":\"75.00\",\"creditUsd\":\"24.99964\"}]}");
	store_close(s.store);
}

static void the_books_are_verified(void)
{
	struct shop s;

	if (!shop_open(&s))
		return;
	matches(&s, "account create acme --json", "{}");
	matches(&s, "wallet fund acme 100 --reference r --json", "{}");
	use_credit(&s);
	matches(&s, "ledger verify --json",
	        "{\"verdict\":{\"ok\":true,\"receipts\":1,\"differenceUsdMicros\":0,"
	        "\"problem\":null}}");
	OWN_BUF struct buf out = buf_make(1 << 16), complaint = buf_make(1 << 16);
	CHECK_I64(run(&s, "ledger verify", &out, &complaint), 0);
	CHECK(str_ends(buf_str(&out), STR("every balance equals its entries\n")));
	store_close(s.store);
}

static void wrong_books_are_exit_code_one(void)
{
	static const char ANSWER[] =
		"{\"result\":{\"verdict\":{\"ok\":false,\"accounts\":3,\"transactions\":2,"
		"\"entries\":4,\"receipts\":0,\"differenceUsdMicros\":-1,"
		"\"problem\":\"wallet:acct_1 is off\"}}}";
	struct mcp__command_line line;
	struct words words;
	struct err err = { 0 };
	OWN_BUF struct buf out = buf_make(1 << 16), complaint = buf_make(1 << 16);

	words_split(&words, "ledger verify");
	CHECK(mcp__command_line_read(&line, words.argc, words.argv, &err));
	CHECK_I64(mcp__command_line_finish(&line, str_of(ANSWER), &out, &complaint), 1);
	CHECK_STR(out.p, "accounts      3\n"
	                 "transactions  2\n"
	                 "entries       4\n"
	                 "receipts      0\n"
	                 "difference    -0.000001\n"
	                 "WRONG: wallet:acct_1 is off\n");
	mcp__command_line_done(&line);
	words_split(&words, "ledger verify --json");
	buf_reset(&out);
	CHECK(mcp__command_line_read(&line, words.argc, words.argv, &err));
	CHECK_I64(mcp__command_line_finish(&line, str_of(ANSWER), &out, &complaint), 1);
	CHECK(str_starts(buf_str(&out), STR("{\"verdict\":{\"ok\":false")));
	mcp__command_line_done(&line);
}

static void a_broken_answer_is_a_failure(void)
{
	static const struct {
		const char *answer, *complaint;
	} ROWS[] = {
		{ "{\"error\":{\"code\":\"unavailable\",\"message\":\"no store\"}}",
		  "agent-store: no store\n" },
		{ "{\"error\":{\"code\":\"unavailable\"}}", "agent-store: \n" },
	};
	struct mcp__command_line line;
	struct words words;
	struct err err = { 0 };

	words_split(&words, "account list");
	CHECK(mcp__command_line_read(&line, words.argc, words.argv, &err));
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		OWN_BUF struct buf out = buf_make(1 << 16), complaint = buf_make(1 << 16);
		CHECK_I64(mcp__command_line_finish(&line, str_of(ROWS[i].answer), &out, &complaint),
		          1);
		CHECK_STR(complaint.p, ROWS[i].complaint);
	}
	mcp__command_line_done(&line);
}

static void an_unknown_command_is_refused_by_the_owner(void)
{
	struct shop s;
	struct err err = { 0 };
	OWN_JSON_OUT struct json_out out = json_out_make(1024);

	if (!shop_open(&s))
		return;
	CHECK(!mcp__command_run(&s.shop, s.store, STR("account erase"), NULL, &out, &err));
	CHECK_I64(err.code, ERR_UNSUPPORTED);
	CHECK(!mcp__command_run(&s.shop, s.store, STR("backup"), NULL, &out, &err));
	CHECK_I64(err.code, ERR_UNSUPPORTED);
	CHECK(!mcp__command_run(&s.shop, s.store, STR("wallet fund"), NULL, &out, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	store_close(s.store);
}

static const struct check_case CASES[] = {
	CASE(accounts_are_made_and_listed),
	CASE(an_account_is_shown_with_its_services_and_keys),
	CASE(a_policy_changes_only_what_is_named),
	CASE(funding_twice_with_one_reference_is_told),
	CASE(keys_are_listed_rotated_and_revoked),
	CASE(usage_is_added_up),
	CASE(the_books_are_verified),
	CASE(wrong_books_are_exit_code_one),
	CASE(a_broken_answer_is_a_failure),
	CASE(an_unknown_command_is_refused_by_the_owner),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
