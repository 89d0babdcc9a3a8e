/* SPDX-License-Identifier: Apache-2.0 */
/* One row of the settings table and what checks its value. Private to base/. */
#ifndef BASE_CONFIG_SETTING_H
#define BASE_CONFIG_SETTING_H

#include <stdbool.h>

#include "base/config.h"

#define CONFIG__PREFIX "AGENT_STORE_"
#define CONFIG__VALUE_MAX 4096 /* bytes of one value */

enum config__type {
	CONFIG__PATH,
	CONFIG__URL,          /* http or https, without user, query and fragment */
	CONFIG__LISTEN,       /* host:port, [v6]:port or none */
	CONFIG__CHOICE,       /* one of `choices` */
	CONFIG__SECRET,       /* a token for a header; never shown */
	CONFIG__PURCHASE_KEY, /* a secret with our checksum */
};

struct config__setting {
	const char *name; /* AGENT_STORE_<name>, and the file's member */
	const char *flag; /* --<flag> */
	enum config__type type;
	const char *fallback;     /* the default, or NULL if there is none */
	const char *fallback_doc; /* the default for people, if `fallback` does not say it */
	const char *const *choices;
	const char *help;
};

/* The row of a key. */
const struct config__setting *config__setting(enum config_key key);
bool config__is_secret(const struct config__setting *setting);
const char *config__source_name(enum config_source source);

/* Checks a value as the user wrote it and appends what is used in its place to `out`.
 * ERR_INVALID_ARGUMENT says what is allowed, and never holds a secret or a URL's user part. */
MUST_CHECK bool config__check(const struct config__setting *setting, struct str value,
                              struct buf *out, struct err *err);

#endif
