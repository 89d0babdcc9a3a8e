// SPDX-License-Identifier: Apache-2.0
// The second upstream alone, asked by the providers' SDKs: what other tests take for granted of it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { Aimock, answers, usage } from './aimock.mjs';

let mock, openai, anthropic;
before(async () => {
  mock = await Aimock.start();
  openai = new OpenAI({ apiKey: 'any', baseURL: `${mock.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: 'any', baseURL: mock.url, maxRetries: 0 });
});
after(() => mock?.stop());

const asks = (content) => [{ role: 'user', content }];

describe('aimock', () => {
  test('chat completions have the text and the counts', async () => {
    const stream = openai.chat.completions.stream({ model: 'gpt-5.4', messages: asks('text'),
      stream_options: { include_usage: true } });
    const done = await stream.finalChatCompletion();
    assert.equal(done.choices[0].message.content, answers.text.content);
    assert.equal(done.usage.prompt_tokens, usage.uncachedInputTokens);
    assert.equal(done.usage.completion_tokens, usage.outputTokens);
  });

  test('messages have thinking before the text', async () => {
    const done = await anthropic.messages.stream({ model: 'claude-haiku-4-5', max_tokens: 100,
      messages: asks('thinking') }).finalMessage();
    assert.deepEqual(done.content.map((block) => block.thinking ?? block.text),
      [answers.thinking.reasoning, answers.thinking.content]);
    assert.equal(done.usage.input_tokens, usage.uncachedInputTokens);
    assert.equal(done.usage.output_tokens, usage.outputTokens);
  });

  test('responses have the text and the counts', async () => {
    const done = await openai.responses.create({ model: 'gpt-5.4', input: 'text', store: false });
    assert.equal(done.output_text, answers.text.content);
    assert.equal(done.usage.output_tokens, usage.outputTokens);
  });

  test('a call is followed by what its result leads to', async () => {
    const ask = (messages) => openai.chat.completions.create({ model: 'gpt-5.4', messages });
    const first = (await ask(asks('call'))).choices[0].message;
    assert.equal(first.tool_calls[0].function.name, 'get_weather');
    const second = await ask([...asks('call'), first,
      { role: 'tool', tool_call_id: first.tool_calls[0].id, content: '2' }]);
    assert.equal(second.choices[0].message.content, answers.result.content);
  });

  test('Gemini answers at its own path', async () => {
    const answer = await fetch(`${mock.url}/v1beta/models/gemini-2.5-flash-lite:generateContent`,
      { method: 'POST', headers: { 'content-type': 'application/json', 'x-goog-api-key': 'any' },
        body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'text' }] }] }) });
    const { candidates, usageMetadata } = await answer.json();
    assert.equal(candidates[0].content.parts[0].text, answers.text.content);
    assert.equal(usageMetadata.totalTokenCount, usage.uncachedInputTokens + usage.outputTokens);
  });

  test('errors have the status and the words of the format', async () => {
    await assert.rejects(openai.chat.completions.create({ model: 'gpt-5.4', messages: asks('busy') }),
      OpenAI.RateLimitError);
    await assert.rejects(anthropic.messages.create({ model: 'claude-haiku-4-5', max_tokens: 9,
      messages: asks('broken') }), Anthropic.InternalServerError);
    assert.deepEqual(mock.requests().slice(-2).map((one) => [one.path, one.response.status]),
      [['/v1/chat/completions', 429], ['/v1/messages', 500]]);
  });
});
