/* SPDX-License-Identifier: Apache-2.0 */
/* The schema as an append-only list of migrations: a released entry never changes, a new version
 * adds one. Each ends by setting user_version. The tables on the request path (txn, entry, hold,
 * receipt) have no index but those that a query of a user needs: an index is paid for by every
 * call. The hold table has only what is open now; what has ended is a receipt. */
#include "store/internal.h"

/* Money columns are micro-USD, *_ms columns milliseconds since 1970 UTC, 0 there: never. */
static const char *const VERSION_1[] = {
	"PRAGMA application_id = 1095980114",

	"CREATE TABLE meta ("
	"  name TEXT PRIMARY KEY,"
	"  value BLOB NOT NULL"
	") STRICT, WITHOUT ROWID",

	/* The books. `micros` is the sum of the account's entries, kept for speed; verify re-adds.
	 */
	"CREATE TABLE ledger_account ("
	"  id INTEGER PRIMARY KEY,"
	"  name TEXT NOT NULL UNIQUE,"
	"  may_owe INTEGER NOT NULL CHECK (may_owe IN (0, 1)),"
	"  micros INTEGER NOT NULL DEFAULT 0 CHECK (micros >= 0 OR may_owe = 1)"
	") STRICT",
	"INSERT INTO ledger_account (id, name, may_owe) VALUES"
	"  (1, 'usage', 0), (2, 'overrun', 1), (3, 'rail:operator', 1)",

	"CREATE TABLE txn ("
	"  id INTEGER PRIMARY KEY,"
	"  kind TEXT NOT NULL,"
	"  ref TEXT NOT NULL,"
	"  created_ms INTEGER NOT NULL"
	") STRICT",

	/* Without REFERENCES: one function writes these rows right after it has made or read what
	 * they name (ledger.c), and verify looks. Five of them per call would pay for being
	 * checked. */
	"CREATE TABLE entry ("
	"  id INTEGER PRIMARY KEY,"
	"  txn INTEGER NOT NULL,"
	"  account INTEGER NOT NULL,"
	"  micros INTEGER NOT NULL CHECK (micros <> 0)"
	") STRICT",

	/* The shop. A policy limit below zero is none. */
	"CREATE TABLE account ("
	"  id INTEGER PRIMARY KEY,"
	"  public_id TEXT NOT NULL UNIQUE,"
	"  name TEXT NOT NULL UNIQUE,"
	"  wallet INTEGER NOT NULL REFERENCES ledger_account,"
	"  max_purchase INTEGER NOT NULL DEFAULT -1,"
	"  daily INTEGER NOT NULL DEFAULT -1,"
	"  approval_above INTEGER NOT NULL DEFAULT -1,"
	"  created_ms INTEGER NOT NULL"
	") STRICT",

	"CREATE TABLE funding ("
	"  account INTEGER NOT NULL REFERENCES account,"
	"  reference TEXT NOT NULL,"
	"  amount INTEGER NOT NULL CHECK (amount > 0),"
	"  txn INTEGER NOT NULL REFERENCES txn,"
	"  created_ms INTEGER NOT NULL,"
	"  PRIMARY KEY (account, reference)"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE service ("
	"  id INTEGER PRIMARY KEY,"
	"  public_id TEXT NOT NULL UNIQUE,"
	"  account INTEGER NOT NULL REFERENCES account,"
	"  item TEXT NOT NULL,"
	"  service_type TEXT NOT NULL,"
	"  display_name TEXT NOT NULL,"
	"  status TEXT NOT NULL CHECK (status IN ('active', 'closed')),"
	"  credit INTEGER NOT NULL REFERENCES ledger_account,"
	"  hold INTEGER NOT NULL REFERENCES ledger_account,"
	"  created_ms INTEGER NOT NULL"
	") STRICT",
	"CREATE INDEX service_account ON service (account)",

	/* `carried` is what the keys before a rotation had spent; it counts against the limit. */
	"CREATE TABLE api_key ("
	"  id INTEGER PRIMARY KEY,"
	"  public_id TEXT NOT NULL UNIQUE,"
	"  account INTEGER NOT NULL REFERENCES account,"
	"  service INTEGER REFERENCES service,"
	"  kind TEXT NOT NULL CHECK (kind IN ('purchase', 'router', 'route')),"
	"  label TEXT NOT NULL,"
	"  lookup TEXT NOT NULL UNIQUE,"
	"  hash BLOB NOT NULL CHECK (length(hash) = 32),"
	"  spend_limit INTEGER NOT NULL DEFAULT -1,"
	"  expires_ms INTEGER NOT NULL DEFAULT 0,"
	"  requests_per_minute INTEGER NOT NULL DEFAULT 0,"
	"  max_concurrent INTEGER NOT NULL DEFAULT 0,"
	"  allowed_models TEXT,"
	"  spent INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),"
	"  carried INTEGER NOT NULL DEFAULT 0 CHECK (carried >= 0),"
	"  created_ms INTEGER NOT NULL,"
	"  last_used_ms INTEGER NOT NULL DEFAULT 0,"
	"  revoked_ms INTEGER NOT NULL DEFAULT 0,"
	"  CHECK ((kind = 'router') = (service IS NOT NULL))"
	") STRICT",
	"CREATE INDEX api_key_account ON api_key (account)",

	"CREATE TABLE session ("
	"  hash BLOB PRIMARY KEY CHECK (length(hash) = 32),"
	"  account INTEGER NOT NULL REFERENCES account,"
	"  key INTEGER NOT NULL REFERENCES api_key,"
	"  created_ms INTEGER NOT NULL,"
	"  expires_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID",
	"CREATE INDEX session_expires ON session (expires_ms)",

	/* `configuration` is canonical JSON; `service` is NULL when the credit goes to the pool. */
	"CREATE TABLE quote ("
	"  id INTEGER PRIMARY KEY,"
	"  public_id TEXT NOT NULL UNIQUE,"
	"  account INTEGER NOT NULL REFERENCES account,"
	"  item TEXT NOT NULL,"
	"  quantity INTEGER NOT NULL CHECK (quantity > 0),"
	"  configuration TEXT NOT NULL,"
	"  display_name TEXT NOT NULL,"
	"  total_cents INTEGER NOT NULL CHECK (total_cents >= 0),"
	"  credit INTEGER NOT NULL CHECK (credit >= 0),"
	"  service INTEGER REFERENCES service,"
	"  created_ms INTEGER NOT NULL,"
	"  expires_ms INTEGER NOT NULL"
	") STRICT",

	/* A quote is used up when a purchase has it. */
	"CREATE TABLE purchase ("
	"  id INTEGER PRIMARY KEY,"
	"  public_id TEXT NOT NULL UNIQUE,"
	"  account INTEGER NOT NULL REFERENCES account,"
	"  quote INTEGER UNIQUE REFERENCES quote,"
	"  service INTEGER NOT NULL REFERENCES service,"
	"  status TEXT NOT NULL CHECK (status IN ('completed')),"
	"  total_cents INTEGER NOT NULL CHECK (total_cents >= 0),"
	"  txn INTEGER NOT NULL REFERENCES txn,"
	"  created_ms INTEGER NOT NULL"
	") STRICT",
	"CREATE INDEX purchase_account ON purchase (account, created_ms)",

	/* Kept for ever. `arguments` is hash_plain of the canonical JSON of what was asked. */
	"CREATE TABLE idempotency ("
	"  account INTEGER NOT NULL REFERENCES account,"
	"  key TEXT NOT NULL,"
	"  arguments BLOB NOT NULL CHECK (length(arguments) = 32),"
	"  purchase INTEGER NOT NULL REFERENCES purchase,"
	"  created_ms INTEGER NOT NULL,"
	"  PRIMARY KEY (account, key)"
	") STRICT, WITHOUT ROWID",

	/* The request path. (A CHECK with IN would build a table of its list for each row.) */
	"CREATE TABLE hold ("
	"  id INTEGER PRIMARY KEY,"
	"  request_id TEXT NOT NULL,"
	"  key INTEGER NOT NULL,"
	"  service INTEGER NOT NULL,"
	"  state TEXT NOT NULL CHECK (state = 'held' OR state = 'streaming'),"
	"  amount INTEGER NOT NULL CHECK (amount >= 0),"
	"  model TEXT NOT NULL,"
	"  upstream_model TEXT NOT NULL,"
	"  provider TEXT NOT NULL,"
	"  route TEXT NOT NULL,"
	"  stream INTEGER NOT NULL CHECK (stream IN (0, 1)),"
	"  price_version TEXT NOT NULL,"
	"  price_uncached_input INTEGER NOT NULL,"
	"  price_cache_write_5m INTEGER NOT NULL,"
	"  price_cache_write_1h INTEGER NOT NULL,"
	"  price_cache_read INTEGER NOT NULL,"
	"  price_output INTEGER NOT NULL,"
	"  long_above INTEGER NOT NULL,"
	"  long_uncached_input INTEGER NOT NULL,"
	"  long_cache_write_5m INTEGER NOT NULL,"
	"  long_cache_write_1h INTEGER NOT NULL,"
	"  long_cache_read INTEGER NOT NULL,"
	"  long_output INTEGER NOT NULL,"
	"  input_estimate INTEGER NOT NULL CHECK (input_estimate >= 0),"
	"  output_estimate INTEGER NOT NULL DEFAULT 0 CHECK (output_estimate >= 0),"
	"  created_ms INTEGER NOT NULL"
	") STRICT",

	/* `charge` is what the buyer paid, `overrun` what nobody covered: together the tokens by
	 * the prices. `recovered`: ended by the crash rule. `hash` chains the row to the one
	 * before. */
	"CREATE TABLE receipt ("
	"  seq INTEGER PRIMARY KEY,"
	"  request_id TEXT NOT NULL,"
	"  key INTEGER NOT NULL,"
	"  service INTEGER NOT NULL,"
	"  txn INTEGER NOT NULL,"
	"  status TEXT NOT NULL "
	"    CHECK (status = 'settled' OR status = 'released' OR status = 'failed'),"
	"  evidence TEXT NOT NULL "
	"    CHECK (evidence = 'provider' OR evidence = 'estimated' OR evidence = 'none'),"
	"  recovered INTEGER NOT NULL CHECK (recovered IN (0, 1)),"
	"  model TEXT NOT NULL,"
	"  upstream_model TEXT NOT NULL,"
	"  reported_model TEXT,"
	"  provider TEXT NOT NULL,"
	"  route TEXT NOT NULL,"
	"  stream INTEGER NOT NULL,"
	"  uncached_input INTEGER NOT NULL CHECK (uncached_input >= 0),"
	"  cache_write_5m INTEGER NOT NULL CHECK (cache_write_5m >= 0),"
	"  cache_write_1h INTEGER NOT NULL CHECK (cache_write_1h >= 0),"
	"  cache_read INTEGER NOT NULL CHECK (cache_read >= 0),"
	"  output INTEGER NOT NULL CHECK (output >= 0),"
	"  price_version TEXT NOT NULL,"
	"  price_uncached_input INTEGER NOT NULL,"
	"  price_cache_write_5m INTEGER NOT NULL,"
	"  price_cache_write_1h INTEGER NOT NULL,"
	"  price_cache_read INTEGER NOT NULL,"
	"  price_output INTEGER NOT NULL,"
	"  held INTEGER NOT NULL CHECK (held >= 0),"
	"  charge INTEGER NOT NULL CHECK (charge >= 0),"
	"  overrun INTEGER NOT NULL CHECK (overrun >= 0),"
	"  attempts TEXT NOT NULL,"
	"  http_status INTEGER NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  first_byte_ms INTEGER NOT NULL,"
	"  settled_ms INTEGER NOT NULL,"
	"  hash BLOB NOT NULL CHECK (length(hash) = 32)"
	") STRICT",
	"CREATE INDEX receipt_service ON receipt (service, settled_ms)",
	/* Request ids are random. Sorted as they are, every new receipt would change another page
	 * of the index, and read it first when the index has outgrown the cache. In blocks of
	 * receipts (RECEIPT_BLOCK) only the last block's few pages change; a look-up asks block by
	 * block. */
	"CREATE INDEX receipt_request ON receipt (seq / 1024, request_id)",

	/* Written once, whatever a later query tries. */
	"CREATE TRIGGER txn_no_update BEFORE UPDATE ON txn"
	"  BEGIN SELECT RAISE(ABORT, 'transactions never change'); END",
	"CREATE TRIGGER txn_no_delete BEFORE DELETE ON txn"
	"  BEGIN SELECT RAISE(ABORT, 'transactions never go'); END",
	"CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry"
	"  BEGIN SELECT RAISE(ABORT, 'entries never change'); END",
	"CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry"
	"  BEGIN SELECT RAISE(ABORT, 'entries never go'); END",
	"CREATE TRIGGER receipt_no_update BEFORE UPDATE ON receipt"
	"  BEGIN SELECT RAISE(ABORT, 'receipts never change'); END",
	"CREATE TRIGGER receipt_no_delete BEFORE DELETE ON receipt"
	"  BEGIN SELECT RAISE(ABORT, 'receipts never go'); END",

	"PRAGMA user_version = 1",
	NULL,
};

/* Who answered: `upstream` is set on every row since, and tells a receipt's form (receipt.c);
 * `served_by` where another model than the one asked for did. */
static const char *const VERSION_2[] = {
	"ALTER TABLE hold ADD COLUMN served_by TEXT",
	"ALTER TABLE hold ADD COLUMN upstream TEXT",
	"ALTER TABLE receipt ADD COLUMN served_by TEXT",
	"ALTER TABLE receipt ADD COLUMN upstream TEXT",
	"ALTER TABLE api_key ADD COLUMN lower_output INTEGER NOT NULL DEFAULT 0  CHECK (lower_output IN (0, 1))",
	"PRAGMA user_version = 2",
	NULL,
};

/* What people were asked about purchases, and what they said. Used-up consents stay, as the answer
 * to who agreed; the others go when they are a day old. */
static const char *const VERSION_3[] = {
	"CREATE TABLE approval ("
	"  id INTEGER PRIMARY KEY,"
	"  public_id TEXT NOT NULL UNIQUE,"
	"  account INTEGER NOT NULL REFERENCES account,"
	"  key TEXT NOT NULL,"
	"  arguments BLOB NOT NULL CHECK (length(arguments) = 32),"
	"  total_cents INTEGER NOT NULL CHECK (total_cents >= 0),"
	"  state TEXT NOT NULL CHECK (state IN ('open', 'granted', 'declined', 'cancelled')),"
	"  purchase INTEGER REFERENCES purchase,"
	"  created_ms INTEGER NOT NULL,"
	"  expires_ms INTEGER NOT NULL,"
	"  decided_ms INTEGER NOT NULL DEFAULT 0"
	") STRICT",
	"CREATE INDEX approval_account ON approval (account, created_ms)",
	"PRAGMA user_version = 3",
	NULL,
};

/* For people: frozen accounts, the operator's sessions, and who changed what. `token` is the keyed
 * hash of the admin token that signed in: with another token the session is over. */
static const char *const VERSION_4[] = {
	"ALTER TABLE account ADD COLUMN frozen_ms INTEGER NOT NULL DEFAULT 0",
	"CREATE TABLE admin_session ("
	"  hash BLOB PRIMARY KEY CHECK (length(hash) = 32),"
	"  token BLOB NOT NULL CHECK (length(token) = 32),"
	"  created_ms INTEGER NOT NULL,"
	"  expires_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID",
	"CREATE TABLE audit ("
	"  id INTEGER PRIMARY KEY,"
	"  created_ms INTEGER NOT NULL,"
	"  who TEXT NOT NULL,"
	"  what TEXT NOT NULL,"
	"  subject TEXT NOT NULL,"
	"  before TEXT,"
	"  after TEXT"
	") STRICT",
	"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
	"  BEGIN SELECT RAISE(ABORT, 'the audit log never changes'); END",
	"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
	"  BEGIN SELECT RAISE(ABORT, 'the audit log never shrinks'); END",
	"PRAGMA user_version = 4",
	NULL,
};

static const char *const *const MIGRATIONS[] = {
	VERSION_1,
	VERSION_2,
	VERSION_3,
	VERSION_4,
};

#define APPLICATION_ID 1095980114 /* the bytes "ASTR", as the first migration writes them */

/* A larger database is not read through at every start; `ledger verify` does that. */
#define CHECK_PAGES_MAX 8192 /* 32 MiB */

int store__schema_version(void)
{
	return (int)ARRAY_LEN(MIGRATIONS);
}

/* ---- What is it? ---- */

static bool read_number(struct store_query query, int64_t *out, struct err *err)
{
	OWN_QUERY struct store_query q = query;
	bool row = false;

	if (!store__step(&q, &row, err))
		return false;
	*out = row ? store__col_i64(&q, 0) : 0;
	return true;
}

/* `*version` is 0 for an empty file. */
static bool identify(struct store *st, int64_t *version, struct err *err)
{
	int64_t application = 0;
	int64_t found = 0;
	int64_t tables = 0;

	if (!read_number(store__query(st, "PRAGMA application_id"), &application, err) ||
	    !read_number(store__query(st, "PRAGMA user_version"), &found, err) ||
	    !read_number(store__query(st, "SELECT count(*) FROM sqlite_schema"), &tables, err))
		return false;
	if (tables > 0 && application != APPLICATION_ID)
		return err_set(err, ERR_STORAGE, "'%s' is another program's database", st->path);
	if (found > store__schema_version())
		return err_set(err, ERR_STORAGE,
		               "'%s' was written by a newer version of this program (schema %lld, "
		               "this one knows %d)",
		               st->path, (long long)found, store__schema_version());
	if ((found == 0) != (tables == 0) || found < 0)
		return err_set(err, ERR_STORAGE, "'%s' is damaged; restore a backup", st->path);
	*version = found;
	return true;
}

static bool check_small(struct store *st, struct err *err)
{
	int64_t pages = 0;

	if (!read_number(store__query(st, "PRAGMA page_count"), &pages, err))
		return false;
	if (pages > CHECK_PAGES_MAX)
		return true;
	OWN_QUERY struct store_query q = store__query(st, "PRAGMA quick_check(1)");
	bool row = false;
	if (!store__step(&q, &row, err))
		return false;
	if (!row || !str_eq(store__col_str(&q, 0), STR("ok")))
		return err_set(err, ERR_STORAGE, "'%s' is damaged; restore a backup", st->path);
	return true;
}

/* ---- The pepper ---- */

/* With another pepper every key would silently be unknown. A keyed hash of a fixed text tells. */
static bool check_pepper(struct store *st, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT value FROM meta WHERE name = 'pepper'");
	struct hash expected = secret_hash(&st->pepper, STR("agent-store"));
	bool row = false;

	if (!store__step(&q, &row, err))
		return false;
	struct hash found = row ? store__col_hash(&q, 0) : (struct hash){ { 0 } };
	if (!hash_eq(&found, &expected))
		return err_set(err, ERR_STORAGE,
		               "'%s.pepper' does not belong to this database; restore the one that "
		               "was saved with it",
		               st->path);
	return true;
}

static bool write_pepper_mark(struct store *st, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "INSERT INTO meta (name, value) VALUES ('pepper', ?1)");
	struct hash mark = secret_hash(&st->pepper, STR("agent-store"));

	store__bind_hash(&q, 1, &mark);
	return store__run(&q, err);
}

/* ---- Migrating ---- */

static bool run_migration(struct store *st, const char *const *statements, struct err *err)
{
	for (; *statements != NULL; statements++) {
		if (!store__exec(st, *statements, err))
			return false;
	}
	return true;
}

static bool migrate(struct store *st, int64_t version, struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };

	if (!store__tx_begin(&tx, st, err))
		return false;
	for (int64_t i = version; i < store__schema_version(); i++) {
		if (!run_migration(st, MIGRATIONS[i], err))
			return false;
	}
	if (version == 0 && !write_pepper_mark(st, err))
		return false;
	return store__tx_commit(&tx, err);
}

bool store__schema_open(struct store *st, struct err *err)
{
	int64_t version = 0;

	if (!identify(st, &version, err) || !store__db_use_wal(st, err))
		return false;
	if (version > 0 && !check_small(st, err))
		return false;
	if (version < store__schema_version() && !migrate(st, version, err))
		return false;
	return check_pepper(st, err);
}
