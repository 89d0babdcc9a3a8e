/* SPDX-License-Identifier: Apache-2.0 */
/* The only table from an error code to its wire name, HTTP status and JSON-RPC number, and the
 * functions that write an error's text. User text may be quoted in a message, so whatever the
 * format brings, the result is one line and ends at a whole UTF-8 character. */
#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RPC_METHOD_NOT_FOUND (-32601)
#define RPC_INVALID_PARAMS (-32602)
#define RPC_INTERNAL (-32603)

struct err_kind {
	const char *name;
	int http_status;
	int rpc_number;
};

/* clang-format off */
static const struct err_kind KINDS[] = {
	[ERR_NONE]                  = { "none",                  200, 0 },
	[ERR_INVALID_ARGUMENT]      = { "invalid_argument",      400, RPC_INVALID_PARAMS },
	[ERR_NOT_FOUND]             = { "not_found",             404, RPC_INTERNAL },
	[ERR_UNAUTHORIZED]          = { "unauthorized",          401, RPC_INTERNAL },
	[ERR_FORBIDDEN]             = { "forbidden",             403, RPC_INTERNAL },
	[ERR_QUOTE_EXPIRED]         = { "quote_expired",         410, RPC_INTERNAL },
	[ERR_INSUFFICIENT_FUNDS]    = { "insufficient_funds",    402, RPC_INTERNAL },
	[ERR_POLICY_REFUSED]        = { "policy_refused",        403, RPC_INTERNAL },
	[ERR_APPROVAL_REQUIRED]     = { "approval_required",     403, RPC_INTERNAL },
	[ERR_IDEMPOTENCY_CONFLICT]  = { "idempotency_conflict",  409, RPC_INTERNAL },
	[ERR_IDEMPOTENCY_IN_FLIGHT] = { "idempotency_in_flight", 409, RPC_INTERNAL },
	[ERR_CONFLICT]              = { "conflict",              409, RPC_INTERNAL },
	[ERR_RATE_LIMITED]          = { "rate_limited",          429, RPC_INTERNAL },
	[ERR_TOO_LARGE]             = { "too_large",             413, RPC_INTERNAL },
	[ERR_UNSUPPORTED]           = { "unsupported",           400, RPC_METHOD_NOT_FOUND },
	[ERR_TIMEOUT]               = { "timeout",               504, RPC_INTERNAL },
	[ERR_UNAVAILABLE]           = { "unavailable",           503, RPC_INTERNAL },
	[ERR_STORAGE]               = { "storage_failed",        503, RPC_INTERNAL },
	[ERR_INTERNAL]              = { "internal",              500, RPC_INTERNAL },
};
/* clang-format on */
static_assert(ARRAY_LEN(KINDS) == ERR_CODE_COUNT, "one row per error code");

static const struct err_kind *kind_of(enum err_code code)
{
	assert(code < ERR_CODE_COUNT);
	return &KINDS[code];
}

/* Bytes that the character with this first byte takes; 1 for a byte that starts none. */
static size_t utf8_length(unsigned char first)
{
	if (first >= 0xF0)
		return 4;
	if (first >= 0xE0)
		return 3;
	return first >= 0xC0 ? 2 : 1;
}

static void drop_half_character(char *text, size_t len)
{
	size_t start = len;

	while (start > 0 && len - start < 4) {
		start--;
		unsigned char c = (unsigned char)text[start];
		if ((c & 0xC0) == 0x80)
			continue;
		if (start + utf8_length(c) > len)
			text[start] = '\0';
		return;
	}
}

static void keep_one_line(char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			*text = ' ';
	}
}

/* `wanted` is what vsnprintf returned for `text`: how long the text would have been. */
static void finish_text(char text[LIMIT_ERR_TEXT], int wanted)
{
	if (wanted < 0)
		text[0] = '\0';
	else if ((size_t)wanted >= LIMIT_ERR_TEXT)
		drop_half_character(text, LIMIT_ERR_TEXT - 1);
	keep_one_line(text);
}

void err_record(struct err *err, enum err_code code, const char *format, ...)
{
	/* Written aside first: an argument may be the old text. */
	char text[LIMIT_ERR_TEXT];
	va_list args;

	if (err == NULL)
		return;
	va_start(args, format);
	finish_text(text, vsnprintf(text, sizeof(text), format, args));
	va_end(args);
	*err = (struct err){ .code = code };
	memcpy(err->text, text, sizeof(text));
}

bool err_prefix(struct err *err, const char *format, ...)
{
	char prefix[LIMIT_ERR_TEXT];
	char text[LIMIT_ERR_TEXT];
	va_list args;

	if (err == NULL)
		return false;
	va_start(args, format);
	finish_text(prefix, vsnprintf(prefix, sizeof(prefix), format, args));
	va_end(args);
	finish_text(text, snprintf(text, sizeof(text), "%s: %s", prefix, err->text));
	memcpy(err->text, text, sizeof(text));
	return false;
}

void err_record_errno(struct err *err, enum err_code code, const char *what)
{
	char scratch[128];
	const char *reason = strerror_r(errno, scratch, sizeof(scratch));

	err_record(err, code, "%s: %s", what, reason);
}

bool err_no_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, "out of memory");
}

const char *err_code_name(enum err_code code)
{
	return kind_of(code)->name;
}

int err_http_status(enum err_code code)
{
	return kind_of(code)->http_status;
}

int err_rpc_number(enum err_code code)
{
	return kind_of(code)->rpc_number;
}
