/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of a router key, as its maker asks for them. Model ids are not looked up: which models
 * there are is configuration and may change, and a name that no model has allows nothing. */
#include "base/limits.h"
#include "store/office.h"
#include "store/shop.h"

/* Of requests per minute and of calls at once: far above what one machine serves. */
#define MAX_RATE 1000000

static bool check_count(const char *what, int64_t n, struct err *err)
{
	if (n >= 0 && n <= MAX_RATE)
		return true;
	return err_set(err, ERR_INVALID_ARGUMENT, "%s must be 1 to %d, or 0 for no limit", what,
	               MAX_RATE);
}

static bool check_models(const struct json *models, struct err *err)
{
	if (!json_is(models, JSON_ARRAY) || json_count(models) < 1 ||
	    json_count(models) > LIMIT_ALLOWED_MODELS)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "allowedModels must be a list of 1 to %d model ids",
		               LIMIT_ALLOWED_MODELS);
	for (const struct json *at = json_first(models); at; at = json_next(at)) {
		struct str id = json_text(at);

		if (!id.p || id.len < 1 || id.len > LIMIT_MODEL_ID)
			return err_set(err, ERR_INVALID_ARGUMENT,
			               "each of allowedModels must be a text of 1 to %d bytes",
			               LIMIT_MODEL_ID);
	}
	return true;
}

bool store__key_limits_check(const struct store *st, const struct store_key_limits *limits,
                             struct buf *allowed_models, struct err *err)
{
	if (money_cmp(limits->spend_limit, MONEY_ZERO) == 0)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "spendLimitUsd must be more than 0; leave it out for no limit");
	if (limits->expires_ms != 0 && limits->expires_ms <= store__now(st))
		return err_set(err, ERR_INVALID_ARGUMENT, "expiresAt must be in the future");
	if (!check_count("requestsPerMinute", limits->requests_per_minute, err) ||
	    !check_count("maxConcurrent", limits->max_concurrent, err))
		return false;
	if (!limits->allowed_models)
		return true;
	return check_models(limits->allowed_models, err) &&
	       json_canonical(limits->allowed_models, allowed_models, err);
}

/* ---- As JSON ---- */

static const struct json_field LIMIT_FIELD[] = {
	{ .name = "spendLimitUsd",
	  .type = JSON_FIELD_USD,
	  .offset = offsetof(struct store_key_limits, spend_limit),
	  .min = 0,
	  .max = LIMIT_FUND_MAX_CENTS,
	  .doc = "Most that the key may ever spend, in USD." },
	{ .name = "expiresAt",
	  .type = JSON_FIELD_TIME,
	  .offset = offsetof(struct store_key_limits, expires_ms),
	  .doc = "RFC 3339 time after which the key is dead." },
	{ .name = "allowedModels",
	  .type = JSON_FIELD_LIST,
	  .offset = offsetof(struct store_key_limits, allowed_models),
	  .min = 1,
	  .max = LIMIT_ALLOWED_MODELS,
	  .doc = "Only these model ids; all if left out." },
	{ .name = "requestsPerMinute",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct store_key_limits, requests_per_minute),
	  .min = 1,
	  .max = 1000000,
	  .doc = "Calls that may start in a minute." },
	{ .name = "maxConcurrent",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct store_key_limits, max_concurrent),
	  .min = 1,
	  .max = 10000,
	  .doc = "Calls that may run at once." },
	{ .name = "lowerOutput",
	  .type = JSON_FIELD_BOOL,
	  .offset = offsetof(struct store_key_limits, lower_output),
	  .doc = "Lower the output limit of a call to what the balance can pay, not refuse it." },
};
const struct json_fields store_key_limit_fields = JSON_FIELDS(LIMIT_FIELD);

void store_key_limits_put(struct json_out *out, const char *key, const struct store_key_info *info)
{
	json_put_object(out, key);
	if (!money_is_negative(info->spend_limit))
		json_put_usd_number(out, "spendLimitUsd", info->spend_limit);
	if (info->expires_ms != 0)
		json_put_time(out, "expiresAt", info->expires_ms);
	if (info->allowed_models.p)
		json_put_raw(out, "allowedModels", info->allowed_models);
	if (info->requests_per_minute != 0)
		json_put_i64(out, "requestsPerMinute", info->requests_per_minute);
	if (info->max_concurrent != 0)
		json_put_i64(out, "maxConcurrent", info->max_concurrent);
	if (info->lower_output)
		json_put_bool(out, "lowerOutput", true);
	json_put_end(out, '}');
}
