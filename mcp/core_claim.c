/* SPDX-License-Identifier: Apache-2.0 */
/* Which era a message belongs to, and what its host can do. A message is of the era without
 * sessions if it says so, by one of three keys of `_meta` or by a method that only that era has;
 * nothing is remembered from one such message to the next. */
#include "mcp/core_parts.h"

/* ---- Versions ---- */

static const struct mcp__version VERSIONS[] = {
	{ .name = "2025-11-25", .elicits = true, .elicits_urls = true },
	{ .name = "2025-06-18", .elicits = true },
	{ .name = "2025-03-26", .batches = true },
	{ .name = "2024-11-05" },
};

const struct mcp__version *mcp__version_choose(struct str raw_name)
{
	for (size_t i = 0; i < ARRAY_LEN(VERSIONS); i++)
		if (json_raw_equals(raw_name, str_of(VERSIONS[i].name)))
			return &VERSIONS[i];
	return &VERSIONS[0];
}

/* ---- Abilities and levels ---- */

static bool is_object(struct str raw)
{
	return raw.p && raw.p[0] == '{';
}

static unsigned elicitation_read(struct str raw)
{
	static const char *const keys[] = { "form", "url" };
	struct str modes[ARRAY_LEN(keys)];
	unsigned can;

	if (!is_object(raw) || !json_pick(raw, keys, modes, ARRAY_LEN(keys), NULL))
		return 0;
	can = is_object(modes[0]) ? MCP__CAN_FILL_FORM : 0;
	can |= is_object(modes[1]) ? MCP__CAN_OPEN_URL : 0;
	return can ? can : MCP__CAN_FILL_FORM; /* {} is what came before there were modes */
}

unsigned mcp__abilities_read(struct str raw_capabilities)
{
	static const char *const keys[] = { "elicitation", "sampling", "roots" };
	struct str picked[ARRAY_LEN(keys)];

	if (!is_object(raw_capabilities) ||
	    !json_pick(raw_capabilities, keys, picked, ARRAY_LEN(keys), NULL))
		return 0;
	return elicitation_read(picked[0]) | (is_object(picked[1]) ? MCP__CAN_SAMPLE : 0) |
	       (is_object(picked[2]) ? MCP__CAN_LIST_ROOTS : 0);
}

enum mcp__level mcp__level_read(struct str raw)
{
	static const char *const names[] = { "debug", "info",     "notice", "warning",
		                             "error", "critical", "alert",  "emergency" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (json_raw_equals(raw, str_of(names[i])))
			return (enum mcp__level)i;
	return MCP__LEVEL_COUNT;
}

/* ---- The claim ---- */

enum {
	META_VERSION,
	META_CAPABILITIES,
	META_CLIENT,
	META_LEVEL,
	META_TOKEN,
	META_COUNT
};

static const char *const META_KEYS[] = {
	[META_VERSION] = MCP__META_PREFIX "protocolVersion",
	[META_CAPABILITIES] = MCP__META_PREFIX "clientCapabilities",
	[META_CLIENT] = MCP__META_PREFIX "clientInfo",
	[META_LEVEL] = MCP__META_PREFIX "logLevel",
	[META_TOKEN] = "progressToken",
};

static void read_meta(struct str params, struct str meta[META_COUNT])
{
	static const char *const keys[] = { "_meta" };
	struct str raw = { 0 };

	for (size_t i = 0; i < META_COUNT; i++)
		meta[i] = (struct str){ 0 };
	if (params.p && json_pick(params, keys, &raw, 1, NULL) && is_object(raw))
		(void)!json_pick(raw, META_KEYS, meta, META_COUNT, NULL);
}

static void fault(struct mcp__claim *claim, int number, const char *what)
{
	claim->fault = number;
	claim->what = what;
}

static void check(struct mcp__claim *claim, const struct str meta[META_COUNT])
{
	struct str version = meta[META_VERSION];

	if (!version.p || version.p[0] != '"') {
		fault(claim, RPC_INVALID_PARAMS,
		      "'_meta' needs '" MCP__META_PREFIX "protocolVersion', a string");
	} else if (!is_object(meta[META_CAPABILITIES])) {
		fault(claim, RPC_INVALID_PARAMS,
		      "'_meta' needs '" MCP__META_PREFIX "clientCapabilities', an object");
	} else if (!json_raw_equals(version, STR(MCP__MODERN_VERSION))) {
		fault(claim, RPC_UNSUPPORTED_VERSION, "unsupported protocol version");
		claim->version = version;
	} else if (meta[META_LEVEL].p && claim->level == MCP__LEVEL_COUNT) {
		fault(claim, RPC_INVALID_PARAMS,
		      "'" MCP__META_PREFIX "logLevel' must be a level of RFC 5424");
	}
}

void mcp__claim_read(const struct mcp__message *m, struct mcp__claim *out)
{
	struct str meta[META_COUNT];

	read_meta(m->params, meta);
	*out = (struct mcp__claim){ .level = mcp__level_read(meta[META_LEVEL]) };
	if (mcp__is_id(meta[META_TOKEN]))
		out->token = meta[META_TOKEN];
	out->modern = meta[META_VERSION].p || meta[META_CAPABILITIES].p || meta[META_CLIENT].p ||
	              json_raw_equals(m->method, STR("server/discover")) ||
	              json_raw_equals(m->method, STR("subscriptions/listen"));
	if (!out->modern)
		return;
	out->can = mcp__abilities_read(meta[META_CAPABILITIES]);
	check(out, meta);
}
