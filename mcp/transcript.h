/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the transcript runner: the file and its steps, and one HTTP step. Private to mcp/.
 * docs/transcripts.md describes the format. */
#ifndef MCP_TRANSCRIPT_H
#define MCP_TRANSCRIPT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/money.h"
#include "base/str.h"
#include "net/net.h"

/* ---- transcript_file.c ---- */

struct mcp__step {                /* borrowed from the file's tree */
	struct str tool;          /* absent: an HTTP step */
	const struct json *input; /* or NULL */
	struct str as;            /* the key to call with, "none", or absent: the account's own */
	struct str method, path;
	const struct json *headers, *body; /* or NULL */
	const struct json *expect;         /* NULL: anything but a failure */
	const struct json *save;           /* or NULL */
};

struct mcp__script {
	struct json *root;
	struct str name;
	struct money fund;
	const struct json *steps;
};

/* Reads and checks the whole file, so that a fault in the last step is told before the first one
 * runs. ERR_INVALID_ARGUMENT names the step and what is allowed. */
MUST_CHECK bool mcp__script_read(const char *path, struct mcp__script *out, struct err *err);
MUST_CHECK bool mcp__script_parse(struct str text, struct mcp__script *out, struct err *err);
void mcp__script_done(struct mcp__script *script);
/* One of `steps`, which has been checked. */
void mcp__step_of(const struct json *node, struct mcp__step *out);

/* ---- transcript_http.c ---- */

struct mcp__http {
	struct net_loop *loop;
	struct net_client *client; /* made at the first request */
	const char *base_url;      /* of the shop: "http://127.0.0.1:40123/openai/v1" */
};

void mcp__http_done(struct mcp__http *http);
/* Sends a request to the shop's listener and waits for the end of its answer. `request` is an
 * object {method, path, headers, body}, filled in. Writes {"status", "headers", "body"}. */
MUST_CHECK bool mcp__http_run(struct mcp__http *http, const struct json *request,
                              struct json_out *answer, struct err *err);

#endif
