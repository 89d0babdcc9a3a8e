/* SPDX-License-Identifier: Apache-2.0 */
/* The right to own a database: an exclusive flock on a file beside it. The kernel gives it up when
 * the process dies, however it dies, so there is no stale lock. It is a file of its own because
 * closing any descriptor of the database itself would drop SQLite's locks. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_TEXT_MAX 4096

struct store_lock {
	int fd; /* -1: a database in memory, which nobody else can want */
};

/* Every folder of the path that is missing, as 0700. What exists keeps its mode. */
static bool make_folders(char *path, struct err *err)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int rc = mkdir(path, S_IRWXU);
		if (rc != 0 && errno != EEXIST) {
			err_record_errno(err, ERR_STORAGE, path);
			*slash = '/';
			return false;
		}
		*slash = '/';
	}
	return true;
}

static bool take(int fd, const char *path, struct err *err)
{
	int rc = 0;

	do {
		rc = flock(fd, LOCK_EX | LOCK_NB);
	} while (rc != 0 && errno == EINTR);
	if (rc == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_CONFLICT, "another process owns '%s'", path);
	return err_set_errno(err, ERR_STORAGE, path);
}

static bool open_and_take(struct store_lock *lock, const char *path, struct err *err)
{
	OWN_BUF struct buf name = buf_make(PATH_TEXT_MAX);

	buf_add_z(&name, path);
	buf_add_z(&name, ".lock");
	if (!buf_ok(&name, "the path of the database", err) || !make_folders(name.p, err))
		return false;
	lock->fd = open(name.p, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (lock->fd < 0)
		return err_set_errno(err, ERR_STORAGE, name.p);
	return take(lock->fd, path, err);
}

struct store_lock *store_lock_take(const char *path, struct err *err)
{
	struct store_lock *lock = malloc(sizeof(*lock));

	if (lock == NULL) {
		err_no_memory(err);
		return NULL;
	}
	lock->fd = -1;
	if (strcmp(path, ":memory:") == 0 || open_and_take(lock, path, err))
		return lock;
	store_lock_free(lock);
	return NULL;
}

void store_lock_free(struct store_lock *lock)
{
	if (lock == NULL)
		return;
	/* The file stays: removing it would let two processes hold two files of that name. */
	if (lock->fd >= 0)
		(void)close(lock->fd);
	free(lock);
}
