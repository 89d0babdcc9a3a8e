/* SPDX-License-Identifier: Apache-2.0 */
/* What each agent host is given to paste, as golden files (fixtures/host-config), and how paths,
 * settings and keys get into it. */
#include <stdio.h>

#include "base/json.h"
#include "mcp/mcp.h"
#include "tests/check.h"

#define KEY "ask_live_0123456789abcdef.secret"

static const char *const HOSTS[] = { "claude-code", "codex", "cursor", "vscode", "claude-desktop" };

static const struct mcp_host_setup PLAIN = { .program = "/usr/bin/agent-store" };

static const struct mcp_host_variable SETTINGS[] = {
	{ "AGENT_STORE_DB", "/srv/my store's.db" },
	{ "AGENT_STORE_LISTEN", "none" },
};

/* Everything that must be quoted somewhere. */
static const struct mcp_host_setup RICH = {
	.program = "/opt/agent \"store\"/bin\\agent-store",
	.purchase_key = KEY,
	.variables = SETTINGS,
	.variable_count = ARRAY_LEN(SETTINGS),
};

static void put(const char *host, const struct mcp_host_setup *setup, bool json, struct buf *out)
{
	struct err err = { 0 };

	buf_reset(out);
	if (!mcp_host_config_put(str_of(host), setup, json, out, &err))
		CHECK_FAIL("%s: %s", host, err.text);
}

static void read_golden(const char *host, struct buf *out)
{
	char path[256];

	if (snprintf(path, sizeof path, "%s/host-config/%s.txt", FIXTURES, host) >=
	    (int)sizeof path)
		return;
	FILE *f = fopen(path, "re");
	char *room = buf_reserve(out, 8192);
	if (CHECK(f != NULL) && CHECK(room != NULL))
		buf_grew(out, fread(room, 1, 8191, f));
	if (f != NULL)
		(void)fclose(f);
}

static void every_host_gets_its_golden_snippet(void)
{
	for (size_t i = 0; i < ARRAY_LEN(HOSTS); i++) {
		OWN_BUF struct buf got = buf_make(1 << 16), want = buf_make(1 << 14);

		check_note("%s", HOSTS[i]);
		put(HOSTS[i], &PLAIN, false, &got);
		read_golden(HOSTS[i], &want);
		CHECK_STR(got.p, want.p);
	}
}

/* The JSON document inside the text for people: from its first brace to the last. */
static struct json *document_in(const struct buf *text)
{
	struct str all = buf_str(text);
	ptrdiff_t from = str_find(all, STR("{\n"));
	size_t end = all.len;
	struct err err = { 0 };

	if (!CHECK(from >= 0))
		return NULL;
	while (end > 0 && all.p[end - 1] != '}')
		end--;
	struct json *root = json_parse((struct str){ all.p + from, end - (size_t)from }, &err);
	if (root == NULL)
		CHECK_FAIL("%s", err.text);
	return root;
}

static void what_is_pasted_is_json_with_every_setting_in_it(void)
{
	static const struct {
		const char *host, *servers;
	} ROWS[] = {
		{ "claude-code", "mcpServers" },
		{ "cursor", "mcpServers" },
		{ "vscode", "servers" },
		{ "claude-desktop", "mcpServers" },
	};

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		OWN_BUF struct buf text = buf_make(1 << 16);

		check_note("%s", ROWS[i].host);
		put(ROWS[i].host, &RICH, false, &text);
		OWN_JSON struct json *root = document_in(&text);
		const struct json *server =
			json_get(json_get(root, ROWS[i].servers), "agent-store");
		const struct json *env = json_get(server, "env");
		CHECK_TEXT(json_text(json_get(server, "command")), RICH.program);
		CHECK_TEXT(json_text(json_first(json_get(server, "args"))), "mcp");
		CHECK_TEXT(json_text(json_get(env, "AGENT_STORE_AGENT_API_KEY")), KEY);
		CHECK_TEXT(json_text(json_get(env, "AGENT_STORE_DB")), "/srv/my store's.db");
		CHECK_TEXT(json_text(json_get(env, "AGENT_STORE_LISTEN")), "none");
		CHECK(json_get(root, "inputs") == NULL); /* nothing is left to ask for */
	}
}

static void the_commands_words_are_quoted_for_a_shell(void)
{
	OWN_BUF struct buf text = buf_make(1 << 16);

	put("claude-code", &RICH, false, &text);
	CHECK(str_find(buf_str(&text), STR("claude mcp add --scope user agent-store"
	                                   " --env AGENT_STORE_AGENT_API_KEY=" KEY
	                                   " --env AGENT_STORE_DB='/srv/my store'\\''s.db'"
	                                   " --env AGENT_STORE_LISTEN=none"
	                                   " -- '/opt/agent \"store\"/bin\\agent-store' mcp\n")) >=
	      0);
}

static void toml_is_quoted_too(void)
{
	OWN_BUF struct buf text = buf_make(1 << 16);

	put("codex", &RICH, false, &text);
	CHECK(str_find(buf_str(&text),
	               STR("command = \"/opt/agent \\\"store\\\"/bin\\\\agent-store\"\n"
	                   "args = [\"mcp\"]\n\n[mcp_servers.agent-store.env]\n"
	                   "AGENT_STORE_AGENT_API_KEY = \"" KEY "\"\n"
	                   "AGENT_STORE_DB = \"/srv/my store's.db\"\n"
	                   "AGENT_STORE_LISTEN = \"none\"\n")) >= 0);
}

static void programs_get_one_line_of_json(void)
{
	for (size_t i = 0; i < ARRAY_LEN(HOSTS); i++) {
		OWN_BUF struct buf text = buf_make(1 << 16);

		check_note("%s", HOSTS[i]);
		put(HOSTS[i], &RICH, true, &text);
		CHECK_I64(str_find(buf_str(&text), STR("\n")), text.len - 1);
		OWN_JSON struct json *root = json_parse(buf_str(&text), NULL);
		const struct json *server = json_get(root, "server");
		bool is_codex = i == 1;
		bool has_command = i < 2;
		CHECK_TEXT(json_text(json_get(root, "host")), HOSTS[i]);
		CHECK_TEXT(json_text(json_get(root, "format")), is_codex ? "toml" : "json");
		CHECK_TEXT(json_text(json_get(server, "command")), RICH.program);
		CHECK(json_is(json_get(root, "shellCommand"),
		              has_command ? JSON_STRING : JSON_NULL));
		if (is_codex)
			continue;
		OWN_JSON struct json *document =
			json_parse(json_text(json_get(root, "document")), NULL);
		CHECK(document != NULL);
	}
}

static void an_unknown_host_is_told_the_known_ones(void)
{
	OWN_BUF struct buf text = buf_make(1 << 10);
	struct err err = { 0 };

	CHECK(!mcp_host_config_put(STR("emacs"), &PLAIN, false, &text, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	CHECK_STR(err.text, "no agent host is called 'emacs'; there are "
	                    "claude-code|codex|cursor|vscode|claude-desktop");
	CHECK_I64(text.len, 0);
}

static void a_snippet_that_does_not_fit_is_an_error(void)
{
	OWN_BUF struct buf text = buf_make(64);
	struct err err = { 0 };

	CHECK(!mcp_host_config_put(STR("cursor"), &PLAIN, false, &text, &err));
	CHECK_I64(err.code, ERR_TOO_LARGE);
}

int main(void)
{
	static const struct check_case CASES[] = {
		CASE(every_host_gets_its_golden_snippet),
		CASE(what_is_pasted_is_json_with_every_setting_in_it),
		CASE(the_commands_words_are_quoted_for_a_shell),
		CASE(toml_is_quoted_too),
		CASE(programs_get_one_line_of_json),
		CASE(an_unknown_host_is_told_the_known_ones),
		CASE(a_snippet_that_does_not_fit_is_an_error),
	};

	return check_main(CASES, ARRAY_LEN(CASES));
}
