/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, hashes and the pepper file. Expected keys and hashes were made with Python's zlib.crc32
 * and hashlib.blake2b, not with this code. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/id.h"
#include "base/secret.h"
#include "tests/check.h"

struct key_row {
	enum key_kind kind;
	const char *prefix;
	const char *name;
	const char *key; /* of the generator with seed 7 */
};

static const struct key_row KEY_ROWS[] = {
	{ KEY_PURCHASE, "ask_live_", "purchase",
	  "ask_live_TDoRgdHbSeywTyE4.ZfITy6WYhLxCuc9hnv5Vj6QibZexG0xGt7CbM3nmc1d40JagK" },
	{ KEY_ROUTER, "asr_live_", "router",
	  "asr_live_TDoRgdHbSeywTyE4.ZfITy6WYhLxCuc9hnv5Vj6QibZexG0xGt7CbM3nmc1d1kxp75" },
	{ KEY_ROUTE, "rk_", "route",
	  "rk_TDoRgdHbSeywTyE4.ZfITy6WYhLxCuc9hnv5Vj6QibZexG0xGt7CbM3nmc1d4NicgA" },
};

static void keys_have_their_shape_and_checksum(void)
{
	CHECK_I64(ARRAY_LEN(KEY_ROWS), KEY_KIND_COUNT);
	for (size_t i = 0; i < ARRAY_LEN(KEY_ROWS); i++) {
		struct env_fixed state = { .counter = 7 };
		struct env env = env_fixed(&state);
		OWN_SECRET struct secret key;
		key_make(&env, KEY_ROWS[i].kind, &key);
		CHECK_STR(key.text, KEY_ROWS[i].key);
		CHECK_STR(key_prefix(KEY_ROWS[i].kind), KEY_ROWS[i].prefix);
		CHECK_STR(key_kind_name(KEY_ROWS[i].kind), KEY_ROWS[i].name);
	}
}

static void keys_are_told_apart_by_kind(void)
{
	for (size_t i = 0; i < ARRAY_LEN(KEY_ROWS); i++) {
		enum key_kind kind = KEY_KIND_COUNT;
		struct str lookup = { 0 };
		CHECK(key_parse(str_of(KEY_ROWS[i].key), &kind, &lookup));
		CHECK_I64(kind, KEY_ROWS[i].kind);
		CHECK_TEXT(lookup, "TDoRgdHbSeywTyE4");
		CHECK(lookup.p == KEY_ROWS[i].key + strlen(KEY_ROWS[i].prefix));
	}
}

static bool is_key(struct str text)
{
	enum key_kind kind;
	struct str lookup;

	return key_parse(text, &kind, &lookup);
}

static const char OTHERS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.- ";

static void each_change_of_one_character_is_refused(void)
{
	int64_t tried = 0;
	int64_t taken = 0;

	for (size_t row = 0; row < ARRAY_LEN(KEY_ROWS); row++) {
		OWN_SECRET struct secret key = { 0 };
		char *text = key.text;
		size_t len = strlen(KEY_ROWS[row].key);
		secret_set(&key, str_of(KEY_ROWS[row].key));
		for (size_t i = 0; i < len; i++) {
			char was = text[i];
			for (const char *other = OTHERS; *other != '\0'; other++) {
				text[i] = *other;
				tried += *other != was;
				taken += *other != was && is_key((struct str){ text, len });
			}
			text[i] = was;
		}
		CHECK(is_key((struct str){ text, len }));
	}
	CHECK_I64(taken, 0);
	CHECK_I64(tried, (75 + 75 + 69) * 65);
}

static void cut_and_grown_keys_are_refused(void)
{
	const char *key = KEY_ROWS[KEY_ROUTER].key;
	char longer[KEY_TEXT_MAX] = { 0 };
	size_t len = strlen(key);

	for (size_t n = 0; n < len; n++)
		CHECK(!is_key((struct str){ key, n }));
	memcpy(longer, key, len + 1);
	longer[len] = '0';
	CHECK(!is_key(str_of(longer)));
	longer[len] = ' ';
	CHECK(!is_key(str_of(longer)));
	CHECK(!is_key((struct str){ longer, len + 2 }));
	CHECK(!is_key((struct str){ 0 }));
}

/* The point moved by one keeps all lengths but those of the parts. */
static void parts_of_wrong_length_are_refused(void)
{
	CHECK(!is_key(
		STR("rk_TDoRgdHbSeywTyE.4ZfITy6WYhLxCuc9hnv5Vj6QibZexG0xGt7CbM3nmc1d4NicgA")));
	CHECK(!is_key(STR("rk_.")));
	CHECK(!is_key(STR("sk-proj-abcdefghijklmnopqrstuvwxyz")));
}

static void refused_key_leaves_the_results(void)
{
	enum key_kind kind = KEY_ROUTE;
	struct str lookup = STR("before");

	CHECK(!key_parse(STR("asr_live_x"), &kind, &lookup));
	CHECK_I64(kind, KEY_ROUTE);
	CHECK_TEXT(lookup, "before");
}

static void real_keys_differ_and_parse(void)
{
	struct env env = env_real();
	OWN_SECRET struct secret a;
	OWN_SECRET struct secret b;

	key_make(&env, KEY_ROUTER, &a);
	key_make(&env, KEY_ROUTER, &b);
	CHECK(is_key(secret_str(&a)));
	CHECK(is_key(secret_str(&b)));
	CHECK(!str_eq(secret_str(&a), secret_str(&b)));
}

static void token_has_43_characters(void)
{
	struct env_fixed state = { .counter = 3 };
	struct env env = env_fixed(&state);
	OWN_SECRET struct secret token;

	secret_token(&env, &token);
	CHECK_STR(token.text, "pJ1XgKBTDj5zEn8t1ZIMgknWLFlechIQTxGnHgt7HV9");
}

static void hashes_are_blake2b_256(void)
{
	struct pepper pepper;
	for (size_t i = 0; i < sizeof(pepper.bytes); i++)
		pepper.bytes[i] = (unsigned char)i;
	struct hash plain = hash_plain("abc", 3);
	struct hash empty = hash_plain("", 0);
	struct hash keyed = secret_hash(&pepper, STR("abc"));
	struct hash chain = hash_chain(&plain, STR("row"));

	CHECK_BYTES(plain.bytes,
	            "\xbd\xdd\x81\x3c\x63\x42\x39\x72\x31\x71\xef\x3f\xee\x98\x57\x9b"
	            "\x94\x96\x4e\x3b\xb1\xcb\x3e\x42\x72\x62\xc8\xc0\x68\xd5\x23\x19",
	            HASH_LEN);
	CHECK_BYTES(empty.bytes,
	            "\x0e\x57\x51\xc0\x26\xe5\x43\xb2\xe8\xab\x2e\xb0\x60\x99\xda\xa1"
	            "\xd1\xe5\xdf\x47\x77\x8f\x77\x87\xfa\xab\x45\xcd\xf1\x2f\xe3\xa8",
	            HASH_LEN);
	CHECK_BYTES(keyed.bytes,
	            "\xd6\x3a\x32\xd3\xe4\x47\x38\xd7\x90\x7f\x96\x43\x16\xc2\x41\xad"
	            "\xab\xa0\xab\xfe\xab\xc3\x23\x49\x67\x75\x78\xa1\x5a\x20\x3f\x7f",
	            HASH_LEN);
	CHECK_BYTES(chain.bytes,
	            "\x90\x70\x68\xfd\x92\x95\xfe\x4e\xa9\x4c\x4c\x50\x77\xb1\xce\x93"
	            "\x8c\x77\xe6\xf5\x72\x3d\x2a\x0b\xb6\x74\x2a\x3e\x1b\xa0\x65\x2a",
	            HASH_LEN);
}

static void equal_hashes_are_equal_in_every_byte(void)
{
	struct hash a = hash_plain("abc", 3);
	struct hash b = a;

	CHECK(hash_eq(&a, &b));
	for (size_t i = 0; i < HASH_LEN; i++) {
		b.bytes[i] ^= 1;
		CHECK(!hash_eq(&a, &b));
		b.bytes[i] ^= 1;
	}
}

static void absent_text_hashes_like_the_empty_one(void)
{
	struct pepper pepper = { 0 };
	struct hash absent = secret_hash(&pepper, (struct str){ 0 });
	struct hash empty = secret_hash(&pepper, STR(""));
	struct hash chain_absent = hash_chain(&empty, (struct str){ 0 });
	struct hash chain_empty = hash_chain(&empty, STR(""));

	CHECK(hash_eq(&absent, &empty));
	CHECK(hash_eq(&chain_absent, &chain_empty));
}

static const char ZEROS[KEY_TEXT_MAX] = { 0 };

static void secrets_are_set_cut_and_wiped(void)
{
	char long_text[200];
	struct secret s = { "an older and longer text" };

	secret_set(&s, STR("new"));
	CHECK_STR(s.text, "new");
	CHECK_BYTES(s.text + 3, ZEROS, KEY_TEXT_MAX - 3);
	memset(long_text, 'x', sizeof(long_text));
	secret_set(&s, (struct str){ long_text, sizeof(long_text) });
	CHECK_I64(secret_str(&s).len, KEY_TEXT_MAX - 1);
	secret_wipe(&s);
	CHECK_BYTES(s.text, ZEROS, KEY_TEXT_MAX);
	secret_set(&s, (struct str){ 0 });
	CHECK_STR(s.text, "");
	memset(long_text, 'x', sizeof(long_text));
	bytes_wipe(long_text, KEY_TEXT_MAX);
	CHECK_BYTES(long_text, ZEROS, KEY_TEXT_MAX);
	CHECK(long_text[KEY_TEXT_MAX] == 'x');
}

/* A folder of its own for one case, with the path of a pepper in it. */
struct place {
	char folder[64];
	char path[96];
};

static struct place place_make(void)
{
	struct place place = { "/tmp/test_base_secret_XXXXXX", "" };

	if (mkdtemp(place.folder) == NULL)
		abort();
	(void)snprintf(place.path, sizeof(place.path), "%s/store.pepper", place.folder);
	return place;
}

static void place_remove(const struct place *place)
{
	(void)unlink(place->path);
	/* Fails if a temporary file was left behind. */
	CHECK_I64(rmdir(place->folder), 0);
}

/* What a test writes into a file: some of it, or more than a pepper has. */
static const char BYTES[64] = "0123456789abcdef0123456789ABCDEF";

static void write_file(const char *path, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK_I64(write(fd, BYTES, n), n);
	CHECK_I64(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void pepper_is_made_once_and_kept(void)
{
	struct place place = place_make();
	struct env_fixed state = { .counter = 1 };
	struct env env = env_fixed(&state);
	struct pepper made;
	struct pepper kept;
	struct err err = { 0 };
	struct stat st;

	CHECK(pepper_open(place.path, &env, &made, &err));
	CHECK_BYTES(made.bytes, "\xc1\x5c\x02\x89\xec\x2d\x0a\x91", 8);
	CHECK(pepper_open(place.path, &env, &kept, &err));
	CHECK_BYTES(kept.bytes, made.bytes, sizeof(made.bytes));
	CHECK_I64(stat(place.path, &st), 0);
	CHECK_I64(st.st_mode & 07777, 0600);
	CHECK_I64(st.st_size, 32);
	CHECK_I64(st.st_nlink, 1);
	CHECK_STR(err.text, "");
	place_remove(&place);
}

struct bad_file {
	size_t size;
	mode_t mode;
	const char *text; /* after the path */
};

static const struct bad_file BAD_FILES[] = {
	{ 0, 0600, ": has not exactly 32 bytes" },
	{ 31, 0600, ": has not exactly 32 bytes" },
	{ 33, 0600, ": has not exactly 32 bytes" },
	{ 32, 0640, ": others may read it; run chmod 600 on it" },
	{ 32, 0604, ": others may read it; run chmod 600 on it" },
	{ 32, 0620, ": others may read it; run chmod 600 on it" },
};

static void wrong_pepper_files_are_refused(void)
{
	for (size_t i = 0; i < ARRAY_LEN(BAD_FILES); i++) {
		struct place place = place_make();
		struct env env = env_real();
		struct pepper pepper = { { 42 } };
		struct err err = { 0 };
		write_file(place.path, BAD_FILES[i].size, BAD_FILES[i].mode);
		CHECK(!pepper_open(place.path, &env, &pepper, &err));
		CHECK_I64(err.code, ERR_STORAGE);
		CHECK(str_ends(str_of(err.text), str_of(BAD_FILES[i].text)));
		CHECK(str_starts(str_of(err.text), str_of(place.path)));
		CHECK_I64(pepper.bytes[0], 42);
		place_remove(&place);
	}
}

static void pepper_of_the_right_form_is_read(void)
{
	struct place place = place_make();
	struct env env = env_real();
	struct pepper pepper;

	write_file(place.path, 32, 0400);
	CHECK(pepper_open(place.path, &env, &pepper, NULL));
	CHECK_BYTES(pepper.bytes, "0123456789abcdef0123456789ABCDEF", 32);
	place_remove(&place);
}

static void folder_or_nothing_is_no_pepper(void)
{
	struct place place = place_make();
	struct env env = env_real();
	struct pepper pepper;
	struct err err = { 0 };

	CHECK(!pepper_open(place.folder, &env, &pepper, &err));
	CHECK_I64(err.code, ERR_STORAGE);
	CHECK(str_ends(str_of(err.text), STR(": not a file")));
	CHECK(!pepper_open("/nonexistent/folder/store.pepper", &env, &pepper, &err));
	CHECK_I64(err.code, ERR_STORAGE);
	CHECK_STR(err.text, "/nonexistent/folder/store.pepper: No such file or directory");
	place_remove(&place);
}

static const struct check_case CASES[] = {
	CASE(keys_have_their_shape_and_checksum),
	CASE(keys_are_told_apart_by_kind),
	CASE(each_change_of_one_character_is_refused),
	CASE(cut_and_grown_keys_are_refused),
	CASE(parts_of_wrong_length_are_refused),
	CASE(refused_key_leaves_the_results),
	CASE(real_keys_differ_and_parse),
	CASE(token_has_43_characters),
	CASE(hashes_are_blake2b_256),
	CASE(equal_hashes_are_equal_in_every_byte),
	CASE(absent_text_hashes_like_the_empty_one),
	CASE(secrets_are_set_cut_and_wiped),
	CASE(pepper_is_made_once_and_kept),
	CASE(wrong_pepper_files_are_refused),
	CASE(pepper_of_the_right_form_is_read),
	CASE(folder_or_nothing_is_no_pepper),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
