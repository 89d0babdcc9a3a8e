/* SPDX-License-Identifier: Apache-2.0 */
/* The door: reads the words and the settings and picks the mode. Help and version come before the
 * settings, so that they can be read when a setting is wrong. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "base/log.h"
#include "mcp/mcp.h"
#include "offline.h"

#define EXIT_USAGE 2
#define TEXT_MAX (256u << 10)

struct mode {
	const char *word;
	const char *usage;
	const char *help;
	int (*run)(const struct config *cfg, int argc, char **argv);
	bool plain; /* takes no words of its own */
};

static const struct mode MODES[] = {
	{ "mcp", "[mcp]", "MCP server on stdin and stdout; the router listens beside it.",
	  app_run_mcp, true },
	{ "serve", "serve", "Store and router without stdio, until SIGTERM or SIGINT.",
	  app_run_serve, true },
	{ "transcript", "transcript FILE...", "Runs scripted purchases and checks the answers.",
	  app_run_transcript, false },
	{ "top", "top [--once] [--json]", "Shows what runs and what the books say, each second.",
	  app_run_top, false },
	{ "config", "config [--json | --markdown]", "Shows every setting and where it comes from.",
	  offline_config, false },
	{ "", "config check [FILE]", "Checks settings, models and routes without starting.", NULL,
	  false }, /* found before the settings are read */
	{ "host-config", "host-config claude-code|codex|cursor|vscode|claude-desktop [--key KEY]",
	  "Prints what an agent host reads to start this program.", offline_host_config, false },
};

/* ---- What is printed ---- */

static int print(struct buf *text)
{
	return fwrite(text->p, 1, text->len, stdout) == text->len && fflush(stdout) == 0 ? 0 : 1;
}

static void put_usage(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(MODES); i++)
		buf_addf(out, "  agent-store %s\n      %s\n", MODES[i].usage, MODES[i].help);
	mcp_commands_put_help(out);
}

static int print_help(void)
{
	OWN_BUF struct buf text = buf_make(TEXT_MAX);

	buf_add_z(&text, "agent-store " AGENT_STORE_VERSION ": a prepaid store and LLM router\n\n");
	put_usage(&text);
	buf_add_z(&text, "\nSettings (flag over environment over --config FILE over default):\n");
	config_put_help(&text);
	return print(&text);
}

static int usage_error(const char *what, const char *word)
{
	OWN_BUF struct buf text = buf_make(TEXT_MAX);

	buf_addf(&text, "agent-store: %s '%s'; there are\n", what, word);
	put_usage(&text);
	(void)fputs(text.p == NULL ? what : text.p, stderr);
	return EXIT_USAGE;
}

/* ---- Start ---- */

static int run(const struct config *cfg, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "mcp";

	if (mcp_command_known(word))
		return app_run_command(cfg, argc, argv);
	for (size_t i = 0; i < ARRAY_LEN(MODES); i++) {
		if (MODES[i].run == NULL || strcmp(MODES[i].word, word) != 0)
			continue;
		if (argc > 2 && strcmp(argv[2], "--help") == 0)
			return print_help();
		if (argc > 2 && MODES[i].plain)
			return usage_error("unexpected word", argv[2]);
		return MODES[i].run(cfg, argc, argv);
	}
	return usage_error(word[0] == '-' ? "unknown option" : "unknown command", word);
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	enum log_level level = LOG_INFO;

	app_harden();
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return print_help();
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		return puts("agent-store " AGENT_STORE_VERSION) < 0 ? 1 : 0;
	if (offline_is_check(argc, argv))
		return offline_config_check(argc, argv, environ);
	struct config *cfg = config_load(&argc, argv, environ, &err);
	if (cfg == NULL) {
		(void)fprintf(stderr, "agent-store: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (log_level_parse(str_of(config_get(cfg, CONFIG_LOG)), &level))
		log_set_level(level);
	int code = run(cfg, argc, argv);
	config_free(cfg);
	return code;
}
