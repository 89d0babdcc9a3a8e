/* SPDX-License-Identifier: Apache-2.0 */
/* Good and hostile streams of fixtures/upstream/replay/<format>, cut in two at every byte: the
 * answers must not depend on the cut, must be well-formed, and must be the same whole and streamed.
 * A stream whose name begins with "broken-" has to be found to be so. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/answer_world.h"
#include "tests/check.h"

/* A longer stream is cut at each byte of its beginning, then only now and then. */
#define EVERY_CUT 8192
#define BEGINNING 64
#define SELDOM 4099

static const char *const folders[ANSWER_FORMATS] = {
	[ANSWER_CHAT] = "chat",
	[ANSWER_MESSAGES] = "messages",
	[ANSWER_GEMINI] = "gemini",
};

static struct buf read_file(const char *path)
{
	struct buf out = buf_make(SIZE_MAX);
	FILE *file = fopen(path, "rb");
	int c;

	if (!CHECK(file != NULL))
		return out;
	while ((c = fgetc(file)) != EOF)
		buf_add_char(&out, (char)c);
	(void)fclose(file); /* only read from */
	return out;
}

static bool play(enum answer_format format, struct str stream, size_t cut, struct answer_sinks *a)
{
	bool ended;

	answer_sinks_init(a, NULL);
	ended = answer_stream(format, stream, cut, answer_sinks_event, a);
	answer_sinks_end(a, ended);
	return ended;
}

static bool same_at_cut(enum answer_format format, struct str stream, size_t cut,
                        const struct answer_sinks *want, bool ended)
{
	struct answer_sinks got;
	bool same = play(format, stream, cut, &got) == ended;

	for (size_t i = 0; i < ANSWER_SHAPES; i++)
		same = same && str_eq(buf_str(&got.out[i]), buf_str(&want->out[i]));
	answer_sinks_done(&got);
	return same;
}

static void check_cuts(enum answer_format format, struct str stream,
                       const struct answer_sinks *want, bool ended)
{
	size_t seldom = stream.len > EVERY_CUT ? SELDOM : 1;

	for (size_t cut = 1; cut < stream.len; cut += cut < BEGINNING ? 1 : seldom)
		if (!CHECK(same_at_cut(format, stream, cut, want, ended)))
			check_note("cut at %zu", cut);
}

static void check_whole(struct answer_sinks *a)
{
	for (size_t i = 0; i < ANSWER_SHAPES; i++) {
		OWN_BUF struct buf whole = buf_make(SIZE_MAX);
		OWN_JSON_OUT struct json_out client = json_out_make(SIZE_MAX);
		const char *why = NULL;

		/* A malformed answer has no whole in two of the shapes. */
		if (!talk_sink_whole(a->whole[i], &ANSWER_COUNTS, &whole, NULL))
			continue;
		if (!CHECK(answer_assemble((enum talk_shape)i, buf_str(&a->out[i]), &client, &why)))
			check_note("shape %zu: %s", i, why);
		else
			CHECK(answer_same_json(buf_str(&client.text), buf_str(&whole)));
	}
}

static void check_file(enum answer_format format, const char *name)
{
	char path[4096];
	struct answer_sinks a;
	bool ended, broken = str_starts(str_of(name), STR("broken-"));

	(void)snprintf(path, sizeof path, FIXTURES "/upstream/replay/%s/%s", folders[format], name);
	OWN_BUF struct buf stream = read_file(path);
	ended = play(format, buf_str(&stream), 0, &a);
	if (!CHECK(ended == !broken))
		check_note("%s", path);
	for (size_t i = 0; i < ANSWER_SHAPES; i++)
		if (!CHECK(answer_is_well_formed(buf_str(&a.out[i]))))
			check_note("%s as shape %zu", path, i);
	check_cuts(format, buf_str(&stream), &a, ended);
	if (ended)
		check_whole(&a);
	answer_sinks_done(&a);
}

static int is_stream(const struct dirent *entry)
{
	return str_ends(str_of(entry->d_name), STR(".sse"));
}

static void check_folder(enum answer_format format)
{
	char path[4096];
	struct dirent **entries = NULL;
	int count;

	(void)snprintf(path, sizeof path, FIXTURES "/upstream/replay/%s", folders[format]);
	count = scandir(path, &entries, is_stream, alphasort);
	CHECK(count > 0);
	for (int i = 0; i < count; i++) {
		check_note("%s", entries[i]->d_name);
		check_file(format, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void chat_streams_give_the_same_answers_wherever_they_are_cut(void)
{
	check_folder(ANSWER_CHAT);
}

static void messages_streams_give_the_same_answers_wherever_they_are_cut(void)
{
	check_folder(ANSWER_MESSAGES);
}

static void gemini_streams_give_the_same_answers_wherever_they_are_cut(void)
{
	check_folder(ANSWER_GEMINI);
}

static const struct check_case cases[] = {
	CASE(chat_streams_give_the_same_answers_wherever_they_are_cut),
	CASE(messages_streams_give_the_same_answers_wherever_they_are_cut),
	CASE(gemini_streams_give_the_same_answers_wherever_they_are_cut),
};

int main(void)
{
	return check_main(cases, ARRAY_LEN(cases));
}
