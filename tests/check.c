/* SPDX-License-Identifier: Apache-2.0 */
/* TAP output. Lines are flushed one by one, so that a crash still shows the case it was in: the
 * diagnostics before it are out, and the plan tells the harness that cases are missing. */
#include "tests/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Failures of the running case. The one global of the tests: without it every check in every test
 * would have to pass a context along. Atomic, because test threads check too. */
static atomic_int failures;

bool check_i64(const char *file, int line, const char *text, int64_t got, int64_t want)
{
	if (got != want)
		check_fail(file, line, "%s, got %" PRId64 ", wanted %" PRId64, text, got, want);
	return got == want;
}

bool check_str(const char *file, int line, const char *text, const char *got, const char *want)
{
	struct str bytes = { got, got == NULL ? 0 : strlen(got) };

	return check_text(file, line, text, bytes, want);
}

/* Prints a text so that it stays on one line. */
static void put_text(const char *text, size_t len)
{
	if (text == NULL) {
		(void)fputs("nothing", stdout);
		return;
	}
	(void)putchar('\'');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c < 0x20 || c == 0x7F)
			(void)printf("\\x%02x", c);
		else
			(void)putchar(c);
	}
	(void)putchar('\'');
}

bool check_text(const char *file, int line, const char *text, struct str got, const char *want)
{
	size_t want_len = want == NULL ? 0 : strlen(want);
	bool same = (got.p == NULL) == (want == NULL) && got.len == want_len &&
	            (got.len == 0 || memcmp(got.p, want, got.len) == 0);

	if (same)
		return true;
	failures++;
	(void)printf("# %s:%d: %s, got ", file, line, text);
	put_text(got.p, got.len);
	(void)fputs(", wanted ", stdout);
	put_text(want, want_len);
	(void)putchar('\n');
	(void)fflush(stdout);
	return false;
}

static void put_hex(const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)printf("%02x", bytes[i]);
}

bool check_bytes(const char *file, int line, const char *text, const void *got, const void *want,
                 size_t n)
{
	if (memcmp(got, want, n) == 0)
		return true;
	failures++;
	(void)printf("# %s:%d: %s, got ", file, line, text);
	put_hex(got, n);
	(void)fputs(", wanted ", stdout);
	put_hex(want, n);
	(void)putchar('\n');
	(void)fflush(stdout);
	return false;
}

void check_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	failures++;
	(void)printf("# %s:%d: ", file, line);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)putchar('\n');
	(void)fflush(stdout);
}

void check_note(const char *format, ...)
{
	va_list args;

	(void)fputs("# ", stdout);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)putchar('\n');
	(void)fflush(stdout);
}

static void put_sentence(const char *name)
{
	for (; *name != '\0'; name++)
		(void)putchar(*name == '_' ? ' ' : *name);
}

static bool run_case(const struct check_case *c, size_t number)
{
	failures = 0;
	c->run();
	bool passed = failures == 0;
	(void)printf("%s %zu - ", passed ? "ok" : "not ok", number);
	put_sentence(c->name);
	(void)putchar('\n');
	(void)fflush(stdout);
	return passed;
}

int check_main(const struct check_case *cases, size_t n)
{
	bool passed = true;

	(void)printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++)
		passed = run_case(&cases[i], i + 1) && passed;
	return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
