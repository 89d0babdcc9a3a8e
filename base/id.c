/* SPDX-License-Identifier: Apache-2.0 */
/* Ids and the base62 text that they and the keys are written in. An id of an object is compared as
 * text everywhere: there is no decoder, because nothing needs the 128 bits back. */
#include "base/id.h"

#include <assert.h>
#include <string.h>

#define ID_RANDOM_BYTES 16
#define ID_RANDOM_CHARS 22
#define BASE62_BYTES_MAX 32

static const char ALPHABET[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct str PREFIXES[] = {
	[ID_ACCOUNT] = STR_INIT("acct_"),          [ID_QUOTE] = STR_INIT("quote_"),
	[ID_PURCHASE] = STR_INIT("purchase_"),     [ID_SERVICE] = STR_INIT("svc_"),
	[ID_ROUTER_KEY] = STR_INIT("router_key_"), [ID_REQUEST] = STR_INIT("req_"),
	[ID_APPROVAL] = STR_INIT("approval_"),
};
static_assert(ARRAY_LEN(PREFIXES) == ID_KIND_COUNT, "one prefix per kind of id");

/* Divides the big-endian number by 62 and returns the remainder. */
static unsigned divide_by_62(unsigned char *number, size_t n)
{
	unsigned rest = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned part = rest << 8 | number[i];
		number[i] = (unsigned char)(part / 62);
		rest = part % 62;
	}
	return rest;
}

void base62_encode(const unsigned char *bytes, size_t n, char *out, size_t width)
{
	unsigned char number[BASE62_BYTES_MAX];

	assert(n <= sizeof(number));
	memcpy(number, bytes, n);
	out[width] = '\0';
	for (size_t i = width; i > 0; i--)
		out[i - 1] = ALPHABET[divide_by_62(number, n)];
	for (size_t i = 0; i < n; i++)
		assert(number[i] == 0); /* else `width` was too small */
}

bool base62_is(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (memchr(ALPHABET, text.p[i], sizeof(ALPHABET) - 1) == NULL)
			return false;
	}
	return true;
}

/* Bytes above the largest multiple of 62 are thrown away: taking them would make some characters
 * likelier than others. */
void base62_random(const struct env *env, char *out, size_t n)
{
	unsigned char bytes[64];
	size_t done = 0;

	while (done < n) {
		env_random(env, bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes) && done < n; i++) {
			if (bytes[i] < 62 * 4)
				out[done++] = ALPHABET[bytes[i] % 62];
		}
	}
	explicit_bzero(bytes, sizeof(bytes)); /* keys are made of them */
}

struct id id_make(const struct env *env, enum id_kind kind)
{
	unsigned char bytes[ID_RANDOM_BYTES];
	struct id id = { 0 };

	assert(kind < ID_KIND_COUNT);
	struct str prefix = PREFIXES[kind];
	env_random(env, bytes, sizeof(bytes));
	memcpy(id.text, prefix.p, prefix.len);
	base62_encode(bytes, sizeof(bytes), id.text + prefix.len, ID_RANDOM_CHARS);
	return id;
}

bool id_is(struct str text, enum id_kind kind)
{
	assert(kind < ID_KIND_COUNT);
	struct str prefix = PREFIXES[kind];

	return text.len == prefix.len + ID_RANDOM_CHARS && str_starts(text, prefix) &&
	       base62_is((struct str){ text.p + prefix.len, ID_RANDOM_CHARS });
}

struct id id_of(struct str text)
{
	struct id id = { 0 };

	if (text.len > 0 && text.len < sizeof(id.text))
		memcpy(id.text, text.p, text.len);
	return id;
}

struct str id_str(const struct id *id)
{
	return str_of(id->text);
}

bool id_eq(const struct id *a, const struct id *b)
{
	return str_eq(id_str(a), id_str(b));
}

bool id_is_empty(const struct id *id)
{
	return id->text[0] == '\0';
}
