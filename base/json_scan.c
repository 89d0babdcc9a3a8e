/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: RFC 8259 in one pass over the bytes, with what the RFC leaves open refused (duplicate
 * keys, half surrogates, NUL, a byte-order mark, more than LIMIT_JSON_DEPTH levels). It runs over
 * every byte of every request, so it neither recurses nor allocates for ordinary documents. The
 * surprising fact: it never copies or decodes anything; what it reports are slices of the input. */
#include "base/json.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/json_keys.h"
#include "base/json_text.h"
#include "base/limits.h"

/* The key in front of a value; absent before elements and the root. */
struct member {
	const char *start; /* the key's quote, or the value */
	struct str key;
};

struct frame {
	const char *start; /* of the container's own text */
	struct member member;
	struct json__object object; /* set if `is_object` */
	bool is_object;
};

struct scanner {
	const char *begin;
	const char *p;
	const char *end;
	json_visit_fn *visit;
	void *data;
	struct member member; /* what the value at `p` belongs to */
	size_t depth;         /* containers that are open */

	const char *fault; /* NULL while all is well; without user text */
	const char *fault_at;
	struct str fault_key; /* the key that is there twice, or absent */
	enum err_code fault_code;

	struct json__keys keys;
	struct frame frames[LIMIT_JSON_DEPTH];
};

/* What the scanner stands before, after a step. */
enum step {
	STEP_FAILED,
	STEP_VALUE, /* a value starts here */
	STEP_AFTER, /* a value has just ended */
};

static bool fail_at(struct scanner *s, const char *at, enum err_code code, const char *fault)
{
	s->fault = fault;
	s->fault_at = at;
	s->fault_code = code;
	return false;
}

static bool fail(struct scanner *s, const char *fault)
{
	return fail_at(s, s->p, ERR_INVALID_ARGUMENT, fault);
}

static void skip_space(struct scanner *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

static bool at(const struct scanner *s, char c)
{
	return s->p < s->end && *s->p == c;
}

static void report(const struct scanner *s, const struct member *member, enum json_type type,
                   const char *start)
{
	struct json_span span;

	if (!s->visit)
		return;
	span.depth = s->depth;
	span.key = member->key;
	span.type = type;
	span.value = (struct str){ start, (size_t)(s->p - start) };
	span.start = (size_t)(member->start - s->begin);
	s->visit(s->data, &span);
}

/* ---- Strings ---- */

static bool is_plain(char c)
{
	return (signed char)c >= 0x20 && c != '"' && c != '\\';
}

/* The first byte that is not printable ASCII, or is a quote or a backslash. */
static const char *skip_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(0x20);

	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* signed, so that bytes from 0x80 on count as less than a space too */
		__m128i stop = _mm_or_si128(
			_mm_cmplt_epi8(v, space),
			_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
		int mask = _mm_movemask_epi8(stop);

		if (mask)
			return p + __builtin_ctz((unsigned)mask);
	}
#endif
	while (p < end && is_plain(*p))
		p++;
	return p;
}

static bool scan_escape(struct scanner *s)
{
	struct json__escape c;

	switch (json__unescape(s->p, s->end, &c)) {
	case JSON__ESCAPE_OK:
		s->p += c.used;
		return true;
	case JSON__ESCAPE_UNKNOWN:
		return fail(s, "unknown escape in a string");
	case JSON__ESCAPE_HEX:
		return fail(s, "\\u needs four hexadecimal digits");
	case JSON__ESCAPE_NUL:
		return fail(s, "\\u0000 is not allowed");
	case JSON__ESCAPE_SURROGATE:
		return fail(s, "half of a surrogate pair");
	}
	return fail(s, "unknown escape in a string");
}

/* Characters outside ASCII come in runs. */
static bool scan_utf8(struct scanner *s)
{
	while (s->p < s->end && (signed char)*s->p < 0) {
		size_t n = json__utf8(s->p, s->end);

		if (n == 0)
			return fail(s, "invalid UTF-8");
		s->p += n;
	}
	return true;
}

/* From the opening quote to behind the closing one. */
static bool scan_string(struct scanner *s, bool *escaped)
{
	const char *open = s->p++;

	for (;;) {
		s->p = skip_plain(s->p, s->end);
		if (s->p == s->end)
			return fail_at(s, open, ERR_INVALID_ARGUMENT, "string without an end");
		if (*s->p == '"') {
			s->p++;
			return true;
		}
		if (*s->p == '\\') {
			*escaped = true;
			if (!scan_escape(s))
				return false;
		} else if ((signed char)*s->p < 0) {
			if (!scan_utf8(s))
				return false;
		} else {
			return fail(s, "control character in a string");
		}
	}
}

/* ---- Numbers and literals ---- */

/* Skips digits; false if there is none. */
static bool skip_digits(struct scanner *s)
{
	const char *start = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > start;
}

static bool scan_number(struct scanner *s)
{
	if (at(s, '-'))
		s->p++;
	if (at(s, '0')) {
		s->p++;
		if (s->p < s->end && *s->p >= '0' && *s->p <= '9')
			return fail(s, "number with a leading zero");
	} else if (!skip_digits(s)) {
		return fail(s, "number without digits");
	}
	if (at(s, '.')) {
		s->p++;
		if (!skip_digits(s))
			return fail(s, "number without digits after its point");
	}
	if (at(s, 'e') || at(s, 'E')) {
		s->p++;
		if (at(s, '+') || at(s, '-'))
			s->p++;
		if (!skip_digits(s))
			return fail(s, "number without digits in its exponent");
	}
	return true;
}

static bool scan_literal(struct scanner *s, struct str word)
{
	if ((size_t)(s->end - s->p) < word.len || memcmp(s->p, word.p, word.len) != 0)
		return fail(s, "unknown word; only true, false and null are values");
	s->p += word.len;
	return true;
}

static bool scan_scalar(struct scanner *s, enum json_type *type)
{
	bool escaped = false;

	switch (*s->p) {
	case '"':
		*type = JSON_STRING;
		return scan_string(s, &escaped);
	case 't':
		*type = JSON_BOOL;
		return scan_literal(s, STR("true"));
	case 'f':
		*type = JSON_BOOL;
		return scan_literal(s, STR("false"));
	case 'n':
		*type = JSON_NULL;
		return scan_literal(s, STR("null"));
	default:
		if (*s->p != '-' && (*s->p < '0' || *s->p > '9'))
			return fail(s, "a value was expected");
		*type = JSON_NUMBER;
		return scan_number(s);
	}
}

/* ---- Containers ---- */

/* From a member's key to where its value starts. */
static bool scan_key(struct scanner *s)
{
	struct json__object *object = &s->frames[s->depth - 1].object;
	const char *start = s->p;
	bool escaped = false;
	struct str key;

	if (!at(s, '"'))
		return fail(s, "a key in quotes was expected");
	if (!scan_string(s, &escaped))
		return false;
	key = (struct str){ start + 1, (size_t)(s->p - start) - 2 };
	switch (json__object_add(&s->keys, object, key, escaped)) {
	case JSON__ADDED:
		break;
	case JSON__DUPLICATE:
		s->fault_key = key;
		return fail_at(s, start, ERR_INVALID_ARGUMENT, "duplicate key");
	case JSON__TOO_MANY:
		return fail_at(s, start, ERR_TOO_LARGE, "object with too many members");
	case JSON__NO_MEMORY:
		return fail_at(s, start, ERR_INTERNAL, "out of memory");
	}
	skip_space(s);
	if (!at(s, ':'))
		return fail(s, "':' was expected after a key");
	s->p++;
	skip_space(s);
	s->member = (struct member){ start, key };
	return true;
}

/* Before the next member or element of the innermost container. */
static enum step scan_next(struct scanner *s)
{
	if (s->frames[s->depth - 1].is_object)
		return scan_key(s) ? STEP_VALUE : STEP_FAILED;
	s->member = (struct member){ s->p, { NULL, 0 } };
	return STEP_VALUE;
}

static void close_container(struct scanner *s)
{
	struct frame *frame = &s->frames[--s->depth];

	s->p++;
	if (frame->is_object)
		json__object_close(&s->keys, &frame->object);
	report(s, &frame->member, frame->is_object ? JSON_OBJECT : JSON_ARRAY, frame->start);
}

static enum step open_container(struct scanner *s)
{
	struct frame *frame;

	if (s->depth == LIMIT_JSON_DEPTH) {
		(void)fail_at(s, s->p, ERR_TOO_LARGE, "nested too deeply");
		return STEP_FAILED;
	}
	frame = &s->frames[s->depth++];
	frame->start = s->p;
	frame->member = s->member;
	frame->is_object = *s->p == '{';
	if (frame->is_object)
		frame->object = json__object_open(&s->keys);
	s->p++;
	skip_space(s);
	if (!at(s, frame->is_object ? '}' : ']'))
		return scan_next(s);
	close_container(s);
	return STEP_AFTER;
}

static enum step scan_value(struct scanner *s)
{
	const char *start = s->p;
	enum json_type type = JSON_NULL;

	if (s->p == s->end) {
		(void)fail(s, "a value was expected, but the text ends");
		return STEP_FAILED;
	}
	if (*s->p == '{' || *s->p == '[')
		return open_container(s);
	if (!scan_scalar(s, &type))
		return STEP_FAILED;
	report(s, &s->member, type, start);
	return STEP_AFTER;
}

/* After a value inside a container: a comma and the next one, or the container's end. */
static enum step scan_after(struct scanner *s)
{
	bool is_object = s->frames[s->depth - 1].is_object;

	skip_space(s);
	if (at(s, ',')) {
		s->p++;
		skip_space(s);
		return scan_next(s);
	}
	if (at(s, is_object ? '}' : ']')) {
		close_container(s);
		return STEP_AFTER;
	}
	(void)fail(s, is_object ? "',' or '}' was expected" : "',' or ']' was expected");
	return STEP_FAILED;
}

static bool scan_document(struct scanner *s)
{
	enum step step = STEP_VALUE;

	skip_space(s);
	if (s->end - s->p >= 3 && memcmp(s->p, "\xEF\xBB\xBF", 3) == 0)
		return fail(s, "byte-order mark");
	s->member.start = s->p;
	do {
		step = step == STEP_VALUE ? scan_value(s) : scan_after(s);
	} while (step == STEP_VALUE || (step == STEP_AFTER && s->depth > 0));
	if (step == STEP_FAILED)
		return false;
	skip_space(s);
	return s->p == s->end || fail(s, "text after the value");
}

/* ---- Faults, for people ---- */

#define SHOWN_KEY 80 /* bytes of a foreign key in an error text */

static bool describe_fault(const struct scanner *s, struct err *err)
{
	size_t offset = (size_t)(s->fault_at - s->begin), line = 1;

	for (const char *p = s->begin; p < s->fault_at; p++)
		line += *p == '\n';
	if (s->fault_code == ERR_INTERNAL)
		return err_no_memory(err);
	(void)err_set(err, s->fault_code, "not valid JSON at byte %zu: %s", offset, s->fault);
	if (s->fault_key.p && s->fault_key.len <= SHOWN_KEY)
		(void)err_set(err, s->fault_code, "not valid JSON at byte %zu: %s '%.*s'", offset,
		              s->fault, STR_ARG(s->fault_key));
	return line > 1 ? err_prefix(err, "line %zu", line) : false;
}

static void scanner_init(struct scanner *s, struct str text)
{
	s->begin = s->p = text.p ? text.p : "";
	s->end = s->begin + (text.p ? text.len : 0);
	s->visit = NULL;
	s->data = NULL;
	s->member = (struct member){ s->begin, { NULL, 0 } };
	s->depth = 0;
	s->fault = s->fault_at = NULL;
	s->fault_key = (struct str){ NULL, 0 };
	s->fault_code = ERR_NONE;
	json__keys_init(&s->keys);
}

static void scanner_done(struct scanner *s)
{
	while (s->depth > 0) {
		struct frame *frame = &s->frames[--s->depth];

		if (frame->is_object)
			json__object_close(&s->keys, &frame->object);
	}
	json__keys_done(&s->keys);
}

bool json_scan(struct str text, json_visit_fn *visit, void *data, struct err *err)
{
	struct scanner s; /* not zeroed: 12 KiB that a small document never touches */
	bool ok;

	scanner_init(&s, text);
	s.visit = visit;
	s.data = data;
	ok = scan_document(&s);
	if (!ok)
		(void)describe_fault(&s, err);
	scanner_done(&s);
	return ok;
}
