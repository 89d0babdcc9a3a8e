/* SPDX-License-Identifier: Apache-2.0 */
/* A strict client: puts a stream of each protocol together as the SDKs do, and refuses one that
 * breaks an order the SDKs rely on. Written from the protocols' rules, not from the sinks. */
#include <stdlib.h>

#include "tests/answer_world.h"

#define BLOCKS_MAX 512

struct block {
	const struct json *head; /* of its start, or of a call's first delta */
	struct buf text;         /* text, thinking, arguments */
	struct buf signature;
	bool closed;
};

struct client {
	struct net_sse sse;
	const char *why; /* the first broken rule */
	struct json *trees[8192];
	size_t tree_count;
	struct block blocks[BLOCKS_MAX]; /* content blocks, calls or output items */
	size_t block_count;
	struct block *open;
	/* Chat Completions */
	struct buf content, thinking, refusal;
	const struct json *details[BLOCKS_MAX];
	size_t detail_count;
	bool role, has_content, has_refusal, done;
	/* The event with the head, that with the end, and that with the usage. */
	const struct json *head, *end, *usage;
	void (*event)(struct client *c, struct str name, const struct json *tree);
};

static void rule(struct client *c, bool holds, const char *why)
{
	if (!holds && !c->why)
		c->why = why;
}

static struct block *new_block(struct client *c, const struct json *head)
{
	struct block *b = &c->blocks[c->block_count % BLOCKS_MAX];

	rule(c, c->block_count < BLOCKS_MAX, "too many blocks for the test");
	b->head = head;
	b->text = buf_make(SIZE_MAX);
	b->signature = buf_make(SIZE_MAX);
	c->block_count++;
	return b;
}

static int64_t number(const struct json *object, const char *key)
{
	int64_t n;

	return json_i64(json_get(object, key), &n) ? n : -1;
}

static bool is(const struct json *object, const char *key, const char *text)
{
	return str_eq(json_text(json_get(object, key)), str_of(text));
}

static void add(struct buf *out, const struct json *object, const char *key)
{
	struct str text = json_text(json_get(object, key));

	if (text.p)
		buf_add(out, text);
}

/* ---- Chat Completions ---- */

static void chat_call(struct client *c, const struct json *call)
{
	int64_t index = number(call, "index");
	const struct json *function = json_get(call, "function");
	const struct json *custom = json_get(call, "custom");

	rule(c, index >= 0 && index <= (int64_t)c->block_count, "calls are numbered");
	if (c->why)
		return;
	if (index == (int64_t)c->block_count) {
		rule(c, json_get(call, "id") && json_get(call, "type"),
		     "a call begins with its id");
		(void)new_block(c, call);
	} else {
		rule(c, !json_get(call, "id"), "a call has its id once");
	}
	add(&c->blocks[index].text, function ? function : custom, function ? "arguments" : "input");
}

static void chat_delta(struct client *c, const struct json *delta)
{
	const struct json *node;

	rule(c, c->role || is(delta, "role", "assistant"), "the role comes first");
	c->role = true;
	c->has_content = c->has_content || json_text(json_get(delta, "content")).p;
	c->has_refusal = c->has_refusal || json_text(json_get(delta, "refusal")).p;
	add(&c->content, delta, "content");
	add(&c->refusal, delta, "refusal");
	add(&c->thinking, delta, "reasoning_content");
	for (node = json_first(json_get(delta, "tool_calls")); node; node = json_next(node))
		chat_call(c, node);
	for (node = json_first(json_get(delta, "reasoning_details")); node;
	     node = json_next(node)) {
		rule(c,
		     number(node, "index") == (int64_t)c->detail_count &&
		             c->detail_count < BLOCKS_MAX,
		     "details are numbered");
		c->details[c->detail_count++ % BLOCKS_MAX] = node;
	}
}

static void chat_event(struct client *c, struct str name, const struct json *tree)
{
	const struct json *choice = json_first(json_get(tree, "choices"));

	rule(c, !name.p, "chunks have no event line");
	rule(c, !c->done && !c->usage, "nothing follows the usage but the end");
	if (!c->head)
		c->head = tree;
	rule(c, json_equal(json_get(c->head, "id"), json_get(tree, "id")), "the id is one");
	if (!choice) {
		rule(c, c->end != NULL, "usage comes after the finish");
		c->usage = tree;
		return;
	}
	rule(c, json_is(json_get(tree, "usage"), JSON_NULL), "other chunks have a null usage");
	rule(c, !c->end, "the finish is the last choice");
	if (json_is(json_get(choice, "finish_reason"), JSON_STRING)) {
		rule(c, json_count(json_get(choice, "delta")) == 0, "the finish has no delta");
		c->end = choice;
		return;
	}
	chat_delta(c, json_get(choice, "delta"));
}

static void chat_put_calls(struct client *c, struct json_out *o)
{
	if (c->block_count == 0)
		return;
	json_put_array(o, "tool_calls");
	for (size_t i = 0; i < c->block_count; i++) {
		const struct json *head = c->blocks[i].head;
		bool custom = is(head, "type", "custom");
		const char *kind = custom ? "custom" : "function";

		json_put_object(o, NULL);
		json_put_tree(o, "id", json_get(head, "id"));
		json_put_z(o, "type", kind);
		if (json_get(head, "extra_content"))
			json_put_tree(o, "extra_content", json_get(head, "extra_content"));
		json_put_object(o, kind);
		json_put_tree(o, "name", json_get(json_get(head, kind), "name"));
		json_put_str(o, custom ? "input" : "arguments", buf_str(&c->blocks[i].text));
		json_put_end(o, '}');
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
}

static void chat_put_message(struct client *c, struct json_out *o)
{
	bool nothing = !c->has_content && !c->has_refusal && c->block_count == 0;

	json_put_object(o, "message");
	json_put_z(o, "role", "assistant");
	json_put_str(o, "content",
	             c->has_content || nothing ? buf_str(&c->content) : (struct str){ 0 });
	if (c->thinking.len > 0)
		json_put_str(o, "reasoning_content", buf_str(&c->thinking));
	if (c->detail_count > 0) {
		json_put_array(o, "reasoning_details");
		for (size_t i = 0; i < c->detail_count; i++)
			json_put_tree(o, NULL, c->details[i]);
		json_put_end(o, ']');
	}
	chat_put_calls(c, o);
	json_put_str(o, "refusal", c->has_refusal ? buf_str(&c->refusal) : (struct str){ 0 });
	json_put_array(o, "annotations");
	json_put_end(o, ']');
	json_put_end(o, '}');
}

static void chat_put(struct client *c, struct json_out *o)
{
	rule(c, c->done && c->end && c->usage, "the stream has its end");
	json_put_object(o, NULL);
	json_put_tree(o, "id", json_get(c->head, "id"));
	json_put_z(o, "object", "chat.completion");
	json_put_tree(o, "created", json_get(c->head, "created"));
	json_put_tree(o, "model", json_get(c->head, "model"));
	json_put_array(o, "choices");
	json_put_object(o, NULL);
	json_put_i64(o, "index", 0);
	chat_put_message(c, o);
	json_put_null(o, "logprobs");
	json_put_tree(o, "finish_reason", json_get(c->end, "finish_reason"));
	json_put_end(o, '}');
	json_put_end(o, ']');
	json_put_tree(o, "usage", json_get(c->usage, "usage"));
	json_put_end(o, '}');
}

/* ---- Messages ---- */

static void messages_delta(struct client *c, const struct json *tree)
{
	const struct json *delta = json_get(tree, "delta");

	rule(c, c->open && number(tree, "index") == (int64_t)c->block_count - 1,
	     "a delta is of the open block");
	if (!c->open)
		return;
	add(&c->open->text, delta, "text");
	add(&c->open->text, delta, "thinking");
	add(&c->open->text, delta, "partial_json");
	add(&c->open->signature, delta, "signature");
}

static void messages_event(struct client *c, struct str name, const struct json *tree)
{
	rule(c, str_eq(name, json_text(json_get(tree, "type"))), "the event's name is its type");
	rule(c, !c->done, "nothing follows the end");
	rule(c, (c->head == NULL) == is(tree, "type", "message_start"), "the start comes first");
	if (is(tree, "type", "message_start")) {
		c->head = json_get(tree, "message");
	} else if (is(tree, "type", "content_block_start")) {
		rule(c, !c->open && number(tree, "index") == (int64_t)c->block_count,
		     "one block is open at a time");
		c->open = new_block(c, json_get(tree, "content_block"));
	} else if (is(tree, "type", "content_block_delta")) {
		messages_delta(c, tree);
	} else if (is(tree, "type", "content_block_stop")) {
		rule(c, c->open != NULL, "an open block ends");
		c->open = NULL;
	} else if (is(tree, "type", "message_delta")) {
		rule(c, !c->open && !c->end, "the blocks have ended");
		c->end = json_get(tree, "delta");
		c->usage = json_get(tree, "usage");
	} else if (is(tree, "type", "message_stop")) {
		c->done = true;
	} else {
		rule(c, false, "the type is known");
	}
}

static void messages_put_block(struct json_out *o, const struct block *b)
{
	struct str text = buf_str(&b->text);

	json_put_object(o, NULL);
	for (const struct json *m = json_first(b->head); m; m = json_next(m)) {
		struct str key = json_key(m);

		if (str_eq(key, STR("text")) || str_eq(key, STR("thinking"))) {
			json_put_str(o, key.p, text);
		} else if (str_eq(key, STR("signature"))) {
			json_put_str(o, "signature", buf_str(&b->signature));
		} else if (!str_eq(key, STR("input"))) {
			json_put_tree(o, key.p, m);
		} else if (text.len == 0 ||
		           (text.p[0] == '{' && json_scan(text, NULL, NULL, NULL))) {
			json_put_raw(o, "input", text.len == 0 ? STR("{}") : text);
		} else {
			json_put_object(o, "input");
			json_put_str(o, "INVALID_JSON", text);
			json_put_end(o, '}');
		}
	}
	json_put_end(o, '}');
}

/* The start's usage with the figures of the end over it; the split of writes is only in a whole. */
static void messages_put_usage(struct client *c, struct json_out *o)
{
	json_put_object(o, "usage");
	for (const struct json *m = json_first(json_get(c->head, "usage")); m; m = json_next(m)) {
		const struct json *later = json_get(c->usage, json_key(m).p);

		if (str_eq(json_key(m), STR("cache_creation")))
			json_put_raw(o, "cache_creation",
			             STR("{\"ephemeral_5m_input_tokens\":200,"
			                 "\"ephemeral_1h_input_tokens\":30}"));
		else
			json_put_tree(o, json_key(m).p, later ? later : m);
	}
	json_put_end(o, '}');
}

static void messages_put(struct client *c, struct json_out *o)
{
	rule(c, c->done && c->end, "the stream has its end");
	json_put_object(o, NULL);
	for (const struct json *m = json_first(c->head); m; m = json_next(m)) {
		struct str key = json_key(m);

		if (str_eq(key, STR("content"))) {
			json_put_array(o, "content");
			for (size_t i = 0; i < c->block_count; i++)
				messages_put_block(o, &c->blocks[i]);
			json_put_end(o, ']');
		} else if (str_eq(key, STR("usage"))) {
			messages_put_usage(c, o);
		} else {
			const struct json *later = json_get(c->end, key.p);
			json_put_tree(o, key.p, later ? later : m);
		}
	}
	json_put_end(o, '}');
}

/* ---- Responses ---- */

static void responses_item_done(struct client *c, const struct json *tree)
{
	const struct json *item = json_get(tree, "item");
	const struct json *part = json_first(json_get(item, "content"));
	struct str told = { 0 };

	rule(c, c->open && number(tree, "output_index") == (int64_t)c->block_count - 1,
	     "the open item ends");
	if (!c->open)
		return;
	rule(c, json_equal(json_get(c->open->head, "id"), json_get(item, "id")), "ids are one");
	if (!part)
		part = json_first(json_get(item, "summary"));
	if (part)
		told = json_text(json_get(part, is(part, "type", "refusal") ? "refusal" : "text"));
	else if (json_get(item, "call_id"))
		told = json_text(json_get(item, json_get(item, "input") ? "input" : "arguments"));
	rule(c, str_eq(told, buf_str(&c->open->text)), "the deltas are the item");
	c->open->head = item;
	c->open = NULL;
}

static void responses_event(struct client *c, struct str name, const struct json *tree)
{
	struct str type = json_text(json_get(tree, "type"));

	rule(c, str_eq(name, type), "the event's name is its type");
	rule(c, number(tree, "sequence_number") == (int64_t)c->tree_count - 1,
	     "events are numbered");
	rule(c, !c->done, "nothing follows the end");
	if (str_eq(type, STR("response.output_item.added"))) {
		rule(c, !c->open && number(tree, "output_index") == (int64_t)c->block_count,
		     "items follow each other");
		c->open = new_block(c, json_get(tree, "item"));
	} else if (str_eq(type, STR("response.output_item.done"))) {
		responses_item_done(c, tree);
	} else if (str_ends(type, STR(".delta"))) {
		rule(c, c->open != NULL, "a delta is of the open item");
		if (c->open)
			add(&c->open->text, tree, "delta");
	} else if (str_eq(type, STR("response.completed")) ||
	           str_eq(type, STR("response.incomplete")) ||
	           str_eq(type, STR("response.failed"))) {
		c->end = json_get(tree, "response");
		c->done = true;
	}
}

static void responses_put(struct client *c, struct json_out *o)
{
	const struct json *item = json_first(json_get(c->end, "output"));

	rule(c, c->done && !c->open, "the stream has its end");
	rule(c, json_count(json_get(c->end, "output")) == c->block_count, "all items are told");
	for (size_t i = 0; item && !c->why; i++, item = json_next(item))
		rule(c, json_equal(item, c->blocks[i].head), "items are told as they were");
	json_put_tree(o, NULL, c->end);
}

/* ---- All ---- */

static const struct {
	void (*event)(struct client *c, struct str name, const struct json *tree);
	void (*put)(struct client *c, struct json_out *o);
} shapes[ANSWER_SHAPES] = {
	[TALK_SHAPE_CHAT] = { chat_event, chat_put },
	[TALK_SHAPE_MESSAGES] = { messages_event, messages_put },
	[TALK_SHAPE_RESPONSES] = { responses_event, responses_put },
};

static void on_event(void *data, const struct net_sse_event *event)
{
	struct client *c = data;
	struct json *tree;

	if (c->event == chat_event && str_eq(event->data, STR("[DONE]"))) {
		c->done = true;
		return;
	}
	tree = json_parse(event->data, NULL);
	rule(c, tree != NULL, "every data line is JSON");
	rule(c, c->tree_count < ARRAY_LEN(c->trees), "too many events for the test");
	if (!tree || c->tree_count == ARRAY_LEN(c->trees)) {
		json_free(tree);
		return;
	}
	c->trees[c->tree_count++] = tree;
	c->event(c, event->name, tree);
}

static void client_free(struct client *c)
{
	for (size_t i = 0; i < c->tree_count; i++)
		json_free(c->trees[i]);
	for (size_t i = 0; i < c->block_count && i < BLOCKS_MAX; i++) {
		buf_done(&c->blocks[i].text);
		buf_done(&c->blocks[i].signature);
	}
	buf_done(&c->content);
	buf_done(&c->thinking);
	buf_done(&c->refusal);
	net_sse_done(&c->sse);
	free(c);
}

bool answer_assemble(enum talk_shape shape, struct str stream, struct json_out *out,
                     const char **why)
{
	struct client *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	c->content = c->thinking = c->refusal = buf_make(SIZE_MAX);
	c->event = shapes[shape].event;
	net_sse_init(&c->sse);
	rule(c, net_sse_feed(&c->sse, stream, on_event, c, NULL) && !net_sse_rest(&c->sse).p,
	     "it is a stream of events");
	if (!c->why)
		shapes[shape].put(c, out);
	*why = c->why;
	client_free(c);
	return *why == NULL;
}

static void on_checked_event(void *data, const struct net_sse_event *event)
{
	bool *ok = data;

	*ok = *ok &&
	      (str_eq(event->data, STR("[DONE]")) || json_scan(event->data, NULL, NULL, NULL));
}

bool answer_is_well_formed(struct str stream)
{
	struct net_sse sse;
	bool ok = true;

	net_sse_init(&sse);
	if (!net_sse_feed(&sse, stream, on_checked_event, &ok, NULL) || net_sse_rest(&sse).p)
		ok = false;
	net_sse_done(&sse);
	return ok;
}
