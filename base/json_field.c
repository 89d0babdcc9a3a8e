/* SPDX-License-Identifier: Apache-2.0 */
/* Field tables: the one description of an object's members that reads them, refuses what does not
 * fit and prints the schema that a model sees. The surprising fact: an object is read twice, first
 * only to check it, so that a refused one leaves the caller's struct as it was. */
#include "base/json.h"

#include <string.h>

#include "base/env.h"

#define SHOWN_NAME 64 /* bytes of a foreign name in an error text */
#define MICROS_PER_CENT 10000

/* `min` and `max` both 0: no limits. `max` below `min`: no upper one. */
static bool is_bounded(const struct json_field *f)
{
	return f->min != 0 || f->max != 0;
}

static bool has_max(const struct json_field *f)
{
	return is_bounded(f) && f->max >= f->min;
}

static bool in_range(const struct json_field *f, int64_t n)
{
	return !is_bounded(f) || (n >= f->min && (!has_max(f) || n <= f->max));
}

/* ---- Refusals ---- */

static bool refuse(const struct json_field *f, const char *what, struct err *err)
{
	return err_set(err, ERR_INVALID_ARGUMENT, "'%s' must be %s", f->name, what);
}

/* "'label' must have 1 to 64 bytes". */
static bool refuse_range(const struct json_field *f, const char *must, const char *unit,
                         struct err *err)
{
	if (has_max(f))
		return err_set(err, ERR_INVALID_ARGUMENT, "'%s' must %s %lld to %lld%s", f->name,
		               must, (long long)f->min, (long long)f->max, unit);
	return err_set(err, ERR_INVALID_ARGUMENT, "'%s' must %s at least %lld%s", f->name, must,
	               (long long)f->min, unit);
}

static bool refuse_usd_range(const struct json_field *f, struct err *err)
{
	struct money min = MONEY_ZERO, max = MONEY_ZERO;
	char low[MONEY_TEXT_MAX], high[MONEY_TEXT_MAX];

	if (!money_of_cents(&min, f->min) || !money_of_cents(&max, f->max))
		return refuse(f, "in range", err);
	money_format_usd(min, low);
	money_format_usd(max, high);
	if (has_max(f))
		return err_set(err, ERR_INVALID_ARGUMENT, "'%s' must be %s to %s USD", f->name, low,
		               high);
	return err_set(err, ERR_INVALID_ARGUMENT, "'%s' must be at least %s USD", f->name, low);
}

static bool refuse_choice(const struct json_field *f, struct err *err)
{
	OWN_BUF struct buf list = buf_make(LIMIT_ERR_TEXT);

	for (const char *const *choice = f->choices; *choice; choice++) {
		if (choice > f->choices)
			buf_add(&list, STR(", "));
		buf_add_z(&list, *choice);
	}
	return err_set(err, ERR_INVALID_ARGUMENT, "'%s' must be one of: %.*s", f->name,
	               STR_ARG(buf_str(&list)));
}

/* Cuts foreign text for an error text, at a character. */
static struct str shown(struct str name)
{
	if (name.len <= SHOWN_NAME)
		return name;
	name.len = SHOWN_NAME;
	while (name.len > 0 && ((unsigned char)name.p[name.len] & 0xC0) == 0x80)
		name.len--;
	return name;
}

static bool refuse_unknown(struct str name, const struct json_fields *fields, struct err *err)
{
	OWN_BUF struct buf list = buf_make(LIMIT_ERR_TEXT);

	name = shown(name);
	if (fields->count == 0)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "unknown field '%.*s'; none is known here", STR_ARG(name));
	for (size_t i = 0; i < fields->count; i++) {
		if (i > 0)
			buf_add(&list, STR(", "));
		buf_add_z(&list, fields->fields[i].name);
	}
	return err_set(err, ERR_INVALID_ARGUMENT, "unknown field '%.*s'; known are: %.*s",
	               STR_ARG(name), STR_ARG(buf_str(&list)));
}

/* ---- One field ---- */

static bool is_choice(const struct json_field *f, struct str text)
{
	if (!f->choices)
		return true;
	for (const char *const *choice = f->choices; *choice; choice++)
		if (str_eq(text, str_of(*choice)))
			return true;
	return false;
}

static bool read_str(const struct json_field *f, const struct json *value, struct str *out,
                     struct err *err)
{
	struct str text = json_text(value);

	if (!text.p)
		return refuse(f, "a string", err);
	if (!is_choice(f, text))
		return refuse_choice(f, err);
	if (text.len > INT64_MAX || !in_range(f, (int64_t)text.len))
		return refuse_range(f, "have", " bytes", err);
	*out = text;
	return true;
}

static bool read_int(const struct json_field *f, const struct json *value, int64_t *out,
                     struct err *err)
{
	int64_t n;

	if (!json_i64(value, &n))
		return refuse(f, "a whole number", err);
	if (!in_range(f, n))
		return refuse_range(f, "be", "", err);
	*out = n;
	return true;
}

static bool read_usd(const struct json_field *f, const struct json *value, struct money *out,
                     struct err *err)
{
	int64_t micros;

	if (!json_micros(value, 2, &micros))
		return refuse(f, "a number in USD with at most two decimals", err);
	if (!in_range(f, micros / MICROS_PER_CENT))
		return refuse_usd_range(f, err);
	*out = money_of_micros(micros);
	return true;
}

static bool read_time(const struct json_field *f, const struct json *value, int64_t *out,
                      struct err *err)
{
	struct str text = json_text(value);

	if (!text.p || !time_parse(text, out, NULL))
		return refuse(f, "a time as in \"2026-11-22T08:00:00Z\"", err);
	return true;
}

static bool read_fields(const struct json *object, const struct json_fields *fields, char *out,
                        struct err *err);

static bool check_element(const struct json_field *f, const struct json *element, size_t i,
                          struct err *err)
{
	if (!json_is(element, f->sub ? JSON_OBJECT : JSON_STRING))
		return refuse(f, f->sub ? "an array of objects" : "an array of strings", err);
	if (f->sub)
		return read_fields(element, f->sub, NULL, err) ||
		       err_prefix(err, "in '%s[%zu]'", f->name, i);
	return is_choice(f, json_text(element)) || refuse_choice(f, err);
}

static bool check_list(const struct json_field *f, const struct json *value, struct err *err)
{
	const struct json *element = json_first(value);

	if (!json_is(value, JSON_ARRAY))
		return refuse(f, f->sub ? "an array of objects" : "an array of strings", err);
	for (size_t i = 0; element; element = json_next(element), i++)
		if (!check_element(f, element, i, err))
			return false;
	if (!in_range(f, (int64_t)json_count(value)))
		return refuse_range(f, "have", " elements", err);
	return true;
}

static bool check_object(const struct json_field *f, const struct json *value, struct err *err)
{
	if (!json_is(value, JSON_OBJECT))
		return refuse(f, "an object", err);
	if (f->sub && !read_fields(value, f->sub, NULL, err))
		return err_prefix(err, "in '%s'", f->name);
	return true;
}

/* Checks a value and puts it to `out`, unless that is NULL. */
static bool read_field(const struct json_field *f, const struct json *value, void *out,
                       struct err *err)
{
	union {
		struct str text;
		int64_t number;
		struct money money;
	} unused;

	switch (f->type) {
	case JSON_FIELD_STR:
		return read_str(f, value, out ? out : &unused, err);
	case JSON_FIELD_INT:
		return read_int(f, value, out ? out : &unused, err);
	case JSON_FIELD_USD:
		return read_usd(f, value, out ? out : &unused, err);
	case JSON_FIELD_TIME:
		return read_time(f, value, out ? out : &unused, err);
	case JSON_FIELD_BOOL:
		if (!json_is(value, JSON_BOOL))
			return refuse(f, "true or false", err);
		if (out)
			*(bool *)out = json_true(value);
		return true;
	case JSON_FIELD_LIST:
		if (!check_list(f, value, err))
			return false;
		break;
	case JSON_FIELD_OBJECT:
		if (!check_object(f, value, err))
			return false;
		break;
	}
	if (out)
		*(const struct json **)out = value;
	return true;
}

/* ---- All fields ---- */

static bool is_known(struct str name, const struct json_fields *fields)
{
	for (size_t i = 0; i < fields->count; i++)
		if (str_eq(name, str_of(fields->fields[i].name)))
			return true;
	return false;
}

static bool read_fields(const struct json *object, const struct json_fields *fields, char *out,
                        struct err *err)
{
	const struct json *member = json_first(object);

	for (; member; member = json_next(member))
		if (!is_known(json_key(member), fields))
			return refuse_unknown(json_key(member), fields, err);
	for (size_t i = 0; i < fields->count; i++) {
		const struct json_field *f = &fields->fields[i];
		const struct json *value = json_get(object, f->name);

		if (!value && f->required)
			return err_set(err, ERR_INVALID_ARGUMENT, "'%s' is missing", f->name);
		if (value && !read_field(f, value, out ? out + f->offset : NULL, err))
			return false;
	}
	return true;
}

bool json_read(const struct json *object, const struct json_fields *fields, void *out,
               struct err *err)
{
	if (object && !json_is(object, JSON_OBJECT))
		return err_set(err, ERR_INVALID_ARGUMENT, "a JSON object was expected");
	return read_fields(object, fields, NULL, err) && read_fields(object, fields, out, err);
}
