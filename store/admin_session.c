/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's sessions at the admin panel. Each remembers which admin token opened it, as a
 * keyed hash, so that a changed token ends them all. Whether a token is the right one is not asked
 * here: the store does not know the settings. */
#include "store/office.h"

#include "base/limits.h"
#include "store/internal.h"

static bool drop_expired(struct store *st, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "DELETE FROM admin_session WHERE expires_ms <= ?1");

	store__bind_i64(&q, 1, store__now(st));
	return store__run(&q, err);
}

static bool insert(struct store *st, struct str admin_token, struct str token, int64_t expires_ms,
                   struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "INSERT INTO admin_session (hash, token, created_ms, expires_ms)"
	                         " VALUES (?1, ?2, ?3, ?4)");
	struct hash hash = secret_hash(&st->pepper, token);
	struct hash opener = secret_hash(&st->pepper, admin_token);

	store__bind_hash(&q, 1, &hash);
	store__bind_hash(&q, 2, &opener);
	store__bind_i64(&q, 3, store__now(st));
	store__bind_i64(&q, 4, expires_ms);
	return store__run(&q, err);
}

bool store_admin_session_create(struct store *st, struct str admin_token, struct secret *token,
                                int64_t *expires_ms, struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	OWN_SECRET struct secret made = { 0 };
	int64_t expires = store__now(st) + (int64_t)LIMIT_SESSION_MS;

	secret_token(st->env, &made);
	if (!store__tx_begin(&tx, st, err) || !drop_expired(st, err) ||
	    !insert(st, admin_token, secret_str(&made), expires, err) ||
	    !store_audit_note(
		    st,
		    &(struct store_audit){ .what = STR("admin.sign_in"), .subject = STR("admin") },
		    err) ||
	    !store__tx_commit(&tx, err))
		return false;
	*token = made;
	*expires_ms = expires;
	return true;
}

bool store_admin_session_find(struct store *st, struct str token, struct str admin_token,
                              int64_t *expires_ms, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT expires_ms FROM admin_session"
	                         " WHERE hash = ?1 AND token = ?2 AND expires_ms > ?3");
	struct hash hash = secret_hash(&st->pepper, token);
	struct hash opener = secret_hash(&st->pepper, admin_token);
	bool row;

	store__bind_hash(&q, 1, &hash);
	store__bind_hash(&q, 2, &opener);
	store__bind_i64(&q, 3, store__now(st));
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_UNAUTHORIZED,
		               "the session is unknown or over: sign in again");
	*expires_ms = store__col_i64(&q, 0);
	return true;
}

bool store_admin_session_end(struct store *st, struct str token, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "DELETE FROM admin_session WHERE hash = ?1");
	struct hash hash = secret_hash(&st->pepper, token);

	store__bind_hash(&q, 1, &hash);
	return store__run(&q, err);
}
