/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the tree that are in the program: made into arrays by store/data/embed.py when it is
 * built. Each has a NUL behind it that its length does not count. */
#ifndef ROUTER_EMBEDDED_H
#define ROUTER_EMBEDDED_H

#include <stddef.h>

extern const char router__openapi[]; /* docs/openapi.json */
extern const size_t router__openapi_len;

#endif
