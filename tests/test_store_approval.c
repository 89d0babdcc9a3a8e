/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts before a purchase, and the consent of people: given once, for one thing, for a while. */
#include "tests/check.h"
#include "tests/store_world.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS INT64_C(86400000)

/* An account with 100 USD that must ask above 20 USD, and a purchase of 25 USD. */
struct desk {
	struct store_world w;
	struct id account;
	struct json *configuration;
	struct store_purchase_request request;
	struct store_purchase purchase;
	struct store_service service;
};

static bool desk_open(struct desk *d)
{
	struct store_policy policy = world_no_policy();

	if (!world_open(&d->w))
		return false;
	d->account = world_account(&d->w, "a", 10000, NULL);
	policy.approval_above = world_cents(2000);
	CHECK(store_account_set_policy(d->w.st, &d->account, &policy, &d->w.err));
	d->configuration = world_configuration(2500);
	d->request = (struct store_purchase_request){ .item_id = WORLD_ITEM,
		                                      .quantity = 1,
		                                      .configuration = d->configuration,
		                                      .idempotency_key = STR("k1") };
	return true;
}

static void desk_close(struct desk *d, int64_t spent_cents)
{
	CHECK_I64(money_micros(world_wallet(&d->w, &d->account)),
	          INT64_C(100000000) - spent_cents * 10000);
	json_free(d->configuration);
	world_close(&d->w);
}

static bool buy(struct desk *d)
{
	return store_purchase_create(d->w.st, &d->account, &d->request, &d->purchase, &d->service,
	                             &d->w.err);
}

/* The id stays in `approval`, which the request borrows. */
static bool ask(struct desk *d, struct store_approval *approval)
{
	return store_approval_open(d->w.st, &d->account, &d->request, approval, &d->w.err);
}

static void check_refused(struct desk *d, bool ok, enum err_code code, const char *says)
{
	CHECK(!ok);
	CHECK_I64(d->w.err.code, code);
	if (!CHECK(strstr(d->w.err.text, says) != NULL))
		check_note("%s", d->w.err.text);
	d->w.err = (struct err){ 0 };
}

/* ---- Verdicts ---- */

struct verdict_row {
	const char *what;
	int64_t max_purchase, daily, approval_above; /* cents; -1: no limit */
	int64_t amount;                              /* cents */
	int64_t left[STORE_RULE_COUNT];              /* cents; -1: no limit */
	enum err_code outcome;
	bool passed[STORE_RULE_COUNT];
};

/* 30 of 100 USD have been spent today. */
static const struct verdict_row VERDICTS[] = {
	{ "no rule", -1, -1, -1, 7000, { -1, -1, 7000, -1 }, ERR_NONE, { 1, 1, 1, 1 } },
	{ "each limit met exactly",
	  2000,
	  5000,
	  2000,
	  2000,
	  { 2000, 2000, 7000, 2000 },
	  ERR_NONE,
	  { 1, 1, 1, 1 } },
	{ "a cent above one purchase",
	  2000,
	  -1,
	  -1,
	  2001,
	  { 2000, -1, 7000, -1 },
	  ERR_POLICY_REFUSED,
	  { 0, 1, 1, 1 } },
	{ "a cent above the day",
	  -1,
	  5000,
	  -1,
	  2001,
	  { -1, 2000, 7000, -1 },
	  ERR_POLICY_REFUSED,
	  { 1, 0, 1, 1 } },
	{ "a day already overspent",
	  -1,
	  1000,
	  -1,
	  100,
	  { -1, 0, 7000, -1 },
	  ERR_POLICY_REFUSED,
	  { 1, 0, 1, 1 } },
	{ "a cent above the wallet",
	  -1,
	  -1,
	  0,
	  7001,
	  { -1, -1, 7000, 0 },
	  ERR_INSUFFICIENT_FUNDS,
	  { 1, 1, 0, 0 } },
	{ "a cent that needs consent",
	  -1,
	  -1,
	  2000,
	  2001,
	  { -1, -1, 7000, 2000 },
	  ERR_APPROVAL_REQUIRED,
	  { 1, 1, 1, 0 } },
	{ "everything at once",
	  100,
	  100,
	  0,
	  9000,
	  { 100, 0, 7000, 0 },
	  ERR_POLICY_REFUSED,
	  { 0, 0, 0, 0 } },
};

static struct money limit_of(int64_t cents)
{
	return cents < 0 ? money_of_micros(-1) : world_cents(cents);
}

static void check_verdict(struct store_world *w, const struct id *account,
                          const struct verdict_row *row)
{
	const struct store_policy policy = { limit_of(row->max_purchase), limit_of(row->daily),
		                             limit_of(row->approval_above) };
	struct store_policy_verdict got = { 0 };

	check_note("%s", row->what);
	CHECK(store_account_set_policy(w->st, account, &policy, &w->err));
	CHECK(store_policy_weigh(w->st, account, world_cents(row->amount), &got, &w->err));
	CHECK_I64(got.outcome, row->outcome);
	CHECK_I64(money_micros(got.amount), row->amount * 10000);
	for (size_t rule = 0; rule < STORE_RULE_COUNT; rule++) {
		CHECK_I64(got.checks[rule].passed, row->passed[rule]);
		CHECK_I64(money_micros(got.checks[rule].left),
		          row->left[rule] < 0 ? -1 : row->left[rule] * 10000);
	}
}

static void a_verdict_lists_every_check(void)
{
	struct store_purchase purchase;
	struct store_world w;
	struct id account, nobody = { "acct_0000000000000000000000" };
	struct store_policy_verdict verdict;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 10000, NULL);
	CHECK(world_buy(&w, &account, 3000, "k", &purchase));
	for (size_t i = 0; i < ARRAY_LEN(VERDICTS); i++)
		check_verdict(&w, &account, &VERDICTS[i]);
	CHECK(!store_policy_weigh(w.st, &nobody, MONEY_ZERO, &verdict, &w.err));
	CHECK_I64(w.err.code, ERR_NOT_FOUND);
	CHECK_STR(store_rule_name(STORE_RULE_MAX_PURCHASE), "max-purchase");
	CHECK_STR(store_rule_name(STORE_RULE_DAILY), "daily");
	CHECK_STR(store_rule_name(STORE_RULE_WALLET), "wallet");
	CHECK_STR(store_rule_name(STORE_RULE_APPROVAL), "approval-above");
	world_close(&w);
}

static void a_request_is_weighed_at_its_price(void)
{
	struct store_policy_verdict verdict = { 0 };
	struct desk d;

	if (!desk_open(&d))
		return;
	CHECK(store_purchase_weigh(d.w.st, &d.account, &d.request, &verdict, &d.w.err));
	CHECK_I64(verdict.outcome, ERR_APPROVAL_REQUIRED);
	CHECK_I64(money_micros(verdict.amount), 25000000);
	d.request.item_id = STR("cat_unknown");
	check_refused(&d, store_purchase_weigh(d.w.st, &d.account, &d.request, &verdict, &d.w.err),
	              ERR_NOT_FOUND, "cat_unknown");
	desk_close(&d, 0);
}

/* ---- Consent ---- */

static void consent_buys_once(void)
{
	struct store_approval approval = { 0 };
	struct desk d;
	struct id first;

	if (!desk_open(&d))
		return;
	check_refused(&d, buy(&d), ERR_APPROVAL_REQUIRED, "approval-above");
	CHECK(ask(&d, &approval));
	CHECK(id_is(id_str(&approval.id), ID_APPROVAL));
	CHECK_I64(approval.total_cents, 2500);
	CHECK_STR(approval.display_name, "LLM Router Credits ($25)");
	CHECK_I64(approval.expires_ms, WORLD_START_MS + 15 * MINUTE_MS);
	d.request.approval = id_str(&approval.id);
	CHECK(buy(&d));
	CHECK(!d.purchase.repeated);
	first = d.purchase.id;
	CHECK(buy(&d)); /* the same consent again is the same purchase */
	CHECK(d.purchase.repeated);
	CHECK(id_eq(&d.purchase.id, &first));
	d.request.idempotency_key = STR("k2");
	check_refused(&d, buy(&d), ERR_CONFLICT, "used up");
	desk_close(&d, 2500);
}

static void consent_is_for_one_purchase_only(void)
{
	OWN_JSON struct json *dearer = world_configuration(2600);
	struct store_approval approval = { 0 };
	struct desk d;
	struct id stranger;

	if (!desk_open(&d))
		return;
	stranger = world_account(&d.w, "b", 10000, NULL);
	CHECK(ask(&d, &approval));
	d.request.approval = id_str(&approval.id);
	d.request.configuration = dearer;
	check_refused(&d, buy(&d), ERR_CONFLICT, "another purchase");
	d.request.configuration = d.configuration;
	d.request.idempotency_key = STR("k2");
	check_refused(&d, buy(&d), ERR_CONFLICT, "another purchase");
	d.request.idempotency_key = STR("k1");
	CHECK(!store_purchase_create(d.w.st, &stranger, &d.request, &d.purchase, &d.service,
	                             &d.w.err));
	CHECK_I64(d.w.err.code, ERR_CONFLICT);
	d.request.approval = STR("approval_0000000000000000000000");
	check_refused(&d, buy(&d), ERR_CONFLICT, "nothing was bought");
	d.request.approval = id_str(&approval.id);
	CHECK(buy(&d));
	desk_close(&d, 2500);
}

static void consent_is_good_for_fifteen_minutes(void)
{
	struct store_approval approval = { 0 };
	struct desk d;

	if (!desk_open(&d))
		return;
	CHECK(ask(&d, &approval));
	d.request.approval = id_str(&approval.id);
	d.w.time.now_ms += 15 * MINUTE_MS;
	check_refused(&d, buy(&d), ERR_CONFLICT, "too old");
	d.w.time.now_ms -= 1;
	CHECK(buy(&d));
	desk_close(&d, 2500);
}

/* The refused purchase is undone with the use of its consent. */
static void consent_survives_a_purchase_that_fails(void)
{
	struct store_policy policy = world_no_policy();
	struct store_approval approval = { 0 };
	struct desk d;

	if (!desk_open(&d))
		return;
	CHECK(ask(&d, &approval));
	d.request.approval = id_str(&approval.id);
	policy.max_purchase = world_cents(100);
	CHECK(store_account_set_policy(d.w.st, &d.account, &policy, &d.w.err));
	check_refused(&d, buy(&d), ERR_POLICY_REFUSED, "max-purchase");
	policy.max_purchase = money_of_micros(-1);
	policy.approval_above = MONEY_ZERO;
	CHECK(store_account_set_policy(d.w.st, &d.account, &policy, &d.w.err));
	CHECK(buy(&d));
	desk_close(&d, 2500);
}

/* ---- Refusals ---- */

static void nobody_is_asked_twice(void)
{
	struct store_approval approval = { 0 }, again = { 0 };
	struct desk d;

	if (!desk_open(&d))
		return;
	CHECK(ask(&d, &approval));
	CHECK(store_approval_refuse(d.w.st, &d.account, id_str(&approval.id), false, &d.w.err));
	check_refused(&d, buy(&d), ERR_POLICY_REFUSED, "the user declined");
	check_refused(&d, ask(&d, &again), ERR_POLICY_REFUSED, "before 2026-11-22T08:10:00.000Z");
	d.request.approval = id_str(&approval.id); /* a yes after the no is none */
	check_refused(&d, buy(&d), ERR_POLICY_REFUSED, "the user declined");
	d.request.approval = (struct str){ 0 };
	d.request.idempotency_key = STR("k2"); /* the same thing under another key */
	check_refused(&d, ask(&d, &again), ERR_POLICY_REFUSED, "the user declined");
	d.w.time.now_ms += 10 * MINUTE_MS;
	CHECK(ask(&d, &again));
	desk_close(&d, 0);
}

static void no_answer_is_told_as_that(void)
{
	OWN_JSON struct json *other = world_configuration(3000);
	struct store_approval approval = { 0 }, again = { 0 };
	struct desk d;

	if (!desk_open(&d))
		return;
	CHECK(ask(&d, &approval));
	CHECK(store_approval_refuse(d.w.st, &d.account, id_str(&approval.id), true, &d.w.err));
	check_refused(&d, buy(&d), ERR_POLICY_REFUSED, "the user gave no answer");
	/* The second word does not count. */
	CHECK(store_approval_refuse(d.w.st, &d.account, id_str(&approval.id), false, &d.w.err));
	check_refused(&d, buy(&d), ERR_POLICY_REFUSED, "the user gave no answer");
	d.request.configuration = other; /* under the same key */
	check_refused(&d, ask(&d, &again), ERR_POLICY_REFUSED, "gave no answer");
	d.request.idempotency_key = STR("k2");
	CHECK(ask(&d, &again));
	desk_close(&d, 0);
}

static void a_no_is_only_ones_own(void)
{
	struct store_approval approval = { 0 };
	struct desk d;
	struct id stranger;

	if (!desk_open(&d))
		return;
	stranger = world_account(&d.w, "b", 10000, NULL);
	CHECK(ask(&d, &approval));
	CHECK(store_approval_refuse(d.w.st, &stranger, id_str(&approval.id), false, &d.w.err));
	d.request.approval = id_str(&approval.id);
	CHECK(buy(&d));
	/* After the fact it changes nothing either. */
	CHECK(store_approval_refuse(d.w.st, &d.account, id_str(&approval.id), false, &d.w.err));
	CHECK(buy(&d));
	CHECK(d.purchase.repeated);
	desk_close(&d, 2500);
}

/* A purchase that policy allows by itself is not held up by an earlier no. */
static void a_no_ends_when_no_consent_is_needed(void)
{
	struct store_policy policy = world_no_policy();
	struct store_approval approval = { 0 };
	struct desk d;

	if (!desk_open(&d))
		return;
	CHECK(ask(&d, &approval));
	CHECK(store_approval_refuse(d.w.st, &d.account, id_str(&approval.id), false, &d.w.err));
	CHECK(store_account_set_policy(d.w.st, &d.account, &policy, &d.w.err));
	CHECK(buy(&d));
	desk_close(&d, 2500);
}

static void old_questions_go_and_used_consent_stays(void)
{
	struct store_approval used = { 0 }, open = { 0 }, next = { 0 };
	struct desk d;

	if (!desk_open(&d))
		return;
	CHECK(ask(&d, &used));
	d.request.approval = id_str(&used.id);
	CHECK(buy(&d));
	d.request.idempotency_key = STR("k2");
	CHECK(ask(&d, &open));
	d.w.time.now_ms += DAY_MS + 1;
	CHECK(ask(&d, &next));
	d.w.time.now_ms = WORLD_START_MS;
	d.request.approval = id_str(&open.id); /* it would be good again, were it still there */
	check_refused(&d, buy(&d), ERR_CONFLICT, "consent");
	desk_close(&d, 2500);
}

static const struct check_case CASES[] = {
	CASE(a_verdict_lists_every_check),
	CASE(a_request_is_weighed_at_its_price),
	CASE(consent_buys_once),
	CASE(consent_is_for_one_purchase_only),
	CASE(consent_is_good_for_fifteen_minutes),
	CASE(consent_survives_a_purchase_that_fails),
	CASE(nobody_is_asked_twice),
	CASE(no_answer_is_told_as_that),
	CASE(a_no_is_only_ones_own),
	CASE(a_no_ends_when_no_consent_is_needed),
	CASE(old_questions_go_and_used_consent_stays),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
