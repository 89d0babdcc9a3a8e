/* SPDX-License-Identifier: Apache-2.0 */
/* Router keys: made, listed, rotated, revoked. A secret is in the one answer that made it and in no
 * other place of this program, or in the one file that was asked for; the struct that carries it is
 * wiped when the tool returns. */
#include <string.h>

#include "base/limits.h"
#include "mcp/key_file.h"
#include "mcp/near.h"
#include "mcp/tool.h"
#include "store/office.h"

#define KEY_EXPIRED(info, now) ((info)->expires_ms != 0 && (info)->expires_ms <= (now))

/* ---- Limits ---- */

static bool check_model(const struct store_models *models, struct str id, struct err *err)
{
	OWN_BUF struct buf near = buf_make(LIMIT_ERR_TEXT / 2);

	if (store_models_find(models, id))
		return true;
	if (id.len > LIMIT_MODEL_ID)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'limits.allowedModels' has a name longer than %d bytes",
		               LIMIT_MODEL_ID);
	mcp__near_models(models, id, &near);
	if (near.len == 0)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'limits.allowedModels' has an unknown model '%.*s'", STR_ARG(id));
	return err_set(err, ERR_INVALID_ARGUMENT,
	               "'limits.allowedModels' has an unknown model '%.*s'; near it are: %.*s",
	               STR_ARG(id), STR_ARG(buf_str(&near)));
}

static bool read_limits(const struct mcp__call *call, const struct json *limits,
                        struct store_key_limits *out, struct err *err)
{
	const struct json *model;

	*out = (struct store_key_limits){ .spend_limit = money_of_micros(-1) };
	if (!json_read(limits, &store_key_limit_fields, out, err))
		return err_prefix(err, "in 'limits'");
	if (out->expires_ms != 0 && out->expires_ms <= env_now_ms(call->shop->env))
		return err_set(err, ERR_INVALID_ARGUMENT, "'limits.expiresAt' is in the past");
	for (model = json_first(out->allowed_models); model; model = json_next(model))
		if (!check_model(call->shop->models, json_text(model), err))
			return false;
	return true;
}

/* ---- A key that was just made ---- */

static const char *const DELIVERIES[] = { "inline", "file", NULL };

#define DELIVER_FIELD(type_name)                                                                   \
	{                                                                                          \
		.name = "deliver", .type = JSON_FIELD_STR, .offset = offsetof(type_name, deliver), \
		.choices = DELIVERIES,                                                             \
		.doc = "file: put the key into a file, not into this answer.",                     \
	}

/* Of a wish for a file; does nothing for others. */
static bool prepare_file(const struct mcp__call *call, struct str deliver, struct str label,
                         struct mcp__key_file *file, struct err *err)
{
	if (!str_eq(deliver, STR("file")))
		return true;
	return mcp__key_file_make(call->key_folder, label, call->shop->env, file, err);
}

/* A key that nobody can read is of no use: it is revoked at once. */
static bool deliver(const struct mcp__call *call, const struct store_key_info *info,
                    const struct secret *secret, struct mcp__key_file *file, struct err *err)
{
	struct store_key_info dead;

	if (file->fd < 0 || mcp__key_file_fill(file, secret, err))
		return true;
	(void)!store_key_revoke(call->st, call->account, id_str(&info->id), &dead, NULL);
	return false; /* with the file's error */
}

/* Without the key if it is in a file. */
static void put_new_key(struct json_out *out, const struct mcp_shop *shop,
                        const struct store_key_info *info, const struct secret *secret,
                        const struct mcp__key_file *file)
{
	json_put_object(out, NULL);
	json_put_object(out, "apiKey");
	json_put_str(out, "id", id_str(&info->id));
	json_put_z(out, "label", info->label);
	json_put_z(out, "prefix", key_prefix(info->kind));
	if (file->path.len > 0)
		json_put_str(out, "secretFile", buf_str(&file->path));
	else
		json_put_str(out, "secret", secret_str(secret));
	mcp__put_urls(out, shop);
	store_key_limits_put(out, "limits", info);
	json_put_time(out, "createdAt", info->created_ms);
	json_put_end(out, '}');
	json_put_end(out, '}');
}

static const struct mcp__shape NEW_KEY_MEMBERS[] = {
	{ .name = "id", .type = MCP__TEXT, .doc = "apiKeyId for the other key tools." },
	{ .name = "label", .type = MCP__TEXT, .doc = "Your name for it." },
	{ .name = "prefix", .type = MCP__TEXT, .doc = "asr_live_" },
	{ .name = "secret",
	  .type = MCP__TEXT,
	  .optional = true,
	  .doc = "The key itself; shown only here." },
	{ .name = "secretFile",
	  .type = MCP__TEXT,
	  .optional = true,
	  .doc = "Or the path of the file that holds it." },
	{ .name = "baseUrl",
	  .type = MCP__TEXT,
	  .nullable = true,
	  .doc = "OpenAI-compatible base URL." },
	{ .name = "anthropicBaseUrl",
	  .type = MCP__TEXT,
	  .nullable = true,
	  .doc = "Base URL for Anthropic SDKs." },
	{ .name = "problem", .type = MCP__TEXT, .optional = true, .doc = "Why there is no URL." },
	{ .name = "limits", .type = MCP__OBJECT, .doc = "The limits that it has." },
	{ .name = "createdAt", .type = MCP__TIME, .doc = "When." },
};
static const struct mcp__shapes NEW_KEY_SHAPES = MCP__SHAPES(NEW_KEY_MEMBERS);
static const struct mcp__shape NEW_MEMBERS[] = {
	{ .name = "apiKey", .type = MCP__OBJECT, .doc = "The new key.", .sub = &NEW_KEY_SHAPES },
};
static const struct mcp__shapes NEW_SHAPES = MCP__SHAPES(NEW_MEMBERS);

/* ---- router_api_key_create ---- */

struct creation {
	struct str service_id;
	struct str label;
	const struct json *limits;
	struct str deliver;
};

static const struct json_field CREATE_FIELD[] = {
	{ .name = "serviceId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct creation, service_id),
	  .required = true,
	  .doc = "The service whose credit the key spends (svc_...)." },
	{ .name = "label",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct creation, label),
	  .required = true,
	  .min = 1,
	  .max = LIMIT_LABEL,
	  .doc = "A name to tell your keys apart; need not be unique." },
	{ .name = "limits",
	  .type = JSON_FIELD_OBJECT,
	  .offset = offsetof(struct creation, limits),
	  .doc = "What the key may do; without it only the credit limits it.",
	  .sub = &store_key_limit_fields },
	DELIVER_FIELD(struct creation),
};
static const struct json_fields CREATE_FIELDS = JSON_FIELDS(CREATE_FIELD);

static bool create_key(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct creation wanted = { 0 };
	struct store_key_limits limits;
	struct store_key_info info;
	OWN_SECRET struct secret secret = { 0 };
	OWN_KEY_FILE struct mcp__key_file file = mcp__key_file_none();

	if (!json_read(call->arguments, &CREATE_FIELDS, &wanted, err) ||
	    !read_limits(call, wanted.limits, &limits, err) ||
	    !prepare_file(call, wanted.deliver, wanted.label, &file, err) ||
	    !store_router_key_create(call->st, call->account, wanted.service_id, wanted.label,
	                             &limits, &info, &secret, err) ||
	    !deliver(call, &info, &secret, &file, err))
		return false;
	put_new_key(out, call->shop, &info, &secret, &file);
	return true;
}

const struct mcp__tool mcp__tool_router_api_key_create = {
	.name = "router_api_key_create",
	.title = "Create a router key",
	.description = "Makes a key (asr_live_...) for the OpenAI- and Anthropic-compatible URLs, "
		       "which spends a service's credit. Making it is free. The key is in this one "
		       "answer only: hand it over at once and keep it out of logs, or let deliver: "
		       "file keep it out of this chat. It lives until it is revoked or expires. "
		       "Calling again makes a second key.",
	.hints = { .read_only = false, .destructive = false, .idempotent = false },
	.needs_account = true,
	.durable = true,
	.input = &CREATE_FIELDS,
	.output = &NEW_SHAPES,
	.run = create_key,
};

/* ---- router_api_key_list ---- */

struct key_listing {
	struct json_out *out;
	int64_t now_ms;
};

static const char *key_status(const struct store_key_info *info, int64_t now_ms)
{
	if (info->revoked)
		return "revoked";
	return KEY_EXPIRED(info, now_ms) ? "expired" : "active";
}

static void list_one(void *data, const struct store_key_info *info)
{
	struct key_listing *listing = data;
	struct json_out *out = listing->out;

	json_put_object(out, NULL);
	json_put_str(out, "id", id_str(&info->id));
	json_put_z(out, "label", info->label);
	json_put_z(out, "prefix", key_prefix(info->kind));
	json_put_z(out, "lookup", info->lookup);
	json_put_z(out, "status", key_status(info, listing->now_ms));
	store_key_limits_put(out, "limits", info);
	json_put_usd(out, "spentUsd", info->spent);
	json_put_time(out, "createdAt", info->created_ms);
	json_put_time(out, "lastUsedAt", info->last_used_ms);
	json_put_end(out, '}');
}

static bool list_keys(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct mcp__service_argument which = { 0 };
	struct key_listing listing = { .out = out, .now_ms = env_now_ms(call->shop->env) };

	if (!json_read(call->arguments, &mcp__service_fields, &which, err))
		return false;
	json_put_object(out, NULL);
	json_put_array(out, "apiKeys");
	if (!store_key_each(call->st, call->account, which.service_id, list_one, &listing, err))
		return false;
	json_put_end(out, ']');
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape KEY_MEMBERS[] = {
	{ .name = "id", .type = MCP__TEXT, .doc = "apiKeyId" },
	{ .name = "label", .type = MCP__TEXT, .doc = "Its name." },
	{ .name = "prefix", .type = MCP__TEXT, .doc = "Start of the key." },
	{ .name = "lookup", .type = MCP__TEXT, .doc = "Public part after the prefix." },
	{ .name = "status", .type = MCP__TEXT, .doc = "active, expired or revoked." },
	{ .name = "limits", .type = MCP__OBJECT, .doc = "The limits that it has." },
	{ .name = "spentUsd", .type = MCP__TEXT, .doc = "Spent so far, decimal USD." },
	{ .name = "createdAt", .type = MCP__TIME, .doc = "When." },
	{ .name = "lastUsedAt", .type = MCP__TIME, .nullable = true, .doc = "null: never." },
};
static const struct mcp__shapes KEY_SHAPES = MCP__SHAPES(KEY_MEMBERS);
static const struct mcp__shape LIST_MEMBERS[] = {
	{ .name = "apiKeys",
	  .type = MCP__LIST,
	  .doc = "All keys of the service, dead ones too.",
	  .sub = &KEY_SHAPES },
};
static const struct mcp__shapes LIST_SHAPES = MCP__SHAPES(LIST_MEMBERS);

const struct mcp__tool mcp__tool_router_api_key_list = {
	.name = "router_api_key_list",
	.title = "List router keys",
	.description = "Lists a service's router keys with status, limits and what each has spent; "
		       "never a secret. Free. Use it to find the id of a key to rotate or revoke.",
	.hints = MCP__LOOK_ONLY,
	.needs_account = true,
	.input = &mcp__service_fields,
	.output = &LIST_SHAPES,
	.run = list_keys,
};

/* ---- router_api_key_rotate, router_api_key_revoke ---- */

#define KEY_ID_DOC "Id of a router key (router_key_...), not the key itself."

struct key_argument {
	struct str key_id;
};

static const struct json_field KEY_FIELD[] = {
	{ .name = "apiKeyId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct key_argument, key_id),
	  .required = true,
	  .doc = KEY_ID_DOC },
};
static const struct json_fields KEY_FIELDS = JSON_FIELDS(KEY_FIELD);

struct rotation {
	struct str key_id;
	struct str deliver;
};

static const struct json_field ROTATE_FIELD[] = {
	{ .name = "apiKeyId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct rotation, key_id),
	  .required = true,
	  .doc = KEY_ID_DOC },
	DELIVER_FIELD(struct rotation),
};
static const struct json_fields ROTATE_FIELDS = JSON_FIELDS(ROTATE_FIELD);

struct key_search {
	struct str id;
	bool found;
	char label[LIMIT_LABEL + 1];
};

static void look_at_key(void *data, const struct store_key_info *info)
{
	struct key_search *search = data;

	if (info->kind != KEY_ROUTER || !str_eq(id_str(&info->id), search->id))
		return;
	search->found = true;
	memcpy(search->label, info->label, sizeof(search->label));
}

/* The store knows keys of every kind by the same sort of id; these tools are for router keys, and
 * an agent must not be able to replace the purchase key that it acts with. */
static bool find_router_key(const struct mcp__call *call, struct str key_id, struct key_search *out,
                            struct err *err)
{
	*out = (struct key_search){ .id = key_id };
	if (!store_key_each(call->st, call->account, (struct str){ 0 }, look_at_key, out, err))
		return false;
	if (!out->found)
		return err_set(err, ERR_NOT_FOUND, "there is no router key '%.*s'",
		               STR_ARG(key_id));
	return true;
}

static bool rotate_key(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct rotation wanted = { 0 };
	struct key_search old;
	struct store_key_info info;
	OWN_SECRET struct secret secret = { 0 };
	OWN_KEY_FILE struct mcp__key_file file = mcp__key_file_none();

	if (!json_read(call->arguments, &ROTATE_FIELDS, &wanted, err) ||
	    !find_router_key(call, wanted.key_id, &old, err) ||
	    !prepare_file(call, wanted.deliver, str_of(old.label), &file, err) ||
	    !store_key_rotate(call->st, call->account, wanted.key_id, &info, &secret, err) ||
	    !deliver(call, &info, &secret, &file, err))
		return false;
	put_new_key(out, call->shop, &info, &secret, &file);
	return true;
}

static const struct mcp__shape ROTATED_MEMBERS[] = {
	{ .name = "apiKey",
	  .type = MCP__OBJECT,
	  .doc = "The new key with its secret, as router_api_key_create returns it." },
};
static const struct mcp__shapes ROTATED_SHAPES = MCP__SHAPES(ROTATED_MEMBERS);

const struct mcp__tool mcp__tool_router_api_key_rotate = {
	.name = "router_api_key_rotate",
	.title = "Replace a router key",
	.description = "Replaces a router key, for example one that leaked, by a new one with the "
		       "same label and limits. Free. The old key is dead before the answer comes, "
		       "so programs that use it fail until they get the new one, which is shown "
		       "only here.",
	.hints = { .read_only = false, .destructive = true, .idempotent = false },
	.needs_account = true,
	.durable = true,
	.input = &ROTATE_FIELDS,
	.output = &ROTATED_SHAPES,
	.run = rotate_key,
};

static bool revoke_key(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct key_argument which = { 0 };
	struct key_search found;
	struct store_key_info info;

	if (!json_read(call->arguments, &KEY_FIELDS, &which, err) ||
	    !find_router_key(call, which.key_id, &found, err) ||
	    !store_key_revoke(call->st, call->account, which.key_id, &info, err))
		return false;
	json_put_object(out, NULL);
	json_put_object(out, "apiKey");
	json_put_str(out, "id", id_str(&info.id));
	json_put_z(out, "status", key_status(&info, env_now_ms(call->shop->env)));
	json_put_end(out, '}');
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape REVOKED_MEMBERS[] = {
	{ .name = "apiKey", .type = MCP__OBJECT, .doc = "Its id and status: revoked." },
};
static const struct mcp__shapes REVOKED_SHAPES = MCP__SHAPES(REVOKED_MEMBERS);

const struct mcp__tool mcp__tool_router_api_key_revoke = {
	.name = "router_api_key_revoke",
	.title = "Revoke a router key",
	.description = "Ends a router key for ever; calls with it are refused from now on. Free, "
		       "cannot be undone. The service's credit stays. Revoking again changes "
		       "nothing.",
	.hints = { .read_only = false, .destructive = true, .idempotent = true },
	.needs_account = true,
	.durable = true,
	.input = &KEY_FIELDS,
	.output = &REVOKED_SHAPES,
	.run = revoke_key,
};
