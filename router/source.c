/* SPDX-License-Identifier: Apache-2.0 */
/* The common half of the sources. Two things here are not obvious: ids of calls are made fit for
 * every protocol, since the client may take its transcript to another model, and the finish is told
 * only at the end, because providers may correct it. */
#include "router/source.h"

#include <string.h>

#include "base/id.h"
#include "base/limits.h"

/* OpenAI takes no longer id back. */
#define CALL_ID_MAX 40
#define MADE_ID_CHARS 22

static const struct str REPLACEMENT = STR_INIT("\xEF\xBF\xBD");

void talk_source_init(struct talk_source *s, uint64_t seed)
{
	struct buf *bufs[] = { &s->text, &s->id, &s->name, &s->signature, &s->stop, &s->mended };

	*s = (struct talk_source){ .seed = seed };
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		*bufs[i] = buf_make((size_t)LIMIT_UPSTREAM_BODY * 2);
}

void talk_source_done(struct talk_source *s)
{
	struct buf *bufs[] = { &s->text, &s->id, &s->name, &s->signature, &s->stop, &s->mended };

	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		buf_done(bufs[i]);
}

void source_enter(struct talk_source *s, enum provider signer, talk_event_fn *fn, void *data)
{
	s->signer = signer;
	s->fn = fn;
	s->data = data;
}

/* ---- JSON text ---- */

/* The number of the \uXXXX at `at`, or -1. */
static int32_t escape_at(struct str text, size_t at)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	int32_t n = 0;

	if (text.len - at < 6 || text.p[at] != '\\' || text.p[at + 1] != 'u')
		return -1;
	for (size_t i = at + 2; i < at + 6; i++) {
		const char *digit = memchr(digits, text.p[i], sizeof digits - 1);

		if (!digit)
			return -1;
		n = n * 16 + (int32_t)((digit - digits) % 16);
	}
	return n;
}

/* Bytes of the character or escape at `at` that may stand in JSON text, or 0. */
static size_t good_at(struct str text, size_t at)
{
	int32_t c = escape_at(text, at);

	if (c >= 0xD800 && c <= 0xDBFF && text.len - at >= 12) {
		int32_t low = escape_at(text, at + 6);
		return low >= 0xDC00 && low <= 0xDFFF ? 12 : 0;
	}
	if (c == 0 || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	if (c > 0)
		return 6;
	for (size_t n = 1; n <= 4 && n <= text.len - at; n++)
		if (str_is_utf8((struct str){ text.p + at, n }))
			return text.p[at] == '\\' && text.len - at > 1 ? 2 : n;
	return 0;
}

/* U+FFFD for what the gate refuses in a string though other parsers let it through: bytes that are
 * no UTF-8, halves of surrogate pairs, NUL. */
static void mend(struct str text, struct buf *out)
{
	buf_reset(out);
	for (size_t at = 0; at < text.len;) {
		size_t n = good_at(text, at);

		if (n > 0)
			buf_add(out, (struct str){ text.p + at, n });
		else
			buf_add(out, REPLACEMENT);
		at += n > 0 ? n : escape_at(text, at) >= 0 ? 6 : 1;
	}
}

bool source_pick(struct talk_source *s, struct str text, const char *const *keys, struct str *out,
                 size_t count)
{
	if (json_pick(text, keys, out, count, NULL))
		return true;
	mend(text, &s->mended);
	return json_pick(buf_str(&s->mended), keys, out, count, NULL);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_space(struct str text, size_t at)
{
	while (at < text.len && is_space(text.p[at]))
		at++;
	return at;
}

/* Where the value at `at` ends: at the comma or the bracket behind it. */
static size_t value_end(struct str text, size_t at)
{
	size_t depth = 0;
	bool quoted = false;

	for (; at < text.len; at++) {
		char c = text.p[at];

		if (quoted && c == '\\')
			at++;
		else if (c == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (c == '[' || c == '{')
			depth++;
		else if (depth == 0 && (c == ',' || c == ']' || c == '}'))
			break;
		else if (c == ']' || c == '}')
			depth--;
	}
	return at < text.len ? at : text.len;
}

bool source_next(struct str *array, struct str *element)
{
	size_t start, end;

	if (array->len == 0 || (array->p[0] != '[' && array->p[0] != ','))
		return false;
	start = skip_space(*array, 1);
	end = value_end(*array, start);
	if (start == end)
		return false;
	*element = (struct str){ array->p + start, end - start };
	*array = (struct str){ array->p + end, array->len - end };
	return true;
}

bool source_is_set(struct str raw)
{
	return raw.p && !json_raw_is_null(raw);
}

/* ---- Events ---- */

static void emit(struct talk_source *s, struct talk_event event)
{
	event.signer = s->signer;
	s->fn(s->data, &event);
}

void source_start(struct talk_source *s)
{
	if (s->started)
		return;
	s->started = true;
	emit(s, (struct talk_event){ .kind = TALK_EV_START });
}

/* The string behind `raw`; false if there is none or it is empty. */
static bool decode(struct str raw, struct buf *out)
{
	buf_reset(out);
	return json_raw_string(raw, out) && out->len > 0;
}

void source_say(struct talk_source *s, enum talk_event_kind kind, struct str raw)
{
	if (!decode(raw, &s->text))
		return;
	source_start(s);
	emit(s, (struct talk_event){ .kind = kind, .text = buf_str(&s->text) });
}

void source_sign(struct talk_source *s, struct str raw)
{
	if (decode(raw, &s->text)) {
		buf_reset(&s->signature);
		buf_add(&s->signature, buf_str(&s->text));
	}
}

void source_signed(struct talk_source *s)
{
	if (s->signature.len == 0)
		return;
	source_start(s);
	emit(s, (struct talk_event){ .kind = TALK_EV_SIGNATURE, .text = buf_str(&s->signature) });
	buf_reset(&s->signature);
}

/* splitmix64: the ids are names, not secrets, and the same seed gives the same ones. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15u;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

static void make_id(struct talk_source *s)
{
	uint64_t random[2] = { next_random(&s->seed), next_random(&s->seed) };
	unsigned char bytes[sizeof random];
	char text[MADE_ID_CHARS + 1];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(random[i / 8] >> (i % 8 * 8));
	base62_encode(bytes, sizeof bytes, text, MADE_ID_CHARS);
	buf_reset(&s->id);
	buf_add_z(&s->id, "call_");
	buf_add_z(&s->id, text);
}

/* Messages takes only letters, digits, _ and -; Kimi's ids are "functions.name:0". */
static void read_id(struct talk_source *s, struct str raw)
{
	if (!decode(raw, &s->id) || s->id.len > CALL_ID_MAX) {
		make_id(s);
		return;
	}
	for (size_t i = 0; i < s->id.len; i++)
		if (!base62_is((struct str){ s->id.p + i, 1 }) && s->id.p[i] != '-')
			s->id.p[i] = '_';
}

bool source_begin_call(struct talk_source *s, const struct source_call *call)
{
	struct talk_event event = { .kind = TALK_EV_TOOL, .index = (int64_t)s->calls };

	if (s->calls == TALK_CALLS_MAX)
		return false;
	source_start(s);
	read_id(s, call->id);
	(void)decode(call->name, &s->name); /* an empty name is the model's mistake, and passes */
	if (decode(call->signature, &s->text))
		event.text = buf_str(&s->text);
	event.id = buf_str(&s->id);
	event.name = buf_str(&s->name);
	s->call_key[s->calls++] = call->key;
	emit(s, event);
	return true;
}

size_t source_find_call(const struct talk_source *s, int64_t key)
{
	for (size_t i = s->calls; i-- > 0;)
		if (s->call_key[i] == key)
			return i;
	return SOURCE_NO_CALL;
}

static void argue(struct talk_source *s, size_t call, struct str text)
{
	s->argued[call] = true;
	emit(s, (struct talk_event){
			.kind = TALK_EV_ARGUMENTS, .index = (int64_t)call, .text = text });
}

void source_argue(struct talk_source *s, size_t call, struct str raw)
{
	if (call == SOURCE_NO_CALL)
		return;
	if (raw.len > 0 && raw.p[0] == '{')
		argue(s, call, raw);
	else if (decode(raw, &s->text))
		argue(s, call, buf_str(&s->text));
}

void source_close_call(struct talk_source *s, size_t call)
{
	if (call != SOURCE_NO_CALL && !s->argued[call])
		argue(s, call, STR("{}"));
}

void source_finish(struct talk_source *s, struct str raw, const struct source_finish *table,
                   size_t count)
{
	if (raw.len <= 2 || raw.p[0] != '"')
		return;
	s->finish_known = true;
	s->finish = TALK_FINISH_STOP;
	for (size_t i = 0; i < count; i++)
		if (json_raw_equals(raw, table[i].word))
			s->finish = table[i].finish;
}

void source_end(struct talk_source *s)
{
	struct talk_event finish = { .kind = TALK_EV_FINISH, .finish = s->finish };

	source_start(s);
	source_signed(s);
	for (size_t i = 0; i < s->calls; i++)
		source_close_call(s, i);
	/* Gemini has no word for calls, and OpenAI says "stop" after a call that was forced. */
	if (s->finish == TALK_FINISH_STOP && s->calls > 0)
		finish.finish = TALK_FINISH_TOOLS;
	if (s->finish == TALK_FINISH_TOOLS && s->calls == 0)
		finish.finish = TALK_FINISH_STOP;
	if (s->stop.len > 0)
		finish.stop = buf_str(&s->stop);
	s->ended = true;
	emit(s, finish);
	emit(s, (struct talk_event){ .kind = TALK_EV_END });
}
