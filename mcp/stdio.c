/* SPDX-License-Identifier: Apache-2.0 */
/* A session on two descriptors, joined to the link. A host that does not read its answers stops
 * being read itself, until it has taken them. The surprising fact: `ended` is always called from
 * the timer, so that whoever frees us there is never inside one of our own calls. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "mcp/mcp.h"
#include "mcp/work.h"

#define READ_STEP (64u << 10) /* bytes read in one turn of the loop */
#define OUT_PAUSE (4u << 20)  /* queued answers above which nothing more is read */
#define OUT_MAX (OUT_PAUSE + LIMIT_MCP_IN_FLIGHT * LIMIT_MCP_OUT_LINE + LIMIT_MCP_LINE)
#define LINGER_MS 2000 /* after the input's end; hosts kill a process that lingers */

#define ERROR_MAX 4096 /* bytes of an error of our own */

/* A call that the link has not answered. */
struct pending {
	struct pending *next;
	struct mcp_stdio *stdio;
	int64_t number;    /* the session's */
	int64_t link_call; /* the link's */
};

/*   READING ── too much queued ──> PAUSED ── all written ──> READING
 *      └── end of input ──> ENDING <──┘ (a broken output)
 *                             └── all answered and written, or 2 s ──> ENDED */
enum state {
	STDIO_READING,
	STDIO_PAUSED,
	STDIO_ENDING,
	STDIO_ENDED
};

struct mcp_stdio {
	struct mcp_link *link;
	struct mcp_session *session;
	struct net_watch *in;
	struct net_pipe *out;
	struct net_timer end;
	struct net_timer wake; /* the session's */
	struct pending *pending;
	enum state state;
	int in_fd;
	void (*ended)(void *data);
	void *data;
	char input[READ_STEP];
};

/* ---- The end ---- */

static void on_end(void *data)
{
	struct mcp_stdio *s = data;

	s->state = STDIO_ENDED;
	s->ended(s->data);
}

static bool is_done(const struct mcp_stdio *s)
{
	return mcp_session_in_flight(s->session) == 0 && net_pipe_queued(s->out) == 0;
}

/* Called whenever something was answered or written. */
static void check_end(struct mcp_stdio *s)
{
	if (s->state == STDIO_ENDING && is_done(s))
		net_timer_start(&s->end, 0);
}

static void stop_reading(struct mcp_stdio *s, int64_t linger_ms)
{
	net_watch_free(s->in);
	s->in = NULL;
	s->state = STDIO_ENDING;
	net_timer_start(&s->end, linger_ms);
}

static void on_broken(void *data)
{
	struct mcp_stdio *s = data;

	if (s->state != STDIO_ENDED)
		stop_reading(s, 0);
}

/* ---- Calls ---- */

static struct pending *take_pending(struct mcp_stdio *s, int64_t number)
{
	for (struct pending **at = &s->pending; *at; at = &(*at)->next) {
		struct pending *p = *at;

		if (p->number == number) {
			*at = p->next;
			return p;
		}
	}
	return NULL;
}

static void on_answer(void *data, struct str answer)
{
	struct pending *p = data;
	struct mcp_stdio *s = p->stdio;

	(void)take_pending(s, p->number);
	mcp_session_answer(s->session, p->number, answer);
	free(p);
	check_end(s);
}

static void answer_no_memory(struct mcp_stdio *s, int64_t number)
{
	OWN_JSON_OUT struct json_out o = json_out_make(ERROR_MAX);
	struct err err;

	(void)err_no_memory(&err);
	json_put_object(&o, NULL);
	mcp__put_error(&o, "error", &err);
	json_put_end(&o, '}');
	mcp_session_answer(s->session, number, buf_str(&o.text));
}

static void call_link(void *data, int64_t number, struct str request)
{
	struct mcp_stdio *s = data;
	struct pending *p = calloc(1, sizeof(*p));

	if (p)
		*p = (struct pending){ .stdio = s, .number = number };
	if (p)
		p->link_call = mcp_link_call(s->link, request, on_answer, p);
	if (!p || p->link_call == 0) {
		free(p);
		answer_no_memory(s, number);
		return;
	}
	p->next = s->pending;
	s->pending = p;
}

static void forget_call(void *data, int64_t number)
{
	struct mcp_stdio *s = data;
	struct pending *p = take_pending(s, number);

	if (!p)
		return;
	mcp_link_forget(s->link, p->link_call);
	free(p);
}

/* ---- Time ---- */

static void on_wake(void *data)
{
	struct mcp_stdio *s = data;

	mcp_session_tick(s->session);
	check_end(s);
}

static void wake_session(void *data, int64_t delay_ms)
{
	struct mcp_stdio *s = data;

	if (delay_ms < 0)
		net_timer_stop(&s->wake);
	else
		net_timer_start(&s->wake, delay_ms);
}

/* ---- Lines out and bytes in ---- */

static void write_line(void *data, struct str line)
{
	struct mcp_stdio *s = data;

	net_pipe_write(s->out, line);
	net_pipe_write(s->out, STR("\n"));
	if (s->state == STDIO_READING && net_pipe_queued(s->out) > OUT_PAUSE) {
		s->state = STDIO_PAUSED;
		net_watch_set(s->in, 0);
	}
}

static void on_drained(void *data)
{
	struct mcp_stdio *s = data;

	if (s->state == STDIO_PAUSED) {
		s->state = STDIO_READING;
		net_watch_set(s->in, NET_READ);
	}
	check_end(s);
}

static void on_readable(void *data, unsigned events)
{
	struct mcp_stdio *s = data;
	ssize_t n = read(s->in_fd, s->input, sizeof(s->input));

	(void)events; /* a hang-up is read as the end */
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		mcp_session_feed(s->session, (struct str){ s->input, (size_t)n });
		return;
	}
	/* A last line without its newline is a line all the same. */
	mcp_session_feed(s->session, STR("\n"));
	mcp_session_end(s->session);
	stop_reading(s, LINGER_MS);
	check_end(s);
}

/* ---- Life ---- */

/* NOLINTNEXTLINE(readability-function-size): the parameters of mcp.h */
struct mcp_stdio *mcp_stdio_new(struct net_loop *loop, struct mcp_link *link, int in_fd, int out_fd,
                                const struct mcp_allowance *allowance, void (*ended)(void *data),
                                void *data, struct err *err)
{
	struct mcp_stdio *s = calloc(1, sizeof(*s));

	if (!s) {
		(void)err_no_memory(err);
		return NULL;
	}
	const struct mcp_session_io io = {
		.call = call_link,
		.forget = forget_call,
		.line = write_line,
		.wake = wake_session,
		.data = s,
	};
	s->link = link;
	s->in_fd = in_fd;
	s->ended = ended;
	s->data = data;
	net_timer_init(&s->end, loop, on_end, s);
	net_timer_init(&s->wake, loop, on_wake, s);
	s->session = mcp_session_new(&io, allowance, err);
	if (!s->session)
		goto failed;
	s->out = net_pipe_new(loop, out_fd, OUT_MAX, on_broken, s, err);
	if (!s->out)
		goto failed;
	net_pipe_on_drained(s->out, on_drained);
	s->in = net_watch_new(loop, in_fd, NET_READ, on_readable, s, err);
	if (!s->in)
		goto failed;
	return s;
failed:
	mcp_stdio_free(s);
	return NULL;
}

void mcp_stdio_free(struct mcp_stdio *s)
{
	if (!s)
		return;
	while (s->pending) {
		struct pending *p = s->pending;

		s->pending = p->next;
		mcp_link_forget(s->link, p->link_call);
		free(p);
	}
	net_watch_free(s->in);
	net_timer_stop(&s->end);
	net_timer_stop(&s->wake);
	mcp_session_free(s->session);
	net_pipe_free(s->out);
	free(s);
}
