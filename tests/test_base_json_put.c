/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: exact numbers, escaping, mending, and failures that stick. */
#include "base/json.h"
#include "tests/check.h"

static void members_and_elements_are_separated(void)
{
	OWN_JSON_OUT struct json_out o = json_out_make(1000);

	json_put_object(&o, NULL);
	json_put_z(&o, "a", "x");
	json_put_array(&o, "b");
	json_put_i64(&o, NULL, 1);
	json_put_object(&o, NULL);
	json_put_end(&o, '}');
	json_put_array(&o, NULL);
	json_put_end(&o, ']');
	json_put_null(&o, NULL);
	json_put_end(&o, ']');
	json_put_bool(&o, "c", true);
	json_put_bool(&o, "d", false);
	json_put_raw(&o, "e", STR("{\"f\":1}"));
	json_put_str(&o, "g\"h", (struct str){ NULL, 0 });
	json_put_z(&o, "i", NULL);
	json_put_end(&o, '}');
	CHECK(json_out_ok(&o, NULL));
	CHECK_TEXT(buf_str(&o.text), "{\"a\":\"x\",\"b\":[1,{},[],null],\"c\":true,\"d\":false,"
	                             "\"e\":{\"f\":1},\"g\\\"h\":null,\"i\":null}");
}

static void integers_are_exact_at_their_ends(void)
{
	OWN_JSON_OUT struct json_out o = json_out_make(1000);

	json_put_array(&o, NULL);
	json_put_i64(&o, NULL, INT64_MAX);
	json_put_i64(&o, NULL, INT64_MIN);
	json_put_i64(&o, NULL, 0);
	json_put_i64(&o, NULL, 9007199254740993);
	json_put_end(&o, ']');
	CHECK_TEXT(buf_str(&o.text),
	           "[9223372036854775807,-9223372036854775808,0,9007199254740993]");
}

static void strings_are_escaped_and_mended(void)
{
	static const struct {
		struct str text;
		const char *want;
	} rows[] = {
		{ STR_INIT(""), "\"\"" },
		{ STR_INIT("\"\\/"), "\"\\\"\\\\/\"" },
		{ STR_INIT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
		{ STR_INIT("a\0b\x1F\x7F"), "\"a\\u0000b\\u001f\x7F\"" },
		{ STR_INIT("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\"" },
		{ STR_INIT("a\xFFz"), "\"a\xEF\xBF\xBDz\"" },
		{ STR_INIT("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
		{ STR_INIT("x\xE2\x82"), "\"x\xEF\xBF\xBD\xEF\xBF\xBD\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_JSON_OUT struct json_out o = json_out_make(1000);

		json_put_str(&o, NULL, rows[i].text);
		CHECK(json_out_ok(&o, NULL));
		CHECK_TEXT(buf_str(&o.text), rows[i].want);
	}
}

static void money_prices_and_times(void)
{
	OWN_JSON_OUT struct json_out o = json_out_make(1000);

	json_put_array(&o, NULL);
	json_put_usd(&o, NULL, money_of_micros(24999628));
	json_put_usd_number(&o, NULL, money_of_micros(25000000));
	json_put_usd_number(&o, NULL, money_of_micros(25500000));
	json_put_usd_number(&o, NULL, money_of_micros(-10000));
	json_put_usd_number(&o, NULL, money_of_micros(INT64_MIN));
	json_put_price(&o, NULL, 2500000);
	json_put_price(&o, NULL, 75000);
	json_put_price(&o, NULL, 1);
	json_put_price(&o, NULL, 0);
	json_put_price(&o, NULL, -1);
	json_put_time(&o, NULL, 0);
	json_put_time(&o, NULL, 1000);
	json_put_end(&o, ']');
	CHECK_TEXT(buf_str(&o.text), "[\"24.999628\",25,25.5,-0.01,-9223372036854.775808,2.5,0.075,"
	                             "0.000001,0,null,null,\"1970-01-01T00:00:01.000Z\"]");
}

static void trees_are_written_whole(void)
{
	static const char text[] = "{\"b\":[1,2.5,{\"\":\"\\n\"}],\"a\":{},\"c\":[],\"d\":null,"
				   "\"e\":true,\"f\":false,\"g\":5000000000}";
	OWN_JSON struct json *root = json_parse(STR(text), NULL);
	OWN_JSON_OUT struct json_out o = json_out_make(1000);

	json_put_array(&o, NULL);
	json_put_tree(&o, NULL, json_get(root, "g"));
	json_put_tree(&o, NULL, NULL);
	json_put_end(&o, ']');
	CHECK_TEXT(buf_str(&o.text), "[5000000000,null]");
	json_out_done(&o);
	o = json_out_make(1000);
	json_put_tree(&o, NULL, root);
	CHECK(json_out_ok(&o, NULL));
	CHECK_TEXT(buf_str(&o.text), text);
}

static void a_tree_may_be_deeper_than_our_own_output(void)
{
	OWN_BUF struct buf text = buf_make(200);
	OWN_JSON_OUT struct json_out o = json_out_make(200);
	OWN_JSON struct json *root = NULL;

	for (int i = 0; i < 128; i++)
		buf_add_char(&text, i < 64 ? '[' : ']');
	root = json_parse(buf_str(&text), NULL);
	json_put_tree(&o, NULL, root);
	CHECK(json_out_ok(&o, NULL));
	CHECK(str_eq(buf_str(&o.text), buf_str(&text)));
}

static void our_own_depth_ends_at_its_limit(void)
{
	for (int depth = JSON_PUT_DEPTH; depth <= JSON_PUT_DEPTH + 1; depth++) {
		OWN_JSON_OUT struct json_out o = json_out_make(1000);
		struct err err = { 0 };

		for (int i = 0; i < depth; i++)
			json_put_array(&o, NULL);
		for (int i = 0; i < depth; i++)
			json_put_end(&o, ']');
		CHECK(json_out_ok(&o, &err) == (depth == JSON_PUT_DEPTH));
		CHECK_I64(err.code, depth == JSON_PUT_DEPTH ? ERR_NONE : ERR_INTERNAL);
	}
}

static void too_much_text_sticks(void)
{
	OWN_JSON_OUT struct json_out o = json_out_make(10);
	struct err err = { 0 };

	json_put_array(&o, NULL);
	json_put_z(&o, NULL, "0123456789");
	json_put_end(&o, ']');
	CHECK(!json_out_ok(&o, &err));
	CHECK_I64(err.code, ERR_TOO_LARGE);
}

static void incomplete_output_is_our_mistake(void)
{
	OWN_JSON_OUT struct json_out nothing = json_out_make(10);
	OWN_JSON_OUT struct json_out unclosed = json_out_make(10);
	OWN_JSON_OUT struct json_out closed_twice = json_out_make(10);
	OWN_JSON_OUT struct json_out two_roots = json_out_make(10);
	struct err err = { 0 };

	CHECK(!json_out_ok(&nothing, &err));
	CHECK_I64(err.code, ERR_INTERNAL);
	CHECK_STR(err.text, "JSON output is not complete");
	json_put_object(&unclosed, NULL);
	CHECK(!json_out_ok(&unclosed, NULL));
	json_put_object(&closed_twice, NULL);
	json_put_end(&closed_twice, '}');
	json_put_end(&closed_twice, '}');
	CHECK(!json_out_ok(&closed_twice, NULL));
	json_put_null(&two_roots, NULL);
	CHECK(json_out_ok(&two_roots, NULL));
	json_put_null(&two_roots, NULL);
	CHECK(!json_out_ok(&two_roots, NULL));
}

static const struct check_case CASES[] = {
	CASE(members_and_elements_are_separated),
	CASE(integers_are_exact_at_their_ends),
	CASE(strings_are_escaped_and_mended),
	CASE(money_prices_and_times),
	CASE(trees_are_written_whole),
	CASE(a_tree_may_be_deeper_than_our_own_output),
	CASE(our_own_depth_ends_at_its_limit),
	CASE(too_much_text_sticks),
	CASE(incomplete_output_is_our_mistake),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
