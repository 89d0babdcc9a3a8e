/* SPDX-License-Identifier: Apache-2.0 */
/* A host and a small server on the two ends of the protocol core, for tests: lines are given and
 * looked at one by one, the clock stands until it is moved. */
#ifndef TESTS_MCP_HOST_H
#define TESTS_MCP_HOST_H

#include "base/env.h"
#include "mcp/core.h"

#define HOST_LINES 64
#define HOST_START_MS INT64_C(1795334400000) /* 2026-11-22T08:00:00Z */

/* What a modern request carries at least; `caps` is raw JSON. */
#define CLAIM(caps)                                                              \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"," \
	"\"io.modelcontextprotocol/clientCapabilities\":" caps "}"

/* The server's tools:
 *   echo   answers {"arguments": …}           wait  answers only when the test does
 *   form   asks for a form, then answers {"answer": …, "state": …}
 *   url    the same with a URL                both  asks for a form and a sample at once
 *   large  tries a result that is too large, then a small one
 * Everything else that it offers answers {"name": …}. */
struct host {
	struct env_fixed clock;
	struct env env;
	struct mcp__core *core;
	char *lines[HOST_LINES];
	size_t read, written;
	int64_t wake_ms; /* when a tick is due, by the clock; -1: never */
	int64_t waiting; /* the number of the last "wait" */
	int runs, dropped;
};

void host_open(struct host *h);
void host_open_seeded(struct host *h, uint64_t seed); /* another process: other random bytes */
void host_close(struct host *h);
void host_say(struct host *h, const char *line); /* the newline is added */
/* Speaks `initialize` with that version and those capabilities and reads the reply. */
void host_initialize(struct host *h, const char *version, const char *capabilities);
/* The next line must be there and match the pattern (json_matches). */
bool host_hears(struct host *h, const char *pattern);
bool host_hears_nothing(struct host *h);      /* no line is unread */
struct json *host_last(const struct host *h); /* the last line heard; the caller frees it */
void host_forget(struct host *h);             /* drops all lines: makes room for more */
/* Moves the clock, ticking where a tick is due. */
void host_pass(struct host *h, int64_t ms);

#endif
