/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes from a host. Whatever comes, each line out is one valid JSON text without
 * a newline, no call is left over after its answer, and forgetting is asked only for known work. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mcp/mcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct host {
	struct mcp_session *session;
	int64_t waiting[LIMIT_MCP_IN_FLIGHT]; /* every second call is answered only at the end */
	size_t count;
	int64_t calls;
};

static const char ANSWER[] = "{\"error\":{\"code\":\"not_found\",\"message\":\"there is none\"}}";

static void on_call(void *data, int64_t number, struct str request)
{
	struct host *host = data;

	assert(json_scan(request, NULL, NULL, NULL));
	if (host->calls++ % 2 == 0)
		mcp_session_answer(host->session, number, str_of(ANSWER));
	else
		host->waiting[host->count++] = number;
}

static void on_forget(void *data, int64_t number)
{
	struct host *host = data;
	size_t i = 0;

	while (i < host->count && host->waiting[i] != number)
		i++;
	assert(i < host->count);
	host->waiting[i] = host->waiting[--host->count];
}

static void on_line(void *data, struct str line)
{
	(void)data;
	assert(line.len <= LIMIT_MCP_OUT_LINE + 2);
	assert(json_scan(line, NULL, NULL, NULL));
	assert(memchr(line.p, '\n', line.len) == NULL);
}

/* The first byte tells how the input is cut into reads. */
static void feed(struct host *host, const uint8_t *data, size_t size)
{
	size_t step = size > 0 && data[0] > 0 ? data[0] : size;

	for (size_t at = size > 0; at < size; at += step) {
		size_t n = size - at < step ? size - at : step;

		mcp_session_feed(host->session, (struct str){ (const char *)data + at, n });
	}
	mcp_session_feed(host->session, STR("\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host *host = calloc(1, sizeof(*host));
	const struct mcp_session_io io = {
		.call = on_call, .forget = on_forget, .line = on_line, .data = host
	};

	if (!host)
		abort();
	host->session = mcp_session_new(
		&io, &(struct mcp_allowance){ .purchase_key = "ask_live_example" }, NULL);
	if (!host->session)
		abort();
	feed(host, data, size);
	assert(mcp_session_in_flight(host->session) == host->count);
	/* Half of what waits is answered, the rest is cut off with the session. */
	for (size_t n = host->count / 2; n > 0; n--)
		mcp_session_answer(host->session, host->waiting[--host->count], str_of(ANSWER));
	assert(mcp_session_in_flight(host->session) == host->count);
	mcp_session_free(host->session);
	free(host);
	return 0;
}
