// SPDX-License-Identifier: Apache-2.0
// The official conformance suite, both frozen sets of requirements: the suite's own fixtures on our
// protocol core pass every required scenario; the product passes all that need no fixture names.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { bridge } from './bridge.mjs';
import { World, program } from './harness.mjs';

const suite = 'node_modules/@modelcontextprotocol/conformance/dist/index.js';
const fixtures = join(dirname(program), 'tests/conformance-server');

/** What the product must pass; the other required scenarios call fixtures by their names. */
const ofProduct = {
  '2025-11-25': ['server-initialize', 'ping', 'tools-list', 'resources-list', 'prompts-list',
    'server-sse-multiple-streams', 'dns-rebinding-protection'],
  '2026-07-28': ['server-stateless', 'tools-list', 'resources-list', 'prompts-list',
    'caching', 'sep-2164-resource-not-found', 'server-sse-multiple-streams', 'dns-rebinding-protection',
    'input-required-result-unsupported-methods', 'input-required-result-validate-input'],
};

/** Checks of server-stateless that call a fixture by its name. */
const needFixtures = ['sep-2575-server-rejects-undeclared-capability', 'sep-2575-missing-capability-http-400',
  'sep-2575-http-server-no-independent-requests-on-stream', 'sep-2575-server-no-log-without-loglevel'];

function run(args) {
  return new Promise((done) => {
    execFile(process.execPath, [suite, ...args], { timeout: 120000, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => done({ code: error ? error.code : 0, text: stdout + stderr }));
  });
}

/** The names of a frozen set's server scenarios. */
async function required(revision) {
  const { text } = await run(['list', '--requirements', revision]);
  const section = text.slice(text.indexOf('Server scenarios'), text.indexOf('Client scenarios'));
  return [...section.matchAll(/^ {2}- (\S+)/gm)].map(([, name]) => name);
}

/** Every check of a run, by scenario. */
function checksIn(folder) {
  const checks = {};
  for (const name of readdirSync(folder)) {
    const [, scenario] = name.match(/^server-(.*)-\d{4}-\d\d-\d\dT/) ?? [];
    if (!scenario) continue;
    checks[scenario] = JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8'));
  }
  return checks;
}

async function runSuite(revision, command, env, folder) {
  const http = await bridge(command, env);
  try {
    const { code, text } = await run(['server', '--url', http.url, '--requirements', revision, '-o', folder]);
    return { code, text, checks: checksIn(folder), complaints: http.complaints };
  } finally {
    await http.close();
  }
}

const bad = (check) => check.status === 'FAILURE' || check.status === 'WARNING';
const told = (checks) => checks.map(({ id, errorMessage }) => `${id}: ${errorMessage}`).join('\n');

let world;
let folder;
before(async () => {
  world = await World.open({ AGENT_STORE_LISTEN: 'none' });
  folder = mkdtempSync(join(tmpdir(), 'agent-store-conformance-'));
});
after(async () => {
  await world?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

for (const revision of ['2025-11-25', '2026-07-28']) {
  describe(`conformance with ${revision}`, { timeout: 120000 }, () => {
    let names;
    let core;
    let product;
    before(async () => {
      names = await required(revision);
      const env = { ...world.env(), AGENT_STORE_LOG: 'error' };
      [core, product] = await Promise.all([
        runSuite(revision, [fixtures], process.env, join(folder, `core-${revision}`)),
        runSuite(revision, [program, 'mcp'], env, join(folder, `product-${revision}`)),
      ]);
    });

    test('every required scenario passes with the fixtures on our core', (t) => {
      assert.ok(names.length >= 30, `${names.length} scenarios are required`);
      assert.equal(core.code, 0, core.text.slice(-3000));
      let passed = 0;
      for (const name of names) {
        const checks = core.checks[name] ?? [];
        passed += checks.filter((check) => check.status === 'SUCCESS').length;
        assert.ok(checks.some((check) => check.status === 'SUCCESS'), `${name} has passed a check`);
        assert.deepEqual(checks.filter(bad), [], told(checks.filter(bad)));
      }
      t.diagnostic(`${revision}: ${names.length} scenarios, ${passed} checks passed, 0 failed`);
    });

    test('the product passes all that need no fixture names', (t) => {
      for (const name of ofProduct[revision]) {
        const faults = (product.checks[name] ?? [{ id: name, status: 'FAILURE', errorMessage: 'was not run' }])
          .filter((check) => bad(check) && !needFixtures.includes(check.id));
        assert.deepEqual(faults, [], told(faults));
      }
      t.diagnostic(`${revision}: ${ofProduct[revision].length} scenarios of the product`);
    });

    test('no line was anything but a message that the era allows', () => {
      assert.deepEqual(core.complaints, []);
      assert.deepEqual(product.complaints, []);
    });
  });
}
