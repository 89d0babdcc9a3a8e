/* SPDX-License-Identifier: Apache-2.0 */
/* Buying. A purchase is the only tool that moves wallet money, and it is safe to repeat: the
 * idempotency key and a used quote both answer with the purchase that there is. */
#include "base/limits.h"
#include "mcp/tool.h"

#define QUESTION_MAX 512

static const struct mcp__shape PURCHASE_MEMBERS[] = {
	{ .name = "id", .type = MCP__TEXT, .doc = "purchaseId; known for ever." },
	{ .name = "status", .type = MCP__TEXT, .doc = "completed: paid and delivered." },
	{ .name = "totalPriceMinor", .type = MCP__WHOLE, .doc = "Cents taken from the wallet." },
	{ .name = "currency", .type = MCP__TEXT, .doc = "usd" },
	{ .name = "quoteId",
	  .type = MCP__TEXT,
	  .nullable = true,
	  .doc = "The quote; null if bought without one." },
	{ .name = "serviceId", .type = MCP__TEXT, .doc = "The service that was paid for." },
	{ .name = "createdAt", .type = MCP__TIME, .doc = "When." },
};
static const struct mcp__shapes PURCHASE_SHAPES = MCP__SHAPES(PURCHASE_MEMBERS);

/* An id, or null for the empty one. */
static void put_id(struct json_out *o, const char *key, const struct id *id)
{
	if (id_is_empty(id))
		json_put_null(o, key);
	else
		json_put_str(o, key, id_str(id));
}

static void put_purchase(struct json_out *o, const char *key, const struct store_purchase *p)
{
	json_put_object(o, key);
	json_put_str(o, "id", id_str(&p->id));
	json_put_z(o, "status", p->status);
	json_put_i64(o, "totalPriceMinor", p->total_cents);
	json_put_z(o, "currency", "usd");
	put_id(o, "quoteId", &p->quote);
	json_put_str(o, "serviceId", id_str(&p->service));
	json_put_time(o, "createdAt", p->created_ms);
	json_put_end(o, '}');
}

/* ---- purchase_create ---- */

static const struct json_field BUY_FIELD[] = {
	{ .name = "quoteId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct store_purchase_request, quote_id),
	  .doc = "The quote to buy. Leave it out to buy an item directly." },
	{ .name = "catalogItemId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct store_purchase_request, item_id),
	  .doc = "Instead of quoteId: the item to buy at today's price." },
	{ .name = "quantity",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct store_purchase_request, quantity),
	  .min = 1,
	  .max = 1,
	  .doc = "1, the default." },
	{ .name = "configuration",
	  .type = JSON_FIELD_OBJECT,
	  .offset = offsetof(struct store_purchase_request, configuration),
	  .doc = "With catalogItemId: as for quote_create." },
	{ .name = "idempotencyKey",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct store_purchase_request, idempotency_key),
	  .required = true,
	  .min = 1,
	  .max = LIMIT_IDEMPOTENCY_KEY,
	  .doc = "Your name for this purchase. Repeat it to ask again without buying again; "
	         "never reuse it for another." },
};
static const struct json_fields BUY_FIELDS = JSON_FIELDS(BUY_FIELD);

static bool check_what(const struct json *arguments, const struct store_purchase_request *buy,
                       struct err *err)
{
	if (!buy->quote_id.p && !buy->item_id.p)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'quoteId' is missing (or 'catalogItemId' with its configuration)");
	if (buy->quote_id.p &&
	    (buy->item_id.p || buy->configuration || json_get(arguments, "quantity")))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'quoteId' stands alone: 'catalogItemId', 'quantity' and "
		               "'configuration' are in the quote");
	return true;
}

/* All that a person needs to decide, and nothing that they must look up. */
static void put_question(const struct mcp__call *call, const struct store_approval *approval,
                         const struct store_policy_verdict *verdict)
{
	OWN_BUF struct buf message = buf_make(QUESTION_MAX);
	char price[MONEY_TEXT_MAX], wallet[MONEY_TEXT_MAX], limit[MONEY_TEXT_MAX];
	struct json_out *out = &call->remarks->approval;

	money_format_usd(verdict->amount, price);
	money_format_usd(verdict->checks[STORE_RULE_WALLET].left, wallet);
	money_format_usd(verdict->checks[STORE_RULE_APPROVAL].limit, limit);
	buf_addf(&message,
	         "Buy %s for %s USD? It is paid from the wallet, which has %s USD, at once and for "
	         "good. You are asked because it is above %s USD.",
	         approval->display_name, price, wallet, limit);
	json_put_object(out, NULL);
	json_put_str(out, "id", id_str(&approval->id));
	json_put_str(out, "message", buf_str(&message));
	json_put_end(out, '}');
}

/* Adds to a refusal what the buyer, or whoever asks a person for it, needs to know. */
static bool explain(const struct mcp__call *call, const struct store_purchase_request *buy,
                    struct err *err)
{
	struct store_policy_verdict verdict;
	struct store_approval approval;
	bool needs_consent = err->code == ERR_APPROVAL_REQUIRED;

	if (!needs_consent && err->code != ERR_POLICY_REFUSED &&
	    err->code != ERR_INSUFFICIENT_FUNDS)
		return false;
	if (!store_purchase_weigh(call->st, call->account, buy, &verdict, NULL))
		return false; /* the refusal stands without it */
	mcp__put_verdict(&call->remarks->verdict, NULL, &verdict);
	if (needs_consent && call->asks &&
	    store_approval_open(call->st, call->account, buy, &approval, err))
		put_question(call, &approval, &verdict);
	return false;
}

/* A refusal is noted before the purchase is tried without consent: it then says why. */
static bool apply_consent(const struct mcp__call *call, struct store_purchase_request *buy,
                          struct err *err)
{
	const struct mcp__consent *consent = &call->consent;

	if (!consent->approval.p)
		return true;
	if (consent->given) {
		buy->approval = consent->approval;
		return true;
	}
	return store_approval_refuse(call->st, call->account, consent->approval, consent->cancelled,
	                             err);
}

static bool create_purchase(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct store_purchase_request buy = { .quantity = 1 };
	struct store_purchase purchase;
	struct store_service service;

	if (!json_read(call->arguments, &BUY_FIELDS, &buy, err) ||
	    !check_what(call->arguments, &buy, err) || !apply_consent(call, &buy, err))
		return false;
	if (!store_purchase_create(call->st, call->account, &buy, &purchase, &service, err))
		return explain(call, &buy, err);
	json_put_object(out, NULL);
	put_purchase(out, "purchase", &purchase);
	json_put_object(out, "service");
	json_put_str(out, "id", id_str(&service.id));
	json_put_z(out, "serviceType", service.service_type);
	json_put_z(out, "displayName", service.display_name);
	json_put_z(out, "status", service.status);
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape SERVICE_MEMBERS[] = {
	{ .name = "id", .type = MCP__TEXT, .doc = "serviceId for the service and router tools." },
	{ .name = "serviceType", .type = MCP__TEXT, .doc = "llm_router" },
	{ .name = "displayName", .type = MCP__TEXT, .doc = "Name for people." },
	{ .name = "status", .type = MCP__TEXT, .doc = "active" },
};
static const struct mcp__shapes SERVICE_SHAPES = MCP__SHAPES(SERVICE_MEMBERS);
static const struct mcp__shape BOUGHT_MEMBERS[] = {
	{ .name = "purchase",
	  .type = MCP__OBJECT,
	  .doc = "The purchase.",
	  .sub = &PURCHASE_SHAPES },
	{ .name = "service",
	  .type = MCP__OBJECT,
	  .doc = "The service that holds what was bought.",
	  .sub = &SERVICE_SHAPES },
};
static const struct mcp__shapes BOUGHT_SHAPES = MCP__SHAPES(BOUGHT_MEMBERS);

const struct mcp__tool mcp__tool_purchase_create = {
	.name = "purchase_create",
	.title = "Buy",
	.description = "Buys a quote, or an item directly. Spends money: the price leaves the "
		       "account's wallet at once and cannot be taken back. Above the account's "
		       "approval limit the host's user is asked first; a no is final. Credit goes "
		       "into the account's one pool. Repeating the call with the same "
		       "idempotencyKey and arguments returns the same purchase and charges "
		       "nothing. Next step: router_api_key_create with service.id.",
	.hints = { .read_only = false, .destructive = true, .idempotent = true },
	.needs_account = true,
	.durable = true,
	.input = &BUY_FIELDS,
	.output = &BOUGHT_SHAPES,
	.run = create_purchase,
};

/* ---- purchase_get_status ---- */

struct which {
	struct str purchase_id;
};

static const struct json_field WHICH_FIELD[] = {
	{ .name = "purchaseId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct which, purchase_id),
	  .required = true,
	  .doc = "Id from purchase_create (purchase_...)." },
};
static const struct json_fields WHICH_FIELDS = JSON_FIELDS(WHICH_FIELD);

static bool get_status(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct which which = { 0 };
	struct store_purchase purchase;

	if (!json_read(call->arguments, &WHICH_FIELDS, &which, err) ||
	    !store_purchase_find(call->st, call->account, which.purchase_id, &purchase, err))
		return false;
	json_put_object(out, NULL);
	put_purchase(out, "purchase", &purchase);
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape STATUS_MEMBERS[] = {
	{ .name = "purchase",
	  .type = MCP__OBJECT,
	  .doc = "As purchase_create returned it: status, totalPriceMinor, quoteId, serviceId." },
};
static const struct mcp__shapes STATUS_SHAPES = MCP__SHAPES(STATUS_MEMBERS);

const struct mcp__tool mcp__tool_purchase_get_status = {
	.name = "purchase_get_status",
	.title = "Look a purchase up",
	.description = "Shows a purchase of this account by its id, for example after an answer "
		       "was lost. Free. Purchases stay known for ever.",
	.hints = MCP__LOOK_ONLY,
	.needs_account = true,
	.input = &WHICH_FIELDS,
	.output = &STATUS_SHAPES,
	.run = get_status,
};
