// SPDX-License-Identifier: Apache-2.0
// Matches real answers against docs/openapi.json: the path, the status and the body's schema. Knows
// afterwards which operations have been seen to work.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { root } from './harness.mjs';

export const description = JSON.parse(readFileSync(join(root, 'docs/openapi.json'), 'utf8'));

const ajv = new Ajv2020({ strict: false, validateSchema: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(description, 'api');
const pointer = (...parts) =>
  parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
const validators = new Map();

/* /admin/models is no {alias}, so paths without a parameter come first. */
const templates = Object.keys(description.paths)
  .sort((a, b) => a.split('{').length - b.split('{').length)
  .map((path) => ({ path, pattern: new RegExp(`^${path.replaceAll('.', '\\.')
    .replaceAll(/\{\w+\}/g, '[^/]+')}$`) }));

export const seen = new Set(); // "get /buyer/me" that answered 200

/** Throws unless this answer is one that the description admits. */
export function check(method, url, status, type, body) {
  const path = url.split('?')[0];
  const template = templates.find((one) => one.pattern.test(path))?.path;
  assert.ok(template, `${path} is not described`);
  const verb = method.toLowerCase();
  const operation = description.paths[template][verb];
  assert.ok(operation, `${method} ${template} is not described`);
  const media = operation.responses[status]?.content;
  assert.ok(media, `${method} ${template} is not described to answer ${status}: ${body}`);
  const [kind] = type.split(';');
  assert.ok(media[kind], `${method} ${template} is not described to answer ${kind}`);
  if (status === 200) seen.add(`${verb} ${template}`);
  if (kind !== 'application/json') return;
  const at = `api#${pointer('paths', template, verb, 'responses', String(status), 'content', kind,
    'schema')}`;
  if (!validators.has(at)) validators.set(at, ajv.compile({ $ref: encodeURI(at) }));
  const validate = validators.get(at);
  assert.ok(validate(JSON.parse(body)),
    `${method} ${url}: ${JSON.stringify(validate.errors?.slice(0, 4))} in ${body.slice(0, 1000)}`);
}
