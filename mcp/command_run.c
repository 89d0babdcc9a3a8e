/* SPDX-License-Identifier: Apache-2.0 */
/* Operators' commands on the store thread: a store call, and its result as JSON. The operator is
 * the local user, who could read the database anyway, so nothing here asks for a key. */
#include <stdlib.h>

#include "mcp/command.h"

/* ---- Accounts ---- */

struct totals {
	struct money credit, held;
	bool ok;
};

static void add_service(void *data, const struct store_service *service)
{
	struct totals *t = data;

	t->ok = t->ok && money_add(&t->credit, t->credit, service->balance.balance) &&
	        money_add(&t->held, t->held, service->balance.held);
}

static void put_limit(struct json_out *out, const char *key, struct money limit)
{
	if (money_is_negative(limit))
		json_put_null(out, key);
	else
		json_put_usd(out, key, limit);
}

static bool put_account(struct json_out *out, const char *key, struct store *st,
                        const struct store_account *account, struct err *err)
{
	struct totals totals = { .ok = true };

	if (!store_service_each(st, &account->id, add_service, &totals, err))
		return false;
	if (!totals.ok)
		return err_set(err, ERR_TOO_LARGE, "the credit of '%s' is too large to add up",
		               account->name);
	json_put_object(out, key);
	json_put_str(out, "id", id_str(&account->id));
	json_put_z(out, "name", account->name);
	json_put_usd(out, "walletUsd", account->wallet);
	json_put_usd(out, "creditUsd", totals.credit);
	json_put_usd(out, "heldUsd", totals.held);
	json_put_object(out, "policy");
	put_limit(out, "maxPurchaseUsd", account->policy.max_purchase);
	put_limit(out, "dailyUsd", account->policy.daily);
	put_limit(out, "approvalAboveUsd", account->policy.approval_above);
	json_put_end(out, '}');
	json_put_time(out, "createdAt", account->created_ms);
	json_put_end(out, '}');
	return true;
}

bool mcp__run_account_create(const struct mcp__command_call *call, struct json_out *out,
                             struct err *err)
{
	struct store_account account;
	OWN_SECRET struct secret key = { 0 };

	if (!store_account_create(call->st, call->args->name, &account, &key, err) ||
	    !put_account(out, "account", call->st, &account, err))
		return false;
	json_put_str(out, "purchaseKey", secret_str(&key));
	return true;
}

/* Accounts are gathered first, because their totals are other questions to the store. */
struct gathered {
	struct store_account *accounts;
	size_t count, cap;
	bool failed;
};

static void gather(void *data, const struct store_account *account)
{
	struct gathered *g = data;

	if (g->failed)
		return;
	if (g->count == g->cap) {
		size_t cap = g->cap == 0 ? 16 : 2 * g->cap;
		struct store_account *more = reallocarray(g->accounts, cap, sizeof(*more));
		if (more == NULL) {
			g->failed = true;
			return;
		}
		g->accounts = more;
		g->cap = cap;
	}
	g->accounts[g->count++] = *account;
}

bool mcp__run_account_list(const struct mcp__command_call *call, struct json_out *out,
                           struct err *err)
{
	struct gathered all = { 0 };
	bool ok = store_account_each(call->st, gather, &all, err);

	if (ok && all.failed)
		ok = err_no_memory(err);
	json_put_array(out, "accounts");
	for (size_t i = 0; ok && i < all.count; i++)
		ok = put_account(out, NULL, call->st, &all.accounts[i], err);
	json_put_end(out, ']');
	free(all.accounts);
	return ok;
}

static void put_service(void *data, const struct store_service *service)
{
	struct json_out *out = data;

	json_put_object(out, NULL);
	json_put_str(out, "id", id_str(&service->id));
	json_put_z(out, "serviceType", service->service_type);
	json_put_z(out, "displayName", service->display_name);
	json_put_z(out, "status", service->status);
	json_put_usd(out, "creditBalanceUsd", service->balance.balance);
	json_put_usd(out, "heldUsd", service->balance.held);
	json_put_usd(out, "availableUsd", service->balance.available);
	json_put_time(out, "createdAt", service->created_ms);
	json_put_end(out, '}');
}

/* ---- Keys ---- */

struct key_list {
	struct json_out *out;
	int64_t now_ms;
};

static const char *key_status(const struct store_key_info *key, int64_t now_ms)
{
	if (key->revoked)
		return "revoked";
	return key->expires_ms != 0 && key->expires_ms <= now_ms ? "expired" : "active";
}

static void put_key_limits(struct json_out *out, const struct store_key_info *key)
{
	json_put_object(out, "limits");
	put_limit(out, "spendLimitUsd", key->spend_limit);
	json_put_time(out, "expiresAt", key->expires_ms);
	json_put_i64(out, "requestsPerMinute", key->requests_per_minute);
	json_put_i64(out, "maxConcurrent", key->max_concurrent);
	json_put_bool(out, "lowerOutput", key->lower_output);
	if (key->allowed_models.p == NULL)
		json_put_null(out, "allowedModels");
	else
		json_put_raw(out, "allowedModels", key->allowed_models);
	json_put_end(out, '}');
}

static void put_key(struct json_out *out, const char *member, const struct store_key_info *key,
                    int64_t now_ms)
{
	json_put_object(out, member);
	json_put_str(out, "id", id_str(&key->id));
	json_put_str(out, "accountId", id_str(&key->account));
	json_put_z(out, "kind", key_kind_name(key->kind));
	json_put_z(out, "label", key->label);
	json_put_z(out, "prefix", key_prefix(key->kind));
	json_put_z(out, "lookup", key->lookup);
	json_put_z(out, "status", key_status(key, now_ms));
	if (id_is_empty(&key->service))
		json_put_null(out, "serviceId");
	else
		json_put_str(out, "serviceId", id_str(&key->service));
	json_put_usd(out, "spentUsd", key->spent);
	put_key_limits(out, key);
	json_put_time(out, "createdAt", key->created_ms);
	json_put_time(out, "lastUsedAt", key->last_used_ms);
	json_put_time(out, "revokedAt", key->revoked_ms);
	json_put_end(out, '}');
}

static void put_listed_key(void *data, const struct store_key_info *key)
{
	const struct key_list *list = data;

	put_key(list->out, NULL, key, list->now_ms);
}

static bool put_keys(const struct mcp__command_call *call, const struct id *account,
                     struct json_out *out, struct err *err)
{
	struct key_list list = { .out = out, .now_ms = env_now_ms(call->shop->env) };
	struct str every_service = { NULL, 0 };

	json_put_array(out, "keys");
	if (!store_key_each(call->st, account, every_service, put_listed_key, &list, err))
		return false;
	json_put_end(out, ']');
	return true;
}

bool mcp__run_account_show(const struct mcp__command_call *call, struct json_out *out,
                           struct err *err)
{
	struct store_account account;

	if (!store_account_find(call->st, call->args->account, &account, err) ||
	    !put_account(out, "account", call->st, &account, err))
		return false;
	json_put_array(out, "services");
	if (!store_service_each(call->st, &account.id, put_service, out, err))
		return false;
	json_put_end(out, ']');
	return put_keys(call, &account.id, out, err);
}

bool mcp__run_account_policy(const struct mcp__command_call *call, struct json_out *out,
                             struct err *err)
{
	const struct mcp__command_args *args = call->args;
	struct store_account account;

	if (!store_account_find(call->st, args->account, &account, err))
		return false;
	if (args->max_purchase_usd.p != NULL)
		account.policy.max_purchase = args->policy.max_purchase;
	if (args->daily_usd.p != NULL)
		account.policy.daily = args->policy.daily;
	if (args->approval_above_usd.p != NULL)
		account.policy.approval_above = args->policy.approval_above;
	if (!store_account_set_policy(call->st, &account.id, &account.policy, err))
		return false;
	return put_account(out, "account", call->st, &account, err);
}

bool mcp__run_wallet_fund(const struct mcp__command_call *call, struct json_out *out,
                          struct err *err)
{
	const struct mcp__command_args *args = call->args;
	struct store_account account;
	struct store_funding funding;

	if (!store_account_find(call->st, args->account, &account, err) ||
	    !store_wallet_fund(call->st, &account.id, args->amount, args->reference, &funding, err))
		return false;
	json_put_object(out, "funding");
	json_put_i64(out, "transaction", funding.txn);
	json_put_str(out, "accountId", id_str(&account.id));
	json_put_str(out, "reference", args->reference);
	json_put_usd(out, "amountUsd", funding.amount);
	json_put_usd(out, "walletUsd", funding.wallet);
	json_put_bool(out, "repeated", funding.repeated);
	json_put_end(out, '}');
	return true;
}

bool mcp__run_key_list(const struct mcp__command_call *call, struct json_out *out, struct err *err)
{
	struct store_account account;

	return store_account_find(call->st, call->args->account, &account, err) &&
	       put_keys(call, &account.id, out, err);
}

bool mcp__run_key_revoke(const struct mcp__command_call *call, struct json_out *out,
                         struct err *err)
{
	struct store_key_info key;

	if (!store_key_revoke(call->st, NULL, call->args->key_id, &key, err))
		return false;
	put_key(out, "key", &key, env_now_ms(call->shop->env));
	return true;
}

bool mcp__run_key_rotate(const struct mcp__command_call *call, struct json_out *out,
                         struct err *err)
{
	struct store_key_info key;
	OWN_SECRET struct secret secret = { 0 };

	if (!store_key_rotate(call->st, NULL, call->args->key_id, &key, &secret, err))
		return false;
	put_key(out, "key", &key, env_now_ms(call->shop->env));
	json_put_str(out, "secret", secret_str(&secret));
	return true;
}

/* ---- Usage and books ---- */

static void put_usage_row(void *data, const struct store_usage *row)
{
	struct json_out *out = data;
	bool total = row->group.p == NULL;

	if (total) /* the last row: the list ends before it */
		json_put_end(out, ']');
	json_put_object(out, total ? "total" : NULL);
	if (!total)
		json_put_str(out, "group", row->group);
	json_put_i64(out, "requests", row->requests);
	for (size_t i = 0; i < TOKEN_CLASS_COUNT; i++)
		json_put_i64(out, token_class_field((enum token_class)i), row->counts.n[i]);
	json_put_i64(out, "buyerChargeUsdMicros", money_micros(row->charge));
	json_put_end(out, '}');
}

static enum usage_group usage_group(struct str by)
{
	if (str_eq(by, STR("model")))
		return USAGE_BY_MODEL;
	if (str_eq(by, STR("key")))
		return USAGE_BY_KEY;
	return str_eq(by, STR("day")) ? USAGE_BY_DAY : USAGE_BY_NONE;
}

bool mcp__run_usage(const struct mcp__command_call *call, struct json_out *out, struct err *err)
{
	const struct mcp__command_args *args = call->args;
	struct str every_service = { NULL, 0 };
	struct store_account account;

	if (!store_account_find(call->st, args->account, &account, err))
		return false;
	json_put_array(out, "usage");
	return store_usage_each(call->st, &account.id, every_service, args->from_ms, args->to_ms,
	                        usage_group(args->by), put_usage_row, out, err);
}

bool mcp__run_ledger_verify(const struct mcp__command_call *call, struct json_out *out,
                            struct err *err)
{
	struct store_verdict verdict;

	if (!store_ledger_verify(call->st, &verdict, err))
		return false;
	json_put_object(out, "verdict");
	json_put_bool(out, "ok", verdict.problem[0] == '\0');
	json_put_i64(out, "accounts", verdict.accounts);
	json_put_i64(out, "transactions", verdict.transactions);
	json_put_i64(out, "entries", verdict.entries);
	json_put_i64(out, "receipts", verdict.receipts);
	json_put_i64(out, "differenceUsdMicros", money_micros(verdict.difference));
	json_put_z(out, "problem", verdict.problem[0] == '\0' ? NULL : verdict.problem);
	json_put_end(out, '}');
	return true;
}
