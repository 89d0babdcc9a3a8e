/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing. What a crash left is put right here, before anything can be asked. */
#include "store/balances.h"
#include "store/live.h"
#include "store/receipt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_TEXT_MAX 4096

static bool in_memory(const struct store *st)
{
	return strcmp(st->path, ":memory:") == 0;
}

/* A pepper would be made where one is missing, and then no key of the database were known. */
static bool refuse_lost_pepper(const char *database, const char *pepper, struct err *err)
{
	struct stat of_database;
	struct stat of_pepper;

	if (stat(database, &of_database) != 0 || of_database.st_size == 0)
		return true;
	if (stat(pepper, &of_pepper) == 0 || errno != ENOENT)
		return true;
	return err_set(err, ERR_STORAGE, "'%s' is missing; restore the one that belongs to '%s'",
	               pepper, database);
}

static bool open_pepper(struct store *st, struct err *err)
{
	OWN_BUF struct buf name = buf_make(PATH_TEXT_MAX);

	if (in_memory(st)) {
		env_random(st->env, st->pepper.bytes, sizeof(st->pepper.bytes));
		return true;
	}
	buf_add_z(&name, st->path);
	buf_add_z(&name, ".pepper");
	return buf_ok(&name, "the path of the database", err) &&
	       refuse_lost_pepper(st->path, name.p, err) &&
	       pepper_open(name.p, st->env, &st->pepper, err);
}

static bool open_parts(struct store *st, struct err *err)
{
	st->effects = store__effects_new(err);
	st->balances = store__balances_new(err);
	if (st->effects == NULL || st->balances == NULL || !open_pepper(st, err))
		return false;
	st->live = store__live_new(&st->pepper, err);
	return st->live != NULL && store__db_open(st, st->path, err) &&
	       store__schema_open(st, err) && store__receipt_load_head(st, err) &&
	       store__holds_recover(st, err) && store__live_load(st, err);
}

struct store *store_open(const struct store_options *options, struct err *err)
{
	struct store *st = calloc(1, sizeof(*st));

	if (st == NULL) {
		err_no_memory(err);
		return NULL;
	}
	st->env = options->env;
	st->durability = options->durability;
	st->path = str_dup(str_of(options->path));
	if (st->path == NULL) {
		err_no_memory(err);
		goto failed;
	}
	if (!open_parts(st, err))
		goto failed;
	return st;
failed:
	store_close(st);
	return NULL;
}

void store_close(struct store *st)
{
	if (st == NULL)
		return;
	if (st->live != NULL && st->db.handle != NULL)
		store__live_save_uses(st);
	store_backup_free(st->backup);
	store__db_close(st);
	store__effects_free(st->effects);
	store__balances_free(st->balances);
	store__live_free(st->live);
	bytes_wipe(&st->pepper, sizeof(st->pepper));
	buf_done(&st->told_models);
	free(st->path);
	free(st);
}
