/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the database while it is being written. SQLite copies nothing while a transaction
 * writes, so a step that is asked for inside a job is only noted, and done when that job's
 * transaction has committed; the next step then tells how it went. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE_PAGES 512 /* 2 MiB: some milliseconds */
#define PATH_TEXT_MAX 4096

enum backup_state {
	BACKUP_RUNS,
	BACKUP_DONE,
	BACKUP_FAILED
};

struct store_backup {
	struct store *st;
	char *path, *pepper_path;
	bool made, pepper_made; /* files that are ours to remove */
	sqlite3 *to;
	sqlite3_backup *copy;
	enum backup_state state;
	bool wanted; /* a step was asked for */
	struct err err;
};

/* ---- Files ---- */

/* A file that did not exist, 0600; -1 and an error. */
static int make_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

	if (fd < 0 && errno == EEXIST)
		(void)err_set(err, ERR_CONFLICT, "'%s' exists already", path);
	else if (fd < 0)
		err_record_errno(err, ERR_STORAGE, path);
	return fd;
}

static bool sync_path(const char *path, int flags, struct err *err)
{
	int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (!ok)
		err_record_errno(err, ERR_STORAGE, path);
	if (fd >= 0)
		(void)close(fd); /* synced */
	return ok;
}

static bool sync_folder_of(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	char *folder = str_dup(slash == NULL ? STR(".") : (struct str){ path, len == 0 ? 1 : len });

	if (folder == NULL)
		return err_no_memory(err);
	bool ok = sync_path(folder, O_DIRECTORY, err);
	free(folder);
	return ok;
}

static bool write_pepper(struct store_backup *b, struct err *err)
{
	const struct pepper *pepper = &b->st->pepper;
	int fd = make_file(b->pepper_path, err);

	if (fd < 0)
		return false;
	b->pepper_made = true;
	ssize_t n = write(fd, pepper->bytes, sizeof(pepper->bytes));
	bool ok = n == (ssize_t)sizeof(pepper->bytes) && fsync(fd) == 0;
	if (!ok)
		err_record_errno(err, ERR_STORAGE, b->pepper_path);
	(void)close(fd); /* synced, or failed already */
	return ok;
}

static char *pepper_path_of(const char *path)
{
	OWN_BUF struct buf name = buf_make(PATH_TEXT_MAX);

	buf_add_z(&name, path);
	buf_add_z(&name, ".pepper");
	return buf_steal(&name);
}

/* ---- Begin ---- */

static bool begin_copy(struct store_backup *b, struct err *err)
{
	int fd = make_file(b->path, err);

	if (fd < 0)
		return false;
	(void)close(fd); /* nothing was written */
	b->made = true;
	if (!write_pepper(b, err) || !store__db_open_copy(b->path, &b->to, err))
		return false;
	b->copy = sqlite3_backup_init(b->to, "main", b->st->db.handle, "main");
	if (b->copy == NULL)
		return err_set(err, ERR_STORAGE, "'%s': %s", b->path, sqlite3_errmsg(b->to));
	return true;
}

struct store_backup *store_backup_begin(struct store *st, const char *path, struct err *err)
{
	if (st->backup != NULL) {
		(void)err_set(err, ERR_CONFLICT, "another backup is running");
		return NULL;
	}
	struct store_backup *b = calloc(1, sizeof(*b));
	if (b == NULL) {
		err_no_memory(err);
		return NULL;
	}
	b->st = st;
	b->path = str_dup(str_of(path));
	b->pepper_path = pepper_path_of(path);
	if (b->path == NULL || b->pepper_path == NULL) {
		err_no_memory(err);
		goto failed;
	}
	if (!begin_copy(b, err))
		goto failed;
	st->backup = b;
	return b;
failed:
	store_backup_free(b);
	return NULL;
}

/* ---- Steps ---- */

static void close_copy(struct store_backup *b)
{
	(void)sqlite3_backup_finish(
		b->copy);           /* repeats an error that a step reported; NULL is fine */
	(void)sqlite3_close(b->to); /* nothing is open in it */
	b->copy = NULL;
	b->to = NULL;
}

static bool finish(struct store_backup *b, struct err *err)
{
	close_copy(b);
	return sync_path(b->path, 0, err) && sync_folder_of(b->path, err);
}

void store__backup_turn(struct store *st)
{
	struct store_backup *b = st->backup;

	if (b == NULL || !b->wanted || b->state != BACKUP_RUNS)
		return;
	b->wanted = false;
	int rc = sqlite3_backup_step(b->copy, SLICE_PAGES);
	if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED)
		return;
	if (rc == SQLITE_DONE) {
		b->state = finish(b, &b->err) ? BACKUP_DONE : BACKUP_FAILED;
		return;
	}
	b->state = BACKUP_FAILED;
	(void)err_set(&b->err, ERR_STORAGE, "'%s': %s", b->path, sqlite3_errstr(rc));
}

bool store_backup_step(struct store_backup *b, bool *done, struct err *err)
{
	b->wanted = true;
	if (b->st->db.depth == 0)
		store__backup_turn(b->st);
	if (b->state == BACKUP_FAILED) {
		if (err != NULL)
			*err = b->err;
		return false;
	}
	*done = b->state == BACKUP_DONE;
	return true;
}

void store_backup_free(struct store_backup *b)
{
	if (b == NULL)
		return;
	close_copy(b);
	if (b->made && b->state != BACKUP_DONE)
		(void)unlink(b->path); /* half a copy helps nobody */
	if (b->pepper_made && b->state != BACKUP_DONE)
		(void)unlink(b->pepper_path);
	if (b->st->backup == b)
		b->st->backup = NULL;
	free(b->path);
	free(b->pepper_path);
	free(b);
}
