// SPDX-License-Identifier: Apache-2.0
// The books' own verification: every balance added up again from its entries.
import { ask } from '../assets/dialog.js';
import { h } from '../assets/dom.js';
import { count, milliseconds, moment, usdFull } from '../assets/format.js';
import { badge, button, empty, facts, loaded, notice, panel } from '../assets/parts.js';
import { top } from '../assets/shell.js';

function draw(last) {
  if (!last)
    return panel('Last verification', {},
      empty('Not verified since the start', 'It reads the whole ledger, which takes a moment.'));
  const verdict = last.ok ? badge('everything adds up', 'good') : badge('does not add up', 'bad');
  return panel('Last verification', { actions: [verdict] },
    !last.ok && notice(last.problem ?? 'A balance differs from its entries.', { tone: 'bad' }),
    facts([
      ['Ended', moment(last.at)],
      ['Took', milliseconds(last.ms)],
      ['Asked for by', last.by],
      ['Ledger accounts', count(last.accounts)],
      ['Transactions', count(last.transactions)],
      ['Entries', count(last.entries)],
      ['Receipts', count(last.receipts)],
      !last.ok && ['Difference', usdFull(last.differenceUsdMicros)],
    ]));
}

async function verify(ctx, reload) {
  const done = await ask({ title: 'Verify the ledger now?', action: 'Verify',
    body: h('p', {}, 'Every balance is added up again from its entries, and the chain of receipts is followed. ',
      'Nothing is changed; with much in the books, other work waits for some moments.'),
    act: () => ctx.api.post('ledger/verify') });
  if (!done) return;
  ctx.say(done.item.ok ? 'Everything adds up.' : 'The ledger does not add up.');
  reload();
}

export function drawLedger(ctx) {
  const load = async (signal) => (await ctx.api.get('ledger', {}, signal)).item;
  const place = loaded(load, draw, { what: 'the last verification', signal: ctx.signal });
  return [top(ctx, 'Does every balance equal the sum of its entries?',
    button('Verify now', () => verify(ctx, () => place.reload()), { kind: 'primary', name: 'ledger' })), place];
}
