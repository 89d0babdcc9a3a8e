/* SPDX-License-Identifier: Apache-2.0 */
/* From a scenario to what a request gets of it: the token limit cuts text and output count alike,
 * as a provider would. Counts that are not scripted are a quarter of the bytes, rounded up. */
#include <stdio.h>
#include <stdlib.h>

#include "base/secret.h"
#include "tests/provider_sim/sim.h"

#define STREAM_MAX (256u << 20)

static int64_t quarter(int64_t bytes)
{
	return bytes / 4 + (bytes % 4 != 0);
}

static int64_t reply_bytes(const struct sim_scenario *s)
{
	int64_t n = (int64_t)(s->text.len + s->reasoning.len);
	const struct json *call = s->tool_calls != NULL ? json_first(s->tool_calls) : NULL;
	for (; call != NULL; call = json_next(call))
		n += (int64_t)(json_key(call).len + json_text(call).len);
	return n;
}

/* The longest start of `s` of at most `n` bytes that ends between characters. */
static struct str start_of(struct str s, size_t n)
{
	if (n >= s.len)
		return s;
	while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n--;
	return (struct str){ s.p, n };
}

static void cap(struct sim_answer *a, int64_t max_tokens)
{
	int64_t *output = &a->usage.n[TOKEN_OUTPUT];
	if (max_tokens < 0 || *output <= max_tokens || a->scenario->fault.ignore_cap)
		return;
	int64_t bytes = 0;
	if (__builtin_mul_overflow((int64_t)a->text.len, max_tokens, &bytes))
		bytes = INT64_MAX;
	a->text = start_of(a->text, (size_t)(bytes / *output));
	*output = max_tokens;
	a->finish = SIM_LENGTH;
}

/* What a provider cannot tell apart is another class there. */
static void fold_writes(struct token_counts *usage, int write_classes)
{
	int64_t *n = usage->n;
	if (write_classes < 2) {
		n[TOKEN_CACHE_WRITE_5M] += n[TOKEN_CACHE_WRITE_1H];
		n[TOKEN_CACHE_WRITE_1H] = 0;
	}
	if (write_classes < 1) {
		n[TOKEN_UNCACHED_INPUT] += n[TOKEN_CACHE_WRITE_5M];
		n[TOKEN_CACHE_WRITE_5M] = 0;
	}
}

struct sim_answer sim_answer_make(const struct sim_ask *ask, const struct sim_scenario *scenario,
                                  int64_t seq)
{
	struct sim_answer a = {
		.scenario = scenario,
		.ask = ask,
		.model = scenario->fault.model.p != NULL ? scenario->fault.model : ask->model,
		.text = buf_str(&scenario->text),
		.finish = scenario->finish,
		.usage = scenario->usage,
		.seq = seq,
	};
	if (!scenario->counted) {
		a.usage.n[TOKEN_UNCACHED_INPUT] = quarter(ask->text_bytes);
		a.usage.n[TOKEN_OUTPUT] = quarter(reply_bytes(scenario));
	}
	fold_writes(&a.usage, ask->format->write_classes);
	if (scenario->fault.block_prompt) {
		a.text = STR("");
		a.usage.n[TOKEN_OUTPUT] = 0;
		a.finish = SIM_BLOCKED;
	}
	cap(&a, ask->max_tokens);
	return a;
}

bool sim_has_tools(const struct sim_answer *a)
{
	return a->finish == SIM_TOOL && a->scenario->tool_calls != NULL;
}

int64_t sim_input(const struct sim_answer *a)
{
	const int64_t *n = a->usage.n;
	return n[TOKEN_UNCACHED_INPUT] + n[TOKEN_CACHE_WRITE_5M] + n[TOKEN_CACHE_WRITE_1H] +
	       n[TOKEN_CACHE_READ];
}

int64_t sim_thoughts(const struct sim_answer *a)
{
	int64_t thoughts = (int64_t)a->scenario->reasoning.len / 4;
	int64_t output = a->usage.n[TOKEN_OUTPUT];
	return thoughts < output ? thoughts : output;
}

void sim_sign(char out[SIM_SIGNATURE_MAX], const char *provider, struct str model, struct str text)
{
	OWN_BUF struct buf all = buf_make(STREAM_MAX);
	OWN_BUF struct buf hex = buf_make(SIM_SIGNATURE_MAX);
	buf_addf(&all, "%s/%.*s/", provider, STR_ARG(model));
	buf_add(&all, text);
	struct hash hash = hash_plain(all.p, all.len);
	buf_add_hex(&hex, hash.bytes, sizeof(hash.bytes));
	(void)snprintf(out, SIM_SIGNATURE_MAX, "%s", hex.p); /* of a hash's length */
}

bool sim_signed(struct str signature, const char *provider, struct str model, struct str text)
{
	char right[SIM_SIGNATURE_MAX];
	sim_sign(right, provider, model, text);
	return str_eq(signature, str_of(right));
}

size_t sim_piece_bytes(const struct sim_answer *a, struct str text)
{
	size_t chunks = (size_t)a->scenario->chunks;
	return (text.len + chunks - 1) / chunks;
}

bool sim_next_piece(struct str *rest, size_t piece_bytes, struct str *piece)
{
	if (rest->len == 0)
		return false;
	struct str cut = start_of(*rest, piece_bytes);
	for (size_t n = piece_bytes + 1; cut.len == 0; n++) /* one long character */
		cut = start_of(*rest, n);
	*piece = cut;
	*rest = (struct str){ rest->p + cut.len, rest->len - cut.len };
	return true;
}

void sim_id(char out[SIM_ID_MAX], const char *prefix, int64_t seq)
{
	(void)snprintf(out, SIM_ID_MAX, "%s%06lld", prefix, (long long)seq); /* ours, and short */
}

/* ---- Frames ---- */

void sim_frames_done(struct sim_frames *f)
{
	buf_done(&f->text);
	free(f->list);
	*f = (struct sim_frames){ .count = 0 };
}

static struct sim_frame *new_frame(struct sim_frames *f)
{
	if (f->count == f->cap) {
		size_t more = f->cap != 0 ? f->cap * 2 : 16;
		struct sim_frame *list = reallocarray(f->list, more, sizeof(*list));
		if (list == NULL)
			abort(); /* a test's server: nothing better to do */
		f->list = list;
		f->cap = more;
	}
	return &f->list[f->count++];
}

void sim_frames_add(struct sim_frames *f, enum sim_frame_kind kind, const char *event,
                    struct str data)
{
	const char *end = f->crlf ? "\r\n" : "\n";
	if (f->text.max == 0)
		f->text = buf_make(STREAM_MAX);
	struct sim_frame *frame = new_frame(f);
	*frame = (struct sim_frame){ .kind = kind, .start = f->text.len };
	if (event != NULL) {
		buf_add_z(&f->text, "event: ");
		buf_add_z(&f->text, event);
		buf_add_z(&f->text, end);
	}
	buf_add_z(&f->text, "data: ");
	buf_add(&f->text, data);
	buf_add_z(&f->text, end);
	buf_add_z(&f->text, end);
	if (f->text.failed)
		abort();
	frame->len = f->text.len - frame->start;
}
