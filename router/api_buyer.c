/* SPDX-License-Identifier: Apache-2.0 */
/* What an account sees of itself: who it is, its money, what it bought, what it could call. */
#include "router/api_parts.h"

#define LIST_MAX 200 /* purchases, fundings */

static bool is_whole(const struct api_call *c)
{
	return c->session.kind != KEY_ROUTER;
}

/* ---- GET /buyer/me ---- */

static void put_session(struct json_out *out, const struct store_session *s)
{
	json_put_object(out, "session");
	json_put_z(out, "kind", key_kind_name(s->kind));
	json_put_time(out, "expiresAt", s->expires_ms);
	api_put_id(out, "serviceId", &s->service);
	json_put_array(out, "may");
	json_put_z(out, NULL, "look");
	if (s->kind != KEY_ROUTER)
		json_put_z(out, NULL, "rotate_route_key");
	if (s->kind == KEY_PURCHASE)
		json_put_z(out, NULL, "manage_keys");
	json_put_end(out, ']');
	json_put_end(out, '}');
}

static void put_wallet(struct json_out *out, const struct api_call *c,
                       const struct store_account *account)
{
	if (!is_whole(c)) {
		json_put_null(out, "wallet");
		json_put_null(out, "policy");
		return;
	}
	json_put_object(out, "wallet");
	json_put_usd(out, "balanceUsd", account->wallet);
	json_put_usd(out, "availableUsd", account->wallet);
	json_put_end(out, '}');
	api_put_policy(out, "policy", &account->policy);
}

struct services {
	struct json_out *out;
	struct str only;
};

static void put_service(void *data, const struct store_service *service)
{
	const struct services *s = data;

	if (!s->only.p || str_eq(s->only, id_str(&service->id)))
		api_put_service(s->out, service);
}

struct route_key {
	struct json_out *out;
	int64_t now_ms;
	bool found;
};

static void find_route_key(void *data, const struct store_key_info *key)
{
	struct route_key *f = data;

	if (key->kind != KEY_ROUTE || key->revoked || f->found)
		return;
	f->found = true;
	api_put_key(f->out, "routeKey", key, f->now_ms);
}

static bool put_route_key(const struct api_call *c, struct store *st, struct json_out *out,
                          struct err *err)
{
	struct route_key f = { .out = out, .now_ms = env_now_ms(c->r->options.env) };

	if (is_whole(c) &&
	    !store_key_each(st, &c->session.account, (struct str){ 0 }, find_route_key, &f, err))
		return false;
	if (!f.found)
		json_put_null(out, "routeKey");
	return true;
}

bool api_me(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	struct store_account account;
	struct services services = { out, api_service(c) };

	if (!store_account_find(st, id_str(&c->session.account), &account, err))
		return false;
	api_begin_item(out);
	json_put_str(out, "buyerId", id_str(&account.id));
	json_put_z(out, "name", account.name);
	put_session(out, &c->session);
	put_wallet(out, c, &account);
	json_put_array(out, "services");
	if (!store_service_each(st, &account.id, put_service, &services, err))
		return false;
	json_put_end(out, ']');
	if (!put_route_key(c, st, out, err))
		return false;
	api_put_urls(out, c->r);
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

/* ---- GET /buyer/credits ---- */

static void put_purchase(void *data, const struct store_purchase_line *line)
{
	struct json_out *out = data;
	const struct store_purchase *p = &line->purchase;

	json_put_object(out, NULL);
	json_put_str(out, "id", id_str(&p->id));
	json_put_z(out, "status", p->status);
	json_put_str(out, "displayName", line->display_name);
	json_put_i64(out, "totalPriceMinor", p->total_cents);
	json_put_z(out, "currency", "usd");
	json_put_str(out, "serviceId", id_str(&p->service));
	api_put_id(out, "quoteId", &p->quote);
	json_put_time(out, "createdAt", p->created_ms);
	json_put_end(out, '}');
}

void api_put_funding(void *data, const struct store_funding_line *line)
{
	struct json_out *out = data;

	json_put_object(out, NULL);
	json_put_str(out, "reference", line->reference);
	json_put_usd(out, "amountUsd", line->amount);
	json_put_time(out, "createdAt", line->created_ms);
	json_put_end(out, '}');
}

bool api_credits(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	const struct id *account = &c->session.account;

	api_begin_items(out);
	if (!store_purchase_each(st, account, api_service(c), LIST_MAX, put_purchase, out, err))
		return false;
	json_put_end(out, ']');
	json_put_array(out, "fundings");
	if (is_whole(c) && !store_funding_each(st, account, LIST_MAX, api_put_funding, out, err))
		return false;
	api_end_items(out);
	return true;
}

/* ---- GET /buyer/models ---- */

void api_buyer_models(struct api_call *c)
{
	const struct store_models *models = c->terms->models;

	api_begin_items(&c->out);
	for (size_t i = 0; i < store_models_count(models); i++) {
		const struct store_model *m = store_models_at(models, i);
		if (!store_model_routable(models, m))
			continue;
		json_put_object(&c->out, NULL);
		api_put_model(&c->out, models, m, store_model_serving(models, m));
		json_put_end(&c->out, '}');
	}
	api_end_items(&c->out);
	api_answer(c);
}
