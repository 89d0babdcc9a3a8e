/* SPDX-License-Identifier: Apache-2.0 */
/* Characters of JSON strings: UTF-8 sequences and backslash escapes, in both directions. The
 * surprising fact: \u0000 is refused although RFC 8259 allows it, because every C string behind
 * the gate would end there and two different keys could become one. */
#include "base/json_text.h"

#include <string.h>

static bool is_tail(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

/* The second byte decides about overlong forms, surrogates and the end of Unicode: table 3-7 of
 * the Unicode standard. */
static bool second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xE0:
		return second >= 0xA0 && second <= 0xBF;
	case 0xED:
		return second >= 0x80 && second <= 0x9F;
	case 0xF0:
		return second >= 0x90 && second <= 0xBF;
	case 0xF4:
		return second >= 0x80 && second <= 0x8F;
	default:
		return is_tail(second);
	}
}

size_t json__utf8(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t left = (size_t)(end - p);
	size_t n;

	if (u[0] < 0x80)
		return 1;
	if (u[0] >= 0xC2 && u[0] <= 0xDF)
		n = 2;
	else if (u[0] >= 0xE0 && u[0] <= 0xEF)
		n = 3;
	else if (u[0] >= 0xF0 && u[0] <= 0xF4)
		n = 4;
	else
		return 0;
	if (left < n || !second_fits(u[0], u[1]))
		return 0;
	for (size_t i = 2; i < n; i++)
		if (!is_tail(u[i]))
			return 0;
	return n;
}

/* The value of a hexadecimal digit, or -1. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The number of the \uXXXX at `p`, or -1. */
static int32_t hex_escape(const char *p, const char *end)
{
	int32_t n = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0)
			return -1;
		n = n * 16 + digit;
	}
	return n;
}

static size_t utf8_write(int32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | (c >> 6));
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | (c >> 12));
		out[1] = (char)(0x80 | ((c >> 6) & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | (c >> 18));
	out[1] = (char)(0x80 | ((c >> 12) & 0x3F));
	out[2] = (char)(0x80 | ((c >> 6) & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

static enum json__escape_fault unescape_hex(const char *p, const char *end,
                                            struct json__escape *out)
{
	int32_t c = hex_escape(p, end);
	size_t used = 6;

	if (c < 0)
		return JSON__ESCAPE_HEX;
	if (c == 0)
		return JSON__ESCAPE_NUL;
	if (c >= 0xDC00 && c <= 0xDFFF)
		return JSON__ESCAPE_SURROGATE;
	if (c >= 0xD800 && c <= 0xDBFF) {
		int32_t low = hex_escape(p + 6, end);

		if (low < 0xDC00 || low > 0xDFFF)
			return JSON__ESCAPE_SURROGATE;
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		used = 12;
	}
	out->len = utf8_write(c, out->text);
	out->used = used;
	return JSON__ESCAPE_OK;
}

enum json__escape_fault json__unescape(const char *p, const char *end, struct json__escape *out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (end - p < 2)
		return JSON__ESCAPE_UNKNOWN;
	if (p[1] == 'u')
		return unescape_hex(p, end, out);
	found = memchr(from, p[1], sizeof from - 1);
	if (!found)
		return JSON__ESCAPE_UNKNOWN;
	out->text[0] = to[found - from];
	out->len = 1;
	out->used = 2;
	return JSON__ESCAPE_OK;
}

/* Takes the next character off `rest`. A malformed escape stands for its backslash: the gate has
 * refused it before. */
static struct json__escape next_character(struct str *rest)
{
	struct json__escape c;

	if (*rest->p != '\\' || json__unescape(rest->p, rest->p + rest->len, &c)) {
		c.text[0] = *rest->p;
		c.len = c.used = 1;
	}
	rest->p += c.used;
	rest->len -= c.used;
	return c;
}

bool json__decoded_eq(struct str a, struct str b)
{
	struct json__escape x = { .len = 0 }, y = { .len = 0 };
	size_t i = 0, j = 0;

	for (;;) {
		if (i == x.len) {
			if (a.len == 0)
				return j == y.len && b.len == 0;
			x = next_character(&a);
			i = 0;
		}
		if (j == y.len) {
			if (b.len == 0)
				return false;
			y = next_character(&b);
			j = 0;
		}
		if (x.text[i++] != y.text[j++])
			return false;
	}
}

static void quote_special(struct buf *out, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	const char *found = memchr(from, c, sizeof from - 1);

	buf_add_char(out, '\\');
	if (found) {
		buf_add_char(out, to[found - from]);
		return;
	}
	buf_add(out, STR("u00"));
	buf_add_hex(out, &c, 1);
}

/* Where the text stops to be bytes that may stand in quotes as they are. */
static const char *plain_end(const char *p, const char *end)
{
	while (p < end) {
		unsigned char c = (unsigned char)*p;
		size_t n = 1;

		if (c < 0x20 || c == '"' || c == '\\')
			break;
		if (c >= 0x80)
			n = json__utf8(p, end);
		if (n == 0)
			break;
		p += n;
	}
	return p;
}

void json__quote(struct buf *out, struct str text)
{
	const char *p = text.p, *end = text.p + text.len;

	buf_add_char(out, '"');
	while (p < end) {
		const char *stop = plain_end(p, end);

		buf_add(out, (struct str){ p, (size_t)(stop - p) });
		p = stop;
		if (p == end)
			break;
		if ((unsigned char)*p >= 0x80)
			buf_add(out, STR("\xEF\xBF\xBD"));
		else
			quote_special(out, (unsigned char)*p);
		p++;
	}
	buf_add_char(out, '"');
}
