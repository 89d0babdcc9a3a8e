/* SPDX-License-Identifier: Apache-2.0 */
/* The strict part of RFC 9112, without sockets: where a head ends, what it says, and chunked
 * bodies. Whatever two parsers could read in two ways is refused, never repaired. How the bytes are
 * split among calls does not change an answer. */
#ifndef NET_HTTP_PARSE_H
#define NET_HTTP_PARSE_H

#include "net/net.h"

/* A refusal: the status to answer with and a line for a person. `status` is 0 if there is none. */
struct http_fault {
	int status;
	const char *text; /* a literal */
};

enum http_progress {
	HTTP_MORE, /* all bytes are used and it is not complete */
	HTTP_DONE,
	HTTP_BAD
};

/* Finds the end of a head while it arrives. Start from zeroed memory. */
struct http_scan {
	size_t start; /* where the request line begins, after at most one empty line */
	size_t line;  /* where the unfinished line begins */
	size_t at;    /* bytes that were looked at */
	size_t lines;
	size_t end; /* with HTTP_DONE: the head is [start, end), with its empty line */
};

/* `bytes` is everything received so far; it must begin with what was given before. Refuses heads
 * above `head_max` and the limits of base/limits.h (431), and bare LF (400). */
enum http_progress net__head_scan(struct http_scan *s, struct str bytes, size_t head_max,
                                  struct http_fault *fault);

enum http_framing {
	HTTP_NO_BODY,
	HTTP_LENGTH,
	HTTP_CHUNKED
};

struct http_head {
	struct str method;
	struct str path;
	struct str query; /* absent without a '?' */
	bool is_1_0;
	bool wants_close; /* Connection: close */
	bool expects_continue;
	enum http_framing framing;
	uint64_t length;   /* with HTTP_LENGTH */
	struct str host;   /* absent only with HTTP/1.0 */
	struct str origin; /* absent if there is none */
	struct net_header headers[LIMIT_HTTP_HEADERS];
	size_t header_count;
};

/* Reads a complete head, from the request line to the empty line. The texts of `head` are borrowed
 * from `bytes`. False with `fault` set. */
MUST_CHECK bool net__head_parse(struct str bytes, struct http_head *head, struct http_fault *fault);

/* Decodes a chunked body. Start from zeroed memory. Extensions and trailers are refused. */
struct http_chunks {
	enum http_chunk_state {
		CHUNK_SIZE,
		CHUNK_SIZE_LF,
		CHUNK_DATA,
		CHUNK_DATA_CR,
		CHUNK_DATA_LF,
		CHUNK_LAST_CR,
		CHUNK_LAST_LF,
		CHUNK_END
	} state;
	unsigned digits;
	uint64_t left; /* of this chunk */
};

/* Appends decoded bytes to `body`; 413 if they would pass body->max. `*used` is how many bytes of
 * `bytes` were looked at: with HTTP_DONE, what follows is the next request. */
enum http_progress net__chunks_feed(struct http_chunks *c, struct str bytes, size_t *used,
                                    struct buf *body, struct http_fault *fault);

/* `authority` is "name:port" as in a Host field: no path, no user, at most one port. */
bool net__is_authority(struct str authority);

#endif
