/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed and owned text, with the absent str wherever a str is taken. */
#include <stdlib.h>

#include "base/str.h"
#include "tests/check.h"

static const struct str ABSENT = { 0 };

static void str_of_null_is_absent(void)
{
	CHECK_TEXT(str_of(NULL), NULL);
	CHECK_TEXT(str_of(""), "");
	CHECK_TEXT(str_of("abc"), "abc");
}

static void equality_counts_bytes(void)
{
	CHECK(str_eq(STR("abc"), STR("abc")));
	CHECK(!str_eq(STR("abc"), STR("abC")));
	CHECK(!str_eq(STR("abc"), STR("ab")));
	CHECK(!str_eq(STR("a\0b"), STR("a\0c")));
	CHECK(str_eq(ABSENT, STR("")));
	CHECK(!str_eq(ABSENT, STR("a")));
	CHECK(str_eq_nocase(STR("Content-Type"), STR("content-tYPE")));
	CHECK(!str_eq_nocase(STR("ab"), STR("abc")));
	CHECK(!str_eq_nocase(STR("@"), STR("`"))); /* 0x40 and 0x60: no letters */
	CHECK(!str_eq_nocase(STR("["), STR("{")));
	CHECK(!str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4"))); /* only ASCII folds */
}

static void starts_and_ends(void)
{
	CHECK(str_starts(STR("sk-abc"), STR("sk-")));
	CHECK(str_starts(STR("sk-"), STR("sk-")));
	CHECK(!str_starts(STR("sk"), STR("sk-")));
	CHECK(str_starts(ABSENT, STR("")) && str_starts(STR("a"), ABSENT));
	CHECK(str_ends(STR("a.json"), STR(".json")));
	CHECK(!str_ends(STR("json"), STR(".json")));
	CHECK(!str_ends(STR("a.jsoN"), STR(".json")));
	CHECK(str_ends(ABSENT, STR("")) && str_ends(STR("a"), ABSENT));
}

static void finding_a_needle(void)
{
	CHECK_I64(str_find(STR("abcabc"), STR("ca")), 2);
	CHECK_I64(str_find(STR("abcabc"), STR("abc")), 0);
	CHECK_I64(str_find(STR("abc"), STR("abcd")), -1);
	CHECK_I64(str_find(STR("abc"), STR("x")), -1);
	CHECK_I64(str_find(STR("abc"), STR("")), 0);
	CHECK_I64(str_find(ABSENT, STR("")), 0);
	CHECK_I64(str_find(ABSENT, STR("a")), -1);
	CHECK(str_has_nocase(STR("Router Credit"), STR("CREDIT")));
	CHECK(str_has_nocase(STR("abc"), STR("")));
	CHECK(!str_has_nocase(STR("abc"), STR("abd")));
	CHECK(!str_has_nocase(STR("ab"), STR("abc")));
	CHECK(!str_has_nocase(ABSENT, STR("a")));
}

static void trim_takes_blanks_at_both_ends(void)
{
	CHECK_TEXT(str_trim(STR(" \ta b\t ")), "a b");
	CHECK_TEXT(str_trim(STR("\na\n")), "\na\n");
	CHECK_TEXT(str_trim(STR(" \t ")), "");
	CHECK_TEXT(str_trim(ABSENT), NULL);
}

static void cut_walks_through_a_list(void)
{
	struct str rest = STR("a,,b,");

	CHECK_TEXT(str_cut(&rest, ','), "a");
	CHECK_TEXT(str_cut(&rest, ','), "");
	CHECK_TEXT(str_cut(&rest, ','), "b");
	CHECK_TEXT(rest, "");
	CHECK_TEXT(str_cut(&rest, ','), "");
	CHECK_TEXT(rest, NULL);
	CHECK_TEXT(str_cut(&rest, ','), NULL);
}

struct i64_row {
	const char *text;
	bool ok;
	int64_t want;
};

static const struct i64_row I64_ROWS[] = {
	{ "0", true, 0 },
	{ "-0", true, 0 },
	{ "007", true, 7 },
	{ "9223372036854775807", true, INT64_MAX },
	{ "-9223372036854775808", true, INT64_MIN },
	{ "9223372036854775808", false, 0 },
	{ "-9223372036854775809", false, 0 },
	{ "92233720368547758070", false, 0 },
	{ "", false, 0 },
	{ "-", false, 0 },
	{ "--1", false, 0 },
	{ "+1", false, 0 },
	{ "1-", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "1.0", false, 0 },
	{ "1e2", false, 0 },
	{ "0x1", false, 0 },
};

static void whole_numbers_are_read_or_refused(void)
{
	for (size_t i = 0; i < ARRAY_LEN(I64_ROWS); i++) {
		int64_t n = 42;
		bool ok = str_to_i64(str_of(I64_ROWS[i].text), &n);
		if (!CHECK(ok == I64_ROWS[i].ok) || !CHECK_I64(n, ok ? I64_ROWS[i].want : 42))
			check_note("'%s'", I64_ROWS[i].text);
	}
	int64_t n;
	CHECK(!str_to_i64(ABSENT, &n));
}

struct utf8_row {
	const char *what;
	const char *text;
	bool ok;
};

static const struct utf8_row UTF8_ROWS[] = {
	{ "ascii longer than a word", "the quick brown fox", true },
	{ "U+0080", "\xc2\x80", true },
	{ "U+07FF", "\xdf\xbf", true },
	{ "U+0800", "\xe0\xa0\x80", true },
	{ "U+D7FF", "\xed\x9f\xbf", true },
	{ "U+E000", "\xee\x80\x80", true },
	{ "U+FFFF", "\xef\xbf\xbf", true },
	{ "U+10000", "\xf0\x90\x80\x80", true },
	{ "U+10FFFF", "\xf4\x8f\xbf\xbf", true },
	{ "after a word of ascii",
	  "12345678\xe2\x82\xac"
	  "12345678",
	  true },
	{ "lone continuation", "\x80", false },
	{ "overlong slash of two", "\xc0\xaf", false },
	{ "overlong U+007F", "\xc1\xbf", false },
	{ "overlong of three", "\xe0\x9f\xbf", false },
	{ "overlong of four", "\xf0\x8f\xbf\xbf", false },
	{ "first surrogate", "\xed\xa0\x80", false },
	{ "last surrogate", "\xed\xbf\xbf", false },
	{ "U+110000", "\xf4\x90\x80\x80", false },
	{ "byte f5", "\xf5\x80\x80\x80", false },
	{ "byte ff", "\xff", false },
	{ "two cut", "\xc3", false },
	{ "three cut", "\xe2\x82", false },
	{ "four cut", "\xf0\x9f\x98", false },
	{ "third byte bad",
	  "\xe2\x82"
	  "a",
	  false },
	{ "fourth byte bad",
	  "\xf0\x9f\x98"
	  "a",
	  false },
	{ "bad byte at a word's end",
	  "1234567\x80"
	  "12345678",
	  false },
};

static void utf8_follows_rfc_3629(void)
{
	for (size_t i = 0; i < ARRAY_LEN(UTF8_ROWS); i++) {
		if (!CHECK(str_is_utf8(str_of(UTF8_ROWS[i].text)) == UTF8_ROWS[i].ok))
			check_note("%s", UTF8_ROWS[i].what);
	}
	CHECK(str_is_utf8(ABSENT));
	CHECK(str_is_utf8(STR("a\0b")));
}

static void dup_copies_and_ends_with_nul(void)
{
	char *copy = str_dup((struct str){ "abcdef", 3 });
	char *empty = str_dup(ABSENT);

	CHECK_STR(copy, "abc");
	CHECK_STR(empty, "");
	free(copy);
	free(empty);
}

static void appends_of_each_kind(void)
{
	OWN_BUF struct buf b = buf_make(1000);

	buf_add(&b, STR("a"));
	buf_add(&b, ABSENT);
	buf_add_z(&b, "bc");
	buf_add_char(&b, '-');
	buf_add_i64(&b, INT64_MIN);
	buf_add_char(&b, ' ');
	buf_add_hex(&b, "\x00\x9f\xff", 3);
	buf_addf(&b, " %s=%d", "n", 5);
	CHECK_TEXT(buf_str(&b), "abc--9223372036854775808 009fff n=5");
	CHECK_STR(b.p, "abc--9223372036854775808 009fff n=5");
	CHECK(buf_ok(&b, "text", NULL));
}

static void empty_buffer_is_an_empty_text(void)
{
	OWN_BUF struct buf b = buf_make(10);

	CHECK_TEXT(buf_str(&b), "");
	buf_consume(&b, 0);
	buf_reset(&b);
	buf_wipe(&b);
	CHECK_TEXT(buf_str(&b), "");
}

static void text_may_reach_the_maximum_but_not_pass_it(void)
{
	OWN_BUF struct buf b = buf_make(5);
	struct err err = { 0 };

	buf_add_z(&b, "12345");
	CHECK(buf_ok(&b, "the name", &err));
	buf_add_char(&b, '6');
	CHECK(!buf_ok(&b, "the name", &err));
	CHECK_I64(err.code, ERR_TOO_LARGE);
	CHECK_STR(err.text, "the name is larger than 5 bytes");
	CHECK_TEXT(buf_str(&b), "12345");
}

static void each_append_respects_the_maximum(void)
{
	OWN_BUF struct buf b = buf_make(3);

	buf_add_hex(&b, "ab", 2);
	CHECK(b.failed);
	buf_reset(&b);
	buf_addf(&b, "%04d", 1);
	CHECK(b.failed);
	buf_reset(&b);
	buf_add_i64(&b, 1000);
	CHECK(b.failed);
	buf_reset(&b);
	CHECK(buf_reserve(&b, 4) == NULL);
	CHECK(b.failed);
	buf_reset(&b);
	CHECK(buf_reserve(&b, SIZE_MAX) == NULL);
	CHECK_I64(b.len, 0);
}

static void failure_stays_until_reset(void)
{
	OWN_BUF struct buf b = buf_make(3);

	buf_add_z(&b, "1234");
	buf_add_z(&b, "1");
	CHECK_TEXT(buf_str(&b), "");
	CHECK(buf_reserve(&b, 1) == NULL);
	CHECK(buf_steal(&b) == NULL);
	buf_reset(&b);
	buf_add_z(&b, "1");
	CHECK_TEXT(buf_str(&b), "1");
	CHECK(buf_ok(&b, "x", NULL));
}

static void growth_keeps_what_was_there(void)
{
	OWN_BUF struct buf b = buf_make(100000);
	bool same = true;

	for (int i = 0; i < 10000; i++)
		buf_add_char(&b, (char)('a' + i % 26));
	CHECK_I64(b.len, 10000);
	for (int i = 0; i < 10000; i++)
		same = same && b.p[i] == (char)('a' + i % 26);
	CHECK(same);
	CHECK(b.p[10000] == '\0');
}

static void reserve_grew_and_consume(void)
{
	OWN_BUF struct buf b = buf_make(100);

	buf_add_z(&b, "ab");
	char *room = buf_reserve(&b, 90);
	if (!CHECK(room != NULL))
		return;
	memset(room, 'c', 3);
	buf_grew(&b, 3);
	CHECK_STR(b.p, "abccc");
	buf_consume(&b, 2);
	CHECK_STR(b.p, "ccc");
	buf_consume(&b, 3);
	CHECK_STR(b.p, "");
}

static const char ZEROS[64] = { 0 };

static void wipe_overwrites_all_that_was_held(void)
{
	OWN_BUF struct buf b = buf_make(60);

	buf_add_z(&b, "top secret");
	buf_consume(&b, 4);
	buf_wipe(&b);
	CHECK_I64(b.len, 0);
	if (CHECK(b.p != NULL && b.cap <= sizeof(ZEROS)))
		CHECK_BYTES(b.p, ZEROS, b.cap);
}

static void steal_hands_the_text_over(void)
{
	OWN_BUF struct buf b = buf_make(10);

	buf_add_z(&b, "abc");
	char *text = buf_steal(&b);
	CHECK_STR(text, "abc");
	CHECK_TEXT(buf_str(&b), "");
	free(text);
	text = buf_steal(&b);
	CHECK_STR(text, "");
	free(text);
	buf_add_z(&b, "0123456789"); /* the maximum is kept */
	CHECK(buf_ok(&b, "x", NULL));
}

static void done_takes_a_finished_buffer(void)
{
	struct buf zeroed = { 0 };
	struct buf b = buf_make(10);

	buf_add_z(&b, "abc");
	buf_done(&b);
	buf_done(&b);
	buf_done(&zeroed);
	CHECK(b.p == NULL && b.len == 0);
}

static const struct check_case CASES[] = {
	CASE(str_of_null_is_absent),
	CASE(equality_counts_bytes),
	CASE(starts_and_ends),
	CASE(finding_a_needle),
	CASE(trim_takes_blanks_at_both_ends),
	CASE(cut_walks_through_a_list),
	CASE(whole_numbers_are_read_or_refused),
	CASE(utf8_follows_rfc_3629),
	CASE(dup_copies_and_ends_with_nul),
	CASE(appends_of_each_kind),
	CASE(empty_buffer_is_an_empty_text),
	CASE(text_may_reach_the_maximum_but_not_pass_it),
	CASE(each_append_respects_the_maximum),
	CASE(failure_stays_until_reset),
	CASE(growth_keeps_what_was_there),
	CASE(reserve_grew_and_consume),
	CASE(wipe_overwrites_all_that_was_held),
	CASE(steal_hands_the_text_over),
	CASE(done_takes_a_finished_buffer),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
