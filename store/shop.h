/* SPDX-License-Identifier: Apache-2.0 */
/* What the shop's files share with each other and nobody else needs: rows behind ids, making keys,
 * pricing, policy. All of it runs inside the caller's transaction. */
#ifndef STORE_SHOP_H
#define STORE_SHOP_H

#include "store/internal.h"

/* ---- Accounts ---- */

struct store__account_row {
	int64_t row;
	int64_t wallet; /* ledger row */
	struct store_policy policy;
	bool frozen;
};

/* ERR_NOT_FOUND. */
MUST_CHECK bool store__account_load(struct store *st, const struct id *account,
                                    struct store__account_row *out, struct err *err);

/* A name that people see: 1 to `max` bytes of UTF-8 without control characters. `what` names it in
 * the refusal. */
MUST_CHECK bool store__check_name(const char *what, struct str text, size_t max, struct err *err);

/* ---- Audit ---- */

/* Of a change that this transaction makes. */
struct store__change {
	const char *what;
	const struct id *buyer; /* who makes it; NULL: whoever acts for the operator */
	struct str subject;
	const struct json_out *before, *after; /* finished objects or NULL */
};
MUST_CHECK bool store__audit(struct store *st, const struct store__change *change, struct err *err);
/* Of a key; `old` or `now` may be NULL, the subject is `old` if there is one. */
MUST_CHECK bool store__audit_key(struct store *st, const char *what, const struct id *buyer,
                                 const struct store_key_info *old, const struct store_key_info *now,
                                 struct err *err);

/* ---- Services ---- */

struct store__service_row {
	int64_t row;
	int64_t credit; /* ledger row */
	struct id id;
};

/* A service of this account by its public id. ERR_NOT_FOUND, also for another's. */
MUST_CHECK bool store__service_load(struct store *st, int64_t account, struct str id,
                                    struct store__service_row *out, struct err *err);
/* The account's pool for this item, made on first use. */
MUST_CHECK bool store__service_pool(struct store *st, int64_t account,
                                    const struct store_item *item, struct store__service_row *out,
                                    struct err *err);

/* ---- Keys ---- */

MUST_CHECK bool store__key_kind_parse(struct str name, enum key_kind *out);

struct store__key_spec {
	int64_t account;
	int64_t service; /* 0: none */
	enum key_kind kind;
	struct str label;
	struct store_key_limits limits; /* allowed_models is not read, but the text below */
	struct str allowed_models;      /* JSON array text or absent */
	struct money carried;           /* what the keys that it replaces have spent */
};

/* Makes the key, its row and its live entry. The secret is in `*secret` and nowhere else. `*row` is
 * its row. */
MUST_CHECK bool store__key_create(struct store *st, const struct store__key_spec *spec,
                                  struct secret *secret, int64_t *row, struct err *err);
/* The key of that row. */
MUST_CHECK bool store__key_load(struct store *st, int64_t key, struct store_key_info *out,
                                struct err *err);
/* Marks a live key dead, in the database and in memory. */
MUST_CHECK bool store__key_kill(struct store *st, int64_t row, struct err *err);

/* The key that this text is. ERR_UNAUTHORIZED, in one text, for malformed, unknown, revoked and
 * expired ones. */
struct store__key_owner {
	int64_t row;
	int64_t account;
	struct id account_id;
	enum key_kind kind;
	int64_t expires_ms; /* 0: never */
	bool frozen;        /* the account; such a key is not identified */
};
MUST_CHECK bool store__key_identify(struct store *st, struct str text, struct store__key_owner *out,
                                    struct err *err);

/* Refuses limits that make no sense, and writes the list of models as it is stored: a JSON array
 * text, or nothing if every model is allowed. */
MUST_CHECK bool store__key_limits_check(const struct store *st,
                                        const struct store_key_limits *limits,
                                        struct buf *allowed_models, struct err *err);

/* ---- Pricing ---- */

/* A checkout configuration as the item's field table reads it. */
struct store__configuration {
	struct money credit_amount;
	struct str service_id; /* absent: the account's pool */
};

struct store__offer {
	const struct store_item *item;
	int64_t quantity;
	int64_t total_cents;
	struct money credit;               /* for all of the quantity */
	struct store__service_row service; /* where it goes; row 0: the account's pool */
	char display_name[96];
};

/* ERR_INVALID_ARGUMENT names the field; ERR_NOT_FOUND for the item or configuration.serviceId. */
MUST_CHECK bool store__price(struct store *st, int64_t account,
                             const struct store_purchase_request *what, struct store__offer *out,
                             struct err *err);

/* What a quote of this account promised. ERR_NOT_FOUND, ERR_QUOTE_EXPIRED. */
MUST_CHECK bool store__quote_load(struct store *st, int64_t account, struct str id, int64_t *row,
                                  struct store__offer *out, struct err *err);

/* What a request asks to buy, priced now. `*quote` is the quote's row, 0 without one. */
MUST_CHECK bool store__request_price(struct store *st, int64_t account,
                                     const struct store_purchase_request *request, int64_t *quote,
                                     struct store__offer *out, struct err *err);
/* Of what is asked for, without the idempotency key: equal requests give equal hashes. */
MUST_CHECK bool store__request_hash(const struct store_purchase_request *request, struct hash *out,
                                    struct err *err);

/* ---- Policy ---- */

MUST_CHECK bool store__policy_weigh(struct store *st, const struct store__account_row *account,
                                    struct money amount, struct store_policy_verdict *out,
                                    struct err *err);
/* Refuses by the first rule that does not pass. ERR_POLICY_REFUSED, ERR_INSUFFICIENT_FUNDS, and
 * last, so that nobody is asked in vain, ERR_APPROVAL_REQUIRED, unless it is `approved`. */
MUST_CHECK bool store__policy_check(const struct store_policy_verdict *verdict, bool approved,
                                    struct err *err);

/* ---- Consent ---- */

/* What a person is, or was, asked about. */
struct store__question {
	int64_t account;
	struct str key;        /* idempotency key */
	struct hash arguments; /* store__request_hash */
	int64_t total_cents;
};

/* Uses up a person's consent. ERR_CONFLICT unless it was given for this very purchase, at this
 * price or a higher one, and not used yet. */
MUST_CHECK bool store__approval_use(struct store *st, struct str approval,
                                    const struct store__question *about, int64_t *row,
                                    struct err *err);
/* The purchase that came of it. */
MUST_CHECK bool store__approval_bought(struct store *st, int64_t row, int64_t purchase,
                                       struct err *err);
/* ERR_POLICY_REFUSED if a person has said no to this a short while ago. */
MUST_CHECK bool store__approval_check(struct store *st, const struct store__question *about,
                                      struct err *err);

#endif
