/* SPDX-License-Identifier: Apache-2.0 */
/* Requests from one protocol to another, compared as JSON with the bodies of
 * fixtures/translation/<way>/<case>.json: {"model", "request", "expected"}, or "error" with a piece
 * of its text. The bodies there were written by hand from the providers' documents. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/check.h"
#include "tests/talk_world.h"

static const struct talk_way *way_named(const char *name)
{
	for (size_t i = 0; i < talk_way_count; i++)
		if (strcmp(talk_ways[i].name, name) == 0)
			return &talk_ways[i];
	return NULL;
}

static bool read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char block[4096];
	size_t n;

	if (!file)
		return false;
	while ((n = fread(block, 1, sizeof block, file)) > 0)
		buf_add(out, (struct str){ block, n });
	(void)fclose(file); /* only read from */
	return !out->failed;
}

static void check_body(const char *name, const struct json *expected, struct str body)
{
	OWN_JSON struct json *got = json_parse(body, NULL);
	OWN_BUF struct buf where = buf_make(4096);

	if (!CHECK(got != NULL) || json_equal(got, expected))
		return;
	(void)json_matches(expected, got, &where);
	CHECK_FAIL("%s: %.*s\n# got %.*s", name, STR_ARG(buf_str(&where)), STR_ARG(body));
}

static void run_case(const struct talk_way *way, const char *name, const struct json *file)
{
	const struct store_model *model = talk_world_model(json_text(json_get(file, "model")));
	struct str error = json_text(json_get(file, "error"));
	OWN_JSON_OUT struct json_out body = json_out_make(1u << 20);
	OWN_JSON_OUT struct json_out out = json_out_make(1u << 20);
	OWN_TALK struct talk talk;
	struct err err = { 0 };
	bool written;

	talk_init(&talk);
	json_put_tree(&body, NULL, json_get(file, "request"));
	if (!CHECK(model != NULL))
		return;
	written = way->read(buf_str(&body.text), &talk, &err) &&
	          way->write(&talk, &(struct talk_target){ model, STR("acct-7f") }, &out, &err);
	if (error.p) {
		if (!CHECK(!written) || str_find(str_of(err.text), error) >= 0)
			return;
		CHECK_FAIL("%s: the error is '%s'", name, err.text);
	} else if (!written) {
		CHECK_FAIL("%s: refused: %s", name, err.text);
	} else {
		check_body(name, json_get(file, "expected"), buf_str(&out.text));
	}
}

static int is_json(const struct dirent *entry)
{
	return str_ends(str_of(entry->d_name), STR(".json"));
}

static void run_way(const char *name)
{
	const struct talk_way *way = way_named(name);
	OWN_BUF struct buf folder = buf_make(4096);
	struct dirent **entries = NULL;
	int count;

	buf_addf(&folder, "%s/translation/%s", FIXTURES, name);
	count = scandir(folder.p, &entries, is_json, alphasort);
	CHECK(count > 0);
	for (int i = 0; way && i < count; i++) {
		OWN_BUF struct buf path = buf_make(4096);
		OWN_BUF struct buf text = buf_make(1u << 20);
		OWN_JSON struct json *file = NULL;

		buf_addf(&path, "%s/%s", folder.p, entries[i]->d_name);
		if (CHECK(read_file(path.p, &text)))
			file = json_parse(buf_str(&text), NULL);
		if (CHECK(file != NULL))
			run_case(way, path.p, file);
	}
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

static void chat_becomes_messages(void)
{
	run_way("chat-to-messages");
}

static void chat_becomes_gemini(void)
{
	run_way("chat-to-gemini");
}

static void chat_becomes_kimi(void)
{
	run_way("chat-to-kimi");
}

static void messages_become_chat(void)
{
	run_way("messages-to-chat");
}

static void messages_become_gemini(void)
{
	run_way("messages-to-gemini");
}

static void messages_become_kimi(void)
{
	run_way("messages-to-kimi");
}

static void messages_stay_messages(void)
{
	run_way("messages-to-messages");
}

static void responses_become_messages(void)
{
	run_way("responses-to-messages");
}

static void responses_become_gemini(void)
{
	run_way("responses-to-gemini");
}

static void responses_become_kimi(void)
{
	run_way("responses-to-kimi");
}

/* The clamp of Anthropic's temperature, seen from outside: what is above 1 becomes 1. */
static void temperatures_are_compared_as_numbers(void)
{
	static const struct {
		const char *given, *sent;
	} rows[] = {
		{ "0", "\"temperature\":0," },       { "1", "\"temperature\":1," },
		{ "1.0", "\"temperature\":1," },     { "1.01", "\"temperature\":1," },
		{ "0.99", "\"temperature\":0.99," }, { "2", "\"temperature\":1," },
		{ "10e-1", "\"temperature\":1," },   { "1e-3", "\"temperature\":0.001," },
		{ "15e-1", "\"temperature\":1," },   { "1e+20", "\"temperature\":1," },
		{ "-5", "\"temperature\":-5," },     { "1e-9", "\"temperature\":1e-09," },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_BUF struct buf body = buf_make(4096);
		OWN_JSON_OUT struct json_out out = json_out_make(1u << 16);
		OWN_TALK struct talk talk;
		struct talk_target to = { talk_world_model(STR("claude-plain")), { 0 } };

		talk_init(&talk);
		buf_addf(&body,
		         "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
		         "\"temperature\":%s}",
		         rows[i].given);
		CHECK(talk_read_chat(buf_str(&body), &talk, NULL));
		CHECK(talk_write_messages(&talk, &to, &out, NULL));
		if (str_find(buf_str(&out.text), str_of(rows[i].sent)) < 0)
			CHECK_FAIL("%s: %s", rows[i].given, out.text.p);
	}
}

static void a_body_that_is_too_large_is_an_error(void)
{
	OWN_JSON_OUT struct json_out out = json_out_make(64);
	OWN_TALK struct talk talk;
	struct talk_target to = { talk_world_model(STR("gpt")), { 0 } };
	struct err err = { 0 };

	talk_init(&talk);
	CHECK(talk_read_chat(STR("{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"),
	                     &talk, NULL));
	CHECK(!talk_write_gemini(&talk, &to, &out, &err));
	CHECK_I64(err.code, ERR_TOO_LARGE);
}

static const struct check_case CASES[] = {
	CASE(chat_becomes_messages),
	CASE(chat_becomes_gemini),
	CASE(chat_becomes_kimi),
	CASE(messages_become_chat),
	CASE(messages_become_gemini),
	CASE(messages_become_kimi),
	CASE(messages_stay_messages),
	CASE(responses_become_messages),
	CASE(responses_become_gemini),
	CASE(responses_become_kimi),
	CASE(temperatures_are_compared_as_numbers),
	CASE(a_body_that_is_too_large_is_an_error),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
