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

/** What came of a call: the answer, or the error. */
const outcome = (call) => call.then(normalized,
  (error) => ({ status: error.status, error: normalized(error.error) }));

function compareWithGolden(pair, name, got) {
  const path = join(root, 'fixtures/golden', pair, `${name}.json`);
  if (process.env.GOLDEN === 'write') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(got, null, 2)}\n`);
  }
  assert.deepEqual(got, JSON.parse(readFileSync(path, 'utf8')));
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
    const { request, create, stream } = protocols[protocol];

    for (const name of goldenNames)
      test(`${name}: as the golden file has it`, async () => {
        const words = `golden-${protocol}-${provider}-${name}`;
        const results = [];
        for (const how of [create, stream]) {
          const sdk = sdkOf(protocol);
          results.push(await outcome(how(sdk, request(modelOf[provider], name, words))));
        }
        compareWithGolden(`${protocol}-${provider}`, name, together(...results));
      });
  });
