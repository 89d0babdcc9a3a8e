// SPDX-License-Identifier: Apache-2.0
// The official OpenAI and Anthropic SDKs drive the router: what they assemble must be what they
// assemble from the provider itself, and each call's receipt must be what the provider reported.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { World, charge, chat, copiesConfig, message, models, order, scenarios } from './harness.mjs';
import { client, receiptOf, same, whole } from './sdk.mjs';

const scripted = (status) => ({ name: `answer-${status}`,
  fault: { status, message: `scripted ${status}` } });

let world;
let poorKey; // of an account with one dollar of credit
before(async () => {
  world = await World.open({}, [404, 408, 409, 413, 422, 502, 504].map(scripted), copiesConfig);
  await world.serve();
  await world.buy(200);
  const made = await world.createAccount('poor', '1.00');
  const mcp = await world.mcp(made.purchaseKey);
  const { service } = await mcp.call('purchase_create', order(1, 'poor'));
  poorKey = (await mcp.call('router_api_key_create', { serviceId: service.id, label: 'poor' }))
    .apiKey.secret;
});
after(() => world?.close());

const openai = (more = {}) =>
  client(OpenAI, { apiKey: world.key, baseURL: `${world.url}/openai/v1`, ...more });
const openaiDirect = () => openai({ apiKey: 'sim-key', baseURL: `${world.simUrl}/v1` });
const anthropic = (more = {}) =>
  client(Anthropic, { apiKey: world.key, baseURL: `${world.url}/claude`, ...more });
const anthropicDirect = () => anthropic({ apiKey: 'sim-key', baseURL: world.simUrl });

/* What makes an upstream fail asks copies of a model: see harness.mjs. */
const failing = (scenario, more) => chat(scenario, { model: world.copy('gpt-5.4'), ...more });
const failingMessage = (scenario, more) =>
  message(scenario, { model: world.copy('claude-haiku-4-5'), ...more });

const checkReceipt = (requestId, words) => receiptOf(world, requestId, words);

describe('OpenAI SDK', () => {
  test('models are listed and retrieved', async () => {
    const listed = [];
    for await (const model of openai().models.list())
      if (!model.id.includes('-copy')) listed.push(model);
    assert.deepEqual(listed.map((model) => [model.id, model.owned_by]),
      models.map((model) => [model.id, model.provider]));
    for (const model of listed) {
      assert.equal(model.object, 'model');
      assert.ok(Number.isInteger(model.created));
    }
    assert.deepEqual(await openai().models.retrieve('gpt-5.4'), listed[0]);
    assert.deepEqual(listed.filter((model) => model.state === 'retired')
      .map((model) => [model.id, model.servedBy]), [['claude-opus-4-1', 'claude-opus-4-8'],
      ['claude-sonnet-4', 'claude-sonnet-4-6'], ['claude-3-5-haiku', 'claude-haiku-4-5'],
      ['gemini-3.1-flash-lite-preview', 'gemini-3.1-flash-lite'], ['kimi-k2.5', 'kimi-k2.6'],
      ['kimi-k2-0905', 'kimi-k2.6'], ['kimi-k2-thinking', 'kimi-k2.6']]);
    await assert.rejects(openai().models.retrieve('gpt-0'), OpenAI.NotFoundError);
  });

  test('a call is billed as the provider reported it', async () => {
    const sdk = openai();
    const done = await sdk.chat.completions.create(chat('default', {}, 'billed-as-reported'));
    assert.equal(done.choices[0].message.content, scenarios.default.reply.text);
    assert.equal(done.model, 'gpt-5.4');
    assert.match(done._request_id, /^req_[0-9A-Za-z]{22}$/);
    const receipt = await checkReceipt(done._request_id, 'billed-as-reported');
    assert.deepEqual([receipt.uncachedInputTokens, receipt.outputTokens], [24, 20]);
    assert.equal(receipt.buyerChargeUsdMicros, 360);
    assert.equal(sdk.seen[0].headers.get('x-agent-store-charge-usd-micros'), '360');
    assert.deepEqual(receipt.unitPricesUsdPerMillion, { input: 2.5, cacheWrite5m: 2.5,
      cacheWrite1h: 2.5, cacheRead: 0.25, output: 15 });
  });

  for (const name of whole) {
    test(`${name}: the same as from the provider, whole`, async () => {
      const sdk = openai();
      const words = `whole-chat-${name}`;
      const [mine, theirs] = await Promise.all([
        sdk.chat.completions.create(chat(name, {}, words)),
        openaiDirect().chat.completions.create(chat(name, {}, words))]);
      assert.deepEqual(same(mine), same(theirs));
      await checkReceipt(sdk.lastId(), words);
    });

    for (const includeUsage of [true, false, undefined])
      test(`${name}: the same as from the provider, chunk by chunk, usage ${includeUsage}`, async () => {
        const words = `chunks-chat-${name}-${includeUsage}`;
        const options = includeUsage === undefined ? {} : { stream_options: { include_usage: includeUsage } };
        const read = async (sdk) => {
          const chunks = [];
          for await (const chunk of await sdk.chat.completions.create(
            chat(name, { stream: true, ...options }, words))) chunks.push(chunk);
          return chunks;
        };
        const sdk = openai();
        const [mine, theirs] = await Promise.all([read(sdk), read(openaiDirect())]);
        assert.deepEqual(same(mine), same(theirs));
        assert.equal(mine.some((chunk) => 'usage' in chunk), includeUsage === true);
        assert.equal(new Set(mine.map((chunk) => chunk.id)).size, 1);
        await checkReceipt(sdk.lastId(), words);
      });

    test(`${name}: the stream helper assembles the same message`, async () => {
      const words = `helper-chat-${name}`;
      const final = (sdk) => sdk.chat.completions.stream(chat(name, {}, words)).finalChatCompletion();
      const [mine, theirs] = await Promise.all([final(openai()), final(openaiDirect())]);
      assert.deepEqual(same(mine), same(theirs));
    });
  }

  test('tool calls arrive with whole arguments', async () => {
    const done = await openai().chat.completions.stream(chat('tool-call', { tools: [
      { type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } },
      { type: 'function', function: { name: 'get_time', parameters: { type: 'object' } } }] }))
      .finalChatCompletion();
    const calls = done.choices[0].message.tool_calls;
    assert.equal(done.choices[0].finish_reason, 'tool_calls');
    assert.deepEqual(calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
      [['get_weather', { city: 'Tromsø', unit: 'celsius' }], ['get_time', { zone: 'Europe/Oslo' }]]);
  });

  test('the old name of the output limit is understood', async () => {
    const done = await openai().chat.completions.create(
      { ...chat('default', { max_tokens: 5 }), max_completion_tokens: undefined });
    assert.equal(done.choices[0].finish_reason, 'length');
    assert.equal(done.usage.completion_tokens, 5);
  });

  test('nothing of the shared account is told, and nothing of the caller is passed on', async () => {
    const sdk = openai({ defaultHeaders: { 'x-mine': 'canary-header', cookie: 'canary=1' },
      organization: 'org-canary' });
    await sdk.chat.completions.create(chat('default', { user: 'canary-user', metadata: { a: 'b' },
      store: true, service_tier: 'priority' }, 'nothing-is-told'));
    const names = [...sdk.seen[0].headers.keys()];
    for (const name of names) assert.doesNotMatch(name, /^(openai-|x-ratelimit)/);
    const line = world.journal().find((entry) => entry.body.includes('nothing-is-told'));
    assert.doesNotMatch(JSON.stringify(line.requestHeaders), /canary|stainless/);
    const body = JSON.parse(line.body);
    assert.match(body.user, /^acct_/);
    assert.equal(body.store, false);
    assert.equal(body.service_tier, 'default');
    assert.equal(body.metadata, null);
  });

  test('errors are of the class that the SDK has for them', async () => {
    const ask = (name, more) => openai(more).chat.completions.create(failing(name));
    const fails = async (call, type, status, more = {}) => {
      const error = await call.then(() => assert.fail('it did not fail'), (reason) => reason);
      assert.ok(error instanceof type, `${error.constructor.name} ${error.message}`);
      assert.equal(error.status, status);
      for (const [name, value] of Object.entries(more)) assert.deepEqual(error[name], value, name);
      return error;
    };
    await fails(ask('default', { apiKey: 'asr_live_wrong' }), OpenAI.AuthenticationError, 401,
      { type: 'invalid_request_error', code: 'invalid_api_key', param: null });
    await fails(openai().chat.completions.create({ ...chat('default'), model: 'gpt-0' }),
      OpenAI.NotFoundError, 404, { code: 'model_not_found' });
    await fails(ask('error-400'), OpenAI.BadRequestError, 400);
    await fails(ask('answer-404'), OpenAI.NotFoundError, 404);
    await fails(ask('answer-409'), OpenAI.ConflictError, 409);
    await fails(ask('answer-422'), OpenAI.UnprocessableEntityError, 422);
    for (const status of [408, 413]) await fails(ask(`answer-${status}`), OpenAI.APIError, status);
    for (const status of [500, 503, 529])
      await fails(ask(`error-${status}`), OpenAI.InternalServerError, status);
    for (const status of [502, 504]) await fails(ask(`answer-${status}`), OpenAI.InternalServerError, status);
    const limited = await fails(ask('error-429'), OpenAI.RateLimitError, 429,
      { code: 'rate_limit_exceeded' });
    assert.equal(limited.headers.get('retry-after'), '2');
    assert.doesNotMatch(limited.message, /org-simulated/);
    // The operator's own credential is no fault of the buyer.
    const ours = await fails(ask('error-401'), OpenAI.InternalServerError, 502);
    assert.doesNotMatch(JSON.stringify(ours.error), /org-simulated|key of/);
    for (const name of ['close-before-answer', 'cut-at-once', 'cut-body'])
      await fails(ask(name), OpenAI.InternalServerError, 502);
    await fails(openai().chat.completions.create({ ...chat('default'), audio: {}, modalities: ['audio'] }),
      OpenAI.BadRequestError, 400);
  });

  test('a call that failed before a word costs nothing and says so on its receipt', async () => {
    for (const name of ['error-400', 'error-429', 'error-500', 'error-event-first', 'close-before-answer',
      'cut-at-once', 'cut-body', 'huge-event']) {
      const sdk = openai();
      await assert.rejects(async () => {
        for await (const _ of await sdk.chat.completions.create(failing(name, { stream: true }))) { /* none */ }
      }, OpenAI.APIError, name);
      const receipt = await world.receipt(sdk.lastId());
      assert.equal(receipt.status, 'failed', name);
      assert.equal(receipt.buyerChargeUsdMicros, 0, name);
      assert.equal(receipt.evidence, 'none', name);
    }
  });

  test('a stream that breaks raises, after the chunks that came', async () => {
    for (const name of ['error-event', 'cut-stream']) {
      const sdk = openai();
      let text = '';
      const error = await (async () => {
        for await (const chunk of await sdk.chat.completions.create(failing(name, { stream: true })))
          text += chunk.choices[0]?.delta.content ?? '';
      })().then(() => assert.fail(`${name} ended well`), (reason) => reason);
      assert.ok(error instanceof OpenAI.APIError, error.stack);
      assert.equal(error.status, undefined);
      assert.ok(text.length > 0 && scenarios[name].reply.text.startsWith(text));
      const receipt = await world.receipt(sdk.lastId());
      assert.equal(receipt.evidence, 'estimated');
      assert.equal(BigInt(receipt.buyerChargeUsdMicros), charge(receipt));
      assert.ok(receipt.outputTokens > 0 && receipt.outputTokens <= 20);
    }
  });

  test('usage that is missing or nonsense is estimated, and the receipt says so', async () => {
    for (const name of ['missing-usage', 'malformed-usage', 'huge-usage'])
      for (const stream of [false, true]) {
        const sdk = openai();
        const answer = await sdk.chat.completions.create(chat(name, { stream }));
        if (stream) for await (const _ of answer) { /* to the end */ }
        const receipt = await world.receipt(sdk.lastId());
        assert.equal(receipt.status, 'settled', name);
        assert.equal(receipt.evidence, 'estimated', `${name} ${stream}`);
        assert.equal(BigInt(receipt.buyerChargeUsdMicros), charge(receipt));
        assert.ok(receipt.outputTokens > 0 && receipt.outputTokens <= 500);
      }
  });

  test('the SDK retries what can pass, and never a lack of money', async () => {
    const poor = openai({ apiKey: poorKey, maxRetries: 2 });
    const error = await poor.chat.completions.create(chat('default', { max_completion_tokens: 100000 }))
      .then(() => assert.fail('it was let through'), (reason) => reason);
    assert.equal(error.status, 402);
    assert.equal(error.code, 'insufficient_quota');
    assert.equal(error.error.availableUsd, '1.00');
    assert.equal(error.error.heldUsd, '0.00');
    assert.ok(Number(error.error.requiredUsd) > 1.5);
    assert.equal(poor.seen.length, 1);
    // What it says can be afforded can be afforded, and one token more cannot.
    const afford = error.error.affordableMaxTokens;
    const status = async (tokens) => (await world.ask('/openai/v1/chat/completions', { key: poorKey,
      body: chat('default', { max_completion_tokens: tokens }) })).status;
    const most = afford - 100; // the limit itself has digits, and its bytes count as input
    assert.equal(await status(afford + 100), 402);
    assert.equal(await status(most), 200);
    const patient = openai({ maxRetries: 1 });
    await assert.rejects(patient.chat.completions.create(failing('error-503')), OpenAI.InternalServerError);
    assert.equal(patient.seen.length, 2);
  });
});

describe('Anthropic SDK', () => {
  const upstream = 'claude-haiku-4-5-20251001';
  const theirsOf = (request) => ({ ...request, model: upstream });

  for (const name of whole) {
    test(`${name}: the same as from the provider, whole`, async () => {
      const words = `whole-message-${name}`;
      const sdk = anthropic();
      const [mine, theirs] = await Promise.all([
        sdk.messages.create(message(name, {}, words)),
        anthropicDirect().messages.create(theirsOf(message(name, {}, words)))]);
      assert.deepEqual(same(mine), same(theirs));
      await checkReceipt(sdk.lastId(), words);
    });

    test(`${name}: the same as from the provider, event by event`, async () => {
      const words = `events-message-${name}`;
      const read = async (sdk, request) => {
        const events = [];
        const stream = sdk.messages.stream(request);
        for await (const event of stream) events.push(event);
        return { events, final: await stream.finalMessage() };
      };
      const sdk = anthropic();
      const [mine, theirs] = await Promise.all([read(sdk, message(name, {}, words)),
        read(anthropicDirect(), theirsOf(message(name, {}, words)))]);
      assert.deepEqual(same(mine), same(theirs));
      await checkReceipt(sdk.lastId(), words);
    });
  }

  test('the second receipt of the seeds: four classes in one call', async () => {
    const sdk = anthropic();
    const done = await sdk.messages.create(message('five-classes', {}, 'seed-receipt'));
    assert.equal(done.model, upstream);
    assert.deepEqual([done.usage.input_tokens, done.usage.cache_creation_input_tokens,
      done.usage.cache_read_input_tokens, done.usage.output_tokens], [50, 200, 1500, 120]);
    const receipt = await checkReceipt(sdk.lastId(), 'seed-receipt');
    assert.equal(receipt.model, 'claude-haiku-4-5');
    assert.equal(receipt.upstreamModel, upstream);
    assert.equal(receipt.route, 'claude');
    assert.equal(receipt.buyerChargeUsdMicros, 1050); // 50 + 250 + 150 + 600
    assert.equal(sdk.seen[0].headers.get('request-id'), sdk.lastId());
  });

  test('cache writes of an hour have their own price, streamed or not', async () => {
    for (const stream of [false, true]) {
      const sdk = anthropic();
      const words = `hour-${stream}`;
      const request = message('written-1h', {}, words);
      await (stream ? sdk.messages.stream(request).finalMessage() : sdk.messages.create(request));
      const receipt = await checkReceipt(sdk.lastId(), words);
      assert.deepEqual([receipt.cacheWrite5mTokens, receipt.cacheWrite1hTokens], [300, 700]);
      assert.equal(receipt.buyerChargeUsdMicros, 1985); // 10 + 375 + 1400 + 200
    }
  });

  test('thinking and tool use arrive as blocks', async () => {
    const thought = await anthropic().messages.stream(message('reasoning')).finalMessage();
    assert.deepEqual(thought.content.map((block) => block.type), ['thinking', 'text']);
    assert.equal(thought.content[0].thinking, scenarios.reasoning.reply.reasoning);
    assert.ok(thought.content[0].signature.length > 0);
    const used = await anthropic().messages.stream(message('text-and-tool')).finalMessage();
    assert.equal(used.stop_reason, 'tool_use');
    assert.deepEqual(used.content.at(-1).input, { q: 'queue depth' });
  });

  test('both route aliases, both headers for the key and both API versions', async () => {
    const session = await (await world.ask('/buyer/session', { key: null,
      body: { key: world.purchaseKey } })).json();
    const rotated = await (await world.ask('/buyer/rotate-api-key', { method: 'POST',
      key: session.item.sessionToken })).json();
    const routeKey = rotated.item.routeApiKey;
    assert.match(routeKey, /^rk_[0-9A-Za-z]{16}\.[0-9A-Za-z]{49}$/);
    for (const alias of ['claude', 'claude-fast'])
      for (const version of ['2023-06-01', '2026-10-21'])
        for (const headers of [{ 'x-api-key': routeKey }, { authorization: `Bearer ${routeKey}` },
          { 'x-api-key': world.key }]) {
          const answer = await world.ask(`/${alias}/v1/messages?beta=true`, { key: null,
            headers: { ...headers, 'anthropic-version': version, 'content-type': 'application/json',
              'anthropic-beta': 'one-thing,another' },
            body: message('default', {}, `plain-${alias}-${version}`) });
          const done = await answer.json();
          assert.equal(answer.status, 200, JSON.stringify(done));
          assert.equal(done.content[0].text, scenarios.default.reply.text);
          const line = world.journal().at(-1);
          assert.equal(line.requestHeaders['anthropic-version'], version);
          assert.equal(line.requestHeaders['anthropic-beta'], 'one-thing,another');
          const receipt = await world.receipt(answer.headers.get('x-request-id'));
          assert.equal(receipt.route, alias);
        }
  });

  test('errors are of the class that the SDK has for them', async () => {
    const ask = (name, more) => anthropic(more).messages.create(failingMessage(name));
    const fails = async (call, type, status, kind) => {
      const error = await call.then(() => assert.fail('it did not fail'), (reason) => reason);
      assert.ok(error instanceof type, `${error.constructor.name} ${error.message}`);
      assert.equal(error.status, status);
      assert.equal(error.error.type, 'error');
      assert.equal(error.error.error.type, kind);
      return error;
    };
    await fails(ask('default', { apiKey: 'rk_wrong' }), Anthropic.AuthenticationError, 401,
      'authentication_error');
    await fails(anthropic().messages.create({ ...message('default'), model: 'claude-0' }),
      Anthropic.NotFoundError, 404, 'not_found_error');
    await fails(ask('error-400'), Anthropic.BadRequestError, 400, 'invalid_request_error');
    await fails(ask('answer-404'), Anthropic.NotFoundError, 404, 'not_found_error');
    await fails(ask('answer-413'), Anthropic.ContentTooLargeError, 413, 'request_too_large');
    const limited = await fails(ask('error-429'), Anthropic.RateLimitError, 429, 'rate_limit_error');
    assert.equal(limited.headers.get('retry-after'), '2');
    await fails(ask('error-500'), Anthropic.InternalServerError, 500, 'api_error');
    await fails(ask('error-503'), Anthropic.ServiceUnavailableError, 503, 'api_error');
    await fails(ask('answer-504'), Anthropic.GatewayTimeoutError, 504, 'timeout_error');
    await fails(ask('error-529'), Anthropic.OverloadedError, 529, 'overloaded_error');
    await fails(ask('error-401'), Anthropic.InternalServerError, 502, 'api_error');
    await fails(anthropic().messages.create(message('default', { max_tokens: undefined })),
      Anthropic.BadRequestError, 400, 'invalid_request_error');
    await fails(anthropic().messages.create(message('default', { tools: [
      { type: 'web_search_20260318', name: 'web_search' }] })),
    Anthropic.BadRequestError, 400, 'invalid_request_error');
    const retrying = anthropic({ apiKey: poorKey, maxRetries: 2 });
    const broke = await fails(retrying.messages.create({ ...message('default', { max_tokens: 128000 }),
      model: 'claude-opus-4-6', stream: true }), Anthropic.PaymentRequiredError, 402, 'billing_error');
    assert.ok(broke.error.error.affordableMaxTokens < 128000);
    assert.equal(retrying.seen.length, 1);
  });

  test('a stream that breaks before a word raises, and costs nothing', async () => {
    for (const name of ['error-event-first', 'cut-at-once', 'cut-body', 'huge-event']) {
      const sdk = anthropic();
      await assert.rejects(sdk.messages.stream(failingMessage(name)).finalMessage(), Anthropic.AnthropicError, name);
      const receipt = await world.receipt(sdk.lastId());
      assert.equal(receipt.status, 'failed', name);
      assert.equal(receipt.buyerChargeUsdMicros, 0, name);
    }
  });

  test('a stream that breaks raises, after the text that came', async () => {
    for (const name of ['error-event', 'cut-stream']) {
      const sdk = anthropic();
      let text = '';
      const stream = sdk.messages.stream(failingMessage(name));
      stream.on('text', (piece) => { text += piece; });
      await assert.rejects(stream.finalMessage(), Anthropic.AnthropicError);
      assert.ok(text.length > 0 && scenarios[name].reply.text.startsWith(text), name);
      const receipt = await world.receipt(sdk.lastId());
      assert.equal(receipt.status, 'settled');
      assert.equal(receipt.evidence, 'estimated');
      assert.equal(BigInt(receipt.buyerChargeUsdMicros), charge(receipt));
    }
  });

  test('an answer without a word still costs its input', async () => {
    const sdk = anthropic();
    const done = await sdk.messages.create(message('empty-output', {}, 'no-word'));
    assert.deepEqual(done.content, []);
    const receipt = await checkReceipt(sdk.lastId(), 'no-word');
    assert.equal(receipt.buyerChargeUsdMicros, 24);
  });
});

test("nobody reads another account's receipts", async () => {
  const answer = await world.ask('/openai/v1/chat/completions', { body: chat('default') });
  await answer.text();
  const path = `/openai/v1/requests/${answer.headers.get('x-request-id')}`;
  assert.equal((await world.ask(path)).status, 200);
  assert.equal((await world.ask(path, { key: poorKey })).status, 404);
});

test('usage added up by model equals the receipts, and the credit that is gone', async () => {
  await world.noHoldLeft();
  const { usage, total } = await world.cliOk('usage', 'buyer', '--by', 'model');
  const sum = usage.reduce((micro, row) => micro + BigInt(row.buyerChargeUsdMicros), 0n);
  assert.equal(sum, BigInt(total.buyerChargeUsdMicros));
  const { credit } = await world.balance();
  assert.equal(200000000n - credit, sum);
  const { verdict } = await world.cliOk('ledger', 'verify');
  assert.equal(verdict.ok, true);
  assert.equal(verdict.differenceUsdMicros, 0);
});
