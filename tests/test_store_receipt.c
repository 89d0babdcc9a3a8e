/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: what they say, whose they are, and that nobody can change one unseen. */
#include "base/json.h"
#include "store/live.h"
#include "store/receipt.h"
#include "tests/check.h"
#include "tests/store_setup.h"

static bool settle(struct setup *s, int64_t input, int64_t output, struct store_hold *hold)
{
	struct store_outcome outcome = setup_settled(input, output);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };

	return setup_hold(s, 500, hold) &&
	       CHECK(store_hold_end(s->st, hold, &outcome, &charged, &err));
}

/* ---- The JSON ---- */

static const char WANT[] =
	"{\"requestId\":\"*\",\"apiKeyId\":\"*\",\"serviceId\":\"*\","
	"\"model\":\"model-a\",\"upstreamModel\":\"model-a-2026\","
	"\"reportedModel\":\"model-a-2026-10\",\"modelDiffers\":true,"
	"\"provider\":\"openai\",\"upstream\":\"openai\",\"route\":\"openai\","
	"\"stream\":true,\"attempts\":[{\"provider\":\"openai\",\"status\":200}],"
	"\"status\":\"settled\",\"httpStatus\":200,"
	"\"uncachedInputTokens\":100,\"cacheWrite5mTokens\":4,\"cacheWrite1hTokens\":3,"
	"\"cacheReadTokens\":20,\"outputTokens\":50,"
	"\"unitPricesUsdPerMillion\":{\"input\":1,\"cacheWrite5m\":1.25,\"cacheWrite1h\":2,"
	"\"cacheRead\":0.1,\"output\":2},"
	"\"priceVersion\":\"2026-11\",\"heldUsdMicros\":500,\"buyerChargeUsdMicros\":213,"
	"\"overrunUsdMicros\":0,\"evidence\":\"provider\",\"recovered\":false,"
	"\"createdAt\":\"2026-11-22T08:00:00.000Z\",\"firstByteMs\":12,"
	"\"settledAt\":\"2026-11-22T08:00:03.456Z\"}";

static void a_receipt_has_every_member_of_the_contract(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_outcome outcome = setup_settled(100, 50);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };
	OWN_JSON_OUT struct json_out out = json_out_make(10000);
	OWN_BUF struct buf where = buf_make(1000);

	if (!setup_memory(&s, 10000) || !setup_hold(&s, 500, &hold))
		return;
	outcome.counts.n[TOKEN_CACHE_WRITE_5M] = 4;
	outcome.counts.n[TOKEN_CACHE_WRITE_1H] = 3;
	outcome.counts.n[TOKEN_CACHE_READ] = 20;
	CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err));
	CHECK(store_receipt_put(s.st, &s.buyer.account_id, id_str(&hold.request_id), &out, &err));
	OWN_JSON struct json *got = json_parse(buf_str(&out.text), &err);
	OWN_JSON struct json *want = json_parse(STR(WANT), &err);
	if (!CHECK(got != NULL && want != NULL))
		return;
	if (!json_matches(want, got, &where))
		CHECK_FAIL("%s", where.p);
	CHECK_I64(json_count(got), json_count(want));
	CHECK_TEXT(json_text(json_get(got, "requestId")), hold.request_id.text);
	CHECK_TEXT(json_text(json_get(got, "apiKeyId")), store_key_id(hold.key)->text);
	CHECK_TEXT(json_text(json_get(got, "serviceId")), s.buyer.service_id.text);
	setup_done(&s);
}

static void what_is_not_known_is_null(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_outcome outcome = { .state = HOLD_FAILED,
		                         .evidence = EVIDENCE_NONE,
		                         .first_byte_ms = -1,
		                         .settled_ms = SETUP_NOW_MS };
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };
	OWN_JSON_OUT struct json_out out = json_out_make(10000);

	if (!setup_memory(&s, 10000) || !setup_hold(&s, 500, &hold))
		return;
	CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err));
	CHECK(store_receipt_put(s.st, &s.buyer.account_id, id_str(&hold.request_id), &out, &err));
	OWN_JSON struct json *got = json_parse(buf_str(&out.text), &err);
	CHECK(json_is(json_get(got, "reportedModel"), JSON_NULL));
	CHECK(json_get(got, "modelDiffers") && !json_true(json_get(got, "modelDiffers")));
	CHECK(json_get(got, "servedBy") == NULL);
	CHECK(json_is(json_get(got, "firstByteMs"), JSON_NULL));
	CHECK(json_is(json_get(got, "attempts"), JSON_ARRAY));
	CHECK_I64(json_count(json_get(got, "attempts")), 0);
	CHECK_TEXT(json_text(json_get(got, "status")), "failed");
	setup_done(&s);
}

static void a_receipt_tells_who_answered_instead(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_call used = setup_call();
	struct store_outcome outcome = setup_settled(100, 50);
	struct money charged = MONEY_ZERO;
	struct err err = { 0 };
	OWN_JSON_OUT struct json_out out = json_out_make(10000);

	if (!setup_memory(&s, 10000) || !setup_hold(&s, 500, &hold))
		return;
	used.served_by = STR("model-b");
	used.upstream_model = STR("model-b");
	used.upstream = STR("relay");
	used.provider = PROVIDER_ANTHROPIC;
	used.price_version = STR("2026-12*0.8");
	outcome.used = &used;
	outcome.reported_model = STR("model-b-20261001");
	CHECK(store_hold_end(s.st, &hold, &outcome, &charged, &err));
	CHECK(store_receipt_put(s.st, &s.buyer.account_id, id_str(&hold.request_id), &out, &err));
	OWN_JSON struct json *got = json_parse(buf_str(&out.text), &err);
	CHECK_TEXT(json_text(json_get(got, "model")), "model-a");
	CHECK_TEXT(json_text(json_get(got, "servedBy")), "model-b");
	CHECK_TEXT(json_text(json_get(got, "upstreamModel")), "model-b");
	CHECK_TEXT(json_text(json_get(got, "upstream")), "relay");
	CHECK_TEXT(json_text(json_get(got, "provider")), "anthropic");
	CHECK_TEXT(json_text(json_get(got, "priceVersion")), "2026-12*0.8");
	CHECK(!json_true(json_get(got, "modelDiffers")));
	setup_check_books(&s);
	setup_done(&s);
}

static void only_its_account_sees_a_receipt(void)
{
	struct setup s;
	struct store_hold hold;
	struct store_hold open;
	struct buyer other;
	struct err err = { 0 };
	OWN_JSON_OUT struct json_out out = json_out_make(10000);

	if (!setup_memory(&s, 10000) || !settle(&s, 1, 1, &hold) ||
	    !setup_buyer(&s, "other", 0, &other) || !setup_hold(&s, 5, &open))
		return;
	CHECK(!store_receipt_put(s.st, &other.account_id, id_str(&hold.request_id), &out, &err));
	CHECK_I64(err.code, ERR_NOT_FOUND);
	CHECK(!store_receipt_put(s.st, &s.buyer.account_id, STR("req_0"), &out, &err));
	CHECK_I64(err.code, ERR_NOT_FOUND);
	CHECK_STR(err.text, "there is no finished request 'req_0'");
	CHECK(!store_receipt_put(s.st, &s.buyer.account_id, id_str(&open.request_id), &out, &err));
	CHECK_I64(err.code, ERR_NOT_FOUND);
	setup_done(&s);
}

/* Receipts are indexed in blocks of 1024; these are in three of them. */
static void receipts_of_every_block_are_found(void)
{
	enum {
		COUNT = 2100
	};
	static struct id requests[COUNT];
	struct setup s;
	struct err err = { 0 };
	struct store_hold hold;
	OWN_JSON_OUT struct json_out out = json_out_make(4u << 20);

	if (!setup_memory(&s, 10000))
		return;
	for (size_t i = 0; i < COUNT; i++) {
		if (!settle(&s, 1, 0, &hold))
			return;
		requests[i] = hold.request_id;
	}
	json_put_array(&out, NULL);
	for (size_t i = 0; i < COUNT; i += 21) {
		if (!store_receipt_put(s.st, &s.buyer.account_id, id_str(&requests[i]), &out,
		                       &err)) {
			CHECK_FAIL("receipt %zu: %s", i, err.text);
			break;
		}
	}
	json_put_end(&out, ']');
	OWN_JSON struct json *all = json_parse(buf_str(&out.text), &err);
	CHECK_I64(json_count(all), 100);
	setup_done(&s);
}

static void the_look_up_uses_the_index(void)
{
	struct setup s;
	struct err err = { 0 };
	bool row = false;

	if (!setup_memory(&s, 0))
		return;
	OWN_QUERY struct store_query q =
		store__query(s.st, "EXPLAIN QUERY PLAN SELECT 1 FROM receipt r"
	                           " WHERE r.seq / 1024 = 5 AND r.request_id = 'x'");
	CHECK(store__step(&q, &row, &err) && row);
	CHECK(str_find(store__col_str(&q, 3), STR("receipt_request")) >= 0);
	store__query_done(&q);
	setup_done(&s);
}

/* ---- The chain ---- */

static void check_hash(const struct receipt *r, const char *want)
{
	const struct hash zero = { { 0 } };
	struct hash got = { { 0 } };
	struct err err = { 0 };
	OWN_BUF struct buf hex = buf_make(100);

	CHECK(store__receipt_hash(r, &zero, &got, &err));
	buf_add_hex(&hex, got.bytes, sizeof(got.bytes));
	CHECK_STR(hex.p, want);
}

/* Worked out with another program: BLAKE2b-256 of 32 zero bytes and the row as docs/money.md has
 * it; the first without an upstream, as rows of the first schema are. */
static void the_chain_is_that_of_the_documentation(void)
{
	struct receipt r = {
		.seq = 1,
		.request_id = STR_INIT("req_1"),
		.key = 2,
		.service = 3,
		.txn = 4,
		.status = STR_INIT("settled"),
		.evidence = STR_INIT("provider"),
		.model = STR_INIT("m"),
		.upstream_model = STR_INIT("u"),
		.provider = STR_INIT("openai"),
		.route = STR_INIT("openai"),
		.stream = true,
		.counts = { { 1, 2, 3, 4, 5 } },
		.price_version = STR_INIT("v"),
		.prices = { { 10, 20, -1, 40, 50 } },
		.held = { 600 },
		.charge = { 7 },
		.overrun = { 0 },
		.attempts = STR_INIT("[]"),
		.http_status = 200,
		.created_ms = 1000,
		.first_byte_ms = -1,
		.settled_ms = 2000,
	};

	check_hash(&r, "5c8d37b1a8658a826da9eae4312e5e03665813c7dcbb956fe3d8695a28fd4d72");
	r.upstream = STR("relay");
	check_hash(&r, "987f45e282426da32d4b16d03610e530a2e31a80e9edc9c8818b3ec221e94159");
	r.served_by = STR("s");
	check_hash(&r, "2b4b8e173000230ee670a47646bcfba6441db78dd617aab58c3b9e35199d7020");
}

/* ---- Tampering ---- */

struct tamper_row {
	const char *sql;
	const char *problem; /* what the verdict has in it */
	int64_t difference;
};

#define DROP_GUARDS                                                   \
	"DROP TRIGGER entry_no_update; DROP TRIGGER entry_no_delete;" \
	"DROP TRIGGER txn_no_delete; DROP TRIGGER receipt_no_update;" \
	"DROP TRIGGER receipt_no_delete; PRAGMA foreign_keys = OFF;"

static const struct tamper_row TAMPERS[] = {
	{ "UPDATE ledger_account SET micros = micros + 1 WHERE name LIKE 'wallet:%'",
	  "the balance of 'wallet:", 1 },
	{ DROP_GUARDS "UPDATE entry SET micros = micros - 5 WHERE id = 4",
	  "the balance of 'credit:", 5 },
	{ DROP_GUARDS "DELETE FROM entry WHERE id = 6", "the balance of", 500 },
	{ DROP_GUARDS "UPDATE entry SET txn = 1 WHERE id = 3",
	  "the entries of transaction 1 sum to", 0 },
	{ DROP_GUARDS "DELETE FROM txn WHERE id = 2", "entry 3 has no transaction", 0 },
	{ "UPDATE hold SET amount = amount - 1", "differs from its open holds by 1 micros", 0 },
	{ DROP_GUARDS "UPDATE receipt SET settled_ms = settled_ms + 1 WHERE seq = 2",
	  "receipt 2 of 'req_", 0 },
	{ DROP_GUARDS "UPDATE receipt SET model = 'x' WHERE seq = 1", "its hash does not follow",
	  0 },
	{ DROP_GUARDS "UPDATE receipt SET served_by = 'x' WHERE seq = 1",
	  "its hash does not follow", 0 },
	{ DROP_GUARDS "UPDATE receipt SET upstream = NULL WHERE seq = 1",
	  "its hash does not follow", 0 },
	{ DROP_GUARDS "UPDATE receipt SET hash = zeroblob(32) WHERE seq = 3",
	  "its hash does not follow", 0 },
	{ DROP_GUARDS "DELETE FROM receipt WHERE seq = 2", "receipt number 2 is missing", 0 },
	{ DROP_GUARDS "DELETE FROM receipt WHERE seq = 3", "receipts after number 2 are missing",
	  0 },
	{ DROP_GUARDS "UPDATE receipt SET charge = charge + 1, overrun = overrun + 1 WHERE seq = 1",
	  "its hash does not follow", 0 },
	{ "UPDATE api_key SET spent = spent + 9 WHERE id = 1",
	  "has spent differs from its receipts by 9 micros", 0 },
};

static void check_tamper(const struct tamper_row *row)
{
	struct setup s;
	struct store_hold hold;
	struct store_verdict v = { 0 };
	struct err err = { 0 };

	check_note("%s", row->sql);
	if (!setup_memory(&s, 10000) || !settle(&s, 10, 10, &hold) || !settle(&s, 20, 20, &hold) ||
	    !settle(&s, 30, 30, &hold) || !setup_hold(&s, 40, &hold))
		return;
	setup_check_books(&s);
	if (!store__exec(s.st, row->sql, &err))
		CHECK_FAIL("%s", err.text);
	CHECK(store_ledger_verify(s.st, &v, &err));
	if (str_find(str_of(v.problem), str_of(row->problem)) < 0)
		CHECK_FAIL("found '%s' instead of '%s'", v.problem, row->problem);
	CHECK_I64(money_micros(v.difference), row->difference);
	setup_done(&s);
}

static void every_kind_of_tampering_is_found(void)
{
	for (size_t i = 0; i < ARRAY_LEN(TAMPERS); i++)
		check_tamper(&TAMPERS[i]);
}

static const struct check_case CASES[] = {
	CASE(a_receipt_has_every_member_of_the_contract), CASE(what_is_not_known_is_null),
	CASE(a_receipt_tells_who_answered_instead),       CASE(only_its_account_sees_a_receipt),
	CASE(receipts_of_every_block_are_found),          CASE(the_look_up_uses_the_index),
	CASE(the_chain_is_that_of_the_documentation),     CASE(every_kind_of_tampering_is_found),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
