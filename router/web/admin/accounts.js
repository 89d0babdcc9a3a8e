// SPDX-License-Identifier: Apache-2.0
// All accounts with their money, and making a new one.
import { pathOf } from '../assets/api.js';
import { ask, field, input, showSecret } from '../assets/dialog.js';
import { h } from '../assets/dom.js';
import { dateText, micros, usdFull } from '../assets/format.js';
import { badge, button, empty, loaded, named, Pages, searchForm, table, under } from '../assets/parts.js';
import { top } from '../assets/shell.js';

export const stateOf = (account) => badge(account.status, account.status === 'active' ? 'good' : 'warn');

const money = (head, member) => ({ head, num: true, cell: (row) => usdFull(micros(row[member])) });
const COLUMNS = [
  { head: 'Account', cell: (row) => named(row.name, under(row.id), `#/${pathOf('account', row.id)}`) },
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
  const search = searchForm({ words: q, hint: 'Part of a name or id', onfind: () => {
    history.replaceState(null, '', `#/${pathOf('accounts', search.words())}`);
    pages.reset();
  } });
  const none = () => (search.words() ? empty('Nothing matches')
    : empty('No accounts yet', 'The first one is made with the button above.'));
  const draw = ({ items, nextCursor }) => [
    items.length ? table({ caption: 'Accounts', columns: COLUMNS, rows: items }) : none(),
    pages.bar(nextCursor, 'accounts', ['Earlier', 'Later'])];
  const load = (signal) => ctx.api.get('accounts', { limit: 50, before: pages.cursor, q: search.words() }, signal);
  const pages = new Pages(() => list.reload());
  const list = loaded(load, draw, { what: 'accounts', signal: ctx.signal });
  const make = button('Create account', () => create(ctx), { kind: 'primary', name: 'accounts' });
  return [top(ctx, 'Oldest first', make), search.node,
    h('section', { class: 'panel flush', 'aria-label': 'Accounts' }, list)];
}
