/* SPDX-License-Identifier: Apache-2.0 */
/* See mcp_world.h. Time is the real one here: these tests are about processes that wait for each
 * other. */
#include "tests/mcp_world.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check.h"

#define ATTACH_MS 3000

static void path_in(const struct world *w, char out[WORLD_PATH], const char *name)
{
	if (snprintf(out, WORLD_PATH, "%s/%s", w->folder, name) >= WORLD_PATH)
		CHECK_FAIL("the folder's name is too long");
}

bool world_open(struct world *w)
{
	struct err err = { 0 };

	*w = (struct world){ .folder = "/tmp/agent-store-test-XXXXXX", .env = env_real() };
	if (!CHECK(mkdtemp(w->folder) != NULL))
		return false;
	path_in(w, w->db, "store.db");
	path_in(w, w->socket, "store.db.sock");
	w->loop = net_loop_new(&err);
	w->models = store_models_new(&(struct store_models_options){ .env = &w->env }, &err);
	return CHECK(w->loop != NULL && w->models != NULL);
}

static void remove_folder(const char *folder)
{
	DIR *d = opendir(folder);
	char path[2 * WORLD_PATH + 256];

	if (d == NULL)
		return;
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		if (snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) < (int)sizeof(path))
			(void)unlink(path); /* "." and ".." stay, of course */
	}
	(void)closedir(d);
	(void)rmdir(folder);
}

void world_step(struct world *w)
{
	struct err err = { 0 };

	if (!net_loop_step(w->loop, 0, &err))
		CHECK_FAIL("%s", err.text);
}

void world_close(struct world *w)
{
	for (int i = 0; i < 5; i++)
		world_step(w);
	store_models_free(w->models);
	net_loop_free(w->loop);
	remove_folder(w->folder);
}

bool world_wait(struct world *w, const bool *flag, int64_t ms)
{
	int64_t end = env_mono_us(&w->env) + 1000 * ms;
	struct err err = { 0 };

	while (!*flag && env_mono_us(&w->env) < end) {
		if (!net_loop_step(w->loop, 10, &err)) {
			CHECK_FAIL("%s", err.text);
			return false;
		}
	}
	return *flag;
}

void world_pass(struct world *w, int64_t ms)
{
	const bool never = false;

	(void)world_wait(w, &never, ms);
}

/* ---- Till ---- */

static void till_close(void *data)
{
	struct till *t = data;

	t->closed++;
	if (t->worker != NULL)
		store_worker_stop(t->worker);
	store_close(t->store);
	t->worker = NULL;
	t->store = NULL;
}

static bool till_open(void *data, struct mcp_shop *shop, struct err *err)
{
	struct till *t = data;
	const struct store_options options = { .path = t->db,
		                               .durability = STORE_PROCESS,
		                               .env = &t->world->env };

	t->opened++;
	if (t->open_fails > 0) {
		t->open_fails--;
		return err_set(err, ERR_STORAGE, "the database is damaged");
	}
	t->store = store_open(&options, err);
	if (t->store == NULL)
		return false;
	t->worker = store_worker_start(t->store, err);
	if (t->worker == NULL) {
		till_close(t);
		return false;
	}
	*shop = (struct mcp_shop){ .worker = t->worker,
		                   .models = t->world->models,
		                   .env = &t->world->env,
		                   .base_url = t->base_url };
	return true;
}

static void till_drain(void *data)
{
	struct till *t = data;

	t->drained++;
}

static bool till_idle(void *data)
{
	struct till *t = data;

	return t->busy-- <= 0;
}

static void till_failed(void *data, const struct err *why)
{
	struct till *t = data;

	t->failed = *why;
}

struct mcp_owner till_owner(struct till *t)
{
	return (struct mcp_owner){ .open = till_open,
		                   .drain = till_drain,
		                   .idle = till_idle,
		                   .close = till_close,
		                   .failed = till_failed,
		                   .data = t };
}

void waiter_answer(void *data, struct str answer)
{
	struct waiter *w = data;
	size_t n = answer.len < sizeof(w->text) ? answer.len : sizeof(w->text) - 1;

	w->answered = true;
	w->count++;
	memcpy(w->text, answer.p, n);
	w->text[n] = '\0';
}

/* ---- Links ---- */

struct mcp_link *world_link(struct world *w, struct till *t)
{
	const struct mcp_owner owner = till_owner(t);
	struct err err = { 0 };

	t->world = w;
	t->db = w->db;
	struct mcp_link *link = mcp_link_new(w->loop, w->db, &owner, &err);
	CHECK(link != NULL);
	return link;
}

void world_attach(struct world *w, struct mcp_link *link)
{
	struct waiter got = { 0 };

	CHECK(mcp_link_call(link, STR("{\"tool\":\"catalog_search\",\"arguments\":{\"limit\":1}}"),
	                    waiter_answer, &got) != 0);
	CHECK(world_wait(w, &got.answered, ATTACH_MS));
}

bool waiter_has(const struct waiter *got, const char *part)
{
	return strstr(got->text, part) != NULL || !CHECK_STR(got->text, part);
}

/* ---- Words ---- */

void words_split(struct words *w, const char *line)
{
	size_t n = strlen(line);

	*w = (struct words){ .argc = 1 };
	w->argv[0] = w->text;
	if (n + 1 > sizeof(w->text)) {
		CHECK_FAIL("the line is too long");
		return;
	}
	memcpy(w->text, line, n + 1);
	char *at = w->text;
	while (*at != '\0' && w->argc < WORDS_MAX - 1) {
		w->argv[w->argc++] = at;
		at += strcspn(at, " ");
		if (*at == ' ')
			*at++ = '\0';
	}
}

/* ---- Catching what is printed ---- */

void catch_begin(struct caught *c, int fd)
{
	(void)fflush(NULL);
	c->fd = fd;
	c->text[0] = '\0';
	c->file = tmpfile();
	c->saved = dup(fd);
	if (c->file == NULL || c->saved < 0 || dup2(fileno(c->file), fd) < 0)
		abort(); /* a test machine without /tmp */
}

void catch_end(struct caught *c)
{
	(void)fflush(NULL);
	if (dup2(c->saved, c->fd) < 0)
		abort();
	(void)close(c->saved);
	rewind(c->file);
	size_t n = fread(c->text, 1, sizeof(c->text) - 1, c->file);
	c->text[n] = '\0';
	(void)fclose(c->file);
}
