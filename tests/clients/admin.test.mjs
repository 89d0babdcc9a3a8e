// SPDX-License-Identifier: Apache-2.0
// The admin panel in a real browser, wide in light and narrow in dark: every change asks once, takes
// effect at once, and stands in the audit log.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Browser, confirm, dialog, go, heading, images, look, narrow, nowhere, press, said, settled, signIn,
  sound, takeSecret, wide } from './browser.mjs';
import { World, chat, order } from './harness.mjs';

const TOKEN = 'an-admin-token-of-the-tests-0123456789';

let world;
let browser;
before(async () => {
  [world, browser] = await Promise.all([World.open({ AGENT_STORE_ADMIN_TOKEN: TOKEN }), Browser.open()]);
  await world.serve();
});
after(() => Promise.all([browser?.close(), world?.close()]));

const works = async (key) => (await world.ask('/openai/v1/models', { key })).status;
const buyerWorks = async (key) => (await world.ask('/buyer/session', { key: null, body: { key },
  headers: { 'content-type': 'application/json' } })).status;
const stat = (page, label) => page.locator('.stat', { hasText: label }).locator('.amount').first();

async function signsIn(page) {
  page.expectStatus(401);
  await signIn(page, '/admin/', 'Admin token', 'not the admin token');
  await said(page, 'not the admin token');
  await sound(page, 'sign-in');
  await page.getByLabel('Admin token').fill(TOKEN);
  await press(page, 'Sign in');
  await heading(page, 'Service');
  await page.getByText('healthy').waitFor();
  await nowhere(page, TOKEN);
}

async function createAccount(page, name) {
  await go(page, 'Accounts');
  await press(page, 'Create account');
  await dialog(page).getByLabel('Name').fill(name);
  await confirm(page, 'Create account');
  await page.getByRole('heading', { name: `The purchase key of ${name}` }).waitFor();
  const key = await takeSecret(page, 'purchase key');
  await heading(page, 'Account');
  await settled(page);
  return { key, id: await page.locator('.top code').textContent() };
}

async function fundOnce(page, amount, reference) {
  await press(page, 'Fund');
  await dialog(page).getByLabel('Amount in USD').fill(amount);
  await dialog(page).getByLabel('Reference').fill(reference);
}

async function funds(page) {
  await fundOnce(page, '75.25', 'invoice 1');
  await dialog(page).getByText('The wallet goes from $0.00 to $75.25.').waitFor();
  await sound(page, 'fund');
  await confirm(page, 'Add to wallet');
  await stat(page, 'Wallet').filter({ hasText: '$75.25' }).waitFor();
  page.expectStatus(409);
  await fundOnce(page, '10', 'invoice 1'); // known, with another amount
  await confirm(page, 'Add to wallet');
  await said(page, 'invoice 1');
  await page.keyboard.press('Escape');
  await dialog(page).waitFor({ state: 'detached' });
  assert.equal(await stat(page, 'Wallet').textContent(), '$75.25');
}

async function policy(page) {
  await press(page, 'Change the rules');
  await dialog(page).getByLabel('Dearest single purchase').fill('50');
  await confirm(page, 'Set these rules');
  await dialog(page).waitFor({ state: 'detached' });
  await page.getByText('$50.00').waitFor();
}

async function freezes(page, name, keys) {
  await press(page, 'Freeze');
  await dialog(page).getByText('stop working at once').waitFor();
  await sound(page, 'freeze');
  await confirm(page, 'Freeze account');
  await page.getByText('Frozen since').waitFor();
  assert.notEqual(await works(keys.router), 200);
  assert.notEqual(await buyerWorks(keys.purchase), 200);
  await settled(page);
  await sound(page, 'frozen account');
  await press(page, 'Unfreeze');
  await confirm(page, 'Unfreeze account');
  await page.getByText('Frozen since').waitFor({ state: 'detached' });
  assert.deepEqual([await works(keys.router), await buyerWorks(keys.purchase)], [200, 200]);
}

async function keys(page, secret) {
  await go(page, 'Keys');
  await page.getByLabel('Search').fill('of the admin test');
  await press(page, 'Search');
  const row = page.getByRole('row', { name: /of the admin test/ });
  await row.first().waitFor();
  await settled(page);
  await sound(page, 'keys');
  await row.first().getByRole('button', { name: /Rotate/ }).click();
  await confirm(page, 'Rotate key');
  await page.getByRole('heading', { name: 'Your new key' }).waitFor();
  const fresh = await takeSecret(page, 'rotated key');
  assert.deepEqual([await works(secret), await works(fresh)], [401, 200]);
  await settled(page);
  await row.getByRole('button', { name: /Revoke/ }).first().click();
  await confirm(page, 'Revoke key');
  await dialog(page).waitFor({ state: 'detached' });
  assert.equal(await works(fresh), 401);
}

async function ledger(page) {
  await go(page, 'Ledger');
  await press(page, 'Verify now');
  await confirm(page, 'Verify');
  await page.getByRole('status').filter({ hasText: 'Everything adds up.' }).waitFor();
  await settled(page);
  await sound(page, 'ledger');
}

async function audit(page, id) {
  await go(page, 'Audit log');
  await page.goto(`/admin/#/account/${id}`);
  await page.getByRole('link', { name: 'In the audit log' }).click();
  await heading(page, 'Audit log');
  await settled(page);
  const names = await page.locator('tbody .name').allTextContents();
  assert.deepEqual(names.filter((name) => /account|fund/.test(name)).reverse(),
    ['account.create', 'wallet.fund', 'account.policy', 'account.freeze', 'account.unfreeze']);
  assert.match(await page.getByRole('row', { name: /account\.freeze/ }).textContent(), /admin@127\.0\.0\.1/);
  await sound(page, 'audit log');
}

async function buys(purchaseKey, label) {
  const mcp = await world.mcp(purchaseKey);
  const { service } = await mcp.call('purchase_create', order(20, 'credit'));
  const { apiKey } = await mcp.call('router_api_key_create', { serviceId: service.id, label });
  await mcp.close();
  return apiKey.secret;
}

/* Something for the list of errors, and for a breaker. */
const fails = (key) => world.ask('/openai/v1/chat/completions', { key, body: chat('error-500') });

for (const view of images ? [] : [wide, narrow]) {
  describe(`admin panel, ${view.name} in ${view.theme}`, () => {
    test('an operator creates, funds, limits, freezes, revokes and verifies', { timeout: 60000 }, async () => {
      const page = await browser.page(world.url, view);
      await signsIn(page);
      const account = await createAccount(page, `account-${view.name}`);
      await funds(page);
      await policy(page);
      const router = await buys(account.key, 'of the admin test');
      assert.notEqual((await fails(router)).status, 200);
      await page.reload();
      await freezes(page, account.name, { router, purchase: account.key });
      await settled(page);
      await sound(page, 'account');
      await keys(page, router);
      for (const screen of ['Service', 'Accounts', 'Upstreams', 'Models', 'Errors']) await look(page, screen);
      await page.getByText('upstream', { exact: false }).first().waitFor();
      await ledger(page);
      await audit(page, account.id);
      await press(page, 'Sign out');
      await page.getByText('You are signed out.').waitFor();
      await page.done();
    });
  });
}
