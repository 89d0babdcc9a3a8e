/* SPDX-License-Identifier: Apache-2.0 */
/* The pages as files: which there are, their types, the way to them, and that the admin panel's are
 * not there without a token. What people do with them is tested in a browser (tests/clients). */
#include "router/web.h"
#include "tests/router_world.h"

static void nobody(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_json(rq, 500, "{}");
}

static void each_file_has_its_type(void)
{
	static const struct {
		const char *path, *type, *part;
	} rows[] = {
		{ "/console/", "text/html; charset=utf-8", "<html lang=\"en\">" },
		{ "/console/index.html", "text/html; charset=utf-8", "<html lang=\"en\">" },
		{ "/console/console.js", "text/javascript; charset=utf-8", "new Shell(" },
		{ "/assets/style.css", "text/css; charset=utf-8", ":root {" },
		{ "/assets/icon.svg", "image/svg+xml", "<svg " },
	};
	struct world w;

	world_open(&w, 0, nobody);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct got g = world_ask(&w, "GET", rows[i].path, NULL, "");
		CHECK_I64(g.status, 200);
		CHECK_STR(g.type, rows[i].type);
		CHECK(str_find(buf_str(&g.body), str_of(rows[i].part)) >= 0);
		got_done(&g);
	}
	world_close(&w);
}

static void what_is_no_page_is_not_found(void)
{
	static const struct {
		const char *method, *path;
		int status;
	} rows[] = {
		{ "GET", "/console", 308 },
		{ "GET", "/console/none.js", 404 },
		{ "GET", "/console//", 404 },
		{ "GET", "/assets/", 404 },
		{ "GET", "/console/../console/", 404 },
		{ "POST", "/console/", 404 },
		{ "GET", "/", 404 },
	};
	struct world w;

	world_open(&w, 0, nobody);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct got g = world_ask(&w, rows[i].method, rows[i].path, NULL, "");
		if (!CHECK_I64(g.status, rows[i].status))
			check_note("%s %s", rows[i].method, rows[i].path);
		got_done(&g);
	}
	world_close(&w);
}

static void without_a_token_there_is_no_admin_panel(void)
{
	static const char *const paths[] = { "/admin", "/admin/", "/admin/admin.js" };
	struct world w;

	world_open(&w, 0, nobody);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct got g = world_ask(&w, "GET", paths[i], NULL, "");
		CHECK_I64(g.status, 404);
		got_done(&g);
	}
	world_close(&w);
}

/* The policy would block it: such a page would stay blank. */
static void no_page_has_a_script_or_style_inside(void)
{
	for (const struct embedded *f = web__files; f->path; f++) {
		if (!str_ends(str_of(f->path), STR(".html")))
			continue;
		CHECK(str_find(f->bytes, STR("<style")) < 0);
		CHECK(str_find(f->bytes, STR("<script>")) < 0);
		CHECK(str_find(f->bytes, STR("style=")) < 0);
		CHECK(str_find(f->bytes, STR("onclick=")) < 0);
		CHECK(str_find(f->bytes, STR("//")) < 0); /* from elsewhere */
	}
}

int main(void)
{
	static const struct check_case cases[] = {
		CASE(each_file_has_its_type),
		CASE(what_is_no_page_is_not_found),
		CASE(without_a_token_there_is_no_admin_panel),
		CASE(no_page_has_a_script_or_style_inside),
	};

	return check_main(cases, ARRAY_LEN(cases));
}
