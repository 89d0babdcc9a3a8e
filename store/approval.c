/* SPDX-License-Identifier: Apache-2.0 */
/* Consent of people to purchases. A question has an id that only its asker knows; consent to it is
 * good once, for the very purchase that was asked about, and the purchase uses it up in its own
 * transaction. A no is remembered for a while, so that an agent that repeats itself does not make a
 * person repeat it. */
#include "store/store.h"

#include <string.h>

#include "base/limits.h"
#include "store/shop.h"

#define DAY_MS INT64_C(86400000)

/*   open ── consent, with the purchase ──> granted
 *     ├──── no ──> declined
 *     └──── no answer ──> cancelled           An open one that is too old is as good as none. */

/* ---- Asking ---- */

/* The newest no to the same key, or to the same purchase under another key. */
static bool find_refusal(struct store *st, const struct store__question *about, int64_t *decided_ms,
                         bool *cancelled, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT decided_ms, state = 'cancelled' FROM approval"
	                         " WHERE account = ?1 AND created_ms > ?2 AND decided_ms > ?3"
	                         " AND state IN ('declined', 'cancelled')"
	                         " AND (key = ?4 OR arguments = ?5)"
	                         " ORDER BY decided_ms DESC LIMIT 1");
	int64_t now = store__now(st);
	bool row;

	store__bind_i64(&q, 1, about->account);
	store__bind_i64(&q, 2, now - (int64_t)LIMIT_REFUSAL_MS - (int64_t)LIMIT_APPROVAL_MS);
	store__bind_i64(&q, 3, now - (int64_t)LIMIT_REFUSAL_MS);
	store__bind_str(&q, 4, about->key);
	store__bind_hash(&q, 5, &about->arguments);
	if (!store__step(&q, &row, err))
		return false;
	*decided_ms = row ? store__col_i64(&q, 0) : 0;
	*cancelled = row && store__col_i64(&q, 1) != 0;
	return true;
}

bool store__approval_check(struct store *st, const struct store__question *about, struct err *err)
{
	char until[TIME_TEXT_MAX];
	int64_t decided_ms;
	bool cancelled;

	if (!find_refusal(st, about, &decided_ms, &cancelled, err))
		return false;
	if (decided_ms == 0)
		return true;
	time_format(decided_ms + (int64_t)LIMIT_REFUSAL_MS, until);
	return err_set(
		err, ERR_POLICY_REFUSED,
		"the user %s when asked to approve this purchase; nothing was bought. Do not "
		"try to buy it another way: say so, and go on without it. Nobody is asked "
		"about it again before %s",
		cancelled ? "gave no answer" : "declined", until);
}

/* Nothing that is older can be consented to or is remembered. */
static bool forget_old(struct store *st, int64_t account, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "DELETE FROM approval WHERE account = ?1 AND created_ms < ?2"
	                         " AND state <> 'granted'");

	store__bind_i64(&q, 1, account);
	store__bind_i64(&q, 2, store__now(st) - DAY_MS);
	return store__run(&q, err);
}

static bool insert(struct store *st, const struct store__question *about,
                   const struct store_approval *approval, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "INSERT INTO approval (public_id, account, key, arguments,"
	                         " total_cents, state, created_ms, expires_ms)"
	                         " VALUES (?1, ?2, ?3, ?4, ?5, 'open', ?6, ?7)");

	store__bind_id(&q, 1, &approval->id);
	store__bind_i64(&q, 2, about->account);
	store__bind_str(&q, 3, about->key);
	store__bind_hash(&q, 4, &about->arguments);
	store__bind_i64(&q, 5, about->total_cents);
	store__bind_i64(&q, 6, store__now(st));
	store__bind_i64(&q, 7, approval->expires_ms);
	return store__run(&q, err);
}

static bool read_question(struct store *st, const struct id *account,
                          const struct store_purchase_request *request,
                          struct store__question *about, struct store__offer *offer,
                          struct err *err)
{
	struct store__account_row buyer;
	int64_t quote;

	if (!store__account_load(st, account, &buyer, err) ||
	    !store__request_price(st, buyer.row, request, &quote, offer, err) ||
	    !store__request_hash(request, &about->arguments, err))
		return false;
	about->account = buyer.row;
	about->key = request->idempotency_key;
	about->total_cents = offer->total_cents;
	return true;
}

bool store_approval_open(struct store *st, const struct id *account,
                         const struct store_purchase_request *request, struct store_approval *out,
                         struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	struct store__question about = { 0 };
	struct store__offer offer;
	struct store_approval approval = { 0 };

	if (!store__tx_begin(&tx, st, err) ||
	    !read_question(st, account, request, &about, &offer, err) ||
	    !store__approval_check(st, &about, err) || !forget_old(st, about.account, err))
		return false;
	approval.id = id_make(st->env, ID_APPROVAL);
	approval.total_cents = offer.total_cents;
	approval.expires_ms = store__now(st) + (int64_t)LIMIT_APPROVAL_MS;
	memcpy(approval.display_name, offer.display_name, sizeof(approval.display_name));
	if (!insert(st, &about, &approval, err) || !store__tx_commit(&tx, err))
		return false;
	*out = approval;
	return true;
}

/* ---- Answers ---- */

bool store_approval_refuse(struct store *st, const struct id *account, struct str id,
                           bool cancelled, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "UPDATE approval SET state = ?1, decided_ms = ?2 WHERE public_id = ?3"
		    " AND account = (SELECT id FROM account WHERE public_id = ?4)"
		    " AND state = 'open'");

	store__bind_z(&q, 1, cancelled ? "cancelled" : "declined");
	store__bind_i64(&q, 2, store__now(st));
	store__bind_str(&q, 3, id);
	store__bind_id(&q, 4, account);
	return store__run(&q, err);
}

bool store__approval_use(struct store *st, struct str approval, const struct store__question *about,
                         int64_t *row, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "UPDATE approval SET state = 'granted', decided_ms = ?1"
	                         " WHERE public_id = ?2 AND account = ?3 AND key = ?4"
	                         " AND arguments = ?5 AND total_cents >= ?6"
	                         " AND state = 'open' AND expires_ms > ?1 RETURNING id");
	bool found;

	store__bind_i64(&q, 1, store__now(st));
	store__bind_str(&q, 2, approval);
	store__bind_i64(&q, 3, about->account);
	store__bind_str(&q, 4, about->key);
	store__bind_hash(&q, 5, &about->arguments);
	store__bind_i64(&q, 6, about->total_cents);
	if (!store__step(&q, &found, err))
		return false;
	if (!found) {
		if (!store__approval_check(st, about, err))
			return false;
		return err_set(err, ERR_CONFLICT,
		               "this consent is used up, too old, or was given for another "
		               "purchase or price; nothing was bought: call purchase_create again "
		               "to have the user asked anew");
	}
	*row = store__col_i64(&q, 0);
	return true;
}

bool store__approval_bought(struct store *st, int64_t row, int64_t purchase, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "UPDATE approval SET purchase = ?1 WHERE id = ?2");

	store__bind_i64(&q, 1, purchase);
	store__bind_i64(&q, 2, row);
	return store__run_one(&q, ERR_INTERNAL, "a consent went missing", err);
}
