// SPDX-License-Identifier: Apache-2.0
// One account: its money, the rules for its purchases, its keys. Each change says in its question
// what will be different afterwards.
import { pathOf } from '../assets/api.js';
import { ask, field, input, numberField } from '../assets/dialog.js';
import { h } from '../assets/dom.js';
import { amount, micros, moment, usd, usdFull } from '../assets/format.js';
import { badge, button, code, empty, facts, loaded, named, notice, panel, stats, table, under } from '../assets/parts.js';
import { keyTable } from '../assets/key_parts.js';
import { top } from '../assets/shell.js';
import { stateOf } from './accounts.js';
import { keyActions } from './keys.js';

/* ---- Changes ---- */

const given = (value) => Number.isFinite(value) && value > 0;

/* A number of the form as micros: it has at most two decimals, so rounding only mends its binary. */
const microsOf = (value) => BigInt(Math.round(value * 100)) * 10000n;

function fund(ctx, account) {
  const wallet = micros(account.walletUsd);
  return ask({ title: `Fund ${account.name}`, action: 'Add to wallet',
    body: h('p', {}, 'Adds money to the wallet, as an entry of the ledger that cannot be removed. ',
      'The same reference again adds nothing.'),
    fields: [
      numberField('amountUsd', 'Amount in USD', { min: '0.01', max: '1000000', step: '0.01', required: true }),
      field('reference', 'Reference', input({ required: true, maxlength: '128' }),
        { hint: 'An invoice, a payment: what it is for' }),
    ],
    preview: ({ amountUsd }) => (given(amountUsd)
      ? `The wallet goes from ${usd(wallet)} to ${usd(wallet + microsOf(amountUsd))}.`
      : `The wallet holds ${usd(wallet)}.`),
    act: (values) => ctx.api.post(pathOf('accounts', account.id, 'fund'), values) });
}

/* Members of a policy, what they mean, and what their absence means. */
const RULES = [
  ['maxPurchaseUsd', 'Dearest single purchase', 'no limit'],
  ['dailyUsd', 'Most in a UTC day', 'no limit'],
  ['approvalAboveUsd', 'A person must agree above', 'never'],
];

function ruleField([member, label], policy) {
  const value = policy[member] === null ? null : Number(policy[member]);
  return numberField(member, `${label}, in USD`, { min: '0', step: '0.01', value });
}

const rulesText = (values) => RULES.map(([member, label, none]) =>
  `${label}: ${Number.isFinite(values[member]) ? usd(microsOf(values[member])) : none}.`).join(' ');

function changePolicy(ctx, account) {
  return ask({ title: `Rules for purchases of ${account.name}`, action: 'Set these rules',
    body: h('p', {}, 'They hold from the next purchase on and take the place of those there are. ',
      'Empty means no such rule.'),
    fields: RULES.map((rule) => ruleField(rule, account.policy)),
    preview: rulesText,
    act: (values) => ctx.api.put(pathOf('accounts', account.id, 'policy'), values) });
}

const freeze = (ctx, account) => ask({ title: `Freeze ${account.name}?`, action: 'Freeze account', danger: true,
  body: h('p', {}, 'All its keys stop working at once, its sessions end and its purchases are refused. ',
    'Calls that are running finish and are charged. This can be taken back.'),
  act: () => ctx.api.post(pathOf('accounts', account.id, 'freeze')) });

const unfreeze = (ctx, account) => ask({ title: `Unfreeze ${account.name}?`, action: 'Unfreeze account',
  body: h('p', {}, 'Its keys work again at once and it can buy again. Sessions that ended stay ended.'),
  act: () => ctx.api.post(pathOf('accounts', account.id, 'unfreeze')) });

/* ---- The screen ---- */

const SERVICES = [
  { head: 'Service', cell: (row) => named(row.displayName, under(row.id)) },
  { head: 'State', cell: (row) => badge(row.status, row.status === 'active' ? 'good' : 'quiet') },
  { head: 'Available', num: true, cell: (row) => usdFull(micros(row.availableUsd)) },
  { head: 'Held', num: true, cell: (row) => usdFull(micros(row.heldUsd)) },
  { head: 'Balance', num: true, cell: (row) => usdFull(micros(row.creditBalanceUsd)) },
];
const FUNDINGS = [
  { head: 'Reference', cell: (row) => row.reference },
  { head: 'Received', cell: (row) => moment(row.createdAt) },
  { head: 'Amount', num: true, cell: (row) => usd(micros(row.amountUsd)) },
];

/* A table, or that there is nothing to put into it. */
const listOf = (caption, columns, rows, none) => (rows.length ? table({ caption, columns, rows }) : none);

function aboutAccount(account, change) {
  const switchOff = button('Freeze', change(freeze, 'The account is frozen.'), { kind: 'quiet-danger' });
  const switchOn = button('Unfreeze', change(unfreeze, 'The account works again.'));
  const actions = [button('Fund', change(fund, 'The wallet was funded.'), { kind: 'primary', name: 'credit' }),
    account.status === 'frozen' ? switchOn : switchOff];
  return panel(account.name, { actions }, facts([
    ['Id', code(account.id)],
    ['State', stateOf(account)],
    ['Since', moment(account.createdAt)],
    ['Changes', h('a', { href: `#/${pathOf('audit', account.id)}` }, 'In the audit log')]]));
}

function rules(account, change) {
  const edit = button('Change', change(changePolicy, 'The rules were set.'), { describe: 'Change the rules' });
  return panel('Rules for purchases', { actions: [edit] }, facts(RULES.map(([member, label, none]) =>
    [label, account.policy[member] === null ? none : usd(micros(account.policy[member]))])));
}

function draw(ctx, account, reload) {
  const change = (act, said) => async () => {
    if (!await act(ctx, account)) return;
    ctx.say(said);
    reload();
  };
  return [
    account.status === 'frozen' && notice(['Frozen since ', moment(account.frozenAt),
      ': its keys do not work and it cannot buy.'], { tone: 'warn' }),
    stats([
      ['Wallet', amount(micros(account.walletUsd)), 'Not yet turned into credit'],
      ['Credit', amount(micros(account.creditUsd)), 'Of all services, held included'],
      ['Held', amount(micros(account.heldUsd)), 'Set aside for running calls'],
    ]),
    aboutAccount(account, change),
    rules(account, change),
    panel('Services', {}, listOf('Services', SERVICES, account.services,
      empty('None yet', 'The first purchase of credit makes one.'))),
    panel('Keys', {}, account.keys.length ? keyTable('Keys', account.keys, keyActions(ctx, reload)) : empty('No keys')),
    panel('Fundings', { hint: 'Newest first' }, listOf('Fundings', FUNDINGS, account.fundings,
      empty('Nothing was put into the wallet yet'))),
  ];
}

export function drawAccount(ctx, [id = '']) {
  const place = loaded(async (signal) => (await ctx.api.get(pathOf('accounts', id), {}, signal)).item,
    (account) => draw(ctx, account, () => place.reload()), { what: 'the account', signal: ctx.signal });
  return [h('p', { class: 'crumbs' }, h('a', { href: '#/accounts' }, 'Accounts')), top(ctx, h('code', {}, id)), place];
}
