// SPDX-License-Identifier: Apache-2.0
// The pictures of the console and the admin panel in docs/. What they show really happened: an
// account lives through some weeks of calls, with Debian's faketime in front of the program, and
// then people look at it. Without faketime there is only today in the chart.
import { existsSync } from 'node:fs';
import { confirm, dialog, go, heading, narrow, picture, press, settled, signIn, wide } from './browser.mjs';
import { World, chat, exited, message, order, seeded } from './harness.mjs';

const TOKEN = 'an-admin-token-of-the-pictures-0123456789';
const DAYS = 24;
const library = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find(existsSync);

const asOf = (daysAgo) => (library && daysAgo > 0
  ? { LD_PRELOAD: library, FAKETIME: `-${daysAgo}d`, FAKETIME_DONT_FAKE_MONOTONIC: '1' } : {});

/* ---- Some weeks ---- */

async function settle(world) {
  const purchase = await world.mcp(world.acme.purchaseKey, asOf(DAYS));
  const { service } = await purchase.call('purchase_create', order(40, 'first'));
  await purchase.call('purchase_create', order(25, 'second'));
  const make = async (label, limits) => (await purchase.call('router_api_key_create',
    { serviceId: service.id, label, limits })).apiKey.secret;
  world.acme.keys = [await make('ci-nightly', { spendLimitUsd: 25, requestsPerMinute: 120, maxConcurrent: 8 }),
    await make('support-agent', { allowedModels: ['claude-sonnet-4-6', 'claude-haiku-4-5', 'gpt-5.4'] }),
    await make('notebook', {})];
  await purchase.close();
}

/* What agents send: long contexts that are read from a cache, some written anew. */
const kinds = [['claude-sonnet-4-6', 'day-warm'], ['claude-sonnet-4-6', 'day-hour'], ['claude-haiku-4-5', 'day-warm'],
  ['gpt-5.4', 'day-plain'], ['claude-sonnet-4-6', 'day-plain']];
const scenarios = [
  { name: 'day-warm', usage: { uncachedInput: 1841, cacheWrite5m: 9101, cacheRead: 61303, output: 1570 } },
  { name: 'day-hour', usage: { uncachedInput: 2210, cacheWrite1h: 7400, cacheRead: 38800, output: 1290 } },
  { name: 'day-plain', usage: { uncachedInput: 9730, output: 1420 } },
].map((one) => ({ ...one, about: 'A call of an ordinary day.', reply: { text: 'Done.' }, chunks: 1 }));

async function call(world, random) {
  const [model, scenario] = kinds[Math.floor(random() * kinds.length)];
  const key = world.acme.keys[Math.floor(random() * random() * 3)];
  const [path, body] = model.startsWith('gpt')
    ? ['/openai/v1/chat/completions', chat(scenario, { model, max_completion_tokens: 9000 })]
    : ['/claude/v1/messages', message(scenario, { model, max_tokens: 9000 })];
  await (await world.ask(path, { key, body })).arrayBuffer();
}

async function live(world) {
  const random = seeded(7);
  for (let ago = library ? DAYS : 0; ago >= 0; ago -= 1) {
    const server = await world.serve(asOf(ago));
    if (!world.acme.keys) await settle(world);
    const calls = 4 + Math.floor(random() * (ago % 7 < 2 ? 4 : 14));
    for (let i = 0; i < calls; i += 1) await call(world, random);
    if (ago === 0) return;
    server.kill('SIGTERM');
    await exited(server);
  }
}

/* ---- What people see of them ---- */

async function screen(page, link, name, options) {
  await go(page, link);
  await heading(page, link);
  await settled(page);
  await picture(page, name, options);
}

async function haveRouteKey(page) {
  await go(page, 'Keys');
  await settled(page);
  if (await page.getByRole('button', { name: 'Rotate route key' }).isVisible()) return;
  await press(page, 'Create route key');
  await confirm(page, 'Create key');
  await press(page, 'I have stored it');
}

async function consolePictures(page, acme) {
  await page.goto('/console/');
  await page.getByLabel('Key').waitFor();
  await picture(page, 'console-sign-in', { whole: false });
  await signIn(page, '/console/', 'Key', acme.purchaseKey);
  await heading(page, 'Overview');
  await page.getByText('live', { exact: true }).waitFor();
  await settled(page);
  await picture(page, 'console-overview');
  await haveRouteKey(page);
  await screen(page, 'Requests', 'console-requests', { height: 760 });
  await page.locator('tbody a').nth(1).click();
  await heading(page, 'Receipt');
  await settled(page);
  await picture(page, 'console-receipt');
  await screen(page, 'Credit', 'console-credit');
  await screen(page, 'Keys', 'console-keys');
  await press(page, 'Rotate route key');
  await picture(page, 'console-rotate', { whole: false });
  await confirm(page, 'Rotate key');
  await page.getByRole('heading', { name: 'Your new route key' }).waitFor();
  await picture(page, 'console-new-key', { whole: false });
}

async function adminPictures(page) {
  await signIn(page, '/admin/', 'Admin token', TOKEN);
  await heading(page, 'Service');
  for (const name of ['Service', 'Accounts', 'Keys', 'Upstreams', 'Models', 'Errors'])
    await screen(page, name, `admin-${name.toLowerCase()}`, { height: 860 });
  await go(page, 'Accounts');
  await page.getByRole('link', { name: /acme/ }).click();
  await heading(page, 'Account');
  await settled(page);
  await picture(page, 'admin-account');
  await press(page, 'Fund');
  await dialog(page).getByLabel('Amount in USD').fill('75');
  await dialog(page).getByLabel('Reference').fill('invoice 2026-131');
  await picture(page, 'admin-fund', { whole: false });
  await confirm(page, 'Add to wallet');
  await go(page, 'Ledger');
  await press(page, 'Verify now');
  await confirm(page, 'Verify');
  await dialog(page).waitFor({ state: 'detached' });
  await screen(page, 'Ledger', 'admin-ledger', { height: 600 });
  await screen(page, 'Audit log', 'admin-audit', { height: 900 });
}

export async function makePictures(browser) {
  const world = await World.open({ AGENT_STORE_ADMIN_TOKEN: TOKEN }, scenarios);
  try {
    world.settings = { ...world.settings, ...asOf(DAYS) };
    world.acme = await world.createAccount('acme', '150.00');
    await world.createAccount('birch-labs', '40.00');
    world.settings = { AGENT_STORE_ADMIN_TOKEN: TOKEN };
    await live(world);
    await call(world, () => 0); // the receipt that is shown: sonnet, with a warm cache
    await world.ask('/openai/v1/chat/completions', { key: world.acme.keys[0], body: chat('error-500') });
    for (const view of [wide, narrow]) {
      const page = await browser.page(world.url, view);
      await consolePictures(page, world.acme);
      await page.done();
      const office = await browser.page(world.url, view);
      await adminPictures(office);
      await office.done();
    }
  } finally {
    await world.close();
  }
}
