/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of talk_world.h. */
#include "tests/talk_world.h"

const struct talk_way talk_ways[] = {
	{ "chat-to-messages", talk_read_chat, talk_write_messages },
	{ "chat-to-gemini", talk_read_chat, talk_write_gemini },
	{ "chat-to-kimi", talk_read_chat, talk_write_chat },
	{ "messages-to-chat", talk_read_messages, talk_write_chat },
	{ "messages-to-gemini", talk_read_messages, talk_write_gemini },
	{ "messages-to-kimi", talk_read_messages, talk_write_chat },
	{ "messages-to-messages", talk_read_messages, talk_write_messages },
	{ "responses-to-messages", talk_read_responses, talk_write_messages },
	{ "responses-to-gemini", talk_read_responses, talk_write_gemini },
	{ "responses-to-kimi", talk_read_responses, talk_write_chat },
};
const size_t talk_way_count = ARRAY_LEN(talk_ways);

#define MODEL(name, of, most, ...)                                                          \
	{                                                                                   \
		.id = STR_INIT(name), .upstream_id = STR_INIT(name "-1"), .provider = (of), \
		.max_output_tokens = (most), .traits = { .structured = true, __VA_ARGS__ }, \
	}
#define WORD(w) STR_INIT(w)

const struct store_model talk_models[] = {
	MODEL("gpt", PROVIDER_OPENAI, 128000, .thinking = THINKING_EFFORT, .effort_count = 5,
	      .efforts = { WORD("none"), WORD("low"), WORD("medium"), WORD("high"), WORD("xhigh") },
	      .sampling = true, .prefill = true, .images = true, .files = true),
	MODEL("claude-budget", PROVIDER_ANTHROPIC, 64000, .thinking = THINKING_BUDGET,
	      .sampling = true, .prefill = true, .images = true, .files = true),
	MODEL("claude-adaptive", PROVIDER_ANTHROPIC, 128000, .thinking = THINKING_ADAPTIVE,
	      .effort_count = 4,
	      .efforts = { WORD("low"), WORD("medium"), WORD("high"), WORD("max") },
	      .sampling = true, .images = true, .files = true),
	MODEL("claude-fixed", PROVIDER_ANTHROPIC, 128000, .thinking = THINKING_ADAPTIVE,
	      .effort_count = 5,
	      .efforts = { WORD("low"), WORD("medium"), WORD("high"), WORD("xhigh"), WORD("max") },
	      .images = true, .files = true),
	{ .id = STR_INIT("claude-plain"),
	  .upstream_id = STR_INIT("claude-plain-1"),
	  .provider = PROVIDER_ANTHROPIC,
	  .max_output_tokens = 8000,
	  .traits = { .sampling = true, .prefill = true, .images = true } },
	MODEL("gemini-budget", PROVIDER_GOOGLE, 65536, .thinking = THINKING_GEMINI_BUDGET,
	      .sampling = true, .prefill = true, .images = true, .files = true, .audio = true),
	MODEL("gemini-pro", PROVIDER_GOOGLE, 65536, .thinking = THINKING_GEMINI_BUDGET,
	      .thinking_floor = 128, .sampling = true, .images = true),
	MODEL("gemini-level", PROVIDER_GOOGLE, 65536, .thinking = THINKING_GEMINI_LEVEL,
	      .effort_count = 4,
	      .efforts = { WORD("minimal"), WORD("low"), WORD("medium"), WORD("high") },
	      .sampling = true, .prefill = true, .images = true, .files = true, .audio = true),
	MODEL("kimi-switch", PROVIDER_KIMI, 32768, .thinking = THINKING_SWITCH, .prefill = true,
	      .images = true),
	MODEL("kimi-always", PROVIDER_KIMI, 32768, .thinking = THINKING_ALWAYS, .prefill = true),
	MODEL("kimi-words", PROVIDER_KIMI, 32768, .thinking = THINKING_ALWAYS, .effort_count = 3,
	      .efforts = { WORD("low"), WORD("high"), WORD("max") }),
	MODEL("kimi-plain", PROVIDER_KIMI, 32768, .thinking = THINKING_NONE),
};
const size_t talk_model_count = ARRAY_LEN(talk_models);

const struct store_model *talk_world_model(struct str name)
{
	for (size_t i = 0; i < talk_model_count; i++)
		if (str_eq(name, talk_models[i].id))
			return &talk_models[i];
	return NULL;
}
