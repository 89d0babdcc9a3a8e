/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines. A line fits PIPE_BUF, because only then is it written whole or not at all, and because
 * a pipe that polls as writable has room for just that much. What does not fit is cut. */
#include "base/log.h"

#include <assert.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/env.h"

static const char *const LEVEL_NAMES[] = {
	[LOG_ERROR] = "error",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};
static_assert(ARRAY_LEN(LEVEL_NAMES) == LOG_LEVEL_COUNT, "one name per level");

/* The only mutable global: every function may log, and none should need to be handed a logger. */
static _Atomic enum log_level current_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	assert(level < LOG_LEVEL_COUNT);
	atomic_store(&current_level, level);
}

bool log_level_parse(struct str name, enum log_level *out)
{
	for (size_t i = 0; i < LOG_LEVEL_COUNT; i++) {
		if (str_eq(name, str_of(LEVEL_NAMES[i]))) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level <= atomic_load(&current_level);
}

/* Keeps `used` inside `size` after a vsnprintf that wanted `wanted` bytes. */
static size_t advance(size_t used, size_t size, int wanted)
{
	if (wanted < 0)
		return used;
	return (size_t)wanted < size - used ? used + (size_t)wanted : size - 1;
}

/* One event is one line, whatever a field holds. */
static void blank_controls(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
			text[i] = ' ';
	}
}

static void write_or_drop(const char *line, size_t len)
{
	struct pollfd target = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&target, 1, 0) != 1 || (target.revents & POLLOUT) == 0)
		return;
	ssize_t written = write(STDERR_FILENO, line, len);
	(void)written; /* there is nowhere to complain */
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	char line[PIPE_BUF];
	char now[TIME_TEXT_MAX];
	va_list args;

	assert(level < LOG_LEVEL_COUNT);
	if (!log_enabled(level))
		return;
	struct env env = env_real(); /* people compare these times with other logs */
	time_format(env_now_ms(&env), now);
	size_t len = advance(0, sizeof(line),
	                     snprintf(line, sizeof(line), "time=%s level=%s event=%s ", now,
	                              LEVEL_NAMES[level], event));
	va_start(args, format);
	len = advance(len, sizeof(line), vsnprintf(line + len, sizeof(line) - len, format, args));
	va_end(args);
	blank_controls(line, len);
	while (len > 0 && line[len - 1] == ' ')
		len--;
	line[len++] = '\n'; /* takes the place of the NUL */
	write_or_drop(line, len);
}

static bool needs_quotes(struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];
		if (c <= ' ' || c >= 0x7F || c == '"' || c == '\\' || c == '=')
			return true;
	}
	return value.len == 0;
}

static void add_escaped(struct buf *out, unsigned char c, bool text_is_utf8)
{
	if (c == '"' || c == '\\') {
		buf_add_char(out, '\\');
		buf_add_char(out, (char)c);
	} else if (c == '\n') {
		buf_add_z(out, "\\n");
	} else if (c < ' ' || c == 0x7F || (c > 0x7F && !text_is_utf8)) {
		buf_add_z(out, "\\x");
		buf_add_hex(out, &c, 1);
	} else {
		buf_add_char(out, (char)c);
	}
}

const char *log_quote(struct buf *scratch, struct str value)
{
	size_t start = scratch->len;

	if (needs_quotes(value)) {
		bool is_utf8 = str_is_utf8(value);
		buf_add_char(scratch, '"');
		for (size_t i = 0; i < value.len; i++)
			add_escaped(scratch, (unsigned char)value.p[i], is_utf8);
		buf_add_char(scratch, '"');
	} else {
		buf_add(scratch, value);
	}
	return scratch->failed ? "too-long" : scratch->p + start;
}
