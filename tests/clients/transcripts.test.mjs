// SPDX-License-Identifier: Apache-2.0
// The transcripts that are shipped are true, and one that is not says where.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { World, root } from './harness.mjs';

const folder = join(root, 'fixtures/transcripts');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

let world;
before(async () => { world = await World.open(); });
after(() => world?.close());

/** The transcript of `name` after `change`, in a file of its own. */
function changed(name, change) {
  const script = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  change(script);
  const path = join(world.dir, 'changed.json');
  writeFileSync(path, JSON.stringify(script));
  return path;
}

for (const name of files)
  test(`${name} is true`, async () => {
    const { code, stdout, stderr } = await world.cli('transcript', join(folder, name));
    assert.equal(code, 0, stdout + stderr);
    const { steps } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    assert.equal((stdout.match(/\bms\b/g) ?? []).length >= steps.length, true, stdout);
    assert.doesNotMatch(stdout, /(asr_live|ask_live|rk)_\w{16}\.\w{49}/, 'no key is shown whole');
  });

test('all files in one run', async () => {
  const { code, stdout } = await world.cli('transcript', ...files.map((name) => join(folder, name)));
  assert.equal(code, 0, stdout);
});

test("the first seed's eight steps are there", () => {
  const { steps } = JSON.parse(readFileSync(join(folder, 'llm-router.json'), 'utf8'));
  assert.deepEqual(steps.map((step) => step.tool ?? step.http.path).slice(0, 8),
    ['catalog_search', 'catalog_checkout_requirements', 'quote_create', 'purchase_create',
      'service_get', 'router_api_key_create', '/openai/v1/models', '/openai/v1/chat/completions']);
});

test('a wrong expectation of a tool ends with 1 and says step, path, got and expected', async () => {
  const path = changed('llm-router.json', (script) => {
    script.steps.find((step) => step.tool === 'quote_create').expect = { quote: { totalPriceMinor: 2600 } };
  });
  const { code, stdout, stderr } = await world.cli('transcript', path);
  assert.equal(code, 1);
  const text = stdout + stderr;
  assert.match(text, /step 3\b/i);
  assert.match(text, /quote\.totalPriceMinor/);
  assert.match(text, /2500/);
  assert.match(text, /2600/);
});

test('a wrong expectation of an HTTP step likewise', async () => {
  let number;
  const path = changed('llm-router.json', (script) => {
    number = script.steps.findIndex((step) => step.http) + 1;
    script.steps[number - 1].expect = { status: 418 };
  });
  const { code, stdout, stderr } = await world.cli('transcript', path);
  assert.equal(code, 1);
  assert.match(stdout + stderr, new RegExp(`step ${number}\\b`, 'i'));
  assert.match(stdout + stderr, /status[\s\S]*(200[\s\S]*418|418[\s\S]*200)/);
});

test('a misspelt key, a name that was not saved and a missing file are told by name', async () => {
  for (const [change, pattern] of [
    [(script) => { script.steps[0].expects = {}; }, /expects/],
    [(script) => { script.steps[3].input = { quoteId: '${no_such}', idempotencyKey: 'x' }; }, /no_such/]]) {
    const { code, stdout, stderr } = await world.cli('transcript', changed('llm-router.json', change));
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, pattern);
  }
  const missing = await world.cli('transcript', join(world.dir, 'nowhere.json'));
  assert.notEqual(missing.code, 0);
  assert.match(missing.stderr, /nowhere\.json/);
});
