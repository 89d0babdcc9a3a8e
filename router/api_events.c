/* SPDX-License-Identifier: Apache-2.0 */
/* GET /buyer/events: the balance as it moves. Read from memory twice a second and sent when it
 * differs, so that watching costs the store nothing; each ten seconds the store is asked whether
 * the session still counts, which also brings the wallet and services that are new. */
#include <stdlib.h>
#include <string.h>

#include "router/api_parts.h"

#define POOLS_MAX 16
#define TICK_MS 500
#define CHECK_MS 10000
#define PING_MS 15000
#define EVENT_MAX 8192

struct holdings {
	struct store_pool_name pools[POOLS_MAX];
	size_t count;
	struct money wallet;
	bool has_wallet;
};

struct api_stream {
	struct api_call *c;
	struct api_stream *next, **link;
	struct net_timer timer;
	struct holdings now, loaded; /* `loaded` is the job's */
	struct buf told;
	int64_t checked_ms, sent_ms;
};

/* ---- On the store thread ---- */

static bool load(struct api_call *c, struct store *st, struct holdings *h, struct err *err)
{
	struct store_account account;

	if (!store_live_pools(st, &c->session.account, api_service(c), h->pools, POOLS_MAX,
	                      &h->count, err) ||
	    !store_account_find(st, id_str(&c->session.account), &account, err))
		return false;
	h->wallet = account.wallet;
	h->has_wallet = c->session.kind != KEY_ROUTER;
	return true;
}

bool api_events_load(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	(void)out; /* the stream writes by itself */
	c->stream = calloc(1, sizeof *c->stream);
	return c->stream ? load(c, st, &c->stream->loaded, err) : err_no_memory(err);
}

static bool run_check(struct store_job *job, struct store *st, struct err *err)
{
	struct api_call *c = CONTAINER_OF(job, struct api_call, job);

	return store_session_find(st, secret_str(&c->token), &c->session, err) &&
	       load(c, st, &c->stream->loaded, err);
}

/* ---- Telling ---- */

static void put_balances(const struct holdings *h, struct json_out *o)
{
	json_put_object(o, NULL);
	if (h->has_wallet) {
		json_put_object(o, "wallet");
		json_put_usd(o, "balanceUsd", h->wallet);
		json_put_end(o, '}');
	} else {
		json_put_null(o, "wallet");
	}
	json_put_array(o, "services");
	for (size_t i = 0; i < h->count; i++) {
		struct store_balance b = store_pool_balance(h->pools[i].pool);
		json_put_object(o, NULL);
		json_put_str(o, "id", id_str(&h->pools[i].service));
		json_put_usd(o, "creditBalanceUsd", b.balance);
		json_put_usd(o, "heldUsd", b.held);
		json_put_usd(o, "availableUsd", b.available);
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
	json_put_end(o, '}');
}

static void send(struct api_stream *s, struct str text)
{
	net_reply_write(s->c->rq, text);
	s->sent_ms = net_loop_now_ms(s->c->r->options.loop);
}

static void tell(struct api_stream *s)
{
	OWN_JSON_OUT struct json_out o = json_out_make(EVENT_MAX);
	OWN_BUF struct buf event = buf_make(EVENT_MAX + 64);
	bool silent = net_loop_now_ms(s->c->r->options.loop) - s->sent_ms >= PING_MS;

	put_balances(&s->now, &o);
	if (net_reply_queued(s->c->rq) > LIMIT_HTTP_OUT_LOW)
		return; /* a reader that does not read gets the newest later */
	if (!str_eq(buf_str(&o.text), buf_str(&s->told))) {
		buf_add_z(&event, "event: balance\ndata: ");
		buf_add(&event, buf_str(&o.text));
		buf_add_z(&event, "\n\n");
		send(s, buf_str(&event));
		buf_reset(&s->told);
		buf_add(&s->told, buf_str(&o.text));
	} else if (silent) {
		send(s, STR(": still here\n\n"));
	}
}

/* ---- Life ---- */

void api_stream_free(struct api_stream *s)
{
	if (!s)
		return;
	if (s->link) {
		net_timer_stop(&s->timer);
		*s->link = s->next;
		if (s->next)
			s->next->link = s->link;
	}
	buf_done(&s->told);
	free(s);
}

static void end(struct api_stream *s)
{
	struct api_call *c = s->c;

	net_timer_stop(&s->timer);
	if (c->rq) {
		net_reply_write(c->rq, STR("event: end\ndata: {}\n\n"));
		net_reply_end(c->rq);
		c->rq = NULL;
	}
	if (!c->working)
		api_free(c);
}

static void check_done(struct store_job *job)
{
	struct api_call *c = CONTAINER_OF(job, struct api_call, job);

	c->working = false;
	if (!job->ok || !c->rq) {
		end(c->stream);
		return;
	}
	c->stream->now = c->stream->loaded;
}

static void check(struct api_stream *s)
{
	s->checked_ms = net_loop_now_ms(s->c->r->options.loop);
	s->c->job = (struct store_job){
		.run = run_check,
		.done = check_done,
		.reply = net_loop_inbox(s->c->r->options.loop),
	};
	s->c->working = true;
	store_worker_submit(s->c->r->options.worker, &s->c->job);
}

static void tick(void *data)
{
	struct api_stream *s = data;

	tell(s);
	net_timer_start(&s->timer, TICK_MS);
	if (!s->c->working && net_loop_now_ms(s->c->r->options.loop) - s->checked_ms >= CHECK_MS)
		check(s);
}

static void on_body(struct party *p, struct net_request *rq)
{
	(void)p; /* it was read before the stream began */
	(void)rq;
}

static void on_gone(struct party *p)
{
	struct api_call *c = (struct api_call *)p;

	c->rq = NULL;
	end(c->stream);
}

static const struct party_events stream_events = { on_body, on_gone, NULL };

void api_events_begin(struct api_call *c)
{
	struct api_stream *s = c->stream;
	struct router *r = c->r;
	struct net_header h[API_HEADERS];
	size_t n = api_headers(h, "text/event-stream");

	c->party.events = &stream_events;
	s->c = c;
	s->now = s->loaded;
	s->told = buf_make(EVENT_MAX);
	s->checked_ms = net_loop_now_ms(r->options.loop);
	s->next = r->streams;
	s->link = &r->streams;
	if (r->streams)
		r->streams->link = &s->next;
	r->streams = s;
	net_timer_init(&s->timer, r->options.loop, tick, s);
	stats_api(r, c->route->path, 200);
	net_reply_start(c->rq, 200, h, n);
	tick(s);
}

void api_streams_end(struct router *r)
{
	for (struct api_stream *s = r->streams, *next; s; s = next) {
		next = s->next;
		end(s);
	}
}

void api_streams_cut(struct router *r)
{
	while (r->streams)
		api_free(r->streams->c);
}
