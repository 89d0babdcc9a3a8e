// SPDX-License-Identifier: Apache-2.0
// The second line of the official SDK in its three modes, and the Inspector's lint: the same store
// in both eras of the protocol.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { World, order, program } from './harness.mjs';

const inspector = 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js';

let world;
let buyer;
before(async () => {
  world = await World.open({ AGENT_STORE_LISTEN: 'none' });
  buyer = await world.createAccount('second-line', '100.00');
});
after(() => world?.close());

const MODES = [
  { name: 'legacy', mode: 'legacy', era: 'legacy', version: '2025-11-25' },
  { name: 'auto', mode: 'auto', era: 'modern', version: '2026-07-28' },
  { name: 'pinned', mode: { pin: '2026-07-28' }, era: 'modern', version: '2026-07-28' },
];

async function connect(mode) {
  const env = world.env({ AGENT_STORE_AGENT_API_KEY: buyer.purchaseKey });
  const transport = new StdioClientTransport({ command: program, args: ['mcp'], env, stderr: 'pipe' });
  const client = new Client({ name: 'second-line', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(transport);
  return client;
}

for (const { name, mode, era, version } of MODES) {
  test(`a client in mode ${name} connects, lists and buys`, async () => {
    const client = await connect(mode);
    assert.equal(client.getProtocolEra(), era);
    assert.equal(client.getNegotiatedProtocolVersion(), version);
    assert.equal(client.getServerVersion().name, 'agent-store');
    assert.ok(client.getInstructions().startsWith('A prepaid store'));
    const { tools } = await client.listTools();
    assert.ok(tools.some((tool) => tool.name === 'purchase_create'));
    const bought = await client.callTool({ name: 'purchase_create', arguments: order(5, `mode-${name}`) });
    assert.equal(bought.structuredContent.purchase.status, 'completed');
    const refused = await client.callTool({ name: 'service_get', arguments: { serviceId: 'svc_x' } });
    assert.equal(refused.isError, true);
    await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), { code: -32602 });
    await client.close();
  });
}

test('one process serves both eras, message by message', async () => {
  const child = world.spawn(program, ['mcp'], { AGENT_STORE_AGENT_API_KEY: buyer.purchaseKey });
  const lines = [];
  let rest = '';
  child.stdout.on('data', (piece) => {
    const parts = (rest + piece).split('\n');
    rest = parts.pop();
    lines.push(...parts.map((line) => JSON.parse(line)));
  });
  const claim = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {} };
  for (const message of [
    { id: 'd', method: 'server/discover', params: { _meta: claim } },
    { id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } },
    { id: 1, method: 'tools/call', params: { name: 'wallet_get' } },
    { id: 2, method: 'tools/call', params: { name: 'wallet_get', _meta: claim } },
  ]) child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  child.stdin.end();
  await new Promise((done) => child.once('exit', done));
  const result = (id) => lines.find((line) => line.id === id).result;
  assert.deepEqual(result('d').supportedVersions, ['2026-07-28']);
  assert.equal(result(0).protocolVersion, '2025-11-25');
  assert.equal(result(1).resultType, undefined);
  assert.equal(result(2).resultType, 'complete');
  assert.deepEqual(result(1).structuredContent, result(2).structuredContent);
});

function inspect(era, ...args) {
  const env = { ...world.env(), MCP_STORAGE_DIR: join(world.dir, 'inspector') };
  return new Promise((done) => {
    execFile(process.execPath, [inspector, '--cli', program, ...args, '--protocol-era', era, '--format', 'json'],
      { env, timeout: 60000, maxBuffer: 1 << 24 },
      (error, stdout, stderr) => done({ code: error ? error.code : 0, stdout, stderr }));
  });
}

for (const era of ['legacy', 'modern']) {
  test(`the Inspector finds no fault in the schemas, ${era} era`, async () => {
    const { code, stdout, stderr } = await inspect(era, '--method', 'tools/list', '--strict');
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /\b(warning|error)\b/i);
    assert.equal(JSON.parse(stdout).result.tools.length, 16);
  });

  test(`the Inspector calls a tool, ${era} era`, async () => {
    const { code, stdout, stderr } = await inspect(era, '--method', 'tools/call',
      '--tool-name', 'catalog_search', '--tool-arg', 'q=router');
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).result.structuredContent.items[0].id, 'cat_router_credit_001');
  });
}
