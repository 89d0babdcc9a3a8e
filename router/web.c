/* SPDX-License-Identifier: Apache-2.0 */
/* Serves the pages. They hold nothing secret and are the same for everybody; what they show comes
 * from the API. A page may load only what is here and ask only this service, and no script or style
 * stands inside it, so that text which got into a page by mistake can do nothing. */
#include "router/web.h"

#include <inttypes.h>
#include <stdio.h>

#define POLICY                                                                            \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " \
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

static const struct {
	struct str suffix;
	const char *type;
} types[] = {
	{ STR_INIT(".html"), "text/html; charset=utf-8" },
	{ STR_INIT(".css"), "text/css; charset=utf-8" },
	{ STR_INIT(".js"), "text/javascript; charset=utf-8" },
	{ STR_INIT(".svg"), "image/svg+xml" },
};

static const char *type_of(struct str path)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_ends(path, types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}

/* `path` is what follows the first slash of a request's; a folder stands for its index. */
static const struct embedded *find(struct str path)
{
	bool folder = str_ends(path, STR("/"));

	for (const struct embedded *f = web__files; f->path; f++) {
		struct str rest = str_of(f->path);
		if (!str_starts(rest, path))
			continue;
		rest = (struct str){ rest.p + path.len, rest.len - path.len };
		if (folder ? str_eq(rest, STR("index.html")) : rest.len == 0)
			return f;
	}
	return NULL;
}

/* FNV-1a. Some microseconds a file: pages are asked for seldom. */
static uint64_t mark_of(struct str bytes)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < bytes.len; i++)
		h = (h ^ (unsigned char)bytes.p[i]) * 1099511628211u;
	return h;
}

/* Browsers ask again each time, so that a page and its parts are always of one version; what they
 * already have is not sent again. */
static void send(struct net_request *rq, const struct embedded *f)
{
	char etag[24];
	struct str known = net_request_header(rq, "if-none-match");

	(void)snprintf(etag, sizeof etag, "\"%016" PRIx64 "\"", mark_of(f->bytes)); /* fits */
	const struct net_header h[] = {
		{ STR("Content-Type"), str_of(type_of(str_of(f->path))) },
		{ STR("ETag"), str_of(etag) },
		{ STR("Cache-Control"), STR("no-cache") },
		{ STR("Content-Security-Policy"), STR(POLICY) },
		{ STR("X-Content-Type-Options"), STR("nosniff") },
		{ STR("Referrer-Policy"), STR("no-referrer") },
		{ STR("Cross-Origin-Opener-Policy"), STR("same-origin") },
	};
	if (known.p && str_find(known, str_of(etag)) >= 0)
		net_reply(rq, 304, h, ARRAY_LEN(h), STR(""));
	else
		net_reply(rq, 200, h, ARRAY_LEN(h), f->bytes);
}

/* Relative, so that it also holds behind a proxy that puts a prefix before our paths. */
static bool redirect(struct net_request *rq, struct str path)
{
	struct net_header h = { STR("Location"), STR("console/") };

	if (str_eq(path, STR("/admin")))
		h.value = STR("admin/");
	else if (!str_eq(path, STR("/console")))
		return false;
	net_reply(rq, 308, &h, 1, STR(""));
	return true;
}

bool web_head(struct router *r, struct net_request *rq)
{
	struct str path = net_request_path(rq);
	const char *token = r->options.admin_token;
	bool is_admin = str_eq(path, STR("/admin")) || str_starts(path, STR("/admin/"));

	if (!str_eq(net_request_method(rq), STR("GET")) || path.len < 2 ||
	    (is_admin && (!token || !token[0])))
		return false;
	if (redirect(rq, path))
		return true;
	const struct embedded *f = find((struct str){ path.p + 1, path.len - 1 });
	if (!f)
		return false;
	send(rq, f);
	return true;
}
