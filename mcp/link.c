/* SPDX-License-Identifier: Apache-2.0 */
/* How this process reaches the store: as its owner, or through the owner. The lock file decides,
 * never the socket: a socket file may be left over from a killed process, a lock cannot. Calls stay
 * in the list until they are answered, so when the owner dies they are simply sent again. */
#include "mcp/link.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "mcp/frame.h"
#include "mcp/owner.h"

#define CALL_MS 60000
#define ATTACH_MS 5000 /* the lock is held but nobody answers on the socket */
#define RETRY_MS 20
#define DRAIN_POLL_MS 10
#define LOCK_FILE_MAX 32
#define ERROR_MAX 2048 /* an error's text, escaped or quoted */
#define FRAME_HEAD 32  /* a number and its newline */

struct call {
	struct call *next;
	struct mcp_link *link;
	int64_t number;
	bool sent;    /* to the owner of now */
	bool refused; /* the link was closing when it came */
	struct buf request;
	mcp_answer_fn *answer;
	void *data;
	struct net_timer deadline;
};

struct mcp_link {
	struct net_loop *loop;
	char *db;
	char *socket_path;
	struct mcp_owner hooks; /* main.c's */
	enum mcp_link_state state;

	struct call *calls; /* oldest first */
	int64_t last_number;

	struct net_timer attach; /* the next try, or the end of waiting for a hello */
	int64_t attach_until_ms;
	struct store_lock *lock; /* owner */
	struct mcp_shop shop;
	struct mcp__owner *owner;
	struct net_local *upstream; /* attaching or relay */

	struct net_timer drain;
	void (*closed)(void *data); /* not NULL: closing */
	void *closed_data;
};

/* ---- State ---- */

#define TO(state) (1u << (state))

static const unsigned MOVES[] = {
	[MCP_LINK_IDLE] = TO(MCP_LINK_ATTACHING) | TO(MCP_LINK_CLOSED),
	[MCP_LINK_ATTACHING] =
		TO(MCP_LINK_OWNER) | TO(MCP_LINK_RELAY) | TO(MCP_LINK_IDLE) | TO(MCP_LINK_CLOSED),
	[MCP_LINK_OWNER] = TO(MCP_LINK_CLOSED),
	[MCP_LINK_RELAY] = TO(MCP_LINK_ATTACHING) | TO(MCP_LINK_CLOSED),
	[MCP_LINK_CLOSED] = 0,
};
static_assert(ARRAY_LEN(MOVES) == MCP_LINK_STATE_COUNT, "every state has its moves");

static void move(struct mcp_link *link, enum mcp_link_state to)
{
	assert((MOVES[link->state] & TO(to)) != 0);
	link->state = to;
}

enum mcp_link_state mcp_link_state(const struct mcp_link *link)
{
	return link->state;
}

/* ---- Calls ---- */

static void call_free(struct call *c)
{
	net_timer_stop(&c->deadline);
	buf_wipe(&c->request);
	buf_done(&c->request);
	free(c);
}

static struct call *call_take(struct mcp_link *link, int64_t number)
{
	for (struct call **at = &link->calls; *at != NULL; at = &(*at)->next) {
		struct call *c = *at;
		if (c->number == number) {
			*at = c->next;
			return c;
		}
	}
	return NULL;
}

static void answer_call(struct mcp_link *link, int64_t number, struct str answer)
{
	struct call *c = call_take(link, number);

	if (c == NULL)
		return; /* forgotten, or too late */
	mcp_answer_fn *fn = c->answer;
	void *data = c->data;
	call_free(c);
	fn(data, answer);
}

static void fail_call(struct mcp_link *link, int64_t number, const struct err *why)
{
	OWN_BUF struct buf answer = buf_make(ERROR_MAX);

	mcp__frame_put_error(&answer, why);
	answer_call(link, number, buf_str(&answer));
}

static void call_due(void *data)
{
	struct call *c = data;
	struct err err = { 0 };

	if (c->refused)
		err_record(&err, ERR_UNAVAILABLE, "the program is ending");
	else
		err_record(&err, ERR_UNAVAILABLE, "the store did not answer in time; try again");
	fail_call(c->link, c->number, &err);
}

/* Fails what waited for this attempt. A callback may make new calls: they wait for the next. */
static void fail_waiting(struct mcp_link *link, const struct err *why)
{
	int64_t last = link->last_number;

	while (link->calls != NULL && link->calls->number <= last)
		fail_call(link, link->calls->number, why);
}

static void send_upstream(struct mcp_link *link, struct call *c)
{
	OWN_BUF struct buf frame = buf_make(LIMIT_FRAME);

	mcp__frame_put(&frame, c->number, buf_str(&c->request));
	net_local_send(link->upstream, buf_str(&frame));
	buf_wipe(&frame);
	c->sent = true;
}

static void send_call(struct mcp_link *link, struct call *c)
{
	struct err err = { 0 };

	if (link->state == MCP_LINK_RELAY)
		send_upstream(link, c);
	else if (mcp__owner_run(link->owner, c->number, buf_str(&c->request), &err))
		c->sent = true;
	else
		net_timer_start(&c->deadline,
		                0); /* no memory: answered as late, on the next turn */
}

static void send_waiting(struct mcp_link *link)
{
	for (struct call *c = link->calls; c != NULL; c = c->next) {
		if (!c->sent)
			send_call(link, c);
	}
}

/* ---- Attaching ---- */

static void attach_begin(struct mcp_link *link, int64_t delay_ms)
{
	move(link, MCP_LINK_ATTACHING);
	link->attach_until_ms = net_loop_now_ms(link->loop) + delay_ms + ATTACH_MS;
	net_timer_start(&link->attach, delay_ms);
}

static void attach_failed(struct mcp_link *link, const struct err *why)
{
	net_timer_stop(&link->attach);
	move(link, MCP_LINK_IDLE);
	fail_waiting(link, why);
	if (link->hooks.failed != NULL)
		link->hooks.failed(link->hooks.data, why);
}

static void own_answer(void *data, int64_t number, struct str answer)
{
	answer_call(data, number, answer);
}

/* A socket that cannot be opened shuts other processes out, but is no reason to stop this one. */
static void listen_for_relays(struct mcp_link *link)
{
	OWN_BUF struct buf quoted = buf_make(ERROR_MAX);
	struct err why = { 0 };

	if (!mcp__owner_listen(link->owner, link->socket_path, &why))
		log_event(LOG_ERROR, "no_socket", "error=%s", log_quote(&quoted, str_of(why.text)));
}

static bool open_shop(struct mcp_link *link, struct err *err)
{
	link->shop = (struct mcp_shop){ 0 };
	if (!link->hooks.open(link->hooks.data, &link->shop, err))
		return false;
	link->owner = mcp__owner_new(link->loop, &link->shop, own_answer, link, err);
	if (link->owner == NULL) {
		link->hooks.close(link->hooks.data);
		return false;
	}
	if (!link->hooks.passing)
		listen_for_relays(link);
	return true;
}

static bool put_lock_path(const struct mcp_link *link, struct buf *out, struct err *err)
{
	buf_add_z(out, link->db);
	buf_add_z(out, ".lock");
	return buf_ok(out, "the path of the lock file", err);
}

/* For people who look for the owner, and for attach_timed_out. The lock does not depend on it. */
static void sign_lock(const struct mcp_link *link)
{
	OWN_BUF struct buf path = buf_make(LIMIT_HTTP_LINE);

	if (!put_lock_path(link, &path, NULL))
		return;
	FILE *f = fopen(path.p, "r+e");
	if (f == NULL)
		return;
	(void)fprintf(f, "%ld\n", (long)getpid());
	(void)fclose(f); /* a hint that was not written is no hint */
}

static void become_owner(struct mcp_link *link)
{
	struct err err = { 0 };

	sign_lock(link);

	if (!open_shop(link, &err)) {
		store_lock_free(link->lock);
		link->lock = NULL;
		attach_failed(link, &err);
		return;
	}
	move(link, MCP_LINK_OWNER);
	log_event(LOG_DEBUG, "owner", "pid=%ld", (long)getpid());
	send_waiting(link);
}

/* Who holds the lock, as it wrote into the file; 0 if it did not. */
static int64_t lock_holder(const char *lock_path)
{
	char text[LOCK_FILE_MAX];
	int64_t pid = 0;
	FILE *f = fopen(lock_path, "re");

	if (f == NULL)
		return 0;
	size_t n = fread(text, 1, sizeof(text), f);
	(void)fclose(f); /* read only */
	struct str rest = { text, n };
	return str_to_i64(str_trim(str_cut(&rest, '\n')), &pid) ? pid : 0;
}

static void attach_timed_out(struct mcp_link *link)
{
	OWN_BUF struct buf lock_path = buf_make(LIMIT_HTTP_LINE);
	struct err err = { 0 };

	if (!put_lock_path(link, &lock_path, &err)) {
		attach_failed(link, &err);
		return;
	}
	int64_t pid = lock_holder(lock_path.p);
	if (pid > 0)
		err_record(&err, ERR_UNAVAILABLE,
		           "process %lld owns the store and does not answer (lock file '%s')",
		           (long long)pid, lock_path.p);
	else
		err_record(&err, ERR_UNAVAILABLE,
		           "another process owns the store and does not answer (lock file '%s')",
		           lock_path.p);
	attach_failed(link, &err);
}

static void try_again_soon(struct mcp_link *link)
{
	if (net_loop_now_ms(link->loop) >= link->attach_until_ms)
		attach_timed_out(link);
	else
		net_timer_start(&link->attach, RETRY_MS);
}

static void become_relay(struct mcp_link *link)
{
	net_timer_stop(&link->attach);
	move(link, MCP_LINK_RELAY);
	log_event(link->hooks.passing ? LOG_DEBUG : LOG_INFO, "standby", "socket=%s",
	          link->socket_path);
	if (link->hooks.standby != NULL)
		link->hooks.standby(link->hooks.data);
	send_waiting(link);
}

static void hang_up(struct mcp_link *link)
{
	if (link->upstream != NULL)
		net_local_close(link->upstream);
	link->upstream = NULL;
}

static void upstream_frame(void *data, struct net_local *c, struct str bytes)
{
	struct mcp_link *link = data;
	struct err err = { 0 };
	int64_t number = 0;
	struct str answer;

	(void)c;
	if (link->state == MCP_LINK_ATTACHING && mcp__frame_read_hello(bytes, &err)) {
		become_relay(link);
	} else if (link->state == MCP_LINK_ATTACHING) {
		hang_up(link);
		attach_failed(link, &err);
	} else if (mcp__frame_read(bytes, &number, &answer)) {
		answer_call(link, number, answer);
	}
}

/* The owner is gone: every relay now tries for the lock, and what was not answered waits again. */
static void upstream_closed(void *data, struct net_local *c)
{
	struct mcp_link *link = data;

	(void)c;
	link->upstream = NULL;
	if (link->state == MCP_LINK_ATTACHING) {
		try_again_soon(link);
		return;
	}
	log_event(LOG_INFO, "owner_gone", "socket=%s", link->socket_path);
	for (struct call *call = link->calls; call != NULL; call = call->next)
		call->sent = false;
	attach_begin(link, 0);
}

static void connect_to_owner(struct mcp_link *link)
{
	static const struct net_local_events EVENTS = {
		.frame = upstream_frame,
		.closed = upstream_closed,
	};
	OWN_BUF struct buf hello = buf_make(LIMIT_FRAME);

	link->upstream = net_local_connect(link->loop, link->socket_path, &EVENTS, link, NULL);
	if (link->upstream == NULL) { /* it holds the lock and has not opened the socket yet */
		try_again_soon(link);
		return;
	}
	mcp__frame_put_hello(&hello);
	net_local_send(link->upstream, buf_str(&hello));
	int64_t left = link->attach_until_ms - net_loop_now_ms(link->loop);
	net_timer_start(&link->attach, left > 0 ? left : 0);
}

static void attach_due(void *data)
{
	struct mcp_link *link = data;
	struct err err = { 0 };

	if (link->upstream != NULL) { /* connected, but there was no hello in all that time */
		hang_up(link);
		attach_timed_out(link);
		return;
	}
	link->lock = store_lock_take(link->db, &err);
	if (link->lock != NULL)
		become_owner(link);
	else if (err.code == ERR_CONFLICT)
		connect_to_owner(link);
	else
		attach_failed(link, &err);
}

void mcp_link_attach(struct mcp_link *link, int64_t delay_ms)
{
	if (link->state == MCP_LINK_IDLE)
		attach_begin(link, delay_ms);
}

/* ---- Calling ---- */

static struct call *call_new(struct mcp_link *link, struct str request)
{
	struct call *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->link = link;
	net_timer_init(&c->deadline, link->loop, call_due, c);
	c->request = buf_make(LIMIT_FRAME - FRAME_HEAD);
	buf_add(&c->request, request);
	if (c->request.failed) {
		call_free(c);
		return NULL;
	}
	c->number = ++link->last_number;
	struct call **at = &link->calls;
	while (*at != NULL)
		at = &(*at)->next;
	*at = c;
	return c;
}

/* Brings a waiting call on its way as far as the state allows. */
static void start_call(struct mcp_link *link, struct call *c)
{
	switch (link->state) {
	case MCP_LINK_IDLE:
		attach_begin(link, 0);
		return;
	case MCP_LINK_ATTACHING: /* perhaps in 200 ms: now, unless a hello is awaited */
		if (link->upstream == NULL)
			net_timer_start(&link->attach, 0);
		return;
	case MCP_LINK_OWNER:
	case MCP_LINK_RELAY:
		send_call(link, c);
		return;
	case MCP_LINK_CLOSED:
	case MCP_LINK_STATE_COUNT:
		break;
	}
	assert(false);
}

int64_t mcp__link_call_within(struct mcp_link *link, struct str request, int64_t deadline_ms,
                              mcp_answer_fn *answer, void *data)
{
	struct call *c = call_new(link, request);

	if (c == NULL)
		return 0;
	c->answer = answer;
	c->data = data;
	c->refused = link->closed != NULL || link->state == MCP_LINK_CLOSED;
	if (c->refused)
		net_timer_start(&c->deadline, 0);
	else if (deadline_ms > 0)
		net_timer_start(&c->deadline, deadline_ms);
	if (!c->refused)
		start_call(link, c);
	return c->number;
}

int64_t mcp_link_call(struct mcp_link *link, struct str request, mcp_answer_fn *answer, void *data)
{
	return mcp__link_call_within(link, request, CALL_MS, answer, data);
}

static void cancel_sent(struct mcp_link *link, int64_t number)
{
	OWN_BUF struct buf frame = buf_make(FRAME_HEAD);

	if (link->state == MCP_LINK_OWNER) {
		mcp__owner_cancel(link->owner, number);
	} else if (link->state == MCP_LINK_RELAY) {
		mcp__frame_put(&frame, number, STR(""));
		net_local_send(link->upstream, buf_str(&frame));
	}
}

void mcp_link_forget(struct mcp_link *link, int64_t call)
{
	struct call *c = call_take(link, call);

	if (c == NULL)
		return;
	if (c->sent)
		cancel_sent(link, call);
	call_free(c);
}

/* ---- Life ---- */

/* Lets go of the store, in the order in which another process may take it: first the books are
 * closed, then the socket goes, then the lock. */
static void let_go(struct mcp_link *link)
{
	net_timer_stop(&link->attach);
	net_timer_stop(&link->drain);
	hang_up(link);
	if (link->state == MCP_LINK_OWNER) {
		mcp__owner_cut(link->owner);
		link->hooks.close(link->hooks.data);
		mcp__owner_free(link->owner);
		link->owner = NULL;
		store_lock_free(link->lock);
		link->lock = NULL;
	}
	if (link->state != MCP_LINK_CLOSED)
		move(link, MCP_LINK_CLOSED);
}

static bool drained(const struct mcp_link *link)
{
	if (link->calls != NULL)
		return false;
	return link->state != MCP_LINK_OWNER ||
	       (mcp__owner_running(link->owner) == 0 && link->hooks.idle(link->hooks.data));
}

static void drain_due(void *data)
{
	struct mcp_link *link = data;

	if (!drained(link)) {
		net_timer_start(&link->drain, DRAIN_POLL_MS);
		return;
	}
	let_go(link);
	link->closed(link->closed_data);
}

void mcp_link_close(struct mcp_link *link, void (*closed)(void *data), void *data)
{
	assert(link->closed == NULL && link->state != MCP_LINK_CLOSED);
	link->closed = closed;
	link->closed_data = data;
	if (link->state == MCP_LINK_OWNER)
		link->hooks.drain(link->hooks.data);
	net_timer_start(&link->drain, 0);
}

struct mcp_link *mcp_link_new(struct net_loop *loop, const char *db, const struct mcp_owner *owner,
                              struct err *err)
{
	struct mcp_link *link = calloc(1, sizeof(*link));
	OWN_BUF struct buf path = buf_make(LIMIT_HTTP_LINE);

	if (link == NULL) {
		(void)err_no_memory(err);
		return NULL;
	}
	link->loop = loop;
	link->hooks = *owner;
	net_timer_init(&link->attach, loop, attach_due, link);
	net_timer_init(&link->drain, loop, drain_due, link);
	buf_add_z(&path, db);
	buf_add_z(&path, ".sock");
	link->db = str_dup(str_of(db));
	link->socket_path = buf_steal(&path);
	if (link->db == NULL || link->socket_path == NULL) {
		mcp_link_free(link);
		(void)err_no_memory(err);
		return NULL;
	}
	return link;
}

void mcp_link_free(struct mcp_link *link)
{
	if (link == NULL)
		return;
	let_go(link);
	while (link->calls != NULL) {
		struct call *c = link->calls;
		link->calls = c->next;
		call_free(c);
	}
	free(link->db);
	free(link->socket_path);
	free(link);
}
