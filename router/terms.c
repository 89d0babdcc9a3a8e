/* SPDX-License-Identifier: Apache-2.0 */
/* The terms of calls: models, prices, routes, and the providers' addresses and credentials. A
 * reload makes new ones for new requests; running calls keep what they began with, breakers
 * included, so nothing that a call points to moves under it. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "router/internal.h"

static bool copy_upstreams(struct terms *t, const struct router_upstream *from)
{
	for (size_t p = 0; p < PROVIDER_COUNT; p++) {
		t->urls[p] = str_dup(str_of(from[p].base_url ? from[p].base_url : ""));
		t->keys[p] = str_dup(str_of(from[p].key ? from[p].key : ""));
		if (!t->urls[p] || !t->keys[p])
			return false;
		t->upstreams[p] = (struct router_upstream){ t->urls[p], t->keys[p] };
	}
	return true;
}

struct terms *terms_new(const struct router_terms *from, struct err *err)
{
	struct terms *t = calloc(1, sizeof *t);

	if (!t) {
		(void)err_no_memory(err);
		return NULL;
	}
	t->holders = 1;
	t->models = store_models_share(from->models);
	t->breakers = breakers_new(err);
	if (!t->breakers || !copy_upstreams(t, from->upstreams)) {
		(void)err_no_memory(err);
		terms_drop(t);
		return NULL;
	}
	return t;
}

struct terms *terms_hold(struct terms *t)
{
	t->holders++;
	return t;
}

void terms_drop(struct terms *t)
{
	if (!t || --t->holders > 0)
		return;
	for (size_t p = 0; p < PROVIDER_COUNT; p++) {
		if (t->keys[p])
			bytes_wipe(t->keys[p], strlen(t->keys[p]));
		free(t->keys[p]);
		free(t->urls[p]);
	}
	breakers_free(t->breakers);
	store_models_free(t->models);
	free(t);
}

bool router_reload(struct router *r, const struct router_terms *terms, struct err *err)
{
	struct terms *fresh = terms_new(terms, err);
	const struct net_server_options listener = router_limits_listener(&terms->limits);

	if (!fresh)
		return false;
	r->options.limits = terms->limits;
	net_server_limit(r->server, &listener);
	terms_drop(r->terms);
	r->terms = fresh;
	r->sticky = (struct sticky){ 0 }; /* it knows upstreams by their place in memory */
	r->reloaded_ms = env_now_ms(r->options.env);
	r->reloads++;
	router_note_reload(r, NULL);
	return true;
}

void router_note_reload(struct router *r, const char *problem)
{
	free(r->reload_problem);
	r->reload_problem = problem ? str_dup(str_of(problem)) : NULL;
}
