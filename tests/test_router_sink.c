/* SPDX-License-Identifier: Apache-2.0 */
/* What the sinks write: fixtures/answers/<case>.txt has each shape's stream and whole answer for
 * the case's events. With a folder as argument the files are written there instead, to be read by a
 * person before they become expectations. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "tests/answer_world.h"
#include "tests/check.h"

#define START                         \
	{                             \
		.kind = TALK_EV_START \
	}
#define TEXT(t)                                           \
	{                                                 \
		.kind = TALK_EV_TEXT, .text = STR_INIT(t) \
	}
#define THINKING(t)                                           \
	{                                                     \
		.kind = TALK_EV_THINKING, .text = STR_INIT(t) \
	}
#define SIGNATURE(s, t)                                                       \
	{                                                                     \
		.kind = TALK_EV_SIGNATURE, .signer = (s), .text = STR_INIT(t) \
	}
#define REDACTED(s, t)                                                       \
	{                                                                    \
		.kind = TALK_EV_REDACTED, .signer = (s), .text = STR_INIT(t) \
	}
#define REFUSAL(t)                                           \
	{                                                    \
		.kind = TALK_EV_REFUSAL, .text = STR_INIT(t) \
	}
#define TOOL(i, c, n)                                                                      \
	{                                                                                  \
		.kind = TALK_EV_TOOL, .index = (i), .id = STR_INIT(c), .name = STR_INIT(n) \
	}
#define SIGNED_TOOL(i, c, n, t)                                                             \
	{                                                                                   \
		.kind = TALK_EV_TOOL, .index = (i), .id = STR_INIT(c), .name = STR_INIT(n), \
		.signer = PROVIDER_GOOGLE, .text = STR_INIT(t)                              \
	}
#define ARGUMENTS(i, t)                                                      \
	{                                                                    \
		.kind = TALK_EV_ARGUMENTS, .index = (i), .text = STR_INIT(t) \
	}
#define FINISH(f)                                                 \
	{                                                         \
		.kind = TALK_EV_FINISH, .finish = TALK_FINISH_##f \
	}
#define END                         \
	{                           \
		.kind = TALK_EV_END \
	}

static const struct talk_event text[] = {
	START, TEXT("Hel"), TEXT("lo \"\xc3\xa9\xf0\x9f\x98\x80\"\n"), TEXT(""), FINISH(STOP), END,
};

static const struct talk_event thinking_and_calls[] = {
	START,
	THINKING("Let me"),
	THINKING(" see."),
	SIGNATURE(PROVIDER_ANTHROPIC, "EqQB"),
	REDACTED(PROVIDER_ANTHROPIC, "EmwK"),
	SIGNATURE(PROVIDER_ANTHROPIC, "EpQA"),
	TEXT("Looking."),
	TOOL(0, "toolu_1", "get_weather"),
	ARGUMENTS(0, "{\"city\":"),
	ARGUMENTS(0, "\"Bern\"}"),
	TOOL(1, "toolu_2", "get_time"),
	ARGUMENTS(1, "{}"),
	FINISH(TOOLS),
	END,
};

static const struct talk_event calls_only[] = {
	START, TOOL(0, "call_a", "get_time"), ARGUMENTS(0, "{}"), FINISH(TOOLS), END,
};

static const struct talk_event interleaved[] = {
	START,
	TOOL(0, "call_a", "f"),
	ARGUMENTS(0, "{\"a\":\"}"),
	TOOL(1, "call_b", "g"),
	ARGUMENTS(1, "{\"b\":"),
	TEXT("between"),
	ARGUMENTS(0, "\\\"\"}"),
	ARGUMENTS(0, " too late"),
	ARGUMENTS(1, "[2]}"),
	TEXT(" and after"),
	FINISH(TOOLS),
	END,
};

static const struct talk_event signed_by_google[] = {
	START,
	THINKING("Hm."),
	SIGNED_TOOL(0, "call_a", "f", "CiQB"),
	ARGUMENTS(0, "{\"a\":1}"),
	TOOL(1, "call_b", "g"),
	ARGUMENTS(1, "{}"),
	TEXT("Done."),
	SIGNATURE(PROVIDER_GOOGLE, "CiQC"),
	FINISH(TOOLS),
	END,
};

static const struct talk_event unsigned_thinking[] = {
	START, THINKING("Hm."), TEXT("A"), THINKING("Oh."), FINISH(STOP), END,
};

static const struct talk_event refusal[] = {
	START, TEXT("I"), REFUSAL("I will"), REFUSAL(" not."), FINISH(FILTER), END,
};

static const struct talk_event cut[] = {
	START, TEXT("Once upon a"), TOOL(0, "call_a", "f"), ARGUMENTS(0, "{\"a\":"), FINISH(LENGTH),
	END,
};

static const struct talk_event stop_sequence[] = {
	START,
	TEXT("1 2"),
	{ .kind = TALK_EV_FINISH, .finish = TALK_FINISH_STOP, .stop = STR_INIT("3") },
	END,
};

static const struct talk_event freeform[] = {
	START,
	TOOL(0, "call_a", "apply_patch"),
	ARGUMENTS(0, "{\"input\":\"*** Begin"),
	ARGUMENTS(0, " Patch\\n\"}"),
	TOOL(1, "call_b", "apply_patch"),
	ARGUMENTS(1, "plain"),
	TOOL(2, "call_c", "files__read"),
	ARGUMENTS(2, "{}"),
	FINISH(TOOLS),
	END,
};

static const struct talk_event malformed[] = {
	START,
	TEXT("So"),
	FINISH(ERROR),
	END,
};

static const struct talk_event nothing[] = {
	START,
	FINISH(STOP),
	END,
};

static const struct talk_event broken[] = {
	START,
	TEXT("So"),
	TOOL(0, "call_a", "f"),
	ARGUMENTS(0, "{"),
};

static const struct golden {
	const char *name;
	const struct talk_event *events;
	size_t count;
	bool asked;  /* with a talk of tools and settings */
	bool broken; /* the stream ends in an error */
} goldens[] = {
	{ "text", text, ARRAY_LEN(text), false, false },
	{ "thinking-and-calls", thinking_and_calls, ARRAY_LEN(thinking_and_calls), false, false },
	{ "calls-only", calls_only, ARRAY_LEN(calls_only), false, false },
	{ "interleaved", interleaved, ARRAY_LEN(interleaved), false, false },
	{ "signed-by-google", signed_by_google, ARRAY_LEN(signed_by_google), false, false },
	{ "unsigned-thinking", unsigned_thinking, ARRAY_LEN(unsigned_thinking), false, false },
	{ "refusal", refusal, ARRAY_LEN(refusal), false, false },
	{ "cut", cut, ARRAY_LEN(cut), false, false },
	{ "stop-sequence", stop_sequence, ARRAY_LEN(stop_sequence), false, false },
	{ "freeform", freeform, ARRAY_LEN(freeform), true, false },
	{ "malformed", malformed, ARRAY_LEN(malformed), false, false },
	{ "nothing", nothing, ARRAY_LEN(nothing), false, false },
	{ "broken", broken, ARRAY_LEN(broken), false, true },
};

static const char *const shape_names[] = {
	[TALK_SHAPE_CHAT] = "chat",
	[TALK_SHAPE_MESSAGES] = "messages",
	[TALK_SHAPE_RESPONSES] = "responses",
};

static void add_tool(struct talk *t, struct talk_tool tool)
{
	struct talk_tool *added = talk_add_tool(t);

	if (!CHECK(added != NULL))
		return;
	added->name = tool.name;
	added->description = tool.description;
	added->schema = tool.schema;
	added->strict = tool.strict;
	added->freeform = tool.freeform;
	added->space = tool.space;
	added->plain = tool.plain;
}

static void ask(struct talk *t)
{
	talk_init(t);
	add_tool(t, (struct talk_tool){ .name = STR("apply_patch"),
	                                .description = STR("Edits files."),
	                                .freeform = true });
	add_tool(t, (struct talk_tool){ .name = STR("files__read"),
	                                .schema = STR("{\"type\":\"object\"}"),
	                                .strict = true,
	                                .space = STR("files"),
	                                .plain = STR("read") });
	t->choice = TALK_CHOICE_NAMED;
	t->choice_name = STR("apply_patch");
	t->parallel_off = true;
	t->output_limit = 1000;
	t->temperature = STR("0.5");
	t->effort = TALK_EFFORT_LOW;
	t->format = TALK_FORMAT_SCHEMA;
	t->format_name = STR("answer");
	t->format_schema = STR("{}");
}

static void play(const struct golden *g, struct answer_sinks *a, const struct talk *talk)
{
	answer_sinks_init(a, g->asked ? talk : NULL);
	for (size_t i = 0; i < g->count; i++)
		answer_sinks_event(a, &g->events[i]);
	answer_sinks_end(a, !g->broken);
}

static void put_whole(struct talk_sink *sink, struct buf *out)
{
	OWN_BUF struct buf answer = buf_make(SIZE_MAX);
	struct err err = { 0 };

	if (talk_sink_whole(sink, &ANSWER_COUNTS, &answer, &err))
		buf_add(out, buf_str(&answer));
	else
		buf_addf(out, "%s: %s", err_code_name(err.code), err.text);
	buf_add_char(out, '\n');
}

static struct buf written(const struct golden *g)
{
	struct buf out = buf_make(SIZE_MAX);
	struct answer_sinks a;
	OWN_TALK struct talk talk;

	ask(&talk);
	play(g, &a, &talk);
	for (size_t i = 0; i < ANSWER_SHAPES; i++) {
		buf_addf(&out, "==== %s, stream\n", shape_names[i]);
		buf_add(&out, buf_str(&a.out[i]));
		if (g->broken)
			continue;
		buf_addf(&out, "==== %s, whole\n", shape_names[i]);
		put_whole(a.whole[i], &out);
	}
	answer_sinks_done(&a);
	return out;
}

static FILE *open_golden(const char *folder, const char *name, const char *mode)
{
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/%s.txt", folder, name);
	return fopen(path, mode);
}

static void each_shape_writes_what_its_file_says(void)
{
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++) {
		OWN_BUF struct buf got = written(&goldens[i]), want = buf_make(SIZE_MAX);
		FILE *file = open_golden(FIXTURES "/answers", goldens[i].name, "rb");
		int c;

		if (!CHECK(file != NULL))
			continue;
		while ((c = fgetc(file)) != EOF)
			buf_add_char(&want, (char)c);
		(void)fclose(file); /* only read from */
		if (!CHECK_STR(buf_str(&got).p, buf_str(&want).p))
			check_note("case %s", goldens[i].name);
	}
}

static void a_client_has_from_the_stream_what_the_whole_answer_says(void)
{
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++) {
		OWN_TALK struct talk talk;
		struct answer_sinks a;

		ask(&talk);
		play(&goldens[i], &a, &talk);
		for (size_t shape = 0; shape < ANSWER_SHAPES; shape++) {
			OWN_BUF struct buf whole = buf_make(SIZE_MAX);
			OWN_JSON_OUT struct json_out client = json_out_make(SIZE_MAX);
			const char *why;

			CHECK(answer_is_well_formed(buf_str(&a.out[shape])));
			if (goldens[i].broken ||
			    !talk_sink_whole(a.whole[shape], &ANSWER_COUNTS, &whole, NULL))
				continue;
			if (!CHECK(answer_assemble((enum talk_shape)shape, buf_str(&a.out[shape]),
			                           &client, &why)))
				check_note("%s as %s: %s", goldens[i].name, shape_names[shape],
				           why);
			else if (!CHECK(answer_same_json(buf_str(&client.text), buf_str(&whole))))
				check_note("%s as %s", goldens[i].name, shape_names[shape]);
		}
		answer_sinks_done(&a);
	}
}

static void text_leaves_with_the_event_that_brought_it(void)
{
	static const struct talk_event events[] = { TEXT("first"), THINKING("second"),
		                                    REFUSAL("third"), TOOL(0, "call_a", "fourth"),
		                                    ARGUMENTS(0, "{\\\"fifth") };
	static const char *const words[] = { "first", "second", "third", "fourth", "fifth" };
	struct answer_sinks a;

	answer_sinks_init(&a, NULL);
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		answer_sinks_event(&a, &events[i]);
		for (size_t shape = 0; shape < ANSWER_SHAPES; shape++) {
			if (!CHECK(str_find(buf_str(&a.out[shape]), str_of(words[i])) >= 0))
				check_note("%s as %s", words[i], shape_names[shape]);
			buf_reset(&a.out[shape]);
		}
	}
	answer_sinks_done(&a);
}

static void usage_is_sent_only_to_a_client_that_asked(void)
{
	struct talk_sink_options options = { .shape = TALK_SHAPE_CHAT,
		                             .model = STR("m"),
		                             .request_id = STR("req_1") };
	OWN_BUF struct buf out = buf_make(SIZE_MAX);
	struct talk_sink *sink = talk_sink_new(&options, NULL);

	if (!CHECK(sink != NULL))
		return;
	talk_sink_put(sink, &text[1], &out);
	talk_sink_end(sink, &ANSWER_COUNTS, &out);
	CHECK_I64(str_find(buf_str(&out), STR("usage")), -1);
	CHECK(str_ends(buf_str(&out), STR("data: [DONE]\n\n")));
	talk_sink_free(sink);
}

static void nothing_follows_the_end(void)
{
	struct err why = { .code = ERR_INTERNAL };
	struct answer_sinks a;

	answer_sinks_init(&a, NULL);
	answer_sinks_end(&a, true);
	for (size_t i = 0; i < ANSWER_SHAPES; i++) {
		size_t len = a.out[i].len;

		talk_sink_put(a.stream[i], &text[1], &a.out[i]);
		talk_sink_end(a.stream[i], &ANSWER_COUNTS, &a.out[i]);
		talk_sink_fail(a.stream[i], &why, &a.out[i]);
		CHECK_I64(a.out[i].len, len);
	}
	answer_sinks_done(&a);
}

static void events_of_calls_that_never_began_are_nothing(void)
{
	static const struct talk_event odd[] = {
		ARGUMENTS(0, "{}"),       ARGUMENTS(-1, "{}"),     ARGUMENTS(127, "{}"),
		ARGUMENTS(128, "{}"),     TOOL(5, "x", "f"),       TOOL(-1, "x", "f"),
		ARGUMENTS(INT64_MAX, ""), TOOL(INT64_MIN, "", ""),
	};
	struct answer_sinks a;

	answer_sinks_init(&a, NULL);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		answer_sinks_event(&a, &odd[i]);
	answer_sinks_end(&a, true);
	for (size_t i = 0; i < ANSWER_SHAPES; i++) {
		CHECK(answer_is_well_formed(buf_str(&a.out[i])));
		CHECK_I64(str_find(buf_str(&a.out[i]), STR("call_id")), -1);
		CHECK_I64(str_find(buf_str(&a.out[i]), STR("tool_calls\":[")), -1);
	}
	answer_sinks_done(&a);
}

static void an_answer_above_the_limit_is_too_large(void)
{
	enum {
		PIECE = 1 << 20
	};
	char *piece = malloc(PIECE);
	struct talk_event event = { .kind = TALK_EV_TEXT };
	OWN_BUF struct buf out = buf_make(SIZE_MAX);
	struct err err = { 0 };
	struct answer_sinks a;

	if (!CHECK(piece != NULL))
		return;
	memset(piece, 'a', PIECE);
	event.text = (struct str){ piece, PIECE };
	answer_sinks_init(&a, NULL);
	for (size_t i = 0; i <= LIMIT_UPSTREAM_BODY / PIECE; i++) {
		talk_sink_put(a.whole[TALK_SHAPE_CHAT], &event, NULL);
		talk_sink_put(a.stream[TALK_SHAPE_RESPONSES], &event, &out);
		buf_reset(&out);
	}
	CHECK(!talk_sink_whole(a.whole[TALK_SHAPE_CHAT], &ANSWER_COUNTS, &out, &err));
	CHECK_I64(err.code, ERR_TOO_LARGE);
	talk_sink_end(a.stream[TALK_SHAPE_RESPONSES], &ANSWER_COUNTS, &out);
	CHECK(str_starts(buf_str(&out), STR("event: response.failed\n")));
	CHECK(answer_is_well_formed(buf_str(&out)));
	answer_sinks_done(&a);
	free(piece);
}

static const struct check_case cases[] = {
	CASE(each_shape_writes_what_its_file_says),
	CASE(a_client_has_from_the_stream_what_the_whole_answer_says),
	CASE(text_leaves_with_the_event_that_brought_it),
	CASE(usage_is_sent_only_to_a_client_that_asked),
	CASE(nothing_follows_the_end),
	CASE(events_of_calls_that_never_began_are_nothing),
	CASE(an_answer_above_the_limit_is_too_large),
};

static int write_goldens(const char *folder)
{
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++) {
		OWN_BUF struct buf text_now = written(&goldens[i]);
		FILE *file = open_golden(folder, goldens[i].name, "wb");

		if (!file || fwrite(text_now.p, 1, text_now.len, file) != text_now.len ||
		    fclose(file) != 0)
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return write_goldens(argv[1]);
	return check_main(cases, ARRAY_LEN(cases));
}
