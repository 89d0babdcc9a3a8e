/* SPDX-License-Identifier: Apache-2.0 */
/* The command `backup`: the only work that does not fit one job, since copying a large database
 * in one go would hold up everyone's money. Private to mcp/. */
#ifndef MCP_BACKUP_H
#define MCP_BACKUP_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

/* Of one backup; zeroed at the start. Touched by the store thread only, except `finished`, which
 * the loop may read between two slices. */
struct mcp__backup {
	struct store_backup *copy;
	bool finished;
};

/* Is this request a backup? */
bool mcp__backup_is(struct str request);
/* Begins or goes on, in a job. After a failure the unfinished copy is gone. */
MUST_CHECK bool mcp__backup_slice(struct mcp__backup *b, struct store *st, struct str request,
                                  struct err *err);
void mcp__backup_cancel(struct mcp__backup *b); /* on the store thread */
/* The answer of a finished one. */
void mcp__backup_put_answer(struct str request, struct buf *out);

#endif
