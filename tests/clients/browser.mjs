// SPDX-License-Identifier: Apache-2.0
// Debian's Chromium for the console's tests: pages that fail on any word in the browser's console,
// any breach of the content policy, any request that leaves the origin; axe; pictures for docs/.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Where pictures of the screens go; none are made without it. */
export const images = process.env.AGENT_STORE_TEST_IMAGES;

export const wide = { name: 'wide', theme: 'light', size: { width: 1180, height: 820 } };
export const narrow = { name: 'narrow', theme: 'dark', size: { width: 360, height: 740 } };

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export class Browser {
  static async open() {
    const one = new Browser();
    one.folder = mkdtempSync(join(tmpdir(), 'agent-store-browser-'));
    one.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: flags, env: { ...process.env, HOME: one.folder } });
    return one;
  }

  async close() {
    await this.chromium?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A page of a profile of its own, at a size and in a theme. */
  async page(origin, view) {
    const context = await this.chromium.newContext({ baseURL: origin, viewport: view.size,
      colorScheme: view.theme, reducedMotion: 'reduce', timezoneId: 'UTC', locale: 'en-GB',
      permissions: ['clipboard-read', 'clipboard-write'] });
    return watched(await context.newPage(), origin, view);
  }
}

/* What a page must never do is kept until `done` looks at it. Answers that a test provokes are named
 * beforehand: the browser has a line for each in its console. */
async function watched(page, origin, view) {
  const wrong = [];
  const expected = new Set();
  page.setDefaultTimeout(15000);
  page.on('pageerror', (error) => wrong.push(`error: ${error.stack}`));
  page.on('console', (message) => {
    const status = Number(message.text().match(/responded with a status of (\d+)/)?.[1]);
    if (['error', 'warning'].includes(message.type()) && !expected.has(status)) wrong.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) wrong.push(`left the origin: ${request.url()}`);
  });
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation',
    (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
  return Object.assign(page, {
    view,
    expectStatus: (status) => expected.add(status),
    done: async () => {
      await page.context().close();
      assert.deepEqual(wrong, []);
    },
  });
}

/* ---- What every screen must be like ---- */

async function violations(page, rules) {
  const found = await page.evaluate(async (only) => {
    const { violations: all } = await globalThis.axe.run(document, { resultTypes: ['violations'],
      ...(only ? { runOnly: { type: 'rule', values: only } } : {}) });
    return all.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
  }, rules);
  return found;
}

const overhang = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

/** axe finds nothing, at this size in both themes, and nothing hangs over the edge. */
export async function sound(page, what) {
  await page.evaluate(axeSource);
  assert.deepEqual(await violations(page), [], `${what}, ${page.view.name}, ${page.view.theme}`);
  const other = page.view.theme === 'dark' ? 'light' : 'dark';
  await page.emulateMedia({ colorScheme: other });
  assert.deepEqual(await violations(page, ['color-contrast']), [], `${what}, ${page.view.name}, ${other}`);
  await page.emulateMedia({ colorScheme: page.view.theme });
  assert.ok(await overhang(page) <= 0, `${what} fits into ${page.view.size.width} pixels`);
}

/** A picture for the documentation: the page from its top, at most `height` pixels of it. */
export async function picture(page, name, { height = 1150, whole = true } = {}) {
  if (!images) return;
  mkdirSync(images, { recursive: true });
  const full = await page.evaluate(() => document.documentElement.scrollHeight);
  const { width } = page.view.size;
  await page.screenshot({ path: join(images, `${name}-${page.view.name}.png`), animations: 'disabled',
    ...(whole ? { fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(full, height) } } : {}) });
}

/* ---- Hands and eyes ---- */

export const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();
export const press = (page, name, options) => page.getByRole('button', { name, ...options }).click();
export const go = (page, name) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click();
export const dialog = (page) => page.getByRole('dialog');
/** The button of the dialog that does it. */
export const confirm = (page, name) => dialog(page).getByRole('button', { name }).click();
export const said = (page, words) => page.getByRole('alert').filter({ hasText: words }).waitFor();
/** Everything of the screen is there, also what the end of a dialog has set off. */
export async function settled(page) {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.locator('main [aria-busy="true"]').first().waitFor({ state: 'detached' });
}

export async function signIn(page, place, label, secret) {
  await page.goto(place);
  await page.getByLabel(label).fill(secret);
  await press(page, 'Sign in');
}

/** Opens a screen, waits until all of it is there, and looks at it. */
export async function look(page, link) {
  await go(page, link);
  await heading(page, link);
  await settled(page);
  await sound(page, link);
}

/** The new key of a dialog, after the copy button has put it into the clipboard. */
export async function takeSecret(page, name) {
  const field = dialog(page).getByRole('textbox').first();
  const secret = await field.inputValue();
  await dialog(page).getByRole('button', { name: /^Copy/ }).first().click();
  await dialog(page).getByRole('status').filter({ hasText: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await sound(page, name);
  await press(page, 'I have stored it');
  await dialog(page).waitFor({ state: 'detached' });
  await settled(page);
  await nowhere(page, secret);
  return secret;
}

/** A secret stands nowhere in the page nor in what it stores. */
export async function nowhere(page, secret) {
  const kept = await page.evaluate(() => document.documentElement.outerHTML + document.cookie
    + [...document.querySelectorAll('input')].map((input) => input.value).join()
    + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + location.href);
  assert.ok(!kept.includes(secret), 'the page keeps no key');
}
