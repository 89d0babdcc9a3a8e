/* SPDX-License-Identifier: Apache-2.0 */
/* Field tables: reading, every refusal with its text, and the schema. */
#include "base/json.h"
#include "tests/check.h"

struct limits {
	struct money spend;
	const struct json *models;
};

struct args {
	struct str label;
	struct str group;
	int64_t count;
	int64_t any;
	struct money amount;
	bool fast;
	int64_t from_ms;
	const struct json *limits;
	const struct json *configuration;
	const struct json *days;
};

static const char *const GROUPS[] = { "model", "key", NULL };
static const char *const DAYS[] = { "mon", "tue", NULL };

static const struct json_field LIMIT_FIELDS[] = {
	{ .name = "spendLimitUsd",
	  .type = JSON_FIELD_USD,
	  .offset = offsetof(struct limits, spend),
	  .min = 1,
	  .doc = "USD." },
	{ .name = "allowedModels",
	  .type = JSON_FIELD_LIST,
	  .offset = offsetof(struct limits, models),
	  .min = 1,
	  .max = 2,
	  .doc = "Models." },
};
static const struct json_fields LIMITS = JSON_FIELDS(LIMIT_FIELDS);

static const struct json_field FIELDS[] = {
	{ .name = "label",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct args, label),
	  .required = true,
	  .min = 1,
	  .max = 8,
	  .doc = "A \"name\"." },
	{ .name = "group",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct args, group),
	  .choices = GROUPS,
	  .doc = "By what." },
	{ .name = "count",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct args, count),
	  .min = 1,
	  .max = 100,
	  .doc = "How many." },
	{ .name = "any",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct args, any),
	  .doc = "Any number." },
	{ .name = "amount",
	  .type = JSON_FIELD_USD,
	  .offset = offsetof(struct args, amount),
	  .required = true,
	  .min = 100,
	  .max = 1000050,
	  .doc = "USD." },
	{ .name = "fast",
	  .type = JSON_FIELD_BOOL,
	  .offset = offsetof(struct args, fast),
	  .doc = "Faster." },
	{ .name = "from",
	  .type = JSON_FIELD_TIME,
	  .offset = offsetof(struct args, from_ms),
	  .doc = "Since when." },
	{ .name = "limits",
	  .type = JSON_FIELD_OBJECT,
	  .offset = offsetof(struct args, limits),
	  .sub = &LIMITS,
	  .doc = "Limits." },
	{ .name = "configuration",
	  .type = JSON_FIELD_OBJECT,
	  .offset = offsetof(struct args, configuration),
	  .doc = "Anything." },
	{ .name = "days",
	  .type = JSON_FIELD_LIST,
	  .offset = offsetof(struct args, days),
	  .choices = DAYS,
	  .doc = "Days." },
};
static const struct json_fields TABLE = JSON_FIELDS(FIELDS);

static void all_types_are_read(void)
{
	OWN_JSON struct json *in = json_parse(
		STR("{\"label\":\"bot\",\"group\":\"key\",\"count\":100,\"any\":-5,"
	            "\"amount\":10000.5,\"fast\":true,\"from\":\"1970-01-01T00:00:02Z\","
	            "\"limits\":{\"spendLimitUsd\":0.01,\"allowedModels\":[\"a\",\"b\"]},"
	            "\"configuration\":{\"x\":[]},\"days\":[]}"),
		NULL);
	struct args args = { 0 };
	struct limits limits = { 0 };

	CHECK(json_read(in, &TABLE, &args, NULL));
	CHECK_TEXT(args.label, "bot");
	CHECK_TEXT(args.group, "key");
	CHECK_I64(args.count, 100);
	CHECK_I64(args.any, -5);
	CHECK_I64(money_micros(args.amount), 10000500000);
	CHECK(args.fast);
	CHECK_I64(args.from_ms, 2000);
	CHECK(args.limits == json_get(in, "limits"));
	CHECK(args.configuration == json_get(in, "configuration"));
	CHECK(args.days == json_get(in, "days"));
	CHECK(json_read(args.limits, &LIMITS, &limits, NULL));
	CHECK_I64(money_micros(limits.spend), 10000);
	CHECK_I64((int64_t)json_count(limits.models), 2);
}

static const struct json_fields LIST_OF_LIMITS = {
	(const struct json_field[]){
		{ .name = "all",
	          .type = JSON_FIELD_LIST,
	          .min = 1,
	          .max = 2,
	          .sub = &LIMITS,
	          .doc = "All." },
	},
	1,
};

static void a_list_may_have_objects(void)
{
	static const struct {
		const char *in, *why; /* NULL: fine */
	} ROWS[] = {
		{ "{\"all\":[{\"spendLimitUsd\":1},{}]}", NULL },
		{ "{\"all\":[{},\"a\"]}", "'all' must be an array of objects" },
		{ "{\"all\":{}}", "'all' must be an array of objects" },
		{ "{\"all\":[{},{\"limit\":1}]}", "in 'all[1]': unknown field 'limit'" },
		{ "{\"all\":[{},{},{}]}", "1 to 2 elements" },
	};
	OWN_JSON_OUT struct json_out schema = json_out_make(4096);

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		OWN_JSON struct json *in = json_parse(str_of(ROWS[i].in), NULL);
		const struct json *all = NULL;
		struct err err = { 0 };
		bool ok = json_read(in, &LIST_OF_LIMITS, &all, &err);

		if (!CHECK(ok ? !ROWS[i].why && all == json_get(in, "all")
		              : ROWS[i].why && strstr(err.text, ROWS[i].why)))
			check_note("%s: %s", ROWS[i].in, err.text);
	}
	json_put_schema(&schema, NULL, &LIST_OF_LIMITS);
	CHECK(str_find(buf_str(&schema.text),
	               STR("\"items\":{\"type\":\"object\",\"properties\":{\"spendLimitUsd\"")) >=
	      0);
}

static void an_absent_field_keeps_its_default(void)
{
	OWN_JSON struct json *in = json_parse(STR("{\"label\":\"b\",\"amount\":1}"), NULL);
	struct args args = { .group = STR_INIT("model"), .count = 20, .fast = true };

	CHECK(json_read(in, &TABLE, &args, NULL));
	CHECK_TEXT(args.group, "model");
	CHECK_I64(args.count, 20);
	CHECK(args.fast && args.limits == NULL);
}

static void no_object_counts_as_an_empty_one(void)
{
	struct limits limits = { .spend = money_of_micros(5) };
	struct err err = { 0 };

	CHECK(json_read(NULL, &LIMITS, &limits, NULL));
	CHECK_I64(money_micros(limits.spend), 5);
	CHECK(!json_read(NULL, &TABLE, &(struct args){ 0 }, &err));
	CHECK_STR(err.text, "'label' is missing");
}

#define GOOD "\"label\":\"b\",\"amount\":1"

static const struct {
	const char *text, *why;
} REFUSED[] = {
	{ "[]", "a JSON object was expected" },
	{ "{\"amount\":1}", "'label' is missing" },
	{ "{\"label\":\"b\"}", "'amount' is missing" },
	{ "{\"label\":7,\"amount\":1}", "'label' must be a string" },
	{ "{\"label\":null,\"amount\":1}", "'label' must be a string" },
	{ "{\"label\":\"\",\"amount\":1}", "'label' must have 1 to 8 bytes" },
	{ "{\"label\":\"123456789\",\"amount\":1}", "'label' must have 1 to 8 bytes" },
	{ "{\"label\":\"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\",\"amount\":1}",
	  "'label' must have 1 to 8 bytes" },
	{ "{" GOOD ",\"group\":\"Key\"}", "'group' must be one of: model, key" },
	{ "{" GOOD ",\"count\":\"1\"}", "'count' must be a whole number" },
	{ "{" GOOD ",\"count\":1.5}", "'count' must be a whole number" },
	{ "{" GOOD ",\"count\":1e17}", "'count' must be a whole number" },
	{ "{" GOOD ",\"count\":0}", "'count' must be 1 to 100" },
	{ "{" GOOD ",\"count\":101}", "'count' must be 1 to 100" },
	{ "{\"label\":\"b\",\"amount\":\"25\"}",
	  "'amount' must be a number in USD with at most two decimals" },
	{ "{\"label\":\"b\",\"amount\":1.001}",
	  "'amount' must be a number in USD with at most two decimals" },
	{ "{\"label\":\"b\",\"amount\":0.99}", "'amount' must be 1.00 to 10000.50 USD" },
	{ "{\"label\":\"b\",\"amount\":10000.51}", "'amount' must be 1.00 to 10000.50 USD" },
	{ "{\"label\":\"b\",\"amount\":-5}", "'amount' must be 1.00 to 10000.50 USD" },
	{ "{" GOOD ",\"fast\":1}", "'fast' must be true or false" },
	{ "{" GOOD ",\"from\":\"yesterday\"}",
	  "'from' must be a time as in \"2026-11-22T08:00:00Z\"" },
	{ "{" GOOD ",\"from\":0}", "'from' must be a time as in \"2026-11-22T08:00:00Z\"" },
	{ "{" GOOD ",\"configuration\":[]}", "'configuration' must be an object" },
	{ "{" GOOD ",\"limits\":\"x\"}", "'limits' must be an object" },
	{ "{" GOOD ",\"limits\":{\"spendLimitUsd\":0}}",
	  "in 'limits': 'spendLimitUsd' must be at least 0.01 USD" },
	{ "{" GOOD ",\"limits\":{\"rpm\":1}}",
	  "in 'limits': unknown field 'rpm'; known are: spendLimitUsd, allowedModels" },
	{ "{" GOOD ",\"limits\":{\"allowedModels\":\"a\"}}",
	  "in 'limits': 'allowedModels' must be an array of strings" },
	{ "{" GOOD ",\"limits\":{\"allowedModels\":[\"a\",1]}}",
	  "in 'limits': 'allowedModels' must be an array of strings" },
	{ "{" GOOD ",\"limits\":{\"allowedModels\":[]}}",
	  "in 'limits': 'allowedModels' must have 1 to 2 elements" },
	{ "{" GOOD ",\"limits\":{\"allowedModels\":[\"a\",\"b\",\"c\"]}}",
	  "in 'limits': 'allowedModels' must have 1 to 2 elements" },
	{ "{" GOOD ",\"days\":[\"mon\",\"sun\"]}", "'days' must be one of: mon, tue" },
	{ "{" GOOD ",\"Label\":1}",
	  "unknown field 'Label'; known are: label, group, count, any, amount, fast, from, limits, "
	  "configuration, days" },
};

static void refusals_say_what_is_allowed(void)
{
	for (size_t i = 0; i < ARRAY_LEN(REFUSED); i++) {
		OWN_JSON struct json *in = json_parse(str_of(REFUSED[i].text), NULL);
		struct args args = { .count = 77 };
		struct err err = { 0 };

		if (!CHECK(in != NULL) || !CHECK(!json_read(in, &TABLE, &args, &err)))
			check_note("%s", REFUSED[i].text);
		CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
		CHECK_STR(err.text, REFUSED[i].why);
		CHECK(args.count == 77 && args.label.p == NULL); /* untouched */
	}
}

static void a_long_unknown_name_is_cut_at_a_character(void)
{
	OWN_BUF struct buf text = buf_make(1000);
	OWN_JSON struct json *in = NULL;
	struct err err = { 0 };

	buf_addf(&text, "{\"%063d\xC3\xA9xyz\":1}", 0); /* the 64th byte is half of a character */
	in = json_parse(buf_str(&text), NULL);
	CHECK(!json_read(in, &LIMITS, &(struct limits){ 0 }, &err));
	CHECK_STR(err.text, "unknown field "
	                    "'000000000000000000000000000000000000000000000000000000000000000'; "
	                    "known are: spendLimitUsd, allowedModels");
}

static void a_table_without_fields_takes_only_an_empty_object(void)
{
	static const struct json_fields none = { NULL, 0 };
	OWN_JSON struct json *empty = json_parse(STR("{}"), NULL);
	OWN_JSON struct json *some = json_parse(STR("{\"a\":1}"), NULL);
	struct err err = { 0 };
	char unused = 0;

	CHECK(json_read(empty, &none, &unused, NULL));
	CHECK(!json_read(some, &none, &unused, &err));
	CHECK_STR(err.text, "unknown field 'a'; none is known here");
}

static void the_schema_says_what_the_table_says(void)
{
	static const char want[] =
		"{\"type\":\"object\",\"properties\":{"
		"\"label\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":8,"
		"\"description\":\"A \\\"name\\\".\"},"
		"\"group\":{\"type\":\"string\",\"enum\":[\"model\",\"key\"],"
		"\"description\":\"By what.\"},"
		"\"count\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,"
		"\"description\":\"How many.\"},"
		"\"any\":{\"type\":\"integer\",\"description\":\"Any number.\"},"
		"\"amount\":{\"type\":\"number\",\"minimum\":1,\"maximum\":10000.5,"
		"\"description\":\"USD.\"},"
		"\"fast\":{\"type\":\"boolean\",\"description\":\"Faster.\"},"
		"\"from\":{\"type\":\"string\",\"format\":\"date-time\","
		"\"description\":\"Since when.\"},"
		"\"limits\":{\"type\":\"object\",\"properties\":{"
		"\"spendLimitUsd\":{\"type\":\"number\",\"minimum\":0.01,\"description\":\"USD.\"},"
		"\"allowedModels\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},"
		"\"minItems\":1,\"maxItems\":2,\"description\":\"Models.\"}},"
		"\"additionalProperties\":false,\"description\":\"Limits.\"},"
		"\"configuration\":{\"type\":\"object\",\"description\":\"Anything.\"},"
		"\"days\":{\"type\":\"array\","
		"\"items\":{\"type\":\"string\",\"enum\":[\"mon\",\"tue\"]},"
		"\"description\":\"Days.\"}},"
		"\"required\":[\"label\",\"amount\"],\"additionalProperties\":false}";
	OWN_JSON_OUT struct json_out o = json_out_make(10000);

	json_put_schema(&o, NULL, &TABLE);
	CHECK(json_out_ok(&o, NULL));
	CHECK_TEXT(buf_str(&o.text), want);
}

static const struct check_case CASES[] = {
	CASE(all_types_are_read),
	CASE(a_list_may_have_objects),
	CASE(an_absent_field_keeps_its_default),
	CASE(no_object_counts_as_an_empty_one),
	CASE(refusals_say_what_is_allowed),
	CASE(a_long_unknown_name_is_cut_at_a_character),
	CASE(a_table_without_fields_takes_only_an_empty_object),
	CASE(the_schema_says_what_the_table_says),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
