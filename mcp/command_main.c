/* SPDX-License-Identifier: Apache-2.0 */
/* One operator's command from its words to its exit code. It waits on the loop: the answer may come
 * from this process or from the server that runs. */
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "mcp/command.h"
#include "mcp/link.h"

#define CALL_MS 60000
#define PROGRESS_MS 2000
#define EXIT_USAGE 2

struct waiting {
	struct net_loop *loop;
	const struct mcp__command_line *line;
	struct buf answer;
	bool answered;
	struct net_timer progress;
	int64_t since_ms;
};

/* Writes and wipes: a text may hold a key. A reader that has gone away is a failure too. */
static bool put(FILE *to, struct buf *text)
{
	bool ok = fwrite(text->p == NULL ? "" : text->p, 1, text->len, to) == text->len;

	ok = fflush(to) == 0 && ok;
	buf_wipe(text);
	return ok;
}

static void answered(void *data, struct str answer)
{
	struct waiting *w = data;

	buf_add(&w->answer, answer);
	w->answered = true;
	net_loop_stop(w->loop);
}

static void tell_progress(void *data)
{
	struct waiting *w = data;
	int64_t seconds = (net_loop_now_ms(w->loop) - w->since_ms) / 1000;

	(void)fprintf(stderr, "agent-store: %s: still at it, %lld s\n", w->line->command->words,
	              (long long)seconds);
	net_timer_start(&w->progress, PROGRESS_MS);
}

static bool wait_for_answer(struct waiting *w, struct mcp_link *link, struct err *err)
{
	const struct mcp__command_line *line = w->line;
	int64_t deadline = line->command->slow ? 0 : CALL_MS;
	int64_t call = mcp__link_call_within(link, buf_str(&line->request), deadline, answered, w);

	if (call == 0)
		return err_no_memory(err);
	w->since_ms = net_loop_now_ms(w->loop);
	net_timer_init(&w->progress, w->loop, tell_progress, w);
	if (line->command->slow)
		net_timer_start(&w->progress, PROGRESS_MS);
	bool ok = net_loop_run(w->loop, err);
	net_timer_stop(&w->progress);
	if (ok && !w->answered)
		ok = err_set(err, ERR_UNAVAILABLE, "interrupted");
	if (!ok)
		mcp_link_forget(link, call);
	return ok;
}

static int complain(struct buf *text, const struct err *why, int code)
{
	OWN_BUF struct buf whole = buf_make(LIMIT_MCP_OUT_LINE);

	buf_addf(&whole, "agent-store: %s\n", why->text);
	buf_add(&whole, buf_str(text));
	(void)put(stderr, &whole); /* there is nowhere else to complain */
	return code;
}

static int run(struct net_loop *loop, struct mcp_link *link, const struct mcp__command_line *line)
{
	OWN_BUF struct buf out = buf_make(LIMIT_FRAME);
	OWN_BUF struct buf complaint = buf_make(LIMIT_MCP_OUT_LINE);
	struct waiting w = { .loop = loop, .line = line, .answer = buf_make(LIMIT_FRAME) };
	struct err err = { 0 };
	int code = 1;

	if (wait_for_answer(&w, link, &err)) {
		code = mcp__command_line_finish(line, buf_str(&w.answer), &out, &complaint);
		if (!put(stdout, &out) || !put(stderr, &complaint))
			code = 1;
	} else {
		code = complain(&complaint, &err, 1);
	}
	buf_wipe(&w.answer);
	buf_done(&w.answer);
	return code;
}

static int show_help(const struct mcp__command_line *line, int argc, char **argv)
{
	OWN_BUF struct buf text = buf_make(LIMIT_MCP_OUT_LINE);

	mcp__command_line_put_usage(line, argc, argv, &text);
	if (line->command != NULL)
		buf_addf(&text, "\n%s\n\nWith --json the result is one line of JSON.\n",
		         line->command->help);
	return put(stdout, &text) ? 0 : 1;
}

int mcp_command_main(struct net_loop *loop, struct mcp_link *link, int argc, char **argv)
{
	OWN_BUF struct buf usage = buf_make(LIMIT_MCP_OUT_LINE);
	struct mcp__command_line line;
	struct err err = { 0 };
	int code = 0;

	if (!mcp__command_line_read(&line, argc, argv, &err)) {
		mcp__command_line_put_usage(&line, argc, argv, &usage);
		code = complain(&usage, &err, EXIT_USAGE);
	} else if (line.help) {
		code = show_help(&line, argc, argv);
	} else {
		code = run(loop, link, &line);
	}
	mcp__command_line_done(&line);
	return code;
}
