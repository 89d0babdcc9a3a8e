// SPDX-License-Identifier: Apache-2.0
// The official MCP TypeScript SDK client drives the tools over stdio, as an agent host would.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { spawn } from 'node:child_process';
import { World, exited, program, until } from './harness.mjs';

let world;
before(async () => { world = await World.open(); });
after(() => world?.close());

const tools = ['catalog_categories', 'catalog_search', 'catalog_checkout_requirements', 'quote_create',
  'purchase_create', 'purchase_get_status', 'service_list', 'service_get', 'router_api_key_create',
  'router_api_key_list', 'router_api_key_rotate', 'router_api_key_revoke', 'router_usage_get',
  'router_request_get', 'router_models_list', 'wallet_get'];

test('every tool of the contract is listed with schemas and annotations', async () => {
  const mcp = await world.mcp(null);
  const list = await mcp.host.listTools();
  assert.deepEqual(list.tools.map((tool) => tool.name).sort(), [...tools].sort());
  assert.ok(JSON.stringify(list).length < 24 * 1024);
  for (const tool of list.tools) {
    assert.equal(tool.inputSchema.type, 'object');
    assert.equal(tool.inputSchema.additionalProperties, false);
    assert.equal(tool.outputSchema.type, 'object');
    assert.ok(tool.outputSchema.properties.error, `${tool.name} admits an error`);
    for (const hint of ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'])
      assert.equal(typeof tool.annotations[hint], 'boolean', `${tool.name} ${hint}`);
  }
  assert.ok(mcp.host.getInstructions().length < 2000);
  await mcp.close();
});

test('without a purchase key the catalog answers and the wallet says how to get one', async () => {
  const mcp = await world.mcp(null);
  const { items } = await mcp.call('catalog_search', { q: 'CREDITS router' });
  assert.equal(items[0].id, 'cat_router_credit_001');
  await assert.rejects(mcp.call('wallet_get'), (error) => error.code === 'unauthorized'
    && /account create/.test(error.result.content[0].text));
  await mcp.close();
});

test("the seed's six store steps, shapes to the letter", async () => {
  const made = await world.createAccount('seed', '100.00');
  const mcp = await world.mcp(made.purchaseKey);
  const search = await mcp.call('catalog_search', { category: 'api_tokens', q: 'router credits', limit: 1 });
  assert.equal(search.items.length, 1);
  const item = search.items[0];
  assert.deepEqual([item.id, item.sku, item.name, item.category, item.checkoutKind],
    ['cat_router_credit_001', 'llm-router-credit-balance', 'LLM Router Credits', 'api_tokens', 'custom']);
  const needs = await mcp.call('catalog_checkout_requirements', { catalogItemId: item.id });
  assert.deepEqual(needs.requiredFields, ['creditAmountUsd']);
  assert.equal(needs.serviceType, 'llm_router');
  assert.deepEqual(needs.managementCapabilities.slice(0, 3),
    ['router:api-key:create', 'router:api-key:list', 'router:usage:get']);
  const { quote } = await mcp.call('quote_create',
    { catalogItemId: item.id, quantity: 1, configuration: { creditAmountUsd: 25 } });
  assert.match(quote.id, /^quote_[0-9A-Za-z]{22}$/);
  assert.equal(quote.totalPriceMinor, 2500);
  assert.equal(quote.currency, 'usd');
  assert.equal(quote.displayName, 'LLM Router Credits ($25)');
  assert.deepEqual(quote.quoteDetails, { creditAmountUsd: 25 });
  const { purchase, service } = await mcp.call('purchase_create',
    { quoteId: quote.id, idempotencyKey: 'router-credit-topup-001' });
  assert.equal(purchase.status, 'completed');
  assert.equal(purchase.totalPriceMinor, 2500);
  assert.equal(service.displayName, 'Primary Router Credit Pool');
  const got = await mcp.call('service_get', { serviceId: service.id });
  assert.equal(got.service.router.creditBalanceUsd, '25.00');
  assert.match(got.service.router.baseUrl, /^http:\/\/127\.0\.0\.1:\d+\/openai\/v1$/);
  const { apiKey } = await mcp.call('router_api_key_create', { serviceId: service.id, label: 'prod-router' });
  assert.equal(apiKey.prefix, 'asr_live_');
  assert.match(apiKey.secret, /^asr_live_[0-9A-Za-z]{16}\.[0-9A-Za-z]{49}$/);
  const listed = await mcp.call('router_api_key_list', { serviceId: service.id });
  assert.equal(JSON.stringify(listed).includes(apiKey.secret), false);
  const wallet = await mcp.call('wallet_get');
  assert.equal(wallet.wallet.balanceUsd, '75.00');
  await mcp.close();
});

test('a purchase repeated with its key is one purchase; with other arguments a conflict', async () => {
  const made = await world.createAccount('again', '60.00');
  const mcp = await world.mcp(made.purchaseKey);
  const order = { catalogItemId: 'cat_router_credit_001', quantity: 1,
    configuration: { creditAmountUsd: 20 }, idempotencyKey: 'k' };
  const answers = await Promise.all(Array.from({ length: 16 }, () => mcp.call('purchase_create', order)));
  assert.equal(new Set(answers.map((answer) => answer.purchase.id)).size, 1);
  assert.equal((await mcp.call('wallet_get')).wallet.balanceUsd, '40.00');
  await assert.rejects(mcp.call('purchase_create', { ...order, configuration: { creditAmountUsd: 21 } }),
    { code: 'idempotency_conflict' });
  await assert.rejects(mcp.call('purchase_create',
    { ...order, configuration: { creditAmountUsd: 50 }, idempotencyKey: 'other' }),
  (error) => error.code === 'insufficient_funds' && error.details.balanceUsd === '40.00'
    && error.details.requiredUsd === '50.00');
  await mcp.close();
});

test("one account never sees another's objects", async () => {
  const a = await world.createAccount('alpha', '10.00');
  const b = await world.createAccount('beta', '10.00');
  const first = await world.mcp(a.purchaseKey);
  const second = await world.mcp(b.purchaseKey);
  const { service, purchase } = await first.call('purchase_create', { catalogItemId: 'cat_router_credit_001',
    quantity: 1, configuration: { creditAmountUsd: 5 }, idempotencyKey: 'x' });
  const { apiKey } = await first.call('router_api_key_create', { serviceId: service.id, label: 'mine' });
  for (const [tool, args] of [['service_get', { serviceId: service.id }],
    ['purchase_get_status', { purchaseId: purchase.id }],
    ['router_api_key_create', { serviceId: service.id, label: 'thief' }],
    ['router_api_key_list', { serviceId: service.id }],
    ['router_api_key_rotate', { apiKeyId: apiKey.id }],
    ['router_api_key_revoke', { apiKeyId: apiKey.id }],
    ['router_usage_get', { serviceId: service.id }]])
    await assert.rejects(second.call(tool, args), { code: 'not_found' }, tool);
  await first.close();
  await second.close();
});

test('every protocol version of the initialize era is answered', async () => {
  for (const version of ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '1999-01-01']) {
    const child = world.spawn(program, ['mcp'], {});
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize',
      params: { protocolVersion: version, capabilities: {}, clientInfo: { name: 't', version: '1' } } })}\n`);
    const line = await new Promise((done) => child.stdout.once('data', (piece) => done(String(piece))));
    const answer = JSON.parse(line);
    assert.equal(answer.id, 0);
    assert.equal(answer.result.protocolVersion, version === '1999-01-01' ? '2025-11-25' : version);
    child.stdin.end();
    assert.equal(await exited(child), 0);
  }
});

test('stdout carries nothing but protocol, and the end of input ends the process at once', async () => {
  const child = world.spawn(program, ['mcp'], { AGENT_STORE_LOG: 'debug' });
  let out = '';
  child.stdout.on('data', (piece) => { out += piece; });
  child.stdin.write('{"jsonrpc":"2.0","id":"a","method":"ping"}\n\r\n{broken\n'
    + '{"jsonrpc":"2.0","id":9007199254740991,"method":"tools/call","params":{"name":"catalog_categories"}}\n');
  await until('both answers', () => out.includes('9007199254740991') && out.includes('-32700'));
  const started = Date.now();
  child.stdin.end();
  assert.equal(await exited(child), 0);
  assert.ok(Date.now() - started < 2000);
  for (const line of out.trim().split('\n')) assert.equal(JSON.parse(line).jsonrpc, '2.0');
});

test('a probe that is killed at once harms nothing', async () => {
  const probes = Array.from({ length: 5 }, () => spawn(program, ['mcp'], { env: world.env(), stdio: 'pipe' }));
  for (const [i, probe] of probes.entries()) {
    probe.stdin.on('error', () => {});
    probe.stdin.write('{"jsonrpc":"2.0","id":"server-discover-probe-1","method":"server/discover",'
      + '"params":{}}\n');
    setTimeout(() => probe.kill('SIGKILL'), i * 60);
  }
  await Promise.all(probes.map(exited));
  const mcp = await world.mcp(null);
  assert.equal((await mcp.call('catalog_categories')).categories.length, 1);
  await mcp.close();
});

