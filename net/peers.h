/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections each peer has, so that one cannot take them all. */
#ifndef NET_PEERS_H
#define NET_PEERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

enum {
	PEER_BUCKETS = 256
};

struct net_peer {
	struct net_peer *next;
	uint64_t key;
	size_t connections;
};

/* Zeroed memory is an empty table. */
struct net_peers {
	struct net_peer *buckets[PEER_BUCKETS];
};

/* Counts one more connection of `key`. NULL if that would be more than `most`, or without memory.
 * The entry is the table's; give it to net__peers_leave when the connection ends. */
MUST_CHECK struct net_peer *net__peers_enter(struct net_peers *t, uint64_t key, size_t most);
void net__peers_leave(struct net_peers *t, struct net_peer *peer);

#endif
