/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of nodes that live inside the caller's records. Records are never moved or removed,
 * and putting one in cannot fail: without memory to grow, chains get longer. */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct table_node {
	struct table_node *next;
	uint64_t hash;
};

struct table {
	struct table_node **buckets;
	size_t size; /* a power of two */
	size_t count;
};

MUST_CHECK bool table_init(struct table *t, struct err *err);
void table_done(struct table *t); /* frees the buckets, not the records; takes a zeroed one */
uint64_t table_hash_i64(int64_t n);
uint64_t table_hash_str(struct str s);
void table_put(struct table *t, struct table_node *node, uint64_t hash);
/* Nodes of that hash, one after the other; NULL at the end. The caller compares what it is. */
struct table_node *table_find(const struct table *t, uint64_t hash);
struct table_node *table_find_next(const struct table_node *node);
/* Every node, in no order: `after` NULL for the first. */
struct table_node *table_each(const struct table *t, const struct table_node *after);

#endif
