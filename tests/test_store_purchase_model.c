/* SPDX-License-Identifier: Apache-2.0 */
/* A thousand random purchases, replays, fundings and quotes, each against a model that knows the
 * rules of test_store_purchase.c and no database. The seed is fixed: every run is the same. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/check.h"
#include "tests/store_world.h"

#define MINUTE_MS INT64_C(60000)

#define ACCOUNTS 3
#define KEYS 50
#define QUOTES 200

struct model_quote {
	struct id id;
	int64_t cents, expires_ms;
	struct id purchase; /* empty: not bought */
};

struct model_key {
	int64_t arguments; /* 0: free; cents of a direct purchase, or minus (1 + quote) */
	struct id purchase;
};

struct model_account {
	struct id id;
	int64_t wallet, credit, max_purchase; /* cents; max_purchase 0: none */
	struct model_key keys[KEYS];
	struct model_quote quotes[QUOTES];
	size_t quote_count;
};

struct model {
	struct store_world w;
	struct model_account accounts[ACCOUNTS];
	uint64_t seed;
	size_t bought, repeated;
	size_t refused[ERR_CODE_COUNT];
};

static uint64_t roll(struct model *m, uint64_t sides)
{
	m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
	return (m->seed >> 33) % sides;
}

/* What must happen: ERR_NONE, and which earlier purchase answers (empty: a new one). */
static enum err_code expect(struct model *m, struct model_account *a, size_t key, int64_t arguments,
                            struct id *earlier)
{
	struct model_quote *quote = arguments < 0 ? &a->quotes[-arguments - 1] : NULL;
	int64_t cents = quote ? quote->cents : arguments;

	*earlier = (struct id){ 0 };
	if (quote && !id_is_empty(&quote->purchase)) {
		*earlier = quote->purchase;
		return ERR_NONE;
	}
	if (a->keys[key].arguments != 0) {
		*earlier = a->keys[key].purchase;
		return a->keys[key].arguments == arguments ? ERR_NONE : ERR_IDEMPOTENCY_CONFLICT;
	}
	if (quote && m->w.time.now_ms >= quote->expires_ms)
		return ERR_QUOTE_EXPIRED;
	if (a->max_purchase != 0 && cents > a->max_purchase)
		return ERR_POLICY_REFUSED;
	return cents > a->wallet ? ERR_INSUFFICIENT_FUNDS : ERR_NONE;
}

static void note_bought(struct model *m, struct model_account *a, size_t key, int64_t arguments,
                        const struct store_purchase *purchase)
{
	struct model_quote *quote = arguments < 0 ? &a->quotes[-arguments - 1] : NULL;

	if (a->keys[key].arguments == 0)
		a->keys[key] = (struct model_key){ arguments, purchase->id };
	if (purchase->repeated) {
		m->repeated++;
		return;
	}
	m->bought++;
	if (quote)
		quote->purchase = purchase->id;
	a->wallet -= purchase->total_cents;
	a->credit += purchase->total_cents;
}

static void buy_at_random(struct model *m, struct model_account *a)
{
	size_t key = roll(m, KEYS);
	char key_text[] = { 'k', (char)('0' + key / 10), (char)('0' + key % 10), '\0' };
	int64_t arguments = 100 * (1 + (int64_t)roll(m, 5));
	struct store_purchase purchase = { 0 };
	enum err_code code;
	struct id earlier;
	bool ok;

	if (a->quote_count > 0 && roll(m, 3) > 0)
		arguments = -1 - (int64_t)roll(m, a->quote_count);
	code = expect(m, a, key, arguments, &earlier);
	m->w.err = (struct err){ 0 };
	ok = arguments < 0 ? world_buy_quote(&m->w, &a->id, &a->quotes[-arguments - 1].id, key_text,
	                                     &purchase)
	                   : world_buy(&m->w, &a->id, arguments, key_text, &purchase);
	CHECK(ok == (code == ERR_NONE));
	CHECK_I64(m->w.err.code, code);
	if (!ok) {
		m->refused[code]++;
		return;
	}
	CHECK(purchase.repeated == !id_is_empty(&earlier));
	CHECK(!purchase.repeated || id_eq(&purchase.id, &earlier));
	note_bought(m, a, key, arguments, &purchase);
}

static void one_random_step(struct model *m, int64_t step)
{
	struct model_account *a = &m->accounts[roll(m, ACCOUNTS)];
	struct store_funding funding;
	char reference[32];

	switch (roll(m, 8)) {
	case 0:
		m->w.time.now_ms += (int64_t)roll(m, 10) * MINUTE_MS;
		break;
	case 1:
		(void)snprintf(reference, sizeof(reference), "step %lld", (long long)step);
		CHECK(store_wallet_fund(m->w.st, &a->id, world_cents(250), str_of(reference),
		                        &funding, &m->w.err));
		a->wallet += 250;
		break;
	case 2:
		if (a->quote_count < QUOTES) {
			int64_t cents = 50 + 100 * (1 + (int64_t)roll(m, 5));

			a->quotes[a->quote_count++] =
				(struct model_quote){ .id = world_quote(&m->w, &a->id, cents),
				                      .cents = cents,
				                      .expires_ms =
				                              m->w.time.now_ms + 15 * MINUTE_MS };
		}
		break;
	default:
		buy_at_random(m, a);
	}
}

static bool agrees(struct model *m)
{
	struct store_verdict verdict = { 0 };
	bool same = CHECK(store_ledger_verify(m->w.st, &verdict, &m->w.err)) &&
	            CHECK_STR(verdict.problem, "");

	for (size_t i = 0; i < ACCOUNTS; i++) {
		struct model_account *a = &m->accounts[i];

		same = CHECK_I64(money_micros(world_wallet(&m->w, &a->id)), a->wallet * 10000) &&
		       CHECK_I64(money_micros(world_credit(&m->w, &a->id)), a->credit * 10000) &&
		       same;
	}
	return same;
}

static void random_purchases_agree_with_the_model(void)
{
	static const char *const NAMES[ACCOUNTS] = { "a", "b", "c" };
	struct store_policy policy = world_no_policy();
	struct model *m = calloc(1, sizeof(*m));

	if (!CHECK(m != NULL))
		return;
	m->seed = 20261122;
	if (!world_open(&m->w))
		goto done;
	for (size_t i = 0; i < ACCOUNTS; i++)
		m->accounts[i].id = world_account(&m->w, NAMES[i], 0, NULL);
	policy.max_purchase = world_cents(300);
	m->accounts[2].max_purchase = 300;
	CHECK(store_account_set_policy(m->w.st, &m->accounts[2].id, &policy, &m->w.err));
	for (int64_t step = 0; step < 1000; step++) {
		one_random_step(m, step);
		if (step % 20 == 0 && !agrees(m)) {
			check_note("step %lld", (long long)step);
			break;
		}
	}
	CHECK(agrees(m));
	/* Every outcome was reached, or the run has proved little. */
	CHECK(m->bought > 50 && m->repeated > 30);
	CHECK(m->refused[ERR_IDEMPOTENCY_CONFLICT] > 10);
	CHECK(m->refused[ERR_QUOTE_EXPIRED] > 10);
	CHECK(m->refused[ERR_POLICY_REFUSED] > 10);
	CHECK(m->refused[ERR_INSUFFICIENT_FUNDS] > 10);
	world_close(&m->w);
done:
	free(m);
}

static const struct check_case CASES[] = {
	CASE(random_purchases_agree_with_the_model),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
