/* SPDX-License-Identifier: Apache-2.0 */
/* Views: read like tools, listed nowhere. */
#include "mcp/view.h"

#include "base/limits.h"

/* ---- pricing ---- */

static void put_credit_terms(struct json_out *out)
{
	struct money least = MONEY_ZERO, most = MONEY_ZERO;

	json_put_object(out, "credit");
	if (money_of_cents(&least, LIMIT_CREDIT_MIN_CENTS) &&
	    money_of_cents(&most, LIMIT_CREDIT_MAX_CENTS)) {
		json_put_usd_number(out, "minimumUsd", least);
		json_put_usd_number(out, "maximumUsd", most);
	}
	json_put_z(out, "price", "One dollar of credit costs one dollar; there is no fee.");
	json_put_i64(out, "quoteMinutes", LIMIT_QUOTE_MS / 60000);
	json_put_z(out, "refunds", "None: a purchase moves money for good.");
	json_put_end(out, '}');
}

static bool show_pricing(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	const struct store_models *models = call->shop->models;

	if (!json_read(call->arguments, &mcp__no_fields, NULL, err))
		return false;
	json_put_object(out, NULL);
	json_put_z(out, "currency", "usd");
	put_credit_terms(out);
	json_put_z(out, "unit", "USD per million tokens, by token class; null: not offered");
	json_put_z(out, "rounding",
	           "A call's charge is rounded up once, to a millionth of a dollar.");
	json_put_array(out, "models");
	for (size_t i = 0; i < store_models_count(models); i++)
		if (store_model_routable(models, store_models_at(models, i)))
			mcp__put_model(out, NULL, models, store_models_at(models, i));
	json_put_end(out, ']');
	json_put_end(out, '}');
	return true;
}

static const struct mcp__tool PRICING = {
	.name = "pricing",
	.input = &mcp__no_fields,
	.run = show_pricing,
};

/* ---- model ---- */

struct model_argument {
	struct str id;
};

static const struct json_field MODEL_FIELD[] = {
	{ .name = "id",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct model_argument, id),
	  .required = true,
	  .doc = "Id of a model." },
};
static const struct json_fields MODEL_FIELDS = JSON_FIELDS(MODEL_FIELD);

static bool show_model(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	const struct store_models *models = call->shop->models;
	struct model_argument wanted = { 0 };
	const struct store_model *model;

	if (!json_read(call->arguments, &MODEL_FIELDS, &wanted, err))
		return false;
	model = store_models_find(models, wanted.id);
	if (!model || !store_model_routable(models, model))
		return err_set(err, ERR_NOT_FOUND, "there is no model '%.*s' that can be called",
		               STR_ARG(wanted.id));
	json_put_object(out, NULL);
	mcp__put_model(out, "model", models, model);
	json_put_end(out, '}');
	return true;
}

static const struct mcp__tool MODEL = {
	.name = "model",
	.input = &MODEL_FIELDS,
	.run = show_model,
};

/* ---- completion ---- */

static const char *const COMPLETED[] = { "service", "receipt", "model", "keyLabel", NULL };

struct completion {
	struct json_out *out;
	struct str of, start;
	int64_t total; /* also those that are not shown */
};

static const struct json_field COMPLETION_FIELD[] = {
	{ .name = "of",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct completion, of),
	  .required = true,
	  .choices = COMPLETED,
	  .doc = "What kind of name." },
	{ .name = "value",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct completion, start),
	  .required = true,
	  .doc = "What it starts with." },
};
static const struct json_fields COMPLETION_FIELDS = JSON_FIELDS(COMPLETION_FIELD);

static void begin_completion(struct completion *c)
{
	json_put_object(c->out, NULL);
	json_put_object(c->out, "completion");
	json_put_array(c->out, "values");
}

static void add_value(struct completion *c, struct str value)
{
	if (!str_starts(value, c->start))
		return;
	if (c->total++ < MCP__COMPLETIONS_MAX)
		json_put_str(c->out, NULL, value);
}

static void end_completion(struct completion *c)
{
	json_put_end(c->out, ']');
	json_put_i64(c->out, "total", c->total);
	json_put_bool(c->out, "hasMore", c->total > MCP__COMPLETIONS_MAX);
	json_put_end(c->out, '}');
	json_put_end(c->out, '}');
}

void mcp__put_completion(struct json_out *o, const char *const *list, struct str start)
{
	struct completion c = { .out = o, .start = start };

	begin_completion(&c);
	for (; *list; list++)
		add_value(&c, str_of(*list));
	end_completion(&c);
}

static void add_service(void *data, const struct store_service *service)
{
	add_value(data, id_str(&service->id));
}

static void add_receipt(void *data, struct str request_id)
{
	add_value(data, request_id);
}

/* Dead keys cannot be rotated. */
static void add_label(void *data, const struct store_key_info *key)
{
	if (key->kind == KEY_ROUTER && !key->revoked)
		add_value(data, str_of(key->label));
}

static void add_models(struct completion *c, const struct store_models *models)
{
	for (size_t i = 0; i < store_models_count(models); i++)
		if (store_model_routable(models, store_models_at(models, i)))
			add_value(c, store_models_at(models, i)->id);
}

static bool add_values(const struct mcp__call *call, struct completion *c, struct err *err)
{
	if (str_eq(c->of, STR("model"))) {
		add_models(c, call->shop->models);
		return true;
	}
	if (str_eq(c->of, STR("service")))
		return store_service_each(call->st, call->account, add_service, c, err);
	if (str_eq(c->of, STR("receipt")))
		return store_receipt_recent(call->st, call->account, MCP__COMPLETIONS_MAX,
		                            add_receipt, c, err);
	return store_key_each(call->st, call->account, (struct str){ 0 }, add_label, c, err);
}

static bool complete(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct completion c = { .out = out };

	if (!json_read(call->arguments, &COMPLETION_FIELDS, &c, err))
		return false;
	begin_completion(&c);
	if (!add_values(call, &c, err))
		return false;
	end_completion(&c);
	return true;
}

static const struct mcp__tool COMPLETION = {
	.name = "completion",
	.needs_account = true,
	.input = &COMPLETION_FIELDS,
	.run = complete,
};

/* ---- The table ---- */

static const struct mcp__tool *const VIEWS[] = { &PRICING, &MODEL, &COMPLETION };

const struct mcp__tool *mcp__view_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(VIEWS); i++)
		if (str_eq(name, str_of(VIEWS[i]->name)))
			return VIEWS[i];
	return NULL;
}
