/* SPDX-License-Identifier: Apache-2.0 */
/* The visible array of tools and how it is shown to a host. The order is that of a purchase, and
 * nothing about the list depends on the session, so that hosts can cache it. Every output schema
 * admits {error}: some clients check structuredContent of failed calls too. */
#include "mcp/tool.h"

static const struct mcp__tool *const TOOLS[] = {
	&mcp__tool_catalog_categories,
	&mcp__tool_catalog_search,
	&mcp__tool_catalog_checkout_requirements,
	&mcp__tool_quote_create,
	&mcp__tool_purchase_create,
	&mcp__tool_purchase_get_status,
	&mcp__tool_service_list,
	&mcp__tool_service_get,
	&mcp__tool_router_api_key_create,
	&mcp__tool_router_api_key_list,
	&mcp__tool_router_api_key_rotate,
	&mcp__tool_router_api_key_revoke,
	&mcp__tool_router_usage_get,
	&mcp__tool_router_request_get,
	&mcp__tool_router_models_list,
	&mcp__tool_wallet_get,
};

/* Answered, but not listed. */
static const struct {
	const char *name;
	const struct mcp__tool *tool;
} ALIASES[] = {
	{ "checkout_requirements", &mcp__tool_catalog_checkout_requirements },
};

const struct json_fields mcp__no_fields = { NULL, 0 };

static const struct json_field SERVICE_FIELD[] = {
	{ .name = "serviceId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct mcp__service_argument, service_id),
	  .required = true,
	  .doc = "From purchase_create or service_list (svc_...)." },
};
const struct json_fields mcp__service_fields = JSON_FIELDS(SERVICE_FIELD);

const struct mcp__tool *mcp__tool_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(TOOLS); i++)
		if (str_eq(name, str_of(TOOLS[i]->name)))
			return TOOLS[i];
	for (size_t i = 0; i < ARRAY_LEN(ALIASES); i++)
		if (str_eq(name, str_of(ALIASES[i].name)))
			return ALIASES[i].tool;
	return NULL;
}

const struct mcp__tool *mcp__tool_at(size_t i)
{
	return i < ARRAY_LEN(TOOLS) ? TOOLS[i] : NULL;
}

/* ---- Schemas ---- */

static void put_members(struct json_out *o, const struct mcp__shapes *shapes, bool at_root);

static void put_type(struct json_out *o, const struct mcp__shape *s)
{
	switch (s->type) {
	case MCP__TEXT:
	case MCP__TIME:
		json_put_z(o, "type", "string");
		return;
	case MCP__WHOLE:
		json_put_z(o, "type", "integer");
		return;
	case MCP__NUMBER:
		json_put_z(o, "type", "number");
		return;
	case MCP__TRUTH:
		json_put_z(o, "type", "boolean");
		return;
	case MCP__OBJECT:
		json_put_z(o, "type", "object");
		if (s->sub)
			put_members(o, s->sub, false);
		return;
	case MCP__TEXTS:
	case MCP__LIST:
		break;
	}
	json_put_z(o, "type", "array");
	json_put_object(o, "items");
	json_put_z(o, "type", s->type == MCP__TEXTS ? "string" : "object");
	if (s->sub)
		put_members(o, s->sub, false);
	json_put_end(o, '}');
}

/* Not a list of types for "or null": not every client knows those. */
static void put_shape(struct json_out *o, const struct mcp__shape *s)
{
	json_put_object(o, s->name);
	if (s->nullable) {
		json_put_array(o, "anyOf");
		json_put_object(o, NULL);
		put_type(o, s);
		json_put_end(o, '}');
		json_put_object(o, NULL);
		json_put_z(o, "type", "null");
		json_put_end(o, '}');
		json_put_end(o, ']');
	} else {
		put_type(o, s);
	}
	json_put_z(o, "description", s->doc);
	json_put_end(o, '}');
}

static const struct mcp__shape ERROR_SHAPE = {
	.name = "error",
	.type = MCP__OBJECT,
	.doc = "On failure.",
};

/* Nothing is required, so that {error} fits the root too, and to keep the list short: it costs
 * every host tokens. */
static void put_members(struct json_out *o, const struct mcp__shapes *shapes, bool at_root)
{
	json_put_object(o, "properties");
	for (size_t i = 0; i < shapes->count; i++)
		put_shape(o, &shapes->members[i]);
	if (at_root)
		put_shape(o, &ERROR_SHAPE);
	json_put_end(o, '}');
}

/* ---- tools/list ---- */

static void put_hints(struct json_out *o, const struct mcp__hints *hints)
{
	json_put_object(o, "annotations");
	json_put_bool(o, "readOnlyHint", hints->read_only);
	json_put_bool(o, "destructiveHint", hints->destructive);
	json_put_bool(o, "idempotentHint", hints->idempotent);
	json_put_bool(o, "openWorldHint", hints->open_world);
	json_put_end(o, '}');
}

static void put_tool(struct json_out *o, const struct mcp__tool *tool)
{
	json_put_object(o, NULL);
	json_put_z(o, "name", tool->name);
	json_put_z(o, "title", tool->title);
	json_put_z(o, "description", tool->description);
	json_put_schema(o, "inputSchema", tool->input);
	json_put_object(o, "outputSchema");
	json_put_z(o, "type", "object");
	put_members(o, tool->output, true);
	json_put_end(o, '}');
	put_hints(o, &tool->hints);
	json_put_end(o, '}');
}

void mcp__put_tools(struct json_out *o, const char *key)
{
	json_put_array(o, key);
	for (size_t i = 0; i < ARRAY_LEN(TOOLS); i++)
		put_tool(o, TOOLS[i]);
	json_put_end(o, ']');
}

/* ---- Pieces of several results ---- */

void mcp__put_names(struct json_out *o, const char *key, const char *const *names)
{
	json_put_array(o, key);
	for (; names && *names; names++)
		json_put_z(o, NULL, *names);
	json_put_end(o, ']');
}

void mcp__put_urls(struct json_out *o, const struct mcp_shop *shop)
{
	json_put_z(o, "baseUrl", shop->base_url);
	json_put_z(o, "anthropicBaseUrl", shop->anthropic_base_url);
	if (shop->listen_problem)
		json_put_z(o, "problem", shop->listen_problem);
	else if (!shop->base_url)
		json_put_z(o, "problem",
		           "the store runs without an HTTP listener (setting LISTEN)");
}
