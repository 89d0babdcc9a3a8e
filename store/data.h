/* SPDX-License-Identifier: Apache-2.0 */
/* The files of store/data/, compiled in by base/embed.py. */
#ifndef STORE_DATA_H
#define STORE_DATA_H

#include <stddef.h>

extern const char store__models_json[];
extern const size_t store__models_json_len;
extern const char store__routes_json[];
extern const size_t store__routes_json_len;

#endif
