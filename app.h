/* SPDX-License-Identifier: Apache-2.0 */
/* The program's parts joined: store, router and mcp meet here and nowhere else. Each run is one
 * mode of the program from start to exit code. */
#ifndef APP_H
#define APP_H

#include "base/config.h"
#include "base/env.h"
#include "store/model.h"

/* Makes the process fit to hold keys and money. Before anything else, once. */
void app_harden(void);

/* The models and routes of these settings. ERR_INVALID_ARGUMENT names file, member and reason.
 * `env` is borrowed for the table's life; the caller frees it. */
MUST_CHECK struct store_models *app_models_new(const struct config *cfg, const struct env *env,
                                               struct err *err);

/* Each takes the words that config_load left over and gives the exit code: 0 done, 1 failed,
 * 2 usage. Errors are on stderr already. */
int app_run_mcp(const struct config *cfg, int argc, char **argv);
int app_run_serve(const struct config *cfg, int argc, char **argv);
int app_run_top(const struct config *cfg, int argc, char **argv);
int app_run_command(const struct config *cfg, int argc, char **argv);
int app_run_transcript(const struct config *cfg, int argc, char **argv);

#endif
