/* SPDX-License-Identifier: Apache-2.0 */
/* The settings table for people and programs: help, `agent-store config`, docs/config.md. The
 * surprising fact: of a secret only its last four characters are ever shown, and of a short one
 * nothing. */
#include <string.h>

#include "base/config_setting.h"

#define MASK_MORE_THAN 12 /* characters that a secret must have for its end to be shown */

static const char *default_text(const struct config__setting *s)
{
	if (s->fallback_doc)
		return s->fallback_doc;
	return s->fallback ? s->fallback : "none";
}

/* The value that may be shown. */
static void add_shown(struct buf *out, const struct config *cfg, enum config_key key)
{
	const char *value = config_get(cfg, key);
	size_t len = strlen(value);

	if (len == 0 || !config__is_secret(config__setting(key))) {
		buf_add_z(out, value);
		return;
	}
	buf_add(out, STR("****"));
	if (len > MASK_MORE_THAN)
		buf_add_z(out, value + len - 4);
}

void config_put_help(struct buf *out)
{
	buf_add(out, STR("  --config FILE  (" CONFIG__PREFIX "CONFIG)\n"
	                 "        A JSON file with settings by their upper-case names, and with "
	                 "models, routes and limits.\n"));
	for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
		const struct config__setting *s = config__setting((enum config_key)key);

		buf_addf(out, "  --%s VALUE  (" CONFIG__PREFIX "%s)\n        %s", s->flag, s->name,
		         s->help);
		if (config__is_secret(s))
			buf_add(out, STR(" Prefer the environment: other users can read flags."));
		else
			buf_addf(out, " Default: %s.", default_text(s));
		buf_add_char(out, '\n');
	}
}

void config_put_table(const struct config *cfg, struct buf *out)
{
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		enum config_key key = (enum config_key)i;
		const struct config__setting *s = config__setting(key);

		buf_addf(out, "%-18s ", s->name);
		if (config_has(cfg, key))
			add_shown(out, cfg, key);
		else
			buf_add_char(out, '-');
		buf_addf(out, "  (%s)\n%19sdefault: %s\n%19s%s\n",
		         config__source_name(config_source(cfg, key)), "", default_text(s), "",
		         s->help);
	}
}

static void put_setting(const struct config *cfg, enum config_key key, struct json_out *out)
{
	OWN_BUF struct buf shown = buf_make(CONFIG__VALUE_MAX);
	const struct config__setting *s = config__setting(key);

	json_put_object(out, NULL);
	json_put_z(out, "key", s->name);
	add_shown(&shown, cfg, key);
	if (config_has(cfg, key))
		json_put_str(out, "value", buf_str(&shown));
	else
		json_put_null(out, "value");
	json_put_bool(out, "secret", config__is_secret(s));
	json_put_z(out, "source", config__source_name(config_source(cfg, key)));
	json_put_z(out, "default", s->fallback || s->fallback_doc ? default_text(s) : NULL);
	json_put_z(out, "help", s->help);
	json_put_end(out, '}');
}

void config_put_json(const struct config *cfg, struct json_out *out)
{
	json_put_object(out, NULL);
	json_put_array(out, "settings");
	for (int key = 0; key < CONFIG_KEY_COUNT; key++)
		put_setting(cfg, (enum config_key)key, out);
	json_put_end(out, ']');
	json_put_end(out, '}');
}

void config_put_markdown(struct buf *out)
{
	buf_add(out, STR("| environment | flag | default | |\n|---|---|---|---|\n"));
	for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
		const struct config__setting *s = config__setting((enum config_key)key);

		buf_addf(out, "| `" CONFIG__PREFIX "%s` | `--%s` | %s | %s |\n", s->name, s->flag,
		         default_text(s), s->help);
	}
}
