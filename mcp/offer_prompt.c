/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts, which hosts show as commands: a person picks one, and the model gets a task that names
 * the tools in their order. Numbers and dates that a model would have to guess are worked out
 * here. */
#include "base/id.h"
#include "base/limits.h"
#include "base/money.h"
#include "mcp/offer.h"

#define DAY_MS INT64_C(86400000)
#define TASK_MAX 4096
#define ARGUMENT_MAX 256

struct prompt {
	const char *name, *title, *description;
	struct {
		const char *name, *description;
		bool required;
		const char *const *values; /* completions; NULL: none */
		const char *completes;     /* or how the shop completes it */
	} argument;                        /* each has one */
	/* Writes the task. ERR_INVALID_ARGUMENT if the value is none that it takes. */
	bool (*write)(const struct env *env, struct str value, struct buf *out, struct err *err);
};

/* ---- buy-credit ---- */

static const char *const AMOUNTS[] = { "5", "10", "25", "50", "100", NULL };

static bool write_buy(const struct env *env, struct str value, struct buf *out, struct err *err)
{
	struct id key = id_make(env, ID_REQUEST);
	struct money amount;
	int64_t cents;
	char usd[MONEY_TEXT_MAX];

	if (!money_parse_usd(value, 2, &amount, NULL) || !money_to_cents(amount, &cents) ||
	    cents < LIMIT_CREDIT_MIN_CENTS || cents > LIMIT_CREDIT_MAX_CENTS)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'amountUsd' must be an amount of 1 to 10000 USD, such as 25 or "
		               "12.50");
	money_format_usd(amount, usd);
	buf_addf(out,
	         "Buy LLM router credit for %s USD with the store's tools.\n"
	         "1. wallet_get: if the wallet has less than %s USD, stop and tell me what is "
	         "missing.\n"
	         "2. quote_create with catalogItemId cat_router_credit_001 and configuration "
	         "creditAmountUsd %s. Tell me the price. If its policyVerdict says "
	         "policy_refused, stop and tell me which rule it is.\n"
	         "3. purchase_create with the quote's id and idempotencyKey buy-%s. I may be "
	         "asked to approve it; if I decline, stop.\n"
	         "4. service_get: tell me the credit that there is now, and the purchase's id. "
	         "Make no key unless I ask for one.\n",
	         usd, usd, usd, key.text);
	return true;
}

/* ---- check-spending ---- */

static const char *const PERIODS[] = { "today", "yesterday", "week", "month", "all", NULL };

static const struct {
	int64_t from_days, to_days; /* before tomorrow's midnight UTC; 0 and 0: no bounds */
} SPANS[] = { { 1, 0 }, { 2, 1 }, { 7, 0 }, { 30, 0 }, { 0, 0 } };

static bool find_period(struct str value, size_t *out, struct err *err)
{
	for (size_t i = 0; PERIODS[i]; i++) {
		if (str_eq(value, str_of(PERIODS[i]))) {
			*out = i;
			return true;
		}
	}
	return err_set(err, ERR_INVALID_ARGUMENT,
	               "'period' must be today, yesterday, week, month or all");
}

static bool write_spending(const struct env *env, struct str value, struct buf *out,
                           struct err *err)
{
	int64_t tomorrow_ms = (env_now_ms(env) / DAY_MS + 1) * DAY_MS;
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
	size_t period = 0;

	if (!find_period(value.len > 0 ? value : STR("week"), &period, err))
		return false;
	buf_addf(out, "Tell me what was spent on LLM calls (period: %s).\n", PERIODS[period]);
	buf_add(out, STR("1. service_list finds the services; wallet_get has the money that is "
	                 "left to buy with.\n2. For each service router_usage_get with groupBy "
	                 "model, and again with groupBy key"));
	if (SPANS[period].from_days > 0) {
		time_format(tomorrow_ms - SPANS[period].from_days * DAY_MS, from);
		time_format(tomorrow_ms - SPANS[period].to_days * DAY_MS, to);
		buf_addf(out, ", from %s to %s", from, to);
	}
	buf_add(out, STR(".\n3. Show me one table by model and one by key, dearest first, with "
	                 "requests, tokens and USD (1000000 buyerChargeUsdMicros are 1 USD), the "
	                 "total, and the credit that is left. Say if a key or a model stands out. "
	                 "Change nothing.\n"));
	return true;
}

/* ---- rotate-key ---- */

static bool write_rotate(const struct env *env, struct str value, struct buf *out, struct err *err)
{
	(void)env;
	(void)err;
	buf_add(out, STR("Replace a router key of mine by a new one.\n"
	                 "1. service_list, then router_api_key_list for each service.\n2. "));
	if (value.len > 0) {
		buf_add(out, STR("Find the active key with the label \""));
		buf_add(out, value);
		buf_add(out, STR("\". If there is none, or more than one, show me the active keys "
		                 "with label, lookup and lastUsedAt and ask which I mean.\n"));
	} else {
		buf_add(out,
		        STR("Show me the active keys with label, lookup and lastUsedAt and ask "
		            "which one to replace.\n"));
	}
	buf_add(out,
	        STR("3. Tell me that the old key stops working at once, and which programs I should "
	            "think of (its label tells); go on when I agree.\n"
	            "4. router_api_key_rotate with that id and deliver \"file\". If that is refused "
	            "because no folder is allowed, ask me whether the new key may appear here, and "
	            "then rotate without deliver.\n"
	            "5. Tell me where the new key is, and never repeat it.\n"));
	return true;
}

/* ---- The table ---- */

static const struct prompt PROMPTS[] = {
	{ .name = "buy-credit",
	  .title = "Buy LLM credit",
	  .description = "Buys router credit from the wallet, after telling you the price.",
	  .argument = { "amountUsd", "How much, in USD: 1 to 10000, such as 25", true, AMOUNTS,
	                NULL },
	  .write = write_buy },
	{ .name = "check-spending",
	  .title = "Check LLM spending",
	  .description = "Shows what was spent, by model and by key, and what is left.",
	  .argument = { "period", "today, yesterday, week (if left out), month or all", false,
	                PERIODS, NULL },
	  .write = write_spending },
	{ .name = "rotate-key",
	  .title = "Rotate a router key",
	  .description = "Replaces a router key by a new one; the old one stops working.",
	  .argument = { "keyLabel", "Label of the key; you are asked if left out", false, NULL,
	                "keyLabel" },
	  .write = write_rotate },
};

static const struct prompt *find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(PROMPTS); i++)
		if (str_eq(name, str_of(PROMPTS[i].name)))
			return &PROMPTS[i];
	return NULL;
}

bool mcp__prompt_completes(struct str prompt, struct str argument, const char *const **list,
                           const char **of)
{
	const struct prompt *p = find(prompt);

	if (!p)
		return false;
	if (str_eq(argument, str_of(p->argument.name))) {
		*list = p->argument.values;
		*of = p->argument.completes;
	}
	return true;
}

void mcp__put_prompts(void *data, struct json_out *o, const char *key)
{
	(void)data; /* the list depends on nobody */
	json_put_array(o, key);
	for (size_t i = 0; i < ARRAY_LEN(PROMPTS); i++) {
		const struct prompt *p = &PROMPTS[i];

		json_put_object(o, NULL);
		json_put_z(o, "name", p->name);
		json_put_z(o, "title", p->title);
		json_put_z(o, "description", p->description);
		json_put_array(o, "arguments");
		json_put_object(o, NULL);
		json_put_z(o, "name", p->argument.name);
		json_put_z(o, "description", p->argument.description);
		json_put_bool(o, "required", p->argument.required);
		json_put_end(o, '}');
		json_put_end(o, ']');
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
}

/* ---- Getting one ---- */

/* The one argument; other names are refused, as their values would be lost. */
static bool read_value(const struct mcp__request *r, const struct prompt *p, struct buf *value,
                       struct err *err)
{
	struct str raw = mcp__request_arguments(r);
	OWN_JSON struct json *arguments = json_parse(raw.p ? raw : STR("{}"), err);
	struct str text = { 0 };
	struct json_field field = { .name = p->argument.name,
		                    .type = JSON_FIELD_STR,
		                    .required = p->argument.required,
		                    .max = ARGUMENT_MAX };
	const struct json_fields fields = { &field, 1 };

	if (!arguments || !json_read(arguments, &fields, &text, err))
		return false;
	if (text.p)
		buf_add(value, text);
	return true;
}

static void send_task(struct mcp__request *r, const struct prompt *p, struct str task)
{
	struct json_out *o = mcp__result_begin(r, 2 * task.len);
	struct err err;

	json_put_z(o, "description", p->description);
	json_put_array(o, "messages");
	json_put_object(o, NULL);
	json_put_z(o, "role", "user");
	json_put_object(o, "content");
	json_put_z(o, "type", "text");
	json_put_str(o, "text", task);
	json_put_end(o, '}');
	json_put_end(o, '}');
	json_put_end(o, ']');
	if (!mcp__result_send(r, &err))
		mcp__request_fail(r, RPC_INTERNAL_ERROR, err.text, (struct str){ 0 });
}

void mcp__prompt_get(struct mcp__request *r, const struct env *env)
{
	const struct prompt *p = find(mcp__request_name(r));
	OWN_BUF struct buf value = buf_make(ARGUMENT_MAX);
	OWN_BUF struct buf task = buf_make(TASK_MAX);
	struct err err;

	if (!p)
		mcp__request_fail(r, RPC_INVALID_PARAMS,
		                  "'name' must be the name of a prompt of prompts/list",
		                  (struct str){ 0 });
	else if (!read_value(r, p, &value, &err) || !p->write(env, buf_str(&value), &task, &err))
		mcp__request_fail(r, RPC_INVALID_PARAMS, err.text, (struct str){ 0 });
	else
		send_task(r, p, buf_str(&task));
}

/* ---- The reference ---- */

void mcp__prompts_put_markdown(struct buf *out)
{
	buf_add(out, STR("| prompt | argument | |\n|---|---|---|\n"));
	for (size_t i = 0; i < ARRAY_LEN(PROMPTS); i++)
		buf_addf(out, "| `%s` | `%s`: %s | %s |\n", PROMPTS[i].name,
		         PROMPTS[i].argument.name, PROMPTS[i].argument.description,
		         PROMPTS[i].description);
	buf_add_char(out, '\n');
}
