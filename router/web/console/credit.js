// SPDX-License-Identifier: Apache-2.0
// What came in: credit bought from the wallet, and money put into the wallet.
import { amount, micros, moment, usd, usdFull } from '../assets/format.js';
import { badge, code, empty, facts, loaded, named, panel, stats, table, under } from '../assets/parts.js';
import { top } from '../assets/shell.js';

const CENT = 10000n; // micros

const PURCHASES = [
  { head: 'Purchase', cell: (row) => named(row.displayName, under(row.id)) },
  { head: 'Bought', cell: (row) => moment(row.createdAt) },
  { head: 'Service', cell: (row) => code(row.serviceId) },
  { head: 'State', cell: (row) => badge(row.status, row.status === 'completed' ? 'good' : 'warn') },
  { head: 'Price', num: true, cell: (row) => usd(BigInt(row.totalPriceMinor) * CENT) },
];

const FUNDINGS = [
  { head: 'Reference', cell: (row) => row.reference },
  { head: 'Received', cell: (row) => moment(row.createdAt) },
  { head: 'Amount', num: true, cell: (row) => usd(micros(row.amountUsd)) },
];

const SERVICES = [
  { head: 'Service', cell: (row) => named(row.displayName, under(row.id)) },
  { head: 'State', cell: (row) => badge(row.status, row.status === 'active' ? 'good' : 'quiet') },
  { head: 'Available', num: true, cell: (row) => usdFull(micros(row.availableUsd)) },
  { head: 'Held', num: true, cell: (row) => usdFull(micros(row.heldUsd)) },
  { head: 'Balance', num: true, cell: (row) => usdFull(micros(row.creditBalanceUsd)) },
];

/* A table, or why there is nothing in it. */
const listOf = (caption, columns, rows, ...none) => (rows.length ? table({ caption, columns, rows }) : empty(...none));

const limit = (value, none) => (value === null ? none : usd(micros(value)));

function draw({ me, credits }) {
  const { wallet, policy, services } = me;
  return [
    wallet && stats([
      ['Wallet', amount(micros(wallet.balanceUsd)), 'Not yet turned into credit'],
      ['Credit', amount(services.reduce((sum, one) => sum + micros(one.creditBalanceUsd), 0n)), 'Of all services'],
    ]),
    panel('Services', { hint: 'What credit is spent on' }, listOf('Services', SERVICES, services,
      'No service yet', 'The first purchase of credit makes one.')),
    panel('Credit bought', { hint: 'Newest first' }, listOf('Credit bought', PURCHASES, credits.items,
      'No credit yet', 'An agent buys credit through the store\u2019s tools, with a purchase key.')),
    wallet && panel('Wallet fundings', { hint: 'Newest first' }, listOf('Wallet fundings', FUNDINGS, credits.fundings,
      'Nothing was put into the wallet yet', 'The operator funds it.')),
    policy && panel('Rules for purchases', { hint: 'Set by the operator' }, facts([
      ['Dearest single purchase', limit(policy.maxPurchaseUsd, 'no limit')],
      ['Most in a day (UTC)', limit(policy.dailyUsd, 'no limit')],
      ['A person must agree above', limit(policy.approvalAboveUsd, 'never asked')],
    ])),
  ];
}

export function drawCredit(ctx) {
  const load = async (signal) => {
    const [me, credits] = await Promise.all([ctx.api.get('me', {}, signal), ctx.api.get('credits', {}, signal)]);
    return { me: me.item, credits };
  };
  return [top(ctx, 'What came in, and what it may be spent on'),
    loaded(load, draw, { what: 'credit', signal: ctx.signal })];
}
