/* SPDX-License-Identifier: Apache-2.0 */
/* Settings on paper: shown, checked, and written for an agent host. Nothing here opens a store or a
 * port, so all of it works beside a running server and on another machine. */
#include "offline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "base/env.h"
#include "base/json.h"
#include "base/secret.h"
#include "mcp/mcp.h"
#include "store/model.h"

#define EXIT_USAGE 2
#define TEXT_MAX (256u << 10)
#define PATH_BYTES (8u << 10)

static int print(const struct buf *text)
{
	bool ok = text->p != NULL && fwrite(text->p, 1, text->len, stdout) == text->len;

	return ok && fflush(stdout) == 0 ? 0 : 1;
}

static int complain(const struct err *why, int code)
{
	(void)fprintf(stderr, "agent-store: %s\n", why->text); /* nowhere else to complain */
	return code;
}

static int usage_error(const char *what, const char *word, const char *usage)
{
	(void)fprintf(stderr, "agent-store: %s '%s'\nusage: agent-store %s\n", what, word, usage);
	return EXIT_USAGE;
}

/* ---- config ---- */

#define CONFIG_USAGE "config [--json | --markdown]"

int offline_config(const struct config *cfg, int argc, char **argv)
{
	OWN_BUF struct buf text = buf_make(TEXT_MAX);
	OWN_JSON_OUT struct json_out json = json_out_make(TEXT_MAX);

	if (argc > 3)
		return usage_error("unexpected word", argv[3], CONFIG_USAGE);
	if (argc < 3) {
		config_put_table(cfg, &text);
	} else if (strcmp(argv[2], "--json") == 0) {
		config_put_json(cfg, &json);
		buf_add(&text, buf_str(&json.text));
		buf_add_char(&text, '\n');
	} else if (strcmp(argv[2], "--markdown") == 0) {
		buf_add_z(&text, "# Settings\n\nPrinted by `agent-store config --markdown`.\n\n");
		config_put_markdown(&text);
	} else {
		return usage_error("unexpected word", argv[2], CONFIG_USAGE);
	}
	return print(&text);
}

/* ---- config check ---- */

#define CHECK_USAGE "config check [FILE] [--json]"

struct checked {
	const struct config *cfg;
	const struct store_models *models;
	int64_t callable;
};

/* Where "config check" stands in argv; 0: nowhere. */
static int check_at(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "config") == 0 && strcmp(argv[i + 1], "check") == 0)
			return i;
	}
	return 0;
}

bool offline_is_check(int argc, char **argv)
{
	return check_at(argc, argv) > 0;
}

static void put_names(const struct checked *c, struct buf *out)
{
	size_t with_key = 0;

	buf_add_z(out, "routes     openai");
	for (size_t i = 0; i < store_routes_count(c->models); i++)
		buf_addf(out, ", %.*s", STR_ARG(store_route_at(c->models, i)->alias));
	buf_add_z(out, "\nproviders  ");
	for (int p = 0; p < PROVIDER_COUNT; p++) {
		if (store_provider_configured(c->models, (enum provider)p))
			buf_addf(out, "%s%s", with_key++ > 0 ? ", " : "",
			         provider_name((enum provider)p));
	}
	buf_add_z(out, with_key > 0 ? " (have a key)\n" : "none has a key\n");
}

static void put_summary(const struct checked *c, struct buf *out)
{
	const char *file = config_file(c->cfg);

	buf_addf(out, "ok\nfile       %s\ndb         %s\nlisten     %s\n",
	         file != NULL ? file : "none", config_get(c->cfg, CONFIG_DB),
	         config_get(c->cfg, CONFIG_LISTEN));
	buf_addf(out, "models     %zu, of which %lld can be called\n",
	         store_models_count(c->models), (long long)c->callable);
	put_names(c, out);
}

static void put_summary_json(const struct checked *c, struct buf *out)
{
	OWN_JSON_OUT struct json_out o = json_out_make(TEXT_MAX);

	json_put_object(&o, NULL);
	json_put_bool(&o, "ok", true);
	json_put_z(&o, "file", config_file(c->cfg));
	json_put_z(&o, "db", config_get(c->cfg, CONFIG_DB));
	json_put_z(&o, "listen", config_get(c->cfg, CONFIG_LISTEN));
	json_put_i64(&o, "models", (int64_t)store_models_count(c->models));
	json_put_i64(&o, "callableModels", c->callable);
	json_put_array(&o, "routes");
	json_put_z(&o, NULL, "openai");
	for (size_t i = 0; i < store_routes_count(c->models); i++)
		json_put_str(&o, NULL, store_route_at(c->models, i)->alias);
	json_put_end(&o, ']');
	json_put_array(&o, "providers");
	for (int p = 0; p < PROVIDER_COUNT; p++) {
		if (store_provider_configured(c->models, (enum provider)p))
			json_put_z(&o, NULL, provider_name((enum provider)p));
	}
	json_put_end(&o, ']');
	json_put_end(&o, '}');
	buf_add(out, buf_str(&o.text));
	buf_add_char(out, '\n');
}

static int check(const struct config *cfg, bool json)
{
	OWN_BUF struct buf text = buf_make(TEXT_MAX);
	const struct env env = env_real();
	struct err err = { 0 };
	struct store_models *models = app_models_new(cfg, &env, &err);
	struct checked c = { .cfg = cfg, .models = models };

	if (models == NULL)
		return complain(&err, EXIT_USAGE);
	for (size_t i = 0; i < store_models_count(models); i++)
		c.callable += store_model_routable(models, store_models_at(models, i));
	if (json)
		put_summary_json(&c, &text);
	else
		put_summary(&c, &text);
	store_models_free(models);
	return print(&text);
}

/* The words behind the settings are "config check [--json]". */
static int check_words(const struct config *cfg, int argc, char **argv)
{
	bool json = argc > 3 && strcmp(argv[3], "--json") == 0;
	int next = json ? 4 : 3;

	if (argc > next)
		return usage_error("unexpected word", argv[next], CHECK_USAGE);
	return check(cfg, json);
}

int offline_config_check(int argc, char **argv, char **envp)
{
	char flag[] = "--config";
	int at = check_at(argc, argv) + 2;
	struct err err = { 0 };
	char **words = calloc((size_t)argc + 2, sizeof(*words));

	if (words == NULL) {
		(void)err_no_memory(&err);
		return complain(&err, 1);
	}
	int count = 0;
	for (int i = 0; i < argc; i++) {
		if (i == at && argv[i][0] != '-')
			words[count++] = flag;
		words[count++] = argv[i];
	}
	struct config *cfg = config_load(&count, words, envp, &err);
	int code = cfg == NULL ? complain(&err, EXIT_USAGE) : check_words(cfg, count, words);
	config_free(cfg);
	free(words);
	return code;
}

/* ---- host-config ---- */

#define HOST_USAGE "host-config HOST [--key KEY] [--json]"

struct wish {
	const char *host;
	const char *key; /* NULL: not given */
	bool json;
};

/* False if it was told to stderr. */
static bool read_wish(int argc, char **argv, struct wish *wish)
{
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			wish->json = true;
		else if (strncmp(argv[i], "--key=", 6) == 0)
			wish->key = argv[i] + 6;
		else if (strcmp(argv[i], "--key") == 0 && i + 1 < argc)
			wish->key = argv[++i];
		else if (argv[i][0] == '-' || wish->host != NULL)
			return usage_error("unexpected word", argv[i], HOST_USAGE) == 0;
		else
			wish->host = argv[i];
	}
	return true;
}

static bool is_purchase_key(const char *text)
{
	enum key_kind kind;
	struct str lookup;

	return key_parse(str_of(text), &kind, &lookup) && kind == KEY_PURCHASE;
}

/* A path that means the same wherever the host starts us. */
static void put_absolute(const char *path, struct buf *out)
{
	char *folder = path[0] == '/' ? NULL : getcwd(NULL, 0);

	if (folder != NULL)
		buf_addf(out, "%s/", folder);
	buf_add_z(out, path);
	free(folder);
}

/* What was given for this run, and is no secret, the host shall give too. */
#define CARRIED_MAX (CONFIG_KEY_COUNT + 1)

struct carried {
	struct buf texts[CARRIED_MAX][2];
	struct mcp_host_variable variables[CARRIED_MAX];
	size_t count;
};

static void carry(struct carried *c, struct buf *name, struct buf *value)
{
	if (name->failed || value->failed) { /* no path is that long */
		buf_done(name);
		buf_done(value);
		return;
	}
	c->texts[c->count][0] = *name;
	c->texts[c->count][1] = *value;
	c->variables[c->count] = (struct mcp_host_variable){ .name = name->p, .value = value->p };
	c->count++;
}

static void carry_settings(const struct config *cfg, struct carried *c)
{
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		enum config_key key = (enum config_key)i;
		enum config_source source = config_source(cfg, key);
		struct buf name = buf_make(PATH_BYTES), value = buf_make(PATH_BYTES);

		if (config_is_secret(key) || !config_has(cfg, key) ||
		    source == CONFIG_FROM_DEFAULT || source == CONFIG_FROM_FILE)
			continue;
		config_put_variable(key, &name);
		if (key == CONFIG_DB)
			put_absolute(config_get(cfg, key), &value);
		else
			buf_add_z(&value, config_get(cfg, key));
		carry(c, &name, &value);
	}
}

static void carry_file(const struct config *cfg, struct carried *c)
{
	struct buf name = buf_make(PATH_BYTES), value = buf_make(PATH_BYTES);

	if (config_file(cfg) == NULL)
		return;
	buf_add_z(&name, "AGENT_STORE_CONFIG");
	put_absolute(config_file(cfg), &value);
	carry(c, &name, &value);
}

static void carried_done(struct carried *c)
{
	for (size_t i = 0; i < CARRIED_MAX; i++) {
		buf_done(&c->texts[i][0]);
		buf_done(&c->texts[i][1]);
	}
}

/* The binary that runs, wherever it was called from. */
static char *own_path(struct err *err)
{
	char *path = realpath("/proc/self/exe", NULL);

	if (path == NULL)
		(void)err_set_errno(err, ERR_INTERNAL, "/proc/self/exe");
	return path;
}

/* A key of the file stays there: the host is told of the file. */
static const char *given_key(const struct config *cfg, const struct wish *wish)
{
	enum config_source source = config_source(cfg, CONFIG_AGENT_API_KEY);

	if (wish->key != NULL)
		return wish->key;
	return source == CONFIG_FROM_FLAG || source == CONFIG_FROM_ENVIRONMENT
	               ? config_get(cfg, CONFIG_AGENT_API_KEY)
	               : NULL;
}

static int print_host_config(const struct config *cfg, const struct wish *wish)
{
	OWN_BUF struct buf text = buf_make(TEXT_MAX);
	struct carried carried = { .count = 0 };
	struct err err = { 0 };
	char *program = own_path(&err);
	int code = 1;

	if (program == NULL)
		return complain(&err, 1);
	carry_settings(cfg, &carried);
	carry_file(cfg, &carried);
	const struct mcp_host_setup setup = {
		.program = program,
		.purchase_key = given_key(cfg, wish),
		.variables = carried.variables,
		.variable_count = carried.count,
	};
	if (mcp_host_config_put(str_of(wish->host), &setup, wish->json, &text, &err))
		code = print(&text);
	else
		code = complain(&err, EXIT_USAGE);
	buf_wipe(&text);
	carried_done(&carried);
	free(program);
	return code;
}

int offline_host_config(const struct config *cfg, int argc, char **argv)
{
	struct wish wish = { NULL, NULL, false };
	OWN_BUF struct buf names = buf_make(LIMIT_ERR_TEXT);

	if (!read_wish(argc, argv, &wish))
		return EXIT_USAGE;
	if (wish.host == NULL) {
		mcp_hosts_put_names(&names);
		return usage_error("HOST is missing; it is one of", names.p, HOST_USAGE);
	}
	if (wish.key != NULL && !is_purchase_key(wish.key))
		return usage_error("--key: no purchase key; one starts with", "ask_live_",
		                   HOST_USAGE);
	return print_host_config(cfg, &wish);
}
