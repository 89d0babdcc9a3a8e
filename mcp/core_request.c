/* SPDX-License-Identifier: Apache-2.0 */
/* One request from its params to its end: what it asks for, what is told while it waits, how it
 * goes away. Its params are copied, because a question to the host may come long after the line
 * that they stood in. */
#include "mcp/core_parts.h"

#include <assert.h>
#include <stdlib.h>

#define TELL_US INT64_C(200000)  /* between two tidings of progress */
#define BEAT_US INT64_C(2000000) /* between two while a request just waits */
#define US_PER_SECOND 1000000

/* ---- Reading params ---- */

static const struct {
	const char *key;   /* of params */
	const char *wrong; /* if it is no text */
} NAMES[] = {
	[MCP__ASKED_TOOL] = { "name", "'name' must be the name of a tool of tools/list" },
	[MCP__ASKED_PROMPT] = { "name", "'name' must be the name of a prompt of prompts/list" },
	[MCP__ASKED_RESOURCE] = { "uri", "'uri' must be the URI of a resource" },
	[MCP__ASKED_COMPLETION] = { "ref", "'ref' must name a prompt or a resource template" },
	[MCP__ASKED_SUBSCRIBE] = { "uri", "'uri' must be the URI of a resource" },
	[MCP__ASKED_UNSUBSCRIBE] = { "uri", "'uri' must be the URI of a resource" },
};

static bool is_object(struct str raw)
{
	return raw.p && raw.p[0] == '{';
}

/* {"type": "ref/prompt", "name"} or {"type": "ref/resource", "uri"} */
static bool read_reference(struct str raw, struct buf *name)
{
	static const char *const keys[] = { "type", "name", "uri" };
	struct str ref[ARRAY_LEN(keys)];

	if (!is_object(raw) || !json_pick(raw, keys, ref, ARRAY_LEN(keys), NULL))
		return false;
	if (json_raw_equals(ref[0], STR("ref/prompt")))
		return json_raw_string(ref[1], name);
	return json_raw_equals(ref[0], STR("ref/resource")) && json_raw_string(ref[2], name);
}

static const char *read_argument_to_complete(struct str raw)
{
	static const char *const keys[] = { "name", "value" };
	struct str argument[ARRAY_LEN(keys)];

	if (is_object(raw) && json_pick(raw, keys, argument, ARRAY_LEN(keys), NULL) &&
	    argument[0].p && argument[0].p[0] == '"' && argument[1].p && argument[1].p[0] == '"')
		return NULL;
	return "'argument' must have a 'name' and a 'value', both strings";
}

static void note_non_object(void *data, const struct json_span *span)
{
	if (span->depth == 1 && span->type != JSON_OBJECT)
		*(bool *)data = true;
}

/* What a host sends along when it repeats a request with answers. */
static const char *read_answers(struct mcp__request *r, struct str answers, struct str state)
{
	OWN_BUF struct buf sealed = buf_make(LIMIT_MCP_LINE);
	bool odd = false;

	if (answers.p && (!is_object(answers) || !json_scan(answers, note_non_object, &odd, NULL)))
		return "'inputResponses' must be an object";
	if (odd)
		return "each of 'inputResponses' must be an object";
	buf_add(&r->answers, answers);
	if (!state.p)
		return NULL;
	r->has_state =
		json_raw_string(state, &sealed) && mcp__state_open(r, buf_str(&sealed), &r->state);
	return r->has_state ? NULL
	                    : "'requestState' is not what this server gave for these arguments, "
	                      "or is too old";
}

static const char *read_params(struct mcp__request *r)
{
	const char *const keys[] = { NAMES[r->asked].key, "arguments", "argument", "inputResponses",
		                     "requestState" };
	struct str picked[ARRAY_LEN(keys)] = { 0 };
	struct str params = buf_str(&r->params);
	bool named;

	if (params.len > 0 && !json_pick(params, keys, picked, ARRAY_LEN(keys), NULL))
		return "'params' cannot be read";
	named = r->asked == MCP__ASKED_COMPLETION ? read_reference(picked[0], &r->name)
	                                          : json_raw_string(picked[0], &r->name);
	if (!named)
		return NAMES[r->asked].wrong;
	if (picked[1].p && !is_object(picked[1]))
		return "'arguments' must be an object";
	r->arguments = picked[1];
	if (r->asked == MCP__ASKED_COMPLETION)
		return read_argument_to_complete(picked[2]);
	return r->modern ? read_answers(r, picked[3], picked[4]) : NULL;
}

/* ---- Beginning ---- */

static void request_free(struct mcp__request *r)
{
	free(r->id);
	free(r->token);
	buf_done(&r->params);
	buf_done(&r->name);
	buf_done(&r->answers);
	buf_done(&r->state);
	buf_wipe(&r->out.text);
	json_out_done(&r->out);
	free(r);
}

static struct mcp__request *request_make(const struct mcp__turn *turn, enum mcp__asked asked)
{
	struct mcp__core *core = turn->core;
	const struct mcp__claim *claim = turn->claim;
	struct mcp__request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct mcp__request){
		.core = core,
		.batch = core->batch,
		.id = str_dup(turn->m->id),
		.token = claim->token.p ? str_dup(claim->token) : NULL,
		.modern = claim->modern,
		.asked = asked,
		.can = claim->modern ? claim->can : core->can,
		.level = claim->modern ? claim->level : core->level,
		.params = buf_make(LIMIT_MCP_LINE),
		.name = buf_make(LIMIT_MCP_LINE),
		.answers = buf_make(LIMIT_MCP_LINE),
		.state = buf_make(LIMIT_MCP_STATE),
		.out = json_out_make(LIMIT_MCP_OUT_LINE),
		.start_us = env_mono_us(&core->env),
	};
	buf_add(&r->params, turn->m->params);
	if (!r->id || (claim->token.p && !r->token) || r->params.failed) {
		request_free(r);
		return NULL;
	}
	return r;
}

static void enter(struct mcp__request *r)
{
	struct mcp__core *core = r->core;

	r->number = ++core->last_number;
	core->requests[core->count++] = r;
	if (r->batch)
		r->batch->waiting++;
}

typedef const char *read_fn(struct mcp__request *r); /* what is wrong, or NULL */

static struct mcp__request *begin(const struct mcp__turn *turn, enum mcp__asked asked,
                                  read_fn *read)
{
	struct mcp__core *core = turn->core;
	bool full = core->count == LIMIT_MCP_IN_FLIGHT;
	struct mcp__request *r = full ? NULL : request_make(turn, asked);
	const char *wrong;

	if (!r) {
		mcp__core_refuse(core, core->batch, turn->m->id, RPC_INTERNAL_ERROR,
		                 full ? "unavailable: 256 requests wait for an answer already"
		                      : "unavailable: out of memory");
		return NULL;
	}
	wrong = read(r);
	if (wrong) {
		mcp__core_refuse(core, core->batch, turn->m->id, RPC_INVALID_PARAMS, wrong);
		request_free(r);
		return NULL;
	}
	enter(r);
	return r;
}

struct mcp__request *mcp__request_new(const struct mcp__turn *turn, enum mcp__asked asked)
{
	return begin(turn, asked, read_params);
}

static const char *read_stream(struct mcp__request *r)
{
	static const char *const keys[] = { "notifications" };
	struct str wanted = { 0 };

	r->listens = true;
	if (!json_pick(buf_str(&r->params), keys, &wanted, 1, NULL) || !is_object(wanted))
		return "'notifications' must be an object";
	return NULL;
}

struct mcp__request *mcp__stream_new(const struct mcp__turn *turn)
{
	return begin(turn, MCP__ASKED_SUBSCRIBE, read_stream);
}

void mcp__request_run(struct mcp__request *r)
{
	r->core->server->run(r->core->data, r);
}

/* ---- Finding ---- */

struct mcp__request *mcp__request_by_id(struct mcp__core *core, struct str id)
{
	for (size_t i = 0; i < core->count; i++)
		if (mcp__id_eq(str_of(core->requests[i]->id), id))
			return core->requests[i];
	return NULL;
}

struct mcp__request *mcp__core_request(struct mcp__core *core, int64_t number)
{
	for (size_t i = 0; i < core->count; i++)
		if (core->requests[i]->number == number)
			return core->requests[i];
	return NULL;
}

/* ---- Looking ---- */

int64_t mcp__request_number(const struct mcp__request *r)
{
	return r->number;
}

enum mcp__asked mcp__request_asked(const struct mcp__request *r)
{
	return r->asked;
}

struct str mcp__request_name(const struct mcp__request *r)
{
	return buf_str(&r->name);
}

struct str mcp__request_arguments(const struct mcp__request *r)
{
	return r->arguments;
}

struct str mcp__request_params(const struct mcp__request *r)
{
	return buf_str(&r->params);
}

bool mcp__request_is_modern(const struct mcp__request *r)
{
	return r->modern;
}

void mcp__request_set_data(struct mcp__request *r, void *data)
{
	r->data = data;
}

void *mcp__request_data(const struct mcp__request *r)
{
	return r->data;
}

/* ---- The end ---- */

static void leave(struct mcp__request *r)
{
	struct mcp__core *core = r->core;
	size_t i = 0;

	while (core->requests[i] != r)
		i++;
	core->requests[i] = core->requests[--core->count];
}

void mcp__request_end(struct mcp__request *r)
{
	struct mcp__core *core = r->core;
	struct mcp__batch *b = r->batch;
	bool timed = mcp__request_due_us(r) != INT64_MAX;

	leave(r);
	mcp__asking_free(r, true);
	request_free(r);
	if (b)
		b->waiting--;
	mcp__batch_settle(core, b);
	if (timed)
		mcp__core_schedule(core);
}

void mcp__request_drop(struct mcp__request *r)
{
	const struct mcp__server *server = r->core->server;

	if (server->dropped && !r->listens)
		server->dropped(r->core->data, r);
	mcp__request_end(r);
}

/* ---- Progress ---- */

static void notify(struct mcp__request *r, int64_t progress, int64_t total, const char *message)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	json_put_object(&o, NULL);
	json_put_z(&o, "jsonrpc", "2.0");
	json_put_z(&o, "method", "notifications/progress");
	json_put_object(&o, "params");
	json_put_raw(&o, "progressToken", str_of(r->token));
	json_put_i64(&o, "progress", progress);
	if (total > 0)
		json_put_i64(&o, "total", total);
	if (message)
		json_put_z(&o, "message", message);
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	if (json_out_ok(&o, NULL))
		mcp__core_say(r->core, buf_str(&o.text));
}

void mcp__request_progress(struct mcp__request *r, int64_t progress, int64_t total,
                           const char *message)
{
	int64_t now_us = env_mono_us(&r->core->env);
	bool first = r->told_us == 0, last = total > 0 && progress >= total;

	if (!r->token || (!first && progress <= r->told))
		return;
	if (!first && !last && now_us - r->told_us < TELL_US)
		return;
	r->told_us = now_us;
	r->told = progress;
	notify(r, progress, total, message);
}

void mcp__request_waits(struct mcp__request *r, const char *why)
{
	r->waits = why;
	if (r->token)
		mcp__core_schedule(r->core);
}

static int64_t beat_due_us(const struct mcp__request *r)
{
	if (!r->token || !r->waits)
		return INT64_MAX;
	return (r->told_us > r->start_us ? r->told_us : r->start_us) + BEAT_US;
}

int64_t mcp__request_due_us(const struct mcp__request *r)
{
	int64_t beat_us = beat_due_us(r);

	return r->asking && r->asking->due_us < beat_us ? r->asking->due_us : beat_us;
}

void mcp__request_tick(struct mcp__request *r, int64_t now_us)
{
	if (beat_due_us(r) <= now_us)
		mcp__request_progress(r, (now_us - r->start_us) / US_PER_SECOND, 0, r->waits);
	if (r->asking && r->asking->due_us <= now_us)
		mcp__asking_give_up(r, true);
}

/* ---- Log messages ---- */

void mcp__request_log(struct mcp__request *r, enum mcp__level level, const char *text)
{
	static const char *const names[] = {
		[MCP__LEVEL_DEBUG] = "debug",   [MCP__LEVEL_INFO] = "info",
		[MCP__LEVEL_NOTICE] = "notice", [MCP__LEVEL_WARNING] = "warning",
		[MCP__LEVEL_ERROR] = "error",   [MCP__LEVEL_CRITICAL] = "critical",
		[MCP__LEVEL_ALERT] = "alert",   [MCP__LEVEL_EMERGENCY] = "emergency",
		[MCP__LEVEL_COUNT] = "",
	};
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	if (level < r->level || !(r->core->server->offers & MCP__OFFERS_LOGGING))
		return;
	json_put_object(&o, NULL);
	json_put_z(&o, "jsonrpc", "2.0");
	json_put_z(&o, "method", "notifications/message");
	json_put_object(&o, "params");
	json_put_z(&o, "level", names[level]);
	json_put_z(&o, "logger", r->core->server->name);
	json_put_z(&o, "data", text);
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	if (json_out_ok(&o, NULL))
		mcp__core_say(r->core, buf_str(&o.text));
}
