/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulator was asked and what it reported, one JSON line a request: the other side of
 * every bill. A line leaves before the last byte of its answer, so whoever has read an answer to
 * its end finds its line. */
#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/provider_sim/sim.h"

#define HEADERS_MAX (256u << 10)
#define LINE_MAX (256u << 20)

bool sim_journal_open(struct sim_journal *j, const char *path, bool bodies, struct err *err)
{
	*j = (struct sim_journal){ .fd = -1, .bodies = bodies };
	if (path == NULL)
		return true;
	j->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return j->fd >= 0 || err_set_errno(err, ERR_INVALID_ARGUMENT, path);
}

void sim_journal_close(struct sim_journal *j)
{
	if (j->fd >= 0)
		(void)close(j->fd); /* every line was checked when written */
	j->fd = -1;
}

static bool is_credential(struct str name)
{
	return str_eq_nocase(name, STR("authorization")) || str_eq_nocase(name, STR("x-api-key")) ||
	       str_eq_nocase(name, STR("x-goog-api-key"));
}

static bool came_before(const struct net_header *headers, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (str_eq_nocase(headers[k].name, headers[i].name))
			return true;
	}
	return false;
}

static void put_header(const struct net_header *header, struct json_out *o)
{
	OWN_BUF struct buf name = buf_make(HEADERS_MAX);
	buf_add(&name, header->name);
	for (size_t k = 0; k < name.len; k++)
		name.p[k] = (char)tolower((unsigned char)name.p[k]);
	json_put_str(o, name.p, header->value);
}

void sim_journal_headers(const struct net_request *rq, struct buf *out)
{
	size_t count = 0;
	const struct net_header *headers = net_request_headers(rq, &count);
	OWN_JSON_OUT struct json_out o = json_out_make(HEADERS_MAX);
	json_put_object(&o, NULL);
	for (size_t i = 0; i < count; i++) {
		if (!is_credential(headers[i].name) && !came_before(headers, i))
			put_header(&headers[i], &o);
	}
	json_put_end(&o, '}');
	buf_add(out, buf_str(&o.text));
}

static void put_counts(const struct token_counts *usage, struct json_out *o)
{
	for (int c = 0; c < TOKEN_CLASS_COUNT; c++)
		json_put_i64(o, token_class_field((enum token_class)c), usage->n[c]);
}

void sim_journal_write(const struct sim_journal *j, const struct sim_entry *entry)
{
	if (j->fd < 0)
		return;
	OWN_JSON_OUT struct json_out o = json_out_make(LINE_MAX);
	json_put_object(&o, NULL);
	json_put_i64(&o, "n", entry->seq);
	json_put_z(&o, "provider", entry->provider);
	json_put_str(&o, "path", entry->path);
	json_put_str(&o, "model", entry->model);
	json_put_str(&o, "scenario", entry->scenario);
	json_put_bool(&o, "stream", entry->stream);
	json_put_i64(&o, "status", entry->status);
	put_counts(&entry->usage, &o);
	json_put_bool(&o, "reported", entry->reported);
	json_put_z(&o, "end", entry->end);
	json_put_i64(&o, "requestBodyBytes", (int64_t)entry->body.len);
	json_put_raw(&o, "requestHeaders", entry->headers);
	if (j->bodies)
		json_put_str(&o, "body", entry->body);
	json_put_end(&o, '}');
	buf_add_char(&o.text, '\n');
	struct str line = buf_str(&o.text);
	ssize_t n = write(j->fd, line.p, line.len);
	if (n < 0 || (size_t)n != line.len)
		log_event(LOG_ERROR, "journal_lost", "n=%lld", (long long)entry->seq);
}
