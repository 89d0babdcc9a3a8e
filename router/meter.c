/* SPDX-License-Identifier: Apache-2.0 */
/* The traps, in one place: OpenAI's input figure includes cached tokens, Anthropic's excludes them;
 * Anthropic splits 5m and 1h writes only at the start, so what grows later is 5m; running totals
 * replace and are never added. A figure that cannot be makes the whole report void: the call is
 * then billed by estimate, never by nonsense. */
#include "router/meter.h"

#include <string.h>

#include "base/json.h"

/* No answer of any model has more tokens of a class; beyond it the report is a fault. */
#define COUNT_MAX 100000000

struct meter meter_make(void)
{
	return (struct meter){ .input = -1,
		               .output = -1,
		               .cache_read = -1,
		               .cache_write = -1,
		               .cache_write_5m = -1,
		               .cache_write_1h = -1 };
}

/* Reads a count into `*out`, which keeps its value if the figure is absent or null. */
static void read_count(struct meter *m, struct str raw, int64_t *out)
{
	int64_t n;

	if (!raw.p || json_raw_is_null(raw))
		return;
	if (!json_raw_i64(raw, &n) || n < 0 || n > COUNT_MAX) {
		m->malformed = true;
		return;
	}
	*out = n;
}

static int64_t at_least_zero(int64_t n)
{
	return n > 0 ? n : 0;
}

/* The five classes from figures whose input includes what was cached and written. */
static void set_inclusive(struct meter *m, int64_t input, int64_t cached, int64_t written,
                          int64_t output)
{
	if (input < 0 || output < 0)
		m->malformed = true;
	if (m->malformed)
		return;
	m->counts.n[TOKEN_UNCACHED_INPUT] = at_least_zero(input - cached - written);
	m->counts.n[TOKEN_CACHE_WRITE_5M] = written;
	m->counts.n[TOKEN_CACHE_WRITE_1H] = 0;
	m->counts.n[TOKEN_CACHE_READ] = cached;
	m->counts.n[TOKEN_OUTPUT] = output;
	m->reported = true;
}

/* Members of an inner object; nothing if it is absent or null. */
static void pick_details(struct meter *m, struct str raw, const char *const *keys, struct str *out,
                         size_t count)
{
	if (raw.p && !json_raw_is_null(raw) && !json_pick(raw, keys, out, count, NULL))
		m->malformed = true;
}

void meter_openai(struct meter *m, struct str usage)
{
	static const char *const keys[] = { "prompt_tokens", "completion_tokens",
		                            "prompt_tokens_details" };
	static const char *const detail_keys[] = { "cached_tokens", "cache_write_tokens" };
	struct str top[3] = { 0 }, detail[2] = { 0 };
	int64_t prompt = -1, completion = -1, cached = 0, written = 0;

	pick_details(m, usage, keys, top, 3);
	read_count(m, top[0], &prompt);
	read_count(m, top[1], &completion);
	pick_details(m, top[2], detail_keys, detail, 2);
	read_count(m, detail[0], &cached);
	read_count(m, detail[1], &written);
	set_inclusive(m, prompt, cached, written, completion);
}

void meter_kimi(struct meter *m, struct str usage)
{
	static const char *const keys[] = { "prompt_tokens", "completion_tokens", "cached_tokens",
		                            "prompt_tokens_details" };
	static const char *const detail_keys[] = { "cached_tokens" };
	struct str top[4] = { 0 }, detail = { 0 };
	int64_t prompt = -1, completion = -1, cached = 0;

	pick_details(m, usage, keys, top, 4);
	read_count(m, top[0], &prompt);
	read_count(m, top[1], &completion);
	pick_details(m, top[3], detail_keys, &detail, 1);
	read_count(m, detail, &cached);
	read_count(m, top[2], &cached); /* wins where both are there */
	set_inclusive(m, prompt, cached, 0, completion);
}

void meter_responses(struct meter *m, struct str usage)
{
	static const char *const keys[] = { "input_tokens", "output_tokens",
		                            "input_tokens_details" };
	static const char *const detail_keys[] = { "cached_tokens", "cache_write_tokens",
		                                   "cache_write_tokens_details" };
	static const char *const ttl_keys[] = { "ttl_30m_tokens", "ttl_12h_tokens" };
	struct str top[3] = { 0 }, detail[3] = { 0 }, ttl[2] = { 0 };
	int64_t input = -1, output = -1, cached = 0, written = 0, long_lived = 0, short_lived = 0;

	pick_details(m, usage, keys, top, 3);
	read_count(m, top[0], &input);
	read_count(m, top[1], &output);
	pick_details(m, top[2], detail_keys, detail, 3);
	read_count(m, detail[0], &cached);
	read_count(m, detail[1], &written);
	pick_details(m, detail[2], ttl_keys, ttl, 2);
	read_count(m, ttl[0], &short_lived);
	read_count(m, ttl[1], &long_lived);
	if (written < short_lived + long_lived)
		written = short_lived + long_lived;
	set_inclusive(m, input, cached, written, output);
	if (m->reported) {
		m->counts.n[TOKEN_CACHE_WRITE_5M] = written - long_lived;
		m->counts.n[TOKEN_CACHE_WRITE_1H] = long_lived;
	}
}

void meter_gemini(struct meter *m, struct str usage)
{
	static const char *const keys[] = { "promptTokenCount", "candidatesTokenCount",
		                            "thoughtsTokenCount", "cachedContentTokenCount",
		                            "toolUsePromptTokenCount" };
	struct str got[5] = { 0 };
	int64_t n[5] = { -1, 0, 0, 0, 0 };

	pick_details(m, usage, keys, got, 5);
	for (size_t i = 0; i < ARRAY_LEN(n); i++)
		read_count(m, got[i], &n[i]);
	set_inclusive(m, n[0] < 0 ? n[0] : n[0] + n[4], n[3], 0, n[1] + n[2]);
	if (m->reported)
		m->input = m->counts.n[TOKEN_UNCACHED_INPUT]; /* known even if the stream breaks */
}

static void read_cache_split(struct meter *m, struct str raw)
{
	static const char *const keys[] = { "ephemeral_5m_input_tokens",
		                            "ephemeral_1h_input_tokens" };
	struct str split[2] = { 0 };

	if (!raw.p || json_raw_is_null(raw))
		return;
	if (!json_pick(raw, keys, split, 2, NULL)) {
		m->malformed = true;
		return;
	}
	read_count(m, split[0], &m->cache_write_5m);
	read_count(m, split[1], &m->cache_write_1h);
}

void meter_anthropic(struct meter *m, struct str usage, bool opening)
{
	static const char *const keys[] = { "input_tokens", "output_tokens",
		                            "cache_read_input_tokens",
		                            "cache_creation_input_tokens", "cache_creation" };
	struct str got[5] = { 0 };

	if (!json_pick(usage, keys, got, 5, NULL)) {
		m->malformed = true;
		return;
	}
	read_count(m, got[0], &m->input);
	read_count(m, got[1], &m->output);
	read_count(m, got[2], &m->cache_read);
	read_count(m, got[3], &m->cache_write);
	if (opening)
		read_cache_split(m, got[4]);
	if (m->malformed || m->input < 0 || m->output < 0)
		return;
	/* Writes that the opening did not split, or that came later, are of the 5 minute class. */
	int64_t hour = at_least_zero(m->cache_write_1h);
	int64_t writes = at_least_zero(m->cache_write);
	int64_t five = at_least_zero(m->cache_write_5m);
	m->counts.n[TOKEN_UNCACHED_INPUT] = m->input;
	m->counts.n[TOKEN_CACHE_WRITE_1H] = hour;
	m->counts.n[TOKEN_CACHE_WRITE_5M] = writes - hour > five ? writes - hour : five;
	m->counts.n[TOKEN_CACHE_READ] = at_least_zero(m->cache_read);
	m->counts.n[TOKEN_OUTPUT] = m->output;
}

void meter_model(struct meter *m, struct str raw)
{
	if (raw.len < 2 || raw.p[0] != '"' || raw.len - 2 > LIMIT_MODEL_ID)
		return;
	memcpy(m->model, raw.p + 1, raw.len - 2);
	m->model[raw.len - 2] = '\0';
}

void meter_delta(struct meter *m, struct str data, struct str key)
{
	ptrdiff_t at = str_find(data, key);

	if (at < 0)
		return;
	const char *p = data.p + at + key.len, *end = data.p + data.len;
	for (; p < end && *p != '"'; p++, m->delta_bytes++)
		if (*p == '\\' && p + 1 < end)
			p++;
}

static int64_t bounded(int64_t n, int64_t bound)
{
	return n < bound ? n : bound;
}

struct token_counts meter_estimate(const struct meter *m, int64_t input_estimate,
                                   int64_t input_bound, int64_t output_bound)
{
	struct token_counts counts = { { 0 } };
	int64_t output = (m->delta_bytes + 3) / 4;

	if (m->input >= 0 && !m->malformed)
		counts = m->counts;
	else
		counts.n[TOKEN_UNCACHED_INPUT] = bounded(input_estimate, input_bound);
	counts.n[TOKEN_OUTPUT] = bounded(output, output_bound);
	return counts;
}
