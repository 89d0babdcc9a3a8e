/* SPDX-License-Identifier: Apache-2.0 */
/* What the listener refuses: malformed requests from fixtures/requests, foreign hosts and origins,
 * bodies that are too large, clients that are too slow or too many. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "tests/check.h"
#include "tests/http_world.h"

#define HOST "Host: store.test\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static const struct net_server_options OPTIONS = { .public_host = "store.test" };

/* ---- One flaw per file ---- */

/* Files that are not answered 400. */
static const struct {
	const char *name;
	int status;
} OTHER_THAN_400[] = {
	{ "host-foreign.http", 403 },
	{ "host-with-a-trailing-dot.http", 403 },
	{ "host-with-an-evil-suffix.http", 403 },
	{ "host-with-another-port.http", 403 },
	{ "host-127-0-0-1-evil-suffix.http", 403 },
	{ "origin-foreign.http", 403 },
	{ "origin-null.http", 403 },
	{ "origin-with-an-evil-suffix.http", 403 },
	{ "origin-of-another-scheme.http", 403 },
	{ "body-too-large.http", 413 },
	{ "chunk-size-of-exabytes.http", 413 },
	{ "content-encoding.http", 415 },
	{ "content-encoding-of-a-chunked-body.http", 415 },
	{ "expectation-unknown.http", 417 },
	{ "too-many-fields.http", 431 },
	{ "field-too-long.http", 431 },
	{ "head-too-large.http", 431 },
	{ "request-line-too-long.http", 431 },
	{ "transfer-encoding-unknown.http", 501 },
	{ "transfer-encoding-identity.http", 501 },
	{ "transfer-encoding-with-gzip.http", 501 },
	{ "version-http-0-9.http", 505 },
	{ "version-http-1-2.http", 505 },
	{ "version-http-2.http", 505 },
};

static int wanted_status(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(OTHER_THAN_400); i++) {
		if (strcmp(OTHER_THAN_400[i].name, name) == 0)
			return OTHER_THAN_400[i].status;
	}
	return 400;
}

static struct buf file_of(const char *name)
{
	struct buf path = buf_make(4096);
	struct buf text = buf_make(1 << 20);
	buf_add_z(&path, FIXTURES "/requests/");
	buf_add_z(&path, name);
	FILE *file = fopen(path.p, "rb");
	char *room = buf_reserve(&text, 64 << 10);
	if (file == NULL || room == NULL)
		exit(1);
	buf_grew(&text, fread(room, 1, 64 << 10, file));
	(void)fclose(file); /* only read from */
	buf_done(&path);
	return text;
}

/* The answer must be an error in JSON, and the last one. */
static void check_refusal(struct http_client *c, int status)
{
	char line[32];
	(void)snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	CHECK(http_client_hears(c, line));
	CHECK(http_client_hears(c, "Content-Type: application/json\r\n"));
	CHECK(http_client_hears(c, "Connection: close\r\n\r\n"));
	CHECK(http_client_hears_end(c));
	CHECK(!c->reset);
	struct err err = { 0 };
	OWN_JSON struct json *body = json_parse(buf_str(&c->heard), &err);
	const struct json *error = json_get(body, "error");
	CHECK_TEXT(json_text(json_get(error, "type")), "invalid_request_error");
	CHECK(json_text(json_get(error, "message")).len > 10);
}

static void check_file(const char *name)
{
	struct http_world w;
	struct http_client c;
	OWN_BUF struct buf text = file_of(name);
	check_note("%s", name);
	http_world_open(&w, &OPTIONS);
	http_client_open(&c, &w);
	http_client_say(&c, buf_str(&text));
	http_client_say(&c, STR(GET("/hello"))); /* a smuggled request must not be answered */
	check_refusal(&c, wanted_status(name));
	CHECK_I64(w.bodies, 0);
	CHECK_I64(w.heads, w.gone);
	http_client_close(&c);
	http_world_close(&w);
}

static int is_http(const struct dirent *entry)
{
	return str_ends(str_of(entry->d_name), STR(".http"));
}

static void each_malformed_request_is_refused(void)
{
	struct dirent **entries = NULL;
	int count = scandir(FIXTURES "/requests", &entries, is_http, alphasort);
	CHECK(count > 60);
	for (int i = 0; i < count; i++) {
		check_file(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/* ---- Hosts and origins ---- */

static int status_of(struct http_world *w, const char *fields)
{
	struct http_client c;
	int64_t status = 0;
	http_client_open(&c, w);
	http_client_say(&c, STR("GET /hello HTTP/1.1\r\n"));
	http_client_say(&c, str_of(fields));
	http_client_say(&c, STR("\r\n"));
	if (http_client_hears(&c, "HTTP/1.1 ") && http_client_hears(&c, "\r\n\r\n"))
		status = w->bodies > 0 ? 200 : 403;
	w->bodies = 0;
	http_client_close(&c);
	return (int)status;
}

/* `@` stands for the listener's port. */
static struct buf with_port(const char *text, const struct http_world *w)
{
	struct buf out = buf_make(4096);
	const char *port = strrchr(net_server_address(w->server), ':') + 1;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '@')
			buf_add_z(&out, port);
		else
			buf_add_char(&out, *p);
	}
	return out;
}

struct host_row {
	const char *fields;
	int loopback, any; /* status of a listener on 127.0.0.1 and on 0.0.0.0 */
};

static const struct host_row HOSTS[] = {
	{ "Host: 127.0.0.1:@\r\n", 200, 200 },
	{ "Host: localhost:@\r\n", 200, 200 },
	{ "Host: LocalHost:@\r\n", 200, 200 },
	{ "Host: [::1]:@\r\n", 200, 403 },
	{ "Host: store.test\r\n", 200, 200 },
	{ "Host: STORE.test\r\n", 200, 200 },
	{ "Host: store.test:@\r\n", 403, 403 },
	{ "Host: localhost\r\n", 403, 403 },
	{ "Host: localhost.:@\r\n", 403, 403 },
	{ "Host: localhost:1\r\n", 403, 403 },
	{ "Host: localhost:0@\r\n", 403, 403 },
	{ "Host: 127.0.0.1\r\n", 403, 403 },
	{ "Host: 127.1:@\r\n", 403, 403 },
	{ "Host: 127.0.0.2:@\r\n", 403, 403 },
	{ "Host: 127.0.0.1:@.evil.test\r\n", 403, 403 },
	{ "Host: 127.0.0.1.evil.test:@\r\n", 403, 403 },
	{ "Host: evil.test:@\r\n", 403, 403 },
	{ "Host: 0.0.0.0:@\r\n", 403, 200 },
	{ "Host: store.test\r\nOrigin: http://store.test\r\n", 200, 200 },
	{ "Host: store.test\r\nOrigin: https://store.test\r\n", 200, 200 },
	{ "Host: store.test\r\nOrigin: http://localhost:@\r\n", 200, 200 },
	{ "Host: store.test\r\nOrigin: http://localhost\r\n", 403, 403 },
	{ "Host: store.test\r\nOrigin: http://store.test/\r\n", 403, 403 },
	{ "Host: store.test\r\nOrigin: store.test\r\n", 403, 403 },
	{ "Host: store.test\r\nOrigin: http://a http://store.test\r\n", 403, 403 },
	{ "Host: store.test\r\nOrigin:\r\n", 403, 403 },
};

static void check_hosts(const char *listen)
{
	struct http_world w;
	http_world_open(
		&w, &(struct net_server_options){ .listen = listen, .public_host = "store.test" });
	bool any = str_starts(str_of(listen), STR("0"));
	for (size_t i = 0; i < ARRAY_LEN(HOSTS); i++) {
		OWN_BUF struct buf fields = with_port(HOSTS[i].fields, &w);
		int status = status_of(&w, fields.p);
		if (status != (any ? HOSTS[i].any : HOSTS[i].loopback))
			CHECK_FAIL("row %zu on %s: '%s' got %d", i, listen, HOSTS[i].fields,
			           status);
	}
	http_world_close(&w);
}

static void only_our_own_hosts_and_origins_pass(void)
{
	check_hosts("127.0.0.1:0");
	check_hosts("0.0.0.0:0");
}

/* ---- Bodies ---- */

static void a_body_above_the_limit_is_refused_before_it_is_read(void)
{
	struct http_world w;
	struct http_client c;
	http_world_open(
		&w, &(struct net_server_options){ .public_host = "store.test", .body_max = 10 });
	http_client_open(&c, &w);
	http_client_say(&c,
	                STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789"));
	CHECK(http_client_hears(&c, "\r\n\r\n0123456789"));
	http_client_say(&c, STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 11\r\n"
	                        "Expect: 100-continue\r\n\r\n"));
	check_refusal(&c, 413);
	CHECK_I64(w.heads, 1);
	http_client_close(&c);
	http_world_close(&w);
}

static void a_chunked_body_is_refused_when_it_grows_past_the_limit(void)
{
	struct http_world w;
	struct http_client c;
	http_world_open(
		&w, &(struct net_server_options){ .public_host = "store.test", .body_max = 10 });
	http_client_open(&c, &w);
	http_client_say(&c, STR("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	                        "8\r\n01234567\r\n3\r\n"));
	check_refusal(&c, 413);
	CHECK_I64(w.heads, 1);
	CHECK_I64(w.gone, 1);
	CHECK_I64(w.bodies, 0);
	http_client_close(&c);
	http_world_close(&w);
}

/* ---- Too slow ---- */

static const struct net_server_options HASTY = { .public_host = "store.test",
	                                         .head_ms = 60,
	                                         .body_idle_ms = 60,
	                                         .keep_alive_ms = 60,
	                                         .write_stall_ms = 60 };

static void a_head_that_trickles_in_is_cut_at_its_deadline(void)
{
	struct http_world w;
	struct http_client c;
	http_world_open(&w, &HASTY);
	http_client_open(&c, &w);
	http_client_say(&c, STR("GET"));
	int64_t start = net_loop_now_ms(w.loop);
	for (int i = 0; i < 40 && !c.ended && c.heard.len == 0; i++) {
		http_client_say(&c,
		                i < 1 ? STR(" /") : STR("a")); /* each byte in time for itself */
		http_world_idle(&w, 10);
		http_client_listen(&c);
	}
	CHECK(net_loop_now_ms(w.loop) - start < 300);
	check_refusal(&c, 408);
	CHECK_I64(w.heads, 0);
	http_client_close(&c);
	http_world_close(&w);
}

static void silence_ends_the_connection_without_a_word(void)
{
	struct http_world w;
	struct http_client fresh;
	struct http_client used;
	http_world_open(&w, &HASTY);
	http_client_open(&fresh, &w);
	http_client_open(&used, &w);
	http_client_say(&used, STR(GET("/hello")));
	CHECK(http_client_hears(&used, "hello"));
	CHECK(http_client_hears_end(&fresh));
	CHECK(http_client_hears_end(&used));
	CHECK_I64((int64_t)fresh.heard.len, 0);
	CHECK_I64((int64_t)used.heard.len, 0);
	http_client_close(&fresh);
	http_client_close(&used);
	http_world_close(&w);
}

static void a_pause_in_the_body_is_cut_but_a_slow_body_is_not(void)
{
	struct http_world w;
	struct http_client c;
	http_world_open(&w, &HASTY);
	http_client_open(&c, &w);
	http_client_say(&c, STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\n"));
	for (int i = 0; i < 5; i++) {
		http_client_say(&c, STR("a"));
		http_world_idle(&w, 30);
	}
	CHECK_I64(w.gone, 0); /* 150 ms in all, and never 60 without a byte */
	check_refusal(&c, 408);
	CHECK_I64(w.gone, 1);
	http_client_close(&c);
	http_world_close(&w);
}

static void a_handler_may_think_as_long_as_it_likes(void)
{
	struct http_world w;
	struct http_client c;
	http_world_open(&w, &HASTY);
	http_client_open(&c, &w);
	http_client_say(&c, STR(GET("/stream")));
	http_world_idle(&w, 200);
	if (!CHECK(w.pending != NULL))
		return;
	net_reply_write(w.pending, STR("late"));
	CHECK(http_client_hears(&c, "4\r\nlate\r\n"));
	http_world_idle(&w, 200);
	CHECK_I64(w.gone, 0);
	http_client_close(&c);
	http_world_close(&w);
}

static void a_reader_that_stalls_is_cut(void)
{
	struct http_world w;
	struct http_client c;
	static char block[64 << 10];
	http_world_open(&w, &HASTY);
	http_client_open(&c, &w);
	http_client_say(&c, STR(GET("/stream")));
	CHECK(http_client_hears(&c, "\r\n\r\n"));
	if (!CHECK(w.pending != NULL))
		return;
	while (net_reply_queued(w.pending) < LIMIT_HTTP_OUT_HIGH)
		net_reply_write(w.pending, (struct str){ block, sizeof(block) });
	for (int i = 0; i < 200 && w.gone == 0; i++)
		http_world_idle(&w, 10);
	CHECK_I64(w.gone, 1);
	http_client_close(&c);
	http_world_close(&w);
}

/* ---- Too many ---- */

static void check_busy(const struct net_server_options *options)
{
	struct http_world w;
	struct http_client c[3];
	http_world_open(&w, options);
	for (size_t i = 0; i < 3; i++) {
		http_client_open(&c[i], &w);
		http_world_idle(&w, 10);
	}
	CHECK(http_client_hears(&c[2], "HTTP/1.1 503 Service Unavailable\r\n"));
	CHECK(http_client_hears(&c[2], "Content-Length: 80\r\n"));
	CHECK(http_client_hears(&c[2], "\r\n\r\n"));
	CHECK(http_client_hears_end(&c[2]));
	CHECK_I64((int64_t)c[2].heard.len, 80);
	http_client_close(&c[0]);
	http_world_idle(&w, 10);
	http_client_close(&c[2]);
	http_client_open(&c[2], &w); /* there is room again */
	http_client_say(&c[2], STR(GET("/hello")));
	CHECK(http_client_hears(&c[2], "hello"));
	http_client_close(&c[1]);
	http_client_close(&c[2]);
	http_world_close(&w);
}

static void connections_above_the_caps_are_answered_503(void)
{
	check_busy(
		&(struct net_server_options){ .public_host = "store.test", .connections_max = 2 });
	check_busy(&(struct net_server_options){ .public_host = "store.test", .per_peer_max = 2 });
}

static void running_out_of_descriptors_only_pauses(void)
{
	struct http_world w;
	struct http_client c;
	struct rlimit old;
	http_world_open(&w, &OPTIONS);
	http_client_open(&c, &w);
	if (!CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0))
		return;
	struct rlimit tight = { .rlim_cur = (rlim_t)c.fd + 1, .rlim_max = old.rlim_max };
	CHECK(setrlimit(RLIMIT_NOFILE, &tight) == 0);
	http_client_say(&c, STR(GET("/hello")));
	http_world_idle(&w, 30);
	CHECK_I64(w.heads, 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
	CHECK(http_client_hears(&c, "hello"));
	http_client_close(&c);
	http_world_close(&w);
}

/* ---- Starting ---- */

static struct net_server *start(struct net_loop *loop, const char *listen, struct err *err)
{
	static const struct net_handler NONE = { 0 };
	struct net_server_options o = { .listen = listen };
	return net_server_new(loop, &o, &NONE, NULL, err);
}

static void a_taken_port_and_a_wrong_address_are_errors(void)
{
	static const char *const WRONG[] = { "",
		                             "127.0.0.1",
		                             "127.0.0.1:",
		                             "localhost:1",
		                             "127.0.0.1:65536",
		                             "127.0.0.1:-1",
		                             "::1:80",
		                             "[::1]",
		                             "[127.0.0.1]:1",
		                             ":80",
		                             "127.0.0.1:8o" };
	struct err err = { 0 };
	struct net_loop *loop = net_loop_new(&err);
	struct net_server *first = start(loop, "127.0.0.1:0", &err);
	if (!CHECK(first != NULL))
		return;
	CHECK(start(loop, net_server_address(first), &err) == NULL);
	CHECK_I64(err.code, ERR_UNAVAILABLE);
	CHECK(str_find(str_of(err.text), STR("another program")) > 0);
	for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
		err = (struct err){ 0 };
		if (start(loop, WRONG[i], &err) != NULL || err.code != ERR_INVALID_ARGUMENT)
			CHECK_FAIL("'%s' was not refused", WRONG[i]);
	}
	net_server_free(first);
	net_loop_free(loop);
}

static void an_ipv6_listener_tells_its_address(void)
{
	struct err err = { 0 };
	struct net_loop *loop = net_loop_new(&err);
	struct net_server *s = start(loop, "[::1]:0", &err);
	if (s != NULL)
		CHECK(str_starts(str_of(net_server_address(s)), STR("[::1]:")));
	else
		check_note("no IPv6 here: %s", err.text);
	net_server_free(s);
	net_loop_free(loop);
}

static const struct check_case CASES[] = {
	CASE(each_malformed_request_is_refused),
	CASE(only_our_own_hosts_and_origins_pass),
	CASE(a_body_above_the_limit_is_refused_before_it_is_read),
	CASE(a_chunked_body_is_refused_when_it_grows_past_the_limit),
	CASE(a_head_that_trickles_in_is_cut_at_its_deadline),
	CASE(silence_ends_the_connection_without_a_word),
	CASE(a_pause_in_the_body_is_cut_but_a_slow_body_is_not),
	CASE(a_handler_may_think_as_long_as_it_likes),
	CASE(a_reader_that_stalls_is_cut),
	CASE(connections_above_the_caps_are_answered_503),
	CASE(running_out_of_descriptors_only_pauses),
	CASE(a_taken_port_and_a_wrong_address_are_errors),
	CASE(an_ipv6_listener_tells_its_address),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
