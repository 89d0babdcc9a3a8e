/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON. Failures stick: too much text in the buffer, a mistake of ours (unbalanced or too
 * deep) in `depth`, so that the caller checks once at the end. Integers are written exactly;
 * nothing here goes through floating point. */
#include "base/json.h"

#include "base/env.h"
#include "base/json_number.h"
#include "base/json_text.h"

#define BROKEN (JSON_PUT_DEPTH + 1) /* in `depth`: we called in a wrong order; never left */

struct json_out json_out_make(size_t max)
{
	return (struct json_out){ .text = buf_make(max), .first = { true } };
}

void json_out_done(struct json_out *o)
{
	buf_done(&o->text);
}

/* What stands in front of a value: a comma and the key. */
static void begin(struct json_out *o, const char *key)
{
	if (o->depth == BROKEN)
		return;
	if (!o->first[o->depth]) {
		if (o->depth == 0) { /* a second root */
			o->depth = BROKEN;
			return;
		}
		buf_add_char(&o->text, ',');
	}
	o->first[o->depth] = false;
	if (!key)
		return;
	json__quote(&o->text, str_of(key));
	buf_add_char(&o->text, ':');
}

static void begin_container(struct json_out *o, const char *key, char bracket)
{
	begin(o, key);
	if (o->depth >= JSON_PUT_DEPTH) {
		o->depth = BROKEN;
		return;
	}
	buf_add_char(&o->text, bracket);
	o->first[++o->depth] = true;
}

void json_put_object(struct json_out *o, const char *key)
{
	begin_container(o, key, '{');
}

void json_put_array(struct json_out *o, const char *key)
{
	begin_container(o, key, '[');
}

void json_put_end(struct json_out *o, char bracket)
{
	if (o->depth == 0)
		o->depth = BROKEN;
	if (o->depth == BROKEN)
		return;
	o->depth--;
	buf_add_char(&o->text, bracket);
}

void json_put_str(struct json_out *o, const char *key, struct str value)
{
	begin(o, key);
	if (value.p)
		json__quote(&o->text, value);
	else
		buf_add(&o->text, STR("null"));
}

void json_put_z(struct json_out *o, const char *key, const char *value)
{
	json_put_str(o, key, str_of(value));
}

void json_put_i64(struct json_out *o, const char *key, int64_t value)
{
	begin(o, key);
	buf_add_i64(&o->text, value);
}

void json_put_bool(struct json_out *o, const char *key, bool value)
{
	json_put_raw(o, key, value ? STR("true") : STR("false"));
}

void json_put_null(struct json_out *o, const char *key)
{
	json_put_raw(o, key, STR("null"));
}

void json_put_usd(struct json_out *o, const char *key, struct money m)
{
	char text[MONEY_TEXT_MAX];

	money_format_usd(m, text);
	json_put_z(o, key, text);
}

void json_put_time(struct json_out *o, const char *key, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == 0) {
		json_put_null(o, key);
		return;
	}
	time_format(ms, text);
	json_put_z(o, key, text);
}

/* Micro units as a decimal number without zeros at its end. */
static void put_micros(struct json_out *o, const char *key, int64_t micros)
{
	uint64_t n = micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros;
	uint64_t part = n % 1000000;
	char digits[7] = { '.' };
	size_t len = 0;

	begin(o, key);
	if (micros < 0)
		buf_add_char(&o->text, '-');
	buf_add_i64(&o->text, (int64_t)(n / 1000000));
	for (uint64_t unit = 100000; part > 0; unit /= 10) {
		digits[++len] = (char)('0' + part / unit);
		part %= unit;
	}
	if (len > 0)
		buf_add(&o->text, (struct str){ digits, len + 1 });
}

void json_put_price(struct json_out *o, const char *key, int64_t per_million)
{
	if (per_million < 0)
		json_put_null(o, key);
	else
		put_micros(o, key, per_million);
}

void json_put_usd_number(struct json_out *o, const char *key, struct money m)
{
	put_micros(o, key, money_micros(m));
}

void json_put_raw(struct json_out *o, const char *key, struct str json)
{
	begin(o, key);
	buf_add(&o->text, json);
}

/* Not by json_put_object: a tree may be deeper than what we build ourselves. */
static void add_tree(struct buf *out, const struct json *node)
{
	enum json_type type = json_type(node);
	const struct json *child = json_first(node);

	switch (type) {
	case JSON_NULL:
		buf_add(out, STR("null"));
		return;
	case JSON_BOOL:
		buf_add_z(out, json_true(node) ? "true" : "false");
		return;
	case JSON_NUMBER:
		json__number_add(out, node);
		return;
	case JSON_STRING:
		json__quote(out, json_text(node));
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	buf_add_char(out, type == JSON_OBJECT ? '{' : '[');
	for (; child; child = json_next(child)) {
		if (type == JSON_OBJECT) {
			json__quote(out, json_key(child));
			buf_add_char(out, ':');
		}
		add_tree(out, child);
		if (json_next(child))
			buf_add_char(out, ',');
	}
	buf_add_char(out, type == JSON_OBJECT ? '}' : ']');
}

void json_put_tree(struct json_out *o, const char *key, const struct json *node)
{
	begin(o, key);
	if (node)
		add_tree(&o->text, node);
	else
		buf_add(&o->text, STR("null"));
}

bool json_out_ok(const struct json_out *o, struct err *err)
{
	if (o->depth != 0 || o->first[0])
		return err_set(err, ERR_INTERNAL, "JSON output is not complete");
	return buf_ok(&o->text, "JSON output", err);
}
