/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of the API, one line each, in the order of docs/openapi.json. */
#include "router/api_parts.h"

#define LOOK(path, who, fields, run, then)                                  \
	{                                                                   \
		"GET", path, who, API_LOOK, false, false, fields, run, then \
	}
#define CHANGE(method, path, who, right, fields, run)                    \
	{                                                                \
		method, path, who, right, true, false, fields, run, NULL \
	}
#define SIGN_IN(path, fields, run)                                                 \
	{                                                                          \
		"POST", path, API_ANYBODY, API_LOOK, true, true, fields, run, NULL \
	}

const struct api_route api_routes[] = {
	SIGN_IN("/buyer/session", &api_sign_in_fields, api_sign_in),
	CHANGE("DELETE", "/buyer/session", API_BUYER, API_LOOK, NULL, api_sign_out),
	LOOK("/buyer/me", API_BUYER, NULL, api_me, NULL),
	LOOK("/buyer/usage", API_BUYER, &api_usage_fields, api_usage, NULL),
	LOOK("/buyer/requests", API_BUYER, &api_requests_fields, api_requests, NULL),
	LOOK("/buyer/requests/{id}", API_BUYER, NULL, api_request, NULL),
	LOOK("/buyer/credits", API_BUYER, NULL, api_credits, NULL),
	LOOK("/buyer/models", API_BUYER, NULL, NULL, api_buyer_models),
	LOOK("/buyer/keys", API_BUYER, NULL, api_keys, NULL),
	CHANGE("POST", "/buyer/keys", API_BUYER, API_MANAGE, &api_key_fields, api_key_create),
	CHANGE("POST", "/buyer/keys/{id}/rotate", API_BUYER, API_MANAGE, NULL, api_key_rotate),
	CHANGE("POST", "/buyer/keys/{id}/revoke", API_BUYER, API_MANAGE, NULL, api_key_revoke),
	CHANGE("POST", "/buyer/rotate-api-key", API_BUYER, API_ROTATE, NULL, api_route_key_rotate),
	LOOK("/buyer/events", API_BUYER, NULL, api_events_load, api_events_begin),

	SIGN_IN("/admin/session", &api_admin_sign_in_fields, api_admin_sign_in),
	CHANGE("DELETE", "/admin/session", API_ADMIN, API_LOOK, NULL, api_admin_sign_out),
	LOOK("/admin/status", API_ADMIN, NULL, NULL, api_status),
	LOOK("/admin/accounts", API_ADMIN, &api_account_search_fields, api_accounts, NULL),
	CHANGE("POST", "/admin/accounts", API_ADMIN, API_LOOK, &api_account_fields,
	       api_account_create),
	LOOK("/admin/accounts/{id}", API_ADMIN, NULL, api_account, NULL),
	CHANGE("POST", "/admin/accounts/{id}/fund", API_ADMIN, API_LOOK, &api_fund_fields,
	       api_account_fund),
	CHANGE("PUT", "/admin/accounts/{id}/policy", API_ADMIN, API_LOOK, &api_policy_fields,
	       api_account_policy),
	CHANGE("POST", "/admin/accounts/{id}/freeze", API_ADMIN, API_LOOK, NULL,
	       api_account_freeze),
	CHANGE("POST", "/admin/accounts/{id}/unfreeze", API_ADMIN, API_LOOK, NULL,
	       api_account_unfreeze),
	LOOK("/admin/keys", API_ADMIN, &api_key_search_fields, api_admin_keys, NULL),
	CHANGE("POST", "/admin/keys/{id}/revoke", API_ADMIN, API_LOOK, NULL, api_key_revoke),
	CHANGE("POST", "/admin/keys/{id}/rotate", API_ADMIN, API_LOOK, NULL, api_key_rotate),
	LOOK("/admin/upstreams", API_ADMIN, NULL, NULL, api_upstreams),
	LOOK("/admin/models", API_ADMIN, NULL, NULL, api_admin_models),
	LOOK("/admin/errors", API_ADMIN, NULL, NULL, api_errors),
	LOOK("/admin/ledger", API_ADMIN, NULL, NULL, api_last_verification),
	{ "POST", "/admin/ledger/verify", API_ADMIN, API_LOOK, true, false, NULL, api_verify,
	  api_verified },
	LOOK("/admin/audit", API_ADMIN, &api_audit_fields, api_audit, NULL),

	LOOK("/metrics", API_METRICS, NULL, NULL, api_metrics),
	LOOK("/openapi.json", API_ANYBODY, NULL, NULL, api_openapi),
};
const size_t api_route_count = ARRAY_LEN(api_routes);
