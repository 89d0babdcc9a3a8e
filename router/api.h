/* SPDX-License-Identifier: Apache-2.0 */
/* The API under the console and the admin panel: /buyer/... and /admin/..., and what describes and
 * measures the process. One table of routes (api_routes.c), one life of a request (api.c): head,
 * body, one job on the store thread, answer. docs/openapi.json is its contract. */
#ifndef ROUTER_API_H
#define ROUTER_API_H

#include "base/json.h"
#include "router/internal.h"
#include "store/office.h"

enum api_who {
	API_ANYBODY,
	API_BUYER,  /* a session of POST /buyer/session */
	API_ADMIN,  /* ADMIN_TOKEN, or a session of POST /admin/session */
	API_METRICS /* somebody on this machine, or ADMIN_TOKEN */
};

/* What a buyer's session needs, by the key that opened it. */
enum api_right {
	API_LOOK,   /* any; a router key's sees its service alone */
	API_ROTATE, /* replace the route key: a purchase or route key */
	API_MANAGE  /* make and end keys: a purchase key */
};

struct api_call;
typedef bool api_run_fn(struct api_call *c, struct store *st, struct json_out *out,
                        struct err *err);

struct api_route {
	const char *method;
	const char *path; /* "{id}" stands for one segment */
	enum api_who who;
	enum api_right right;
	bool changes;   /* must survive a power loss; with a cookie it needs the custom header */
	bool throttled; /* takes from its peer's allowance of sign-ins, and gives back if it worked
	                 */
	/* What it takes, from the query of a GET and the body of anything else; NULL: nothing, and
	 * what comes is not read. */
	const struct json_fields *fields;
	api_run_fn *run; /* on the store thread; NULL: only asks who it is */
	/* On the loop, when `run` has succeeded; NULL: answers with what it wrote. May add to `out`
	 * and must end with api_answer, or keep the call. */
	void (*then)(struct api_call *c);
};
extern const struct api_route api_routes[];
extern const size_t api_route_count;

struct api_call {
	struct party party;
	struct router *r;
	struct net_request *rq; /* NULL: the client is gone or has been answered */
	const struct api_route *route;
	struct store_job job;
	bool working;
	bool with_cookie; /* of what it came with, and of what it wants */
	bool is_admin;    /* came with ADMIN_TOKEN itself */
	struct secret token;
	struct store_session
		session; /* a buyer's; of an operator only expires_ms, 0 with the token */
	char subject[LIMIT_ACCOUNT_NAME + 1]; /* what stood for {id} */
	char peer[64];
	char who[72]; /* for the audit log */
	struct json *args;
	struct json_out out;
	const char *content_type;  /* NULL: JSON */
	struct buf cookie;         /* a Set-Cookie value, or empty */
	struct terms *terms;       /* held */
	struct api_stream *stream; /* of /buyer/events; owned */
};

/* Takes the request if its path is one of the API's. */
bool api_head(struct router *r, struct net_request *rq);

/* Answers with `out`, frees. */
void api_answer(struct api_call *c);
void api_fail(struct api_call *c, const struct err *err);
/* Without an answer: who keeps a call for longer ends it so. */
void api_free(struct api_call *c);
void api_stream_free(struct api_stream *s); /* NULL is fine */

/* In a time that tells nothing of where the two differ. */
bool api_is_admin_token(const struct router *r, struct str text);
/* Reads the arguments; absent ones leave what is there. */
MUST_CHECK bool api_read(const struct api_call *c, void *out, struct err *err);
/* Of the session of a router key; absent: all of the account's. */
struct str api_service(const struct api_call *c);
/* Sets, or with an absent token takes away, the session's cookie. */
void api_set_cookie(struct api_call *c, const char *name, const char *path, struct str token);
/* The head of every answer: no-store, strict policies. `type` is its Content-Type. Returns how many
 * fields it has put. */
#define API_HEADERS 5
size_t api_headers(struct net_header *h, const char *type);

/* From the query's text to the object that `fields` describe: numbers where they want numbers. */
MUST_CHECK struct json *api_query(struct str query, const struct json_fields *fields,
                                  struct err *err);

/* ---- Parts of answers that several routes share (api_put.c) ---- */

void api_put_policy(struct json_out *o, const char *key, const struct store_policy *policy);
void api_put_service(struct json_out *o, const struct store_service *service);
/* Without the closing bracket, so that a new key's secret can follow. */
void api_put_key_open(struct json_out *o, const char *member, const struct store_key_info *key,
                      int64_t now_ms);
void api_put_key(struct json_out *o, const char *member, const struct store_key_info *key,
                 int64_t now_ms);
void api_put_new_key(struct json_out *o, const struct router *r, const struct store_key_info *key,
                     const struct secret *secret, int64_t now_ms);
void api_put_urls(struct json_out *o, const struct router *r);
void api_put_prices(struct json_out *o, const char *key, const struct token_prices *prices);
/* Members of a model, in an object that is open. */
void api_put_model(struct json_out *o, const struct store_models *models,
                   const struct store_model *m, const struct store_model *serving);
void api_put_id(struct json_out *o, const char *key, const struct id *id); /* empty: null */
void api_put_funding(void *data, const struct store_funding_line *line);   /* data: the json_out */
void api_begin_item(struct json_out *o);                                   /* {"item": */
void api_begin_items(struct json_out *o);                                  /* {"items":[ */
void api_end_items(struct json_out *o);                                    /* ]} */

#endif
