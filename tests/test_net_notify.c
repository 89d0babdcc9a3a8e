/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to the service manager, over a socket of the test's own. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/net.h"
#include "tests/check.h"

struct manager {
	struct net_loop *loop;
	char folder[64], path[96]; /* of the socket; "@..." in the abstract namespace */
	int fd;
};

static bool manager_open(struct manager *m, bool abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct err err = { 0 };

	*m = (struct manager){ .folder = "/tmp/agent-store-test-XXXXXX" };
	m->loop = net_loop_new(&err);
	if (!CHECK(m->loop != NULL) || !CHECK(mkdtemp(m->folder) != NULL))
		return false;
	(void)snprintf(m->path, sizeof m->path, "%s%s/notify", abstract ? "@" : "", m->folder);
	memcpy(address.sun_path, m->path, strlen(m->path));
	if (abstract)
		address.sun_path[0] = '\0';
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(m->path));
	m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return CHECK(bind(m->fd, (const struct sockaddr *)&address, len) == 0);
}

static void manager_close(struct manager *m)
{
	net_loop_free(m->loop);
	(void)close(m->fd);
	(void)unlink(m->path);
	(void)rmdir(m->folder);
}

/* The next message, waited for up to `ms` on the loop; "" if there is none. */
static const char *heard(struct manager *m, char text[256], int ms)
{
	struct err err = { 0 };

	for (int waited = 0; waited <= ms; waited += 5) {
		ssize_t n = recv(m->fd, text, 255, 0);
		if (n >= 0) {
			text[n] = '\0';
			return text;
		}
		if (!net_loop_step(m->loop, 5, &err))
			CHECK_FAIL("%s", err.text);
	}
	return "";
}

static struct net_notify *notify(struct manager *m, const char *usec, const char *pid)
{
	const struct net_notify_options options = { m->path, usec, pid };
	struct net_notify *n = NULL;
	struct err err = { 0 };

	if (!net_notify_new(m->loop, &options, &n, &err))
		CHECK_FAIL("%s", err.text);
	return n;
}

static void messages_arrive_whole(void)
{
	for (int abstract = 0; abstract < 2; abstract++) {
		struct manager m;
		char text[256];

		if (!manager_open(&m, abstract != 0))
			return;
		struct net_notify *n = notify(&m, NULL, NULL);
		net_notify_send(n, STR("READY=1\nSTATUS=listening"));
		net_notify_send(n, STR("STOPPING=1"));
		CHECK_STR(heard(&m, text, 1000), "READY=1\nSTATUS=listening");
		CHECK_STR(heard(&m, text, 1000), "STOPPING=1");
		CHECK_STR(heard(&m, text, 50), ""); /* no watchdog was asked for */
		net_notify_free(n);
		manager_close(&m);
	}
}

static void the_watchdog_hears_us_twice_in_its_time(void)
{
	struct manager m;
	char text[256];

	if (!manager_open(&m, false))
		return;
	struct net_notify *n = notify(&m, "400000", NULL);
	CHECK_STR(heard(&m, text, 1000), "WATCHDOG=1"); /* at once */
	int64_t since = net_loop_now_ms(m.loop);
	CHECK_STR(heard(&m, text, 1000), "WATCHDOG=1");
	CHECK(net_loop_now_ms(m.loop) - since >= 190);
	CHECK(net_loop_now_ms(m.loop) - since < 400);
	net_notify_free(n);
	CHECK_STR(heard(&m, text, 300), "");
	manager_close(&m);
}

static void a_watchdog_of_another_process_or_of_nonsense_is_none(void)
{
	static const struct {
		const char *usec, *pid;
	} ROWS[] = { { "1000", "1" }, { "1000", "x" }, { "0", NULL },
		     { "-5", NULL },  { "abc", NULL }, { "", NULL } };

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct manager m;
		char text[256];

		check_note("%s %s", ROWS[i].usec, ROWS[i].pid ? ROWS[i].pid : "-");
		if (!manager_open(&m, false))
			return;
		struct net_notify *n = notify(&m, ROWS[i].usec, ROWS[i].pid);
		CHECK_STR(heard(&m, text, 20), "");
		net_notify_free(n);
		manager_close(&m);
	}
}

static void our_own_pid_is_ours(void)
{
	struct manager m;
	char text[256], pid[24];

	if (!manager_open(&m, false))
		return;
	(void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
	struct net_notify *n = notify(&m, "1000000", pid);
	CHECK_STR(heard(&m, text, 1000), "WATCHDOG=1");
	net_notify_free(n);
	manager_close(&m);
}

static void without_a_manager_there_is_nothing_to_do(void)
{
	struct err err = { 0 };
	struct net_loop *loop = net_loop_new(&err);
	struct net_notify *n = NULL;
	const struct net_notify_options none = { NULL, NULL, NULL }, empty = { "", "1", NULL };

	CHECK(net_notify_new(loop, &none, &n, &err) && n == NULL);
	CHECK(net_notify_new(loop, &empty, &n, &err) && n == NULL);
	net_notify_send(NULL, STR("READY=1"));
	net_notify_free(NULL);
	net_loop_free(loop);
}

static void a_name_that_is_no_sockets_is_refused(void)
{
	char too_long[128] = "/";
	const char *const BAD[] = { "notify", "vsock:2:1", "/", "@", too_long };
	struct err err = { 0 };
	struct net_loop *loop = net_loop_new(&err);

	memset(too_long + 1, 'x', sizeof too_long - 2);
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		const struct net_notify_options options = { BAD[i], NULL, NULL };
		struct net_notify *n = NULL;
		check_note("%s", BAD[i]);
		CHECK(!net_notify_new(loop, &options, &n, &err));
		CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
		CHECK(n == NULL);
	}
	net_loop_free(loop);
}

static void a_manager_that_is_gone_is_no_harm(void)
{
	struct manager m;

	if (!manager_open(&m, false))
		return;
	struct net_notify *n = notify(&m, NULL, NULL);
	(void)close(m.fd);
	m.fd = -1;
	net_notify_send(n, STR("READY=1"));
	net_notify_free(n);
	manager_close(&m);
}

int main(void)
{
	static const struct check_case CASES[] = {
		CASE(messages_arrive_whole),
		CASE(the_watchdog_hears_us_twice_in_its_time),
		CASE(a_watchdog_of_another_process_or_of_nonsense_is_none),
		CASE(our_own_pid_is_ours),
		CASE(without_a_manager_there_is_nothing_to_do),
		CASE(a_name_that_is_no_sockets_is_refused),
		CASE(a_manager_that_is_gone_is_no_harm),
	};

	return check_main(CASES, ARRAY_LEN(CASES));
}
