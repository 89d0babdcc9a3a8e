// SPDX-License-Identifier: Apache-2.0
// Money now, and where it went: by day and token class, by model, by key.
import { CLASSES } from '../assets/classes.js';
import { spendChart } from '../assets/chart.js';
import { h, uniqueId } from '../assets/dom.js';
import { amount, count, dayText, micros, usd, usdFull } from '../assets/format.js';
import { badge, empty, loaded, named, panel, stats, table } from '../assets/parts.js';
import { top } from '../assets/shell.js';
import { follow } from './live.js';

const DAY_MS = 86400000;
const CALM_MS = 1500; // after the last movement the sums are fetched anew
const SAY_MS = 10000; // screen readers hear of movements no more often

const sum = (services, member) => services.reduce((all, one) => all + micros(one[member]), 0n);

/* ---- Balances ---- */

function balances({ wallet, services }) {
  return stats([
    ['Available', amount(sum(services, 'availableUsd')), 'What new calls may spend'],
    ['Held', amount(sum(services, 'heldUsd')), 'Set aside for running calls'],
    ['Balance', amount(sum(services, 'creditBalanceUsd')), 'Available and held'],
    wallet && ['Wallet', amount(micros(wallet.balanceUsd)), 'Not yet turned into credit'],
  ]);
}

function liveBalances(ctx, onmove) {
  const place = h('div', { id: 'balances' }, balances(ctx.me));
  const state = badge('connecting');
  let timer = 0;
  let said = Date.now();
  let last = JSON.stringify(ctx.me.services.map((one) => one.creditBalanceUsd));
  ctx.signal.addEventListener('abort', () => clearTimeout(timer));
  follow(ctx, {
    onstate: (live) => {
      state.className = `badge dot ${live ? 'good' : 'warn'}`;
      state.textContent = live ? 'live' : 'reconnecting';
    },
    onbalance: (event) => {
      place.replaceChildren(balances(event));
      const now = JSON.stringify(event.services.map((one) => one.creditBalanceUsd));
      if (now === last) return;
      last = now;
      clearTimeout(timer);
      timer = setTimeout(onmove, CALM_MS);
      if (Date.now() - said < SAY_MS) return;
      said = Date.now();
      ctx.say(`Available: ${usd(sum(event.services, 'availableUsd'))}`);
    },
  });
  return { place, state };
}

/* ---- Days ---- */

const nothing = { requests: 0, buyerChargeUsdMicros: 0, ...Object.fromEntries(CLASSES.map((one) => [one.tokens, 0])),
  chargeByClassUsdMicros: Object.fromEntries(CLASSES.map((one) => [one.id, 0])) };

/* The first moment of the UTC day `days` - 1 days ago. */
const firstDay = (days) => new Date(Math.floor(Date.now() / DAY_MS - days + 1) * DAY_MS);

/* One row for each day, with the days on which nothing was asked. */
function everyDay(items, days) {
  const known = new Map(items.map((row) => [row.group, row]));
  const first = firstDay(days).getTime();
  return Array.from({ length: days }, (_, i) => {
    const group = new Date(first + i * DAY_MS).toISOString().slice(0, 10);
    return known.get(group) ?? { ...nothing, group };
  });
}

function spend(ctx, { items, total }, days) {
  if (total.requests === 0)
    return empty('Nothing was spent in this time',
      'Calls with a router or route key show up here as soon as they end.');
  const columns = [
    { head: 'Day (UTC)', cell: (row) => dayText(row.group) },
    { head: 'Requests', num: true, cell: (row) => count(row.requests) },
    ...CLASSES.map(({ id, title }) =>
      ({ head: title, num: true, cell: (row) => usdFull(row.chargeByClassUsdMicros[id]) })),
    { head: 'Charge', num: true, cell: (row) => usdFull(row.buyerChargeUsdMicros) },
  ];
  const foot = ['All days', ...columns.slice(1).map((column) => column.cell(total))];
  return [spendChart(everyDay(items, days), total, ctx.signal),
    h('details', { class: 'as-table' }, h('summary', {}, 'Show as a table'),
      table({ caption: 'Spend per day by token class', columns, rows: [...items].reverse(), foot }),
      h('p', { class: 'hint' }, 'Each class is rounded by itself, so the classes of a day may differ from its charge ',
        'by some millionths of a dollar.'))];
}

/* ---- Models and keys ---- */

function breakdown(what, { items, total }) {
  if (items.length === 0) return empty('No calls in this time');
  const rows = [...items].sort((a, b) => b.buyerChargeUsdMicros - a.buyerChargeUsdMicros);
  const max = Math.max(total.buyerChargeUsdMicros, 1);
  const share = (row) => h('meter', { min: 0, max, value: row.buyerChargeUsdMicros, 'aria-label': 'Share of the charge' });
  const columns = [
    { head: what, cell: (row) => named(row.label, share(row)) },
    { head: 'Requests', num: true, cell: (row) => count(row.requests) },
    { head: 'Input', num: true, cell: (row) => count(row.uncachedInputTokens) },
    { head: 'Cache write', num: true, cell: (row) => count(row.cacheWrite5mTokens + row.cacheWrite1hTokens) },
    { head: 'Cache read', num: true, cell: (row) => count(row.cacheReadTokens) },
    { head: 'Output', num: true, cell: (row) => count(row.outputTokens) },
    { head: 'Charge', num: true, cell: (row) => usdFull(row.buyerChargeUsdMicros) },
  ];
  const foot = ['All', ...columns.slice(1).map((column) => column.cell(total))];
  return table({ caption: `Tokens and charge by ${what.toLowerCase()}`, columns, rows,
    foot: rows.length > 1 ? foot : null });
}

/* ---- The screen ---- */

export function drawOverview(ctx) {
  const id = uniqueId('range');
  const range = h('select', { id, onchange: () => reload() },
    [7, 30, 90].map((days) => h('option', { value: days, selected: days === 30 }, `Last ${days} days`)));
  const days = () => Number(range.value);
  const usage = (by) => (signal) => ctx.api.get('usage', { by, from: firstDay(days()).toISOString() }, signal);
  const place = (by, what, draw) => loaded(usage(by), draw, { what, signal: ctx.signal });
  const parts = [
    place('day', 'spend per day', (answer) => spend(ctx, answer, days())),
    place('model', 'spend per model', (answer) => breakdown('Model', answer)),
    place('key', 'spend per key', (answer) => breakdown('Key', answer)),
  ];
  const reload = () => parts.forEach((part) => part.reload());
  const { place: money, state } = liveBalances(ctx, reload);
  return [top(ctx, `Account ${ctx.me.name}`, state),
    h('section', { 'aria-label': 'Balance' }, money),
    panel('Spend per day', { hint: 'Finished calls, by token class',
      actions: [h('label', { for: id, class: 'hidden' }, 'Time'), range] }, parts[0]),
    panel('By model', { hint: 'Tokens and charge' }, parts[1]),
    panel('By key', { hint: 'Tokens and charge' }, parts[2])];
}
