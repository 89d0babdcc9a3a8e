// SPDX-License-Identifier: Apache-2.0
// The account's keys. The route key is one of its own kind: there is at most one, and rotating it
// leaves this page signed in. Router keys are made, rotated and revoked one by one.
import { ask, checkField, choiceField, field, input, numberField, showSecret } from '../assets/dialog.js';
import { h } from '../assets/dom.js';
import { ago, micros, usd } from '../assets/format.js';
import { badge, button, code, empty, facts, loaded, notice, panel } from '../assets/parts.js';
import { baseUrls, keyTable, keyText, revokeKey, rotateKey, rowAction, showNewKey } from '../assets/key_parts.js';
import { top } from '../assets/shell.js';

/* ---- The route key ---- */

const toRotate = (key) => ({ title: 'Rotate the route key?', action: 'Rotate key', danger: true,
  body: h('p', {}, code(keyText(key)), ' stops working at once: programs that use it fail until they have the new key. ',
    'You stay signed in here.') });
const toCreate = { title: 'Create the route key?', action: 'Create key',
  body: h('p', {}, 'A route key spends the credit of the whole account, on every route.') };

/* One click and this confirmation; the answer brings the new key, once. */
async function rotateRouteKey(ctx, key, reload) {
  const done = await ask({ ...(key ? toRotate(key) : toCreate), act: () => ctx.api.post('rotate-api-key') });
  if (!done) return;
  await showSecret({ title: 'Your new route key', label: 'Route key', secret: done.item.routeApiKey,
    body: h('p', {}, key && 'The old key no longer works. ', 'Copy the new key now: it is shown only once.') });
  ctx.say(key ? 'The route key was rotated.' : 'The route key was created.');
  reload();
}

function routeKey(ctx, me, reload) {
  const may = me.session.may.includes('rotate_route_key');
  const key = me.routeKey;
  const act = may && button(key ? 'Rotate' : 'Create route key', () => rotateRouteKey(ctx, key, reload),
    { kind: key ? 'primary' : '', name: key && 'refresh', describe: key ? 'Rotate route key' : null });
  return panel('Route key', { hint: 'One key for every route; spends the credit of the account', actions: [act] },
    key ? facts([
      ['Key', code(keyText(key))],
      ['Spent', usd(micros(key.spentUsd))],
      ['Made', ago(key.createdAt)],
      ['Last use', ago(key.lastUsedAt)],
      key.status !== 'active' && ['State', badge(key.status, 'warn')],
    ]) : h('p', { class: 'hint' }, 'There is none yet.'),
    h('div', { class: 'side-by-side' }, baseUrls(me)));
}

/* ---- Router keys ---- */

/* Last moment of a day in the reader's zone. */
const endOfDay = (day) => (day ? new Date(`${day}T23:59:59`).toISOString() : undefined);

function keyFields(services, models) {
  const expires = input({ type: 'date' });
  const service = h('select', {}, services.map(({ id, displayName }) =>
    h('option', { value: id }, `${displayName} (${id})`)));
  return [
    field('label', 'Label', input({ required: true, maxlength: '64' }), { hint: 'A name to know it by' }),
    field('serviceId', 'Service', service),
    numberField('spendLimitUsd', 'Spending limit in USD',
      { min: '0.01', step: '0.01', hint: 'In its whole life; empty for no limit' }),
    field('expiresAt', 'Last day', expires,
      { hint: 'Empty: until it is revoked', read: () => endOfDay(expires.value) }),
    numberField('requestsPerMinute', 'Requests a minute', { min: '1', max: '1000000' }),
    numberField('maxConcurrent', 'Requests at once', { min: '1', max: '10000' }),
    choiceField('allowedModels', 'Only some models', models.map((model) => model.id),
      'Every model, if none is chosen.'),
    checkField('lowerOutput', 'Lower the output limit to what can be paid, instead of refusing the call'),
  ];
}

async function createKey(ctx, services, reload) {
  const models = await ctx.api.get('models').catch(() => ({ items: [] }));
  const done = await ask({ title: 'Create a router key', action: 'Create key',
    fields: keyFields(services, models.items),
    body: h('p', {}, 'Programs spend the credit of its service with it, within its limits. The key is shown once.'),
    act: ({ label, serviceId, ...limits }) => ctx.api.post('keys', { label, serviceId, limits }) });
  if (!done) return;
  await showNewKey(done.item, '');
  ctx.say('The key was created.');
  reload();
}

function actionsFor(ctx, reload) {
  const after = (act) => async () => { if (await act()) reload(); };
  return (key) => (key.status === 'revoked' || key.kind === 'purchase' ? null : [
    key.kind === 'router' && key.status === 'active'
      && rowAction('Rotate', key, after(() => rotateKey(ctx.api, key))),
    rowAction('Revoke', key, after(() => revokeKey(ctx.api, key)), 'small quiet-danger')]);
}

function allKeys(ctx, { me, keys }, state, reload) {
  const may = me.session.may.includes('manage_keys');
  const services = me.services.filter((one) => one.status === 'active');
  const alive = keys.filter((key) => key.status === 'active' || key.status === 'frozen');
  const dead = keys.length - alive.length;
  const shown = state.dead ? keys : alive;
  const fold = h('label', { class: 'check' }, h('input', { type: 'checkbox', checked: state.dead,
    onchange: (event) => { state.dead = event.target.checked; state.redraw(); } }), `Show ${dead} that no longer work`);
  return panel('All keys', { hint: 'With their limits and what they spent',
    actions: [dead > 0 && fold, may && services.length > 0
      && button('Create key', () => createKey(ctx, services, reload), { kind: 'primary', name: 'keys' })] },
  !may && notice('This session may look at keys but not change them: sign in with the purchase key for that.'),
  shown.length ? keyTable('Keys', shown, may ? actionsFor(ctx, reload) : () => null)
    : empty('No keys', may ? 'Create a router key for a program, or the route key above.' : null));
}

export function drawKeys(ctx) {
  const state = { dead: false, redraw: () => list.reload() };
  const load = async (signal) => {
    const [me, keys] = await Promise.all([ctx.api.get('me', {}, signal), ctx.api.get('keys', {}, signal)]);
    return { me: me.item, keys: keys.items };
  };
  const draw = (value) => [value.me.session.kind !== 'router' && routeKey(ctx, value.me, () => list.reload()),
    allKeys(ctx, value, state, () => list.reload())];
  const list = loaded(load, draw, { what: 'keys', signal: ctx.signal });
  return [top(ctx, 'Who may spend, and how much'), list];
}
