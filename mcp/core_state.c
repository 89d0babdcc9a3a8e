/* SPDX-License-Identifier: Apache-2.0 */
/* What a question carries for its answer in the era without sessions. It goes through the hands of
 * the host, so it is sealed together with its method, name, arguments and time. The key is this
 * process's own and never leaves it: a state does not outlive the process that made it. */
#include "mcp/core_parts.h"

#define SEALED_MAX (LIMIT_MCP_LINE + 1024)
#define HEX_PER_BYTE 2

static void add_hash(struct buf *out, struct str text)
{
	struct hash hash = hash_plain(text.p ? text.p : "", text.len);

	buf_add_hex(out, hash.bytes, sizeof(hash.bytes));
	buf_add_char(out, '\n');
}

/* Equal arguments give equal bytes, in whatever order the host writes them the second time. */
static void add_arguments(struct buf *out, struct str raw)
{
	OWN_JSON struct json *tree = raw.p ? json_parse(raw, NULL) : NULL;
	OWN_BUF struct buf canonical = buf_make(SEALED_MAX);

	if (tree && json_canonical(tree, &canonical, NULL))
		add_hash(out, buf_str(&canonical));
	else
		add_hash(out, raw);
}

static struct hash seal_of(const struct mcp__request *r, struct str text)
{
	OWN_BUF struct buf whole = buf_make(SEALED_MAX);

	buf_add_i64(&whole, r->asked);
	buf_add_char(&whole, '\n');
	add_hash(&whole, buf_str(&r->name));
	add_arguments(&whole, r->arguments);
	buf_add(&whole, text);
	return secret_hash(&r->core->seal, buf_str(&whole));
}

void mcp__state_seal(const struct mcp__request *r, struct str state, struct buf *out)
{
	OWN_BUF struct buf text = buf_make(SEALED_MAX);
	struct hash seal;

	buf_add_i64(&text, env_now_ms(&r->core->env) + LIMIT_MCP_STATE_MS);
	buf_add_char(&text, '.');
	buf_add_hex(&text, state.p, state.len);
	seal = seal_of(r, buf_str(&text));
	buf_add(out, buf_str(&text));
	buf_add_char(out, '.');
	buf_add_hex(out, seal.bytes, sizeof(seal.bytes));
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool add_unhexed(struct str hex, struct buf *out)
{
	for (size_t i = 0; i + 1 < hex.len; i += HEX_PER_BYTE) {
		int high = digit_of(hex.p[i]), low = digit_of(hex.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		buf_add_char(out, (char)(high * 16 + low));
	}
	return hex.len % HEX_PER_BYTE == 0 && !out->failed;
}

static bool is_sealed(const struct mcp__request *r, struct str text, struct str hex)
{
	OWN_BUF struct buf bytes = buf_make(HASH_LEN);
	struct hash expected = seal_of(r, text), seal;

	if (!add_unhexed(hex, &bytes) || bytes.len != sizeof(seal.bytes))
		return false;
	for (size_t i = 0; i < sizeof(seal.bytes); i++)
		seal.bytes[i] = (unsigned char)bytes.p[i];
	return hash_eq(&expected, &seal);
}

bool mcp__state_open(const struct mcp__request *r, struct str sealed, struct buf *out)
{
	struct str rest = sealed;
	struct str due_text = str_cut(&rest, '.');
	struct str state = str_cut(&rest, '.');
	int64_t due_ms = 0;

	if (!rest.p || !str_to_i64(due_text, &due_ms))
		return false;
	struct str text = { sealed.p, due_text.len + 1 + state.len };
	return is_sealed(r, text, rest) && due_ms > env_now_ms(&r->core->env) &&
	       add_unhexed(state, out);
}
