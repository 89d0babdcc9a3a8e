/* SPDX-License-Identifier: Apache-2.0 */
/* What an account owns: its services and what is left in them. */
#include "mcp/tool.h"

/* Providers that a key of this store can reach now: those with a model that is routable. */
static bool is_supported(const struct store_models *models, enum provider provider)
{
	for (size_t i = 0; i < store_models_count(models); i++) {
		const struct store_model *model = store_models_at(models, i);

		if (model->provider == provider && store_model_routable(models, model))
			return true;
	}
	return false;
}

static void put_providers(struct json_out *out, const struct store_models *models)
{
	bool any = false;

	json_put_array(out, "supportedProviders");
	for (int p = 0; p < PROVIDER_COUNT; p++) {
		if (!is_supported(models, (enum provider)p))
			continue;
		json_put_z(out, NULL, provider_name((enum provider)p));
		any = true;
	}
	json_put_end(out, ']');
	if (!any)
		json_put_z(out, "note",
		           "no model can be called now: the operator has configured no provider");
}

static void put_router(struct json_out *out, const struct mcp_shop *shop,
                       const struct store_balance *balance)
{
	json_put_object(out, "router");
	json_put_usd(out, "creditBalanceUsd", balance->balance);
	json_put_usd(out, "heldUsd", balance->held);
	json_put_usd(out, "availableUsd", balance->available);
	mcp__put_urls(out, shop);
	put_providers(out, shop->models);
	json_put_end(out, '}');
}

static void put_service(struct json_out *out, const char *key, const struct mcp_shop *shop,
                        const struct store_service *service)
{
	json_put_object(out, key);
	json_put_str(out, "id", id_str(&service->id));
	json_put_z(out, "status", service->status);
	json_put_z(out, "serviceType", service->service_type);
	json_put_z(out, "displayName", service->display_name);
	mcp__put_names(out, "managementCapabilities",
	               service->item ? service->item->service_capabilities : NULL);
	put_router(out, shop, &service->balance);
	json_put_time(out, "createdAt", service->created_ms);
	json_put_end(out, '}');
}

static const struct mcp__shape ROUTER_MEMBERS[] = {
	{ .name = "creditBalanceUsd", .type = MCP__TEXT, .doc = "Credit left, decimal USD." },
	{ .name = "heldUsd", .type = MCP__TEXT, .doc = "Part set aside for running calls." },
	{ .name = "availableUsd", .type = MCP__TEXT, .doc = "Part that new calls can use." },
	{ .name = "baseUrl",
	  .type = MCP__TEXT,
	  .nullable = true,
	  .doc = "OpenAI-compatible base URL." },
	{ .name = "anthropicBaseUrl",
	  .type = MCP__TEXT,
	  .nullable = true,
	  .doc = "Base URL for Anthropic SDKs." },
	{ .name = "problem", .type = MCP__TEXT, .optional = true, .doc = "Why there is no URL." },
	{ .name = "supportedProviders",
	  .type = MCP__TEXTS,
	  .doc = "Providers with models that can be called now." },
	{ .name = "note", .type = MCP__TEXT, .optional = true, .doc = "Why there is none." },
};
static const struct mcp__shapes ROUTER_SHAPES = MCP__SHAPES(ROUTER_MEMBERS);
static const struct mcp__shape SERVICE_MEMBERS[] = {
	{ .name = "id", .type = MCP__TEXT, .doc = "serviceId; lives as long as the account." },
	{ .name = "status", .type = MCP__TEXT, .doc = "active" },
	{ .name = "serviceType", .type = MCP__TEXT, .doc = "llm_router" },
	{ .name = "displayName", .type = MCP__TEXT, .doc = "Name for people." },
	{ .name = "managementCapabilities",
	  .type = MCP__TEXTS,
	  .doc = "What can be done with it." },
	{ .name = "router",
	  .type = MCP__OBJECT,
	  .doc = "Credit and addresses.",
	  .sub = &ROUTER_SHAPES },
	{ .name = "createdAt", .type = MCP__TIME, .doc = "When it was first bought." },
};
static const struct mcp__shapes SERVICE_SHAPES = MCP__SHAPES(SERVICE_MEMBERS);

/* ---- service_list ---- */

struct listing {
	const struct mcp_shop *shop;
	struct json_out *out;
};

static void list_one(void *data, const struct store_service *service)
{
	struct listing *listing = data;

	put_service(listing->out, NULL, listing->shop, service);
}

static bool list_services(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct listing listing = { .shop = call->shop, .out = out };

	if (!json_read(call->arguments, &mcp__no_fields, NULL, err))
		return false;
	json_put_object(out, NULL);
	json_put_array(out, "services");
	if (!store_service_each(call->st, call->account, list_one, &listing, err))
		return false;
	json_put_end(out, ']');
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape LIST_MEMBERS[] = {
	{ .name = "services",
	  .type = MCP__LIST,
	  .doc = "Oldest first; each as service_get returns it, with id and router.creditBalanceUsd." },
};
static const struct mcp__shapes LIST_SHAPES = MCP__SHAPES(LIST_MEMBERS);

const struct mcp__tool mcp__tool_service_list = {
	.name = "service_list",
	.title = "List services",
	.description = "Lists everything that this account has bought and can manage, with its "
		       "balance. Free. Use it to find a serviceId.",
	.hints = MCP__LOOK_ONLY,
	.needs_account = true,
	.input = &mcp__no_fields,
	.output = &LIST_SHAPES,
	.run = list_services,
};

/* ---- service_get ---- */

static bool get_service(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct mcp__service_argument which = { 0 };
	struct store_service service;

	if (!json_read(call->arguments, &mcp__service_fields, &which, err) ||
	    !store_service_find(call->st, call->account, which.service_id, &service, err))
		return false;
	json_put_object(out, NULL);
	put_service(out, "service", call->shop, &service);
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape ONE_MEMBERS[] = {
	{ .name = "service", .type = MCP__OBJECT, .doc = "The service.", .sub = &SERVICE_SHAPES },
};
static const struct mcp__shapes ONE_SHAPES = MCP__SHAPES(ONE_MEMBERS);

const struct mcp__tool mcp__tool_service_get = {
	.name = "service_get",
	.title = "Get a service",
	.description = "Shows one service: the credit that is left, the base URLs for OpenAI and "
		       "Anthropic clients, and the providers that can be called. Free. The URLs "
		       "need a router key from router_api_key_create, not the purchase key.",
	.hints = MCP__LOOK_ONLY,
	.needs_account = true,
	.input = &mcp__service_fields,
	.output = &ONE_SHAPES,
	.run = get_service,
};
