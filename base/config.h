/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: flag over environment over JSON file over default, from one table that also prints the
 * help, `agent-store config` and docs/config.md. An unknown key, a bad value or an unreadable file
 * is an error that names file, key and reason. Read once, before threads; then read-only. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>

#include "base/env.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

enum config_key {
	CONFIG_DB,
	CONFIG_AGENT_API_KEY,
	CONFIG_LISTEN,
	CONFIG_PUBLIC_URL,
	CONFIG_OPENAI_API_KEY,
	CONFIG_OPENAI_BASE_URL,
	CONFIG_ANTHROPIC_API_KEY,
	CONFIG_ANTHROPIC_BASE_URL,
	CONFIG_GOOGLE_API_KEY,
	CONFIG_GOOGLE_BASE_URL,
	CONFIG_KIMI_API_KEY,
	CONFIG_KIMI_BASE_URL,
	CONFIG_ADMIN_TOKEN,
	CONFIG_LOG,
	CONFIG_DURABILITY,
	CONFIG_RETIRED_MODELS,
	CONFIG_KEY_DIR,
	CONFIG_KEY_COUNT
};

enum config_source {
	CONFIG_FROM_DEFAULT,
	CONFIG_FROM_FILE,
	CONFIG_FROM_ENVIRONMENT,
	CONFIG_FROM_FLAG
};

struct config;

/* Takes the settings out of `argv` (`--listen X`, `--listen=X`, `--config FILE`), leaving commands
 * and other words in `argv[1..*argc-1]` in order; reads AGENT_STORE_* from `envp` (an unknown
 * AGENT_STORE_ name is refused) and the file. Everything after "--" is left alone. The caller frees
 * it. NULL and ERR_INVALID_ARGUMENT, or ERR_TOO_LARGE for a file above 4 MiB. */
MUST_CHECK struct config *config_load(int *argc, char **argv, char **envp, struct err *err);
/* The same settings with the file as it is now; what flags and the environment said stands. The
 * caller frees it. Errors as config_load. */
MUST_CHECK struct config *config_reload(const struct config *cfg, struct err *err);
void config_free(struct config *cfg); /* wipes the secrets; NULL is fine */

/* The value as text; never NULL ("" if it has none and no default). Borrowed from `cfg`. */
const char *config_get(const struct config *cfg, enum config_key key);
bool config_has(const struct config *cfg, enum config_key key); /* not empty */
enum config_source config_source(const struct config *cfg, enum config_key key);
const char *config_file(const struct config *cfg); /* the file that was read; NULL: none */
bool config_is_secret(enum config_key key);        /* must not be shown */
void config_put_variable(enum config_key key, struct buf *out); /* "AGENT_STORE_DB" */
/* A data section of the file: "models", "routes" or "limits"; NULL if it has none. */
const struct json *config_section(const struct config *cfg, const char *name);

/* For a URL or a credential that stands in a section: the rules of the settings of that kind.
 * Slashes at a URL's end are cut off. ERR_INVALID_ARGUMENT, without the value. */
MUST_CHECK bool config_url_check(struct str *url, struct err *err);
MUST_CHECK bool config_secret_check(struct str secret, struct err *err);

/* One line per setting: flag, environment name, default, help. */
void config_put_help(struct buf *out);
/* `agent-store config`: value (secrets masked), source, default and help; as a table or as JSON. */
void config_put_table(const struct config *cfg, struct buf *out);
void config_put_json(const struct config *cfg, struct json_out *out);
/* docs/config.md's table, in Markdown. */
void config_put_markdown(struct buf *out);

#endif
