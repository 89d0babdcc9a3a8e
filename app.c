/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and closes the shop when the link says that this process owns it, and runs the modes. What
 * a mode needs of the shop differs: an operator's command opens the store without the router, a
 * transcript opens a store in memory with a listener on any free port. */
#include "app.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "mcp/mcp.h"
#include "net/net.h"
#include "reload.h"
#include "router/router.h"
#include "store/store.h"

#define ATTACH_MS 200 /* a host that only probes has killed us by then */
#define STANDBY_RETRY_MS 1000
#define HEALTH_MS 1000
#define URL_MAX 2048
#define QUOTED_MAX 1024

enum app_mode {
	APP_MCP,
	APP_SERVE,
	APP_COMMAND,
	APP_TOP, /* like a command, again and again */
	APP_TRANSCRIPT
};

struct app {
	enum app_mode mode;
	const struct config *cfg;
	struct env env;
	struct net_loop *loop;
	struct reload *reload;
	struct mcp_link *link;
	struct mcp_stdio *stdio;
	struct net_notify *notify; /* of a service; NULL: nobody wants to know */
	int exit_code;
	bool ending;    /* the link is closing */
	bool signalled; /* the next signal ends at once */

	/* While this process owns the store: */
	struct store_lock *lock; /* of a transcript's --db; else the link has it */
	struct store *store;
	struct store_worker *worker;
	struct router *router;
	struct mcp_shop *shop; /* the link's */
	struct buf base_url, anthropic_base_url;
	struct err listen_problem;
	struct net_timer health;
};

static int complain(const struct err *why)
{
	(void)fprintf(stderr, "agent-store: %s\n", why->text); /* nowhere else to complain */
	return 1;
}

/* Owns the store only while it does its own work, and serves nobody. */
static bool is_passing(const struct app *app)
{
	return app->mode == APP_COMMAND || app->mode == APP_TOP;
}

/* ---- The shop ---- */

static const char *db_path(const struct app *app)
{
	if (app->mode == APP_TRANSCRIPT && config_source(app->cfg, CONFIG_DB) != CONFIG_FROM_FLAG)
		return ":memory:";
	return config_get(app->cfg, CONFIG_DB);
}

static bool open_store(struct app *app, struct err *err)
{
	const struct store_options options = {
		.path = db_path(app),
		.durability = strcmp(config_get(app->cfg, CONFIG_DURABILITY), "process") == 0
		                      ? STORE_PROCESS
		                      : STORE_POWER,
		.env = &app->env,
	};

	if (app->mode == APP_TRANSCRIPT) {
		app->lock = store_lock_take(options.path, err);
		if (app->lock == NULL)
			return false;
	}
	app->store = store_open(&options, err);
	if (app->store == NULL)
		return false;
	app->worker = store_worker_start(app->store, err);
	return app->worker != NULL;
}

static bool make_router(struct app *app, const char *listen, struct err *err)
{
	bool given = app->mode != APP_TRANSCRIPT && config_has(app->cfg, CONFIG_PUBLIC_URL);
	struct router_terms terms;
	struct router_options options = {
		.loop = app->loop,
		.env = &app->env,
		.worker = app->worker,
		.live = store_live(app->store),
		.admin_token = config_get(app->cfg, CONFIG_ADMIN_TOKEN),
		.listen = listen,
		.public_url = given ? config_get(app->cfg, CONFIG_PUBLIC_URL) : NULL,
	};

	if (!reload_terms(app->reload, &terms, err))
		return false;
	memcpy(options.upstreams, terms.upstreams, sizeof options.upstreams);
	options.models = terms.models;
	options.limits = terms.limits;
	app->router = router_new(&options, err);
	if (app->router == NULL)
		return false;
	buf_addf(&app->base_url, "%s/openai/v1", router_public_url(app->router));
	buf_addf(&app->anthropic_base_url, "%s/claude", router_public_url(app->router));
	log_event(LOG_INFO, "listening", "addr=%s", router_address(app->router));
	return buf_ok(&app->base_url, "the public URL", err) &&
	       buf_ok(&app->anthropic_base_url, "the public URL", err);
}

/* A port that somebody else holds is no reason for an agent to lose its tools; a server without a
 * listener would be none. */
static bool open_router(struct app *app, struct err *err)
{
	const char *listen =
		app->mode == APP_TRANSCRIPT ? "127.0.0.1:0" : config_get(app->cfg, CONFIG_LISTEN);
	OWN_BUF struct buf quoted = buf_make(QUOTED_MAX);

	app->listen_problem = (struct err){ 0 };
	if (is_passing(app) || strcmp(listen, "none") == 0)
		return true;
	if (make_router(app, listen, &app->listen_problem))
		return true;
	if (app->mode != APP_MCP) {
		*err = app->listen_problem;
		return false;
	}
	log_event(LOG_ERROR, "listen_failed", "error=%s",
	          log_quote(&quoted, str_of(app->listen_problem.text)));
	return true;
}

static void close_shop(void *data)
{
	struct app *app = data;

	net_timer_stop(&app->health);
	router_free(app->router);
	app->router = NULL;
	if (app->worker != NULL)
		store_worker_stop(app->worker);
	app->worker = NULL;
	store_close(app->store);
	app->store = NULL;
	store_lock_free(app->lock);
	app->lock = NULL;
	buf_done(&app->base_url);
	buf_done(&app->anthropic_base_url);
}

static void put_status(void *data, struct json_out *out)
{
	const struct app *app = data;

	if (app->router != NULL)
		router_put_status(app->router, out);
}

static void tell_ready(struct app *app)
{
	OWN_BUF struct buf message = buf_make(URL_MAX);

	buf_add_z(&message, "READY=1\nSTATUS=");
	if (app->router != NULL)
		buf_addf(&message, "listening on %s", router_address(app->router));
	else
		buf_add_z(&message, "without a listener");
	net_notify_send(app->notify, buf_str(&message));
}

/* Ready, too: to take over. A manager that waited for more would end us in time. */
static void stand_by(void *data)
{
	const struct app *app = data;

	net_notify_send(app->notify,
	                STR("READY=1\nSTATUS=standby: another process owns the store"));
}

static bool open_shop(void *data, struct mcp_shop *shop, struct err *err)
{
	struct app *app = data;

	app->base_url = buf_make(URL_MAX);
	app->anthropic_base_url = buf_make(URL_MAX);
	if (!open_store(app, err) || !open_router(app, err)) {
		close_shop(app);
		return false;
	}
	net_timer_start(&app->health, HEALTH_MS);
	*shop = (struct mcp_shop){
		.worker = app->worker,
		.models = reload_models(app->reload),
		.env = &app->env,
		.base_url = app->router != NULL ? app->base_url.p : NULL,
		.anthropic_base_url = app->router != NULL ? app->anthropic_base_url.p : NULL,
		.listen_problem =
			app->listen_problem.code != ERR_NONE ? app->listen_problem.text : NULL,
		.put_status = is_passing(app) ? NULL : put_status,
		.status_data = app,
	};
	app->shop = shop;
	tell_ready(app);
	return true;
}

static void drain_shop(void *data)
{
	struct app *app = data;

	if (app->router != NULL)
		router_drain(app->router);
}

static bool shop_is_idle(void *data)
{
	const struct app *app = data;

	return app->router == NULL || router_idle(app->router);
}

/* An agent's call was answered with the reason, and the next one tries again; a command prints it
 * itself. A server waits for an owner that is only slow, and gives up on everything else. */
static void attach_failed(void *data, const struct err *why)
{
	struct app *app = data;
	OWN_BUF struct buf quoted = buf_make(QUOTED_MAX);
	bool slow = why->code == ERR_UNAVAILABLE && app->listen_problem.code == ERR_NONE;

	if (is_passing(app))
		return;
	log_event(LOG_ERROR, "attach_failed", "error=%s", log_quote(&quoted, str_of(why->text)));
	if (app->mode != APP_SERVE || app->ending)
		return;
	if (slow) {
		mcp_link_attach(app->link, STANDBY_RETRY_MS);
		return;
	}
	app->exit_code = 1;
	net_loop_stop(app->loop);
}

static struct mcp_owner owner_of(struct app *app)
{
	return (struct mcp_owner){
		.open = open_shop,
		.drain = drain_shop,
		.idle = shop_is_idle,
		.close = close_shop,
		.failed = attach_failed,
		.standby = stand_by,
		.data = app,
		.passing = is_passing(app),
	};
}

/* A disk that has refused a commit leaves memory and books apart: only a new start, which reads the
 * books again, can mend that. */
static void check_health(void *data)
{
	struct app *app = data;

	if (app->worker == NULL || store_worker_healthy(app->worker)) {
		net_timer_start(&app->health, HEALTH_MS);
		return;
	}
	log_event(LOG_ERROR, "store_failed", "db=%s", db_path(app));
	app->exit_code = 1;
	net_loop_stop(app->loop);
}

/* ---- Life ---- */

/* A standard descriptor that the parent closed must not become the number of a database. */
static void fill_standard_fds(void)
{
	int fd = -1;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd); /* one too many */
}

/* Keys are in this memory: no core dumps, no debugger of the same user, no files for others. Each
 * limit may be forbidden where we run; nothing depends on them. */
void app_harden(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;

	fill_standard_fds();
	(void)umask(S_IRWXG | S_IRWXO);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	(void)signal(SIGPIPE, SIG_IGN);
}

static void closed(void *data)
{
	const struct app *app = data;

	net_loop_stop(app->loop);
}

static void end(void *data)
{
	struct app *app = data;

	if (app->ending)
		return;
	app->ending = true;
	net_notify_send(app->notify, STR("STOPPING=1"));
	mcp_link_close(app->link, closed, app);
}

static void on_end_signal(void *data)
{
	struct app *app = data;

	if (app->signalled)
		_exit(1);
	app->signalled = true;
	log_event(LOG_INFO, "ending", "reason=signal");
	end(app);
}

static void on_interrupt(void *data)
{
	const struct app *app = data;

	net_loop_stop(app->loop);
}

static void on_hangup(void *data)
{
	struct app *app = data;
	const struct reload_users users = {
		.router = app->router,
		.worker = app->worker,
		.shop = app->shop,
		.reply = net_loop_inbox(app->loop),
	};

	if (!app->ending)
		reload_run(app->reload, &users);
}

static bool watch_signals(struct app *app, struct err *err)
{
	if (app->mode == APP_TRANSCRIPT || app->mode == APP_TOP)
		return true; /* nothing is at stake, or it has signals of its own */
	void (*on_end)(void *) = app->mode == APP_COMMAND ? on_interrupt : on_end_signal;
	return net_loop_on_signal(app->loop, SIGTERM, on_end, app, err) &&
	       net_loop_on_signal(app->loop, SIGINT, on_end, app, err) &&
	       (app->mode == APP_COMMAND ||
	        net_loop_on_signal(app->loop, SIGHUP, on_hangup, app, err));
}

static bool app_init(struct app *app, enum app_mode mode, const struct config *cfg, struct err *err)
{
	*app = (struct app){ .mode = mode, .cfg = cfg, .env = env_real() };
	app->loop = net_loop_new(err);
	if (app->loop == NULL || !watch_signals(app, err))
		return false;
	app->reload = reload_new(cfg, &app->env, err);
	if (app->reload == NULL)
		return false;
	net_timer_init(&app->health, app->loop, check_health, app);
	if (mode == APP_TRANSCRIPT || mode == APP_TOP)
		return true; /* they make links of their own */
	const struct mcp_owner owner = owner_of(app);
	app->link = mcp_link_new(app->loop, db_path(app), &owner, err);
	return app->link != NULL;
}

static void app_done(struct app *app)
{
	mcp_stdio_free(app->stdio);
	mcp_link_free(app->link);
	net_notify_free(app->notify);
	reload_free(app->reload);
	net_loop_free(app->loop);
}

static int run_loop(struct app *app)
{
	struct err err = { 0 };

	return net_loop_run(app->loop, &err) ? app->exit_code : complain(&err);
}

/* ---- Modes ---- */

/* The protocol's output becomes a descriptor that nobody else knows, and fd 1 becomes stderr: a
 * library that prints can then do no harm. */
static bool take_stdout(int *out_fd, struct err *err)
{
	*out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (*out_fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return err_set_errno(err, ERR_INTERNAL, "stdout");
	return true;
}

static bool start_mcp(struct app *app, struct err *err)
{
	const struct mcp_allowance allowance = {
		.purchase_key = config_get(app->cfg, CONFIG_AGENT_API_KEY),
		.key_folder = config_get(app->cfg, CONFIG_KEY_DIR),
	};
	int out_fd = -1;

	if (!app_init(app, APP_MCP, app->cfg, err) || !take_stdout(&out_fd, err))
		return false;
	mcp_link_attach(app->link, ATTACH_MS);
	app->stdio = mcp_stdio_new(app->loop, app->link, STDIN_FILENO, out_fd, &allowance, end, app,
	                           err);
	return app->stdio != NULL;
}

int app_run_mcp(const struct config *cfg, int argc, char **argv)
{
	struct app app = { .cfg = cfg };
	struct err err = { 0 };

	(void)argc;
	(void)argv;
	int code = start_mcp(&app, &err) ? run_loop(&app) : complain(&err);
	app_done(&app);
	return code;
}

/* Only `serve` is a service: what an agent host starts may have its variables by inheritance. */
static void find_manager(struct app *app)
{
	const struct net_notify_options options = {
		.socket = getenv("NOTIFY_SOCKET"),
		.watchdog_usec = getenv("WATCHDOG_USEC"),
		.watchdog_pid = getenv("WATCHDOG_PID"),
	};
	OWN_BUF struct buf quoted = buf_make(QUOTED_MAX);
	struct err err = { 0 };

	if (!net_notify_new(app->loop, &options, &app->notify, &err))
		log_event(LOG_ERROR, "notify_failed", "error=%s",
		          log_quote(&quoted, str_of(err.text)));
}

int app_run_serve(const struct config *cfg, int argc, char **argv)
{
	struct app app;
	struct err err = { 0 };
	int code = 1;

	(void)argc;
	(void)argv;
	if (app_init(&app, APP_SERVE, cfg, &err)) {
		find_manager(&app);
		mcp_link_attach(app.link, 0);
		code = run_loop(&app);
	} else {
		(void)complain(&err);
	}
	app_done(&app);
	return code;
}

int app_run_command(const struct config *cfg, int argc, char **argv)
{
	struct app app;
	struct err err = { 0 };
	int code = 1;

	if (app_init(&app, APP_COMMAND, cfg, &err)) {
		code = mcp_command_main(app.loop, app.link, argc, argv);
		end(&app);
		if (run_loop(&app) != 0)
			code = 1;
	} else {
		(void)complain(&err);
	}
	app_done(&app);
	return code;
}

int app_run_top(const struct config *cfg, int argc, char **argv)
{
	struct app app;
	struct err err = { 0 };
	int code = 1;

	if (app_init(&app, APP_TOP, cfg, &err)) {
		const struct mcp_owner owner = owner_of(&app);
		code = mcp_top_main(app.loop, db_path(&app), &owner, argc, argv);
	} else {
		(void)complain(&err);
	}
	app_done(&app);
	return code;
}

int app_run_transcript(const struct config *cfg, int argc, char **argv)
{
	struct app app;
	struct err err = { 0 };
	int code = 1;

	if (app_init(&app, APP_TRANSCRIPT, cfg, &err)) {
		const struct mcp_owner owner = owner_of(&app);
		code = mcp_transcript_main(app.loop, &owner, argc, argv);
	} else {
		(void)complain(&err);
	}
	app_done(&app);
	return code;
}
