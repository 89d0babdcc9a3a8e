/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and lists of what a command answers, for people. Private to mcp/. */
#ifndef MCP_COMMAND_TABLE_H
#define MCP_COMMAND_TABLE_H

#include <stddef.h>

#include "base/json.h"
#include "base/str.h"

enum mcp__cell {
	CELL_TEXT,
	CELL_RIGHT, /* a number or a decimal text */
	CELL_USD    /* micro-USD, shown as decimals */
};

struct mcp__column {
	const char *title;
	const char *member; /* of a row; what a row has not is shown as "-" */
	enum mcp__cell type;
};

#define MCP__COLUMNS_MAX 12

/* An array of objects: a line of titles, then a line for each. */
void mcp__put_table(const struct json *rows, const struct mcp__column *columns, size_t count,
                    struct buf *out);
/* One object as lines "title  value". */
void mcp__put_list(const struct json *object, const struct mcp__column *lines, size_t count,
                   struct buf *out);
size_t mcp__text_width(struct str text); /* in characters */

#endif
