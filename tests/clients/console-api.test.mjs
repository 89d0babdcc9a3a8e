// SPDX-License-Identifier: Apache-2.0
// The API under the console and the admin panel, against docs/openapi.json: every answer is matched
// with its schema, every operation must have been seen to work. Also: who may what, the cookie and
// its header, throttling, metrics, and SIGHUP.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { check, description, seen } from './api_description.mjs';
import { World, chat, charge, classes, copiesConfig, countsOf, message, root, until } from './harness.mjs';
import { parse, valueOf } from './prometheus.mjs';

const adminToken = 'an-admin-token-for-the-tests';
const slow = { name: 'slow', chunks: 30, chunkDelayMs: 100,
  reply: { text: 'word ', repeat: 30 }, usage: { uncachedInput: 10, output: 30 } };

let world;
let server;
let purchase; // sessions by bearer: { authorization }
let router;
let admin;
before(async () => {
  world = await World.open({ AGENT_STORE_ADMIN_TOKEN: adminToken }, [slow], copiesConfig);
  server = await world.serve();
  await world.buy(20);
  admin = { authorization: `Bearer ${adminToken}` };
  purchase = await signIn(world.purchaseKey);
  router = await signIn(world.key);
});
after(() => world?.close());

/** Asks, checks the answer against the description, gives { status, body, headers }. */
async function api(method, path, headers = {}, body = undefined, base = world.url) {
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  const type = answer.headers.get('content-type') ?? '';
  check(method, path, answer.status, type, text);
  if (/^\/(buyer|admin)\//.test(path)) {
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.match(answer.headers.get('content-security-policy'), /^default-src 'none'/);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
  }
  assert.equal(answer.headers.get('access-control-allow-origin'), null);
  return { status: answer.status, headers: answer.headers, text,
    body: type === 'application/json' ? JSON.parse(text) : text };
}

async function ok(...call) {
  const answer = await api(...call);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

async function refused(status, code, ...call) {
  const answer = await api(...call);
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.body.error.code, code);
  return answer.body.error.message;
}

async function signIn(key) {
  const { item } = await ok('POST', '/buyer/session', {}, { key });
  assert.match(item.sessionToken, /^[0-9A-Za-z]{43}$/);
  return { authorization: `Bearer ${item.sessionToken}` };
}

test('the description is a good OpenAPI 3.1 document and is served as it is', async () => {
  const verdict = await new Validator().validate(structuredClone(description));
  assert.deepEqual(verdict.errors ?? [], []);
  assert.ok(verdict.valid);
  const answer = await fetch(`${world.url}/openapi.json`);
  assert.deepEqual(await answer.json(), description);
  seen.add('get /openapi.json');
  await ok('GET', '/healthz');
});

describe('a buyer', () => {
  let receipt;
  test('sees the account, its money and what the session may do', async () => {
    const { item } = await ok('GET', '/buyer/me', purchase);
    assert.equal(item.buyerId, world.accountId);
    assert.deepEqual(item.session.may, ['look', 'rotate_route_key', 'manage_keys']);
    assert.equal(item.wallet.balanceUsd, '0.00');
    assert.equal(item.services.length, 1);
    assert.equal(item.services[0].creditBalanceUsd, '20.00');
    assert.equal(item.baseUrl, `${world.url}/openai/v1`);
    const seenByRouter = (await ok('GET', '/buyer/me', router)).item;
    assert.deepEqual(seenByRouter.session.may, ['look']);
    assert.equal(seenByRouter.session.serviceId, world.serviceId);
    assert.equal(seenByRouter.wallet, null);
  });

  test('finds a call in usage, in the list, and as a receipt that adds up', async () => {
    const answer = await world.ask('/openai/v1/chat/completions', { body: chat('default') });
    const id = answer.headers.get('x-request-id');
    await answer.text();
    receipt = (await ok('GET', `/buyer/requests/${id}`, purchase)).item;
    assert.equal(BigInt(receipt.buyerChargeUsdMicros), charge(receipt));
    const unit = receipt.unitPricesUsdPerMillion;
    assert.equal(receipt.uncachedInputTokens * unit.input + receipt.outputTokens * unit.output,
      receipt.buyerChargeUsdMicros);
    const { items } = await ok('GET', '/buyer/requests?limit=1', purchase);
    assert.equal(items[0].requestId, id);
    assert.equal(items[0].apiKeyLabel, 'test');
    assert.deepEqual(countsOf(items[0]), countsOf(receipt));
    for (const by of ['model', 'key', 'day']) {
      const usage = await ok('GET', `/buyer/usage?by=${by}`, purchase);
      assert.equal(usage.items.length, 1);
      assert.equal(usage.total.buyerChargeUsdMicros, receipt.buyerChargeUsdMicros);
      const parts = Object.values(usage.total.chargeByClassUsdMicros);
      assert.equal(parts.reduce((a, b) => a + b), receipt.buyerChargeUsdMicros);
      assert.deepEqual(classes.map((one) => usage.items[0][one]), classes.map((one) => receipt[one]));
    }
    const openai = await ok('GET', `/openai/v1/requests/${id}`, { 'x-api-key': world.key });
    assert.deepEqual(openai, receipt);
    assert.equal((await ok('GET', `/buyer/requests/${id}`, router)).item.requestId, id);
  });

  test('searches and pages', async () => {
    for (let i = 0; i < 3; i += 1)
      await (await world.ask('/claude/v1/messages', { body: message('default') })).text();
    const all = (await ok('GET', '/buyer/requests?limit=100', purchase)).items;
    assert.equal(all.length, 4);
    const paged = [];
    for (let before = ''; before !== null;) {
      const page = await ok('GET', `/buyer/requests?limit=3${before && `&before=${before}`}`, purchase);
      assert.ok(page.items.length <= 3);
      paged.push(...page.items);
      before = page.nextCursor;
    }
    assert.deepEqual(paged, all);
    const find = async (query) => (await ok('GET', `/buyer/requests?${query}`, purchase)).items.length;
    assert.equal(await find('q=HAIKU'), 3);
    assert.equal(await find('q=%25'), 0);
    assert.equal(await find('model=gpt-5.4'), 1);
    assert.equal(await find('status=failed'), 0);
    assert.equal(await find(`keyId=${world.keyId}&q=claude`), 3);
    await refused(400, 'invalid_argument', 'GET', '/buyer/requests?limit=0', purchase);
    await refused(400, 'invalid_argument', 'GET', '/buyer/requests?limit=1&limit=2', purchase);
    await refused(400, 'invalid_argument', 'GET', '/buyer/requests?before=req_nobody', purchase);
    await refused(400, 'invalid_argument', 'GET', '/buyer/requests?q=%', purchase);
    assert.match(await refused(400, 'invalid_argument', 'GET', '/buyer/requests?colour=red', purchase),
      /known are: limit/);
  });

  test('sees what was bought and what could be called', async () => {
    const credits = await ok('GET', '/buyer/credits', purchase);
    assert.deepEqual(credits.items.map((one) => one.totalPriceMinor), [2000]);
    assert.deepEqual(credits.fundings.map((one) => [one.amountUsd, one.reference]),
      [['20.00', 'first-buyer']]);
    assert.deepEqual((await ok('GET', '/buyer/credits', router)).fundings, []);
    const models = (await ok('GET', '/buyer/models', router)).items.map((one) => one.id);
    assert.ok(models.includes('gpt-5.4') && models.includes('claude-haiku-4-5'));
  });

  test('makes, rotates and revokes keys; the old one is dead at once', async () => {
    const works = async (key) => (await world.ask('/openai/v1/models', { key })).status;
    const limits = { spendLimitUsd: 1.5, allowedModels: ['gpt-5.4'], requestsPerMinute: 30 };
    const made = (await ok('POST', '/buyer/keys', purchase,
      { serviceId: world.serviceId, label: 'agent', limits })).item;
    assert.deepEqual(made.limits, limits);
    assert.equal(await works(made.secret), 200);
    const rotated = (await ok('POST', `/buyer/keys/${made.id}/rotate`, purchase)).item;
    assert.equal(await works(made.secret), 401);
    assert.equal(await works(rotated.secret), 200);
    assert.deepEqual(rotated.limits, limits);
    assert.equal((await ok('POST', `/buyer/keys/${rotated.id}/revoke`, purchase)).item.status, 'revoked');
    assert.equal(await works(rotated.secret), 401);
    await refused(409, 'conflict', 'POST', `/buyer/keys/${rotated.id}/rotate`, purchase);
    await refused(404, 'not_found', 'POST', '/buyer/keys/router_key_none/revoke', purchase);
    const states = (await ok('GET', '/buyer/keys', purchase)).items.map((one) => one.status);
    assert.deepEqual(states, ['active', 'active', 'revoked', 'revoked']);
    const bad = (more) => refused(400, 'invalid_argument', 'POST', '/buyer/keys', purchase,
      { serviceId: world.serviceId, label: 'x', ...more });
    assert.match(await bad({ limits: { allowedModels: ['gpt-0'] } }), /gpt-0/);
    await bad({ limits: { expiresAt: '2020-01-01T00:00:00Z' } });
    await bad({ limits: { scopes: ['admin'] } });
    await bad({ label: '' });
  });

  test('rotates the route key and stays signed in', async () => {
    const first = (await ok('POST', '/buyer/rotate-api-key', purchase)).item.routeApiKey;
    const route = await signIn(first);
    const second = (await ok('POST', '/buyer/rotate-api-key', route)).item.routeApiKey;
    assert.equal((await world.ask('/claude/v1/models', { key: first })).status, 401);
    assert.equal((await world.ask('/claude/v1/models', { key: second })).status, 200);
    const { item } = await ok('GET', '/buyer/me', route);
    assert.deepEqual(item.session.may, ['look', 'rotate_route_key']);
    assert.ok(second.startsWith(`rk_${item.routeKey.lookup}.`));
    await refused(403, 'forbidden', 'POST', '/buyer/keys', route,
      { serviceId: world.serviceId, label: 'x' });
  });

  test('with a router key looks and changes nothing', async () => {
    await refused(403, 'forbidden', 'POST', '/buyer/rotate-api-key', router);
    await refused(403, 'forbidden', 'POST', '/buyer/keys', router,
      { serviceId: world.serviceId, label: 'x' });
    await refused(403, 'forbidden', 'POST', `/buyer/keys/${world.keyId}/revoke`, router);
    assert.deepEqual((await ok('GET', '/buyer/keys', router)).items.map((one) => one.kind).slice(0, 1),
      ['router']);
  });

  test('watches the balance move', async () => {
    const stop = new AbortController();
    const answer = await fetch(`${world.url}/buyer/events`, { headers: purchase, signal: stop.signal });
    check('GET', '/buyer/events', answer.status, answer.headers.get('content-type'), '');
    let text = '';
    const reading = (async () => {
      try {
        for await (const piece of answer.body) text += Buffer.from(piece).toString();
      } catch { /* stopped */ }
    })();
    const events = () => [...text.matchAll(/event: balance\ndata: (.*)\n\n/g)].map(([, data]) => JSON.parse(data));
    await until('the first balance', () => events().length === 1);
    const [{ services: [before] }] = events();
    const call = world.ask('/openai/v1/chat/completions', { body: chat('slow', { stream: true }) });
    await until('a hold is seen', () => events().some(({ services: [one] }) => one.heldUsd !== '0.00'));
    await (await call).text();
    await until('the charge is seen', () => {
      const { services: [last] } = events().at(-1);
      return last.heldUsd === '0.00' && last.creditBalanceUsd !== before.creditBalanceUsd;
    });
    assert.ok(events().length <= 12, 'at most two a second');
    stop.abort();
    await reading;
  });

  test('signs out', async () => {
    const short = await signIn(world.purchaseKey);
    await ok('DELETE', '/buyer/session', short);
    await refused(401, 'unauthorized', 'GET', '/buyer/me', short);
    await refused(401, 'unauthorized', 'GET', '/buyer/me', {});
    await refused(401, 'unauthorized', 'GET', '/buyer/me', { authorization: `Bearer ${world.purchaseKey}` });
  });
});

describe('the cookie', () => {
  const page = { 'x-requested-with': 'agent-store-console' };
  let cookie;
  test('is set for a page that asks, and then the token is nowhere else', async () => {
    const answer = await api('POST', '/buyer/session', page, { key: world.purchaseKey });
    assert.equal(answer.body.item.sessionToken, null);
    const set = answer.headers.get('set-cookie');
    assert.match(set, /^agent_store_session=[0-9A-Za-z]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/);
    [cookie] = set.split(';');
    const plain = await api('POST', '/buyer/session', {}, { key: world.purchaseKey });
    assert.equal(plain.headers.get('set-cookie'), null);
  });

  test('shows, but changes only with the header that no foreign page can send', async () => {
    await ok('GET', '/buyer/me', { cookie: `theme=dark; ${cookie}` });
    assert.match(await refused(403, 'forbidden', 'POST', '/buyer/rotate-api-key', { cookie }),
      /X-Requested-With/);
    await refused(403, 'forbidden', 'POST', '/buyer/rotate-api-key',
      { cookie, 'x-requested-with': 'XMLHttpRequest' });
    await ok('POST', '/buyer/rotate-api-key', { cookie, ...page });
    const foreign = await fetch(`${world.url}/buyer/me`,
      { headers: { cookie, origin: 'https://evil.example' } });
    assert.equal(foreign.status, 403);
    const preflight = await fetch(`${world.url}/buyer/rotate-api-key`, { method: 'OPTIONS',
      headers: { origin: world.url, 'access-control-request-method': 'POST' } });
    assert.equal(preflight.status, 405);
    assert.equal(preflight.headers.get('access-control-allow-origin'), null);
  });

  test('goes with the session', async () => {
    const answer = await api('DELETE', '/buyer/session', { cookie, ...page });
    assert.match(answer.headers.get('set-cookie'), /^agent_store_session=; .*Max-Age=0$/);
    await refused(401, 'unauthorized', 'GET', '/buyer/me', { cookie });
  });

  test('is Secure when the public URL is', async () => {
    const other = await World.open({ AGENT_STORE_PUBLIC_URL: 'https://shop.example' });
    try {
      await other.serve();
      const { purchaseKey } = await other.createAccount('a');
      const answer = await fetch(`${other.url}/buyer/session`, { method: 'POST', headers: page,
        body: JSON.stringify({ key: purchaseKey }) });
      assert.match(answer.headers.get('set-cookie'), /; Secure$/);
      assert.equal((await fetch(`${other.url}/admin/status`)).status, 404); // no token, no panel
    } finally {
      await other.close();
    }
  });
});

describe('the operator', () => {
  let account;
  test('signs in with the token, by bearer or cookie', async () => {
    const { item } = await ok('POST', '/admin/session', {}, { token: adminToken });
    const session = { authorization: `Bearer ${item.sessionToken}` };
    assert.equal((await ok('GET', '/admin/status', session)).item.session.kind, 'session');
    assert.equal((await ok('GET', '/admin/status', admin)).item.session.kind, 'token');
    const page = await api('POST', '/admin/session', { 'x-requested-with': 'agent-store-console' },
      { token: adminToken });
    const cookie = page.headers.get('set-cookie').split(';')[0];
    assert.match(page.headers.get('set-cookie'), /; Path=\/admin;/);
    await ok('GET', '/admin/status', { cookie });
    await refused(403, 'forbidden', 'POST', '/admin/ledger/verify', { cookie });
    await ok('DELETE', '/admin/session', session);
    await refused(401, 'unauthorized', 'GET', '/admin/status', session);
    await refused(401, 'unauthorized', 'POST', '/admin/session', {}, { token: 'guess' });
    await refused(401, 'unauthorized', 'GET', '/admin/status', purchase);
    await refused(401, 'unauthorized', 'GET', '/buyer/me', admin);
  });

  test('makes, funds and limits an account, each once and written down', async () => {
    account = (await ok('POST', '/admin/accounts', admin, { name: 'made here' })).item;
    await refused(409, 'conflict', 'POST', '/admin/accounts', admin, { name: 'made here' });
    const fund = (amountUsd) => api('POST', `/admin/accounts/${account.id}/fund`, admin,
      { amountUsd, reference: 'invoice 7' });
    assert.equal((await fund(12.5)).body.item.repeated, false);
    assert.equal((await fund(12.5)).body.item.repeated, true);
    assert.equal((await fund(13)).status, 409);
    const limited = await ok('PUT', `/admin/accounts/${account.id}/policy`, admin, { dailyUsd: 5 });
    assert.deepEqual(limited.item.policy,
      { maxPurchaseUsd: null, dailyUsd: '5.00', approvalAboveUsd: null });
    const { item } = await ok('GET', `/admin/accounts/${account.id}`, admin);
    assert.equal(item.walletUsd, '12.50');
    assert.equal(item.fundings.length, 1);
    const { items } = await ok('GET', `/admin/audit?subject=${account.id}`, admin);
    assert.deepEqual(items.map((one) => one.what), ['account.policy', 'wallet.fund', 'account.create']);
    assert.ok(items.every((one) => one.who === 'admin@127.0.0.1'));
    assert.deepEqual(items[0].after, limited.item.policy);
    assert.deepEqual(items[1].before, { walletUsd: '0.00' });
  });

  test('freezes: keys stop at once, nothing is bought, and all comes back', async () => {
    const id = world.accountId;
    const models = async () => (await world.ask('/openai/v1/models')).status;
    const mcp = await world.mcp();
    assert.equal((await ok('POST', `/admin/accounts/${id}/freeze`, admin)).item.status, 'frozen');
    assert.equal(await models(), 401);
    assert.match(await refused(401, 'unauthorized', 'POST', '/buyer/session', {}, { key: world.key }),
      /frozen/);
    await refused(401, 'unauthorized', 'GET', '/buyer/me', purchase);
    await assert.rejects(mcp.call('quote_create', { catalogItemId: 'cat_router_credit_001',
      configuration: { creditAmountUsd: 1 } }), { code: 'unauthorized' });
    const keys = (await ok('GET', `/admin/keys?q=${world.keyId}`, admin)).items;
    assert.deepEqual(keys.map((one) => one.status), ['frozen']);
    assert.equal((await ok('POST', `/admin/accounts/${id}/unfreeze`, admin)).item.frozenAt, null);
    assert.equal(await models(), 200);
    await mcp.call('wallet_get');
    purchase = await signIn(world.purchaseKey);
    await mcp.close();
  });

  test('rotates and revokes any key', async () => {
    const [key] = (await ok('GET', `/admin/keys?q=${encodeURIComponent('made here')}`, admin)).items;
    assert.equal(key.kind, 'purchase');
    const rotated = (await ok('POST', `/admin/keys/${key.id}/rotate`, admin)).item;
    await refused(401, 'unauthorized', 'POST', '/buyer/session', {}, { key: account.purchaseKey });
    await signIn(rotated.secret);
    await ok('POST', `/admin/keys/${rotated.id}/revoke`, admin);
    await refused(401, 'unauthorized', 'POST', '/buyer/session', {}, { key: rotated.secret });
  });

  test('pages through accounts and the audit log', async () => {
    const all = (await ok('GET', '/admin/accounts', admin)).items;
    const first = await ok('GET', '/admin/accounts?limit=1', admin);
    const second = await ok('GET', `/admin/accounts?limit=1&before=${first.nextCursor}`, admin);
    assert.deepEqual([...first.items, ...second.items], all.slice(0, 2));
    assert.equal((await ok('GET', '/admin/accounts?q=MADE', admin)).items.length, 1);
    const newest = await ok('GET', '/admin/audit?limit=2', admin);
    const older = await ok('GET', `/admin/audit?limit=1&before=${newest.nextCursor}`, admin);
    assert.ok(older.items[0].id < newest.items[1].id);
  });

  test('sees upstreams, models, errors and the books', async () => {
    const model = world.copy('gpt-5.4');
    const failed = await world.ask('/openai/v1/chat/completions', { body: chat('error-429', { model }) });
    await failed.text();
    const upstreams = (await ok('GET', '/admin/upstreams', admin)).items;
    const openai = upstreams.find((one) => one.name === 'openai');
    assert.equal(openai.baseUrl, `${world.simUrl}/v1`);
    assert.equal(openai.breakers.find((one) => one.model === model).state, 'open');
    const models = await ok('GET', '/admin/models', admin);
    assert.equal(models.items.find((one) => one.id === 'gpt-5.4').pricesUsdPerMillion.output, 15);
    assert.ok(models.routes.some((one) => one.alias === 'claude'));
    const [error] = (await ok('GET', '/admin/errors', admin)).items;
    assert.equal(error.requestId, failed.headers.get('x-request-id'));
    assert.deepEqual([error.model, error.upstream, error.accountId], [model, 'openai', world.accountId]);
    assert.equal(error.status, failed.status);
    const verdict = (await ok('POST', '/admin/ledger/verify', admin)).item;
    assert.equal(verdict.ok, true);
    assert.deepEqual((await ok('GET', '/admin/ledger', admin)).item, verdict);
  });
});

describe('metrics', () => {
  test('count what happened, in a form that parses', async () => {
    const done = await world.ask('/openai/v1/chat/completions', { body: chat('default') });
    const id = done.headers.get('x-request-id');
    await done.text();
    const before = parse(await ok('GET', '/metrics'));
    await (await world.ask('/openai/v1/chat/completions', { body: chat('default') })).text();
    await (await world.ask('/claude/v1/messages', { body: message('default', { stream: true }) })).text();
    const now = parse(await ok('GET', '/metrics'));
    const grew = (metric, labels) => valueOf(now, metric, labels) - valueOf(before, metric, labels);
    const receipt = await world.receipt(id);
    assert.equal(grew('agent_store_requests_total', { route: 'openai', model: 'gpt-5.4', status: '200' }), 1);
    assert.equal(grew('agent_store_requests_total', { route: 'claude' }), 1);
    assert.ok(grew('agent_store_charged_micros_total') > receipt.buyerChargeUsdMicros);
    assert.equal(grew('agent_store_held_micros_total'),
      grew('agent_store_charged_micros_total') + grew('agent_store_released_micros_total'));
    assert.equal(grew('agent_store_added_latency_seconds_count'), 2);
    assert.equal(grew('agent_store_first_byte_seconds_count'), 2);
    assert.ok(grew('agent_store_tokens_total', { class: 'output' }) >= receipt.outputTokens);
    assert.ok(grew('agent_store_commits_total') >= 3);
    assert.equal(valueOf(now, 'agent_store_holding_micros'), 0);
    const state = valueOf(now, 'agent_store_upstream_state', { upstream: 'openai', model: 'gpt-5.4' });
    assert.equal(state, 1, 'one state at a time');
    assert.equal(valueOf(now, 'agent_store_upstream_state',
      { upstream: 'openai', model: 'gpt-5.4', state: 'closed' }), 1);
    assert.ok(valueOf(now, 'process_resident_memory_bytes') > 1e6);
  });

  test('are all described, and those of the dashboard are there', async () => {
    const names = Object.keys(parse(await ok('GET', '/metrics')));
    const read = (file) => readFileSync(join(root, 'docs', file), 'utf8');
    const operations = read('operations.md');
    assert.deepEqual(names.filter((name) => !operations.includes(`\`${name}\``)), []);
    const wanted = new Set([...read('grafana.json').matchAll(/\b(?:agent_store|process)_\w+/g)]
      .map(([name]) => name.replace(/_(bucket|sum|count)$/, '')));
    assert.deepEqual([...wanted].filter((name) => !names.includes(name)), []);
  });

  test('satisfy promtool', (t) => {
    const promtool = process.env.PROMTOOL ?? 'promtool';
    try {
      execFileSync(promtool, ['--version'], { stdio: 'ignore' });
    } catch {
      t.skip('promtool (Debian: prometheus) is not here; PROMTOOL may name it');
      return undefined;
    }
    return fetch(`${world.url}/metrics`).then((answer) => answer.text())
      .then((text) => execFileSync(promtool, ['check', 'metrics'], { input: text }));
  });

  test('are for this machine, or for who has the admin token', async () => {
    const through = { 'x-forwarded-for': '203.0.113.9' };
    assert.match(await refused(401, 'unauthorized', 'GET', '/metrics', through), /admin token/);
    await ok('GET', '/metrics', { ...through, ...admin });
  });
});

describe('model lists', () => {
  test('are as described', async () => {
    const key = { authorization: `Bearer ${world.key}` };
    await ok('GET', '/openai/v1/models', key);
    await ok('GET', '/openai/v1/models/gpt-5.4', key);
    await ok('GET', '/claude/v1/models', key);
  });
});

describe('SIGHUP', () => {
  const write = (config) => writeFileSync(world.configFile, JSON.stringify(config));
  const priced = (output) => ({ ...copiesConfig,
    models: [...copiesConfig.models, { id: 'gpt-5.4', prices: { output } }] });
  const reload = async (event) => {
    const before = world.logs.length;
    server.kill('SIGHUP');
    return until(event, () => world.logs.slice(before).split('\n').find((line) => line.includes(event)));
  };
  const outputPrice = async () => (await ok('GET', '/admin/models', admin)).items
    .find((one) => one.id === 'gpt-5.4').pricesUsdPerMillion.output;

  test('puts new prices in force without touching a stream', async () => {
    const stream = await world.ask('/openai/v1/chat/completions', { body: chat('slow', { stream: true }) });
    const id = stream.headers.get('x-request-id');
    write(priced('30'));
    await reload('event=config_reloaded');
    assert.equal(await outputPrice(), 30);
    const text = await stream.text();
    assert.match(text, /\[DONE\]/);
    assert.equal((await world.receipt(id)).unitPricesUsdPerMillion.output, 15);
    const next = await world.ask('/openai/v1/chat/completions', { body: chat('default') });
    await next.text();
    const receipt = await world.receipt(next.headers.get('x-request-id'));
    assert.equal(receipt.unitPricesUsdPerMillion.output, 30);
    const [{ what, who }] = (await ok('GET', '/admin/audit?limit=1', admin)).items;
    assert.deepEqual([what, who], ['config.reload', 'operator']);
  });

  test('changes nothing when the file is bad, and says why', async () => {
    writeFileSync(world.configFile, '{"models": 7}');
    assert.match(await reload('event=config_refused'), /models/);
    assert.equal(await outputPrice(), 30);
    const { config } = (await ok('GET', '/admin/status', admin)).item;
    assert.match(config.problem, /models/);
    assert.equal(config.reloads, 1);
    write(copiesConfig);
    await reload('event=config_reloaded');
    assert.equal(await outputPrice(), 15);
    assert.equal((await ok('GET', '/admin/status', admin)).item.config.problem, null);
  });

  test('changes limits', async () => {
    const big = () => world.ask('/openai/v1/chat/completions', { body: chat('default', {}, 'x'.repeat(5000)) });
    write({ ...copiesConfig, limits: { bodyBytes: 4000 } });
    await reload('event=config_reloaded');
    assert.equal((await big()).status, 413);
    write({ ...copiesConfig, limits: { bodyBytes: 1 } });
    assert.match(await reload('event=config_refused'), /bodyBytes/);
    write(copiesConfig);
    await reload('event=config_reloaded');
    const answer = await big();
    await answer.text();
    assert.equal(answer.status, 200);
  });

  test('reaches tools too', async () => {
    write({ ...copiesConfig, models: [...copiesConfig.models,
      { id: 'fresh', provider: 'openai', displayName: 'Fresh', upstreamId: 'gpt-5.4',
        contextTokens: 1000, maxOutputTokens: 100, prices: { input: '1', output: '2' } }] });
    await reload('event=config_reloaded');
    const mcp = await world.mcp();
    const { models } = await mcp.call('router_models_list');
    assert.ok(models.some((one) => one.id === 'fresh'));
    await mcp.close();
  });
});

describe('sign-ins', () => {
  test('that fail too often have to wait; what works is given back', async () => {
    for (let i = 0; i < 15; i += 1) await signIn(world.purchaseKey);
    const statuses = [];
    for (let i = 0; i < 14; i += 1) {
      const answer = await api('POST', '/buyer/session', {}, { key: 'rk_guess' });
      statuses.push(answer.status);
      if (answer.status === 429) assert.match(answer.headers.get('retry-after'), /^[1-6]$/);
    }
    assert.ok(statuses.includes(401) && statuses.at(-1) === 429, statuses.join());
    assert.equal((await api('POST', '/admin/session', {}, { token: adminToken })).status, 429);
    await ok('GET', '/admin/status', admin); // the token itself is no guess
    await ok('GET', '/buyer/me', purchase);
  });
});

test('every operation was seen to work', () => {
  const operations = Object.entries(description.paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).filter(([, operation]) => !operation.tags.includes('llm'))
      .map(([verb]) => `${verb} ${path}`));
  assert.deepEqual(operations.filter((one) => !seen.has(one)), []);
});
