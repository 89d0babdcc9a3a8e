/* SPDX-License-Identifier: Apache-2.0 */
/* What a person sees of a running router. */
#include "base/json.h"
#include "tests/router_world.h"

#define CHAT "/openai/v1/chat/completions"
#define ASK \
	"{\"model\":\"gpt-5.4\",\"max_tokens\":10,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static struct json *status(struct world *w)
{
	OWN_JSON_OUT struct json_out out = json_out_make(1 << 16);
	struct err err = { 0 };

	json_put_object(&out, NULL);
	router_put_status(w->router, &out);
	json_put_end(&out, '}');
	CHECK(json_out_ok(&out, &err));
	return json_parse(buf_str(&out.text), &err);
}

static int64_t number(const struct json *object, const char *key)
{
	int64_t n = -1;

	CHECK(json_i64(json_get(object, key), &n));
	return n;
}

static void keeps_it(struct world *w, struct net_request *rq, int n)
{
	(void)n;
	w->waiting[w->waiting_count++] = rq;
}

static void a_call_is_in_flight_until_it_ends(void)
{
	struct world w;
	struct got g = { 0 };

	world_open(&w, 10000, keeps_it);
	OWN_JSON struct json *before = status(&w);
	CHECK_TEXT(json_text(json_get(before, "address")), router_address(w.router));
	CHECK_I64(number(before, "requestsInFlight"), 0);
	CHECK(number(before, "uptimeMs") >= 0);
	CHECK_I64(json_count(json_get(before, "breakers")), 0);

	world_send(&w, &g, "POST", CHAT, secret_str(&w.key).p, ASK);
	for (int i = 0; i < 500 && w.waiting_count == 0; i++)
		world_turn(&w, 10);
	OWN_JSON struct json *during = status(&w);
	CHECK_I64(number(during, "requestsInFlight"), 1);
	if (CHECK_I64(w.waiting_count, 1))
		upstream_json(w.waiting[0], 400, "{\"error\":{\"message\":\"no\"}}");
	CHECK(world_wait(&w, &g));
	CHECK(world_idle(&w));
	OWN_JSON struct json *after = status(&w);
	CHECK_I64(number(after, "requestsInFlight"), 0);
	got_done(&g);
	world_close(&w);
}

static void is_broken(struct world *w, struct net_request *rq, int n)
{
	(void)w;
	(void)n;
	upstream_json(rq, 503, "{\"error\":{\"message\":\"down\"}}");
}

static void an_upstream_that_keeps_failing_shows_as_open(void)
{
	struct world w;

	world_open(&w, 10000, is_broken);
	for (int i = 0; i < 8; i++) {
		struct got g = world_ask(&w, "POST", CHAT, secret_str(&w.key).p, ASK);
		got_done(&g);
	}
	OWN_JSON struct json *root = status(&w);
	const struct json *breaker = json_first(json_get(root, "breakers"));
	CHECK_TEXT(json_text(json_get(breaker, "upstream")), "openai");
	CHECK_TEXT(json_text(json_get(breaker, "model")), "gpt-5.4");
	CHECK_TEXT(json_text(json_get(breaker, "state")), "open");
	CHECK(number(breaker, "failures") > 0);
	CHECK(number(breaker, "retryInMs") > 0);
	world_close(&w);
}

int main(void)
{
	static const struct check_case CASES[] = {
		CASE(a_call_is_in_flight_until_it_ends),
		CASE(an_upstream_that_keeps_failing_shows_as_open),
	};

	return check_main(CASES, ARRAY_LEN(CASES));
}
