/* SPDX-License-Identifier: Apache-2.0 */
/* The list of tools as hosts get it, the reference that is printed from it, and the answers beside
 * the examples in fixtures/seed/, which our names, types, order and prefixes must keep. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mcp/offer.h"
#include "mcp/tool.h"
#include "tests/check.h"
#include "tests/mcp_desk.h"

static void read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rbe");

	if (!CHECK(file != NULL))
		return;
	for (;;) {
		char *room = buf_reserve(out, 4096);
		size_t n = room ? fread(room, 1, 4096, file) : 0;

		if (n == 0)
			break;
		buf_grew(out, n);
	}
	(void)fclose(file); /* it was only read */
}

/* ---- tools/list ---- */

static struct json *parsed_list(void)
{
	OWN_JSON_OUT struct json_out out = json_out_make(LIMIT_MCP_OUT_LINE);
	struct json *list;

	mcp__put_tools(&out, NULL);
	list = json_parse(buf_str(&out.text), NULL);
	if (!list)
		abort();
	return list;
}

static void the_list_is_the_same_every_time_and_below_24_kib(void)
{
	OWN_JSON_OUT struct json_out first = json_out_make(LIMIT_MCP_OUT_LINE);
	OWN_JSON_OUT struct json_out second = json_out_make(LIMIT_MCP_OUT_LINE);

	mcp__put_tools(&first, NULL);
	mcp__put_tools(&second, NULL);
	CHECK(json_out_ok(&first, NULL));
	CHECK(str_eq(buf_str(&first.text), buf_str(&second.text)));
	if (!CHECK(first.text.len < 24 * 1024 - 100)) /* the reply's own frame */
		check_note("%zu bytes", first.text.len);
}

/* Hosts cut what is longer, and some show no more than the first sentence. */
static void the_instructions_fit_and_begin_with_the_purpose(void)
{
	struct str text = str_of(mcp__instructions);

	CHECK(text.len <= 2000);
	CHECK(str_starts(text, STR("A prepaid store where agents buy LLM credit")));
}

static const char *const NAMES[] = {
	"catalog_categories",  "catalog_search",        "catalog_checkout_requirements",
	"quote_create",        "purchase_create",       "purchase_get_status",
	"service_list",        "service_get",           "router_api_key_create",
	"router_api_key_list", "router_api_key_rotate", "router_api_key_revoke",
	"router_usage_get",    "router_request_get",    "router_models_list",
	"wallet_get",
};

static void every_tool_of_the_contract_is_listed_once(void)
{
	OWN_JSON struct json *list = parsed_list();
	const struct json *tool = json_first(list);

	CHECK_I64((int64_t)json_count(list), (int64_t)ARRAY_LEN(NAMES));
	for (size_t i = 0; i < ARRAY_LEN(NAMES) && tool; i++, tool = json_next(tool))
		CHECK_TEXT(desk_text(tool, "name"), NAMES[i]);
}

static void the_older_name_finds_the_same_tool(void)
{
	CHECK(mcp__tool_find(STR("checkout_requirements")) ==
	      mcp__tool_find(STR("catalog_checkout_requirements")));
	CHECK(mcp__tool_find(STR("checkout")) == NULL);
	CHECK(mcp__tool_find(STR("")) == NULL);
}

/* Each property, however deep, says what it is and what it means. */
static void check_schema(const struct json *schema, const char *tool, bool is_input)
{
	const struct json *properties = json_get(schema, "properties");
	const struct json *p;

	if (is_input && json_text(json_get(schema, "type")).p && properties)
		CHECK(json_is(json_get(schema, "additionalProperties"), JSON_BOOL) &&
		      !json_true(json_get(schema, "additionalProperties")));
	for (p = json_first(properties); p; p = json_next(p)) {
		struct str name = json_key(p);

		if (!CHECK(desk_text(p, "description").len > 0) ||
		    !CHECK(desk_text(p, "type").len > 0 || json_get(p, "anyOf")))
			check_note("%s: %.*s", tool, STR_ARG(name));
		check_schema(p, tool, is_input);
		check_schema(json_get(p, "items"), tool, is_input);
	}
}

static void every_schema_describes_and_types_its_members(void)
{
	OWN_JSON struct json *list = parsed_list();
	const struct json *tool;

	for (tool = json_first(list); tool; tool = json_next(tool)) {
		const struct json *in = json_get(tool, "inputSchema");
		const struct json *out = json_get(tool, "outputSchema");
		const char *name = desk_text(tool, "name").p;

		CHECK_TEXT(desk_text(in, "type"), "object");
		CHECK_TEXT(desk_text(out, "type"), "object");
		CHECK(json_is(json_get(in, "properties"), JSON_OBJECT));
		CHECK(desk_at(out, "properties.error.type") != NULL);
		CHECK(json_get(out, "required") == NULL);
		check_schema(in, name, true);
		check_schema(out, name, false);
	}
}

static void every_tool_has_a_title_a_description_and_all_four_hints(void)
{
	static const char *const hints[] = { "readOnlyHint", "destructiveHint", "idempotentHint",
		                             "openWorldHint" };
	OWN_JSON struct json *list = parsed_list();
	const struct json *tool;

	for (tool = json_first(list); tool; tool = json_next(tool)) {
		const struct json *given = json_get(tool, "annotations");

		CHECK(desk_text(tool, "title").len > 0);
		CHECK(desk_text(tool, "description").len > 80);
		CHECK(desk_text(tool, "description").len < 1024);
		CHECK(desk_text(tool, "name").len <= 40);
		for (size_t i = 0; i < ARRAY_LEN(hints); i++)
			CHECK(json_is(json_get(given, hints[i]), JSON_BOOL));
	}
}

/* Who may be asked before a call, and whose commit must be on disk before its answer. */
static const struct {
	const char *name;
	bool needs_account, durable, read_only, destructive, idempotent;
} FLAG_ROWS[] = {
	{ "catalog_categories", false, false, true, false, true },
	{ "catalog_search", false, false, true, false, true },
	{ "catalog_checkout_requirements", false, false, true, false, true },
	{ "quote_create", true, false, false, false, false },
	{ "purchase_create", true, true, false, true, true },
	{ "purchase_get_status", true, false, true, false, true },
	{ "service_list", true, false, true, false, true },
	{ "service_get", true, false, true, false, true },
	{ "router_api_key_create", true, true, false, false, false },
	{ "router_api_key_list", true, false, true, false, true },
	{ "router_api_key_rotate", true, true, false, true, false },
	{ "router_api_key_revoke", true, true, false, true, true },
	{ "router_usage_get", true, false, true, false, true },
	{ "router_request_get", true, false, true, false, true },
	{ "router_models_list", false, false, true, false, true },
	{ "wallet_get", true, false, true, false, true },
};

static void flags_are_those_of_the_contract(void)
{
	for (size_t i = 0; i < ARRAY_LEN(FLAG_ROWS); i++) {
		const struct mcp__tool *tool = mcp__tool_find(str_of(FLAG_ROWS[i].name));

		if (!CHECK(tool != NULL))
			continue;
		if (!CHECK_I64(tool->needs_account, FLAG_ROWS[i].needs_account) ||
		    !CHECK_I64(tool->durable, FLAG_ROWS[i].durable) ||
		    !CHECK_I64(tool->hints.read_only, FLAG_ROWS[i].read_only) ||
		    !CHECK_I64(tool->hints.destructive, FLAG_ROWS[i].destructive) ||
		    !CHECK_I64(tool->hints.idempotent, FLAG_ROWS[i].idempotent) ||
		    !CHECK_I64(tool->hints.open_world, false))
			check_note("%s", FLAG_ROWS[i].name);
	}
}

static void durable_work_is_known_from_its_request(void)
{
	CHECK(mcp_work_is_durable(STR("{\"tool\":\"purchase_create\",\"arguments\":{}}")));
	CHECK(!mcp_work_is_durable(STR("{\"tool\":\"wallet_get\"}")));
	CHECK(!mcp_work_is_durable(STR("{\"tool\":\"nothing\"}")));
	CHECK(!mcp_work_is_durable(STR("{}")));
	CHECK(!mcp_work_is_durable(STR("garbage")));
}

/* ---- The reference ---- */

static void the_printed_reference_is_the_file_in_docs(void)
{
	OWN_BUF struct buf printed = buf_make(1u << 20);
	OWN_BUF struct buf file = buf_make(1u << 20);

	mcp_tools_put_markdown(&printed);
	read_file(FIXTURES "/../docs/tools.md", &file);
	if (!CHECK(str_eq(buf_str(&printed), buf_str(&file))))
		check_note("docs/tools.md is out of date; print it again");
	CHECK(!printed.failed);
}

/* ---- Beside the seed's examples ---- */

/* Ids and secrets of the examples are made up: of them only what stands before the made-up part
 * counts. Of a URL its path counts. */
static const struct {
	const char *example;
	const char *starts, *ends;
} MADE_UP[] = {
	{ "quote_router_001", "quote_", "" },
	{ "purchase_router_001", "purchase_", "" },
	{ "svc_router_001", "svc_", "" },
	{ "router_key_001", "router_key_", "" },
	{ "asr_live_xxxxx.yyyyy", "asr_live_", "" },
	{ "https://store.example/openai/v1", "http", "/openai/v1" },
};

static bool same_text(struct str example, struct str ours)
{
	for (size_t i = 0; i < ARRAY_LEN(MADE_UP); i++)
		if (str_eq(example, str_of(MADE_UP[i].example)))
			return str_starts(ours, str_of(MADE_UP[i].starts)) &&
			       str_ends(ours, str_of(MADE_UP[i].ends));
	return str_eq(example, ours);
}

static bool is_like(const struct json *example, const struct json *ours);

/* The example's members are ours too, in its order; ours may have more between. */
static bool members_are_like(const struct json *example, const struct json *ours)
{
	const struct json *own = json_first(ours);

	for (const struct json *m = json_first(example); m; m = json_next(m)) {
		while (own && !str_eq(json_key(own), json_key(m)))
			own = json_next(own);
		if (!own || !is_like(m, own)) {
			check_note("member '%.*s'", STR_ARG(json_key(m)));
			return false;
		}
	}
	return true;
}

static bool elements_are_like(const struct json *example, const struct json *ours)
{
	const struct json *own = json_first(ours);

	for (const struct json *e = json_first(example); e; e = json_next(e)) {
		if (!own || !is_like(e, own))
			return false;
		own = json_next(own);
	}
	return own == NULL;
}

static bool is_like(const struct json *example, const struct json *ours)
{
	if (!json_is(ours, json_type(example)))
		return false;
	switch (json_type(example)) {
	case JSON_OBJECT:
		return members_are_like(example, ours);
	case JSON_ARRAY:
		return elements_are_like(example, ours);
	case JSON_STRING:
		return same_text(json_text(example), json_text(ours));
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_NUMBER:
		break;
	}
	return json_equal(example, ours);
}

/* Puts our ids where the example's input has its own. */
static void rename_ids(struct str input, const char *quote, const char *service, struct buf *out)
{
	while (input.len > 0) {
		if (str_starts(input, STR("quote_router_001"))) {
			buf_add_z(out, quote);
			input = (struct str){ input.p + 16, input.len - 16 };
		} else if (str_starts(input, STR("svc_router_001"))) {
			buf_add_z(out, service);
			input = (struct str){ input.p + 14, input.len - 14 };
		} else {
			buf_add_char(out, *input.p);
			input = (struct str){ input.p + 1, input.len - 1 };
		}
	}
}

static void keep_id(const struct json *answer, const char *path, char out[ID_TEXT_MAX])
{
	struct str id = desk_text(answer, path);

	if (id.len > 0 && id.len < ID_TEXT_MAX) {
		memcpy(out, id.p, id.len);
		out[id.len] = '\0';
	}
}

static void answers_keep_the_shapes_of_the_seed(void)
{
	static const char *const files[] = {
		"1-catalog_search", "2-catalog_checkout_requirements",
		"3-quote_create",   "4-purchase_create",
		"5-service_get",    "6-router_api_key_create",
	};
	char quote[ID_TEXT_MAX] = "", service[ID_TEXT_MAX] = "";
	struct desk desk;

	desk_open(&desk, true);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		OWN_BUF struct buf path = buf_make(4096);
		OWN_BUF struct buf text = buf_make(1u << 20);
		OWN_BUF struct buf input = buf_make(1u << 20);
		OWN_JSON_OUT struct json_out raw = json_out_make(1u << 20);

		buf_addf(&path, FIXTURES "/seed/%s.json", files[i]);
		read_file(path.p, &text);
		OWN_JSON struct json *step = json_parse(buf_str(&text), NULL);
		json_put_tree(&raw, NULL, json_get(step, "input"));
		rename_ids(buf_str(&raw.text), quote, service, &input);
		OWN_JSON struct json *answer = desk_call(&desk, desk_text(step, "tool").p, input.p);
		if (!CHECK(is_like(json_get(step, "answer"), json_get(answer, "result"))))
			check_note("%s", files[i]);
		keep_id(answer, "result.quote.id", quote);
		keep_id(answer, "result.service.id", service);
	}
	desk_close(&desk);
}

static const struct check_case CASES[] = {
	CASE(the_list_is_the_same_every_time_and_below_24_kib),
	CASE(the_instructions_fit_and_begin_with_the_purpose),
	CASE(every_tool_of_the_contract_is_listed_once),
	CASE(the_older_name_finds_the_same_tool),
	CASE(every_schema_describes_and_types_its_members),
	CASE(every_tool_has_a_title_a_description_and_all_four_hints),
	CASE(flags_are_those_of_the_contract),
	CASE(durable_work_is_known_from_its_request),
	CASE(the_printed_reference_is_the_file_in_docs),
	CASE(answers_keep_the_shapes_of_the_seed),
};

int main(int argc, char **argv)
{
	OWN_BUF struct buf printed = buf_make(1u << 20);

	if (argc == 2 && strcmp(argv[1], "--print") == 0) {
		mcp_tools_put_markdown(&printed);
		return printf("%s", printed.p) < 0;
	}
	return check_main(CASES, ARRAY_LEN(CASES));
}
