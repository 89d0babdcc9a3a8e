// SPDX-License-Identifier: Apache-2.0
// Keys of all accounts.
import { pathOf } from '../assets/api.js';
import { h, uniqueId } from '../assets/dom.js';
import { empty, loaded } from '../assets/parts.js';
import { keyTable, revokeKey, rotateKey, rowAction, shortId } from '../assets/key_parts.js';
import { top } from '../assets/shell.js';

/** The buttons of a key's row: whatever still lives can be rotated or revoked. */
export function keyActions(ctx, reload) {
  const after = (act, said) => async () => {
    if (!await act()) return;
    ctx.say(said);
    reload();
  };
  return (key) => (key.status === 'revoked' ? null : [
    key.status !== 'expired' && rowAction('Rotate', key, after(() => rotateKey(ctx.api, key), 'The key was rotated.')),
    rowAction('Revoke', key, after(() => revokeKey(ctx.api, key), 'The key was revoked.'), 'small quiet-danger')]);
}

const owner = (key) => h('a', { href: `#/${pathOf('account', key.accountId)}` }, shortId(key.accountId));

export function drawKeys(ctx, [q = '']) {
  const id = uniqueId('search');
  const search = h('input', { id, type: 'search', value: q, maxlength: '96', autocomplete: 'off', placeholder: 'Part of an id, public part, label or account' });
  const find = (event) => {
    event.preventDefault();
    history.replaceState(null, '', `#/${pathOf('keys', search.value.trim())}`);
    list.reload();
  };
  const draw = ({ items }) => (items.length ? keyTable('Keys', items, keyActions(ctx, () => list.reload()), owner)
    : empty(search.value ? 'Nothing matches' : 'No keys yet'));
  const list = loaded((signal) => ctx.api.get('keys', { q: search.value.trim() }, signal), draw, { what: 'keys', signal: ctx.signal });
  return [top(ctx, 'Newest first, at most 200'),
    h('form', { class: 'filters', role: 'search', onsubmit: find },
      h('div', { class: 'field grow' }, h('label', { for: id }, 'Search'), search),
      h('button', { type: 'submit', class: 'button' }, 'Search')),
    h('section', { class: 'panel flush', 'aria-label': 'Keys' }, list)];
}
