// SPDX-License-Identifier: Apache-2.0
// Keys as the console and the admin panel show and change them. Only the public part of a key is
// ever known here, but for the one answer that brings a new one.
import { pathOf } from './api.js';
import { ask, showSecret } from './dialog.js';
import { h } from './dom.js';
import { ago, dateText, micros, plural, usd, usdFull } from './format.js';
import { badge, button, code, copyField, named, table } from './parts.js';

export const KINDS = { purchase: 'Purchase key', router: 'Router key', route: 'Route key' };
const TONES = { active: 'good', expired: 'quiet', revoked: 'quiet', frozen: 'warn' };

/* Enough of the public part to tell a key by. */
const SEEN = 8;
export const keyText = (key) => `${key.prefix}${key.lookup.slice(0, SEEN)}\u2026`;
/** An id of the service, cut for a column that is not about it. */
export const shortId = (id) => h('code', { class: 'nowrap', title: id },
  `${id.slice(0, id.lastIndexOf('_') + 7)}\u2026`);
const nameOf = (key) => `${KINDS[key.kind]} \u201c${key.label}\u201d`;

function limitTexts({ spendLimitUsd, expiresAt, allowedModels, requestsPerMinute, maxConcurrent, lowerOutput }) {
  return [
    spendLimitUsd !== undefined && `spends at most ${usd(micros(spendLimitUsd.toFixed(2)))}`,
    expiresAt && `until ${dateText(expiresAt)}`,
    allowedModels && `only ${allowedModels.length > 2 ? plural(allowedModels.length, 'model') : allowedModels.join(', ')}`,
    requestsPerMinute && `${plural(requestsPerMinute, 'request')} a minute`,
    maxConcurrent && `${maxConcurrent} at once`,
    lowerOutput && 'lowers output to fit',
  ].filter(Boolean);
}

function limits(key) {
  const texts = limitTexts(key.limits);
  return texts.length ? h('ul', { class: 'limits' }, texts.map((text) => h('li', {}, text)))
    : h('span', { class: 'muted' }, 'no limits');
}

/** `actions(key)`: the buttons of a row. `owner(key)`: a cell that says whose it is, or none. */
export function keyTable(caption, keys, actions, owner = null) {
  return table({ caption, rows: keys, rowClass: (key) => (key.status === 'active' ? null : 'dead'), columns: [
    { head: 'Key', cell: (key) => named(key.label, h('span', { class: 'hint' }, `${KINDS[key.kind]} `,
      h('code', { class: 'nowrap', title: key.id }, keyText(key)))) },
    owner && { head: 'Account', cell: owner },
    { head: 'Limits', cell: limits },
    { head: 'Spent', num: true, cell: (key) => usdFull(micros(key.spentUsd)) },
    { head: 'Last use', cell: (key) => ago(key.lastUsedAt) },
    { head: 'State', cell: (key) => badge(key.status, TONES[key.status]) },
    { head: '', sole: true, cell: (key) => h('div', { class: 'row-actions' }, actions(key)) },
  ].filter(Boolean) });
}

export const rowAction = (label, key, act, kind = 'small') =>
  button(label, act, { kind, describe: `${label} ${keyText(key)} ${key.label}` });

/** Asks, and ends the key. True if it was done. */
export async function revokeKey(api, key) {
  return await ask({ title: `Revoke ${key.label}?`, action: 'Revoke key', danger: true,
    body: h('p', {}, `${nameOf(key)} (`, code(keyText(key)), ') stops working at once and can never be used again. ',
      'Calls that are running finish and are charged.'),
    act: () => api.post(pathOf('keys', key.id, 'revoke')) }) !== null;
}

/** Asks, replaces the key and shows the new one. True if it was done. */
export async function rotateKey(api, key) {
  const done = await ask({ title: `Rotate ${key.label}?`, action: 'Rotate key', danger: true,
    body: h('p', {}, `A new key takes the place of ${nameOf(key)} (`, code(keyText(key)), '), with the same limits. ',
      'The old one stops working at once: programs that use it fail until they have the new one.'),
    act: () => api.post(pathOf('keys', key.id, 'rotate')) });
  if (done) await showNewKey(done.item, 'The old key no longer works.');
  return done !== null;
}

/** Where a key is used: both kinds of SDK. */
export const baseUrls = ({ baseUrl, anthropicBaseUrl }) => [copyField('Base URL, OpenAI SDKs', baseUrl),
  copyField('Base URL, Anthropic SDKs', anthropicBaseUrl)];

/** The answer that has a new key's secret. */
export const showNewKey = (item, text) => showSecret({ title: 'Your new key', label: 'New key', secret: item.secret,
  body: h('p', {}, `${text} Copy the new key now: it is shown only once.`),
  more: item.kind === 'purchase' ? [] : baseUrls(item) });
