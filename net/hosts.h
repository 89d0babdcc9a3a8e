/* SPDX-License-Identifier: Apache-2.0 */
/* Which authorities a request may name in Host and Origin. This is what stops a web page whose name
 * was rebound to this machine: its browser still sends the page's own name. */
#ifndef NET_HOSTS_H
#define NET_HOSTS_H

#include "net/address.h"

enum {
	HOSTS_MAX = 10
};

struct net_hosts {
	struct buf texts[HOSTS_MAX]; /* allowed authorities */
	size_t count;
	bool any; /* bound to all addresses: the one that a connection came to counts too */
};

/* For a listener bound to `local`; `public_host` may be NULL. False without memory. */
MUST_CHECK bool net__hosts_init(struct net_hosts *h, const struct net_address *local,
                                const char *public_host);
void net__hosts_done(struct net_hosts *h);
/* `fd` is the connection that the authority came on. Exact but for case: a trailing dot, another
 * port or a longer name is someone else. */
bool net__hosts_allow(const struct net_hosts *h, struct str authority, int fd);
/* The value of an Origin field: "http://" or "https://" and an allowed authority. */
bool net__hosts_allow_origin(const struct net_hosts *h, struct str origin, int fd);

#endif
