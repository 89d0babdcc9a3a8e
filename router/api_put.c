/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that several answers of the API have in common. */
#include "router/api.h"

void api_put_id(struct json_out *o, const char *key, const struct id *id)
{
	if (id_is_empty(id))
		json_put_null(o, key);
	else
		json_put_str(o, key, id_str(id));
}

static void put_limit(struct json_out *o, const char *key, struct money limit)
{
	if (money_is_negative(limit))
		json_put_null(o, key);
	else
		json_put_usd(o, key, limit);
}

void api_put_policy(struct json_out *o, const char *key, const struct store_policy *policy)
{
	json_put_object(o, key);
	put_limit(o, "maxPurchaseUsd", policy->max_purchase);
	put_limit(o, "dailyUsd", policy->daily);
	put_limit(o, "approvalAboveUsd", policy->approval_above);
	json_put_end(o, '}');
}

void api_put_service(struct json_out *o, const struct store_service *service)
{
	json_put_object(o, NULL);
	json_put_str(o, "id", id_str(&service->id));
	json_put_z(o, "serviceType", service->service_type);
	json_put_z(o, "displayName", service->display_name);
	json_put_z(o, "status", service->status);
	json_put_usd(o, "creditBalanceUsd", service->balance.balance);
	json_put_usd(o, "heldUsd", service->balance.held);
	json_put_usd(o, "availableUsd", service->balance.available);
	json_put_time(o, "createdAt", service->created_ms);
	json_put_end(o, '}');
}

/* ---- Keys ---- */

static const char *key_status(const struct store_key_info *key, int64_t now_ms)
{
	if (key->revoked)
		return "revoked";
	if (key->expires_ms != 0 && key->expires_ms <= now_ms)
		return "expired";
	return key->frozen ? "frozen" : "active";
}

void api_put_key_open(struct json_out *o, const char *member, const struct store_key_info *key,
                      int64_t now_ms)
{
	json_put_object(o, member);
	json_put_str(o, "id", id_str(&key->id));
	json_put_str(o, "accountId", id_str(&key->account));
	api_put_id(o, "serviceId", &key->service);
	json_put_z(o, "kind", key_kind_name(key->kind));
	json_put_z(o, "label", key->label);
	json_put_z(o, "prefix", key_prefix(key->kind));
	json_put_z(o, "lookup", key->lookup);
	json_put_z(o, "status", key_status(key, now_ms));
	store_key_limits_put(o, "limits", key);
	json_put_usd(o, "spentUsd", key->spent);
	json_put_time(o, "createdAt", key->created_ms);
	json_put_time(o, "lastUsedAt", key->last_used_ms);
	json_put_time(o, "revokedAt", key->revoked_ms);
}

void api_put_key(struct json_out *o, const char *member, const struct store_key_info *key,
                 int64_t now_ms)
{
	api_put_key_open(o, member, key, now_ms);
	json_put_end(o, '}');
}

void api_put_new_key(struct json_out *o, const struct router *r, const struct store_key_info *key,
                     const struct secret *secret, int64_t now_ms)
{
	json_put_object(o, NULL);
	api_put_key_open(o, "item", key, now_ms);
	json_put_str(o, "secret", secret_str(secret));
	api_put_urls(o, r);
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static void put_url(struct json_out *o, const char *key, const struct router *r, const char *tail)
{
	OWN_BUF struct buf url = buf_make(4096);

	buf_add_z(&url, router_public_url(r));
	buf_add_z(&url, tail);
	json_put_str(o, key, buf_str(&url));
}

void api_put_urls(struct json_out *o, const struct router *r)
{
	put_url(o, "baseUrl", r, "/openai/v1");
	put_url(o, "anthropicBaseUrl", r, "/claude");
}

/* ---- Models ---- */

void api_put_prices(struct json_out *o, const char *key, const struct token_prices *prices)
{
	json_put_object(o, key);
	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++)
		json_put_price(o, token_class_price_field((enum token_class)c),
		               prices->per_million[c]);
	json_put_end(o, '}');
}

void api_put_model(struct json_out *o, const struct store_models *models,
                   const struct store_model *m, const struct store_model *serving)
{
	const struct store_model *told = serving ? serving : m;

	json_put_str(o, "id", m->id);
	json_put_z(o, "provider", provider_name(m->provider));
	json_put_str(o, "displayName", m->display_name);
	json_put_z(o, "state", model_state_name(store_model_state(models, m)));
	json_put_i64(o, "contextTokens", told->context_tokens);
	json_put_i64(o, "maxOutputTokens", told->max_output_tokens);
	api_put_prices(o, "pricesUsdPerMillion", &told->prices);
}

/* ---- Frames ---- */

void api_begin_item(struct json_out *o)
{
	json_put_object(o, NULL);
	json_put_object(o, "item");
}

void api_begin_items(struct json_out *o)
{
	json_put_object(o, NULL);
	json_put_array(o, "items");
}

void api_end_items(struct json_out *o)
{
	json_put_end(o, ']');
	json_put_end(o, '}');
}
