/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of a router key, as its maker asks for them. Model ids are not looked up: which models
 * there are is configuration and may change, and a name that no model has allows nothing. */
#include "base/limits.h"
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
