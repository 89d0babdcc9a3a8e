/* SPDX-License-Identifier: Apache-2.0 */
/* Trees for small documents: cJSON behind the gate. `struct json` is cJSON's node under another
 * name, by cast, in this folder only. The surprising fact: recursion here is safe because the gate
 * has bounded the depth before cJSON sees a byte. */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/json_number.h"

static const cJSON *node_of(const struct json *node)
{
	return (const cJSON *)(const void *)node;
}

static const struct json *json_of(const cJSON *node)
{
	return (const struct json *)(const void *)node;
}

/* Counts numbers that are longer than cJSON can read. */
static void find_long_number(void *data, const struct json_span *span)
{
	size_t *found = data;

	if (span->type == JSON_NUMBER && span->value.len > JSON__NUMBER_MAX)
		(*found)++;
}

static bool all_finite(const struct json *node)
{
	if (json_is(node, JSON_NUMBER))
		return json__number_is_finite(node);
	for (const struct json *child = json_first(node); child; child = json_next(child))
		if (!all_finite(child))
			return false;
	return true;
}

struct json *json_parse(struct str text, struct err *err)
{
	size_t long_numbers = 0;
	cJSON *root;

	if (!json_scan(text, find_long_number, &long_numbers, err))
		return NULL;
	if (long_numbers > 0) {
		(void)err_set(err, ERR_TOO_LARGE, "a number has more than %d characters",
		              JSON__NUMBER_MAX);
		return NULL;
	}
	root = cJSON_ParseWithLength(text.p, text.len);
	if (!root) { /* the gate has seen it all, so it is not the text */
		(void)err_no_memory(err);
		return NULL;
	}
	if (!all_finite(json_of(root))) {
		cJSON_Delete(root);
		(void)err_set(err, ERR_TOO_LARGE, "a number is out of range");
		return NULL;
	}
	return (struct json *)(void *)root;
}

void json_free(struct json *root)
{
	cJSON_Delete((cJSON *)(void *)root);
}

void json_free_at(struct json **root)
{
	json_free(*root);
	*root = NULL;
}

enum json_type json_type(const struct json *node)
{
	const cJSON *n = node_of(node);

	if (cJSON_IsBool(n))
		return JSON_BOOL;
	if (cJSON_IsNumber(n))
		return JSON_NUMBER;
	if (cJSON_IsString(n))
		return JSON_STRING;
	if (cJSON_IsArray(n))
		return JSON_ARRAY;
	if (cJSON_IsObject(n))
		return JSON_OBJECT;
	return JSON_NULL;
}

bool json_is(const struct json *node, enum json_type type)
{
	return node && json_type(node) == type;
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!json_is(object, JSON_OBJECT))
		return NULL;
	return json_of(cJSON_GetObjectItemCaseSensitive(node_of(object), key));
}

const struct json *json_first(const struct json *container)
{
	return container ? json_of(node_of(container)->child) : NULL;
}

const struct json *json_next(const struct json *child)
{
	return child ? json_of(node_of(child)->next) : NULL;
}

struct str json_key(const struct json *member)
{
	return str_of(member ? node_of(member)->string : NULL);
}

size_t json_count(const struct json *container)
{
	size_t count = 0;

	for (const struct json *child = json_first(container); child; child = json_next(child))
		count++;
	return count;
}

struct str json_text(const struct json *node)
{
	return str_of(json_is(node, JSON_STRING) ? node_of(node)->valuestring : NULL);
}

bool json_true(const struct json *node)
{
	return node && cJSON_IsTrue(node_of(node));
}
