/* SPDX-License-Identifier: Apache-2.0 */
/* Saving and inserting. A name may hold anything but '}': it is found by its end, not by an
 * alphabet. */
#include "mcp/transcript_value.h"

#include <stdlib.h>

#include "base/limits.h"

struct mcp__value {
	struct mcp__value *next;
	char *name;
	struct buf json; /* the value as JSON */
	struct buf text; /* as part of a longer text: a string without its quotes */
};

static void value_free(struct mcp__value *v)
{
	buf_wipe(&v->json);
	buf_done(&v->json);
	buf_wipe(&v->text);
	buf_done(&v->text);
	free(v->name);
	free(v);
}

void mcp__values_done(struct mcp__values *values)
{
	while (values->first != NULL) {
		struct mcp__value *v = values->first;
		values->first = v->next;
		value_free(v);
	}
}

static const struct mcp__value *find(const struct mcp__values *values, struct str name)
{
	for (const struct mcp__value *v = values->first; v != NULL; v = v->next) {
		if (str_eq(str_of(v->name), name))
			return v;
	}
	return NULL;
}

static void drop(struct mcp__values *values, struct str name)
{
	for (struct mcp__value **at = &values->first; *at != NULL; at = &(*at)->next) {
		struct mcp__value *v = *at;
		if (str_eq(str_of(v->name), name)) {
			*at = v->next;
			value_free(v);
			return;
		}
	}
}

static bool add(struct mcp__values *values, struct str name, struct str json, struct str text,
                struct err *err)
{
	struct mcp__value *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return err_no_memory(err);
	v->name = str_dup(name);
	v->json = buf_make(LIMIT_FRAME);
	v->text = buf_make(LIMIT_FRAME);
	buf_add(&v->json, json);
	buf_add(&v->text, text);
	if (v->name == NULL || v->json.failed || v->text.failed) {
		value_free(v);
		return err_no_memory(err);
	}
	drop(values, name);
	v->next = values->first;
	values->first = v;
	return true;
}

bool mcp__values_set(struct mcp__values *values, struct str name, const struct json *value,
                     struct err *err)
{
	struct json_out o = json_out_make(LIMIT_FRAME);

	json_put_tree(&o, NULL, value);
	struct str json = buf_str(&o.text);
	struct str text = json_is(value, JSON_STRING) ? json_text(value) : json;
	bool ok = json_out_ok(&o, err) && add(values, name, json, text, err);
	buf_wipe(&o.text);
	json_out_done(&o);
	return ok;
}

bool mcp__values_set_text(struct mcp__values *values, struct str name, struct str text,
                          struct err *err)
{
	struct json_out o = json_out_make(LIMIT_FRAME);

	json_put_str(&o, NULL, text);
	bool ok = json_out_ok(&o, err) && add(values, name, buf_str(&o.text), text, err);
	buf_wipe(&o.text);
	json_out_done(&o);
	return ok;
}

/* ---- Inserting ---- */

static const struct mcp__value *saved(const struct mcp__values *values, struct str name,
                                      struct err *err)
{
	const struct mcp__value *v = find(values, name);

	if (v == NULL)
		err_record(err, ERR_NOT_FOUND, "no value '%.*s' was saved", STR_ARG(name));
	return v;
}

bool mcp__values_fill(const struct mcp__values *values, struct str text, struct buf *out,
                      struct err *err)
{
	for (;;) {
		ptrdiff_t at = str_find(text, STR("${"));
		if (at < 0) {
			buf_add(out, text);
			return buf_ok(out, "a text with values", err);
		}
		buf_add(out, (struct str){ text.p, (size_t)at });
		text.p += at + 2;
		text.len -= (size_t)at + 2;
		struct str rest = text;
		struct str name = str_cut(&rest, '}');
		if (rest.p == NULL)
			return err_set(err, ERR_INVALID_ARGUMENT, "'${%.*s' has no end",
			               STR_ARG(name));
		const struct mcp__value *v = saved(values, name, err);
		if (v == NULL)
			return false;
		buf_add(out, buf_str(&v->text));
		text = rest;
	}
}

/* Is the whole text one "${name}"? */
static bool is_reference(struct str text, struct str *name)
{
	if (!str_starts(text, STR("${")))
		return false;
	struct str rest = { text.p + 2, text.len - 2 };
	*name = str_cut(&rest, '}');
	return rest.p != NULL && rest.len == 0;
}

static bool put_text(const struct mcp__values *values, struct json_out *out, const char *key,
                     struct str text, struct err *err)
{
	struct str name;
	OWN_BUF struct buf filled = buf_make(LIMIT_FRAME);

	if (is_reference(text, &name)) {
		const struct mcp__value *v = saved(values, name, err);
		if (v == NULL)
			return false;
		json_put_raw(out, key, buf_str(&v->json));
		return true;
	}
	bool ok = mcp__values_fill(values, text, &filled, err);
	if (ok)
		json_put_str(out, key, buf_str(&filled));
	buf_wipe(&filled);
	return ok;
}

static bool put_children(const struct mcp__values *values, struct json_out *out,
                         const struct json *node, bool named, struct err *err)
{
	for (const struct json *c = json_first(node); c != NULL; c = json_next(c)) {
		if (!mcp__values_put(values, out, named ? json_key(c).p : NULL, c, err))
			return false;
	}
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the gate let the document be */
bool mcp__values_put(const struct mcp__values *values, struct json_out *out, const char *key,
                     const struct json *node, struct err *err)
{
	if (json_is(node, JSON_STRING))
		return put_text(values, out, key, json_text(node), err);
	if (json_is(node, JSON_OBJECT)) {
		json_put_object(out, key);
		bool ok = put_children(values, out, node, true, err);
		json_put_end(out, '}');
		return ok;
	}
	if (json_is(node, JSON_ARRAY)) {
		json_put_array(out, key);
		bool ok = put_children(values, out, node, false, err);
		json_put_end(out, ']');
		return ok;
	}
	if (node == NULL)
		json_put_null(out, key);
	else
		json_put_tree(out, key, node);
	return true;
}

/* ---- Paths ---- */

static const struct json *child_at(const struct json *array, int64_t index)
{
	const struct json *c = json_first(array);

	while (c != NULL && index-- > 0)
		c = json_next(c);
	return c;
}

static const struct json *member(const struct json *object, struct str name)
{
	for (const struct json *m = json_first(object); m != NULL; m = json_next(m)) {
		if (json_is(object, JSON_OBJECT) && str_eq(json_key(m), name))
			return m;
	}
	return NULL;
}

/* One part between points: "apiKeys[0][1]", or "[0]" of an array. */
static const struct json *step_into(const struct json *node, struct str part)
{
	struct str indexes = part;
	struct str name = str_cut(&indexes, '[');

	if (name.len > 0)
		node = member(node, name);
	while (node != NULL && indexes.p != NULL) {
		int64_t index = 0;
		struct str number = str_cut(&indexes, ']');
		if (!json_is(node, JSON_ARRAY) || !str_to_i64(number, &index) || index < 0)
			return NULL;
		node = child_at(node, index);
		if (indexes.p == NULL || (indexes.len > 0 && indexes.p[0] != '['))
			return NULL;
		(void)str_cut(&indexes, '[');
	}
	return node;
}

const struct json *mcp__value_at(const struct json *root, struct str path, struct err *err)
{
	const struct json *node = root;
	struct str rest = path;

	while (node != NULL && rest.p != NULL) {
		struct str part = str_cut(&rest, '.');
		node = step_into(node, part);
		if (node == NULL)
			err_record(err, ERR_NOT_FOUND, "the answer has no '%.*s' (of '%.*s')",
			           STR_ARG(part), STR_ARG(path));
	}
	return node;
}
