/* SPDX-License-Identifier: Apache-2.0 */
/* What runs and what the books say. Rates are those of the last minute, counted over the newest
 * receipts, and no more than RECEIPTS of them: a store that settles more than that in a minute is
 * asked about the seconds that they cover. */
#include "mcp/status.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "mcp/command.h"

#define WINDOW_MS 60000
#define RECEIPTS 500
#define LISTED_REQUESTS 20
#define LISTED_ACCOUNTS 20
#define UPSTREAMS_MAX 16

/* ---- The books ---- */

struct upstream {
	char name[LIMIT_MODEL_ID];
	size_t name_len;
	int64_t requests, failed, last_status, last_ms;
};

struct gathering {
	struct json_out *out; /* the open array of requests */
	int64_t now_ms, oldest_ms;
	int64_t rows, requests, failed, input_tokens, output_tokens;
	struct money charged;
	struct upstream upstreams[UPSTREAMS_MAX];
	size_t upstream_count;
};

static struct upstream *upstream_of(struct gathering *g, struct str name)
{
	for (size_t i = 0; i < g->upstream_count; i++) {
		struct upstream *u = &g->upstreams[i];
		if (str_eq(name, (struct str){ u->name, u->name_len }))
			return u;
	}
	if (g->upstream_count == UPSTREAMS_MAX || name.len > sizeof(g->upstreams[0].name))
		return NULL;
	struct upstream *u = &g->upstreams[g->upstream_count++];
	memcpy(u->name, name.p, name.len);
	u->name_len = name.len;
	return u;
}

static void count(struct gathering *g, const struct store_activity *a)
{
	bool failed = str_eq(a->status, STR("failed"));
	struct upstream *u = upstream_of(g, a->upstream);

	g->requests++;
	g->failed += failed;
	g->input_tokens += a->input_tokens;
	g->output_tokens += a->output_tokens;
	if (!money_add(&g->charged, g->charged, a->charge))
		g->charged = money_of_micros(INT64_MAX); /* a minute never costs that much */
	if (u == NULL)
		return;
	if (u->requests++ == 0) { /* the newest comes first */
		u->last_status = a->http_status;
		u->last_ms = a->settled_ms;
	}
	u->failed += failed;
}

static void put_request(struct json_out *out, const struct store_activity *a)
{
	json_put_object(out, NULL);
	json_put_str(out, "id", a->request_id);
	json_put_time(out, "settledAt", a->settled_ms);
	json_put_str(out, "account", a->account);
	json_put_str(out, "key", a->key);
	json_put_str(out, "model", a->model);
	json_put_str(out, "upstream", a->upstream);
	json_put_str(out, "status", a->status);
	json_put_i64(out, "httpStatus", a->http_status);
	json_put_i64(out, "inputTokens", a->input_tokens);
	json_put_i64(out, "outputTokens", a->output_tokens);
	json_put_i64(out, "buyerChargeUsdMicros", money_micros(a->charge));
	json_put_i64(out, "ms", a->settled_ms - a->created_ms);
	json_put_end(out, '}');
}

static void take_receipt(void *data, const struct store_activity *a)
{
	struct gathering *g = data;

	if (g->rows++ < LISTED_REQUESTS)
		put_request(g->out, a);
	g->oldest_ms = a->settled_ms;
	if (a->settled_ms > g->now_ms - WINDOW_MS)
		count(g, a);
}

/* How long the counted receipts took to come: the minute, or less if they are all there is room
 * for. */
static int64_t window_seconds(const struct gathering *g)
{
	int64_t age_ms = g->now_ms - g->oldest_ms;

	if (g->rows < RECEIPTS || age_ms >= WINDOW_MS)
		return WINDOW_MS / 1000;
	return age_ms < 1000 ? 1 : age_ms / 1000;
}

static void put_recent(const struct gathering *g, struct json_out *out)
{
	json_put_object(out, "recent");
	json_put_i64(out, "seconds", window_seconds(g));
	json_put_i64(out, "requests", g->requests);
	json_put_i64(out, "failed", g->failed);
	json_put_i64(out, "inputTokens", g->input_tokens);
	json_put_i64(out, "outputTokens", g->output_tokens);
	json_put_i64(out, "buyerChargeUsdMicros", money_micros(g->charged));
	json_put_end(out, '}');
	json_put_array(out, "upstreams");
	for (size_t i = 0; i < g->upstream_count; i++) {
		const struct upstream *u = &g->upstreams[i];
		json_put_object(out, NULL);
		json_put_str(out, "name", (struct str){ u->name, u->name_len });
		json_put_i64(out, "requests", u->requests);
		json_put_i64(out, "failed", u->failed);
		json_put_i64(out, "lastStatus", u->last_status);
		json_put_time(out, "lastAt", u->last_ms);
		json_put_end(out, '}');
	}
	json_put_end(out, ']');
}

static void put_account(void *data, const struct store_balances_row *row)
{
	struct json_out *out = data;
	struct money total;

	if (!money_add(&total, row->wallet, row->credit) || !money_add(&total, total, row->held))
		total = row->wallet; /* the books hold far less than that */
	json_put_object(out, NULL);
	json_put_str(out, "id", id_str(&row->account));
	json_put_str(out, "name", row->name);
	json_put_usd(out, "walletUsd", row->wallet);
	json_put_usd(out, "creditUsd", row->credit);
	json_put_usd(out, "heldUsd", row->held);
	json_put_i64(out, "totalUsdMicros", money_micros(total));
	json_put_end(out, '}');
}

static void put_totals(const struct store_overview *o, struct json_out *out)
{
	json_put_object(out, "totals");
	json_put_i64(out, "accounts", o->accounts);
	json_put_usd(out, "walletsUsd", o->wallets);
	json_put_usd(out, "creditUsd", o->credit);
	json_put_usd(out, "heldUsd", o->held);
	json_put_usd(out, "chargedUsd", o->charged);
	json_put_i64(out, "openHolds", o->open_holds);
	json_put_i64(out, "receipts", o->receipts);
	json_put_end(out, '}');
}

bool mcp__run_status(const struct mcp__command_call *call, struct json_out *out, struct err *err)
{
	struct gathering g = { .out = out, .now_ms = env_now_ms(call->shop->env) };
	struct store_overview totals;

	if (!store_overview(call->st, &totals, err))
		return false;
	json_put_time(out, "at", g.now_ms);
	put_totals(&totals, out);
	json_put_array(out, "requests");
	if (!store_overview_receipts(call->st, RECEIPTS, take_receipt, &g, err))
		return false;
	json_put_end(out, ']');
	put_recent(&g, out);
	json_put_array(out, "accounts");
	if (!store_overview_accounts(call->st, LISTED_ACCOUNTS, put_account, out, err))
		return false;
	json_put_end(out, ']');
	return true;
}

/* ---- The whole answer ---- */

bool mcp__status_is(struct str request)
{
	static const char *const KEYS[] = { "command" };
	struct str command;

	return json_pick(request, KEYS, &command, 1, NULL) &&
	       json_raw_equals(command, STR("status"));
}

static void put_server(const struct mcp_shop *shop, struct json_out *out)
{
	struct store_worker_stats stats = store_worker_stats(shop->worker);

	json_put_object(out, "server");
	json_put_i64(out, "pid", getpid());
	json_put_z(out, "version", AGENT_STORE_VERSION);
	json_put_i64(out, "commits", stats.commits);
	json_put_i64(out, "largestBatch", stats.largest_batch);
	shop->put_status(shop->status_data, out);
	json_put_end(out, '}');
}

void mcp__status_put_answer(const struct mcp_shop *shop, struct str books, struct buf *out)
{
	static const char *const KEYS[] = { "result" };
	OWN_JSON_OUT struct json_out o = json_out_make(out->max);
	struct str result = { NULL, 0 };

	if (!json_pick(books, KEYS, &result, 1, NULL) || result.p == NULL) {
		buf_add(out, books); /* an error */
		return;
	}
	json_put_object(&o, NULL);
	json_put_object(&o, "result");
	if (shop->put_status != NULL)
		put_server(shop, &o);
	else
		json_put_null(&o, "server");
	json_put_raw(&o, "books", result);
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	buf_add(out, buf_str(&o.text));
}
