/* SPDX-License-Identifier: Apache-2.0 */
/* Text with a length. `struct str` borrows: bytes from outside are never a bare char pointer.
 * `struct buf` owns: it grows up to a maximum that is given at the start, and remembers a failure,
 * so that many appends need one check at the end. Its text is always NUL-terminated. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct str {
	const char *p; /* NULL means absent; an empty string has p and len 0 */
	size_t len;
};

/* A string literal as a str, usable in const tables. */
#define STR_INIT(lit)                  \
	{                              \
		(lit), sizeof(lit) - 1 \
	}
#define STR(lit) ((struct str)STR_INIT(lit))

/* Arguments for "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).p

struct str str_of(const char *z); /* of a NUL-terminated text of ours; NULL gives the absent str */
bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Where `needle` starts in `s`, or -1. An empty needle is at 0. */
ptrdiff_t str_find(struct str s, struct str needle);
bool str_has_nocase(struct str s, struct str needle); /* ASCII case folding */
struct str str_trim(struct str s);                    /* without spaces and tabs at both ends */
/* Cuts `*rest` at the first `sep`: returns what is before it, and `*rest` becomes what is after
 * it. Without a separator all is returned and `*rest` becomes absent. */
struct str str_cut(struct str *rest, char sep);
/* Decimal digits only, with an optional '-', whole text used, in the range of int64. */
MUST_CHECK bool str_to_i64(struct str s, int64_t *out);
/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);
/* A NUL-terminated copy from malloc; NULL when there is no memory. The caller frees it. */
char *str_dup(struct str s);

struct buf {
	char *p; /* NULL until the first append */
	size_t len;
	size_t cap;
	size_t max;  /* bytes of text that may be held */
	bool failed; /* an append was refused: too long or no memory; stays until buf_reset */
};

#define OWN_BUF CLEANUP(buf_done)

struct buf buf_make(size_t max);
void buf_done(struct buf *b);  /* frees; takes a zeroed or finished buffer */
void buf_reset(struct buf *b); /* empties, keeps the memory, forgets a failure */
void buf_wipe(struct buf *b);  /* overwrites what was held, then empties: for secrets */

/* Appends. After a failure they do nothing. */
void buf_add(struct buf *b, struct str s);
void buf_add_z(struct buf *b, const char *z);
void buf_add_char(struct buf *b, char c);
void buf_add_i64(struct buf *b, int64_t n);
void buf_add_hex(struct buf *b, const void *bytes, size_t n);
/* For logs and people only; JSON and SQL are never built by format. */
void buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for `n` bytes more, for reading from a socket: a pointer to write to, or NULL and failed.
 * buf_grew then says how many were written. */
MUST_CHECK char *buf_reserve(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);
/* Removes the first `n` bytes. */
void buf_consume(struct buf *b, size_t n);

struct str buf_str(const struct buf *b); /* borrowed until the next change; never absent */
/* True if no append failed; else ERR_TOO_LARGE that names `what`. */
MUST_CHECK bool buf_ok(const struct buf *b, const char *what, struct err *err);
/* Hands the text over; the buffer becomes empty. NULL if it failed. The caller frees it. */
MUST_CHECK char *buf_steal(struct buf *b);

#endif
