/* SPDX-License-Identifier: Apache-2.0 */
/* From the words of a command line to the JSON of a request, and from the answer to text. Operands
 * and flags are the command's field table: operands are its first fields, and the flag of a field
 * is its name with hyphens (maxPurchaseUsd is --max-purchase-usd). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "mcp/command.h"

#define WORDS_MAX 64
#define LINE_MAX_BYTES (64u << 10)
#define DATE_LEN 10 /* 2026-11-22 */

/* ---- Which command ---- */

/* Sets `command` from argv[1] and, if that is a group, argv[2]; `*next` is the word behind it. */
static bool find_command(struct mcp__command_line *line, int argc, char **argv, int *next)
{
	OWN_BUF struct buf words = buf_make(WORDS_MAX);

	if (argc < 2)
		return false;
	buf_add_z(&words, argv[1]);
	*next = 2;
	line->command = mcp__command_find(buf_str(&words));
	if (line->command == NULL && argc > 2) {
		buf_add_char(&words, ' ');
		buf_add_z(&words, argv[2]);
		*next = 3;
		line->command = words.failed ? NULL : mcp__command_find(buf_str(&words));
	}
	return line->command != NULL;
}

static bool starts_with_word(const struct mcp__command *command, const char *word)
{
	struct str rest = str_of(command->words);

	return str_eq(str_cut(&rest, ' '), str_of(word));
}

static void put_usage(const struct mcp__command *command, struct buf *out)
{
	buf_addf(out, "usage: agent-store %s%s%s\n", command->words,
	         command->usage[0] == '\0' ? "" : " ", command->usage);
}

void mcp__command_line_put_usage(const struct mcp__command_line *line, int argc, char **argv,
                                 struct buf *out)
{
	if (line->command != NULL) {
		put_usage(line->command, out);
		return;
	}
	for (size_t i = 0; mcp__command_at(i) != NULL; i++) {
		if (argc < 2 || starts_with_word(mcp__command_at(i), argv[1]))
			put_usage(mcp__command_at(i), out);
	}
}

void mcp_commands_put_help(struct buf *out)
{
	for (size_t i = 0; mcp__command_at(i) != NULL; i++) {
		const struct mcp__command *c = mcp__command_at(i);
		buf_addf(out, "  agent-store %s%s%s\n      %s\n", c->words,
		         c->usage[0] == '\0' ? "" : " ", c->usage, c->help);
	}
}

/* ---- Its arguments ---- */

struct reading {
	struct mcp__command_line *line;
	struct json_out *out; /* the open object "arguments" */
	size_t operands;      /* read so far */
	uint32_t seen;        /* a bit per field */
	bool only_operands;   /* behind "--" */
};

/* --max-purchase-usd is the field maxPurchaseUsd. */
static bool is_flag_of(struct str flag, const char *field)
{
	size_t at = 0;

	for (const char *p = field; *p != '\0'; p++) {
		bool capital = *p >= 'A' && *p <= 'Z';
		char low = *p;
		if (capital)
			low = (char)(*p - 'A' + 'a');
		if (capital && (at >= flag.len || flag.p[at++] != '-'))
			return false;
		if (at >= flag.len || flag.p[at++] != low)
			return false;
	}
	return at == flag.len;
}

/* What the text means to the process that runs it: a date is its first moment, and a path is
 * absolute, because the owner of the store may stand in another folder. */
static void put_value(struct json_out *out, const struct json_field *field, const char *text)
{
	OWN_BUF struct buf value = buf_make(LIMIT_HTTP_LINE);
	char *folder = NULL;

	if (strcmp(field->name, "path") == 0 && text[0] != '/' && text[0] != '\0') {
		folder = getcwd(NULL, 0);
		buf_add_z(&value, folder == NULL ? "" : folder);
		buf_add_char(&value, '/');
	}
	buf_add_z(&value, text);
	if (field->type == JSON_FIELD_TIME && value.len == DATE_LEN)
		buf_add_z(&value, "T00:00:00Z");
	if (value.failed) /* too long for any field: let the check of the field say so */
		json_put_z(out, field->name, text);
	else
		json_put_str(out, field->name, buf_str(&value));
	free(folder);
}

static bool take_field(struct reading *r, size_t index, const char *text, struct err *err)
{
	const struct json_field *field = &r->line->command->fields->fields[index];

	if (((r->seen >> index) & 1u) != 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "'%s' is given twice", field->name);
	r->seen |= 1u << index;
	put_value(r->out, field, text);
	return true;
}

static bool take_operand(struct reading *r, const char *text, struct err *err)
{
	if (r->operands == r->line->command->operands)
		return err_set(err, ERR_INVALID_ARGUMENT, "unexpected '%s'", text);
	return take_field(r, r->operands++, text, err);
}

/* argv[*i] is "--flag", whose value is the next word, or "--flag=value". */
static bool take_flag(struct reading *r, char **argv, int *i, struct err *err)
{
	const struct json_fields *fields = r->line->command->fields;
	struct str value = str_of(argv[*i] + 2);
	struct str name = str_cut(&value, '=');

	for (size_t f = r->line->command->operands; f < fields->count; f++) {
		if (!is_flag_of(name, fields->fields[f].name))
			continue;
		const char *text = value.p != NULL ? value.p : argv[++*i];
		if (text == NULL || (value.p == NULL && strncmp(text, "--", 2) == 0))
			return err_set(err, ERR_INVALID_ARGUMENT, "'--%.*s' needs a value",
			               STR_ARG(name));
		return take_field(r, f, text, err);
	}
	return err_set(err, ERR_INVALID_ARGUMENT, "unknown option '--%.*s'", STR_ARG(name));
}

static bool take_word(struct reading *r, char **argv, int *i, struct err *err)
{
	const char *word = argv[*i];

	if (r->only_operands)
		return take_operand(r, word, err);
	if (strcmp(word, "--") == 0)
		r->only_operands = true;
	else if (strcmp(word, "--json") == 0)
		r->line->json = true;
	else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		r->line->help = true;
	else if (strncmp(word, "--", 2) == 0)
		return take_flag(r, argv, i, err);
	else
		return take_operand(r, word, err);
	return true;
}

/* The same check that the owner makes again: a mistake is told before anything is opened. */
static bool check_request(const struct mcp__command_line *line, struct err *err)
{
	OWN_JSON struct json *request = json_parse(buf_str(&line->request), err);
	struct mcp__command_args args;

	return request != NULL &&
	       mcp__command_read(line->command, json_get(request, "arguments"), &args, err);
}

static bool no_command(int argc, char **argv, struct err *err)
{
	if (argc > 2 && argv[2][0] != '-')
		return err_set(err, ERR_INVALID_ARGUMENT, "there is no command '%s %s'", argv[1],
		               argv[2]);
	return err_set(err, ERR_INVALID_ARGUMENT, "'%s' needs a second word",
	               argc > 1 ? argv[1] : "");
}

static bool wants_help(int argc, char **argv)
{
	return argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
}

bool mcp__command_line_read(struct mcp__command_line *line, int argc, char **argv, struct err *err)
{
	OWN_JSON_OUT struct json_out out = json_out_make(LINE_MAX_BYTES);
	struct reading r = { .line = line, .out = &out };
	int i = 0;

	*line = (struct mcp__command_line){ .request = buf_make(LINE_MAX_BYTES) };
	if (!find_command(line, argc, argv, &i)) {
		line->help = wants_help(argc, argv);
		return line->help || no_command(argc, argv, err);
	}
	json_put_object(&out, NULL);
	json_put_z(&out, "command", line->command->words);
	json_put_object(&out, "arguments");
	for (; i < argc; i++) {
		if (!take_word(&r, argv, &i, err))
			return false;
	}
	json_put_end(&out, '}');
	json_put_end(&out, '}');
	if (line->help)
		return true;
	buf_add(&line->request, buf_str(&out.text));
	return json_out_ok(&out, err) && check_request(line, err);
}

void mcp__command_line_done(struct mcp__command_line *line)
{
	buf_done(&line->request);
}

/* ---- The answer ---- */

int mcp__command_line_finish(const struct mcp__command_line *line, struct str answer,
                             struct buf *out, struct buf *complaint)
{
	struct err err = { 0 };
	OWN_JSON struct json *root = json_parse(answer, &err);
	const struct json *result = json_get(root, "result");

	if (result == NULL) {
		struct str why = json_text(json_get(json_get(root, "error"), "message"));
		buf_addf(complaint, "agent-store: %.*s\n",
		         STR_ARG(why.p != NULL ? why : str_of(err.text)));
		return 1;
	}
	if (line->json) {
		static const char *const KEYS[] = { "result" };
		struct str raw = { NULL, 0 };
		if (json_pick(answer, KEYS, &raw, 1, NULL))
			buf_add(out, raw);
		buf_add_char(out, '\n');
	} else {
		line->command->print(result, out);
	}
	return line->command->bad != NULL && line->command->bad(result) ? 1 : 0;
}
