// SPDX-License-Identifier: Apache-2.0
// The last requests that failed, as the process remembers them.
import { pathOf } from '../assets/api.js';
import { h } from '../assets/dom.js';
import { moment } from '../assets/format.js';
import { badge, code, empty, loaded, named, refresh, table, under } from '../assets/parts.js';
import { shortId } from '../assets/key_parts.js';
import { top } from '../assets/shell.js';

const account = (id) => (id ? h('a', { href: `#/${pathOf('account', id)}` }, shortId(id)) : '\u2013');

const COLUMNS = [
  { head: 'Error', cell: (row) => named(row.code,
    [h('span', { class: 'hint' }, row.message), row.requestId && under(row.requestId)]) },
  { head: 'When', cell: (row) => moment(row.at) },
  { head: 'Status', cell: (row) => badge(String(row.status), row.status >= 500 ? 'bad' : 'warn') },
  { head: 'Route', cell: (row) => h('span', { class: 'two nowrap' }, code(row.route), row.model && under(row.model)) },
  { head: 'Upstream', cell: (row) => row.upstream ?? '\u2013' },
  { head: 'Account', cell: (row) => account(row.accountId) },
];

export function drawErrors(ctx) {
  const draw = ({ items }) => (items.length ? table({ caption: 'Recent errors', columns: COLUMNS, rows: items })
    : empty('No request has failed since the start'));
  const place = loaded((signal) => ctx.api.get('errors', {}, signal), draw, { what: 'errors', signal: ctx.signal });
  return [top(ctx, 'Since the start, newest first', refresh(() => place.reload())),
    h('section', { class: 'panel flush', 'aria-label': 'Errors' }, place)];
}
