/* SPDX-License-Identifier: Apache-2.0 */
/* Internet addresses and their text. An IPv4 address that arrives on an IPv6 socket is turned into
 * what it is, so that one peer has one name. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

#define ADDRESS_TEXT_MAX 64 /* "[" 45 characters "]:65535" and a NUL */

struct net_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	} u;
	socklen_t len;
};

/* Reads "127.0.0.1:8787" or "[::1]:0". ERR_INVALID_ARGUMENT; names are not looked up. */
MUST_CHECK bool net__address_parse(struct str text, struct net_address *out, struct err *err);
/* Of this end, or of the other end, of a socket. False if there is none any more. */
MUST_CHECK bool net__address_of_socket(int fd, struct net_address *out);
void net__address_normalize(struct net_address *a); /* after accept: ::ffff:1.2.3.4 is 1.2.3.4 */
void net__address_format(const struct net_address *a, char out[ADDRESS_TEXT_MAX]);
void net__address_format_host(const struct net_address *a, char out[ADDRESS_TEXT_MAX]);
uint16_t net__address_port(const struct net_address *a);
bool net__address_is_loopback(const struct net_address *a);
bool net__address_is_any(const struct net_address *a); /* 0.0.0.0 or [::] */
/* Equal for addresses that one holder has: IPv4 whole, IPv6 by its /64. */
uint64_t net__address_peer(const struct net_address *a);

#endif
