/* SPDX-License-Identifier: Apache-2.0 */
/* Levenshtein's distance over ids of bounded length, so that its one row fits on the stack. */
#include "mcp/near.h"

#include <stdint.h>

#include "base/limits.h"
#include "base/macros.h"

#define NEAR_COUNT 3

static size_t least(size_t a, size_t b, size_t c)
{
	size_t low = a < b ? a : b;

	return low < c ? low : c;
}

/* Characters beyond LIMIT_MODEL_ID do not count. */
static size_t distance(struct str a, struct str b)
{
	size_t row[LIMIT_MODEL_ID + 1];
	size_t width = b.len < LIMIT_MODEL_ID ? b.len : LIMIT_MODEL_ID;
	size_t height = a.len < LIMIT_MODEL_ID ? a.len : LIMIT_MODEL_ID;

	for (size_t x = 0; x <= width; x++)
		row[x] = x;
	for (size_t y = 1; y <= height; y++) {
		size_t diagonal = row[0];

		row[0] = y;
		for (size_t x = 1; x <= width; x++) {
			size_t above = row[x];

			row[x] = least(above + 1, row[x - 1] + 1,
			               diagonal + (a.p[y - 1] != b.p[x - 1]));
			diagonal = above;
		}
	}
	return row[width];
}

struct candidate {
	struct str id;
	size_t distance;
};

/* Keeps the nearest ones in order; of equal ones the first in the catalog. */
static void offer(struct candidate best[NEAR_COUNT], struct candidate next)
{
	for (size_t i = 0; i < NEAR_COUNT; i++) {
		struct candidate moved = best[i];

		if (next.distance >= moved.distance)
			continue;
		best[i] = next;
		next = moved;
	}
}

void mcp__near_models(const struct store_models *models, struct str wanted, struct buf *out)
{
	struct candidate best[NEAR_COUNT];

	for (size_t i = 0; i < NEAR_COUNT; i++)
		best[i] = (struct candidate){ .distance = SIZE_MAX };
	for (size_t i = 0; i < store_models_count(models); i++) {
		const struct store_model *model = store_models_at(models, i);

		if (store_model_routable(models, model))
			offer(best, (struct candidate){ model->id, distance(wanted, model->id) });
	}
	for (size_t i = 0; i < NEAR_COUNT && best[i].id.p; i++) {
		if (i > 0)
			buf_add(out, STR(", "));
		buf_add(out, best[i].id);
	}
}
