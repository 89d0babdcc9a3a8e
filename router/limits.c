/* SPDX-License-Identifier: Apache-2.0 */
/* The `limits` section of the configuration: what of base/limits.h an operator may change for the
 * listener and the upstreams, within bounds that keep the program's promises. */
#include "router/internal.h"

#define LIMIT(key, member, low, high, what)                                         \
	{                                                                           \
		.name = (key), .type = JSON_FIELD_INT, .min = (low), .max = (high), \
		.offset = offsetof(struct router_limits, member), .doc = (what)     \
	}

#define HOUR_MS 3600000
#define MINUTE_MS 60000

static const struct json_field limit_fields[] = {
	LIMIT("headBytes", head_bytes, 1024, 64 << 10,
	      "bytes of request line and headers: else 431"),
	LIMIT("bodyBytes", body_bytes, 1024, LIMIT_HTTP_BODY,
	      "bytes of a request's body: else 413"),
	LIMIT("connections", connections, 1, 65536, "at once, lowered by the process's own limit"),
	LIMIT("connectionsPerAddress", per_address, 1, 65536, "at once from one address"),
	LIMIT("headMs", head_ms, 100, HOUR_MS, "time for a complete head"),
	LIMIT("bodyIdleMs", body_idle_ms, 100, HOUR_MS, "pause inside a body"),
	LIMIT("keepAliveMs", keep_alive_ms, 100, HOUR_MS, "idle time between requests"),
	LIMIT("writeStallMs", write_stall_ms, 100, HOUR_MS, "a reader that takes nothing"),
	LIMIT("upstreamConnectMs", upstream_connect_ms, 100, HOUR_MS,
	      "until an upstream is connected"),
	LIMIT("upstreamIdleMs", upstream_idle_ms, 100, HOUR_MS, "silence of an upstream"),
	LIMIT("firstByteMs", first_byte_ms, 100, HOUR_MS,
	      "until a stream begins, if the route has another upstream"),
	LIMIT("drainMs", drain_ms, 0, MINUTE_MS - 1000,
	      "reading on for the usage after a client hung up; a hold must end within a minute"),
};
static const struct json_fields limit_table = JSON_FIELDS(limit_fields);

struct router_limits router_limits_default(void)
{
	return (struct router_limits){
		.head_bytes = LIMIT_HTTP_HEAD,
		.body_bytes = LIMIT_HTTP_BODY,
		.connections = LIMIT_HTTP_CONNECTIONS,
		.per_address = LIMIT_HTTP_PER_PEER,
		.head_ms = LIMIT_HTTP_HEAD_MS,
		.body_idle_ms = LIMIT_HTTP_BODY_IDLE_MS,
		.keep_alive_ms = LIMIT_HTTP_KEEP_ALIVE_MS,
		.write_stall_ms = LIMIT_HTTP_WRITE_STALL_MS,
		.upstream_connect_ms = LIMIT_UPSTREAM_CONNECT_MS,
		.upstream_idle_ms = LIMIT_UPSTREAM_IDLE_MS,
		.first_byte_ms = LIMIT_FIRST_BYTE_MS,
		.drain_ms = LIMIT_DRAIN_MS,
	};
}

bool router_limits_read(const struct json *section, struct router_limits *out, struct err *err)
{
	struct router_limits limits = router_limits_default();

	if (section && !json_read(section, &limit_table, &limits, err))
		return err_prefix(err, "limits");
	*out = limits;
	return true;
}

struct net_server_options router_limits_listener(const struct router_limits *limits)
{
	return (struct net_server_options){
		.head_max = (size_t)limits->head_bytes,
		.body_max = (size_t)limits->body_bytes,
		.connections_max = (size_t)limits->connections,
		.per_peer_max = (size_t)limits->per_address,
		.head_ms = limits->head_ms,
		.body_idle_ms = limits->body_idle_ms,
		.keep_alive_ms = limits->keep_alive_ms,
		.write_stall_ms = limits->write_stall_ms,
	};
}

void router_limits_put_markdown(struct buf *out)
{
	struct router_limits d = router_limits_default();

	buf_add_z(out, "| limit | default | allowed | |\n|---|---:|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(limit_fields); i++) {
		const struct json_field *f = &limit_fields[i];
		const int64_t *value =
			(const int64_t *)(const void *)((const char *)&d + f->offset);
		buf_addf(out, "| `%s` | %lld | %lld to %lld | %s |\n", f->name, (long long)*value,
		         (long long)f->min, (long long)f->max, f->doc);
	}
}
