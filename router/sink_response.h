/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of the Responses protocol: the response itself and its items. Private to the sink of
 * that protocol. */
#ifndef ROUTER_SINK_RESPONSE_H
#define ROUTER_SINK_RESPONSE_H

#include "router/sink.h"

/* Where a response stands. Texts that do not apply are NULL. */
struct sink_response {
	const char *status;     /* "in_progress", "completed", "incomplete", "failed" */
	const char *incomplete; /* why it is */
	const char *error_code, *error;
	const struct token_counts *counts; /* NULL: not known */
};

/* With what was asked, and the items that are complete. */
void sink_put_response(struct talk_sink *s, struct json_out *o, const char *key,
                       const struct sink_response *response);
/* An item as it begins, or as it is when it is done. */
void sink_put_item(const struct talk_sink *s, struct json_out *o, const char *key,
                   const struct sink_item *item, bool done);
/* A part of a message, or of a reasoning summary. */
void sink_put_part(struct json_out *o, const char *key, enum sink_kind kind, struct str text);
void sink_put_item_id(const struct talk_sink *s, struct json_out *o, const char *key,
                      const struct sink_item *item);
/* The name of a call without its namespace. */
struct str sink_plain_name(const struct sink_item *item);

#endif
