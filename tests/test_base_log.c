/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines, read back from a pipe that stands in for stderr. A full pipe must lose lines and not
 * stop the program: an alarm ends a test that hangs. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/env.h"
#include "base/log.h"
#include "tests/check.h"

/* Stderr while it is a pipe. */
struct capture {
	int saved;
	int reader;
};

static struct capture capture_start(void)
{
	int ends[2];

	(void)fflush(stderr);
	if (pipe2(ends, O_CLOEXEC) != 0)
		abort();
	struct capture c = { .saved = dup(STDERR_FILENO), .reader = ends[0] };
	if (c.saved < 0 || dup2(ends[1], STDERR_FILENO) < 0)
		abort();
	(void)close(ends[1]);
	return c;
}

/* Puts the real stderr back, which closes the pipe, and appends all that it held. */
static void capture_end(struct capture *c, struct buf *out)
{
	if (dup2(c->saved, STDERR_FILENO) < 0)
		abort();
	(void)close(c->saved);
	for (;;) {
		char *room = buf_reserve(out, 4096);
		ssize_t n = room == NULL ? 0 : read(c->reader, room, 4096);
		if (n <= 0)
			break;
		buf_grew(out, (size_t)n);
	}
	(void)close(c->reader);
}

static int64_t count_lines(struct str text)
{
	int64_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.p[i] == '\n';
	return lines;
}

static void event_is_one_line_with_time_level_and_fields(void)
{
	OWN_BUF struct buf out = buf_make(10000);
	struct capture c = capture_start();

	log_event(LOG_INFO, "listening", "addr=%s port=%d", "127.0.0.1", 8787);
	capture_end(&c, &out);
	struct str rest = buf_str(&out);
	struct str time = str_cut(&rest, ' ');
	int64_t ms;
	CHECK_TEXT(rest, "level=info event=listening addr=127.0.0.1 port=8787\n");
	CHECK(str_starts(time, STR("time=")));
	CHECK(time_parse((struct str){ time.p + 5, time.len - 5 }, &ms, NULL));
}

static void event_without_fields_has_no_space_at_its_end(void)
{
	OWN_BUF struct buf out = buf_make(10000);
	struct capture c = capture_start();

	log_event(LOG_ERROR, "stopped", "%s", "");
	capture_end(&c, &out);
	CHECK(str_ends(buf_str(&out), STR(" level=error event=stopped\n")));
}

static void line_breaks_in_a_field_do_not_make_lines(void)
{
	OWN_BUF struct buf out = buf_make(10000);
	struct capture c = capture_start();

	log_event(LOG_INFO, "x", "a=%s", "1\nlevel=error\r\x1b[0m");
	capture_end(&c, &out);
	CHECK_I64(count_lines(buf_str(&out)), 1);
	CHECK(str_ends(buf_str(&out), STR("a=1 level=error  [0m\n")));
}

static void long_line_is_cut_to_what_a_pipe_takes_at_once(void)
{
	OWN_BUF struct buf out = buf_make(100000);
	char field[2 * PIPE_BUF];
	struct capture c = capture_start();

	memset(field, 'f', sizeof(field));
	field[sizeof(field) - 1] = '\0';
	log_event(LOG_INFO, "x", "a=%s", field);
	log_event(LOG_INFO, "y", "b=%d", 1);
	capture_end(&c, &out);
	struct str rest = buf_str(&out);
	struct str first = str_cut(&rest, '\n');
	CHECK_I64(first.len, PIPE_BUF - 1);
	CHECK(str_ends(first, STR("ffff")));
	CHECK(str_ends(rest, STR(" event=y b=1\n")));
}

static void level_decides_what_is_written(void)
{
	OWN_BUF struct buf out = buf_make(10000);
	struct capture c = capture_start();

	for (size_t level = 0; level < LOG_LEVEL_COUNT; level++) {
		log_set_level((enum log_level)level);
		log_event(LOG_ERROR, "e", "at=%zu", level);
		log_event(LOG_INFO, "i", "at=%zu", level);
		log_event(LOG_DEBUG, "d", "at=%zu", level);
	}
	log_set_level(LOG_INFO);
	capture_end(&c, &out);
	CHECK_I64(count_lines(buf_str(&out)), 1 + 2 + 3);
	CHECK_I64(str_find(buf_str(&out), STR("event=d at=1")), -1);
	CHECK_I64(str_find(buf_str(&out), STR("event=i at=0")), -1);
	CHECK(log_enabled(LOG_ERROR) && log_enabled(LOG_INFO) && !log_enabled(LOG_DEBUG));
}

static void level_names_are_read(void)
{
	enum log_level level = LOG_INFO;

	CHECK(log_level_parse(STR("error"), &level) && level == LOG_ERROR);
	CHECK(log_level_parse(STR("info"), &level) && level == LOG_INFO);
	CHECK(log_level_parse(STR("debug"), &level) && level == LOG_DEBUG);
	CHECK(!log_level_parse(STR("Info"), &level));
	CHECK(!log_level_parse(STR("warning"), &level));
	CHECK(!log_level_parse(STR(""), &level));
	CHECK(!log_level_parse((struct str){ 0 }, &level));
	CHECK_I64(level, LOG_DEBUG);
}

static const char ZEROS[PIPE_BUF] = { 0 };

/* Fills the pipe behind stderr; the descriptor is blocking again afterwards. */
static void fill_stderr(void)
{
	int flags = fcntl(STDERR_FILENO, F_GETFL);

	(void)fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
	while (write(STDERR_FILENO, ZEROS, sizeof(ZEROS)) > 0)
		continue;
	(void)fcntl(STDERR_FILENO, F_SETFL, flags);
}

static void full_pipe_drops_the_line_and_does_not_block(void)
{
	OWN_BUF struct buf out = buf_make(1 << 20);
	struct capture c = capture_start();

	(void)alarm(20); /* ends the test if the call hangs */
	fill_stderr();
	log_event(LOG_ERROR, "lost", "n=%d", 1);
	(void)alarm(0);
	capture_end(&c, &out);
	CHECK(out.len > PIPE_BUF);
	CHECK_I64(str_find(buf_str(&out), STR("event=lost")), -1);
}

static void closed_stderr_is_survived(void)
{
	int saved = dup(STDERR_FILENO);

	(void)close(STDERR_FILENO);
	log_event(LOG_ERROR, "nobody", "n=%d", 1);
	CHECK_I64(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
}

struct quote_row {
	struct str value;
	const char *want;
};

static const struct quote_row QUOTE_ROWS[] = {
	{ STR_INIT("gpt-4.1/x:1"), "gpt-4.1/x:1" },
	{ STR_INIT(""), "\"\"" },
	{ STR_INIT("a b"), "\"a b\"" },
	{ STR_INIT("a=b"), "\"a=b\"" },
	{ STR_INIT("say \"hi\""), "\"say \\\"hi\\\"\"" },
	{ STR_INIT("a\\b"), "\"a\\\\b\"" },
	{ STR_INIT("a\nb"), "\"a\\nb\"" },
	{ STR_INIT("a\rb\x1b\x7f"), "\"a\\x0db\\x1b\\x7f\"" },
	{ STR_INIT("a\0b"), "\"a\\x00b\"" },
	{ STR_INIT("\xc3\xa9"), "\"\xc3\xa9\"" },
	{ STR_INIT("\xc3"), "\"\\xc3\"" },
	{ { NULL, 0 }, "\"\"" },
};

static void values_are_quoted_when_they_need_it(void)
{
	for (size_t i = 0; i < ARRAY_LEN(QUOTE_ROWS); i++) {
		OWN_BUF struct buf scratch = buf_make(1000);
		CHECK_STR(log_quote(&scratch, QUOTE_ROWS[i].value), QUOTE_ROWS[i].want);
	}
}

static void quote_appends_and_says_when_there_is_no_room(void)
{
	OWN_BUF struct buf scratch = buf_make(6);

	buf_add_z(&scratch, "abc");
	CHECK_STR(log_quote(&scratch, STR("x")), "x");
	CHECK_TEXT(buf_str(&scratch), "abcx");
	CHECK_STR(log_quote(&scratch, STR("a b")), "too-long");
}

static const struct check_case CASES[] = {
	CASE(event_is_one_line_with_time_level_and_fields),
	CASE(event_without_fields_has_no_space_at_its_end),
	CASE(line_breaks_in_a_field_do_not_make_lines),
	CASE(long_line_is_cut_to_what_a_pipe_takes_at_once),
	CASE(level_decides_what_is_written),
	CASE(level_names_are_read),
	CASE(full_pipe_drops_the_line_and_does_not_block),
	CASE(closed_stderr_is_survived),
	CASE(values_are_quoted_when_they_need_it),
	CASE(quote_appends_and_says_when_there_is_no_room),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
