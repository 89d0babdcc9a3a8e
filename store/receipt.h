/* SPDX-License-Identifier: Apache-2.0 */
/* A receipt as a value: what hold.c writes, what verify and the JSON read back. */
#ifndef STORE_RECEIPT_H
#define STORE_RECEIPT_H

#include "store/internal.h"

struct receipt {
	int64_t seq;
	struct str request_id;
	int64_t key, service, txn; /* rows */
	struct str status, evidence;
	bool recovered;
	struct str model, upstream_model, reported_model, provider, route;
	bool stream;
	struct token_counts counts;
	struct str price_version;
	struct token_prices prices;
	struct money held, charge, overrun;
	struct str attempts;
	int64_t http_status, created_ms, first_byte_ms, settled_ms;
	struct hash hash;
	struct str served_by, upstream; /* absent on rows of the first schema */
};

/* Columns of a query that store__receipt_read understands; more may follow from RECEIPT_WIDTH. */
#define RECEIPT_COLUMNS                                                                       \
	"r.seq, r.request_id, r.key, r.service, r.txn, r.status, r.evidence, r.recovered,"    \
	" r.model, r.upstream_model, r.reported_model, r.provider, r.route, r.stream,"        \
	" r.uncached_input, r.cache_write_5m, r.cache_write_1h, r.cache_read, r.output,"      \
	" r.price_version, r.price_uncached_input, r.price_cache_write_5m,"                   \
	" r.price_cache_write_1h, r.price_cache_read, r.price_output, r.held, r.charge,"      \
	" r.overrun, r.attempts, r.http_status, r.created_ms, r.first_byte_ms, r.settled_ms," \
	" r.hash, r.served_by, r.upstream"
#define RECEIPT_WIDTH 36
#define RECEIPT_BLOCK 1024 /* as in the schema's index of request ids */

/* Numbers it, chains it and writes it; `seq` and `hash` of `r` are not read. */
MUST_CHECK bool store__receipt_write(struct store *st, const struct receipt *r, struct err *err);
/* Texts are borrowed from the row. */
struct receipt store__receipt_read(const struct store_query *q);
/* The link of this receipt after `previous`. */
MUST_CHECK bool store__receipt_hash(const struct receipt *r, const struct hash *previous,
                                    struct hash *out, struct err *err);
/* Finds the end of the chain; at open. */
MUST_CHECK bool store__receipt_load_head(struct store *st, struct err *err);

#endif
