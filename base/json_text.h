/* SPDX-License-Identifier: Apache-2.0 */
/* Characters of JSON strings: UTF-8 sequences and backslash escapes. Private to base/. The gate,
 * the key compare and the writer use the same two functions, so that they cannot disagree about
 * what a character is. */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stddef.h>

#include "base/str.h"

/* Bytes of the valid UTF-8 character that starts at `p` (1 to 4), or 0 if there is none: no
 * overlong forms, no surrogates, nothing above U+10FFFF, not cut off at `end`. Needs p < end. */
size_t json__utf8(const char *p, const char *end);

enum json__escape_fault {
	JSON__ESCAPE_OK,
	JSON__ESCAPE_UNKNOWN,   /* \x */
	JSON__ESCAPE_HEX,       /* \u without four hexadecimal digits */
	JSON__ESCAPE_NUL,       /* \u0000: C strings further on would end there */
	JSON__ESCAPE_SURROGATE, /* half of a pair */
};

struct json__escape {
	char text[4]; /* what it stands for, UTF-8 */
	size_t len;
	size_t used; /* bytes of the escape, from its backslash on */
};

/* Reads the escape whose backslash is at `p`. `out` is set only with JSON__ESCAPE_OK. */
enum json__escape_fault json__unescape(const char *p, const char *end, struct json__escape *out);

/* Compares two texts as they stand between quotes after decoding their escapes. */
bool json__decoded_eq(struct str a, struct str b);

/* Appends the text, escaped minimally and in quotes. A byte that is not UTF-8 becomes U+FFFD. */
void json__quote(struct buf *out, struct str text);

#endif
