/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: listed, made, rotated, revoked, by their owner and by the operator, who may touch purchase
 * keys too. A secret is in the answer that made it and wiped with it. */
#include "router/api_parts.h"

#define SEARCH_MAX 200

struct listing {
	struct json_out *out;
	int64_t now_ms;
};

static void put_listed(void *data, const struct store_key_info *key)
{
	const struct listing *l = data;

	api_put_key(l->out, NULL, key, l->now_ms);
}

static struct listing listing_of(const struct api_call *c, struct json_out *out)
{
	return (struct listing){ out, env_now_ms(c->r->options.env) };
}

/* NULL for the operator. */
static const struct id *owner(const struct api_call *c)
{
	return c->route->who == API_ADMIN ? NULL : &c->session.account;
}

bool api_keys(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	struct listing l = listing_of(c, out);

	api_begin_items(out);
	if (!store_key_each(st, &c->session.account, api_service(c), put_listed, &l, err))
		return false;
	api_end_items(out);
	return true;
}

/* ---- POST /buyer/keys ---- */

struct creation {
	struct str service_id, label;
	const struct json *limits;
};
static const struct json_field CREATION[] = {
	{ .name = "serviceId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct creation, service_id),
	  .required = true,
	  .min = 1,
	  .max = ID_TEXT_MAX - 1,
	  .doc = "the service whose credit the key spends" },
	{ .name = "label",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct creation, label),
	  .required = true,
	  .min = 1,
	  .max = LIMIT_LABEL,
	  .doc = "a name" },
	{ .name = "limits",
	  .type = JSON_FIELD_OBJECT,
	  .offset = offsetof(struct creation, limits),
	  .sub = &store_key_limit_fields,
	  .doc = "what the key may do" },
};
const struct json_fields api_key_fields = JSON_FIELDS(CREATION);

static bool check_models(const struct api_call *c, const struct json *list, struct err *err)
{
	for (const struct json *m = json_first(list); m; m = json_next(m))
		if (!store_models_find(c->terms->models, json_text(m)))
			return err_set(err, ERR_INVALID_ARGUMENT,
			               "'limits.allowedModels' has an unknown model '%.*s'",
			               STR_ARG(json_text(m)));
	return true;
}

bool api_key_create(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	OWN_SECRET struct secret secret = { 0 };
	struct creation in = { .limits = NULL };
	struct store_key_limits limits = { .spend_limit = money_of_micros(-1) };
	struct store_key_info info;

	if (!api_read(c, &in, err))
		return false;
	if (!json_read(in.limits, &store_key_limit_fields, &limits, err))
		return err_prefix(err, "in 'limits'");
	if (!check_models(c, limits.allowed_models, err) ||
	    !store_router_key_create(st, &c->session.account, in.service_id, in.label, &limits,
	                             &info, &secret, err))
		return false;
	api_put_new_key(out, c->r, &info, &secret, env_now_ms(c->r->options.env));
	return true;
}

/* ---- Changing ---- */

bool api_key_rotate(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	OWN_SECRET struct secret secret = { 0 };
	struct store_key_info info;

	if (!store_key_rotate(st, owner(c), str_of(c->subject), &info, &secret, err))
		return false;
	api_put_new_key(out, c->r, &info, &secret, env_now_ms(c->r->options.env));
	return true;
}

bool api_key_revoke(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	struct store_key_info info;

	if (!store_key_revoke(st, owner(c), str_of(c->subject), &info, err))
		return false;
	json_put_object(out, NULL);
	api_put_key(out, "item", &info, env_now_ms(c->r->options.env));
	json_put_end(out, '}');
	return true;
}

bool api_route_key_rotate(struct api_call *c, struct store *st, struct json_out *out,
                          struct err *err)
{
	OWN_SECRET struct secret secret = { 0 };

	if (!store_route_key_rotate(st, &c->session.account, &secret, err))
		return false;
	api_begin_item(out);
	json_put_str(out, "buyerId", id_str(&c->session.account));
	json_put_str(out, "routeApiKey", secret_str(&secret));
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

/* ---- GET /admin/keys ---- */

struct search {
	struct str q;
};
static const struct json_field SEARCH[] = {
	{ .name = "q",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct search, q),
	  .min = 1,
	  .max = 96,
	  .doc = "part of an id, lookup, label or account's name" },
};
const struct json_fields api_key_search_fields = JSON_FIELDS(SEARCH);

bool api_admin_keys(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	struct listing l = listing_of(c, out);
	struct search in = { .q = { 0 } };

	if (!api_read(c, &in, err))
		return false;
	api_begin_items(out);
	if (!store_key_search(st, in.q, SEARCH_MAX, put_listed, &l, err))
		return false;
	api_end_items(out);
	return true;
}
