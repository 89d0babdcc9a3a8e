/* SPDX-License-Identifier: Apache-2.0 */
/* Work in jobs. A piece of work may outlive everything that it was for: its relay may hang up, and
 * the owner may be freed while the job's reply lies in the loop's inbox. It then goes on alone
 * (`owner` is NULL) and frees itself when the reply is delivered. */
#include "mcp/owner.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "mcp/backup.h"
#include "mcp/frame.h"
#include "mcp/status.h"

/* An answer must fit a frame with its number. */
#define ANSWER_MAX (LIMIT_FRAME - 64)

struct peer { /* a relay's connection */
	struct peer *next;
	struct mcp__owner *owner;
	struct net_local *connection;
	bool greeted;
};

struct work {
	struct work *next; /* in the owner's list */
	struct mcp__owner *owner;
	struct peer *peer; /* who asked; NULL: this process, or a relay that is gone */
	bool own;
	int64_t number; /* the asker's */
	const struct mcp_shop *shop;
	struct store_job job;
	struct buf request;
	struct json_out answer;
	atomic_bool cancelled; /* set on the loop, read before the job does anything */
	bool status;           /* half of its answer is made on the loop */
	bool slices;           /* a backup, else one job does it */
	struct mcp__backup backup;
	struct store_job cancel; /* of a backup that is cut */
};

struct mcp__owner {
	struct net_loop *loop;
	const struct mcp_shop *shop;
	mcp__owner_answer_fn *answer;
	void *data;
	struct net_local_server *server;
	struct peer *peers;
	struct work *works;
};

/* ---- Work ---- */

static void work_free(struct work *w)
{
	buf_wipe(&w->request);
	buf_done(&w->request);
	buf_wipe(&w->answer.text);
	json_out_done(&w->answer);
	free(w);
}

static void work_unlink(struct work *w)
{
	struct work **at = &w->owner->works;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
}

/* On the store thread. */
static bool run_at_once(struct store_job *job, struct store *st, struct err *err)
{
	struct work *w = CONTAINER_OF(job, struct work, job);

	if (atomic_load(&w->cancelled))
		return err_set(err, ERR_CONFLICT, "cancelled before it began");
	buf_wipe(&w->answer.text); /* the worker may run a job again */
	json_out_done(&w->answer);
	w->answer = json_out_make(ANSWER_MAX);
	mcp_work_run(w->shop, st, buf_str(&w->request), &w->answer);
	return json_out_ok(&w->answer, err);
}

static bool run_slice(struct store_job *job, struct store *st, struct err *err)
{
	struct work *w = CONTAINER_OF(job, struct work, job);

	return mcp__backup_slice(&w->backup, st, buf_str(&w->request), err);
}

static bool run_cancel(struct store_job *job, struct store *st, struct err *err)
{
	struct work *w = CONTAINER_OF(job, struct work, cancel);

	(void)st;
	(void)err;
	mcp__backup_cancel(&w->backup);
	return true;
}

static void cancelled(struct store_job *job)
{
	(void)job; /* its work goes when the slice's own reply is delivered */
}

static void put_answer(struct work *w, struct buf *out)
{
	if (!w->job.ok)
		mcp__frame_put_error(out, &w->job.err);
	else if (w->slices)
		mcp__backup_put_answer(buf_str(&w->request), out);
	else if (w->status)
		mcp__status_put_answer(w->shop, buf_str(&w->answer.text), out);
	else
		buf_add(out, buf_str(&w->answer.text));
}

static void send_answer(const struct work *w, struct str answer)
{
	OWN_BUF struct buf frame = buf_make(LIMIT_FRAME);

	mcp__frame_put(&frame, w->number, answer);
	net_local_send(w->peer->connection, buf_str(&frame));
	buf_wipe(&frame);
}

/* On the loop. The answer is given last, because the asker may free the owner. */
static void work_done(struct store_job *job)
{
	struct work *w = CONTAINER_OF(job, struct work, job);
	struct mcp__owner *o = w->owner;
	OWN_BUF struct buf answer = buf_make(ANSWER_MAX);

	if (o == NULL) {
		work_free(w);
		return;
	}
	if (w->slices && job->ok && !w->backup.finished) {
		store_worker_submit(o->shop->worker, job);
		return;
	}
	work_unlink(w);
	put_answer(w, &answer);
	int64_t number = w->number;
	bool own = w->own;
	if (w->peer != NULL)
		send_answer(w, buf_str(&answer));
	work_free(w);
	if (own)
		o->answer(o->data, number, buf_str(&answer));
	buf_wipe(&answer);
}

static struct work *work_new(struct mcp__owner *o, int64_t number, struct str request)
{
	struct work *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->number = number;
	w->shop = o->shop;
	w->request = buf_make(LIMIT_FRAME);
	w->answer = json_out_make(ANSWER_MAX);
	buf_add(&w->request, request);
	if (!buf_ok(&w->request, "a request", NULL)) {
		work_free(w);
		return NULL;
	}
	w->slices = mcp__backup_is(request);
	w->status = mcp__status_is(request);
	w->job = (struct store_job){
		.run = w->slices ? run_slice : run_at_once,
		.done = work_done,
		.reply = net_loop_inbox(o->loop),
		.power = mcp_work_is_durable(request),
	};
	w->cancel = (struct store_job){ .run = run_cancel, .done = cancelled };
	w->owner = o;
	w->next = o->works;
	o->works = w;
	return w;
}

bool mcp__owner_run(struct mcp__owner *o, int64_t number, struct str request, struct err *err)
{
	struct work *w = work_new(o, number, request);

	if (w == NULL)
		return err_no_memory(err);
	w->own = true;
	store_worker_submit(o->shop->worker, &w->job);
	return true;
}

static void cancel(struct mcp__owner *o, const struct peer *peer, int64_t number)
{
	for (struct work *w = o->works; w != NULL; w = w->next) {
		if (w->number == number && w->peer == peer && w->own == (peer == NULL))
			atomic_store(&w->cancelled, true);
	}
}

void mcp__owner_cancel(struct mcp__owner *o, int64_t number)
{
	cancel(o, NULL, number);
}

size_t mcp__owner_running(const struct mcp__owner *o)
{
	size_t n = 0;

	for (const struct work *w = o->works; w != NULL; w = w->next)
		n++;
	return n;
}

/* ---- Relays ---- */

static void peer_free(struct peer *p)
{
	struct mcp__owner *o = p->owner;
	struct peer **at = &o->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	for (struct work *w = o->works; w != NULL; w = w->next) {
		if (w->peer == p)
			w->peer = NULL;
	}
	free(p);
}

static void peer_hang_up(struct peer *p)
{
	net_local_close(p->connection);
	peer_free(p);
}

/* Whoever connects is told at once who we are, so that one of another version can say so. */
static void relay_opened(void *data, struct net_local *c)
{
	struct mcp__owner *o = data;
	struct peer *p = calloc(1, sizeof(*p));
	OWN_BUF struct buf hello = buf_make(LIMIT_FRAME);

	if (p == NULL) {
		net_local_close(c);
		return;
	}
	p->owner = o;
	p->connection = c;
	p->next = o->peers;
	o->peers = p;
	net_local_set_data(c, p);
	mcp__frame_put_hello(&hello);
	net_local_send(c, buf_str(&hello));
}

static void relay_greeted(struct peer *p, struct str bytes)
{
	struct err err = { 0 };

	if (mcp__frame_read_hello(bytes, &err)) {
		p->greeted = true;
		return;
	}
	log_event(LOG_ERROR, "relay_refused", "error=\"another version of agent-store\"");
	peer_hang_up(p);
}

static void relay_frame(void *data, struct net_local *c, struct str bytes)
{
	struct peer *p = data;
	int64_t number = 0;
	struct str request;

	(void)c;
	if (!p->greeted) {
		relay_greeted(p, bytes);
		return;
	}
	if (!mcp__frame_read(bytes, &number, &request)) {
		peer_hang_up(p);
		return;
	}
	if (request.len == 0) {
		cancel(p->owner, p, number);
		return;
	}
	struct work *w = work_new(p->owner, number, request);
	if (w == NULL) { /* without memory: the relay tries again when it is hung up on */
		peer_hang_up(p);
		return;
	}
	w->peer = p;
	store_worker_submit(p->owner->shop->worker, &w->job);
}

static void relay_closed(void *data, struct net_local *c)
{
	(void)c;
	peer_free(data);
}

bool mcp__owner_listen(struct mcp__owner *o, const char *path, struct err *err)
{
	static const struct net_local_events EVENTS = {
		.opened = relay_opened,
		.frame = relay_frame,
		.closed = relay_closed,
	};

	assert(o->server == NULL);
	o->server = net_local_listen(o->loop, path, &EVENTS, o, err);
	return o->server != NULL;
}

/* ---- Life ---- */

struct mcp__owner *mcp__owner_new(struct net_loop *loop, const struct mcp_shop *shop,
                                  mcp__owner_answer_fn *answer, void *data, struct err *err)
{
	struct mcp__owner *o = calloc(1, sizeof(*o));

	if (o == NULL) {
		(void)err_no_memory(err);
		return NULL;
	}
	o->loop = loop;
	o->shop = shop;
	o->answer = answer;
	o->data = data;
	return o;
}

void mcp__owner_cut(struct mcp__owner *o)
{
	for (struct work *w = o->works; w != NULL; w = w->next) {
		if (w->slices)
			store_worker_submit(o->shop->worker, &w->cancel);
	}
}

void mcp__owner_free(struct mcp__owner *o)
{
	if (o == NULL)
		return;
	for (struct work *w = o->works; w != NULL; w = w->next)
		w->owner = NULL;
	for (struct peer *p = o->peers, *next = NULL; p != NULL; p = next) {
		next = p->next;
		net_local_close(p->connection);
		free(p);
	}
	net_local_server_free(o->server);
	free(o);
}
