/* SPDX-License-Identifier: Apache-2.0 */
/* How a result looks in each era: the one without sessions wants a type, who answers, and how long
 * a host may keep the answer. Everything that may hold a key is wiped after it was sent. */
#include "mcp/core_parts.h"

/* ---- Pieces ---- */

void mcp__put_server_info(struct json_out *o, const char *key, const struct mcp__server *server)
{
	json_put_object(o, key);
	json_put_z(o, "name", server->name);
	json_put_z(o, "title", server->title);
	json_put_z(o, "version", server->version);
	json_put_end(o, '}');
}

void mcp__reply_open(struct json_out *o, struct str id, const char *type)
{
	mcp__reply_begin(o, id);
	json_put_object(o, "result");
	if (type)
		json_put_z(o, "resultType", type);
}

void mcp__reply_close(struct json_out *o, const struct mcp__core *core, bool modern,
                      const struct mcp__hint *hint)
{
	if (modern && hint) {
		json_put_i64(o, "ttlMs", hint->ttl_ms);
		json_put_z(o, "cacheScope", hint->is_public ? "public" : "private");
	}
	if (modern) {
		json_put_object(o, "_meta");
		mcp__put_server_info(o, MCP__META_PREFIX "serverInfo", core->server);
		json_put_end(o, '}');
	}
	json_put_end(o, '}');
	json_put_end(o, '}');
}

/* ---- A request's result ---- */

static void forget_result(struct mcp__request *r)
{
	buf_wipe(&r->out.text);
	json_out_done(&r->out);
	r->out = json_out_make(LIMIT_MCP_OUT_LINE);
}

struct json_out *mcp__result_begin(struct mcp__request *r, size_t room)
{
	size_t most = room < LIMIT_MCP_OUT_LINE / 2 ? room + 1024 : LIMIT_MCP_OUT_LINE;

	forget_result(r);
	(void)!buf_reserve(&r->out.text, most); /* without memory the result says so at its end */
	mcp__reply_open(&r->out, str_of(r->id), r->modern ? "complete" : NULL);
	return &r->out;
}

void mcp__result_cache(struct mcp__request *r, int64_t ttl_ms, bool is_public)
{
	r->hint = (struct mcp__hint){ ttl_ms, is_public };
}

bool mcp__result_send(struct mcp__request *r, struct err *err)
{
	bool cached = r->asked == MCP__ASKED_RESOURCE;

	mcp__reply_close(&r->out, r->core, r->modern, cached ? &r->hint : NULL);
	if (!json_out_ok(&r->out, err)) {
		forget_result(r);
		return false;
	}
	mcp__core_send(r->core, r->batch, buf_str(&r->out.text));
	mcp__request_end(r);
	return true;
}

void mcp__request_fail(struct mcp__request *r, int number, const char *text, struct str data)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	mcp__reply_error(&o, str_of(r->id), number, text, data);
	if (json_out_ok(&o, NULL))
		mcp__core_send(r->core, r->batch, buf_str(&o.text));
	else
		mcp__core_refuse(r->core, r->batch, str_of(r->id), number, "");
	mcp__request_end(r);
}
