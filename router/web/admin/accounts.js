// SPDX-License-Identifier: Apache-2.0
// All accounts with their money, and making a new one.
import { pathOf } from '../assets/api.js';
import { ask, field, input, showSecret } from '../assets/dialog.js';
import { h, uniqueId } from '../assets/dom.js';
import { dateText, micros, usdFull } from '../assets/format.js';
import { badge, button, empty, loaded, Pages, table } from '../assets/parts.js';
import { top } from '../assets/shell.js';

export const stateOf = (account) => badge(account.status, account.status === 'active' ? 'good' : 'warn');

const money = (head, member) => ({ head, num: true, cell: (row) => usdFull(micros(row[member])) });
const COLUMNS = [
  { head: 'Account', cell: (row) => h('a', { class: 'two', href: `#/${pathOf('account', row.id)}` },
    h('span', { class: 'name' }, row.name), h('code', { class: 'hint' }, row.id)) },
  { head: 'State', cell: stateOf },
  { head: 'Since', cell: (row) => dateText(row.createdAt) },
  money('Wallet', 'walletUsd'),
  money('Credit', 'creditUsd'),
  money('Held', 'heldUsd'),
];

async function create(ctx) {
  const done = await ask({ title: 'Create an account', action: 'Create account',
    body: h('p', {}, 'Makes an account with an empty wallet and its purchase key. The key is shown once.'),
    fields: [field('name', 'Name', input({ required: true, maxlength: '64' }), { hint: 'Must not be taken' })],
    act: (values) => ctx.api.post('accounts', values) });
  if (!done) return;
  const { item } = done;
  await showSecret({ title: `The purchase key of ${item.name}`, label: 'Purchase key', secret: item.purchaseKey,
    body: h('p', {}, 'With it an agent buys credit from the wallet. Copy it now: it is shown only once.') });
  ctx.shell.go('account', item.id);
}

export function drawAccounts(ctx, [q = '']) {
  const id = uniqueId('search');
  const search = h('input', { id, type: 'search', value: q, maxlength: '96', autocomplete: 'off', placeholder: 'Part of a name or id' });
  const find = (event) => {
    event.preventDefault();
    history.replaceState(null, '', `#/${pathOf('accounts', search.value.trim())}`);
    pages.reset();
  };
  const draw = ({ items, nextCursor }) => [items.length ? table({ caption: 'Accounts', columns: COLUMNS, rows: items })
    : empty(search.value ? 'Nothing matches' : 'No accounts yet', search.value ? null : 'The first one is made with the button above.'),
  pages.bar(nextCursor, 'accounts', ['Earlier', 'Later'])];
  const pages = new Pages(() => list.reload());
  const list = loaded((signal) => ctx.api.get('accounts', { limit: 50, before: pages.cursor, q: search.value.trim() }, signal), draw,
    { what: 'accounts', signal: ctx.signal });
  return [top(ctx, 'Oldest first', button('Create account', () => create(ctx), { kind: 'primary', name: 'accounts' })),
    h('form', { class: 'filters', role: 'search', onsubmit: find },
      h('div', { class: 'field grow' }, h('label', { for: id }, 'Search'), search),
      h('button', { type: 'submit', class: 'button' }, 'Search')),
    h('section', { class: 'panel flush', 'aria-label': 'Accounts' }, list)];
}
