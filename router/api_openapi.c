/* SPDX-License-Identifier: Apache-2.0 */
/* GET /openapi.json: the file of docs/ as it was when the program was built. */
#include "router/api_parts.h"
#include "router/embedded.h"

void api_openapi(struct api_call *c)
{
	json_put_raw(&c->out, NULL, (struct str){ router__openapi, router__openapi_len });
	api_answer(c);
}
