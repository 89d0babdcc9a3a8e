/* SPDX-License-Identifier: Apache-2.0 */
/* What opens and what does not: fresh and old schemas, newer and foreign databases, damage, modes,
 * the lock. fixtures/db/ has a dump of every released version. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/live.h"
#include "tests/check.h"
#include "tests/store_setup.h"

#define TEXT_MAX (1u << 20)

static void check_refused(struct setup *s, const char *want)
{
	struct store_options options = { s->path, STORE_POWER, &s->env };
	struct err err = { 0 };

	s->st = store_open(&options, &err);
	CHECK(s->st == NULL);
	CHECK_I64(err.code, ERR_STORAGE);
	if (strstr(err.text, want) == NULL)
		CHECK_FAIL("'%s' does not say '%s'", err.text, want);
	CHECK(strstr(err.text, s->path) != NULL);
}

static bool run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *text = NULL;
	bool ok = sqlite3_open(path, &db) == SQLITE_OK &&
	          sqlite3_exec(db, sql, NULL, NULL, &text) == SQLITE_OK;

	if (!ok)
		CHECK_FAIL("%s: %s", path, text == NULL ? "cannot open" : text);
	sqlite3_free(text);
	CHECK_I64(sqlite3_close(db), SQLITE_OK);
	return ok;
}

/* ---- Versions ---- */

static int add_line(void *data, int count, char **values, char **names)
{
	(void)count;
	(void)names;
	buf_add_z(data, values[0] == NULL ? "" : values[0]);
	buf_add_char(data, '\n');
	return 0;
}

static void read_schema(const char *path, struct buf *out)
{
	sqlite3 *db = NULL;

	CHECK_I64(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	CHECK_I64(sqlite3_exec(db,
	                       "SELECT type || name || coalesce(sql, '') FROM sqlite_schema"
	                       " ORDER BY type, name",
	                       add_line, out, NULL),
	          SQLITE_OK);
	CHECK_I64(sqlite3_exec(db, "PRAGMA user_version", add_line, out, NULL), SQLITE_OK);
	CHECK_I64(sqlite3_exec(db, "PRAGMA application_id", add_line, out, NULL), SQLITE_OK);
	CHECK_I64(sqlite3_close(db), SQLITE_OK);
}

/* A file of ours as a text. */
static char *read_file(const char *path)
{
	char *text = calloc(1, TEXT_MAX);
	FILE *f = fopen(path, "rb");

	if (CHECK(f != NULL) && CHECK(text != NULL))
		CHECK(fread(text, 1, TEXT_MAX - 1, f) > 0);
	if (f != NULL)
		CHECK_I64(fclose(f), 0);
	return text;
}

static void write_pepper(const struct setup *s, char byte)
{
	char name[120];
	char bytes[32];

	memset(bytes, byte, sizeof(bytes));
	(void)snprintf(name, sizeof(name), "%s.pepper", s->path);
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	CHECK_I64(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	CHECK_I64(close(fd), 0);
}

/* Puts a dump's database where the store's was. The dumps' pepper is 32 times the letter p. */
static bool load_dump(struct setup *s, const char *name)
{
	char path[200];

	store_close(s->st);
	s->st = NULL;
	CHECK_I64(unlink(s->path), 0);
	(void)snprintf(path, sizeof(path), "%s/db/%s", FIXTURES, name);
	char *dump = read_file(path);
	bool made = run_sql(s->path, dump);
	free(dump);
	write_pepper(s, 'p');
	return made;
}

struct version_row {
	const char *dump;
	int64_t usage, operator;
};

static const struct version_row VERSIONS[] = {
	{ "v1.sql", 200, -1000 },
	{ "v2.sql", 300, -1500 },
	{ "v3.sql", 300, -1500 },
	{ "v4.sql", 300, -1500 },
};

static void check_version(const struct version_row *row)
{
	struct setup s;
	struct setup fresh;
	OWN_BUF struct buf old_schema = buf_make(TEXT_MAX);
	OWN_BUF struct buf new_schema = buf_make(TEXT_MAX);

	check_note("%s", row->dump);
	if (!setup_file(&s, 0) || !setup_file(&fresh, 0) || !load_dump(&s, row->dump) ||
	    !setup_open(&s))
		return;
	setup_check_books(&s);
	CHECK_I64(setup_balance(&s, LEDGER_USAGE), row->usage);
	CHECK_I64(setup_balance(&s, LEDGER_OPERATOR), row->operator);
	store_close(s.st);
	s.st = NULL;
	store_close(fresh.st);
	fresh.st = NULL;
	read_schema(s.path, &old_schema);
	read_schema(fresh.path, &new_schema);
	CHECK_STR(old_schema.p, new_schema.p);
	setup_done(&s);
	setup_done(&fresh);
}

static void every_version_opens_and_becomes_this_one(void)
{
	CHECK((int64_t)ARRAY_LEN(VERSIONS) >= store__schema_version() - 1); /* all older ones */
	for (size_t i = 0; i < ARRAY_LEN(VERSIONS); i++)
		check_version(&VERSIONS[i]);
}

/* A receipt of the first schema is shown with what it lacks left out or made up from the rest. */
static void receipts_of_the_first_version_are_readable(void)
{
	struct setup s;
	struct err err = { 0 };
	struct store_account account = { 0 };
	OWN_JSON_OUT struct json_out out = json_out_make(10000);

	if (!setup_file(&s, 0) || !load_dump(&s, "v1.sql") || !setup_open(&s))
		return;
	CHECK(store_account_find(s.st, STR("first"), &account, &err));
	CHECK(store_receipt_put(s.st, &account.id, STR("req_1IKf1eTULls880zjDLwSOp"), &out, &err));
	OWN_JSON struct json *got = json_parse(buf_str(&out.text), &err);
	CHECK_TEXT(json_text(json_get(got, "upstream")), "openai");
	CHECK(json_get(got, "servedBy") == NULL);
	CHECK(json_true(json_get(got, "modelDiffers"))); /* it says model-a-2026-10 */
	setup_done(&s);
}

static void a_newer_version_is_refused(void)
{
	struct setup s;

	if (!setup_file(&s, 0))
		return;
	store_close(s.st);
	if (!run_sql(s.path, "PRAGMA user_version = 99"))
		return;
	check_refused(&s, "newer version of this program (schema 99");
	setup_done(&s);
}

static void another_programs_database_is_refused_and_left_alone(void)
{
	struct setup s;
	OWN_BUF struct buf schema = buf_make(TEXT_MAX);

	if (!setup_file(&s, 0))
		return;
	store_close(s.st);
	CHECK_I64(unlink(s.path), 0);
	if (!run_sql(s.path, "CREATE TABLE theirs (x)"))
		return;
	check_refused(&s, "another program's database");
	read_schema(s.path, &schema);
	CHECK_STR(schema.p, "tabletheirsCREATE TABLE theirs (x)\n0\n0\n");
	setup_done(&s);
}

/* ---- Damage ---- */

static bool overwrite(const char *path, long offset, const char *bytes, size_t n)
{
	FILE *f = fopen(path, "r+b");

	return CHECK(f != NULL) && CHECK_I64(fseek(f, offset, SEEK_SET), 0) &&
	       CHECK_I64(fwrite(bytes, 1, n, f), n) && CHECK_I64(fclose(f), 0);
}

static void a_file_that_is_no_database_is_refused(void)
{
	struct setup s;

	if (!setup_file(&s, 0))
		return;
	store_close(s.st);
	if (!overwrite(s.path, 0, "Dear diary, today", 17))
		return;
	check_refused(&s, "is not a database");
	setup_done(&s);
}

static void a_truncated_database_is_refused(void)
{
	static const long CUTS[] = { 4096, 12288, 4096 + 100, 100 };
	for (size_t i = 0; i < ARRAY_LEN(CUTS); i++) {
		struct setup s;

		check_note("cut to %ld bytes", CUTS[i]);
		if (!setup_file(&s, 1000))
			return;
		store_close(s.st);
		CHECK_I64(truncate(s.path, CUTS[i]), 0);
		check_refused(&s, "'");
		setup_done(&s);
	}
}

static void a_damaged_page_is_refused(void)
{
	static const char junk[512] = "junk";
	struct setup s;

	if (!setup_file(&s, 1000))
		return;
	store_close(s.st);
	for (long page = 2; page < 12; page++) {
		if (!overwrite(s.path, page * 4096, junk, sizeof(junk)))
			return;
	}
	check_refused(&s, "is damaged; restore a backup");
	setup_done(&s);
}

static void another_pepper_is_refused(void)
{
	struct setup s;

	if (!setup_file(&s, 0))
		return;
	store_close(s.st);
	write_pepper(&s, 'x');
	check_refused(&s, "does not belong to this database");
	setup_done(&s);
}

static void a_database_that_another_program_has_open_is_refused(void)
{
	struct setup s;
	sqlite3 *other = NULL;

	if (!setup_file(&s, 0))
		return;
	store_close(s.st);
	CHECK_I64(sqlite3_open(s.path, &other), SQLITE_OK);
	CHECK_I64(sqlite3_exec(other, "BEGIN EXCLUSIVE; CREATE TABLE x (y)", NULL, NULL, NULL),
	          SQLITE_OK);
	check_refused(&s, "is in use by another program");
	CHECK_I64(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	CHECK_I64(sqlite3_close(other), SQLITE_OK);
	if (setup_open(&s))
		setup_check_books(&s);
	setup_done(&s);
}

static void no_folder_is_an_error(void)
{
	struct setup s = { .clock = { .now_ms = SETUP_NOW_MS } };

	s.env = env_fixed(&s.clock);
	(void)snprintf(s.path, sizeof(s.path), "/nonexistent/folder/store.db");
	check_refused(&s, "No such file");
}

/* ---- Modes and the lock ---- */

static int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int)(st.st_mode & 0777) : -1;
}

static void files_are_for_their_owner_alone(void)
{
	static const char *const SUFFIXES[] = { "", "-wal", ".pepper" };
	struct setup s;
	char name[120];

	if (!setup_file(&s, 1000))
		return;
	for (size_t i = 0; i < ARRAY_LEN(SUFFIXES); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", s.path, SUFFIXES[i]);
		check_note("%s", SUFFIXES[i]);
		CHECK_I64(mode_of(name), 0600);
	}
	(void)snprintf(name, sizeof(name), "%s-shm", s.path);
	CHECK(access(name, F_OK) != 0); /* exclusive: no shared memory */
	setup_done(&s);
}

static void closing_leaves_no_log(void)
{
	struct setup s;
	char name[120];

	if (!setup_file(&s, 1000))
		return;
	store_close(s.st);
	s.st = NULL;
	(void)snprintf(name, sizeof(name), "%s-wal", s.path);
	CHECK(access(name, F_OK) != 0);
	setup_done(&s);
}

/* In another process, as a lock is a process's. 0 if it got it, 1 if somebody owns it. */
static int take_elsewhere(const char *path)
{
	struct err err = { 0 };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct store_lock *lock = store_lock_take(path, &err);
		_exit(lock != NULL ? 0 : err.code == ERR_CONFLICT ? 1 : 2);
	}
	CHECK_I64(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void one_process_owns_the_lock_until_it_lets_go(void)
{
	char folder[] = "/tmp/test-lock-XXXXXX";
	char path[80];
	char name[90];
	struct err err = { 0 };

	if (!CHECK(mkdtemp(folder) != NULL))
		return;
	(void)snprintf(path, sizeof(path), "%s/a/b/store.db", folder);
	struct store_lock *lock = store_lock_take(path, &err);
	if (!CHECK(lock != NULL))
		return;
	(void)snprintf(name, sizeof(name), "%s/a", folder);
	CHECK_I64(mode_of(name), 0700);
	(void)snprintf(name, sizeof(name), "%s.lock", path);
	CHECK_I64(mode_of(name), 0600);
	CHECK_I64(take_elsewhere(path), 1);
	CHECK(store_lock_take(path, &err) == NULL); /* nor twice in one process */
	CHECK_I64(err.code, ERR_CONFLICT);
	CHECK(strstr(err.text, path) != NULL);
	store_lock_free(lock);
	CHECK_I64(take_elsewhere(path), 0);
	lock = store_lock_take(path, &err); /* it died with the child */
	CHECK(lock != NULL);
	store_lock_free(lock);
	(void)snprintf(name, sizeof(name), "rm -rf '%s'", folder);
	CHECK_I64(system(name), 0);
}

static void a_lock_needs_a_folder_that_can_be_made(void)
{
	struct err err = { 0 };

	CHECK(store_lock_take("/proc/nothing/store.db", &err) == NULL);
	CHECK_I64(err.code, ERR_STORAGE);
	struct store_lock *a = store_lock_take(":memory:", &err);
	struct store_lock *b = store_lock_take(":memory:", &err);
	CHECK(a != NULL && b != NULL);
	store_lock_free(a);
	store_lock_free(b);
	store_lock_free(NULL);
}

static const struct check_case CASES[] = {
	CASE(every_version_opens_and_becomes_this_one),
	CASE(receipts_of_the_first_version_are_readable),
	CASE(a_newer_version_is_refused),
	CASE(another_programs_database_is_refused_and_left_alone),
	CASE(a_file_that_is_no_database_is_refused),
	CASE(a_truncated_database_is_refused),
	CASE(a_damaged_page_is_refused),
	CASE(another_pepper_is_refused),
	CASE(a_database_that_another_program_has_open_is_refused),
	CASE(no_folder_is_an_error),
	CASE(files_are_for_their_owner_alone),
	CASE(closing_leaves_no_log),
	CASE(one_process_owns_the_lock_until_it_lets_go),
	CASE(a_lock_needs_a_folder_that_can_be_made),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
