/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of both eras in one table, and those that the core answers by itself. What a server
 * does not offer is not there at all: the same answer as for a name that nobody knows. */
#include "mcp/core_parts.h"

#define DISCOVER_TTL_MS 3600000 /* nothing of it changes while the process lives */

/* ---- Who we are ---- */

static void put_offer(struct json_out *o, const struct mcp__server *server, const char *key,
                      enum mcp__offer offer)
{
	if (!(server->offers & (unsigned)offer))
		return;
	json_put_object(o, key);
	json_put_end(o, '}');
}

static void put_capabilities(struct json_out *o, const struct mcp__server *server, bool modern)
{
	json_put_object(o, "capabilities");
	put_offer(o, server, "tools", MCP__OFFERS_TOOLS);
	put_offer(o, server, "prompts", MCP__OFFERS_PROMPTS);
	if (server->offers & MCP__OFFERS_RESOURCES) {
		json_put_object(o, "resources");
		if (!modern && (server->offers & MCP__OFFERS_SUBSCRIPTIONS))
			json_put_bool(o, "subscribe", true);
		json_put_end(o, '}');
	}
	put_offer(o, server, "completions", MCP__OFFERS_COMPLETIONS);
	put_offer(o, server, "logging", MCP__OFFERS_LOGGING);
	json_put_end(o, '}');
}

static void reply(const struct mcp__turn *turn, struct json_out *o, const struct mcp__hint *hint)
{
	struct mcp__core *core = turn->core;
	struct err err;

	mcp__reply_close(o, core, turn->claim->modern, hint);
	if (json_out_ok(o, &err))
		mcp__core_send(core, core->batch, buf_str(&o->text));
	else
		mcp__core_refuse(core, core->batch, turn->m->id, RPC_INTERNAL_ERROR, err.text);
}

static struct json_out reply_begin(const struct mcp__turn *turn)
{
	struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	mcp__reply_open(&o, turn->m->id, turn->claim->modern ? "complete" : NULL);
	return o;
}

static void refuse_params(const struct mcp__turn *turn, const char *what)
{
	mcp__core_refuse(turn->core, turn->core->batch, turn->m->id, RPC_INVALID_PARAMS, what);
}

/* A member of params, raw; absent if there is none. */
static struct str param(const struct mcp__turn *turn, const char *key)
{
	struct str value = { 0 };

	if (turn->m->params.p && !json_pick(turn->m->params, &key, &value, 1, NULL))
		value = (struct str){ 0 };
	return value;
}

/* ---- Lifecycle ---- */

static unsigned abilities_in(const struct mcp__version *version, unsigned can)
{
	if (!version->elicits)
		can &= ~(unsigned)MCP__CAN_FILL_FORM;
	if (!version->elicits_urls)
		can &= ~(unsigned)MCP__CAN_OPEN_URL;
	return can;
}

static void on_initialize(const struct mcp__turn *turn)
{
	struct mcp__core *core = turn->core;
	const struct mcp__server *server = core->server;
	struct str wanted = param(turn, "protocolVersion");

	if (wanted.len == 0 || wanted.p[0] != '"') {
		refuse_params(turn, "'protocolVersion' must be a string");
		return;
	}
	core->version = mcp__version_choose(wanted);
	core->can = abilities_in(core->version, mcp__abilities_read(param(turn, "capabilities")));
	core->opening = MCP__LEGACY;

	OWN_JSON_OUT struct json_out o = reply_begin(turn);
	json_put_z(&o, "protocolVersion", core->version->name);
	put_capabilities(&o, server, false);
	mcp__put_server_info(&o, "serverInfo", server);
	if (server->instructions)
		json_put_z(&o, "instructions", server->instructions);
	reply(turn, &o, NULL);
}

static void on_discover(const struct mcp__turn *turn)
{
	static const struct mcp__hint hint = { DISCOVER_TTL_MS, true };
	const struct mcp__server *server = turn->core->server;
	OWN_JSON_OUT struct json_out o = reply_begin(turn);

	json_put_array(&o, "supportedVersions");
	json_put_z(&o, NULL, MCP__MODERN_VERSION);
	json_put_end(&o, ']');
	put_capabilities(&o, server, true);
	if (server->instructions)
		json_put_z(&o, "instructions", server->instructions);
	reply(turn, &o, &hint);
}

static void on_ping(const struct mcp__turn *turn)
{
	OWN_JSON_OUT struct json_out o = reply_begin(turn);

	reply(turn, &o, NULL);
}

static void on_set_level(const struct mcp__turn *turn)
{
	enum mcp__level level = mcp__level_read(param(turn, "level"));

	if (level == MCP__LEVEL_COUNT) {
		refuse_params(turn, "'level' must be a level of RFC 5424");
		return;
	}
	turn->core->level = level;
	on_ping(turn);
}

/* ---- Lists ---- */

static void send_list(const struct mcp__turn *turn, const char *key,
                      const struct mcp__listing *listing)
{
	const struct mcp__hint hint = { listing->ttl_ms, true };

	if (param(turn, "cursor").p) {
		refuse_params(turn, "unknown cursor: the list has one page");
		return;
	}
	OWN_JSON_OUT struct json_out o = reply_begin(turn);
	if (listing->put) {
		listing->put(turn->core->data, &o, key);
	} else {
		json_put_array(&o, key);
		json_put_end(&o, ']');
	}
	reply(turn, &o, &hint);
}

static void on_list_tools(const struct mcp__turn *turn)
{
	send_list(turn, "tools", &turn->core->server->tools);
}

static void on_list_prompts(const struct mcp__turn *turn)
{
	send_list(turn, "prompts", &turn->core->server->prompts);
}

static void on_list_resources(const struct mcp__turn *turn)
{
	send_list(turn, "resources", &turn->core->server->resources);
}

static void on_list_templates(const struct mcp__turn *turn)
{
	send_list(turn, "resourceTemplates", &turn->core->server->templates);
}

/* ---- What the server answers ---- */

static void run(const struct mcp__turn *turn, enum mcp__asked asked)
{
	struct mcp__request *r = mcp__request_new(turn, asked);

	if (r)
		mcp__request_run(r);
}

static void on_call_tool(const struct mcp__turn *turn)
{
	run(turn, MCP__ASKED_TOOL);
}

static void on_get_prompt(const struct mcp__turn *turn)
{
	run(turn, MCP__ASKED_PROMPT);
}

static void on_read_resource(const struct mcp__turn *turn)
{
	run(turn, MCP__ASKED_RESOURCE);
}

static void on_complete(const struct mcp__turn *turn)
{
	run(turn, MCP__ASKED_COMPLETION);
}

static void on_subscribe(const struct mcp__turn *turn)
{
	run(turn, MCP__ASKED_SUBSCRIBE);
}

static void on_unsubscribe(const struct mcp__turn *turn)
{
	run(turn, MCP__ASKED_UNSUBSCRIBE);
}

/* ---- The table ---- */

#define BOTH true, true
#define ONLY_LEGACY true, false
#define ONLY_MODERN false, true

/* clang-format off */
static const struct mcp__method METHODS[] = {
	{ "initialize",               ONLY_LEGACY, 0, on_initialize },
	{ "server/discover",          ONLY_MODERN, 0, on_discover },
	{ "ping",                     ONLY_LEGACY, 0, on_ping },
	{ "tools/list",               BOTH, MCP__OFFERS_TOOLS, on_list_tools },
	{ "tools/call",               BOTH, MCP__OFFERS_TOOLS, on_call_tool },
	{ "prompts/list",             BOTH, MCP__OFFERS_PROMPTS, on_list_prompts },
	{ "prompts/get",              BOTH, MCP__OFFERS_PROMPTS, on_get_prompt },
	{ "resources/list",           BOTH, MCP__OFFERS_RESOURCES, on_list_resources },
	{ "resources/templates/list", BOTH, MCP__OFFERS_RESOURCES, on_list_templates },
	{ "resources/read",           BOTH, MCP__OFFERS_RESOURCES, on_read_resource },
	{ "completion/complete",      BOTH, MCP__OFFERS_COMPLETIONS, on_complete },
	{ "resources/subscribe",      ONLY_LEGACY, MCP__OFFERS_SUBSCRIPTIONS, on_subscribe },
	{ "resources/unsubscribe",    ONLY_LEGACY, MCP__OFFERS_SUBSCRIPTIONS, on_unsubscribe },
	{ "logging/setLevel",         ONLY_LEGACY, MCP__OFFERS_LOGGING, on_set_level },
	{ "subscriptions/listen",     ONLY_MODERN, 0, mcp__core_listen },
};
/* clang-format on */

const struct mcp__method *mcp__method_find(const struct mcp__core *core, struct str raw_name,
                                           bool modern)
{
	for (size_t i = 0; i < ARRAY_LEN(METHODS); i++) {
		const struct mcp__method *m = &METHODS[i];
		bool here = modern ? m->modern : m->legacy;

		if (json_raw_equals(raw_name, str_of(m->name)))
			return here && (m->offer & core->server->offers) == m->offer ? m : NULL;
	}
	return NULL;
}

bool mcp__is_initialize(const struct mcp__method *method)
{
	return method->run == on_initialize;
}

bool mcp__is_ping(const struct mcp__method *method)
{
	return method->run == on_ping;
}
