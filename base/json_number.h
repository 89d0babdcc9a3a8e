/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of a tree beyond what json.h offers. Private to base/: no value leaves as floating
 * point, only as a decision or as text. */
#ifndef BASE_JSON_NUMBER_H
#define BASE_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

/* Digits of a number that cJSON reads correctly; from a longer one it would drop the tail. */
#define JSON__NUMBER_MAX 63

/* Neither infinite nor NaN: 1e999 passes the grammar. `node` is a number, as below. */
bool json__number_is_finite(const struct json *node);
bool json__number_eq(const struct json *a, const struct json *b);
/* The shortest decimal text that reads back as the same number: "25", "0.1", "1e+300". */
void json__number_add(struct buf *out, const struct json *node);

#endif
