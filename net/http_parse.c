/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 heads and chunked bodies, read as strictly as RFC 9112 permits (section numbers below
 * are its own). The scan works line by line and in order, so that a fault is found at the same byte
 * whether the head came in one piece or in a thousand. */
#include "net/http_parse.h"

#include <string.h>

#include "base/limits.h"

static bool fault_set(struct http_fault *fault, int status, const char *text)
{
	*fault = (struct http_fault){ status, text };
	return false;
}

static enum http_progress bad(struct http_fault *fault, int status, const char *text)
{
	(void)fault_set(fault, status, text); /* its value is for functions that return bool */
	return HTTP_BAD;
}

/* ---- Characters ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* RFC 9110, 5.6.2 */
static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.p[i]) && !is_one_of(s.p[i], "!#$%&'*+-.^_`|~"))
			return false;
	return s.len > 0;
}

/* RFC 3986: pchar, '/' and '?'. */
static bool is_target(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.p[i]) && !is_one_of(s.p[i], "-._~%!$&'()*+,;=:@/?"))
			return false;
	return s.len > 0 && s.p[0] == '/';
}

/* RFC 9110, 5.5: no control characters but HTAB. Bytes above 0x7F are opaque. */
static bool is_value(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7F)
			return false;
	}
	return true;
}

bool net__is_authority(struct str authority)
{
	for (size_t i = 0; i < authority.len; i++)
		if (!is_alnum(authority.p[i]) && !is_one_of(authority.p[i], "-._~:[]"))
			return false;
	return authority.len > 0;
}

/* ---- The end of a head ---- */

/* One complete line, [s->line, lf]. HTTP_MORE: the next one. */
static enum http_progress end_line(struct http_scan *s, struct str bytes, size_t lf,
                                   struct http_fault *fault)
{
	if (lf == s->line || bytes.p[lf - 1] != '\r')
		return bad(fault, 400, "a line of the head does not end in CR LF");
	bool empty = lf - s->line == 1;
	s->at = lf + 1;
	s->line = lf + 1;
	if (empty && s->lines == 0) {
		/* Section 2.2: some clients send an empty line after a body. One is skipped. */
		if (s->start != 0)
			return bad(fault, 400, "the request line is empty");
		s->start = s->line;
		return HTTP_MORE;
	}
	if (empty) {
		s->end = s->line;
		return HTTP_DONE;
	}
	s->lines++;
	if (s->lines > LIMIT_HTTP_HEADERS + 1)
		return bad(fault, 431, "the request has too many header fields");
	return HTTP_MORE;
}

enum http_progress net__head_scan(struct http_scan *s, struct str bytes, size_t head_max,
                                  struct http_fault *fault)
{
	for (;;) {
		const char *lf = NULL;
		if (s->at < bytes.len)
			lf = memchr(bytes.p + s->at, '\n', bytes.len - s->at);
		/* Limits come first: they would also have stopped the part before the LF. */
		size_t reached = lf != NULL ? (size_t)(lf - bytes.p) + 1 : bytes.len;
		if (reached - s->line > LIMIT_HTTP_LINE)
			return bad(fault, 431, "a line of the request's head is too long");
		if (reached > head_max)
			return bad(fault, 431, "the request's head is too large");
		if (lf == NULL) {
			s->at = bytes.len;
			return HTTP_MORE;
		}
		enum http_progress p = end_line(s, bytes, reached - 1, fault);
		if (p != HTTP_MORE)
			return p;
	}
}

/* ---- The request line ---- */

static bool parse_version(struct str version, struct http_head *head, struct http_fault *fault)
{
	bool well_formed = version.len == 8 && str_starts(version, STR("HTTP/")) &&
	                   is_digit(version.p[5]) && version.p[6] == '.' && is_digit(version.p[7]);
	if (!well_formed)
		return fault_set(fault, 400, "the request line is malformed");
	if (version.p[5] != '1' || version.p[7] > '1')
		return fault_set(fault, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	head->is_1_0 = version.p[7] == '0';
	return true;
}

static bool parse_request_line(struct str line, struct http_head *head, struct http_fault *fault)
{
	head->method = str_cut(&line, ' ');
	struct str target = str_cut(&line, ' ');
	if (line.p == NULL)
		return fault_set(fault, 400, "the request line is malformed");
	if (!parse_version(line, head, fault))
		return false;
	if (!is_token(head->method))
		return fault_set(fault, 400, "the method is malformed");
	if (!is_target(target))
		return fault_set(fault, 400, "the request target must be a path");
	head->path = str_cut(&target, '?');
	head->query = target;
	return true;
}

/* ---- Fields ---- */

static bool parse_field(struct str line, struct net_header *field, struct http_fault *fault)
{
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return fault_set(fault, 400, "a header field may not be folded");
	struct str rest = line;
	field->name = str_cut(&rest, ':');
	if (rest.p == NULL || !is_token(field->name))
		return fault_set(fault, 400, "a header field's name is malformed");
	field->value = str_trim(rest);
	if (!is_value(field->value))
		return fault_set(fault, 400, "a header field holds a control character");
	return true;
}

/* What the fields that decide the framing said, until all are read. */
struct framing {
	struct str length;
	struct str coding;
	bool encoded; /* Content-Encoding */
};

static bool set_once(struct str *slot, struct str value, const char *text, struct http_fault *fault)
{
	if (slot->p != NULL)
		return fault_set(fault, 400, text);
	*slot = value;
	return true;
}

static void read_connection(struct str value, struct http_head *head)
{
	while (value.p != NULL)
		if (str_eq_nocase(str_trim(str_cut(&value, ',')), STR("close")))
			head->wants_close = true;
}

static bool read_field(const struct net_header *field, struct http_head *head, struct framing *f,
                       struct http_fault *fault)
{
	struct str name = field->name;
	struct str value = field->value;
	if (str_eq_nocase(name, STR("host")))
		return set_once(&head->host, value, "there is more than one Host", fault);
	if (str_eq_nocase(name, STR("content-length")))
		return set_once(&f->length, value, "there is more than one Content-Length", fault);
	if (str_eq_nocase(name, STR("transfer-encoding")))
		return set_once(&f->coding, value, "there is more than one Transfer-Encoding",
		                fault);
	if (str_eq_nocase(name, STR("origin")))
		return set_once(&head->origin, value, "there is more than one Origin", fault);
	if (str_eq_nocase(name, STR("connection"))) {
		read_connection(value, head);
		return true;
	}
	if (str_eq_nocase(name, STR("content-encoding"))) {
		f->encoded = true;
		return true;
	}
	if (str_eq_nocase(name, STR("expect"))) {
		if (!str_eq_nocase(value, STR("100-continue")))
			return fault_set(fault, 417, "only the expectation 100-continue is known");
		head->expects_continue = true;
	}
	return true;
}

/* Lengths at which a field name may matter to this file: most fields are passed by on that. */
static bool may_matter(size_t name_len)
{
	switch (name_len) {
	case sizeof("host") - 1:
	case sizeof("origin") - 1: /* and expect */
	case sizeof("connection") - 1:
	case sizeof("content-length") - 1:
	case sizeof("content-encoding") - 1:
	case sizeof("transfer-encoding") - 1:
		return true;
	default:
		return false;
	}
}

static bool parse_length(struct str text, uint64_t *length)
{
	uint64_t n = 0;
	if (text.len == 0 || text.len > 18)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.p[i]))
			return false;
		n = n * 10 + (uint64_t)(text.p[i] - '0');
	}
	*length = n;
	return true;
}

/* Section 6.3. With both fields a proxy before us may have seen another body than we would. */
static bool decide_framing(const struct framing *f, struct http_head *head,
                           struct http_fault *fault)
{
	if (f->length.p != NULL && f->coding.p != NULL)
		return fault_set(fault, 400, "both Content-Length and Transfer-Encoding are given");
	if (f->coding.p != NULL) {
		if (head->is_1_0)
			return fault_set(fault, 400, "HTTP/1.0 has no Transfer-Encoding");
		if (!str_eq_nocase(f->coding, STR("chunked")))
			return fault_set(fault, 501, "the only known transfer coding is chunked");
		head->framing = HTTP_CHUNKED;
	} else if (f->length.p != NULL) {
		if (!parse_length(f->length, &head->length))
			return fault_set(fault, 400, "the Content-Length is malformed");
		head->framing = HTTP_LENGTH;
	}
	bool has_body = head->framing == HTTP_CHUNKED || head->length > 0;
	if (f->encoded && has_body)
		return fault_set(fault, 415, "a request body may not have a Content-Encoding");
	/* RFC 9110, 10.1.1: an HTTP/1.0 client cannot have meant it, one without a body neither. */
	head->expects_continue = head->expects_continue && has_body && !head->is_1_0;
	return true;
}

/* The line at `*at` without its CR LF; a CR that is left in it is refused later, as a control
 * character. The scan has made sure that each LF has its CR. */
static struct str next_line(struct str bytes, size_t *at)
{
	const char *start = bytes.p + *at;
	const char *lf = memchr(start, '\n', bytes.len - *at);
	size_t len = lf != NULL ? (size_t)(lf - start) : bytes.len - *at;
	*at += len + 1;
	return (struct str){ start, len > 0 ? len - 1 : 0 };
}

static bool parse_fields(struct str bytes, size_t at, struct http_head *head,
                         struct http_fault *fault)
{
	struct framing f = { 0 };
	for (;;) {
		struct str line = next_line(bytes, &at);
		if (line.len == 0)
			return decide_framing(&f, head, fault);
		if (head->header_count == LIMIT_HTTP_HEADERS)
			return fault_set(fault, 431, "the request has too many header fields");
		struct net_header *field = &head->headers[head->header_count];
		if (!parse_field(line, field, fault))
			return false;
		head->header_count++;
		if (may_matter(field->name.len) && !read_field(field, head, &f, fault))
			return false;
	}
}

bool net__head_parse(struct str bytes, struct http_head *head, struct http_fault *fault)
{
	size_t at = 0;
	memset(head, 0, offsetof(struct http_head, headers));
	head->header_count = 0;
	if (!parse_request_line(next_line(bytes, &at), head, fault) ||
	    !parse_fields(bytes, at, head, fault))
		return false;
	if (head->host.p == NULL && !head->is_1_0)
		return fault_set(fault, 400, "there is no Host");
	if (head->host.p != NULL && !net__is_authority(head->host))
		return fault_set(fault, 400, "the Host is malformed");
	return true;
}

/* ---- Chunks ---- */

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Sixteen digits would overflow with one more; fifteen are more than any body. */
enum {
	CHUNK_DIGITS = 15
};

static enum http_progress size_byte(struct http_chunks *c, char byte, struct http_fault *fault)
{
	int digit = hex_value(byte);
	if (digit >= 0) {
		if (++c->digits > CHUNK_DIGITS)
			return bad(fault, 400, "a chunk size is too long");
		c->left = c->left * 16 + (uint64_t)digit;
		return HTTP_MORE;
	}
	if (c->digits == 0 || byte != '\r')
		return bad(fault, 400, "a chunk size is malformed");
	c->state = CHUNK_SIZE_LF;
	return HTTP_MORE;
}

/* A byte that has only one right value. */
static enum http_progress fixed_byte(struct http_chunks *c, char byte, char wanted,
                                     enum http_chunk_state next, struct http_fault *fault)
{
	if (byte != wanted)
		return bad(fault, 400, "a chunk is malformed");
	c->state = next;
	return next == CHUNK_END ? HTTP_DONE : HTTP_MORE;
}

static enum http_progress frame_byte(struct http_chunks *c, char byte, struct http_fault *fault)
{
	switch (c->state) {
	case CHUNK_SIZE:
		return size_byte(c, byte, fault);
	case CHUNK_SIZE_LF:
		return fixed_byte(c, byte, '\n', c->left > 0 ? CHUNK_DATA : CHUNK_LAST_CR, fault);
	case CHUNK_DATA_CR:
		return fixed_byte(c, byte, '\r', CHUNK_DATA_LF, fault);
	case CHUNK_DATA_LF:
		c->digits = 0;
		return fixed_byte(c, byte, '\n', CHUNK_SIZE, fault);
	case CHUNK_LAST_CR:
		if (byte != '\r')
			return bad(fault, 400, "trailer fields are not accepted");
		return fixed_byte(c, byte, '\r', CHUNK_LAST_LF, fault);
	case CHUNK_LAST_LF:
		return fixed_byte(c, byte, '\n', CHUNK_END, fault);
	case CHUNK_DATA:
	case CHUNK_END:
		break;
	}
	return HTTP_DONE;
}

/* As much of the chunk as there is. Returns how many bytes that was. */
static size_t take_data(struct http_chunks *c, struct str bytes, struct buf *body)
{
	size_t n = c->left < bytes.len ? (size_t)c->left : bytes.len;
	buf_add(body, (struct str){ bytes.p, n });
	c->left -= n;
	if (c->left == 0)
		c->state = CHUNK_DATA_CR;
	return n;
}

enum http_progress net__chunks_feed(struct http_chunks *c, struct str bytes, size_t *used,
                                    struct buf *body, struct http_fault *fault)
{
	size_t at = 0;
	enum http_progress p = c->state == CHUNK_END ? HTTP_DONE : HTTP_MORE;
	while (p == HTTP_MORE && at < bytes.len) {
		if (c->state == CHUNK_DATA) {
			at += take_data(c, (struct str){ bytes.p + at, bytes.len - at }, body);
			continue;
		}
		p = frame_byte(c, bytes.p[at++], fault);
		/* Known as soon as the size is: nothing of such a chunk is kept. */
		if (p == HTTP_MORE && c->state == CHUNK_DATA && c->left > body->max - body->len)
			p = bad(fault, 413, "the request body is too large");
	}
	*used = at;
	if (p != HTTP_BAD && body->failed)
		return bad(fault, 500, "out of memory");
	return p;
}
