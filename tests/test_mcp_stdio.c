/* SPDX-License-Identifier: Apache-2.0 */
/* A session over real pipes, a real link and a real store: lines that come in pieces, the end of
 * the input with work in flight, a host that does not read, a host that is gone. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/mcp_world.h"

#define PING(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"ping\"}\n"
#define CATEGORIES(id)                                                   \
	"{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"tools/call\"," \
	"\"params\":{\"name\":\"catalog_categories\"}}"

struct host {
	struct world world;
	struct till till;
	struct mcp_link *link;
	struct mcp_stdio *stdio;
	int to, from;      /* the host's ends */
	int in_fd, out_fd; /* the session's */
	bool ended, closed;
	int ends;
	struct buf received;
};

static void on_ended(void *data)
{
	struct host *h = data;

	h->ended = true;
	h->ends++;
}

static void on_closed(void *data)
{
	struct host *h = data;

	h->closed = true;
}

static void host_open(struct host *h)
{
	int in[2], out[2];
	struct err err;

	*h = (struct host){ .received = buf_make(256u << 20) };
	if (!CHECK(world_open(&h->world)) || pipe2(in, O_CLOEXEC) != 0 ||
	    pipe2(out, O_CLOEXEC) != 0)
		abort();
	h->to = in[1];
	h->in_fd = in[0];
	h->from = out[0];
	h->out_fd = out[1];
	if (fcntl(h->to, F_SETFL, O_NONBLOCK) != 0 || fcntl(h->from, F_SETFL, O_NONBLOCK) != 0)
		abort();
	h->till = (struct till){ .world = &h->world, .db = h->world.db };
	struct mcp_owner owner = till_owner(&h->till);
	h->link = mcp_link_new(h->world.loop, h->world.db, &owner, &err);
	h->stdio = h->link ? mcp_stdio_new(h->world.loop, h->link, h->in_fd, h->out_fd,
	                                   &(struct mcp_allowance){ NULL, NULL }, on_ended, h, &err)
	                   : NULL;
	if (!h->stdio)
		abort();
}

static void host_hang_up(struct host *h)
{
	if (h->to >= 0)
		close(h->to);
	h->to = -1;
}

static void host_close(struct host *h)
{
	mcp_stdio_free(h->stdio);
	mcp_link_close(h->link, on_closed, h);
	CHECK(world_wait(&h->world, &h->closed, 8000));
	mcp_link_free(h->link);
	world_close(&h->world);
	host_hang_up(h);
	if (h->from >= 0)
		close(h->from);
	close(h->in_fd);
	close(h->out_fd);
	buf_done(&h->received);
}

/* Writes as much as goes; returns how many bytes went. */
static size_t host_write(struct host *h, struct str text)
{
	size_t done = 0;

	while (done < text.len) {
		ssize_t n = write(h->to, text.p + done, text.len - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static void host_read(struct host *h)
{
	for (;;) {
		char *room = buf_reserve(&h->received, 65536);
		ssize_t n = room ? read(h->from, room, 65536) : -1;

		if (n <= 0)
			return;
		buf_grew(&h->received, (size_t)n);
	}
}

static int64_t count_lines(const struct host *h)
{
	int64_t n = 0;

	for (size_t i = 0; i < h->received.len; i++)
		n += h->received.p[i] == '\n';
	return n;
}

static int64_t wall_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Steps and reads until there are so many lines. */
static bool host_wait_lines(struct host *h, int64_t lines, int64_t ms)
{
	int64_t end = wall_ms() + ms;

	while (count_lines(h) < lines && wall_ms() < end) {
		world_step(&h->world);
		host_read(h);
	}
	return count_lines(h) >= lines;
}

static void a_line_in_pieces_is_one_line(void)
{
	struct host h;

	host_open(&h);
	host_write(&h, STR("{\"jsonrpc\":\"2.0\",\"id\""));
	world_pass(&h.world, 20);
	host_read(&h);
	CHECK_I64(count_lines(&h), 0);
	host_write(&h, STR(":1,\"method\":\"ping\"}\r\n\n" PING(2)));
	CHECK(host_wait_lines(&h, 2, 2000));
	CHECK_TEXT(buf_str(&h.received), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"
	                                 "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n");
	host_close(&h);
}

static void discovery_does_not_touch_the_store(void)
{
	struct host h;

	host_open(&h);
	host_write(&h, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n"));
	CHECK(host_wait_lines(&h, 1, 2000));
	CHECK_I64(mcp_link_state(h.link), MCP_LINK_IDLE);
	CHECK_I64(h.till.opened, 0);
	host_close(&h);
}

static void the_end_of_the_input_ends_an_idle_session_at_once(void)
{
	struct host h;
	int64_t start = wall_ms();

	host_open(&h);
	host_hang_up(&h);
	CHECK(world_wait(&h.world, &h.ended, 1500));
	CHECK(wall_ms() - start < 1000);
	world_pass(&h.world, 20);
	CHECK_I64(h.ends, 1);
	host_close(&h);
}

static void work_in_flight_at_the_end_of_the_input_is_answered(void)
{
	struct host h;

	host_open(&h);
	host_write(&h, STR(CATEGORIES(1) "\n" CATEGORIES(2))); /* the last without its newline */
	host_hang_up(&h);
	CHECK(world_wait(&h.world, &h.ended, 5000));
	host_read(&h);
	CHECK_I64(count_lines(&h), 2);
	CHECK(str_find(buf_str(&h.received), STR("api_tokens")) > 0);
	host_close(&h);
}

static void work_that_takes_too_long_is_given_up_after_two_seconds(void)
{
	struct host h;
	struct err err;
	int64_t start;

	host_open(&h);
	/* Somebody has the lock and serves nobody. */
	struct store_lock *lock = store_lock_take(h.world.db, &err);
	CHECK(lock != NULL);
	host_write(&h, STR(CATEGORIES(1) "\n"));
	host_hang_up(&h);
	start = wall_ms();
	CHECK(world_wait(&h.world, &h.ended, 4000));
	CHECK(wall_ms() - start > 1500);
	CHECK(wall_ms() - start < 3500);
	host_read(&h);
	CHECK_I64(count_lines(&h), 0);
	mcp_stdio_free(h.stdio);
	h.stdio = NULL;
	store_lock_free(lock);
	host_close(&h);
}

static void a_cancelled_call_is_not_waited_for(void)
{
	struct host h;
	struct err err;
	int64_t start;

	host_open(&h);
	struct store_lock *lock = store_lock_take(h.world.db, &err);
	CHECK(lock != NULL);
	host_write(&h, STR(CATEGORIES(
			       1) "\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
	                          "\"params\":{\"requestId\":1}}\n"));
	host_hang_up(&h);
	start = wall_ms();
	CHECK(world_wait(&h.world, &h.ended, 4000));
	CHECK(wall_ms() - start < 1500);
	host_read(&h);
	CHECK_I64(count_lines(&h), 0);
	store_lock_free(lock);
	host_close(&h);
}

#define MANY 3000

static void a_host_that_does_not_read_is_not_read_either_until_it_does(void)
{
	struct host h;
	OWN_BUF struct buf requests = buf_make(1u << 20);
	int unread = 0;
	size_t sent;

	host_open(&h);
	for (int i = 0; i < MANY; i++)
		buf_addf(&requests, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/list\"}\n",
		         i);
	sent = host_write(&h, buf_str(&requests));
	for (int i = 0; i < 20; i++) {
		world_step(&h.world);
		sent += host_write(&h, (struct str){ requests.p + sent, requests.len - sent });
	}
	/* One read's worth was taken and no more: the pipe is full again. */
	CHECK(sent < requests.len);
	CHECK(ioctl(h.in_fd, FIONREAD, &unread) == 0 && unread > 0);
	int64_t end = wall_ms() + 60000;
	while (count_lines(&h) < MANY && wall_ms() < end) {
		/* Counting is dear: a good deal is read between two counts. */
		for (int i = 0; i < 200; i++) {
			world_step(&h.world);
			host_read(&h);
			sent += host_write(&h,
			                   (struct str){ requests.p + sent, requests.len - sent });
		}
	}
	CHECK_I64(count_lines(&h), MANY);
	CHECK(!h.ended);
	host_close(&h);
}

static void a_host_that_is_gone_ends_the_session(void)
{
	struct host h;

	host_open(&h);
	close(h.from);
	h.from = -1;
	host_write(&h, STR(PING(1)));
	CHECK(world_wait(&h.world, &h.ended, 1500));
	world_pass(&h.world, 20);
	CHECK_I64(h.ends, 1);
	host_close(&h);
}

static const struct check_case CASES[] = {
	CASE(a_line_in_pieces_is_one_line),
	CASE(discovery_does_not_touch_the_store),
	CASE(the_end_of_the_input_ends_an_idle_session_at_once),
	CASE(work_in_flight_at_the_end_of_the_input_is_answered),
	CASE(work_that_takes_too_long_is_given_up_after_two_seconds),
	CASE(a_cancelled_call_is_not_waited_for),
	CASE(a_host_that_does_not_read_is_not_read_either_until_it_does),
	CASE(a_host_that_is_gone_ends_the_session),
};

int main(void)
{
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return 1;
	return check_main(CASES, ARRAY_LEN(CASES));
}
