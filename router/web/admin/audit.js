// SPDX-License-Identifier: Apache-2.0
// Who changed what and when, with what was there before and after.
import { pathOf } from '../assets/api.js';
import { h } from '../assets/dom.js';
import { moment } from '../assets/format.js';
import { code, empty, loaded, Pages, table } from '../assets/parts.js';
import { top } from '../assets/shell.js';

const text = (value) => (value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value));

/* Members of an object, one a line; `other` is the object on the other side: what is the same in
 * both is quieter. */
function members(object, other) {
  if (!object) return h('span', { class: 'muted' }, 'nothing');
  return h('ul', { class: 'members' }, Object.entries(object).map(([name, value]) =>
    h('li', { class: other && text(other[name]) === text(value) ? 'muted' : null }, h('span', { class: 'hint' }, `${name} `), code(text(value)))));
}

const COLUMNS = [
  { head: 'Change', cell: (row) => h('span', { class: 'two' }, h('span', { class: 'name' }, row.what), h('code', { class: 'hint' }, row.subject)) },
  { head: 'When', cell: (row) => moment(row.at) },
  { head: 'Who', cell: (row) => row.who },
  { head: 'Before', cell: (row) => members(row.before, row.after) },
  { head: 'After', cell: (row) => members(row.after, row.before) },
];

export function drawAudit(ctx, [subject = '']) {
  const draw = ({ items, nextCursor }) => [items.length ? table({ caption: 'Audit log', columns: COLUMNS, rows: items })
    : empty('Nothing was changed yet'), pages.bar(nextCursor, 'the audit log')];
  const pages = new Pages(() => list.reload());
  const list = loaded((signal) => ctx.api.get('audit', { limit: 25, before: pages.cursor, subject }, signal), draw, { what: 'the audit log', signal: ctx.signal });
  const about = subject.startsWith('acct_') ? h('a', { href: `#/${pathOf('account', subject)}` }, code(subject)) : code(subject);
  return [top(ctx, subject ? ['Of ', about, ' \u00b7 ', h('a', { href: '#/audit' }, 'show all')] : 'Every change, newest first; entries are never changed or removed'),
  h('section', { class: 'panel flush', 'aria-label': 'Audit log' }, list)];
}
