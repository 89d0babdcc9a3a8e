/* SPDX-License-Identifier: Apache-2.0 */
/* `agent-store top`: the command status again each second, on a screen of its own. Each frame is
 * asked for over a new link, which is closed before the frame is drawn: where no server runs, this
 * process owns the store only while it reads, and a server may start at any moment. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/limits.h"
#include "mcp/command.h"
#include "mcp/link.h"
#include "mcp/status.h"

#define EXIT_USAGE 2
#define FRAME_MS 1000 /* from one frame to the next */
#define ALONE_MS 5000 /* ... where no server runs: opening the books costs more than asking */
#define ANSWER_MS 10000
#define SCREEN_MAX (1u << 20)
#define REQUEST STR("{\"command\":\"status\"}")

/* What a terminal is told. */
#define ENTER_SCREEN "\033[?1049h\033[?25l"
#define LEAVE_SCREEN "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define END_LINE "\033[K\r\n"
#define ERASE_BELOW "\033[J"

struct top {
	struct net_loop *loop;
	const char *db;
	const struct mcp_owner *owner;

	struct mcp_link *link; /* of the frame that is under way */
	int64_t call;          /* 0: answered */
	struct buf answer;
	struct json *shown; /* the answer on the screen; NULL: none yet */
	struct json *first; /* the first good one, to compare with; may be the one shown */
	struct net_timer next;
	struct net_watch *keys;
	struct termios saved;
	bool on_screen; /* the terminal is ours, and `saved` is what it was */
	bool closing;   /* the link is */
	bool quitting;
};

/* ---- The terminal ---- */

static void put_bytes(struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes.p, bytes.len);
		if (n <= 0)
			return; /* a terminal that is gone ends us by its signal */
		bytes = (struct str){ bytes.p + n, bytes.len - (size_t)n };
	}
}

static bool enter_screen(struct top *t, struct err *err)
{
	struct termios silent;

	if (t->on_screen)
		return true;
	if (tcgetattr(STDIN_FILENO, &t->saved) != 0)
		return err_set_errno(err, ERR_INTERNAL, "the terminal");
	silent = t->saved;
	silent.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &silent) != 0)
		return err_set_errno(err, ERR_INTERNAL, "the terminal");
	t->on_screen = true;
	put_bytes(STR(ENTER_SCREEN));
	return true;
}

static void leave_screen(struct top *t)
{
	if (!t->on_screen)
		return;
	t->on_screen = false;
	put_bytes(STR(LEAVE_SCREEN));
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &t->saved); /* nothing more can be done */
}

static struct mcp__frame_view view_of(const struct top *t)
{
	struct mcp__frame_view view = { 0, 0, json_get(t->first, "result") };
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 1) {
		view.columns = size.ws_col;
		view.rows = size.ws_row - 1u; /* the cursor stands in the last one */
	}
	return view;
}

/* ---- Drawing ---- */

static void put_screen(struct str lines, struct buf *out)
{
	buf_add_z(out, HOME);
	while (lines.p != NULL && lines.len > 0) {
		buf_add(out, str_cut(&lines, '\n'));
		buf_add_z(out, END_LINE);
	}
	buf_add_z(out, ERASE_BELOW);
}

static void draw(struct top *t)
{
	OWN_BUF struct buf lines = buf_make(SCREEN_MAX), screen = buf_make(SCREEN_MAX);
	const struct mcp__frame_view view = view_of(t);
	const struct json *result = json_get(t->shown, "result");
	struct str why = json_text(json_get(json_get(t->shown, "error"), "message"));

	if (!t->on_screen)
		return;
	if (result != NULL)
		mcp__put_status_frame(&view, result, &lines);
	else
		buf_addf(&lines, "agent-store: %.*s\n",
		         STR_ARG(why.p != NULL ? why : STR("the answer is no JSON")));
	put_screen(buf_str(&lines), &screen);
	put_bytes(buf_str(&screen));
}

static void take_answer(struct top *t)
{
	if (t->shown != t->first)
		json_free(t->shown);
	t->shown = json_parse(buf_str(&t->answer), NULL);
	if (t->first == NULL && json_get(t->shown, "result") != NULL)
		t->first = t->shown;
}

static int64_t pause_ms(const struct top *t)
{
	const struct json *result = json_get(t->shown, "result");
	bool alone = result != NULL && !json_is(json_get(result, "server"), JSON_OBJECT);

	return alone ? ALONE_MS : FRAME_MS;
}

/* ---- Asking ---- */

/* The store is free again: now there is time for a terminal. */
static void link_closed(void *data)
{
	struct top *t = data;

	mcp_link_free(t->link);
	t->link = NULL;
	t->closing = false;
	if (t->quitting) {
		net_loop_stop(t->loop);
		return;
	}
	take_answer(t);
	draw(t);
	net_timer_start(&t->next, pause_ms(t));
}

static void close_link(struct top *t)
{
	if (t->closing)
		return;
	t->closing = true;
	mcp_link_close(t->link, link_closed, t);
}

static void answered(void *data, struct str answer)
{
	struct top *t = data;

	t->call = 0;
	buf_reset(&t->answer);
	buf_add(&t->answer, answer);
	close_link(t);
}

/* Without memory the frame that is shown stays, and the next second tries again. */
static void ask(void *data)
{
	struct top *t = data;

	t->link = mcp_link_new(t->loop, t->db, t->owner, NULL);
	if (t->link == NULL) {
		net_timer_start(&t->next, FRAME_MS);
		return;
	}
	t->call = mcp__link_call_within(t->link, REQUEST, ANSWER_MS, answered, t);
	if (t->call == 0)
		close_link(t);
}

/* ---- What a person does ---- */

static void quit(void *data)
{
	struct top *t = data;

	t->quitting = true;
	net_timer_stop(&t->next);
	if (t->link == NULL) {
		net_loop_stop(t->loop);
		return;
	}
	if (t->call != 0)
		mcp_link_forget(t->link, t->call);
	t->call = 0;
	close_link(t);
}

static void keys_came(void *data, unsigned events)
{
	struct top *t = data;
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	(void)events;
	if (n <= 0 || memchr(keys, 'q', (size_t)n) != NULL || memchr(keys, 'Q', (size_t)n) != NULL)
		quit(t);
}

static void resized(void *data)
{
	struct top *t = data;

	if (t->shown != NULL)
		draw(t);
}

/* Ctrl-Z: the shell gets its terminal as it was, and we get ours again when it lets us go on. */
static void suspended(void *data)
{
	struct top *t = data;

	leave_screen(t);
	(void)raise(SIGSTOP);
	if (enter_screen(t, NULL))
		resized(t);
}

static bool watch(struct top *t, struct err *err)
{
	static const int ENDS[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_LEN(ENDS); i++) {
		if (!net_loop_on_signal(t->loop, ENDS[i], quit, t, err))
			return false;
	}
	t->keys = net_watch_new(t->loop, STDIN_FILENO, NET_READ, keys_came, t, err);
	return t->keys != NULL && net_loop_on_signal(t->loop, SIGWINCH, resized, t, err) &&
	       net_loop_on_signal(t->loop, SIGTSTP, suspended, t, err);
}

/* ---- The command ---- */

static int watch_until_quit(struct top *t)
{
	struct err err = { 0 };
	bool ok = watch(t, &err) && enter_screen(t, &err);

	net_timer_init(&t->next, t->loop, ask, t);
	if (ok)
		net_timer_start(&t->next, 0);
	ok = ok && net_loop_run(t->loop, &err);
	leave_screen(t);
	net_timer_stop(&t->next);
	net_watch_free(t->keys);
	mcp_link_free(t->link);
	buf_done(&t->answer);
	if (t->shown != t->first)
		json_free(t->shown);
	json_free(t->first);
	if (!ok)
		(void)fprintf(stderr, "agent-store: %s\n", err.text);
	return ok ? 0 : 1;
}

static void stop(void *data)
{
	net_loop_stop(data);
}

/* One frame is the command status. */
static int show_once(struct net_loop *loop, struct mcp_link *link, char *name, bool json)
{
	char status[] = "status", flag[] = "--json";
	char *words[] = { name, status, flag, NULL };
	int code = mcp_command_main(loop, link, json ? 3 : 2, words);

	mcp_link_close(link, stop, loop);
	if (!net_loop_run(loop, NULL))
		code = 1;
	mcp_link_free(link);
	return code;
}

int mcp_top_main(struct net_loop *loop, const char *db, const struct mcp_owner *owner, int argc,
                 char **argv)
{
	struct top t = { .loop = loop, .db = db, .owner = owner, .answer = buf_make(LIMIT_FRAME) };
	bool once = !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO), json = false;

	for (int i = 2; i < argc; i++) {
		bool is_json = strcmp(argv[i], "--json") == 0;
		if (!is_json && strcmp(argv[i], "--once") != 0) {
			(void)fprintf(stderr,
			              "agent-store: unexpected word '%s'\n"
			              "usage: agent-store top [--once] [--json]\n",
			              argv[i]);
			return EXIT_USAGE;
		}
		json = json || is_json;
		once = true;
	}
	if (!once)
		return watch_until_quit(&t);
	struct err err = { 0 };
	struct mcp_link *link = mcp_link_new(loop, db, owner, &err);
	if (link != NULL)
		return show_once(loop, link, argv[0], json);
	(void)fprintf(stderr, "agent-store: %s\n", err.text);
	return 1;
}
