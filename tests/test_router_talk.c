/* SPDX-License-Identifier: Apache-2.0 */
/* The talk's memory, its lists and how turns merge. */
#include <stdint.h>

#include "router/talk.h"
#include "tests/check.h"

static void memory_is_zeroed_aligned_and_apart(void)
{
	OWN_TALK struct talk t;
	unsigned char *before = NULL;

	talk_init(&t);
	/* 1 to 20000 bytes: small ones share a block, large ones have their own. */
	for (size_t n = 1; n < 20000; n = n * 3 + 1) {
		unsigned char *p = talk_alloc(&t, n);

		if (!CHECK(p != NULL))
			return;
		CHECK_I64((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			if (p[i] != 0)
				CHECK_FAIL("byte %zu of %zu is not zero", i, n);
		memset(p, 0xff, n);
		CHECK(p != before);
		before = p;
	}
}

static void too_much_memory_is_refused(void)
{
	OWN_TALK struct talk t;

	talk_init(&t);
	CHECK(talk_alloc(&t, SIZE_MAX) == NULL);
	CHECK(talk_alloc(&t, SIZE_MAX - sizeof(max_align_t)) == NULL);
	CHECK(talk_alloc(&t, 8) != NULL);
}

static void a_copy_does_not_share_bytes(void)
{
	OWN_TALK struct talk t;
	char text[] = "hello";
	struct str copy;

	talk_init(&t);
	copy = talk_copy(&t, (struct str){ text, 5 });
	text[0] = 'j';
	CHECK_TEXT(copy, "hello");
	CHECK_TEXT(talk_copy(&t, STR("")), "");
	CHECK_TEXT(talk_copy(&t, (struct str){ 0 }), NULL);
}

static void neighbours_of_one_role_become_one_turn(void)
{
	OWN_TALK struct talk t;
	struct talk_turn *first, *second;

	talk_init(&t);
	first = talk_add_turn(&t, TALK_USER, 0);
	CHECK(talk_add_turn(&t, TALK_USER, 1) == first);
	second = talk_add_turn(&t, TALK_ASSISTANT, 2);
	CHECK(talk_add_turn(&t, TALK_ASSISTANT, 3) == second);
	if (!CHECK(first && second && second != first))
		return;
	CHECK_I64(second->index, 2);
	CHECK(t.turns == first);
	CHECK(first->next == second);
	CHECK(t.last_turn == second);
	CHECK(talk_add_turn(&t, TALK_USER, 4) == second->next);
}

static void parts_keep_their_order(void)
{
	OWN_TALK struct talk t;
	struct talk_part *list = NULL, *other = NULL;
	struct talk_part *a, *b, *c;

	talk_init(&t);
	a = talk_add_part(&t, &list, TALK_TEXT);
	CHECK(talk_add_part(&t, &other, TALK_TEXT) == other);
	b = talk_add_part(&t, &list, TALK_IMAGE);
	c = talk_add_part(&t, &list, TALK_FILE);
	if (!CHECK(a && b && c))
		return;
	CHECK(list == a && a->next == b && b->next == c && c->next == NULL);
	CHECK(list->last == c);
	CHECK(other->next == NULL);
}

static void the_latest_call_of_an_id_is_found(void)
{
	OWN_TALK struct talk t;
	struct talk_part *list = NULL;
	static const struct str ids[] = { STR_INIT("a"), STR_INIT("b"), STR_INIT("a") };
	static const struct str names[] = { STR_INIT("old"), STR_INIT("other"), STR_INIT("new") };

	talk_init(&t);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct talk_part *call = talk_add_part(&t, &list, TALK_TOOL_CALL);

		if (!CHECK(call != NULL))
			return;
		call->id = ids[i];
		call->name = names[i];
	}
	CHECK_I64(t.call_count, 3);
	const struct talk_part *a = talk_call_find(&t, STR("a"));
	const struct talk_part *b = talk_call_find(&t, STR("b"));
	if (!CHECK(a && b))
		return;
	CHECK_TEXT(a->name, "new");
	CHECK_TEXT(b->name, "other");
	CHECK(talk_call_find(&t, STR("c")) == NULL);
}

static void a_tool_is_found_by_its_name(void)
{
	OWN_TALK struct talk t;
	struct talk_tool *first, *second;

	talk_init(&t);
	CHECK(talk_tool_find(&t, STR("x")) == NULL);
	first = talk_add_tool(&t);
	second = talk_add_tool(&t);
	if (!CHECK(first && second))
		return;
	first->name = STR("x");
	second->name = STR("y");
	CHECK(talk_tool_find(&t, STR("y")) == second);
	CHECK(t.tools == first && first->next == second);
	CHECK_I64(t.tool_count, 2);
}

static void efforts_have_words(void)
{
	CHECK_TEXT(talk_effort_word(TALK_EFFORT_UNSET), NULL);
	CHECK_TEXT(talk_effort_word(TALK_EFFORT_NONE), "none");
	CHECK_TEXT(talk_effort_word(TALK_EFFORT_XHIGH), "xhigh");
	CHECK_TEXT(talk_effort_word(TALK_EFFORT_MAX), "max");
	CHECK_TEXT(talk_effort_word(TALK_EFFORT_COUNT), NULL);
}

static void a_talk_can_be_freed_twice(void)
{
	struct talk t;

	talk_init(&t);
	CHECK(talk_alloc(&t, 100) != NULL);
	talk_done(&t);
	talk_done(&t);
	CHECK(t.arena == NULL && t.turns == NULL);
}

static const struct check_case CASES[] = {
	CASE(memory_is_zeroed_aligned_and_apart),
	CASE(too_much_memory_is_refused),
	CASE(a_copy_does_not_share_bytes),
	CASE(neighbours_of_one_role_become_one_turn),
	CASE(parts_keep_their_order),
	CASE(the_latest_call_of_an_id_is_found),
	CASE(a_tool_is_found_by_its_name),
	CASE(efforts_have_words),
	CASE(a_talk_can_be_freed_twice),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
