/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics in Prometheus' text format, written when it is asked for. Sums of money are integers
 * of micro-USD and times are seconds written from integers of microseconds: nothing is a float. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "router/api_parts.h"
#include "router/call.h"

#define METRIC(o, name, type, help) \
	buf_add_z((o), "# HELP " name " " help "\n# TYPE " name " " type "\n")

static void put_value(struct buf *o, const char *name, int64_t value)
{
	buf_addf(o, "%s %lld\n", name, (long long)value);
}

static void put_seconds(struct buf *o, int64_t us)
{
	buf_addf(o, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
}

/* A label's value, with what the format needs escaped. */
static void put_label(struct buf *o, const char *name, struct str value)
{
	buf_add_z(o, name);
	buf_add_z(o, "=\"");
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			buf_add_char(o, '\\');
		buf_add_char(o, value.p[i]);
	}
	buf_add_char(o, '"');
}

/* ---- Calls ---- */

static void put_series(struct buf *o, struct str route, struct str model, struct str status,
                       int64_t count)
{
	buf_add_z(o, "agent_store_requests_total{");
	put_label(o, "route", route);
	buf_add_char(o, ',');
	put_label(o, "model", model);
	buf_add_char(o, ',');
	put_label(o, "status", status);
	buf_addf(o, "} %lld\n", (long long)count);
}

static void put_requests(struct buf *o, const struct stats *s)
{
	METRIC(o, "agent_store_requests_total", "counter",
	       "Answered requests; status 0: the client was gone.");
	for (size_t i = 0; i < STATS_SERIES; i++) {
		const struct stats_series *one = &s->series[i];
		OWN_BUF struct buf status = buf_make(16);
		if (one->count == 0)
			continue;
		buf_add_i64(&status, one->status);
		put_series(o, str_of(one->route), str_of(one->model), buf_str(&status), one->count);
	}
	if (s->other > 0)
		put_series(o, STR("other"), STR(""), STR(""), s->other);
}

static void put_histogram(struct buf *o, const char *name, const struct histogram *h)
{
	int64_t total = 0;

	for (size_t i = 0; i <= STATS_STEPS; i++) {
		total += h->count[i];
		buf_addf(o, "%s_bucket{le=\"", name);
		if (i < STATS_STEPS)
			put_seconds(o, stats_bounds_us[i]);
		else
			buf_add_z(o, "+Inf");
		buf_addf(o, "\"} %lld\n", (long long)total);
	}
	buf_addf(o, "%s_sum ", name);
	put_seconds(o, h->sum_us);
	buf_addf(o, "\n%s_count %lld\n", name, (long long)total);
}

static void put_times(struct buf *o, const struct stats *s)
{
	METRIC(o, "agent_store_added_latency_seconds", "histogram",
	       "What the router took of a call's time: before the upstream was asked and after its "
	       "first usable byte.");
	put_histogram(o, "agent_store_added_latency_seconds", &s->added);
	METRIC(o, "agent_store_first_byte_seconds", "histogram",
	       "From a call's body to the first byte of its answer.");
	put_histogram(o, "agent_store_first_byte_seconds", &s->first_byte);
}

static void put_money(struct buf *o, const struct router *r)
{
	const struct stats *s = &r->stats;
	int64_t holding = 0;

	for (const struct call *c = r->calls; c; c = c->next)
		holding += c->held ? money_micros(c->hold.amount) : 0;
	METRIC(o, "agent_store_tokens_total", "counter", "Metered tokens by class.");
	for (size_t i = 0; i < TOKEN_CLASS_COUNT; i++) {
		buf_add_z(o, "agent_store_tokens_total{");
		put_label(o, "class", str_of(token_class_price_field((enum token_class)i)));
		buf_addf(o, "} %lld\n", (long long)s->tokens[i]);
	}
	METRIC(o, "agent_store_charged_micros_total", "counter", "Charged to buyers, micro-USD.");
	put_value(o, "agent_store_charged_micros_total", s->charged);
	METRIC(o, "agent_store_held_micros_total", "counter", "Set aside for calls, micro-USD.");
	put_value(o, "agent_store_held_micros_total", s->held);
	METRIC(o, "agent_store_released_micros_total", "counter",
	       "Given back of what was set aside, micro-USD.");
	put_value(o, "agent_store_released_micros_total", s->released);
	METRIC(o, "agent_store_holding_micros", "gauge", "Set aside now, micro-USD.");
	put_value(o, "agent_store_holding_micros", holding);
}

/* ---- The store, queues ---- */

static void put_batches(struct buf *o, const struct store_worker_stats *w)
{
	int64_t total = 0;

	METRIC(o, "agent_store_batch_jobs", "histogram", "Jobs of a commit.");
	for (size_t i = 0; i < STORE_BATCH_STEPS; i++) {
		total += w->batches[i];
		OWN_BUF struct buf bound = buf_make(16);
		buf_add_i64(&bound, INT64_C(1) << i);
		buf_add_z(o, "agent_store_batch_jobs_bucket{");
		put_label(o, "le", buf_str(&bound));
		buf_addf(o, "} %lld\n", (long long)total);
	}
	buf_addf(o, "agent_store_batch_jobs_bucket{le=\"+Inf\"} %lld\n", (long long)total);
	put_value(o, "agent_store_batch_jobs_sum", w->jobs);
	put_value(o, "agent_store_batch_jobs_count", total);
}

static void put_store(struct buf *o, const struct router *r)
{
	struct store_worker_stats w = store_worker_stats(r->options.worker);

	METRIC(o, "agent_store_commits_total", "counter", "Commits that wrote something.");
	put_value(o, "agent_store_commits_total", w.commits);
	put_batches(o, &w);
	METRIC(o, "agent_store_store_queue", "gauge", "Jobs that wait for the store or run.");
	put_value(o, "agent_store_store_queue", w.queued);
	METRIC(o, "agent_store_store_healthy", "gauge", "0 after the disk refused a commit.");
	put_value(o, "agent_store_store_healthy", store_worker_healthy(r->options.worker));
	METRIC(o, "agent_store_calls", "gauge", "Calls that run, settlement included.");
	put_value(o, "agent_store_calls", (int64_t)r->call_count);
	METRIC(o, "agent_store_tasks", "gauge", "Requests to the store's own routes that run.");
	put_value(o, "agent_store_tasks", (int64_t)r->task_count);
	METRIC(o, "agent_store_open_requests", "gauge", "Requests without a finished answer.");
	put_value(o, "agent_store_open_requests", (int64_t)net_server_active(r->server));
}

/* ---- Upstreams ---- */

static void put_breaker(void *data, const struct breaker *b)
{
	struct buf *o = data;
	const struct store_upstream *upstream = b->upstream;
	const struct store_model *model = b->model;

	for (int s = 0; s < BREAKER_STATE_COUNT; s++) {
		buf_add_z(o, "agent_store_upstream_state{");
		put_label(o, "upstream", upstream->name);
		buf_add_char(o, ',');
		put_label(o, "model", model->id);
		buf_add_char(o, ',');
		put_label(o, "state", str_of(breaker_state_name((enum breaker_state)s)));
		buf_addf(o, "} %d\n", (int)b->state == s);
	}
}

/* ---- The process ---- */

static int64_t resident_bytes(void)
{
	char text[256];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
	struct str rest = { text, n > 0 ? (size_t)n : 0 };
	int64_t pages = 0;

	if (fd >= 0)
		(void)close(fd);
	(void)str_cut(&rest, ' ');
	if (!rest.p || !str_to_i64(str_cut(&rest, ' '), &pages))
		return 0;
	return pages * sysconf(_SC_PAGESIZE);
}

static int64_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int64_t count = -3; /* ".", "..", and the folder itself */

	if (!dir)
		return 0;
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

static void put_process(struct buf *o, const struct router *r)
{
	struct rlimit files = { 0, 0 };
	struct rusage used = { .ru_maxrss = 0 };

	(void)getrlimit(RLIMIT_NOFILE, &files);
	(void)getrusage(RUSAGE_SELF, &used);
	METRIC(o, "process_resident_memory_bytes", "gauge", "Resident memory.");
	put_value(o, "process_resident_memory_bytes", resident_bytes());
	METRIC(o, "process_open_fds", "gauge", "Open descriptors.");
	put_value(o, "process_open_fds", open_files());
	METRIC(o, "process_max_fds", "gauge", "Descriptors that may be open.");
	put_value(o, "process_max_fds", (int64_t)files.rlim_cur);
	METRIC(o, "process_cpu_seconds_total", "counter", "Processor time, user and system.");
	buf_add_z(o, "process_cpu_seconds_total ");
	put_seconds(o, (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * INT64_C(1000000) +
	                       used.ru_utime.tv_usec + used.ru_stime.tv_usec);
	buf_add_char(o, '\n');
	METRIC(o, "process_start_time_seconds", "gauge", "When it began to serve, Unix time.");
	buf_add_z(o, "process_start_time_seconds ");
	put_seconds(o, r->started_ms * 1000);
	buf_add_char(o, '\n');
	METRIC(o, "agent_store_build_info", "gauge", "Its version.");
	buf_add_z(o, "agent_store_build_info{version=\"" AGENT_STORE_VERSION "\"} 1\n");
}

void api_metrics(struct api_call *c)
{
	struct buf *o = &c->out.text;

	c->content_type = "text/plain; version=0.0.4; charset=utf-8";
	put_requests(o, &c->r->stats);
	put_times(o, &c->r->stats);
	put_money(o, c->r);
	put_store(o, c->r);
	METRIC(o, "agent_store_upstream_state", "gauge",
	       "1 for the state in which the breaker of an upstream and model is.");
	breakers_each(c->r->terms->breakers, put_breaker, o);
	METRIC(o, "agent_store_config_reloads_total", "counter", "Reloads that took effect.");
	put_value(o, "agent_store_config_reloads_total", c->r->reloads);
	METRIC(o, "agent_store_config_problem", "gauge", "1 if the last reload was refused.");
	put_value(o, "agent_store_config_problem", c->r->reload_problem != NULL);
	put_process(o, c->r);
	api_answer(c);
}
