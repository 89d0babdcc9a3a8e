/* SPDX-License-Identifier: Apache-2.0 */
/* SIGHUP. Two threads read the models: the loop for calls, the store's for tools. The loop's are
 * exchanged at once; the store's by a job, as it reads them only inside jobs, and only when that
 * has run do the old ones go, unless calls still hold them. */
#include "reload.h"

#include <assert.h>
#include <stdlib.h>

#include "app.h"
#include "base/log.h"
#include "store/office.h"

#define QUOTED_MAX 1024
#define NOTE_MAX 256

struct reload {
	const struct config *first; /* the caller's */
	struct config *latest;      /* ours; NULL: `first` is in force */
	const struct env *env;
	struct store_models *models;
	/* While a job brings them to the store's thread: */
	struct store_models *old;
	struct store_job job;
	struct mcp_shop *shop;
};

static const enum config_key UPSTREAM_KEYS[][2] = {
	[PROVIDER_OPENAI] = { CONFIG_OPENAI_BASE_URL, CONFIG_OPENAI_API_KEY },
	[PROVIDER_ANTHROPIC] = { CONFIG_ANTHROPIC_BASE_URL, CONFIG_ANTHROPIC_API_KEY },
	[PROVIDER_GOOGLE] = { CONFIG_GOOGLE_BASE_URL, CONFIG_GOOGLE_API_KEY },
	[PROVIDER_KIMI] = { CONFIG_KIMI_BASE_URL, CONFIG_KIMI_API_KEY },
};
static_assert(ARRAY_LEN(UPSTREAM_KEYS) == PROVIDER_COUNT, "every provider has its settings");

struct store_models *app_models_new(const struct config *cfg, const struct env *env,
                                    struct err *err)
{
	struct store_models_options options = {
		.models = config_section(cfg, "models"),
		.routes = config_section(cfg, "routes"),
		.refuse_retired =
			str_eq(str_of(config_get(cfg, CONFIG_RETIRED_MODELS)), STR("refuse")),
		.env = env,
	};

	/* Read where the router opens; a fault in them stops the start all the same. */
	struct router_limits limits;

	for (size_t p = 0; p < PROVIDER_COUNT; p++)
		options.has_key[p] = config_has(cfg, UPSTREAM_KEYS[p][1]);
	struct store_models *models =
		router_limits_read(config_section(cfg, "limits"), &limits, err)
			? store_models_new(&options, err)
			: NULL;
	if (models == NULL && config_file(cfg) != NULL)
		(void)err_prefix(err, "%s", config_file(cfg));
	return models;
}

struct reload *reload_new(const struct config *cfg, const struct env *env, struct err *err)
{
	struct reload *r = calloc(1, sizeof *r);

	if (r == NULL) {
		(void)err_no_memory(err);
		return NULL;
	}
	*r = (struct reload){ .first = cfg, .env = env };
	r->models = app_models_new(cfg, env, err);
	if (r->models != NULL)
		return r;
	reload_free(r);
	return NULL;
}

void reload_free(struct reload *r)
{
	if (r == NULL)
		return;
	store_models_free(r->models);
	store_models_free(r->old);
	config_free(r->latest);
	free(r);
}

struct store_models *reload_models(const struct reload *r)
{
	return r->models;
}

static bool terms_of(const struct config *cfg, struct store_models *models,
                     struct router_terms *out, struct err *err)
{
	struct router_terms terms = { .models = models };

	for (size_t p = 0; p < PROVIDER_COUNT; p++) {
		terms.upstreams[p].base_url = config_get(cfg, UPSTREAM_KEYS[p][0]);
		terms.upstreams[p].key = config_get(cfg, UPSTREAM_KEYS[p][1]);
	}
	if (!router_limits_read(config_section(cfg, "limits"), &terms.limits, err))
		return config_file(cfg) != NULL ? err_prefix(err, "%s", config_file(cfg)) : false;
	*out = terms;
	return true;
}

bool reload_terms(const struct reload *r, struct router_terms *out, struct err *err)
{
	return terms_of(r->latest != NULL ? r->latest : r->first, r->models, out, err);
}

/* ---- To the store's thread ---- */

static void put_side(const struct store_models *m, struct json_out *out)
{
	json_put_object(out, NULL);
	json_put_i64(out, "models", (int64_t)store_models_count(m));
	json_put_i64(out, "routes", (int64_t)store_routes_count(m));
	json_put_end(out, '}');
}

static bool run_exchange(struct store_job *job, struct store *st, struct err *err)
{
	struct reload *r = CONTAINER_OF(job, struct reload, job);
	OWN_JSON_OUT struct json_out before = json_out_make(NOTE_MAX);
	OWN_JSON_OUT struct json_out after = json_out_make(NOTE_MAX);

	r->shop->models = r->models;
	put_side(r->old, &before);
	put_side(r->models, &after);
	const struct store_audit note = {
		.what = STR("config.reload"),
		.subject = STR("config"),
		.before = buf_str(&before.text),
		.after = buf_str(&after.text),
	};
	return store_audit_note(st, &note, err);
}

/* Said when all of it is over: the next reload is taken from then on. */
static void log_reloaded(const struct reload *r)
{
	log_event(LOG_INFO, "config_reloaded", "models=%zu routes=%zu",
	          store_models_count(r->models), store_routes_count(r->models));
}

static void exchange_done(struct store_job *job)
{
	struct reload *r = CONTAINER_OF(job, struct reload, job);

	if (!job->ok)
		log_event(LOG_ERROR, "audit_failed", "what=config.reload code=%s",
		          err_code_name(job->err.code));
	store_models_free(r->old);
	r->old = NULL;
	log_reloaded(r);
}

static void exchange(struct reload *r, const struct reload_users *users,
                     struct store_models *models)
{
	r->old = r->models;
	r->models = models;
	if (users->worker == NULL) {
		store_models_free(r->old);
		r->old = NULL;
		log_reloaded(r);
		return;
	}
	r->shop = users->shop;
	r->job = (struct store_job){
		.run = run_exchange,
		.done = exchange_done,
		.reply = users->reply,
	};
	store_worker_submit(users->worker, &r->job);
}

/* ---- A reload ---- */

static bool try_reload(struct reload *r, const struct reload_users *users, struct err *err)
{
	if (r->old != NULL)
		return err_set(err, ERR_CONFLICT, "the last reload is not over yet");
	struct config *fresh = config_reload(r->first, err);
	struct store_models *models = fresh != NULL ? app_models_new(fresh, r->env, err) : NULL;
	struct router_terms terms;
	if (models == NULL || !terms_of(fresh, models, &terms, err))
		goto failed;
	if (users->router != NULL && !router_reload(users->router, &terms, err))
		goto failed;
	config_free(r->latest);
	r->latest = fresh;
	exchange(r, users, models);
	return true;
failed:
	store_models_free(models);
	config_free(fresh);
	return false;
}

void reload_run(struct reload *r, const struct reload_users *users)
{
	OWN_BUF struct buf quoted = buf_make(QUOTED_MAX);
	struct err err = { 0 };

	if (try_reload(r, users, &err))
		return;
	if (users->router != NULL)
		router_note_reload(users->router, err.text);
	log_event(LOG_ERROR, "config_refused", "error=%s", log_quote(&quoted, str_of(err.text)));
}
