/* SPDX-License-Identifier: Apache-2.0 */
/* A provider-sim of a test's own: the built program is started, asked over HTTP row by row, and its
 * journal compared with what it told. */
#ifndef TESTS_SIM_RUN_H
#define TESTS_SIM_RUN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/json.h"
#include "tests/check.h"
#include "tests/http_call.h"

struct sim_run {
	char *program, *scripts;
	char folder[64];
	char journal[80];
	char address[64];
	pid_t pid;
	struct http_fixture client;
	size_t lines;           /* of the journal that were compared */
	const char *google_key; /* NULL: the right one */
};

/* One request: POST, or GET without a body. */
struct sim_row {
	const char *path, *body;
	const char *log;
	const char *says;    /* a part of the answer */
	const char *journal; /* a pattern for its line */
};

#define SIM_ANSWERED "head 200 data done complete "
#define SIM_REFUSED "head 400 data done complete "

/* False if the program does not start; its paths are set before. */
bool sim_run_start(struct sim_run *run);
/* Stops the program, if it runs, and removes its files. */
void sim_run_stop(struct sim_run *run);
/* The program's path and the folder of scenarios from the command line, and all cases. */
int sim_run_main(struct sim_run *run, char **argv, const struct check_case *cases, size_t count);
/* The next line of the journal, parsed; NULL if it is not there. The caller frees it. */
struct json *sim_run_line(struct sim_run *run);
void sim_run_rows(struct sim_run *run, const struct sim_row *rows, size_t count);
/* "http://<address><path>" */
void sim_run_url(const struct sim_run *run, const char *path, char out[256]);

#endif
