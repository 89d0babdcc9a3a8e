/* SPDX-License-Identifier: Apache-2.0 */
/* The form that a person sees before a purchase above the limit, and what they make of it. One
 * question per request, in both eras: an answered request is not asked again, whatever the shop
 * says to it. docs/decisions/0007-approvals.md tells why it is built so. */
#include "mcp/approval.h"

#include "base/limits.h"
#include "base/macros.h"

#define INPUT "approval" /* the question's name */
#define FIELD "approve"  /* the form's one field */
#define QUESTION_MAX 2048

/* Answers without the state that we gave belong to no question of ours. */
static bool was_asked(const struct mcp__request *r)
{
	return mcp__request_answered(r) && mcp__request_state(r).p;
}

/* The tick in the box is the consent; to accept the form without it is to decline. */
static const char *action_of(struct str raw_answer)
{
	static const char *const keys[] = { "action", "content" };
	static const char *const fields[] = { FIELD };
	struct str answer[ARRAY_LEN(keys)], ticked[ARRAY_LEN(fields)];
	bool approve = false;

	if (!raw_answer.p || !json_pick(raw_answer, keys, answer, ARRAY_LEN(keys), NULL) ||
	    json_raw_equals(answer[0], STR("cancel")))
		return "cancel";
	if (json_raw_equals(answer[0], STR("accept")) && answer[1].p &&
	    json_pick(answer[1], fields, ticked, ARRAY_LEN(fields), NULL) &&
	    json_raw_bool(ticked[0], &approve) && approve)
		return "accept";
	return "decline";
}

void mcp__approval_put(const struct mcp__request *r, struct json_out *work)
{
	if (!was_asked(r)) {
		json_put_bool(work, "asks", mcp__request_can(r, MCP__CAN_FILL_FORM));
		return;
	}
	json_put_object(work, "consent");
	json_put_str(work, "approval", mcp__request_state(r));
	json_put_z(work, "action", action_of(mcp__request_answer(r, INPUT)));
	json_put_end(work, '}');
}

static void put_form(struct json_out *o, struct str raw_message)
{
	json_put_object(o, NULL);
	json_put_raw(o, "message", raw_message);
	json_put_object(o, "requestedSchema");
	json_put_z(o, "type", "object");
	json_put_object(o, "properties");
	json_put_object(o, FIELD);
	json_put_z(o, "type", "boolean");
	json_put_z(o, "title", "Buy it");
	json_put_z(o, "description", "Yes: the money is spent. No: nothing is bought.");
	json_put_end(o, '}');
	json_put_end(o, '}');
	json_put_array(o, "required");
	json_put_z(o, NULL, FIELD);
	json_put_end(o, ']');
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static bool read_question(struct str raw_error, struct str *raw_message, struct buf *id)
{
	static const char *const keys[] = { "approval" };
	static const char *const members[] = { "id", "message" };
	struct str approval = { 0 }, question[ARRAY_LEN(members)];

	if (!json_pick(raw_error, keys, &approval, 1, NULL) || !approval.p ||
	    !json_pick(approval, members, question, ARRAY_LEN(members), NULL) || !question[1].p)
		return false;
	*raw_message = question[1];
	return json_raw_string(question[0], id);
}

bool mcp__approval_ask(struct mcp__request *r, struct str raw_error)
{
	OWN_BUF struct buf id = buf_make(LIMIT_MCP_STATE);
	OWN_JSON_OUT struct json_out form = json_out_make(QUESTION_MAX);
	struct str raw_message;

	if (was_asked(r) || !read_question(raw_error, &raw_message, &id))
		return false;
	put_form(&form, raw_message);
	if (!json_out_ok(&form, NULL))
		return false;
	const struct mcp__input input = { INPUT, MCP__CAN_FILL_FORM, buf_str(&form.text) };
	return mcp__request_ask(r, &input, 1, buf_str(&id), NULL);
}
