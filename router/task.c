/* SPDX-License-Identifier: Apache-2.0 */
/* A receipt for whoever calls with a router key: one job whose answer is written on the store
 * thread and sent on the loop; a client that leaves meanwhile loses only the answer. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "router/internal.h"

struct task {
	struct party party;
	struct router *r;
	struct net_request *rq; /* NULL: the client is gone */
	bool working;
	bool (*run)(struct task *t, struct store *st, struct json_out *out, struct err *err);
	struct store_job job;
	struct id account, request;
	struct json_out out;
};

static void free_task(struct task *t)
{
	t->r->task_count--;
	json_out_done(&t->out);
	free(t);
}

static bool run_job(struct store_job *job, struct store *st, struct err *err)
{
	struct task *t = CONTAINER_OF(job, struct task, job);

	return t->run(t, st, &t->out, err) && json_out_ok(&t->out, err);
}

static void job_done(struct store_job *job)
{
	static const struct net_header h[] = {
		{ STR_INIT("Content-Type"), STR_INIT("application/json") },
		{ STR_INIT("Cache-Control"), STR_INIT("no-store") }
	};
	struct task *t = CONTAINER_OF(job, struct task, job);

	if (t->rq && job->ok) {
		net_reply(t->rq, 200, h, 2, buf_str(&t->out.text));
	} else if (t->rq) {
		struct failure f = failure_of(&job->err);
		failure_reply(&f, DIALECT_OPENAI, NULL, (struct str){ 0 }, t->rq);
	}
	free_task(t);
}

static void submit(struct task *t, bool power)
{
	t->job = (struct store_job){
		.run = run_job,
		.done = job_done,
		.reply = net_loop_inbox(t->r->options.loop),
		.power = power,
	};
	t->working = true;
	store_worker_submit(t->r->options.worker, &t->job);
}

static void on_gone(struct party *p)
{
	struct task *t = (struct task *)p;

	t->rq = NULL;
	if (!t->working)
		free_task(t);
}

static struct task *task_new(struct router *r, struct net_request *rq,
                             const struct party_events *events)
{
	struct task *t = calloc(1, sizeof *t);

	if (!t) {
		struct failure f = { .code = ERR_INTERNAL, .text = "out of memory" };
		failure_reply(&f, DIALECT_OPENAI, NULL, (struct str){ 0 }, rq);
		return NULL;
	}
	t->party.events = events;
	t->r = r;
	t->rq = rq;
	t->out = json_out_make(64u << 10);
	r->task_count++;
	net_request_set_data(rq, &t->party);
	return t;
}

/* ---- GET /openai/v1/requests/{id} ---- */

static bool run_receipt(struct task *t, struct store *st, struct json_out *out, struct err *err)
{
	return store_receipt_put(st, &t->account, id_str(&t->request), out, err);
}

static void receipt_body(struct party *p, struct net_request *rq)
{
	(void)rq;
	submit((struct task *)p, false);
}

static const struct party_events receipt_events = { receipt_body, on_gone, NULL };

void task_receipt(struct router *r, struct net_request *rq, const struct store_key *key,
                  struct str request_id)
{
	struct task *t = task_new(r, rq, &receipt_events);

	if (!t)
		return;
	t->run = run_receipt;
	t->account = *store_key_account(key);
	t->request = id_of(request_id);
}
