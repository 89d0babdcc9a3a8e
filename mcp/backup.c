/* SPDX-License-Identifier: Apache-2.0 */
/* A backup in slices. The path was made absolute by the command line, because the process that
 * copies may stand in another folder than the one that asked. */
#include "mcp/backup.h"

#include <stdlib.h>

#include "base/json.h"

bool mcp__backup_is(struct str request)
{
	static const char *const KEYS[] = { "command" };
	struct str command;

	return json_pick(request, KEYS, &command, 1, NULL) &&
	       json_raw_equals(command, STR("backup"));
}

static bool begin(struct mcp__backup *b, struct store *st, struct str request, struct err *err)
{
	OWN_JSON struct json *root = json_parse(request, err);

	if (root == NULL)
		return false;
	struct str path = json_text(json_get(json_get(root, "arguments"), "path"));
	if (path.p == NULL || path.len == 0 || path.p[0] != '/')
		return err_set(err, ERR_INVALID_ARGUMENT, "path must be absolute");
	b->copy = store_backup_begin(st, path.p, err);
	return b->copy != NULL;
}

bool mcp__backup_slice(struct mcp__backup *b, struct store *st, struct str request, struct err *err)
{
	if (b->copy == NULL && !begin(b, st, request, err))
		return false;
	bool ok = store_backup_step(b->copy, &b->finished, err);
	if (!ok || b->finished)
		mcp__backup_cancel(b);
	return ok;
}

void mcp__backup_cancel(struct mcp__backup *b)
{
	store_backup_free(b->copy);
	b->copy = NULL;
}

void mcp__backup_put_answer(struct str request, struct buf *out)
{
	OWN_JSON struct json *root = json_parse(request, NULL);
	OWN_JSON_OUT struct json_out o = json_out_make(out->max);

	json_put_object(&o, NULL);
	json_put_object(&o, "result");
	json_put_object(&o, "backup");
	json_put_str(&o, "path", json_text(json_get(json_get(root, "arguments"), "path")));
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	buf_add(out, buf_str(&o.text));
}
