/* SPDX-License-Identifier: Apache-2.0 */
/* How fast money moves: pairs of hold and settle in batches, each batch one transaction, as the
 * store's worker makes them. Holds and settles are in transactions of their own, because in life
 * an upstream is between them. Not part of the test run; prints one line per setting.
 *
 *     bench_store [SECONDS]     a line takes that long, 1 by default */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/live.h"
#include "tests/check.h"
#include "tests/store_setup.h"

#define BATCH_MAX 256

static int64_t cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void must(bool ok, const struct err *err)
{
	if (ok)
		return;
	(void)fprintf(stderr, "bench_store: %s\n", err->text);
	exit(1);
}

/* As worker.c runs a job that is `single`. */
static void hold_one(struct setup *s, const struct store_key *key, struct store_hold *hold)
{
	struct store_call call = setup_call();
	struct err err = { 0 };
	OWN_TX struct store_tx tx = { 0 };

	*hold = (struct store_hold){ .request_id = id_make(&s->env, ID_REQUEST) };
	must(store_live_reserve(store_live(s->st), key, money_of_micros(1000), s->clock.now_ms,
	                        hold, &err),
	     &err);
	must(store__tx_begin_bare(&tx, s->st, &err) && store_hold_write(s->st, hold, &call, &err) &&
	             store__tx_commit(&tx, &err),
	     &err);
}

static void settle_one(struct setup *s, struct store_hold *hold)
{
	struct store_outcome outcome = setup_settled(100, 50);
	struct money charge = MONEY_ZERO;
	struct err err = { 0 };
	OWN_TX struct store_tx tx = { 0 };

	must(store__tx_begin_bare(&tx, s->st, &err) &&
	             store_hold_end(s->st, hold, &outcome, &charge, &err) &&
	             store__tx_commit(&tx, &err),
	     &err);
}

static void run_batch(struct setup *s, const struct store_key *key, bool power, size_t batch)
{
	static struct store_hold holds[BATCH_MAX];
	struct err err = { 0 };
	struct store_tx tx = { 0 };

	must(store__tx_begin_batch(&tx, s->st, power, &err), &err);
	s->st->db.gather = true;
	for (size_t i = 0; i < batch; i++)
		hold_one(s, key, &holds[i]);
	must(store__tx_commit(&tx, &err), &err);
	must(store__tx_begin_batch(&tx, s->st, power, &err), &err);
	s->st->db.gather = true;
	for (size_t i = 0; i < batch; i++)
		settle_one(s, &holds[i]);
	must(store__tx_commit(&tx, &err), &err);
	if (s->st->db.wal_frames > 2048)
		store__db_checkpoint(s->st, false);
}

static void measure(bool power, size_t batch, int64_t us)
{
	struct setup s;
	struct env clock = env_real();
	int64_t pairs = 0;

	if (!setup_file(&s, INT64_C(1000000000000)))
		exit(1);
	const struct store_key *key = setup_live_key(&s, &s.buyer.router);
	int64_t cpu = cpu_us();
	int64_t start = env_mono_us(&clock);
	int64_t wall = 0;
	do {
		run_batch(&s, key, power, batch);
		pairs += (int64_t)batch;
		wall = env_mono_us(&clock) - start;
	} while (wall < us);
	assert(pairs > 0 && wall > 0);
	cpu = cpu_us() - cpu;
	(void)printf("%-6s batch %3zu  %8" PRId64 " pairs/s  %5" PRId64 ".%02" PRId64
	             " us CPU per pair\n",
	             power ? "FULL" : "NORMAL", batch, pairs * 1000000 / wall, cpu / pairs,
	             cpu * 100 / pairs % 100);
	(void)fflush(stdout);
	setup_done(&s);
}

int main(int argc, char **argv)
{
	static const size_t BATCHES[] = { 1, 16, 64, 256 };
	int64_t seconds = 1;

	if (argc > 1 && !str_to_i64(str_of(argv[1]), &seconds))
		return 2;
	for (int power = 0; power < 2; power++) {
		for (size_t i = 0; i < ARRAY_LEN(BATCHES); i++)
			measure(power != 0, BATCHES[i], seconds * 1000000);
	}
	return 0;
}
