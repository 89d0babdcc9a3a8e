/* SPDX-License-Identifier: Apache-2.0 */
/* How threads meet: many producers post items, one consumer takes all that is there. A loop thread
 * watches the inbox's eventfd; the store thread blocks on it. Items are intrusive and never copied.
 * The lock is held for a few instructions and never over work. */
#ifndef BASE_INBOX_H
#define BASE_INBOX_H

#include <stdbool.h>

#include "base/err.h"

struct inbox_item {
	struct inbox_item *next;                  /* the inbox's own */
	void (*deliver)(struct inbox_item *item); /* run by the consumer; may free the item */
};

struct inbox;

/* NULL and an error if there is no descriptor or no memory. */
struct inbox *inbox_new(struct err *err);
void inbox_free(struct inbox *in);    /* NULL is fine; what is still inside is not delivered */
int inbox_fd(const struct inbox *in); /* readable while items wait */
/* From any thread. The item belongs to the inbox until it is delivered. */
void inbox_post(struct inbox *in, struct inbox_item *item);
/* Takes everything that waits, oldest first, as a list; NULL if nothing does. Consumer only. */
struct inbox_item *inbox_take(struct inbox *in);
/* The same, but waits for something, at most `timeout_ms` (-1: for ever). */
struct inbox_item *inbox_wait(struct inbox *in, int timeout_ms);

#endif
