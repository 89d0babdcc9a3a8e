// SPDX-License-Identifier: Apache-2.0
// Finished calls, newest first, with search. Search and state stand in the address, so that a
// reload and the way back from a receipt find them again.
import { tokensOf } from '../assets/classes.js';
import { h } from '../assets/dom.js';
import { count, moment, plural, usdFull } from '../assets/format.js';
import { empty, loaded, named, Pages, refresh, searchForm, table, under } from '../assets/parts.js';
import { pathOf } from '../assets/api.js';
import { top } from '../assets/shell.js';
import { statusBadge } from './status.js';

const STATES = [['', 'Any state'], ['settled', 'Settled'], ['released', 'Released'], ['failed', 'Failed']];

const COLUMNS = [
  { head: 'Request', cell: (row) => named(row.model, under(row.requestId), `#/${pathOf('request', row.requestId)}`) },
  { head: 'Ended', cell: (row) => moment(row.settledAt) },
  { head: 'Key', cell: (row) => row.apiKeyLabel },
  { head: 'Upstream', cell: (row) => row.upstream },
  { head: 'State', cell: (row) => statusBadge(row.status) },
  { head: 'Tokens', num: true, cell: (row) => count(tokensOf(row)) },
  { head: 'Charge', num: true, cell: (row) => usdFull(row.buyerChargeUsdMicros) },
];

export function drawRequests(ctx, [q = '', status = '']) {
  const state = h('select', {}, STATES.map(([value, text]) => h('option', { value, selected: value === status }, text)));
  const search = searchForm({ words: q, hint: 'Request id, model, route, upstream or key', more: [['State', state]],
    onfind: () => {
      history.replaceState(null, '', `#/${pathOf('requests', search.words(), state.value)}`);
      pages.reset();
    } });
  const load = (signal) => ctx.api.get('requests',
    { limit: 25, before: pages.cursor, q: search.words(), status: state.value }, signal);
  const none = () => (search.words() || state.value ? empty('Nothing matches', 'Try other words, or any state.')
    : empty('No requests yet', 'Each call that ends gets a line here and a receipt.'));
  const draw = ({ items, nextCursor }) => {
    ctx.say(items.length ? plural(items.length, 'request') : 'No requests');
    if (items.length === 0 && !nextCursor && pages.cursors.length === 1) return none();
    return [table({ caption: 'Requests', columns: COLUMNS, rows: items }), pages.bar(nextCursor, 'requests')];
  };
  const pages = new Pages(() => list.reload());
  const list = loaded(load, draw, { what: 'requests', signal: ctx.signal });
  return [top(ctx, 'Finished calls, newest first', refresh(() => pages.reset())), search.node,
    h('section', { class: 'panel flush', 'aria-label': 'Requests' }, list)];
}
