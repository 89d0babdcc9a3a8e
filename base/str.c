/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed and owned text. An absent str has a NULL pointer, which the C library's memory
 * functions may not be given even for zero bytes, so each function asks for the length first. */
#include "base/str.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_CAP 64

static const char HEX_DIGITS[] = "0123456789abcdef";

struct str str_of(const char *z)
{
	return z == NULL ? (struct str){ 0 } : (struct str){ z, strlen(z) };
}

bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static char lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	}
	return true;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && str_eq((struct str){ s.p, prefix.len }, prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	if (suffix.len == 0)
		return true;
	return s.len >= suffix.len &&
	       str_eq((struct str){ s.p + (s.len - suffix.len), suffix.len }, suffix);
}

ptrdiff_t str_find(struct str s, struct str needle)
{
	if (needle.len == 0)
		return 0;
	if (s.len < needle.len)
		return -1;
	const char *at = memmem(s.p, s.len, needle.p, needle.len);
	return at == NULL ? -1 : at - s.p;
}

bool str_has_nocase(struct str s, struct str needle)
{
	if (needle.len == 0)
		return true;
	for (size_t i = 0; i + needle.len <= s.len; i++) {
		if (str_eq_nocase((struct str){ s.p + i, needle.len }, needle))
			return true;
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

struct str str_cut(struct str *rest, char sep)
{
	struct str all = *rest;
	const char *at = all.len == 0 ? NULL : memchr(all.p, sep, all.len);

	if (at == NULL) {
		*rest = (struct str){ 0 };
		return all;
	}
	size_t before = (size_t)(at - all.p);
	*rest = (struct str){ at + 1, all.len - before - 1 };
	return (struct str){ all.p, before };
}

bool str_to_i64(struct str s, int64_t *out)
{
	bool negative = s.len > 0 && s.p[0] == '-';
	int64_t value = 0;

	if (s.len == (negative ? 1 : 0))
		return false;
	for (size_t i = negative ? 1 : 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		/* Counts downwards, because the smallest int64 has no positive counterpart. */
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, s.p[i] - '0', &value))
			return false;
	}
	if (!negative && __builtin_sub_overflow(0, value, &value))
		return false;
	*out = value;
	return true;
}

/* What may follow a first byte: how many bytes, and the range of the first of them. The narrowed
 * ranges are what keeps out overlong forms, surrogates and code points above U+10FFFF. */
struct utf8_lead {
	unsigned char from, to;
	unsigned char more;
	unsigned char low, high;
};

static const struct utf8_lead UTF8_LEADS[] = {
	{ 0x00, 0x7F, 0, 0x00, 0x00 }, { 0xC2, 0xDF, 1, 0x80, 0xBF }, { 0xE0, 0xE0, 2, 0xA0, 0xBF },
	{ 0xE1, 0xEC, 2, 0x80, 0xBF }, { 0xED, 0xED, 2, 0x80, 0x9F }, { 0xEE, 0xEF, 2, 0x80, 0xBF },
	{ 0xF0, 0xF0, 3, 0x90, 0xBF }, { 0xF1, 0xF3, 3, 0x80, 0xBF }, { 0xF4, 0xF4, 3, 0x80, 0x8F },
};

static const struct utf8_lead *utf8_lead_of(unsigned char c)
{
	for (size_t i = 0; i < ARRAY_LEN(UTF8_LEADS); i++) {
		if (c >= UTF8_LEADS[i].from && c <= UTF8_LEADS[i].to)
			return &UTF8_LEADS[i];
	}
	return NULL;
}

/* Bytes of the character that starts at `p`, which has `left` bytes; 0 if it is malformed. */
static size_t utf8_step(const unsigned char *p, size_t left)
{
	const struct utf8_lead *lead = utf8_lead_of(p[0]);

	if (lead == NULL || left <= lead->more)
		return 0;
	if (lead->more > 0 && (p[1] < lead->low || p[1] > lead->high))
		return 0;
	for (size_t i = 2; i <= lead->more; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	}
	return (size_t)lead->more + 1;
}

/* True if the next eight bytes are ASCII: almost all text is, and is skipped a word at a time. */
static bool is_ascii_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return (word & UINT64_C(0x8080808080808080)) == 0;
}

bool str_is_utf8(struct str s)
{
	size_t i = 0;

	while (i < s.len) {
		if (s.len - i >= 8 && is_ascii_word(s.p + i)) {
			i += 8;
			continue;
		}
		size_t n = utf8_step((const unsigned char *)s.p + i, s.len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

char *str_dup(struct str s)
{
	char *copy = malloc(s.len + 1);

	if (copy == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(copy, s.p, s.len);
	copy[s.len] = '\0';
	return copy;
}

struct buf buf_make(size_t max)
{
	/* Leaves room for the NUL and for doubling without overflow. */
	size_t most = SIZE_MAX / 4;

	return (struct buf){ .max = max < most ? max : most };
}

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->p != NULL)
		b->p[0] = '\0';
}

void buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_reset(b);
}

/* Makes the memory hold `n` bytes more and a NUL. */
static bool make_room(struct buf *b, size_t n)
{
	if (b->failed || n > b->max - b->len) {
		b->failed = true;
		return false;
	}
	size_t need = b->len + n + 1;
	if (need <= b->cap)
		return true;

	size_t cap = b->cap == 0 ? BUF_FIRST_CAP : b->cap;
	while (cap < need)
		cap *= 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	char *p = realloc(b->p, cap);
	if (p == NULL) {
		b->failed = true;
		return false;
	}
	p[b->len] = '\0';
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, struct str s)
{
	if (!make_room(b, s.len))
		return;
	if (s.len > 0)
		memcpy(b->p + b->len, s.p, s.len);
	buf_grew(b, s.len);
}

void buf_add_z(struct buf *b, const char *z)
{
	buf_add(b, str_of(z));
}

void buf_add_char(struct buf *b, char c)
{
	buf_add(b, (struct str){ &c, 1 });
}

void buf_add_i64(struct buf *b, int64_t n)
{
	buf_addf(b, "%" PRId64, n);
}

void buf_add_hex(struct buf *b, const void *bytes, size_t n)
{
	const unsigned char *from = bytes;

	if (n > b->max / 2 || !make_room(b, 2 * n)) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		b->p[b->len + 2 * i] = HEX_DIGITS[from[i] >> 4];
		b->p[b->len + 2 * i + 1] = HEX_DIGITS[from[i] & 15];
	}
	buf_grew(b, 2 * n);
}

void buf_addf(struct buf *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!make_room(b, (size_t)n))
		return;
	va_start(args, format);
	(void)vsnprintf(b->p + b->len, (size_t)n + 1, format, args); /* measured above */
	va_end(args);
	b->len += (size_t)n;
}

char *buf_reserve(struct buf *b, size_t n)
{
	return make_room(b, n) ? b->p + b->len : NULL;
}

void buf_grew(struct buf *b, size_t n)
{
	assert(n < b->cap - b->len);
	b->len += n;
	b->p[b->len] = '\0';
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->p, b->p + n, b->len + 1);
}

struct str buf_str(const struct buf *b)
{
	return b->p == NULL ? STR("") : (struct str){ b->p, b->len };
}

bool buf_ok(const struct buf *b, const char *what, struct err *err)
{
	if (b->failed)
		return err_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", what, b->max);
	return true;
}

char *buf_steal(struct buf *b)
{
	if (!make_room(b, 0))
		return NULL;
	char *text = b->p;
	*b = (struct buf){ .max = b->max };
	return text;
}
