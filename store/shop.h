/* SPDX-License-Identifier: Apache-2.0 */
/* What the shop's files share with each other and nobody else needs: the configuration of router
 * credit, and steps of a purchase that two files take part in. */
#ifndef STORE_SHOP_H
#define STORE_SHOP_H

#include "store/store.h"

/* A checkout configuration as the item's field table reads it. */
struct store__configuration {
	struct money credit_amount;
	struct str service_id; /* absent: the account's pool */
};

#endif
