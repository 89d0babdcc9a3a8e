/* SPDX-License-Identifier: Apache-2.0 */
/* The error table against the contract's names and the numbers of HTTP and JSON-RPC, and the text
 * of an error: one line, cut at a character. */
#include <errno.h>

#include "base/err.h"
#include "tests/check.h"

struct row {
	enum err_code code;
	const char *name;
	int http;
	int rpc;
};

/* clang-format off */
static const struct row ROWS[] = {
	{ ERR_NONE,                  "none",                  200, 0 },
	{ ERR_INVALID_ARGUMENT,      "invalid_argument",      400, -32602 },
	{ ERR_NOT_FOUND,             "not_found",             404, -32603 },
	{ ERR_UNAUTHORIZED,          "unauthorized",          401, -32603 },
	{ ERR_FORBIDDEN,             "forbidden",             403, -32603 },
	{ ERR_QUOTE_EXPIRED,         "quote_expired",         410, -32603 },
	{ ERR_INSUFFICIENT_FUNDS,    "insufficient_funds",    402, -32603 },
	{ ERR_POLICY_REFUSED,        "policy_refused",        403, -32603 },
	{ ERR_APPROVAL_REQUIRED,     "approval_required",     403, -32603 },
	{ ERR_IDEMPOTENCY_CONFLICT,  "idempotency_conflict",  409, -32603 },
	{ ERR_IDEMPOTENCY_IN_FLIGHT, "idempotency_in_flight", 409, -32603 },
	{ ERR_CONFLICT,              "conflict",              409, -32603 },
	{ ERR_RATE_LIMITED,          "rate_limited",          429, -32603 },
	{ ERR_TOO_LARGE,             "too_large",             413, -32603 },
	{ ERR_UNSUPPORTED,           "unsupported",           400, -32601 },
	{ ERR_TIMEOUT,               "timeout",               504, -32603 },
	{ ERR_UNAVAILABLE,           "unavailable",           503, -32603 },
	{ ERR_STORAGE,               "storage_failed",        503, -32603 },
	{ ERR_INTERNAL,              "internal",              500, -32603 },
};
/* clang-format on */

static void every_code_has_its_name_status_and_number(void)
{
	CHECK_I64(ARRAY_LEN(ROWS), ERR_CODE_COUNT);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		CHECK_STR(err_code_name(ROWS[i].code), ROWS[i].name);
		CHECK_I64(err_http_status(ROWS[i].code), ROWS[i].http);
		CHECK_I64(err_rpc_number(ROWS[i].code), ROWS[i].rpc);
	}
}

static void set_records_code_and_text_and_is_false(void)
{
	struct err err = { 0 };

	CHECK(!err_set(&err, ERR_NOT_FOUND, "no quote '%s'", "quote_1"));
	CHECK_I64(err.code, ERR_NOT_FOUND);
	CHECK_STR(err.text, "no quote 'quote_1'");
}

static void set_replaces_text_and_funds(void)
{
	struct err err = { .code = ERR_INSUFFICIENT_FUNDS,
		           .text = "a long old text",
		           .funds = { 1, 2, 3 } };

	CHECK(!err_set(&err, ERR_CONFLICT, "new"));
	CHECK_STR(err.text, "new");
	CHECK_I64(err.funds.required, 0);
	CHECK_I64(err.funds.held, 0);
}

static void old_text_may_be_an_argument(void)
{
	struct err err = { 0 };

	(void)err_set(&err, ERR_TIMEOUT, "first");
	(void)err_set(&err, ERR_TIMEOUT, "second after %s", err.text);
	CHECK_STR(err.text, "second after first");
}

static void prefix_keeps_code_and_funds(void)
{
	struct err err = { .code = ERR_INSUFFICIENT_FUNDS,
		           .text = "too little",
		           .funds = { 9, 4, 0 } };

	CHECK(!err_prefix(&err, "purchase '%d'", 7));
	CHECK_I64(err.code, ERR_INSUFFICIENT_FUNDS);
	CHECK_STR(err.text, "purchase '7': too little");
	CHECK_I64(err.funds.required, 9);
	CHECK_I64(err.funds.available, 4);
}

static void null_error_is_allowed_everywhere(void)
{
	CHECK(!err_set(NULL, ERR_INTERNAL, "x"));
	CHECK(!err_prefix(NULL, "x"));
	CHECK(!err_set_errno(NULL, ERR_STORAGE, "x"));
	CHECK(!err_no_memory(NULL));
}

static void errno_becomes_its_text(void)
{
	struct err err = { 0 };

	errno = ENOENT;
	CHECK(!err_set_errno(&err, ERR_STORAGE, "/x/store.db"));
	CHECK_I64(err.code, ERR_STORAGE);
	CHECK_STR(err.text, "/x/store.db: No such file or directory");
}

static void no_memory_is_internal(void)
{
	struct err err = { 0 };

	CHECK(!err_no_memory(&err));
	CHECK_I64(err.code, ERR_INTERNAL);
	CHECK_STR(err.text, "out of memory");
}

static void control_characters_become_spaces(void)
{
	struct err err = { 0 };

	(void)err_set(&err, ERR_INVALID_ARGUMENT, "'%s'", "a\nb\rc\x1b[0m\x7f");
	CHECK_STR(err.text, "'a b c [0m '");
}

static void long_text_is_cut_to_its_room(void)
{
	char longest[2 * LIMIT_ERR_TEXT];
	struct err err = { 0 };

	memset(longest, 'a', sizeof(longest));
	longest[LIMIT_ERR_TEXT - 1] = '\0';
	(void)err_set(&err, ERR_INTERNAL, "%s", longest);
	CHECK_STR(err.text, longest);

	longest[LIMIT_ERR_TEXT - 1] = 'a';
	longest[sizeof(longest) - 1] = '\0';
	(void)err_set(&err, ERR_INTERNAL, "%s", longest);
	CHECK_I64(strlen(err.text), LIMIT_ERR_TEXT - 1);

	(void)err_prefix(&err, "where");
	CHECK_I64(strlen(err.text), LIMIT_ERR_TEXT - 1);
	CHECK(strncmp(err.text, "where: aaa", 10) == 0);
}

static const char *const CHARACTERS[] = { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };

/* Characters of 2, 3 and 4 bytes, each pushed over the end by one byte more. */
static void text_is_cut_at_a_whole_character(void)
{
	for (size_t c = 0; c < ARRAY_LEN(CHARACTERS); c++) {
		size_t size = strlen(CHARACTERS[c]);
		for (size_t over = 0; over <= size; over++) {
			char fill[LIMIT_ERR_TEXT] = { 0 };
			size_t before = LIMIT_ERR_TEXT - 1 - size + over;
			struct err err = { 0 };
			memset(fill, 'a', before);
			(void)err_set(&err, ERR_INTERNAL, "%s%s", fill, CHARACTERS[c]);
			if (!CHECK_I64(strlen(err.text), over == 0 ? LIMIT_ERR_TEXT - 1 : before))
				check_note("%zu bytes, %zu of them over the end", size, over);
		}
	}
}

static const struct check_case CASES[] = {
	CASE(every_code_has_its_name_status_and_number),
	CASE(set_records_code_and_text_and_is_false),
	CASE(set_replaces_text_and_funds),
	CASE(old_text_may_be_an_argument),
	CASE(prefix_keeps_code_and_funds),
	CASE(null_error_is_allowed_everywhere),
	CASE(errno_becomes_its_text),
	CASE(no_memory_is_internal),
	CASE(control_characters_become_spaces),
	CASE(long_text_is_cut_to_its_room),
	CASE(text_is_cut_at_a_whole_character),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
