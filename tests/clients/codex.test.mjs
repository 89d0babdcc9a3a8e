// SPDX-License-Identifier: Apache-2.0
// What Codex CLI sends (fixtures/clients/codex-request.json) and what it depends on in the answer:
// each item whole in its output_item.done, the text as it grows, and response.completed with usage.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { World, root, until } from './harness.mjs';
import { receiptOf, usageOf } from './sdk.mjs';

const asked = JSON.parse(readFileSync(join(root, 'fixtures/clients/codex-request.json'), 'utf8'));
const patch = '*** Begin Patch\n*** Update File: hello.py\n-print("helo")\n+print("hello, wörld")\n'
  + '*** End Patch\n';
const command = '{"command":["python3","hello.py"],"workdir":"/work/demo"}';
const codex = { name: 'codex', chunks: 5, usage: { uncachedInput: 400, cacheRead: 1000, output: 90 }, reply: {
  reasoning: 'The greeting is misspelt. A patch, then a run.', text: 'I will fix it and run it.', finish: 'tool',
  toolCalls: { apply_patch: JSON.stringify({ input: patch }), shell: command } } };
const slow = { name: 'codex-slow', chunks: 4, chunkDelayMs: 150, reply: { text: 'one two three four' } };

let world;
before(async () => {
  world = await World.open({}, [codex, slow]);
  await world.serve();
  await world.buy(100);
});
after(() => world?.close());

/** The events of an answer as Codex reads them; it knows no end but the last event. */
async function events(answer) {
  assert.equal(answer.status, 200, answer.status === 200 ? '' : await answer.text());
  assert.match(answer.headers.get('content-type'), /^text\/event-stream/);
  const text = await answer.text();
  assert.doesNotMatch(text, /\[DONE\]/);
  return text.split('\n\n').filter(Boolean).map((block) => {
    const [, name, data] = block.match(/^event: (\S+)\ndata: (.*)$/);
    const event = JSON.parse(data);
    assert.equal(event.type, name);
    return event;
  });
}

const codexHeaders = { 'content-type': 'application/json', accept: 'text/event-stream', originator: 'codex_cli_rs',
  'session-id': '019ab0a4-3c1e-7d52-9f4e-3d5b2a6c7e10', 'x-codex-beta-features': 'none' };
const post = (body) => world.ask('/openai/v1/responses', { body, headers: codexHeaders });

/** What holds for every stream that Codex can use. Gives the items and the last response. */
function checkOrder(list) {
  assert.deepEqual(list.map((event) => event.sequence_number), list.map((_, i) => list[0].sequence_number + i));
  assert.deepEqual(list.slice(0, 2).map((event) => event.type), ['response.created', 'response.in_progress']);
  const last = list.at(-1);
  assert.equal(last.type, 'response.completed');
  assert.match(last.response.id, /^resp_/);
  assert.equal(last.response.id, list[0].response.id);
  const items = [];
  let open = null; // an item is added, grows, is done; then the next
  for (const event of list.slice(2, -1)) {
    if (event.type === 'response.output_item.added') {
      assert.equal(open, null);
      assert.equal(event.output_index, items.length);
      open = { id: event.item.id, type: event.item.type, grown: '' };
    } else if (event.type === 'response.output_item.done') {
      assert.deepEqual([event.output_index, event.item.id, event.item.type], [items.length, open.id, open.type]);
      const text = { message: () => event.item.content.map((part) => part.text).join(''),
        reasoning: () => event.item.summary.map((part) => part.text).join(''),
        function_call: () => event.item.arguments, custom_tool_call: () => event.item.input }[open.type]();
      assert.equal(open.grown, text, 'the item is whole');
      items.push(event.item);
      open = null;
    } else {
      assert.equal(event.output_index, items.length, event.type);
      assert.equal(event.item_id, open.id, event.type);
      if (event.type.endsWith('.delta')) open.grown += event.delta;
    }
  }
  assert.equal(open, null);
  assert.deepEqual(last.response.output, items);
  return { items, response: last.response };
}

const called = (items) => items.filter((item) => item.type.endsWith('_call'));

/** The next request: all items again, and the outputs of the calls. */
const outputs = (items, text) => ({ ...asked, input: [...asked.input, ...items, ...called(items).map((item) => ({
  type: item.type === 'custom_tool_call' ? 'custom_tool_call_output' : 'function_call_output',
  call_id: item.call_id, output: text }))] });

for (const model of ['claude-sonnet-4-6', 'claude-haiku-4-5', 'gemini-3.1-flash-lite', 'gemini-2.5-flash-lite',
  'kimi-k2.6'])
  test(`${model}: a turn with a patch and a command, and the next one`, async () => {
    const answer = await post({ ...asked, model });
    const { items, response } = checkOrder(await events(answer));
    const [custom, shell] = called(items);
    assert.equal(custom.type, 'custom_tool_call');
    assert.deepEqual([custom.name, custom.input, custom.status], ['apply_patch', patch, 'completed']);
    assert.equal(shell.type, 'function_call');
    assert.deepEqual([shell.name, JSON.parse(shell.arguments)], ['shell', JSON.parse(command)]);
    assert.notEqual(custom.call_id, shell.call_id);
    const said = items.filter((item) => item.type === 'message');
    assert.deepEqual(said.map((item) => item.content[0].text), [codex.reply.text]);
    assert.equal(said[0].role, 'assistant');
    assert.equal(response.model, model);
    assert.deepEqual(response.usage.output_tokens_details, { reasoning_tokens: 0 });
    assert.equal(response.usage.total_tokens, 1490);
    const receipt = await receiptOf(world, answer.headers.get('x-request-id'), 'Fix the greeting');
    assert.deepEqual(usageOf('responses', response.usage), { uncached: receipt.uncachedInputTokens, written: 0,
      read: receipt.cacheReadTokens, output: receipt.outputTokens });

    // Thinking that the provider wants back is in an item that Codex sends back.
    const sealed = items.filter((item) => item.type === 'reasoning');
    if (model.startsWith('claude')) assert.match(sealed[0].encrypted_content, /^anthropic:/);
    const next = checkOrder(await events(await post({ ...outputs(items, '[[default]] done'), model })));
    assert.deepEqual(called(next.items), []);
    assert.equal(next.items.at(-1).content[0].text.slice(0, 21), 'Deployment is healthy');
    const { body } = world.journal().at(-1);
    const unescaped = (text) => text.replaceAll('\\', '');
    assert.ok(unescaped(body).includes(unescaped(JSON.stringify(patch).slice(1, -1))), body);
    if (model.startsWith('claude')) assert.match(body, /"signature":"[0-9a-f]{64}"/);
    if (model.startsWith('gemini-3')) assert.match(body, /"thoughtSignature":"[0-9a-f]{64}"/);
  });

describe('gpt-5.4, natively', () => {
  const known = (event) => JSON.parse(JSON.stringify(event).replace(/_sim\d+/g, '_sim'));

  test('the events are the provider\'s own, in a turn and in the next one', async () => {
    const named = (body) => ({ ...body, tools: body.tools.filter((tool) => tool.name) });
    const direct = (body) => fetch(`${world.simUrl}/v1/responses`, { method: 'POST',
      body: JSON.stringify(named(body)), headers: { ...codexHeaders, authorization: 'Bearer sim-key' } });
    const mine = await events(await post(asked));
    assert.deepEqual(mine.map(known), (await events(await direct(asked))).map(known));
    const { items } = checkOrder(mine);
    const next = outputs(items, '[[default]] done');
    assert.deepEqual((await events(await post(next))).map(known), (await events(await direct(next))).map(known));
  });

  test('its tools pass as they are, but for those that the provider would run and bill', async () => {
    const localShell = { type: 'local_shell' };
    await events(await post({ ...asked, tools: [...asked.tools.slice(0, 4), { ...localShell, name: 'x' }] }));
    const body = JSON.parse(world.journal().at(-1).body);
    assert.deepEqual(body.tools, [...asked.tools.slice(0, 3), { ...localShell, name: 'x' }]);
    for (const member of ['instructions', 'input', 'reasoning', 'include', 'text', 'tool_choice', 'stream',
      'store'])
      assert.deepEqual(body[member], asked[member], member);
    assert.notEqual(body.prompt_cache_key, asked.prompt_cache_key, 'caches of two buyers are kept apart');
    assert.ok(body.prompt_cache_key.endsWith(asked.prompt_cache_key));
    const { requestHeaders } = world.journal().at(-1);
    assert.equal(requestHeaders['session-id'], undefined);
  });
});

test('a tool that no other provider has is refused by name', async () => {
  for (const model of ['claude-sonnet-4-6', 'gemini-3.1-flash-lite']) {
    const answer = await post({ ...asked, model, tools: [{ type: 'local_shell' }] });
    const { error } = await answer.json();
    assert.equal(answer.status, 400);
    assert.match(error.message, /tools\[0\].*local_shell/);
  }
});

test('what needs a state that is not kept is refused', async () => {
  for (const model of ['gpt-5.4', 'claude-sonnet-4-6'])
    for (const more of [{ previous_response_id: 'resp_1' }, { store: true }, { background: true },
      { conversation: 'conv_1' }, { input: [{ type: 'item_reference', id: 'rs_1' }] }]) {
      const answer = await post({ ...asked, model, ...more });
      assert.equal(answer.status, 400, `${model} ${Object.keys(more)}`);
      await answer.text();
    }
});

test('the first words come while the provider still speaks', async () => {
  for (const model of ['gpt-5.4', 'claude-sonnet-4-6', 'gemini-3.1-flash-lite', 'kimi-k2.6']) {
    const input = [{ role: 'user', content: [{ type: 'input_text', text: '[[codex-slow]]' }] }];
    const start = Date.now();
    const answer = await post({ ...asked, model, input });
    let text = '';
    let first;
    for await (const piece of answer.body) {
      text += Buffer.from(piece).toString();
      if (first === undefined && text.includes('output_text.delta')) first = Date.now() - start;
    }
    const whole = Date.now() - start;
    assert.ok(whole >= 400 && first < whole - 250, `${model}: first after ${first} ms of ${whole}`);
  }
});

test('errors come as Codex reads them', async () => {
  const input = (scenario) => [{ role: 'user', content: [{ type: 'input_text', text: `[[${scenario}]]` }] }];
  const limited = await post({ ...asked, model: 'claude-haiku-4-5', input: input('error-429') });
  assert.equal(limited.status, 429);
  assert.equal(limited.headers.get('retry-after'), '2');
  await limited.text();
  const broken = await events(await post({ ...asked, model: 'claude-sonnet-4-6', input: input('error-event') }));
  assert.equal(broken.at(-1).type, 'response.failed');
  assert.equal(typeof broken.at(-1).response.error.code, 'string');
  assert.equal(broken.at(-1).response.id, broken[0].response.id);
});

test('a WebSocket is refused with 426, and the connection can go on', async () => {
  const [host, port] = world.url.replace('http://', '').split(':');
  const socket = net.connect(Number(port), host);
  let received = '';
  socket.on('data', (piece) => { received += piece; });
  socket.write(`GET /openai/v1/responses HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: Upgrade\r\n`
    + `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`
    + `Authorization: Bearer ${world.key}\r\n\r\n`);
  await until('the answer', () => received.includes('\r\n\r\n'));
  assert.match(received, /^HTTP\/1\.1 426 /);
  assert.match(received, /\r\n[Uu]pgrade: HTTP\/1\.1\r\n/);
  socket.destroy();
});
