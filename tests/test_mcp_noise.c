/* SPDX-License-Identifier: Apache-2.0 */
/* Ten million bytes of almost-messages through the line reader, the JSON gate and a whole session:
 * messages of both eras, with bytes changed, cut out, doubled and thrown in, cut into reads
 * anywhere. Whatever comes, each line out is one valid JSON text within its limit, and the session
 * goes on. The sanitized build watches the memory. The noise is the same in every run. */
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/limits.h"
#include "mcp/mcp.h"
#include "tests/check.h"

#define NOISE_BYTES 10000000
#define MESSAGE_MAX 4096

#define MODERN                                                                   \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"," \
	"\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}},\"progressToken\":7}"

static const char *const SEEDS[] = {
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
	"\"2025-03-26\",\"capabilities\":{\"elicitation\":{\"url\":{}}}}}",
	"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
	"\"2025-11-25\",\"capabilities\":{}}}",
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
	"{\"jsonrpc\":\"2.0\",\"id\":\"d\",\"method\":\"server/discover\",\"params\":{" MODERN "}}",
	"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/list\",\"params\":{\"cursor\":\"\"," MODERN
	"}}",
	"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/call\",\"params\":{\"name\":\"wallet_get\","
	"\"arguments\":{\"a\":[1,2.5e3,true,null,\"\\u00e4\\ud83d\\ude00\"]}," MODERN "}}",
	"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":\"purchase_create\","
	"\"arguments\":{\"idempotencyKey\":\"k\"},\"inputResponses\":{\"approval\":{\"action\":"
	"\"accept\"}},\"requestState\":\"1795335300000.7b.ab\"," MODERN "}}",
	"{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"subscriptions/listen\",\"params\":{"
	"\"notifications\":{}," MODERN "}}",
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":4}}",
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":6}}",
	"{\"jsonrpc\":\"2.0\",\"id\":\"ask-1\",\"result\":{\"action\":\"accept\"}}",
	"[{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\"},{\"jsonrpc\":\"2.0\",\"id\":9,"
	"\"method\":\"tools/call\",\"params\":{\"name\":\"catalog_categories\"}}]",
	"{\"jsonrpc\":\"2.0\",\"id\":10,\"method\":\"resources/read\",\"params\":{\"uri\":\"store://catalog\"}}",
	"{\"jsonrpc\":\"2.0\",\"id\":11,\"method\":\"completion/complete\",\"params\":{\"ref\":{\"type\":"
	"\"ref/prompt\",\"name\":\"p\"},\"argument\":{\"name\":\"a\",\"value\":\"v\"}}}",
};

struct noise {
	struct env_fixed clock;
	struct env env;
	struct mcp_session *session;
	int64_t waiting[LIMIT_MCP_IN_FLIGHT];
	size_t count;
	int64_t fed, lines, bad_lines;
};

static uint32_t draw(struct noise *n, uint32_t below)
{
	uint32_t word;

	env_random(&n->env, &word, sizeof(word));
	return word % below;
}

/* ---- The session's surroundings ---- */

static const char ANSWER[] = "{\"error\":{\"code\":\"not_found\",\"message\":\"there is none\"}}";

static void on_call(void *data, int64_t number, struct str request)
{
	struct noise *n = data;

	if (!json_scan(request, NULL, NULL, NULL))
		n->bad_lines++;
	if (draw(n, 2) == 0 || n->count == LIMIT_MCP_IN_FLIGHT)
		mcp_session_answer(n->session, number, str_of(ANSWER));
	else
		n->waiting[n->count++] = number;
}

static void on_forget(void *data, int64_t number)
{
	struct noise *n = data;
	size_t i = 0;

	while (i < n->count && n->waiting[i] != number)
		i++;
	if (CHECK(i < n->count))
		n->waiting[i] = n->waiting[--n->count];
}

static void on_line(void *data, struct str line)
{
	struct noise *n = data;

	n->lines++;
	if (line.len > LIMIT_MCP_OUT_LINE + 2 || memchr(line.p, '\n', line.len) ||
	    !json_scan(line, NULL, NULL, NULL))
		n->bad_lines++;
}

static void open_session(struct noise *n)
{
	const struct mcp_session_io io = {
		.call = on_call, .forget = on_forget, .line = on_line, .data = n, .env = &n->env
	};

	mcp_session_free(n->session);
	n->count = 0;
	n->session = mcp_session_new(&io, NULL, NULL);
	if (!n->session)
		abort();
}

/* ---- Noise ---- */

static void cut_out(struct noise *n, char *text, size_t *len)
{
	size_t at = draw(n, (uint32_t)*len), size = draw(n, 20) + 1;

	size = size < *len - at ? size : *len - at;
	memmove(text + at, text + at + size, *len - at - size);
	*len -= size;
}

static void put_twice(struct noise *n, char *text, size_t *len)
{
	size_t at = draw(n, (uint32_t)*len), size = draw(n, 60) + 1;

	size = size < *len - at ? size : *len - at;
	if (*len + size > MESSAGE_MAX)
		return;
	memmove(text + at + size, text + at, *len - at);
	*len += size;
}

static void change(struct noise *n, char *text, size_t *len)
{
	static const char likely[] = "{}[]\",:\\0123456789eE+-. \n\r\t\0\xff\xc3\xed";
	size_t at = draw(n, (uint32_t)*len);

	switch (draw(n, 5)) {
	case 0:
		text[at] = (char)draw(n, 256);
		return;
	case 1:
		text[at] = (char)(text[at] ^ (1 << draw(n, 8)));
		return;
	case 2:
		cut_out(n, text, len);
		return;
	case 3:
		put_twice(n, text, len);
		return;
	default:
		text[at] = likely[draw(n, sizeof(likely))];
	}
}

/* A message with nought to five faults. */
static size_t make_message(struct noise *n, char text[MESSAGE_MAX + 1])
{
	const struct str seed = str_of(SEEDS[draw(n, ARRAY_LEN(SEEDS))]);
	size_t len = seed.len;

	memcpy(text, seed.p, len);
	for (uint32_t faults = draw(n, 6); faults > 0 && len > 0; faults--)
		change(n, text, &len);
	text[len++] = '\n';
	return len;
}

/* One read: exactly as many bytes of memory as it has, so that one byte too far is seen. */
static void feed(struct noise *n, const char *text, size_t len)
{
	char *piece = malloc(len > 0 ? len : 1);

	if (!piece)
		abort();
	memcpy(piece, text, len);
	mcp_session_feed(n->session, (struct str){ piece, len });
	free(piece);
	n->fed += (int64_t)len;
}

static void feed_in_pieces(struct noise *n, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t step = draw(n, 4) == 0 ? draw(n, 40) + 1 : len - at;

		step = step < len - at ? step : len - at;
		feed(n, text + at, step);
		at += step;
	}
}

static void answer_some(struct noise *n)
{
	while (n->count > 0 && draw(n, 3) > 0)
		mcp_session_answer(n->session, n->waiting[--n->count], str_of(ANSWER));
}

static void check_it_goes_on(struct noise *n)
{
	const struct str ping =
		STR("\n{\"jsonrpc\":\"2.0\",\"id\":\"alive\",\"method\":\"ping\"}\n");
	int64_t before;

	feed(n, "\n", 1); /* ends what may be open */
	before = n->lines;
	feed(n, ping.p, ping.len);
	CHECK_I64(n->lines - before, 1);
}

static void ten_million_bytes_of_noise_break_nothing(void)
{
	struct noise *n = calloc(1, sizeof(*n));
	char text[MESSAGE_MAX + 1];

	if (!n)
		abort();
	n->clock.now_ms = INT64_C(1795334400000);
	n->env = env_fixed(&n->clock);
	for (int64_t message = 0; n->fed < NOISE_BYTES; message++) {
		if (message % 5000 == 0)
			open_session(n);
		feed_in_pieces(n, text, make_message(n, text));
		answer_some(n);
		if (message % 500 == 499)
			check_it_goes_on(n);
	}
	CHECK_I64(n->bad_lines, 0);
	CHECK(n->lines > 10000);
	check_note("%lld bytes in, %lld lines out", (long long)n->fed, (long long)n->lines);
	mcp_session_free(n->session);
	free(n);
}

static const struct check_case CASES[] = {
	CASE(ten_million_bytes_of_noise_break_nothing),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
