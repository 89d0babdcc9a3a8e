/* SPDX-License-Identifier: Apache-2.0 */
/* From raw spans to values: what the hot path reads out of a request without building a tree. All
 * of it works on text that has passed the gate; on other text it says false and stays in bounds. */
#include "base/json.h"

#include <string.h>

#include "base/json_text.h"

struct pick {
	const char *const *keys;
	struct str *out;
	size_t count;
	bool root_is_object;
};

/* Most keys of a request are not wanted and differ in the first character already. */
static bool key_is(struct str raw, const char *plain)
{
	if (raw.len > 0 && raw.p[0] != plain[0] && raw.p[0] != '\\')
		return false;
	if (memchr(raw.p, '\\', raw.len))
		return json__decoded_eq(raw, str_of(plain));
	return strlen(plain) == raw.len && memcmp(raw.p, plain, raw.len) == 0;
}

static void pick_visit(void *data, const struct json_span *span)
{
	struct pick *pick = data;

	if (span->depth == 0)
		pick->root_is_object = span->type == JSON_OBJECT;
	if (span->depth != 1 || !span->key.p)
		return;
	for (size_t i = 0; i < pick->count; i++) {
		if (key_is(span->key, pick->keys[i])) {
			pick->out[i] = span->value;
			return;
		}
	}
}

bool json_pick(struct str text, const char *const *keys, struct str *out, size_t count,
               struct err *err)
{
	struct pick pick = { .keys = keys, .out = out, .count = count };
	bool ok;

	for (size_t i = 0; i < count; i++)
		out[i] = (struct str){ NULL, 0 };
	ok = json_scan(text, pick_visit, &pick, err);
	if (ok && !pick.root_is_object)
		ok = err_set(err, ERR_INVALID_ARGUMENT, "a JSON object was expected");
	for (size_t i = 0; !ok && i < count; i++)
		out[i] = (struct str){ NULL, 0 };
	return ok;
}

bool json_raw_i64(struct str raw, int64_t *out)
{
	return raw.p && str_to_i64(raw, out);
}

bool json_raw_bool(struct str raw, bool *out)
{
	if (!raw.p || (!str_eq(raw, STR("true")) && !str_eq(raw, STR("false"))))
		return false;
	*out = raw.len == 4;
	return true;
}

bool json_raw_is_null(struct str raw)
{
	return raw.p && str_eq(raw, STR("null"));
}

/* What is between the quotes; absent if `raw` is no string. */
static struct str inside_quotes(struct str raw)
{
	if (!raw.p || raw.len < 2 || raw.p[0] != '"' || raw.p[raw.len - 1] != '"')
		return (struct str){ NULL, 0 };
	return (struct str){ raw.p + 1, raw.len - 2 };
}

bool json_raw_string(struct str raw, struct buf *out)
{
	struct str in = inside_quotes(raw);
	const char *p = in.p, *end = in.p ? in.p + in.len : NULL;

	if (!p)
		return false;
	while (p < end) {
		const char *stop = memchr(p, '\\', (size_t)(end - p));
		struct json__escape c;

		if (!stop)
			stop = end;
		buf_add(out, (struct str){ p, (size_t)(stop - p) });
		p = stop;
		if (p == end)
			break;
		if (json__unescape(p, end, &c))
			return false;
		buf_add(out, (struct str){ c.text, c.len });
		p += c.used;
	}
	return !out->failed;
}

bool json_raw_equals(struct str raw, struct str plain)
{
	struct str in = inside_quotes(raw);

	if (!in.p || !plain.p)
		return false;
	if (!memchr(in.p, '\\', in.len))
		return str_eq(in, plain);
	return json__decoded_eq(in, plain);
}
