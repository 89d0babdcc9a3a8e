/* SPDX-License-Identifier: Apache-2.0 */
/* The model lists, in OpenAI's shape on /openai/v1 and in Anthropic's on a route alias: only what
 * the key may use and what can be routed. A retired model says who serves it. */
#include "base/json.h"
#include "router/internal.h"

#define LIST_MAX (1u << 20)

/* The model that answers if `m` is asked on `route` with `key`; NULL if none does. */
static const struct store_model *offered(const struct router *r, const struct store_route *route,
                                         const struct store_key *key, const struct store_model *m)
{
	const struct store_offer *offer;
	const struct store_model *serving = store_model_serving(r->terms->models, m);

	return serving && store_key_allows_model(key, m->id) &&
	                       store_route_offers(route, serving, &offer, 1) > 0
	               ? serving
	               : NULL;
}

static void reply(struct net_request *rq, struct json_out *o)
{
	static const struct net_header h[] = { { STR_INIT("Content-Type"),
		                                 STR_INIT("application/json") } };

	net_reply(rq, 200, h, 1, buf_str(&o->text));
}

static void put_state(struct json_out *o, const struct router *r, const struct store_model *m,
                      const struct store_model *serving)
{
	json_put_z(o, "state", model_state_name(store_model_state(r->terms->models, m)));
	if (serving != m)
		json_put_str(o, "servedBy", serving->id);
}

static void put_openai(struct json_out *o, const struct router *r, const struct store_model *m,
                       const struct store_model *serving)
{
	json_put_object(o, NULL);
	json_put_str(o, "id", m->id);
	json_put_z(o, "object", "model");
	json_put_i64(o, "created", m->created_s);
	json_put_z(o, "owned_by", provider_name(m->provider));
	put_state(o, r, m, serving);
	json_put_end(o, '}');
}

void models_list(struct router *r, struct net_request *rq, const struct store_key *key)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIST_MAX);
	const struct store_route *route = store_route_chat(r->terms->models);

	json_put_object(&o, NULL);
	json_put_z(&o, "object", "list");
	json_put_array(&o, "data");
	for (size_t i = 0; i < store_models_count(r->terms->models); i++) {
		const struct store_model *m = store_models_at(r->terms->models, i);
		const struct store_model *serving = offered(r, route, key, m);
		if (serving)
			put_openai(&o, r, m, serving);
	}
	json_put_end(&o, ']');
	json_put_end(&o, '}');
	reply(rq, &o);
}

void models_show(struct router *r, struct net_request *rq, const struct store_key *key,
                 struct str id)
{
	static const struct failure none = {
		.code = ERR_NOT_FOUND,
		.model = true,
		.text = "no such model; GET /openai/v1/models lists those that this key may use"
	};
	OWN_JSON_OUT struct json_out o = json_out_make(4096);
	const struct store_model *m = store_models_find(r->terms->models, id);
	const struct store_model *serving =
		m ? offered(r, store_route_chat(r->terms->models), key, m) : NULL;

	if (!serving) {
		failure_reply(&none, DIALECT_OPENAI, NULL, (struct str){ 0 }, rq);
		return;
	}
	put_openai(&o, r, m, serving);
	reply(rq, &o);
}

static void put_anthropic(struct json_out *o, const struct router *r, const struct store_model *m,
                          const struct store_model *serving)
{
	json_put_object(o, NULL);
	json_put_z(o, "type", "model");
	json_put_str(o, "id", m->id);
	json_put_str(o, "display_name", m->display_name);
	json_put_time(o, "created_at", m->created_s * 1000);
	json_put_i64(o, "max_input_tokens", serving->context_tokens);
	json_put_i64(o, "max_tokens", serving->max_output_tokens);
	put_state(o, r, m, serving);
	json_put_end(o, '}');
}

void models_list_alias(struct router *r, struct net_request *rq, const struct store_key *key,
                       const struct store_route *route)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIST_MAX);
	struct str first = { 0 }, last = { 0 };

	json_put_object(&o, NULL);
	json_put_array(&o, "data");
	for (size_t i = 0; i < store_models_count(r->terms->models); i++) {
		const struct store_model *m = store_models_at(r->terms->models, i);
		const struct store_model *serving = offered(r, route, key, m);
		if (!serving)
			continue;
		put_anthropic(&o, r, m, serving);
		first = first.p ? first : m->id;
		last = m->id;
	}
	json_put_end(&o, ']');
	json_put_bool(&o, "has_more", false);
	json_put_str(&o, "first_id", first);
	json_put_str(&o, "last_id", last);
	json_put_end(&o, '}');
	reply(rq, &o);
}
