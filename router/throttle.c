/* SPDX-License-Identifier: Apache-2.0 */
/* A token bucket kept as one number: the time at which it will be full again. Each take moves that
 * away by one token's time; more than the burst's time away means empty. */
#include "router/throttle.h"

#include <stddef.h>

#include "base/macros.h"

static uint64_t hash_of(struct str peer)
{
	uint64_t h = UINT64_C(1469598103934665603); /* FNV-1a */

	for (size_t i = 0; i < peer.len; i++)
		h = (h ^ (unsigned char)peer.p[i]) * UINT64_C(1099511628211);
	return h | 1; /* never 0 */
}

static int64_t *find(struct throttle *t, uint64_t peer)
{
	size_t row = (peer >> 8) % THROTTLE_ROWS;

	for (size_t i = 0; i < THROTTLE_WIDTH; i++)
		if (t->slot[row][i].peer == peer)
			return &t->slot[row][i].full_ms;
	return NULL;
}

static int64_t *claim(struct throttle *t, uint64_t peer)
{
	size_t row = (peer >> 8) % THROTTLE_ROWS, oldest = 0;

	for (size_t i = 1; i < THROTTLE_WIDTH; i++)
		if (t->slot[row][i].full_ms < t->slot[row][oldest].full_ms)
			oldest = i;
	t->slot[row][oldest].peer = peer;
	t->slot[row][oldest].full_ms = 0;
	return &t->slot[row][oldest].full_ms;
}

bool throttle_take(struct throttle *t, struct str peer, int64_t now_ms, int64_t *wait_ms)
{
	uint64_t hash = hash_of(peer);
	int64_t *full_ms = find(t, hash);

	if (!full_ms)
		full_ms = claim(t, hash);
	int64_t after = (*full_ms > now_ms ? *full_ms : now_ms) + THROTTLE_EVERY_MS;
	if (after - now_ms > THROTTLE_BURST * THROTTLE_EVERY_MS) {
		*wait_ms = after - now_ms - THROTTLE_BURST * THROTTLE_EVERY_MS;
		return false;
	}
	*full_ms = after;
	return true;
}

void throttle_give_back(struct throttle *t, struct str peer)
{
	int64_t *full_ms = find(t, hash_of(peer));

	if (full_ms)
		*full_ms -= THROTTLE_EVERY_MS;
}
