/* SPDX-License-Identifier: Apache-2.0 */
/* The runner of all unit tests. It prints TAP: a plan, then one line per case, and before the line
 * of a failed case what was expected where. A check that fails is noted and the case goes on, so
 * use CHECK's value where going on makes no sense: `if (!CHECK(p != NULL)) return;`. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/macros.h"
#include "base/str.h"

/* A case is named as a sentence; its underscores are printed as spaces. */
struct check_case {
	const char *name;
	void (*run)(void);
};

#define CASE(fn)        \
	{               \
#fn, fn \
	}

/* Runs all cases; the exit code of main(). */
int check_main(const struct check_case *cases, size_t n);

/* Each is true if the check holds. Values: what we got, then what we want. */
#define CHECK(condition) check_true(__FILE__, __LINE__, #condition, (condition))
#define CHECK_I64(got, want) check_i64(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(want))
/* NUL-terminated texts; NULL is equal only to NULL. */
#define CHECK_STR(got, want) check_str(__FILE__, __LINE__, #got, (got), (want))
/* `got` is a struct str, `want` a NUL-terminated text or NULL for the absent str. */
#define CHECK_TEXT(got, want) check_text(__FILE__, __LINE__, #got, (got), (want))
#define CHECK_BYTES(got, want, n) check_bytes(__FILE__, __LINE__, #got, (got), (want), (n))

/* Fails the case with a text of ours. For rows of a table: say which row. */
#define CHECK_FAIL(...) check_fail(__FILE__, __LINE__, __VA_ARGS__)

/* Prints "# text": use it to say which row of a table is running when a check of it failed. */
void check_note(const char *format, ...) PRINTF_LIKE(1, 2);

bool check_i64(const char *file, int line, const char *text, int64_t got, int64_t want);
bool check_str(const char *file, int line, const char *text, const char *got, const char *want);
bool check_text(const char *file, int line, const char *text, struct str got, const char *want);
bool check_bytes(const char *file, int line, const char *text, const void *got, const void *want,
                 size_t n);
void check_fail(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);

/* Inline, so that analysers see that `if (!CHECK(p != NULL)) return;` guards what follows. */
static inline bool check_true(const char *file, int line, const char *text, bool holds)
{
	if (!holds)
		check_fail(file, line, "%s", text);
	return holds;
}

#endif
