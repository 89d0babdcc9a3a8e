/* SPDX-License-Identifier: Apache-2.0 */
/* Scenario files. A key that is not known stops the start: a fault that is misspelt would otherwise
 * be a test that passes. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/provider_sim/sim.h"

#define FILE_MAX (1u << 20)
#define TEXT_MAX (64u << 20)
#define COUNT_MAX 9007199254740991 /* what JSON holds exactly */
#define MS_MAX 3600000

/* ---- What a file may say ---- */

struct script {
	struct str name, about;
	const struct json *reply, *usage, *fault;
	int64_t chunks, chunk_delay_ms, split_bytes;
	bool crlf;
};

struct usage_script {
	struct token_counts counts;
	int64_t tool_use;
};

struct reply_script {
	struct str text, reasoning, finish;
	const struct json *tool_calls;
	int64_t repeat;
};

static const char *const FINISHES[] = {
	[SIM_STOP] = "stop",       [SIM_LENGTH] = "length", [SIM_TOOL] = "tool",
	[SIM_REFUSAL] = "refusal", [SIM_BLOCKED] = NULL, /* a fault */
};

#define TEXT(key, where, most)                                                          \
	{                                                                               \
		.name = (key), .type = JSON_FIELD_STR, .offset = (where), .max = (most) \
	}
#define COUNT(key, where, most)                                                         \
	{                                                                               \
		.name = (key), .type = JSON_FIELD_INT, .offset = (where), .max = (most) \
	}
#define FLAG(key, where)                                                  \
	{                                                                 \
		.name = (key), .type = JSON_FIELD_BOOL, .offset = (where) \
	}
#define OBJECT(key, where)                                                  \
	{                                                                   \
		.name = (key), .type = JSON_FIELD_OBJECT, .offset = (where) \
	}

#define REPLY(field) offsetof(struct reply_script, field)
static const struct json_field REPLY_FIELDS[] = {
	TEXT("text", REPLY(text), FILE_MAX),
	COUNT("repeat", REPLY(repeat), 10000000),
	TEXT("reasoning", REPLY(reasoning), FILE_MAX),
	OBJECT("toolCalls", REPLY(tool_calls)),
	{ .name = "finish", .type = JSON_FIELD_STR, .offset = REPLY(finish), .choices = FINISHES },
};

#define USAGE(c) (offsetof(struct usage_script, counts.n) + (c) * sizeof(int64_t))
static const struct json_field USAGE_FIELDS[] = {
	COUNT("uncachedInput", USAGE(TOKEN_UNCACHED_INPUT), COUNT_MAX),
	COUNT("cacheWrite5m", USAGE(TOKEN_CACHE_WRITE_5M), COUNT_MAX),
	COUNT("cacheWrite1h", USAGE(TOKEN_CACHE_WRITE_1H), COUNT_MAX),
	COUNT("cacheRead", USAGE(TOKEN_CACHE_READ), COUNT_MAX),
	COUNT("output", USAGE(TOKEN_OUTPUT), COUNT_MAX),
	COUNT("toolUse", offsetof(struct usage_script, tool_use), COUNT_MAX),
};

#define FAULT(field) offsetof(struct sim_fault, field)
static const struct json_field FAULT_FIELDS[] = {
	COUNT("status", FAULT(status), 599),
	TEXT("message", FAULT(message), LIMIT_ERR_TEXT - 1),
	OBJECT("headers", FAULT(headers)),
	COUNT("cutAfterChunks", FAULT(cut_after_chunks), COUNT_MAX),
	COUNT("cutAfterBytes", FAULT(cut_after_bytes), COUNT_MAX),
	COUNT("errorEventAfterChunks", FAULT(error_event_after_chunks), COUNT_MAX),
	COUNT("stallAfterChunks", FAULT(stall_after_chunks), COUNT_MAX),
	COUNT("stallMs", FAULT(stall_ms), MS_MAX),
	COUNT("delayHeadMs", FAULT(delay_head_ms), MS_MAX),
	FLAG("closeBeforeAnswer", FAULT(close_before_answer)),
	FLAG("noUsage", FAULT(no_usage)),
	FLAG("malformedUsage", FAULT(malformed_usage)),
	FLAG("ignoreCap", FAULT(ignore_cap)),
	FLAG("blockPrompt", FAULT(block_prompt)),
	TEXT("model", FAULT(model), 128),
};

#define SCRIPT(field) offsetof(struct script, field)
static const struct json_field SCRIPT_FIELDS[] = {
	{ .name = "name",
	  .type = JSON_FIELD_STR,
	  .required = true,
	  .offset = SCRIPT(name),
	  .min = 1,
	  .max = 64 },
	TEXT("about", SCRIPT(about), 400),
	OBJECT("reply", SCRIPT(reply)),
	OBJECT("usage", SCRIPT(usage)),
	OBJECT("fault", SCRIPT(fault)),
	COUNT("chunks", SCRIPT(chunks), 1000000),
	COUNT("chunkDelayMs", SCRIPT(chunk_delay_ms), MS_MAX),
	COUNT("sendFramesSplitBytes", SCRIPT(split_bytes), FILE_MAX),
	FLAG("crlf", SCRIPT(crlf)),
};

static const struct json_fields REPLY_TABLE = JSON_FIELDS(REPLY_FIELDS);
static const struct json_fields USAGE_TABLE = JSON_FIELDS(USAGE_FIELDS);
static const struct json_fields FAULT_TABLE = JSON_FIELDS(FAULT_FIELDS);
static const struct json_fields SCRIPT_TABLE = JSON_FIELDS(SCRIPT_FIELDS);

/* ---- Reading ---- */

static void scenario_free(struct sim_scenario *s)
{
	if (s == NULL)
		return;
	buf_done(&s->text);
	json_free(s->tree);
	free(s);
}

static bool read_reply(struct sim_scenario *s, const struct json *node, struct err *err)
{
	struct reply_script reply = { .text = STR(""), .finish = STR("stop"), .repeat = 1 };
	if (!json_read(node, &REPLY_TABLE, &reply, err))
		return err_prefix(err, "reply");
	s->reasoning = reply.reasoning;
	s->tool_calls = reply.tool_calls;
	for (int f = 0; FINISHES[f] != NULL; f++) {
		if (str_eq(reply.finish, str_of(FINISHES[f])))
			s->finish = (enum sim_finish)f;
	}
	for (int64_t i = 0; i < reply.repeat; i++)
		buf_add(&s->text, reply.text);
	return buf_ok(&s->text, "the repeated text", err);
}

static bool read_usage(struct sim_scenario *s, const struct json *node, struct err *err)
{
	struct usage_script usage = { .tool_use = 0 };
	if (!json_read(node, &USAGE_TABLE, &usage, err))
		return err_prefix(err, "usage");
	if (usage.tool_use > usage.counts.n[TOKEN_UNCACHED_INPUT])
		return err_set(err, ERR_INVALID_ARGUMENT, "toolUse is a part of uncachedInput");
	s->counted = node != NULL;
	s->usage = usage.counts;
	s->tool_use = usage.tool_use;
	return true;
}

static bool read_script(struct sim_scenario *s, struct err *err)
{
	struct script script = { .chunks = 8 };
	if (!json_read(s->tree, &SCRIPT_TABLE, &script, err) || !read_reply(s, script.reply, err))
		return false;
	if (!read_usage(s, script.usage, err))
		return false;
	if (!json_read(script.fault, &FAULT_TABLE, &s->fault, err))
		return err_prefix(err, "fault");
	s->name = script.name;
	s->chunks = script.chunks > 0 ? script.chunks : 1;
	s->chunk_delay_ms = script.chunk_delay_ms;
	s->split_bytes = script.split_bytes;
	s->crlf = script.crlf;
	return true;
}

static struct sim_scenario *scenario_new(struct str text, struct err *err)
{
	struct sim_scenario *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		(void)err_no_memory(err); /* its value is for functions that return bool */
		return NULL;
	}
	s->text = buf_make(TEXT_MAX);
	s->fault.cut_after_chunks = s->fault.cut_after_bytes = -1;
	s->fault.error_event_after_chunks = s->fault.stall_after_chunks = -1;
	s->tree = json_parse(text, err);
	if (s->tree == NULL || !read_script(s, err)) {
		scenario_free(s);
		return NULL;
	}
	return s;
}

static bool read_file(const char *path, struct buf *out, struct err *err)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return err_set_errno(err, ERR_NOT_FOUND, path);
	char *at = buf_reserve(out, FILE_MAX);
	if (at != NULL)
		buf_grew(out, fread(at, 1, FILE_MAX, file));
	bool whole = at != NULL && feof(file) != 0;
	(void)fclose(file); /* only read from */
	return whole || err_set(err, ERR_TOO_LARGE, "cannot be read, or is too large");
}

static bool load_file(struct sim_scenarios *all, const char *path, struct err *err)
{
	OWN_BUF struct buf text = buf_make(FILE_MAX);
	if (!read_file(path, &text, err))
		return err_prefix(err, "%s", path);
	struct sim_scenario *s = scenario_new(buf_str(&text), err);
	if (s == NULL)
		return err_prefix(err, "%s", path);
	if (sim_scenarios_find(all, s->name) != NULL) {
		scenario_free(s);
		return err_set(err, ERR_CONFLICT, "%s: its name is taken by another scenario",
		               path);
	}
	s->next = all->first;
	all->first = s;
	return true;
}

static int is_script(const struct dirent *entry)
{
	return str_ends(str_of(entry->d_name), STR(".json"));
}

static bool load_entry(struct sim_scenarios *all, const char *folder, const char *name,
                       struct err *err)
{
	OWN_BUF struct buf path = buf_make(4096);
	buf_addf(&path, "%s/%s", folder, name);
	return buf_ok(&path, "a path", err) && load_file(all, path.p, err);
}

bool sim_scenarios_load(struct sim_scenarios *all, const char *path, struct err *err)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_script, alphasort);
	if (count < 0)
		return load_file(all, path, err);
	bool ok = true;
	for (int i = 0; i < count; i++) {
		ok = ok && load_entry(all, path, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

const struct sim_scenario *sim_scenarios_find(const struct sim_scenarios *all, struct str name)
{
	for (const struct sim_scenario *s = all->first; s != NULL; s = s->next) {
		if (str_eq(s->name, name))
			return s;
	}
	return NULL;
}

void sim_scenarios_done(struct sim_scenarios *all)
{
	while (all->first != NULL) {
		struct sim_scenario *s = all->first;
		all->first = s->next;
		scenario_free(s);
	}
}
