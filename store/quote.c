/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes: a configuration and its price, promised for a while. A quote reserves nothing, so making
 * one is free; it is used up by the purchase that has it, and then it never expires, because its
 * purchase is its answer. */
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "store/shop.h"

#define QUANTITY_MAX 100
#define CONFIGURATION_TEXT_MAX 4096 /* canonical; the item's fields are few and short */

/* ---- Pricing ---- */

/* "LLM Router Credits ($25)", "... ($25.50)": cents only where there are some. */
static void name_offer(struct store__offer *offer)
{
	char usd[MONEY_TEXT_MAX];
	size_t len;

	money_format_usd(offer->credit, usd);
	len = strlen(usd);
	if (len > 3 && strcmp(usd + len - 3, ".00") == 0)
		usd[len - 3] = '\0';
	(void)snprintf(offer->display_name, sizeof(offer->display_name), "%s ($%s)",
	               offer->item->name, usd); /* both are short texts of ours */
}

static bool price_quantity(struct money unit, struct store__offer *offer, struct err *err)
{
	int64_t cents;

	if (offer->quantity < 1 || offer->quantity > QUANTITY_MAX)
		return err_set(err, ERR_INVALID_ARGUMENT, "quantity must be 1 to %d", QUANTITY_MAX);
	if (!money_to_cents(unit, &cents))
		return err_set(err, ERR_INVALID_ARGUMENT, "creditAmountUsd must be whole cents");
	offer->total_cents = cents * offer->quantity; /* the field table bounds the first factor */
	if (offer->total_cents > LIMIT_CREDIT_MAX_CENTS)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "creditAmountUsd times quantity must be at most %d USD",
		               LIMIT_CREDIT_MAX_CENTS / 100);
	if (!money_of_cents(&offer->credit, offer->total_cents))
		return err_set(err, ERR_INTERNAL, "an amount does not fit");
	return true;
}

bool store__price(struct store *st, int64_t account, const struct store_purchase_request *what,
                  struct store__offer *out, struct err *err)
{
	struct store__offer offer = { .item = store_item_find(what->item_id),
		                      .quantity = what->quantity };
	struct store__configuration configuration = { 0 };

	if (!offer.item)
		return err_set(err, ERR_NOT_FOUND,
		               "there is no catalog item '%.*s': catalog_search lists them",
		               STR_ARG(what->item_id));
	if (!json_read(what->configuration, offer.item->configuration, &configuration, err)) {
		(void)err_prefix(err, "configuration");
		return false;
	}
	if (!price_quantity(configuration.credit_amount, &offer, err))
		return false;
	if (configuration.service_id.p &&
	    !store__service_load(st, account, configuration.service_id, &offer.service, err))
		return false;
	name_offer(&offer);
	*out = offer;
	return true;
}

/* ---- Making ---- */

static bool insert_quote(struct store *st, int64_t account, const struct store__offer *offer,
                         struct str configuration, const struct store_quote *quote, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "INSERT INTO quote (public_id, account, item, quantity, configuration,"
		    " display_name, total_cents, credit, service, created_ms, expires_ms)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");

	store__bind_id(&q, 1, &quote->id);
	store__bind_i64(&q, 2, account);
	store__bind_z(&q, 3, offer->item->id);
	store__bind_i64(&q, 4, offer->quantity);
	store__bind_str(&q, 5, configuration);
	store__bind_z(&q, 6, quote->display_name);
	store__bind_i64(&q, 7, quote->total_cents);
	store__bind_money(&q, 8, quote->credit_amount);
	if (offer->service.row != 0)
		store__bind_i64(&q, 9, offer->service.row);
	else
		store__bind_null(&q, 9);
	store__bind_i64(&q, 10, store__now(st));
	store__bind_i64(&q, 11, quote->expires_ms);
	return store__run(&q, err);
}

static struct store_quote quote_of(struct store *st, const struct store__offer *offer)
{
	struct store_quote quote = {
		.id = id_make(st->env, ID_QUOTE),
		.item = offer->item,
		.total_cents = offer->total_cents,
		.credit_amount = offer->credit,
		.service = offer->service.id,
		.status = "open",
		.expires_ms = store__now(st) + (int64_t)LIMIT_QUOTE_MS,
	};

	memcpy(quote.display_name, offer->display_name, sizeof(quote.display_name));
	return quote;
}

/* NOLINTNEXTLINE(readability-function-size): the public header's shape */
bool store_quote_create(struct store *st, const struct id *account, struct str item_id,
                        int64_t quantity, const struct json *configuration, struct store_quote *out,
                        struct err *err)
{
	const struct store_purchase_request what = { .item_id = item_id,
		                                     .quantity = quantity,
		                                     .configuration = configuration };
	OWN_TX struct store_tx tx = { 0 };
	OWN_BUF struct buf text = buf_make(CONFIGURATION_TEXT_MAX);
	struct store__account_row buyer;
	struct store__offer offer;
	struct store_quote quote;

	if (!store__tx_begin(&tx, st, err) || !store__account_load(st, account, &buyer, err) ||
	    !store__price(st, buyer.row, &what, &offer, err) ||
	    !json_canonical(configuration, &text, err))
		return false;
	quote = quote_of(st, &offer);
	if (!insert_quote(st, buyer.row, &offer, buf_str(&text), &quote, err) ||
	    !store__tx_commit(&tx, err))
		return false;
	*out = quote;
	return true;
}

/* ---- Using ---- */

static bool refuse_expired(struct str id, int64_t expires_ms, struct err *err)
{
	char when[TIME_TEXT_MAX];

	time_format(expires_ms, when);
	return err_set(err, ERR_QUOTE_EXPIRED,
	               "quote '%.*s' expired at %s and nothing was bought: make a new quote with "
	               "quote_create and buy that one",
	               STR_ARG(id), when);
}

static bool offer_columns(const struct store_query *q, struct store__offer *out, struct err *err)
{
	struct store__offer offer = {
		.item = store_item_find(store__col_str(q, 2)),
		.quantity = store__col_i64(q, 3),
		.total_cents = store__col_i64(q, 4),
		.credit = store__col_money(q, 5),
		.service = { .row = store__col_i64(q, 6),
		             .credit = store__col_i64(q, 7),
		             .id = store__col_id(q, 8) },
	};

	store__col_text(q, 9, offer.display_name, sizeof(offer.display_name));
	if (!offer.item)
		return err_set(err, ERR_CONFLICT, "this item is no longer sold");
	*out = offer;
	return true;
}

bool store__quote_load(struct store *st, int64_t account, struct str id, int64_t *row,
                       struct store__offer *out, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT q.id, q.expires_ms, q.item, q.quantity, q.total_cents, q.credit,"
		    " q.service, s.credit, s.public_id, q.display_name"
		    " FROM quote q LEFT JOIN service s ON s.id = q.service"
		    " WHERE q.public_id = ?1 AND q.account = ?2");
	bool found;

	store__bind_str(&q, 1, id);
	store__bind_i64(&q, 2, account);
	if (!store__step(&q, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_NOT_FOUND, "there is no quote '%.*s'", STR_ARG(id));
	if (store__now(st) >= store__col_i64(&q, 1))
		return refuse_expired(id, store__col_i64(&q, 1), err);
	if (!offer_columns(&q, out, err))
		return false;
	*row = store__col_i64(&q, 0);
	return true;
}
