/* SPDX-License-Identifier: Apache-2.0 */
/* The few macros that every file may use. Everything here is a compiler attribute or arithmetic
 * on types; nothing hides control flow. */
#ifndef BASE_MACROS_H
#define BASE_MACROS_H

#include <stddef.h>

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Checks a printf-like format; both numbers count from one. */
#define PRINTF_LIKE(text_at, args_at) __attribute__((format(printf, text_at, args_at)))

/* Runs `fn(&variable)` when the variable leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The object that contains `member` at `ptr`. */
#define CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(void *)(ptr)-offsetof(type, member)))

#endif
