/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a field table as JSON Schema. The surprising fact: a string's limits are bytes in the
 * table and characters in the schema. The schema is thus the milder of the two, and a text that
 * passes it may still be refused, with a message that says bytes. */
#include "base/json.h"

static bool is_bounded(const struct json_field *f)
{
	return f->min != 0 || f->max != 0;
}

static void put_bounds(struct json_out *o, const struct json_field *f, const char *min,
                       const char *max)
{
	if (f->min != 0)
		json_put_i64(o, min, f->min);
	if (is_bounded(f) && f->max >= f->min)
		json_put_i64(o, max, f->max);
}

static void put_int(struct json_out *o, const struct json_field *f)
{
	if (!is_bounded(f))
		return;
	json_put_i64(o, "minimum", f->min);
	if (f->max >= f->min)
		json_put_i64(o, "maximum", f->max);
}

static void put_usd_bound(struct json_out *o, const char *key, int64_t cents)
{
	struct money m;

	if (money_of_cents(&m, cents))
		json_put_usd_number(o, key, m);
}

/* No "multipleOf": 0.01, because common validators divide in floating point and would refuse 1.1;
 * the field's description and our own refusal say "two decimals". */
static void put_usd(struct json_out *o, const struct json_field *f)
{
	if (!is_bounded(f))
		return;
	put_usd_bound(o, "minimum", f->min);
	if (f->max >= f->min)
		put_usd_bound(o, "maximum", f->max);
}

static void put_choices(struct json_out *o, const struct json_field *f)
{
	if (!f->choices)
		return;
	json_put_array(o, "enum");
	for (const char *const *choice = f->choices; *choice; choice++)
		json_put_z(o, NULL, *choice);
	json_put_end(o, ']');
}

static void put_members(struct json_out *o, const struct json_fields *fields);

static void put_items(struct json_out *o, const struct json_field *f)
{
	json_put_object(o, "items");
	json_put_z(o, "type", f->sub ? "object" : "string");
	if (f->sub)
		put_members(o, f->sub);
	put_choices(o, f);
	json_put_end(o, '}');
}

/* What the type alone says; the description is common to all. */
static void put_type(struct json_out *o, const struct json_field *f)
{
	switch (f->type) {
	case JSON_FIELD_STR:
		json_put_z(o, "type", "string");
		put_bounds(o, f, "minLength", "maxLength");
		put_choices(o, f);
		return;
	case JSON_FIELD_INT:
		json_put_z(o, "type", "integer");
		put_int(o, f);
		return;
	case JSON_FIELD_USD:
		json_put_z(o, "type", "number");
		put_usd(o, f);
		return;
	case JSON_FIELD_BOOL:
		json_put_z(o, "type", "boolean");
		return;
	case JSON_FIELD_TIME:
		json_put_z(o, "type", "string");
		json_put_z(o, "format", "date-time");
		return;
	case JSON_FIELD_LIST:
		json_put_z(o, "type", "array");
		put_items(o, f);
		put_bounds(o, f, "minItems", "maxItems");
		return;
	case JSON_FIELD_OBJECT:
		json_put_z(o, "type", "object");
		if (f->sub)
			put_members(o, f->sub);
		return;
	}
}

static void put_members(struct json_out *o, const struct json_fields *fields)
{
	bool any_required = false;

	json_put_object(o, "properties");
	for (size_t i = 0; i < fields->count; i++) {
		const struct json_field *f = &fields->fields[i];

		any_required = any_required || f->required;
		json_put_object(o, f->name);
		put_type(o, f);
		json_put_z(o, "description", f->doc);
		json_put_end(o, '}');
	}
	json_put_end(o, '}');
	if (any_required) {
		json_put_array(o, "required");
		for (size_t i = 0; i < fields->count; i++)
			if (fields->fields[i].required)
				json_put_z(o, NULL, fields->fields[i].name);
		json_put_end(o, ']');
	}
	json_put_bool(o, "additionalProperties", false);
}

void json_put_schema(struct json_out *o, const char *key, const struct json_fields *fields)
{
	json_put_object(o, key);
	json_put_z(o, "type", "object");
	put_members(o, fields);
	json_put_end(o, '}');
}
