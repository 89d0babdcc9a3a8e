/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the configuration file a second time. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/config.h"
#include "tests/check.h"

static void rewrite(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void a_reload_reads_the_file_again_and_nothing_else(void)
{
	char path[] = "/tmp/test_reload_XXXXXX";
	char self[] = "agent-store", listen[] = "--listen=127.0.0.1:3", config[] = "--config";
	char home[] = "HOME=/home/u", log[] = "AGENT_STORE_LOG=debug";
	char *argv[] = { self, listen, config, path, NULL };
	char *envp[] = { home, log, NULL };
	int argc = 4, fd = mkstemp(path);
	struct err err = { 0 };

	if (!CHECK(fd >= 0) || !CHECK_I64(close(fd), 0))
		return;
	rewrite(path, "{\"LISTEN\":\"127.0.0.1:1\",\"LOG\":\"error\","
	              "\"DURABILITY\":\"process\",\"OPENAI_API_KEY\":\"old\"}");
	struct config *cfg = config_load(&argc, argv, envp, &err);
	if (!CHECK(cfg != NULL))
		return;
	rewrite(path, "{\"LISTEN\":\"127.0.0.1:9\",\"LOG\":\"info\","
	              "\"OPENAI_API_KEY\":\"new\",\"models\":[]}");
	struct config *fresh = config_reload(cfg, &err);
	if (CHECK(fresh != NULL)) {
		CHECK_STR(config_get(fresh, CONFIG_LISTEN), "127.0.0.1:3");
		CHECK_I64(config_source(fresh, CONFIG_LISTEN), CONFIG_FROM_FLAG);
		CHECK_STR(config_get(fresh, CONFIG_LOG), "debug");
		CHECK_STR(config_get(fresh, CONFIG_DURABILITY), "power"); /* no more in the file */
		CHECK_STR(config_get(fresh, CONFIG_OPENAI_API_KEY), "new");
		CHECK_STR(config_get(fresh, CONFIG_DB), config_get(cfg, CONFIG_DB));
		CHECK(config_section(fresh, "models") != NULL);
		CHECK_STR(config_get(cfg, CONFIG_OPENAI_API_KEY), "old");
	}
	config_free(fresh);
	rewrite(path, "{\"LOG\":");
	CHECK(config_reload(cfg, &err) == NULL);
	CHECK(strstr(err.text, path) != NULL);
	CHECK_I64(unlink(path), 0);
	CHECK(config_reload(cfg, &err) == NULL); /* gone is not empty */
	config_free(cfg);
}

static const struct check_case CASES[] = {
	CASE(a_reload_reads_the_file_again_and_nothing_else),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
