/* SPDX-License-Identifier: Apache-2.0 */
/* Chained buckets that double when there are more nodes than buckets. */
#include "store/table.h"

#include <stdlib.h>

#define FIRST_SIZE 64

bool table_init(struct table *t, struct err *err)
{
	struct table_node **buckets = calloc(FIRST_SIZE, sizeof(struct table_node *));

	if (buckets == NULL)
		return err_no_memory(err);
	*t = (struct table){ .buckets = buckets, .size = FIRST_SIZE };
	return true;
}

void table_done(struct table *t)
{
	free(t->buckets);
	*t = (struct table){ 0 };
}

/* The finisher of splitmix64: neighbouring numbers get far-away hashes. */
uint64_t table_hash_i64(int64_t n)
{
	uint64_t h = (uint64_t)n;

	h = (h ^ h >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	h = (h ^ h >> 27) * UINT64_C(0x94D049BB133111EB);
	return h ^ h >> 31;
}

/* FNV-1a. What is hashed here is random text of our own making, so nobody can aim at a bucket. */
uint64_t table_hash_str(struct str s)
{
	uint64_t h = UINT64_C(0xCBF29CE484222325);

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001B3);
	return h;
}

static struct table_node **bucket_of(const struct table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->size - 1)];
}

static void link_in(struct table *t, struct table_node *node)
{
	struct table_node **bucket = bucket_of(t, node->hash);

	node->next = *bucket;
	*bucket = node;
}

static void grow(struct table *t)
{
	struct table bigger = { .size = t->size * 2, .count = t->count };

	bigger.buckets = calloc(bigger.size, sizeof(struct table_node *));
	if (bigger.buckets == NULL)
		return;
	for (size_t i = 0; i < t->size; i++) {
		struct table_node *node = t->buckets[i];
		while (node != NULL) {
			struct table_node *next = node->next;
			link_in(&bigger, node);
			node = next;
		}
	}
	free(t->buckets);
	*t = bigger;
}

void table_put(struct table *t, struct table_node *node, uint64_t hash)
{
	if (t->count >= t->size)
		grow(t);
	node->hash = hash;
	link_in(t, node);
	t->count++;
}

static struct table_node *first_of(struct table_node *node, uint64_t hash)
{
	while (node != NULL && node->hash != hash)
		node = node->next;
	return node;
}

struct table_node *table_find(const struct table *t, uint64_t hash)
{
	return first_of(*bucket_of(t, hash), hash);
}

struct table_node *table_find_next(const struct table_node *node)
{
	return first_of(node->next, node->hash);
}

struct table_node *table_each(const struct table *t, const struct table_node *after)
{
	if (after != NULL && after->next != NULL)
		return after->next;
	size_t i = after == NULL ? 0 : (after->hash & (t->size - 1)) + 1;
	while (i < t->size && t->buckets[i] == NULL)
		i++;
	return i < t->size ? t->buckets[i] : NULL;
}
