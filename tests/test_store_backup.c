/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of a store that goes on working, and that such a copy is a store. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/live.h"
#include "tests/check.h"
#include "tests/store_setup.h"

static bool settle_some(struct setup *s, int count)
{
	struct store_outcome outcome = setup_settled(10, 10);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };
	OWN_TX struct store_tx tx = { 0 };

	if (!CHECK(store__tx_begin_batch(&tx, s->st, false, &err)))
		return false;
	for (int i = 0; i < count; i++) {
		struct store_hold hold;
		if (!setup_hold(s, 30, &hold) ||
		    !CHECK(store_hold_end(s->st, &hold, &outcome, &charged, &err)))
			return false;
	}
	return CHECK(store__tx_commit(&tx, &err));
}

/* Opens the copy as a store of its own. */
static bool open_copy(struct setup *s, const char *path, struct setup *out)
{
	*out = (struct setup){ .clock = s->clock, .buyer = s->buyer };
	out->env = env_fixed(&out->clock);
	(void)snprintf(out->path, sizeof(out->path), "%s", path);
	return setup_open(out);
}

static bool is_private(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & 0777) == 0600;
}

static void check_copy(struct setup *s, const char *path, int64_t usage)
{
	struct setup copy;

	CHECK(is_private(path));
	if (!open_copy(s, path, &copy))
		return;
	CHECK_I64(setup_balance(&copy, LEDGER_USAGE), usage);
	CHECK(setup_live_key(&copy, &s->buyer.router) != NULL);
	setup_check_books(&copy);
	setup_done(&copy);
}

static void a_copy_is_a_store_with_the_same_keys(void)
{
	struct setup s;
	struct err err = { 0 };
	char path[128];
	bool done = false;

	if (!setup_file(&s, 1000000) || !settle_some(&s, 10))
		return;
	(void)snprintf(path, sizeof(path), "%s/copy.db", s.folder);
	struct store_backup *b = store_backup_begin(s.st, path, &err);
	if (!CHECK(b != NULL))
		return;
	CHECK(store_backup_begin(s.st, "/tmp/other-backup", &err) == NULL);
	CHECK_I64(err.code, ERR_CONFLICT);
	CHECK(store_backup_step(b, &done, &err));
	CHECK(done);
	store_backup_free(b);
	check_copy(&s, path, 300);
	CHECK(store_backup_begin(s.st, path, &err) == NULL);
	CHECK_I64(err.code, ERR_CONFLICT);
	setup_done(&s);
}

/* As jobs do it: each step is asked for inside a transaction that also writes. */
static void a_copy_made_between_writes_is_whole(void)
{
	struct setup s;
	struct err err = { 0 };
	char path[128];
	bool done = false;
	int rounds = 0;

	if (!setup_file(&s, 100000000) || !settle_some(&s, 5000))
		return;
	(void)snprintf(path, sizeof(path), "%s/copy.db", s.folder);
	struct store_backup *b = store_backup_begin(s.st, path, &err);
	if (!CHECK(b != NULL))
		return;
	while (!done && rounds < 1000) {
		OWN_TX struct store_tx tx = { 0 };
		struct store_hold hold;
		CHECK(store__tx_begin_batch(&tx, s.st, false, &err));
		CHECK(setup_hold(&s, 30, &hold));
		if (!CHECK(store_backup_step(b, &done, &err)))
			break;
		CHECK(store__tx_commit(&tx, &err));
		rounds++;
	}
	store_backup_free(b);
	check_note("%d rounds", rounds);
	CHECK(rounds > 2);
	/* The copy has open holds, which opening it releases: nothing of them was used. */
	check_copy(&s, path, 150000);
	setup_check_books(&s);
	setup_done(&s);
}

static void an_unfinished_copy_is_removed(void)
{
	struct setup s;
	struct err err = { 0 };
	char path[128];
	char pepper[140];

	if (!setup_file(&s, 1000))
		return;
	(void)snprintf(path, sizeof(path), "%s/copy.db", s.folder);
	(void)snprintf(pepper, sizeof(pepper), "%s.pepper", path);
	struct store_backup *b = store_backup_begin(s.st, path, &err);
	if (!CHECK(b != NULL))
		return;
	CHECK_I64(access(path, F_OK), 0);
	CHECK(is_private(pepper));
	store_backup_free(b);
	CHECK(access(path, F_OK) != 0);
	CHECK(access(pepper, F_OK) != 0);
	b = store_backup_begin(s.st, "/nonexistent/folder/copy.db", &err);
	CHECK(b == NULL);
	CHECK_I64(err.code, ERR_STORAGE);
	store_backup_free(b);
	setup_done(&s);
}

static void a_copy_without_its_pepper_is_refused(void)
{
	struct setup s;
	struct err err = { 0 };
	char path[128];
	char command[500];
	bool done = false;

	if (!setup_file(&s, 1000))
		return;
	(void)snprintf(path, sizeof(path), "%s/copy.db", s.folder);
	struct store_backup *b = store_backup_begin(s.st, path, &err);
	if (!CHECK(b != NULL) || !CHECK(store_backup_step(b, &done, &err)))
		return;
	store_backup_free(b);
	(void)snprintf(command, sizeof(command), "%s.pepper", path);
	CHECK_I64(unlink(command), 0);
	struct store_options options = { path, STORE_POWER, &s.env };
	CHECK(store_open(&options, &err) == NULL);
	CHECK_I64(err.code, ERR_STORAGE);
	CHECK(strstr(err.text, "is missing; restore the one that belongs to") != NULL);
	setup_done(&s);
}

static const struct check_case CASES[] = {
	CASE(a_copy_is_a_store_with_the_same_keys),
	CASE(a_copy_made_between_writes_is_whole),
	CASE(an_unfinished_copy_is_removed),
	CASE(a_copy_without_its_pepper_is_refused),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
