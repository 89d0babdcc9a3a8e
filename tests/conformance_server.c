/* SPDX-License-Identifier: Apache-2.0 */
/* What the official conformance suite wants to find in a server, on the product's protocol core.
 * Each tool, prompt and resource is an entry of fixtures/conformance/server.json:
 *   listing  as the lists show it            result  its result, "${name}" filled in
 *   log, progress  told before the result    asks    rounds of questions to the host
 *   state    the rounds are counted by a request state, not by the answers alone
 * It does one thing after the other and sleeps between them, which a product must not. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "mcp/core.h"

#define FILE_MAX (1u << 20)
#define LOG_PAUSE_NS 50000000
#define PROGRESS_PAUSE_NS 220000000 /* it is told five times a second at most */
#define TTL_MS 1000
#define MORE_ROOM 4096
#define RPC_NOT_FOUND_BEFORE (-32002) /* resource not found, up to 2025-11-25 */

enum {
	TOOLS,
	PROMPTS,
	RESOURCES,
	TEMPLATES,
	LIST_COUNT
};

static const char *const LISTS[] = { "tools", "prompts", "resources", "templates" };

enum {
	LISTING,
	RESULT,
	LOG,
	PROGRESS,
	ASKS,
	STATE,
	REQUIRED,
	MEMBER_COUNT
};

static const char *const MEMBERS[] = { "listing", "result", "log",     "progress",
	                               "asks",    "state",  "required" };

struct fixtures {
	struct buf file;
	struct str lists[LIST_COUNT];
	struct mcp__core *core;
};

static void pause_for(long ns)
{
	const struct timespec pause = { .tv_nsec = ns };

	(void)nanosleep(&pause, NULL); /* a signal may cut it short */
}

/* ---- Entries ---- */

struct search {
	struct str name;
	struct str found;
	bool by_template;
};

/* "test://template/123/data" fits "test://template/{id}/data". */
static bool fits(struct str uri, struct str template)
{
	struct str rest = template, head = str_cut(&rest, '{');

	(void)str_cut(&rest, '}');
	return rest.p && str_starts(uri, head) && str_ends(uri, rest) &&
	       uri.len > head.len + rest.len;
}

static void look_at(void *data, struct str entry)
{
	static const char *const keys[] = { "name" };
	struct search *search = data;
	OWN_BUF struct buf name = buf_make(200);
	struct str raw;

	if (!json_pick(entry, keys, &raw, 1, NULL) || !json_raw_string(raw, &name))
		abort();
	if (search->by_template ? fits(search->name, buf_str(&name))
	                        : str_eq(search->name, buf_str(&name)))
		search->found = entry;
}

static struct str find(const struct fixtures *f, int list, struct str name)
{
	struct search search = { .name = name, .by_template = list == TEMPLATES };

	(void)mcp__batch_each(f->lists[list], look_at, &search);
	return search.found;
}

static void put_listing(void *data, struct str entry)
{
	struct str members[MEMBER_COUNT];

	if (!json_pick(entry, MEMBERS, members, MEMBER_COUNT, NULL))
		abort();
	json_put_raw(data, NULL, members[LISTING]);
}

static void put_list(struct fixtures *f, int list, struct json_out *o, const char *key)
{
	json_put_array(o, key);
	(void)mcp__batch_each(f->lists[list], put_listing, o);
	json_put_end(o, ']');
}

static void put_tools(void *data, struct json_out *o, const char *key)
{
	put_list(data, TOOLS, o, key);
}

static void put_prompts(void *data, struct json_out *o, const char *key)
{
	put_list(data, PROMPTS, o, key);
}

static void put_resources(void *data, struct json_out *o, const char *key)
{
	put_list(data, RESOURCES, o, key);
}

static void put_templates(void *data, struct json_out *o, const char *key)
{
	put_list(data, TEMPLATES, o, key);
}

/* ---- "${name}" ---- */

struct filling {
	const struct mcp__request *r;
	struct str asks; /* the last round's, for ${answers} */
	struct buf *out;
};

static void add_escaped(struct buf *out, struct str text)
{
	OWN_JSON_OUT struct json_out o = json_out_make(FILE_MAX);

	json_put_str(&o, NULL, text);
	buf_add(out, (struct str){ o.text.p + 1, o.text.len - 2 });
}

static void add_answer(void *data, struct str ask)
{
	static const char *const keys[] = { "key" };
	const struct filling *filling = data;
	OWN_BUF struct buf key = buf_make(100);
	struct str raw;

	if (!json_pick(ask, keys, &raw, 1, NULL) || !json_raw_string(raw, &key))
		abort();
	struct str answer = mcp__request_answer(filling->r, key.p);
	if (answer.p)
		add_escaped(filling->out, answer);
}

static void add_value(struct filling *filling, struct str name)
{
	struct str uri = mcp__request_name(filling->r);
	OWN_BUF struct buf key = buf_make(100);
	struct str raw = { 0 };

	buf_add(&key, name);
	const char *const keys[] = { key.p };
	if (str_eq(name, STR("answers"))) {
		(void)mcp__batch_each(filling->asks, add_answer, filling);
	} else if (str_eq(name, STR("uri"))) {
		add_escaped(filling->out, uri);
	} else if (str_eq(name, STR("id"))) {
		size_t head = sizeof("test://template/") - 1, tail = sizeof("/data") - 1;

		add_escaped(filling->out, (struct str){ uri.p + head, uri.len - head - tail });
	} else if (mcp__request_arguments(filling->r).p &&
	           json_pick(mcp__request_arguments(filling->r), keys, &raw, 1, NULL) &&
	           raw.len >= 2 && raw.p[0] == '"') {
		buf_add(filling->out, (struct str){ raw.p + 1, raw.len - 2 });
	}
}

static void fill(struct filling *filling, struct str text)
{
	while (text.p) {
		ptrdiff_t at = str_find(text, STR("${"));

		if (at < 0) {
			buf_add(filling->out, text);
			return;
		}
		buf_add(filling->out, (struct str){ text.p, (size_t)at });
		text = (struct str){ text.p + at + 2, text.len - (size_t)at - 2 };
		add_value(filling, str_cut(&text, '}'));
	}
}

/* ---- Results ---- */

static void put_member(void *data, const struct json_span *span)
{
	OWN_BUF struct buf key = buf_make(100);

	if (span->depth != 1)
		return;
	buf_add(&key, span->key);
	json_put_raw(data, key.p, span->value);
}

static void send_result(struct mcp__request *r, struct str result, struct str asks)
{
	OWN_BUF struct buf text = buf_make(FILE_MAX);
	struct filling filling = { .r = r, .asks = asks, .out = &text };
	struct err err;

	fill(&filling, result);
	struct json_out *o = mcp__result_begin(r, text.len + MORE_ROOM);
	if (!json_scan(buf_str(&text), put_member, o, &err) || !mcp__result_send(r, &err))
		mcp__request_fail(r, RPC_INTERNAL_ERROR, err.text, (struct str){ 0 });
}

/* ---- Before the result ---- */

static void tell_log(void *data, struct str raw)
{
	OWN_BUF struct buf text = buf_make(200);

	if (json_raw_string(raw, &text))
		mcp__request_log(data, MCP__LEVEL_INFO, text.p);
	pause_for(LOG_PAUSE_NS);
}

static void tell_progress(void *data, struct str raw)
{
	int64_t progress = 0;

	if (json_raw_i64(raw, &progress))
		mcp__request_progress(data, progress, 100, NULL);
	pause_for(PROGRESS_PAUSE_NS);
}

/* ---- Questions ---- */

struct round {
	const struct mcp__request *r;
	struct mcp__input inputs[MCP__INPUTS_MAX];
	struct buf keys[MCP__INPUTS_MAX], params[MCP__INPUTS_MAX];
	size_t count;
	size_t missing;          /* of these have no answer */
	enum mcp__ability lacks; /* the last that the host has not declared */
};

static enum mcp__ability kind_of(struct str raw)
{
	if (json_raw_equals(raw, STR("sampling")))
		return MCP__CAN_SAMPLE;
	return json_raw_equals(raw, STR("roots")) ? MCP__CAN_LIST_ROOTS : MCP__CAN_FILL_FORM;
}

static void add_question(void *data, struct str ask)
{
	static const char *const names[] = { "key", "kind", "params" };
	struct round *round = data;
	size_t i = round->count;
	struct str raw[ARRAY_LEN(names)];

	if (i == MCP__INPUTS_MAX || !json_pick(ask, names, raw, ARRAY_LEN(names), NULL))
		abort();
	if (!mcp__request_can(round->r, kind_of(raw[1]))) {
		round->lacks = kind_of(raw[1]);
		return;
	}
	round->keys[i] = buf_make(100);
	round->params[i] = buf_make(FILE_MAX);
	if (!json_raw_string(raw[0], &round->keys[i]))
		abort();
	struct filling filling = { .r = round->r, .out = &round->params[i] };
	fill(&filling, raw[2]);
	round->inputs[i] = (struct mcp__input){ .key = round->keys[i].p,
		                                .kind = kind_of(raw[1]),
		                                .params = buf_str(&round->params[i]) };
	round->missing += mcp__request_answer(round->r, round->keys[i].p).p ? 0 : 1;
	round->count++;
}

static void round_done(struct round *round)
{
	for (size_t i = 0; i < round->count; i++) {
		buf_done(&round->keys[i]);
		buf_done(&round->params[i]);
	}
}

struct rounds {
	struct str text[4];
	size_t count;
};

static void note_round(void *data, struct str text)
{
	struct rounds *rounds = data;

	if (rounds->count == ARRAY_LEN(rounds->text))
		abort();
	rounds->text[rounds->count++] = text;
}

/* How many rounds the host has been asked. */
static size_t asked_so_far(const struct mcp__request *r, bool by_state)
{
	int64_t n = 0;

	if (!by_state)
		return mcp__request_answered(r) ? 1 : 0;
	return mcp__request_state(r).p && str_to_i64(mcp__request_state(r), &n) ? (size_t)n : 0;
}

static void ask(struct mcp__request *r, const struct round *round, size_t number, bool by_state)
{
	OWN_BUF struct buf state = buf_make(20);
	struct err err;

	buf_add_i64(&state, (int64_t)number);
	if (round->count == 0)
		mcp__request_lacks(r, round->lacks);
	else if (!mcp__request_ask(r, round->inputs, round->count,
	                           by_state ? buf_str(&state) : (struct str){ 0 }, &err))
		mcp__request_fail(r, RPC_INTERNAL_ERROR, err.text, (struct str){ 0 });
}

/* The round to ask now: the same one again while answers are missing. */
static size_t next_round(const struct mcp__request *r, const struct rounds *rounds, bool by_state)
{
	struct round last = { .r = r };
	size_t n = asked_so_far(r, by_state);
	bool again;

	if (n == 0 || n > rounds->count)
		return 0;
	(void)mcp__batch_each(rounds->text[n - 1], add_question, &last);
	again = last.missing > 0 || last.count == 0;
	round_done(&last);
	return again ? n - 1 : n;
}

/* True if something was asked: the request comes again. */
static bool ask_first(struct mcp__request *r, const struct rounds *rounds, bool by_state)
{
	struct round round = { .r = r };
	size_t next = rounds->count > 0 ? next_round(r, rounds, by_state) : 0;

	if (next == rounds->count)
		return false;
	(void)mcp__batch_each(rounds->text[next], add_question, &round);
	ask(r, &round, next + 1, by_state);
	round_done(&round);
	return true;
}

/* ---- Requests ---- */

static void check_required(void *data, struct str raw_name)
{
	struct mcp__request **r = data;
	OWN_BUF struct buf name = buf_make(100);
	struct str value = { 0 };

	if (!*r || !json_raw_string(raw_name, &name))
		return;
	const char *const keys[] = { name.p };
	struct str arguments = mcp__request_arguments(*r);
	if (arguments.p && json_pick(arguments, keys, &value, 1, NULL) && value.p)
		return;
	mcp__request_fail(*r, RPC_INVALID_PARAMS, "a required argument is missing",
	                  (struct str){ 0 });
	*r = NULL;
}

static void run_entry(struct mcp__request *r, struct str entry)
{
	struct str members[MEMBER_COUNT];
	struct rounds rounds = { .count = 0 };

	if (!json_pick(entry, MEMBERS, members, MEMBER_COUNT, NULL))
		abort();
	if (members[REQUIRED].p)
		(void)mcp__batch_each(members[REQUIRED], check_required, &r);
	if (!r)
		return;
	if (members[ASKS].p)
		(void)mcp__batch_each(members[ASKS], note_round, &rounds);
	if (ask_first(r, &rounds, members[STATE].p != NULL))
		return;
	if (members[LOG].p)
		(void)mcp__batch_each(members[LOG], tell_log, r);
	if (members[PROGRESS].p)
		(void)mcp__batch_each(members[PROGRESS], tell_progress, r);
	send_result(r, members[RESULT],
	            rounds.count > 0 ? rounds.text[rounds.count - 1] : (struct str){ 0 });
}

static void run_named(struct fixtures *f, int list, struct mcp__request *r)
{
	struct str entry = find(f, list, mcp__request_name(r));

	if (entry.p)
		run_entry(r, entry);
	else
		mcp__request_fail(r, RPC_INVALID_PARAMS, "there is none of that name",
		                  (struct str){ 0 });
}

static void read_resource(struct fixtures *f, struct mcp__request *r)
{
	struct str entry = find(f, RESOURCES, mcp__request_name(r));
	OWN_JSON_OUT struct json_out data = json_out_make(LIMIT_MCP_LINE);

	if (!entry.p)
		entry = find(f, TEMPLATES, mcp__request_name(r));
	mcp__result_cache(r, TTL_MS, true);
	if (entry.p) {
		run_entry(r, entry);
		return;
	}
	json_put_object(&data, NULL);
	json_put_str(&data, "uri", mcp__request_name(r));
	json_put_end(&data, '}');
	mcp__request_fail(r, mcp__request_is_modern(r) ? RPC_INVALID_PARAMS : RPC_NOT_FOUND_BEFORE,
	                  "resource not found", buf_str(&data.text));
}

static void run(void *data, struct mcp__request *r)
{
	switch (mcp__request_asked(r)) {
	case MCP__ASKED_TOOL:
		run_named(data, TOOLS, r);
		return;
	case MCP__ASKED_PROMPT:
		run_named(data, PROMPTS, r);
		return;
	case MCP__ASKED_RESOURCE:
		read_resource(data, r);
		return;
	case MCP__ASKED_COMPLETION:
		send_result(r, STR("{\"completion\":{\"values\":[\"paris\",\"park\"]}}"),
		            (struct str){ 0 });
		return;
	case MCP__ASKED_SUBSCRIBE:
	case MCP__ASKED_UNSUBSCRIBE:
		break;
	}
	send_result(r, STR("{}"), (struct str){ 0 });
}

/* ---- The server ---- */

static const struct mcp__server SERVER = {
	.name = "conformance-server",
	.title = "Fixtures of the conformance suite",
	.version = AGENT_STORE_VERSION,
	.offers = MCP__OFFERS_TOOLS | MCP__OFFERS_PROMPTS | MCP__OFFERS_RESOURCES |
	          MCP__OFFERS_COMPLETIONS | MCP__OFFERS_LOGGING | MCP__OFFERS_SUBSCRIPTIONS,
	.tools = { put_tools, TTL_MS },
	.prompts = { put_prompts, TTL_MS },
	.resources = { put_resources, TTL_MS },
	.templates = { put_templates, TTL_MS },
	.run = run,
};

static void write_line(void *data, struct str line)
{
	(void)data;
	if (fwrite(line.p, 1, line.len, stdout) != line.len || putchar('\n') < 0 ||
	    fflush(stdout) != 0)
		exit(1);
}

static void read_file(struct fixtures *f)
{
	FILE *file = fopen(FIXTURES "/conformance/server.json", "rbe");
	char *room;
	size_t n;
	struct err err;

	f->file = buf_make(FILE_MAX);
	while (file && (room = buf_reserve(&f->file, MORE_ROOM)) != NULL &&
	       (n = fread(room, 1, MORE_ROOM, file)) > 0)
		buf_grew(&f->file, n);
	if (!file || !json_pick(buf_str(&f->file), LISTS, f->lists, LIST_COUNT, &err)) {
		(void)fprintf(stderr, "conformance-server: %s\n", file ? err.text : "no fixtures");
		exit(1);
	}
	(void)fclose(file); /* it was only read */
}

int main(void)
{
	const struct mcp__core_io io = { .line = write_line };
	struct fixtures f = { .core = NULL };
	char input[MORE_ROOM];
	ssize_t n;

	read_file(&f);
	f.core = mcp__core_new(&SERVER, &f, &io, NULL);
	if (!f.core)
		return 1;
	while ((n = read(STDIN_FILENO, input, sizeof(input))) > 0)
		mcp__core_feed(f.core, (struct str){ input, (size_t)n });
	mcp__core_end(f.core);
	mcp__core_free(f.core);
	buf_done(&f.file);
	return 0;
}
