// SPDX-License-Identifier: Apache-2.0
// Who changed what and when, with what was there before and after.
import { pathOf } from '../assets/api.js';
import { h } from '../assets/dom.js';
import { moment } from '../assets/format.js';
import { code, empty, loaded, named, Pages, table } from '../assets/parts.js';
import { shortId } from '../assets/key_parts.js';
import { top } from '../assets/shell.js';

const text = (value) => (value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value));
/* An id says less than it is long. */
const value = (all) => (/^[a-z_]+_[0-9A-Za-z]{20,}$/.test(all) ? shortId(all) : code(all));

/* A member as it was and as it is: only one of the two if it came or went. */
function change(name, before, after) {
  const [was, is] = [before, after].map((side) => (side && name in side ? text(side[name]) : null));
  const same = was === is;
  return h('li', { class: same ? 'same' : null }, `${name} `,
    was !== null && !same && [h('del', {}, value(was)), is !== null && ' \u2192 '], is !== null && value(is));
}

function changes({ subject, before, after }) {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
    .filter((name) => text((after ?? before)[name]) !== subject);
  return names.length ? h('ul', { class: 'members' }, names.map((name) => change(name, before, after))) : '\u2013';
}

const COLUMNS = [
  { head: 'Change', cell: (row) => named(row.what, h('span', { class: 'hint' }, value(row.subject))) },
  { head: 'When', cell: (row) => moment(row.at) },
  { head: 'Who', cell: (row) => (row.who.startsWith('acct_') ? shortId(row.who) : row.who) },
  { head: 'Before and after', cell: changes },
];

/* The line under the heading when only one object's changes are shown. */
function about(subject) {
  const isAccount = subject.startsWith('acct_');
  const id = code(subject);
  return ['Of ', isAccount ? h('a', { href: `#/${pathOf('account', subject)}` }, id) : id, ' \u00b7 ', h('a', { href: '#/audit' }, 'show all')];
}

export function drawAudit(ctx, [subject = '']) {
  const draw = ({ items, nextCursor }) => [items.length ? table({ caption: 'Audit log', columns: COLUMNS, rows: items })
    : empty('Nothing was changed yet'), pages.bar(nextCursor, 'the audit log')];
  const pages = new Pages(() => list.reload());
  const load = (signal) => ctx.api.get('audit', { limit: 25, before: pages.cursor, subject }, signal);
  const list = loaded(load, draw, { what: 'the audit log', signal: ctx.signal });
  return [top(ctx, subject ? about(subject) : 'Every change, newest first; entries are never changed or removed'),
    h('section', { class: 'panel flush', 'aria-label': 'Audit log' }, list)];
}
