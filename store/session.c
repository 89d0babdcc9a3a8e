/* SPDX-License-Identifier: Apache-2.0 */
/* Buyer sessions, and the route key that they may replace. A session ends with the key that signed
 * it in, with one exception that was promised: replacing the route key from within a session leaves
 * the sessions alone. */
#include "store/store.h"

#include "base/limits.h"
#include "store/office.h"
#include "store/shop.h"

static bool drop_expired(struct store *st, int64_t now, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "DELETE FROM session WHERE expires_ms <= ?1");

	store__bind_i64(&q, 1, now);
	return store__run(&q, err);
}

static bool insert_session(struct store *st, const struct store__key_owner *owner,
                           const struct hash *hash, int64_t expires_ms, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "INSERT INTO session (hash, account, key, created_ms, expires_ms)"
	                         " VALUES (?1, ?2, ?3, ?4, ?5)");

	store__bind_hash(&q, 1, hash);
	store__bind_i64(&q, 2, owner->account);
	store__bind_i64(&q, 3, owner->row);
	store__bind_i64(&q, 4, store__now(st));
	store__bind_i64(&q, 5, expires_ms);
	return store__run(&q, err);
}

bool store_session_create(struct store *st, struct str key_text, struct store_session *out,
                          struct secret *token, struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	OWN_SECRET struct secret made = { 0 };
	int64_t now = store__now(st), expires = now + (int64_t)LIMIT_SESSION_MS;
	struct store__key_owner owner;
	struct store_session session;
	struct hash hash;

	if (!store__tx_begin(&tx, st, err) || !store__key_identify(st, key_text, &owner, err) ||
	    !drop_expired(st, now, err))
		return false;
	if (owner.expires_ms != 0 && owner.expires_ms < expires)
		expires = owner.expires_ms;
	secret_token(st->env, &made);
	hash = secret_hash(&st->pepper, secret_str(&made));
	if (!insert_session(st, &owner, &hash, expires, err) ||
	    !store_session_find(st, secret_str(&made), &session, err) ||
	    !store__tx_commit(&tx, err))
		return false;
	*out = session;
	*token = made;
	return true;
}

bool store_session_find(struct store *st, struct str token, struct store_session *out,
                        struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT a.public_id, s.expires_ms, k.kind, v.public_id FROM session s"
		    " JOIN account a ON a.id = s.account JOIN api_key k ON k.id = s.key"
		    " LEFT JOIN service v ON v.id = k.service"
		    " WHERE s.hash = ?1 AND s.expires_ms > ?2");
	struct hash hash = secret_hash(&st->pepper, token);
	struct store_session found;
	bool row;

	store__bind_hash(&q, 1, &hash);
	store__bind_i64(&q, 2, store__now(st));
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_UNAUTHORIZED,
		               "the session is unknown or over: sign in again");
	found = (struct store_session){ .account = store__col_id(&q, 0),
		                        .expires_ms = store__col_i64(&q, 1),
		                        .service = store__col_id(&q, 3) };
	if (!store__key_kind_parse(store__col_str(&q, 2), &found.kind))
		return err_set(err, ERR_STORAGE, "a session's key cannot be read");
	*out = found;
	return true;
}

bool store_session_end(struct store *st, struct str token, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(st, "DELETE FROM session WHERE hash = ?1");
	struct hash hash = secret_hash(&st->pepper, token);

	store__bind_hash(&q, 1, &hash);
	return store__run(&q, err);
}

/* ---- The route key ---- */

static bool kill_route_key(struct store *st, int64_t account, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT id FROM api_key"
	                         " WHERE account = ?1 AND kind = 'route' AND revoked_ms = 0");
	bool row;

	store__bind_i64(&q, 1, account);
	for (;;) {
		if (!store__step(&q, &row, err))
			return false;
		if (!row)
			return true;
		if (!store__key_kill(st, store__col_i64(&q, 0), err))
			return false;
	}
}

bool store_route_key_rotate(struct store *st, const struct id *account, struct secret *secret,
                            struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	OWN_SECRET struct secret made = { 0 };
	struct store__key_spec spec = {
		.kind = KEY_ROUTE,
		.label = STR_INIT("route key"),
		.limits = { .spend_limit = money_of_micros(-1) },
	};
	struct store__account_row owner;
	struct store_key_info info;
	int64_t key;

	if (!store__tx_begin(&tx, st, err) || !store__account_load(st, account, &owner, err))
		return false;
	spec.account = owner.row;
	if (!kill_route_key(st, owner.row, err) ||
	    !store__key_create(st, &spec, &made, &key, err) ||
	    !store__key_load(st, key, &info, err) ||
	    !store__audit_key(st, "key.rotate", account, NULL, &info, err) ||
	    !store__tx_commit(&tx, err))
		return false;
	*secret = made;
	return true;
}
