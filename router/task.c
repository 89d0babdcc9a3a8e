/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that only ask the store: receipts, buyer sessions, the route key. Each is one job whose
 * answer is written on the store thread and sent on the loop; a client that leaves meanwhile loses
 * only the answer. Answers with a key in them are wiped. */
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
	struct secret text; /* a key or a session token */
	struct id account, request;
	struct json_out out;
};

static void free_task(struct task *t)
{
	t->r->task_count--;
	secret_wipe(&t->text);
	buf_wipe(&t->out.text);
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

static void refuse(struct task *t, const struct err *err)
{
	struct failure f = failure_of(err);

	failure_reply(&f, DIALECT_OPENAI, NULL, (struct str){ 0 }, t->rq);
	t->rq = NULL;
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

/* ---- POST /buyer/session ---- */

static bool run_session(struct task *t, struct store *st, struct json_out *out, struct err *err)
{
	OWN_SECRET struct secret token;
	struct store_session session;

	if (!store_session_create(st, secret_str(&t->text), &session, &token, err))
		return false;
	json_put_object(out, NULL);
	json_put_object(out, "item");
	json_put_str(out, "sessionToken", secret_str(&token));
	json_put_str(out, "buyerId", id_str(&session.account));
	json_put_time(out, "expiresAt", session.expires_ms);
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

struct session_fields {
	struct str key;
};

static const struct json_field session_table[] = {
	{ .name = "key",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct session_fields, key),
	  .required = true,
	  .min = 1,
	  .max = KEY_TEXT_MAX - 1,
	  .doc = "a purchase key or a route key" },
};
static const struct json_fields session_fields = JSON_FIELDS(session_table);

static void session_body(struct party *p, struct net_request *rq)
{
	struct task *t = (struct task *)p;
	struct session_fields fields = { .key = { 0 } };
	struct err err = { 0 };
	OWN_JSON struct json *body = json_parse(net_request_body(rq), &err);

	if (!body || !json_read(body, &session_fields, &fields, &err)) {
		refuse(t, &err);
		return;
	}
	secret_set(&t->text, fields.key);
	submit(t, true);
}

static const struct party_events session_events = { session_body, on_gone, NULL };

void task_session_create(struct router *r, struct net_request *rq)
{
	struct task *t = task_new(r, rq, &session_events);

	if (t)
		t->run = run_session;
}

/* ---- POST /buyer/rotate-api-key ---- */

static bool run_rotate(struct task *t, struct store *st, struct json_out *out, struct err *err)
{
	OWN_SECRET struct secret key;
	struct store_session session;

	if (!store_session_find(st, secret_str(&t->text), &session, err))
		return false;
	/* A router key may have limits; it must not get itself a route key without any. */
	if (session.kind == KEY_ROUTER)
		return err_set(
			err, ERR_FORBIDDEN,
			"sign in with a purchase key or a route key to rotate the route key");
	if (!store_route_key_rotate(st, &session.account, &key, err))
		return false;
	json_put_object(out, NULL);
	json_put_object(out, "item");
	json_put_str(out, "buyerId", id_str(&session.account));
	json_put_str(out, "routeApiKey", secret_str(&key));
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

static void rotate_body(struct party *p, struct net_request *rq)
{
	(void)rq; /* the seed's request has no body; one that is sent means nothing */
	submit((struct task *)p, true);
}

static const struct party_events rotate_events = { rotate_body, on_gone, NULL };

void task_rotate_route_key(struct router *r, struct net_request *rq, struct str token)
{
	struct err err = { 0 };
	struct task *t = task_new(r, rq, &rotate_events);

	if (!t)
		return;
	t->run = run_rotate;
	if (!token.p) {
		(void)err_set(
			&err, ERR_UNAUTHORIZED,
			"no session: sign in with POST /buyer/session and send its sessionToken "
			"as 'Authorization: Bearer'");
		net_request_set_data(rq, NULL);
		refuse(t, &err);
		return;
	}
	secret_set(&t->text, token);
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
