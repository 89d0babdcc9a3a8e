/* SPDX-License-Identifier: Apache-2.0 */
/* The talk's memory and lists. Everything that hangs on a talk is freed at once, so nothing in it
 * has an owner of its own. The surprising fact: each list's end is remembered in its first part,
 * because a body of 32 MiB may hold a million of them. */
#include "router/talk.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 8192

struct talk_block {
	struct talk_block *next;
	size_t used, size;
	max_align_t memory[];
};

void talk_init(struct talk *t)
{
	*t = (struct talk){ .list_name = "messages", .thinking_budget = -1 };
}

void talk_done(struct talk *t)
{
	while (t->arena) {
		struct talk_block *next = t->arena->next;

		free(t->arena);
		t->arena = next;
	}
	json_free(t->tree);
	*t = (struct talk){ 0 };
}

static struct talk_block *add_block(struct talk *t, size_t size)
{
	struct talk_block *block;

	if (size > SIZE_MAX - sizeof *block)
		return NULL;
	block = calloc(1, sizeof *block + size);
	if (!block)
		return NULL;
	block->size = size;
	block->next = t->arena;
	t->arena = block;
	return block;
}

void *talk_alloc(struct talk *t, size_t n)
{
	const size_t align = sizeof(max_align_t);
	struct talk_block *block = t->arena;
	size_t at;

	if (n > SIZE_MAX - align)
		return NULL;
	n = (n + align - 1) / align * align;
	if (!block || block->size - block->used < n)
		block = add_block(t, n > BLOCK_BYTES ? n : BLOCK_BYTES);
	if (!block)
		return NULL;
	at = block->used;
	block->used += n;
	return &block->memory[at / align];
}

struct str talk_copy(struct talk *t, struct str s)
{
	char *p = s.p ? talk_alloc(t, s.len + 1) : NULL;

	if (!p)
		return (struct str){ 0 };
	memcpy(p, s.p, s.len);
	return (struct str){ p, s.len };
}

struct talk_part *talk_add_part(struct talk *t, struct talk_part **list, enum talk_part_kind kind)
{
	struct talk_part *part = talk_alloc(t, sizeof *part);

	if (!part)
		return NULL;
	part->kind = kind;
	if (*list)
		(*list)->last->next = part;
	else
		*list = part;
	(*list)->last = part;
	if (kind == TALK_TOOL_CALL) {
		part->older = t->last_call;
		t->last_call = part;
		t->call_count++;
	}
	if (kind == TALK_TOOL_RESULT)
		t->result_count++;
	return part;
}

struct talk_turn *talk_add_turn(struct talk *t, enum talk_role role, size_t index)
{
	struct talk_turn *turn;

	if (t->last_turn && t->last_turn->role == role)
		return t->last_turn;
	turn = talk_alloc(t, sizeof *turn);
	if (!turn)
		return NULL;
	turn->role = role;
	turn->index = index;
	if (t->last_turn)
		t->last_turn->next = turn;
	else
		t->turns = turn;
	t->last_turn = turn;
	return turn;
}

struct talk_tool *talk_add_tool(struct talk *t)
{
	struct talk_tool *tool = talk_alloc(t, sizeof *tool);

	if (!tool)
		return NULL;
	if (t->last_tool)
		t->last_tool->next = tool;
	else
		t->tools = tool;
	t->last_tool = tool;
	t->tool_count++;
	return tool;
}

struct talk_part *talk_call_find(const struct talk *t, struct str id)
{
	/* Backwards: an id may come twice in a long history, and the answer is near its call. */
	for (struct talk_part *call = t->last_call; call; call = call->older)
		if (str_eq(call->id, id))
			return call;
	return NULL;
}

const struct talk_tool *talk_tool_find(const struct talk *t, struct str name)
{
	for (const struct talk_tool *tool = t->tools; tool; tool = tool->next)
		if (str_eq(tool->name, name))
			return tool;
	return NULL;
}

struct str talk_effort_word(enum talk_effort e)
{
	static const struct str words[TALK_EFFORT_COUNT] = {
		[TALK_EFFORT_NONE] = STR_INIT("none"), [TALK_EFFORT_MINIMAL] = STR_INIT("minimal"),
		[TALK_EFFORT_LOW] = STR_INIT("low"),   [TALK_EFFORT_MEDIUM] = STR_INIT("medium"),
		[TALK_EFFORT_HIGH] = STR_INIT("high"), [TALK_EFFORT_XHIGH] = STR_INIT("xhigh"),
		[TALK_EFFORT_MAX] = STR_INIT("max"),
	};

	return e < TALK_EFFORT_COUNT ? words[e] : (struct str){ 0 };
}
