/* SPDX-License-Identifier: Apache-2.0 */
/* The books as the operator checks them: a verification on demand, whose last result stays until
 * the process ends, and the audit log. */
#include <string.h>

#include "router/api_parts.h"

#define VERDICT_MAX 4096
#define AUDIT_DEFAULT 25
#define AUDIT_MAX 100

/* ---- The ledger ---- */

bool api_verify(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	int64_t began_us = env_mono_us(c->r->options.env);
	struct store_verdict v;

	if (!store_ledger_verify(st, &v, err))
		return false;
	api_begin_item(out);
	json_put_bool(out, "ok", v.problem[0] == '\0');
	json_put_time(out, "at", env_now_ms(c->r->options.env));
	json_put_i64(out, "ms", (env_mono_us(c->r->options.env) - began_us) / 1000);
	json_put_i64(out, "accounts", v.accounts);
	json_put_i64(out, "entries", v.entries);
	json_put_i64(out, "transactions", v.transactions);
	json_put_i64(out, "receipts", v.receipts);
	json_put_i64(out, "differenceUsdMicros", money_micros(v.difference));
	json_put_z(out, "problem", v.problem[0] == '\0' ? NULL : v.problem);
	json_put_z(out, "by", c->who);
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

void api_verified(struct api_call *c)
{
	struct buf *kept = &c->r->verified;

	if (kept->max == 0)
		*kept = buf_make(VERDICT_MAX);
	buf_reset(kept);
	buf_add(kept, buf_str(&c->out.text));
	api_answer(c);
}

void api_last_verification(struct api_call *c)
{
	if (c->r->verified.len > 0) {
		json_put_raw(&c->out, NULL, buf_str(&c->r->verified));
	} else {
		json_put_object(&c->out, NULL);
		json_put_null(&c->out, "item");
		json_put_end(&c->out, '}');
	}
	api_answer(c);
}

/* ---- The audit log ---- */

struct audit_query {
	struct str before, subject;
	int64_t limit;
};
static const struct json_field AUDIT[] = {
	{ .name = "limit",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct audit_query, limit),
	  .min = 1,
	  .max = AUDIT_MAX,
	  .doc = "how many" },
	{ .name = "before",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct audit_query, before),
	  .min = 1,
	  .max = 20,
	  .doc = "the nextCursor of an earlier answer" },
	{ .name = "subject",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct audit_query, subject),
	  .min = 1,
	  .max = ID_TEXT_MAX - 1,
	  .doc = "only this object" },
};
const struct json_fields api_audit_fields = JSON_FIELDS(AUDIT);

struct audit_list {
	struct json_out *out;
	int64_t count, limit, last;
	bool more;
};

static void put_side(struct json_out *out, const char *key, struct str json)
{
	if (json.p)
		json_put_raw(out, key, json);
	else
		json_put_null(out, key);
}

static void put_entry(void *data, const struct store_audit *e)
{
	struct audit_list *l = data;

	l->more = l->count == l->limit; /* one more was asked for than is shown */
	if (l->more)
		return;
	l->count++;
	l->last = e->id;
	json_put_object(l->out, NULL);
	json_put_i64(l->out, "id", e->id);
	json_put_time(l->out, "at", e->created_ms);
	json_put_str(l->out, "who", e->who);
	json_put_str(l->out, "what", e->what);
	json_put_str(l->out, "subject", e->subject);
	put_side(l->out, "before", e->before);
	put_side(l->out, "after", e->after);
	json_put_end(l->out, '}');
}

static void put_next(struct json_out *out, const struct audit_list *l)
{
	OWN_BUF struct buf text = buf_make(32);

	buf_add_i64(&text, l->last);
	json_put_str(out, "nextCursor", l->more ? buf_str(&text) : (struct str){ 0 });
}

bool api_audit(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	struct audit_query in = { .limit = AUDIT_DEFAULT };
	int64_t below = 0;

	if (!api_read(c, &in, err))
		return false;
	if (in.before.p && (!str_to_i64(in.before, &below) || below < 1))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'before' must be the nextCursor of an earlier answer");
	struct audit_list l = { .out = out, .limit = in.limit };
	api_begin_items(out);
	if (!store_audit_each(st, in.subject, below, (size_t)in.limit + 1, put_entry, &l, err))
		return false;
	json_put_end(out, ']');
	put_next(out, &l);
	json_put_end(out, '}');
	return true;
}
