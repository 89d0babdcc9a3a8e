/* SPDX-License-Identifier: Apache-2.0 */
/* A query string as the JSON object that a field table reads, so that parameters of a URL are
 * checked like members of a body: unknown, repeated or malformed ones are refused by name. */
#include "router/api.h"

#define QUERY_MAX (16u << 10)
#define OBJECT_MAX (64u << 10)

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool decode(struct str s, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (c == '%') {
			int high = i + 2 < s.len ? digit(s.p[i + 1]) : -1;
			int low = i + 2 < s.len ? digit(s.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return err_set(err, ERR_INVALID_ARGUMENT,
				               "the query has a '%%' that stands for nothing");
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		if (c == '\0')
			return err_set(err, ERR_INVALID_ARGUMENT, "the query has a NUL in it");
		buf_add_char(out, c);
	}
	if (!str_is_utf8(buf_str(out)))
		return err_set(err, ERR_INVALID_ARGUMENT, "the query is not UTF-8");
	return buf_ok(out, "the query", err);
}

static bool wants_number(const struct json_fields *fields, struct str name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (str_eq(name, str_of(fields->fields[i].name)))
			return fields->fields[i].type == JSON_FIELD_INT;
	return false;
}

static bool put_one(struct json_out *o, struct str text, const struct json_fields *fields,
                    struct err *err)
{
	OWN_BUF struct buf name = buf_make(QUERY_MAX), value = buf_make(QUERY_MAX);
	struct str rest = text, key = str_cut(&rest, '=');
	int64_t number;

	if (!decode(key, &name, err) || !decode(rest, &value, err))
		return false;
	if (value.len == 0)
		return true; /* ?q= is no search */
	if (name.len == 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "the query has a value without a name");
	if (wants_number(fields, str_of(name.p)) && str_to_i64(buf_str(&value), &number))
		json_put_i64(o, name.p, number);
	else
		json_put_str(o, name.p, buf_str(&value));
	return true;
}

struct json *api_query(struct str query, const struct json_fields *fields, struct err *err)
{
	OWN_JSON_OUT struct json_out o = json_out_make(OBJECT_MAX);

	json_put_object(&o, NULL);
	for (struct str rest = query; rest.p;) {
		struct str one = str_cut(&rest, '&');
		if (one.len > 0 && !put_one(&o, one, fields, err))
			return NULL;
	}
	json_put_end(&o, '}');
	if (!json_out_ok(&o, err))
		return NULL;
	return json_parse(buf_str(&o.text), err);
}
