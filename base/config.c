/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the settings from their four sources, weakest first, so that a stronger one overwrites. A
 * bad value is refused even where a stronger source would have hidden it. The surprising fact: the
 * file is read by raw spans, not as a tree, so that no copy of a secret is left in freed memory. */
#include "base/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config_setting.h"
#include "base/secret.h"

#define FILE_MAX (4u << 20) /* bytes of a configuration file */

enum section {
	SECTION_MODELS,
	SECTION_ROUTES,
	SECTION_LIMITS,
	SECTION_COUNT
};

static const char *const SECTIONS[] = {
	[SECTION_MODELS] = "models",
	[SECTION_ROUTES] = "routes",
	[SECTION_LIMITS] = "limits",
};
static_assert(ARRAY_LEN(SECTIONS) == SECTION_COUNT, "a name for every section");

struct config {
	char *values[CONFIG_KEY_COUNT]; /* NULL: none */
	enum config_source sources[CONFIG_KEY_COUNT];
	struct json *sections[SECTION_COUNT];
	char *file; /* NULL: none */
};

/* ---- One value ---- */

static void free_value(char *value)
{
	if (value)
		bytes_wipe(value, strlen(value));
	free(value);
}

static bool set_value(struct config *cfg, enum config_key key, struct str value,
                      enum config_source source, struct err *err)
{
	struct buf checked = buf_make(CONFIG__VALUE_MAX);
	bool ok = config__check(config__setting(key), value, &checked, err);

	if (ok) {
		char *copy = str_dup(buf_str(&checked));

		if (copy) {
			free_value(cfg->values[key]);
			cfg->values[key] = copy;
			cfg->sources[key] = source;
		} else {
			ok = err_no_memory(err);
		}
	}
	buf_wipe(&checked);
	buf_done(&checked);
	return ok;
}

/* ---- Defaults ---- */

/* The value of an environment variable; absent if it is not set or empty. */
static struct str environment_get(char **envp, const char *name)
{
	size_t len = strlen(name);

	for (char **entry = envp; entry && *entry; entry++)
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=' && (*entry)[len + 1])
			return str_of(*entry + len + 1);
	return (struct str){ NULL, 0 };
}

static bool load_defaults(struct config *cfg, struct err *err)
{
	for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
		const char *fallback = config__setting((enum config_key)key)->fallback;

		if (fallback && !set_value(cfg, (enum config_key)key, str_of(fallback),
		                           CONFIG_FROM_DEFAULT, err))
			return false;
	}
	return true;
}

/* The database's place depends on HOME, which must be there only if nobody named another. */
static bool default_db(struct config *cfg, char **envp, struct err *err)
{
	OWN_BUF struct buf path = buf_make(CONFIG__VALUE_MAX);
	struct str home = environment_get(envp, "HOME");

	if (cfg->values[CONFIG_DB])
		return true;
	if (!home.p)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "HOME is not set, so there is no default for the store's file; "
		               "set " CONFIG__PREFIX "DB or --db");
	buf_add(&path, home);
	buf_add(&path, STR("/.local/share/agent-store/store.db"));
	if (!buf_ok(&path, "HOME", err))
		return false;
	if (!set_value(cfg, CONFIG_DB, buf_str(&path), CONFIG_FROM_DEFAULT, err))
		return err_prefix(err, "the store's default file in HOME");
	return true;
}

/* ---- Environment ---- */

static bool find_name(struct str name, enum config_key *key)
{
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (str_eq(name, str_of(config__setting((enum config_key)i)->name))) {
			*key = (enum config_key)i;
			return true;
		}
	}
	return false;
}

static void add_names(struct buf *out)
{
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (i > 0)
			buf_add(out, STR(", "));
		buf_add_z(out, config__setting((enum config_key)i)->name);
	}
}

static bool load_variable(struct config *cfg, struct str name, struct str value, struct err *err)
{
	OWN_BUF struct buf names = buf_make(LIMIT_ERR_TEXT);
	enum config_key key;

	if (value.len == 0 || str_eq(name, STR("CONFIG")))
		return true;
	if (!find_name(name, &key)) {
		add_names(&names);
		return err_set(err, ERR_INVALID_ARGUMENT,
		               CONFIG__PREFIX "%.*s: no such setting; there are CONFIG, %.*s",
		               STR_ARG(name), STR_ARG(buf_str(&names)));
	}
	if (!set_value(cfg, key, value, CONFIG_FROM_ENVIRONMENT, err))
		return err_prefix(err, CONFIG__PREFIX "%.*s", STR_ARG(name));
	return true;
}

static bool load_environment(struct config *cfg, char **envp, struct err *err)
{
	for (char **entry = envp; entry && *entry; entry++) {
		struct str value = str_of(*entry), name;

		if (!str_starts(value, STR(CONFIG__PREFIX)))
			continue;
		name = str_cut(&value, '=');
		name.p += strlen(CONFIG__PREFIX);
		name.len -= strlen(CONFIG__PREFIX);
		if (!load_variable(cfg, name, value, err))
			return false;
	}
	return true;
}

/* ---- File ---- */

static bool read_fd(int fd, struct buf *out, struct err *err)
{
	for (;;) {
		char *room = buf_reserve(out, 4096);
		ssize_t n;

		if (!room)
			return buf_ok(out, "the file", err);
		n = read(fd, room, 4096);
		if (n == 0)
			return true;
		if (n > 0)
			buf_grew(out, (size_t)n);
		else if (errno != EINTR)
			return err_set_errno(err, ERR_INVALID_ARGUMENT, "cannot be read");
	}
}

static bool read_file(const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return err_set_errno(err, ERR_INVALID_ARGUMENT, "cannot be opened");
	ok = read_fd(fd, out, err);
	(void)close(fd); /* only read from */
	return ok;
}

static bool load_file_value(struct config *cfg, enum config_key key, struct str raw,
                            struct err *err)
{
	struct buf text = buf_make(CONFIG__VALUE_MAX + 1);
	bool ok = raw.p[0] == '"' && json_raw_string(raw, &text);

	if (raw.p[0] != '"')
		(void)err_set(err, ERR_INVALID_ARGUMENT, "must be a string");
	else if (!ok)
		(void)err_set(err, ERR_INVALID_ARGUMENT, "has more than %d bytes",
		              CONFIG__VALUE_MAX);
	ok = ok && set_value(cfg, key, buf_str(&text), CONFIG_FROM_FILE, err);
	buf_wipe(&text);
	buf_done(&text);
	return ok || err_prefix(err, "%s", config__setting(key)->name);
}

static bool load_section(struct config *cfg, enum section section, struct str raw, struct err *err)
{
	if (raw.p[0] != '{' && (raw.p[0] != '[' || section == SECTION_LIMITS))
		return err_set(err, ERR_INVALID_ARGUMENT, "%s: must be an object%s",
		               SECTIONS[section], section == SECTION_LIMITS ? "" : " or an array");
	cfg->sections[section] = json_parse(raw, err);
	return cfg->sections[section] || err_prefix(err, "%s", SECTIONS[section]);
}

/* The first member of the file that is neither a setting nor a section. */
static void find_unknown(void *data, const struct json_span *span)
{
	struct str *unknown = data;
	enum config_key key;

	if (span->depth != 1 || !span->key.p || unknown->p || find_name(span->key, &key))
		return;
	for (size_t i = 0; i < SECTION_COUNT; i++)
		if (str_eq(span->key, str_of(SECTIONS[i])))
			return;
	*unknown = span->key;
}

static bool refuse_unknown_members(struct str text, struct err *err)
{
	OWN_BUF struct buf names = buf_make(LIMIT_ERR_TEXT);
	struct str unknown = { NULL, 0 };

	if (!json_scan(text, find_unknown, &unknown, err))
		return false;
	if (!unknown.p)
		return true;
	add_names(&names);
	if (unknown.len > LIMIT_LABEL)
		unknown = STR("...");
	return err_set(err, ERR_INVALID_ARGUMENT,
	               "'%.*s': no such setting; there are models, routes, limits, %.*s",
	               STR_ARG(unknown), STR_ARG(buf_str(&names)));
}

static bool load_text(struct config *cfg, struct str text, struct err *err)
{
	const char *names[CONFIG_KEY_COUNT + SECTION_COUNT];
	struct str raw[ARRAY_LEN(names)];

	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
		names[i] = config__setting((enum config_key)i)->name;
	for (size_t i = 0; i < SECTION_COUNT; i++)
		names[CONFIG_KEY_COUNT + i] = SECTIONS[i];
	if (!json_pick(text, names, raw, ARRAY_LEN(names), err) ||
	    !refuse_unknown_members(text, err))
		return false;
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
		if (raw[i].p && !load_file_value(cfg, (enum config_key)i, raw[i], err))
			return false;
	for (size_t i = 0; i < SECTION_COUNT; i++)
		if (raw[CONFIG_KEY_COUNT + i].p &&
		    !load_section(cfg, (enum section)i, raw[CONFIG_KEY_COUNT + i], err))
			return false;
	return true;
}

static bool load_file(struct config *cfg, const char *path, struct err *err)
{
	struct buf text = buf_make(FILE_MAX);
	bool ok = read_file(path, &text, err) && load_text(cfg, buf_str(&text), err);

	buf_wipe(&text);
	buf_done(&text);
	if (!ok)
		return err_prefix(err, "%s", path);
	cfg->file = str_dup(str_of(path));
	return cfg->file || err_no_memory(err);
}

/* ---- Flags ---- */

/* A setting's flag as it stands in argv. */
struct flag {
	enum config_key key; /* CONFIG_KEY_COUNT: --config */
	const char *name;
	const char *value; /* NULL: it is the next word */
};

/* "--listen" or "--listen=X" is the flag `name`. */
static bool is_flag(const char *word, const char *name, struct flag *flag)
{
	size_t len = strlen(name);

	if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, name, len) != 0)
		return false;
	word += 2 + len;
	if (*word != '\0' && *word != '=')
		return false;
	flag->name = name;
	flag->value = *word ? word + 1 : NULL;
	return true;
}

static bool find_flag(const char *word, struct flag *flag)
{
	flag->key = CONFIG_KEY_COUNT;
	if (is_flag(word, "config", flag))
		return true;
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		flag->key = (enum config_key)i;
		if (is_flag(word, config__setting(flag->key)->flag, flag))
			return true;
	}
	return false;
}

typedef bool flag_fn(void *data, const struct flag *flag, struct err *err);

/* Calls `fn` for each setting's flag before "--". With `take`, the flags leave argv: other words
 * move to its front and *argc shrinks. */
static bool each_flag(int *argc, char **argv, bool take, flag_fn *fn, void *data, struct err *err)
{
	int kept = *argc > 0 ? 1 : 0, i = kept;

	for (; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		struct flag flag;

		if (!find_flag(argv[i], &flag)) {
			if (take)
				argv[kept] = argv[i];
			kept++;
			continue;
		}
		if (!flag.value && i + 1 < *argc && strncmp(argv[i + 1], "--", 2) != 0)
			flag.value = argv[++i];
		if (!flag.value)
			return err_set(err, ERR_INVALID_ARGUMENT, "--%s needs a value", flag.name);
		if (!fn(data, &flag, err))
			return err_prefix(err, "--%s", flag.name);
	}
	if (!take)
		return true;
	for (; i < *argc; i++)
		argv[kept++] = argv[i];
	*argc = kept;
	argv[kept] = NULL;
	return true;
}

static bool take_config_path(void *data, const struct flag *flag, struct err *err)
{
	const char **path = data;

	if (flag->key == CONFIG_KEY_COUNT) {
		if (!*flag->value)
			return err_set(err, ERR_INVALID_ARGUMENT, "must not be empty");
		*path = flag->value;
	}
	return true;
}

static bool take_value(void *data, const struct flag *flag, struct err *err)
{
	struct config *cfg = data;

	if (flag->key == CONFIG_KEY_COUNT)
		return true;
	return set_value(cfg, flag->key, str_of(flag->value), CONFIG_FROM_FLAG, err);
}

/* ---- All of it ---- */

static bool load(struct config *cfg, int *argc, char **argv, char **envp, struct err *err)
{
	const char *path = environment_get(envp, CONFIG__PREFIX "CONFIG").p;

	return load_defaults(cfg, err) &&
	       each_flag(argc, argv, false, take_config_path, &path, err) &&
	       (!path || load_file(cfg, path, err)) && load_environment(cfg, envp, err) &&
	       each_flag(argc, argv, true, take_value, cfg, err) && default_db(cfg, envp, err);
}

struct config *config_load(int *argc, char **argv, char **envp, struct err *err)
{
	struct config *cfg = calloc(1, sizeof *cfg);

	if (!cfg) {
		(void)err_no_memory(err);
		return NULL;
	}
	if (!load(cfg, argc, argv, envp, err)) {
		config_free(cfg);
		return NULL;
	}
	return cfg;
}

/* What the file did not say when the process began; the database's default place among it. */
static bool keep_values(struct config *cfg, const struct config *from, struct err *err)
{
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		enum config_key key = (enum config_key)i;
		enum config_source source = from->sources[key];
		bool strong = source == CONFIG_FROM_ENVIRONMENT || source == CONFIG_FROM_FLAG;

		if (from->values[key] && (strong || !cfg->values[key]) &&
		    source != CONFIG_FROM_FILE &&
		    !set_value(cfg, key, str_of(from->values[key]), source, err))
			return false;
	}
	return true;
}

struct config *config_reload(const struct config *cfg, struct err *err)
{
	struct config *fresh = calloc(1, sizeof *fresh);

	if (!fresh) {
		(void)err_no_memory(err);
		return NULL;
	}
	if (!load_defaults(fresh, err) || (cfg->file && !load_file(fresh, cfg->file, err)) ||
	    !keep_values(fresh, cfg, err)) {
		config_free(fresh);
		return NULL;
	}
	return fresh;
}

void config_free(struct config *cfg)
{
	if (!cfg)
		return;
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
		free_value(cfg->values[i]);
	for (size_t i = 0; i < SECTION_COUNT; i++)
		json_free(cfg->sections[i]);
	free(cfg->file);
	free(cfg);
}

const char *config_get(const struct config *cfg, enum config_key key)
{
	return cfg->values[key] ? cfg->values[key] : "";
}

bool config_has(const struct config *cfg, enum config_key key)
{
	return cfg->values[key] != NULL;
}

enum config_source config_source(const struct config *cfg, enum config_key key)
{
	return cfg->sources[key];
}

const char *config_file(const struct config *cfg)
{
	return cfg->file;
}

const struct json *config_section(const struct config *cfg, const char *name)
{
	for (size_t i = 0; i < SECTION_COUNT; i++)
		if (strcmp(SECTIONS[i], name) == 0)
			return cfg->sections[i];
	return NULL;
}
