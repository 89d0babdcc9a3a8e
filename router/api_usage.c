/* SPDX-License-Identifier: Apache-2.0 */
/* What was used: sums by model, key or day, the list of requests, and one receipt. */
#include "router/api_parts.h"

#define REQUESTS_DEFAULT 25
#define RECEIPT_MAX (256u << 10)

static void put_counts(struct json_out *o, const struct token_counts *counts)
{
	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++)
		json_put_i64(o, token_class_field((enum token_class)c), counts->n[c]);
}

/* ---- GET /buyer/usage ---- */

struct usage_query {
	struct str by, service_id;
	int64_t from_ms, to_ms;
};
static const char *const GROUPS[] = { "model", "key", "day", NULL };
static const struct json_field USAGE[] = {
	{ .name = "by",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct usage_query, by),
	  .choices = GROUPS,
	  .doc = "how to group" },
	{ .name = "from",
	  .type = JSON_FIELD_TIME,
	  .offset = offsetof(struct usage_query, from_ms),
	  .doc = "from this time on" },
	{ .name = "to",
	  .type = JSON_FIELD_TIME,
	  .offset = offsetof(struct usage_query, to_ms),
	  .doc = "before this time" },
	{ .name = "serviceId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct usage_query, service_id),
	  .min = 1,
	  .max = ID_TEXT_MAX - 1,
	  .doc = "only this service" },
};
const struct json_fields api_usage_fields = JSON_FIELDS(USAGE);

static void put_usage(void *data, const struct store_usage *row)
{
	struct json_out *out = data;
	bool total = row->group.p == NULL;

	if (total) /* the last row: the list ends before it */
		json_put_end(out, ']');
	json_put_object(out, total ? "total" : NULL);
	if (!total) {
		json_put_str(out, "group", row->group);
		json_put_str(out, "label", row->label);
	}
	json_put_i64(out, "requests", row->requests);
	put_counts(out, &row->counts);
	json_put_i64(out, "buyerChargeUsdMicros", money_micros(row->charge));
	json_put_object(out, "chargeByClassUsdMicros");
	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++)
		json_put_i64(out, token_class_price_field((enum token_class)c),
		             money_micros(row->by_class[c]));
	json_put_end(out, '}');
	json_put_end(out, '}');
}

static enum usage_group group_of(struct str by)
{
	if (str_eq(by, STR("model")))
		return USAGE_BY_MODEL;
	return str_eq(by, STR("key")) ? USAGE_BY_KEY : USAGE_BY_DAY;
}

bool api_usage(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	struct usage_query in = { .by = STR("day"), .service_id = api_service(c) };
	struct str own = in.service_id;

	if (!api_read(c, &in, err))
		return false;
	if (own.p)
		in.service_id = own;
	json_put_object(out, NULL);
	json_put_str(out, "by", in.by);
	json_put_time(out, "from", in.from_ms);
	json_put_time(out, "to", in.to_ms);
	json_put_array(out, "items");
	if (!store_usage_each(st, &c->session.account, in.service_id, in.from_ms, in.to_ms,
	                      group_of(in.by), put_usage, out, err))
		return false;
	json_put_end(out, '}');
	return true;
}

/* ---- GET /buyer/requests ---- */

struct requests_query {
	struct store_request_query query;
	int64_t limit;
};
static const char *const STATUSES[] = { "settled", "released", "failed", NULL };
#define TEXT(member) offsetof(struct requests_query, query.member)
static const struct json_field REQUESTS[] = {
	{ .name = "limit",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct requests_query, limit),
	  .min = 1,
	  .max = STORE_REQUESTS_MAX,
	  .doc = "how many" },
	{ .name = "before",
	  .type = JSON_FIELD_STR,
	  .offset = TEXT(before),
	  .min = 1,
	  .max = ID_TEXT_MAX - 1,
	  .doc = "the nextCursor of an earlier answer" },
	{ .name = "q",
	  .type = JSON_FIELD_STR,
	  .offset = TEXT(q),
	  .min = 1,
	  .max = LIMIT_MODEL_ID,
	  .doc = "part of an id, model, route, upstream or label" },
	{ .name = "model",
	  .type = JSON_FIELD_STR,
	  .offset = TEXT(model),
	  .min = 1,
	  .max = LIMIT_MODEL_ID,
	  .doc = "exactly this model" },
	{ .name = "status",
	  .type = JSON_FIELD_STR,
	  .offset = TEXT(status),
	  .choices = STATUSES,
	  .doc = "how it ended" },
	{ .name = "keyId",
	  .type = JSON_FIELD_STR,
	  .offset = TEXT(key_id),
	  .min = 1,
	  .max = ID_TEXT_MAX - 1,
	  .doc = "calls of this key" },
};
const struct json_fields api_requests_fields = JSON_FIELDS(REQUESTS);

static void put_line(void *data, const struct store_request_line *line)
{
	struct json_out *out = data;

	json_put_object(out, NULL);
	json_put_str(out, "requestId", id_str(&line->id));
	json_put_time(out, "createdAt", line->created_ms);
	json_put_time(out, "settledAt", line->settled_ms);
	json_put_str(out, "model", line->model);
	json_put_str(out, "provider", line->provider);
	json_put_str(out, "upstream", line->upstream);
	json_put_str(out, "route", line->route);
	json_put_bool(out, "stream", line->stream);
	json_put_str(out, "status", line->status);
	json_put_str(out, "evidence", line->evidence);
	json_put_i64(out, "httpStatus", line->http_status);
	put_counts(out, &line->counts);
	json_put_i64(out, "buyerChargeUsdMicros", money_micros(line->charge));
	json_put_str(out, "apiKeyId", id_str(&line->key));
	json_put_str(out, "apiKeyLabel", line->key_label);
	json_put_str(out, "serviceId", id_str(&line->service));
	if (line->first_byte_ms >= 0)
		json_put_i64(out, "firstByteMs", line->first_byte_ms);
	else
		json_put_null(out, "firstByteMs");
	json_put_end(out, '}');
}

bool api_requests(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	struct requests_query in = { .limit = REQUESTS_DEFAULT };
	struct id next;

	if (!api_read(c, &in, err))
		return false;
	in.query.service_id = api_service(c);
	in.query.limit = (size_t)in.limit;
	api_begin_items(out);
	if (!store_request_each(st, &c->session.account, &in.query, put_line, out, &next, err))
		return false;
	json_put_end(out, ']');
	api_put_id(out, "nextCursor", &next);
	json_put_end(out, '}');
	return true;
}

/* ---- GET /buyer/requests/{id} ---- */

/* A router key's session sees the calls of its service. */
static bool is_visible(const struct api_call *c, struct str receipt, struct err *err)
{
	static const char *const names[] = { "serviceId" };
	struct str service = { 0 };

	if (!api_service(c).p)
		return true;
	if (!json_pick(receipt, names, &service, 1, err))
		return false;
	return json_raw_equals(service, api_service(c)) ||
	       err_set(err, ERR_NOT_FOUND, "there is no finished request '%s'", c->subject);
}

bool api_request(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	OWN_JSON_OUT struct json_out receipt = json_out_make(RECEIPT_MAX);

	if (!store_receipt_put(st, &c->session.account, str_of(c->subject), &receipt, err) ||
	    !json_out_ok(&receipt, err) || !is_visible(c, buf_str(&receipt.text), err))
		return false;
	json_put_object(out, NULL);
	json_put_raw(out, "item", buf_str(&receipt.text));
	json_put_end(out, '}');
	return true;
}
