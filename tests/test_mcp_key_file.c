/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in files: where they may go, under which names, with which modes, and what the answer then
 * leaves out. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "mcp/key_file.h"
#include "tests/check.h"
#include "tests/mcp_desk.h"

#define PATH_BYTES 256
#define SECRET STR("asr_live_example")

struct folder {
	char path[PATH_BYTES];
	struct env_fixed clock;
	struct env env;
};

static bool folder_open(struct folder *f)
{
	*f = (struct folder){ .path = "/tmp/agent-store-keys-XXXXXX" };
	f->env = env_fixed(&f->clock);
	return CHECK(mkdtemp(f->path) != NULL);
}

static int not_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* How many files are there; they are removed, and the folder with them if `all`. */
static int folder_empty(const struct folder *f, bool all)
{
	struct dirent **names;
	int count = scandir(f->path, &names, not_dots, alphasort);

	for (int i = 0; i < count; i++) {
		char path[2 * PATH_BYTES];

		(void)snprintf(path, sizeof(path), "%s/%s", f->path, names[i]->d_name);
		CHECK_I64(unlink(path), 0);
		free(names[i]);
	}
	free(names);
	if (all)
		CHECK_I64(rmdir(f->path), 0);
	return count;
}

static void check_content(const char *path, const char *want)
{
	char text[KEY_TEXT_MAX + 2] = "";
	struct stat about = { 0 };
	FILE *file = fopen(path, "re");

	if (!CHECK(file != NULL))
		return;
	CHECK(fread(text, 1, sizeof(text) - 1, file) > 0);
	CHECK_I64(fclose(file), 0);
	CHECK_STR(text, want);
	CHECK_I64(stat(path, &about), 0);
	CHECK_I64(about.st_mode & 07777, 0600);
	CHECK_I64(about.st_size, strlen(want));
}

/* ---- Names ---- */

static const struct {
	const char *label, *starts;
} NAMES[] = {
	{ "prod-router", "prod-router-" },
	{ "Prod / Router", "Prod-Router-" },
	{ "../../etc/passwd", "etc-passwd-" },
	{ ".hidden", "hidden-" },
	{ "-rf", "rf-" },
	{ "\xc3\xa9t\xc3\xa9", "t-" },
	{ "...", "key-" },
	{ "a\nb", "a-b-" },
	{ "0123456789012345678901234567890123456789012345",
	  "0123456789012345678901234567890123456789-" },
};

static void names_keep_what_is_harmless_in_a_label(void)
{
	struct folder f;

	if (!folder_open(&f))
		return;
	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
		OWN_KEY_FILE struct mcp__key_file file = mcp__key_file_none();
		struct err err = { 0 };
		struct secret secret = { 0 };

		secret_set(&secret, SECRET);
		if (!CHECK(mcp__key_file_make(str_of(f.path), str_of(NAMES[i].label), &f.env, &file,
		                              &err)))
			continue;
		const char *name = file.path.p + strlen(f.path) + 1;
		CHECK(str_starts(str_of(name), str_of(NAMES[i].starts)));
		CHECK(str_ends(str_of(name), STR(".key")));
		CHECK_I64(strlen(name), strlen(NAMES[i].starts) + 8 + 4);
		CHECK(strchr(name, '/') == NULL);
		CHECK(mcp__key_file_fill(&file, &secret, &err));
		check_content(file.path.p, "asr_live_example\n");
	}
	CHECK_I64(folder_empty(&f, true), (int64_t)ARRAY_LEN(NAMES));
}

static void a_file_that_was_not_filled_goes(void)
{
	struct mcp__key_file file = mcp__key_file_none();
	struct err err = { 0 };
	struct folder f;

	if (!folder_open(&f))
		return;
	CHECK(mcp__key_file_make(str_of(f.path), STR("a"), &f.env, &file, &err));
	CHECK_I64(access(file.path.p, F_OK), 0);
	mcp__key_file_done(&file);
	mcp__key_file_done(&file); /* a second time is fine */
	CHECK_I64(folder_empty(&f, true), 0);
}

static void nothing_is_overwritten(void)
{
	struct mcp__key_file first = mcp__key_file_none(), second = mcp__key_file_none();
	struct err err = { 0 };
	struct secret secret = { 0 };
	struct folder f;

	if (!folder_open(&f))
		return;
	secret_set(&secret, SECRET);
	CHECK(mcp__key_file_make(str_of(f.path), STR("a"), &f.env, &first, &err));
	CHECK(mcp__key_file_fill(&first, &secret, &err));
	f.clock.counter = 0; /* the same random name again */
	CHECK(!mcp__key_file_make(str_of(f.path), STR("a"), &f.env, &second, &err));
	CHECK_I64(err.code, ERR_STORAGE);
	CHECK(strstr(err.text, "File exists") != NULL);
	mcp__key_file_done(&second);
	check_content(first.path.p, "asr_live_example\n");
	mcp__key_file_done(&first);
	CHECK_I64(folder_empty(&f, true), 1);
}

static void check_folder_refused(const struct folder *f, const char *path, const char *says)
{
	OWN_KEY_FILE struct mcp__key_file file = mcp__key_file_none();
	struct err err = { 0 };

	CHECK(!mcp__key_file_make(str_of(path), STR("a"), &f->env, &file, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	if (!CHECK(strstr(err.text, says) != NULL))
		check_note("%s", err.text);
	CHECK(strstr(err.text, "AGENT_STORE_KEY_DIR") != NULL);
}

static void only_an_allowed_folder_of_ones_own_will_do(void)
{
	struct folder f;

	if (!folder_open(&f))
		return;
	check_folder_refused(&f, "", "cannot be delivered to files here");
	check_folder_refused(&f, "relative/folder", "not an absolute path");
	check_folder_refused(&f, "/nonexistent-folder", "cannot be opened");
	check_folder_refused(&f, "/dev/null", "cannot be opened");
	CHECK_I64(chmod(f.path, 0770), 0);
	check_folder_refused(&f, f.path, "other users can write");
	CHECK_I64(chmod(f.path, 0702), 0);
	check_folder_refused(&f, f.path, "other users can write");
	CHECK_I64(folder_empty(&f, true), 0);
}

/* ---- The tools ---- */

static struct json *call(struct desk *desk, const char *tool, const char *arguments,
                         const char *key_folder)
{
	OWN_JSON_OUT struct json_out out = json_out_make(LIMIT_MCP_LINE);

	json_put_object(&out, NULL);
	json_put_z(&out, "tool", tool);
	json_put_raw(&out, "arguments", str_of(arguments));
	json_put_str(&out, "key", secret_str(&desk->key));
	if (key_folder)
		json_put_z(&out, "keyFolder", key_folder);
	json_put_end(&out, '}');
	return desk_work(desk, buf_str(&out.text));
}

/* The one new key is in the file that the answer names, and nowhere in the answer. */
static void check_delivered(struct desk *desk, const struct json *answer)
{
	OWN_BUF struct buf path = buf_make(PATH_BYTES);
	OWN_JSON_OUT struct json_out text = json_out_make(1u << 16);
	char key[KEY_TEXT_MAX + 2] = "";
	struct err err = { 0 };
	FILE *file;

	buf_add(&path, desk_text(answer, "result.apiKey.secretFile"));
	CHECK(desk_at(answer, "result.apiKey.secret") == NULL);
	CHECK_TEXT(desk_text(answer, "result.apiKey.prefix"), "asr_live_");
	file = fopen(path.p ? path.p : "", "re");
	if (!CHECK(file != NULL))
		return;
	CHECK(fgets(key, sizeof(key), file) != NULL);
	CHECK_I64(fclose(file), 0);
	key[strcspn(key, "\n")] = '\0';
	CHECK(store_live_key(store_live(desk->st), str_of(key), DESK_START_MS, &err) != NULL);
	json_put_tree(&text, NULL, answer);
	CHECK(str_find(buf_str(&text.text), str_of(key)) < 0);
}

static void keys_are_made_and_rotated_into_files(void)
{
	OWN_BUF struct buf arguments = buf_make(256);
	char service[ID_TEXT_MAX], id[ID_TEXT_MAX];
	struct desk desk;
	struct folder f;

	if (!folder_open(&f))
		return;
	desk_open(&desk, true);
	desk_buy(&desk, service);
	buf_addf(&arguments, "{\"serviceId\":\"%s\",\"label\":\"one\",\"deliver\":\"file\"}",
	         service);
	OWN_JSON struct json *made = call(&desk, "router_api_key_create", arguments.p, f.path);
	check_delivered(&desk, made);
	if (desk_copy_id(made, "result.apiKey.id", id)) {
		buf_reset(&arguments);
		buf_addf(&arguments, "{\"apiKeyId\":\"%s\",\"deliver\":\"file\"}", id);
		OWN_JSON struct json *next =
			call(&desk, "router_api_key_rotate", arguments.p, f.path);
		check_delivered(&desk, next);
		CHECK(str_find(desk_text(next, "result.apiKey.secretFile"), STR("/one-")) > 0);
	}
	CHECK_I64(folder_empty(&f, true), 2);
	desk_close(&desk);
}

static void check_key_count(struct desk *desk, const char *service, size_t want)
{
	OWN_BUF struct buf arguments = buf_make(256);

	buf_addf(&arguments, "{\"serviceId\":\"%s\"}", service);
	OWN_JSON struct json *list = desk_call(desk, "router_api_key_list", arguments.p);
	CHECK_I64(json_count(desk_at(list, "result.apiKeys")), (int64_t)want);
}

static void a_refused_delivery_makes_and_kills_no_key(void)
{
	OWN_BUF struct buf create = buf_make(256);
	OWN_BUF struct buf rotate = buf_make(256);
	char service[ID_TEXT_MAX], id[ID_TEXT_MAX];
	struct secret secret = { 0 };
	struct err err = { 0 };
	struct desk desk;
	struct folder f;

	if (!folder_open(&f))
		return;
	desk_open(&desk, true);
	desk_buy(&desk, service);
	desk_make_key(&desk, service, id, &secret);
	buf_addf(&create, "{\"serviceId\":\"%s\",\"label\":\"two\",\"deliver\":\"file\"}", service);
	buf_addf(&rotate, "{\"apiKeyId\":\"%s\",\"deliver\":\"file\"}", id);
	OWN_JSON struct json *made = call(&desk, "router_api_key_create", create.p, NULL);
	OWN_JSON struct json *next = call(&desk, "router_api_key_rotate", rotate.p, "/nonexistent");
	CHECK_TEXT(desk_text(made, "error.code"), "invalid_argument");
	CHECK_TEXT(desk_text(next, "error.code"), "invalid_argument");
	check_key_count(&desk, service, 1);
	CHECK(store_live_key(store_live(desk.st), secret_str(&secret), DESK_START_MS, &err) !=
	      NULL);
	/* A call that fails for another reason leaves no file behind. */
	OWN_JSON struct json *lost = call(&desk, "router_api_key_create",
	                                  "{\"serviceId\":\"svc_none\",\"label\":\"x\","
	                                  "\"deliver\":\"file\"}",
	                                  f.path);
	CHECK_TEXT(desk_text(lost, "error.code"), "not_found");
	/* The folder is the operator's word, not the caller's. */
	OWN_JSON struct json *forged = call(&desk, "router_api_key_create",
	                                    "{\"serviceId\":\"svc_none\",\"label\":\"x\","
	                                    "\"keyFolder\":\"/tmp\"}",
	                                    NULL);
	CHECK_TEXT(desk_text(forged, "error.code"), "invalid_argument");
	CHECK_I64(folder_empty(&f, true), 0);
	desk_close(&desk);
}

static const struct check_case CASES[] = {
	CASE(names_keep_what_is_harmless_in_a_label),
	CASE(a_file_that_was_not_filled_goes),
	CASE(nothing_is_overwritten),
	CASE(only_an_allowed_folder_of_ones_own_will_do),
	CASE(keys_are_made_and_rotated_into_files),
	CASE(a_refused_delivery_makes_and_kills_no_key),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
