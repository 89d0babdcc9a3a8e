/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing trees: equality, the subset match of transcripts, and the canonical text that stands
 * for "the same arguments" of an idempotency key. Members have no order in any of the three. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_number.h"
#include "base/json_text.h"

static bool equal_members(const struct json *a, const struct json *b)
{
	const struct json *member;

	if (json_count(a) != json_count(b))
		return false;
	for (member = json_first(a); member; member = json_next(member)) {
		const struct json *other = json_get(b, json_key(member).p);

		if (!other || !json_equal(member, other))
			return false;
	}
	return true;
}

static bool equal_elements(const struct json *a, const struct json *b)
{
	const struct json *x = json_first(a), *y = json_first(b);

	while (x && y && json_equal(x, y)) {
		x = json_next(x);
		y = json_next(y);
	}
	return !x && !y;
}

bool json_equal(const struct json *a, const struct json *b)
{
	if (!a || !b)
		return a == b;
	if (json_type(a) != json_type(b))
		return false;
	switch (json_type(a)) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return json_true(a) == json_true(b);
	case JSON_NUMBER:
		return json__number_eq(a, b);
	case JSON_STRING:
		return str_eq(json_text(a), json_text(b));
	case JSON_ARRAY:
		return equal_elements(a, b);
	case JSON_OBJECT:
		return equal_members(a, b);
	}
	return false;
}

/* ---- Matching a pattern ---- */

/* Where a match stands: the way back to the root. */
struct path {
	const struct path *parent;
	struct str key; /* absent in an array */
	size_t index;
};

static void add_path(struct buf *out, const struct path *path)
{
	if (!path->parent)
		return;
	add_path(out, path->parent);
	if (!path->key.p) {
		buf_addf(out, "[%zu]", path->index);
		return;
	}
	if (path->parent->parent)
		buf_add_char(out, '.');
	buf_add(out, path->key);
}

static void add_value(struct buf *out, const struct json *node)
{
	struct json_out text = json_out_make(out->max);

	json_put_tree(&text, NULL, node);
	buf_add(out, buf_str(&text.text));
	json_out_done(&text);
}

static bool differ(const struct path *path, const struct json *pattern, const struct json *value,
                   struct buf *where)
{
	if (!where)
		return false;
	add_path(where, path);
	if (path->parent)
		buf_add(where, STR(": "));
	buf_add(where, STR("expected "));
	add_value(where, pattern);
	buf_add(where, STR(", got "));
	if (value)
		add_value(where, value);
	else
		buf_add(where, STR("nothing"));
	return false;
}

static bool match(const struct path *path, const struct json *pattern, const struct json *value,
                  struct buf *where);

static bool match_members(const struct path *path, const struct json *pattern,
                          const struct json *value, struct buf *where)
{
	const struct json *member;

	for (member = json_first(pattern); member; member = json_next(member)) {
		struct path here = { .parent = path, .key = json_key(member) };

		if (!match(&here, member, json_get(value, here.key.p), where))
			return false;
	}
	return true;
}

static bool match_elements(const struct path *path, const struct json *pattern,
                           const struct json *value, struct buf *where)
{
	const struct json *x = json_first(pattern), *y = json_first(value);
	struct path here = { .parent = path };

	if (json_count(pattern) != json_count(value))
		return differ(path, pattern, value, where);
	for (; x; x = json_next(x), y = json_next(y), here.index++)
		if (!match(&here, x, y, where))
			return false;
	return true;
}

static bool match(const struct path *path, const struct json *pattern, const struct json *value,
                  struct buf *where)
{
	if (value && str_eq(json_text(pattern), STR("*")))
		return true;
	if (json_is(pattern, JSON_OBJECT) && json_is(value, JSON_OBJECT))
		return match_members(path, pattern, value, where);
	if (json_is(pattern, JSON_ARRAY) && json_is(value, JSON_ARRAY))
		return match_elements(path, pattern, value, where);
	return json_equal(pattern, value) || differ(path, pattern, value, where);
}

bool json_matches(const struct json *pattern, const struct json *value, struct buf *where)
{
	const struct path root = { .parent = NULL };

	return match(&root, pattern, value, where);
}

/* ---- Canonical text ---- */

/* An entry of the array that is sorted. */
struct member {
	const struct json *node;
};

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return strcmp(json_key(x->node).p, json_key(y->node).p);
}

static bool add_canonical(struct buf *out, const struct json *node);

static bool add_canonical_object(struct buf *out, const struct json *object)
{
	size_t count = json_count(object), n = 0;
	struct member *members = calloc(count + 1, sizeof *members);
	bool ok = members != NULL;

	for (const struct json *m = json_first(object); ok && m; m = json_next(m))
		members[n++].node = m;
	if (n > 1)
		qsort(members, n, sizeof *members, by_key);
	buf_add_char(out, '{');
	for (size_t i = 0; ok && i < n; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		json__quote(out, json_key(members[i].node));
		buf_add_char(out, ':');
		ok = add_canonical(out, members[i].node);
	}
	buf_add_char(out, '}');
	free(members);
	return ok;
}

static bool add_canonical_array(struct buf *out, const struct json *array)
{
	const struct json *element = json_first(array);

	buf_add_char(out, '[');
	for (; element; element = json_next(element)) {
		if (!add_canonical(out, element))
			return false;
		if (json_next(element))
			buf_add_char(out, ',');
	}
	buf_add_char(out, ']');
	return true;
}

/* False only without memory for sorting. */
static bool add_canonical(struct buf *out, const struct json *node)
{
	switch (json_type(node)) {
	case JSON_NULL:
		buf_add(out, STR("null"));
		return true;
	case JSON_BOOL:
		buf_add_z(out, json_true(node) ? "true" : "false");
		return true;
	case JSON_NUMBER:
		json__number_add(out, node);
		return true;
	case JSON_STRING:
		json__quote(out, json_text(node));
		return true;
	case JSON_ARRAY:
		return add_canonical_array(out, node);
	case JSON_OBJECT:
		return add_canonical_object(out, node);
	}
	return true;
}

bool json_canonical(const struct json *node, struct buf *out, struct err *err)
{
	if (!add_canonical(out, node))
		return err_no_memory(err);
	return buf_ok(out, "canonical JSON", err);
}
