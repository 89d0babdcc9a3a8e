// SPDX-License-Identifier: Apache-2.0
// What the black-box tests share: a provider-sim, a store in a temporary folder, the program in each
// of its modes. Everything started here is stopped by `close`, and each port is a free one.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync }
  from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const build = process.env.AGENT_STORE_TEST_BUILD ?? join(root, 'build');
export const program = join(build, 'agent-store');
const simProgram = ['tests/provider_sim/provider-sim', 'tests/provider-sim', 'provider-sim']
  .map((place) => join(build, place)).find(existsSync);
if (!existsSync(program) || !simProgram)
  throw new Error(`${build} has no agent-store or no provider-sim: build first, or set AGENT_STORE_TEST_BUILD`);
const upstreamFolder = join(root, 'fixtures/upstream');

/** The models that are built in, as their file has them. */
export const models = JSON.parse(readFileSync(join(root, 'store/data/models.json'), 'utf8'));

/* An upstream that fails is left alone for seconds, model by model. So tests that make it fail ask
 * copies of a model: the same upstream id, the same prices, a circuit breaker of their own. */
export const copies = 120;
export const copyOf = (id, i) => `${id}-copy${i}`;
export const originalOf = (id) => id.replace(/-copy\d+$/, '');

const copiedModels = ['gpt-5.4', 'claude-haiku-4-5', 'claude-sonnet-4-6', 'gemini-3.1-flash-lite',
  'kimi-k2.6'].flatMap((id) => {
  const { replacement, ...model } = models.find((one) => one.id === id);
  return Array.from({ length: copies }, (_, i) => ({ ...model, id: copyOf(id, i) }));
});
const idsOf = (provider) => [...models, ...copiedModels]
  .filter((model) => model.provider === provider && model.state !== 'retired').map((model) => model.id);
/** A configuration with copies, whose route `any` has the models of every provider. */
export const copiesConfig = { models: copiedModels, routes: [
  { alias: 'claude', models: idsOf('anthropic') },
  { alias: 'any', upstreams: ['openai', 'anthropic', 'google', 'kimi']
    .map((provider) => ({ provider, models: idsOf(provider) })) }] };

/** Every scripted scenario of the tree by its name, as its file has it. */
export const scenarios = Object.fromEntries(readdirSync(upstreamFolder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => JSON.parse(readFileSync(join(upstreamFolder, file), 'utf8')))
  .map((scenario) => [scenario.name, scenario]));

/** Waits for `pattern` in the text that `stream` brings. */
function waitFor(stream, pattern, what, ms = 15000) {
  return new Promise((done, fail) => {
    let text = '';
    const timer = setTimeout(() => fail(new Error(`${what} did not come: ${text.slice(-500)}`)), ms);
    const look = (piece) => {
      text += piece;
      const match = text.match(pattern);
      if (!match) return;
      clearTimeout(timer);
      stream.off('data', look);
      done(match);
    };
    stream.on('data', look);
    stream.on('close', () => {
      clearTimeout(timer);
      fail(new Error(`${what} did not come before the end: ${text.slice(-500)}`));
    });
  });
}

export function exited(child) {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done(child.exitCode ?? child.signalCode);
    else child.once('exit', (code, signal) => done(code ?? signal));
  });
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Tries until `check` gives something true, and gives that. */
export async function until(what, check, ms = 15000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await pause(20);
  }
}

/** Numbers below one that are the same in every run with the same seed. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid) {
  const kib = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)[1];
  return Number(kib) * 1024;
}

/** One provider-sim and one store; `settings` are added to the program's environment. */
export class World {
  constructor(settings) {
    this.dir = mkdtempSync(join(tmpdir(), 'agent-store-test-'));
    this.db = join(this.dir, 'home/store.db'); // the program makes this folder
    this.journalFile = join(this.dir, 'journal');
    this.settings = settings;
    this.children = [];
    this.logs = '';
    this.copiesUsed = {}; // of each model
  }

  /** A copy of a model that nobody else asks. */
  copy(id) {
    const used = this.copiesUsed[id] ?? 0;
    if (used === copies) throw new Error(`all copies of ${id} are used`);
    this.copiesUsed[id] = used + 1;
    return copyOf(id, used);
  }

  /** `more`: scenarios beside those of fixtures/upstream. `config`: what the config file says. */
  static async open(settings = {}, more = [], config = null) {
    const world = new World(settings);
    if (config) {
      world.configFile = join(world.dir, 'config.json');
      writeFileSync(world.configFile, JSON.stringify(config));
    }
    const scripts = join(world.dir, 'scripts');
    mkdirSync(scripts);
    for (const scenario of more)
      writeFileSync(join(scripts, `${scenario.name}.json`), JSON.stringify(scenario));
    const key = settings.AGENT_STORE_OPENAI_API_KEY ?? 'sim-key';
    const sim = world.spawn(simProgram, ['--listen', '127.0.0.1:0', '--key', key,
      '--script', upstreamFolder, '--script', scripts, '--journal', world.journalFile,
      '--journal-bodies'], {});
    const [, address] = await waitFor(sim.stdout, /listening on (\S+)/, 'provider-sim');
    world.simUrl = `http://${address}`;
    return world;
  }

  env(extra = {}) {
    return {
      HOME: this.dir,
      PATH: process.env.PATH,
      AGENT_STORE_DB: this.db,
      ...(this.configFile ? { AGENT_STORE_CONFIG: this.configFile } : {}),
      AGENT_STORE_LISTEN: '127.0.0.1:0',
      AGENT_STORE_OPENAI_API_KEY: 'sim-key',
      AGENT_STORE_OPENAI_BASE_URL: `${this.simUrl}/v1`,
      AGENT_STORE_ANTHROPIC_API_KEY: 'sim-key',
      AGENT_STORE_ANTHROPIC_BASE_URL: this.simUrl,
      AGENT_STORE_GOOGLE_API_KEY: 'sim-key',
      AGENT_STORE_GOOGLE_BASE_URL: this.simUrl,
      AGENT_STORE_KIMI_API_KEY: 'sim-key',
      AGENT_STORE_KIMI_BASE_URL: `${this.simUrl}/kimi/v1`,
      ...(this.purchaseKey ? { AGENT_STORE_AGENT_API_KEY: this.purchaseKey } : {}),
      ...this.settings,
      ...extra,
    };
  }

  spawn(file, args, extra) {
    const child = spawn(file, args, { env: this.env(extra), stdio: ['pipe', 'pipe', 'pipe'] });
    child.stderr.on('data', (piece) => { if (file !== simProgram) this.logs += piece; });
    child.stdin.on('error', () => {});
    this.children.push(child);
    return child;
  }

  /** An operator's command: resolves to { code, stdout, stderr, json }. */
  cli(...args) {
    return this.cliWith({}, ...args);
  }

  cliWith(extra, ...args) {
    return new Promise((done) => {
      const env = this.env(extra);
      if (!extra.AGENT_STORE_AGENT_API_KEY) delete env.AGENT_STORE_AGENT_API_KEY;
      execFile(program, args, { env, timeout: 60000 }, (error, stdout, stderr) => {
        let json;
        try { json = JSON.parse(stdout); } catch { /* a table */ }
        this.logs += stderr;
        done({ code: error ? error.code : 0, stdout, stderr, json });
      });
    });
  }

  async cliOk(...args) {
    const answer = await this.cli(...args, '--json');
    if (answer.code !== 0) throw new Error(`${args.join(' ')}: ${answer.stderr}${answer.stdout}`);
    return answer.json;
  }

  async createAccount(name, usd) {
    const made = await this.cliOk('account', 'create', name);
    if (usd) await this.cliOk('wallet', 'fund', name, usd, '--reference', `first-${name}`);
    return made;
  }

  /** An MCP session through the official SDK. `purchaseKey` null: none. */
  async mcp(purchaseKey = this.purchaseKey, extra = {}) {
    const env = this.env(extra);
    delete env.AGENT_STORE_AGENT_API_KEY;
    if (purchaseKey) env.AGENT_STORE_AGENT_API_KEY = purchaseKey;
    const transport = new StdioClientTransport({ command: program, args: ['mcp'], env, stderr: 'pipe' });
    const host = new Client({ name: 'test-host', version: '1' });
    transport.stderr.on('data', (piece) => { this.logs += piece; });
    await host.connect(transport);
    this.children.push({ host });
    return {
      host,
      pid: transport.pid,
      /** A tool's structured answer; an error is thrown with its code. */
      call: async (name, args = {}) => {
        const result = await host.callTool({ name, arguments: args });
        if (result.isError) {
          const { error } = result.structuredContent;
          throw Object.assign(new Error(error.message), { code: error.code, details: error, result });
        }
        return result.structuredContent;
      },
      close: () => host.close(),
    };
  }

  /** `agent-store serve`; resolves when it listens. */
  async serve(extra = {}) {
    const child = this.spawn(program, ['serve'], extra);
    const [, address] = await waitFor(child.stderr, /event=listening .*?addr=(\S+)/, 'the listener');
    this.url = `http://${address}`;
    return child;
  }

  /** The process that owns the store, as it wrote into the lock file. */
  ownerPid() {
    return Number(readFileSync(`${this.db}.lock`, 'utf8'));
  }

  /** Account, wallet, credit and router key, bought through MCP. Sets url, key and ids. */
  async buy(usd, session) {
    const made = await this.createAccount('buyer', Math.max(usd, 1).toFixed(2));
    this.purchaseKey = made.purchaseKey;
    this.accountId = made.account.id;
    const mcp = session ?? await this.mcp(this.purchaseKey);
    const { service } = await mcp.call('purchase_create', order(usd, 'credit-1'));
    this.serviceId = service.id;
    const { apiKey } = await mcp.call('router_api_key_create', { serviceId: service.id, label: 'test' });
    this.key = apiKey.secret;
    this.keyId = apiKey.id;
    this.url = apiKey.baseUrl.replace(/\/openai\/v1$/, '');
    return mcp;
  }

  ask(path, { key = this.key, method, body, headers = {}, signal } = {}) {
    return fetch(this.url + path, {
      method: method ?? (body ? 'POST' : 'GET'),
      headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
      body: body && JSON.stringify(body),
      signal,
    });
  }

  async receipt(requestId) {
    const answer = await this.ask(`/openai/v1/requests/${requestId}`);
    if (answer.status !== 200) throw new Error(`receipt ${requestId}: ${await answer.text()}`);
    return answer.json();
  }

  /** What provider-sim was asked and what it reported, in order. */
  journal() {
    if (!existsSync(this.journalFile)) return [];
    return readFileSync(this.journalFile, 'utf8').split('\n').filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  /** Credit and holds of an account, in micro-USD. */
  async balance(name = 'buyer') {
    const { account } = await this.cliOk('account', 'show', name);
    return { credit: micros(account.creditUsd), held: micros(account.heldUsd),
      wallet: micros(account.walletUsd) };
  }

  /** The balance when no hold of the account is open; a hold lives a minute at most. */
  noHoldLeft(name = 'buyer') {
    return until('no hold is open', async () => {
      const balance = await this.balance(name);
      return balance.held === 0n && balance;
    }, 60000);
  }

  async close() {
    for (const child of this.children.filter((one) => one.host))
      await child.host.close().catch(() => {});
    const processes = this.children.filter((child) => !child.host);
    for (const child of processes.reverse()) child.kill('SIGTERM');
    const late = setTimeout(() => { for (const child of processes) child.kill('SIGKILL'); }, 5000);
    await Promise.all(processes.map(exited));
    clearTimeout(late);
    rmSync(this.dir, { recursive: true, force: true });
    const crash = this.logs.match(/.*(Sanitizer|runtime error|Assertion .* failed)[^]{0,2000}/);
    if (crash) throw new Error(crash[0]);
  }
}

export const order = (usd, idempotencyKey) => ({ catalogItemId: 'cat_router_credit_001', quantity: 1,
  configuration: { creditAmountUsd: usd }, idempotencyKey });

/* ---- What is asked: the scenario stands in the last user message, with words of the test's own ---- */

export const chat = (scenario, more = {}, words = '') => ({ model: 'gpt-5.4',
  messages: [{ role: 'user', content: `[[${scenario}]] ${words}` }],
  max_completion_tokens: 500, ...more });

export const message = (scenario, more = {}, words = '') => ({ model: 'claude-haiku-4-5',
  messages: [{ role: 'user', content: `[[${scenario}]] ${words}` }], max_tokens: 500, ...more });

/* ---- Money, in exact integers ---- */

/** Micro-USD of a decimal text with up to six decimals. */
export function micros(usd) {
  const [whole, rest = ''] = usd.split('.');
  return BigInt(whole) * 1000000n + BigInt(rest.padEnd(6, '0'));
}

export const classes = ['uncachedInputTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens',
  'cacheReadTokens', 'outputTokens'];
export const countsOf = (record) => Object.fromEntries(classes.map((name) => [name, record[name]]));

/* Input, cache writes of five minutes and of an hour, cache read, output. */
const perMillion = (...row) => Object.fromEntries(classes.map((name, i) => [name, row[i]]));
/** The same without a price of its own for what is written to a cache. */
const unwritten = (input, read, output) => perMillion(input, input, input, read, output);
/** List prices in micro-USD per million tokens, written down here a second time on purpose. */
export const prices = {
  'gpt-5.4': unwritten(2500000n, 250000n, 15000000n),
  'gpt-5.4-mini': unwritten(750000n, 75000n, 4500000n),
  'gpt-5.4-nano': unwritten(200000n, 20000n, 1250000n),
  'claude-haiku-4-5': perMillion(1000000n, 1250000n, 2000000n, 100000n, 5000000n),
  'claude-sonnet-4-6': perMillion(3000000n, 3750000n, 6000000n, 300000n, 15000000n),
  'claude-opus-4-6': perMillion(5000000n, 6250000n, 10000000n, 500000n, 25000000n),
  'claude-opus-4-7': perMillion(5000000n, 6250000n, 10000000n, 500000n, 25000000n),
  'gemini-2.5-pro': unwritten(1250000n, 125000n, 10000000n), // up to 200k tokens of input
  'gemini-2.5-flash': unwritten(300000n, 30000n, 2500000n),
  'gemini-2.5-flash-lite': unwritten(100000n, 10000n, 400000n),
  'gemini-3.1-flash-lite': unwritten(250000n, 25000n, 1500000n),
  'gemini-3.5-flash-lite': unwritten(300000n, 30000n, 2500000n),
  'gemini-3.8-flash': unwritten(750000n, 75000n, 3750000n),
  'kimi-k2.6': unwritten(950000n, 160000n, 4000000n),
};

/** What a call costs, rounded up once; `price` are other unit prices than the list's. */
export function charge(record, price = prices[originalOf(record.servedBy ?? record.model)]) {
  const pico = classes.reduce((sum, name) => sum + BigInt(record[name]) * price[name], 0n);
  return (pico + 999999n) / 1000000n;
}
