/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-ins per peer address: a burst of ten, then one in six seconds. What succeeds is given back,
 * so only guessing is slowed down. The table is small and fixed: an address that comes into a full
 * row replaces the one that was quiet for longest. */
#ifndef ROUTER_THROTTLE_H
#define ROUTER_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define THROTTLE_ROWS 64
#define THROTTLE_WIDTH 8
#define THROTTLE_BURST 10
#define THROTTLE_EVERY_MS INT64_C(6000)

struct throttle {
	struct {
		uint64_t peer;   /* hash; 0: free */
		int64_t full_ms; /* when its allowance is whole again; monotonic */
	} slot[THROTTLE_ROWS][THROTTLE_WIDTH];
};

/* False: too many; `*wait_ms` is how long until the next one may. */
MUST_CHECK bool throttle_take(struct throttle *t, struct str peer, int64_t now_ms,
                              int64_t *wait_ms);
void throttle_give_back(struct throttle *t, struct str peer);

#endif
