/* SPDX-License-Identifier: Apache-2.0 */
/* Marks a signature with its signer and takes the mark off again. The providers' own texts are
 * base64, which has neither a point nor a colon, so a text cannot be taken for a marked one. */
#include "router/talk.h"

static const struct str kinds[] = {
	[TALK_SEAL_THINKING] = STR_INIT(""),
	[TALK_SEAL_CALL] = STR_INIT("call"),
	[TALK_SEAL_REDACTED] = STR_INIT("redacted"),
};

void talk_seal_put(struct buf *out, const struct talk_seal *seal)
{
	buf_add_z(out, provider_name(seal->signer));
	if (kinds[seal->kind].len > 0)
		buf_add_char(out, '.');
	buf_add(out, kinds[seal->kind]);
	buf_add_char(out, ':');
	buf_add(out, seal->text);
}

struct talk_seal talk_seal_read(struct str text)
{
	struct talk_seal bare = { TALK_SEAL_THINKING, PROVIDER_ANTHROPIC, text };
	struct talk_seal seal = bare;
	struct str rest = text;
	struct str mark = str_cut(&rest, ':');
	struct str kind = mark;
	struct str signer = str_cut(&kind, '.');

	if (!rest.p || !provider_parse(signer, &seal.signer))
		return bare;
	seal.text = rest;
	if (!kind.p)
		return seal;
	for (size_t i = TALK_SEAL_CALL; i < ARRAY_LEN(kinds); i++) {
		if (str_eq(kind, kinds[i])) {
			seal.kind = (enum talk_seal_kind)i;
			return seal;
		}
	}
	return bare;
}
