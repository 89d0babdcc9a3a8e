/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in and out. All input passes one strict gate first (RFC 8259, valid UTF-8, no NUL, no
 * duplicate keys, bounded depth), because cJSON alone lets most faults through. The gate is also a
 * scanner: the hot path reads what it needs from the spans that it reports and never builds a tree.
 * Trees (cJSON underneath) serve configuration, MCP arguments and other small documents; their
 * numbers are exact only to 2^53, so integers are read from checked values. Output is built by
 * json_put_*, never by format. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/money.h"
#include "base/str.h"

/* ---- The gate and scanner ---- */

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/* One value as it stands in the text. Called when the value is complete, so inner values come
 * before the container that holds them, and the root comes last with depth 0. */
struct json_span {
	size_t depth;   /* 1 = a member or element of the root */
	struct str key; /* the raw key without quotes; absent for elements and the root */
	enum json_type type;
	struct str value; /* the raw text, strings with their quotes */
	size_t start;     /* offset in the text of its key's quote, or of the value */
};

typedef void json_visit_fn(void *data, const struct json_span *span);

/* Checks the whole text in one pass and reports its values to `visit` (which may be NULL).
 * ERR_INVALID_ARGUMENT with the byte offset and what is wrong; ERR_TOO_LARGE for depth. Keys that
 * differ only in escapes are duplicates. Spans that were already reported before a fault is found
 * must be thrown away by the caller. */
MUST_CHECK bool json_scan(struct str text, json_visit_fn *visit, void *data, struct err *err);

/* Spans of the wanted members of the root object, one pass. `out[i]` belongs to `keys[i]` (written
 * without escapes) and is absent (p NULL) where the text has no such member. ERR_INVALID_ARGUMENT
 * if the root is no object; all are absent then. */
MUST_CHECK bool json_pick(struct str text, const char *const *keys, struct str *out, size_t count,
                          struct err *err);

/* Raw spans to values. Each is false if the span is absent or not exactly of that kind. */
MUST_CHECK bool json_raw_i64(struct str raw, int64_t *out); /* no point, no exponent */
MUST_CHECK bool json_raw_bool(struct str raw, bool *out);
bool json_raw_is_null(struct str raw);
/* Decodes a raw string (with quotes) into `out`; false if it is none or does not fit. */
MUST_CHECK bool json_raw_string(struct str raw, struct buf *out);
/* Compares a raw string (with quotes) to a plain text without escapes in it. */
bool json_raw_equals(struct str raw, struct str plain);

/* ---- Trees, for small documents ---- */

struct json; /* a node; borrowed from its tree, except the root */

#define OWN_JSON CLEANUP(json_free_at)

/* Gate, then tree. The caller frees the root. NULL and ERR_INVALID_ARGUMENT or ERR_TOO_LARGE
 * (depth, or a number that is out of a double's range or has more than 63 characters). */
MUST_CHECK struct json *json_parse(struct str text, struct err *err);
void json_free(struct json *root); /* NULL is fine */
void json_free_at(struct json **root);

enum json_type json_type(const struct json *node);
bool json_is(const struct json *node, enum json_type type); /* false for NULL */
/* A member by its exact, case-sensitive key; NULL if absent or `object` is no object (or NULL). */
const struct json *json_get(const struct json *object, const char *key);
/* Children in order: members of an object or elements of an array. */
const struct json *json_first(const struct json *container);
const struct json *json_next(const struct json *child);
struct str json_key(const struct json *member);
size_t json_count(const struct json *container);
/* Text of a string node, borrowed; absent str if it is none. */
struct str json_text(const struct json *node);
/* An integral number within +-(2^53 - 1); else false. */
MUST_CHECK bool json_i64(const struct json *node, int64_t *out);
/* A number of at most 10^9 with at most `decimals` decimals, exact, as micro units (1.5 ->
 * 1500000). */
MUST_CHECK bool json_micros(const struct json *node, int decimals, int64_t *out);
bool json_true(const struct json *node); /* is the literal true */
/* Deep equality; member order does not matter, numbers compare by value. */
bool json_equal(const struct json *a, const struct json *b);
/* True if `pattern` matches: each member of a pattern object matches the value's, arrays match
 * element by element, the string "*" matches any value. On failure `where` tells the path and the
 * two values, for people. */
bool json_matches(const struct json *pattern, const struct json *value, struct buf *where);

/* ---- Writing ---- */

#define JSON_PUT_DEPTH 32

struct json_out {
	struct buf text;
	unsigned depth;
	bool first[JSON_PUT_DEPTH + 1]; /* no comma needed yet at this depth */
};

#define OWN_JSON_OUT CLEANUP(json_out_done)

struct json_out json_out_make(size_t max);
void json_out_done(struct json_out *o);
/* `key` is the member's name inside an object, NULL inside an array or at the root. Strings that
 * are not valid UTF-8 are mended with U+FFFD. An absent str is written as null. */
void json_put_object(struct json_out *o, const char *key);
void json_put_array(struct json_out *o, const char *key);
void json_put_end(struct json_out *o, char bracket); /* '}' or ']' */
void json_put_str(struct json_out *o, const char *key, struct str value);
void json_put_z(struct json_out *o, const char *key, const char *value);
void json_put_i64(struct json_out *o, const char *key, int64_t value);
void json_put_bool(struct json_out *o, const char *key, bool value);
void json_put_null(struct json_out *o, const char *key);
void json_put_usd(struct json_out *o, const char *key, struct money m); /* "24.999628" */
void json_put_time(struct json_out *o, const char *key, int64_t ms);    /* RFC 3339; 0 is null */
void json_put_price(struct json_out *o, const char *key, int64_t per_million); /* number; <0 null */
/* USD as a JSON number with as few decimals as it needs (the seed's creditAmountUsd: 25). */
void json_put_usd_number(struct json_out *o, const char *key, struct money m);
/* A complete JSON text that is known to be valid. */
void json_put_raw(struct json_out *o, const char *key, struct str json);
void json_put_tree(struct json_out *o, const char *key, const struct json *node);
/* The text so far is complete and nothing failed; else ERR_TOO_LARGE or ERR_INTERNAL. */
MUST_CHECK bool json_out_ok(const struct json_out *o, struct err *err);

/* Keys sorted, no spaces, numbers in shortest form: equal documents give equal bytes. For
 * comparing arguments of an idempotency key. */
MUST_CHECK bool json_canonical(const struct json *node, struct buf *out, struct err *err);

/* ---- Field tables: one description reads arguments and prints their schema ---- */

enum json_field_type {
	JSON_FIELD_STR,  /* struct str, borrowed from the tree; min and max are bytes */
	JSON_FIELD_INT,  /* int64_t; min and max are values */
	JSON_FIELD_USD,  /* struct money from a number with two decimals; in cents */
	JSON_FIELD_BOOL, /* bool */
	JSON_FIELD_TIME, /* int64_t milliseconds from RFC 3339 text */
	JSON_FIELD_LIST, /* struct json const *: strings, or objects if there is `sub`; min and max
	                    count them */
	JSON_FIELD_OBJECT, /* struct json const *; `sub` describes it, or NULL for any */
};

struct json_fields;

struct json_field {
	const char *name;
	enum json_field_type type;
	bool required;
	size_t offset;                 /* of the result in the caller's struct */
	int64_t min, max;              /* both 0: no limits; max below min: no upper one */
	const char *doc;               /* for the model that reads the schema */
	const char *const *choices;    /* NULL-ended values of a string or of a list's, or NULL */
	const struct json_fields *sub; /* of an object, or of a list's objects */
};

struct json_fields {
	const struct json_field *fields;
	size_t count;
};

#define JSON_FIELDS(array)                \
	{                                 \
		(array), ARRAY_LEN(array) \
	}

/* Reads an object's members into `out`. An absent optional field leaves what the caller put there.
 * Refused with ERR_INVALID_ARGUMENT that names the field and what is allowed: a missing required
 * field, a wrong type, out of range, an unknown key (with the list of known ones). `object` NULL
 * counts as {}. `sub` tables are checked (unknown keys, types) but not read. */
MUST_CHECK bool json_read(const struct json *object, const struct json_fields *fields, void *out,
                          struct err *err);
/* Writes the JSON Schema (2020-12 subset without root combinators) of such an object:
 * type, properties with descriptions, required, additionalProperties false. */
void json_put_schema(struct json_out *o, const char *key, const struct json_fields *fields);

#endif
