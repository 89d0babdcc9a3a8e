/* SPDX-License-Identifier: Apache-2.0 */
/* Work that is taken back: what has not begun never happens, what has committed stays. The store
 * thread is held at a gate, so that nothing here depends on how fast the machine is. */
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "tests/check.h"
#include "tests/mcp_world.h"

#define WAIT_MS 3000
#define SETTLE_MS 50 /* for a frame to cross the socket */

/* ---- A gate on the store thread ---- */

struct gate {
	struct store_job job;
	int pipe[2];
};

static bool wait_at_gate(struct store_job *job, struct store *st, struct err *err)
{
	const struct gate *gate = CONTAINER_OF(job, struct gate, job);
	char byte;

	(void)st;
	(void)err;
	return read(gate->pipe[0], &byte, 1) == 1;
}

static void gate_done(struct store_job *job)
{
	(void)job;
}

static void gate_close(struct gate *gate, const struct till *till)
{
	*gate = (struct gate){ .job = { .run = wait_at_gate, .done = gate_done } };
	if (pipe(gate->pipe) != 0)
		abort();
	store_worker_submit(till->worker, &gate->job);
}

static void gate_open(struct gate *gate)
{
	CHECK(write(gate->pipe[1], "x", 1) == 1);
}

static void gate_free(struct gate *gate)
{
	close(gate->pipe[0]);
	close(gate->pipe[1]);
}

/* Returns when all that was submitted before has been committed. */
static bool tell(struct store_job *job, struct store *st, struct err *err)
{
	(void)job;
	(void)st;
	(void)err;
	return true;
}

static void told(struct store_job *job)
{
	const struct gate *gate = CONTAINER_OF(job, struct gate, job);

	CHECK(write(gate->pipe[1], "x", 1) == 1);
}

static void wait_for_commits(const struct till *till)
{
	struct gate gate = { .job = { .run = tell, .done = told } };
	char byte;

	if (pipe(gate.pipe) != 0)
		abort();
	store_worker_submit(till->worker, &gate.job);
	CHECK(read(gate.pipe[0], &byte, 1) == 1);
	gate_free(&gate);
}

/* ---- A buyer ---- */

struct buyer {
	struct world world;
	struct till till;       /* the owner's */
	struct till relay_till; /* never opened */
	struct mcp_link *owner, *relay;
	char *key;
};

static struct json *call(struct buyer *b, struct mcp_link *link, struct str request)
{
	struct waiter got = { 0 };
	struct json *answer;

	CHECK(mcp_link_call(link, request, waiter_answer, &got) != 0);
	CHECK(world_wait(&b->world, &got.answered, WAIT_MS));
	answer = json_parse(str_of(got.text), NULL);
	if (!answer)
		abort();
	return answer;
}

static void put_work(const struct buyer *b, struct buf *out, const char *tool,
                     const char *arguments)
{
	struct json_out o = json_out_make(out->max);

	json_put_object(&o, NULL);
	json_put_z(&o, "tool", tool);
	json_put_raw(&o, "arguments", str_of(arguments));
	json_put_z(&o, "key", b->key);
	json_put_end(&o, '}');
	buf_add(out, buf_str(&o.text));
	json_out_done(&o);
}

static void buyer_open(struct buyer *b)
{
	*b = (struct buyer){ .key = NULL };
	if (!world_open(&b->world))
		abort();
	b->owner = world_link(&b->world, &b->till);
	world_attach(&b->world, b->owner);
	b->relay = world_link(&b->world, &b->relay_till);
	world_attach(&b->world, b->relay);
	CHECK_I64(mcp_link_state(b->relay), MCP_LINK_RELAY);
	OWN_JSON struct json *made =
		call(b, b->owner,
	             STR("{\"command\":\"account create\",\"arguments\":{\"name\":\"a\"}}"));
	b->key = str_dup(json_text(json_get(json_get(made, "result"), "purchaseKey")));
	OWN_JSON struct json *funded =
		call(b, b->owner,
	             STR("{\"command\":\"wallet fund\",\"arguments\":{\"account\":\"a\","
	                 "\"usd\":\"100\",\"reference\":\"r\"}}"));
	CHECK(json_get(funded, "result") != NULL);
	if (!b->key)
		abort();
}

static void buyer_close(struct buyer *b)
{
	mcp_link_free(b->relay);
	mcp_link_free(b->owner);
	world_close(&b->world);
	free(b->key);
}

static int64_t send_purchase(const struct buyer *b, struct mcp_link *link, struct waiter *got)
{
	OWN_BUF struct buf work = buf_make(1000);

	put_work(b, &work, "purchase_create",
	         "{\"catalogItemId\":\"cat_router_credit_001\",\"quantity\":1,"
	         "\"configuration\":{\"creditAmountUsd\":25},\"idempotencyKey\":\"k\"}");
	return mcp_link_call(link, buf_str(&work), waiter_answer, got);
}

static void check_wallet(struct buyer *b, const char *usd)
{
	OWN_BUF struct buf work = buf_make(1000);

	put_work(b, &work, "wallet_get", "{}");
	OWN_JSON struct json *answer = call(b, b->owner, buf_str(&work));
	const struct json *wallet = json_get(json_get(answer, "result"), "wallet");
	CHECK_TEXT(json_text(json_get(wallet, "balanceUsd")), usd);
}

/* ---- Cases ---- */

static void take_back_before_it_begins(struct buyer *b, struct mcp_link *link)
{
	struct waiter got = { 0 };
	struct gate gate;

	gate_close(&gate, &b->till);
	int64_t number = send_purchase(b, link, &got);
	world_pass(&b->world, SETTLE_MS);
	mcp_link_forget(link, number);
	world_pass(&b->world, SETTLE_MS);
	gate_open(&gate);
	check_wallet(b, "100.00");
	CHECK(!got.answered);
	gate_free(&gate);
}

static void a_purchase_taken_back_before_it_begins_never_happens(void)
{
	struct buyer b;

	buyer_open(&b);
	take_back_before_it_begins(&b, b.owner);
	buyer_close(&b);
}

static void a_relays_purchase_taken_back_before_it_begins_never_happens(void)
{
	struct buyer b;

	buyer_open(&b);
	take_back_before_it_begins(&b, b.relay);
	buyer_close(&b);
}

static void a_purchase_that_has_committed_stays(void)
{
	struct waiter got = { 0 };
	struct buyer b;

	buyer_open(&b);
	int64_t number = send_purchase(&b, b.owner, &got);
	wait_for_commits(&b.till); /* its answer lies in the inbox: the loop has not turned */
	mcp_link_forget(b.owner, number);
	check_wallet(&b, "75.00");
	CHECK(!got.answered);
	buyer_close(&b);
}

static void taking_one_back_leaves_the_others(void)
{
	struct waiter first = { 0 }, second = { 0 };
	struct buyer b;
	struct gate gate;

	buyer_open(&b);
	world_attach(&b.world, b.relay); /* until both links are at the same number */
	world_attach(&b.world, b.relay);
	gate_close(&gate, &b.till);
	int64_t own = send_purchase(&b, b.owner, &first);
	CHECK_I64(send_purchase(&b, b.relay, &second), own);
	world_pass(&b.world, SETTLE_MS);
	mcp_link_forget(b.owner, own);
	gate_open(&gate);
	CHECK(world_wait(&b.world, &second.answered, WAIT_MS));
	CHECK(waiter_has(&second, "\"completed\""));
	check_wallet(&b, "75.00");
	CHECK(!first.answered);
	gate_free(&gate);
	buyer_close(&b);
}

static const struct check_case CASES[] = {
	CASE(a_purchase_taken_back_before_it_begins_never_happens),
	CASE(a_relays_purchase_taken_back_before_it_begins_never_happens),
	CASE(a_purchase_that_has_committed_stays),
	CASE(taking_one_back_leaves_the_others),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
