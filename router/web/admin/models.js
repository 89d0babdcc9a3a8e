// SPDX-License-Identifier: Apache-2.0
// Models and their prices in force, and the routes that lead to them.
import { CLASSES } from '../assets/classes.js';
import { h } from '../assets/dom.js';
import { count, price } from '../assets/format.js';
import { badge, code, empty, loaded, named, panel, table } from '../assets/parts.js';
import { top } from '../assets/shell.js';

const STATES = { active: 'good', deprecated: 'warn', retired: 'quiet' };

function state(model) {
  return [badge(model.state, STATES[model.state]), !model.routable && [' ', badge('not callable', 'warn')],
    model.servedBy && model.servedBy !== model.id && h('div', { class: 'hint' }, 'by ', code(model.servedBy))];
}

/* A model with dearer long prompts has a line of its own for them. */
function linesOf(model) {
  const { pricesUsdPerMillion: prices, longPrompt: long } = model;
  const ordinary = { model, prices };
  return long ? [ordinary, { model, prices: long.pricesUsdPerMillion, above: long.aboveTokens }] : [ordinary];
}

const terms = ({ model, above }) => (above ? `prompts above ${count(above)} tokens`
  : `${model.provider}, prices ${model.priceVersion}`);

const COLUMNS = [
  { head: 'Model', cell: (line) => named(line.model.id, h('span', { class: 'hint' }, terms(line))) },
  { head: 'State', cell: ({ model, above }) => (above ? '' : state(model)) },
  ...CLASSES.map(({ id, title }) => ({ head: title, num: true, cell: ({ prices }) => price(prices[id]) })),
];

const UPSTREAMS = [
  { head: 'Upstream', cell: (row) => row.name },
  { head: 'Key', cell: (row) => badge(row.configured ? 'has a key' : 'no key', row.configured ? 'good' : 'quiet') },
  { head: 'Weight', num: true, cell: (row) => count(row.weight) },
  { head: 'Price factor', num: true, cell: (row) => String(row.priceFactor) },
];

const route = ({ alias, weighted, upstreams }) => panel(`Route ${alias}`,
  { hint: weighted ? 'Draws by weight' : 'Tries them in this order', level: 'h3' },
  table({ caption: `Upstreams of ${alias}`, columns: UPSTREAMS, rows: upstreams }));

const draw = ({ items, routes }) => [
  panel('Prices', { hint: 'USD per million tokens' }, items.length
    ? table({ caption: 'Models and prices', columns: COLUMNS, rows: items.flatMap(linesOf) }) : empty('No models')),
  h('h2', { class: 'apart' }, 'Routes'), h('div', { class: 'pair' }, routes.map(route)),
];

export function drawModels(ctx) {
  return [top(ctx, 'In force now; they change with the configuration and a reload'),
    loaded((signal) => ctx.api.get('models', {}, signal), draw, { what: 'models', signal: ctx.signal })];
}
