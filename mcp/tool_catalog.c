/* SPDX-License-Identifier: Apache-2.0 */
/* What is for sale. These tools work without a purchase key, so that an agent can look before
 * anybody has made it an account. */
#include "base/limits.h"
#include "mcp/tool.h"

#define SEARCH_LIMIT_MAX 100
#define SEARCH_LIMIT_DEFAULT 20

/* ---- catalog_categories ---- */

static bool is_first_of_category(size_t item)
{
	for (size_t i = 0; i < item; i++)
		if (str_eq(str_of(store_item_at(i)->category),
		           str_of(store_item_at(item)->category)))
			return false;
	return true;
}

static int64_t count_category(const char *category)
{
	int64_t n = 0;

	for (size_t i = 0; i < store_items_count(); i++)
		n += str_eq(str_of(store_item_at(i)->category), str_of(category));
	return n;
}

static bool list_categories(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	if (!json_read(call->arguments, &mcp__no_fields, NULL, err))
		return false;
	json_put_object(out, NULL);
	json_put_array(out, "categories");
	for (size_t i = 0; i < store_items_count(); i++) {
		const char *category = store_item_at(i)->category;

		if (!is_first_of_category(i))
			continue;
		json_put_object(out, NULL);
		json_put_z(out, "category", category);
		json_put_i64(out, "itemCount", count_category(category));
		json_put_end(out, '}');
	}
	json_put_end(out, ']');
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape CATEGORY_MEMBERS[] = {
	{ .name = "category", .type = MCP__TEXT, .doc = "Name, for catalog_search." },
	{ .name = "itemCount", .type = MCP__WHOLE, .doc = "Items in it." },
};
static const struct mcp__shapes CATEGORY_SHAPES = MCP__SHAPES(CATEGORY_MEMBERS);
static const struct mcp__shape CATEGORIES_MEMBERS[] = {
	{ .name = "categories",
	  .type = MCP__LIST,
	  .doc = "All categories.",
	  .sub = &CATEGORY_SHAPES },
};
static const struct mcp__shapes CATEGORIES_SHAPES = MCP__SHAPES(CATEGORIES_MEMBERS);

const struct mcp__tool mcp__tool_catalog_categories = {
	.name = "catalog_categories",
	.title = "List catalog categories",
	.description = "Names what kinds of things this store sells. Free, needs no key. Use it to "
		       "choose the category for catalog_search.",
	.hints = MCP__LOOK_ONLY,
	.input = &mcp__no_fields,
	.output = &CATEGORIES_SHAPES,
	.run = list_categories,
};

/* ---- catalog_search ---- */

struct search {
	struct str category;
	struct str q;
	int64_t limit;
};

static const struct json_field SEARCH_FIELD[] = {
	{ .name = "category",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct search, category),
	  .min = 1,
	  .max = LIMIT_SEARCH_TEXT,
	  .doc = "Only items of this category, for example api_tokens." },
	{ .name = "q",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct search, q),
	  .min = 0,
	  .max = LIMIT_SEARCH_TEXT,
	  .doc = "Words that the item must contain, in any order and case." },
	{ .name = "limit",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct search, limit),
	  .min = 1,
	  .max = SEARCH_LIMIT_MAX,
	  .doc = "How many items at most; 20 if left out." },
};
static const struct json_fields SEARCH_FIELDS = JSON_FIELDS(SEARCH_FIELD);

static void put_item(struct json_out *out, const struct store_item *item)
{
	json_put_object(out, NULL);
	json_put_z(out, "id", item->id);
	json_put_z(out, "sku", item->sku);
	json_put_z(out, "name", item->name);
	json_put_z(out, "category", item->category);
	json_put_z(out, "checkoutKind", item->checkout_kind);
	json_put_z(out, "description", item->description);
	json_put_end(out, '}');
}

static bool search_items(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct search search = { .limit = SEARCH_LIMIT_DEFAULT };
	const struct store_item *found[SEARCH_LIMIT_MAX];

	if (!json_read(call->arguments, &SEARCH_FIELDS, &search, err))
		return false;

	size_t n = store_item_search(search.category, search.q, found, (size_t)search.limit);
	json_put_object(out, NULL);
	json_put_array(out, "items");
	for (size_t i = 0; i < n; i++)
		put_item(out, found[i]);
	json_put_end(out, ']');
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape ITEM_MEMBERS[] = {
	{ .name = "id", .type = MCP__TEXT, .doc = "catalogItemId of other tools; fixed." },
	{ .name = "sku", .type = MCP__TEXT, .doc = "Stock name." },
	{ .name = "name", .type = MCP__TEXT, .doc = "Name for people." },
	{ .name = "category", .type = MCP__TEXT, .doc = "Its category." },
	{ .name = "checkoutKind",
	  .type = MCP__TEXT,
	  .doc = "custom: ask catalog_checkout_requirements before quoting." },
	{ .name = "description", .type = MCP__TEXT, .doc = "What is bought." },
};
static const struct mcp__shapes ITEM_SHAPES = MCP__SHAPES(ITEM_MEMBERS);
static const struct mcp__shape ITEMS_MEMBERS[] = {
	{ .name = "items",
	  .type = MCP__LIST,
	  .doc = "Matching items; empty if none.",
	  .sub = &ITEM_SHAPES },
};
static const struct mcp__shapes ITEMS_SHAPES = MCP__SHAPES(ITEMS_MEMBERS);

const struct mcp__tool mcp__tool_catalog_search = {
	.name = "catalog_search",
	.title = "Search the catalog",
	.description = "Finds items to buy, for example { \"category\": \"api_tokens\", \"q\": "
		       "\"router credits\" } for prepaid LLM credit. Free, needs no key; without "
		       "arguments it lists everything. Next step: catalog_checkout_requirements "
		       "with an item's id.",
	.hints = MCP__LOOK_ONLY,
	.input = &SEARCH_FIELDS,
	.output = &ITEMS_SHAPES,
	.run = search_items,
};

/* ---- catalog_checkout_requirements ---- */

struct requirements {
	struct str item_id;
};

static const struct json_field REQUIREMENTS_FIELD[] = {
	{ .name = "catalogItemId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct requirements, item_id),
	  .required = true,
	  .doc = "Id of an item from catalog_search (cat_...)." },
};
static const struct json_fields REQUIREMENTS_FIELDS = JSON_FIELDS(REQUIREMENTS_FIELD);

static const char *field_type(enum json_field_type type)
{
	switch (type) {
	case JSON_FIELD_INT:
		return "integer";
	case JSON_FIELD_USD:
		return "number";
	case JSON_FIELD_BOOL:
		return "boolean";
	case JSON_FIELD_LIST:
		return "array";
	case JSON_FIELD_OBJECT:
		return "object";
	case JSON_FIELD_STR:
	case JSON_FIELD_TIME:
		break;
	}
	return "string";
}

/* The table has cents where the caller writes dollars. */
static void put_bound(struct json_out *out, const char *key, const struct json_field *f,
                      int64_t bound)
{
	struct money m;

	if (f->type == JSON_FIELD_INT)
		json_put_i64(out, key, bound);
	else if (f->type == JSON_FIELD_USD && money_of_cents(&m, bound))
		json_put_usd_number(out, key, m);
}

static void put_field(struct json_out *out, const struct json_field *f)
{
	json_put_object(out, NULL);
	json_put_z(out, "name", f->name);
	json_put_z(out, "type", field_type(f->type));
	json_put_bool(out, "required", f->required);
	if (f->min != 0 || f->max != 0)
		put_bound(out, "minimum", f, f->min);
	if (f->max > f->min)
		put_bound(out, "maximum", f, f->max);
	json_put_z(out, "description", f->doc);
	json_put_end(out, '}');
}

static void put_requirements(struct json_out *out, const struct store_item *item)
{
	const struct json_fields *fields = item->configuration;

	json_put_object(out, NULL);
	json_put_z(out, "catalogItemId", item->id);
	json_put_z(out, "checkoutKind", item->checkout_kind);
	json_put_z(out, "serviceType", item->service_type);
	json_put_array(out, "requiredFields");
	for (size_t i = 0; i < fields->count; i++)
		if (fields->fields[i].required)
			json_put_z(out, NULL, fields->fields[i].name);
	json_put_end(out, ']');
	json_put_array(out, "fields");
	for (size_t i = 0; i < fields->count; i++)
		put_field(out, &fields->fields[i]);
	json_put_end(out, ']');
	mcp__put_names(out, "managementCapabilities", item->service_capabilities);
	json_put_end(out, '}');
}

static bool get_requirements(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct requirements wanted = { 0 };
	const struct store_item *item;

	if (!json_read(call->arguments, &REQUIREMENTS_FIELDS, &wanted, err))
		return false;
	item = store_item_find(wanted.item_id);
	if (!item)
		return err_set(err, ERR_NOT_FOUND, "there is no catalog item '%.*s'",
		               STR_ARG(wanted.item_id));
	put_requirements(out, item);
	return true;
}

static const struct mcp__shape FIELD_MEMBERS[] = {
	{ .name = "name", .type = MCP__TEXT, .doc = "Key in configuration." },
	{ .name = "type", .type = MCP__TEXT, .doc = "JSON type." },
	{ .name = "required", .type = MCP__TRUTH, .doc = "Must be given." },
	{ .name = "minimum", .type = MCP__NUMBER, .optional = true, .doc = "Smallest value." },
	{ .name = "maximum", .type = MCP__NUMBER, .optional = true, .doc = "Largest value." },
	{ .name = "description", .type = MCP__TEXT, .doc = "What it means." },
};
static const struct mcp__shapes FIELD_SHAPES = MCP__SHAPES(FIELD_MEMBERS);
static const struct mcp__shape REQUIREMENTS_MEMBERS[] = {
	{ .name = "catalogItemId", .type = MCP__TEXT, .doc = "The item." },
	{ .name = "checkoutKind", .type = MCP__TEXT, .doc = "custom: needs a configuration." },
	{ .name = "serviceType", .type = MCP__TEXT, .doc = "Kind of service that it becomes." },
	{ .name = "requiredFields",
	  .type = MCP__TEXTS,
	  .doc = "Keys that configuration must have." },
	{ .name = "fields",
	  .type = MCP__LIST,
	  .doc = "All keys that configuration may have.",
	  .sub = &FIELD_SHAPES },
	{ .name = "managementCapabilities",
	  .type = MCP__TEXTS,
	  .doc = "What can be done with the service." },
};
static const struct mcp__shapes REQUIREMENTS_SHAPES = MCP__SHAPES(REQUIREMENTS_MEMBERS);

const struct mcp__tool mcp__tool_catalog_checkout_requirements = {
	.name = "catalog_checkout_requirements",
	.title = "Get checkout requirements",
	.description = "Tells which configuration an item needs before it can be quoted: each "
		       "field with type, range and meaning. Free, needs no key. Next step: "
		       "quote_create.",
	.hints = MCP__LOOK_ONLY,
	.input = &REQUIREMENTS_FIELDS,
	.output = &REQUIREMENTS_SHAPES,
	.run = get_requirements,
};
