/* SPDX-License-Identifier: Apache-2.0 */
/* Runs transcripts: each file on a shop of its own, tools through the same work as everybody's,
 * HTTP through a real connection to the shop's listener. It waits by stepping the loop, since one
 * step is only known when the one before it is answered. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/secret.h"
#include "mcp/owner.h"
#include "mcp/transcript.h"
#include "mcp/transcript_value.h"

#define EXIT_USAGE 2
#define STEP_MS 1000
#define IDLE_POLL_MS 10
#define IDLE_TRIES 500 /* a settlement that takes longer than this is a fault of its own */
#define SHOWN_MAX 40   /* bytes of a saved value that are shown */

/* One file that runs. */
struct run {
	struct net_loop *loop;
	const struct mcp_owner *owner;
	struct mcp_shop shop;
	struct mcp__owner *desk;
	struct mcp__http http;
	struct mcp__script script;
	struct mcp__values values;
	int64_t asked; /* number of the request that is waited for */
	bool answered;
	struct buf answer;
};

/* ---- Asking ---- */

static void got_answer(void *data, int64_t number, struct str answer)
{
	struct run *run = data;

	if (number != run->asked)
		return;
	buf_add(&run->answer, answer);
	run->answered = true;
}

static bool ask(struct run *run, struct str request, struct err *err)
{
	buf_wipe(&run->answer);
	run->answered = false;
	if (!mcp__owner_run(run->desk, ++run->asked, request, err))
		return false;
	while (!run->answered) {
		if (!net_loop_step(run->loop, STEP_MS, err))
			return false;
	}
	return buf_ok(&run->answer, "the answer", err);
}

/* An operator's command with text arguments; its result, or NULL. */
static struct json *command(struct run *run, const char *name, const char *const *arguments,
                            const struct str *values, struct err *err)
{
	OWN_JSON_OUT struct json_out request = json_out_make(LIMIT_FRAME);

	json_put_object(&request, NULL);
	json_put_z(&request, "command", name);
	json_put_object(&request, "arguments");
	for (size_t i = 0; arguments[i] != NULL; i++)
		json_put_str(&request, arguments[i], values[i]);
	json_put_end(&request, '}');
	json_put_end(&request, '}');
	if (!ask(run, buf_str(&request.text), err))
		return NULL;
	struct json *answer = json_parse(buf_str(&run->answer), err);
	if (answer == NULL || json_get(answer, "result") != NULL)
		return answer;
	const struct json *why = json_get(json_get(answer, "error"), "message");
	err_record(err, ERR_CONFLICT, "%s: %.*s", name, STR_ARG(json_text(why)));
	json_free(answer);
	return NULL;
}

/* ---- The account ---- */

/* With --db the name may be there from an earlier run: then it is made different by the time. */
static struct json *create_account(struct run *run, struct err *err)
{
	static const char *const ARGUMENTS[] = { "name", NULL };
	OWN_BUF struct buf name = buf_make(LIMIT_ACCOUNT_NAME);
	struct str value = run->script.name;
	struct json *answer = command(run, "account create", ARGUMENTS, &value, err);

	if (answer != NULL || err->code != ERR_CONFLICT)
		return answer;
	buf_addf(&name, "transcript %" PRId64, env_now_ms(run->shop.env));
	value = buf_str(&name);
	return command(run, "account create", ARGUMENTS, &value, err);
}

static bool fund_account(struct run *run, struct str id, struct err *err)
{
	static const char *const ARGUMENTS[] = { "account", "usd", "reference", NULL };
	char usd[MONEY_TEXT_MAX];

	if (money_micros(run->script.fund) == 0)
		return true;
	money_format_usd(run->script.fund, usd);
	const struct str values[] = { id, str_of(usd), STR("transcript") };
	OWN_JSON struct json *answer = command(run, "wallet fund", ARGUMENTS, values, err);
	return answer != NULL;
}

static bool open_account(struct run *run, struct err *err)
{
	OWN_JSON struct json *answer = create_account(run, err);
	const struct json *result = json_get(answer, "result");
	const struct json *id = json_get(json_get(result, "account"), "id");

	return answer != NULL && mcp__values_set(&run->values, STR("accountId"), id, err) &&
	       mcp__values_set(&run->values, STR("purchaseKey"), json_get(result, "purchaseKey"),
	                       err) &&
	       fund_account(run, json_text(id), err);
}

/* ---- One step ---- */

static bool put_key(const struct run *run, struct json_out *out, struct str as, struct err *err)
{
	OWN_BUF struct buf key = buf_make(LIMIT_HTTP_LINE);

	if (str_eq(as, STR("none")))
		return true;
	bool ok = mcp__values_fill(&run->values, as.p != NULL ? as : STR("${purchaseKey}"), &key,
	                           err);
	if (ok)
		json_put_str(out, "key", buf_str(&key));
	buf_wipe(&key);
	return ok;
}

/* The answer of a tool is its result, or {"error": …}. */
static struct json *run_tool(struct run *run, const struct mcp__step *step, struct err *err)
{
	static const char *const KEYS[] = { "result" };
	struct json_out request = json_out_make(LIMIT_FRAME);
	struct str result = { NULL, 0 };
	bool ok = true;

	json_put_object(&request, NULL);
	json_put_str(&request, "tool", step->tool);
	if (step->input != NULL)
		ok = mcp__values_put(&run->values, &request, "arguments", step->input, err);
	ok = ok && put_key(run, &request, step->as, err);
	json_put_end(&request, '}');
	ok = ok && json_out_ok(&request, err) && ask(run, buf_str(&request.text), err) &&
	     json_pick(buf_str(&run->answer), KEYS, &result, 1, err);
	buf_wipe(&request.text);
	json_out_done(&request);
	if (!ok)
		return NULL;
	return json_parse(result.p != NULL ? result : buf_str(&run->answer), err);
}

static bool fill_http(const struct run *run, const struct mcp__step *step, struct json_out *out,
                      struct err *err)
{
	OWN_BUF struct buf path = buf_make(LIMIT_HTTP_LINE);

	if (!mcp__values_fill(&run->values, step->path, &path, err))
		return false;
	json_put_object(out, NULL);
	json_put_str(out, "method", step->method);
	json_put_str(out, "path", buf_str(&path));
	if (step->headers != NULL &&
	    !mcp__values_put(&run->values, out, "headers", step->headers, err))
		return false;
	if (step->body != NULL && !mcp__values_put(&run->values, out, "body", step->body, err))
		return false;
	json_put_end(out, '}');
	return json_out_ok(out, err);
}

static struct json *run_http(struct run *run, const struct mcp__step *step, struct err *err)
{
	struct json_out filled = json_out_make(LIMIT_FRAME);
	struct json_out answer = json_out_make(LIMIT_UPSTREAM_BODY);
	struct json *result = NULL;

	if (fill_http(run, step, &filled, err)) {
		OWN_JSON struct json *request = json_parse(buf_str(&filled.text), err);
		if (request != NULL && mcp__http_run(&run->http, request, &answer, err))
			result = json_parse(buf_str(&answer.text), err);
	}
	buf_wipe(&filled.text);
	json_out_done(&filled);
	buf_wipe(&answer.text);
	json_out_done(&answer);
	return result;
}

/* Without "expect" any success will do. */
static bool check_success(const struct json *answer, struct err *err)
{
	const struct json *error = json_get(answer, "error");
	int64_t status = 0;

	if (error != NULL)
		return err_set(err, ERR_CONFLICT, "expected a success, got %.*s: %.*s",
		               STR_ARG(json_text(json_get(error, "code"))),
		               STR_ARG(json_text(json_get(error, "message"))));
	if (json_i64(json_get(answer, "status"), &status) && status >= 400)
		return err_set(err, ERR_CONFLICT, "expected a success, got status %" PRId64,
		               status);
	return true;
}

static bool check_answer(const struct run *run, const struct mcp__step *step,
                         const struct json *answer, struct err *err)
{
	struct json_out pattern_text = json_out_make(LIMIT_FRAME);
	OWN_BUF struct buf where = buf_make(LIMIT_ERR_TEXT);
	bool ok = false;

	if (step->expect == NULL)
		return check_success(answer, err);
	if (mcp__values_put(&run->values, &pattern_text, NULL, step->expect, err) &&
	    json_out_ok(&pattern_text, err)) {
		OWN_JSON struct json *pattern = json_parse(buf_str(&pattern_text.text), err);
		ok = pattern != NULL && json_matches(pattern, answer, &where);
		if (pattern != NULL && !ok)
			err_record(err, ERR_CONFLICT, "%.*s", STR_ARG(buf_str(&where)));
	}
	buf_wipe(&pattern_text.text);
	json_out_done(&pattern_text);
	return ok;
}

/* Keys are saved, but not shown. */
static void show_saved(const struct json *name, const struct json *value)
{
	struct str text = json_text(value);
	enum key_kind kind;
	struct str lookup;

	printf("       %.*s", STR_ARG(json_key(name)));
	if (text.p != NULL && !key_parse(text, &kind, &lookup) && text.len <= SHOWN_MAX)
		printf(" = %.*s", STR_ARG(text));
	printf("\n");
}

static bool save_answer(struct run *run, const struct mcp__step *step, const struct json *answer,
                        struct err *err)
{
	for (const struct json *m = json_first(step->save); m != NULL; m = json_next(m)) {
		const struct json *value = mcp__value_at(answer, json_text(m), err);
		if (value == NULL || !mcp__values_set(&run->values, json_key(m), value, err))
			return err_prefix(err, "save %.*s", STR_ARG(json_key(m)));
		show_saved(m, value);
	}
	return true;
}

/* "ok", an error's code, or an HTTP status. */
static void put_outcome(const struct json *answer, struct buf *out)
{
	const struct json *error = json_get(answer, "error");
	int64_t status = 0;

	if (answer == NULL)
		buf_add_z(out, "no answer");
	else if (json_i64(json_get(answer, "status"), &status))
		buf_add_i64(out, status);
	else if (error != NULL)
		buf_add(out, json_text(json_get(error, "code")));
	else
		buf_add_z(out, "ok");
}

static void show_step(const struct mcp__step *step, int number, const struct json *answer,
                      int64_t us)
{
	OWN_BUF struct buf what = buf_make(LIMIT_HTTP_LINE);
	OWN_BUF struct buf outcome = buf_make(LIMIT_LABEL);

	if (step->tool.p != NULL)
		buf_add(&what, step->tool);
	else
		buf_addf(&what, "%.*s %.*s", STR_ARG(step->method), STR_ARG(step->path));
	put_outcome(answer, &outcome);
	printf("  %3d  %-44s %-22s %5" PRId64 ".%" PRId64 " ms\n", number,
	       what.p == NULL ? "" : what.p, outcome.p == NULL ? "" : outcome.p, us / 1000,
	       us % 1000 / 100);
}

static bool run_step(struct run *run, const struct json *node, int number, struct err *err)
{
	struct mcp__step step;

	mcp__step_of(node, &step);
	int64_t begun = env_mono_us(run->shop.env);
	OWN_JSON struct json *answer =
		step.tool.p != NULL ? run_tool(run, &step, err) : run_http(run, &step, err);
	show_step(&step, number, answer, env_mono_us(run->shop.env) - begun);
	return (answer != NULL && check_answer(run, &step, answer, err) &&
	        save_answer(run, &step, answer, err)) ||
	       err_prefix(err, "step %d", number);
}

/* ---- One file ---- */

static bool run_steps(struct run *run, int *steps, struct err *err)
{
	int number = 0;

	if (!open_account(run, err))
		return false;
	const struct json *node = json_first(run->script.steps);
	for (; node != NULL; node = json_next(node)) {
		number++;
		if (!run_step(run, node, number, err))
			return false;
		(void)fflush(stdout); /* a reader that is gone does not stop the check */
	}
	*steps += number;
	return true;
}

/* Waits for what goes on behind the last answer, a settlement perhaps. */
static void close_shop(struct run *run)
{
	const struct mcp_owner *owner = run->owner;

	owner->drain(owner->data);
	for (int i = 0; i < IDLE_TRIES && !owner->idle(owner->data); i++) {
		if (!net_loop_step(run->loop, IDLE_POLL_MS, NULL))
			break;
	}
	mcp__http_done(&run->http);
	if (run->desk != NULL)
		mcp__owner_cut(run->desk);
	owner->close(owner->data);
	mcp__owner_free(run->desk);
}

static bool run_on_shop(struct run *run, int *steps, struct err *err)
{
	const struct mcp_owner *owner = run->owner;

	if (!owner->open(owner->data, &run->shop, err))
		return false;
	run->desk = mcp__owner_new(run->loop, &run->shop, got_answer, run, err);
	run->http = (struct mcp__http){ .loop = run->loop, .base_url = run->shop.base_url };
	bool ok = run->desk != NULL && run_steps(run, steps, err);
	close_shop(run);
	return ok;
}

static bool run_file(struct net_loop *loop, const struct mcp_owner *owner, const char *path,
                     int *steps, struct err *err)
{
	struct run run = { .loop = loop, .owner = owner, .answer = buf_make(LIMIT_FRAME) };

	bool ok = mcp__script_read(path, &run.script, err);
	if (ok) {
		printf("%.*s (%s)\n", STR_ARG(run.script.name), path);
		ok = run_on_shop(&run, steps, err);
	}
	mcp__values_done(&run.values);
	mcp__script_done(&run.script);
	buf_wipe(&run.answer);
	buf_done(&run.answer);
	return ok || err_prefix(err, "%s", path);
}

static int usage(int code)
{
	(void)fprintf(code == 0 ? stdout : stderr,
	              "usage: agent-store transcript FILE... [--db FILE]\n"
	              "Runs scripted purchases, each on a fresh store in memory (or on --db).\n");
	return code;
}

int mcp_transcript_main(struct net_loop *loop, const struct mcp_owner *owner, int argc, char **argv)
{
	struct err err = { 0 };
	int steps = 0;

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return usage(0);
		if (strncmp(argv[i], "--", 2) == 0)
			return usage(EXIT_USAGE);
	}
	if (argc < 3)
		return usage(EXIT_USAGE);
	for (int i = 2; i < argc; i++) {
		if (!run_file(loop, owner, argv[i], &steps, &err)) {
			(void)fflush(stdout);
			(void)fprintf(stderr, "agent-store: %s\n", err.text);
			return 1;
		}
	}
	printf("%d transcripts, %d steps, all as expected\n", argc - 2, steps);
	return fflush(stdout) == 0 ? 0 : 1;
}
