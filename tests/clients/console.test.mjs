// SPDX-License-Identifier: Apache-2.0
// The buyer's console in a real browser, wide in light and narrow in dark: what people do there, with
// calls that really cost. With AGENT_STORE_TEST_IMAGES=folder it only makes the pictures for docs/.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Browser, confirm, dialog, go, heading, images, look, narrow, nowhere, press, said, settled, signIn,
  sound, takeSecret, wide } from './browser.mjs';
import { World, classes, message, micros, order, prices, until } from './harness.mjs';
import { makePictures } from './pictures.mjs';

let world;
let browser;
before(async () => {
  [world, browser] = await Promise.all([World.open(), Browser.open()]);
  await world.serve();
});
after(() => Promise.all([browser?.close(), world?.close()]));

/* ---- A buyer with credit and a router key ---- */

const works = async (key) => (await world.ask('/openai/v1/models', { key })).status;
const shown = async (locator) => micros((await locator.textContent()).replace(/[^0-9.]/g, ''));

async function buyer(name, usd = 25) {
  const made = await world.createAccount(name, '100.00');
  const mcp = await world.mcp(made.purchaseKey);
  const { service } = await mcp.call('purchase_create', order(usd, `credit-${name}`));
  const { apiKey } = await mcp.call('router_api_key_create', { serviceId: service.id, label: 'worker' });
  await mcp.close();
  return { name, id: made.account.id, purchaseKey: made.purchaseKey, key: apiKey.secret };
}

async function spend(key, words, scenario = 'five-classes') {
  const body = message(scenario, { model: 'claude-sonnet-4-6' }, words);
  const answer = await world.ask('/claude/v1/messages', { key, body });
  assert.equal(answer.status, 200, await answer.clone().text());
  await answer.arrayBuffer();
  const requestId = answer.headers.get('x-request-id') ?? answer.headers.get('request-id');
  return (await world.ask(`/openai/v1/requests/${requestId}`, { key })).json();
}

/* ---- What a buyer does ---- */

async function wrongKey(page) {
  page.expectStatus(401);
  await signIn(page, '/console/', 'Key', 'ask_live_0000000000000000000000000000000000000000');
  await said(page, 'not known');
  assert.equal(await page.getByLabel('Key').inputValue(), '');
  await sound(page, 'sign-in');
}

async function emptyStates(page) {
  await heading(page, 'Overview');
  await page.getByText('Nothing was spent in this time').waitFor();
  await go(page, 'Requests');
  await page.getByText('No requests yet').waitFor();
  await sound(page, 'requests, none');
  await go(page, 'Overview');
  await settled(page);
}

/* A call is made while the page is open: what it shows moves by the charge. */
async function liveSpend(page, one) {
  const available = page.locator('.stat', { hasText: 'Available' }).locator('.amount').first();
  await page.getByText('live', { exact: true }).waitFor();
  const before = await shown(available);
  const receipt = await spend(one.key, 'while somebody looks on');
  const left = before - BigInt(receipt.buyerChargeUsdMicros);
  await until('the balance moves', async () => await shown(available) === left);
  await page.getByRole('img', { name: /Spend per day/ }).waitFor();
  await page.getByText('Show as a table').click();
  const days = page.getByRole('table', { name: /Spend per day/ }).locator('tbody tr');
  assert.equal(await days.count(), 1);
  assert.equal(await shown(days.locator('td').last()), BigInt(receipt.buyerChargeUsdMicros));
  return receipt;
}

/* The receipt's table as numbers: what a person would add up with a pencil. */
async function addUp(page, receipt) {
  const rows = page.getByRole('table', { name: /Charge by token class/ }).locator('tbody tr, tfoot tr');
  const texts = await rows.evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
  const pico = (text) => {
    const [whole, rest = ''] = text.replace(/[^0-9.]/g, '').split('.');
    return BigInt(whole) * 10n ** 12n + BigInt(rest.padEnd(12, '0'));
  };
  const lines = texts.slice(0, 5).map(([, count, , price, sum]) =>
    ({ count: BigInt(count.replaceAll(',', '')), price: pico(price.split('/')[0]), sum: pico(sum) }));
  let total = 0n;
  lines.forEach((line, i) => {
    assert.equal(line.count, BigInt(receipt[classes[i]]));
    assert.equal(line.price / 1000000n, prices[receipt.model][classes[i]]);
    assert.equal(line.count * line.price, line.sum * 1000000n);
    total += line.sum;
  });
  const [sum, rounding, charge] = texts.slice(5, 8).map((row) => pico(row.at(-1)));
  assert.equal(sum, total);
  assert.ok(rounding < 1000000n);
  assert.equal(sum + rounding, charge);
  assert.equal(charge, BigInt(receipt.buyerChargeUsdMicros) * 1000000n);
  assert.ok(charge > 0n);
}

async function receiptAgain(page, receipt) {
  await go(page, 'Requests');
  await page.getByLabel('Search').fill(receipt.requestId.slice(4, 16));
  await press(page, 'Search');
  await page.locator('tbody tr').first().waitFor();
  await settled(page);
  assert.equal(await page.locator('tbody tr').count(), 1);
  await page.getByRole('link', { name: receipt.requestId }).click();
  await heading(page, 'Receipt');
  await settled(page);
  await addUp(page, receipt);
  await sound(page, 'receipt');
}

async function pages(page, one) {
  for (let i = 0; i < 26; i += 1) await spend(one.key, `page ${i}`);
  await go(page, 'Requests');
  await settled(page);
  const names = page.locator('tbody th code');
  const first = await names.allTextContents();
  assert.equal(first.length, 25);
  await press(page, 'Older');
  await page.getByText('Page 2').waitFor();
  await settled(page);
  const second = await names.allTextContents();
  assert.equal(second.length, 2);
  assert.ok(!second.some((id) => first.includes(id)));
  await press(page, 'Newer');
  await page.getByText('Page 1').waitFor();
  await settled(page);
  await sound(page, 'requests');
  await page.getByLabel('Search').fill('there is no such thing');
  await press(page, 'Search');
  await page.getByText('Nothing matches').waitFor();
}

async function routerKeys(page) {
  await go(page, 'Keys');
  await press(page, 'Create key');
  await sound(page, 'create key');
  await dialog(page).getByLabel('Label').fill('from the console');
  await dialog(page).getByLabel('Spending limit in USD').fill('1.50');
  await dialog(page).getByLabel('Requests a minute').fill('600');
  await confirm(page, 'Create key');
  await page.getByRole('heading', { name: 'Your new key' }).waitFor();
  const first = await takeSecret(page, 'new key');
  assert.equal(await works(first), 200);
  const row = page.getByRole('row', { name: /from the console/ });
  await row.getByText('spends at most $1.50').waitFor();

  await row.getByRole('button', { name: /Rotate/ }).click();
  await confirm(page, 'Rotate key');
  await page.getByRole('heading', { name: 'Your new key' }).waitFor();
  const second = await takeSecret(page, 'rotated key');
  assert.deepEqual([await works(first), await works(second)], [401, 200]);

  await page.getByRole('row', { name: /from the console/ }).getByRole('button', { name: /Revoke/ }).click();
  await dialog(page).getByText('can never be used again').waitFor();
  await confirm(page, 'Revoke key');
  await page.getByRole('row', { name: /from the console/ }).waitFor({ state: 'detached' });
  assert.equal(await works(second), 401);
  await page.getByLabel(/no longer work/).check();
  await page.getByRole('row', { name: /from the console.*revoked/ }).first().waitFor();
}

/* The second seed's rotation: one click, one confirmation, shown once, still signed in. */
async function rotateRouteKey(page) {
  await go(page, 'Keys');
  await press(page, 'Create route key');
  await confirm(page, 'Create key');
  await page.getByRole('heading', { name: 'Your new route key' }).waitFor();
  const old = await takeSecret(page, 'first route key');
  assert.equal(await works(old), 200);
  await settled(page);
  await press(page, 'Rotate route key');
  await dialog(page).getByText('stops working at once').waitFor();
  await sound(page, 'rotate');
  await confirm(page, 'Rotate key');
  await page.getByRole('heading', { name: 'Your new route key' }).waitFor();
  const fresh = await takeSecret(page, 'rotated route key');
  assert.deepEqual([await works(old), await works(fresh)], [401, 200]);
  await look(page, 'Keys');
  await look(page, 'Credit');
  return fresh;
}

/* Escape leaves a question and gives the focus back; the first stop of Tab skips the navigation. */
async function keyboard(page) {
  await go(page, 'Keys');
  await settled(page);
  const rotate = page.getByRole('button', { name: 'Rotate route key' });
  await rotate.focus();
  await page.keyboard.press('Enter');
  await dialog(page).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
  await page.keyboard.press('Escape');
  await dialog(page).waitFor({ state: 'detached' });
  assert.equal(await rotate.evaluate((one) => one === document.activeElement), true);
  await page.reload();
  await heading(page, 'Keys');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await go(page, 'Credit');
  await heading(page, 'Credit');
  await settled(page);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
}

/* A part that fails says so, and comes when it is asked again. */
async function failure(page) {
  page.expectStatus(500);
  await page.route('**/buyer/usage?by=model*', (route) => route.fulfill({ status: 500, body: 'out of order' }));
  await go(page, 'Overview');
  await said(page, 'Could not load spend per model');
  await sound(page, 'overview, a part failed');
  await page.unroute('**/buyer/usage?by=model*');
  await press(page, 'Try again');
  await page.getByRole('row', { name: /claude-sonnet-4-6/ }).waitFor();
}

/* Signing out elsewhere ends the session under this page. */
async function expiry(page) {
  const second = await page.context().newPage();
  await second.goto('/console/');
  await press(second, 'Sign out');
  await second.getByText('You are signed out.').waitFor();
  await second.close();
  if (await page.getByRole('button', { name: 'Sign out' }).isVisible()) await go(page, 'Keys').catch(() => {});
  await said(page, 'Your session is over');
  await sound(page, 'expired');
}

async function routeKeySession(page, key) {
  await page.getByLabel('Key').fill(key);
  await press(page, 'Sign in');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await nowhere(page, key);
  await go(page, 'Keys');
  await page.getByText('may look at keys but not change them').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Create key' }).count(), 0);
  await press(page, 'Sign out');
  await page.getByText('You are signed out.').waitFor();
}

/* A router key sees its service and no more. */
async function routerKeySession(page, key) {
  await page.getByLabel('Key').fill(key);
  await press(page, 'Sign in');
  for (const screen of ['Overview', 'Requests', 'Credit', 'Keys']) {
    await go(page, screen);
    await heading(page, screen);
    await settled(page);
    assert.equal(await page.getByText('Wallet').count(), 0);
    assert.equal(await page.getByText('Could not load').count(), 0);
  }
  assert.equal(await page.getByRole('button', { name: /Rotate|Revoke|Create/ }).count(), 0);
}

if (images) test('pictures', { timeout: 300000 }, () => makePictures(browser));

test('pages come with a strict policy, once for each version, and without a token no panel', async () => {
  const page = await fetch(`${world.url}/console/`);
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self';/);
  assert.doesNotMatch(page.headers.get('content-security-policy'), /unsafe|\*|https?:/);
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
  const etag = page.headers.get('etag');
  const again = await fetch(`${world.url}/console/`, { headers: { 'if-none-match': etag } });
  assert.deepEqual([again.status, await again.text()], [304, '']);
  const plain = await fetch(`${world.url}/console`, { redirect: 'manual' });
  assert.deepEqual([plain.status, plain.headers.get('location')], [308, 'console/']);
  for (const path of ['/admin', '/admin/', '/admin/admin.js'])
    assert.equal((await fetch(world.url + path)).status, 404, path);
});

for (const view of images ? [] : [wide, narrow]) {
  describe(`console, ${view.name} in ${view.theme}`, () => {
    test('a buyer signs in, spends, reads, rotates and is signed out', { timeout: 60000 }, async () => {
      const one = await buyer(`buyer-${view.name}`);
      const page = await browser.page(world.url, view);
      await wrongKey(page);
      await page.getByLabel('Key').fill(one.purchaseKey);
      await page.keyboard.press('Enter');
      await emptyStates(page);
      await nowhere(page, one.purchaseKey);
      const receipt = await liveSpend(page, one);
      await sound(page, 'overview');
      await receiptAgain(page, receipt);
      await pages(page, one);
      await routerKeys(page);
      const routeKey = await rotateRouteKey(page);
      await keyboard(page);
      await failure(page);
      await expiry(page);
      await routeKeySession(page, routeKey);
      await routerKeySession(page, one.key);
      await page.done();
    });
  });
}
