/* SPDX-License-Identifier: Apache-2.0 */
/* The newest receipts of an account, in their order and no other's. */
#include "tests/check.h"
#include "tests/store_world.h"

#define MANY 8

struct seen {
	size_t count;
	struct id ids[MANY];
};

static void see(void *data, struct str request_id)
{
	struct seen *seen = data;

	if (CHECK(seen->count < MANY))
		seen->ids[seen->count++] = id_of(request_id);
}

static struct seen look(struct store_world *w, const struct id *account, int64_t limit)
{
	struct seen seen = { 0 };

	CHECK(store_receipt_recent(w->st, account, limit, see, &seen, &w->err));
	return seen;
}

static void receipts_come_newest_first(void)
{
	OWN_SECRET struct secret key = { 0 }, others_key = { 0 };
	struct token_counts counts = { .n = { [TOKEN_OUTPUT] = 1 } };
	struct store_purchase purchase = { 0 };
	struct store_world w;
	struct id account, other;
	struct seen three, two;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 10000, NULL);
	other = world_account(&w, "b", 10000, NULL);
	CHECK_I64(look(&w, &account, MANY).count, 0); /* it has not even a service */
	CHECK(world_buy(&w, &other, 500, "k", &purchase));
	(void)world_router_key(&w, &other, &purchase.service, &others_key);
	CHECK(world_buy(&w, &account, 500, "k", &purchase));
	(void)world_router_key(&w, &account, &purchase.service, &key);
	for (int i = 0; i < 3; i++) {
		w.time.now_ms += 1000;
		world_call(&w, &key, "gpt-5.4", &counts);
		world_call(&w, &others_key, "gpt-5.4", &counts);
	}
	three = look(&w, &account, MANY);
	two = look(&w, &account, 2);
	CHECK_I64(three.count, 3);
	CHECK_I64(two.count, 2);
	CHECK(id_eq(&three.ids[0], &two.ids[0]) && id_eq(&three.ids[1], &two.ids[1]));
	CHECK(!id_eq(&three.ids[0], &three.ids[1]) && !id_eq(&three.ids[1], &three.ids[2]));
	for (size_t i = 0; i < three.count; i++) {
		OWN_JSON_OUT struct json_out out = json_out_make(10000);
		int64_t settled_ms = 0;

		CHECK(store_receipt_put(w.st, &account, id_str(&three.ids[i]), &out, &w.err));
		OWN_JSON struct json *receipt = json_parse(buf_str(&out.text), &w.err);
		CHECK(time_parse(json_text(json_get(receipt, "settledAt")), &settled_ms, &w.err));
		CHECK_I64(settled_ms, WORLD_START_MS + 3000 - (int64_t)i * 1000);
	}
	world_close(&w);
}

static const struct check_case CASES[] = {
	CASE(receipts_come_newest_first),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
