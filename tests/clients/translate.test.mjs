// SPDX-License-Identifier: Apache-2.0
// Every pair of a client's protocol and a provider, driven by the official SDKs. A native pair gives
// what the provider itself gives; a translated one what fixtures/golden/<pair>/<scenario>.json has,
// streamed or not. GOLDEN=write writes these files anew: read them before you keep them.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import { World, copiesConfig, root, scenarios } from './harness.mjs';
import { client, normalized, protocols, receiptOf, same, usageOf, whole } from './sdk.mjs';

const jsonAnswer = { name: 'json-answer', reply: { text: '{"city":"Oslo","degrees":4}' },
  usage: { uncachedInput: 9, output: 9 } };

let world;
before(async () => {
  world = await World.open({}, [jsonAnswer], copiesConfig);
  await world.serve();
  await world.buy(500);
});
after(() => world?.close());

const openai = (more = {}) =>
  client(OpenAI, { apiKey: world.key, baseURL: `${world.url}/openai/v1`, ...more });
const openaiDirect = () => openai({ apiKey: 'sim-key', baseURL: `${world.simUrl}/v1` });
const anthropic = (Sdk = Anthropic, more = {}) =>
  client(Sdk, { apiKey: world.key, baseURL: `${world.url}/any`, ...more });
const anthropicDirect = (Sdk) => anthropic(Sdk, { apiKey: 'sim-key', baseURL: world.simUrl });
const sdkOf = (protocol) => (protocol === 'messages' ? anthropic() : openai());

const modelOf = { openai: 'gpt-5.4', anthropic: 'claude-sonnet-4-6', google: 'gemini-3.1-flash-lite',
  kimi: 'kimi-k2.6' };
const native = { chat: 'openai', responses: 'openai', messages: 'anthropic' };
const pairs = Object.keys(protocols).flatMap((protocol) => Object.keys(modelOf)
  .filter((provider) => native[protocol] !== provider).map((provider) => [protocol, provider]));

const goldenNames = ['default', 'reasoning', 'tool-call', 'text-and-tool', 'thinking-tool', 'refusal',
  'blocked-prompt', 'five-classes', 'written-1h', 'empty-output', 'split-utf8', 'crlf'];

/* ---- What is asked beside a scenario ---- */

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5'
  + 'ErkJggg==';
const pixelUrl = `data:image/png;base64,${pixel}`;
const withImage = {
  chat: (request) => ({ ...request, messages: [{ role: 'system', content: 'Be concise.' },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: pixelUrl } },
      { type: 'text', text: request.messages[0].content }] }] }),
  messages: (request) => ({ ...request, system: 'Be concise.', messages: [{ role: 'user', content: [
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } },
    { type: 'text', text: request.messages[0].content }] }] }),
  responses: (request) => ({ ...request, instructions: 'Be concise.', input: [{ role: 'user', content: [
    { type: 'input_image', image_url: pixelUrl, detail: 'auto' },
    { type: 'input_text', text: request.input }] }] }),
};

const weather = { type: 'object', properties: { city: { type: 'string' }, degrees: { type: 'integer' } },
  required: ['city', 'degrees'], additionalProperties: false };
const format = { type: 'json_schema', schema: weather };
const withSchema = {
  chat: { response_format: { type: 'json_schema',
    json_schema: { name: 'weather', strict: true, schema: weather } } },
  messages: { output_config: { format } },
  responses: { text: { format: { ...format, name: 'weather', strict: true } } },
};
const parsed = {
  chat: async (sdk, request) => (await sdk.chat.completions.parse(request)).choices[0].message.parsed,
  messages: async (sdk, request) => JSON.parse((await sdk.messages.create(request)).content[0].text),
  responses: async (sdk, request) => (await sdk.responses.parse(request)).output_parsed,
};
const endOf = {
  chat: (answer) => answer.choices[0].finish_reason,
  messages: (answer) => answer.stop_reason,
  responses: (answer) => answer.incomplete_details.reason,
};

/* Whose fault it is decides: what the operator's account did wrong is no fault of the caller. */
const translatedErrors = {
  'error-400': { chat: [400, 'invalid_request_error'], messages: [400, 'invalid_request_error'] },
  'error-401': { chat: [502, 'server_error'], messages: [502, 'api_error'] },
  'error-402': { chat: [502, 'server_error'], messages: [502, 'api_error'] },
  'error-429': { chat: [429, 'requests'], messages: [429, 'rate_limit_error'] },
  'error-500': { chat: [500, 'server_error'], messages: [500, 'api_error'] },
  'error-529': { chat: [503, 'server_error'], messages: [503, 'api_error'] },
};
/* What only some providers say of an overload. */
const overload = {
  openai: { messages: [529, 'overloaded_error'] },
  kimi: { chat: [429, 'requests'], messages: [429, 'rate_limit_error'] },
};

/* ---- Comparing ---- */

const lineOf = (words) => world.journal().filter((line) => line.body?.includes(words)).at(-1);

/** The client's usage, the receipt and the provider's journal tell the same. */
async function checkUsage(protocol, usage, requestId, words) {
  const receipt = await world.receipt(requestId);
  const written = receipt.cacheWrite5mTokens + receipt.cacheWrite1hTokens;
  assert.deepEqual(usageOf(protocol, usage), { uncached: receipt.uncachedInputTokens, written,
    read: receipt.cacheReadTokens, output: receipt.outputTokens });
  if (receipt.status === 'settled') await receiptOf(world, requestId, words);
}

/** Without ids, times and numbers of the simulator. */
const unnumbered = (response) => ({ ...same(response), created_at: 0 });

/** What came of a call: the answer, or the error. */
const outcome = (call) => call.then(normalized,
  (error) => ({ status: error.status, error: normalized(error.error) }));

const goldenPath = (pair, name) => join(root, 'fixtures/golden', pair, `${name}.json`);
const goldenOf = (pair, name) => JSON.parse(readFileSync(goldenPath(pair, name), 'utf8'));

function compareWithGolden(pair, name, got) {
  const path = goldenPath(pair, name);
  if (process.env.GOLDEN === 'write') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(got, null, 2)}\n`);
  }
  assert.deepEqual(got, goldenOf(pair, name));
}

/** The same twice is said once. */
function together(wholeAnswer, streamed) {
  try {
    assert.deepEqual(streamed, wholeAnswer);
    return { both: wholeAnswer };
  } catch {
    return { whole: wholeAnswer, stream: streamed };
  }
}

for (const [protocol, provider] of pairs)
  describe(`${protocol} to ${provider}`, () => {
    const { request, create, stream, textOf } = protocols[protocol];
    const model = modelOf[provider];

    for (const name of goldenNames)
      test(`${name}: as the golden file has it`, async () => {
        const words = `golden-${protocol}-${provider}-${name}`;
        const results = [];
        for (const how of [create, stream]) {
          const sdk = sdkOf(protocol);
          const answer = how(sdk, request(model, name, words));
          results.push(await outcome(answer));
          const { usage } = await answer.catch(() => ({}));
          if (usage) await checkUsage(protocol, usage, sdk.lastId(), words);
        }
        compareWithGolden(`${protocol}-${provider}`, name, together(...results));
      });

    test('an image and a system text reach the provider', async () => {
      const words = `image-${protocol}-${provider}`;
      const answer = await create(sdkOf(protocol), withImage[protocol](request(model, 'default', words)));
      assert.equal(textOf(answer), scenarios.default.reply.text);
      const body = lineOf(words).body;
      assert.ok(body.includes(pixel) && body.includes('image/png') && body.includes('Be concise.'), body);
    });

    test('an answer by a schema', async () => {
      const words = `schema-${protocol}-${provider}`;
      const asked = { ...request(model, 'json-answer', words), tools: undefined, ...withSchema[protocol] };
      assert.deepEqual(await parsed[protocol](sdkOf(protocol), asked), { city: 'Oslo', degrees: 4 });
      assert.ok(lineOf(words).body.includes('"degrees"'), lineOf(words).body);
    });

    test('an answer that reaches its limit says so', async () => {
      const words = `limit-${protocol}-${provider}`;
      const limits = { chat: 'max_completion_tokens', messages: 'max_tokens', responses: 'max_output_tokens' };
      for (const how of [create, stream]) {
        const asked = request(model, 'long-text', words, { [limits[protocol]]: 16 });
        const answer = await how(sdkOf(protocol), asked).catch((error) => error);
        assert.equal(endOf[protocol](answer), { chat: 'length', messages: 'max_tokens',
          responses: 'max_output_tokens' }[protocol]);
        assert.equal(lineOf(words).outputTokens, 16);
      }
    });

    test('errors are in the words of the protocol', async () => {
      for (const [scenario, expected] of Object.entries(translatedErrors)) {
        const sdk = sdkOf(protocol);
        for (const how of [create, stream]) {
          const asked = request(world.copy(model), scenario, `error-${protocol}-${provider}`);
          const error = await how(sdk, asked).then(() => assert.fail(scenario), (reason) => reason);
          const dialect = protocol === 'messages' ? 'messages' : 'chat';
          const [status, type] = (scenario === 'error-529' && overload[provider]?.[dialect]) || expected[dialect];
          assert.equal(error.status, status, scenario);
          assert.equal(protocol === 'messages' ? error.error.error.type : error.type, type, scenario);
          assert.doesNotMatch(JSON.stringify(error.error), /org-simulated|sim-key/);
          const receipt = await world.receipt(sdk.lastId());
          assert.equal(receipt.status, 'failed');
          assert.equal(receipt.buyerChargeUsdMicros, 0);
        }
      }
    });
  });

describe('tools', () => {
  /* What the provider signed, or what it must be told again, stands in the second request. */
  const kept = { openai: {}, anthropic: { signature: /"signature":"[0-9a-f]{64}"/ },
    google: { signature: /"thoughtSignature":"[0-9a-f]{64}"/ },
    kimi: { thinking: /"reasoning_content":"The queue depth is not known yet/ } };

  for (const [protocol, { request, create, stream, next, textOf, effort }] of Object.entries(protocols))
    for (const provider of Object.keys(modelOf))
      for (const [way, how] of Object.entries({ create, stream }))
        for (const scenario of ['thinking-tool', 'tool-call'])
          test(`${protocol} to ${provider}, ${way}, ${scenario}: there and back`, async () => {
            const words = `tools-${protocol}-${provider}-${way}-${scenario}`;
            // OpenAI refuses an effort beside tools on Chat Completions: a native call must not ask.
            const thinks = native[protocol] === 'openai' && provider === 'openai' ? {} : effort;
            const first = request(modelOf[provider], scenario, words, thinks);
            const sdk = sdkOf(protocol);
            const called = await how(sdk, first);
            const done = await how(sdk, next(first, called, `[[default]] result-${words}`));
            assert.equal(textOf(done), scenarios.default.reply.text);
            const line = lineOf(`result-${words}`);
            assert.equal(line.status, 200);
            if (scenario === 'thinking-tool')
              for (const pattern of Object.values(kept[provider])) assert.match(line.body, pattern);
          });

  test('a conversation moves from provider to provider', async () => {
    for (const [protocol, { request, create, next, textOf }] of Object.entries(protocols))
      for (const [from, to] of [['anthropic', 'google'], ['google', 'anthropic'], ['google', 'kimi'],
        ['kimi', 'openai'], ['anthropic', 'kimi'], ['openai', 'google'], ['kimi', 'anthropic']]) {
        // Anthropic's own protocol and OpenAI's Responses pass as they are: what others signed must go.
        const words = `moves-${protocol}-${from}-${to}`;
        const first = request(modelOf[from], 'thinking-tool', words);
        const called = await create(sdkOf(protocol), first);
        const second = { ...next(first, called, '[[default]] ok'), model: modelOf[to] };
        const done = await create(sdkOf(protocol), second).catch((error) => assert.fail(`${words}: ${error}`));
        assert.equal(textOf(done), scenarios.default.reply.text, words);
      }
  });
});

describe('native pairs', () => {
  for (const name of new Set([...whole, 'thinking-tool', 'blocked-prompt'])) {
    test(`responses to openai, ${name}: what the provider gives`, async () => {
      const { request, create, stream } = protocols.responses;
      const words = `native-responses-${name}`;
      for (const how of [create, stream]) {
        const sdk = openai();
        const [mine, theirs] = await Promise.all([how(sdk, request('gpt-5.4', name, words)),
          how(openaiDirect(), request('gpt-5.4', name, words))]);
        assert.deepEqual(unnumbered(mine), unnumbered(theirs));
        await checkUsage('responses', mine.usage, sdk.lastId(), words);
      }
    });

    test(`messages to anthropic with the older SDK, ${name}: what the provider gives`, async () => {
      const { request, create, stream } = protocols.messages;
      const words = `native-older-${name}`;
      for (const how of [create, stream]) {
        const [mine, theirs] = await Promise.all([
          how(anthropic(Anthropic0), request('claude-sonnet-4-6', name, words)),
          how(anthropicDirect(Anthropic0), request('claude-sonnet-4-6', name, words))]);
        assert.deepEqual(same(mine), same(theirs));
      }
      assert.equal(lineOf(words).requestHeaders['anthropic-version'], '2023-06-01');
    });
  }

  for (const provider of ['openai', 'google', 'kimi'])
    test(`the older Anthropic SDK puts together the same from ${provider}`, async () => {
      const { request, create, stream } = protocols.messages;
      for (const name of goldenNames) {
        const words = `older-${provider}-${name}`;
        const [created, streamed] = await Promise.all([create, stream].map((how) =>
          outcome(how(anthropic(Anthropic0), request(modelOf[provider], name, words)))));
        const golden = goldenOf(`messages-${provider}`, name);
        assert.deepEqual(created, golden.both ?? golden.whole, name);
        assert.deepEqual(streamed, golden.both ?? golden.stream, name);
      }
    });
});

describe('beside the calls', () => {
  for (const [line, Sdk] of Object.entries({ '1.x': Anthropic, '0.x': Anthropic0 })) {
    test(`SDK ${line}: the models of a route`, async () => {
      const ids = [];
      for await (const model of anthropic(Sdk).models.list({ limit: 1000 })) {
        assert.equal(model.type, 'model');
        if (!model.id.includes('-copy')) ids.push(model.id);
      }
      for (const id of Object.values(modelOf)) assert.ok(ids.includes(id), id);
    });

    test(`SDK ${line}: tokens are counted by Anthropic, and estimated for others`, async () => {
      for (const [provider, model] of Object.entries(modelOf)) {
        const sdk = anthropic(Sdk);
        const words = `counted-${line}-${provider}`;
        const asked = { model, messages: [{ role: 'user', content: `[[five-classes]] ${words}` }] };
        const { input_tokens: tokens } = await sdk.messages.countTokens(asked);
        const estimated = sdk.seen[0].headers.get('x-agent-store-estimated');
        if (provider === 'anthropic') assert.deepEqual([tokens, estimated], [1750, null]);
        else assert.ok(estimated === 'true' && tokens > 10 && tokens < 100, String(tokens));
      }
    });
  }
});
