/* SPDX-License-Identifier: Apache-2.0 */
/* A host and a small server for tests of the protocol core. */
#include "tests/mcp_host.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/check.h"

#define FORM "{\"message\":\"Buy?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}"
#define URL "{\"mode\":\"url\",\"url\":\"https://example.com/pay\",\"message\":\"Pay\"}"
#define SAMPLE "{\"messages\":[],\"maxTokens\":1}"
#define ROOM 4096

/* ---- The server ---- */

static void put_raw(struct json_out *o, const char *key, struct str raw)
{
	if (raw.p)
		json_put_raw(o, key, raw);
	else
		json_put_null(o, key);
}

static void finish(struct mcp__request *r)
{
	struct err err;

	CHECK(mcp__result_send(r, &err));
}

static void echo(struct mcp__request *r)
{
	put_raw(mcp__result_begin(r, ROOM), "arguments", mcp__request_arguments(r));
	finish(r);
}

static void answer_large(struct mcp__request *r)
{
	OWN_BUF struct buf text = buf_make((size_t)2 * LIMIT_MCP_OUT_LINE);
	struct err err = { 0 };

	while (text.len < LIMIT_MCP_OUT_LINE)
		buf_add(&text, STR("0123456789"));
	json_put_str(mcp__result_begin(r, text.len), "text", buf_str(&text));
	CHECK(!mcp__result_send(r, &err));
	CHECK_I64(err.code, ERR_TOO_LARGE);
	json_put_z(mcp__result_begin(r, ROOM), "text", err.text);
	finish(r);
}

static void ask(struct mcp__request *r, const struct mcp__input *inputs, size_t count)
{
	struct err err = { 0 };
	struct json_out *o;

	if (!mcp__request_answered(r)) {
		if (!mcp__request_ask(r, inputs, count, STR("price 25"), &err))
			mcp__request_lacks(r, inputs[0].kind);
		return;
	}
	o = mcp__result_begin(r, ROOM);
	for (size_t i = 0; i < count; i++)
		put_raw(o, inputs[i].key, mcp__request_answer(r, inputs[i].key));
	json_put_str(o, "state", mcp__request_state(r));
	finish(r);
}

static void run_tool(struct host *h, struct mcp__request *r)
{
	const struct mcp__input form = { "form", MCP__CAN_FILL_FORM, STR(FORM) };
	const struct mcp__input url = { "url", MCP__CAN_OPEN_URL, STR(URL) };
	const struct mcp__input both[] = { form, { "sample", MCP__CAN_SAMPLE, STR(SAMPLE) } };
	struct str name = mcp__request_name(r);

	if (str_eq(name, STR("echo")))
		echo(r);
	else if (str_eq(name, STR("wait")))
		h->waiting = mcp__request_number(r);
	else if (str_eq(name, STR("form")))
		ask(r, &form, 1);
	else if (str_eq(name, STR("url")))
		ask(r, &url, 1);
	else if (str_eq(name, STR("both")))
		ask(r, both, ARRAY_LEN(both));
	else if (str_eq(name, STR("large")))
		answer_large(r);
	else
		mcp__request_fail(r, RPC_INVALID_PARAMS, "no such tool", (struct str){ 0 });
}

static void run(void *data, struct mcp__request *r)
{
	struct host *h = data;

	h->runs++;
	switch (mcp__request_asked(r)) {
	case MCP__ASKED_TOOL:
		run_tool(h, r);
		return;
	case MCP__ASKED_RESOURCE:
		mcp__result_cache(r, 5000, false);
		break;
	case MCP__ASKED_PROMPT:
	case MCP__ASKED_COMPLETION:
	case MCP__ASKED_SUBSCRIBE:
	case MCP__ASKED_UNSUBSCRIBE:
		break;
	}
	json_put_str(mcp__result_begin(r, ROOM), "name", mcp__request_name(r));
	finish(r);
}

static void dropped(void *data, struct mcp__request *r)
{
	struct host *h = data;

	CHECK(mcp__request_number(r) > 0);
	h->dropped++;
}

static void put_tools(void *data, struct json_out *o, const char *key)
{
	(void)data;
	json_put_array(o, key);
	json_put_z(o, NULL, "a tool");
	json_put_end(o, ']');
}

static const struct mcp__server SERVER = {
	.name = "tester",
	.title = "A server for tests",
	.version = "1.2.3",
	.instructions = "What it is for.",
	.offers = MCP__OFFERS_TOOLS | MCP__OFFERS_PROMPTS | MCP__OFFERS_RESOURCES |
	          MCP__OFFERS_COMPLETIONS | MCP__OFFERS_LOGGING,
	.tools = { put_tools, 60000 },
	.run = run,
	.dropped = dropped,
};

/* ---- The host ---- */

static void take_line(void *data, struct str line)
{
	struct host *h = data;

	if (h->written == HOST_LINES || !CHECK(json_scan(line, NULL, NULL, NULL)))
		abort();
	h->lines[h->written++] = str_dup(line);
}

static void wake(void *data, int64_t delay_ms)
{
	struct host *h = data;

	h->wake_ms = delay_ms < 0 ? -1 : h->clock.now_ms + delay_ms;
}

void host_open(struct host *h)
{
	host_open_seeded(h, 0);
}

void host_open_seeded(struct host *h, uint64_t seed)
{
	*h = (struct host){ .clock = { .now_ms = HOST_START_MS, .counter = seed }, .wake_ms = -1 };
	h->env = env_fixed(&h->clock);
	const struct mcp__core_io io = {
		.line = take_line, .wake = wake, .data = h, .env = &h->env
	};
	h->core = mcp__core_new(&SERVER, h, &io, NULL);
	if (!h->core)
		abort();
}

void host_forget(struct host *h)
{
	while (h->written > 0)
		free(h->lines[--h->written]);
	h->read = 0;
}

void host_close(struct host *h)
{
	mcp__core_free(h->core);
	host_forget(h);
}

void host_say(struct host *h, const char *line)
{
	mcp__core_feed(h->core, str_of(line));
	mcp__core_feed(h->core, STR("\n"));
}

void host_initialize(struct host *h, const char *version, const char *capabilities)
{
	OWN_BUF struct buf line = buf_make(1000);

	buf_addf(&line,
	         "{\"jsonrpc\":\"2.0\",\"id\":\"init\",\"method\":\"initialize\",\"params\":"
	         "{\"protocolVersion\":\"%s\",\"capabilities\":%s}}",
	         version, capabilities);
	host_say(h, line.p);
	host_hears(h, "{\"id\":\"init\",\"result\":{}}");
}

bool host_hears(struct host *h, const char *pattern)
{
	OWN_JSON struct json *wanted = json_parse(str_of(pattern), NULL);
	OWN_BUF struct buf where = buf_make(4096);

	if (!wanted)
		abort();
	if (h->read == h->written) {
		CHECK_FAIL("nothing came instead of %s", pattern);
		return false;
	}
	OWN_JSON struct json *line = json_parse(str_of(h->lines[h->read++]), NULL);
	if (json_matches(wanted, line, &where))
		return true;
	CHECK_FAIL("%.*s in %s", STR_ARG(buf_str(&where)), h->lines[h->read - 1]);
	return false;
}

bool host_hears_nothing(struct host *h)
{
	if (h->read == h->written)
		return true;
	CHECK_FAIL("not expected: %s", h->lines[h->read++]);
	return false;
}

struct json *host_last(const struct host *h)
{
	struct json *last = h->read > 0 ? json_parse(str_of(h->lines[h->read - 1]), NULL) : NULL;

	if (!last)
		abort();
	return last;
}

void host_pass(struct host *h, int64_t ms)
{
	int64_t end_ms = h->clock.now_ms + ms;

	while (h->wake_ms >= 0 && h->wake_ms <= end_ms) {
		h->clock.now_ms = h->wake_ms;
		h->wake_ms = -1;
		mcp__core_tick(h->core);
	}
	h->clock.now_ms = end_ms;
}
