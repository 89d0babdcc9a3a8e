/* SPDX-License-Identifier: Apache-2.0 */
/* What the three sources share: reading JSON text without trees, and the order of events. Private
 * to source*.c. Raw texts are spans of a document that has passed the gate; an absent one, null or
 * one of a wrong type is as good as not sent. */
#ifndef ROUTER_SOURCE_H
#define ROUTER_SOURCE_H

#include "router/talk.h"

/* Begins a call of ours: where events go, and who signs what is signed. */
void source_enter(struct talk_source *s, enum provider signer, talk_event_fn *fn, void *data);

/* json_pick for a text from outside: bytes and escapes that are no text are mended first. */
MUST_CHECK bool source_pick(struct talk_source *s, struct str text, const char *const *keys,
                            struct str *out, size_t count);
/* Takes the next element off a JSON array; false at its end, and at once for another type. */
MUST_CHECK bool source_next(struct str *array, struct str *element);
bool source_is_set(struct str raw); /* there, and not null */

void source_start(struct talk_source *s); /* once; the functions below see to it */
/* A piece of text, thinking, refusal or redacted thinking from its raw string, unless empty. */
void source_say(struct talk_source *s, enum talk_event_kind kind, struct str raw);
/* Keeps the signature of the thinking block that runs; the last one counts. */
void source_sign(struct talk_source *s, struct str raw);
/* The thinking block is over: its signature, if there was one. */
void source_signed(struct talk_source *s);

#define SOURCE_NO_CALL TALK_CALLS_MAX
struct source_call {
	int64_t key; /* what the provider will call it by */
	struct str id, name, signature;
};
/* Begins a call with an id that every protocol takes. False: there are too many. */
MUST_CHECK bool source_begin_call(struct talk_source *s, const struct source_call *call);
/* The call with that key, or SOURCE_NO_CALL. */
size_t source_find_call(const struct talk_source *s, int64_t key);
/* A piece of arguments: of a raw string, or the raw text of an object. */
void source_argue(struct talk_source *s, size_t call, struct str raw);
/* A call without any arguments gets those of an empty object. */
void source_close_call(struct talk_source *s, size_t call);

/* A provider's word for why it stopped. */
struct source_finish {
	struct str word;
	enum talk_finish finish;
};
/* Notes it; a word that is not in the table counts as a stop, an empty one or null as nothing. */
void source_finish(struct talk_source *s, struct str raw, const struct source_finish *table,
                   size_t count);
void source_end(struct talk_source *s); /* what is still owed, finish and end */

#endif
