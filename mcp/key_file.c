/* SPDX-License-Identifier: Apache-2.0 */
/* Key files. Callers choose neither folder nor name: of the label only what is harmless in a file's
 * name is taken, and a file that exists is never opened. */
#include "mcp/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_MAX_BYTES 4096
#define LABEL_BYTES 40
#define RANDOM_CHARS 8
#define ROOM KEY_TEXT_MAX

#define HOW_TO_ALLOW                                                                           \
	"the operator allows it with the setting AGENT_STORE_KEY_DIR of this MCP server: the " \
	"absolute path of a folder that only its own user can write to"

struct mcp__key_file mcp__key_file_none(void)
{
	return (struct mcp__key_file){ .fd = -1, .folder = -1, .path = buf_make(PATH_MAX_BYTES) };
}

/* ---- The folder ---- */

static bool open_folder(struct mcp__key_file *file, struct err *err)
{
	struct stat about;

	file->folder = open(file->path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->folder < 0 || fstat(file->folder, &about) != 0)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "the folder for keys '%s' cannot be opened (%s): " HOW_TO_ALLOW,
		               file->path.p, strerror(errno));
	if (about.st_uid != geteuid() || (about.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "other users can write to the folder for keys '%s': " HOW_TO_ALLOW,
		               file->path.p);
	return true;
}

/* ---- The name ---- */

static bool is_harmless(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "Prod / router" is "Prod-router-k3J9x0Qa.key": never hidden, never an option, never a path. */
static void add_name(struct buf *out, struct str label, const struct env *env)
{
	char random[RANDOM_CHARS];
	size_t start = out->len;

	for (size_t i = 0; i < label.len && out->len - start < LABEL_BYTES; i++) {
		bool gap = out->len == start || out->p[out->len - 1] == '-';

		if (is_harmless(label.p[i]))
			buf_add_char(out, label.p[i]);
		else if (!gap)
			buf_add_char(out, '-');
	}
	if (out->len == start)
		buf_add(out, STR("key"));
	if (out->p[out->len - 1] != '-')
		buf_add_char(out, '-');
	base62_random(env, random, sizeof(random));
	buf_add(out, (struct str){ random, sizeof(random) });
	buf_add(out, STR(".key"));
}

static const char *name_of(const struct mcp__key_file *file)
{
	return file->path.p + file->path.len - file->name;
}

/* ---- The file ---- */

static bool make_file(struct mcp__key_file *file, struct err *err)
{
	file->fd = openat(file->folder, name_of(file),
	                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return err_set(err, ERR_STORAGE, "the key's file '%s' cannot be made: %s",
		               file->path.p, strerror(errno));
	int failed = posix_fallocate(file->fd, 0, ROOM);
	if (failed != 0)
		return err_set(err, ERR_STORAGE, "there is no room for the key's file '%s': %s",
		               file->path.p, strerror(failed));
	return true;
}

bool mcp__key_file_make(struct str folder, struct str label, const struct env *env,
                        struct mcp__key_file *out, struct err *err)
{
	if (folder.len == 0)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "keys cannot be delivered to files here: " HOW_TO_ALLOW
		               "; or leave 'deliver' out to get the key in the answer");
	if (folder.p[0] != '/')
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "the folder for keys is not an absolute path: " HOW_TO_ALLOW);
	buf_add(&out->path, folder);
	if (!buf_ok(&out->path, "the folder for keys", err) || !open_folder(out, err))
		return false;
	if (!str_ends(folder, STR("/")))
		buf_add_char(&out->path, '/');
	size_t start = out->path.len;
	add_name(&out->path, label, env);
	out->name = out->path.len - start;
	return buf_ok(&out->path, "the path of the key's file", err) && make_file(out, err);
}

static bool write_all(int fd, const struct buf *text)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t n = pwrite(fd, text->p + done, text->len - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return ftruncate(fd, (off_t)text->len) == 0;
}

bool mcp__key_file_fill(struct mcp__key_file *file, const struct secret *secret, struct err *err)
{
	struct buf text = buf_make(ROOM);
	bool ok;

	(void)!buf_reserve(&text, ROOM); /* not moved: wiped wholly */
	buf_add(&text, secret_str(secret));
	buf_add_char(&text, '\n');
	ok = !text.failed && write_all(file->fd, &text) && fsync(file->fd) == 0 &&
	     fsync(file->folder) == 0;
	buf_wipe(&text);
	buf_done(&text);
	if (!ok)
		return err_set_errno(err, ERR_STORAGE, "writing the key's file");
	(void)close(file->fd); /* it is synced */
	file->fd = -1;
	return true;
}

void mcp__key_file_done(struct mcp__key_file *file)
{
	if (file->fd >= 0) {
		(void)unlinkat(file->folder, name_of(file), 0); /* it is as good as empty */
		(void)close(file->fd);
	}
	if (file->folder >= 0)
		(void)close(file->folder);
	buf_done(&file->path);
	*file = mcp__key_file_none();
}
