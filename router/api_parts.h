/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers by story, for the table of routes. */
#ifndef ROUTER_API_PARTS_H
#define ROUTER_API_PARTS_H

#include "router/api.h"

/* api_session.c */
extern const struct json_fields api_sign_in_fields, api_admin_sign_in_fields;
bool api_sign_in(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_sign_out(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_admin_sign_in(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_admin_sign_out(struct api_call *c, struct store *st, struct json_out *out,
                        struct err *err);

/* api_buyer.c */
bool api_me(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_credits(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
void api_buyer_models(struct api_call *c);

/* api_usage.c */
extern const struct json_fields api_usage_fields, api_requests_fields;
bool api_usage(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_requests(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_request(struct api_call *c, struct store *st, struct json_out *out, struct err *err);

/* api_keys.c */
extern const struct json_fields api_key_fields, api_key_search_fields;
bool api_keys(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_key_create(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_key_rotate(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_key_revoke(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_route_key_rotate(struct api_call *c, struct store *st, struct json_out *out,
                          struct err *err);
bool api_admin_keys(struct api_call *c, struct store *st, struct json_out *out, struct err *err);

/* api_events.c */
bool api_events_load(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
void api_events_begin(struct api_call *c);

/* api_accounts.c */
extern const struct json_fields api_account_fields, api_account_search_fields, api_fund_fields,
	api_policy_fields;
bool api_accounts(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_account(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_account_create(struct api_call *c, struct store *st, struct json_out *out,
                        struct err *err);
bool api_account_fund(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
bool api_account_policy(struct api_call *c, struct store *st, struct json_out *out,
                        struct err *err);
bool api_account_freeze(struct api_call *c, struct store *st, struct json_out *out,
                        struct err *err);
bool api_account_unfreeze(struct api_call *c, struct store *st, struct json_out *out,
                          struct err *err);

/* api_books.c */
extern const struct json_fields api_audit_fields;
bool api_verify(struct api_call *c, struct store *st, struct json_out *out, struct err *err);
void api_verified(struct api_call *c);
void api_last_verification(struct api_call *c);
bool api_audit(struct api_call *c, struct store *st, struct json_out *out, struct err *err);

/* api_state.c */
void api_status(struct api_call *c);
void api_upstreams(struct api_call *c);
void api_admin_models(struct api_call *c);
void api_errors(struct api_call *c);

/* api_metrics.c, api_openapi.c */
void api_metrics(struct api_call *c);
void api_openapi(struct api_call *c);

#endif
