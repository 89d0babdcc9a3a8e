/* SPDX-License-Identifier: Apache-2.0 */
/* Who changed what, and what it was before. Written by the functions that make the changes, in
 * their transactions, so that no caller can forget it; triggers refuse to change a row later. */
#include "store/office.h"

#include "store/shop.h"

#define NOTE_MAX 8192 /* bytes of one side */

void store_act_as(struct store *st, const char *who)
{
	st->acting = who;
}

static struct str acting(const struct store *st)
{
	return st->acting != NULL ? str_of(st->acting) : STR("operator");
}

/* ---- Writing ---- */

static bool insert(struct store *st, const struct store_audit *entry, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "INSERT INTO audit (created_ms, who, what, subject, before, after)"
	                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

	store__bind_i64(&q, 1, store__now(st));
	store__bind_str(&q, 2, entry->who);
	store__bind_str(&q, 3, entry->what);
	store__bind_str(&q, 4, entry->subject);
	store__bind_str(&q, 5, entry->before);
	store__bind_str(&q, 6, entry->after);
	return store__run(&q, err);
}

static bool text_of(const struct json_out *o, struct str *out, struct err *err)
{
	if (o == NULL)
		return true;
	*out = buf_str(&o->text);
	return json_out_ok(o, err);
}

bool store__audit(struct store *st, const struct store__change *change, struct err *err)
{
	struct store_audit entry = {
		.who = change->buyer != NULL ? id_str(change->buyer) : acting(st),
		.what = str_of(change->what),
		.subject = change->subject,
	};

	return text_of(change->before, &entry.before, err) &&
	       text_of(change->after, &entry.after, err) && insert(st, &entry, err);
}

bool store_audit_note(struct store *st, const struct store_audit *entry, struct err *err)
{
	struct store_audit noted = *entry;

	if (noted.who.p == NULL)
		noted.who = acting(st);
	return insert(st, &noted, err);
}

/* ---- Keys ---- */

static void put_key(struct json_out *o, const struct store_key_info *key)
{
	json_put_object(o, NULL);
	json_put_str(o, "id", id_str(&key->id));
	json_put_str(o, "accountId", id_str(&key->account));
	json_put_z(o, "kind", key_kind_name(key->kind));
	json_put_z(o, "label", key->label);
	json_put_z(o, "lookup", key->lookup);
	json_put_bool(o, "revoked", key->revoked);
	if (!money_is_negative(key->spend_limit))
		json_put_usd(o, "spendLimitUsd", key->spend_limit);
	json_put_end(o, '}');
}

/* NOLINTNEXTLINE(readability-function-size): two keys, and who did what */
bool store__audit_key(struct store *st, const char *what, const struct id *buyer,
                      const struct store_key_info *old, const struct store_key_info *now,
                      struct err *err)
{
	OWN_JSON_OUT struct json_out before = json_out_make(NOTE_MAX);
	OWN_JSON_OUT struct json_out after = json_out_make(NOTE_MAX);
	struct store__change change = {
		.what = what,
		.buyer = buyer,
		.subject = id_str(old != NULL ? &old->id : &now->id),
	};

	if (old != NULL) {
		put_key(&before, old);
		change.before = &before;
	}
	if (now != NULL) {
		put_key(&after, now);
		change.after = &after;
	}
	return store__audit(st, &change, err);
}

/* ---- Reading ---- */

/* NOLINTNEXTLINE(readability-function-size): the public header's shape */
bool store_audit_each(struct store *st, struct str subject, int64_t below, size_t limit,
                      store_audit_fn *fn, void *data, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT id, created_ms, who, what, subject, before, after FROM audit"
		    " WHERE (?1 IS NULL OR subject = ?1) AND (?2 = 0 OR id < ?2)"
		    " ORDER BY id DESC LIMIT ?3");
	bool row;

	store__bind_str(&q, 1, subject);
	store__bind_i64(&q, 2, below);
	store__bind_i64(&q, 3, (int64_t)limit);
	while (store__step(&q, &row, err)) {
		if (!row)
			return true;
		struct store_audit entry = {
			.id = store__col_i64(&q, 0),
			.created_ms = store__col_i64(&q, 1),
			.who = store__col_str(&q, 2),
			.what = store__col_str(&q, 3),
			.subject = store__col_str(&q, 4),
			.before = store__col_str(&q, 5),
			.after = store__col_str(&q, 6),
		};
		fn(data, &entry);
	}
	return false;
}
