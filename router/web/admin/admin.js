// SPDX-License-Identifier: Apache-2.0
// The operator's panel: accounts and keys, upstreams, prices, errors, the books, the audit log.
import { Shell } from '../assets/shell.js';
import { drawAccount } from './account.js';
import { drawAccounts } from './accounts.js';
import { drawAudit } from './audit.js';
import { drawErrors } from './errors.js';
import { drawKeys } from './keys.js';
import { drawLedger } from './ledger.js';
import { drawModels } from './models.js';
import { drawService } from './service.js';
import { drawUpstreams } from './upstreams.js';

new Shell({
  product: 'Admin',
  base: '../admin/',
  screens: [
    { id: 'service', title: 'Service', icon: 'service', draw: drawService },
    { id: 'accounts', title: 'Accounts', icon: 'accounts', draw: drawAccounts },
    { id: 'account', title: 'Account', nav: 'accounts', draw: drawAccount },
    { id: 'keys', title: 'Keys', icon: 'keys', draw: drawKeys },
    { id: 'upstreams', title: 'Upstreams', icon: 'upstreams', draw: drawUpstreams },
    { id: 'models', title: 'Models', icon: 'models', draw: drawModels },
    { id: 'errors', title: 'Errors', icon: 'errors', draw: drawErrors },
    { id: 'ledger', title: 'Ledger', icon: 'ledger', draw: drawLedger },
    { id: 'audit', title: 'Audit log', icon: 'audit', draw: drawAudit },
  ],
  signIn: {
    title: 'Operator sign-in',
    text: 'With the admin token that the service was started with. It becomes a session in this browser '
      + 'and is not kept.',
    label: 'Admin token',
    member: 'token',
    wrong: 'This is not the admin token.',
  },
  whoami: async (api) => (await api.get('status')).item,
  name: () => 'Operator',
});
