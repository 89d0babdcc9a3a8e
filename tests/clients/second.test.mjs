// SPDX-License-Identifier: Apache-2.0
// The router in front of aimock, an upstream that others wrote: through the router the SDKs put
// together what they put together from aimock itself, and translated pairs say what aimock said.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import { Aimock, answers, usage } from './aimock.mjs';
import { World, charge, copiesConfig, countsOf, models } from './harness.mjs';
import { client, normalized, protocols, same, usageOf } from './sdk.mjs';

let mock, world;
before(async () => {
  mock = await Aimock.start();
  world = await World.open(mock.settings(), [], copiesConfig);
  await world.serve();
  await world.buy(100);
});
after(async () => {
  await world?.close();
  await mock?.stop();
});

const openai = (more = {}) =>
  client(OpenAI, { apiKey: world.key, baseURL: `${world.url}/openai/v1`, ...more });
const openaiDirect = () => openai({ apiKey: 'any', baseURL: `${mock.url}/v1` });
const anthropic = (Sdk = Anthropic, more = {}) =>
  client(Sdk, { apiKey: world.key, baseURL: `${world.url}/any`, ...more });
const anthropicDirect = (Sdk) => anthropic(Sdk, { apiKey: 'any', baseURL: mock.url });
const sdkOf = (protocol) => (protocol === 'messages' ? anthropic() : openai());
const modelOf = { openai: 'gpt-5.4', anthropic: 'claude-haiku-4-5', google: 'gemini-2.5-flash-lite',
  kimi: 'kimi-k2.6' };

/* aimock looks for a word in the last user message. */
const request = (protocol, model, word) => {
  const asked = protocols[protocol].request(model, '', '');
  return protocol === 'responses' ? { ...asked, input: word }
    : { ...asked, messages: [{ role: 'user', content: word }] };
};

async function checkReceipt(sdk) {
  const receipt = await world.receipt(sdk.lastId());
  assert.equal(receipt.evidence, 'provider');
  assert.deepEqual(countsOf(receipt), usage);
  assert.equal(BigInt(receipt.buyerChargeUsdMicros), charge(receipt));
}

/** Without ids, times and what aimock makes up for each answer. */
const steady = (value) => JSON.parse(JSON.stringify(same(value), (key, member) =>
  (['created_at', 'encrypted_content', 'signature'].includes(key) ? undefined : member))
  .replace(/"(call|toolu|chatcmpl|msg|resp|rs|fc)_?[-\w]{6,}"/g, '"$1"'));

describe('native calls: the same as from aimock', () => {
  const native = [['chat', 'openai', openai, openaiDirect], ['responses', 'openai', openai, openaiDirect],
    ['messages', 'anthropic', anthropic, anthropicDirect],
    ['messages', 'anthropic', () => anthropic(Anthropic0), () => anthropicDirect(Anthropic0), true]];
  for (const [protocol, provider, mine, theirs, older] of native)
    for (const how of ['create', 'stream'])
      for (const word of ['text', 'thinking', 'call'])
        test(`${protocol}, ${how}, ${word}${older ? ', older SDK' : ''}`, async () => {
          const sdk = mine();
          const asked = request(protocol, modelOf[provider], word);
          const through = await protocols[protocol][how](sdk, asked);
          const upstreamId = models.find((model) => model.id === asked.model).upstreamId;
          const direct = await protocols[protocol][how](theirs(), { ...asked, model: upstreamId });
          assert.deepEqual(steady(through), steady(direct));
          await checkReceipt(sdk);
        });
});

describe('translated calls: what aimock says', () => {
  for (const [protocol, { create, stream, textOf, next }] of Object.entries(protocols))
    for (const [provider, model] of Object.entries(modelOf))
      for (const [way, how] of Object.entries({ create, stream }))
        test(`${protocol} to ${provider}, ${way}`, async () => {
          const sdk = sdkOf(protocol);
          for (const word of ['text', 'thinking']) {
            const done = await how(sdk, request(protocol, model, word));
            assert.equal(textOf(done), answers[word].content);
            assert.deepEqual(usageOf(protocol, { cache_creation_input_tokens: 0, cache_read_input_tokens: 0,
              ...done.usage, ...Object.fromEntries(['prompt_tokens_details', 'input_tokens_details']
                .map((name) => [name, { cached_tokens: 0, cache_write_tokens: 0, ...done.usage[name] }])) }),
            { uncached: usage.uncachedInputTokens, written: 0, read: 0, output: usage.outputTokens });
            await checkReceipt(sdk);
          }
          const asked = request(protocol, model, 'call');
          const called = await how(sdk, asked);
          assert.match(JSON.stringify(called), /get_weather/);
          assert.match(JSON.stringify(called), /Tromsø/);
          await checkReceipt(sdk);
          const done = await how(sdk, next(asked, called, '2'));
          assert.equal(textOf(done), answers.result.content);
        });
});

test('its errors are told in the words of each protocol, and cost nothing', async () => {
  for (const [protocol, { create }] of Object.entries(protocols))
    for (const model of ['gpt-5.4', 'claude-haiku-4-5', 'gemini-3.1-flash-lite', 'kimi-k2.6'])
      for (const [word, status] of Object.entries({ busy: 429, broken: 500 })) {
        const sdk = sdkOf(protocol);
        const error = await create(sdk, request(protocol, world.copy(model), word))
          .then(() => assert.fail(`${protocol} ${model} ${word}`), (reason) => reason);
        assert.equal(error.status, status, `${protocol} ${model} ${word}: ${error.message}`);
        assert.ok(normalized(error.error), word);
        assert.equal((await world.receipt(sdk.lastId())).buyerChargeUsdMicros, 0);
      }
});
