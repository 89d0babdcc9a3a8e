// SPDX-License-Identifier: Apache-2.0
// The five classes of tokens, for every provider and every kind of call: the receipt, the balance and
// the provider's own journal agree to the micro, and the charge is computed here a second time.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { World, charge, chat, classes, countsOf, message, prices } from './harness.mjs';

const ids = { openai: 'gpt-5.4', anthropic: 'claude-sonnet-4-6', google: 'gemini-3.1-flash-lite',
  kimi: 'kimi-k2.6' };
const factor = 0.85; // of the list prices, on the route `discount`
const upstreams = Object.entries(ids).map(([provider, id]) => ({ provider, models: [id] }));
const routes = [{ alias: 'any', upstreams }, { alias: 'discount', upstreams: upstreams.map((one) => (
  { ...one, name: `${one.provider}-discount`, priceFactor: String(factor) })) }];

/* More input tokens than its bytes can be: the model's long price holds for all of the call. */
const longPrompt = { name: 'long-prompt', reply: { text: 'It is long.' },
  usage: { uncachedInput: 250000, cacheRead: 50000, output: 100 } };

let world;
before(async () => {
  world = await World.open({}, [longPrompt], { routes });
  await world.serve();
  await world.buy(500);
});
after(() => world?.close());

const responses = (scenario, more, words) => ({ input: `[[${scenario}]] ${words}`, max_output_tokens: 500,
  store: false, ...more });
const ways = {
  chat: { path: '/openai/v1/chat/completions', body: chat },
  messages: { path: '/any/v1/messages', body: message },
  discount: { path: '/discount/v1/messages', body: message },
  responses: { path: '/openai/v1/responses', body: responses },
};
/* Kind of call, and the counts that the provider is told to report. */
const kinds = { plain: 'default', cached: 'cached', 'written for 5 minutes': 'five-classes',
  'written for an hour': 'written-1h', thinking: 'reasoning', tools: 'tool-call',
  'tools and results of the provider': 'tool-use-prompt' };

/** Unit prices on the route, each rounded up to a micro-USD per million tokens. */
function pricesOf(way, model) {
  const list = prices[model];
  if (way !== 'discount') return list;
  const percent = BigInt(Math.round(factor * 100));
  return Object.fromEntries(classes.map((name) => [name, (list[name] * percent + 99n) / 100n]));
}

const lineOf = (words) => world.journal().filter((line) => line.body?.includes(words)).at(-1);

let credit = 500000000n; // after the call before

/** One call to its end. Resolves when nothing is held any more. */
async function call(way, model, scenario, { words, stream, leave = false }) {
  const hangUp = new AbortController();
  const answer = await world.ask(ways[way].path, { signal: hangUp.signal,
    body: ways[way].body(scenario, { model, stream }, words) });
  if (leave) {
    await answer.body.getReader().read();
    hangUp.abort();
  } else {
    await answer.text();
  }
  const balance = await world.noHoldLeft();
  const spent = credit - balance.credit;
  credit = balance.credit;
  const receipt = await world.receipt(answer.headers.get('x-request-id'));
  return { answer, receipt, line: lineOf(words), spent };
}

function checkBill({ receipt, line, spent }, price) {
  assert.equal(receipt.status, 'settled');
  assert.equal(receipt.evidence, 'provider');
  assert.equal(line.reported, true);
  assert.deepEqual(countsOf(receipt), countsOf(line));
  const due = charge(line, price);
  assert.equal(BigInt(receipt.buyerChargeUsdMicros), due);
  assert.equal(BigInt(receipt.overrunUsdMicros), 0n);
  assert.equal(spent, due);
}

for (const way of Object.keys(ways))
  for (const [provider, model] of Object.entries(ids))
    describe(`${way} to ${provider}`, () => {
      const price = pricesOf(way, model);

      for (const [kind, scenario] of Object.entries(kinds))
        test(kind, async () => {
          for (const stream of [false, true]) {
            const words = `${way}-${provider}-${scenario}-${stream}.`;
            checkBill(await call(way, model, scenario, { words, stream }), price);
          }
        });

      test('a client that hangs up', async () => {
        const words = `${way}-${provider}-leaves.`;
        const done = await call(way, model, 'slow-stream', { words, stream: true, leave: true });
        assert.equal(done.line.end, 'complete');
        checkBill(done, price);
      });

      test('an error', async () => {
        for (const stream of [false, true]) {
          const words = `${way}-${provider}-error-${stream}.`;
          const { answer, receipt, line, spent } = await call(way, model, 'error-500', { words, stream });
          assert.equal(answer.status, 500);
          assert.deepEqual([receipt.status, receipt.evidence, receipt.buyerChargeUsdMicros],
            ['failed', 'none', 0]);
          assert.equal(line.reported, false);
          assert.equal(spent, 0n);
        }
      });
    });

test('every price is on the receipt as it was used', async () => {
  for (const [provider, model] of Object.entries(ids)) {
    const { receipt } = await call('discount', model, 'default', { words: `priced-${provider}.`, stream: false });
    const price = pricesOf('discount', model);
    const names = { input: 'uncachedInputTokens', cacheWrite5m: 'cacheWrite5mTokens',
      cacheWrite1h: 'cacheWrite1hTokens', cacheRead: 'cacheReadTokens', output: 'outputTokens' };
    for (const [name, field] of Object.entries(names)) {
      const used = BigInt(Math.round(receipt.unitPricesUsdPerMillion[name] * 1e6));
      assert.equal(used, price[field], `${model} ${name}`);
    }
    assert.match(receipt.priceVersion, /\*0\.85$/);
    assert.equal(receipt.upstream, `${provider}-discount`);
  }
});

test('a long prompt has the long price in all classes', async () => {
  const long = { 'gpt-5.4': [5000000n, 500000n, 22500000n], 'gemini-2.5-pro': [2500000n, 250000n, 15000000n] };
  for (const [model, [input, read, output]] of Object.entries(long))
    for (const stream of [false, true]) {
      const words = `long-${model}-${stream}.`;
      const done = await call('chat', model, 'long-prompt', { words, stream });
      checkBill(done, { uncachedInputTokens: input, cacheWrite5mTokens: input, cacheWrite1hTokens: input,
        cacheReadTokens: read, outputTokens: output });
    }
});

test('the books add up in the end, and agree with the journal', async () => {
  const { verdict } = await world.cliOk('ledger', 'verify');
  assert.equal(verdict.ok, true);
  const { total } = await world.cliOk('usage', 'buyer', '--by', 'model');
  assert.equal(500000000n - credit, BigInt(total.buyerChargeUsdMicros));
  for (const name of classes)
    assert.equal(total[name], world.journal().filter((line) => line.reported)
      .reduce((sum, line) => sum + line[name], 0), name);
});
