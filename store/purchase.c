/* SPDX-License-Identifier: Apache-2.0 */
/* Purchases: wallet to credit, once. Agents retry, crash and retry with new keys, so an answer is
 * looked for in two places before anything moves: the quote, which is sold once whatever key comes
 * with it, and the idempotency key, which means one purchase for ever. Both records are written in
 * the transaction that moves the money. */
#include "store/store.h"

#include "base/limits.h"
#include "store/shop.h"

#define ARGUMENTS_TEXT_MAX 8192

struct order {
	const struct store_purchase_request *request;
	struct store__account_row buyer;
	struct hash arguments; /* of what is asked for, without the key */
	int64_t quote;         /* row; 0 for a direct purchase */
	struct store__offer offer;
	int64_t purchase; /* row, once there is one */
};

/* ---- What is asked for ---- */

static bool check_request(const struct store_purchase_request *r, struct err *err)
{
	if (!r->idempotency_key.p)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "idempotencyKey is required: any text that is new for each purchase "
		               "and the same in its retries");
	if (!store__check_name("idempotencyKey", r->idempotency_key, LIMIT_IDEMPOTENCY_KEY, err))
		return false;
	if (r->quote_id.p && (r->item_id.p || r->configuration))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "give quoteId, or catalogItemId with quantity and configuration, "
		               "not both");
	if (!r->quote_id.p && !r->item_id.p)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "quoteId is missing: give it, or catalogItemId with quantity and "
		               "configuration");
	return true;
}

/* Members in the order of their names, as canonical JSON has them. */
bool store__request_hash(const struct store_purchase_request *r, struct hash *out, struct err *err)
{
	OWN_BUF struct buf configuration = buf_make(ARGUMENTS_TEXT_MAX);
	OWN_JSON_OUT struct json_out text = json_out_make(ARGUMENTS_TEXT_MAX);

	json_put_object(&text, NULL);
	if (r->quote_id.p) {
		json_put_str(&text, "quoteId", r->quote_id);
	} else {
		json_put_str(&text, "catalogItemId", r->item_id);
		if (r->configuration) {
			if (!json_canonical(r->configuration, &configuration, err))
				return false;
			json_put_raw(&text, "configuration", buf_str(&configuration));
		}
		json_put_i64(&text, "quantity", r->quantity);
	}
	json_put_end(&text, '}');
	if (!json_out_ok(&text, err))
		return false;
	*out = hash_plain(text.text.p, text.text.len);
	return true;
}

/* ---- Earlier answers ---- */

static bool find_by_quote(struct store *st, struct order *order, bool *found, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT p.id FROM purchase p JOIN quote q ON q.id = p.quote"
	                         " WHERE q.public_id = ?1 AND q.account = ?2");

	store__bind_str(&q, 1, order->request->quote_id);
	store__bind_i64(&q, 2, order->buyer.row);
	if (!store__step(&q, found, err))
		return false;
	if (*found)
		order->purchase = store__col_i64(&q, 0);
	return true;
}

static bool find_by_key(struct store *st, struct order *order, bool *found, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT purchase, arguments FROM idempotency WHERE account = ?1 AND key = ?2");
	struct hash known;

	store__bind_i64(&q, 1, order->buyer.row);
	store__bind_str(&q, 2, order->request->idempotency_key);
	if (!store__step(&q, found, err))
		return false;
	if (!*found)
		return true;
	known = store__col_hash(&q, 1);
	if (!hash_eq(&known, &order->arguments))
		return err_set(err, ERR_IDEMPOTENCY_CONFLICT,
		               "the idempotencyKey '%.*s' was used for another purchase: repeat "
		               "that one's arguments, or take a new key for a new purchase",
		               STR_ARG(order->request->idempotency_key));
	order->purchase = store__col_i64(&q, 0);
	return true;
}

/* A key that came with a quote already bought stays bound to that purchase, like any other; one
 * that was bound before keeps its meaning. */
static bool remember_key(struct store *st, const struct order *order, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "INSERT INTO idempotency (account, key, arguments, purchase, created_ms)"
		    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING");

	store__bind_i64(&q, 1, order->buyer.row);
	store__bind_str(&q, 2, order->request->idempotency_key);
	store__bind_hash(&q, 3, &order->arguments);
	store__bind_i64(&q, 4, order->purchase);
	store__bind_i64(&q, 5, store__now(st));
	return store__run(&q, err);
}

static bool find_answer(struct store *st, struct order *order, bool *found, struct err *err)
{
	*found = false;
	if (order->request->quote_id.p && !find_by_quote(st, order, found, err))
		return false;
	if (*found)
		return remember_key(st, order, err);
	return find_by_key(st, order, found, err);
}

/* ---- Buying ---- */

static bool insert_purchase(struct store *st, struct order *order, const struct id *id, int64_t txn,
                            struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "INSERT INTO purchase (public_id, account, quote, service, status,"
	                         " total_cents, txn, created_ms)"
	                         " VALUES (?1, ?2, ?3, ?4, 'completed', ?5, ?6, ?7)");

	store__bind_id(&q, 1, id);
	store__bind_i64(&q, 2, order->buyer.row);
	if (order->quote != 0)
		store__bind_i64(&q, 3, order->quote);
	else
		store__bind_null(&q, 3);
	store__bind_i64(&q, 4, order->offer.service.row);
	store__bind_i64(&q, 5, order->offer.total_cents);
	store__bind_i64(&q, 6, txn);
	store__bind_i64(&q, 7, store__now(st));
	if (!store__run(&q, err))
		return false;
	order->purchase = store__last_id(st);
	return true;
}

/* Moves the money and writes down what for. */
static bool fulfil(struct store *st, struct order *order, struct err *err)
{
	struct id id = id_make(st->env, ID_PURCHASE);
	struct store__offer *offer = &order->offer;
	struct ledger_move move = { .kind = "purchase",
		                    .ref = id_str(&id),
		                    .from = order->buyer.wallet,
		                    .amount = offer->credit };
	int64_t txn;

	if (offer->service.row == 0 &&
	    !store__service_pool(st, order->buyer.row, offer->item, &offer->service, err))
		return false;
	move.to = offer->service.credit;
	return store__ledger_move(st, &move, &txn, err) &&
	       store__live_pool_add(st, offer->service.row, offer->credit, err) &&
	       insert_purchase(st, order, &id, txn, err) && remember_key(st, order, err);
}

bool store__request_price(struct store *st, int64_t account, const struct store_purchase_request *r,
                          int64_t *quote, struct store__offer *out, struct err *err)
{
	if (r->quote_id.p)
		return store__quote_load(st, account, r->quote_id, quote, out, err);
	*quote = 0;
	return store__price(st, account, r, out, err);
}

static struct store__question question_of(const struct order *order)
{
	return (struct store__question){ .account = order->buyer.row,
		                         .key = order->request->idempotency_key,
		                         .arguments = order->arguments,
		                         .total_cents = order->offer.total_cents };
}

/* A refusal of a person outlives the call that brought it, so that nobody is asked twice. */
static bool check_policy(struct store *st, const struct order *order, bool approved,
                         struct err *err)
{
	const struct store__question question = question_of(order);
	struct store_policy_verdict verdict;

	if (!store__policy_weigh(st, &order->buyer, order->offer.credit, &verdict, err))
		return false;
	if (verdict.outcome == ERR_APPROVAL_REQUIRED && !approved &&
	    !store__approval_check(st, &question, err))
		return false;
	return store__policy_check(&verdict, approved, err);
}

static bool buy_approved(struct store *st, struct order *order, struct err *err)
{
	const struct store__question question = question_of(order);
	int64_t approval;

	return store__approval_use(st, order->request->approval, &question, &approval, err) &&
	       check_policy(st, order, true, err) && fulfil(st, order, err) &&
	       store__approval_bought(st, approval, order->purchase, err);
}

static bool buy(struct store *st, struct order *order, struct err *err)
{
	if (order->buyer.frozen)
		return err_set(err, ERR_POLICY_REFUSED,
		               "the account is frozen: it buys nothing until the operator lifts "
		               "that");
	if (!store__request_price(st, order->buyer.row, order->request, &order->quote,
	                          &order->offer, err))
		return false;
	if (order->request->approval.p)
		return buy_approved(st, order, err);
	return check_policy(st, order, false, err) && fulfil(st, order, err);
}

bool store_purchase_weigh(struct store *st, const struct id *account,
                          const struct store_purchase_request *request,
                          struct store_policy_verdict *out, struct err *err)
{
	struct order order = { .request = request };

	return store__account_load(st, account, &order.buyer, err) &&
	       store__request_price(st, order.buyer.row, request, &order.quote, &order.offer,
	                            err) &&
	       store__policy_weigh(st, &order.buyer, order.offer.credit, out, err);
}

/* ---- Showing ---- */

#define PURCHASE_COLUMNS                                                          \
	"SELECT p.public_id, p.status, p.total_cents, q.public_id, s.public_id, " \
	"p.created_ms FROM purchase p JOIN service s ON s.id = p.service "        \
	"JOIN account a ON a.id = p.account LEFT JOIN quote q ON q.id = p.quote "

static void purchase_columns(const struct store_query *q, struct store_purchase *out)
{
	*out = (struct store_purchase){
		.id = store__col_id(q, 0),
		.total_cents = store__col_i64(q, 2),
		.quote = store__col_id(q, 3),
		.service = store__col_id(q, 4),
		.created_ms = store__col_i64(q, 5),
	};
	store__col_text(q, 1, out->status, sizeof(out->status));
}

static bool load_purchase(struct store *st, int64_t purchase, struct store_purchase *out,
                          struct err *err)
{
	OWN_QUERY struct store_query q = store__query(st, PURCHASE_COLUMNS "WHERE p.id = ?1");
	bool row;

	store__bind_i64(&q, 1, purchase);
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_INTERNAL, "a purchase went missing");
	purchase_columns(&q, out);
	return true;
}

bool store_purchase_create(struct store *st, const struct id *account,
                           const struct store_purchase_request *request,
                           struct store_purchase *purchase, struct store_service *service,
                           struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	struct order order = { .request = request };
	struct store_purchase made;
	struct store_service credited;
	bool repeated;

	if (!check_request(request, err) || !store__request_hash(request, &order.arguments, err) ||
	    !store__tx_begin(&tx, st, err) ||
	    !store__account_load(st, account, &order.buyer, err) ||
	    !find_answer(st, &order, &repeated, err))
		return false;
	if (!repeated && !buy(st, &order, err))
		return false;
	if (!load_purchase(st, order.purchase, &made, err) ||
	    !store_service_find(st, account, id_str(&made.service), &credited, err) ||
	    !store__tx_commit(&tx, err))
		return false;
	made.repeated = repeated;
	*purchase = made;
	*service = credited;
	return true;
}

bool store_purchase_find(struct store *st, const struct id *account, struct str id,
                         struct store_purchase *out, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, PURCHASE_COLUMNS "WHERE p.public_id = ?1 AND a.public_id = ?2");
	bool row;

	store__bind_str(&q, 1, id);
	store__bind_id(&q, 2, account);
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "there is no purchase '%.*s'", STR_ARG(id));
	purchase_columns(&q, out);
	return true;
}
