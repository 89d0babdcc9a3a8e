/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the API. What can be refused from the head alone is (path, method, sign-ins that
 * come too often, a cookie without the custom header); who it is, the job asks the store, in the
 * same transaction as what is wanted. A cookie is believed for a change only with a header that no
 * form and no foreign page can send. */
#include "router/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "router/stats.h"
#include "router/throttle.h"

#define ANSWER_MAX (4u << 20)
#define CONSOLE_HEADER "agent-store-console"
#define BUYER_COOKIE "agent_store_session="
#define ADMIN_COOKIE "agent_store_admin="

/* ---- Answers ---- */

size_t api_headers(struct net_header *h, const char *type)
{
	h[0] = (struct net_header){ STR("Content-Type"), str_of(type) };
	h[1] = (struct net_header){ STR("Cache-Control"), STR("no-store") };
	h[2] = (struct net_header){
		STR("Content-Security-Policy"),
		STR("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
		    "form-action 'none'")
	};
	h[3] = (struct net_header){ STR("X-Content-Type-Options"), STR("nosniff") };
	h[4] = (struct net_header){ STR("Referrer-Policy"), STR("no-referrer") };
	return API_HEADERS;
}

void api_free(struct api_call *c)
{
	c->r->task_count--;
	api_stream_free(c->stream);
	terms_drop(c->terms);
	secret_wipe(&c->token);
	buf_wipe(&c->out.text);
	buf_wipe(&c->cookie);
	json_out_done(&c->out);
	buf_done(&c->cookie);
	json_free(c->args);
	free(c);
}

void api_answer(struct api_call *c)
{
	struct net_header h[API_HEADERS + 1];
	size_t n = api_headers(h, c->content_type ? c->content_type : "application/json");
	struct err err = { 0 };

	if (!(c->content_type ? buf_ok(&c->out.text, "the answer", &err)
	                      : json_out_ok(&c->out, &err))) {
		api_fail(c, &err);
		return;
	}
	if (c->cookie.len > 0)
		h[n++] = (struct net_header){ STR("Set-Cookie"), buf_str(&c->cookie) };
	if (c->rq)
		net_reply(c->rq, 200, h, n, buf_str(&c->out.text));
	stats_api(c->r, c->route->path, 200);
	api_free(c);
}

static void put_error(const struct err *err, struct buf *body)
{
	OWN_JSON_OUT struct json_out o = json_out_make(4096);
	int status = err_http_status(err->code);

	json_put_object(&o, NULL);
	json_put_object(&o, "error");
	json_put_z(&o, "message", err->text);
	json_put_z(&o, "type", status < 500 ? "invalid_request_error" : "server_error");
	json_put_null(&o, "param");
	json_put_z(&o, "code", err_code_name(err->code));
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	buf_add(body, buf_str(&o.text));
}

/* `field` is one more for the head, absent: none. */
static void refuse(struct net_request *rq, int status, const struct err *err,
                   const struct net_header *field)
{
	struct net_header h[API_HEADERS + 1];
	size_t n = api_headers(h, "application/json");
	OWN_BUF struct buf body = buf_make(8192);

	if (field)
		h[n++] = *field;
	put_error(err, &body);
	net_reply(rq, status, h, n, buf_str(&body));
}

void api_fail(struct api_call *c, const struct err *err)
{
	int status = err_http_status(err->code);
	const struct stats_error note = { .status = status,
		                          .code = err->code,
		                          .text = err->text,
		                          .route = str_of(c->route->path),
		                          .account = &c->session.account };

	if (c->rq)
		refuse(c->rq, status, err, NULL);
	stats_api(c->r, c->route->path, status);
	stats_note_error(c->r, &note);
	api_free(c);
}

/* ---- Which route ---- */

static bool match_path(const char *pattern, struct str path, struct str *subject)
{
	struct str want = str_of(pattern);

	while (want.p && path.p) {
		struct str w = str_cut(&want, '/'), got = str_cut(&path, '/');
		if (str_eq(w, STR("{id}")) && got.len > 0)
			*subject = got;
		else if (!str_eq(w, got))
			return false;
	}
	return !want.p && !path.p;
}

/* The route of the path and method; else `*methods` lists what the path takes, if anything. */
static const struct api_route *find(struct net_request *rq, struct str *subject,
                                    struct buf *methods)
{
	for (size_t i = 0; i < api_route_count; i++) {
		const struct api_route *route = &api_routes[i];
		if (!match_path(route->path, net_request_path(rq), subject))
			continue;
		if (str_eq(net_request_method(rq), str_of(route->method)))
			return route;
		if (methods->len > 0)
			buf_add_z(methods, ", ");
		buf_add_z(methods, route->method);
	}
	return NULL;
}

static bool has_admin(const struct router *r)
{
	return r->options.admin_token && r->options.admin_token[0];
}

/* ---- Who asks ---- */

static struct str cookie(const struct net_request *rq, struct str name)
{
	struct str rest = net_request_header(rq, "cookie");

	while (rest.p) {
		struct str one = str_trim(str_cut(&rest, ';'));
		if (str_starts(one, name))
			return (struct str){ one.p + name.len, one.len - name.len };
	}
	return (struct str){ 0 };
}

static struct str bearer(const struct net_request *rq)
{
	struct str h = net_request_header(rq, "authorization");

	if (h.len > 7 && str_eq_nocase((struct str){ h.p, 7 }, STR("bearer ")))
		return str_trim((struct str){ h.p + 7, h.len - 7 });
	return net_request_header(rq, "x-api-key");
}

static bool from_console(const struct net_request *rq)
{
	return str_eq(net_request_header(rq, "x-requested-with"), STR(CONSOLE_HEADER));
}

bool api_is_admin_token(const struct router *r, struct str text)
{
	struct str token = str_of(r->options.admin_token);
	struct hash a = hash_plain(text.p ? text.p : "", text.len);
	struct hash b = hash_plain(token.p ? token.p : "", token.len);

	return text.len > 0 && token.len > 0 && hash_eq(&a, &b);
}

/* On this machine and not through a proxy on it, which would name PUBLIC_URL or tell for whom. */
static bool is_local(const struct router *r, const struct net_request *rq)
{
	struct str peer = str_of(net_request_peer(rq));
	struct str host = net_request_header(rq, "host");
	const char *public = r->options.public_url ? strstr(r->options.public_url, "://") : NULL;

	if (!str_starts(peer, STR("127.")) && !str_eq(peer, STR("::1")) &&
	    !str_eq(peer, STR("[::1]")))
		return false;
	if (net_request_header(rq, "forwarded").p || net_request_header(rq, "x-forwarded-for").p)
		return false;
	return !public || !str_eq_nocase(host, str_of(public + 3));
}

static bool know_credential(struct api_call *c, struct err *err)
{
	bool admin = c->route->who == API_ADMIN;
	struct str text = bearer(c->rq);

	c->is_admin = admin && api_is_admin_token(c->r, text);
	if (!text.p) {
		text = cookie(c->rq, admin ? STR(ADMIN_COOKIE) : STR(BUYER_COOKIE));
		c->with_cookie = text.p != NULL;
	}
	if (c->with_cookie && c->route->changes && !from_console(c->rq))
		return err_set(
			err, ERR_FORBIDDEN,
			"a change by cookie needs the header 'X-Requested-With: " CONSOLE_HEADER
			"'");
	if (!text.p)
		return err_set(err, ERR_UNAUTHORIZED,
		               "no session: sign in with POST %s/session and send its "
		               "sessionToken as 'Authorization: Bearer'",
		               admin ? "/admin" : "/buyer");
	secret_set(&c->token, text);
	return true;
}

static bool may_begin(struct api_call *c, struct err *err)
{
	switch (c->route->who) {
	case API_ANYBODY:
		c->with_cookie = from_console(c->rq);
		return true;
	case API_METRICS:
		return is_local(c->r, c->rq) || api_is_admin_token(c->r, bearer(c->rq)) ||
		       err_set(err, ERR_UNAUTHORIZED,
		               "from another machine the metrics need the admin token as "
		               "'Authorization: Bearer'");
	case API_BUYER:
	case API_ADMIN:
		return know_credential(c, err);
	}
	return false;
}

static bool has_right(const struct api_call *c, struct err *err)
{
	enum key_kind kind = c->session.kind;

	if (c->route->right == API_LOOK || kind == KEY_PURCHASE)
		return true;
	if (c->route->right == API_ROTATE && kind == KEY_ROUTE)
		return true;
	return err_set(
		err, ERR_FORBIDDEN,
		c->route->right == API_ROTATE
			? "sign in with a purchase key or a route key to rotate the route key"
			: "sign in with a purchase key to make, rotate or revoke keys");
}

static bool authorize(struct api_call *c, struct store *st, struct err *err)
{
	switch (c->route->who) {
	case API_ANYBODY:
	case API_METRICS:
		return true;
	case API_BUYER:
		return store_session_find(st, secret_str(&c->token), &c->session, err) &&
		       has_right(c, err);
	case API_ADMIN:
		return c->is_admin || store_admin_session_find(st, secret_str(&c->token),
		                                               str_of(c->r->options.admin_token),
		                                               &c->session.expires_ms, err);
	}
	return false;
}

/* ---- The job ---- */

static bool run_job(struct store_job *job, struct store *st, struct err *err)
{
	struct api_call *c = CONTAINER_OF(job, struct api_call, job);

	if (!authorize(c, st, err))
		return false;
	store_act_as(st, c->who);
	bool ok = !c->route->run || c->route->run(c, st, &c->out, err);
	store_act_as(st, NULL);
	return ok;
}

static bool takes_throttle(const struct api_call *c)
{
	return c->route->throttled ||
	       (c->route->who == API_ADMIN && !c->is_admin && !c->with_cookie);
}

static void job_done(struct store_job *job)
{
	struct api_call *c = CONTAINER_OF(job, struct api_call, job);

	c->working = false;
	if (job->ok && takes_throttle(c))
		throttle_give_back(&c->r->throttle, str_of(c->peer));
	if (!job->ok)
		api_fail(c, &job->err);
	else if (!c->rq)
		api_free(c);
	else if (c->route->then)
		c->route->then(c);
	else
		api_answer(c);
}

/* Nothing to ask of the store. */
static bool is_local_route(const struct api_route *route)
{
	return !route->run && (route->who == API_ANYBODY || route->who == API_METRICS);
}

static void on_body(struct party *p, struct net_request *rq)
{
	struct api_call *c = (struct api_call *)p;
	struct err err = { 0 };

	if (is_local_route(c->route)) {
		c->route->then(c);
		return;
	}
	if (c->route->fields) {
		bool get = strcmp(c->route->method, "GET") == 0;
		c->args = get ? api_query(net_request_query(rq), c->route->fields, &err)
		              : json_parse(net_request_body(rq), &err);
		if (!c->args) {
			api_fail(c, &err);
			return;
		}
	}
	c->job = (struct store_job){
		.run = run_job,
		.done = job_done,
		.reply = net_loop_inbox(c->r->options.loop),
		.power = c->route->changes,
	};
	c->working = true;
	store_worker_submit(c->r->options.worker, &c->job);
}

static void on_gone(struct party *p)
{
	struct api_call *c = (struct api_call *)p;

	c->rq = NULL;
	if (!c->working)
		api_free(c);
}

static const struct party_events api_events = { on_body, on_gone, NULL };

/* ---- The head ---- */

static void refuse_method(struct net_request *rq, const struct buf *methods)
{
	const struct net_header allow = { STR("Allow"), buf_str(methods) };
	struct err err = { 0 };

	(void)err_set(&err, ERR_UNSUPPORTED, "the method is not allowed here");
	refuse(rq, 405, &err, &allow);
}

static void refuse_throttled(struct api_call *c, int64_t wait_ms)
{
	char seconds[24];
	struct net_header field = { STR("Retry-After"), { 0 } };
	struct err err = { 0 };

	(void)snprintf(seconds, sizeof seconds, "%lld", (long long)((wait_ms + 999) / 1000));
	field.value = str_of(seconds);
	(void)err_set(&err, ERR_RATE_LIMITED,
	              "too many sign-ins from this address; try again in %s s", seconds);
	refuse(c->rq, 429, &err, &field);
	stats_api(c->r, c->route->path, 429);
	api_free(c);
}

static struct api_call *call_new(struct router *r, struct net_request *rq,
                                 const struct api_route *route, struct str subject)
{
	struct api_call *c = calloc(1, sizeof *c);
	struct err err = { 0 };

	if (!c) {
		(void)err_no_memory(&err);
		refuse(rq, 500, &err, NULL);
		return NULL;
	}
	*c = (struct api_call){ .party = { &api_events },
		                .r = r,
		                .rq = rq,
		                .route = route,
		                .out = json_out_make(ANSWER_MAX),
		                .terms = terms_hold(r->terms),
		                .cookie = buf_make(512) };
	if (subject.len < sizeof c->subject)
		memcpy(c->subject, subject.p ? subject.p : "", subject.len);
	(void)snprintf(c->peer, sizeof c->peer, "%s", net_request_peer(rq));
	(void)snprintf(c->who, sizeof c->who, "admin@%s", c->peer);
	r->task_count++;
	return c;
}

/* Calls, which cost money and time, need not look through the table. */
static bool may_be_ours(struct str path)
{
	return str_starts(path, STR("/buyer/")) || str_starts(path, STR("/admin/")) ||
	       str_eq(path, STR("/metrics")) || str_eq(path, STR("/openapi.json"));
}

bool api_head(struct router *r, struct net_request *rq)
{
	if (!may_be_ours(net_request_path(rq)))
		return false;
	OWN_BUF struct buf methods = buf_make(64);
	struct str subject = { 0 };
	const struct api_route *route = find(rq, &subject, &methods);
	struct err err = { 0 };
	int64_t wait_ms;

	if (str_starts(net_request_path(rq), STR("/admin/")) && !has_admin(r))
		return false;
	if (!route && methods.len > 0)
		refuse_method(rq, &methods);
	if (!route)
		return methods.len > 0;
	struct api_call *c = call_new(r, rq, route, subject);
	if (!c)
		return true;
	if (!may_begin(c, &err)) {
		api_fail(c, &err);
		return true;
	}
	if (takes_throttle(c) && !throttle_take(&r->throttle, str_of(c->peer),
	                                        net_loop_now_ms(r->options.loop), &wait_ms)) {
		refuse_throttled(c, wait_ms);
		return true;
	}
	net_request_set_data(rq, &c->party);
	return true;
}

/* ---- For the handlers ---- */

bool api_read(const struct api_call *c, void *out, struct err *err)
{
	return json_read(c->args, c->route->fields, out, err);
}

struct str api_service(const struct api_call *c)
{
	return id_is_empty(&c->session.service) ? (struct str){ 0 } : id_str(&c->session.service);
}

void api_set_cookie(struct api_call *c, const char *name, const char *path, struct str token)
{
	bool secure = str_starts(str_of(router_public_url(c->r)), STR("https://"));

	buf_add_z(&c->cookie, name);
	buf_add_char(&c->cookie, '=');
	buf_add(&c->cookie, token);
	buf_add_z(&c->cookie, "; HttpOnly; SameSite=Strict; Path=");
	buf_add_z(&c->cookie, path);
	buf_add_z(&c->cookie, "; Max-Age=");
	buf_add_i64(&c->cookie, token.p ? LIMIT_SESSION_MS / 1000 : 0);
	if (secure)
		buf_add_z(&c->cookie, "; Secure");
}
