/* SPDX-License-Identifier: Apache-2.0 */
/* The only place where JSON meets the store: a request names a tool or a command, the answer is its
 * result or its error. An answer that got too large is thrown away here and becomes an error, so a
 * caller never sees half a result. The purchase key never gets into a tree: trees are not wiped. */
#include "mcp/work.h"

#include <assert.h>

#include "base/limits.h"
#include "base/secret.h"
#include "mcp/command.h"
#include "mcp/mcp.h"
#include "mcp/tool.h"
#include "mcp/view.h"

#define NAME_MAX_BYTES 64 /* of a tool's or a command's name */

/* Answers with a key in them are shorter: their memory is never moved, and so wiped wholly. */
#define FIRST_CAP 4096

#define REMARK_MAX 4096 /* of an error */
#define KEY_FOLDER_MAX 4096

/* ---- Errors ---- */

/* clang-format off */
static const char *const NEXT_STEPS[] = {
	[ERR_NONE]                  = "",
	[ERR_INVALID_ARGUMENT]      = "Correct that argument and call again.",
	[ERR_NOT_FOUND]             = "Look the id up with catalog_search, service_list, router_api_key_list or router_models_list; quotes and purchases are known only by the ids that creating them returned.",
	[ERR_UNAUTHORIZED]          = "Ask the operator to run `agent-store account create NAME` and to put the purchase key that it prints into the setting AGENT_STORE_AGENT_API_KEY of this MCP server.",
	[ERR_FORBIDDEN]             = "Use a key that may do this, or ask the operator.",
	[ERR_QUOTE_EXPIRED]         = "Make a new quote with quote_create and buy that one; nothing was charged.",
	[ERR_INSUFFICIENT_FUNDS]    = "Ask the operator to run `agent-store wallet fund ACCOUNT USD --reference TEXT`, or buy less.",
	[ERR_POLICY_REFUSED]        = "Tell the person you work for; the operator can change the limits with `agent-store account policy`. Do not split the purchase to get round them.",
	[ERR_APPROVAL_REQUIRED]     = "This host cannot show your user the question, so nothing was bought. Ask them in your own words, with item and price: if they agree, their operator runs `agent-store account policy ACCOUNT --approval-above-usd N` with N at or above the price, and you repeat this call exactly. Do not split the purchase.",
	[ERR_IDEMPOTENCY_CONFLICT]  = "Repeat the earlier call exactly to see how it ended, or use a new idempotencyKey for a new purchase.",
	[ERR_IDEMPOTENCY_IN_FLIGHT] = "Wait a second and repeat the call exactly; it cannot buy twice.",
	[ERR_CONFLICT]              = "Read the object again (service_get, router_api_key_list, purchase_get_status) and decide from its present state.",
	[ERR_RATE_LIMITED]          = "Wait a few seconds and call again.",
	[ERR_TOO_LARGE]             = "Ask for less: a smaller limit, a shorter span of time, another grouping, or one object by its id.",
	[ERR_UNSUPPORTED]           = "Use one of the tools that tools/list names.",
	[ERR_TIMEOUT]               = "Wait a few seconds and call again; a purchase with the same idempotencyKey cannot happen twice.",
	[ERR_UNAVAILABLE]           = "Wait a few seconds and call again; a purchase with the same idempotencyKey cannot happen twice.",
	[ERR_STORAGE]               = "Tell the operator that the store's disk or database has failed.",
	[ERR_INTERNAL]              = "Tell the operator; this is a fault of the store.",
};
/* clang-format on */
static_assert(ARRAY_LEN(NEXT_STEPS) == ERR_CODE_COUNT, "one sentence per error code");

const char *mcp__next_step(struct str code)
{
	for (size_t i = 0; i < ARRAY_LEN(NEXT_STEPS); i++)
		if (str_eq(code, str_of(err_code_name((enum err_code)i))))
			return NEXT_STEPS[i];
	return "";
}

static void put_error_members(struct json_out *o, const struct err *err)
{
	json_put_z(o, "code", err_code_name(err->code));
	json_put_z(o, "message", err->text);
	if (err->code == ERR_INSUFFICIENT_FUNDS) {
		json_put_usd(o, "balanceUsd", money_of_micros(err->funds.available));
		json_put_usd(o, "requiredUsd", money_of_micros(err->funds.required));
	}
}

void mcp__put_error(struct json_out *o, const char *key, const struct err *err)
{
	json_put_object(o, key);
	put_error_members(o, err);
	json_put_end(o, '}');
}

static void put_remark(struct json_out *o, const char *key, const struct json_out *remark)
{
	if (remark->text.len > 0 && json_out_ok(remark, NULL))
		json_put_raw(o, key, buf_str(&remark->text));
}

static void put_failure(struct json_out *answer, const struct err *err,
                        const struct mcp__remarks *remarks)
{
	json_put_object(answer, "error");
	put_error_members(answer, err);
	put_remark(answer, "policyVerdict", &remarks->verdict);
	put_remark(answer, "approval", &remarks->approval);
	json_put_end(answer, '}');
}

/* ---- Requests ---- */

enum {
	WORK_TOOL,
	WORK_VIEW,
	WORK_COMMAND,
	WORK_ARGUMENTS,
	WORK_KEY,
	WORK_ASKS,
	WORK_CONSENT,
	WORK_KEY_FOLDER,
	WORK_COUNT
};

/* clang-format off */
static const char *const WORK_KEYS[] = {
	[WORK_TOOL]       = "tool",
	[WORK_VIEW]       = "view",
	[WORK_COMMAND]    = "command",
	[WORK_ARGUMENTS]  = "arguments",
	[WORK_KEY]        = "key",
	[WORK_ASKS]       = "asks",
	[WORK_CONSENT]    = "consent",
	[WORK_KEY_FOLDER] = "keyFolder",
};
/* clang-format on */
static_assert(ARRAY_LEN(WORK_KEYS) == WORK_COUNT, "a name for every member");

struct desk {
	const struct mcp_shop *shop;
	struct store *st;
	struct mcp__remarks *remarks;
};

static bool find_account(struct store *st, struct str raw_key, struct store_account *out,
                         struct err *err)
{
	struct buf key = buf_make(KEY_TEXT_MAX);
	bool ok;

	if (!raw_key.p)
		return err_set(err, ERR_UNAUTHORIZED,
		               "this needs a purchase key, and no key is configured");
	ok = buf_reserve(&key, KEY_TEXT_MAX) || err_no_memory(err); /* not moved: wiped wholly */
	if (ok && !json_raw_string(raw_key, &key))
		ok = err_set(err, ERR_UNAUTHORIZED, "the configured purchase key is no key");
	ok = ok && store_account_by_key(st, buf_str(&key), out, err);
	buf_wipe(&key);
	buf_done(&key);
	return ok;
}

/* {"approval": id, "action": "accept", "decline" or "cancel"}, as the session has written it. */
static bool read_consent(struct str raw, struct buf *approval, struct mcp__consent *out,
                         struct err *err)
{
	static const char *const keys[] = { "approval", "action" };
	struct str picked[ARRAY_LEN(keys)];

	if (!raw.p)
		return true;
	if (!json_pick(raw, keys, picked, ARRAY_LEN(keys), err))
		return false;
	if (!json_raw_string(picked[0], approval))
		return err_set(err, ERR_INVALID_ARGUMENT, "a consent names its approval");
	out->approval = buf_str(approval);
	out->given = json_raw_equals(picked[1], STR("accept"));
	out->cancelled = json_raw_equals(picked[1], STR("cancel"));
	return true;
}

/* No id is as long as a key: who sends a key by mistake must not read it in an error. */
static bool check_ids(const struct json *arguments, struct err *err)
{
	const struct json *a = json_is(arguments, JSON_OBJECT) ? json_first(arguments) : NULL;

	for (; a; a = json_next(a))
		if (str_ends(json_key(a), STR("Id")) && json_text(a).len >= ID_TEXT_MAX)
			return err_set(err, ERR_INVALID_ARGUMENT, "'%.*s' is too long for an id",
			               STR_ARG(json_key(a)));
	return true;
}

static bool run_tool(const struct desk *desk, const struct mcp__tool *tool,
                     const struct str work[WORK_COUNT], struct json_out *out, struct err *err)
{
	struct store_account account = { 0 };
	struct mcp__consent consent = { 0 };
	OWN_BUF struct buf approval = buf_make(ID_TEXT_MAX);
	OWN_BUF struct buf key_folder = buf_make(KEY_FOLDER_MAX);
	OWN_JSON struct json *arguments = NULL;
	bool asks = false;

	if (work[WORK_ARGUMENTS].p) {
		arguments = json_parse(work[WORK_ARGUMENTS], err);
		if (!arguments || !check_ids(arguments, err))
			return false;
	}
	if (!read_consent(work[WORK_CONSENT], &approval, &consent, err))
		return false;
	bool to_files = json_raw_string(work[WORK_KEY_FOLDER], &key_folder);
	if (tool->needs_account && !find_account(desk->st, work[WORK_KEY], &account, err))
		return false;

	struct mcp__call call = {
		.shop = desk->shop,
		.st = desk->st,
		.account = tool->needs_account ? &account.id : NULL,
		.arguments = arguments,
		.asks = json_raw_bool(work[WORK_ASKS], &asks) && asks,
		.consent = consent,
		.key_folder = to_files ? buf_str(&key_folder) : (struct str){ 0 },
		.remarks = desk->remarks,
	};
	return tool->run(&call, out, err);
}

static bool run_command(const struct desk *desk, struct str name, struct str raw_arguments,
                        struct json_out *out, struct err *err)
{
	OWN_JSON struct json *arguments = NULL;

	if (raw_arguments.p) {
		arguments = json_parse(raw_arguments, err);
		if (!arguments)
			return false;
	}
	json_put_object(out, NULL);
	if (!mcp__command_run(desk->shop, desk->st, name, arguments, out, err))
		return false;
	json_put_end(out, '}');
	return true;
}

static bool run_work(const struct desk *desk, struct str request, struct json_out *out,
                     struct err *err)
{
	struct str work[WORK_COUNT];
	const struct mcp__tool *tool = NULL;
	OWN_BUF struct buf name = buf_make(NAME_MAX_BYTES);

	if (!json_pick(request, WORK_KEYS, work, WORK_COUNT, err))
		return false;
	if (json_raw_string(work[WORK_TOOL], &name))
		tool = mcp__tool_find(buf_str(&name));
	else if (json_raw_string(work[WORK_VIEW], &name))
		tool = mcp__view_find(buf_str(&name));
	if (tool)
		return run_tool(desk, tool, work, out, err);
	if (name.len > 0)
		return err_set(err, ERR_UNSUPPORTED, "there is no tool '%.*s'",
		               STR_ARG(buf_str(&name)));
	if (json_raw_string(work[WORK_COMMAND], &name))
		return run_command(desk, buf_str(&name), work[WORK_ARGUMENTS], out, err);
	return err_set(err, ERR_INVALID_ARGUMENT, "a request names a tool or a command");
}

void mcp_work_run(const struct mcp_shop *shop, struct store *st, struct str request,
                  struct json_out *answer)
{
	struct mcp__remarks remarks = { json_out_make(REMARK_MAX), json_out_make(REMARK_MAX) };
	const struct desk desk = { .shop = shop, .st = st, .remarks = &remarks };
	struct json_out result = json_out_make(LIMIT_MCP_OUT_LINE);
	struct err err = { 0 };
	bool ok = buf_reserve(&result.text, FIRST_CAP) || err_no_memory(&err);

	ok = ok && run_work(&desk, request, &result, &err) && json_out_ok(&result, &err);
	json_put_object(answer, NULL);
	if (ok)
		json_put_raw(answer, "result", buf_str(&result.text));
	else
		put_failure(answer, &err, &remarks);
	json_put_end(answer, '}');
	json_out_done(&remarks.verdict);
	json_out_done(&remarks.approval);
	buf_wipe(&result.text);
	json_out_done(&result);
}

bool mcp_work_is_durable(struct str request)
{
	struct str work[WORK_COUNT];
	OWN_BUF struct buf name = buf_make(NAME_MAX_BYTES);
	const struct mcp__tool *tool;

	if (!json_pick(request, WORK_KEYS, work, WORK_COUNT, NULL))
		return false;
	if (json_raw_string(work[WORK_COMMAND], &name))
		return mcp__command_is_durable(buf_str(&name));
	if (!json_raw_string(work[WORK_TOOL], &name))
		return false;
	tool = mcp__tool_find(buf_str(&name));
	return tool && tool->durable;
}
