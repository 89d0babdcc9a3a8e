// SPDX-License-Identifier: Apache-2.0
// One call's receipt, laid out so that the charge can be added up again by eye: count times price
// for each class, the exact sum, the one rounding, the charge. All in whole numbers.
import { CLASSES } from '../assets/classes.js';
import { h } from '../assets/dom.js';
import { count, milliseconds, moment, placesOf, price, priceMicros, usdFull, usdPicos } from '../assets/format.js';
import { badge, code, copyField, facts, loaded, named, panel, table, under } from '../assets/parts.js';
import { pathOf } from '../assets/api.js';
import { top } from '../assets/shell.js';
import { statusBadge } from './status.js';

const PER_MICRO = 1000000n; // picos in a micro
const TIMES = '\u00d7';

const EVIDENCE = {
  provider: 'Counted by the provider',
  estimated: 'Estimated: the provider did not say',
  none: 'Nothing was used',
};

/** What the classes cost, exactly, and what rounding up adds to the sum. */
export function addUp(receipt) {
  const lines = CLASSES.map(({ id, tokens, title }) => {
    const unit = receipt.unitPricesUsdPerMillion[id];
    return { id, title, unit, tokens: receipt[tokens],
      picos: BigInt(receipt[tokens]) * (unit === null ? 0n : priceMicros(unit)) };
  });
  const sum = lines.reduce((all, line) => all + line.picos, 0n);
  const whole = ((sum + PER_MICRO - 1n) / PER_MICRO) * PER_MICRO;
  return { lines, sum, rounding: whole - sum, whole };
}

function sumRow(label, value, kind = null) {
  return h('tr', { role: 'row', class: kind }, h('th', { scope: 'row', role: 'rowheader', colspan: '4' }, label),
    h('td', { role: 'cell', class: 'num' }, value));
}

function lineRow({ id, title, tokens, unit, picos }, places) {
  return h('tr', { role: 'row', class: tokens ? null : 'none' },
    h('th', { scope: 'row', role: 'rowheader' }, h('span', { class: `key ${id}` }), title),
    h('td', { role: 'cell', class: 'num count' }, count(tokens)),
    h('td', { role: 'cell', class: 'times', 'aria-hidden': 'true' }, TIMES),
    h('td', { role: 'cell', class: 'num unit' }, price(unit), h('span', { class: 'hint per' }, ' / 1M')),
    h('td', { role: 'cell', class: 'num' }, usdPicos(picos, places)));
}

/* Micros in a column of more decimals: its point stands below the others'. */
const padded = (micros, places) => [usdFull(micros),
  h('span', { class: 'pad', 'aria-hidden': 'true' }, '0'.repeat(places - 6))];

function arithmetic(receipt) {
  const { lines, sum, rounding, whole } = addUp(receipt);
  const places = Math.max(6, ...[...lines.map((line) => line.picos), sum].map(placesOf));
  const head = ['Token class', 'Tokens', '', 'Price', 'Amount'];
  return h('table', { class: 'sums', role: 'table' },
    h('caption', { class: 'hidden' }, 'Charge by token class: tokens times price per million'),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, head.map((text, i) =>
      h('th', { scope: 'col', role: 'columnheader', class: i ? 'num' : null },
        text || h('span', { class: 'hidden' }, 'times'))))),
    h('tbody', { role: 'rowgroup' }, lines.map((line) => lineRow(line, places))),
    h('tfoot', { role: 'rowgroup' },
      sumRow('Sum', usdPicos(sum, places)),
      sumRow('Rounded up once, to a millionth of a dollar', `+${usdPicos(rounding, places)}`),
      receipt.overrunUsdMicros > 0
        && sumRow('Above what was held: not charged', padded(-receipt.overrunUsdMicros, places)),
      sumRow('Charge', padded(receipt.buyerChargeUsdMicros, places), 'total'),
      whole / PER_MICRO - BigInt(receipt.overrunUsdMicros) !== BigInt(receipt.buyerChargeUsdMicros)
        && h('tr', { role: 'row' }, h('td', { role: 'cell', colspan: '5', class: 'hint' },
          'This receipt was charged by another rule than the sum above.'))));
}

const ATTEMPTS = [
  { head: 'Upstream', cell: (one) => named(one.upstream ?? one.provider, under(one.upstreamModel)) },
  { head: 'Result', cell: ({ result, why }) => [badge(result, result === 'answered' ? 'good' : 'warn'), why && ` ${why}`] },
  { head: 'HTTP status', num: true, cell: (one) => (one.status ? String(one.status) : '\u2013') },
  { head: 'Time', num: true, cell: (one) => milliseconds(one.ms) },
];

function about(receipt) {
  return facts([
    ['State', statusBadge(receipt.status)],
    ['HTTP status', receipt.httpStatus ? String(receipt.httpStatus) : 'the client was gone'],
    ['Model', code(receipt.model)],
    receipt.servedBy && ['Served by', code(receipt.servedBy)],
    ['Asked of the upstream', code(receipt.upstreamModel)],
    ['The upstream says', receipt.reportedModel
      ? [code(receipt.reportedModel), receipt.modelDiffers && [' ', badge('another model', 'warn')]] : 'nothing'],
    ['Upstream', receipt.upstream],
    ['Route', code(receipt.route)],
    ['Streamed', receipt.stream ? 'yes' : 'no'],
    ['Began', moment(receipt.createdAt)],
    ['First byte', milliseconds(receipt.firstByteMs)],
    ['Ended', moment(receipt.settledAt)],
  ]);
}

/* What became of the hold. */
function afterwards({ heldUsdMicros, buyerChargeUsdMicros }) {
  const left = heldUsdMicros - buyerChargeUsdMicros;
  return left < 0 ? ['Charged beyond the hold', usdFull(-left)] : ['Given back', usdFull(left)];
}

function draw(receipt) {
  return [
    panel('How the charge adds up', { hint: `Prices of version ${receipt.priceVersion}, in USD per million tokens` },
      arithmetic(receipt),
      facts([
        ['Held before the call', usdFull(receipt.heldUsdMicros)],
        afterwards(receipt),
        ['Token counts', EVIDENCE[receipt.evidence]],
        receipt.recovered && ['Ended by', 'the rule for calls that a crash cut off'],
      ])),
    panel('The call', {}, about(receipt), h('div', { class: 'side-by-side' },
      copyField('Request id', receipt.requestId), copyField('Key id', receipt.apiKeyId))),
    panel('Attempts', { hint: 'Every upstream that was tried, in order' },
      receipt.attempts.length ? table({ caption: 'Attempts', columns: ATTEMPTS, rows: receipt.attempts })
        : h('p', { class: 'hint' }, 'No upstream was asked.')),
  ];
}

export function drawReceipt(ctx, [id = '']) {
  return [h('p', { class: 'crumbs' }, h('a', { href: '#/requests' }, 'Requests')), top(ctx, h('code', {}, id)),
    loaded(async (signal) => (await ctx.api.get(pathOf('requests', id), {}, signal)).item, draw,
      { what: 'the receipt', signal: ctx.signal })];
}
