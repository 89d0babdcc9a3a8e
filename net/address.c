/* SPDX-License-Identifier: Apache-2.0 */
/* Only numeric addresses: a listener that depends on a name service would start differently on
 * different days. */
#include "net/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool parse_port(struct str text, uint16_t *port)
{
	int64_t n;
	if (text.len == 0 || text.len > 5 || text.p[0] == '-' || !str_to_i64(text, &n) || n > 65535)
		return false;
	*port = (uint16_t)n;
	return true;
}

/* Cuts "host:port" at its last colon and takes the brackets off the host. */
static bool split(struct str text, struct str *host, struct str *port, bool *bracketed)
{
	size_t colon = text.len;
	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;
	*host = (struct str){ text.p, colon - 1 };
	*port = (struct str){ text.p + colon, text.len - colon };
	*bracketed = str_starts(*host, STR("[")) && str_ends(*host, STR("]"));
	if (*bracketed)
		*host = (struct str){ host->p + 1, host->len - 2 };
	return true;
}

static bool parse(struct str text, struct net_address *out)
{
	struct str host;
	struct str port_text;
	bool bracketed;
	uint16_t port;
	char name[INET6_ADDRSTRLEN];
	if (!split(text, &host, &port_text, &bracketed) || !parse_port(port_text, &port))
		return false;
	if (host.len >= sizeof(name))
		return false;
	memcpy(name, host.p, host.len);
	name[host.len] = '\0';
	struct net_address a = { 0 };
	if (bracketed && inet_pton(AF_INET6, name, &a.u.v6.sin6_addr) == 1) {
		a.u.v6.sin6_family = AF_INET6;
		a.u.v6.sin6_port = htons(port);
		a.len = sizeof(a.u.v6);
	} else if (!bracketed && inet_pton(AF_INET, name, &a.u.v4.sin_addr) == 1) {
		a.u.v4.sin_family = AF_INET;
		a.u.v4.sin_port = htons(port);
		a.len = sizeof(a.u.v4);
	} else {
		return false;
	}
	*out = a;
	return true;
}

bool net__address_parse(struct str text, struct net_address *out, struct err *err)
{
	if (!parse(text, out))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'%.*s' is no listen address; write 127.0.0.1:8787 or [::1]:8787",
		               STR_ARG(text));
	return true;
}

bool net__address_of_socket(int fd, struct net_address *out)
{
	struct net_address a = { .len = sizeof(a.u) };
	if (getsockname(fd, &a.u.any, &a.len) != 0)
		return false;
	net__address_normalize(&a);
	*out = a;
	return true;
}

void net__address_normalize(struct net_address *a)
{
	if (a->u.any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->u.v6.sin6_addr))
		return;
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = a->u.v6.sin6_port };
	memcpy(&v4.sin_addr, a->u.v6.sin6_addr.s6_addr + 12, 4);
	a->u.v4 = v4;
	a->len = sizeof(v4);
}

void net__address_format_host(const struct net_address *a, char out[ADDRESS_TEXT_MAX])
{
	const void *bytes = a->u.any.sa_family == AF_INET6 ? (const void *)&a->u.v6.sin6_addr
	                                                   : (const void *)&a->u.v4.sin_addr;
	if (inet_ntop(a->u.any.sa_family, bytes, out, ADDRESS_TEXT_MAX) == NULL)
		out[0] = '\0';
}

void net__address_format(const struct net_address *a, char out[ADDRESS_TEXT_MAX])
{
	char host[ADDRESS_TEXT_MAX];
	net__address_format_host(a, host);
	bool v6 = a->u.any.sa_family == AF_INET6;
	(void)snprintf(out, ADDRESS_TEXT_MAX, v6 ? "[%.45s]:%u" : "%.45s:%u", host,
	               (unsigned)net__address_port(a)); /* fits: see ADDRESS_TEXT_MAX */
}

uint16_t net__address_port(const struct net_address *a)
{
	return ntohs(a->u.any.sa_family == AF_INET6 ? a->u.v6.sin6_port : a->u.v4.sin_port);
}

bool net__address_is_loopback(const struct net_address *a)
{
	if (a->u.any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&a->u.v6.sin6_addr);
	return ntohl(a->u.v4.sin_addr.s_addr) >> 24 == 127;
}

bool net__address_is_any(const struct net_address *a)
{
	if (a->u.any.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&a->u.v6.sin6_addr);
	return a->u.v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

uint64_t net__address_peer(const struct net_address *a)
{
	uint64_t key;
	if (a->u.any.sa_family != AF_INET6)
		return a->u.v4.sin_addr.s_addr;
	memcpy(&key, a->u.v6.sin6_addr.s6_addr, sizeof(key));
	return key;
}
