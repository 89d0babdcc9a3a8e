/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts as the operator sees and changes them. The store writes the audit log. */
#include "router/api_parts.h"

#define ACCOUNTS_DEFAULT 100
#define ACCOUNTS_MAX 500
#define FUNDINGS_MAX 200

/* ---- One account ---- */

struct totals {
	struct money credit, held;
	bool fits;
};

static void add_service(void *data, const struct store_service *service)
{
	struct totals *t = data;

	t->fits = t->fits && money_add(&t->credit, t->credit, service->balance.balance) &&
	          money_add(&t->held, t->held, service->balance.held);
}

/* Members of an object that is open. */
static bool put_account(struct json_out *out, struct store *st, const struct store_account *a,
                        struct err *err)
{
	struct totals t = { .fits = true };

	if (!store_service_each(st, &a->id, add_service, &t, err))
		return false;
	json_put_str(out, "id", id_str(&a->id));
	json_put_z(out, "name", a->name);
	json_put_z(out, "status", a->frozen_ms ? "frozen" : "active");
	json_put_time(out, "frozenAt", a->frozen_ms);
	json_put_usd(out, "walletUsd", a->wallet);
	json_put_usd(out, "creditUsd", t.credit);
	json_put_usd(out, "heldUsd", t.held);
	api_put_policy(out, "policy", &a->policy);
	json_put_time(out, "createdAt", a->created_ms);
	return t.fits || err_set(err, ERR_STORAGE, "account '%s' cannot be read", a->id.text);
}

static bool put_item(struct json_out *out, struct store *st, const struct id *account,
                     struct err *err)
{
	struct store_account a;

	if (!store_account_find(st, id_str(account), &a, err))
		return false;
	api_begin_item(out);
	if (!put_account(out, st, &a, err))
		return false;
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

static bool find(const struct api_call *c, struct store *st, struct store_account *out,
                 struct err *err)
{
	return store_account_find(st, str_of(c->subject), out, err);
}

static void put_service(void *data, const struct store_service *service)
{
	api_put_service(data, service);
}

struct listing {
	struct json_out *out;
	int64_t now_ms;
};

static void put_key(void *data, const struct store_key_info *key)
{
	const struct listing *l = data;

	api_put_key(l->out, NULL, key, l->now_ms);
}

bool api_account(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	struct listing l = { out, env_now_ms(c->r->options.env) };
	struct store_account a;

	if (!find(c, st, &a, err))
		return false;
	api_begin_item(out);
	if (!put_account(out, st, &a, err))
		return false;
	json_put_array(out, "services");
	if (!store_service_each(st, &a.id, put_service, out, err))
		return false;
	json_put_end(out, ']');
	json_put_array(out, "keys");
	if (!store_key_each(st, &a.id, (struct str){ 0 }, put_key, &l, err))
		return false;
	json_put_end(out, ']');
	json_put_array(out, "fundings");
	if (!store_funding_each(st, &a.id, FUNDINGS_MAX, api_put_funding, out, err))
		return false;
	api_end_items(out);
	json_put_end(out, '}');
	return true;
}

/* ---- The list ---- */

struct account_search {
	struct str q, before;
	int64_t limit;
};
static const struct json_field ACCOUNT_SEARCH[] = {
	{ .name = "q",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct account_search, q),
	  .min = 1,
	  .max = 96,
	  .doc = "part of a name or id" },
	{ .name = "before",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct account_search, before),
	  .min = 1,
	  .max = ID_TEXT_MAX - 1,
	  .doc = "the nextCursor of an earlier answer" },
	{ .name = "limit",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct account_search, limit),
	  .min = 1,
	  .max = ACCOUNTS_MAX,
	  .doc = "how many" },
};
const struct json_fields api_account_search_fields = JSON_FIELDS(ACCOUNT_SEARCH);

struct account_list {
	struct json_out *out;
	struct store *st;
	size_t count, limit;
	struct id last;
	bool more, ok;
	struct err err;
};

static void put_listed(void *data, const struct store_account *a)
{
	struct account_list *l = data;

	l->more = l->count == l->limit; /* one more was asked for than is shown */
	if (l->more || !l->ok)
		return;
	l->count++;
	l->last = a->id;
	json_put_object(l->out, NULL);
	l->ok = put_account(l->out, l->st, a, &l->err);
	json_put_end(l->out, '}');
}

bool api_accounts(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	struct account_search in = { .limit = ACCOUNTS_DEFAULT };

	if (!api_read(c, &in, err))
		return false;
	struct account_list l = { .out = out, .st = st, .limit = (size_t)in.limit, .ok = true };
	api_begin_items(out);
	if (!store_account_search(st, in.q, in.before, l.limit + 1, put_listed, &l, err))
		return false;
	if (!l.ok) {
		*err = l.err;
		return false;
	}
	json_put_end(out, ']');
	json_put_str(out, "nextCursor", l.more ? id_str(&l.last) : (struct str){ 0 });
	json_put_end(out, '}');
	return true;
}

/* ---- Changes ---- */

struct creation {
	struct str name;
};
static const struct json_field CREATION[] = {
	{ .name = "name",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct creation, name),
	  .required = true,
	  .min = 1,
	  .max = LIMIT_ACCOUNT_NAME,
	  .doc = "unique" },
};
const struct json_fields api_account_fields = JSON_FIELDS(CREATION);

bool api_account_create(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	OWN_SECRET struct secret key = { 0 };
	struct creation in = { .name = { 0 } };
	struct store_account a;

	if (!api_read(c, &in, err) || !store_account_create(st, in.name, &a, &key, err))
		return false;
	api_begin_item(out);
	if (!put_account(out, st, &a, err))
		return false;
	json_put_str(out, "purchaseKey", secret_str(&key));
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

struct fund {
	struct money amount;
	struct str reference;
};
static const struct json_field FUND[] = {
	{ .name = "amountUsd",
	  .type = JSON_FIELD_USD,
	  .offset = offsetof(struct fund, amount),
	  .required = true,
	  .min = 1,
	  .max = LIMIT_FUND_MAX_CENTS,
	  .doc = "USD with at most two decimals" },
	{ .name = "reference",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct fund, reference),
	  .required = true,
	  .min = 1,
	  .max = LIMIT_REFERENCE,
	  .doc = "where the money comes from; the same again is the same entry" },
};
const struct json_fields api_fund_fields = JSON_FIELDS(FUND);

bool api_account_fund(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	struct fund in = { .reference = { 0 } };
	struct store_account a;
	struct store_funding funding;

	if (!api_read(c, &in, err) || !find(c, st, &a, err) ||
	    !store_wallet_fund(st, &a.id, in.amount, in.reference, &funding, err))
		return false;
	a.wallet = funding.wallet;
	api_begin_item(out);
	json_put_object(out, "account");
	if (!put_account(out, st, &a, err))
		return false;
	json_put_end(out, '}');
	json_put_usd(out, "amountUsd", funding.amount);
	json_put_str(out, "reference", in.reference);
	json_put_bool(out, "repeated", funding.repeated);
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

static const struct json_field POLICY[] = {
	{ .name = "maxPurchaseUsd",
	  .type = JSON_FIELD_USD,
	  .offset = offsetof(struct store_policy, max_purchase),
	  .min = 0,
	  .max = LIMIT_FUND_MAX_CENTS,
	  .doc = "dearest single purchase" },
	{ .name = "dailyUsd",
	  .type = JSON_FIELD_USD,
	  .offset = offsetof(struct store_policy, daily),
	  .min = 0,
	  .max = LIMIT_FUND_MAX_CENTS,
	  .doc = "most in a UTC day" },
	{ .name = "approvalAboveUsd",
	  .type = JSON_FIELD_USD,
	  .offset = offsetof(struct store_policy, approval_above),
	  .min = 0,
	  .max = LIMIT_FUND_MAX_CENTS,
	  .doc = "above this a person must agree" },
};
const struct json_fields api_policy_fields = JSON_FIELDS(POLICY);

bool api_account_policy(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	const struct money none = money_of_micros(-1);
	struct store_policy policy = { none, none, none };
	struct store_account a;

	return api_read(c, &policy, err) && find(c, st, &a, err) &&
	       store_account_set_policy(st, &a.id, &policy, err) && put_item(out, st, &a.id, err);
}

static bool set_frozen(const struct api_call *c, struct store *st, bool frozen,
                       struct json_out *out, struct err *err)
{
	struct store_account a;

	return find(c, st, &a, err) && store_account_freeze(st, &a.id, frozen, err) &&
	       put_item(out, st, &a.id, err);
}

bool api_account_freeze(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	return set_frozen(c, st, true, out, err);
}

bool api_account_unfreeze(struct api_call *c, struct store *st, struct json_out *out,
                          struct err *err)
{
	return set_frozen(c, st, false, out, err);
}
