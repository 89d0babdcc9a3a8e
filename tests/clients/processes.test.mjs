// SPDX-License-Identifier: Apache-2.0
// Several processes on one store: hosts side by side, an owner that dies or ends, operators'
// commands, settings, secrets.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync }
  from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { World, chat, exited, message, order, program, until } from './harness.mjs';

const unhurried = { name: 'unhurried', reply: { text: 'One word after another. ', repeat: 25 },
  usage: { uncachedInput: 24, output: 150 }, chunks: 25, chunkDelayMs: 30 };

let world;
const opened = [];
async function fresh(settings) {
  world = await World.open(settings, [unhurried]);
  opened.push(world);
  return world;
}
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const baseUrlOf = async (mcp) =>
  (await mcp.call('service_get', { serviceId: world.serviceId })).service.router.baseUrl;

/** Two hosts launched at the same moment on a new store with an account. */
async function twoHosts() {
  await fresh();
  const made = await world.createAccount('buyer', '500.00');
  world.purchaseKey = made.purchaseKey;
  const hosts = await Promise.all([world.mcp(), world.mcp()]);
  world.serviceId = (await hosts[0].call('purchase_create', order(50, 'both'))).service.id;
  world.key = (await hosts[1].call('router_api_key_create',
    { serviceId: world.serviceId, label: 'shared' })).apiKey.secret;
  world.url = (await baseUrlOf(hosts[0])).replace('/openai/v1', '');
  const owner = hosts.find((host) => host.pid === world.ownerPid());
  assert.ok(owner, 'one of the two owns the store');
  return { hosts, owner, other: hosts.find((host) => host !== owner) };
}

describe('hosts side by side', () => {
  test('two hosts launched at once share one store and one listener', async () => {
    const { hosts } = await twoHosts();
    const urls = await Promise.all(hosts.map(baseUrlOf));
    assert.equal(urls[0], urls[1]);
    // The same purchase from both at once, many times over, and one of its own each time.
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) =>
      hosts[i % 2].call('purchase_create', order(1, `shared-${Math.floor(i / 2)}`))));
    for (let i = 0; i < 40; i += 2) assert.equal(answers[i].purchase.id, answers[i + 1].purchase.id);
    const wallets = await Promise.all(hosts.map((host) => host.call('wallet_get')));
    for (const { wallet } of wallets) assert.equal(wallet.balanceUsd, '430.00');
    const answer = await world.ask('/openai/v1/chat/completions', { body: chat('default') });
    assert.equal(answer.status, 200);
    const id = answer.headers.get('x-request-id');
    for (const host of hosts)
      assert.equal((await host.call('router_request_get', { requestId: id })).requestId, id);
  });

  test('the owner is killed: the other goes on, its pending call is answered, it listens again', async () => {
    const { owner, other } = await twoHosts();
    // Calls are under way all the time, so that one is pending when the owner dies.
    let over = false;
    let count = 0;
    const calls = (async () => {
      for (; !over; count++) await other.call('purchase_create', order(1, `through-${count}`));
    })();
    await until('calls flow', () => count > 5);
    process.kill(owner.pid, 'SIGKILL');
    const then = count;
    await until('calls flow again', () => count > then + 20);
    over = true;
    await calls;
    assert.equal(world.ownerPid(), other.pid);
    assert.equal((await world.balance()).wallet, BigInt(450 - count) * 1000000n, 'each was bought once');
    world.url = (await baseUrlOf(other)).replace('/openai/v1', '');
    const answer = await world.ask('/openai/v1/chat/completions', { body: chat('default') });
    assert.equal(answer.status, 200);
    assert.equal((await world.cliOk('ledger', 'verify')).verdict.ok, true);
    const third = await world.mcp();
    assert.equal(await baseUrlOf(third), await baseUrlOf(other));
  });

  test('a relay is killed: the owner does not notice', async () => {
    const { owner, other } = await twoHosts();
    const pending = other.call('purchase_create', order(1, 'last-words')).catch(() => {});
    process.kill(other.pid, 'SIGKILL');
    await pending;
    assert.equal((await owner.call('service_list')).services.length, 1);
    assert.equal((await owner.call('purchase_create', order(1, 'last-words'))).purchase.status, 'completed');
  });

  test("the end of the owner's input: a stream is finished, the other goes on", async () => {
    const { owner, other } = await twoHosts();
    const answer = await world.ask('/openai/v1/chat/completions', {
      body: chat('unhurried', { stream: true }) });
    const reader = answer.body.getReader();
    await reader.read();
    const closing = owner.close();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += Buffer.from(value).toString();
    }
    assert.ok(text.endsWith('data: [DONE]\n\n'), text.slice(-200));
    await closing;
    await until('the other owns the store', async () => {
      await other.call('wallet_get');
      return world.ownerPid() === other.pid;
    });
    world.url = (await baseUrlOf(other)).replace('/openai/v1', '');
    const receipt = await world.receipt(answer.headers.get('x-request-id'));
    assert.equal(receipt.evidence, 'provider');
    assert.equal(receipt.outputTokens, 150);
  });

  test('each session acts with its own key, whoever owns the store', async () => {
    await fresh();
    const a = await world.createAccount('alpha', '10.00');
    const b = await world.createAccount('beta', '20.00');
    const hosts = await Promise.all([world.mcp(a.purchaseKey), world.mcp(b.purchaseKey), world.mcp(null)]);
    assert.equal((await hosts[0].call('wallet_get')).wallet.balanceUsd, '10.00');
    assert.equal((await hosts[1].call('wallet_get')).wallet.balanceUsd, '20.00');
    await assert.rejects(hosts[2].call('wallet_get'), { code: 'unauthorized' });
  });
});

describe('the server', () => {
  test('SIGTERM during a stream: the stream is finished, the exit is clean', async () => {
    await fresh();
    const server = await world.serve();
    const mcp = await world.buy(20);
    await mcp.close();
    const bodies = [];
    const streams = await Promise.all([0, 1, 2].map(() => world.ask('/openai/v1/chat/completions',
      { body: chat('unhurried', { stream: true }) })));
    for (const stream of streams) bodies.push(stream.text());
    server.kill('SIGTERM');
    for (const body of await Promise.all(bodies)) assert.ok(body.endsWith('data: [DONE]\n\n'));
    assert.equal(await exited(server), 0);
    await assert.rejects(world.ask('/healthz'));
    assert.equal((await world.balance()).held, 0n);
    await world.serve();
    for (const stream of streams)
      assert.equal((await world.receipt(stream.headers.get('x-request-id'))).outputTokens, 150);
  });

  test("operators' commands say the same whether a server runs or not", async () => {
    await fresh();
    let server = await world.serve();
    await world.buy(20);
    await (await world.ask('/openai/v1/chat/completions', { body: chat('default') })).text();
    await (await world.ask('/claude/v1/messages', { body: message('five-classes') })).text();
    await world.noHoldLeft();
    const commands = [['account', 'list'], ['account', 'show', 'buyer'], ['key', 'list', 'buyer'],
      ['usage', 'buyer', '--by', 'model'], ['usage', 'buyer', '--by', 'day'], ['ledger', 'verify']];
    const all = () => Promise.all(commands.flatMap((words) =>
      [world.cli(...words), world.cli(...words, '--json')]));
    const running = await all();
    for (const child of world.children.filter((one) => one.host)) await child.host.close();
    server.kill('SIGTERM');
    assert.equal(await exited(server), 0);
    const stopped = [];
    for (const words of commands)
      stopped.push(await world.cli(...words), await world.cli(...words, '--json'));
    // When a key was last used is written with a delay, and at the latest when the server ends.
    const comparable = (text) => text.replace(/("lastUsedAt":)("[^"]*"|null)/g, '$1')
      .replace(/^(router_key_.*active.*)  \S+$/gm, '$1');
    for (const [i, answer] of running.entries()) {
      assert.equal(answer.code, 0, answer.stderr);
      assert.equal(comparable(answer.stdout), comparable(stopped[i].stdout), commands[i >> 1].join(' '));
    }
    const { keys } = stopped[2 * commands.findIndex(([word]) => word === 'key') + 1].json;
    assert.match(keys.find((key) => key.kind === 'router').lastUsedAt, /^20/);
    // What one of them changes, the other sees.
    await world.cliOk('wallet', 'fund', 'buyer', '7.00', '--reference', 'cold');
    await world.cliOk('key', 'revoke', world.keyId);
    server = await world.serve();
    await world.cliOk('wallet', 'fund', 'buyer', '7.00', '--reference', 'cold'); // counted once
    assert.equal((await world.balance()).wallet, 7000000n);
    assert.equal((await world.ask('/openai/v1/models')).status, 401);
    for (const [words, code] of [[['account', 'show', 'nobody'], 1], [['no-such-command'], 2],
      [['account', 'create'], 2], [['account', 'create', 'x', '--no-such-option'], 2],
      [['--help'], 0], [['--version'], 0], [['account', '--help'], 0]]) {
      const answer = await world.cli(...words);
      assert.equal(answer.code, code, `${words.join(' ')}: ${answer.stdout}${answer.stderr}`);
    }
  });

  test('a backup taken while serving can be served from', async () => {
    await fresh();
    await world.serve();
    await world.buy(20);
    let over = false;
    const load = Promise.all(Array.from({ length: 4 }, async () => {
      while (!over) await (await world.ask('/openai/v1/chat/completions', { body: chat('default') })).text();
    }));
    const file = join(world.dir, 'copy.db');
    const made = await world.cli('backup', file);
    assert.equal(made.code, 0, made.stderr);
    over = true;
    await load;
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const again = await world.cli('backup', file);
    assert.equal(again.code, 1, 'nothing is overwritten');
    const on = { AGENT_STORE_DB: file };
    const verify = await world.cliWith(on, 'ledger', 'verify', '--json');
    assert.equal(verify.code, 0, verify.stdout + verify.stderr);
    assert.equal(verify.json.verdict.ok, true);
    assert.ok(verify.json.verdict.receipts > 0);
    await world.serve(on); // and the keys of the original are good there
    assert.equal((await world.ask('/openai/v1/models')).status, 200);
    const answer = await world.ask('/openai/v1/chat/completions', { body: chat('default') });
    assert.equal(answer.status, 200);
  });

  test('a port that a stranger holds: MCP goes on and says so, a server gives up', async () => {
    await fresh();
    const stranger = net.createServer().listen(0, '127.0.0.1');
    await new Promise((done) => { stranger.once('listening', done); });
    const { port } = stranger.address();
    try {
      const taken = { AGENT_STORE_LISTEN: `127.0.0.1:${port}` };
      const made = await world.createAccount('buyer', '10.00');
      const mcp = await world.mcp(made.purchaseKey, taken);
      const { service } = await mcp.call('purchase_create', order(5, 'x'));
      const { router } = (await mcp.call('service_get', { serviceId: service.id })).service;
      assert.equal(router.baseUrl, null);
      assert.match(router.problem, new RegExp(String(port)));
      assert.match(world.logs, new RegExp(`level=error event=listen_failed .*${port}`));
      await mcp.close();
      const server = world.spawn(program, ['serve'], taken);
      assert.equal(await exited(server), 1);
      assert.match(world.logs.slice(-400), new RegExp(String(port)));
    } finally {
      stranger.close();
    }
  });

  test('settings that are wrong stop the start and say file, key and reason', async () => {
    await fresh();
    const file = join(world.dir, 'settings.json');
    const starts = async (text, args = ['config'], env = {}) => {
      if (text !== null) writeFileSync(file, text);
      return world.cliWith({ ...(text !== null ? { AGENT_STORE_CONFIG: file } : {}), ...env }, ...args);
    };
    for (const [text, args, env, patterns] of [
      ['{"LISTNE":"127.0.0.1:1"}', ['config'], {}, [/settings\.json/, /LISTNE/, /no such setting/]],
      ['{"DURABILITY":"hope"}', ['config'], {}, [/settings\.json/, /DURABILITY/, /power/, /process/]],
      ['{"LISTEN":5}', ['config'], {}, [/settings\.json/, /LISTEN/]],
      ['{"LISTEN":"127.0.0.1:1","LISTEN":"127.0.0.1:2"}', ['config'], {}, [/settings\.json/, /LISTEN/]],
      ['{', ['config'], {}, [/settings\.json/]],
      [null, ['--config', join(world.dir, 'nowhere.json'), 'config'], {}, [/nowhere\.json/, /no such file/i]],
      [null, ['--config', world.dir, 'config'], {}, [/agent-store-test/, /directory/i]],
      [null, ['config'], { AGENT_STORE_LISTEN: 'nonsense' }, [/AGENT_STORE_LISTEN/]],
      [null, ['config'], { AGENT_STORE_DURABLITY: 'power' }, [/AGENT_STORE_DURABLITY/]],
      [null, ['--listen', '1.2.3.4:99999', 'config'], {}, [/listen/]],
      [null, ['--durability'], {}, [/durability/]],
    ]) {
      const { code, stderr, stdout } = await starts(text, args, env);
      assert.equal(code, 2, `${text} ${args} ${stdout}`);
      for (const pattern of patterns) assert.match(stderr, pattern);
    }
    assert.equal((await starts('{"DURABILITY":"process"}', ['config', '--json'])).code, 0);
    if (process.getuid() !== 0) {
      chmodSync(file, 0);
      const { code, stderr } = await starts(null, ['--config', file, 'config']);
      assert.equal(code, 2);
      assert.match(stderr, /settings\.json/);
    }
  });

  test('flag over environment over file over default', async () => {
    await fresh();
    const file = join(world.dir, 'settings.json');
    writeFileSync(file, '{"LOG":"error","DURABILITY":"process","LISTEN":"127.0.0.1:1001"}');
    const env = { AGENT_STORE_CONFIG: file, AGENT_STORE_LISTEN: '127.0.0.1:1002',
      AGENT_STORE_LOG: 'debug' };
    const { json } = await world.cliWith(env, '--listen', '127.0.0.1:1003', 'config', '--json');
    const text = JSON.stringify(json);
    for (const pattern of [/127\.0\.0\.1:1003/, /debug/, /process/, /api\.moonshot\.ai/])
      assert.match(text, pattern);
    assert.doesNotMatch(text, /127\.0\.0\.1:100[12]|sim-key/);
  });
});

describe('secrets', () => {
  /** Every file of the store's folder, as bytes. */
  const files = () => readdirSync(dirname(world.db), { recursive: true })
    .map((name) => join(dirname(world.db), name))
    .filter((path) => statSync(path).isFile());

  test('no key is in a log, in the database, in an error or in a command line', async () => {
    const providerKey = 'canary-provider-key-0123456789abcdef';
    await fresh({ AGENT_STORE_LOG: 'debug', AGENT_STORE_OPENAI_API_KEY: providerKey,
      AGENT_STORE_ANTHROPIC_API_KEY: providerKey });
    const server = await world.serve();
    const mcp = await world.buy(20);
    const session = await (await world.ask('/buyer/session', { key: null,
      body: { key: world.purchaseKey } })).json();
    const rotate = () => world.ask('/buyer/rotate-api-key', { method: 'POST', key: session.item.sessionToken });
    const routeKeys = [await (await rotate()).json(), await (await rotate()).json()]
      .map((answer) => answer.item.routeApiKey);
    assert.notEqual(routeKeys[0], routeKeys[1]);
    const rotated = (await mcp.call('router_api_key_rotate', { apiKeyId: world.keyId })).apiKey.secret;
    const secrets = { purchase: world.purchaseKey, router: world.key, rotated, route1: routeKeys[0],
      route2: routeKeys[1], session: session.item.sessionToken, provider: providerKey };

    const bodies = [];
    const ask = async (path, options) => bodies.push(await (await world.ask(path, options)).text());
    const { provider, ...known } = secrets; // what a buyer may send by mistake
    for (const key of Object.values(known)) {
      for (const path of ['/openai/v1/models', '/openai/v1/requests/req_nothing', '/buyer/nothing'])
        await ask(path, { key });
      for (const name of ['default', 'error-400', 'error-401', 'error-429', 'error-500', 'cut-stream'])
        await ask('/openai/v1/chat/completions', { key, body: chat(name, { stream: name === 'cut-stream' }) });
      await ask('/claude/v1/messages', { key, body: message('error-400') });
      await ask('/openai/v1/chat/completions', { key, body: { model: 'x', messages: 'y' } });
      await ask('/buyer/rotate-api-key', { key, method: 'POST' });
      await ask('/buyer/session', { key: null, body: { key: `${key}x` } });
      await ask('/buyer/session', { key: null, body: { key, surplus: true } });
      await mcp.call('router_api_key_rotate', { apiKeyId: key }).catch((error) => bodies.push(
        JSON.stringify(error.result ?? error.message)));
      await mcp.call('service_get', { serviceId: key }).catch((error) => bodies.push(
        JSON.stringify(error.result ?? error.message)));
    }
    bodies.push((await world.cli('config')).stdout, (await world.cli('config', '--json')).stdout,
      (await world.cli('account', 'show', 'buyer')).stdout, (await world.cli('key', 'list', 'buyer')).stdout,
      JSON.stringify(await mcp.call('router_api_key_list', { serviceId: world.serviceId })));
    await world.noHoldLeft();

    // The rotate of the session made a third route key, which this test does not know.
    const haystacks = { logs: Buffer.from(world.logs), bodies: Buffer.from(bodies.join('\n')) };
    for (const path of files()) haystacks[path] = readFileSync(path);
    for (const pid of [server.pid, mcp.pid])
      haystacks[`cmdline ${pid}`] = readFileSync(`/proc/${pid}/cmdline`);
    assert.ok(Object.keys(haystacks).some((name) => name.endsWith('.db')));
    assert.ok(haystacks.logs.length > 1000);
    for (const [which, secret] of Object.entries(secrets)) {
      const hidden = which === 'provider' || !secret.includes('.') ? secret : secret.split('.')[1];
      for (const [where, bytes] of Object.entries(haystacks)) {
        assert.equal(bytes.includes(secret), false, `the ${which} key in ${where}`);
        assert.equal(bytes.includes(hidden.slice(0, 40)), false, `the secret of the ${which} key in ${where}`);
      }
    }
  });

  test('the store is for its owner only', async () => {
    await fresh();
    await world.serve();
    await world.buy(5);
    assert.equal(statSync(dirname(world.db)).mode & 0o777, 0o700);
    const all = readdirSync(dirname(world.db));
    assert.ok(all.includes('store.db') && all.some((name) => name.endsWith('.sock')), all.join());
    for (const name of all)
      assert.equal(statSync(join(dirname(world.db), name)).mode & 0o777, 0o600, name);
  });

  test('a key that was rotated or revoked is dead before the answer is sent', async () => {
    await fresh();
    await world.serve();
    const mcp = await world.buy(5);
    for (const how of ['router_api_key_rotate', 'router_api_key_revoke', 'operator']) {
      const { apiKey } = await mcp.call('router_api_key_create', { serviceId: world.serviceId, label: how });
      let dead = false;
      let afterwards = 0;
      const wrong = [];
      const lanes = Array.from({ length: 8 }, async () => {
        while (afterwards < 1000) {
          const late = dead;
          if (late) afterwards++;
          const { status, body } = await world.ask('/openai/v1/models', { key: apiKey.secret });
          await body.cancel();
          if (late ? status !== 401 : status !== 200 && status !== 401) wrong.push(status);
        }
      });
      await until('the key works', async () =>
        (await world.ask('/openai/v1/models', { key: apiKey.secret })).status === 200);
      let next = null;
      if (how === 'operator') await world.cliOk('key', 'revoke', apiKey.id);
      else next = (await mcp.call(how, { apiKeyId: apiKey.id })).apiKey;
      dead = true;
      await Promise.all(lanes);
      assert.deepEqual(wrong, [], how);
      if (next?.secret)
        assert.equal((await world.ask('/openai/v1/models', { key: next.secret })).status, 200);
    }
  });

  test('each kind of key does its own job only', async () => {
    await fresh();
    await world.serve();
    const mcp = await world.buy(5);
    const wrong = world.spawn(program, ['mcp'], { AGENT_STORE_AGENT_API_KEY: world.key });
    assert.equal(await exited(wrong), 2);
    assert.match(world.logs, /AGENT_STORE_AGENT_API_KEY: .*ask_live_/);
    assert.equal(world.logs.includes(world.key), false);
    assert.equal((await world.ask('/openai/v1/models', { key: world.purchaseKey })).status, 401);
    // A route key has no limits: a session of a router key, which may have some, gets itself none.
    const limited = await (await world.ask('/buyer/session', { key: null, body: { key: world.key } })).json();
    assert.equal((await world.ask('/buyer/rotate-api-key', { method: 'POST',
      key: limited.item.sessionToken })).status, 403);
    const session = await (await world.ask('/buyer/session', { key: null,
      body: { key: world.purchaseKey } })).json();
    assert.equal((await world.ask('/openai/v1/models', { key: session.item.sessionToken })).status, 401);
    await mcp.close();
  });
});

test('a host needs to pass nothing but its own few variables', async () => {
  await fresh();
  const home = join(world.dir, 'plain-home');
  mkdirSync(home);
  const child = world.spawn('env', ['-i', `HOME=${home}`, 'PATH=/usr/bin:/bin', 'LOGNAME=x', 'USER=x',
    'SHELL=/bin/sh', 'TERM=dumb', program, '--listen', '127.0.0.1:0'], {});
  let out = '';
  child.stdout.on('data', (piece) => { out += piece; });
  child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",'
    + '"capabilities":{},"clientInfo":{"name":"t","version":"1"}}}\n'
    + '{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
    + '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"catalog_search","arguments":{}}}\n');
  await until('the answer', () => out.includes('cat_router_credit_001'));
  child.stdin.end();
  assert.equal(await exited(child), 0);
  assert.ok(existsSync(join(home, '.local/share/agent-store/store.db')));
});
