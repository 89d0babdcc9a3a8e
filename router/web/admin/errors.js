// SPDX-License-Identifier: Apache-2.0
// The last requests that failed, as the process remembers them.
import { pathOf } from '../assets/api.js';
import { h } from '../assets/dom.js';
import { moment } from '../assets/format.js';
import { badge, button, code, empty, loaded, table } from '../assets/parts.js';
import { shortId } from '../assets/key_parts.js';
import { top } from '../assets/shell.js';

const account = (id) => (id ? h('a', { href: `#/${pathOf('account', id)}` }, shortId(id)) : '\u2013');

const COLUMNS = [
  { head: 'Error', cell: (row) => h('span', { class: 'two' }, h('span', { class: 'name' }, row.code),
    h('span', { class: 'hint' }, row.message), row.requestId && h('code', { class: 'hint' }, row.requestId)) },
  { head: 'When', cell: (row) => moment(row.at) },
  { head: 'Status', cell: (row) => badge(String(row.status), row.status >= 500 ? 'bad' : 'warn') },
  { head: 'Route', cell: (row) => h('span', { class: 'two nowrap' }, code(row.route), row.model && h('code', { class: 'hint' }, row.model)) },
  { head: 'Upstream', cell: (row) => row.upstream ?? '\u2013' },
  { head: 'Account', cell: (row) => account(row.accountId) },
];

export function drawErrors(ctx) {
  const place = loaded((signal) => ctx.api.get('errors', {}, signal), ({ items }) => (items.length
    ? table({ caption: 'Recent errors', columns: COLUMNS, rows: items }) : empty('No request has failed since the start')),
  { what: 'errors', signal: ctx.signal });
  return [top(ctx, 'Since the start, newest first', button('Refresh', () => place.reload(), { name: 'refresh' })),
    h('section', { class: 'panel flush', 'aria-label': 'Errors' }, place)];
}
