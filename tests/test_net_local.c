/* SPDX-License-Identifier: Apache-2.0 */
/* The local socket with both ends on one loop, and with a raw peer that breaks the rules. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/net.h"
#include "tests/check.h"

/* What one end has seen. */
struct seen {
	struct net_local *conn;
	struct buf text; /* frames, each with '|' after it */
	size_t bytes;
	int opened, closed;
	bool echo, close_on_frame;
};

struct world {
	struct net_loop *loop;
	struct net_local_server *server;
	char folder[64];
	struct buf path;
	struct seen there, here;
};

static void on_opened(void *data, struct net_local *c)
{
	struct seen *s = data;
	s->conn = c;
	s->opened++;
}

static void on_frame(void *data, struct net_local *c, struct str bytes)
{
	struct seen *s = data;
	s->bytes += bytes.len;
	if (bytes.len < 100) {
		buf_add(&s->text, bytes);
		buf_add_char(&s->text, '|');
	}
	if (s->echo)
		net_local_send(c, bytes);
	if (s->close_on_frame) {
		net_local_close(c);
		s->conn = NULL;
	}
}

static void on_closed(void *data, struct net_local *c)
{
	struct seen *s = data;
	CHECK(s->conn == NULL || s->conn == c);
	s->conn = NULL;
	s->closed++;
}

static const struct net_local_events EVENTS = { on_opened, on_frame, on_closed };

static void step(struct world *w)
{
	struct err err = { 0 };
	if (!net_loop_step(w->loop, 50, &err))
		CHECK_FAIL("step: %s", err.text);
}

static bool listen_at(struct world *w)
{
	struct err err = { 0 };
	w->server = net_local_listen(w->loop, buf_str(&w->path).p, &EVENTS, &w->there, &err);
	if (w->server == NULL)
		CHECK_FAIL("no listener: %s", err.text);
	return w->server != NULL;
}

static bool dial(struct world *w)
{
	struct err err = { 0 };
	w->here.conn = net_local_connect(w->loop, buf_str(&w->path).p, &EVENTS, &w->here, &err);
	if (w->here.conn == NULL)
		CHECK_FAIL("no connection: %s", err.text);
	return w->here.conn != NULL;
}

static void open_world(struct world *w)
{
	*w = (struct world){ .folder = "/tmp/test_net_local.XXXXXX" };
	w->path = buf_make(4096);
	w->there.text = buf_make(1 << 20);
	w->here.text = buf_make(1 << 20);
	w->loop = net_loop_new(NULL);
	if (w->loop == NULL || mkdtemp(w->folder) == NULL)
		exit(1);
	buf_add_z(&w->path, w->folder);
	buf_add(&w->path, STR("/socket"));
}

static void close_world(struct world *w)
{
	if (w->here.conn != NULL)
		net_local_close(w->here.conn);
	net_local_server_free(w->server);
	net_loop_free(w->loop);
	buf_done(&w->path);
	buf_done(&w->there.text);
	buf_done(&w->here.text);
	CHECK(rmdir(w->folder) == 0); /* so the socket's file is gone */
}

/* A blocking client without the frames' rules. */
static int raw_client(const struct world *w)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct str path = buf_str(&w->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(a.sun_path, path.p, path.len + 1);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		exit(1);
	return fd;
}

static void frames_go_both_ways_in_order(void)
{
	struct world w;
	open_world(&w);
	w.there.echo = true;
	if (!listen_at(&w) || !dial(&w))
		return;
	net_local_send(w.here.conn, STR("one"));
	net_local_send(w.here.conn, STR(""));
	net_local_send(w.here.conn, STR("three"));
	for (int i = 0; i < 20 && w.here.text.len < 11; i++)
		step(&w);
	CHECK_I64(w.there.opened, 1);
	CHECK_I64(w.here.opened, 0);
	CHECK_TEXT(buf_str(&w.there.text), "one||three|");
	CHECK_TEXT(buf_str(&w.here.text), "one||three|");
	close_world(&w);
}

static void the_longest_frame_passes_and_a_longer_one_closes(void)
{
	struct world w;
	open_world(&w);
	if (!listen_at(&w) || !dial(&w))
		return;
	char *big = calloc(1, LIMIT_FRAME + 1);
	if (big == NULL)
		exit(1);
	net_local_send(w.here.conn, (struct str){ big, LIMIT_FRAME });
	for (int i = 0; i < 2000 && w.there.bytes == 0; i++)
		step(&w);
	CHECK_I64((int64_t)w.there.bytes, LIMIT_FRAME);
	net_local_send(w.here.conn, (struct str){ big, LIMIT_FRAME + 1 });
	CHECK_I64(w.here.closed, 0); /* never inside the call */
	for (int i = 0; i < 20 && w.there.closed == 0; i++)
		step(&w);
	CHECK_I64(w.here.closed, 1);
	CHECK_I64(w.there.closed, 1);
	CHECK_I64((int64_t)w.there.bytes, LIMIT_FRAME);
	free(big);
	close_world(&w);
}

static void a_length_that_lies_closes_the_connection(void)
{
	struct world w;
	open_world(&w);
	if (!listen_at(&w))
		return;
	int fd = raw_client(&w);
	CHECK(write(fd, "\x01\x00\x00\x00x\x01\x00\x80\x00", 9) == 9); /* then 8 MiB and one */
	for (int i = 0; i < 20 && w.there.closed == 0; i++)
		step(&w);
	CHECK_TEXT(buf_str(&w.there.text), "x|");
	CHECK_I64(w.there.closed, 1);
	char c;
	CHECK(read(fd, &c, 1) == 0);
	CHECK(close(fd) == 0);
	close_world(&w);
}

static void a_frame_may_come_byte_by_byte_and_be_cut_off(void)
{
	struct world w;
	open_world(&w);
	if (!listen_at(&w))
		return;
	int fd = raw_client(&w);
	static const char BYTES[] = "\x03\x00\x00\x00"
				    "abc"
				    "\x02\x00\x00\x00"
				    "d";
	for (size_t i = 0; i < sizeof(BYTES) - 1; i++) {
		CHECK(write(fd, BYTES + i, 1) == 1);
		step(&w);
		step(&w);
	}
	CHECK_TEXT(buf_str(&w.there.text), "abc|");
	CHECK(close(fd) == 0);
	for (int i = 0; i < 20 && w.there.closed == 0; i++)
		step(&w);
	CHECK_TEXT(buf_str(&w.there.text), "abc|");
	CHECK_I64(w.there.closed, 1);
	close_world(&w);
}

static void closing_flushes_and_is_not_reported_to_the_closer(void)
{
	struct world w;
	open_world(&w);
	if (!listen_at(&w) || !dial(&w))
		return;
	net_local_send(w.here.conn, STR("last"));
	net_local_close(w.here.conn);
	w.here.conn = NULL;
	for (int i = 0; i < 20 && w.there.closed == 0; i++)
		step(&w);
	CHECK_TEXT(buf_str(&w.there.text), "last|");
	CHECK_I64(w.there.closed, 1);
	CHECK_I64(w.here.closed, 0);
	close_world(&w);
}

static void closing_inside_a_frame_ends_its_frames(void)
{
	struct world w;
	open_world(&w);
	w.there.close_on_frame = true;
	if (!listen_at(&w) || !dial(&w))
		return;
	net_local_send(w.here.conn, STR("one"));
	net_local_send(w.here.conn, STR("two"));
	for (int i = 0; i < 20 && w.here.closed == 0; i++)
		step(&w);
	CHECK_TEXT(buf_str(&w.there.text), "one|");
	CHECK_I64(w.there.closed, 0);
	CHECK_I64(w.here.closed, 1);
	close_world(&w);
}

static void the_server_takes_its_connections_along(void)
{
	struct world w;
	open_world(&w);
	if (!listen_at(&w) || !dial(&w))
		return;
	for (int i = 0; i < 20 && w.there.opened == 0; i++)
		step(&w);
	net_local_server_free(w.server);
	w.server = NULL;
	for (int i = 0; i < 20 && w.here.closed == 0; i++)
		step(&w);
	CHECK_I64(w.here.closed, 1);
	CHECK_I64(w.there.closed, 0);
	close_world(&w);
}

static void data_can_be_set_per_connection(void)
{
	struct world w;
	struct seen other = { .text = buf_make(100) };
	open_world(&w);
	if (!listen_at(&w) || !dial(&w))
		return;
	for (int i = 0; i < 20 && w.there.opened == 0; i++)
		step(&w);
	CHECK(net_local_data(w.there.conn) == &w.there);
	net_local_set_data(w.there.conn, &other);
	CHECK(net_local_data(w.there.conn) == &other);
	net_local_send(w.here.conn, STR("x"));
	for (int i = 0; i < 20 && other.text.len == 0; i++)
		step(&w);
	CHECK_TEXT(buf_str(&other.text), "x|");
	CHECK_TEXT(buf_str(&w.there.text), "");
	close_world(&w);
	buf_done(&other.text);
}

static void the_file_is_for_its_owner_only(void)
{
	struct world w;
	struct stat st;
	open_world(&w);
	mode_t old = umask(0);
	if (!listen_at(&w))
		return;
	(void)umask(old);
	CHECK(stat(buf_str(&w.path).p, &st) == 0);
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_I64(st.st_mode & 0777, 0600);
	close_world(&w);
}

static void a_socket_that_was_left_behind_is_replaced(void)
{
	struct world w;
	struct err err = { 0 };
	open_world(&w);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	memcpy(a.sun_path, w.path.p, w.path.len + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(close(fd) == 0);
	CHECK(net_local_connect(w.loop, w.path.p, &EVENTS, &w.here, &err) == NULL);
	CHECK_I64(err.code, ERR_UNAVAILABLE);
	if (listen_at(&w) && dial(&w))
		step(&w);
	CHECK_I64(w.there.opened, 1);
	close_world(&w);
}

static void another_file_of_that_name_is_left_alone(void)
{
	struct world w;
	struct err err = { 0 };
	open_world(&w);
	FILE *file = fopen(w.path.p, "w");
	if (!CHECK(file != NULL))
		return;
	CHECK(fclose(file) == 0);
	CHECK(net_local_listen(w.loop, w.path.p, &EVENTS, &w.there, &err) == NULL);
	CHECK_I64(err.code, ERR_CONFLICT);
	CHECK(unlink(w.path.p) == 0);
	close_world(&w);
}

static void a_successors_file_is_not_removed(void)
{
	struct world w;
	open_world(&w);
	if (!listen_at(&w))
		return;
	struct net_local_server *first = w.server;
	if (!listen_at(&w))
		return;
	net_local_server_free(first);
	if (dial(&w))
		step(&w);
	CHECK_I64(w.there.opened, 1);
	close_world(&w);
}

static void nobody_there_is_an_error(void)
{
	struct world w;
	struct err err = { 0 };
	open_world(&w);
	CHECK(net_local_connect(w.loop, w.path.p, &EVENTS, &w.here, &err) == NULL);
	CHECK_I64(err.code, ERR_UNAVAILABLE);
	net_local_server_free(NULL);
	close_world(&w);
}

static void a_path_longer_than_sun_path_works(void)
{
	struct world w;
	open_world(&w);
	OWN_BUF struct buf folder = buf_make(4096);
	buf_add_z(&folder, w.folder);
	buf_add(&folder,
	        STR("/a-folder-whose-name-alone-has-more-than-a-hundred-and-eight-bytes-which-"
	            "is-all-that-the-address-of-a-socket-can-hold"));
	CHECK(mkdir(folder.p, 0700) == 0);
	buf_reset(&w.path);
	buf_add(&w.path, buf_str(&folder));
	buf_add(&w.path, STR("/socket"));
	if (listen_at(&w) && dial(&w))
		step(&w);
	CHECK_I64(w.there.opened, 1);
	net_local_server_free(w.server);
	w.server = NULL;
	CHECK(rmdir(folder.p) == 0);
	close_world(&w);
}

static void a_name_longer_than_sun_path_is_an_error(void)
{
	struct world w;
	struct err err = { 0 };
	open_world(&w);
	for (int i = 0; i < 110; i++)
		buf_add_char(&w.path, 'x');
	CHECK(net_local_listen(w.loop, w.path.p, &EVENTS, &w.there, &err) == NULL);
	CHECK_I64(err.code, ERR_TOO_LARGE);
	close_world(&w);
}

static const struct check_case CASES[] = {
	CASE(frames_go_both_ways_in_order),
	CASE(the_longest_frame_passes_and_a_longer_one_closes),
	CASE(a_length_that_lies_closes_the_connection),
	CASE(a_frame_may_come_byte_by_byte_and_be_cut_off),
	CASE(closing_flushes_and_is_not_reported_to_the_closer),
	CASE(closing_inside_a_frame_ends_its_frames),
	CASE(the_server_takes_its_connections_along),
	CASE(data_can_be_set_per_connection),
	CASE(the_file_is_for_its_owner_only),
	CASE(a_socket_that_was_left_behind_is_replaced),
	CASE(another_file_of_that_name_is_left_alone),
	CASE(a_successors_file_is_not_removed),
	CASE(nobody_there_is_an_error),
	CASE(a_path_longer_than_sun_path_works),
	CASE(a_name_longer_than_sun_path_is_an_error),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
