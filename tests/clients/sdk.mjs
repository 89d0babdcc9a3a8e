// SPDX-License-Identifier: Apache-2.0
// What tests that drive the router with the providers' SDKs share: clients that remember what came,
// answers without what differs from call to call, and a call's receipt against the journal.
import assert from 'node:assert/strict';
import { charge, chat, countsOf, message, scenarios } from './harness.mjs';

/** An SDK client that counts its requests and keeps each answer's headers. */
export function client(Sdk, options) {
  const seen = [];
  const sdk = new Sdk({ maxRetries: 0, ...options, fetch: async (url, init) => {
    const answer = await fetch(url, init);
    seen.push({ status: answer.status, headers: answer.headers });
    return answer;
  } });
  return Object.assign(sdk, { seen, lastId: () => seen.at(-1).headers.get('x-request-id') });
}

/* Scenarios whose answers end well, and soon. */
const slow = (s) => (s.chunks ?? 8) * (s.chunkDelayMs ?? 0) > 3000;
export const whole = Object.values(scenarios)
  .filter((s) => !slow(s) && Object.keys(s.fault ?? {}).every((name) => name === 'delayHeadMs'))
  .map((s) => s.name);

/** The same without ids and times, which differ from call to call. */
export function same(value) {
  return JSON.parse(JSON.stringify(value, (key, member) =>
    (['id', 'created', '_request_id'].includes(key) && !String(member).startsWith('call_')
      && !String(member).startsWith('toolu_') ? undefined : member)));
}

/** The receipt of a call, after a comparison with the provider's journal and with the price list. */
export async function receiptOf(world, requestId, words) {
  const receipt = await world.receipt(requestId);
  const line = world.journal().filter((entry) => entry.body.includes(words)).at(-1);
  assert.ok(line, `${words} is in the journal`);
  assert.equal(receipt.status, 'settled');
  assert.equal(receipt.evidence, 'provider');
  assert.deepEqual(countsOf(receipt), countsOf(line));
  assert.equal(BigInt(receipt.buyerChargeUsdMicros), charge(receipt));
  return receipt;
}

/* ---- The protocols: what is asked, and how the SDK puts an answer together ---- */

const described = ['lookup', 'get_weather', 'get_time'].map((name) => ({ name, description: `Does ${name}.` }));
const schema = { type: 'object', properties: { q: { type: 'string' } } };

/* The SDK's helper keeps only the last piece of a field that it does not know. */
async function streamChat(sdk, request) {
  const stream = sdk.chat.completions.stream({ ...request, stream_options: { include_usage: true } });
  let reasoning = '';
  stream.on('chunk', (chunk) => { reasoning += chunk.choices[0]?.delta.reasoning_content ?? ''; });
  const done = await stream.finalChatCompletion();
  if (reasoning) done.choices[0].message.reasoning_content = reasoning;
  return done;
}

export const protocols = {
  chat: {
    request: (model, scenario, words, more = {}) => ({ ...chat(scenario, { model, ...more }, words),
      tools: described.map((tool) => ({ type: 'function', function: { ...tool, parameters: schema } })) }),
    create: (sdk, request) => sdk.chat.completions.create(request),
    stream: streamChat,
    textOf: (answer) => answer.choices[0].message.content,
    effort: { reasoning_effort: 'low' },
    /** The request after `answer`, whose calls have all had the result `result`. */
    next: (request, answer, result) => ({ ...request, messages: [...request.messages,
      answer.choices[0].message, ...answer.choices[0].message.tool_calls.map((call) => (
        { role: 'tool', tool_call_id: call.id, content: result }))] }),
  },
  messages: {
    request: (model, scenario, words, more = {}) => ({ ...message(scenario, { model, ...more }, words),
      tools: described.map((tool) => ({ ...tool, input_schema: schema })) }),
    create: (sdk, request) => sdk.messages.create(request),
    stream: (sdk, request) => sdk.messages.stream(request).finalMessage(),
    textOf: (answer) => answer.content.filter((block) => block.type === 'text').map((block) => block.text)
      .join(''),
    effort: { thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 2000 },
    next: (request, answer, result) => ({ ...request, messages: [...request.messages,
      { role: 'assistant', content: answer.content },
      { role: 'user', content: answer.content.filter((block) => block.type === 'tool_use')
        .map((block) => ({ type: 'tool_result', tool_use_id: block.id, content: result })) }] }),
  },
  responses: {
    request: (model, scenario, words, more = {}) => ({ model, input: `[[${scenario}]] ${words}`, store: false,
      max_output_tokens: 500, include: ['reasoning.encrypted_content'],
      tools: described.map((tool) => ({ type: 'function', ...tool, parameters: schema, strict: false })),
      ...more }),
    create: (sdk, request) => sdk.responses.create(request),
    stream: (sdk, request) => sdk.responses.stream(request).finalResponse(),
    textOf: (answer) => answer.output_text,
    effort: { reasoning: { effort: 'low', summary: 'auto' } },
    next: (request, answer, result) => ({ ...request, input: [
      { type: 'message', role: 'user', content: request.input }, ...answer.output,
      ...answer.output.filter((item) => item.type === 'function_call').map((item) => (
        { type: 'function_call_output', call_id: item.call_id, output: result }))] }),
  },
};

/** An answer for a golden file: ids are numbered, times are zero, and what the
 * SDK adds or a response only repeats of its request is left out. */
export function normalized(answer) {
  const ids = new Map();
  const number = (text) => {
    const [, prefix] = text.match(/^(chatcmpl-|msg_|resp_|rs_|fc_|ctc_|call_|req_)[0-9A-Za-z]{22}(_\d+)?$/)
      ?? text.match(/^(toolu_)sim\d+$/) ?? []; // the simulator counts a stream's blocks, a message's calls
    if (!prefix) return text;
    if (!ids.has(text)) ids.set(text, `${prefix}#${ids.size + 1}`);
    return ids.get(text);
  };
  const left = (key, value) => key === '_request_id' || key.startsWith('parsed') || key === 'output_parsed'
    || (key === 'annotations' && value.length === 0) || (key === 'tools' && answer.object === 'response');
  const walk = (value) => {
    if (typeof value === 'string') return number(value);
    if (Array.isArray(value)) return value.map(walk);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).filter(([key, member]) => !left(key, member))
      .map(([key, member]) => [key, ['created', 'created_at'].includes(key) ? 0 : walk(member)]));
  };
  return walk(JSON.parse(JSON.stringify(answer ?? null)));
}

/** The five counts that a client reads from its usage, as far as its protocol tells them apart. */
export function usageOf(protocol, usage) {
  if (protocol === 'messages')
    return { uncached: usage.input_tokens, written: usage.cache_creation_input_tokens,
      read: usage.cache_read_input_tokens, output: usage.output_tokens };
  const details = usage.prompt_tokens_details ?? usage.input_tokens_details;
  const [read, written] = [details.cached_tokens, details.cache_write_tokens];
  return { uncached: (usage.prompt_tokens ?? usage.input_tokens) - read - written, written, read,
    output: usage.completion_tokens ?? usage.output_tokens };
}
