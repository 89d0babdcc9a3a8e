/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that fails. A layer below SQLite refuses the n-th write, sync or truncation, for every n
 * that a small story has, once or from then on. Whatever happens: the store says so or has done
 * it, the books add up, and after a restart what was acknowledged is there. */
#include <sqlite3.h>
#include <string.h>

#include "store/live.h"
#include "tests/check.h"
#include "tests/store_setup.h"

/* ---- The layer ---- */

enum fault_kind {
	FAULT_WRITE,
	FAULT_FULL,
	FAULT_SYNC,
	FAULT_KIND_COUNT
};

struct faults {
	enum fault_kind kind;
	int countdown; /* calls until the fault; 0: none is armed */
	bool stays;    /* fails from then on */
	int fired;
};

struct fault_file {
	sqlite3_file base;
	struct faults *faults;
	sqlite3_file *real; /* in the memory after this struct */
};

struct fault_vfs {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	sqlite3_io_methods methods;
	struct faults faults;
};

static struct fault_file *file_of(sqlite3_file *f)
{
	return (struct fault_file *)(void *)f;
}

static bool is_due(struct faults *f, bool is_sync)
{
	if ((f->kind == FAULT_SYNC) != is_sync || f->countdown == 0)
		return false;
	if (f->countdown > 1) {
		f->countdown--;
		return false;
	}
	f->fired++;
	if (!f->stays)
		f->countdown = 0;
	return true;
}

static int on_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct fault_file *file = file_of(f);

	if (!is_due(file->faults, false))
		return file->real->pMethods->xWrite(file->real, p, n, at);
	/* Half of it may have reached the disk. */
	(void)file->real->pMethods->xWrite(file->real, p, n / 2, at);
	return file->faults->kind == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct fault_file *file = file_of(f);

	if (is_due(file->faults, false))
		return SQLITE_IOERR_TRUNCATE;
	return file->real->pMethods->xTruncate(file->real, size);
}

static int on_sync(sqlite3_file *f, int flags)
{
	struct fault_file *file = file_of(f);

	if (is_due(file->faults, true))
		return SQLITE_IOERR_FSYNC;
	(void)flags; /* what a process wrote survives its death without a sync: save the time */
	return SQLITE_OK;
}

static int on_close(sqlite3_file *f)
{
	return file_of(f)->real->pMethods->xClose(file_of(f)->real);
}

static int on_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return file_of(f)->real->pMethods->xRead(file_of(f)->real, p, n, at);
}

static int on_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return file_of(f)->real->pMethods->xFileSize(file_of(f)->real, size);
}

static int on_lock(sqlite3_file *f, int level)
{
	return file_of(f)->real->pMethods->xLock(file_of(f)->real, level);
}

static int on_unlock(sqlite3_file *f, int level)
{
	return file_of(f)->real->pMethods->xUnlock(file_of(f)->real, level);
}

static int on_check_lock(sqlite3_file *f, int *out)
{
	return file_of(f)->real->pMethods->xCheckReservedLock(file_of(f)->real, out);
}

static int on_control(sqlite3_file *f, int op, void *arg)
{
	return file_of(f)->real->pMethods->xFileControl(file_of(f)->real, op, arg);
}

static int on_sector_size(sqlite3_file *f)
{
	return file_of(f)->real->pMethods->xSectorSize(file_of(f)->real);
}

static int on_device(sqlite3_file *f)
{
	return file_of(f)->real->pMethods->xDeviceCharacteristics(file_of(f)->real);
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	struct fault_vfs *layer = (struct fault_vfs *)(void *)vfs;
	struct fault_file *file = file_of(f);

	file->faults = &layer->faults;
	file->real = (sqlite3_file *)(void *)(file + 1);
	int rc = layer->real->xOpen(layer->real, name, file->real, flags, out_flags);
	file->base.pMethods = rc == SQLITE_OK ? &layer->methods : NULL;
	return rc;
}

/* Version 1 of the methods has no shared memory: enough for a connection that is exclusive. */
static void install(struct fault_vfs *layer)
{
	*layer = (struct fault_vfs){ .real = sqlite3_vfs_find(NULL) };
	layer->vfs = *layer->real;
	layer->vfs.zName = "faults";
	layer->vfs.xOpen = on_open;
	layer->vfs.szOsFile = (int)sizeof(struct fault_file) + layer->real->szOsFile;
	layer->methods = (sqlite3_io_methods){
		.iVersion = 1,
		.xClose = on_close,
		.xRead = on_read,
		.xWrite = on_write,
		.xTruncate = on_truncate,
		.xSync = on_sync,
		.xFileSize = on_size,
		.xLock = on_lock,
		.xUnlock = on_unlock,
		.xCheckReservedLock = on_check_lock,
		.xFileControl = on_control,
		.xSectorSize = on_sector_size,
		.xDeviceCharacteristics = on_device,
	};
	CHECK_I64(sqlite3_vfs_register(&layer->vfs, 1), SQLITE_OK);
}

/* ---- The story ---- */

/* What was acknowledged. */
struct journal {
	int64_t funded, charged;
	int64_t refused; /* steps that said that they failed */
};

static void fund(struct setup *s, struct journal *j)
{
	struct ledger_move move = { "funding", STR("more"), LEDGER_OPERATOR, s->buyer.credit,
		                    money_of_micros(100) };
	struct err err = { 0 };
	int64_t id = 0;
	OWN_TX struct store_tx tx = { 0 };

	if (store__tx_begin(&tx, s->st, &err) && store__ledger_move(s->st, &move, &id, &err) &&
	    store__live_pool_add(s->st, s->buyer.service, move.amount, &err) &&
	    store__tx_commit(&tx, &err)) {
		j->funded += 100;
		return;
	}
	CHECK_I64(err.code, ERR_STORAGE);
	j->refused++;
}

static bool hold_and_settle(struct setup *s, int n, struct money *charged, struct err *err)
{
	struct store_outcome outcome = setup_settled(n, n);
	struct store_call call = setup_call();
	struct store_hold hold = { .request_id = id_make(&s->env, ID_REQUEST) };
	const struct store_key *key = setup_live_key(s, &s->buyer.router);

	if (!CHECK(key != NULL) ||
	    !CHECK(store_live_reserve(store_live(s->st), key, money_of_micros(50), SETUP_NOW_MS,
	                              &hold, err)))
		return false;
	if (!store_hold_write(s->st, &hold, &call, err)) {
		store_live_unreserve(store_live(s->st), &hold);
		return false;
	}
	/* A hold whose end fails stays open, in memory and on disk, until a restart. */
	return store_hold_end(s->st, &hold, &outcome, charged, err);
}

static void call(struct setup *s, int n, struct journal *j)
{
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	if (hold_and_settle(s, n, &charged, &err)) {
		j->charged += money_micros(charged);
		return;
	}
	CHECK_I64(err.code, ERR_STORAGE);
	j->refused++;
}

static void tell(struct setup *s, struct journal *j)
{
	for (int n = 1; n <= 4; n++) {
		fund(s, j);
		call(s, n, j);
		if (n == 2 && !s->st->db.broken)
			store__db_checkpoint(s->st, true);
	}
}

/* The story with one fault; false when it came to its end before the fault was due. */
static bool run_with_fault(struct fault_vfs *layer, enum fault_kind kind, int n, bool stays)
{
	struct setup s;
	struct journal j = { 0 };

	layer->faults = (struct faults){ 0 };
	if (!setup_file(&s, 1000))
		return false;
	layer->faults = (struct faults){ .kind = kind, .countdown = n, .stays = stays };
	tell(&s, &j);
	bool fired = layer->faults.fired > 0;
	/* A failed sync ends all trust; any other fault is over when the disk is well again. */
	layer->faults = (struct faults){ 0 };
	int64_t refused = j.refused;
	fund(&s, &j);
	CHECK_I64(s.st->db.broken, fired && kind == FAULT_SYNC);
	CHECK_I64(j.refused - refused, s.st->db.broken);
	if (!setup_crash(&s) || !setup_open(&s))
		return false;
	setup_check_books(&s);
	/* An unacknowledged step may have happened; an acknowledged one must have. */
	int64_t funded = -setup_balance(&s, LEDGER_OPERATOR) - 1000;
	int64_t charged = setup_balance(&s, LEDGER_USAGE);
	CHECK(funded >= j.funded && funded <= j.funded + 100 * j.refused);
	CHECK(charged >= j.charged && charged <= j.charged + 12 * j.refused);
	CHECK_I64(setup_balance(&s, s.buyer.credit), 1000 + funded - charged);
	CHECK_I64(setup_balance(&s, s.buyer.hold), 0);
	fund(&s, &j);
	setup_done(&s);
	return fired;
}

/* Every `step`-th call. */
static void sweep(enum fault_kind kind, bool stays, int step)
{
	struct fault_vfs layer;
	int n = 1;

	install(&layer);
	while (n < 2000 && run_with_fault(&layer, kind, n, stays))
		n += step;
	CHECK_I64(sqlite3_vfs_unregister(&layer.vfs), SQLITE_OK);
	check_note("%d calls", n - step);
	CHECK(n > 10 && n < 2000);
}

static void every_failed_write_is_told_and_survived(void)
{
	sweep(FAULT_WRITE, false, 1);
}

static void a_disk_that_stays_bad_is_told_and_survived(void)
{
	sweep(FAULT_WRITE, true, 4);
}

static void a_full_disk_is_told_and_heals(void)
{
	sweep(FAULT_FULL, true, 3);
}

static void a_failed_sync_ends_all_writing(void)
{
	sweep(FAULT_SYNC, false, 1);
}

/* ---- The worker ---- */

struct fund_job {
	struct store_job job;
	struct setup *s;
};

static bool run_fund_job(struct store_job *job, struct store *st, struct err *err)
{
	struct fund_job *f = CONTAINER_OF(job, struct fund_job, job);
	struct ledger_move move = { "funding", STR("job"), LEDGER_OPERATOR, f->s->buyer.credit,
		                    money_of_micros(1) };
	int64_t id = 0;

	return store__ledger_move(st, &move, &id, err);
}

static void ignore_done(struct store_job *job)
{
	(void)job;
}

static void a_worker_says_when_the_disk_cannot_be_trusted(void)
{
	struct fault_vfs layer;
	struct setup s;
	struct err err = { 0 };

	install(&layer);
	if (!setup_file(&s, 1000))
		return;
	struct inbox *in = inbox_new(&err);
	struct store_worker *w = store_worker_start(s.st, &err);
	if (!CHECK(in != NULL && w != NULL))
		return;
	layer.faults = (struct faults){ .kind = FAULT_SYNC, .countdown = 1 };
	for (int i = 0; i < 2; i++) {
		struct fund_job f = { { .run = run_fund_job, .done = ignore_done, .reply = in },
			              &s };
		f.job.power = true;
		store_worker_submit(w, &f.job);
		CHECK(inbox_wait(in, 10000) == &f.job.item);
		CHECK(!f.job.ok);
		CHECK_I64(f.job.err.code, ERR_STORAGE);
		CHECK(!store_worker_healthy(w));
	}
	store_worker_stop(w);
	inbox_free(in);
	setup_done(&s);
	CHECK_I64(sqlite3_vfs_unregister(&layer.vfs), SQLITE_OK);
}

static const struct check_case CASES[] = {
	CASE(every_failed_write_is_told_and_survived),
	CASE(a_disk_that_stays_bad_is_told_and_survived),
	CASE(a_full_disk_is_told_and_heals),
	CASE(a_failed_sync_ends_all_writing),
	CASE(a_worker_says_when_the_disk_cannot_be_trusted),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
