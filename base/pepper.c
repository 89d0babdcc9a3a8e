/* SPDX-License-Identifier: Apache-2.0 */
/* The pepper file of secret.h. Two processes may open a new store at once, so the file is written
 * under another name and then linked: whoever links second reads what the first one made, and
 * nobody ever sees half a file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"

static void close_at(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* read-only, or already synced */
}

#define OWN_FD CLEANUP(close_at)

static bool storage_failed(const char *path, struct err *err)
{
	err_record_errno(err, ERR_STORAGE, path);
	return false;
}

/* A new name in a folder is durable only when the folder is synced. */
static bool sync_folder_of(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	char *folder = str_dup(slash == NULL ? STR(".") : (struct str){ path, len == 0 ? 1 : len });

	if (folder == NULL)
		return err_no_memory(err);
	OWN_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0 || fsync(fd) != 0)
		return storage_failed(path, err);
	return true;
}

static bool write_new(int fd, const char *path, const struct env *env, struct err *err)
{
	struct pepper fresh;

	env_random(env, fresh.bytes, sizeof(fresh.bytes));
	ssize_t n = write(fd, fresh.bytes, sizeof(fresh.bytes));
	bytes_wipe(&fresh, sizeof(fresh));
	if (n >= 0 && (size_t)n != sizeof(fresh.bytes)) /* a disk that is nearly full */
		return err_set(err, ERR_STORAGE, "%s: cannot write the whole file", path);
	if (n < 0 || fsync(fd) != 0)
		return storage_failed(path, err);
	return true;
}

static bool link_new(const char *from, const char *path, struct err *err)
{
	/* EEXIST: another process was first, and its file counts. */
	if (link(from, path) != 0 && errno != EEXIST)
		return storage_failed(path, err);
	return true;
}

static bool create(const char *path, const struct env *env, struct err *err)
{
	OWN_BUF struct buf name = buf_make(PATH_MAX);

	buf_add_z(&name, path);
	buf_add_z(&name, ".XXXXXX");
	if (!buf_ok(&name, "the pepper file's name", err))
		return false;
	OWN_FD int fd = mkostemp(name.p, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return storage_failed(path, err);
	bool ok = write_new(fd, path, env, err) && link_new(name.p, path, err);
	(void)unlink(name.p); /* a leftover would harm nobody */
	return ok && sync_folder_of(path, err);
}

static bool check_file(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return storage_failed(path, err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_STORAGE, "%s: not a file", path);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return err_set(err, ERR_STORAGE, "%s: others may read it; run chmod 600 on it",
		               path);
	if (st.st_size != (off_t)sizeof(struct pepper))
		return err_set(err, ERR_STORAGE, "%s: has not exactly %zu bytes", path,
		               sizeof(struct pepper));
	return true;
}

static bool read_all(int fd, const char *path, struct pepper *out, struct err *err)
{
	struct pepper found;
	ssize_t n = read(fd, found.bytes, sizeof(found.bytes));

	if (n < 0)
		return storage_failed(path, err);
	if ((size_t)n != sizeof(found.bytes))
		return err_set(err, ERR_STORAGE, "%s: ended early", path);
	*out = found;
	bytes_wipe(&found, sizeof(found));
	return true;
}

bool pepper_open(const char *path, const struct env *env, struct pepper *out, struct err *err)
{
	if (access(path, F_OK) != 0 && errno == ENOENT && !create(path, env, err))
		return false;
	OWN_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return storage_failed(path, err);
	return check_file(fd, path, err) && read_all(fd, path, out, err);
}
