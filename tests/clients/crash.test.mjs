// SPDX-License-Identifier: Apache-2.0
// kill -9 of the store's owner under load. The clients keep their own journal of what was
// acknowledged to them; after each restart all of it must be there, to the micro, and nothing may be
// left held.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { World, charge, chat, message, order, seeded, until } from './harness.mjs';

const steady = { name: 'steady', reply: { text: 'Still here. ', repeat: 40 }, chunks: 40,
  usage: { uncachedInput: 24, output: 120 }, chunkDelayMs: 4 };

/* The owner dies in the very moment in which something was acknowledged: what is told before it is
 * on disk is lost then. */
const moments = ['stream', 'call', 'purchase', 'stream', 'call', 'any'];

/** Purchases, streams and plain calls without end, until the owner dies under them. */
class Load {
  constructor(world, mcp, round) {
    Object.assign(this, { world, mcp, round, over: false, moment: null, purchases: new Map(),
      charges: new Map(), keys: [], streamed: 0 });
  }

  /** Something of this kind was acknowledged just now. */
  acknowledged(kind) {
    if (this.moment === kind) this.kill();
  }

  kill() {
    if (this.over) return;
    this.over = true;
    process.kill(this.mcp.pid, 'SIGKILL');
  }

  async buyOn(lane) {
    for (let i = 0; !this.over; i++) {
      const key = `round-${this.round}-lane-${lane}-${i}`;
      this.keys.push(key);
      const { purchase } = await this.mcp.call('purchase_create', order(1, key));
      this.acknowledged('purchase');
      this.purchases.set(key, purchase);
    }
  }

  async askOn() {
    while (!this.over) {
      const answer = await this.world.ask('/openai/v1/chat/completions', { body: chat('default') });
      if (answer.status !== 200) continue;
      this.acknowledged('call');
      this.charges.set(answer.headers.get('x-request-id'),
        BigInt(answer.headers.get('x-agent-store-charge-usd-micros')));
      await answer.text();
    }
  }

  async streamOn(lane) {
    while (!this.over) {
      const isChat = lane % 2 === 0;
      const answer = await this.world.ask(isChat ? '/openai/v1/chat/completions' : '/claude/v1/messages',
        { body: (isChat ? chat : message)('steady', { stream: true }) });
      for await (const piece of answer.body) {
        // The last event leaves when the charge is on disk: it is the acknowledgement.
        if (!/\[DONE\]|event: message_stop/.test(Buffer.from(piece).toString('latin1'))) continue;
        this.acknowledged('stream');
        this.charges.set(answer.headers.get('x-request-id'), null);
        this.streamed++;
      }
    }
  }

  start() {
    const lanes = [...Array.from({ length: 32 }, (_, lane) => this.streamOn(lane)),
      ...Array.from({ length: 4 }, () => this.askOn()),
      ...Array.from({ length: 4 }, (_, lane) => this.buyOn(lane))];
    this.ended = Promise.allSettled(lanes);
  }

  /** Kills the owner at a moment of this kind. */
  async strike(moment, random) {
    await until('the load is under way', () => this.purchases.size >= 10
      && this.charges.size >= 40 && this.streamed >= 8, 30000);
    if (moment === 'any') setTimeout(() => this.kill(), random() * 150);
    else this.moment = moment;
    await until('the owner is dead', () => this.over);
    await this.ended;
  }
}

async function checkAfterwards(world, mcp, load) {
  await world.noHoldLeft();
  // What was acknowledged is there; repeated, it is the same purchase and the same money.
  for (const [key, purchase] of load.purchases) {
    const again = await mcp.call('purchase_create', order(1, key));
    assert.equal(again.purchase.id, purchase.id, key);
    assert.equal(again.purchase.totalPriceMinor, purchase.totalPriceMinor);
    const { purchase: kept } = await mcp.call('purchase_get_status', { purchaseId: purchase.id });
    assert.deepEqual(kept, again.purchase);
  }
  // What was not acknowledged happened wholly or not at all: a repeat settles which, once.
  for (const key of load.keys) await mcp.call('purchase_create', order(1, key));
  for (const [requestId, amount] of load.charges) {
    const receipt = await world.receipt(requestId);
    assert.equal(receipt.status, 'settled');
    if (amount !== null) assert.equal(BigInt(receipt.buyerChargeUsdMicros), amount, requestId);
    else assert.deepEqual([receipt.evidence, receipt.outputTokens], ['provider', 120], requestId);
    assert.equal(BigInt(receipt.buyerChargeUsdMicros), charge(receipt));
  }
  const { verdict } = await world.cliOk('ledger', 'verify');
  assert.equal(verdict.ok, true, JSON.stringify(verdict));
}

for (const durability of ['process', 'power'])
  describe(`durability ${durability}`, () => {
    let world;
    after(() => world?.close());

    test('six kills under load lose nothing that was acknowledged', async () => {
      const random = seeded(durability.length);
      world = await World.open({ AGENT_STORE_DURABILITY: durability }, [steady]);
      const made = await world.createAccount('buyer', '100000.00');
      world.purchaseKey = made.purchaseKey;
      let mcp = await world.mcp();
      let bought = 100n;
      world.serviceId = (await mcp.call('purchase_create', order(100, 'first'))).service.id;
      world.key = (await mcp.call('router_api_key_create',
        { serviceId: world.serviceId, label: 'load' })).apiKey.secret;
      for (let round = 0; round < moments.length; round++) {
        const { service } = await mcp.call('service_get', { serviceId: world.serviceId });
        world.url = service.router.baseUrl.replace('/openai/v1', '');
        const load = new Load(world, mcp, round);
        load.start();
        await load.strike(moments[round], random);
        await mcp.close();
        mcp = await world.mcp();
        const again = await mcp.call('service_get', { serviceId: world.serviceId });
        world.url = again.service.router.baseUrl.replace('/openai/v1', '');
        await checkAfterwards(world, mcp, load);
        bought += BigInt(new Set(load.keys).size);
        assert.equal((await world.balance()).wallet, (100000n - bought) * 1000000n);
      }
      const { total } = await mcp.call('router_usage_get', { serviceId: world.serviceId });
      assert.equal((await world.balance()).credit,
        bought * 1000000n - BigInt(total.buyerChargeUsdMicros));
      await mcp.close();
    });
  });

test('owners die one after the other, and the purchases of the survivors go on', async (t) => {
  const world = await World.open({});
  t.after(() => world.close());
  world.purchaseKey = (await world.createAccount('buyer', '5000.00')).purchaseKey;
  let hosts = await Promise.all([world.mcp(), world.mcp(), world.mcp()]);
  let bought = 0;
  const kept = new Map();
  for (let round = 1; round <= 4; round++) {
    await hosts[0].call('wallet_get'); // somebody owns the store now
    const owner = hosts.find((host) => host.pid === world.ownerPid());
    assert.ok(owner, 'the owner is one of the hosts');
    const survivors = hosts.filter((host) => host !== owner);
    // Each survivor buys without a break across the death of the owner; not one call may fail.
    let killed = false;
    const lanes = survivors.map(async (host, lane) => {
      for (let i = 0, left = 12; left > 0; i++) {
        const key = `round-${round}-${lane}-${i}`;
        kept.set(key, (await host.call('purchase_create', order(1, key))).purchase.id);
        bought++;
        if (killed) left--;
      }
    });
    await until('both buy', () => bought > 20 * (round - 1) + 6);
    process.kill(owner.pid, 'SIGKILL');
    killed = true;
    await Promise.all(lanes);
    hosts = [...survivors, await world.mcp()];
  }
  assert.equal(bought, kept.size);
  for (const [key, id] of kept)
    assert.equal((await hosts[2].call('purchase_create', order(1, key))).purchase.id, id);
  assert.equal((await world.balance()).wallet, BigInt(5000 - bought) * 1000000n);
  assert.equal((await world.cliOk('ledger', 'verify')).verdict.ok, true);
});
