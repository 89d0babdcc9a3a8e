/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in and out. A page that asks for the cookie does not get the token: no script can then
 * read or lose it. Everybody else gets the token and no cookie. */
#include "router/api_parts.h"

/* ---- Buyers ---- */

struct sign_in {
	struct str key;
};
static const struct json_field SIGN_IN[] = {
	{ .name = "key",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct sign_in, key),
	  .required = true,
	  .min = 1,
	  .max = KEY_TEXT_MAX - 1,
	  .doc = "a purchase, route or router key" },
};
const struct json_fields api_sign_in_fields = JSON_FIELDS(SIGN_IN);

static void put_token(struct api_call *c, struct json_out *out, const char *name, const char *path,
                      const struct secret *token)
{
	json_put_str(out, "sessionToken", c->with_cookie ? (struct str){ 0 } : secret_str(token));
	if (c->with_cookie)
		api_set_cookie(c, name, path, secret_str(token));
}

bool api_sign_in(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	OWN_SECRET struct secret token = { 0 };
	struct sign_in in = { .key = { 0 } };

	if (!api_read(c, &in, err) || !store_session_create(st, in.key, &c->session, &token, err))
		return false;
	api_begin_item(out);
	put_token(c, out, "agent_store_session", "/", &token);
	json_put_str(out, "buyerId", id_str(&c->session.account));
	json_put_time(out, "expiresAt", c->session.expires_ms);
	json_put_z(out, "kind", key_kind_name(c->session.kind));
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

static void put_signed_out(struct json_out *out)
{
	api_begin_item(out);
	json_put_z(out, "status", "signed_out");
	json_put_end(out, '}');
	json_put_end(out, '}');
}

bool api_sign_out(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	if (!store_session_end(st, secret_str(&c->token), err))
		return false;
	if (c->with_cookie)
		api_set_cookie(c, "agent_store_session", "/", (struct str){ 0 });
	put_signed_out(out);
	return true;
}

/* ---- The operator ---- */

struct admin_sign_in {
	struct str token;
};
static const struct json_field ADMIN_SIGN_IN[] = {
	{ .name = "token",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct admin_sign_in, token),
	  .required = true,
	  .min = 1,
	  .max = 4096,
	  .doc = "ADMIN_TOKEN" },
};
const struct json_fields api_admin_sign_in_fields = JSON_FIELDS(ADMIN_SIGN_IN);

bool api_admin_sign_in(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	OWN_SECRET struct secret token = { 0 };
	struct admin_sign_in in = { .token = { 0 } };
	int64_t expires_ms;

	if (!api_read(c, &in, err))
		return false;
	if (!api_is_admin_token(c->r, in.token))
		return err_set(err, ERR_UNAUTHORIZED, "this is not the admin token");
	if (!store_admin_session_create(st, in.token, &token, &expires_ms, err))
		return false;
	api_begin_item(out);
	put_token(c, out, "agent_store_admin", "/admin", &token);
	json_put_time(out, "expiresAt", expires_ms);
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

bool api_admin_sign_out(struct api_call *c, struct store *st, struct json_out *out, struct err *err)
{
	if (!c->is_admin && !store_admin_session_end(st, secret_str(&c->token), err))
		return false;
	if (c->with_cookie)
		api_set_cookie(c, "agent_store_admin", "/admin", (struct str){ 0 });
	put_signed_out(out);
	return true;
}
