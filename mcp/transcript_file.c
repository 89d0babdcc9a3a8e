/* SPDX-License-Identifier: Apache-2.0 */
/* A transcript's file. Unknown keys are refused, as everywhere: a misspelt "expect" would otherwise
 * be a step that never fails. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "mcp/transcript.h"

#define FILE_MAX_BYTES (4u << 20)
#define READ_BYTES 4096
#define FUND_DEFAULT_MICROS 100000000 /* 100 USD */

/* ---- Checking ---- */

struct rule {
	const char *key;
	enum json_type type;
	bool any; /* any type */
	bool required;
};

#define ALLOWED_MAX 160

static void put_allowed(const struct rule *rules, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s%s", i == 0 ? "" : ", ", rules[i].key);
}

static bool check_member(const struct json *member, const struct rule *rules, size_t count,
                         struct err *err)
{
	OWN_BUF struct buf allowed = buf_make(ALLOWED_MAX);

	for (size_t i = 0; i < count; i++) {
		if (!str_eq(json_key(member), str_of(rules[i].key)))
			continue;
		if (rules[i].any || json_is(member, rules[i].type))
			return true;
		return err_set(err, ERR_INVALID_ARGUMENT, "'%s' has the wrong type", rules[i].key);
	}
	put_allowed(rules, count, &allowed);
	return err_set(err, ERR_INVALID_ARGUMENT, "unknown key '%.*s'; allowed: %.*s",
	               STR_ARG(json_key(member)), STR_ARG(buf_str(&allowed)));
}

static bool check_object(const struct json *object, const struct rule *rules, size_t count,
                         struct err *err)
{
	if (!json_is(object, JSON_OBJECT))
		return err_set(err, ERR_INVALID_ARGUMENT, "must be an object");
	for (const struct json *m = json_first(object); m != NULL; m = json_next(m)) {
		if (!check_member(m, rules, count, err))
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (rules[i].required && json_get(object, rules[i].key) == NULL)
			return err_set(err, ERR_INVALID_ARGUMENT, "'%s' is missing", rules[i].key);
	}
	return true;
}

static bool check_texts(const struct json *object, const char *what, struct err *err)
{
	for (const struct json *m = json_first(object); m != NULL; m = json_next(m)) {
		if (!json_is(m, JSON_STRING))
			return err_set(err, ERR_INVALID_ARGUMENT, "'%s.%.*s' must be a string",
			               what, STR_ARG(json_key(m)));
	}
	return true;
}

static bool check_http(const struct json *http, struct err *err)
{
	static const struct rule RULES[] = {
		{ .key = "method", .type = JSON_STRING, .required = true },
		{ .key = "path", .type = JSON_STRING, .required = true },
		{ .key = "headers", .type = JSON_OBJECT },
		{ .key = "body", .any = true },
	};

	if (!check_object(http, RULES, ARRAY_LEN(RULES), err))
		return err_prefix(err, "http");
	if (!str_starts(json_text(json_get(http, "path")), STR("/")))
		return err_set(err, ERR_INVALID_ARGUMENT, "'http.path' must start with '/'");
	return check_texts(json_get(http, "headers"), "headers", err);
}

static bool check_step(const struct json *step, struct err *err)
{
	static const struct rule RULES[] = {
		{ .key = "tool", .type = JSON_STRING }, { .key = "input", .type = JSON_OBJECT },
		{ .key = "as", .type = JSON_STRING },   { .key = "http", .type = JSON_OBJECT },
		{ .key = "expect", .any = true },       { .key = "save", .type = JSON_OBJECT },
	};

	if (!check_object(step, RULES, ARRAY_LEN(RULES), err))
		return false;
	const struct json *http = json_get(step, "http");
	if ((json_get(step, "tool") == NULL) == (http == NULL))
		return err_set(err, ERR_INVALID_ARGUMENT, "needs either 'tool' or 'http'");
	if (http != NULL && (json_get(step, "input") != NULL || json_get(step, "as") != NULL))
		return err_set(err, ERR_INVALID_ARGUMENT, "'input' and 'as' go with 'tool'");
	return (http == NULL || check_http(http, err)) &&
	       check_texts(json_get(step, "save"), "save", err);
}

static bool check_steps(const struct json *steps, struct err *err)
{
	int number = 0;

	if (json_count(steps) == 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "'steps' is empty");
	for (const struct json *step = json_first(steps); step != NULL; step = json_next(step)) {
		number++;
		if (!check_step(step, err))
			return err_prefix(err, "step %d", number);
	}
	return true;
}

static bool read_account(const struct json *account, struct money *fund, struct err *err)
{
	static const struct rule RULES[] = { { .key = "fundUsd", .type = JSON_NUMBER } };
	const struct json *usd = json_get(account, "fundUsd");
	int64_t micros = FUND_DEFAULT_MICROS;

	if (account != NULL && !check_object(account, RULES, ARRAY_LEN(RULES), err))
		return err_prefix(err, "account");
	if (usd != NULL && (!json_micros(usd, 2, &micros) || micros < 0))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'account.fundUsd' must be an amount with at most two decimals");
	*fund = money_of_micros(micros);
	return true;
}

static bool read_root(struct mcp__script *script, struct err *err)
{
	static const struct rule RULES[] = {
		{ .key = "name", .type = JSON_STRING, .required = true },
		{ .key = "account", .type = JSON_OBJECT },
		{ .key = "steps", .type = JSON_ARRAY, .required = true },
	};

	if (!check_object(script->root, RULES, ARRAY_LEN(RULES), err))
		return false;
	script->name = json_text(json_get(script->root, "name"));
	script->steps = json_get(script->root, "steps");
	if (script->name.len == 0 || script->name.len > LIMIT_ACCOUNT_NAME)
		return err_set(err, ERR_INVALID_ARGUMENT, "'name' must have 1 to %d bytes",
		               LIMIT_ACCOUNT_NAME);
	return read_account(json_get(script->root, "account"), &script->fund, err) &&
	       check_steps(script->steps, err);
}

/* ---- Reading ---- */

void mcp__script_done(struct mcp__script *script)
{
	json_free(script->root);
	script->root = NULL;
}

bool mcp__script_parse(struct str text, struct mcp__script *out, struct err *err)
{
	struct mcp__script script = { .root = json_parse(text, err) };

	if (script.root == NULL)
		return false;
	if (!read_root(&script, err)) {
		mcp__script_done(&script);
		return false;
	}
	*out = script;
	return true;
}

static bool read_all(FILE *f, struct buf *text, struct err *err)
{
	for (;;) {
		char *room = buf_reserve(text, READ_BYTES);
		if (room == NULL)
			return buf_ok(text, "the file", err);
		size_t n = fread(room, 1, READ_BYTES, f);
		buf_grew(text, n);
		if (n == 0)
			return ferror(f) == 0 ||
			       err_set_errno(err, ERR_INVALID_ARGUMENT, "cannot be read");
	}
}

bool mcp__script_read(const char *path, struct mcp__script *out, struct err *err)
{
	OWN_BUF struct buf text = buf_make(FILE_MAX_BYTES);
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return err_set_errno(err, ERR_INVALID_ARGUMENT, "cannot be opened");
	bool ok = read_all(f, &text, err);
	(void)fclose(f); /* read only */
	return ok && mcp__script_parse(buf_str(&text), out, err);
}

void mcp__step_of(const struct json *node, struct mcp__step *out)
{
	const struct json *http = json_get(node, "http");

	*out = (struct mcp__step){
		.tool = json_text(json_get(node, "tool")),
		.input = json_get(node, "input"),
		.as = json_text(json_get(node, "as")),
		.method = json_text(json_get(http, "method")),
		.path = json_text(json_get(http, "path")),
		.headers = json_get(http, "headers"),
		.body = json_get(http, "body"),
		.expect = json_get(node, "expect"),
		.save = json_get(node, "save"),
	};
}
