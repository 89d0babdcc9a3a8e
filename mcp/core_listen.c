/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of subscriptions/listen. Nothing that this server lists changes while it runs, and it
 * says so, so that hosts open no stream; one that is opened all the same is acknowledged, carries
 * nothing, and is ended by the host or with the input. */
#include "mcp/core_parts.h"

#define SUBSCRIPTION_ID MCP__META_PREFIX "subscriptionId"

static void acknowledge(const struct mcp__request *r)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	json_put_object(&o, NULL);
	json_put_z(&o, "jsonrpc", "2.0");
	json_put_z(&o, "method", "notifications/subscriptions/acknowledged");
	json_put_object(&o, "params");
	json_put_object(&o, "_meta");
	json_put_raw(&o, SUBSCRIPTION_ID, str_of(r->id));
	json_put_end(&o, '}');
	json_put_object(&o, "notifications"); /* of what was asked for, what will come: nothing */
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	if (json_out_ok(&o, NULL))
		mcp__core_say(r->core, buf_str(&o.text));
}

void mcp__core_listen(const struct mcp__turn *turn)
{
	struct mcp__request *r = mcp__stream_new(turn);

	if (r)
		acknowledge(r);
}

void mcp__stream_end(struct mcp__request *r)
{
	OWN_JSON_OUT struct json_out o = json_out_make(LIMIT_MCP_OUT_LINE);

	mcp__reply_open(&o, str_of(r->id), "complete");
	json_put_object(&o, "_meta");
	json_put_raw(&o, SUBSCRIPTION_ID, str_of(r->id));
	mcp__put_server_info(&o, MCP__META_PREFIX "serverInfo", r->core->server);
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	if (json_out_ok(&o, NULL))
		mcp__core_send(r->core, r->batch, buf_str(&o.text));
	mcp__request_end(r);
}
