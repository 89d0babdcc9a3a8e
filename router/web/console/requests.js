// SPDX-License-Identifier: Apache-2.0
// Finished calls, newest first, with search. Search and state stand in the address, so that a
// reload and the way back from a receipt find them again.
import { tokensOf } from '../assets/classes.js';
import { h, uniqueId } from '../assets/dom.js';
import { count, moment, usdFull } from '../assets/format.js';
import { button, empty, loaded, Pages, table } from '../assets/parts.js';
import { pathOf } from '../assets/api.js';
import { top } from '../assets/shell.js';
import { statusBadge } from './status.js';

const STATES = [['', 'Any state'], ['settled', 'Settled'], ['released', 'Released'], ['failed', 'Failed']];

const COLUMNS = [
  { head: 'Request', cell: (row) => h('a', { href: `#/${pathOf('request', row.requestId)}`, class: 'two' },
    h('span', { class: 'name' }, row.model), h('code', { class: 'hint' }, row.requestId)) },
  { head: 'Ended', cell: (row) => moment(row.settledAt) },
  { head: 'Key', cell: (row) => row.apiKeyLabel },
  { head: 'Upstream', cell: (row) => row.upstream },
  { head: 'State', cell: (row) => statusBadge(row.status) },
  { head: 'Tokens', num: true, cell: (row) => count(tokensOf(row)) },
  { head: 'Charge', num: true, cell: (row) => usdFull(row.buyerChargeUsdMicros) },
];

export function drawRequests(ctx, [q = '', status = '']) {
  const [searchId, stateId] = [uniqueId('search'), uniqueId('state')];
  const search = h('input', { id: searchId, type: 'search', value: q, maxlength: '96', autocomplete: 'off',
    placeholder: 'Request id, model, route, upstream or key' });
  const state = h('select', { id: stateId }, STATES.map(([value, text]) => h('option', { value, selected: value === status }, text)));
  const find = (event) => {
    event.preventDefault();
    history.replaceState(null, '', `#/${pathOf('requests', search.value.trim(), state.value)}`);
    pages.reset();
  };
  state.addEventListener('change', find);
  const ask = (signal) => ctx.api.get('requests',
    { limit: 25, before: pages.cursor, q: search.value.trim(), status: state.value }, signal);
  const draw = ({ items, nextCursor }) => {
    ctx.say(items.length ? `${items.length} requests` : 'No requests');
    if (items.length === 0 && !nextCursor && pages.cursors.length === 1)
      return search.value || state.value ? empty('Nothing matches', 'Try other words, or any state.')
        : empty('No requests yet', 'Each call that ends gets a line here and a receipt.');
    return [table({ caption: 'Requests', columns: COLUMNS, rows: items }), pages.bar(nextCursor, 'requests')];
  };
  const pages = new Pages(() => list.reload());
  const list = loaded(ask, draw, { what: 'requests', signal: ctx.signal });
  return [top(ctx, 'Finished calls, newest first', button('Refresh', () => pages.reset(), { name: 'refresh' })),
    h('form', { class: 'filters', role: 'search', onsubmit: find },
      h('div', { class: 'field grow' }, h('label', { for: searchId }, 'Search'), search),
      h('div', { class: 'field' }, h('label', { for: stateId }, 'State'), state),
      h('button', { type: 'submit', class: 'button' }, 'Search')),
    h('section', { class: 'panel flush', 'aria-label': 'Requests' }, list)];
}
