/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: what the gate accepts, the tree must accept too, and what is printed from the tree
 * must pass the gate again and mean the same. Spans must lie in the text. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct str text;
	size_t roots;
	size_t values;
};

static void look_at(void *data, const struct json_span *span)
{
	struct seen *seen = data;

	assert(span->depth <= LIMIT_JSON_DEPTH);
	assert(span->value.len > 0 && span->value.p >= seen->text.p);
	assert(span->value.p + span->value.len <= seen->text.p + seen->text.len);
	assert(span->start <= (size_t)(span->value.p - seen->text.p));
	assert(!span->key.p || span->key.p == seen->text.p + span->start + 1);
	seen->values++;
	seen->roots += span->depth == 0;
}

/* Strings of the tree and of the text, decoded by cJSON and by us. */
static void strings_agree(struct str text, const struct json *root)
{
	struct buf decoded = buf_make(text.len);

	if (json_is(root, JSON_STRING)) {
		struct str raw = text;

		while (*raw.p != '"') {
			raw.p++;
			raw.len--;
		}
		while (raw.p[raw.len - 1] != '"')
			raw.len--;
		if (!json_raw_string(raw, &decoded))
			abort();
		assert(str_eq(buf_str(&decoded), json_text(root)));
		assert(json_raw_equals(raw, json_text(root)) ||
		       memchr(json_text(root).p, '\\', json_text(root).len));
	}
	buf_done(&decoded);
}

/* Written by `json_put_tree` or `json_canonical`: valid, and equal to where it came from. */
static void reads_back(struct str printed, const struct json *root)
{
	struct json *again = json_parse(printed, NULL);

	assert(again && json_equal(again, root) && json_matches(again, again, NULL));
	json_free(again);
}

static void check_tree(struct str text)
{
	struct err err = { 0 };
	struct json *root = json_parse(text, &err);
	struct json_out printed = json_out_make(SIZE_MAX);
	struct buf canonical = buf_make(SIZE_MAX), second = buf_make(SIZE_MAX);

	if (!root) { /* a number that a double cannot hold */
		assert(err.code == ERR_TOO_LARGE);
		return;
	}
	strings_agree(text, root);
	json_put_tree(&printed, NULL, root);
	if (!json_out_ok(&printed, NULL) || !json_canonical(root, &canonical, NULL))
		abort();
	reads_back(buf_str(&printed.text), root);
	reads_back(buf_str(&canonical), root);
	json_free(root);
	root = json_parse(buf_str(&printed.text), NULL);
	if (!root || !json_canonical(root, &second, NULL))
		abort();
	assert(str_eq(buf_str(&canonical), buf_str(&second)));
	json_free(root);
	json_out_done(&printed);
	buf_done(&canonical);
	buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = { .text = { (const char *)data, size } };
	struct err err = { 0 };

	if (json_scan(seen.text, look_at, &seen, &err)) {
		assert(seen.roots == 1);
		check_tree(seen.text);
	} else {
		assert(err.code == ERR_INVALID_ARGUMENT || err.code == ERR_TOO_LARGE);
		assert(err.text[0] != '\0' && str_is_utf8(str_of(err.text)));
	}
	return 0;
}
