// SPDX-License-Identifier: Apache-2.0
// The buyer's console: what an account has, what it spent and on what, and its keys.
import { Shell } from '../assets/shell.js';
import { drawCredit } from './credit.js';
import { drawKeys } from './keys.js';
import { drawOverview } from './overview.js';
import { drawReceipt } from './receipt.js';
import { drawRequests } from './requests.js';

new Shell({
  product: 'Console',
  base: '../buyer/',
  screens: [
    { id: 'overview', title: 'Overview', icon: 'overview', draw: drawOverview },
    { id: 'requests', title: 'Requests', icon: 'requests', draw: drawRequests },
    { id: 'request', title: 'Receipt', nav: 'requests', draw: drawReceipt },
    { id: 'credit', title: 'Credit', icon: 'credit', draw: drawCredit },
    { id: 'keys', title: 'Keys', icon: 'keys', draw: drawKeys },
  ],
  signIn: {
    title: 'Sign in',
    text: 'With a purchase key (ask_live_\u2026), a route key (rk_\u2026) or a router key (asr_live_\u2026). '
      + 'The key becomes a session in this browser and is not kept.',
    label: 'Key',
    member: 'key',
    wrong: 'This key is not known, or it has been revoked. Check that all of it was pasted.',
  },
  whoami: async (api) => (await api.get('me')).item,
  name: (me) => me.name,
});
