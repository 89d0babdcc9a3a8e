/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd wants to hear of a service of Type=notify: one datagram a message, sd_notify(3). The
 * protocol is stable and this small, so no library stands behind it. A message that cannot be
 * delivered is dropped: the service manager then acts as if we hung, which is what it is for. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/net.h"

struct net_notify {
	int fd;
	struct sockaddr_un address;
	socklen_t address_len;
	struct net_timer watchdog;
	int64_t beat_ms; /* 0: no watchdog */
};

static void beat(void *data)
{
	struct net_notify *n = data;

	net_notify_send(n, STR("WATCHDOG=1"));
	net_timer_start(&n->watchdog, n->beat_ms);
}

/* Half of what the manager waits, as its manual wants it; 0 if the watchdog is another's or none.
 */
static int64_t beat_of(const struct net_notify_options *options)
{
	int64_t usec = 0, pid = 0;

	if (options->watchdog_pid != NULL &&
	    (!str_to_i64(str_of(options->watchdog_pid), &pid) || pid != getpid()))
		return 0;
	if (options->watchdog_usec == NULL || !str_to_i64(str_of(options->watchdog_usec), &usec) ||
	    usec <= 0)
		return 0;
	return usec < 2000 ? 1 : usec / 2000;
}

/* "/run/systemd/notify", or "@name" in the abstract namespace. */
static bool set_address(struct net_notify *n, const char *socket_name, struct err *err)
{
	size_t len = strlen(socket_name);

	if ((socket_name[0] != '/' && socket_name[0] != '@') || len < 2 ||
	    len >= sizeof(n->address.sun_path))
		return err_set(err, ERR_INVALID_ARGUMENT, "NOTIFY_SOCKET is no socket's name");
	n->address.sun_family = AF_UNIX;
	memcpy(n->address.sun_path, socket_name, len);
	if (socket_name[0] == '@')
		n->address.sun_path[0] = '\0';
	n->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

bool net_notify_new(struct net_loop *loop, const struct net_notify_options *options,
                    struct net_notify **out, struct err *err)
{
	struct net_notify *n = NULL;

	*out = NULL;
	if (options->socket == NULL || options->socket[0] == '\0')
		return true;
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return err_no_memory(err);
	n->fd = -1;
	net_timer_init(&n->watchdog, loop, beat, n);
	if (!set_address(n, options->socket, err))
		goto failed;
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->fd < 0) {
		(void)err_set_errno(err, ERR_UNAVAILABLE, "NOTIFY_SOCKET");
		goto failed;
	}
	n->beat_ms = beat_of(options);
	if (n->beat_ms > 0)
		net_timer_start(&n->watchdog, 0);
	*out = n;
	return true;
failed:
	net_notify_free(n);
	return false;
}

void net_notify_send(struct net_notify *n, struct str message)
{
	if (n == NULL)
		return;
	(void)sendto(n->fd, message.p, message.len, MSG_NOSIGNAL,
	             (const struct sockaddr *)&n->address, n->address_len); /* dropped */
}

void net_notify_free(struct net_notify *n)
{
	if (n == NULL)
		return;
	net_timer_stop(&n->watchdog);
	if (n->fd >= 0)
		(void)close(n->fd); /* nothing is queued in it */
	free(n);
}
