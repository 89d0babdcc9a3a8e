// SPDX-License-Identifier: Apache-2.0
// The process, its storage and the settings in force.
import { count, duration, moment, plural } from '../assets/format.js';
import { badge, code, facts, loaded, notice, panel, refresh, stats } from '../assets/parts.js';
import { top } from '../assets/shell.js';

function draw(status) {
  const { config, session } = status;
  const state = status.storeHealthy ? badge('healthy', 'good') : badge('storage failed', 'bad');
  return [
    stats([
      ['State', state, `Version ${status.version}`],
      ['In flight', count(status.requestsInFlight), 'Requests being answered'],
      ['Up for', duration(status.uptimeMs), 'Since the last start'],
    ]),
    panel('Settings', { hint: 'Models, prices, routes, limits and provider keys' },
      config.problem
        && notice(`The last reload was refused, the old settings stay: ${config.problem}`, { tone: 'bad' }),
      facts([
        ['In force since', moment(config.loadedAt)],
        ['Reloads since the start', count(config.reloads)],
        ['Base URL', code(status.baseUrl)],
      ])),
    panel('Storage', { hint: 'One thread writes, and commits together what has queued up' }, facts([
      ['Commits', count(status.commits)],
      ['Jobs', count(status.jobs)],
      ['Largest batch', plural(status.largestBatch, 'job')],
      ['Started', moment(status.startedAt)],
    ])),
    panel('This session', {}, facts([
      ['Signed in by', session.kind === 'token' ? 'the admin token itself' : 'a session'],
      ['Ends', moment(session.expiresAt, 'with the token')],
    ])),
  ];
}

export function drawService(ctx) {
  const load = async (signal) => (await ctx.api.get('status', {}, signal)).item;
  const place = loaded(load, draw, { what: 'the state of the service', signal: ctx.signal });
  return [top(ctx, 'The process, its storage and its settings', refresh(() => place.reload())), place];
}
