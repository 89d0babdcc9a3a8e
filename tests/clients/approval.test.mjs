// SPDX-License-Identifier: Apache-2.0
// Purchases that a person approves, with real clients: both lines of the official SDK, and the
// Inspector's mcpdo, whose user answers by commands. The first process owns the store and the others
// are its relays, so the consent always crosses the socket.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client as Client2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { World, order, program } from './harness.mjs';

const mcpdo = 'node_modules/@modelcontextprotocol/inspector/clients/mcpdo/build/mcp-bin.js';

let world;
let buyer;
let keys;
before(async () => {
  world = await World.open({ AGENT_STORE_LISTEN: 'none' });
  buyer = await world.createAccount('buyer', '1000.00');
  await world.cliOk('account', 'policy', 'buyer', '--approval-above-usd', '20');
  keys = join(world.dir, 'keys');
  mkdirSync(keys, { mode: 0o700 });
  await world.mcp(buyer.purchaseKey).then((owner) => owner.call('wallet_get'));
});
after(async () => {
  await Promise.all(clients.map((client) => client.close().catch(() => {}))); /* of tests that failed */
  await world?.close();
});

const settings = () => world.env({ AGENT_STORE_AGENT_API_KEY: buyer.purchaseKey,
  AGENT_STORE_KEY_DIR: keys });
const wallet = async () => (await world.cliOk('account', 'show', 'buyer')).account.walletUsd;

const CLIENTS = [
  { name: 'SDK 1', make: () => new Client1({ name: 'h', version: '1' }, { capabilities: { elicitation: {} } }),
    transport: (options) => new Stdio1(options), schema: ElicitRequestSchema },
  ...[['legacy', 'legacy'], ['pinned', { pin: '2026-07-28' }]].map(([name, mode]) => ({
    name: `SDK 2, ${name}`,
    make: () => new Client2({ name: 'h', version: '1' },
      { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode } }),
    transport: (options) => new Stdio2(options), schema: 'elicitation/create' })),
];

const clients = [];

/** A host whose user gives these answers, one after the other. */
async function connect({ make, transport, schema }, answers) {
  const client = make();
  clients.push(client);
  const asked = [];
  client.setRequestHandler(schema, async (request) => {
    asked.push(request.params);
    return answers.shift();
  });
  await client.connect(transport({ command: program, args: ['mcp'], env: settings(), stderr: 'pipe' }));
  return { client, asked, buy: (usd, key) => client.callTool({ name: 'purchase_create', arguments: order(usd, key) }) };
}

for (const one of CLIENTS) {
  test(`${one.name}: accept buys once, decline and cancel end it`, async () => {
    const { client, asked, buy } = await connect(one,
      [{ action: 'accept', content: { approve: true } }, { action: 'decline' }, { action: 'cancel' }]);
    const start = Number(await wallet());
    const bought = await buy(25, `${one.name} yes`);
    assert.equal(bought.isError ?? false, false, JSON.stringify(bought));
    assert.equal(bought.structuredContent.purchase.totalPriceMinor, 2500);
    const again = await buy(25, `${one.name} yes`);
    assert.equal(again.structuredContent.purchase.id, bought.structuredContent.purchase.id);
    const offset = CLIENTS.indexOf(one); // no two clients are refused the same purchase
    for (const [usd, key, words] of [[30 + offset, 'no', 'the user declined'], [40 + offset, 'hm', 'gave no answer']]) {
      for (let i = 0; i < 2; i++) {
        const refused = await buy(usd, `${one.name} ${key}`);
        assert.equal(refused.isError, true);
        assert.equal(refused.structuredContent.error.code, 'policy_refused');
        assert.ok(refused.content[0].text.includes(words), refused.content[0].text);
      }
    }
    assert.equal(asked.length, 3);
    assert.match(asked[0].message, /^Buy LLM Router Credits \(\$25\) for 25\.00 USD\?/);
    assert.equal(start - Number(await wallet()), 25);
    await client.close();
  });

  test(`${one.name}: resources, prompts and completions`, async () => {
    const { client } = await connect(one, []);
    const { resources } = await client.listResources();
    assert.deepEqual(resources.map(({ uri }) => uri), ['store://catalog', 'store://models', 'store://pricing']);
    for (const { uri } of resources) {
      const { contents } = await client.readResource({ uri });
      assert.equal(contents[0].uri, uri);
      JSON.parse(contents[0].text);
    }
    const { resourceTemplates } = await client.listResourceTemplates();
    const service = resourceTemplates.find(({ name }) => name === 'service').uriTemplate;
    const { completion } = await client.complete({ ref: { type: 'ref/resource', uri: service },
      argument: { name: 'id', value: 'svc_' } });
    const read = await client.readResource({ uri: service.replace('{id}', completion.values[0]) });
    assert.equal(JSON.parse(read.contents[0].text).service.id, completion.values[0]);
    const { prompts } = await client.listPrompts();
    assert.deepEqual(prompts.map(({ name }) => name), ['buy-credit', 'check-spending', 'rotate-key']);
    const task = await client.getPrompt({ name: 'buy-credit', arguments: { amountUsd: '5' } });
    assert.match(task.messages[0].content.text, /creditAmountUsd 5\.00/);
    await client.close();
  });
}

test('a relay has keys put into files of its own folder, and never into the answer', async () => {
  const { client } = await connect(CLIENTS[0], []);
  const call = async (name, args) => (await client.callTool({ name, arguments: args }));
  const { services } = (await call('service_list', {})).structuredContent;
  const made = await call('router_api_key_create',
    { serviceId: services[0].id, label: 'ci / main', deliver: 'file' });
  const { apiKey } = made.structuredContent;
  assert.equal(apiKey.secret, undefined);
  assert.equal(apiKey.secretFile, join(keys, readdirSync(keys)[0]));
  assert.equal(statSync(apiKey.secretFile).mode & 0o7777, 0o600);
  const secret = readFileSync(apiKey.secretFile, 'utf8').trim();
  assert.match(secret, /^asr_live_/);
  assert.ok(!JSON.stringify(made).includes(secret.slice(-20)));
  const next = await call('router_api_key_rotate', { apiKeyId: apiKey.id, deliver: 'file' });
  assert.ok(existsSync(next.structuredContent.apiKey.secretFile));
  assert.equal(readdirSync(keys).length, 2);
  chmodSync(keys, 0o777);
  const refused = await call('router_api_key_create',
    { serviceId: services[0].id, label: 'x', deliver: 'file' });
  chmodSync(keys, 0o700);
  assert.equal(refused.isError, true);
  assert.match(refused.content[0].text, /AGENT_STORE_KEY_DIR/);
  await client.close();
});

/* ---- mcpdo ---- */

/** A command of mcpdo; resolves to the text that it prints, also if the tool's result is an error. */
function run(home, ...args) {
  const env = { ...settings(), HOME: home, MCP_STORAGE_DIR: join(home, 'store') };
  return new Promise((done, fail) => {
    const child = execFile(process.execPath, [mcpdo, '--format', 'json', ...args], { env, timeout: 60000 },
      (error, stdout, stderr) => {
        if (stdout) done(stdout);
        else fail(new Error(`mcpdo ${args.join(' ')}: ${stderr}`, { cause: error }));
      });
    child.stdin.end();
  });
}

for (const era of ['legacy', 'modern']) {
  test(`mcpdo, ${era} era: its user accepts, declines, cancels`, async () => {
    const home = join(world.dir, `mcpdo-${era}`);
    mkdirSync(home);
    const start = Number(await wallet());
    const given = Object.entries(settings()).filter(([name]) => name.startsWith('AGENT_STORE_'))
      .flatMap(([name, value]) => ['-e', `${name}=${value}`]); // it passes on nothing else
    await run(home, 'connect', '--era', era, '--elicit', 'both', ...given, program, 'mcp');
    const buy = (usd, key) => run(home, '--connection', program, 'tools/call', 'purchase_create',
      ...Object.entries(order(usd, key)).map(([name, value]) => `${name}:=${JSON.stringify(value)}`));
    const respond = async (text, ...answer) => {
      const { elicitationPending } = JSON.parse(text);
      assert.equal(elicitationPending?.origin, era === 'legacy' ? 'server-request' : 'input-required', text);
      return run(home, '--connection', program, 'elicitation/respond', elicitationPending.elicitationId, ...answer);
    };
    try {
      const usd = era === 'legacy' ? 50 : 60; // of each era its own
      const bought = JSON.parse(await respond(await buy(usd, `mcpdo ${era} yes`), 'approve:=true'));
      assert.match(JSON.stringify(bought), /"status":"completed"/);
      assert.match(await respond(await buy(usd + 1, `mcpdo ${era} no`), '--decline'), /the user declined/);
      assert.match(await respond(await buy(usd + 2, `mcpdo ${era} hm`), '--cancel'), /gave no answer/);
      assert.equal(start - Number(await wallet()), usd);
    } finally {
      await run(home, 'disconnect', program).catch(() => {});
      await run(home, 'daemon', 'stop').catch(() => {});
    }
  });
}
