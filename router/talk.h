/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation in neutral words: what stands between the protocol that a client speaks and the
 * one that a provider speaks when they differ. Each protocol has one reader and one writer of
 * requests, one source and one sink of answers, so a new one adds four and no pair needs code of
 * its own (docs/decisions/0005). Native calls never come here: their bytes pass.
 *
 * All texts of a talk borrow from the JSON tree that it was read from or from its arena; both live
 * until talk_free. */
#ifndef ROUTER_TALK_H
#define ROUTER_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "net/net.h"
#include "store/model.h"

enum talk_part_kind {
	TALK_TEXT,
	TALK_IMAGE,       /* mime and data (base64), or url */
	TALK_FILE,        /* a PDF: mime and data, or url; name */
	TALK_AUDIO,       /* mime and data */
	TALK_THINKING,    /* text (may be empty), signature; or redacted with data */
	TALK_TOOL_CALL,   /* id, name, text = arguments as the text of a JSON object, signature.
	                   * Of a freeform tool too: {"input": "…"} */
	TALK_TOOL_RESULT, /* id, name (if known), content, is_error */
	TALK_REFUSAL      /* text of an assistant's refusal */
};

struct talk_part {
	enum talk_part_kind kind;
	struct talk_part *next;
	struct str text, id, name, mime, data, url;
	struct str signature; /* opaque, of the provider that made the part */
	enum provider signer; /* whose signature: it goes back to no other */
	bool redacted, is_error;
	bool of_call;         /* of thinking: the signature is that of the call behind it */
	struct str cache_ttl; /* a cache mark stands on this part: "5m" or "1h"; absent: none */
	struct talk_part *content; /* of a tool result */
	struct talk_part *last;    /* in the first part of a list: its last one */
	struct talk_part *older;   /* of a call: the call before it */
	struct talk_part *peer;    /* of a call: its result, once there; of a result: its call */
	struct talk_turn *turn;    /* absent for system texts and what is inside a result */
};

enum talk_role {
	TALK_USER,
	TALK_ASSISTANT
};

struct talk_turn {
	enum talk_role role;
	struct talk_turn *next;
	struct talk_part *parts;
	size_t index; /* of the message that it came from, for error texts */
};

struct talk_tool {
	struct talk_tool *next;
	struct str name, description;
	struct str schema; /* JSON text of an object schema; absent: no arguments */
	bool strict;
	bool freeform; /* a custom tool: one text argument named "input" (Responses, chat custom) */
	/* Responses group tools in namespaces: `name` is then both joined, and an answer's call is
	 * {"namespace": space, "name": plain}. Absent: no namespace. */
	struct str space, plain;
	struct str cache_ttl; /* as in a part */
};

enum talk_choice {
	TALK_CHOICE_UNSET,
	TALK_CHOICE_AUTO,
	TALK_CHOICE_NONE,
	TALK_CHOICE_REQUIRED, /* any tool */
	TALK_CHOICE_NAMED     /* the one in choice_name */
};

enum talk_effort {
	TALK_EFFORT_UNSET,
	TALK_EFFORT_NONE,
	TALK_EFFORT_MINIMAL,
	TALK_EFFORT_LOW,
	TALK_EFFORT_MEDIUM,
	TALK_EFFORT_HIGH,
	TALK_EFFORT_XHIGH,
	TALK_EFFORT_MAX,
	TALK_EFFORT_COUNT
};

enum talk_format {
	TALK_FORMAT_TEXT,
	TALK_FORMAT_JSON,  /* any JSON object */
	TALK_FORMAT_SCHEMA /* format_schema */
};

#define TALK_STOPS_MAX 16

struct talk {
	const char *list_name;    /* what the client's protocol calls the list: "messages" */
	struct talk_part *system; /* system and developer texts, in order */
	struct talk_turn
		*turns; /* alternating: neighbours of one role were merged; none is empty */
	struct talk_tool *tools;
	enum talk_choice choice;
	struct str choice_name;
	bool parallel_off;    /* at most one tool call in an answer */
	int64_t output_limit; /* 0: none */
	struct str stops[TALK_STOPS_MAX];
	size_t stop_count;
	struct str temperature, top_p, top_k; /* raw JSON numbers; absent: not given */
	struct str presence_penalty, frequency_penalty, seed;
	enum talk_effort effort;
	int64_t thinking_budget; /* tokens; -1: not given, 0: off */
	bool thinking_asked;     /* thinking text should come back */
	enum talk_format format;
	struct str format_name, format_schema;
	bool format_strict;
	bool stream, wants_usage;
	/* The talk's own. */
	struct json *tree;
	struct talk_block *arena;
	struct talk_turn *last_turn;
	struct talk_tool *last_tool;
	struct talk_part *last_call;
	size_t call_count, result_count, tool_count;
};

#define OWN_TALK CLEANUP(talk_done)

void talk_init(struct talk *t);
void talk_done(struct talk *t);
/* Zeroed memory that lives as long as the talk; NULL when there is none left. */
void *talk_alloc(struct talk *t, size_t n);
/* A copy that lives as long as the talk; absent when there is no memory. */
struct str talk_copy(struct talk *t, struct str s);
/* Appends to a list, keeping order; merges a turn with the one before it if the role is the same.
 * NULL when there is no memory. */
struct talk_part *talk_add_part(struct talk *t, struct talk_part **list, enum talk_part_kind kind);
struct talk_turn *talk_add_turn(struct talk *t, enum talk_role role, size_t index);
struct talk_tool *talk_add_tool(struct talk *t);
/* The latest call of that id; NULL if there is none. */
struct talk_part *talk_call_find(const struct talk *t, struct str id);
/* "low"; absent for UNSET and COUNT. */
struct str talk_effort_word(enum talk_effort e);
/* The tool of that (joined) name; NULL if none was offered. */
const struct talk_tool *talk_tool_find(const struct talk *t, struct str name);

/* ---- Requests ---- */

/* Each reads a body into an initialised talk. ERR_INVALID_ARGUMENT with the place
 * ("messages[3]: tool_calls[0]: ...") and what is allowed; ERR_UNSUPPORTED for what no other
 * provider can honour; ERR_TOO_LARGE. What has no meaning elsewhere is dropped
 * (docs/translation.md says what). After a failure the talk can only be freed. */
MUST_CHECK bool talk_read_chat(struct str body, struct talk *out, struct err *err);
MUST_CHECK bool talk_read_messages(struct str body, struct talk *out, struct err *err);
MUST_CHECK bool talk_read_responses(struct str body, struct talk *out, struct err *err);

/* Each writes the body for a provider. ERR_UNSUPPORTED for what this model cannot do. The output
 * limit is the client's, at most the model's; where the client gave none, the model's is written if
 * the protocol asks for one. */
struct talk_target {
	const struct store_model *model;
	struct str user; /* the opaque name of the buyer, no JSON; absent: not sent */
};
MUST_CHECK bool talk_write_chat(const struct talk *t, const struct talk_target *to,
                                struct json_out *out,
                                struct err *err); /* openai, and kimi's kind */
MUST_CHECK bool talk_write_messages(const struct talk *t, const struct talk_target *to,
                                    struct json_out *out, struct err *err);
MUST_CHECK bool talk_write_gemini(const struct talk *t, const struct talk_target *to,
                                  struct json_out *out, struct err *err);

/* ---- Answers ---- */

enum talk_finish {
	TALK_FINISH_STOP,
	TALK_FINISH_LENGTH,
	TALK_FINISH_TOOLS,
	TALK_FINISH_FILTER, /* refused or blocked */
	TALK_FINISH_ERROR   /* the model's answer was malformed */
};

#define TALK_CALLS_MAX 128 /* tool calls in one answer; a source refuses more */

enum talk_event_kind {
	TALK_EV_START,     /* once, first */
	TALK_EV_TEXT,      /* text */
	TALK_EV_THINKING,  /* text */
	TALK_EV_SIGNATURE, /* text, signer: of the thinking that just ended, which may be empty */
	TALK_EV_REDACTED,  /* text, signer: opaque thinking */
	TALK_EV_TOOL, /* index, id, name: a call begins; text, signer: its signature, or absent */
	TALK_EV_ARGUMENTS, /* index, text: a piece of its arguments (JSON text) */
	TALK_EV_REFUSAL,   /* text */
	TALK_EV_FINISH,    /* finish, stop (the stop sequence that was met, or absent) */
	TALK_EV_END        /* once, last, after the finish; not sent if the answer broke off */
};

struct talk_event {
	enum talk_event_kind kind;
	int64_t index; /* of the tool call: 0, 1, 2 … in the order in which they begin */
	struct str text, id, name, stop;
	enum talk_finish finish;
	enum provider signer;
};

typedef void talk_event_fn(void *data, const struct talk_event *event);

/* Reads one provider's answer: whole, or event by event. Metering is not its business. The texts
 * of an event live as long as the call of `fn`. */
struct talk_source {
	bool started, ended, finish_known;
	enum talk_finish finish;
	enum provider signer;
	size_t calls;                     /* begun so far */
	int64_t call_key[TALK_CALLS_MAX]; /* the provider's own number of each */
	bool argued[TALK_CALLS_MAX];      /* a piece of its arguments was seen */
	uint64_t seed;                    /* for ids that a provider does not give */
	struct buf text, id, name;        /* of the event that is being made */
	struct buf signature;             /* waits for the end of its thinking block */
	struct buf stop;                  /* the stop sequence that was met */
	struct buf mended;                /* an event that was not JSON as it came */
	talk_event_fn *fn;                /* during a call of ours */
	void *data;
};
void talk_source_init(struct talk_source *s, uint64_t seed);
void talk_source_done(struct talk_source *s);

/* One event of a stream. False: it is an error event, or no answer of this protocol. What comes
 * after the end is ignored. */
typedef bool talk_source_event_fn(struct talk_source *s, const struct net_sse_event *event,
                                  talk_event_fn *fn, void *data);
/* A whole answer. False: it is none. */
typedef bool talk_source_answer_fn(struct talk_source *s, struct str body, talk_event_fn *fn,
                                   void *data);
talk_source_event_fn talk_source_chat_event, talk_source_messages_event, talk_source_gemini_event;
talk_source_answer_fn talk_source_chat_answer, talk_source_messages_answer,
	talk_source_gemini_answer;
/* Gemini's streams have no last event: call this when the upstream closed cleanly. False: the
 * answer had not come to its end. */
bool talk_source_gemini_eof(struct talk_source *s, talk_event_fn *fn, void *data);

/* Writes one protocol's answer. The same events make a stream (put after put) or a whole. */
enum talk_shape {
	TALK_SHAPE_CHAT,
	TALK_SHAPE_MESSAGES,
	TALK_SHAPE_RESPONSES
};

struct talk_sink_options {
	enum talk_shape shape;
	struct str model;      /* the catalog id, as the client named the model */
	struct str request_id; /* req_…: the answer's own id is made of it */
	int64_t created_s;
	bool wants_usage;        /* chat streams: the usage chunk */
	const struct talk *talk; /* what was asked; for what an answer repeats; may be NULL */
};

struct talk_sink; /* heap: it may hold a whole answer */

/* The options' texts are copied; the talk is borrowed. */
struct talk_sink *talk_sink_new(const struct talk_sink_options *options, struct err *err);
void talk_sink_free(struct talk_sink *s); /* NULL is fine */
/* A stream: the bytes that this event adds, appended to `out` (none for some events). The finish
 * and everything after it wait for talk_sink_end. */
void talk_sink_put(struct talk_sink *s, const struct talk_event *event, struct buf *out);
/* The end of a stream: finish, usage, last event; an error event if the finish is one. */
void talk_sink_end(struct talk_sink *s, const struct token_counts *counts, struct buf *out);
/* The end of a stream that failed in the middle: the error in the words of the shape. */
void talk_sink_fail(struct talk_sink *s, const struct err *why, struct buf *out);
/* A whole answer, after all events were put with `out` NULL. ERR_TOO_LARGE; ERR_UNAVAILABLE if the
 * model's answer was malformed and the shape cannot say so. */
MUST_CHECK bool talk_sink_whole(struct talk_sink *s, const struct token_counts *counts,
                                struct buf *out, struct err *err);

/* ---- What a provider signed, in a field of the client's transcript ----
 *
 * "anthropic:EqQB…" is of thinking, "google.call:CiQB…" of the tool call that follows the thinking,
 * "anthropic.redacted:EmwK…" is redacted thinking itself. `encrypted_content` of Responses always
 * has the mark; `signature` in Messages and in `reasoning_details` has none if it is Anthropic's
 * own, so a text without a mark reads as Anthropic's thinking. */
enum talk_seal_kind {
	TALK_SEAL_THINKING,
	TALK_SEAL_CALL,
	TALK_SEAL_REDACTED
};

struct talk_seal {
	enum talk_seal_kind kind;
	enum provider signer;
	struct str text;
};

void talk_seal_put(struct buf *out, const struct talk_seal *seal);
struct talk_seal talk_seal_read(struct str text); /* borrows */

#endif
