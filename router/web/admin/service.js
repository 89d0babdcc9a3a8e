// SPDX-License-Identifier: Apache-2.0
// The process, its storage and the settings in force.
import { count, duration, moment, plural } from '../assets/format.js';
import { badge, button, code, facts, loaded, notice, panel, stats } from '../assets/parts.js';
import { top } from '../assets/shell.js';

function draw(status) {
  const { config, session } = status;
  return [
    stats([
      ['State', status.storeHealthy ? badge('healthy', 'good') : badge('storage failed', 'bad'), `Version ${status.version}`],
      ['In flight', count(status.requestsInFlight), 'Requests being answered'],
      ['Up for', duration(status.uptimeMs), 'Since the last start'],
    ]),
    panel('Settings', { hint: 'Models, prices, routes, limits and provider keys' },
      config.problem && notice(`The last reload was refused, the old settings stay: ${config.problem}`, { tone: 'bad' }),
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
  const place = loaded(async (signal) => (await ctx.api.get('status', {}, signal)).item, draw, { what: 'the state of the service', signal: ctx.signal });
  return [top(ctx, 'The process, its storage and its settings', button('Refresh', () => place.reload(), { name: 'refresh' })), place];
}
