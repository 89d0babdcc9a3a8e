/* SPDX-License-Identifier: Apache-2.0 */
/* One key=value line per event on stderr; stdout belongs to the stdio transport. A line is written
 * with one write(2), and is dropped rather than waited for when stderr is a full pipe: a log must
 * never stop money. The level is the program's only mutable global. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/macros.h"
#include "base/str.h"

enum log_level {
	LOG_ERROR,
	LOG_INFO,
	LOG_DEBUG,
	LOG_LEVEL_COUNT
};

void log_set_level(enum log_level level);
MUST_CHECK bool log_level_parse(struct str name, enum log_level *out);
bool log_enabled(enum log_level level);

/* Writes "time=… level=… event=<event> <fields>". `format` makes the fields: "addr=%s port=%d". */
void log_event(enum log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);

/* Quotes a value that may hold spaces, quotes or control characters, for use with "%s": the text
 * is valid until the buffer changes. Appends to `scratch`. */
const char *log_quote(struct buf *scratch, struct str value);

#endif
