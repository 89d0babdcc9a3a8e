// SPDX-License-Identifier: Apache-2.0
// What tests that drive the router with the providers' SDKs share: clients that remember what came,
// answers without what differs from call to call, and a call's receipt against the journal.
import assert from 'node:assert/strict';
import { charge, countsOf, scenarios } from './harness.mjs';

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
