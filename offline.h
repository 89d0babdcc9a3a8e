/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that open no store: they read settings and print text. */
#ifndef OFFLINE_H
#define OFFLINE_H

#include <stdbool.h>

#include "base/config.h"

/* Each gives the exit code: 0 done, 1 failed, 2 usage. Errors are on stderr already. */

/* `config [--json | --markdown]`: every setting and where it comes from. */
int offline_config(const struct config *cfg, int argc, char **argv);
/* `host-config HOST [--key KEY] [--json]`: what an agent host reads to start this program. */
int offline_host_config(const struct config *cfg, int argc, char **argv);

/* `config check [FILE] [--json]`: settings, models and routes, wholly, and without starting.
 * It loads the settings itself, because FILE takes the place of AGENT_STORE_CONFIG's. */
bool offline_is_check(int argc, char **argv);
int offline_config_check(int argc, char **argv, char **envp);

#endif
