/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of the console and the admin panel: files of router/web/ that are part of the program.
 */
#ifndef ROUTER_WEB_H
#define ROUTER_WEB_H

#include "router/internal.h"

/* What base/embed.py makes: ends with an entry without a path. */
struct embedded {
	const char *path; /* "console/index.html" */
	struct str bytes;
};
extern const struct embedded web__files[];

/* Answers a request for a page or a part of one. False: the path is no page's, or one of the admin
 * panel's and there is no ADMIN_TOKEN. */
bool web_head(struct router *r, struct net_request *rq);

#endif
