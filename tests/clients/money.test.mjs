// SPDX-License-Identifier: Apache-2.0
// Money under load: what is admitted, what is billed, and that the ledger equals provider-sim's own
// journal to the micro whatever befalls the calls.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { World, charge, chat, copies, copiesConfig, copyOf, countsOf, message, order, originalOf,
  scenarios, seeded, until } from './harness.mjs';

/* A call of 12 000 output tokens at 15 USD a million holds 0.18 USD and a little for its input: five
 * fit into one dollar, six do not. */
const big = { name: 'big', reply: { text: 'done' }, usage: { uncachedInput: 10, output: 10 },
  fault: { delayHeadMs: 2500 } };

let world;
before(async () => {
  world = await World.open({}, [big], copiesConfig);
  await world.serve();
});
after(() => world?.close());

test('64 calls at once on a balance good for five: five are admitted', async () => {
  const { purchaseKey } = await world.createAccount('five', '3.00');
  const mcp = await world.mcp(purchaseKey);
  for (let round = 1; round <= 3; round++) {
    // Each round tops the pool up to between 0.90 and 1.08 USD: its charges are tiny.
    if (round === 1) {
      const { service } = await mcp.call('purchase_create', order(1, 'five-1'));
      const { apiKey } = await mcp.call('router_api_key_create', { serviceId: service.id, label: 'five' });
      world.url = apiKey.baseUrl.replace('/openai/v1', '');
      world.fiveKey = apiKey.secret;
    }
    const before64 = world.journal().length;
    const answers = await Promise.all(Array.from({ length: 64 }, (_, i) =>
      world.ask(round === 2 ? '/claude/v1/messages' : '/openai/v1/chat/completions', {
        key: world.fiveKey,
        body: round === 2
          ? message('big', { model: 'claude-sonnet-4-6', max_tokens: 12000, stream: i % 2 === 1 })
          : chat('big', { max_completion_tokens: 12000, stream: i % 2 === 1 }) })));
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    const admitted = answers.filter((answer) => answer.status === 200);
    assert.equal(admitted.length, 5, `round ${round}`);
    assert.equal(world.journal().length - before64, 5, 'the refused ones never reached the provider');
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 200) continue;
      assert.equal(answer.status, 402);
      assert.equal(answer.headers.get('x-should-retry'), 'false');
      const { error } = JSON.parse(bodies[i]);
      assert.ok(Number(error.availableUsd) < Number(error.requiredUsd), bodies[i]);
      assert.ok(Number(error.heldUsd) > 0, 'it tells that running calls hold the money');
    }
    await world.noHoldLeft('five');
    const { verdict } = await world.cliOk('ledger', 'verify');
    assert.equal(verdict.ok, true);
  }
  await mcp.close();
});

/* ---- Three hundred calls of all kinds ---- */

/* Those that take minutes by themselves are left to a hang-up. */
const endless = ['stall', 'long-running'];
const names = Object.keys(scenarios).filter((name) => name !== 'huge-event');

async function run(plan) {
  const hangUp = new AbortController();
  const timer = plan.hangUpMs === undefined ? null : setTimeout(() => hangUp.abort(), plan.hangUpMs);
  const done = { ...plan };
  try {
    const answer = await world.ask(plan.path, { key: plan.key, body: plan.body, signal: hangUp.signal });
    done.requestId = answer.headers.get('x-request-id');
    done.status = answer.status;
    done.charge = answer.headers.get('x-agent-store-charge-usd-micros');
    done.text = await answer.text();
  } catch (error) {
    done.error = error;
  }
  clearTimeout(timer);
  return done;
}

function plans(count, keys) {
  const random = seeded(20261122);
  const pick = (list) => list[Math.floor(random() * list.length)];
  return Array.from({ length: count }, (_, i) => {
    const name = pick(names);
    const isChat = random() < 0.5;
    const stream = random() < 0.6;
    const hangsUp = endless.includes(name) || random() < 0.25;
    const words = `call-${i}.`;
    const model = copyOf(isChat ? 'gpt-5.4' : pick(['claude-haiku-4-5', 'claude-sonnet-4-6']), i % copies);
    const body = (isChat ? chat : message)(name, { stream, model }, words);
    return { name, words, body, key: pick(keys), stream,
      path: isChat ? '/openai/v1/chat/completions' : '/claude/v1/messages',
      hangUpMs: hangsUp ? Math.floor(random() * 250) : undefined };
  });
}

const asText = (record) => JSON.stringify([originalOf(record.model),
  ...Object.values(countsOf(record))]);

test('300 calls of all kinds, with faults and hang-ups: the books equal the journal', async () => {
  const mcp = await world.buy(100);
  const second = (await mcp.call('router_api_key_create', { serviceId: world.serviceId, label: 'second' }))
    .apiKey.secret;
  const receiptsInBooks = async () => (await world.cliOk('ledger', 'verify')).verdict.receipts;
  const olderReceipts = await receiptsInBooks();
  const first = world.logs.length;
  const firstLine = world.journal().length;
  const todo = plans(300, [world.key, second]);
  const done = [];
  await Promise.all(Array.from({ length: 16 }, async () => {
    for (let plan = todo.shift(); plan; plan = todo.shift()) done.push(await run(plan));
  }));
  await world.noHoldLeft();

  // Every request that got a hold has one line in the log when it ended, and a receipt.
  const ended = await receiptsInBooks() - olderReceipts;
  const logged = await until('all ends are logged', () => {
    const ids = [...world.logs.slice(first).matchAll(/event=request id=(req_\w+) .*?end=/g)]
      .map((match) => match[1]);
    return ids.length === ended && ids;
  });
  const receipts = new Map(await Promise.all(logged.map(async (id) => [id, await world.receipt(id)])));

  let sum = 0n;
  for (const receipt of receipts.values()) {
    const due = receipt.status === 'settled' ? charge(receipt) : 0n;
    assert.equal(BigInt(receipt.buyerChargeUsdMicros) + BigInt(receipt.overrunUsdMicros), due,
      JSON.stringify(receipt));
    if (receipt.status !== 'settled') assert.equal(receipt.evidence, 'none');
    sum += BigInt(receipt.buyerChargeUsdMicros);
  }
  const { credit } = await world.balance();
  assert.equal(100000000n - credit, sum);

  // Calls whose answer came: receipt, charge header and journal line by line.
  const lines = new Map(world.journal().slice(firstLine)
    .map((line) => [line.body.match(/call-\d+\./)?.[0], line]));
  let compared = 0;
  for (const call of done) {
    const receipt = receipts.get(call.requestId);
    if (!receipt) continue; // its client left before it knew the number
    if (call.charge) assert.equal(BigInt(call.charge), BigInt(receipt.buyerChargeUsdMicros));
    const line = lines.get(call.words);
    if (call.error || receipt.evidence !== 'provider') continue;
    assert.ok(line?.reported, `${call.words} ${call.name}`);
    assert.deepEqual(countsOf(receipt), countsOf(line), `${call.words} ${call.name}`);
    compared++;
  }
  assert.ok(compared > 100, `${compared} were compared`);

  // The others, whose client left: the same counts the same number of times.
  const reported = [...lines.values()].filter((line) => line.reported && line.end === 'complete'
    && scenarios[line.scenario].name !== 'huge-usage').map((line) => asText({ ...line,
    model: line.model.replace(/-\d{8}$/, '') })).sort();
  const billed = [...receipts.values()].filter((receipt) => receipt.evidence === 'provider')
    .map(asText).sort();
  assert.deepEqual(billed, reported);

  const { usage, total } = await world.cliOk('usage', 'buyer', '--by', 'key');
  assert.equal(usage.length, 2);
  assert.equal(BigInt(total.buyerChargeUsdMicros), sum);
  const { verdict } = await world.cliOk('ledger', 'verify');
  assert.equal(verdict.ok, true, JSON.stringify(verdict));
});

test('a client that hangs up is billed what the provider reports', async () => {
  await world.noHoldLeft();
  const { credit } = await world.balance();
  const hangUp = new AbortController();
  const answer = await world.ask('/openai/v1/chat/completions', { signal: hangUp.signal,
    body: chat('slow-stream', { stream: true }, 'leaves-early') });
  const requestId = answer.headers.get('x-request-id');
  const reader = answer.body.getReader();
  await reader.read();
  hangUp.abort();
  await world.noHoldLeft();
  const receipt = await world.receipt(requestId);
  const line = world.journal().find((entry) => entry.body.includes('leaves-early'));
  assert.equal(line.end, 'complete');
  assert.equal(receipt.evidence, 'provider');
  assert.deepEqual(countsOf(receipt), countsOf(line));
  assert.equal(credit - (await world.balance()).credit, charge(receipt));
});

test('a key spends no more than its limit, and calls only its models', async () => {
  const mcp = await world.mcp();
  const { apiKey } = await mcp.call('router_api_key_create', { serviceId: world.serviceId,
    label: 'limited', limits: { spendLimitUsd: 0.02, maxConcurrent: 2, allowedModels: ['gpt-5.4'] } });
  const ask = (body) => world.ask('/openai/v1/chat/completions', { key: apiKey.secret, body });
  assert.equal((await ask({ ...chat('default'), model: 'gpt-5.4-mini' })).status, 403);
  let spent = 0n;
  for (;;) {
    const answer = await ask(chat('long-text'));
    await answer.text();
    if (answer.status !== 200) {
      assert.equal(answer.status, 402);
      break;
    }
    spent += BigInt(answer.headers.get('x-agent-store-charge-usd-micros'));
    assert.ok(spent <= 20000n);
  }
  assert.ok(spent > 0n);
  const { apiKeys } = await mcp.call('router_api_key_list', { serviceId: world.serviceId });
  const mine = apiKeys.find((key) => key.id === apiKey.id);
  assert.equal(mine.spentUsd, `0.${String(spent).padStart(6, '0')}`.replace(/0{1,4}$/, ''));
  await mcp.close();
});

test('a key has as many calls at once and a minute as it was given, and ends when it was told to', async () => {
  const mcp = await world.mcp();
  const make = async (limits) => (await mcp.call('router_api_key_create',
    { serviceId: world.serviceId, label: 'limited', limits })).apiKey.secret;
  const ask = async (key, name = 'default') => {
    const answer = await world.ask('/openai/v1/chat/completions', { key, body: chat(name) });
    const { error } = await answer.json();
    if (answer.status === 429) {
      assert.equal(error.code, 'rate_limit_exceeded');
      assert.ok(Number(answer.headers.get('retry-after')) >= 1);
    }
    return answer.status;
  };
  const count = (statuses, wanted) => statuses.filter((status) => status === wanted).length;

  const two = await make({ maxConcurrent: 2 });
  const atOnce = await Promise.all(Array.from({ length: 20 }, () => ask(two, 'big')));
  assert.deepEqual([count(atOnce, 200), count(atOnce, 429)], [2, 18]);
  assert.equal(await ask(two), 200);

  const seven = await make({ requestsPerMinute: 7 });
  const inAMinute = await Promise.all(Array.from({ length: 30 }, () => ask(seven)));
  assert.deepEqual([count(inAMinute, 200), count(inAMinute, 429)], [7, 23]);

  const brief = await make({ expiresAt: new Date(Date.now() + 4000).toISOString() });
  assert.equal(await ask(brief), 200);
  await until('the key is over', async () => await ask(brief) === 401, 10000);
  await mcp.close();
});
