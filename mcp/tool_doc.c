/* SPDX-License-Identifier: Apache-2.0 */
/* The tools' reference for people, printed from the same tables that hosts get as schemas; a test
 * holds docs/tools.md against it. */
#include "base/macros.h"
#include "mcp/offer.h"
#include "mcp/tool.h"

static const char *input_type(const struct json_field *f)
{
	switch (f->type) {
	case JSON_FIELD_STR:
		return "string";
	case JSON_FIELD_INT:
		return "integer";
	case JSON_FIELD_USD:
		return "number";
	case JSON_FIELD_BOOL:
		return "boolean";
	case JSON_FIELD_TIME:
		return "time";
	case JSON_FIELD_LIST:
		return "array of strings";
	case JSON_FIELD_OBJECT:
		break;
	}
	return "object";
}

static const char *output_type(enum mcp__type type)
{
	switch (type) {
	case MCP__TEXT:
		return "string";
	case MCP__TIME:
		return "time";
	case MCP__WHOLE:
		return "integer";
	case MCP__NUMBER:
		return "number";
	case MCP__TRUTH:
		return "boolean";
	case MCP__TEXTS:
		return "array of strings";
	case MCP__OBJECT:
		return "object";
	case MCP__LIST:
		break;
	}
	return "array of objects";
}

/* The name of the member behind those of its parents: "quote.quoteDetails", "items[].id". */
struct path {
	const struct path *parent;
	const char *name;
	bool is_list;
};

static void add_path(struct buf *out, const struct path *path)
{
	const struct path *way[8];
	size_t depth = 0;

	for (; path && depth < ARRAY_LEN(way); path = path->parent)
		way[depth++] = path;
	while (depth-- > 0) {
		buf_add_z(out, way[depth]->name);
		if (depth > 0)
			buf_add_z(out, way[depth]->is_list ? "[]." : ".");
	}
}

static void add_choices(struct buf *out, const char *const *choices)
{
	buf_add(out, STR(" One of"));
	for (; *choices; choices++)
		buf_addf(out, " `%s`", *choices);
	buf_add_char(out, '.');
}

static void add_input(struct buf *out, const struct json_fields *fields, const struct path *parent)
{
	for (size_t i = 0; i < fields->count; i++) {
		const struct json_field *f = &fields->fields[i];
		struct path path = { .parent = parent, .name = f->name };

		buf_add(out, STR("| `"));
		add_path(out, &path);
		buf_addf(out, "` | %s | %s | %s", input_type(f), f->required ? "yes" : "no",
		         f->doc);
		if (f->choices)
			add_choices(out, f->choices);
		buf_add(out, STR(" |\n"));
		if (f->sub)
			add_input(out, f->sub, &path);
	}
}

static void add_output(struct buf *out, const struct mcp__shapes *shapes, const struct path *parent)
{
	for (size_t i = 0; i < shapes->count; i++) {
		const struct mcp__shape *s = &shapes->members[i];
		struct path path = { parent, s->name, s->type == MCP__LIST };

		buf_add(out, STR("| `"));
		add_path(out, &path);
		buf_addf(out, "` | %s%s%s | %s |\n", output_type(s->type),
		         s->nullable ? " or null" : "", s->optional ? ", optional" : "", s->doc);
		if (s->sub)
			add_output(out, s->sub, &path);
	}
}

static void add_hints(struct buf *out, const struct mcp__tool *tool)
{
	buf_add_z(out, tool->needs_account ? "Needs a purchase key" : "Needs no key");
	buf_add_z(out, tool->hints.read_only ? ", changes nothing" : ", changes the store");
	if (tool->hints.destructive)
		buf_add(out, STR(", cannot be undone"));
	if (tool->hints.idempotent && !tool->hints.read_only)
		buf_add(out, STR(", can be repeated"));
	buf_add(out, STR(".\n\n"));
}

static void add_tool(struct buf *out, const struct mcp__tool *tool)
{
	buf_addf(out, "## %s\n\n%s. %s\n\n", tool->name, tool->title, tool->description);
	add_hints(out, tool);
	if (tool->input->count > 0) {
		buf_add(out, STR("| argument | type | required | |\n|---|---|---|---|\n"));
		add_input(out, tool->input, NULL);
		buf_add_char(out, '\n');
	}
	buf_add(out, STR("| answer | type | |\n|---|---|---|\n"));
	add_output(out, tool->output, NULL);
	buf_add_char(out, '\n');
}

void mcp_tools_put_markdown(struct buf *out)
{
	buf_add(out,
	        STR("# Tools\n\n"
	            "Printed from the tables in `mcp/`; a test compares. Unknown arguments are "
	            "refused by name. A call that\nfails has `isError`, a text that says what to "
	            "do next, and `error` with `code` and `message`.\n\n"));
	for (size_t i = 0; mcp__tool_at(i); i++)
		add_tool(out, mcp__tool_at(i));
	buf_add(out, STR("# Resources\n\nEach is JSON that a tool tells too.\n\n"));
	mcp__resources_put_markdown(out);
	buf_add(out, STR("# Prompts\n\nHosts show them as commands.\n\n"));
	mcp__prompts_put_markdown(out);
}
