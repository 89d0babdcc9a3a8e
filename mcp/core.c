/* SPDX-License-Identifier: Apache-2.0 */
/* One host's conversation: lines in, each message to the method of its own era, replies out in any
 * order. Only a request that the server answers waits for anything, so pings and cancellations
 * pass while tools run. */
#include "mcp/core_parts.h"

#include <stdlib.h>

#define US_PER_MS 1000

/* ---- Replies out ---- */

void mcp__core_say(struct mcp__core *core, struct str line)
{
	if (core->io.line)
		core->io.line(core->io.data, line);
}

static void batch_flush(struct mcp__core *core, struct mcp__batch *b)
{
	if (b->text.len == 0)
		return;
	buf_add_char(&b->text, ']');
	mcp__core_say(core, buf_str(&b->text));
	buf_wipe(&b->text);
}

/* A batch's array that would get too long goes out as several. */
static void batch_add(struct mcp__core *core, struct mcp__batch *b, struct str reply)
{
	if (b->text.len + reply.len + 2 > LIMIT_MCP_OUT_LINE)
		batch_flush(core, b);
	buf_add_char(&b->text, b->text.len == 0 ? '[' : ',');
	buf_add(&b->text, reply);
}

static void batch_free(struct mcp__batch *b)
{
	if (!b)
		return;
	buf_wipe(&b->text);
	buf_done(&b->text);
	free(b);
}

void mcp__batch_settle(struct mcp__core *core, struct mcp__batch *b)
{
	if (!b || b->reading || b->waiting > 0)
		return;
	batch_flush(core, b);
	batch_free(b);
}

void mcp__core_send(struct mcp__core *core, struct mcp__batch *b, struct str reply)
{
	if (b)
		batch_add(core, b, reply);
	else
		mcp__core_say(core, reply);
}

static void refuse_with(struct mcp__core *core, struct str id, int number, const char *text,
                        struct str data)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	mcp__reply_error(&o, id, number, text, data);
	if (json_out_ok(&o, NULL))
		mcp__core_send(core, core->batch, buf_str(&o.text));
}

void mcp__core_refuse(struct mcp__core *core, struct mcp__batch *b, struct str id, int number,
                      const char *text)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	mcp__reply_error(&o, id, number, text, (struct str){ 0 });
	if (json_out_ok(&o, NULL))
		mcp__core_send(core, b, buf_str(&o.text));
}

/* ---- Requests in ---- */

static void refuse_version(struct mcp__core *core, struct str id, struct str requested)
{
	OWN_JSON_OUT struct json_out data = json_out_make(LIMIT_MCP_LINE);

	json_put_object(&data, NULL);
	json_put_array(&data, "supported");
	json_put_z(&data, NULL, MCP__MODERN_VERSION);
	json_put_end(&data, ']');
	json_put_raw(&data, "requested", requested);
	json_put_end(&data, '}');
	refuse_with(core, id, RPC_UNSUPPORTED_VERSION, "unsupported protocol version",
	            buf_str(&data.text));
}

/* Of a request that may not be dispatched: which error, and why. */
struct refusal {
	int number;
	const char *why;
};

static struct refusal refusal_of(const struct mcp__turn *turn, const struct mcp__method *method)
{
	struct mcp__core *core = turn->core;
	const struct mcp__claim *claim = turn->claim;
	bool initializes = method && mcp__is_initialize(method);

	if (mcp__request_by_id(core, turn->m->id))
		return (struct refusal){ RPC_INVALID_REQUEST,
			                 "a request with this id is waiting for its answer" };
	if (core->batch && (claim->modern || initializes))
		return (struct refusal){ RPC_INVALID_REQUEST, "this must not be in a batch" };
	if (claim->fault)
		return (struct refusal){ claim->fault, claim->what };
	if (!method)
		return (struct refusal){ RPC_METHOD_NOT_FOUND, "unknown method" };
	if (!claim->modern && core->opening == MCP__MODERN && !initializes && !mcp__is_ping(method))
		return (struct refusal){ RPC_INVALID_PARAMS,
			                 "'_meta' needs '" MCP__META_PREFIX
			                 "protocolVersion', or say 'initialize'" };
	return (struct refusal){ 0, NULL };
}

static void note_opening(struct mcp__core *core, bool modern, const struct mcp__method *method)
{
	if (!modern && mcp__is_initialize(method))
		core->opening = MCP__LEGACY;
	else if (core->opening == MCP__FRESH && !mcp__is_ping(method))
		core->opening = modern ? MCP__MODERN : MCP__LEGACY;
}

static void dispatch_request(struct mcp__core *core, const struct mcp__message *m)
{
	struct mcp__claim claim;

	mcp__claim_read(m, &claim);
	const struct mcp__turn turn = { core, m, &claim };
	const struct mcp__method *method = mcp__method_find(core, m->method, claim.modern);
	struct refusal refusal = refusal_of(&turn, method);
	if (refusal.number == RPC_UNSUPPORTED_VERSION) {
		refuse_version(core, m->id, claim.version);
	} else if (refusal.number != 0) {
		mcp__core_refuse(core, core->batch, m->id, refusal.number, refusal.why);
	} else {
		note_opening(core, claim.modern, method);
		method->run(&turn);
	}
}

/* Of both eras' notifications this is the only one that matters here. Unknown and finished ids are
 * fine. */
static void dispatch_notification(struct mcp__core *core, const struct mcp__message *m)
{
	static const char *const keys[] = { "requestId" };
	struct mcp__request *r;
	struct str id = { 0 };

	if (!json_raw_equals(m->method, STR("notifications/cancelled")) || !m->params.p ||
	    !json_pick(m->params, keys, &id, 1, NULL) || !id.p)
		return;
	r = mcp__request_by_id(core, id);
	if (r)
		mcp__request_drop(r);
}

/* ---- Messages in ---- */

static void read_batch(struct mcp__core *core, struct str text);

static void read_message(struct mcp__core *core, struct str text)
{
	struct mcp__message m;

	mcp__message_read(text, &m);
	switch (m.kind) {
	case MCP__REQUEST:
		dispatch_request(core, &m);
		return;
	case MCP__NOTIFICATION:
		dispatch_notification(core, &m);
		return;
	case MCP__RESPONSE:
		mcp__core_answered(core, &m);
		return;
	case MCP__BATCH:
		read_batch(core, text);
		return;
	case MCP__FAULT:
		mcp__core_refuse(core, core->batch, m.id, m.number, m.fault.text);
		return;
	}
}

static void read_element(void *data, struct str element)
{
	read_message(data, element);
}

static const char *batch_refusal(const struct mcp__core *core, size_t count)
{
	if (core->batch)
		return "a batch must not hold another";
	if (!core->version || !core->version->batches)
		return "batches are only a part of protocol version 2025-03-26";
	return count == 0 || count > LIMIT_MCP_IN_FLIGHT ? "a batch holds 1 to 256 messages" : NULL;
}

static void read_batch(struct mcp__core *core, struct str text)
{
	const char *refusal = batch_refusal(core, mcp__batch_each(text, NULL, NULL));
	struct mcp__batch *b = refusal ? NULL : calloc(1, sizeof(*b));

	if (!b) {
		mcp__core_refuse(core, core->batch, (struct str){ 0 }, RPC_INVALID_REQUEST,
		                 refusal ? refusal : "out of memory");
		return;
	}
	*b = (struct mcp__batch){ .reading = true, .text = buf_make(LIMIT_MCP_OUT_LINE + 2) };
	core->batch = b;
	(void)mcp__batch_each(text, read_element, core);
	core->batch = NULL;
	b->reading = false;
	mcp__batch_settle(core, b);
}

static void read_line(void *data, struct str line)
{
	struct mcp__core *core = data;

	if (line.p)
		read_message(core, line);
	else
		mcp__core_refuse(core, NULL, (struct str){ 0 }, RPC_INVALID_REQUEST,
		                 "the line is longer than 4 MiB and was skipped");
}

void mcp__core_feed(struct mcp__core *core, struct str bytes)
{
	mcp__lines_feed(&core->lines, bytes, read_line, core);
}

/* ---- Time ---- */

static struct mcp__request *first_due(const struct mcp__core *core, int64_t *due_us)
{
	struct mcp__request *first = NULL;

	*due_us = INT64_MAX;
	for (size_t i = 0; i < core->count; i++) {
		int64_t at_us = mcp__request_due_us(core->requests[i]);

		if (at_us < *due_us) {
			*due_us = at_us;
			first = core->requests[i];
		}
	}
	return first;
}

void mcp__core_schedule(struct mcp__core *core)
{
	int64_t due_us, left_us;

	if (!core->io.wake)
		return;
	if (!first_due(core, &due_us)) {
		core->io.wake(core->io.data, -1);
		return;
	}
	left_us = due_us - env_mono_us(&core->env);
	core->io.wake(core->io.data, left_us > 0 ? (left_us + US_PER_MS - 1) / US_PER_MS : 0);
}

void mcp__core_tick(struct mcp__core *core)
{
	int64_t now_us = env_mono_us(&core->env), due_us;

	for (;;) {
		struct mcp__request *r = first_due(core, &due_us);

		if (!r || due_us > now_us)
			break;
		mcp__request_tick(r, now_us);
	}
	mcp__core_schedule(core);
}

/* ---- Life ---- */

struct mcp__core *mcp__core_new(const struct mcp__server *server, void *data,
                                const struct mcp__core_io *io, struct err *err)
{
	struct mcp__core *core = calloc(1, sizeof(*core));

	if (!core) {
		(void)err_no_memory(err);
		return NULL;
	}
	core->server = server;
	core->data = data;
	core->io = *io;
	core->env = io->env ? *io->env : env_real();
	env_random(&core->env, core->seal.bytes, sizeof(core->seal.bytes));
	mcp__lines_init(&core->lines);
	return core;
}

size_t mcp__core_in_flight(const struct mcp__core *core)
{
	size_t n = 0;

	for (size_t i = 0; i < core->count; i++)
		n += core->requests[i]->listens ? 0 : 1;
	return n;
}

static struct mcp__request *find_open(const struct mcp__core *core)
{
	for (size_t i = 0; i < core->count; i++)
		if (core->requests[i]->listens || core->requests[i]->asking)
			return core->requests[i];
	return NULL;
}

void mcp__core_end(struct mcp__core *core)
{
	struct mcp__request *r;

	core->can = 0; /* nothing can be asked any more */
	for (size_t i = 0; i < core->count; i++)
		core->requests[i]->can = 0;
	while ((r = find_open(core)) != NULL) {
		if (r->listens)
			mcp__stream_end(r);
		else
			mcp__asking_give_up(r, false);
	}
}

void mcp__core_free(struct mcp__core *core)
{
	if (!core)
		return;
	core->io.line = NULL; /* nobody listens any more */
	core->io.wake = NULL;
	while (core->count > 0)
		mcp__request_drop(core->requests[0]);
	batch_free(core->batch);
	mcp__lines_done(&core->lines);
	bytes_wipe(&core->seal, sizeof(core->seal));
	free(core);
}
