/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that touches the floating-point value that cJSON makes of a number. It leaves here
 * as a checked integer, as a decision or as text. The surprising fact: micro units come out exact,
 * because a decimal of at most 15 digits and its nearest double determine each other. */
#include "base/json_number.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_EXACT 9007199254740991 /* 2^53 - 1 */
#define MICROS 1000000
#define MAX_UNITS 1000000000 /* 15 digits with six decimals, which is what a double keeps */

/* The same object; struct json is cJSON's node under another name. */
static const cJSON *number(const struct json *node)
{
	return (const cJSON *)(const void *)node;
}

bool json__number_is_finite(const struct json *node)
{
	return isfinite(number(node)->valuedouble);
}

bool json__number_eq(const struct json *a, const struct json *b)
{
	return number(a)->valuedouble == number(b)->valuedouble;
}

bool json_i64(const struct json *node, int64_t *out)
{
	if (!json_is(node, JSON_NUMBER) || fabs(number(node)->valuedouble) > MAX_EXACT ||
	    trunc(number(node)->valuedouble) != number(node)->valuedouble)
		return false;
	*out = (int64_t)number(node)->valuedouble;
	return true;
}

/* Division is rounded correctly and both its sides are exact, so the quotient is the double that
 * the decimal text of `micros` reads as: equal means that nothing was lost. */
static bool reads_as(const struct json *node, int64_t micros)
{
	return (double)micros / MICROS == number(node)->valuedouble; /* allowed: JSON number */
}

bool json_micros(const struct json *node, int decimals, int64_t *out)
{
	int64_t micros, step = MICROS;

	if (!json_is(node, JSON_NUMBER) || fabs(number(node)->valuedouble) > MAX_UNITS)
		return false;
	for (int i = 0; i < decimals; i++)
		step /= 10;
	micros = llround(number(node)->valuedouble * MICROS);
	if (!reads_as(node, micros) || micros % step != 0)
		return false;
	*out = micros;
	return true;
}

void json__number_add(struct buf *out, const struct json *node)
{
	char text[32]; /* "-1.7976931348623157e+308" is the longest */
	int64_t whole;

	if (json_i64(node, &whole)) {
		buf_add_i64(out, whole);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof text, "%.*g", digits, number(node)->valuedouble);
		if (strtod(text, NULL) == number(node)->valuedouble)
			break;
	}
	buf_add_z(out, text);
}
