/* SPDX-License-Identifier: Apache-2.0 */
/* What a person sees of the router while it runs. Read on the loop's thread, where it changes. */
#include "router/internal.h"

#include "base/json.h"

struct listing {
	struct json_out *out;
	int64_t now_ms;
};

static void put_breaker(void *data, const struct breaker *b)
{
	const struct listing *l = data;
	const struct store_upstream *upstream = b->upstream;
	const struct store_model *model = b->model;
	int64_t wait_ms = b->state == BREAKER_OPEN ? b->open_until - l->now_ms : 0;

	json_put_object(l->out, NULL);
	json_put_str(l->out, "upstream", upstream->name);
	json_put_str(l->out, "model", model->id);
	json_put_z(l->out, "state", breaker_state_name(b->state));
	json_put_i64(l->out, "failures", b->failures);
	json_put_i64(l->out, "retryInMs", wait_ms > 0 ? wait_ms : 0);
	json_put_end(l->out, '}');
}

void router_put_status(const struct router *r, struct json_out *out)
{
	struct listing listing = { .out = out, .now_ms = net_loop_now_ms(r->options.loop) };

	json_put_z(out, "address", router_address(r));
	json_put_i64(out, "uptimeMs", env_now_ms(r->options.env) - r->started_ms);
	json_put_i64(out, "requestsInFlight", (int64_t)r->call_count);
	json_put_array(out, "breakers");
	breakers_each(r->terms->breakers, put_breaker, &listing);
	json_put_end(out, ']');
}
