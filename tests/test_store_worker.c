/* SPDX-License-Identifier: Apache-2.0 */
/* The store thread: one transaction for all that waits, a failing job alone, live effects before
 * the answer, and many threads at once. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/inbox.h"
#include "store/live.h"
#include "tests/check.h"
#include "tests/store_setup.h"

/* ---- A job that runs a function of the case ---- */

struct test_job {
	struct store_job job;
	struct setup *s;
	bool (*run)(struct test_job *t, struct err *err);
	struct store_hold hold;
	int64_t amount;
	struct money charged;
	int done; /* how often */
};

static bool run_test_job(struct store_job *job, struct store *st, struct err *err)
{
	struct test_job *t = CONTAINER_OF(job, struct test_job, job);

	(void)st;
	return t->run(t, err);
}

static void note_done(struct store_job *job)
{
	CONTAINER_OF(job, struct test_job, job)->done++;
}

static struct test_job make_job(struct setup *s, bool (*run)(struct test_job *, struct err *),
                                struct inbox *reply)
{
	return (struct test_job){
		.job = { .run = run_test_job, .done = note_done, .reply = reply },
		.s = s,
		.run = run,
	};
}

/* Delivers answers until `count` jobs have had theirs. */
static void wait_for(struct inbox *in, size_t count)
{
	while (count > 0) {
		struct inbox_item *item = inbox_wait(in, 10000);
		if (!CHECK(item != NULL))
			return;
		while (item != NULL) {
			struct inbox_item *next = item->next;
			item->deliver(item);
			item = next;
			count--;
		}
	}
}

static bool move(struct test_job *t, struct err *err)
{
	struct ledger_move m = { "test", STR("job"), t->s->buyer.credit, t->s->buyer.wallet,
		                 money_of_micros(t->amount) };
	int64_t id = 0;

	return store__ledger_move(t->s->st, &m, &id, err);
}

static bool move_then_fail(struct test_job *t, struct err *err)
{
	return move(t, err) && err_set(err, ERR_POLICY_REFUSED, "changed its mind");
}

static bool look(struct test_job *t, struct err *err)
{
	struct store_open_holds open = { 0 };

	return store_holds_open(t->s->st, &open, err);
}

/* ---- Cases ---- */

static void jobs_are_answered_in_order_and_once(void)
{
	enum {
		JOBS = 50
	};
	struct setup s;
	struct err err = { 0 };
	struct inbox *in = inbox_new(&err);
	struct test_job jobs[JOBS];

	if (!CHECK(in != NULL) || !setup_file(&s, 1000))
		return;
	struct store_worker *w = store_worker_start(s.st, &err);
	if (!CHECK(w != NULL))
		return;
	for (size_t i = 0; i < JOBS; i++) {
		jobs[i] = make_job(&s, move, in);
		jobs[i].amount = 10;
		store_worker_submit(w, &jobs[i].job);
	}
	wait_for(in, JOBS);
	for (size_t i = 0; i < JOBS; i++) {
		CHECK(jobs[i].job.ok);
		CHECK_I64(jobs[i].done, 1);
	}
	struct store_worker_stats stats = store_worker_stats(w);
	CHECK_I64(stats.jobs, JOBS);
	CHECK(stats.commits >= 1 && stats.commits <= JOBS);
	CHECK(stats.largest_batch >= 1 && stats.largest_batch <= JOBS);
	store_worker_stop(w);
	CHECK_I64(setup_balance(&s, s.buyer.credit), 500);
	setup_check_books(&s);
	inbox_free(in);
	setup_done(&s);
}

static bool wait_on_pipe(struct test_job *t, struct err *err)
{
	char byte = 0;

	(void)err;
	return read((int)t->amount, &byte, 1) == 1;
}

/* Holds the thread in a job until all others wait: they are then one batch. */
static void what_waits_is_one_commit(void)
{
	enum {
		JOBS = 40
	};
	struct setup s;
	struct err err = { 0 };
	struct inbox *in = inbox_new(&err);
	struct test_job first;
	struct test_job jobs[JOBS];
	int gate[2];

	if (!CHECK(in != NULL) || !CHECK_I64(pipe(gate), 0) || !setup_file(&s, 1000))
		return;
	struct store_worker *w = store_worker_start(s.st, &err);
	if (!CHECK(w != NULL))
		return;
	first = make_job(&s, wait_on_pipe, in);
	first.amount = gate[0];
	store_worker_submit(w, &first.job);
	for (size_t i = 0; i < JOBS; i++) {
		jobs[i] = make_job(&s, i == 7 ? move_then_fail : move, in);
		jobs[i].amount = i == 20 ? 5000 : 10;
		store_worker_submit(w, &jobs[i].job);
	}
	CHECK_I64(write(gate[1], "x", 1), 1);
	wait_for(in, JOBS + 1);
	CHECK(store_worker_stats(w).commits <=
	      2); /* the gate may have let some in with the first */
	CHECK(!jobs[7].job.ok);
	CHECK_I64(jobs[7].job.err.code, ERR_POLICY_REFUSED);
	CHECK(!jobs[20].job.ok);
	CHECK_I64(jobs[20].job.err.code, ERR_INSUFFICIENT_FUNDS);
	CHECK(jobs[6].job.ok && jobs[8].job.ok && jobs[19].job.ok && jobs[21].job.ok);
	store_worker_stop(w);
	CHECK_I64(setup_balance(&s, s.buyer.credit), 1000 - 38 * 10);
	setup_check_books(&s);
	CHECK_I64(close(gate[0]), 0);
	CHECK_I64(close(gate[1]), 0);
	inbox_free(in);
	setup_done(&s);
}

static void reading_commits_nothing(void)
{
	struct setup s;
	struct err err = { 0 };
	struct inbox *in = inbox_new(&err);

	if (!CHECK(in != NULL) || !setup_file(&s, 1000))
		return;
	struct store_worker *w = store_worker_start(s.st, &err);
	struct test_job job = make_job(&s, look, in);
	store_worker_submit(w, &job.job);
	wait_for(in, 1);
	CHECK(job.job.ok);
	CHECK_I64(store_worker_stats(w).jobs, 1);
	CHECK_I64(store_worker_stats(w).commits, 0);
	CHECK(store_worker_healthy(w));
	store_worker_stop(w);
	inbox_free(in);
	setup_done(&s);
}

static void a_job_without_a_reply_is_done_on_the_store_thread(void)
{
	struct setup s;
	struct err err = { 0 };

	if (!setup_file(&s, 1000))
		return;
	struct store_worker *w = store_worker_start(s.st, &err);
	struct test_job job = make_job(&s, move, NULL);
	job.amount = 1;
	store_worker_submit(w, &job.job);
	store_worker_stop(w); /* finishes what is queued */
	CHECK_I64(job.done, 1);
	CHECK(job.job.ok);
	setup_done(&s);
}

static bool kill_key(struct test_job *t, struct err *err)
{
	return store__live_key_dead(t->s->st, t->amount, err);
}

static bool kill_key_and_fail(struct test_job *t, struct err *err)
{
	return kill_key(t, err) && err_set(err, ERR_CONFLICT, "no");
}

static void effects_are_seen_when_the_answer_comes_and_not_if_the_job_failed(void)
{
	struct setup s;
	struct err err = { 0 };
	struct inbox *in = inbox_new(&err);

	if (!CHECK(in != NULL) || !setup_file(&s, 1000))
		return;
	const struct store_key *key = setup_live_key(&s, &s.buyer.router);
	struct store_worker *w = store_worker_start(s.st, &err);
	struct test_job failing = make_job(&s, kill_key_and_fail, in);
	failing.amount = key->row;
	store_worker_submit(w, &failing.job);
	wait_for(in, 1);
	CHECK(setup_live_key(&s, &s.buyer.router) == key);
	struct test_job killing = make_job(&s, kill_key, in);
	killing.amount = key->row;
	store_worker_submit(w, &killing.job);
	wait_for(in, 1);
	CHECK(store_live_key(store_live(s.st), secret_str(&s.buyer.router), SETUP_NOW_MS, &err) ==
	      NULL);
	store_worker_stop(w);
	inbox_free(in);
	setup_done(&s);
}

/* ---- Many threads ---- */

#define CALLERS 8
#define CALLS 200

struct caller {
	struct setup *s;
	struct store_worker *w;
	const struct store_key *key;
	struct inbox *in;
	int64_t spent;
	int number, refused;
};

static bool write_hold(struct test_job *t, struct err *err)
{
	struct store_call call = setup_call();

	return store_hold_write(t->s->st, &t->hold, &call, err);
}

static bool end_hold(struct test_job *t, struct err *err)
{
	struct store_outcome outcome = setup_settled(t->amount, 0);

	return store_hold_end(t->s->st, &t->hold, &outcome, &t->charged, err);
}

static void call_once(struct caller *c, int n)
{
	struct test_job write = make_job(c->s, write_hold, c->in);
	struct err err;
	char name[ID_TEXT_MAX];

	(void)snprintf(name, sizeof(name), "req_%d_%d", c->number, n);
	write.hold.request_id = id_of(str_of(name));
	if (!store_live_reserve(store_live(c->s->st), c->key, money_of_micros(50), SETUP_NOW_MS,
	                        &write.hold, &err)) {
		c->refused++;
		return;
	}
	write.job.single = n % 2 == 0;
	store_worker_submit(c->w, &write.job);
	wait_for(c->in, 1);
	CHECK(write.job.ok);
	struct test_job end = make_job(c->s, end_hold, c->in);
	end.hold = write.hold;
	end.amount = n % 60; /* now and then more than the hold */
	end.job.single = n % 3 != 0;
	store_worker_submit(c->w, &end.job);
	wait_for(c->in, 1);
	CHECK(end.job.ok);
	c->spent += money_micros(end.charged);
}

static void *run_caller(void *data)
{
	struct caller *c = data;

	for (int n = 0; n < CALLS; n++)
		call_once(c, n);
	return NULL;
}

static void many_threads_spend_and_every_micro_is_found_again(void)
{
	struct setup s;
	struct err err = { 0 };
	struct caller callers[CALLERS];
	pthread_t threads[CALLERS];
	int64_t spent = 0;

	if (!setup_file(&s, 20000))
		return;
	const struct store_key *key = setup_live_key(&s, &s.buyer.router);
	struct store_worker *w = store_worker_start(s.st, &err);
	if (!CHECK(w != NULL))
		return;
	for (int i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){
			.s = &s, .w = w, .key = key, .in = inbox_new(&err), .number = i
		};
		CHECK(callers[i].in != NULL);
		CHECK_I64(pthread_create(&threads[i], NULL, run_caller, &callers[i]), 0);
	}
	for (int i = 0; i < CALLERS; i++) {
		CHECK_I64(pthread_join(threads[i], NULL), 0);
		spent += callers[i].spent;
		inbox_free(callers[i].in);
	}
	store_worker_stop(w);
	CHECK_I64(setup_balance(&s, s.buyer.credit), 20000 - spent);
	CHECK_I64(setup_balance(&s, s.buyer.hold), 0);
	CHECK_I64(money_micros(setup_live_balance(&s, &s.buyer).available), 20000 - spent);
	CHECK_I64(atomic_load(&key->use->committed), spent);
	CHECK_I64(atomic_load(&key->use->running), 0);
	setup_check_books(&s);
	setup_done(&s);
}

static const struct check_case CASES[] = {
	CASE(jobs_are_answered_in_order_and_once),
	CASE(what_waits_is_one_commit),
	CASE(reading_commits_nothing),
	CASE(a_job_without_a_reply_is_done_on_the_store_thread),
	CASE(effects_are_seen_when_the_answer_comes_and_not_if_the_job_failed),
	CASE(many_threads_spend_and_every_micro_is_found_again),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
