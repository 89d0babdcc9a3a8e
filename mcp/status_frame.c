/* SPDX-License-Identifier: Apache-2.0 */
/* A status as lines for a terminal. Everything comes out of the JSON that --json prints, so that
 * nobody sees more here than a program can. */
#include "base/limits.h"
#include "mcp/command.h"
#include "mcp/command_table.h"
#include "mcp/status.h"

#define FRAME_MAX (256u << 10)
#define TIME_AT 11 /* of "2026-11-22T09:40:00.000Z" */
#define TIME_LEN 8

static int64_t number(const struct json *object, const char *key)
{
	int64_t n = 0;

	return json_i64(json_get(object, key), &n) ? n : 0;
}

static void put_text(struct buf *out, const struct json *object, const char *key)
{
	struct str text = json_text(json_get(object, key));

	buf_add(out, text.p != NULL ? text : STR("-"));
}

static void put_micros(struct buf *out, int64_t micros)
{
	char usd[MONEY_TEXT_MAX];

	money_format_usd(money_of_micros(micros), usd);
	buf_add_z(out, usd);
}

/* ---- The lines above the tables ---- */

static void put_duration(struct buf *out, int64_t seconds)
{
	if (seconds >= 86400)
		buf_addf(out, "%lldd", (long long)(seconds / 86400));
	if (seconds >= 3600)
		buf_addf(out, "%lldh", (long long)(seconds / 3600 % 24));
	if (seconds >= 60 && seconds < 86400)
		buf_addf(out, "%lldm", (long long)(seconds / 60 % 60));
	if (seconds < 3600)
		buf_addf(out, "%llds", (long long)(seconds % 60));
}

static void put_head(const struct json *server, const struct json *books, struct buf *out)
{
	buf_add_z(out, "agent-store  ");
	put_text(out, books, "at");
	if (!json_is(server, JSON_OBJECT)) {
		buf_add_z(out, "  no server runs: these are the books alone\n");
		return;
	}
	buf_addf(out, "  pid %lld, ", (long long)number(server, "pid"));
	put_text(out, server, "version");
	if (json_is(json_get(server, "address"), JSON_STRING)) {
		buf_add_z(out, ", up ");
		put_duration(out, number(server, "uptimeMs") / 1000);
		buf_add_z(out, ", http://");
		put_text(out, server, "address");
	} else {
		buf_add_z(out, ", without a listener");
	}
	buf_add_char(out, '\n');
}

/* With one decimal, rounded down. */
static void put_rate(struct buf *out, int64_t count, int64_t seconds)
{
	int64_t tenths = seconds > 0 ? count * 10 / seconds : 0;

	buf_addf(out, "%lld.%lld", (long long)(tenths / 10), (long long)(tenths % 10));
}

static void put_rates(const struct json *server, const struct json *books, struct buf *out)
{
	const struct json *recent = json_get(books, "recent");
	int64_t seconds = number(recent, "seconds");

	if (json_is(server, JSON_OBJECT))
		buf_addf(out, "in flight %lld  ", (long long)number(server, "requestsInFlight"));
	buf_addf(out, "last %lld s: ", (long long)seconds);
	put_rate(out, number(recent, "requests"), seconds);
	buf_addf(out, " requests/s, %lld failed, tokens/s ", (long long)number(recent, "failed"));
	put_rate(out, number(recent, "inputTokens"), seconds);
	buf_add_z(out, " in ");
	put_rate(out, number(recent, "outputTokens"), seconds);
	buf_add_z(out, " out, charged ");
	put_micros(out, number(recent, "buyerChargeUsdMicros"));
	buf_add_z(out, " USD\n");
}

static void put_totals(const struct json *server, const struct json *books, struct buf *out)
{
	const struct json *totals = json_get(books, "totals");

	buf_add_z(out, "wallets ");
	put_text(out, totals, "walletsUsd");
	buf_add_z(out, "  credit ");
	put_text(out, totals, "creditUsd");
	buf_add_z(out, "  held ");
	put_text(out, totals, "heldUsd");
	buf_addf(out, " (%lld)  charged ", (long long)number(totals, "openHolds"));
	put_text(out, totals, "chargedUsd");
	buf_addf(out, "  receipts %lld", (long long)number(totals, "receipts"));
	if (json_is(server, JSON_OBJECT))
		buf_addf(out, "  commits %lld, at most %lld in one",
		         (long long)number(server, "commits"),
		         (long long)number(server, "largestBatch"));
	buf_add_char(out, '\n');
}

/* ---- Tables ---- */

static void put_rows(struct json_out *rows, const struct mcp__column *columns, size_t count,
                     struct buf *out)
{
	json_put_end(rows, ']');
	OWN_JSON struct json *table = json_parse(buf_str(&rows->text), NULL);
	if (json_count(table) == 0)
		return;
	buf_add_char(out, '\n');
	mcp__put_table(table, columns, count, out);
}

/* An upstream is well unless one of its breakers says otherwise; it then tells for which models. */
static void put_state(const struct json *server, struct str upstream, struct json_out *out)
{
	OWN_BUF struct buf state = buf_make(FRAME_MAX);

	for (const struct json *b = json_first(json_get(server, "breakers")); b != NULL;
	     b = json_next(b)) {
		if (!str_eq(json_text(json_get(b, "upstream")), upstream) ||
		    str_eq(json_text(json_get(b, "state")), STR("closed")))
			continue;
		if (state.len > 0)
			buf_add_z(&state, ", ");
		put_text(&state, b, "state");
		buf_add_char(&state, ' ');
		put_text(&state, b, "model");
		if (number(b, "retryInMs") > 0)
			buf_addf(&state, " for %lld s",
			         (long long)((number(b, "retryInMs") + 999) / 1000));
	}
	json_put_str(out, "state", state.len > 0 ? buf_str(&state) : STR("well"));
}

static bool has_upstream(const struct json *list, const char *key, struct str name)
{
	for (const struct json *at = json_first(list); at != NULL; at = json_next(at)) {
		if (str_eq(json_text(json_get(at, key)), name))
			return true;
	}
	return false;
}

static void put_upstream_row(const struct json *server, const struct json *u, struct json_out *rows)
{
	struct str name = json_text(json_get(u, "name"));

	json_put_object(rows, NULL);
	json_put_str(rows, "name", name);
	json_put_i64(rows, "requests", number(u, "requests"));
	json_put_i64(rows, "failed", number(u, "failed"));
	json_put_i64(rows, "lastStatus", number(u, "lastStatus"));
	put_state(server, name, rows);
	json_put_end(rows, '}');
}

static void put_upstreams(const struct json *server, const struct json *books, struct buf *out)
{
	static const struct mcp__column COLUMNS[] = {
		{ "UPSTREAM", "name", CELL_TEXT },  { "REQUESTS", "requests", CELL_RIGHT },
		{ "FAILED", "failed", CELL_RIGHT }, { "LAST", "lastStatus", CELL_RIGHT },
		{ "STATE", "state", CELL_TEXT },
	};
	OWN_JSON_OUT struct json_out rows = json_out_make(FRAME_MAX);
	const struct json *seen = json_get(books, "upstreams");
	const struct json *breakers = json_get(server, "breakers");

	json_put_array(&rows, NULL);
	for (const struct json *u = json_first(seen); u != NULL; u = json_next(u))
		put_upstream_row(server, u, &rows);
	/* Those that nobody asked in the last minute, because they are out, or in peace. */
	for (const struct json *b = json_first(breakers); b != NULL; b = json_next(b)) {
		struct str name = json_text(json_get(b, "upstream"));
		bool closed = str_eq(json_text(json_get(b, "state")), STR("closed"));
		if (closed || has_upstream(seen, "name", name))
			continue;
		json_put_object(&rows, NULL);
		json_put_str(&rows, "name", name);
		put_state(server, name, &rows);
		json_put_end(&rows, '}');
	}
	put_rows(&rows, COLUMNS, ARRAY_LEN(COLUMNS), out);
}

/* What an account has more or less than in the first frame. */
static void put_change(const struct mcp__frame_view *view, const struct json *account,
                       struct json_out *rows)
{
	const struct json *before =
		json_first(json_get(json_get(view->first, "books"), "accounts"));
	struct str id = json_text(json_get(account, "id"));
	OWN_BUF struct buf text = buf_make(LIMIT_LABEL);

	while (before != NULL && !str_eq(json_text(json_get(before, "id")), id))
		before = json_next(before);
	if (before == NULL)
		return;
	int64_t change = number(account, "totalUsdMicros") - number(before, "totalUsdMicros");
	if (change > 0)
		buf_add_char(&text, '+');
	put_micros(&text, change);
	json_put_str(rows, "change", buf_str(&text));
}

static void put_accounts(const struct mcp__frame_view *view, const struct json *books,
                         struct buf *out)
{
	static const struct mcp__column COLUMNS[] = {
		{ "ACCOUNT", "name", CELL_TEXT },      { "WALLET", "walletUsd", CELL_RIGHT },
		{ "CREDIT", "creditUsd", CELL_RIGHT }, { "HELD", "heldUsd", CELL_RIGHT },
		{ "CHANGE", "change", CELL_RIGHT },
	};
	OWN_JSON_OUT struct json_out rows = json_out_make(FRAME_MAX);

	json_put_array(&rows, NULL);
	for (const struct json *a = json_first(json_get(books, "accounts")); a != NULL;
	     a = json_next(a)) {
		json_put_object(&rows, NULL);
		json_put_str(&rows, "name", json_text(json_get(a, "name")));
		json_put_str(&rows, "walletUsd", json_text(json_get(a, "walletUsd")));
		json_put_str(&rows, "creditUsd", json_text(json_get(a, "creditUsd")));
		json_put_str(&rows, "heldUsd", json_text(json_get(a, "heldUsd")));
		put_change(view, a, &rows);
		json_put_end(&rows, '}');
	}
	put_rows(&rows, COLUMNS, ARRAY_LEN(COLUMNS), out);
}

static void put_request(const struct json *request, struct json_out *rows)
{
	struct str at = json_text(json_get(request, "settledAt"));

	json_put_object(rows, NULL);
	if (at.len >= TIME_AT + TIME_LEN)
		json_put_str(rows, "time", (struct str){ at.p + TIME_AT, TIME_LEN });
	for (const struct json *m = json_first(request); m != NULL; m = json_next(m))
		json_put_tree(rows, json_key(m).p, m);
	json_put_end(rows, '}');
}

static void put_requests(const struct json *books, struct buf *out)
{
	static const struct mcp__column COLUMNS[] = {
		{ "TIME", "time", CELL_TEXT },
		{ "ACCOUNT", "account", CELL_TEXT },
		{ "KEY", "key", CELL_TEXT },
		{ "MODEL", "model", CELL_TEXT },
		{ "UPSTREAM", "upstream", CELL_TEXT },
		{ "END", "status", CELL_TEXT },
		{ "HTTP", "httpStatus", CELL_RIGHT },
		{ "IN", "inputTokens", CELL_RIGHT },
		{ "OUT", "outputTokens", CELL_RIGHT },
		{ "CHARGE", "buyerChargeUsdMicros", CELL_USD },
		{ "MS", "ms", CELL_RIGHT },
	};
	OWN_JSON_OUT struct json_out rows = json_out_make(FRAME_MAX);

	json_put_array(&rows, NULL);
	for (const struct json *r = json_first(json_get(books, "requests")); r != NULL;
	     r = json_next(r))
		put_request(r, &rows);
	put_rows(&rows, COLUMNS, ARRAY_LEN(COLUMNS), out);
}

/* ---- The frame ---- */

/* The first `columns` characters. */
static struct str cut_line(struct str line, size_t columns)
{
	size_t at = 0;

	if (columns == 0 || mcp__text_width(line) <= columns)
		return line;
	while (columns-- > 0) {
		do {
			at++;
		} while (((unsigned char)line.p[at] & 0xC0) == 0x80); /* inside a character */
	}
	return (struct str){ line.p, at };
}

static void put_cut(const struct mcp__frame_view *view, struct str text, struct buf *out)
{
	for (size_t row = 0; text.p != NULL && text.len > 0; row++) {
		if (view->rows > 0 && row == view->rows)
			return;
		buf_add(out, cut_line(str_cut(&text, '\n'), view->columns));
		buf_add_char(out, '\n');
	}
}

void mcp__put_status_frame(const struct mcp__frame_view *view, const struct json *result,
                           struct buf *out)
{
	const struct json *server = json_get(result, "server");
	const struct json *books = json_get(result, "books");
	OWN_BUF struct buf text = buf_make(FRAME_MAX);

	put_head(server, books, &text);
	put_rates(server, books, &text);
	put_totals(server, books, &text);
	put_upstreams(server, books, &text);
	put_accounts(view, books, &text);
	put_requests(books, &text);
	put_cut(view, buf_str(&text), out);
}

void mcp__print_status(const struct json *result, struct buf *out)
{
	const struct mcp__frame_view view = { 0, 0, NULL };

	mcp__put_status_frame(&view, result, out);
}
