/* SPDX-License-Identifier: Apache-2.0 */
/* A sink sees an answer as a list of items (texts, thinking, calls) that are written one after the
 * other; a shape says how one protocol writes them. Private to sink*.c. An item may have to wait:
 * two of the three protocols have only one item open at a time, so what comes between the fragments
 * of a call waits until that call's arguments are complete. */
#ifndef ROUTER_SINK_H
#define ROUTER_SINK_H

#include "router/talk.h"

enum sink_kind {
	SINK_TEXT,
	SINK_REFUSAL,
	SINK_THINKING,
	SINK_REDACTED,
	SINK_CALL
};

/* How much of a JSON object has been seen. */
struct sink_braces {
	size_t depth;
	bool quoted, escaped;
	bool odd; /* it does not begin as an object: no end can be told */
};

struct sink_item {
	struct sink_item *next;
	enum sink_kind kind;
	bool open;                    /* its beginning was written */
	bool complete;                /* nothing more comes to it */
	bool cut;                     /* it ended because the answer did */
	int64_t number;               /* among the items */
	int64_t call;                 /* among the calls */
	const struct talk_tool *tool; /* that is called; NULL if it was not offered */
	struct buf text;              /* what is not written yet, or all where it is needed later */
	struct buf id, name;
	struct buf signature; /* of thinking, or in Chat Completions of the call */
	enum provider signer;
	enum talk_seal_kind seal;
	struct sink_braces braces;
};

struct talk_sink {
	const struct sink_shape *shape;
	const struct talk *talk; /* or NULL */
	struct buf request_id, model;
	struct str own_id; /* the request's id without its prefix */
	int64_t created_s;
	bool wants_usage;

	bool started, ended, refused;
	bool failed; /* too large, or no memory */
	enum talk_finish finish;
	struct buf stop;
	struct sink_item *first, *last;
	struct sink_item *front;                 /* that is written, or NULL; those after it wait */
	struct sink_item *calls[TALK_CALLS_MAX]; /* NULL: gone */
	int64_t item_count, call_count;
	size_t held;      /* bytes kept in items */
	int64_t sequence; /* Responses: events written */
	int64_t details;  /* Chat Completions: reasoning_details written */
	struct buf *out;  /* during a call; NULL: the answer is wanted whole */
	struct json_out json;
};

struct sink_shape {
	bool keeps;       /* items are needed until the end */
	bool signs_calls; /* a call has a place for its signature; else it goes to thinking before
	                   */
	bool tells_error; /* can say in a regular way that the answer was malformed */
	void (*start)(struct talk_sink *s);
	void (*open)(struct talk_sink *s, const struct sink_item *item);
	void (*more)(struct talk_sink *s, const struct sink_item *item, struct str text);
	void (*close)(struct talk_sink *s, const struct sink_item *item);
	void (*end)(struct talk_sink *s, const struct token_counts *counts);
	void (*fail)(struct talk_sink *s, const struct err *why);
	void (*whole)(struct talk_sink *s, struct json_out *o, const struct token_counts *counts);
};

#define SINK_MALFORMED "the model's answer was malformed; asking again may help"

extern const struct sink_shape sink_chat, sink_messages, sink_responses;

/* An empty document to write an event into; sink_event then sends it. */
struct json_out *sink_json(struct talk_sink *s);
/* `name` may be NULL: no event line. */
void sink_event(struct talk_sink *s, const char *name);
/* The item's signature, or its redacted thinking, marked with its signer unless `bare` allows
 * Anthropic's own to stand as it is. */
void sink_put_seal(struct json_out *o, const char *key, const struct sink_item *item, bool bare);
/* "msg_" and the request's own part. */
void sink_put_id(struct talk_sink *s, struct json_out *o, const char *prefix);
/* The text of all items of a kind, joined; false if there is no such item. */
bool sink_join(const struct talk_sink *s, enum sink_kind kind, struct buf *out);
/* The input of a freeform tool out of its arguments {"input": "…"}; as it came if it is no such. */
void sink_freeform_input(const struct sink_item *item, struct buf *out);
bool sink_is_freeform(const struct sink_item *item);
/* All tokens that went in, cached or not. */
int64_t sink_input_tokens(const struct token_counts *counts);
int64_t sink_written_tokens(const struct token_counts *counts);

#endif
