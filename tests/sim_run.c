/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the built simulator as its users do, and compares each answer with its journal's line. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim_run.h"

#define JOURNAL_MAX (1u << 20)

static bool spawn_sim(struct sim_run *run, int out)
{
	char script[] = "--script", journal[] = "--journal", bodies[] = "--journal-bodies";
	char key[] = "--key", value[] = "sk-secret";
	char *argv[] = { run->program, script, run->scripts, journal, run->journal,
		         bodies,       key,    value,        NULL };
	posix_spawn_file_actions_t actions;
	bool ok = posix_spawn_file_actions_init(&actions) == 0 &&
	          posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) == 0 &&
	          posix_spawn(&run->pid, run->program, &actions, NULL, argv, environ) == 0;
	(void)posix_spawn_file_actions_destroy(&actions);
	return ok;
}

bool sim_run_start(struct sim_run *run)
{
	static const char SAYS[] = "provider-sim listening on ";
	char line[128] = "";
	int ends[2];
	(void)snprintf(run->folder, sizeof(run->folder), "/tmp/provider-sim-test-XXXXXX");
	if (mkdtemp(run->folder) == NULL || pipe2(ends, O_CLOEXEC) != 0)
		return false;
	(void)snprintf(run->journal, sizeof(run->journal), "%s/journal", run->folder);
	if (!spawn_sim(run, ends[1]))
		return false;
	(void)close(ends[1]);
	FILE *out = fdopen(ends[0], "r");
	bool ok = out != NULL && fgets(line, sizeof(line), out) != NULL &&
	          strncmp(line, SAYS, sizeof(SAYS) - 1) == 0;
	struct str rest = str_of(line + (ok ? sizeof(SAYS) - 1 : 0));
	struct str address = str_cut(&rest, '\n');
	(void)snprintf(run->address, sizeof(run->address), "%.*s", STR_ARG(address));
	if (out != NULL)
		(void)fclose(out); /* only read from */
	return ok;
}

struct json *sim_run_line(struct sim_run *run)
{
	OWN_BUF struct buf text = buf_make(JOURNAL_MAX);
	FILE *file = fopen(run->journal, "re");
	char *at = buf_reserve(&text, JOURNAL_MAX);
	if (file == NULL || at == NULL)
		return NULL;
	buf_grew(&text, fread(at, 1, JOURNAL_MAX, file));
	(void)fclose(file); /* only read from */
	struct str rest = buf_str(&text);
	for (size_t i = 0; i < run->lines; i++)
		(void)str_cut(&rest, '\n');
	run->lines++;
	return json_parse(str_cut(&rest, '\n'), NULL);
}

/* ---- Requests ---- */

void sim_run_url(const struct sim_run *run, const char *path, char out[256])
{
	(void)snprintf(out, 256, "http://%s%s", run->address, path); /* ours, and short */
}

static struct net_header extra_of(const struct sim_run *run, const struct sim_row *row)
{
	struct str path = str_of(row->path);
	if (str_starts(path, STR("/v1/messages")))
		return (struct net_header){ STR("anthropic-version"), STR("2023-06-01") };
	if (!str_starts(path, STR("/v1beta/")))
		return (struct net_header){ .name = { NULL, 0 } };
	return (struct net_header){ STR("x-goog-api-key"),
		                    str_of(run->google_key != NULL ? run->google_key
		                                                   : "sk-secret") };
}

static void check_row(struct sim_run *run, const struct sim_row *row)
{
	struct http_call c = http_call_make(&run->client, JUST_READ);
	OWN_BUF struct buf where = buf_make(4096);
	char url[256];
	c.extra = extra_of(run, row);
	sim_run_url(run, row->path, url);
	if (http_start(&c, url, str_of(row->body), 5000))
		http_run(&run->client, &c);
	bool good = CHECK_STR(buf_str(&c.log).p, row->log);
	good &= CHECK(str_find(buf_str(&c.body), str_of(row->says)) >= 0);
	OWN_JSON struct json *line = sim_run_line(run);
	OWN_JSON struct json *pattern = json_parse(str_of(row->journal), NULL);
	if (CHECK(line != NULL && pattern != NULL))
		good &= CHECK(json_matches(pattern, line, &where));
	const struct json *headers = json_get(line, "requestHeaders");
	good &= CHECK(json_get(headers, "authorization") == NULL &&
	              json_get(headers, "x-goog-api-key") == NULL);
	if (!good)
		check_note("%s %s\n# %s\n# %s", row->path, row->body != NULL ? row->body : "",
		           buf_str(&c.body).p, buf_str(&where).p);
	http_call_done(&c);
}

void sim_run_rows(struct sim_run *run, const struct sim_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(run, &rows[i]);
}

void sim_run_stop(struct sim_run *run)
{
	if (run->pid > 0) {
		(void)kill(run->pid, SIGTERM);
		(void)waitpid(run->pid, NULL, 0); /* its status is a case of its own */
	}
	run->pid = 0;
	(void)unlink(run->journal);
	(void)rmdir(run->folder);
}

int sim_run_main(struct sim_run *run, char **argv, const struct check_case *cases, size_t count)
{
	if (argv[1] == NULL || argv[2] == NULL || argv[3] != NULL) {
		(void)fprintf(stderr, "usage: %s PROGRAM SCENARIOS\n", argv[0]);
		return 2;
	}
	run->program = argv[1];
	run->scripts = argv[2];
	if (!sim_run_start(run)) {
		puts("Bail out! the simulator did not start");
		return 1;
	}
	http_setup_client(&run->client);
	int result = check_main(cases, count);
	net_client_free(run->client.client);
	net_loop_free(run->client.loop);
	sim_run_stop(run);
	return result;
}
