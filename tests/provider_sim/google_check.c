/* SPDX-License-Identifier: Apache-2.0 */
/* What Gemini refuses: members that it does not know, turns that do not alternate, results that do
 * not fit the calls before them, and, of the newer models, a call in the history without the
 * signature that it left with. */
#include "tests/provider_sim/sim.h"

/* ---- Thought signatures ---- */

/* For a history that Gemini did not write. */
static bool is_placeholder(struct str signature)
{
	return str_eq(signature, STR("skip_thought_signature_validator")) ||
	       str_eq(signature, STR("context_engineering_is_the_way_to_go"));
}

/* Bound to the model, and to the name of the call; of a text there is no name. */
static bool check_signature(const struct sim_ask *ask, const struct json *part,
                            struct sim_error *error)
{
	struct str signature = json_text(json_get(part, "thoughtSignature"));
	struct str name = json_text(json_get(json_get(part, "functionCall"), "name"));
	if (signature.p == NULL || is_placeholder(signature) ||
	    sim_signed(signature, "google", ask->model, name.p != NULL ? name : STR("")))
		return true;
	return sim_refuse(error, 400, "Corrupted/Invalid thought signature.");
}

/* ---- Parts ---- */

static bool check_payload(const struct json *part, int index, struct sim_error *error)
{
	static const char *const PAYLOADS[] = { "text", "inlineData", "fileData", "functionCall",
		                                "functionResponse" };
	int count = 0;
	for (size_t i = 0; i < ARRAY_LEN(PAYLOADS); i++)
		count += json_get(part, PAYLOADS[i]) != NULL;
	if (count != 1)
		return sim_refuse(error, 400,
		                  "contents[%d].parts: required oneof field 'data' must have one "
		                  "initialized field",
		                  index);
	const struct json *call = json_get(part, "functionCall");
	const struct json *result = json_get(part, "functionResponse");
	if (call != NULL && (json_text(json_get(call, "name")).len == 0 ||
	                     !json_is(json_get(call, "args"), JSON_OBJECT)))
		return sim_refuse(error, 400, "contents[%d]: a function_call needs name and args",
		                  index);
	if (result != NULL && json_text(json_get(result, "name")).len == 0)
		return sim_refuse(
			error, 400,
			"contents[%d].parts.function_response.name: Name cannot be empty.", index);
	if (result != NULL && !json_is(json_get(result, "response"), JSON_OBJECT))
		return sim_refuse(error, 400, "contents[%d]: a function_response needs a response",
		                  index);
	return true;
}

static bool check_parts(const struct sim_ask *ask, const struct json *content, int index,
                        struct sim_error *error)
{
	static const char *const KNOWN[] = {
		"text",    "inlineData",       "fileData", "functionCall", "functionResponse",
		"thought", "thoughtSignature", NULL
	};
	const struct json *parts = json_get(content, "parts");
	bool must_sign = str_starts(ask->model, STR("gemini-3"));
	if (json_count(parts) == 0)
		return sim_refuse(error, 400, "contents[%d].parts must not be empty.", index);
	for (const struct json *p = json_first(parts); p != NULL; p = json_next(p)) {
		struct str unknown = sim_unknown_key(p, KNOWN);
		bool call = json_get(p, "functionCall") != NULL;
		if (unknown.p != NULL)
			return sim_refuse(error, 400,
			                  "Unknown name \"%.*s\" at 'contents[%d].parts'",
			                  STR_ARG(unknown), index);
		if (!check_payload(p, index, error) || !check_signature(ask, p, error))
			return false;
		if (call && must_sign && json_get(p, "thoughtSignature") == NULL)
			return sim_refuse(error, 400,
			                  "Function call is missing a thought_signature in "
			                  "functionCall parts.");
		must_sign = must_sign && !call; /* only the first of a step */
	}
	return true;
}

/* ---- Turns ---- */

static bool is_model(const struct json *content)
{
	return sim_text_is(content, "role", "model");
}

static const struct json *next_with(const struct json *part, const char *key)
{
	while (part != NULL && json_get(part, key) == NULL)
		part = json_next(part);
	return part;
}

/* Results answer all calls of the turn before, in their order. */
static bool check_results(const struct json *before, const struct json *content,
                          struct sim_error *error)
{
	const struct json *call = next_with(json_first(json_get(before, "parts")), "functionCall");
	const struct json *result =
		next_with(json_first(json_get(content, "parts")), "functionResponse");
	while (call != NULL && result != NULL) {
		struct str name = json_text(json_get(json_get(call, "functionCall"), "name"));
		if (!sim_text_is(json_get(result, "functionResponse"), "name", name.p))
			return sim_refuse(error, 400, "no function_response for '%.*s'",
			                  STR_ARG(name));
		call = next_with(json_next(call), "functionCall");
		result = next_with(json_next(result), "functionResponse");
	}
	if (call != NULL || result != NULL)
		return sim_refuse(error, 400,
		                  "Please ensure that the number of function response parts is "
		                  "equal to the number of function call parts of the function "
		                  "call turn.");
	return true;
}

static bool check_contents(const struct sim_ask *ask, struct sim_error *error)
{
	const struct json *contents = json_get(ask->tree, "contents");
	const struct json *before = NULL;
	int index = 0;
	if (json_count(contents) == 0)
		return sim_refuse(error, 400,
		                  "* GenerateContentRequest.contents: contents is not "
		                  "specified");
	const struct json *content = json_first(contents);
	for (; content != NULL; before = content, content = json_next(content), index++) {
		if (!is_model(content) && !sim_text_is(content, "role", "user"))
			return sim_refuse(error, 400, "Please use a valid role: user, model.");
		if (before == NULL ? is_model(content) : is_model(content) == is_model(before))
			return sim_refuse(error, 400,
			                  "Please ensure that the conversation alternates between "
			                  "user and model, and begins with user.");
		if (!check_parts(ask, content, index, error))
			return false;
		if (!is_model(content) && !check_results(before, content, error))
			return false;
	}
	return !is_model(before) || check_results(before, NULL, error);
}

/* ---- Options ---- */

static bool check_thinking(const struct sim_ask *ask, const struct json *config,
                           struct sim_error *error)
{
	int64_t budget = -1;
	const struct json *level = json_get(config, "thinkingLevel");
	bool has_budget = json_i64(json_get(config, "thinkingBudget"), &budget);
	if (level != NULL && has_budget)
		return sim_refuse(error, 400,
		                  "You can only set one of thinking budget and thinking level.");
	if (level != NULL && str_starts(ask->model, STR("gemini-2.5")))
		return sim_refuse(error, 400, "Thinking level is not supported for this model.");
	if (has_budget && budget >= 0 && budget < 128 &&
	    str_starts(ask->model, STR("gemini-2.5-pro")))
		return sim_refuse(error, 400,
		                  "Budget %d is invalid. This model only works in thinking mode.",
		                  (int)budget);
	return true;
}

static bool check_config(const struct sim_ask *ask, struct sim_error *error)
{
	static const char *const KNOWN[] = { "temperature",
		                             "topP",
		                             "topK",
		                             "candidateCount",
		                             "maxOutputTokens",
		                             "stopSequences",
		                             "presencePenalty",
		                             "frequencyPenalty",
		                             "seed",
		                             "responseLogprobs",
		                             "logprobs",
		                             "responseMimeType",
		                             "responseSchema",
		                             "responseJsonSchema",
		                             "responseModalities",
		                             "mediaResolution",
		                             "thinkingConfig",
		                             NULL };
	const struct json *config = json_get(ask->tree, "generationConfig");
	struct str unknown = sim_unknown_key(config, KNOWN);
	int64_t count = 1;
	bool json = sim_text_is(config, "responseMimeType", "application/json");
	if (unknown.p != NULL)
		return sim_refuse(error, 400, "Unknown name \"%.*s\" at 'generation_config'",
		                  STR_ARG(unknown));
	if (json_i64(json_get(config, "candidateCount"), &count) && count != 1)
		return sim_refuse(error, 400, "the simulator gives one candidate");
	if (json_count(json_get(config, "stopSequences")) > 5)
		return sim_refuse(error, 400, "at most 5 stop sequences");
	if (json_get(config, "responseJsonSchema") != NULL && !json)
		return sim_refuse(error, 400, "a schema needs responseMimeType application/json");
	if (json && json_get(ask->tree, "tools") != NULL &&
	    str_starts(ask->model, STR("gemini-2.5")))
		return sim_refuse(error, 400,
		                  "Function calling with a response mime type: "
		                  "'application/json' is unsupported");
	return check_thinking(ask, json_get(config, "thinkingConfig"), error);
}

static bool check_declaration(const struct json *function, struct sim_error *error)
{
	static const char *const KNOWN[] = {
		"name",     "description",        "behavior", "parameters", "parametersJsonSchema",
		"response", "responseJsonSchema", NULL
	};
	struct str name = json_text(json_get(function, "name"));
	struct str unknown = sim_unknown_key(function, KNOWN);
	if (unknown.p != NULL)
		return sim_refuse(error, 400, "Unknown name \"%.*s\" at 'function_declarations'",
		                  STR_ARG(unknown));
	if (name.len == 0 || name.len > 128 || (name.p[0] >= '0' && name.p[0] <= '9'))
		return sim_refuse(error, 400, "Invalid function name.");
	if (json_get(function, "parameters") != NULL &&
	    json_get(function, "parametersJsonSchema") != NULL)
		return sim_refuse(error, 400, "parameters and parametersJsonSchema are both set");
	return true;
}

static bool check_tools(const struct sim_ask *ask, struct sim_error *error)
{
	const struct json *tool = json_first(json_get(ask->tree, "tools"));
	for (; tool != NULL; tool = json_next(tool)) {
		const struct json *f = json_first(json_get(tool, "functionDeclarations"));
		if (f == NULL || json_count(tool) != 1)
			return sim_refuse(error, 400, "the simulator has only functions for tools");
		for (; f != NULL; f = json_next(f)) {
			if (!check_declaration(f, error))
				return false;
		}
	}
	const struct json *calling =
		json_get(json_get(ask->tree, "toolConfig"), "functionCallingConfig");
	bool may_name =
		sim_text_is(calling, "mode", "ANY") || sim_text_is(calling, "mode", "VALIDATED");
	if (json_count(json_get(calling, "allowedFunctionNames")) > 0 && !may_name)
		return sim_refuse(error, 400,
		                  "Allowed function names can only be set when the "
		                  "function calling mode is ANY.");
	return true;
}

bool sim_google_check(const struct sim_ask *ask, struct sim_error *error)
{
	static const char *const KNOWN[] = { "contents",   "systemInstruction", "tools",
		                             "toolConfig", "safetySettings",    "generationConfig",
		                             "labels",     "serviceTier",       NULL };
	struct str unknown = sim_unknown_key(ask->tree, KNOWN);
	if (unknown.p != NULL)
		return sim_refuse(error, 400,
		                  "Invalid JSON payload received. Unknown name \"%.*s\": Cannot "
		                  "find field.",
		                  STR_ARG(unknown));
	return check_contents(ask, error) && check_config(ask, error) && check_tools(ask, error);
}
