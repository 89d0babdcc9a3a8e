/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the host. In the initialize era each is a request of ours, and the call waits; in
 * the other the call ends with the questions and comes again with the answers. Never the one way
 * in the other era: old clients read "input_required" as an empty success. */
#include "mcp/core_parts.h"

#include <stdlib.h>

#define ID_PREFIX "ask-"
#define CANCEL "{\"action\":\"cancel\"}"
#define US_PER_MS 1000

static const struct {
	enum mcp__ability kind;
	const char *method;
	const char *capability; /* what a host must declare */
} KINDS[] = {
	{ MCP__CAN_FILL_FORM, "elicitation/create", "{\"elicitation\":{}}" },
	{ MCP__CAN_OPEN_URL, "elicitation/create", "{\"elicitation\":{\"url\":{}}}" },
	{ MCP__CAN_SAMPLE, "sampling/createMessage", "{\"sampling\":{}}" },
	{ MCP__CAN_LIST_ROOTS, "roots/list", "{\"roots\":{}}" },
};

static size_t kind_of(enum mcp__ability ability)
{
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(KINDS) && KINDS[i].kind != ability)
		i++;
	return i;
}

/* ---- What the host can ---- */

bool mcp__request_can(const struct mcp__request *r, enum mcp__ability ability)
{
	return (r->can & (unsigned)ability) != 0;
}

void mcp__request_lacks(struct mcp__request *r, enum mcp__ability ability)
{
	OWN_JSON_OUT struct json_out data = json_out_make(256);

	json_put_object(&data, NULL);
	json_put_raw(&data, "requiredCapabilities", str_of(KINDS[kind_of(ability)].capability));
	json_put_end(&data, '}');
	mcp__request_fail(r, r->modern ? RPC_MISSING_CAPABILITY : RPC_INVALID_REQUEST,
	                  "this needs a capability that the client has not declared",
	                  buf_str(&data.text));
}

/* ---- Without sessions: the request ends ---- */

static void put_input(struct json_out *o, const struct mcp__input *input)
{
	json_put_object(o, input->key);
	json_put_z(o, "method", KINDS[kind_of(input->kind)].method);
	if (input->params.p)
		json_put_raw(o, "params", input->params);
	json_put_end(o, '}');
}

static bool ask_by_result(struct mcp__request *r, const struct mcp__input *inputs, size_t count,
                          struct str state, struct err *err)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);
	OWN_BUF struct buf sealed = buf_make((size_t)4 * LIMIT_MCP_STATE);

	mcp__reply_open(&o, str_of(r->id), "input_required");
	json_put_object(&o, "inputRequests");
	for (size_t i = 0; i < count; i++)
		put_input(&o, &inputs[i]);
	json_put_end(&o, '}');
	if (state.p) {
		mcp__state_seal(r, state, &sealed);
		json_put_str(&o, "requestState", buf_str(&sealed));
	}
	mcp__reply_close(&o, r->core, true, NULL);
	if (!buf_ok(&sealed, "the state of a question", err) || !json_out_ok(&o, err))
		return false;
	mcp__core_send(r->core, r->batch, buf_str(&o.text));
	mcp__request_end(r);
	return true;
}

/* ---- The initialize era: requests of ours ---- */

static void put_question_id(struct json_out *o, const char *key, int64_t number)
{
	OWN_BUF struct buf id = buf_make(LIMIT_MCP_ID);

	buf_add_z(&id, ID_PREFIX);
	buf_add_i64(&id, number);
	json_put_str(o, key, buf_str(&id));
}

static void send_line(struct mcp__core *core, const struct json_out *o)
{
	if (json_out_ok(o, NULL)) /* else the question times out */
		mcp__core_say(core, buf_str(&o->text));
}

static void send_question(struct mcp__core *core, int64_t number, const struct mcp__input *input)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	json_put_object(&o, NULL);
	json_put_z(&o, "jsonrpc", "2.0");
	put_question_id(&o, "id", number);
	json_put_z(&o, "method", KINDS[kind_of(input->kind)].method);
	if (input->params.p)
		json_put_raw(&o, "params", input->params);
	json_put_end(&o, '}');
	send_line(core, &o);
}

static void take_back(struct mcp__core *core, int64_t number)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	json_put_object(&o, NULL);
	json_put_z(&o, "jsonrpc", "2.0");
	json_put_z(&o, "method", "notifications/cancelled");
	json_put_object(&o, "params");
	put_question_id(&o, "requestId", number);
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	send_line(core, &o);
}

void mcp__asking_free(struct mcp__request *r, bool tell)
{
	struct mcp__asking *a = r->asking;

	if (!a)
		return;
	r->asking = NULL;
	for (size_t i = 0; i < a->count; i++) {
		if (tell && a->answers[i].len == 0)
			take_back(r->core, a->first + (int64_t)i);
		buf_done(&a->answers[i]);
		free(a->keys[i]);
	}
	free(a);
}

static struct mcp__asking *asking_new(struct mcp__request *r, const struct mcp__input *inputs,
                                      size_t count)
{
	struct mcp__asking *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	*a = (struct mcp__asking){
		.first = r->core->last_question + 1,
		.count = count,
		.open = count,
		.due_us = env_mono_us(&r->core->env) + (int64_t)LIMIT_MCP_ASK_MS * US_PER_MS,
	};
	r->asking = a;
	for (size_t i = 0; i < count; i++) {
		a->answers[i] = buf_make(LIMIT_MCP_LINE);
		a->keys[i] = str_dup(str_of(inputs[i].key));
		if (!a->keys[i]) {
			mcp__asking_free(r, false);
			return NULL;
		}
	}
	return a;
}

static bool ask_by_requests(struct mcp__request *r, const struct mcp__input *inputs, size_t count,
                            struct str state, struct err *err)
{
	struct mcp__core *core = r->core;

	buf_reset(&r->state);
	buf_add(&r->state, state);
	r->has_state = state.p != NULL;
	if (!buf_ok(&r->state, "the state of a question", err))
		return false;
	if (!asking_new(r, inputs, count))
		return err_no_memory(err);
	core->last_question += (int64_t)count;
	r->waits = "waiting for an answer of the user";
	mcp__core_schedule(core);
	for (size_t i = 0; i < count; i++)
		send_question(core, r->asking->first + (int64_t)i, &inputs[i]);
	return true;
}

bool mcp__request_ask(struct mcp__request *r, const struct mcp__input *inputs, size_t count,
                      struct str state, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (!mcp__request_can(r, inputs[i].kind))
			return err_set(err, ERR_UNSUPPORTED,
			               "the client has not declared that it can answer this");
	if (count == 0 || count > MCP__INPUTS_MAX)
		return err_set(err, ERR_INTERNAL, "a request asks 1 to %d questions at once",
		               MCP__INPUTS_MAX);
	return r->modern ? ask_by_result(r, inputs, count, state, err)
	                 : ask_by_requests(r, inputs, count, state, err);
}

/* ---- Answers ---- */

static void put_answers(const struct mcp__asking *a, struct buf *out)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_LINE);

	json_put_object(&o, NULL);
	for (size_t i = 0; i < a->count; i++)
		json_put_raw(&o, a->keys[i], buf_str(&a->answers[i]));
	json_put_end(&o, '}');
	buf_reset(out);
	buf_add(out, buf_str(&o.text));
	out->failed |= o.text.failed;
}

static void cancel_all(struct mcp__asking *a)
{
	for (size_t i = 0; i < a->count; i++) {
		buf_reset(&a->answers[i]);
		buf_add(&a->answers[i], STR(CANCEL));
	}
}

/* All are there: the request runs again. Never without answers, for it would only ask again. */
static void go_on(struct mcp__request *r)
{
	put_answers(r->asking, &r->answers);
	if (r->answers.failed) { /* together they are too large */
		cancel_all(r->asking);
		put_answers(r->asking, &r->answers);
	}
	mcp__asking_free(r, false);
	r->waits = NULL;
	mcp__core_schedule(r->core);
	mcp__request_run(r);
}

static bool question_number(struct str raw_id, int64_t *out)
{
	OWN_BUF struct buf id = buf_make(LIMIT_MCP_ID);
	struct str prefix = STR(ID_PREFIX);

	if (!json_raw_string(raw_id, &id) || !str_starts(buf_str(&id), prefix))
		return false;
	return str_to_i64((struct str){ id.p + prefix.len, id.len - prefix.len }, out);
}

static struct mcp__request *request_asking(struct mcp__core *core, int64_t number)
{
	for (size_t i = 0; i < core->count; i++) {
		const struct mcp__asking *a = core->requests[i]->asking;

		if (a && number >= a->first && number < a->first + (int64_t)a->count)
			return core->requests[i];
	}
	return NULL;
}

void mcp__core_answered(struct mcp__core *core, const struct mcp__message *m)
{
	int64_t number = 0;
	struct mcp__request *r =
		question_number(m->id, &number) ? request_asking(core, number) : NULL;
	bool good = m->result.p && m->result.p[0] == '{';

	if (!r)
		return; /* not ours, or too late */
	struct buf *answer = &r->asking->answers[number - r->asking->first];
	if (answer->len > 0)
		return;
	buf_add(answer, good ? m->result : STR(CANCEL));
	if (--r->asking->open == 0)
		go_on(r);
}

void mcp__asking_give_up(struct mcp__request *r, bool tell)
{
	struct mcp__asking *a = r->asking;

	for (size_t i = 0; i < a->count; i++) {
		if (a->answers[i].len > 0)
			continue;
		if (tell)
			take_back(r->core, a->first + (int64_t)i);
		buf_add(&a->answers[i], STR(CANCEL));
	}
	a->open = 0;
	go_on(r);
}

bool mcp__request_answered(const struct mcp__request *r)
{
	return r->answers.len > 0;
}

struct str mcp__request_answer(const struct mcp__request *r, const char *key)
{
	struct str answer = { 0 };

	if (r->answers.len > 0 && !json_pick(buf_str(&r->answers), &key, &answer, 1, NULL))
		answer = (struct str){ 0 };
	return answer;
}

struct str mcp__request_state(const struct mcp__request *r)
{
	return r->has_state ? buf_str(&r->state) : (struct str){ 0 };
}
