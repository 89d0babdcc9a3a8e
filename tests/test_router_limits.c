/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration's `limits`: what it changes, what it refuses, and that docs/config.md has the
 * table as it is. */
#include <stdio.h>
#include <string.h>

#include "router/router.h"
#include "tests/check.h"

static bool read_section(const char *text, struct router_limits *out, struct err *err)
{
	OWN_JSON struct json *section = json_parse(str_of(text), err);

	return CHECK(section != NULL) && router_limits_read(section, out, err);
}

static void without_a_section_all_are_the_defaults(void)
{
	struct router_limits l = { 0 };

	CHECK(router_limits_read(NULL, &l, NULL));
	CHECK_I64(l.body_bytes, 33554432);
	CHECK_I64(l.head_bytes, 16384);
	CHECK_I64(l.head_ms, 10000);
	CHECK_I64(l.body_idle_ms, 30000);
	CHECK_I64(l.write_stall_ms, 60000);
	CHECK_I64(l.drain_ms, 30000);
}

static void a_section_changes_what_it_names(void)
{
	struct router_limits l = { 0 };

	CHECK(read_section("{\"bodyBytes\":4096,\"drainMs\":0}", &l, NULL));
	CHECK_I64(l.body_bytes, 4096);
	CHECK_I64(l.drain_ms, 0);
	CHECK_I64(l.head_bytes, 16384);
}

static void faults_are_refused_by_name_and_change_nothing(void)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "{\"bodyByte\":4096}", "bodyByte" },
		{ "{\"bodyBytes\":33554433}", "33554432" },
		{ "{\"bodyBytes\":\"4096\"}", "bodyBytes" },
		{ "{\"drainMs\":60000}", "59000" },
		{ "{\"headMs\":99}", "100" },
		{ "[]", "limits" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct router_limits l = { .body_bytes = 7 };
		struct err err = { 0 };
		if (!CHECK(!read_section(rows[i].text, &l, &err)) ||
		    !CHECK(strstr(err.text, rows[i].says) != NULL) || !CHECK_I64(l.body_bytes, 7))
			check_note("row %zu: %s", i, err.text);
	}
}

static void the_manual_has_the_table(void)
{
	OWN_BUF struct buf table = buf_make(1 << 16), manual = buf_make(1 << 20);
	FILE *file = fopen(FIXTURES "/../docs/config.md", "r");
	char line[4096];

	if (!CHECK(file != NULL))
		return;
	while (fgets(line, sizeof line, file))
		buf_add_z(&manual, line);
	(void)fclose(file); /* only read */
	router_limits_put_markdown(&table);
	if (!CHECK(str_find(buf_str(&manual), buf_str(&table)) >= 0))
		check_note("docs/config.md should have:\n%s", table.p);
}

int main(void)
{
	static const struct check_case cases[] = {
		CASE(without_a_section_all_are_the_defaults),
		CASE(a_section_changes_what_it_names),
		CASE(faults_are_refused_by_name_and_change_nothing),
		CASE(the_manual_has_the_table),
	};

	return check_main(cases, ARRAY_LEN(cases));
}
