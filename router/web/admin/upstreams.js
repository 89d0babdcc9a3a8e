// SPDX-License-Identifier: Apache-2.0
// Where calls go, and what is being left alone after failures: a breaker stands for one model at one
// upstream.
import { h } from '../assets/dom.js';
import { count, duration, plural } from '../assets/format.js';
import { badge, code, empty, facts, loaded, panel, refresh, table } from '../assets/parts.js';
import { top } from '../assets/shell.js';

const STATES = { closed: ['in use', 'good'], open: ['left alone', 'bad'], trial: ['being tried', 'warn'] };

const BREAKERS = [
  { head: 'Model', cell: (row) => code(row.model) },
  { head: 'State', cell: (row) => badge(...STATES[row.state]) },
  { head: 'Tried again in', cell: (row) => (row.state === 'open' ? duration(row.reopensInMs) : '\u2013') },
  { head: 'Failures in a row', num: true, cell: (row) => count(row.failures) },
];

function upstream({ name, provider, baseUrl, configured, routes, models, breakers }) {
  return panel(name, { actions: [badge(configured ? 'has a key' : 'no key', configured ? 'good' : 'quiet')] },
    facts([['Provider', provider], ['Address', code(baseUrl)], ['Routes', routes.length ? routes.join(', ') : 'none'],
      ['Models', h('span', { title: models.join(', ') }, plural(models.length, 'model'))]]),
    breakers.length ? table({ caption: `Breakers of ${name}`, columns: BREAKERS, rows: breakers })
      : h('p', { class: 'hint apart' }, 'Not used since the start.'));
}

export function drawUpstreams(ctx) {
  const draw = ({ items }) => (items.length ? items.map(upstream) : empty('No upstreams'));
  const place = loaded((signal) => ctx.api.get('upstreams', {}, signal), draw, { what: 'upstreams', signal: ctx.signal });
  return [top(ctx, 'Where calls go, and what is left alone after failures', refresh(() => place.reload())), place];
}
