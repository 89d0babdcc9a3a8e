/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator's command line. It says where it listens with one line on stdout, and serves until
 * SIGTERM or SIGINT. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/provider_sim/sim.h"

static const char HELP[] =
	"usage: provider-sim [--listen ADDRESS:PORT] --script FILE_OR_FOLDER... [options]\n"
	"\n"
	"A loopback server that answers as language model providers do, from scripts:\n"
	"  POST /v1/chat/completions, /v1/responses   OpenAI\n"
	"  POST /v1/messages                          Anthropic\n"
	"  POST /v1beta/models/MODEL:generateContent  Google, and :streamGenerateContent\n"
	"  POST /kimi/v1/chat/completions             Kimi\n"
	"with their lists of models and counts of tokens.\n"
	"The last message or tool's result names the scenario, as in \"[[error-429]] hello\";\n"
	"without a name it is 'default'.\n"
	"\n"
	"  --listen ADDRESS:PORT  where to listen (127.0.0.1:0: any free port)\n"
	"  --script PATH          a scenario file, or a folder of them; may be repeated\n"
	"  --journal FILE         append one JSON line for each request\n"
	"  --journal-bodies       with the request's body\n"
	"  --key KEY              the credential that is accepted (sim-key)\n"
	"  --delay-ms N           wait before every answer\n"
	"  --help\n";

struct arguments {
	const char *listen, *journal, *key;
	int64_t delay_ms;
	bool bodies, help;
};

/* The argument's value: the next word, or NULL. */
static const char *value_of(char **argv, int *i)
{
	if (argv[*i + 1] == NULL)
		return NULL;
	return argv[++*i];
}

static bool read_argument(struct arguments *a, struct sim *sim, char **argv, int *i,
                          struct err *err)
{
	struct str name = str_of(argv[*i]);
	if (str_eq(name, STR("--help"))) {
		a->help = true;
		return true;
	}
	if (str_eq(name, STR("--journal-bodies"))) {
		a->bodies = true;
		return true;
	}
	const char *value = value_of(argv, i);
	if (value == NULL)
		return err_set(err, ERR_INVALID_ARGUMENT, "'%.*s' is unknown or needs a value",
		               STR_ARG(name));
	if (str_eq(name, STR("--script")))
		return sim_scenarios_load(&sim->scenarios, value, err);
	if (str_eq(name, STR("--delay-ms")) && str_to_i64(str_of(value), &a->delay_ms) &&
	    a->delay_ms >= 0)
		return true;
	if (str_eq(name, STR("--listen")))
		a->listen = value;
	else if (str_eq(name, STR("--journal")))
		a->journal = value;
	else if (str_eq(name, STR("--key")))
		a->key = value;
	else
		return err_set(err, ERR_INVALID_ARGUMENT, "'%.*s %s' is not understood",
		               STR_ARG(name), value);
	return true;
}

static bool read_arguments(struct arguments *a, struct sim *sim, char **argv, struct err *err)
{
	for (int i = 1; argv[i] != NULL; i++) {
		if (!read_argument(a, sim, argv, &i, err))
			return false;
	}
	if (!a->help && sim_scenarios_find(&sim->scenarios, STR("default")) == NULL)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "no scenario is named 'default': give its file with --script");
	return true;
}

static void stop(void *data)
{
	net_loop_stop(data);
}

static bool serve(struct sim *sim, const struct arguments *a, struct err *err)
{
	struct net_server_options options = { .listen = a->listen };
	sim->loop = net_loop_new(err);
	if (sim->loop == NULL)
		return false;
	struct net_server *server = net_server_new(sim->loop, &options, &sim_handler, sim, err);
	bool ok = server != NULL && net_loop_on_signal(sim->loop, SIGTERM, stop, sim->loop, err) &&
	          net_loop_on_signal(sim->loop, SIGINT, stop, sim->loop, err);
	if (ok) {
		printf("provider-sim listening on %s\n", net_server_address(server));
		ok = fflush(stdout) == 0 || err_set_errno(err, ERR_UNAVAILABLE, "stdout");
	}
	ok = ok && net_loop_run(sim->loop, err);
	net_server_free(server);
	net_loop_free(sim->loop);
	return ok;
}

int main(int argc, char **argv)
{
	(void)argc;
	struct err err = { 0 };
	struct arguments a = { .listen = "127.0.0.1:0", .key = "sim-key" };
	struct sim sim = { .journal = { .fd = -1 } };
	bool ok = read_arguments(&a, &sim, argv, &err);
	if (ok && a.help) {
		(void)fputs(HELP, stdout);
	} else if (ok) {
		sim.key = str_of(a.key);
		sim.delay_ms = a.delay_ms;
		ok = sim_journal_open(&sim.journal, a.journal, a.bodies, &err) &&
		     serve(&sim, &a, &err);
	}
	if (!ok)
		(void)fprintf(stderr, "provider-sim: %s\n", err.text);
	sim_journal_close(&sim.journal);
	sim_scenarios_done(&sim.scenarios);
	return ok ? 0 : err.code == ERR_INVALID_ARGUMENT ? 2 : 1;
}
