/* SPDX-License-Identifier: Apache-2.0 */
/* Golden conversations: each file of fixtures/transcripts/ is a case. A line of a file is
 *     # why
 *     > a line for the session, as it is
 *     < the next line that the session must have written: a JSON pattern (json_matches)
 *     = NAME PATH    saves a text of the last line; ${NAME} stands for it from then on
 *     ! COMMAND      session, session keyless, hold, answer N, time +MS, split, end (of the
 *                    input), approval-above CENTS
 * When a line is sent and at the end, nothing unread may be left: so silence is tested too. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "tests/check.h"
#include "tests/mcp_desk.h"

#define MANY 64

struct saved {
	char name[32];
	char *value;
};

struct held {
	int64_t number;
	char *request;
};

struct golden {
	const char *file;
	int line;
	struct desk desk;
	struct mcp_session *session;
	int64_t wake_ms; /* when the session wants a tick; -1: never */
	bool hold;       /* work waits for "! answer" */
	bool split;      /* input comes byte by byte */
	struct held held[MANY];
	size_t held_count;
	char *unread[MANY];
	size_t unread_first, unread_count;
	struct json *last;
	struct saved saved[MANY];
	size_t saved_count;
};

static char *copy_of(struct str text)
{
	char *copy = str_dup(text);

	if (!copy)
		abort();
	return copy;
}

static void fail(const struct golden *g, const char *what, struct str detail)
{
	CHECK_FAIL("%s:%d: %s: %.*s", g->file, g->line, what, STR_ARG(detail));
}

/* ---- The session's surroundings ---- */

static void answer_work(struct golden *g, int64_t number, struct str request)
{
	OWN_JSON_OUT struct json_out out = json_out_make(LIMIT_FRAME);

	mcp_work_run(&g->desk.shop, g->desk.st, request, &out);
	mcp_session_answer(g->session, number, buf_str(&out.text));
}

static void on_call(void *data, int64_t number, struct str request)
{
	struct golden *g = data;

	if (!g->hold)
		answer_work(g, number, request);
	else if (g->held_count < MANY)
		g->held[g->held_count++] = (struct held){ number, copy_of(request) };
}

static void drop_held(struct golden *g, size_t i)
{
	free(g->held[i].request);
	for (g->held_count--; i < g->held_count; i++)
		g->held[i] = g->held[i + 1];
}

static void on_forget(void *data, int64_t number)
{
	struct golden *g = data;

	for (size_t i = 0; i < g->held_count; i++) {
		if (g->held[i].number == number) {
			drop_held(g, i);
			return;
		}
	}
	fail(g, "forgets work that it has not sent", STR(""));
}

static void on_line(void *data, struct str line)
{
	struct golden *g = data;

	if (!json_scan(line, NULL, NULL, NULL) || memchr(line.p, '\n', line.len))
		fail(g, "wrote what is not a line of JSON", line);
	if (g->unread_count < MANY)
		g->unread[g->unread_count++] = copy_of(line);
}

static void on_wake(void *data, int64_t delay_ms)
{
	struct golden *g = data;

	g->wake_ms = delay_ms < 0 ? -1 : g->desk.clock.now_ms + delay_ms;
}

static void open_session(struct golden *g, bool with_key)
{
	const struct mcp_session_io io = { .call = on_call,
		                           .forget = on_forget,
		                           .line = on_line,
		                           .wake = on_wake,
		                           .env = &g->desk.env,
		                           .data = g };
	const struct mcp_allowance allowance = { .purchase_key =
		                                         with_key ? g->desk.key.text : NULL };

	mcp_session_free(g->session);
	g->session = mcp_session_new(&io, &allowance, NULL);
	if (!g->session)
		abort();
}

/* ---- Lines of the file ---- */

static struct str saved_value(const struct golden *g, struct str name)
{
	for (size_t i = 0; i < g->saved_count; i++)
		if (str_eq(name, str_of(g->saved[i].name)))
			return str_of(g->saved[i].value);
	fail(g, "nothing was saved as", name);
	return STR("");
}

/* Puts saved values in. */
static void expand(const struct golden *g, struct str text, struct buf *out)
{
	while (text.p) {
		ptrdiff_t at = str_find(text, STR("${"));

		if (at < 0) {
			buf_add(out, text);
			return;
		}
		buf_add(out, (struct str){ text.p, (size_t)at });
		text = (struct str){ text.p + at + 2, text.len - (size_t)at - 2 };
		buf_add(out, saved_value(g, str_cut(&text, '}')));
	}
}

static void expect_silence(struct golden *g)
{
	if (g->unread_first < g->unread_count)
		fail(g, "was not expected", str_of(g->unread[g->unread_first]));
	g->unread_first = g->unread_count;
}

static void reset_unread(struct golden *g)
{
	for (size_t i = 0; i < g->unread_count; i++)
		free(g->unread[i]);
	g->unread_first = g->unread_count = 0;
}

static void send(struct golden *g, struct str text)
{
	expect_silence(g);
	reset_unread(g);
	for (size_t i = 0; g->split && i < text.len; i++)
		mcp_session_feed(g->session, (struct str){ text.p + i, 1 });
	if (!g->split)
		mcp_session_feed(g->session, text);
	mcp_session_feed(g->session, STR("\n"));
}

static void expect(struct golden *g, struct str text)
{
	OWN_BUF struct buf where = buf_make(4096);
	OWN_JSON struct json *pattern = json_parse(text, NULL);

	if (!pattern) {
		fail(g, "the pattern is not JSON", text);
		return;
	}
	if (g->unread_first == g->unread_count) {
		fail(g, "nothing came instead of", text);
		return;
	}
	json_free(g->last);
	g->last = json_parse(str_of(g->unread[g->unread_first++]), NULL);
	if (!json_matches(pattern, g->last, &where)) {
		fail(g, "differs", buf_str(&where));
		check_note("%s", g->unread[g->unread_first - 1]);
	}
}

static void save(struct golden *g, struct str text)
{
	struct str name = str_cut(&text, ' ');
	OWN_BUF struct buf path = buf_make(200);
	struct str value;

	buf_add(&path, text);
	value = desk_text(g->last, path.p ? path.p : "");
	if (!value.p || g->saved_count == MANY || name.len >= sizeof(g->saved[0].name)) {
		fail(g, "cannot save", text);
		return;
	}
	struct saved *saved = &g->saved[g->saved_count++];
	memcpy(saved->name, name.p, name.len);
	saved->value = copy_of(value);
}

/* Answers the n-th call that waits, counted from one. */
static void answer_held(struct golden *g, struct str number)
{
	int64_t n;

	if (!str_to_i64(number, &n) || n < 1 || (size_t)n > g->held_count) {
		fail(g, "no such call waits", number);
		return;
	}
	struct held held = g->held[n - 1];
	held.request = copy_of(str_of(held.request));
	drop_held(g, (size_t)n - 1);
	answer_work(g, held.number, str_of(held.request));
	free(held.request);
}

static void pass_time(struct golden *g, int64_t ms)
{
	g->desk.clock.now_ms += ms;
	if (g->wake_ms >= 0 && g->wake_ms <= g->desk.clock.now_ms)
		mcp_session_tick(g->session);
}

static void set_approval_limit(struct golden *g, struct str cents)
{
	struct store_policy policy = { money_of_micros(-1), money_of_micros(-1),
		                       money_of_micros(-1) };
	struct err err = { 0 };
	int64_t n;

	if (!str_to_i64(cents, &n) || !money_of_cents(&policy.approval_above, n) ||
	    !store_account_set_policy(g->desk.st, &g->desk.account.id, &policy, &err))
		fail(g, "no such limit", cents);
}

static void command(struct golden *g, struct str text)
{
	struct str word = str_cut(&text, ' ');
	int64_t ms;

	if (str_eq(word, STR("session")))
		open_session(g, !text.p);
	else if (str_eq(word, STR("hold")))
		g->hold = true;
	else if (str_eq(word, STR("answer")))
		answer_held(g, text);
	else if (str_eq(word, STR("split")))
		g->split = true;
	else if (str_eq(word, STR("time")) && text.len > 0 &&
	         str_to_i64((struct str){ text.p + 1, text.len - 1 }, &ms))
		pass_time(g, ms);
	else if (str_eq(word, STR("approval-above")))
		set_approval_limit(g, text);
	else if (str_eq(word, STR("end")))
		mcp_session_end(g->session);
	else
		fail(g, "unknown command", word);
}

static void run_line(struct golden *g, struct str line)
{
	OWN_BUF struct buf text = buf_make(LIMIT_MCP_LINE);
	const char *mark = line.len > 0 ? line.p : "#";

	if (line.len > 2)
		expand(g, (struct str){ line.p + 2, line.len - 2 }, &text);
	switch (*mark) {
	case '#':
		return;
	case '>':
		send(g, buf_str(&text));
		return;
	case '<':
		expect(g, buf_str(&text));
		return;
	case '=':
		save(g, buf_str(&text));
		return;
	case '!':
		command(g, buf_str(&text));
		return;
	default:
		fail(g, "a line starts with one of # > < = !", line);
	}
}

static void run_text(const char *name, struct str text)
{
	struct golden *g = calloc(1, sizeof(*g));

	if (!g)
		abort();
	g->file = name;
	g->wake_ms = -1;
	desk_open(&g->desk, true);
	open_session(g, true);
	while (text.len > 0) {
		g->line++;
		run_line(g, str_cut(&text, '\n'));
	}
	expect_silence(g);
	reset_unread(g);
	while (g->held_count > 0)
		drop_held(g, 0);
	while (g->saved_count > 0)
		free(g->saved[--g->saved_count].value);
	json_free(g->last);
	mcp_session_free(g->session);
	desk_close(&g->desk);
	free(g);
}

static void read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rbe");

	if (!CHECK(file != NULL))
		return;
	for (;;) {
		char *room = buf_reserve(out, 4096);
		size_t n = room ? fread(room, 1, 4096, file) : 0;

		if (n == 0)
			break;
		buf_grew(out, n);
	}
	(void)fclose(file); /* it was only read */
}

static int is_text(const struct dirent *entry)
{
	return str_ends(str_of(entry->d_name), STR(".txt"));
}

static void every_golden_transcript_holds(void)
{
	struct dirent **names;
	int count = scandir(FIXTURES "/transcripts", &names, is_text, alphasort);

	if (!CHECK(count > 5))
		return;
	for (int i = 0; i < count; i++) {
		OWN_BUF struct buf path = buf_make(4096);
		OWN_BUF struct buf text = buf_make(1u << 20);

		buf_addf(&path, FIXTURES "/transcripts/%s", names[i]->d_name);
		read_file(path.p, &text);
		run_text(names[i]->d_name, buf_str(&text));
		free(names[i]);
	}
	free(names);
}

/* ---- What a file cannot say ---- */

struct counter {
	int64_t calls, forgotten, lines;
	int64_t last_number;
	struct buf last_line;
};

static void count_call(void *data, int64_t number, struct str request)
{
	struct counter *c = data;

	(void)request;
	c->calls++;
	c->last_number = number;
}

static void count_forget(void *data, int64_t number)
{
	struct counter *c = data;

	(void)number;
	c->forgotten++;
}

static void count_line(void *data, struct str line)
{
	struct counter *c = data;

	c->lines++;
	buf_reset(&c->last_line);
	buf_add(&c->last_line, line);
}

static struct mcp_session *counted_session(struct counter *c, const char *key)
{
	const struct mcp_session_io io = {
		.call = count_call, .forget = count_forget, .line = count_line, .data = c
	};
	struct mcp_session *s =
		mcp_session_new(&io, &(struct mcp_allowance){ .purchase_key = key }, NULL);

	if (!s)
		abort();
	*c = (struct counter){ .last_line = buf_make(LIMIT_MCP_OUT_LINE) };
	return s;
}

static void feed_call(struct mcp_session *s, int id)
{
	OWN_BUF struct buf line = buf_make(200);

	buf_addf(&line,
	         "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\","
	         "\"params\":{\"name\":\"wallet_get\"}}\n",
	         id);
	mcp_session_feed(s, buf_str(&line));
}

static void at_most_256_calls_wait_at_once(void)
{
	struct counter c;
	struct mcp_session *s = counted_session(&c, NULL);

	for (int i = 0; i < LIMIT_MCP_IN_FLIGHT; i++)
		feed_call(s, i);
	CHECK_I64((int64_t)mcp_session_in_flight(s), 256);
	CHECK_I64(c.lines, 0);
	feed_call(s, 1000);
	CHECK_I64(c.calls, 256);
	CHECK_I64(c.lines, 1);
	CHECK(str_find(buf_str(&c.last_line), STR("unavailable")) > 0);
	mcp_session_answer(s, c.last_number, STR("{\"result\":{}}"));
	feed_call(s, 1001);
	CHECK_I64(c.calls, 257);
	mcp_session_free(s);
	buf_done(&c.last_line);
}

static void a_result_that_is_too_large_becomes_advice(void)
{
	OWN_BUF struct buf answer = buf_make(LIMIT_MCP_LINE);
	struct counter c;
	struct mcp_session *s = counted_session(&c, NULL);

	feed_call(s, 1);
	buf_add(&answer, STR("{\"result\":{\"x\":\""));
	while (answer.len < LIMIT_MCP_OUT_LINE - 100)
		buf_add(&answer, STR("0123456789"));
	buf_add(&answer, STR("\"}}"));
	mcp_session_answer(s, c.last_number, buf_str(&answer));
	CHECK_I64(c.lines, 1);
	CHECK(c.last_line.len < 2000);
	CHECK(str_find(buf_str(&c.last_line), STR("\"isError\":true")) > 0);
	CHECK(str_find(buf_str(&c.last_line), STR("a smaller limit")) > 0);
	mcp_session_free(s);
	buf_done(&c.last_line);
}

static void an_answer_that_nobody_waits_for_is_dropped(void)
{
	struct counter c;
	struct mcp_session *s = counted_session(&c, NULL);

	feed_call(s, 1);
	mcp_session_answer(s, c.last_number + 1, STR("{\"result\":{}}"));
	CHECK_I64(c.lines, 0);
	mcp_session_answer(s, c.last_number, STR("{\"result\":{}}"));
	mcp_session_answer(s, c.last_number, STR("{\"result\":{}}"));
	CHECK_I64(c.lines, 1);
	mcp_session_free(s);
	buf_done(&c.last_line);
}

static void a_line_above_the_limit_is_answered_and_the_session_goes_on(void)
{
	struct counter c;
	struct mcp_session *s = counted_session(&c, NULL);
	char piece[4096];

	memset(piece, 'x', sizeof(piece));
	for (size_t n = 0; n <= LIMIT_MCP_LINE; n += sizeof(piece))
		mcp_session_feed(s, (struct str){ piece, sizeof(piece) });
	CHECK_I64(c.lines, 1);
	CHECK(str_starts(buf_str(&c.last_line),
	                 STR("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,")));
	mcp_session_feed(s, STR("x\n{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}\n"));
	CHECK_TEXT(buf_str(&c.last_line), "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}");
	mcp_session_free(s);
	buf_done(&c.last_line);
}

static void an_answer_that_is_no_json_is_an_error_of_ours(void)
{
	struct counter c;
	struct mcp_session *s = counted_session(&c, NULL);

	feed_call(s, 1);
	mcp_session_answer(s, c.last_number, STR("garbage"));
	CHECK_I64(c.lines, 1);
	CHECK(str_find(buf_str(&c.last_line), STR("\"isError\":true")) > 0);
	mcp_session_free(s);
	buf_done(&c.last_line);
}

/* Hosts cut the text at about two thousand characters. */
static void instructions_are_short_enough_for_hosts(void)
{
	struct counter c;
	struct mcp_session *s = counted_session(&c, NULL);

	mcp_session_feed(s, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
	                        "\"params\":{\"protocolVersion\":\"2025-11-25\"}}\n"));
	OWN_JSON struct json *reply = json_parse(buf_str(&c.last_line), NULL);
	struct str text = desk_text(reply, "result.instructions");
	CHECK(text.len > 200 && text.len < 2000);
	CHECK(str_starts(text, STR("A prepaid store where agents buy LLM credit")));
	mcp_session_free(s);
	buf_done(&c.last_line);
}

static const struct check_case CASES[] = {
	CASE(every_golden_transcript_holds),
	CASE(at_most_256_calls_wait_at_once),
	CASE(a_result_that_is_too_large_becomes_advice),
	CASE(an_answer_that_nobody_waits_for_is_dropped),
	CASE(a_line_above_the_limit_is_answered_and_the_session_goes_on),
	CASE(an_answer_that_is_no_json_is_an_error_of_ours),
	CASE(instructions_are_short_enough_for_hosts),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
