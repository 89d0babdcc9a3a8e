/* SPDX-License-Identifier: Apache-2.0 */
/* The store thread: takes all that has queued up, runs it in one transaction, commits once, then
 * answers. A job that fails loses its own savepoint; if the commit fails, all lose. When nothing
 * is asked, it moves the log into the database. */
#include "store/live.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/inbox.h"

#define BATCH_MAX 512
#define IDLE_MS 1000        /* of silence, then the log is copied and cut */
#define USES_MS 60000       /* between two rounds of writing last uses */
#define WAL_FRAMES_MAX 2048 /* 8 MiB: then the log is copied without waiting for silence */

struct store_worker {
	struct store *st;
	struct inbox *inbox;
	struct inbox_item wake; /* tells that `stopping` is set */
	pthread_t thread;
	int64_t uses_saved_us;
	_Atomic bool stopping, healthy;
	_Atomic int64_t commits, jobs, largest_batch, queued;
	_Atomic int64_t batches[STORE_BATCH_STEPS];
};

static struct store_job *job_of(struct inbox_item *item)
{
	return CONTAINER_OF(item, struct store_job, item);
}

static void deliver_job(struct inbox_item *item)
{
	struct store_job *job = job_of(item);

	job->done(job);
}

static void deliver_nothing(struct inbox_item *item)
{
	(void)item;
}

/* ---- One batch ---- */

/* Up to BATCH_MAX jobs, cut off the front of what was taken. */
struct batch {
	struct store_job *jobs[BATCH_MAX];
	size_t count;
	bool power;
};

static struct inbox_item *cut_batch(const struct store_worker *w, struct inbox_item *list,
                                    struct batch *batch)
{
	batch->count = 0;
	batch->power = w->st->durability == STORE_POWER;
	while (list != NULL && batch->count < BATCH_MAX) {
		struct inbox_item *item = list;
		list = item->next;
		if (item == &w->wake)
			continue;
		batch->jobs[batch->count] = job_of(item);
		batch->power = batch->power || job_of(item)->power;
		batch->count++;
	}
	return list;
}

static bool run_alone(struct store_job *job, struct store *st)
{
	OWN_TX struct store_tx tx = { 0 };

	return store__tx_begin(&tx, st, &job->err) && job->run(job, st, &job->err) &&
	       store__tx_commit(&tx, &job->err);
}

/* Without a savepoint and with balances gathered, as the job promises to make one call that
 * checks before it writes. Should it break that, the batch is lost, but not the books. */
static bool run_single(struct store_job *job, struct store *st)
{
	OWN_TX struct store_tx tx = { 0 };

	return store__tx_begin_bare(&tx, st, &job->err) && job->run(job, st, &job->err) &&
	       store__tx_commit(&tx, &job->err);
}

static bool run_job(struct store_job *job, struct store *st)
{
	job->err = (struct err){ 0 };
	st->db.gather = job->single;
	bool ok = job->single ? run_single(job, st) : run_alone(job, st);
	st->db.gather = false;
	return ok;
}

static void fail_batch(struct batch *batch, const struct err *err)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->jobs[i]->ok)
			batch->jobs[i]->err = *err;
		batch->jobs[i]->ok = false;
	}
}

static void run_batch(struct store_worker *w, struct batch *batch)
{
	struct store *st = w->st;
	struct err err = { 0 };
	OWN_TX struct store_tx tx = { 0 };

	for (size_t i = 0; i < batch->count; i++)
		batch->jobs[i]->ok = true; /* until it fails, by itself or with all */
	if (!store__tx_begin_batch(&tx, st, batch->power, &err)) {
		fail_batch(batch, &err);
		return;
	}
	int64_t before = sqlite3_total_changes64(st->db.handle);
	for (size_t i = 0; i < batch->count; i++)
		batch->jobs[i]->ok = run_job(batch->jobs[i], st);
	bool wrote = sqlite3_total_changes64(st->db.handle) != before;
	if (!store__tx_commit(&tx, &err))
		fail_batch(batch, &err);
	else if (wrote)
		atomic_fetch_add(&w->commits, 1);
}

static void answer(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct store_job *job = batch->jobs[i];
		if (job->reply != NULL)
			inbox_post(job->reply, &job->item);
		else
			job->done(job);
	}
}

static void count_batch(struct store_worker *w, const struct batch *batch)
{
	int64_t count = (int64_t)batch->count;
	size_t step = 0;

	while (step + 1 < STORE_BATCH_STEPS && (INT64_C(1) << step) < count)
		step++;
	atomic_fetch_add(&w->batches[step], 1);
	atomic_fetch_add(&w->jobs, count);
	atomic_fetch_sub(&w->queued, count);
	if (count > atomic_load(&w->largest_batch))
		atomic_store(&w->largest_batch, count);
	if (w->st->db.broken)
		atomic_store(&w->healthy, false);
}

static void run_list(struct store_worker *w, struct inbox_item *list)
{
	struct batch batch;

	while (list != NULL) {
		list = cut_batch(w, list, &batch);
		if (batch.count == 0)
			return;
		run_batch(w, &batch);
		count_batch(w, &batch); /* before an answer, so that who has one may look */
		answer(&batch);
	}
}

/* ---- The thread ---- */

static void tidy_up(struct store_worker *w, bool idle)
{
	struct store *st = w->st;
	int64_t now_us = env_mono_us(st->env);

	if (st->db.broken)
		return;
	if (now_us - w->uses_saved_us >= USES_MS * INT64_C(1000)) {
		store__live_save_uses(st);
		w->uses_saved_us = now_us;
	}
	if (st->db.wal_frames >= WAL_FRAMES_MAX || (idle && st->db.wal_frames > 0))
		store__db_checkpoint(st, idle);
	if (st->db.broken)
		atomic_store(&w->healthy, false);
}

static int wait_ms(const struct store_worker *w)
{
	if (atomic_load(&w->stopping))
		return 0; /* take what is left, then end */
	return w->st->db.wal_frames > 0 ? IDLE_MS : USES_MS;
}

static void *run_thread(void *data)
{
	struct store_worker *w = data;

	for (;;) {
		bool last = atomic_load(&w->stopping);
		struct inbox_item *list = inbox_wait(w->inbox, wait_ms(w));
		if (list == NULL && last)
			return NULL;
		run_list(w, list);
		tidy_up(w, list == NULL);
	}
}

/* Signals are for the thread that handles them. */
static int start_thread(struct store_worker *w)
{
	sigset_t all;
	sigset_t before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&w->thread, NULL, run_thread, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct store_worker *store_worker_start(struct store *st, struct err *err)
{
	struct store_worker *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		err_no_memory(err);
		return NULL;
	}
	w->st = st;
	w->wake.deliver = deliver_nothing;
	w->uses_saved_us = env_mono_us(st->env);
	atomic_init(&w->healthy, true);
	w->inbox = inbox_new(err);
	if (w->inbox == NULL) {
		free(w);
		return NULL;
	}
	if (start_thread(w) != 0) {
		(void)err_set(err, ERR_INTERNAL, "cannot start the store thread");
		inbox_free(w->inbox);
		free(w);
		return NULL;
	}
	return w;
}

void store_worker_submit(struct store_worker *w, struct store_job *job)
{
	assert(!atomic_load(&w->stopping));
	job->item.deliver = deliver_job;
	atomic_fetch_add(&w->queued, 1);
	inbox_post(w->inbox, &job->item);
}

void store_worker_stop(struct store_worker *w)
{
	if (w == NULL)
		return;
	atomic_store(&w->stopping, true);
	inbox_post(w->inbox, &w->wake);
	(void)pthread_join(w->thread, NULL); /* our own thread, joined once */
	inbox_free(w->inbox);
	free(w);
}

bool store_worker_healthy(const struct store_worker *w)
{
	return atomic_load(&w->healthy);
}

struct store_worker_stats store_worker_stats(const struct store_worker *w)
{
	struct store_worker_stats stats = {
		.commits = atomic_load(&w->commits),
		.jobs = atomic_load(&w->jobs),
		.largest_batch = atomic_load(&w->largest_batch),
		.queued = atomic_load(&w->queued),
	};

	for (size_t i = 0; i < STORE_BATCH_STEPS; i++)
		stats.batches[i] = atomic_load(&w->batches[i]);
	return stats;
}
