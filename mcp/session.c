/* SPDX-License-Identifier: Apache-2.0 */
/* One host's conversation, without descriptors: lines in, work out, answers in, lines out. Replies
 * leave in any order; only a tool call waits for anything. The surprising fact: a host may skip
 * `initialize` altogether (probes do), so nothing but batches depends on it. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/secret.h"
#include "mcp/jsonrpc.h"
#include "mcp/mcp.h"
#include "mcp/tool.h"
#include "mcp/tool_result.h"
#include "mcp/work.h"

static const char INSTRUCTIONS[] =
	"A prepaid store where agents buy LLM credit with an account's money and get API keys to "
	"spend it at OpenAI- and Anthropic-compatible URLs.\n"
	"To buy: catalog_search, catalog_checkout_requirements, quote_create, then purchase_create "
	"with the quote's id and an idempotencyKey of your own. Credit goes into one pool per "
	"account; buying again tops it up. To use it: router_api_key_create gives a key and base "
	"URLs; point any OpenAI or Anthropic client at them and choose a model from "
	"router_models_list.\n"
	"Money: only purchase_create spends the wallet, at once and for good; every other tool is "
	"free. totalPriceMinor is in US cents, ...Usd in US dollars, ...UsdMicros in millionths of "
	"a dollar. Look at wallet_get first, and tell whoever decides the price before you buy. If "
	"a purchase's answer is lost, repeat it with the same idempotencyKey: it cannot buy "
	"twice.\n"
	"Secrets: a router key is shown once and is not the purchase key that this server acts "
	"with. Never write either into files, logs or chats that others read.\n"
	"Ids: quotes live 15 minutes; services, purchases, keys and receipts stay.";

/* ---- Versions ---- */

struct version {
	const char *name;
	bool batches; /* JSON arrays of messages: only ever in one version */
};

static const struct version VERSIONS[] = {
	{ "2025-11-25", false }, /* the first is the answer to a version that we do not know */
	{ "2025-06-18", false },
	{ "2025-03-26", true },
	{ "2024-11-05", false },
};

static const struct version *choose_version(struct str raw_name)
{
	for (size_t i = 0; i < ARRAY_LEN(VERSIONS); i++)
		if (json_raw_equals(raw_name, str_of(VERSIONS[i].name)))
			return &VERSIONS[i];
	return &VERSIONS[0];
}

/* ---- The session ---- */

/* Replies to one batch, which leave together when the last one is there. */
struct batch {
	size_t waiting;  /* calls of it in flight */
	bool reading;    /* its messages are still being looked at */
	struct buf text; /* "[a,b" */
};

/* A tool call that waits for its answer. */
struct flight {
	int64_t number;
	char *id;            /* as written; owned */
	struct batch *batch; /* NULL if it came alone */
};

/*   fresh (version NULL) ── initialize ──> negotiated ── initialize ──> negotiated
 * Every method is served in both. */
struct mcp_session {
	struct mcp_session_io io;
	struct secret key;
	struct mcp__lines lines;
	const struct version *version;
	struct batch *batch; /* the one that is being read, or NULL */
	int64_t last_number;
	size_t count;
	struct flight flights[LIMIT_MCP_IN_FLIGHT];
};

struct mcp_session *mcp_session_new(const struct mcp_session_io *io, const char *purchase_key,
                                    struct err *err)
{
	struct mcp_session *s = calloc(1, sizeof(*s));

	if (!s) {
		(void)err_no_memory(err);
		return NULL;
	}
	s->io = *io;
	mcp__lines_init(&s->lines);
	if (purchase_key)
		secret_set(&s->key, str_of(purchase_key));
	return s;
}

static void batch_free(struct batch *b)
{
	if (!b)
		return;
	buf_wipe(&b->text);
	buf_done(&b->text);
	free(b);
}

void mcp_session_free(struct mcp_session *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		struct batch *b = s->flights[i].batch;

		free(s->flights[i].id);
		if (b && --b->waiting == 0 && b != s->batch)
			batch_free(b);
	}
	batch_free(s->batch);
	mcp__lines_done(&s->lines);
	secret_wipe(&s->key);
	free(s);
}

size_t mcp_session_in_flight(const struct mcp_session *s)
{
	return s->count;
}

/* ---- Replies out ---- */

static void batch_flush(struct mcp_session *s, struct batch *b)
{
	if (b->text.len == 0)
		return;
	buf_add_char(&b->text, ']');
	s->io.line(s->io.data, buf_str(&b->text));
	buf_wipe(&b->text);
}

/* A batch's array that would get too long goes out as several. */
static void batch_add(struct mcp_session *s, struct batch *b, struct str reply)
{
	if (b->text.len + reply.len + 2 > LIMIT_MCP_OUT_LINE)
		batch_flush(s, b);
	buf_add_char(&b->text, b->text.len == 0 ? '[' : ',');
	buf_add(&b->text, reply);
}

/* Sends the batch's array once nothing more can come. */
static void batch_settle(struct mcp_session *s, struct batch *b)
{
	if (!b || b->reading || b->waiting > 0)
		return;
	batch_flush(s, b);
	batch_free(b);
}

static void send_text(struct mcp_session *s, struct batch *b, struct str reply)
{
	if (b)
		batch_add(s, b, reply);
	else
		s->io.line(s->io.data, reply);
}

static void send_error(struct mcp_session *s, struct batch *b, struct str id, int number,
                       const char *text)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	mcp__reply_error(&o, id, number, text);
	if (json_out_ok(&o, NULL))
		send_text(s, b, buf_str(&o.text));
}

/* `o` is a whole reply that was built by us. */
static void send_reply(struct mcp_session *s, struct batch *b, struct str id,
                       const struct json_out *o)
{
	struct err err;

	if (json_out_ok(o, &err))
		send_text(s, b, buf_str(&o->text));
	else
		send_error(s, b, id, RPC_INTERNAL_ERROR, err.text);
}

/* ---- Tool results ---- */

static void send_failure(struct mcp_session *s, struct batch *b, struct str id,
                         const struct err *why)
{
	OWN_JSON_OUT struct json_out error = json_out_make(LIMIT_MCP_OUT_LINE);
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	mcp__put_error(&error, NULL, why);
	mcp__put_failure(&o, id, buf_str(&error.text));
	send_reply(s, b, id, &o);
}

/* A result with a key in it is small: room for it at once means that its memory is never moved and
 * can be wiped wholly. */
static void reserve_for(struct json_out *o, size_t len)
{
	size_t room = len < LIMIT_MCP_OUT_LINE / 4 ? 4 * len + 1024 : LIMIT_MCP_OUT_LINE;

	(void)!buf_reserve(&o->text, room < LIMIT_MCP_OUT_LINE ? room : LIMIT_MCP_OUT_LINE);
}

static void send_answer(struct mcp_session *s, struct batch *b, struct str id, struct str answer)
{
	static const char *const keys[] = { "result", "error" };
	struct str picked[ARRAY_LEN(keys)];
	struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);
	struct err err = { 0 };

	reserve_for(&o, answer.len);
	if (!json_pick(answer, keys, picked, ARRAY_LEN(keys), &err)) {
		send_failure(s, b, id, &err);
	} else if (picked[1].p) {
		mcp__put_failure(&o, id, picked[1]);
		send_reply(s, b, id, &o);
	} else {
		mcp__put_success(&o, id, picked[0].p ? picked[0] : STR("{}"));
		if (json_out_ok(&o, &err))
			send_text(s, b, buf_str(&o.text));
		else
			send_failure(s, b, id, &err);
	}
	buf_wipe(&o.text);
	json_out_done(&o);
}

/* ---- Calls in flight ---- */

static struct flight *find_flight(struct mcp_session *s, struct str id)
{
	for (size_t i = 0; i < s->count; i++)
		if (mcp__id_eq(str_of(s->flights[i].id), id))
			return &s->flights[i];
	return NULL;
}

/* Takes it out of the table; the caller frees its id and settles its batch. */
static struct flight take_flight(struct mcp_session *s, struct flight *at)
{
	struct flight taken = *at;

	*at = s->flights[--s->count];
	if (taken.batch)
		taken.batch->waiting--;
	return taken;
}

void mcp_session_answer(struct mcp_session *s, int64_t number, struct str answer)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->flights[i].number != number)
			continue;

		struct flight flight = take_flight(s, &s->flights[i]);
		send_answer(s, flight.batch, str_of(flight.id), answer);
		batch_settle(s, flight.batch);
		free(flight.id);
		return;
	}
}

/* The request for the shop holds the purchase key, so its memory is not moved and is wiped. */
static void send_work(struct mcp_session *s, int64_t number, const char *tool, struct str arguments)
{
	struct json_out work = json_out_make(LIMIT_MCP_LINE + 1024);

	(void)!buf_reserve(&work.text, arguments.len + 1024);
	json_put_object(&work, NULL);
	json_put_z(&work, "tool", tool);
	if (arguments.p)
		json_put_raw(&work, "arguments", arguments);
	if (secret_str(&s->key).len > 0)
		json_put_str(&work, "key", secret_str(&s->key));
	json_put_end(&work, '}');
	s->io.call(s->io.data, number, buf_str(&work.text));
	buf_wipe(&work.text);
	json_out_done(&work);
}

static void start_call(struct mcp_session *s, struct str id, const char *tool, struct str arguments)
{
	struct batch *b = s->batch;
	struct err err = { 0 };

	if (s->count == LIMIT_MCP_IN_FLIGHT) {
		(void)err_set(&err, ERR_UNAVAILABLE, "%d calls are waiting for an answer already",
		              LIMIT_MCP_IN_FLIGHT);
		send_failure(s, b, id, &err);
		return;
	}
	char *copy = str_dup(id);
	if (!copy) {
		(void)err_no_memory(&err);
		send_failure(s, b, id, &err);
		return;
	}
	s->flights[s->count++] = (struct flight){ ++s->last_number, copy, b };
	if (b)
		b->waiting++;
	send_work(s, s->last_number, tool, arguments); /* may answer at once */
}

/* ---- Methods ---- */

static void on_initialize(struct mcp_session *s, const struct mcp__message *m)
{
	static const char *const keys[] = { "protocolVersion" };
	struct str wanted = { 0 };
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	if (m->params.p && !json_pick(m->params, keys, &wanted, 1, NULL))
		wanted = (struct str){ 0 };
	if (wanted.len == 0 || wanted.p[0] != '"') {
		send_error(s, s->batch, m->id, RPC_INVALID_PARAMS,
		           "'protocolVersion' must be a string");
		return;
	}
	s->version = choose_version(wanted);
	mcp__reply_begin(&o, m->id);
	json_put_object(&o, "result");
	json_put_z(&o, "protocolVersion", s->version->name);
	json_put_object(&o, "capabilities");
	json_put_object(&o, "tools");
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	json_put_object(&o, "serverInfo");
	json_put_z(&o, "name", "agent-store");
	json_put_z(&o, "title", "Agent Store");
	json_put_z(&o, "version", AGENT_STORE_VERSION);
	json_put_end(&o, '}');
	json_put_z(&o, "instructions", INSTRUCTIONS);
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	send_reply(s, s->batch, m->id, &o);
}

static void on_ping(struct mcp_session *s, const struct mcp__message *m)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	mcp__reply_begin(&o, m->id);
	json_put_object(&o, "result");
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	send_reply(s, s->batch, m->id, &o);
}

static void on_tools_list(struct mcp_session *s, const struct mcp__message *m)
{
	static const char *const keys[] = { "cursor" };
	struct str cursor = { 0 };
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	if (m->params.p && !json_pick(m->params, keys, &cursor, 1, NULL))
		cursor = (struct str){ 0 };
	if (cursor.p) {
		send_error(s, s->batch, m->id, RPC_INVALID_PARAMS,
		           "unknown cursor: the list of tools has one page");
		return;
	}
	mcp__reply_begin(&o, m->id);
	json_put_object(&o, "result");
	mcp__put_tools(&o, "tools");
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	send_reply(s, s->batch, m->id, &o);
}

static void on_tools_call(struct mcp_session *s, const struct mcp__message *m)
{
	static const char *const keys[] = { "name", "arguments" };
	struct str picked[ARRAY_LEN(keys)] = { 0 };
	OWN_BUF struct buf name = buf_make(128);
	const struct mcp__tool *tool = NULL;

	if (m->params.p && json_pick(m->params, keys, picked, ARRAY_LEN(keys), NULL) &&
	    json_raw_string(picked[0], &name))
		tool = mcp__tool_find(buf_str(&name));
	if (!tool)
		send_error(s, s->batch, m->id, RPC_INVALID_PARAMS,
		           "'name' must be the name of a tool of tools/list");
	else if (picked[1].p && picked[1].p[0] != '{')
		send_error(s, s->batch, m->id, RPC_INVALID_PARAMS, "'arguments' must be an object");
	else
		start_call(s, m->id, tool->name, picked[1]);
}

/* The peer wants no reply for that id any more. Unknown and finished ids are fine. */
static void on_cancelled(struct mcp_session *s, const struct mcp__message *m)
{
	static const char *const keys[] = { "requestId" };
	struct str id = { 0 };
	struct flight *found;

	if (!m->params.p || !json_pick(m->params, keys, &id, 1, NULL) || !id.p)
		return;
	found = find_flight(s, id);
	if (!found)
		return;

	struct flight flight = take_flight(s, found);
	s->io.forget(s->io.data, flight.number);
	batch_settle(s, flight.batch);
	free(flight.id);
}

typedef void method_fn(struct mcp_session *s, const struct mcp__message *m);

struct method {
	const char *name;
	method_fn *run;
};

/* The methods up to 2025-11-25. Those of 2026-07-28 (`server/discover` and all that carries its
 * `_meta` claim) get a table of their own beside this one; until then they are unknown. */
static const struct method REQUESTS[] = {
	{ "initialize", on_initialize },
	{ "ping", on_ping },
	{ "tools/list", on_tools_list },
	{ "tools/call", on_tools_call },
};

static const struct method NOTIFICATIONS[] = {
	{ "notifications/cancelled", on_cancelled },
};

static method_fn *find_method(const struct method *table, size_t count, struct str raw_name)
{
	for (size_t i = 0; i < count; i++)
		if (json_raw_equals(raw_name, str_of(table[i].name)))
			return table[i].run;
	return NULL;
}

/* ---- Messages in ---- */

static void dispatch_request(struct mcp_session *s, const struct mcp__message *m)
{
	method_fn *run = find_method(REQUESTS, ARRAY_LEN(REQUESTS), m->method);

	if (find_flight(s, m->id))
		send_error(s, s->batch, m->id, RPC_INVALID_REQUEST,
		           "a request with this id is waiting for its answer");
	else if (!run)
		send_error(s, s->batch, m->id, RPC_METHOD_NOT_FOUND, "unknown method");
	else if (run == on_initialize && s->batch)
		send_error(s, s->batch, m->id, RPC_INVALID_REQUEST,
		           "'initialize' must not be in a batch");
	else
		run(s, m);
}

static void dispatch_notification(struct mcp_session *s, const struct mcp__message *m)
{
	method_fn *run = find_method(NOTIFICATIONS, ARRAY_LEN(NOTIFICATIONS), m->method);

	if (run)
		run(s, m);
}

static void read_batch(struct mcp_session *s, struct str text);

static void read_message(struct mcp_session *s, struct str text)
{
	struct mcp__message m;

	mcp__message_read(text, &m);
	switch (m.kind) {
	case MCP__REQUEST:
		dispatch_request(s, &m);
		return;
	case MCP__NOTIFICATION:
		dispatch_notification(s, &m);
		return;
	case MCP__RESPONSE:
		return; /* we have asked nothing */
	case MCP__BATCH:
		read_batch(s, text);
		return;
	case MCP__FAULT:
		send_error(s, s->batch, m.id, m.number, m.fault.text);
		return;
	}
}

static void read_element(void *data, struct str element)
{
	read_message(data, element);
}

static void read_batch(struct mcp_session *s, struct str text)
{
	size_t count = mcp__batch_each(text, NULL, NULL);
	const char *refusal = NULL;
	struct batch *b;

	if (s->batch)
		refusal = "a batch must not hold another";
	else if (!s->version || !s->version->batches)
		refusal = "batches are only a part of protocol version 2025-03-26";
	else if (count == 0 || count > LIMIT_MCP_IN_FLIGHT)
		refusal = "a batch holds 1 to 256 messages";
	b = refusal ? NULL : calloc(1, sizeof(*b));
	if (!b) {
		send_error(s, s->batch, (struct str){ 0 }, RPC_INVALID_REQUEST,
		           refusal ? refusal : "out of memory");
		return;
	}
	*b = (struct batch){ .reading = true, .text = buf_make(LIMIT_MCP_OUT_LINE + 2) };
	s->batch = b;
	(void)mcp__batch_each(text, read_element, s);
	s->batch = NULL;
	b->reading = false;
	batch_settle(s, b);
}

static void read_line(void *data, struct str line)
{
	struct mcp_session *s = data;

	if (line.p)
		read_message(s, line);
	else
		send_error(s, NULL, (struct str){ 0 }, RPC_INVALID_REQUEST,
		           "the line is longer than 4 MiB and was skipped");
}

void mcp_session_feed(struct mcp_session *s, struct str bytes)
{
	mcp__lines_feed(&s->lines, bytes, read_line, s);
}
