// SPDX-License-Identifier: Apache-2.0
// Keys of all accounts.
import { pathOf } from '../assets/api.js';
import { h } from '../assets/dom.js';
import { empty, loaded, searchForm } from '../assets/parts.js';
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
  const search = searchForm({ words: q, hint: 'Part of an id, public part, label or account', onfind: () => {
    history.replaceState(null, '', `#/${pathOf('keys', search.words())}`);
    list.reload();
  } });
  const draw = ({ items }) => (items.length ? keyTable('Keys', items, keyActions(ctx, () => list.reload()), owner)
    : empty(search.words() ? 'Nothing matches' : 'No keys yet'));
  const load = (signal) => ctx.api.get('keys', { q: search.words() }, signal);
  const list = loaded(load, draw, { what: 'keys', signal: ctx.signal });
  return [top(ctx, 'Newest first, at most 200'), search.node,
    h('section', { class: 'panel flush', 'aria-label': 'Keys' }, list)];
}
