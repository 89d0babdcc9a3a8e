/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of all three kinds: making, showing, rotating, revoking. The text of a key exists in the
 * answer that made it and nowhere else; the database has its public lookup part and a keyed hash.
 * A key that dies is dead in memory before the caller hears of it, by the effect that its
 * transaction queues. */
#include "store/store.h"

#include "base/limits.h"
#include "store/office.h"
#include "store/shop.h"

#define MODELS_TEXT_MAX \
	((size_t)LIMIT_ALLOWED_MODELS * (LIMIT_MODEL_ID * 6 + 4)) /* all of it escaped */

/* ---- Reading ---- */

#define KEY_COLUMNS                                                                        \
	"SELECT k.public_id, a.public_id, s.public_id, k.kind, k.label, k.lookup, "        \
	"k.spend_limit, k.spent + k.carried, k.expires_ms, k.requests_per_minute, "        \
	"k.max_concurrent, k.allowed_models, k.created_ms, k.last_used_ms, k.revoked_ms, " \
	"k.id, k.account, k.service, k.lower_output, a.frozen_ms "                         \
	"FROM api_key k JOIN account a ON a.id = k.account "                               \
	"LEFT JOIN service s ON s.id = k.service "

struct key_rows {
	int64_t key, account, service;
};

bool store__key_kind_parse(struct str name, enum key_kind *out)
{
	for (int kind = 0; kind < KEY_KIND_COUNT; kind++) {
		if (str_eq(name, str_of(key_kind_name((enum key_kind)kind)))) {
			*out = (enum key_kind)kind;
			return true;
		}
	}
	return false;
}

/* `out->allowed_models` is the row's and lives until the next step. */
static bool key_columns(const struct store_query *q, struct store_key_info *out,
                        struct key_rows *rows, struct err *err)
{
	*out = (struct store_key_info){
		.id = store__col_id(q, 0),
		.account = store__col_id(q, 1),
		.service = store__col_id(q, 2),
		.spend_limit = store__col_money(q, 6),
		.spent = store__col_money(q, 7),
		.expires_ms = store__col_i64(q, 8),
		.requests_per_minute = store__col_i64(q, 9),
		.max_concurrent = store__col_i64(q, 10),
		.allowed_models = store__col_str(q, 11),
		.created_ms = store__col_i64(q, 12),
		.last_used_ms = store__col_i64(q, 13),
		.revoked_ms = store__col_i64(q, 14),
		.revoked = store__col_i64(q, 14) != 0,
		.lower_output = store__col_i64(q, 18) != 0,
		.frozen = store__col_i64(q, 19) != 0,
	};
	store__col_text(q, 4, out->label, sizeof(out->label));
	store__col_text(q, 5, out->lookup, sizeof(out->lookup));
	*rows = (struct key_rows){ store__col_i64(q, 15), store__col_i64(q, 16),
		                   store__col_i64(q, 17) };
	if (!store__key_kind_parse(store__col_str(q, 3), &out->kind))
		return err_set(err, ERR_STORAGE, "key '%s' cannot be read", out->id.text);
	return true;
}

/* Keeps the list of models beyond the row that it came in. */
static bool keep_models(struct store *st, struct store_key_info *info, struct err *err)
{
	if (!info->allowed_models.p)
		return true;
	if (st->told_models.max == 0)
		st->told_models = buf_make(MODELS_TEXT_MAX);
	buf_reset(&st->told_models);
	buf_add(&st->told_models, info->allowed_models);
	if (!buf_ok(&st->told_models, "a list of models", err))
		return false;
	info->allowed_models = buf_str(&st->told_models);
	return true;
}

bool store__key_load(struct store *st, int64_t key, struct store_key_info *out, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(st, KEY_COLUMNS "WHERE k.id = ?1");
	struct key_rows rows;
	bool row;

	store__bind_i64(&q, 1, key);
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_INTERNAL, "a key went missing");
	return key_columns(&q, out, &rows, err) && keep_models(st, out, err);
}

static bool find_any(struct store *st, const struct id *account, struct str id,
                     struct store_key_info *out, struct key_rows *rows, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, KEY_COLUMNS "WHERE k.public_id = ?1"
	                                     " AND (?2 IS NULL OR a.public_id = ?2)");
	bool row;

	store__bind_str(&q, 1, id);
	store__bind_str(&q, 2, account ? id_str(account) : (struct str){ 0 });
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "there is no key '%.*s'", STR_ARG(id));
	return key_columns(&q, out, rows, err) && keep_models(st, out, err);
}

bool store_key_find(struct store *st, const struct id *account, struct str key_id,
                    struct store_key_info *out, struct err *err)
{
	struct key_rows rows;

	return find_any(st, account, key_id, out, &rows, err);
}

/* A key that is to be changed; `account` NULL: by the operator. */
static bool find_key(struct store *st, const struct id *account, struct str id,
                     struct store_key_info *out, struct key_rows *rows, struct err *err)
{
	if (!find_any(st, account, id, out, rows, err))
		return false;
	if (account && out->kind == KEY_PURCHASE)
		return err_set(err, ERR_FORBIDDEN,
		               "'%.*s' is a purchase key, which only the operator can change: "
		               "agent-store key rotate or revoke",
		               STR_ARG(id));
	return true;
}

bool store_key_each(struct store *st, const struct id *account, struct str service_id,
                    store_key_fn *fn, void *data, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, KEY_COLUMNS "WHERE a.public_id = ?1"
	                                     " AND (?2 IS NULL OR s.public_id = ?2)"
	                                     " ORDER BY k.id");
	struct store_service service;
	struct store_key_info info;
	struct key_rows rows;
	bool row;

	if (service_id.p && !store_service_find(st, account, service_id, &service, err))
		return false;
	store__bind_id(&q, 1, account);
	store__bind_str(&q, 2, service_id);
	for (;;) {
		if (!store__step(&q, &row, err))
			return false;
		if (!row)
			return true;
		if (!key_columns(&q, &info, &rows, err))
			return false;
		fn(data, &info);
	}
}

bool store_key_search(struct store *st, struct str q, size_t limit, store_key_fn *fn, void *data,
                      struct err *err)
{
	OWN_QUERY struct store_query query = store__query(
		st, KEY_COLUMNS "WHERE ?1 IS NULL OR instr(lower(k.public_id || ' ' || k.lookup ||"
				" ' ' || k.label || ' ' || a.name), lower(?1)) > 0"
				" ORDER BY k.id DESC LIMIT ?2");
	struct store_key_info info;
	struct key_rows rows;
	bool row;

	store__bind_str(&query, 1, q);
	store__bind_i64(&query, 2, (int64_t)limit);
	for (;;) {
		if (!store__step(&query, &row, err))
			return false;
		if (!row)
			return true;
		if (!key_columns(&query, &info, &rows, err))
			return false;
		fn(data, &info);
	}
}

/* ---- Recognising ---- */

#define USED_STEP_MS 60000 /* how exact last_used_ms is: not every use is worth a write */

static bool note_use(struct store *st, int64_t key, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "UPDATE api_key SET last_used_ms = ?2 WHERE id = ?1");

	store__bind_i64(&q, 1, key);
	store__bind_i64(&q, 2, store__now(st));
	return store__run(&q, err);
}

/* `*live` tells whether the row of this lookup text has this hash and still counts. */
static bool match_key(struct store *st, struct str lookup, const struct hash *hash,
                      struct store__key_owner *out, bool *live, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT k.id, k.account, a.public_id, k.hash, k.revoked_ms, k.expires_ms,"
		    " k.last_used_ms, k.kind, a.frozen_ms"
		    " FROM api_key k JOIN account a ON a.id = k.account WHERE k.lookup = ?1");
	int64_t now = store__now(st), used;
	struct hash stored;

	store__bind_str(&q, 1, lookup);
	if (!store__step(&q, live, err))
		return false;
	if (!*live)
		return true;
	*out = (struct store__key_owner){ .row = store__col_i64(&q, 0),
		                          .account = store__col_i64(&q, 1),
		                          .account_id = store__col_id(&q, 2),
		                          .expires_ms = store__col_i64(&q, 5),
		                          .frozen = store__col_i64(&q, 8) != 0 };
	stored = store__col_hash(&q, 3);
	used = store__col_i64(&q, 6);
	*live = hash_eq(&stored, hash) && store__col_i64(&q, 4) == 0 &&
	        (out->expires_ms == 0 || now < out->expires_ms) &&
	        store__key_kind_parse(store__col_str(&q, 7), &out->kind);
	return !*live || out->frozen || now - used < USED_STEP_MS || note_use(st, out->row, err);
}

bool store__key_identify(struct store *st, struct str text, struct store__key_owner *out,
                         struct err *err)
{
	struct store__key_owner owner;
	enum key_kind kind;
	struct hash hash;
	struct str lookup;
	bool live = false;

	if (key_parse(text, &kind, &lookup)) {
		hash = secret_hash(&st->pepper, text);
		if (!match_key(st, lookup, &hash, &owner, &live, err))
			return false;
	}
	if (!live)
		return err_set(err, ERR_UNAUTHORIZED,
		               "the key is unknown, expired or revoked: check that it is complete, "
		               "or have the operator make a new one");
	if (owner.frozen)
		return err_set(err, ERR_UNAUTHORIZED,
		               "the account of this key is frozen: its keys do not work until the "
		               "operator lifts that");
	*out = owner;
	return true;
}

/* ---- Making ---- */

static bool insert_key(struct store *st, const struct store__key_spec *spec, const struct id *id,
                       struct str lookup, const struct hash *hash, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "INSERT INTO api_key (public_id, account, service, kind, label, lookup, hash,"
		    " spend_limit, expires_ms, requests_per_minute, max_concurrent,"
		    " allowed_models, carried, created_ms, lower_output)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");

	store__bind_id(&q, 1, id);
	store__bind_i64(&q, 2, spec->account);
	if (spec->service != 0)
		store__bind_i64(&q, 3, spec->service);
	else
		store__bind_null(&q, 3);
	store__bind_z(&q, 4, key_kind_name(spec->kind));
	store__bind_str(&q, 5, spec->label);
	store__bind_str(&q, 6, lookup);
	store__bind_hash(&q, 7, hash);
	store__bind_money(&q, 8, spec->limits.spend_limit);
	store__bind_i64(&q, 9, spec->limits.expires_ms);
	store__bind_i64(&q, 10, spec->limits.requests_per_minute);
	store__bind_i64(&q, 11, spec->limits.max_concurrent);
	store__bind_str(&q, 12, spec->allowed_models);
	store__bind_money(&q, 13, spec->carried);
	store__bind_i64(&q, 14, store__now(st));
	store__bind_i64(&q, 15, spec->limits.lower_output ? 1 : 0);
	return store__run(&q, err);
}

static bool find_account_id(struct store *st, int64_t account, struct id *out, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT public_id FROM account WHERE id = ?1");
	bool row;

	store__bind_i64(&q, 1, account);
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_INTERNAL, "an account went missing");
	*out = store__col_id(&q, 0);
	return true;
}

bool store__key_create(struct store *st, const struct store__key_spec *spec, struct secret *secret,
                       int64_t *row, struct err *err)
{
	struct store_key_row live = { .account = spec->account,
		                      .service = spec->service,
		                      .id = id_make(st->env, ID_ROUTER_KEY),
		                      .kind = spec->kind,
		                      .limits = spec->limits,
		                      .allowed_models = spec->allowed_models,
		                      .spent = spec->carried };
	enum key_kind kind;

	key_make(st->env, spec->kind, secret);
	if (!key_parse(secret_str(secret), &kind, &live.lookup))
		return err_set(err, ERR_INTERNAL, "a new key cannot be read");
	live.hash = secret_hash(&st->pepper, secret_str(secret));
	if (!insert_key(st, spec, &live.id, live.lookup, &live.hash, err))
		return false;
	live.key = store__last_id(st);
	*row = live.key;
	if (spec->kind == KEY_PURCHASE)
		return true;
	return find_account_id(st, spec->account, &live.account_id, err) &&
	       store__live_key_new(st, &live, err);
}

/* NOLINTNEXTLINE(readability-function-size): the public header's shape */
bool store_router_key_create(struct store *st, const struct id *account, struct str service_id,
                             struct str label, const struct store_key_limits *limits,
                             struct store_key_info *out, struct secret *secret, struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	OWN_SECRET struct secret made = { 0 };
	OWN_BUF struct buf models = buf_make(MODELS_TEXT_MAX);
	struct store__key_spec spec = { .kind = KEY_ROUTER, .label = label, .limits = *limits };
	struct store__account_row owner;
	struct store__service_row service;
	struct store_key_info info;
	int64_t key;

	if (!store__check_name("label", label, LIMIT_LABEL, err) ||
	    !store__key_limits_check(st, limits, &models, err) || !store__tx_begin(&tx, st, err) ||
	    !store__account_load(st, account, &owner, err) ||
	    !store__service_load(st, owner.row, service_id, &service, err))
		return false;
	spec.account = owner.row;
	spec.service = service.row;
	if (limits->allowed_models)
		spec.allowed_models = buf_str(&models);
	if (!store__key_create(st, &spec, &made, &key, err) ||
	    !store__key_load(st, key, &info, err) ||
	    !store__audit_key(st, "key.create", account, NULL, &info, err) ||
	    !store__tx_commit(&tx, err))
		return false;
	*out = info;
	*secret = made;
	return true;
}

/* ---- Ending ---- */

bool store__key_kill(struct store *st, int64_t row, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(st, "UPDATE api_key SET revoked_ms = ?2"
	                                                  " WHERE id = ?1 AND revoked_ms = 0");

	store__bind_i64(&q, 1, row);
	store__bind_i64(&q, 2, store__now(st));
	return store__run_one(&q, ERR_INTERNAL, "a live key went missing", err) &&
	       store__live_key_dead(st, row, err);
}

/* Whoever signed in with a key that is revoked or replaced is signed out. */
static bool end_sessions(struct store *st, int64_t key, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(st, "DELETE FROM session WHERE key = ?1");

	store__bind_i64(&q, 1, key);
	return store__run(&q, err);
}

static bool check_rotatable(struct store *st, const struct store_key_info *old, struct err *err)
{
	if (old->revoked)
		return err_set(err, ERR_CONFLICT, "key '%s' is revoked: create a new one",
		               old->id.text);
	if (old->expires_ms != 0 && old->expires_ms <= store__now(st))
		return err_set(err, ERR_CONFLICT, "key '%s' has expired: create a new one",
		               old->id.text);
	return true;
}

static struct store__key_spec spec_of(const struct store_key_info *old, const struct key_rows *rows)
{
	return (struct store__key_spec){
		.account = rows->account,
		.service = rows->service,
		.kind = old->kind,
		.label = str_of(old->label),
		.limits = { .spend_limit = old->spend_limit,
		            .expires_ms = old->expires_ms,
		            .requests_per_minute = old->requests_per_minute,
		            .max_concurrent = old->max_concurrent,
		            .lower_output = old->lower_output },
		.allowed_models = old->allowed_models,
		.carried = old->spent,
	};
}

bool store_key_rotate(struct store *st, const struct id *account, struct str key_id,
                      struct store_key_info *out, struct secret *secret, struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	OWN_SECRET struct secret made = { 0 };
	struct store_key_info old, info;
	struct store__key_spec spec;
	struct key_rows rows;
	int64_t key;

	if (!store__tx_begin(&tx, st, err) || !find_key(st, account, key_id, &old, &rows, err) ||
	    !check_rotatable(st, &old, err))
		return false;
	spec = spec_of(&old, &rows);
	if (!store__key_kill(st, rows.key, err) || !end_sessions(st, rows.key, err) ||
	    !store__key_create(st, &spec, &made, &key, err) ||
	    !store__key_load(st, key, &info, err) ||
	    !store__audit_key(st, "key.rotate", account, &old, &info, err) ||
	    !store__tx_commit(&tx, err))
		return false;
	*out = info;
	*secret = made;
	return true;
}

bool store_key_revoke(struct store *st, const struct id *account, struct str key_id,
                      struct store_key_info *out, struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	struct store_key_info old, info;
	struct key_rows rows;

	if (!store__tx_begin(&tx, st, err) || !find_key(st, account, key_id, &old, &rows, err))
		return false;
	info = old;
	if (!old.revoked &&
	    (!store__key_kill(st, rows.key, err) || !end_sessions(st, rows.key, err) ||
	     !store__key_load(st, rows.key, &info, err) ||
	     !store__audit_key(st, "key.revoke", account, &old, &info, err)))
		return false;
	if (!store__tx_commit(&tx, err))
		return false;
	*out = info;
	return true;
}
