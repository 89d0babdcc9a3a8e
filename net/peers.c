/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of peers that are connected now; one without connections is forgotten, so it is
 * never larger than the connections are many. */
#include "net/peers.h"

#include <stdlib.h>

static struct net_peer **bucket(struct net_peers *t, uint64_t key)
{
	/* Fibonacci hashing: neighbouring addresses land far apart. */
	return &t->buckets[(key * UINT64_C(0x9E3779B97F4A7C15)) >> 56];
}

struct net_peer *net__peers_enter(struct net_peers *t, uint64_t key, size_t most)
{
	struct net_peer **head = bucket(t, key);
	struct net_peer *p = *head;
	while (p != NULL && p->key != key)
		p = p->next;
	if (p == NULL) {
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			return NULL;
		p->key = key;
		p->next = *head;
		*head = p;
	}
	if (p->connections >= most)
		return NULL;
	p->connections++;
	return p;
}

void net__peers_leave(struct net_peers *t, struct net_peer *peer)
{
	peer->connections--;
	if (peer->connections > 0)
		return;
	struct net_peer **link = bucket(t, peer->key);
	while (*link != peer)
		link = &(*link)->next;
	*link = peer->next;
	free(peer);
}
