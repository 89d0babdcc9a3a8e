/* SPDX-License-Identifier: Apache-2.0 */
/* Takes requests and plays their answers: what leaves when, and the fault that befalls it. An
 * answer is made whole before its first byte leaves, so a fault can be placed exactly. */
#include <stdlib.h>

#include "tests/provider_sim/sim.h"

#define BODY_MAX (256u << 20)
#define HEADERS_MAX (256u << 10)
#define FIELDS_MAX 32
#define PATH_MAX_BYTES 8192

struct play {
	struct sim *sim;
	struct net_request *rq;
	struct sim_ask ask;
	struct sim_answer answer;
	struct sim_entry entry;
	struct sim_error error;         /* to be answered instead, if it has a status */
	struct buf path, headers, body; /* the request's, for the journal */
	struct sim_frames frames;
	size_t frame, offset;  /* what is sent next */
	int64_t chunks, bytes; /* sent */
	struct net_timer timer;
	char id[SIM_ID_MAX];
	bool started, stalled, blocked;
};

static void play_free(struct play *p)
{
	net_timer_stop(&p->timer);
	json_free(p->ask.tree);
	sim_frames_done(&p->frames);
	buf_done(&p->path);
	buf_done(&p->headers);
	buf_done(&p->body);
	free(p);
}

static const struct sim_fault *fault_of(const struct play *p)
{
	return &p->answer.scenario->fault;
}

static void note(struct play *p, const char *end)
{
	p->entry.end = end;
	sim_journal_write(&p->sim->journal, &p->entry);
}

/* ---- Heads and short answers ---- */

/* The format's own fields, the request's id, the type, and what a script adds. */
static size_t fields(struct play *p, const char *type, struct net_header out[FIELDS_MAX])
{
	const struct sim_format *format = p->ask.format;
	size_t n = 0;
	for (; n < format->header_count; n++)
		out[n] = format->headers[n];
	if (format->id_header != NULL)
		out[n++] = (struct net_header){ str_of(format->id_header), str_of(p->id) };
	out[n++] = (struct net_header){ STR("content-type"), str_of(type) };
	if (p->answer.scenario == NULL || fault_of(p)->headers == NULL)
		return n;
	const struct json *more = json_first(fault_of(p)->headers);
	for (; more != NULL && n < FIELDS_MAX; more = json_next(more))
		out[n++] = (struct net_header){ json_key(more), json_text(more) };
	return n;
}

static void reply_json(struct play *p, int status, const struct json_out *o)
{
	struct net_header head[FIELDS_MAX];
	size_t n = fields(p, "application/json", head);
	p->entry.status = status;
	note(p, "complete");
	net_reply(p->rq, status, head, n, buf_str(&o->text));
	play_free(p);
}

static void reply_error(struct play *p)
{
	OWN_JSON_OUT struct json_out o = json_out_make(BODY_MAX);
	p->ask.format->name_error(&p->error);
	p->ask.format->put_error(&p->error, p->entry.seq, &o);
	reply_json(p, p->error.status, &o);
}

static void cut(struct play *p)
{
	note(p, "cut");
	net_reply_abort(p->rq);
	play_free(p);
}

/* ---- Playing ---- */

/* The final usage is told, and will be charged. */
static bool is_charged(const struct play *p)
{
	const struct sim_fault *fault = fault_of(p);
	bool free = p->answer.finish == SIM_BLOCKED && p->ask.format->free_refusals;
	return !fault->no_usage && !fault->malformed_usage && !free;
}

static void reply_start(struct play *p)
{
	struct net_header head[FIELDS_MAX];
	size_t n = fields(
		p, p->ask.stream ? "text/event-stream; charset=utf-8" : "application/json", head);
	p->started = true;
	p->entry.status = 200;
	net_reply_start(p->rq, 200, head, n);
}

/* An error in the middle of a stream is the last that is sent. */
static void turn_to_error(struct play *p)
{
	struct sim_error error = { 0 };
	struct str message = fault_of(p)->message;
	(void)sim_refuse(&error, 529, "%.*s",
	                 STR_ARG(message.p != NULL ? message : STR("Overloaded")));
	p->ask.format->name_error(&error);
	p->frames.count = p->frame;
	p->ask.format->put_error_event(&error, p->entry.seq, &p->frames);
}

enum next {
	NEXT_SEND,
	NEXT_WAIT,
	NEXT_CUT
};

/* What a fault says before a frame is begun. */
static enum next before_frame(struct play *p)
{
	const struct sim_fault *fault = fault_of(p);
	if (fault->cut_after_chunks >= 0 && p->chunks >= fault->cut_after_chunks)
		return NEXT_CUT;
	if (fault->stall_after_chunks >= 0 && p->chunks >= fault->stall_after_chunks &&
	    !p->stalled) {
		p->stalled = true;
		net_timer_start(&p->timer, fault->stall_ms);
		return NEXT_WAIT;
	}
	if (fault->error_event_after_chunks >= 0 && p->chunks >= fault->error_event_after_chunks &&
	    p->frame + 1 < p->frames.count)
		turn_to_error(p);
	return NEXT_SEND;
}

static size_t piece_len(const struct play *p, size_t left)
{
	size_t n = left;
	size_t split = (size_t)p->answer.scenario->split_bytes;
	int64_t until_cut = fault_of(p)->cut_after_bytes - p->bytes;
	if (split > 0 && n > split)
		n = split;
	if (fault_of(p)->cut_after_bytes >= 0 && n > (size_t)until_cut)
		n = (size_t)until_cut;
	return n;
}

/* Sends a piece of the current frame and says how long to wait before the next; -1: not at all. */
static int64_t send_piece(struct play *p)
{
	const struct sim_frame *frame = &p->frames.list[p->frame];
	size_t n = piece_len(p, frame->len - p->offset);
	struct str piece = { p->frames.text.p + frame->start + p->offset, n };
	bool frame_ends = p->offset + n == frame->len;
	if (frame_ends && frame->kind == SIM_FRAME_USAGE)
		p->entry.reported = is_charged(p);
	if (frame_ends && p->frame + 1 == p->frames.count)
		note(p, "complete");
	net_reply_write(p->rq, piece);
	p->offset += n;
	p->bytes += (int64_t)n;
	if (frame_ends) {
		p->chunks += frame->kind == SIM_FRAME_CHUNK;
		p->frame++;
		p->offset = 0;
	}
	if (p->answer.scenario->split_bytes > 0)
		return p->answer.scenario->chunk_delay_ms;
	if (frame->kind == SIM_FRAME_CHUNK && p->answer.scenario->chunk_delay_ms > 0)
		return p->answer.scenario->chunk_delay_ms;
	return -1;
}

static bool must_cut_bytes(const struct play *p)
{
	return fault_of(p)->cut_after_bytes >= 0 && p->bytes >= fault_of(p)->cut_after_bytes;
}

static void go_on(struct play *p)
{
	while (p->frame < p->frames.count) {
		enum next next = p->offset == 0 ? before_frame(p) : NEXT_SEND;
		if (next == NEXT_WAIT)
			return;
		if (next == NEXT_CUT || must_cut_bytes(p)) {
			cut(p);
			return;
		}
		if (net_reply_queued(p->rq) > LIMIT_HTTP_OUT_HIGH) {
			p->blocked = true; /* on_drained goes on */
			return;
		}
		int64_t wait = send_piece(p);
		if (wait >= 0 && p->frame < p->frames.count) {
			net_timer_start(&p->timer, wait);
			return;
		}
	}
	net_reply_end(p->rq);
	play_free(p);
}

/* A body that no fault touches leaves in one piece, with its length. */
static bool is_plain(const struct play *p)
{
	const struct sim_fault *fault = fault_of(p);
	return !p->ask.stream && p->answer.scenario->split_bytes == 0 &&
	       fault->cut_after_bytes < 0 && fault->cut_after_chunks < 0 &&
	       fault->stall_after_chunks < 0;
}

static void reply_whole(struct play *p)
{
	OWN_JSON_OUT struct json_out o = json_out_make(BODY_MAX);
	p->ask.format->put_whole(&p->answer, &o);
	p->entry.reported = is_charged(p);
	reply_json(p, 200, &o);
}

/* Costs nothing, and says so to the journal. */
static void reply_count(struct play *p)
{
	OWN_JSON_OUT struct json_out o = json_out_make(BODY_MAX);
	p->ask.format->put_count(&p->answer, &o);
	p->entry.usage = (struct token_counts){ .n = { 0 } };
	reply_json(p, 200, &o);
}

/* A whole answer as one frame; the middle of it is where faults that count chunks strike. */
static void frame_whole(struct play *p)
{
	OWN_JSON_OUT struct json_out o = json_out_make(BODY_MAX);
	p->ask.format->put_whole(&p->answer, &o);
	size_t half = o.text.len / 2;
	p->frames.text = o.text;
	o.text = buf_make(0);
	p->frames.list = calloc(2, sizeof(*p->frames.list));
	if (p->frames.list == NULL)
		abort(); /* a test's server: nothing better to do */
	p->frames.list[0] = (struct sim_frame){ SIM_FRAME_CHUNK, 0, half };
	p->frames.list[1] = (struct sim_frame){ SIM_FRAME_USAGE, half, p->frames.text.len - half };
	p->frames.count = p->frames.cap = 2;
}

static void answer(struct play *p)
{
	const struct sim_fault *fault = fault_of(p);
	if (fault->close_before_answer) {
		cut(p);
	} else if (p->error.status != 0) {
		reply_error(p);
	} else if (p->ask.want == SIM_COUNT) {
		reply_count(p);
	} else if (is_plain(p)) {
		reply_whole(p);
	} else {
		p->frames.crlf = p->answer.scenario->crlf;
		if (p->ask.stream)
			p->ask.format->put_stream(&p->answer, &p->frames);
		else
			frame_whole(p);
		reply_start(p);
		go_on(p);
	}
}

static void timer_fired(void *data)
{
	struct play *p = data;
	if (p->started)
		go_on(p);
	else
		answer(p);
}

/* ---- Requests ---- */

static bool refuse_prompt(struct play *p)
{
	p->entry.usage = (struct token_counts){ .n = { 0 } };
	(void)sim_refuse(&p->error, 400, "The request was rejected: high risk");
	p->error.code = p->ask.format->blocked_code;
	return false;
}

static bool choose(struct play *p)
{
	struct str name = sim_ask_scenario(&p->ask);
	if (name.p == NULL)
		name = STR("default");
	const struct sim_scenario *s = sim_scenarios_find(&p->sim->scenarios, name);
	if (s == NULL)
		return sim_refuse(&p->error, 400, "no scenario is named '%.*s'", STR_ARG(name));
	p->entry.scenario = s->name;
	p->answer = sim_answer_make(&p->ask, s, p->entry.seq);
	bool error_event = s->fault.error_event_after_chunks >= 0 && !p->ask.stream;
	struct str message = s->fault.message.p != NULL ? s->fault.message : STR("scripted error");
	if (s->fault.status != 0 || error_event)
		(void)sim_refuse(&p->error, s->fault.status != 0 ? (int)s->fault.status : 529,
		                 "%.*s", STR_ARG(message));
	else
		p->entry.usage = p->answer.usage;
	return s->fault.block_prompt && p->ask.format->blocked_code != NULL ? refuse_prompt(p)
	                                                                    : true;
}

static struct play *play_new(struct sim *sim, struct net_request *rq, const struct sim_ask *ask)
{
	struct play *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort(); /* a test's server: nothing better to do */
	p->sim = sim;
	p->rq = rq;
	p->ask = *ask;
	p->entry.seq = ++sim->seq;
	p->entry.provider = ask->format->provider;
	p->path = buf_make(PATH_MAX_BYTES);
	buf_add(&p->path, net_request_path(rq));
	p->entry.path = buf_str(&p->path);
	p->headers = buf_make(HEADERS_MAX);
	sim_id(p->id, "req_sim", p->entry.seq);
	net_timer_init(&p->timer, sim->loop, timer_fired, p);
	net_request_set_data(rq, p);
	sim_journal_headers(rq, &p->headers);
	p->entry.headers = buf_str(&p->headers);
	return p;
}

static void complete(struct play *p)
{
	bool known = sim_ask_read(p->rq, p->sim->key, &p->ask, &p->error);
	p->body = net_request_take_body(p->rq);
	p->entry.body = buf_str(&p->body);
	p->entry.model = p->ask.model;
	p->entry.stream = p->ask.stream;
	if (!known || !choose(p)) {
		reply_error(p);
		return;
	}
	int64_t delay = p->sim->delay_ms + fault_of(p)->delay_head_ms;
	if (delay > 0)
		net_timer_start(&p->timer, delay);
	else
		answer(p);
}

static void list_models(struct play *p)
{
	if (!p->ask.format->authorized(p->rq, p->sim->key)) {
		(void)sim_refuse(&p->error, 401, "the API key is missing or wrong");
		reply_error(p);
		return;
	}
	OWN_JSON_OUT struct json_out o = json_out_make(BODY_MAX);
	p->ask.format->put_models(p->ask.format, &o);
	reply_json(p, 200, &o);
}

static void on_head(void *data, struct net_request *rq)
{
	(void)data;
	net_request_set_data(rq, NULL);
}

static void on_body(void *data, struct net_request *rq)
{
	struct sim_ask ask = { .format = NULL };
	if (!sim_route(rq, &ask)) {
		net_reply(rq, 404, NULL, 0, STR("{\"error\":{\"message\":\"no such route\"}}"));
		return;
	}
	struct play *p = play_new(data, rq, &ask);
	if (ask.want == SIM_MODELS)
		list_models(p);
	else
		complete(p);
}

static void on_gone(void *data, struct net_request *rq)
{
	(void)data;
	struct play *p = net_request_data(rq);
	if (p == NULL)
		return;
	note(p, "gone");
	play_free(p);
}

static void on_drained(void *data, struct net_request *rq)
{
	(void)data;
	struct play *p = net_request_data(rq);
	if (p != NULL && p->blocked) {
		p->blocked = false;
		go_on(p);
	}
}

const struct net_handler sim_handler = { on_head, on_body, on_gone, on_drained };
