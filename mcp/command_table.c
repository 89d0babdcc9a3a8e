/* SPDX-License-Identifier: Apache-2.0 */
/* Aligned text for people. Columns are as wide as their longest text, counted in characters, not
 * bytes; money is shown as decimals. */
#include "mcp/command_table.h"

#include "base/money.h"

#define CELL_MAX 512

static void put_cell(const struct json *row, const struct mcp__column *column, struct buf *out)
{
	const struct json *value = json_get(row, column->member);
	char usd[MONEY_TEXT_MAX];
	int64_t n = 0;

	if (json_is(value, JSON_STRING)) {
		buf_add(out, json_text(value));
	} else if (json_i64(value, &n) && column->type == CELL_USD) {
		money_format_usd(money_of_micros(n), usd);
		buf_add_z(out, usd);
	} else if (json_is(value, JSON_NUMBER)) {
		buf_add_i64(out, n);
	} else if (json_is(value, JSON_BOOL)) {
		buf_add_z(out, json_true(value) ? "yes" : "no");
	} else {
		buf_add_char(out, '-');
	}
}

size_t mcp__text_width(struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += ((unsigned char)text.p[i] & 0xC0) != 0x80; /* not inside a character */
	return n;
}

static void put_spaces(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_add_char(out, ' ');
}

/* Text on the left, or numbers on the right; nothing follows the last column. */
static void put_padded(struct buf *out, struct str text, size_t width, bool right, bool last)
{
	size_t used = mcp__text_width(text);
	size_t gap = used < width ? width - used : 0;

	if (right)
		put_spaces(out, gap);
	buf_add(out, text);
	if (!right && !last)
		put_spaces(out, gap);
	buf_add_z(out, last ? "\n" : "  ");
}

static void measure(const struct json *rows, const struct mcp__column *columns, size_t count,
                    size_t *widths)
{
	OWN_BUF struct buf cell = buf_make(CELL_MAX);

	for (size_t i = 0; i < count; i++) {
		widths[i] = mcp__text_width(str_of(columns[i].title));
		for (const struct json *row = json_first(rows); row != NULL; row = json_next(row)) {
			buf_reset(&cell);
			put_cell(row, &columns[i], &cell);
			size_t width = mcp__text_width(buf_str(&cell));
			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
}

static void put_row(const struct json *row, const struct mcp__column *columns, size_t count,
                    const size_t *widths, struct buf *out)
{
	OWN_BUF struct buf cell = buf_make(CELL_MAX);

	for (size_t i = 0; i < count; i++) {
		buf_reset(&cell);
		put_cell(row, &columns[i], &cell);
		put_padded(out, buf_str(&cell), widths[i], columns[i].type != CELL_TEXT,
		           i + 1 == count);
	}
}

static void put_titles(const struct mcp__column *columns, size_t count, const size_t *widths,
                       struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		put_padded(out, str_of(columns[i].title), widths[i], columns[i].type != CELL_TEXT,
		           i + 1 == count);
}

void mcp__put_table(const struct json *rows, const struct mcp__column *columns, size_t count,
                    struct buf *out)
{
	size_t widths[MCP__COLUMNS_MAX];

	measure(rows, columns, count, widths);
	put_titles(columns, count, widths, out);
	for (const struct json *row = json_first(rows); row != NULL; row = json_next(row))
		put_row(row, columns, count, widths, out);
}

void mcp__put_list(const struct json *object, const struct mcp__column *lines, size_t count,
                   struct buf *out)
{
	OWN_BUF struct buf cell = buf_make(CELL_MAX);
	size_t width = 0;

	for (size_t i = 0; i < count; i++) {
		size_t w = mcp__text_width(str_of(lines[i].title));
		width = w > width ? w : width;
	}
	for (size_t i = 0; i < count; i++) {
		buf_reset(&cell);
		put_cell(object, &lines[i], &cell);
		put_padded(out, str_of(lines[i].title), width, false, false);
		buf_add(out, buf_str(&cell));
		buf_add_char(out, '\n');
	}
}
