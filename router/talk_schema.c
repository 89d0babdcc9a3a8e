/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schemas for Kimi, which refuses a property without a `type`. The type is read from what else
 * the schema says. The surprising fact: where a choice of schemas stands (anyOf), the type must be
 * in its branches and must not be beside it. */
#include "router/talk_write.h"

#define DEEPEST (JSON_PUT_DEPTH - 4) /* below it a schema is copied as it is */

static bool has(const struct json *schema, const char *key)
{
	return json_get(schema, key) != NULL;
}

static const char *type_of_value(const struct json *value)
{
	int64_t whole;

	switch (json_type(value)) {
	case JSON_NULL:
		return "null";
	case JSON_BOOL:
		return "boolean";
	case JSON_NUMBER:
		return json_i64(value, &whole) ? "integer" : "number";
	case JSON_STRING:
		return "string";
	case JSON_ARRAY:
		return "array";
	case JSON_OBJECT:
		return "object";
	}
	return "string";
}

static const char *guess_type(const struct json *schema)
{
	if (json_first(json_get(schema, "enum")))
		return type_of_value(json_first(json_get(schema, "enum")));
	if (has(schema, "const"))
		return type_of_value(json_get(schema, "const"));
	if (has(schema, "properties") || has(schema, "additionalProperties"))
		return "object";
	if (has(schema, "items") || has(schema, "prefixItems"))
		return "array";
	if (has(schema, "minimum") || has(schema, "maximum"))
		return "number";
	return "string";
}

static bool needs_type(const struct json *schema)
{
	return !has(schema, "type") && !has(schema, "$ref") && !has(schema, "anyOf") &&
	       !has(schema, "oneOf") && !has(schema, "allOf");
}

enum inner {
	INNER_NONE, /* no schema inside */
	INNER_ONE,  /* the member is a schema */
	INNER_MANY  /* its members or elements are */
};

static enum inner inner_of(const struct json *member)
{
	static const struct {
		struct str key;
		enum inner inner;
	} table[] = {
		{ STR_INIT("properties"), INNER_MANY },
		{ STR_INIT("$defs"), INNER_MANY },
		{ STR_INIT("definitions"), INNER_MANY },
		{ STR_INIT("anyOf"), INNER_MANY },
		{ STR_INIT("oneOf"), INNER_MANY },
		{ STR_INIT("allOf"), INNER_MANY },
		{ STR_INIT("prefixItems"), INNER_MANY },
		{ STR_INIT("items"), INNER_ONE },
		{ STR_INIT("additionalProperties"), INNER_ONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (str_eq(json_key(member), table[i].key))
			return table[i].inner;
	return INNER_NONE;
}

static void put_schema(struct json_out *o, const char *key, const struct json *schema);

static void put_schemas(struct json_out *o, const char *key, const struct json *list)
{
	bool object = json_is(list, JSON_OBJECT);

	if (!object && !json_is(list, JSON_ARRAY)) {
		json_put_tree(o, key, list);
		return;
	}
	if (object)
		json_put_object(o, key);
	else
		json_put_array(o, key);
	for (const struct json *s = json_first(list); s; s = json_next(s))
		put_schema(o, object ? json_key(s).p : NULL, s);
	json_put_end(o, object ? '}' : ']');
}

static void put_members(struct json_out *o, const struct json *schema)
{
	for (const struct json *m = json_first(schema); m; m = json_next(m)) {
		switch (inner_of(m)) {
		case INNER_NONE:
			json_put_tree(o, json_key(m).p, m);
			break;
		case INNER_ONE:
			put_schema(o, json_key(m).p, m);
			break;
		case INNER_MANY:
			put_schemas(o, json_key(m).p, m);
			break;
		}
	}
}

static void put_schema(struct json_out *o, const char *key, const struct json *schema)
{
	if (!json_is(schema, JSON_OBJECT) || o->depth >= DEEPEST) {
		json_put_tree(o, key, schema);
		return;
	}
	json_put_object(o, key);
	if (needs_type(schema))
		json_put_z(o, "type", guess_type(schema));
	put_members(o, schema);
	json_put_end(o, '}');
}

void talk_put_typed_schema(struct json_out *o, const char *key, struct str schema)
{
	OWN_JSON struct json *tree = json_parse(schema, NULL);

	if (tree)
		put_schema(o, key, tree);
	else /* no memory: the schema as it came is better than none */
		json_put_raw(o, key, schema);
}
