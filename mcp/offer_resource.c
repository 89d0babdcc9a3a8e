/* SPDX-License-Identifier: Apache-2.0 */
/* Resources: each is the answer of a tool, or of a view, under a URI that a person can mention. So
 * they hold nothing that a tool does not tell, and need no code of their own. */
#include "base/limits.h"
#include "mcp/offer.h"
#include "mcp/work.h"

#define RPC_RESOURCE_NOT_FOUND (-32002) /* up to 2025-11-25 */

#define PRICES_TTL_MS INT64_C(300000)
#define RECEIPT_TTL_MS INT64_C(3600000) /* it never changes */

struct resource {
	const char *uri; /* with an argument: the part before it */
	const char *name, *title, *description;
	const char *kind, *work; /* what answers for it */
	const char *arguments;   /* of a fixed one, raw */
	const char *argument;    /* what follows the URI; NULL: nothing does */
	const char *completes;   /* how that is completed */
	int64_t ttl_ms;
	bool is_public; /* the same for every account */
};

static const struct resource RESOURCES[] = {
	{ .uri = "store://catalog",
	  .name = "catalog",
	  .title = "What the store sells",
	  .description = "Every item that can be bought; as catalog_search.",
	  .kind = "tool",
	  .work = "catalog_search",
	  .arguments = "{\"limit\":100}",
	  .ttl_ms = PRICES_TTL_MS,
	  .is_public = true },
	{ .uri = "store://models",
	  .name = "models",
	  .title = "Models that credit buys",
	  .description = "Models with limits and prices; as router_models_list.",
	  .kind = "tool",
	  .work = "router_models_list",
	  .arguments = "{}",
	  .ttl_ms = PRICES_TTL_MS,
	  .is_public = true },
	{ .uri = "store://pricing",
	  .name = "pricing",
	  .title = "Prices and terms",
	  .description = "What credit and tokens cost, and how charges are rounded.",
	  .kind = "view",
	  .work = "pricing",
	  .arguments = "{}",
	  .ttl_ms = PRICES_TTL_MS,
	  .is_public = true },
	{ .uri = "store://service/",
	  .name = "service",
	  .title = "A service of yours",
	  .description = "Credit that is left, and the URLs; as service_get.",
	  .kind = "tool",
	  .work = "service_get",
	  .argument = "serviceId",
	  .completes = "service" },
	{ .uri = "store://receipt/",
	  .name = "receipt",
	  .title = "A call's receipt",
	  .description = "What a call used and cost; as router_request_get.",
	  .kind = "tool",
	  .work = "router_request_get",
	  .argument = "requestId",
	  .completes = "receipt",
	  .ttl_ms = RECEIPT_TTL_MS },
	{ .uri = "store://model/",
	  .name = "model",
	  .title = "One model",
	  .description = "Its limits and prices.",
	  .kind = "view",
	  .work = "model",
	  .argument = "id",
	  .completes = "model",
	  .ttl_ms = PRICES_TTL_MS,
	  .is_public = true },
};

/* ---- Lists ---- */

static void put_uri(struct json_out *o, const struct resource *res)
{
	OWN_BUF struct buf uri = buf_make(128);

	buf_add_z(&uri, res->uri);
	if (res->argument)
		buf_add(&uri, STR("{id}"));
	json_put_str(o, res->argument ? "uriTemplate" : "uri", buf_str(&uri));
}

static void put_list(struct json_out *o, const char *key, bool templates)
{
	json_put_array(o, key);
	for (size_t i = 0; i < ARRAY_LEN(RESOURCES); i++) {
		const struct resource *res = &RESOURCES[i];

		if ((res->argument != NULL) != templates)
			continue;
		json_put_object(o, NULL);
		put_uri(o, res);
		json_put_z(o, "name", res->name);
		json_put_z(o, "title", res->title);
		json_put_z(o, "description", res->description);
		json_put_z(o, "mimeType", "application/json");
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
}

void mcp__put_resources(void *data, struct json_out *o, const char *key)
{
	(void)data; /* the lists depend on nobody */
	put_list(o, key, false);
}

void mcp__put_templates(void *data, struct json_out *o, const char *key)
{
	(void)data;
	put_list(o, key, true);
}

/* ---- Finding ---- */

static bool is_of(struct str uri, const struct resource *res)
{
	struct str own = str_of(res->uri);

	return res->argument ? str_starts(uri, own) && uri.len > own.len : str_eq(uri, own);
}

static const struct resource *find(struct str uri)
{
	for (size_t i = 0; i < ARRAY_LEN(RESOURCES); i++)
		if (is_of(uri, &RESOURCES[i]))
			return &RESOURCES[i];
	return NULL;
}

bool mcp__template_completes(struct str uri, struct str argument, const char **of)
{
	struct str variable = STR("{id}");
	const struct resource *res = find(uri);

	if (!res || !res->argument || !str_ends(uri, variable) ||
	    uri.len != str_of(res->uri).len + variable.len)
		return false;
	*of = str_eq(argument, STR("id")) ? res->completes : NULL;
	return true;
}

/* ---- Reading ---- */

static void fail_not_found(struct mcp__request *r)
{
	OWN_JSON_OUT struct json_out data = json_out_make(LIMIT_MCP_OUT_LINE / 2);

	json_put_object(&data, NULL);
	json_put_str(&data, "uri", mcp__request_name(r));
	json_put_end(&data, '}');
	mcp__request_fail(r,
	                  mcp__request_is_modern(r) ? RPC_INVALID_PARAMS : RPC_RESOURCE_NOT_FOUND,
	                  "there is no such resource: see resources/list and "
	                  "resources/templates/list",
	                  json_out_ok(&data, NULL) ? buf_str(&data.text) : (struct str){ 0 });
}

bool mcp__resource_errand(struct mcp__request *r, struct mcp__errand *out)
{
	struct str uri = mcp__request_name(r);
	const struct resource *res = find(uri);

	if (!res) {
		fail_not_found(r);
		return false;
	}
	out->kind = res->kind;
	out->name = res->work;
	if (res->arguments) {
		json_put_raw(&out->arguments, NULL, str_of(res->arguments));
		return true;
	}
	size_t before = str_of(res->uri).len;
	json_put_object(&out->arguments, NULL);
	json_put_str(&out->arguments, res->argument,
	             (struct str){ uri.p + before, uri.len - before });
	json_put_end(&out->arguments, '}');
	return true;
}

void mcp__resource_answer(struct mcp__request *r, struct str raw_result)
{
	const struct resource *res = find(mcp__request_name(r));
	struct json_out *o = mcp__result_begin(r, 2 * raw_result.len);
	struct err err;

	json_put_array(o, "contents");
	json_put_object(o, NULL);
	json_put_str(o, "uri", mcp__request_name(r));
	json_put_z(o, "mimeType", "application/json");
	json_put_str(o, "text", raw_result);
	json_put_end(o, '}');
	json_put_end(o, ']');
	mcp__result_cache(r, res->ttl_ms, res->is_public);
	if (!mcp__result_send(r, &err))
		mcp__request_fail(r, RPC_INTERNAL_ERROR, err.text, (struct str){ 0 });
}

void mcp__resource_fail(struct mcp__request *r, struct str raw_error)
{
	static const char *const keys[] = { "code" };
	OWN_BUF struct buf sentence = buf_make(LIMIT_MCP_OUT_LINE / 2);
	struct str code = { 0 };

	if (json_pick(raw_error, keys, &code, 1, NULL) &&
	    json_raw_equals(code, str_of(err_code_name(ERR_NOT_FOUND)))) {
		fail_not_found(r);
		return;
	}
	mcp__error_sentence(raw_error, &sentence);
	buf_add_char(&sentence, '\0');
	mcp__request_fail(r, RPC_INTERNAL_ERROR, sentence.p, (struct str){ 0 });
}

/* ---- The reference ---- */

void mcp__resources_put_markdown(struct buf *out)
{
	buf_add(out, STR("| URI | |\n|---|---|\n"));
	for (size_t i = 0; i < ARRAY_LEN(RESOURCES); i++)
		buf_addf(out, "| `%s%s` | %s |\n", RESOURCES[i].uri,
		         RESOURCES[i].argument ? "{id}" : "", RESOURCES[i].description);
	buf_add_char(out, '\n');
}
