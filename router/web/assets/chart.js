// SPDX-License-Identifier: Apache-2.0
// Spend per day as bars stacked by token class. The picture is drawn for the width that it has, so
// that its words never shrink; who cannot see it gets the sum as its name and the table beneath.
import { CLASSES, chargesOf } from './classes.js';
import { h, svg, uniqueId } from './dom.js';
import { dayText, usd, usdFull } from './format.js';

const HEIGHT = 232;
const EDGE = { top: 10, right: 4, bottom: 26, left: 62 };

/* The smallest of 1, 2, 5, 10, ... micros that gives at most four steps. */
function stepFor(most) {
  for (let size = 1; ; size *= 10)
    for (const factor of [1, 2, 5])
      if (size * factor * 4 >= most) return size * factor;
}

function axis(most, width, y) {
  const step = stepFor(most);
  const lines = [];
  const [x1, x2] = [EDGE.left, width - EDGE.right];
  for (let value = 0; value <= Math.ceil(most / step) * step; value += step)
    lines.push(svg('line', { class: value ? 'grid' : 'base', x1, x2, y1: y(value), y2: y(value) }),
      svg('text', { class: 'tick', x: x1 - 10, y: y(value) + 4, 'text-anchor': 'end' }, usd(value)));
  return lines;
}

/* One day: a bar of up to five pieces, and above it a column that catches the pointer. */
function bar(row, { x, wide, y, onpoint }) {
  const pieces = [];
  let below = 0;
  for (const { id } of CLASSES) {
    const value = row.chargeByClassUsdMicros[id];
    if (value <= 0) continue;
    const [from, to] = [y(below), y(below + value)];
    const gap = below ? 1 : 0;
    pieces.push(svg('rect', { class: `fill ${id}`, x: x + wide * 0.16, width: wide * 0.68,
      y: to, height: Math.max(from - to - gap, 0.5) }));
    below += value;
  }
  return svg('g', { class: 'day', onpointerenter: () => onpoint(row), onpointerleave: () => onpoint(null) },
    svg('rect', { class: 'catch', x, width: wide, y: EDGE.top, height: HEIGHT - EDGE.top - EDGE.bottom }), pieces);
}

function draw(rows, width, name, onpoint) {
  const most = Math.max(...rows.map(chargesOf), 1);
  const top = Math.ceil(most / stepFor(most)) * stepFor(most);
  const y = (value) => HEIGHT - EDGE.bottom - (value / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const wide = (width - EDGE.left - EDGE.right) / rows.length;
  const every = Math.ceil(58 / wide);
  const middle = (i) => Math.min(EDGE.left + wide * (i + 0.5), width - 22); // the last word stays inside
  const label = (row, i) => (rows.length - 1 - i) % every === 0
    && svg('text', { class: 'tick', x: middle(i), y: HEIGHT - 7, 'text-anchor': 'middle' }, dayText(row.group));
  return svg('svg', { class: 'chart', role: 'img', 'aria-label': name, width, height: HEIGHT,
    viewBox: `0 0 ${width} ${HEIGHT}` }, axis(most, width, y),
  rows.map((row, i) => bar(row, { x: EDGE.left + wide * i, wide, y, onpoint })), rows.map(label));
}

/* The classes with their colours and sums: of all days, or of the one under the pointer. */
function legend(total) {
  const day = h('p', { class: 'legend-day' });
  const sums = Object.fromEntries(CLASSES.map(({ id }) => [id, h('span', { class: 'num' })]));
  const show = (row, title) => {
    day.replaceChildren(h('span', {}, title), h('strong', { class: 'num' }, usdFull(row.buyerChargeUsdMicros)));
    for (const { id } of CLASSES) sums[id].textContent = usdFull(row.chargeByClassUsdMicros[id]);
  };
  const node = h('div', { class: 'legend' }, day, h('ul', {}, CLASSES.map(({ id, title }) =>
    h('li', {}, h('span', { class: `key ${id}` }), h('span', {}, title), sums[id]))));
  const point = (row) => (row ? show(row, dayText(row.group)) : show(total, 'All days'));
  point(null);
  return { node, point };
}

/** `rows`: one for each day, oldest first, without gaps. `total`: their sum. */
export function spendChart(rows, total, signal) {
  const id = uniqueId('chart');
  const name = `Spend per day from ${dayText(rows[0].group)} to ${dayText(rows.at(-1).group)}, stacked by token class: `
    + `${usd(total.buyerChargeUsdMicros)} in all. The table has each day.`;
  const { node, point } = legend(total);
  const canvas = h('div', { class: 'canvas', id });
  const watch = new ResizeObserver(([{ contentRect }]) => {
    const width = Math.floor(contentRect.width);
    if (width > 0) canvas.replaceChildren(draw(rows, width, name, point));
  });
  watch.observe(canvas);
  signal.addEventListener('abort', () => watch.disconnect());
  return h('div', { class: 'spend' }, canvas, node);
}
