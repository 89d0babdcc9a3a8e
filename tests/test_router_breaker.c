/* SPDX-License-Identifier: Apache-2.0 */
/* Breakers and sticky choices on a clock that the test moves. */
#include "router/breaker.h"
#include "tests/check.h"

static const char up = 'u', other = 'o', model = 'm';

static struct breaker *fresh(struct breakers *all)
{
	return breakers_of(all, &up, &model);
}

static void four_failures_keep_it_closed_and_the_fifth_opens_it(void)
{
	struct breakers *all = breakers_new(NULL);
	struct breaker *b = fresh(all);

	for (int i = 0; i < 4; i++)
		breaker_failure(b, 1000, 0);
	CHECK(breaker_admits(b, 1000));
	breaker_failure(b, 1000, 0);
	CHECK(b->state == BREAKER_OPEN);
	CHECK(!breaker_admits(b, 5999));
	CHECK(breaker_admits(b, 6000)); /* the trial */
	CHECK(!breaker_admits(b, 6001));
	breakers_free(all);
}

static void a_success_forgets_the_failures(void)
{
	struct breakers *all = breakers_new(NULL);
	struct breaker *b = fresh(all);

	for (int i = 0; i < 4; i++)
		breaker_failure(b, 0, 0);
	breaker_success(b);
	for (int i = 0; i < 4; i++)
		breaker_failure(b, 0, 0);
	CHECK(b->state == BREAKER_CLOSED);
	breakers_free(all);
}

static void a_trial_that_fails_doubles_the_cool_down(void)
{
	struct breakers *all = breakers_new(NULL);
	struct breaker *b = fresh(all);

	for (int i = 0; i < 5; i++)
		breaker_failure(b, 0, 0);
	CHECK(breaker_admits(b, 5000));
	breaker_failure(b, 5000, 0);
	CHECK(!breaker_admits(b, 14999));
	CHECK(breaker_admits(b, 15000));
	breaker_success(b);
	CHECK(b->state == BREAKER_CLOSED);
	CHECK_I64(b->cool_ms, 5000);
	breakers_free(all);
}

static void the_cool_down_has_an_end(void)
{
	struct breakers *all = breakers_new(NULL);
	struct breaker *b = fresh(all);
	int64_t now = 0;

	for (int i = 0; i < 5; i++)
		breaker_failure(b, now, 0);
	for (int i = 0; i < 10; i++) {
		now = b->open_until;
		CHECK(breaker_admits(b, now));
		breaker_failure(b, now, 0);
	}
	CHECK_I64(b->open_until - now, 120000);
	breakers_free(all);
}

static void retry_after_is_obeyed_at_once_and_within_reason(void)
{
	struct breakers *all = breakers_new(NULL);
	struct breaker *b = fresh(all);

	breaker_failure(b, 100, 30000);
	CHECK(!breaker_admits(b, 30099));
	CHECK(breaker_admits(b, 30100));
	breaker_success(b);
	breaker_failure(b, 0, INT64_C(999999999));
	CHECK_I64(b->open_until, 600000);
	breakers_free(all);
}

static void a_trial_given_up_is_free_again(void)
{
	struct breakers *all = breakers_new(NULL);
	struct breaker *b = fresh(all);

	breaker_failure(b, 0, 1000);
	CHECK(breaker_admits(b, 1000));
	CHECK(!breaker_admits(b, 1001));
	breaker_abandon(b);
	CHECK(breaker_admits(b, 1001));
	CHECK(breaker_admits(b, 1001 + 60000)); /* and one that never ended, after a minute */
	breakers_free(all);
}

static void each_pair_has_its_own(void)
{
	struct breakers *all = breakers_new(NULL);

	CHECK(breakers_of(all, &up, &model) == breakers_of(all, &up, &model));
	CHECK(breakers_of(all, &up, &model) != breakers_of(all, &other, &model));
	CHECK(breakers_of(all, &up, &model) != breakers_of(all, &up, &other));
	CHECK(breaker_admits(NULL, 0));
	breakers_free(all);
}

static void a_buyer_returns_to_where_its_cache_was_written(void)
{
	static struct sticky
		s; /* allowed: too large for the stack, zero at the start of this one case */
	struct id a = id_of(STR("acct_a")), b = id_of(STR("acct_b"));

	sticky_note(&s, &a, &model, &up, 500);
	CHECK(sticky_find(&s, &a, &model, 499) == &up);
	CHECK(sticky_find(&s, &a, &model, 500) == NULL);
	CHECK(sticky_find(&s, &b, &model, 0) == NULL);
	CHECK(sticky_find(&s, &a, &other, 0) == NULL);
	sticky_note(&s, &a, &model, &other, 900);
	CHECK(sticky_find(&s, &a, &model, 600) == &other);
}

int main(void)
{
	static const struct check_case cases[] = {
		CASE(four_failures_keep_it_closed_and_the_fifth_opens_it),
		CASE(a_success_forgets_the_failures),
		CASE(a_trial_that_fails_doubles_the_cool_down),
		CASE(the_cool_down_has_an_end),
		CASE(retry_after_is_obeyed_at_once_and_within_reason),
		CASE(a_trial_given_up_is_free_again),
		CASE(each_pair_has_its_own),
		CASE(a_buyer_returns_to_where_its_cache_was_written),
	};

	return check_main(cases, ARRAY_LEN(cases));
}
