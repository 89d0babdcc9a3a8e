/* SPDX-License-Identifier: Apache-2.0 */
/* What a value of each type of setting may be. Refusals say what is allowed and repeat the value
 * only where it cannot be a secret: somebody will paste a key into the wrong variable. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/config_setting.h"
#include "base/secret.h"

static bool refuse(struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID_ARGUMENT, "%s", what);
}

/* Printable ASCII without spaces: what may stand in a header or a URL. */
static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

static bool is_port(struct str s)
{
	int64_t port;

	if (s.len == 0 || s.len > 5 || s.p[0] == '-')
		return false;
	return str_to_i64(s, &port) && port <= 65535;
}

static bool is_host_name(struct str s)
{
	if (s.len == 0 || s.len > 253)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '.' && s.p[i] != '-')
			return false;
	return s.p[0] != '-' && s.p[0] != '.';
}

static bool is_v6(struct str s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (s.len >= sizeof text)
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

/* Splits "host:port" or "[v6]:port". Without a port, `port` is absent. */
static bool split_authority(struct str s, struct str *port)
{
	struct str rest = s, host;

	if (s.len > 0 && s.p[0] == '[') {
		host = str_cut(&rest, ']');
		if (!rest.p || !is_v6((struct str){ host.p + 1, host.len - 1 }))
			return false;
		if (rest.len > 0 && rest.p[0] != ':')
			return false;
		*port = (struct str){ NULL, 0 };
		if (rest.len > 0)
			*port = (struct str){ rest.p + 1, rest.len - 1 };
		return true;
	}
	host = str_cut(&rest, ':');
	*port = rest;
	return is_host_name(host);
}

static bool check_path(struct str value, struct err *err)
{
	if (value.p[0] == '~')
		return refuse(err, "'~' is not replaced here; write the home folder's full name");
	return true;
}

bool config_url_check(struct str *value, struct err *err)
{
	static const char allowed[] =
		"must be http://host or https://host, with an optional :port and /path, without user, "
		"query and fragment";
	struct str rest = *value, port;

	if (str_starts(rest, STR("https://")))
		rest = (struct str){ rest.p + 8, rest.len - 8 };
	else if (str_starts(rest, STR("http://")))
		rest = (struct str){ rest.p + 7, rest.len - 7 };
	else
		return refuse(err, allowed);
	if (!is_token(rest) || memchr(rest.p, '?', rest.len) || memchr(rest.p, '#', rest.len) ||
	    memchr(rest.p, '\\', rest.len) || memchr(rest.p, '"', rest.len))
		return refuse(err, allowed);
	if (!split_authority(str_cut(&rest, '/'), &port) || (port.p && !is_port(port)))
		return refuse(err, allowed);
	while (value->p[value->len - 1] == '/')
		value->len--;
	return true;
}

static bool check_listen(struct str value, struct err *err)
{
	struct str port;

	if (str_eq(value, STR("none")))
		return true;
	if (!split_authority(value, &port) || !port.p || !is_port(port))
		return refuse(err,
		              "must be host:port, [v6]:port with a port of 0 to 65535, or none");
	return true;
}

static bool check_choice(const struct config__setting *setting, struct str value, struct err *err)
{
	OWN_BUF struct buf list = buf_make(LIMIT_ERR_TEXT);

	for (const char *const *choice = setting->choices; *choice; choice++) {
		if (str_eq(value, str_of(*choice)))
			return true;
		if (choice > setting->choices)
			buf_add(&list, STR(", "));
		buf_add_z(&list, *choice);
	}
	return err_set(err, ERR_INVALID_ARGUMENT, "must be one of: %.*s", STR_ARG(buf_str(&list)));
}

bool config_secret_check(struct str value, struct err *err)
{
	if (!is_token(value))
		return refuse(err, "must be printable ASCII without spaces");
	return true;
}

static bool check_purchase_key(struct str value, struct err *err)
{
	enum key_kind kind;
	struct str lookup;

	if (!key_parse(value, &kind, &lookup))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "is not a purchase key: it must start with %s and be complete",
		               key_prefix(KEY_PURCHASE));
	if (kind != KEY_PURCHASE)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "is a %s key, which cannot buy; a purchase key starts with %s",
		               key_kind_name(kind), key_prefix(KEY_PURCHASE));
	return true;
}

static bool check_type(const struct config__setting *setting, struct str *value, struct err *err)
{
	switch (setting->type) {
	case CONFIG__PATH:
		return check_path(*value, err);
	case CONFIG__URL:
		return config_url_check(value, err);
	case CONFIG__LISTEN:
		return check_listen(*value, err);
	case CONFIG__CHOICE:
		return check_choice(setting, *value, err);
	case CONFIG__SECRET:
		return config_secret_check(*value, err);
	case CONFIG__PURCHASE_KEY:
		return check_purchase_key(*value, err);
	}
	return false;
}

bool config__check(const struct config__setting *setting, struct str value, struct buf *out,
                   struct err *err)
{
	if (value.len == 0)
		return refuse(err, "must not be empty");
	if (value.len > CONFIG__VALUE_MAX)
		return err_set(err, ERR_INVALID_ARGUMENT, "has more than %d bytes",
		               CONFIG__VALUE_MAX);
	if (!check_type(setting, &value, err))
		return false;
	buf_add(out, value);
	return buf_ok(out, setting->name, err);
}
