/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: which source wins, what each refuses, what is shown of a secret. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/config.h"
#include "base/secret.h"
#include "tests/check.h"

#define WORDS_MAX 16

/* argv and environment of one run, both NULL-ended. */
struct run {
	const char *argv[WORDS_MAX];
	const char *envp[WORDS_MAX];
};

/* Words that may be written to, as main() gets them. */
struct words {
	char *all[WORDS_MAX]; /* to free them all, whatever happens to `list` */
	char *list[WORDS_MAX];
	int count;
};

static struct words copy_words(const char *const *words)
{
	struct words copy = { .count = 0 };

	for (; words[copy.count]; copy.count++)
		copy.all[copy.count] = str_dup(str_of(words[copy.count]));
	memcpy(copy.list, copy.all, sizeof copy.list);
	return copy;
}

static void free_words(struct words *words)
{
	for (size_t i = 0; i < WORDS_MAX; i++)
		free(words->all[i]);
}

static struct config *load(const struct run *run, struct err *err)
{
	struct words argv = copy_words(run->argv), envp = copy_words(run->envp);
	struct config *cfg = config_load(&argv.count, argv.list, envp.list, err);

	free_words(&argv);
	free_words(&envp);
	return cfg;
}

/* Like load, for a run that must succeed. */
static struct config *load_good(const struct run *run)
{
	struct err err = { 0 };
	struct config *cfg = load(run, &err);

	if (!cfg) {
		CHECK_FAIL("%s", err.text);
		abort(); /* every check after it would follow a NULL */
	}
	return cfg;
}

#define HOME "HOME=/home/u"

struct file {
	char path[32];
};

static struct file make_file(const char *text)
{
	struct file file = { "/tmp/test_config_XXXXXX" };
	int fd = mkstemp(file.path);
	size_t len = strlen(text);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd) != 0) {
		CHECK_FAIL("no temporary file");
		abort();
	}
	return file;
}

static void everything_has_its_default(void)
{
	struct run run = { { "agent-store" }, { HOME } };
	struct config *cfg = load_good(&run);

	CHECK_STR(config_get(cfg, CONFIG_DB), "/home/u/.local/share/agent-store/store.db");
	CHECK_STR(config_get(cfg, CONFIG_LISTEN), "127.0.0.1:8787");
	CHECK_STR(config_get(cfg, CONFIG_OPENAI_BASE_URL), "https://api.openai.com/v1");
	CHECK_STR(config_get(cfg, CONFIG_ANTHROPIC_BASE_URL), "https://api.anthropic.com");
	CHECK_STR(config_get(cfg, CONFIG_GOOGLE_BASE_URL),
	          "https://generativelanguage.googleapis.com");
	CHECK_STR(config_get(cfg, CONFIG_KIMI_BASE_URL), "https://api.moonshot.ai/v1");
	CHECK_STR(config_get(cfg, CONFIG_LOG), "info");
	CHECK_STR(config_get(cfg, CONFIG_DURABILITY), "power");
	CHECK_STR(config_get(cfg, CONFIG_RETIRED_MODELS), "serve");
	CHECK_STR(config_get(cfg, CONFIG_OPENAI_API_KEY), "");
	CHECK(!config_has(cfg, CONFIG_OPENAI_API_KEY) && !config_has(cfg, CONFIG_PUBLIC_URL));
	CHECK(config_has(cfg, CONFIG_LISTEN));
	CHECK_I64(config_source(cfg, CONFIG_DB), CONFIG_FROM_DEFAULT);
	CHECK(config_section(cfg, "models") == NULL && config_section(cfg, "other") == NULL);
	CHECK(config_file(cfg) == NULL);
	config_free(cfg);
	config_free(NULL);
}

static void flag_wins_over_environment_over_file_over_default(void)
{
	struct file file = make_file("{\"LISTEN\":\"127.0.0.1:1\",\"LOG\":\"error\","
	                             "\"DURABILITY\":\"process\",\"DB\":\"/f.db\"}");
	struct run run = { { "agent-store", "--listen", "127.0.0.1:3", "--config", file.path },
		           { HOME, "AGENT_STORE_LISTEN=127.0.0.1:2", "AGENT_STORE_LOG=debug",
		             "AGENT_STORE_DB=" } };
	struct config *cfg = load_good(&run);

	CHECK_STR(config_get(cfg, CONFIG_LISTEN), "127.0.0.1:3");
	CHECK_I64(config_source(cfg, CONFIG_LISTEN), CONFIG_FROM_FLAG);
	CHECK_STR(config_get(cfg, CONFIG_LOG), "debug");
	CHECK_I64(config_source(cfg, CONFIG_LOG), CONFIG_FROM_ENVIRONMENT);
	CHECK_STR(config_file(cfg), file.path);
	CHECK_STR(config_get(cfg, CONFIG_DURABILITY), "process");
	CHECK_I64(config_source(cfg, CONFIG_DURABILITY), CONFIG_FROM_FILE);
	CHECK_STR(config_get(cfg, CONFIG_DB), "/f.db"); /* set but empty counts as unset */
	CHECK_STR(config_get(cfg, CONFIG_KIMI_BASE_URL), "https://api.moonshot.ai/v1");
	config_free(cfg);
	(void)unlink(file.path);
}

static void the_file_may_be_named_by_the_environment(void)
{
	struct file one = make_file("{\"LOG\":\"error\"}"),
		    other = make_file("{\"LOG\":\"debug\"}");
	char name[64];
	struct run by_environment = { { "x" }, { HOME, name } };
	struct run by_both = { { "x", "--config", other.path }, { HOME, name } };
	struct config *cfg;

	(void)snprintf(name, sizeof name, "AGENT_STORE_CONFIG=%s", one.path);
	cfg = load_good(&by_environment);
	CHECK_STR(config_get(cfg, CONFIG_LOG), "error");
	config_free(cfg);
	cfg = load_good(&by_both);
	CHECK_STR(config_get(cfg, CONFIG_LOG), "debug");
	config_free(cfg);
	(void)unlink(one.path);
	(void)unlink(other.path);
}

static void sections_are_kept_as_trees(void)
{
	struct file file =
		make_file("{\"models\":[{\"id\":\"x\"}],\"routes\":{\"r\":1},\"limits\":{}}");
	struct run run = { { "x", "--config", file.path }, { HOME } };
	struct config *cfg = load_good(&run);

	CHECK_TEXT(json_text(json_get(json_first(config_section(cfg, "models")), "id")), "x");
	CHECK_I64((int64_t)json_count(config_section(cfg, "routes")), 1);
	CHECK(json_is(config_section(cfg, "limits"), JSON_OBJECT));
	config_free(cfg);
	(void)unlink(file.path);
}

static void flags_leave_argv_and_other_words_stay(void)
{
	static const struct run run = { { "agent-store", "account", "--log=debug", "create",
		                          "--json", "--listen", "localhost:0", "Bob", "--", "--log",
		                          "loud" },
		                        { HOME } };
	static const char *const want[] = { "agent-store", "account", "create", "--json",
		                            "Bob",         "--",      "--log",  "loud" };
	struct words argv = copy_words(run.argv), envp = copy_words(run.envp);
	struct config *cfg = config_load(&argv.count, argv.list, envp.list, NULL);

	if (!CHECK(cfg != NULL) || !CHECK_I64(argv.count, ARRAY_LEN(want)))
		return;
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		CHECK_STR(argv.list[i], want[i]);
	CHECK(argv.list[ARRAY_LEN(want)] == NULL);
	CHECK_STR(config_get(cfg, CONFIG_LOG), "debug");
	CHECK_STR(config_get(cfg, CONFIG_LISTEN), "localhost:0");
	config_free(cfg);
	free_words(&argv);
	free_words(&envp);
}

static void flags_that_only_start_like_ours_are_other_words(void)
{
	static const struct run run = { { "x", "--logs", "--db-x", "-log", "--listen-now=1" },
		                        { HOME } };
	struct words argv = copy_words(run.argv), envp = copy_words(run.envp);
	struct config *cfg = config_load(&argv.count, argv.list, envp.list, NULL);

	CHECK(cfg != NULL);
	CHECK_I64(argv.count, 5);
	config_free(cfg);
	free_words(&argv);
	free_words(&envp);
}

static void good_values_are_taken_and_tidied(void)
{
	static const struct {
		const char *flag;
		enum config_key key;
		const char *want;
	} rows[] = {
		{ "--listen=none", CONFIG_LISTEN, "none" },
		{ "--listen=0.0.0.0:0", CONFIG_LISTEN, "0.0.0.0:0" },
		{ "--listen=[::1]:65535", CONFIG_LISTEN, "[::1]:65535" },
		{ "--public-url=https://api.example.com/", CONFIG_PUBLIC_URL,
		  "https://api.example.com" },
		{ "--public-url=http://[::1]:80/store", CONFIG_PUBLIC_URL,
		  "http://[::1]:80/store" },
		{ "--kimi-base-url=http://127.0.0.1:9/v1//", CONFIG_KIMI_BASE_URL,
		  "http://127.0.0.1:9/v1" },
		{ "--db=rel/store.db", CONFIG_DB, "rel/store.db" },
		{ "--durability=process", CONFIG_DURABILITY, "process" },
		{ "--retired-models=refuse", CONFIG_RETIRED_MODELS, "refuse" },
		{ "--key-dir=/k", CONFIG_KEY_DIR, "/k" },
		{ "--admin-token=t", CONFIG_ADMIN_TOKEN, "t" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct run run = { { "x", rows[i].flag }, { HOME } };
		struct config *cfg = load_good(&run);

		CHECK_STR(config_get(cfg, rows[i].key), rows[i].want);
		config_free(cfg);
	}
}

#define URL_RULE                                                                                      \
	"must be http://host or https://host, with an optional :port and /path, without user, query " \
	"and fragment"
#define LISTEN_RULE "must be host:port, [v6]:port with a port of 0 to 65535, or none"

static const struct {
	const char *flag;
	const char *why;
} BAD_FLAGS[] = {
	{ "--listen", "--listen needs a value" },
	{ "--listen=", "--listen: must not be empty" },
	{ "--config=", "--config: must not be empty" },
	{ "--listen=8787", "--listen: " LISTEN_RULE },
	{ "--listen=:8787", "--listen: " LISTEN_RULE },
	{ "--listen=localhost", "--listen: " LISTEN_RULE },
	{ "--listen=localhost:", "--listen: " LISTEN_RULE },
	{ "--listen=localhost:65536", "--listen: " LISTEN_RULE },
	{ "--listen=localhost:-1", "--listen: " LISTEN_RULE },
	{ "--listen=localhost:8o", "--listen: " LISTEN_RULE },
	{ "--listen=localhost:000080", "--listen: " LISTEN_RULE },
	{ "--listen=::1:80", "--listen: " LISTEN_RULE },
	{ "--listen=[::1]", "--listen: " LISTEN_RULE },
	{ "--listen=[::1]80", "--listen: " LISTEN_RULE },
	{ "--listen=[::1:80", "--listen: " LISTEN_RULE },
	{ "--listen=[1.2.3.4]:80", "--listen: " LISTEN_RULE },
	{ "--listen=a b:80", "--listen: " LISTEN_RULE },
	{ "--listen=None", "--listen: " LISTEN_RULE },
	{ "--public-url=example.com", "--public-url: " URL_RULE },
	{ "--public-url=ftp://example.com", "--public-url: " URL_RULE },
	{ "--public-url=https://", "--public-url: " URL_RULE },
	{ "--public-url=https:///v1", "--public-url: " URL_RULE },
	{ "--public-url=https://a/?x=1", "--public-url: " URL_RULE },
	{ "--openai-base-url=https://user:pass@a/v1", "--openai-base-url: " URL_RULE },
	{ "--openai-base-url=https://key@a/v1", "--openai-base-url: " URL_RULE },
	{ "--openai-base-url=https://a/v1#f", "--openai-base-url: " URL_RULE },
	{ "--openai-base-url=https://a:x/v1", "--openai-base-url: " URL_RULE },
	{ "--openai-base-url=https://a:99999/v1", "--openai-base-url: " URL_RULE },
	{ "--openai-base-url=https://a/v 1", "--openai-base-url: " URL_RULE },
	{ "--openai-base-url=https://a/\xC3\xA9", "--openai-base-url: " URL_RULE },
	{ "--log=loud", "--log: must be one of: error, info, debug" },
	{ "--durability=Power", "--durability: must be one of: power, process" },
	{ "--db=~/store.db", "--db: '~' is not replaced here; write the home folder's full name" },
	{ "--admin-token=a b", "--admin-token: must be printable ASCII without spaces" },
	{ "--openai-api-key=sk\n", "--openai-api-key: must be printable ASCII without spaces" },
	{ "--agent-api-key=sk-proj-abc",
	  "--agent-api-key: is not a purchase key: it must start with "
	  "ask_live_ and be complete" },
};

static void bad_values_are_refused_with_the_rule(void)
{
	for (size_t i = 0; i < ARRAY_LEN(BAD_FLAGS); i++) {
		struct run run = { { "x", BAD_FLAGS[i].flag }, { HOME } };
		struct err err = { 0 };

		if (!CHECK(load(&run, &err) == NULL) || !CHECK_STR(err.text, BAD_FLAGS[i].why))
			check_note("%s", BAD_FLAGS[i].flag);
		CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	}
}

static void a_flag_does_not_take_another_flag_as_its_value(void)
{
	struct run run = { { "x", "--log", "--json" }, { HOME } };
	struct err err = { 0 };

	CHECK(load(&run, &err) == NULL);
	CHECK_STR(err.text, "--log needs a value");
}

static void too_long_a_value_is_refused(void)
{
	OWN_BUF struct buf flag = buf_make(5000);
	struct run run = { { "x", NULL }, { HOME } };
	struct err err = { 0 };
	struct config *cfg;

	buf_addf(&flag, "--db=%04096d", 0);
	run.argv[1] = flag.p;
	cfg = load_good(&run);
	CHECK_I64((int64_t)strlen(config_get(cfg, CONFIG_DB)), 4096);
	config_free(cfg);
	buf_add_char(&flag, '0');
	run.argv[1] = flag.p;
	CHECK(load(&run, &err) == NULL);
	CHECK_STR(err.text, "--db: has more than 4096 bytes");
}

static void an_unknown_or_bad_variable_is_refused(void)
{
	static const struct {
		const char *variable;
		const char *starts;
	} rows[] = {
		{ "AGENT_STORE_LISTENS=x",
		  "AGENT_STORE_LISTENS: no such setting; there are CONFIG, DB, "
		  "AGENT_API_KEY, LISTEN, " },
		{ "AGENT_STORE_listen=x",
		  "AGENT_STORE_listen: no such setting; there are CONFIG, DB, " },
		{ "AGENT_STORE_LOG=x", "AGENT_STORE_LOG: must be one of: error, info, debug" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct run run = { { "x" }, { HOME, rows[i].variable } };
		struct err err = { 0 };

		CHECK(load(&run, &err) == NULL);
		if (!CHECK(str_starts(str_of(err.text), str_of(rows[i].starts))))
			check_note("%s", err.text);
	}
}

static void empty_and_foreign_variables_are_left_alone(void)
{
	struct run run = { { "x" },
		           { HOME, "AGENT_STORE_LOG=", "AGENT_STORE_OTHER=", "AGENT_STORES=1",
		             "MY_AGENT_STORE_LOG=x", "OPENAI_API_KEY=sk-1", "odd" } };
	struct config *cfg = load_good(&run);

	CHECK_STR(config_get(cfg, CONFIG_LOG), "info");
	CHECK(!config_has(cfg, CONFIG_OPENAI_API_KEY));
	config_free(cfg);
}

static void home_is_needed_only_for_the_default_place(void)
{
	struct run without = { { "x" }, { "HOME=" } };
	struct run with_db = { { "x" }, { "AGENT_STORE_DB=/s.db" } };
	struct err err = { 0 };
	struct config *cfg;

	CHECK(load(&without, &err) == NULL);
	CHECK_STR(err.text, "HOME is not set, so there is no default for the store's file; set "
	                    "AGENT_STORE_DB or --db");
	cfg = load_good(&with_db);
	CHECK_STR(config_get(cfg, CONFIG_DB), "/s.db");
	config_free(cfg);
}

static void bad_files_are_refused_with_name_key_and_reason(void)
{
	static const struct {
		const char *text, *why; /* `why` is what comes after "FILE: " */
	} rows[] = {
		{ "", "not valid JSON at byte 0: a value was expected, but the text ends" },
		{ "{\n\"LOG\":info}", "line 2: not valid JSON at byte 8: a value was expected" },
		{ "[]", "a JSON object was expected" },
		{ "{\"LOG\":\"info\",\"LOG\":\"debug\"}",
		  "not valid JSON at byte 14: duplicate key 'LOG'" },
		{ "{\"LOG\":1}", "LOG: must be a string" },
		{ "{\"LOG\":null}", "LOG: must be a string" },
		{ "{\"LOG\":\"\"}", "LOG: must not be empty" },
		{ "{\"LOG\":\"loud\"}", "LOG: must be one of: error, info, debug" },
		{ "{\"models\":1}", "models: must be an object or an array" },
		{ "{\"routes\":\"x\"}", "routes: must be an object or an array" },
		{ "{\"limits\":[]}", "limits: must be an object" },
		{ "{\"models\":[1e999]}", "models: a number is out of range" },
		{ "{\"log\":\"info\"}",
		  "'log': no such setting; there are models, routes, limits, DB, " },
		{ "{\"CONFIG\":\"x\"}", "'CONFIG': no such setting; there are models, " },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct file file = make_file(rows[i].text);
		struct run run = { { "x", "--config", file.path }, { HOME } };
		struct err err = { 0 };
		char want[200];

		(void)snprintf(want, sizeof want, "%s: %s", file.path, rows[i].why);
		CHECK(load(&run, &err) == NULL);
		if (!CHECK(str_starts(str_of(err.text), str_of(want))))
			check_note("%s, wanted %s", err.text, want);
		(void)unlink(file.path);
	}
}

static void an_unreadable_file_is_refused(void)
{
	struct run missing = { { "x", "--config", "/nonexistent/c.json" }, { HOME } };
	struct run folder = { { "x", "--config", "/tmp" }, { HOME } };
	struct err err = { 0 };

	CHECK(load(&missing, &err) == NULL);
	CHECK_STR(err.text, "/nonexistent/c.json: cannot be opened: No such file or directory");
	CHECK(load(&folder, &err) == NULL);
	CHECK_STR(err.text, "/tmp: cannot be read: Is a directory");
}

static void too_large_a_file_is_refused(void)
{
	struct file file = make_file("{}");
	struct run run = { { "x", "--config", file.path }, { HOME } };
	struct err err = { 0 };

	CHECK(truncate(file.path, (4 << 20) + 1) == 0);
	CHECK(load(&run, &err) == NULL);
	CHECK_I64(err.code, ERR_TOO_LARGE);
	(void)unlink(file.path);
}

/* A purchase key, or another one, as a flag. */
static void make_key_flag(enum key_kind kind, char *out, size_t size)
{
	struct env_fixed state = { .counter = 1 };
	struct env env = env_fixed(&state);
	OWN_SECRET struct secret key;

	key_make(&env, kind, &key);
	(void)snprintf(out, size, "--agent-api-key=%s", key.text);
}

static void the_purchase_key_is_checked_and_never_repeated(void)
{
	char flag[128];
	struct run run = { { "x", flag }, { HOME } };
	struct err err = { 0 };
	struct config *cfg;

	make_key_flag(KEY_PURCHASE, flag, sizeof flag);
	cfg = load_good(&run);
	CHECK(str_starts(str_of(config_get(cfg, CONFIG_AGENT_API_KEY)), STR("ask_live_")));
	config_free(cfg);
	run.argv[1] = flag;
	flag[strlen(flag) - 1] ^= 1; /* a typo */
	CHECK(load(&run, &err) == NULL);
	CHECK_STR(err.text,
	          "--agent-api-key: is not a purchase key: it must start with ask_live_ and "
	          "be complete");
	make_key_flag(KEY_ROUTER, flag, sizeof flag);
	CHECK(load(&run, &err) == NULL);
	CHECK_STR(err.text,
	          "--agent-api-key: is a router key, which cannot buy; a purchase key starts "
	          "with ask_live_");
}

static void secrets_are_masked(void)
{
	struct run run = { { "x", "--admin-token", "0123456789ab", "--log", "debug" },
		           { HOME, "AGENT_STORE_OPENAI_API_KEY=sk-0123456789" } };
	struct config *cfg = load_good(&run);
	OWN_BUF struct buf table = buf_make(100000);
	OWN_JSON_OUT struct json_out o = json_out_make(100000);
	OWN_JSON struct json *json = NULL;
	const struct json *first, *setting;

	config_put_table(cfg, &table);
	CHECK(!table.failed);
	CHECK(str_find(buf_str(&table), STR("sk-0123")) < 0);
	CHECK(str_find(buf_str(&table), STR("0123456789ab")) < 0);
	CHECK(str_find(buf_str(&table), STR("OPENAI_API_KEY     ****6789  (environment)\n")) >= 0);
	CHECK(str_find(buf_str(&table), STR("ADMIN_TOKEN        ****  (flag)\n")) >= 0);
	CHECK(str_find(buf_str(&table), STR("KIMI_API_KEY       -  (default)\n")) >= 0);
	CHECK(str_find(buf_str(&table), STR("LOG                debug  (flag)\n")) >= 0);
	config_put_json(cfg, &o);
	CHECK(json_out_ok(&o, NULL));
	json = json_parse(buf_str(&o.text), NULL);
	first = json_first(json_get(json, "settings"));
	CHECK_I64((int64_t)json_count(json_get(json, "settings")), CONFIG_KEY_COUNT);
	CHECK_TEXT(json_text(json_get(first, "key")), "DB");
	CHECK_TEXT(json_text(json_get(first, "value")),
	           "/home/u/.local/share/agent-store/store.db");
	CHECK_TEXT(json_text(json_get(first, "source")), "default");
	CHECK_TEXT(json_text(json_get(first, "default")),
	           "$HOME/.local/share/agent-store/store.db");
	for (setting = first; setting; setting = json_next(setting)) {
		if (str_eq(json_text(json_get(setting, "key")), STR("OPENAI_API_KEY"))) {
			CHECK_TEXT(json_text(json_get(setting, "value")), "****6789");
			CHECK(json_true(json_get(setting, "secret")));
			CHECK(json_is(json_get(setting, "default"), JSON_NULL));
		}
		if (str_eq(json_text(json_get(setting, "key")), STR("KIMI_API_KEY")))
			CHECK(json_is(json_get(setting, "value"), JSON_NULL));
	}
	config_free(cfg);
}

static void urls_and_secrets_of_sections_follow_the_same_rules(void)
{
	struct str url = STR("http://127.0.0.1:8080/v1//");
	struct str with_user = STR("https://me:secret@host/v1");
	struct err err = { 0 };

	CHECK(config_url_check(&url, &err));
	CHECK_TEXT(url, "http://127.0.0.1:8080/v1");
	CHECK(!config_url_check(&with_user, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	CHECK(strstr(err.text, "secret@") == NULL);
	CHECK(config_secret_check(STR("sk-abc"), &err));
	CHECK(!config_secret_check(STR("sk abc"), &err));
	CHECK(strstr(err.text, "abc") == NULL);
}

static void help_and_docs_name_every_setting(void)
{
	struct str names =
		STR("DB AGENT_API_KEY LISTEN PUBLIC_URL OPENAI_API_KEY OPENAI_BASE_URL "
	            "ANTHROPIC_API_KEY ANTHROPIC_BASE_URL GOOGLE_API_KEY GOOGLE_BASE_URL "
	            "KIMI_API_KEY KIMI_BASE_URL ADMIN_TOKEN LOG DURABILITY "
	            "RETIRED_MODELS KEY_DIR");
	int count = 0;
	OWN_BUF struct buf help = buf_make(100000);
	OWN_BUF struct buf markdown = buf_make(100000);

	config_put_help(&help);
	config_put_markdown(&markdown);
	CHECK(!help.failed && !markdown.failed);
	CHECK(str_find(buf_str(&help), STR("--config FILE  (AGENT_STORE_CONFIG)")) >= 0);
	for (; names.p; count++) {
		struct str name = str_cut(&names, ' ');
		char in_help[64], in_markdown[64];

		(void)snprintf(in_help, sizeof in_help, "(AGENT_STORE_%.*s)\n", STR_ARG(name));
		(void)snprintf(in_markdown, sizeof in_markdown, "| `AGENT_STORE_%.*s` | `--",
		               STR_ARG(name));
		CHECK(str_find(buf_str(&help), str_of(in_help)) >= 0);
		CHECK(str_find(buf_str(&markdown), str_of(in_markdown)) >= 0);
	}
	CHECK_I64(count, CONFIG_KEY_COUNT);
	CHECK(str_find(buf_str(&help), STR("--openai-base-url VALUE")) >= 0);
	CHECK(str_find(buf_str(&help), STR("Default: 127.0.0.1:8787.")) >= 0);
	CHECK(str_find(buf_str(&help), STR("Prefer the environment")) >= 0);
}

static void the_printed_table_is_the_one_in_docs(void)
{
	static char text[1u << 16];
	OWN_BUF struct buf table = buf_make(100000);
	FILE *file = fopen(FIXTURES "/../docs/config.md", "r");

	if (!CHECK(file != NULL))
		return;
	struct str docs = { text, fread(text, 1, sizeof text, file) };
	CHECK_I64(fclose(file), 0);
	config_put_markdown(&table);
	if (!CHECK(str_find(docs, buf_str(&table)) >= 0))
		check_note("docs/config.md: put in what agent-store config --markdown prints");
}

static const struct check_case CASES[] = {
	CASE(everything_has_its_default),
	CASE(flag_wins_over_environment_over_file_over_default),
	CASE(the_file_may_be_named_by_the_environment),
	CASE(sections_are_kept_as_trees),
	CASE(flags_leave_argv_and_other_words_stay),
	CASE(flags_that_only_start_like_ours_are_other_words),
	CASE(good_values_are_taken_and_tidied),
	CASE(bad_values_are_refused_with_the_rule),
	CASE(a_flag_does_not_take_another_flag_as_its_value),
	CASE(too_long_a_value_is_refused),
	CASE(an_unknown_or_bad_variable_is_refused),
	CASE(empty_and_foreign_variables_are_left_alone),
	CASE(home_is_needed_only_for_the_default_place),
	CASE(bad_files_are_refused_with_name_key_and_reason),
	CASE(an_unreadable_file_is_refused),
	CASE(too_large_a_file_is_refused),
	CASE(the_purchase_key_is_checked_and_never_repeated),
	CASE(secrets_are_masked),
	CASE(urls_and_secrets_of_sections_follow_the_same_rules),
	CASE(help_and_docs_name_every_setting),
	CASE(the_printed_table_is_the_one_in_docs),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
