/* SPDX-License-Identifier: Apache-2.0 */
/* Routes: reading them and looking in them. A route's offers are worked out here once, prices and
 * all, so that a call only picks one. An upstream may stand in several routes; what makes it one
 * and the same is its name, which therefore always means one address and one credential. */
#include <assert.h>
#include <string.h>

#include "base/config.h"
#include "base/limits.h"
#include "store/model_table.h"

#define MAX_UPSTREAMS 16
#define MAX_ROUTE_MODELS 256
#define MAX_URL 2048
#define MAX_KEY 4096
#define MAX_WEIGHT 1000000
#define MAX_FACTOR_LEN 16
#define PPM_ONE 1000000
#define PPM_MAX (1000 * (int64_t)PPM_ONE)

#define CHAT_ALIAS "openai" /* the route behind /openai/v1 */

static const char *const STRATEGIES[] = { "ordered", "weighted", NULL };

/* ---- What a route's JSON says ---- */

struct upstream_record {
	struct str name, provider, base_url, key, factor;
	int64_t weight;
	const struct json *models;
};

#define FIELD(record, key_, kind, low, high, member, ...)                               \
	{                                                                               \
		.name = (key_), .type = JSON_FIELD_##kind, .min = (low), .max = (high), \
		.offset = offsetof(struct record, member), __VA_ARGS__                  \
	}

static const struct json_field UPSTREAM_ARRAY[] = {
	FIELD(upstream_record, "name", STR, 1, LIMIT_MODEL_ID, name,
	      .doc = "for receipts and logs"),
	FIELD(upstream_record, "provider", STR, 1, LIMIT_MODEL_ID, provider, .required = true,
	      .choices = store__provider_choices, .doc = "whose format it speaks"),
	FIELD(upstream_record, "baseUrl", STR, 1, MAX_URL, base_url,
	      .doc = "where it is, if not at the provider's"),
	FIELD(upstream_record, "apiKey", STR, 1, MAX_KEY, key,
	      .doc = "its credential, if not the provider's"),
	FIELD(upstream_record, "weight", INT, 1, MAX_WEIGHT, weight,
	      .doc = "its share among the others' of a weighted route"),
	FIELD(upstream_record, "priceFactor", STR, 1, MAX_FACTOR_LEN, factor,
	      .doc = "times the list price, as in \"0.8\""),
	FIELD(upstream_record, "models", LIST, 1, MAX_ROUTE_MODELS, models, .required = true,
	      .doc = "ids of the models that it serves"),
};
static const struct json_fields UPSTREAM_FIELDS = JSON_FIELDS(UPSTREAM_ARRAY);

struct route_record {
	struct str alias, provider, strategy;
	const struct json *models, *upstreams;
};

static const struct json_field ROUTE_ARRAY[] = {
	FIELD(route_record, "alias", STR, 1, LIMIT_MODEL_ID, alias, .required = true,
	      .doc = "first part of the path"),
	FIELD(route_record, "strategy", STR, 1, LIMIT_MODEL_ID, strategy, .choices = STRATEGIES,
	      .doc = "how one of several upstreams is chosen"),
	FIELD(route_record, "upstreams", LIST, 1, MAX_UPSTREAMS, upstreams, .sub = &UPSTREAM_FIELDS,
	      .doc = "who answers"),
	FIELD(route_record, "provider", STR, 1, LIMIT_MODEL_ID, provider,
	      .choices = store__provider_choices, .doc = "instead of upstreams: the only one"),
	FIELD(route_record, "models", LIST, 1, MAX_ROUTE_MODELS, models,
	      .doc = "and the ids of the models that it serves"),
};
static const struct json_fields ROUTE_FIELDS = JSON_FIELDS(ROUTE_ARRAY);

/* First path parts that mean something else on the listener. CHAT_ALIAS is one too, but a route of
 * that name is the one behind it. */
static const char *const RESERVED[] = { "buyer", "healthz", "admin", "metrics", "v1" };

static bool check_alias(struct str alias, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(RESERVED); i++) {
		if (str_eq(alias, str_of(RESERVED[i])))
			return err_set(err, ERR_INVALID_ARGUMENT,
			               "this alias is a path of the router itself");
	}
	if (!store__is_name(alias) || memchr(alias.p, '/', alias.len) || alias.p[0] == '.')
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "an alias has letters, digits and '-._:' only");
	return true;
}

/* ---- Upstreams ---- */

static struct store_upstream own_upstream(const struct store_models *m, enum provider provider)
{
	return (struct store_upstream){
		.name = str_of(provider_name(provider)),
		.provider = provider,
		.weight = 1,
		.price_ppm = PPM_ONE,
		.configured = m->has_key[provider],
	};
}

/* "<alias>-<number>" for one that has an address or credential of its own and no name. */
static bool name_upstream(struct store_models *m, struct str alias, size_t number,
                          struct store_upstream *u, struct err *err)
{
	OWN_BUF struct buf name = buf_make(LIMIT_MODEL_ID + 8);

	buf_add(&name, alias);
	buf_add_char(&name, '-');
	buf_add_i64(&name, (int64_t)number);
	return buf_ok(&name, "an upstream's name", err) &&
	       store__models_keep(m, buf_str(&name), &u->name, err);
}

static bool read_factor(struct str text, int64_t *ppm, struct err *err)
{
	struct money factor;

	if (!money_parse_usd(text, 6, &factor, NULL) || money_micros(factor) <= 0 ||
	    money_micros(factor) > PPM_MAX)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'priceFactor' must be a decimal number above 0, at most 1000, with "
		               "at most six decimals, as in \"0.8\"");
	*ppm = money_micros(factor);
	return true;
}

static bool check_upstream(struct upstream_record *r, struct err *err)
{
	if (r->name.p && !store__is_name(r->name))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'name' has letters, digits and '-._:/' only");
	if (r->base_url.p && !config_url_check(&r->base_url, err))
		return err_prefix(err, "'baseUrl'");
	if (r->key.p && !config_secret_check(r->key, err))
		return err_prefix(err, "'apiKey'");
	return true;
}

/* A provider's name stands for its own settings, and for nothing else. */
static bool check_name(const struct store_upstream *u, struct err *err)
{
	enum provider named;

	if (provider_parse(u->name, &named) && (named != u->provider || u->base_url.p || u->key.p))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "the name '%.*s' means the provider's own settings",
		               STR_ARG(u->name));
	return true;
}

static bool read_upstream(struct store_models *m, struct upstream_record *r, struct str name_from,
                          size_t number, struct store_upstream *out, struct err *err)
{
	enum provider provider = PROVIDER_COUNT;

	if (!check_upstream(r, err) || !provider_parse(r->provider, &provider))
		return false;
	struct store_upstream u = own_upstream(m, provider);
	if (r->weight > 0)
		u.weight = r->weight;
	if (r->factor.p && !read_factor(r->factor, &u.price_ppm, err))
		return false;
	if ((r->base_url.p || r->key.p) && !name_upstream(m, name_from, number, &u, err))
		return false;
	if (!store__models_keep(m, r->name, &u.name, err) ||
	    !store__models_keep(m, r->base_url, &u.base_url, err) ||
	    !store__models_keep(m, r->key, &u.key, err))
		return false;
	u.configured = u.configured || u.key.p;
	if (!check_name(&u, err))
		return false;
	*out = u;
	return true;
}

/* ---- Offers ---- */

/* A route while it is made: its arrays can still be written. */
struct draft {
	struct store_route route;
	struct store_upstream *upstreams;
	struct store_offer *offers;
};

static bool make_draft(struct store_models *m, size_t upstreams, size_t offers, struct draft *d,
                       struct err *err)
{
	d->upstreams = store__models_alloc(m, upstreams * sizeof *d->upstreams);
	d->offers = store__models_alloc(m, offers * sizeof *d->offers);
	d->route.upstreams = d->upstreams;
	d->route.offers = d->offers;
	d->route.upstream_count = d->route.offer_count = 0;
	return (d->upstreams && d->offers) || err_no_memory(err);
}

/* Receipts must not name a published price list for prices that are not on it. */
static bool name_prices(struct store_models *m, struct store_offer *offer, struct err *err)
{
	OWN_BUF struct buf name = buf_make((size_t)2 * LIMIT_MODEL_ID);
	char factor[MONEY_TEXT_MAX];

	offer->price_version = offer->model->price_version;
	if (offer->upstream->price_ppm == PPM_ONE)
		return true;
	money_format_usd(money_of_micros(offer->upstream->price_ppm), factor);
	buf_add(&name, offer->model->price_version);
	buf_add_char(&name, '*');
	buf_add_z(&name, factor);
	return buf_ok(&name, "a price version", err) &&
	       store__models_keep(m, buf_str(&name), &offer->price_version, err);
}

static bool add_offer(struct store_models *m, struct draft *d, const struct store_upstream *u,
                      const struct store_model *model, struct err *err)
{
	struct store_offer offer = { .upstream = u, .model = model };

	if (model->provider != u->provider)
		return err_set(err, ERR_INVALID_ARGUMENT, "model '%.*s' is not of provider '%s'",
		               STR_ARG(model->id), provider_name(u->provider));
	for (size_t i = 0; i < d->route.offer_count; i++) {
		if (d->offers[i].upstream == u && d->offers[i].model == model)
			return err_set(err, ERR_INVALID_ARGUMENT, "model '%.*s' is listed twice",
			               STR_ARG(model->id));
	}
	if (!token_prices_scale(&model->prices, u->price_ppm, &offer.prices) ||
	    !token_prices_scale(&model->long_prices, u->price_ppm, &offer.long_prices))
		return err_set(err, ERR_INVALID_ARGUMENT, "the price of '%.*s' is too large",
		               STR_ARG(model->id));
	if (!name_prices(m, &offer, err))
		return false;
	d->offers[d->route.offer_count++] = offer;
	return true;
}

static bool add_offers(struct store_models *m, struct draft *d, const struct store_upstream *u,
                       const struct json *ids, struct err *err)
{
	for (const struct json *at = json_first(ids); at; at = json_next(at)) {
		const struct store_model *model = store__models_by_id(m, json_text(at));

		if (!model)
			return err_set(err, ERR_INVALID_ARGUMENT, "there is no model '%.*s'",
			               STR_ARG(json_text(at)));
		if (!add_offer(m, d, u, model, err))
			return false;
	}
	return true;
}

/* ---- Routes ---- */

static size_t count_models(const struct json *upstreams)
{
	size_t n = 0;

	for (const struct json *at = json_first(upstreams); at; at = json_next(at))
		n += json_count(json_get(at, "models"));
	return n;
}

static bool fill_upstreams(struct store_models *m, const struct route_record *r, struct draft *d,
                           struct err *err)
{
	if (!make_draft(m, json_count(r->upstreams), count_models(r->upstreams), d, err))
		return false;
	for (const struct json *at = json_first(r->upstreams); at; at = json_next(at)) {
		struct upstream_record u = { 0 };
		size_t i = d->route.upstream_count;

		if (!json_read(at, &UPSTREAM_FIELDS, &u, err) ||
		    !read_upstream(m, &u, r->alias, i + 1, &d->upstreams[i], err) ||
		    !add_offers(m, d, &d->upstreams[i], u.models, err))
			return err_prefix(err, "upstreams[%zu]", i);
		d->route.upstream_count++;
	}
	return true;
}

/* The short form: one upstream with the provider's own settings. What it does not name is taken
 * from the route that it changes. */
static bool fill_short(struct store_models *m, const struct route_record *r, struct draft *d,
                       struct err *err)
{
	const struct store_route old = d->route;
	enum provider provider =
		old.upstream_count > 0 ? old.upstreams[0].provider : PROVIDER_COUNT;

	if (old.upstream_count == 0 && (!r->provider.p || !r->models))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "a new route needs 'provider' and 'models', or 'upstreams'");
	if (r->provider.p && !provider_parse(r->provider, &provider))
		return err_set(err, ERR_INVALID_ARGUMENT, "unknown provider");
	if (!make_draft(m, 1, r->models ? json_count(r->models) : old.offer_count, d, err))
		return false;
	d->upstreams[0] = own_upstream(m, provider);
	d->route.upstream_count = 1;
	if (r->models)
		return add_offers(m, d, d->upstreams, r->models, err);
	for (size_t i = 0; i < old.offer_count; i++) {
		if (old.offers[i].upstream == old.upstreams &&
		    !add_offer(m, d, d->upstreams, old.offers[i].model, err))
			return false;
	}
	return true;
}

static bool fill_route(struct store_models *m, const struct route_record *r, struct draft *d,
                       struct err *err)
{
	bool is_short = r->provider.p || r->models;

	if (r->upstreams && is_short)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "a route has either 'upstreams' or 'provider' and 'models'");
	if (!store__models_keep(m, r->alias, &d->route.alias, err))
		return false;
	if (r->strategy.p)
		d->route.weighted = str_eq(r->strategy, STR("weighted"));
	if (r->upstreams)
		return fill_upstreams(m, r, d, err);
	return (!is_short && d->route.upstream_count > 0) || fill_short(m, r, d, err);
}

static struct store_route *place_of(struct store_models *m, struct str alias)
{
	size_t at = 0;

	if (str_eq(alias, STR(CHAT_ALIAS)))
		return &m->chat;
	while (at < m->route_count && !str_eq(m->routes[at].alias, alias))
		at++;
	return &m->routes[at];
}

static bool load_route(struct store_models *m, const struct json *node, struct err *err)
{
	struct route_record r = { 0 };

	if (!json_read(node, &ROUTE_FIELDS, &r, err) || !check_alias(r.alias, err))
		return false;
	struct store_route *place = place_of(m, r.alias);
	struct draft d = { .route = *place };
	if (!fill_route(m, &r, &d, err))
		return false;
	*place = d.route;
	if (place == m->routes + m->route_count)
		m->route_count++;
	return true;
}

bool store__routes_load(struct store_models *m, const struct json *list, struct err *err)
{
	size_t i = 0;

	if (!store__is_list_of_objects("routes", list, err))
		return false;
	for (const struct json *at = json_first(list); at; at = json_next(at), i++) {
		if (!load_route(m, at, err))
			return store__blame(err, "routes", i, json_text(json_get(at, "alias")));
	}
	return true;
}

/* ---- When all are loaded ---- */

/* Every model at its provider. */
static bool make_chat(struct store_models *m, struct err *err)
{
	struct draft d = { .route = { .alias = STR_INIT(CHAT_ALIAS) } };

	if (!make_draft(m, PROVIDER_COUNT, m->count, &d, err))
		return false;
	for (int p = 0; p < PROVIDER_COUNT; p++) {
		struct store_upstream *u = &d.upstreams[d.route.upstream_count++];

		*u = own_upstream(m, (enum provider)p);
		for (size_t i = 0; i < m->count; i++) {
			if (m->models[i].provider == u->provider &&
			    !add_offer(m, &d, u, &m->models[i], err))
				return false;
		}
	}
	m->chat = d.route;
	return true;
}

static bool is_same(const struct store_upstream *a, const struct store_upstream *b)
{
	return a->provider == b->provider && str_eq(a->base_url, b->base_url) &&
	       str_eq(a->key, b->key);
}

static bool check_others(const struct store_upstream *u, const struct store_route *others,
                         struct err *err)
{
	for (size_t i = 0; i < others->upstream_count; i++) {
		const struct store_upstream *other = &others->upstreams[i];

		if (other != u && str_eq(other->name, u->name) && !is_same(u, other))
			return err_set(err, ERR_INVALID_ARGUMENT,
			               "the name '%.*s' means another upstream of route '%.*s'",
			               STR_ARG(u->name), STR_ARG(others->alias));
	}
	return true;
}

static bool check_twins(const struct store_route *route, struct err *err)
{
	for (size_t i = 1; i < route->upstream_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (str_eq(route->upstreams[i].name, route->upstreams[j].name))
				return err_set(err, ERR_INVALID_ARGUMENT,
				               "two upstreams have the name '%.*s'",
				               STR_ARG(route->upstreams[i].name));
		}
	}
	return true;
}

static bool check_route(const struct store_models *m, const struct store_route *route,
                        struct err *err)
{
	for (size_t i = 0; i < route->upstream_count; i++) {
		for (size_t r = 0; r <= m->route_count; r++) {
			if (!check_others(&route->upstreams[i],
			                  r < m->route_count ? &m->routes[r] : &m->chat, err))
				return false;
		}
	}
	return check_twins(route, err);
}

bool store__routes_complete(struct store_models *m, struct err *err)
{
	if (m->chat.upstream_count == 0 && !make_chat(m, err))
		return false;
	for (size_t r = 0; r <= m->route_count; r++) {
		const struct store_route *route = r < m->route_count ? &m->routes[r] : &m->chat;

		if (!check_route(m, route, err))
			return err_prefix(err, "route '%.*s'", STR_ARG(route->alias));
	}
	return true;
}

/* ---- Looking up ---- */

const struct store_route *store_route_find(const struct store_models *m, struct str alias)
{
	for (size_t i = 0; i < m->route_count; i++) {
		if (str_eq(m->routes[i].alias, alias))
			return &m->routes[i];
	}
	return NULL;
}

size_t store_routes_count(const struct store_models *m)
{
	return m->route_count;
}

const struct store_route *store_route_at(const struct store_models *m, size_t i)
{
	return i < m->route_count ? &m->routes[i] : NULL;
}

const struct store_route *store_route_chat(const struct store_models *m)
{
	return &m->chat;
}

const struct store_model *store_route_model(const struct store_route *r, struct str id)
{
	const struct store_model *dated = NULL;

	for (size_t i = 0; i < r->offer_count; i++) {
		const struct store_model *model = r->offers[i].model;

		if (str_eq(model->id, id))
			return model;
		if (!dated && str_eq(model->upstream_id, id))
			dated = model;
	}
	return dated;
}

size_t store_route_offers(const struct store_route *r, const struct store_model *model,
                          const struct store_offer **out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < r->offer_count && n < max; i++) {
		const struct store_offer *offer = &r->offers[i];

		if (offer->model == model && offer->upstream->configured &&
		    store__prices_complete(&offer->prices))
			out[n++] = offer;
	}
	return n;
}
