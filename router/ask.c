/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over a request body. The visitor sees inner values before the containers that hold them,
 * so what it notes deep inside (a cache mark, an image) is a fact of the whole body, wherever it
 * stands: text that only looks like a mark can make the hold larger, never smaller. */
#include "router/ask.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

static const struct str member_names[] = {
	[ASK_MODEL] = STR_INIT("model"),
	[ASK_MESSAGES] = STR_INIT("messages"),
	[ASK_STREAM] = STR_INIT("stream"),
	[ASK_STREAM_OPTIONS] = STR_INIT("stream_options"),
	[ASK_MAX_TOKENS] = STR_INIT("max_tokens"),
	[ASK_MAX_COMPLETION_TOKENS] = STR_INIT("max_completion_tokens"),
	[ASK_N] = STR_INIT("n"),
	[ASK_SERVICE_TIER] = STR_INIT("service_tier"),
	[ASK_STORE] = STR_INIT("store"),
	[ASK_USER] = STR_INIT("user"),
	[ASK_SAFETY_IDENTIFIER] = STR_INIT("safety_identifier"),
	[ASK_PROMPT_CACHE_KEY] = STR_INIT("prompt_cache_key"),
	[ASK_METADATA] = STR_INIT("metadata"),
	[ASK_MODALITIES] = STR_INIT("modalities"),
	[ASK_AUDIO] = STR_INIT("audio"),
	[ASK_PREDICTION] = STR_INIT("prediction"),
	[ASK_WEB_SEARCH_OPTIONS] = STR_INIT("web_search_options"),
	[ASK_MODERATION] = STR_INIT("moderation"),
	[ASK_SPEED] = STR_INIT("speed"),
	[ASK_INFERENCE_GEO] = STR_INIT("inference_geo"),
	[ASK_CONTAINER] = STR_INIT("container"),
	[ASK_MCP_SERVERS] = STR_INIT("mcp_servers"),
	[ASK_FALLBACKS] = STR_INIT("fallbacks"),
	[ASK_INPUT] = STR_INIT("input"),
	[ASK_MAX_OUTPUT_TOKENS] = STR_INIT("max_output_tokens"),
	[ASK_PREVIOUS_RESPONSE_ID] = STR_INIT("previous_response_id"),
	[ASK_CONVERSATION] = STR_INIT("conversation"),
	[ASK_BACKGROUND] = STR_INIT("background"),
	[ASK_PROMPT] = STR_INIT("prompt"),
	[ASK_TOOLS] = STR_INIT("tools"),
};
static_assert(ARRAY_LEN(member_names) == ASK_MEMBER_COUNT, "one name for each member");

/* Tools that a provider runs itself and bills beside the tokens, or that read in what the request's
 * bytes do not bound. Anthropic's types carry a date. */
static const struct str server_tools[] = {
	STR_INIT("\"web_search"),           STR_INIT("\"web_fetch"),
	STR_INIT("\"code_execution"),       STR_INIT("\"mcp_toolset"),
	STR_INIT("\"file_search"),          STR_INIT("\"image_generation"),
	STR_INIT("\"code_interpreter"),     STR_INIT("\"mcp\""),
	STR_INIT("\"computer_use_preview"), STR_INIT("\"advisor"),
};

/* Content whose tokens do not follow its bytes. */
static const struct str image_types[] = { STR_INIT("\"image_url\""), STR_INIT("\"image\""),
	                                  STR_INIT("\"input_image\"") };
static const struct str file_types[] = { STR_INIT("\"document\""), STR_INIT("\"file\""),
	                                 STR_INIT("\"input_file\""),
	                                 STR_INIT("\"container_upload\"") };

const char *ask_member_name(enum ask_member m)
{
	return member_names[m].p;
}

static void note_root_member(struct ask *ask, const struct json_span *span)
{
	for (size_t i = 0; i < ASK_MEMBER_COUNT; i++) {
		if (!str_eq(span->key, member_names[i]))
			continue;
		ask->member[i].start = span->start;
		ask->member[i].value = span->value;
		return;
	}
	if (str_eq(span->key, STR("cache_control")))
		ask->writes_cache = true;
}

static bool is_one_of(struct str value, const struct str *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(value, list[i]))
			return true;
	return false;
}

/* `"type": …` at any depth: what kinds of content and tools the body holds. */
static void note_type(struct ask *ask, const struct json_span *span)
{
	if (is_one_of(span->value, image_types, ARRAY_LEN(image_types)))
		ask->images++;
	else if (is_one_of(span->value, file_types, ARRAY_LEN(file_types)))
		ask->unbounded = true;
	/* root.tools[i].type; Responses' root.input[i].type is as deep and names past calls. */
	if (span->depth != 3 || str_ends(span->value, STR("_call\"")))
		return;
	for (size_t i = 0; i < ARRAY_LEN(server_tools); i++)
		if (str_starts(span->value, server_tools[i]))
			ask->server_tool = span->value;
}

/* Thinking of a provider that does not sign, as our sinks write it:
 * messages[i].content[j].signature is empty, input[i].encrypted_content is null. Nobody takes that
 * back natively. */
static bool is_unsigned(const struct json_span *span)
{
	return (span->depth == 5 && str_eq(span->key, STR("signature")) &&
	        str_eq(span->value, STR("\"\""))) ||
	       (span->depth == 3 && str_eq(span->key, STR("encrypted_content")) &&
	        span->type == JSON_NULL);
}

/* A signature with its signer before it: "google:…", "anthropic.redacted:…". Providers' own are
 * base64 and have neither mark. */
static bool is_seal(const struct json_span *span)
{
	if (is_unsigned(span))
		return true;
	if (span->type != JSON_STRING ||
	    !(str_eq(span->key, STR("signature")) || str_eq(span->key, STR("encrypted_content")) ||
	      str_eq(span->key, STR("data"))))
		return false;
	for (size_t i = 0; i < PROVIDER_COUNT; i++) {
		struct str name = str_of(provider_name((enum provider)i));
		struct str text = { span->value.p + 1, span->value.len - 1 };
		if (str_starts(text, name) && (text.p[name.len] == '.' || text.p[name.len] == ':'))
			return true;
	}
	return false;
}

static void visit(void *data, const struct json_span *span)
{
	struct ask *ask = data;

	if (span->depth == 0)
		ask->is_object = span->type == JSON_OBJECT;
	if (span->depth == 1) {
		note_root_member(ask, span);
		return;
	}
	if (is_seal(span))
		ask->sealed = true;
	switch (span->key.p ? span->key.len : 0) {
	case sizeof("ttl") - 1:
		if (str_eq(span->key, STR("ttl")) && str_eq(span->value, STR("\"1h\"")))
			ask->writes_cache_1h = true;
		break;
	case sizeof("type") - 1:
		if (str_eq(span->key, STR("type")) && span->type == JSON_STRING)
			note_type(ask, span);
		break;
	case sizeof("cache_control") - 1:
		if (str_eq(span->key, STR("cache_control")) && span->type == JSON_OBJECT)
			ask->writes_cache = true;
		break;
	default:
		break;
	}
}

bool ask_has(const struct ask *ask, enum ask_member m)
{
	return ask->member[m].value.p && !json_raw_is_null(ask->member[m].value);
}

static bool read_count(const struct ask *ask, enum ask_member m, int64_t min, int64_t max,
                       int64_t *out, struct err *err)
{
	int64_t n;

	if (!ask_has(ask, m))
		return true;
	if (!json_raw_i64(ask->member[m].value, &n) || n < min || n > max)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'%s' must be an integer from %lld to %lld", ask_member_name(m),
		               (long long)min, (long long)max);
	*out = n;
	return true;
}

static bool read_values(struct ask *ask, enum dialect dialect, struct err *err)
{
	if (!ask_has(ask, ASK_MODEL) || ask->member[ASK_MODEL].value.p[0] != '"')
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'model' is missing: name one of GET …/v1/models");
	if (dialect == DIALECT_RESPONSES && !ask_has(ask, ASK_INPUT))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'input' is missing: a text or an array of items");
	if (dialect != DIALECT_RESPONSES &&
	    (!ask_has(ask, ASK_MESSAGES) || ask->member[ASK_MESSAGES].value.p[0] != '['))
		return err_set(err, ERR_INVALID_ARGUMENT, "'messages' must be an array");
	if (ask_has(ask, ASK_STREAM) && !json_raw_bool(ask->member[ASK_STREAM].value, &ask->stream))
		return err_set(err, ERR_INVALID_ARGUMENT, "'stream' must be true or false");
	return read_count(ask, ASK_MAX_TOKENS, 0, INT32_MAX, &ask->output_limit, err) &&
	       read_count(ask, ASK_MAX_COMPLETION_TOKENS, 1, INT32_MAX, &ask->output_limit, err) &&
	       read_count(ask, ASK_MAX_OUTPUT_TOKENS, 1, INT32_MAX, &ask->output_limit, err) &&
	       read_count(ask, ASK_N, 1, 128, &ask->choices, err);
}

bool ask_read(struct str body, enum dialect dialect, struct ask *out, struct err *err)
{
	struct ask ask = { .text = body, .choices = 1 };

	if (!json_scan(body, visit, &ask, err))
		return err_prefix(err, "the body is not valid JSON");
	if (!ask.is_object)
		return err_set(err, ERR_INVALID_ARGUMENT, "the body must be a JSON object");
	ask.tools = ask.member[ASK_TOOLS].value.len > 2;
	if (!read_values(&ask, dialect, err))
		return false;
	*out = ask;
	return true;
}

/* Keeps the list in order of place: members come in any order in a body. */
static void add_splice(struct splices *s, struct splice splice)
{
	size_t i = s->count;

	assert(s->count < ASK_SPLICES_MAX);
	for (; i > 0 && s->list[i - 1].at > splice.at; i--)
		s->list[i] = s->list[i - 1];
	s->list[i] = splice;
	s->count++;
}

void ask_set(const struct ask *ask, struct splices *s, enum ask_member m, struct str value,
             struct buf *added)
{
	struct str old = ask->member[m].value;

	if (old.p) {
		add_splice(s, (struct splice){ (size_t)(old.p - ask->text.p), old.len, value });
		return;
	}
	buf_add_char(added, '"');
	buf_add(added, member_names[m]);
	buf_add_z(added, "\":");
	buf_add(added, value);
	buf_add_char(added, ',');
}

void ask_rename(const struct ask *ask, struct splices *s, enum ask_member m, struct str key)
{
	if (ask->member[m].value.p)
		add_splice(s,
		           (struct splice){ ask->member[m].start + 1, member_names[m].len, key });
}

void ask_apply(const struct ask *ask, const struct splices *s, struct str added, struct buf *out)
{
	size_t brace =
		(size_t)((const char *)memchr(ask->text.p, '{', ask->text.len) - ask->text.p);
	size_t from = brace + 1;

	buf_add(out, (struct str){ ask->text.p, from });
	buf_add(out, added);
	for (size_t i = 0; i < s->count; i++) {
		const struct splice *sp = &s->list[i];
		buf_add(out, (struct str){ ask->text.p + from, sp->at - from });
		buf_add(out, sp->put);
		from = sp->at + sp->drop;
	}
	buf_add(out, (struct str){ ask->text.p + from, ask->text.len - from });
}

void ask_set_lowered(const struct ask *ask, struct splices *s, enum ask_member m, char text[24],
                     struct buf *added)
{
	if (!ask->lowered)
		return;
	(void)snprintf(text, 24, "%lld", (long long)ask->output_limit);
	ask_set(ask, s, m, str_of(text), added);
}
