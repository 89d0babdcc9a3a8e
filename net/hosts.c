/* SPDX-License-Identifier: Apache-2.0 */
/* The list is made once, as text: a request is then checked by a few comparisons of lengths. */
#include "net/hosts.h"

#include <string.h>

enum {
	AUTHORITY_MAX = 300, /* a DNS name and a port */
	HTTP_PORT = 80
};

static bool add(struct net_hosts *h, const char *name, uint16_t port)
{
	struct buf *b = &h->texts[h->count];
	*b = buf_make(AUTHORITY_MAX);
	buf_add_z(b, name);
	if (port != 0) {
		buf_add_char(b, ':');
		buf_add_i64(b, port);
	}
	h->count++;
	return !b->failed;
}

/* RFC 9110, 4.2.1: clients leave the scheme's own port out. */
static bool add_both(struct net_hosts *h, const char *name, uint16_t port)
{
	return add(h, name, port) && (port != HTTP_PORT || add(h, name, 0));
}

bool net__hosts_init(struct net_hosts *h, const struct net_address *local, const char *public_host)
{
	uint16_t port = net__address_port(local);
	bool loopback = net__address_is_loopback(local);
	char own[ADDRESS_TEXT_MAX];
	*h = (struct net_hosts){ .any = net__address_is_any(local) };
	net__address_format(local, own);
	bool ok = add(h, own, 0);
	if (port == HTTP_PORT) {
		own[strlen(own) - strlen(":80")] = '\0';
		ok = ok && add(h, own, 0);
	}
	if (loopback || h->any)
		ok = ok && add_both(h, "localhost", port);
	if (loopback)
		ok = ok && add_both(h, "127.0.0.1", port) && add_both(h, "[::1]", port);
	if (public_host != NULL)
		ok = ok && add(h, public_host, 0);
	return ok;
}

void net__hosts_done(struct net_hosts *h)
{
	for (size_t i = 0; i < h->count; i++)
		buf_done(&h->texts[i]);
	h->count = 0;
}

static bool is_local_address(struct str authority, int fd)
{
	struct net_address local;
	char text[ADDRESS_TEXT_MAX];
	if (!net__address_of_socket(fd, &local))
		return false;
	net__address_format(&local, text);
	return str_eq_nocase(authority, str_of(text));
}

bool net__hosts_allow(const struct net_hosts *h, struct str authority, int fd)
{
	for (size_t i = 0; i < h->count; i++) {
		if (str_eq_nocase(authority, buf_str(&h->texts[i])))
			return true;
	}
	return h->any && is_local_address(authority, fd);
}

bool net__hosts_allow_origin(const struct net_hosts *h, struct str origin, int fd)
{
	static const struct str SCHEMES[] = { STR_INIT("http://"), STR_INIT("https://") };
	for (size_t i = 0; i < ARRAY_LEN(SCHEMES); i++) {
		struct str s = SCHEMES[i];
		if (str_starts(origin, s))
			return net__hosts_allow(
				h, (struct str){ origin.p + s.len, origin.len - s.len }, fd);
	}
	return false;
}
