/* SPDX-License-Identifier: Apache-2.0 */
/* The link: who owns the store, who relays, and what happens to calls when that changes. Several
 * links in one process stand for several processes: the lock and the socket do not know the
 * difference. */
#include <stdlib.h>
#include <unistd.h>

#include "mcp/link.h"
#include "tests/check.h"
#include "tests/mcp_world.h"

#define WAIT_MS 3000

static const char LIST[] = "{\"command\":\"account list\",\"arguments\":{}}";
static const char CREATE[] = "{\"command\":\"account create\",\"arguments\":{\"name\":\"acme\"}}";

static void set_flag(void *data)
{
	bool *flag = data;

	*flag = true;
}

static void close_link(struct world *w, struct mcp_link *link)
{
	bool closed = false;

	mcp_link_close(link, set_flag, &closed);
	CHECK(world_wait(w, &closed, WAIT_MS));
	mcp_link_free(link);
}

/* ---- Cases ---- */

static void a_new_link_touches_no_disk(void)
{
	struct world w;
	struct till till = { 0 };

	if (!world_open(&w))
		return;
	struct mcp_link *link = world_link(&w, &till);
	mcp_link_attach(link, 200);
	world_pass(&w, 20);
	CHECK_I64(mcp_link_state(link), MCP_LINK_ATTACHING);
	CHECK_I64(till.opened, 0);
	CHECK(rmdir(w.folder) == 0); /* it is empty */
	mcp_link_free(link);
	world_close(&w);
}

static void it_attaches_after_its_delay(void)
{
	struct world w;
	struct till till = { 0 };

	if (!world_open(&w))
		return;
	struct mcp_link *link = world_link(&w, &till);
	mcp_link_attach(link, 30);
	world_pass(&w, 200);
	CHECK_I64(mcp_link_state(link), MCP_LINK_OWNER);
	CHECK_I64(till.opened, 1);
	close_link(&w, link);
	CHECK_I64(till.closed, 1);
	world_close(&w);
}

static void the_first_call_attaches_at_once_and_is_answered_later(void)
{
	struct world w;
	struct till till = { 0 };
	struct waiter got = { 0 };

	if (!world_open(&w))
		return;
	struct mcp_link *link = world_link(&w, &till);
	mcp_link_attach(link, 60000);
	CHECK(mcp_link_call(link, str_of(CREATE), waiter_answer, &got) != 0);
	CHECK(!got.answered);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK(waiter_has(&got, "{\"result\":{\"account\":{\"id\":\"acct_"));
	CHECK_I64(mcp_link_state(link), MCP_LINK_OWNER);
	close_link(&w, link);
	world_close(&w);
}

static void the_second_process_works_through_the_first(void)
{
	struct world w;
	struct till first = { 0 }, second = { 0 };
	struct waiter got = { 0 };

	if (!world_open(&w))
		return;
	struct mcp_link *owner = world_link(&w, &first);
	struct mcp_link *relay = world_link(&w, &second);
	world_attach(&w, owner);
	world_attach(&w, relay);
	CHECK_I64(mcp_link_state(owner), MCP_LINK_OWNER);
	CHECK_I64(mcp_link_state(relay), MCP_LINK_RELAY);
	CHECK_I64(second.opened, 0);
	CHECK(mcp_link_call(relay, str_of(CREATE), waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	got = (struct waiter){ 0 };
	CHECK(mcp_link_call(owner, str_of(LIST), waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK(waiter_has(&got, "\"name\":\"acme\""));
	close_link(&w, relay);
	close_link(&w, owner);
	world_close(&w);
}

/* How far the relay's call has come when the owner dies. */
static void owner_dies(int rounds_before)
{
	struct world w;
	struct till first = { 0 }, second = { 0 };
	struct waiter got = { 0 };

	if (!world_open(&w))
		return;
	struct mcp_link *owner = world_link(&w, &first);
	struct mcp_link *relay = world_link(&w, &second);
	world_attach(&w, owner);
	world_attach(&w, relay);
	CHECK(mcp_link_call(relay, str_of(LIST), waiter_answer, &got) != 0);
	for (int i = 0; i < rounds_before && !got.answered; i++)
		world_step(&w);
	bool early = got.answered;
	mcp_link_free(owner);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK_STR(got.text, "{\"result\":{\"accounts\":[]}}");
	CHECK_I64(got.count, 1);
	world_attach(&w, relay);
	CHECK_I64(mcp_link_state(relay), MCP_LINK_OWNER);
	CHECK_I64(second.opened, 1);
	if (rounds_before == 0)
		CHECK(!early);
	close_link(&w, relay);
	world_close(&w);
}

static void a_relay_takes_over_and_sends_its_call_again(void)
{
	for (int rounds = 0; rounds < 5; rounds++) {
		check_note("the owner dies after %d rounds", rounds);
		owner_dies(rounds);
	}
}

static void of_two_relays_one_takes_over_and_the_other_finds_it(void)
{
	struct world w;
	struct till tills[3] = { 0 };
	struct mcp_link *links[3];
	struct waiter got[3] = { 0 };

	if (!world_open(&w))
		return;
	for (int i = 0; i < 3; i++) {
		links[i] = world_link(&w, &tills[i]);
		world_attach(&w, links[i]);
	}
	mcp_link_free(links[0]);
	for (int i = 1; i < 3; i++)
		CHECK(mcp_link_call(links[i], str_of(LIST), waiter_answer, &got[i]) != 0);
	CHECK(world_wait(&w, &got[1].answered, WAIT_MS));
	CHECK(world_wait(&w, &got[2].answered, WAIT_MS));
	CHECK_I64(tills[1].opened + tills[2].opened, 1);
	CHECK_I64(mcp_link_state(links[1]) + mcp_link_state(links[2]),
	          MCP_LINK_OWNER + MCP_LINK_RELAY);
	mcp_link_free(links[1]);
	mcp_link_free(links[2]);
	world_close(&w);
}

static void a_failed_opening_is_the_answer_and_the_next_call_tries_again(void)
{
	struct world w;
	struct till till = { .open_fails = 1 };
	struct waiter got = { 0 };

	if (!world_open(&w))
		return;
	struct mcp_link *link = world_link(&w, &till);
	CHECK(mcp_link_call(link, str_of(LIST), waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK(waiter_has(&got, "\"message\":\"the database is damaged\""));
	CHECK_I64(till.failed.code, ERR_STORAGE);
	CHECK_I64(mcp_link_state(link), MCP_LINK_IDLE);
	got = (struct waiter){ 0 };
	CHECK(mcp_link_call(link, str_of(LIST), waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK_STR(got.text, "{\"result\":{\"accounts\":[]}}");
	close_link(&w, link);
	world_close(&w);
}

static void a_folder_that_cannot_be_made_is_an_answer_too(void)
{
	struct world w;
	struct till till = { 0 };
	struct waiter got = { 0 };
	struct err err = { 0 };

	if (!world_open(&w))
		return;
	const struct mcp_owner owner = till_owner(&till);
	struct mcp_link *link = mcp_link_new(w.loop, "/dev/null/store.db", &owner, &err);
	CHECK(mcp_link_call(link, str_of(LIST), waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK(waiter_has(&got, "{\"error\":{\"code\":"));
	CHECK_I64(till.opened, 0);
	mcp_link_free(link);
	world_close(&w);
}

static void closing_answers_own_calls_and_waits_for_the_router(void)
{
	struct world w;
	struct till till = { .busy = 3 };
	struct waiter got = { 0 }, late = { 0 };
	bool closed = false;
	struct err err = { 0 };

	if (!world_open(&w))
		return;
	struct mcp_link *link = world_link(&w, &till);
	world_attach(&w, link);
	CHECK(access(w.socket, F_OK) == 0);
	CHECK(mcp_link_call(link, str_of(LIST), waiter_answer, &got) != 0);
	mcp_link_close(link, set_flag, &closed);
	CHECK_I64(till.drained, 1);
	CHECK(mcp_link_call(link, str_of(LIST), waiter_answer, &late) != 0);
	CHECK(!late.answered);
	CHECK(world_wait(&w, &closed, WAIT_MS));
	CHECK_STR(got.text, "{\"result\":{\"accounts\":[]}}");
	CHECK(waiter_has(&late, "the program is ending"));
	CHECK(till.busy < 0);
	CHECK_I64(till.closed, 1);
	CHECK(access(w.socket, F_OK) != 0);
	struct store_lock *lock = store_lock_take(w.db, &err);
	CHECK(lock != NULL);
	store_lock_free(lock);
	mcp_link_free(link);
	world_close(&w);
}

static void an_owner_that_closes_answers_its_relays_first(void)
{
	struct world w;
	struct till first = { .busy = 2 }, second = { 0 };
	struct waiter got = { 0 };
	bool closed = false;

	if (!world_open(&w))
		return;
	struct mcp_link *owner = world_link(&w, &first);
	struct mcp_link *relay = world_link(&w, &second);
	world_attach(&w, owner);
	world_attach(&w, relay);
	mcp_link_close(owner, set_flag, &closed);
	CHECK(mcp_link_call(relay, str_of(LIST), waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK_STR(got.text, "{\"result\":{\"accounts\":[]}}");
	CHECK_I64(second.opened, 0); /* so it was the old owner who answered */
	CHECK(world_wait(&w, &closed, WAIT_MS));
	world_attach(&w, relay);
	CHECK_I64(mcp_link_state(relay), MCP_LINK_OWNER);
	mcp_link_free(owner);
	mcp_link_free(relay);
	world_close(&w);
}

static void a_forgotten_call_is_not_answered(void)
{
	struct world w;
	struct till till = { 0 };
	struct waiter got = { 0 };

	if (!world_open(&w))
		return;
	struct mcp_link *link = world_link(&w, &till);
	int64_t waiting = mcp_link_call(link, str_of(LIST), waiter_answer, &got);
	mcp_link_forget(link, waiting);
	world_attach(&w, link);
	int64_t running = mcp_link_call(link, str_of(LIST), waiter_answer, &got);
	CHECK(running != waiting);
	mcp_link_forget(link, running);
	world_attach(&w, link);
	CHECK_I64(got.count, 0);
	mcp_link_forget(link, running); /* known no more: nothing happens */
	close_link(&w, link);
	world_close(&w);
}

static void a_passing_owner_lets_nobody_in(void)
{
	struct world w;
	struct till till = { .world = &w };
	struct waiter got = { 0 };
	struct err err = { 0 };

	if (!world_open(&w))
		return;
	till.db = w.db;
	struct mcp_owner owner = till_owner(&till);
	owner.passing = true;
	struct mcp_link *link = mcp_link_new(w.loop, w.db, &owner, &err);
	CHECK(mcp_link_call(link, str_of(LIST), waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK_I64(mcp_link_state(link), MCP_LINK_OWNER);
	CHECK(access(w.socket, F_OK) != 0);
	close_link(&w, link);
	world_close(&w);
}

static void a_held_lock_without_a_socket_is_waited_for(void)
{
	struct world w;
	struct till first = { .world = &w }, second = { 0 };
	struct waiter got = { 0 };
	struct err err = { 0 };

	if (!world_open(&w))
		return;
	struct store_lock *lock = store_lock_take(w.db, &err);
	struct mcp_link *link = world_link(&w, &second);
	CHECK(mcp_link_call(link, str_of(LIST), waiter_answer, &got) != 0);
	world_pass(&w, 100);
	CHECK(!got.answered);
	store_lock_free(lock);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK_STR(got.text, "{\"result\":{\"accounts\":[]}}");
	CHECK_I64(first.opened, 0);
	close_link(&w, link);
	world_close(&w);
}

static void after_five_seconds_the_lock_and_its_holder_are_named(void)
{
	struct world w;
	struct till till = { 0 };
	struct waiter got = { 0 };
	struct err err = { 0 };
	char path[WORLD_PATH + 8];

	if (!world_open(&w))
		return;
	struct store_lock *lock = store_lock_take(w.db, &err);
	CHECK(snprintf(path, sizeof(path), "%s.lock", w.db) > 0);
	FILE *f = fopen(path, "r+e");
	if (!CHECK(f != NULL))
		return;
	CHECK(fputs("4711\n", f) >= 0);
	CHECK(fclose(f) == 0);
	struct mcp_link *link = world_link(&w, &till);
	CHECK(mcp_link_call(link, str_of(LIST), waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, 8000));
	CHECK(waiter_has(&got, "\"code\":\"unavailable\""));
	CHECK(waiter_has(&got, "process 4711 owns the store and does not answer"));
	CHECK(waiter_has(&got, path));
	CHECK_I64(till.failed.code, ERR_UNAVAILABLE);
	mcp_link_free(link);
	store_lock_free(lock);
	world_close(&w);
}

/* ---- Backup ---- */

static void put_backup(struct buf *request, const char *folder, const char *name)
{
	buf_addf(request, "{\"command\":\"backup\",\"arguments\":{\"path\":\"%s/%s\"}}", folder,
	         name);
}

static void a_backup_is_made_in_slices(void)
{
	struct world w;
	struct till till = { 0 };
	struct waiter got = { 0 };
	OWN_BUF struct buf request = buf_make(1024);
	char path[WORLD_PATH + 16];

	if (!world_open(&w))
		return;
	struct mcp_link *link = world_link(&w, &till);
	put_backup(&request, w.folder, "copy.db");
	CHECK(snprintf(path, sizeof(path), "%s/copy.db", w.folder) > 0);
	CHECK(mcp__link_call_within(link, buf_str(&request), 0, waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK(waiter_has(&got, "{\"result\":{\"backup\":{\"path\":"));
	CHECK(access(path, R_OK) == 0);
	got = (struct waiter){ 0 };
	CHECK(mcp__link_call_within(link, buf_str(&request), 0, waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK(waiter_has(&got, "{\"error\":{\"code\":")); /* the file is there already */
	got = (struct waiter){ 0 };
	const char *relative = "{\"command\":\"backup\",\"arguments\":{\"path\":\"copy.db\"}}";
	CHECK(mcp__link_call_within(link, str_of(relative), 0, waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK(waiter_has(&got, "path must be absolute"));
	close_link(&w, link);
	world_close(&w);
}

static void a_backup_that_is_cut_leaves_nothing_behind(void)
{
	for (int rounds = 0; rounds < 4; rounds++) {
		struct world w;
		struct till till = { 0 };
		struct waiter got = { 0 };
		OWN_BUF struct buf request = buf_make(1024);

		if (!world_open(&w))
			return;
		struct mcp_link *link = world_link(&w, &till);
		world_attach(&w, link);
		put_backup(&request, w.folder, "copy.db");
		CHECK(mcp__link_call_within(link, buf_str(&request), 0, waiter_answer, &got) != 0);
		for (int i = 0; i < rounds; i++)
			world_step(&w);
		mcp_link_free(link); /* the sanitizer and store_close tell of a leak */
		world_close(&w);
	}
}

static const struct check_case CASES[] = {
	CASE(a_new_link_touches_no_disk),
	CASE(it_attaches_after_its_delay),
	CASE(the_first_call_attaches_at_once_and_is_answered_later),
	CASE(the_second_process_works_through_the_first),
	CASE(a_relay_takes_over_and_sends_its_call_again),
	CASE(of_two_relays_one_takes_over_and_the_other_finds_it),
	CASE(a_failed_opening_is_the_answer_and_the_next_call_tries_again),
	CASE(a_folder_that_cannot_be_made_is_an_answer_too),
	CASE(closing_answers_own_calls_and_waits_for_the_router),
	CASE(an_owner_that_closes_answers_its_relays_first),
	CASE(a_forgotten_call_is_not_answered),
	CASE(a_passing_owner_lets_nobody_in),
	CASE(a_held_lock_without_a_socket_is_waited_for),
	CASE(after_five_seconds_the_lock_and_its_holder_are_named),
	CASE(a_backup_is_made_in_slices),
	CASE(a_backup_that_is_cut_leaves_nothing_behind),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
