/* SPDX-License-Identifier: Apache-2.0 */
/* What each agent host wants to read before it starts this program, as it is pasted. The surprising
 * fact: the hosts agree on nearly everything and differ in the names: VS Code says "servers" where
 * the others say "mcpServers", Codex reads TOML, and only some can be asked by a command. */
#include "base/json.h"
#include "base/limits.h"
#include "mcp/mcp.h"

#define SERVER "agent-store"
#define KEY_VARIABLE "AGENT_STORE_AGENT_API_KEY"
#define DOCUMENT_MAX (64u << 10)
#define LINE_MAX_BYTES (128u << 10)

enum format {
	FORMAT_JSON,
	FORMAT_TOML
};

struct host {
	const char *name;
	const char *title;
	const char *add;  /* the host's own command for it, up to the server's name; NULL: none */
	const char *file; /* where the document belongs */
	const char *servers; /* the member, or the table, of all servers */
	const char *no_key;  /* what stands in the document for a key that was not given */
	enum format format;
	bool typed; /* a server says that it is a stdio server */
	bool asks;  /* `no_key` names an input that the host asks its user for */
};

static const struct host HOSTS[] = {
	{ .name = "claude-code",
	  .title = "Claude Code",
	  .add = "claude mcp add --scope user",
	  .file = ".mcp.json in a project's folder (that project only)",
	  .servers = "mcpServers",
	  .typed = true,
	  .no_key = "${" KEY_VARIABLE "}" },
	{ .name = "codex",
	  .title = "Codex",
	  .add = "codex mcp add",
	  .file = "~/.codex/config.toml",
	  .format = FORMAT_TOML,
	  .servers = "mcp_servers",
	  .no_key = MCP_KEY_PLACEHOLDER },
	{ .name = "cursor",
	  .title = "Cursor",
	  .file = "~/.cursor/mcp.json",
	  .servers = "mcpServers",
	  .typed = true,
	  .no_key = MCP_KEY_PLACEHOLDER },
	{ .name = "vscode",
	  .title = "VS Code",
	  .file = ".vscode/mcp.json in a project's folder, or the file of the command"
	          " 'MCP: Open User Configuration'",
	  .servers = "servers",
	  .typed = true,
	  .no_key = "${input:agent-store-key}",
	  .asks = true },
	{ .name = "claude-desktop",
	  .title = "Claude Desktop",
	  .file = "claude_desktop_config.json: ~/.config/Claude (Linux) or"
	          " ~/Library/Application Support/Claude (macOS); Settings, Developer, Edit Config",
	  .servers = "mcpServers",
	  .no_key = MCP_KEY_PLACEHOLDER },
};

static const struct host *find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(HOSTS); i++) {
		if (str_eq(name, str_of(HOSTS[i].name)))
			return &HOSTS[i];
	}
	return NULL;
}

void mcp_hosts_put_names(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(HOSTS); i++) {
		buf_add_z(out, i == 0 ? "" : "|");
		buf_add_z(out, HOSTS[i].name);
	}
}

/* ---- The document ---- */

struct writing {
	const struct host *host;
	const struct mcp_host_setup *setup;
	const char *key; /* as it stands in the document */
};

static void put_environment(const struct writing *w, struct json_out *out)
{
	json_put_object(out, "env");
	json_put_z(out, KEY_VARIABLE, w->key);
	for (size_t i = 0; i < w->setup->variable_count; i++)
		json_put_z(out, w->setup->variables[i].name, w->setup->variables[i].value);
	json_put_end(out, '}');
}

static void put_server(const struct writing *w, const char *key, struct json_out *out)
{
	json_put_object(out, key);
	if (w->host->typed)
		json_put_z(out, "type", "stdio");
	json_put_z(out, "command", w->setup->program);
	json_put_array(out, "args");
	json_put_z(out, NULL, "mcp");
	json_put_end(out, ']');
	put_environment(w, out);
	json_put_end(out, '}');
}

static void put_input(struct json_out *out)
{
	json_put_array(out, "inputs");
	json_put_object(out, NULL);
	json_put_z(out, "type", "promptString");
	json_put_z(out, "id", "agent-store-key");
	json_put_z(out, "description", "Purchase key of agent-store (ask_live_...)");
	json_put_bool(out, "password", true);
	json_put_end(out, '}');
	json_put_end(out, ']');
}

static void put_document(const struct writing *w, struct json_out *out)
{
	json_put_object(out, NULL);
	if (w->host->asks && w->setup->purchase_key == NULL)
		put_input(out);
	json_put_object(out, w->host->servers);
	put_server(w, SERVER, out);
	json_put_end(out, '}');
	json_put_end(out, '}');
}

static void put_line(struct buf *out, size_t depth)
{
	buf_add_char(out, '\n');
	while (depth-- > 0)
		buf_add_z(out, "  ");
}

/* JSON of ours for people: a line for each member, and short arrays on one. */
static void put_indented(struct str json, struct buf *out)
{
	size_t depth = 0;
	bool text = false;

	for (size_t i = 0; i < json.len; i++) {
		char c = json.p[i];
		text = text != (c == '"');
		if (text || c == '"') {
			buf_add_char(out, c);
			if (c == '\\')
				buf_add_char(out, json.p[++i]);
			continue;
		}
		if (c == '}')
			put_line(out, --depth);
		buf_add_char(out, c);
		if (c == '{')
			put_line(out, ++depth);
		else if (c == ',')
			put_line(out, depth);
		else if (c == ':')
			buf_add_char(out, ' ');
	}
	buf_add_char(out, '\n');
}

static bool put_json(const struct writing *w, struct buf *out, struct err *err)
{
	struct json_out document = json_out_make(DOCUMENT_MAX);

	put_document(w, &document);
	bool ok = json_out_ok(&document, err);
	if (ok)
		put_indented(buf_str(&document.text), out);
	buf_wipe(&document.text);
	json_out_done(&document);
	return ok;
}

/* TOML's basic strings are written as JSON writes its own. */
static void put_quoted(struct buf *out, const char *text)
{
	struct json_out one = json_out_make(DOCUMENT_MAX);

	json_put_z(&one, NULL, text);
	buf_add(out, buf_str(&one.text));
	buf_wipe(&one.text);
	json_out_done(&one);
}

static void put_toml(const struct writing *w, struct buf *out)
{
	buf_addf(out, "[%s." SERVER "]\ncommand = ", w->host->servers);
	put_quoted(out, w->setup->program);
	buf_add_z(out, "\nargs = [");
	put_quoted(out, "mcp");
	buf_addf(out, "]\n\n[%s." SERVER ".env]\n" KEY_VARIABLE " = ", w->host->servers);
	put_quoted(out, w->key);
	for (size_t i = 0; i < w->setup->variable_count; i++) {
		buf_addf(out, "\n%s = ", w->setup->variables[i].name);
		put_quoted(out, w->setup->variables[i].value);
	}
	buf_add_char(out, '\n');
}

/* ---- The command ---- */

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == '/' || c == ':' || c == '=' || c == '@' ||
	       c == '+' || c == ',' || c == '%';
}

/* One word of a shell. */
static void put_word(struct buf *out, const char *name, const char *value)
{
	bool plain = true;

	for (const char *p = value; *p != '\0'; p++)
		plain = plain && is_plain(*p);
	buf_add_z(out, name);
	if (plain) {
		buf_add_z(out, value);
		return;
	}
	buf_add_char(out, '\'');
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '\'')
			buf_add_z(out, "'\\'");
		buf_add_char(out, *p);
	}
	buf_add_char(out, '\'');
}

static void put_command(const struct writing *w, struct buf *out)
{
	const struct mcp_host_setup *setup = w->setup;

	buf_addf(out, "%s " SERVER " --env " KEY_VARIABLE "=", w->host->add);
	put_word(out, "", setup->purchase_key != NULL ? setup->purchase_key : MCP_KEY_PLACEHOLDER);
	for (size_t i = 0; i < setup->variable_count; i++) {
		buf_addf(out, " --env %s=", setup->variables[i].name);
		put_word(out, "", setup->variables[i].value);
	}
	put_word(out, " -- ", setup->program);
	buf_add_z(out, " mcp");
}

/* ---- All of it ---- */

static bool put_file(const struct writing *w, struct buf *out, struct err *err)
{
	if (w->host->format == FORMAT_JSON)
		return put_json(w, out, err);
	put_toml(w, out);
	return true;
}

static bool put_for_people(const struct writing *w, struct buf *out, struct err *err)
{
	const struct host *host = w->host;

	if (host->add != NULL) {
		buf_addf(out, "# %s, by its command:\n\n", host->title);
		put_command(w, out);
		buf_addf(out, "\n\n# or in %s:\n\n", host->file);
	} else {
		buf_addf(out, "# %s, in %s:\n\n", host->title, host->file);
	}
	if (!put_file(w, out, err))
		return false;
	if (w->setup->purchase_key == NULL)
		buf_add_z(out,
		          "\n# The key is what 'agent-store account create NAME' prints, once.\n");
	return true;
}

static bool put_for_programs(const struct writing *w, struct json_out *out, struct err *err)
{
	struct buf text = buf_make(DOCUMENT_MAX);

	json_put_object(out, NULL);
	json_put_z(out, "host", w->host->name);
	json_put_z(out, "file", w->host->file);
	json_put_z(out, "format", w->host->format == FORMAT_TOML ? "toml" : "json");
	if (w->host->add != NULL)
		put_command(w, &text);
	json_put_str(out, "shellCommand",
	             w->host->add != NULL ? buf_str(&text) : (struct str){ NULL, 0 });
	buf_wipe(&text);
	bool ok = put_file(w, &text, err);
	json_put_str(out, "document", buf_str(&text));
	buf_wipe(&text);
	buf_done(&text);
	put_server(w, "server", out);
	json_put_end(out, '}');
	return ok && json_out_ok(out, err);
}

static bool put_line_of_json(const struct writing *w, struct buf *out, struct err *err)
{
	struct json_out line = json_out_make(LINE_MAX_BYTES);
	bool ok = put_for_programs(w, &line, err);

	if (ok) {
		buf_add(out, buf_str(&line.text));
		buf_add_char(out, '\n');
	}
	buf_wipe(&line.text);
	json_out_done(&line);
	return ok;
}

bool mcp_host_config_put(struct str name, const struct mcp_host_setup *setup, bool json,
                         struct buf *out, struct err *err)
{
	OWN_BUF struct buf names = buf_make(LIMIT_ERR_TEXT);
	const struct host *host = find(name);

	if (host == NULL) {
		mcp_hosts_put_names(&names);
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "no agent host is called '%.*s'; there are %s", STR_ARG(name),
		               names.p);
	}
	const struct writing w = {
		.host = host,
		.setup = setup,
		.key = setup->purchase_key != NULL ? setup->purchase_key : host->no_key,
	};
	return (json ? put_line_of_json(&w, out, err) : put_for_people(&w, out, err)) &&
	       buf_ok(out, "the snippet", err);
}
