/* SPDX-License-Identifier: Apache-2.0 */
/* A new key delivered into a file instead of an answer, so that it stays out of transcripts.
 * Private to mcp/. The surprising fact: the file is made before the key, because a rotation that
 * found no room for the new key would already have killed the old one. */
#ifndef MCP_KEY_FILE_H
#define MCP_KEY_FILE_H

#include "base/env.h"
#include "base/err.h"
#include "base/id.h"
#include "base/secret.h"
#include "base/str.h"

struct mcp__key_file {
	int fd;          /* -1: there is none */
	int folder;      /* its folder; -1: none */
	struct buf path; /* of the whole; its last part is `name` bytes long */
	size_t name;
};

#define OWN_KEY_FILE CLEANUP(mcp__key_file_done)

struct mcp__key_file mcp__key_file_none(void);
/* Makes an empty file with room for a key, 0600, under a name that was not there: the label's
 * letters and digits and some random ones. `folder` is absolute, belongs to this user and nobody
 * else may write to it: else ERR_INVALID_ARGUMENT, as for an absent one, with what the operator can
 * do. ERR_STORAGE if the disk refuses. */
MUST_CHECK bool mcp__key_file_make(struct str folder, struct str label, const struct env *env,
                                   struct mcp__key_file *out, struct err *err);
/* Writes the key and a newline, and syncs them: from now on the file stays. ERR_STORAGE. */
MUST_CHECK bool mcp__key_file_fill(struct mcp__key_file *file, const struct secret *secret,
                                   struct err *err);
/* Removes a file that was not filled. */
void mcp__key_file_done(struct mcp__key_file *file);

#endif
