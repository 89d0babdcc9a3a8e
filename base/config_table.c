/* SPDX-License-Identifier: Apache-2.0 */
/* The settings: the one table that the reader, the help, `agent-store config` and docs/config.md
 * come from. A new setting is a key in base/config.h and a row here. */
#include <assert.h>

#include "base/config_setting.h"

static const char *const log_choices[] = { "error", "info", "debug", NULL };
static const char *const durability_choices[] = { "power", "process", NULL };
static const char *const retired_choices[] = { "serve", "refuse", NULL };

static const struct config__setting SETTINGS[] = {
	[CONFIG_DB] = {
		.name = "DB",
		.flag = "db",
		.type = CONFIG__PATH,
		.fallback_doc = "$HOME/.local/share/agent-store/store.db",
		.help = "The store's file; it is created with its folder, readable by its owner only.",
	},
	[CONFIG_AGENT_API_KEY] = {
		.name = "AGENT_API_KEY",
		.flag = "agent-api-key",
		.type = CONFIG__PURCHASE_KEY,
		.help = "The purchase key (ask_live_...) that the MCP session acts with.",
	},
	[CONFIG_LISTEN] = {
		.name = "LISTEN",
		.flag = "listen",
		.type = CONFIG__LISTEN,
		.fallback = "127.0.0.1:8787",
		.help = "Where the router listens: host:port, [v6]:port (port 0: any free one) or none.",
	},
	[CONFIG_PUBLIC_URL] = {
		.name = "PUBLIC_URL",
		.flag = "public-url",
		.type = CONFIG__URL,
		.fallback_doc = "http:// and the listen address",
		.help = "What every base URL that is handed out starts with.",
	},
	[CONFIG_OPENAI_API_KEY] = {
		.name = "OPENAI_API_KEY",
		.flag = "openai-api-key",
		.type = CONFIG__SECRET,
		.help = "The operator's key at OpenAI; without it these models are not offered.",
	},
	[CONFIG_OPENAI_BASE_URL] = {
		.name = "OPENAI_BASE_URL",
		.flag = "openai-base-url",
		.type = CONFIG__URL,
		.fallback = "https://api.openai.com/v1",
		.help = "Where OpenAI's API is.",
	},
	[CONFIG_ANTHROPIC_API_KEY] = {
		.name = "ANTHROPIC_API_KEY",
		.flag = "anthropic-api-key",
		.type = CONFIG__SECRET,
		.help = "The operator's key at Anthropic; without it these models are not offered.",
	},
	[CONFIG_ANTHROPIC_BASE_URL] = {
		.name = "ANTHROPIC_BASE_URL",
		.flag = "anthropic-base-url",
		.type = CONFIG__URL,
		.fallback = "https://api.anthropic.com",
		.help = "Where Anthropic's API is.",
	},
	[CONFIG_GOOGLE_API_KEY] = {
		.name = "GOOGLE_API_KEY",
		.flag = "google-api-key",
		.type = CONFIG__SECRET,
		.help = "The operator's key at Google; without it these models are not offered.",
	},
	[CONFIG_GOOGLE_BASE_URL] = {
		.name = "GOOGLE_BASE_URL",
		.flag = "google-base-url",
		.type = CONFIG__URL,
		.fallback = "https://generativelanguage.googleapis.com",
		.help = "Where Google's Gemini API is.",
	},
	[CONFIG_KIMI_API_KEY] = {
		.name = "KIMI_API_KEY",
		.flag = "kimi-api-key",
		.type = CONFIG__SECRET,
		.help = "The operator's key at Moonshot; without it these models are not offered.",
	},
	[CONFIG_KIMI_BASE_URL] = {
		.name = "KIMI_BASE_URL",
		.flag = "kimi-base-url",
		.type = CONFIG__URL,
		.fallback = "https://api.moonshot.ai/v1",
		.help = "Where Moonshot's Kimi API is.",
	},
	[CONFIG_ADMIN_TOKEN] = {
		.name = "ADMIN_TOKEN",
		.flag = "admin-token",
		.type = CONFIG__SECRET,
		.help = "Opens the admin routes; without it there are none.",
	},
	[CONFIG_LOG] = {
		.name = "LOG",
		.flag = "log",
		.type = CONFIG__CHOICE,
		.fallback = "info",
		.choices = log_choices,
		.help = "How much is logged to stderr: error, info or debug.",
	},
	[CONFIG_DURABILITY] = {
		.name = "DURABILITY",
		.flag = "durability",
		.type = CONFIG__CHOICE,
		.fallback = "power",
		.choices = durability_choices,
		.help = "What an acknowledged charge survives: power (loss of it) or process (kill -9).",
	},
	[CONFIG_RETIRED_MODELS] = {
		.name = "RETIRED_MODELS",
		.flag = "retired-models",
		.type = CONFIG__CHOICE,
		.fallback = "serve",
		.choices = retired_choices,
		.help = "What a model gets that its maker has retired: serve (by the successor that "
			"the maker names, at its prices) or refuse (404 that names it).",
	},
	[CONFIG_KEY_DIR] = {
		.name = "KEY_DIR",
		.flag = "key-dir",
		.type = CONFIG__PATH,
		.help = "The folder, by its absolute path, in which agents may have new router keys "
			"put into files; only its user may write to it. Without it they may not.",
	},
};
static_assert(ARRAY_LEN(SETTINGS) == CONFIG_KEY_COUNT, "a row for every key");

const struct config__setting *config__setting(enum config_key key)
{
	assert(key < CONFIG_KEY_COUNT);
	return &SETTINGS[key];
}

bool config__is_secret(const struct config__setting *setting)
{
	return setting->type == CONFIG__SECRET || setting->type == CONFIG__PURCHASE_KEY;
}

bool config_is_secret(enum config_key key)
{
	return config__is_secret(config__setting(key));
}

void config_put_variable(enum config_key key, struct buf *out)
{
	buf_add_z(out, CONFIG__PREFIX);
	buf_add_z(out, config__setting(key)->name);
}

const char *config__source_name(enum config_source source)
{
	static const char *const NAMES[] = {
		[CONFIG_FROM_DEFAULT] = "default",
		[CONFIG_FROM_FILE] = "file",
		[CONFIG_FROM_ENVIRONMENT] = "environment",
		[CONFIG_FROM_FLAG] = "flag",
	};

	return NAMES[source];
}
