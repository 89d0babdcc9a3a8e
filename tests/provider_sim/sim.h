/* SPDX-License-Identifier: Apache-2.0 */
/* provider-sim: a loopback server that answers as the providers would, from scripted scenarios.
 * One request goes: format (by its path) -> ask (what was asked) -> scenario (by its name in the
 * last user message) -> answer (texts and counts, capped) -> frames (bytes) -> player (when they
 * leave, and which fault befalls them) -> journal. */
#ifndef TESTS_PROVIDER_SIM_SIM_H
#define TESTS_PROVIDER_SIM_SIM_H

#include "base/json.h"
#include "base/money.h"
#include "net/net.h"

/* ---- Scenarios (scenario.c) ---- */

/* How a scripted answer ends; each format has its own words for it. */
enum sim_finish {
	SIM_STOP,
	SIM_LENGTH,
	SIM_TOOL,
	SIM_REFUSAL,
	SIM_BLOCKED, /* the prompt was refused: there is no reply at all */
	SIM_FINISH_COUNT
};

/* Zero, false and absent mean that this fault does not happen; positions are -1 then. */
struct sim_fault {
	int64_t status;             /* answer with this error instead */
	struct str message;         /* of that error, or of the error event */
	const struct json *headers; /* more fields of an error answer: names and texts */
	int64_t cut_after_chunks, cut_after_bytes;
	int64_t error_event_after_chunks;
	int64_t stall_after_chunks, stall_ms;
	int64_t delay_head_ms;
	bool close_before_answer;
	bool no_usage, malformed_usage;
	bool ignore_cap; /* answer and bill more than max tokens */
	bool block_prompt;
	struct str model; /* told as the one that answered */
};

struct sim_scenario {
	struct sim_scenario *next;
	struct json *tree; /* owns what the texts borrow */
	struct str name;
	struct str reasoning;
	struct buf text;               /* of the reply, repeated as the script says */
	const struct json *tool_calls; /* function names and their arguments, or NULL */
	enum sim_finish finish;
	bool counted; /* usage is scripted; else it is computed from lengths */
	struct token_counts usage;
	int64_t tool_use; /* of the uncached input: Google counts it apart */
	int64_t chunks, chunk_delay_ms;
	int64_t split_bytes; /* at most so many bytes in one write */
	bool crlf;
	struct sim_fault fault;
};

struct sim_scenarios {
	struct sim_scenario *first;
};

/* Reads a file, or all *.json files of a folder. The error names the file. */
MUST_CHECK bool sim_scenarios_load(struct sim_scenarios *all, const char *path, struct err *err);
const struct sim_scenario *sim_scenarios_find(const struct sim_scenarios *all, struct str name);
void sim_scenarios_done(struct sim_scenarios *all);

/* ---- Formats (format.c, and a file for each) ---- */

/* An error in a provider's words. */
struct sim_error {
	int status; /* zero: no error */
	const char *type;
	const char *code;  /* OpenAI's, or Google's reason; NULL is null */
	const char *param; /* likewise */
	char message[LIMIT_ERR_TEXT];
};

enum sim_want {
	SIM_COMPLETION,
	SIM_COUNT, /* of a request's tokens */
	SIM_MODELS
};

#define SIM_MODEL_MAX 96

/* What was asked. Texts are borrowed from the tree, or from the struct itself. */
struct sim_ask {
	const struct sim_format *format;
	enum sim_want want;
	struct json *tree;
	char path_model[SIM_MODEL_MAX]; /* if the path names the model */
	struct str model;
	struct str last_user_text; /* where a scenario is named: of a message or a tool's result */
	bool stream;
	bool include_usage;
	bool show_reasoning; /* where it must be asked for */
	bool show_sealed;    /* likewise, what is signed of it */
	int64_t max_tokens;  /* -1: no limit given */
	int64_t text_bytes;  /* of all messages, for computed usage */
};

/* What is answered: a scenario under the limits of the request. */
struct sim_answer {
	const struct sim_scenario *scenario;
	const struct sim_ask *ask;
	struct str model;
	struct str text;
	enum sim_finish finish;
	struct token_counts usage;
	int64_t seq; /* number of the request, for ids */
};

enum sim_frame_kind {
	SIM_FRAME_OTHER,
	SIM_FRAME_CHUNK, /* a piece of the reply: what faults count */
	SIM_FRAME_USAGE, /* the final usage */
};

struct sim_frame {
	enum sim_frame_kind kind;
	size_t start, len;
};

/* The whole answer, ready to be sent, cut where it may be cut. */
struct sim_frames {
	struct buf text;
	struct sim_frame *list;
	size_t count, cap;
	bool crlf;
};

/* One wire format. A new one is one more of these, and its routes in format.c's table. */
struct sim_format {
	const char *provider;
	const char *const *models;  /* prefixes of the ids that it knows, NULL-ended */
	const char *const *catalog; /* what a list of models has, NULL-ended */
	/* Kinds of cache writes that are told apart: 2; 1, where all are reported as 5m; or none,
	 * where what is written is plain input. */
	int write_classes;
	bool free_refusals;       /* a prompt that was refused is reported, but not charged */
	const char *blocked_code; /* it is refused with this error; NULL: with an answer */
	/* The credential is `key`. */
	bool (*authorized)(const struct net_request *rq, struct str key);
	/* Reads and checks the request; false with the provider's own error. */
	bool (*read)(const struct net_request *rq, struct sim_ask *ask, struct sim_error *error);
	void (*put_whole)(const struct sim_answer *a, struct json_out *o);
	void (*put_stream)(const struct sim_answer *a, struct sim_frames *f);
	void (*put_count)(const struct sim_answer *a, struct json_out *o); /* NULL: no such route */
	void (*put_error)(const struct sim_error *error, int64_t seq, struct json_out *o);
	void (*put_error_event)(const struct sim_error *error, int64_t seq, struct sim_frames *f);
	void (*put_models)(const struct sim_format *format, struct json_out *o);
	/* The type (and code) of an error with this status; and the status itself, where this
	 * provider has another one for the same cause. */
	void (*name_error)(struct sim_error *error);
	const struct sim_chat *chat; /* of formats that are Chat Completions */
	/* The fields of every answer that a router must keep to itself, and the request's id. */
	const char *id_header;
	const struct net_header *headers;
	size_t header_count;
};

extern const struct sim_format sim_openai;
extern const struct sim_format sim_responses;
extern const struct sim_format sim_anthropic;
extern const struct sim_format sim_google;
extern const struct sim_format sim_kimi;

/* By method and path; GET /v1/models is told apart by its fields. False if nobody's. */
bool sim_route(const struct net_request *rq, struct sim_ask *ask);
/* Checks and reads a whole request. The caller frees ask->tree in any case. */
bool sim_ask_read(const struct net_request *rq, struct str key, struct sim_ask *ask,
                  struct sim_error *error);
bool sim_refuse(struct sim_error *error, int status, const char *format, ...) PRINTF_LIKE(3, 4);
/* "[[name]]" in the last user message; absent if there is none. */
struct str sim_ask_scenario(const struct sim_ask *ask);

/* What the formats' readers share. */
bool sim_has_bearer(const struct net_request *rq, struct str key);
/* The body's model and messages, as Chat Completions and Messages have them. */
bool sim_read_messages(struct sim_ask *ask, struct sim_error *error);
/* Adds the length of all texts in a message's content, tools' results included, and keeps the last
 * of them. */
void sim_read_content(const struct json *content, int64_t *bytes, struct str *last);
bool sim_text_is(const struct json *object, const char *key, const char *value);
/* The object's first member that is not in the NULL-ended list; absent if there is none. */
struct str sim_unknown_key(const struct json *object, const char *const *known);

/* ---- Chat Completions (chat.c) ---- */

/* In what those differ who speak it. */
struct sim_chat {
	bool shows_reasoning; /* as reasoning_content, before the content */
	bool usage_in_choice; /* the last choice tells usage too, asked or not */
	bool bare;            /* without refusal, annotations, logprobs and service_tier */
	const char *const *finishes;
	void (*put_usage)(const struct sim_answer *a, struct json_out *o);
};

void sim_chat_put_whole(const struct sim_answer *a, struct json_out *o);
void sim_chat_put_stream(const struct sim_answer *a, struct sim_frames *f);
/* Calls and their results must belong together. */
bool sim_chat_check(const struct sim_ask *ask, struct sim_error *error);

/* What Anthropic refuses in the history and in the options of thinking (anthropic_check.c). */
bool sim_anthropic_check(const struct sim_ask *ask, struct sim_error *error);
/* What Gemini refuses (google_check.c). */
bool sim_google_check(const struct sim_ask *ask, struct sim_error *error);

/* ---- Answers and frames (answer.c) ---- */

struct sim_answer sim_answer_make(const struct sim_ask *ask, const struct sim_scenario *scenario,
                                  int64_t seq);
bool sim_has_tools(const struct sim_answer *a);
int64_t sim_input(const struct sim_answer *a);    /* of all classes */
int64_t sim_thoughts(const struct sim_answer *a); /* the part of the output that is reasoning */
/* What a provider signs: hexadecimal, and so Base64 too. The same for the same texts, so that a
 * later request can be checked without a memory of this one. */
#define SIM_SIGNATURE_MAX 65
void sim_sign(char out[SIM_SIGNATURE_MAX], const char *provider, struct str model, struct str text);
bool sim_signed(struct str signature, const char *provider, struct str model, struct str text);
/* Takes the next of `chunks` pieces of about equal size from `*rest`, cut between characters.
 * False when nothing is left. */
bool sim_next_piece(struct str *rest, size_t piece_bytes, struct str *piece);
size_t sim_piece_bytes(const struct sim_answer *a, struct str text);
/* "req_sim_000007": the prefix and the number. */
#define SIM_ID_MAX 48
void sim_id(char out[SIM_ID_MAX], const char *prefix, int64_t seq);
#define SIM_CREATED 1767225600 /* 2026-01-01: an answer's time, so that runs are equal */

void sim_frames_done(struct sim_frames *f);
/* Adds "event: <event>\ndata: <data>\n\n"; without the first line if `event` is NULL. */
void sim_frames_add(struct sim_frames *f, enum sim_frame_kind kind, const char *event,
                    struct str data);

/* ---- Journal (journal.c) ---- */

struct sim_journal {
	int fd; /* -1: none is kept */
	bool bodies;
};

struct sim_entry {
	int64_t seq;
	const char *provider;
	struct str path, model, scenario;
	bool stream;
	int status; /* zero: the connection was closed without an answer */
	struct token_counts usage;
	bool reported;      /* the final usage left */
	const char *end;    /* "complete", "cut" by a fault, or "gone": the client left */
	struct str headers; /* the request's, as JSON */
	struct str body;
};

MUST_CHECK bool sim_journal_open(struct sim_journal *j, const char *path, bool bodies,
                                 struct err *err);
void sim_journal_close(struct sim_journal *j);
/* One line, with one write. */
void sim_journal_write(const struct sim_journal *j, const struct sim_entry *entry);
/* The request's fields without its credential, as a JSON object. */
void sim_journal_headers(const struct net_request *rq, struct buf *out);

/* ---- Player (player.c) ---- */

struct sim {
	struct net_loop *loop;
	struct sim_scenarios scenarios;
	struct sim_journal journal;
	struct str key;
	int64_t delay_ms; /* before every answer */
	int64_t seq;
};

extern const struct net_handler sim_handler; /* its data is a struct sim */

#endif
