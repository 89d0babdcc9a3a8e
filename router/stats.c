/* SPDX-License-Identifier: Apache-2.0 */
/* Counting. The added latency of a call is what we took of its time: from its body to the sending
 * of the first attempt, and from the upstream's first usable byte to the client's; what other
 * attempts took is the upstreams' own. */
#include "router/stats.h"

#include <string.h>

#include "router/call.h"

const int64_t stats_bounds_us[STATS_STEPS] = { 100,    250,     500,     1000,    2500,
	                                       5000,   10000,   25000,   100000,  250000,
	                                       500000, 1000000, 5000000, 30000000 };

static void copy(char *out, size_t size, struct str s)
{
	size_t n = s.len < size ? s.len : size - 1;

	memcpy(out, s.p ? s.p : "", n);
	out[n] = '\0';
}

static void observe(struct histogram *h, int64_t us)
{
	size_t i = 0;

	while (i < STATS_STEPS && us > stats_bounds_us[i])
		i++;
	h->count[i]++;
	h->sum_us += us;
}

/* ---- Requests ---- */

static uint64_t hash_of(struct str route, struct str model, int status)
{
	uint64_t h = UINT64_C(1469598103934665603) + (uint64_t)status;

	for (size_t i = 0; i < route.len; i++)
		h = (h ^ (unsigned char)route.p[i]) * UINT64_C(1099511628211);
	for (size_t i = 0; i < model.len; i++)
		h = (h ^ (unsigned char)model.p[i]) * UINT64_C(1099511628211);
	return h;
}

static void count_request(struct stats *s, struct str route, struct str model, int status)
{
	size_t at = hash_of(route, model, status) % STATS_SERIES;

	for (size_t tries = 0; tries < 64; tries++, at = (at + 1) % STATS_SERIES) {
		struct stats_series *one = &s->series[at];
		if (one->count == 0) {
			copy(one->route, sizeof one->route, route);
			copy(one->model, sizeof one->model, model);
			one->status = status;
		} else if (one->status != status || !str_eq(str_of(one->route), route) ||
		           !str_eq(str_of(one->model), model)) {
			continue;
		}
		one->count++;
		return;
	}
	s->other++;
}

void stats_api(struct router *r, const char *path, int status)
{
	count_request(&r->stats, str_of(path), STR(""), status);
}

static struct str model_of(const struct call *c)
{
	return c->asked ? c->asked->id : STR("");
}

void stats_refused(const struct call *c, int status)
{
	count_request(&c->r->stats, c->ask.route->alias, model_of(c), status);
}

/* ---- The last failures ---- */

void stats_note_error(struct router *r, const struct stats_error *e)
{
	struct stats *s = &r->stats;
	struct stats_failure *f = &s->failures[s->failure_count++ % STATS_ERRORS];

	*f = (struct stats_failure){ .at_ms = env_now_ms(r->options.env),
		                     .status = e->status,
		                     .code = e->code };
	copy(f->text, sizeof f->text, str_of(e->text));
	copy(f->route, sizeof f->route, e->route);
	copy(f->model, sizeof f->model, e->model);
	copy(f->upstream, sizeof f->upstream, e->upstream);
	if (e->request)
		f->request = *e->request;
	if (e->account)
		f->account = *e->account;
	if (e->key)
		f->key = *e->key;
}

/* ---- Calls ---- */

static void count_times(struct stats *s, const struct stats_clock *t)
{
	int64_t added = 0;

	if (t->body_us == 0 || t->sent_us == 0 || t->out_us == 0)
		return;
	added = t->sent_us - t->body_us;
	if (t->upstream_us != 0)
		added += t->out_us - t->upstream_us;
	observe(&s->added, added);
	observe(&s->first_byte, t->out_us - t->body_us);
}

static void note_failed(const struct call *c)
{
	const struct stats_error e = {
		.status = c->outcome.status,
		.code = c->failure.code == ERR_NONE ? ERR_UNAVAILABLE : c->failure.code,
		.text = c->end_why ? c->end_why : c->failure.text,
		.route = c->what.route,
		.model = c->what.model,
		.upstream = c->used.upstream,
		.request = &c->hold.request_id,
		.account = store_key_account(c->ask.key),
		.key = store_key_id(c->ask.key),
	};

	stats_note_error(c->r, &e);
}

void stats_settled(const struct call *c)
{
	struct stats *s = &c->r->stats;
	int64_t held = money_micros(c->hold.amount), charged = money_micros(c->charged);

	count_request(s, c->what.route, c->what.model, c->outcome.status);
	count_times(s, &c->clock);
	for (size_t i = 0; i < TOKEN_CLASS_COUNT; i++)
		s->tokens[i] += c->outcome.counts.n[i];
	s->held += held;
	s->charged += charged;
	s->released += held > charged ? held - charged : 0;
	if (c->outcome.state == HOLD_FAILED || c->end_why)
		note_failed(c);
}
