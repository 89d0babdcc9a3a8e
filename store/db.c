/* SPDX-License-Identifier: Apache-2.0 */
/* Queries and the connection; tx.c has the transactions. The connection is locked exclusively
 * for as long as it is open: the write-ahead log then needs no shared memory, a commit no file
 * locks, and a stray sqlite3 shell is told "locked" instead of checkpointing under our feet, which
 * SQLite before 3.51.3 may answer with corruption. */
#include "store/internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define NO_SLOT STORE_DB_STATEMENTS
#define PROBES 8 /* slots to look at before a statement goes uncached */

/* Another program that has the file open gets this long to let go. */
#define BUSY_MS 2000

/* ---- Failures ---- */

static bool is_unique_rule(int rc)
{
	return rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
	       rc == SQLITE_CONSTRAINT_ROWID;
}

bool store__db_failed(struct store *st, int rc, struct err *err)
{
	const char *path = st->path == NULL ? "database" : st->path;

	/* After a failed sync the kernel may have dropped the pages: no retry can be believed. */
	if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
		st->db.broken = true;
	if (is_unique_rule(rc))
		return err_set(err, ERR_CONFLICT, "it exists already (%s)",
		               sqlite3_errmsg(st->db.handle));
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return err_no_memory(err);
	case SQLITE_NOTADB:
		return err_set(err, ERR_STORAGE, "'%s' is not a database", path);
	case SQLITE_CORRUPT:
		return err_set(err, ERR_STORAGE, "'%s' is damaged; restore a backup", path);
	case SQLITE_BUSY:
		return err_set(err, ERR_STORAGE, "'%s' is in use by another program", path);
	case SQLITE_FULL:
		return err_set(err, ERR_STORAGE, "the disk of '%s' is full", path);
	default: /* allowed: SQLite's numbers, not an enum of ours */
		return err_set(err, ERR_STORAGE, "'%s': %s (%d)", path,
		               sqlite3_errmsg(st->db.handle), rc);
	}
}

/* ---- Statements ---- */

/* Literals live as long as the program, so their address is a name that costs no comparison. */
static size_t first_slot(const char *sql)
{
	uint64_t h = (uint64_t)(uintptr_t)sql * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(h >> 32) & (STORE_DB_STATEMENTS - 1);
}

static size_t find_slot(const struct store_db *db, const char *sql)
{
	for (size_t i = 0; i < PROBES; i++) {
		size_t slot = (first_slot(sql) + i) & (STORE_DB_STATEMENTS - 1);
		const char *found = db->statements[slot].sql;
		if (found == sql && !db->statements[slot].busy)
			return slot;
		if (found == NULL)
			return slot;
	}
	return NO_SLOT;
}

static int prepare(struct store_db *db, const char *sql, sqlite3_stmt **stmt)
{
	return sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
}

struct store_query store__query_of(struct store *st, const char *sql)
{
	struct store_query q = { .st = st, .slot = find_slot(&st->db, sql) };

	if (q.slot == NO_SLOT) {
		q.rc = prepare(&st->db, sql, &q.stmt);
		return q;
	}
	struct store_db_statement *kept = &st->db.statements[q.slot];
	if (kept->sql == NULL) {
		q.rc = prepare(&st->db, sql, &kept->stmt);
		if (q.rc != SQLITE_OK) {
			q.slot = NO_SLOT;
			return q;
		}
		kept->sql = sql;
	}
	kept->busy = true;
	q.stmt = kept->stmt;
	return q;
}

void store__query_done(struct store_query *q)
{
	if (q->st == NULL || q->stmt == NULL)
		return;
	if (q->slot == NO_SLOT) {
		(void)sqlite3_finalize(q->stmt); /* repeats an error that step reported */
	} else {
		(void)sqlite3_reset(q->stmt);          /* likewise */
		(void)sqlite3_clear_bindings(q->stmt); /* borrowed texts end here */
		q->st->db.statements[q->slot].busy = false;
	}
	q->stmt = NULL;
}

static void bound(struct store_query *q, int rc)
{
	if (q->rc == SQLITE_OK)
		q->rc = rc;
}

void store__bind_i64(struct store_query *q, int index, int64_t value)
{
	bound(q, sqlite3_bind_int64(q->stmt, index, value));
}

void store__bind_money(struct store_query *q, int index, struct money value)
{
	store__bind_i64(q, index, money_micros(value));
}

void store__bind_str(struct store_query *q, int index, struct str value)
{
	if (value.p == NULL)
		store__bind_null(q, index);
	else if (value.len > INT_MAX)
		bound(q, SQLITE_TOOBIG);
	else
		bound(q, sqlite3_bind_text(q->stmt, index, value.p, (int)value.len, SQLITE_STATIC));
}

void store__bind_z(struct store_query *q, int index, const char *value)
{
	store__bind_str(q, index, str_of(value));
}

void store__bind_id(struct store_query *q, int index, const struct id *value)
{
	if (id_is_empty(value))
		store__bind_null(q, index);
	else
		store__bind_str(q, index, id_str(value));
}

void store__bind_hash(struct store_query *q, int index, const struct hash *value)
{
	bound(q, sqlite3_bind_blob(q->stmt, index, value->bytes, (int)sizeof(value->bytes),
	                           SQLITE_STATIC));
}

void store__bind_null(struct store_query *q, int index)
{
	bound(q, sqlite3_bind_null(q->stmt, index));
}

/* SQLite may undo a whole transaction by itself (full disk, no memory). What ran after that would
 * commit on its own, so nothing does. */
static bool transaction_lost(const struct store_db *db)
{
	return db->depth > 0 && sqlite3_get_autocommit(db->handle) != 0;
}

bool store__step(struct store_query *q, bool *row, struct err *err)
{
	struct store *st = q->st;

	if (q->rc != SQLITE_OK)
		return store__db_failed(st, q->rc, err);
	if (transaction_lost(&st->db))
		return err_set(err, ERR_STORAGE, "the transaction was undone by the database");
	int rc = sqlite3_step(q->stmt);
	if (rc == SQLITE_ROW) {
		*row = true;
		return true;
	}
	if (rc != SQLITE_DONE)
		(void)store__db_failed(st, rc, err); /* before the reset changes the message */
	(void)sqlite3_reset(q->stmt);
	if (rc != SQLITE_DONE)
		return false;
	*row = false;
	return true;
}

bool store__run(struct store_query *q, struct err *err)
{
	bool row = false;

	if (!store__step(q, &row, err))
		return false;
	assert(!row); /* a query that gives rows is read with store__step */
	return true;
}

bool store__run_one(struct store_query *q, enum err_code code, const char *text, struct err *err)
{
	if (!store__run(q, err))
		return false;
	if (store__changed(q) != 1)
		return err_set(err, code, "%s", text);
	return true;
}

int64_t store__changed(const struct store_query *q)
{
	return sqlite3_changes64(q->st->db.handle);
}

int64_t store__last_id(const struct store *st)
{
	return sqlite3_last_insert_rowid(st->db.handle);
}

int64_t store__col_i64(const struct store_query *q, int column)
{
	return sqlite3_column_int64(q->stmt, column);
}

struct money store__col_money(const struct store_query *q, int column)
{
	return money_of_micros(store__col_i64(q, column));
}

struct str store__col_str(const struct store_query *q, int column)
{
	const unsigned char *text = sqlite3_column_text(q->stmt, column);
	int len = sqlite3_column_bytes(q->stmt, column);

	if (text == NULL)
		return (struct str){ 0 };
	return (struct str){ (const char *)text, (size_t)len };
}

struct id store__col_id(const struct store_query *q, int column)
{
	return id_of(store__col_str(q, column));
}

struct hash store__col_hash(const struct store_query *q, int column)
{
	struct hash out = { { 0 } };
	const void *bytes = sqlite3_column_blob(q->stmt, column);

	if (bytes != NULL && sqlite3_column_bytes(q->stmt, column) == (int)sizeof(out.bytes))
		memcpy(out.bytes, bytes, sizeof(out.bytes));
	return out;
}

void store__col_text(const struct store_query *q, int column, char *out, size_t size)
{
	struct str text = store__col_str(q, column);
	size_t len = text.len < size ? text.len : size - 1;

	if (text.p != NULL)
		memcpy(out, text.p, len);
	out[len] = '\0';
}

/* ---- The connection ---- */

static int on_commit_to_wal(void *data, sqlite3 *handle, const char *name, int frames)
{
	struct store_db *db = data;

	(void)handle;
	(void)name;
	db->wal_frames = frames;
	return SQLITE_OK;
}

/* SQLite would make the file for everybody to read; its log takes the mode of the database. */
static bool make_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

	if (fd >= 0) {
		(void)close(fd); /* nothing was written */
		return true;
	}
	if (errno == EEXIST)
		return true;
	return err_set_errno(err, ERR_STORAGE, path);
}

bool store__exec(struct store *st, const char *script, struct err *err)
{
	int rc = sqlite3_exec(st->db.handle, script, NULL, NULL, NULL);

	return rc == SQLITE_OK || store__db_failed(st, rc, err);
}

static bool set_up(struct store *st, struct err *err)
{
	sqlite3 *handle = st->db.handle;

	int rc = sqlite3_busy_timeout(handle, BUSY_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (rc != SQLITE_OK)
		return store__db_failed(st, rc, err);
	return store__exec(st,
	                   "PRAGMA locking_mode = EXCLUSIVE;"
	                   "PRAGMA foreign_keys = ON;"
	                   "PRAGMA cell_size_check = ON;"
	                   "PRAGMA temp_store = MEMORY;"
	                   "PRAGMA cache_size = -4096;"   /* KiB */
	                   "PRAGMA secure_delete = OFF;", /* there is no plain secret to wipe */
	                   err);
}

bool store__db_open(struct store *st, const char *path, struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
	            SQLITE_OPEN_EXRESCODE;

	if (strcmp(path, ":memory:") != 0 && !make_file(path, err))
		return false;
	/* Counting its memory costs SQLite a lock per allocation. Refused, and set already, when
	 * another store was opened before. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	int rc = sqlite3_open_v2(path, &st->db.handle, flags, NULL);
	if (rc != SQLITE_OK)
		return store__db_failed(st, rc, err);
	return set_up(st, err);
}

bool store__db_open_copy(const char *path, sqlite3 **out, struct err *err)
{
	sqlite3 *handle = NULL;
	int rc = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(handle, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF",
		                  NULL, NULL, NULL);
	if (rc == SQLITE_OK) {
		*out = handle;
		return true;
	}
	(void)sqlite3_close(handle); /* nothing is open in it */
	return err_set(err, ERR_STORAGE, "'%s': %s", path, sqlite3_errstr(rc));
}

bool store__db_use_wal(struct store *st, struct err *err)
{
	if (!store__exec(st,
	                 "PRAGMA synchronous = FULL;"
	                 "PRAGMA journal_mode = WAL;"
	                 "PRAGMA wal_autocheckpoint = 0;",
	                 err))
		return false;
	st->db.full = true;
	/* SQLite has one hook, and that pragma is one of its users. Returns the old one's data. */
	(void)sqlite3_wal_hook(st->db.handle, on_commit_to_wal, &st->db);
	return true;
}

void store__db_checkpoint(struct store *st, bool empty)
{
	int frames = 0;
	int copied = 0;
	int mode = empty ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
	int rc = sqlite3_wal_checkpoint_v2(st->db.handle, NULL, mode, &frames, &copied);

	if (rc != SQLITE_OK)
		(void)store__db_failed(st, rc, NULL); /* notes a failed sync */
	else
		st->db.wal_frames = frames - copied; /* -1 - -1 when there is no log */
}

void store__db_close(struct store *st)
{
	struct store_db *db = &st->db;

	for (size_t i = 0; i < STORE_DB_STATEMENTS; i++)
		(void)sqlite3_finalize(db->statements[i].stmt); /* NULL is fine */
	if (db->handle == NULL)
		return;
	if (db->wal_frames > 0 && !db->broken)
		store__db_checkpoint(st, true);
	/* Closing checkpoints by itself, unless told not to: after a failed sync the log is the
	 * only copy that may be whole. */
	if (db->broken)
		(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_close(db->handle); /* fails only for statements that are left: none */
	*db = (struct store_db){ 0 };
}
