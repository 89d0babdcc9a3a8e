// SPDX-License-Identifier: Apache-2.0
// The pipe itself, on the built program: how a session ends, and what may never stop or reach it.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { World, exited, order, program, until } from './harness.mjs';

let world;
let buyer;
before(async () => {
  world = await World.open({ AGENT_STORE_LISTEN: 'none' });
  buyer = await world.createAccount('pipe', '1000.00');
});
after(() => world?.close());

const line = (id, method, params) => `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
const call = (id, name, args = {}) => line(id, 'tools/call', { name, arguments: args });

/** A session whose output is gathered as text. */
function session(extra = {}) {
  const child = world.spawn(program, ['mcp'], { AGENT_STORE_AGENT_API_KEY: buyer.purchaseKey, ...extra });
  child.text = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => { child.text += piece; });
  return child;
}

/** Every line is one whole message; gives them by id. */
function messages(text) {
  assert.ok(text === '' || text.endsWith('\n'), 'the last line is whole');
  const all = text.split('\n').filter(Boolean).map((one) => JSON.parse(one));
  for (const message of all) assert.equal(message.jsonrpc, '2.0');
  return new Map(all.map((message) => [message.id, message]));
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} with work in flight: every line is whole, the exit is clean and soon`, async () => {
    const child = session();
    for (let i = 0; i < 20; i++) child.stdin.write(call(i, 'purchase_create', order(1, `${signal}-${i}`)));
    await until('the first answer', () => child.text.includes('\n'));
    const started = Date.now();
    child.kill(signal);
    assert.equal(await exited(child), 0);
    assert.ok(Date.now() - started < 2000);
    const answered = [...messages(child.text).values()].filter((message) => message.result);
    assert.ok(answered.every((message) => message.result.structuredContent.purchase.status === 'completed'));
    assert.equal((await world.cli('ledger', 'verify')).code, 0);
  });
}

test('the end of the input and SIGTERM together, as a probing SDK sends them', async () => {
  const child = session();
  child.stdin.write(line('p', 'server/discover', { _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } }));
  await until('the answer', () => child.text.includes('\n'));
  const started = Date.now();
  child.stdin.end();
  child.kill('SIGTERM');
  assert.equal(await exited(child), 0);
  assert.ok(Date.now() - started < 1000);
  assert.ok(messages(child.text).get('p').result);
});

test('the end of the input with purchases in flight: all are answered, then it exits', async () => {
  const child = session();
  for (let i = 0; i < 30; i++) child.stdin.write(call(i, 'purchase_create', order(1, `eof-${i}`)));
  child.stdin.end();
  assert.equal(await exited(child), 0);
  const all = messages(child.text);
  assert.equal(all.size, 30);
  for (const message of all.values()) assert.equal(message.result.isError, false);
});

test('a host that reads late gets every answer', async () => {
  const child = world.spawn(program, ['mcp'], {});
  child.stdout.pause();
  const asked = 400; // tools/list: some 10 MiB of answers, far above what a pipe holds
  for (let i = 0; i < asked; i++) child.stdin.write(line(i, 'tools/list'));
  await new Promise((done) => setTimeout(done, 300));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => { text += piece; });
  child.stdout.resume();
  await until('all answers', () => text.split('\n').length > asked, 30000);
  child.stdin.end();
  assert.equal(await exited(child), 0);
  assert.equal(messages(text).size, asked);
});

test('a stderr that is full and that nobody reads stops nothing', async () => {
  const full = join(world.dir, 'full-stderr');
  execFileSync('mkfifo', [full]);
  // The shell fills the pipe, then becomes the program with that as its stderr.
  const child = spawn('bash', ['-c', 'exec 3<>"$0"; head -c 65536 /dev/zero >&3; exec "$@" 2>&3', full, program, 'mcp'],
    { env: world.env({ AGENT_STORE_LOG: 'debug' }), stdio: ['pipe', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => { text += piece; });
  for (let i = 0; i < 50; i++) child.stdin.write(call(i, 'catalog_categories'));
  child.stdin.end();
  assert.equal(await exited(child), 0);
  assert.equal(messages(text).size, 50);
});

test('a host that went away without a word ends the process', async () => {
  const child = session();
  child.stdin.write(line(1, 'ping'));
  await until('the answer', () => child.text.includes('\n'));
  child.stdout.destroy();
  child.stdin.write(line(2, 'ping'));
  const started = Date.now();
  assert.equal(await exited(child), 0);
  assert.ok(Date.now() - started < 3000);
});

test('a purchase that was cancelled after it had committed stays and is found', async () => {
  const child = session();
  const before = (await world.balance('pipe')).wallet;
  child.stdin.write(call('buy', 'purchase_create', order(7, 'cancel-late')));
  await until('the answer', () => child.text.includes('"buy"'));
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'buy' } })}\n`);
  const { purchase } = messages(child.text).get('buy').result.structuredContent;
  child.stdin.write(call('look', 'purchase_get_status', { purchaseId: purchase.id }));
  await until('the status', () => child.text.includes('"look"'));
  assert.equal(messages(child.text).get('look').result.structuredContent.purchase.status, 'completed');
  child.stdin.end();
  assert.equal(await exited(child), 0);
  assert.equal(before - (await world.balance('pipe')).wallet, 7000000n);
});

test('bytes that are no text: the session goes on', async () => {
  const child = session();
  const noise = Buffer.alloc(1 << 20);
  for (let i = 0; i < noise.length; i++) noise[i] = (i * 2654435761) >>> 13;
  child.stdin.write(noise);
  child.stdin.write(`\n${'x'.repeat(5 << 20)}\n`);
  child.stdin.write(line('alive', 'ping'));
  await until('the answer', () => child.text.includes('"alive"'), 20000);
  child.stdin.end();
  assert.equal(await exited(child), 0);
  const all = child.text.split('\n').filter(Boolean).map((one) => JSON.parse(one));
  assert.ok(all.some((message) => message.error?.code === -32600), 'the line that was too long');
  for (const message of all) assert.ok(message.id === 'alive' || message.error.code <= -32600);
});
