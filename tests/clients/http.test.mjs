// SPDX-License-Identifier: Apache-2.0
// Raw sockets against the real listener: framing faults, limits, slow readers, pipelining, hang-ups.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { World, chat, residentBytes, until } from './harness.mjs';

const megabytes = 48;
/* Much more than any buffer between: what is not read must wait at the provider. */
const flood = { name: 'flood', chunks: 2000, usage: { uncachedInput: 10, output: 400 },
  reply: { text: 'x'.repeat(1024), repeat: megabytes * 1024 } };

let world;
let server;
let host;
before(async () => {
  world = await World.open({}, [flood]);
  server = await world.serve();
  await world.buy(100);
  host = new URL(world.url).host;
});
after(() => world?.close());

function open() {
  const [address, port] = host.split(':');
  const socket = net.connect(Number(port), address);
  socket.on('error', () => {});
  socket.received = Buffer.alloc(0);
  socket.on('data', (piece) => { socket.received = Buffer.concat([socket.received, piece]); });
  return socket;
}

/** Sends the bytes and gives all that comes until the server closes. */
function exchange(bytes) {
  const socket = open();
  socket.write(bytes);
  return new Promise((done, fail) => {
    socket.setTimeout(5000, () => {
      fail(new Error(`not closed after: ${socket.received.toString('latin1', 0, 300)}`));
      socket.destroy();
    });
    socket.on('close', () => done(socket.received.toString('latin1')));
  });
}

const line = (method, path, version = 'HTTP/1.1') => `${method} ${path} ${version}\r\n`;
const post = (fields, body = '') => `${line('POST', '/openai/v1/chat/completions')}Host: ${host}\r\n`
  + `Authorization: Bearer ${world.key}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${body}`;
const get = (path, fields = []) => `${line('GET', path)}Host: ${host}\r\n`
  + `${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
const statusOf = (text) => Number(text.slice(9, 12));

describe('what is refused, with a closed connection', () => {
  const faults = {
    'both ways of framing': [400, () => post(['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n')],
    'two lengths': [400, () => post(['Content-Length: 2', 'Content-Length: 2'], '{}')],
    'a list of lengths': [400, () => post(['Content-Length: 2, 2'], '{}')],
    'a signed length': [400, () => post(['Content-Length: +2'], '{}')],
    'a hexadecimal length': [400, () => post(['Content-Length: 0x2'], '{}')],
    'a length beyond all numbers': [400, () => post(['Content-Length: 99999999999999999999'])],
    'two codings': [501, () => post(['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n')],
    'an unknown coding': [501, () => post(['Transfer-Encoding: xchunked'], '0\r\n\r\n')],
    'two coding fields': [400, () => post(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'])],
    'a chunk size that is none': [400, () => post(['Transfer-Encoding: chunked'], 'zz\r\n')],
    'a chunk extension': [400, () => post(['Transfer-Encoding: chunked'], '2;a=b\r\n{}\r\n0\r\n\r\n')],
    'a chunk longer than it says': [400, () => post(['Transfer-Encoding: chunked'], '1\r\n{}\r\n0\r\n\r\n')],
    'trailer fields': [400, () => post(['Transfer-Encoding: chunked'], '2\r\n{}\r\n0\r\nX: y\r\n\r\n')],
    'a folded field': [400, () => post(['X-A: b', ' c', 'Content-Length: 2'], '{}')],
    'a space before the colon': [400, () => post(['Content-Length : 2'], '{}')],
    'a bare LF': [400, () => `GET /healthz HTTP/1.1\nHost: ${host}\n\n`],
    'a bare CR in a value': [400, () => get('/healthz', ['X-A: b\rContent-Length: 5'])],
    'a NUL in a value': [400, () => get('/healthz', ['X-A: b\0c'])],
    'no Host': [400, () => `${line('GET', '/healthz')}\r\n`],
    'two Hosts': [400, () => get('/healthz', [`Host: ${host}`])],
    'a target that is a URL': [400, () => `${line('GET', 'http://evil/healthz')}Host: ${host}\r\n\r\n`],
    'a space in the target': [400, () => `${line('GET', '/health z')}Host: ${host}\r\n\r\n`],
    'another version': [505, () => `${line('GET', '/healthz', 'HTTP/2.0')}Host: ${host}\r\n\r\n`],
    'the preface of HTTP/2': [505, () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    'a long line': [431, () => get('/healthz', [`X-A: ${'a'.repeat(9000)}`])],
    'a large head': [431, () => get('/healthz',
      Array.from({ length: 5 }, (_, i) => `X-${i}: ${'a'.repeat(4000)}`))],
    'many fields': [431, () => get('/healthz', Array.from({ length: 120 }, (_, i) => `X-${i}: a`))],
    'a large body, before it is sent': [413, () => post([`Content-Length: ${(32 << 20) + 1}`])],
    'a packed body': [415, () => post(['Content-Encoding: gzip', 'Content-Length: 2'], '{}')],
    'an unknown expectation': [417, () => post(['Expect: the-unexpected', 'Content-Length: 2'], '{}')],
  };
  for (const [name, [status, bytes]] of Object.entries(faults))
    test(`${name}: ${status}`, async () => {
      const text = await exchange(bytes());
      // The preface of HTTP/2 has no path: either answer is right.
      const allowed = name === 'the preface of HTTP/2' ? [400, 505] : [status];
      assert.ok(allowed.includes(statusOf(text)), text);
      assert.equal(text.match(/HTTP\/1\.1 \d{3} /g).length, 1, 'one answer, and none to what was hidden');
    });

  test('a chunked body that grows beyond the limit: 413', async () => {
    const socket = open();
    socket.write(post(['Transfer-Encoding: chunked']));
    const piece = `100000\r\n${' '.repeat(1 << 20)}\r\n`;
    for (let sent = 0; sent < 34 && !socket.closed && socket.received.length === 0; sent++)
      await new Promise((done) => { socket.write(piece, done); });
    await until('an answer', () => socket.received.length > 0);
    assert.equal(statusOf(socket.received.toString('latin1')), 413);
    socket.destroy();
  });

  test('nothing that was refused reached the provider or cost anything', async () => {
    assert.equal(world.journal().length, 0);
    assert.equal((await world.balance()).credit, 100000000n);
  });
});

describe('who may ask', () => {
  const head = async (fields) => {
    const socket = open();
    socket.write(`${line('GET', '/openai/v1/models')}Authorization: Bearer ${world.key}\r\n`
      + `${fields.map((field) => `${field}\r\n`).join('')}\r\n`);
    await until('an answer', () => socket.received.includes('\r\n\r\n'));
    socket.destroy();
    return socket.received.toString('latin1');
  };

  test('a foreign Host or Origin is refused, and no answer invites one', async () => {
    const port = host.split(':')[1];
    assert.equal(statusOf(await head([`Host: ${host}`])), 200);
    assert.equal(statusOf(await head([`Host: localhost:${port}`])), 200);
    assert.equal(statusOf(await head([`Host: rebound.example:${port}`])), 403);
    assert.equal(statusOf(await head([`Host: rebound.example`])), 403);
    assert.equal(statusOf(await head([`Host: ${host}`, 'Origin: https://evil.example'])), 403);
    assert.equal(statusOf(await head([`Host: ${host}`, 'Origin: null'])), 403);
    assert.doesNotMatch(await head([`Host: ${host}`]), /access-control/i);
  });

  test('every route asks for its key, and unknown paths and methods are told apart', async () => {
    const status = async (path, options) => (await world.ask(path, options)).status;
    assert.equal(await status('/healthz', { key: null }), 200);
    for (const path of ['/openai/v1/models', '/openai/v1/models/gpt-5.4', '/openai/v1/requests/req_x'])
      assert.equal(await status(path, { key: null }), 401, path);
    for (const path of ['/openai/v1/chat/completions', '/claude/v1/messages']) {
      assert.equal(await status(path, { key: null, body: {} }), 401, path);
      assert.equal(await status(path, { key: world.purchaseKey, body: {} }), 401, path);
      assert.equal(await status(path, { method: 'GET' }), 405, path);
    }
    assert.equal(await status('/openai/v1/nothing'), 404);
    assert.equal(await status('/unknown-alias/v1/messages', { body: {} }), 404);
    assert.equal(await status(`/openai/v1/models?key=${world.key}`, { key: null }), 401);
  });

  test('a body that is not strict JSON is a 400', async () => {
    const ask = async (bytes) => {
      const answer = await fetch(`${world.url}/openai/v1/chat/completions`, { method: 'POST',
        headers: { authorization: `Bearer ${world.key}` }, body: bytes });
      const { error } = await answer.json();
      assert.equal(error.type, 'invalid_request_error');
      return answer.status;
    };
    const whole = JSON.stringify(chat('default'));
    for (const bytes of ['', '{}', '[]', '{"model":"gpt-5.4","model":"gpt-5.4-mini","messages":[]}',
      whole.slice(0, -1), `${whole}x`, whole.replace('500', '0500'), whole.replace('500', '5e'),
      whole.replace('[[', '\n[['), whole.replace('500', 'NaN'), `\ufeff${whole}`,
      Buffer.concat([Buffer.from(whole.slice(0, 60)), Buffer.from([0xff]), Buffer.from(whole.slice(60))])])
      assert.equal(await ask(bytes), 400, String(bytes).slice(0, 80));
    assert.equal(await ask(`{"model":"gpt-5.4","messages":${'['.repeat(80)}${']'.repeat(80)}}`), 413);
    assert.equal(world.journal().length, 0);
  });
});

describe('connections', () => {
  test('pipelined requests are answered in order', async () => {
    const body = JSON.stringify(chat('slow-head'));
    const text = await exchange(get('/healthz')
      + post([`Content-Length: ${body.length}`], body)
      + get('/openai/v1/models', [`Authorization: Bearer ${world.key}`])
      + get('/healthz', ['Connection: close']));
    const marks = ['"status":"ok"', '"chat.completion"', '"object":"list"'].map((mark) => text.indexOf(mark));
    assert.ok(marks.every((at) => at > 0), text);
    assert.deepEqual([...marks].sort((a, b) => a - b), marks);
    assert.equal(text.split('HTTP/1.1 200 OK').length, 5);
  });

  test('a body byte by byte, chunked, with 100-continue', async () => {
    const socket = open();
    socket.setNoDelay(true);
    socket.write(post(['Transfer-Encoding: chunked', 'Expect: 100-continue', 'Connection: close']));
    await until('100', () => socket.received.toString().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
    for (const char of JSON.stringify(chat('default')))
      await new Promise((done) => { socket.write(`1\r\n${char}\r\n`, done); });
    socket.write('0\r\n\r\n');
    await until('the answer', () => socket.received.includes('Deployment is healthy'));
    socket.destroy();
  });

  test('clients that leave at any moment harm nobody', async () => {
    const body = JSON.stringify(chat('default', { stream: true }));
    const bytes = post([`Content-Length: ${body.length}`], body);
    for (let cut = 1; cut < bytes.length; cut += 23) {
      const socket = open();
      await new Promise((done) => { socket.write(bytes.slice(0, cut), done); });
      if (cut % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    await world.noHoldLeft();
    const health = await (await world.ask('/healthz', { key: null })).json();
    assert.equal(health.status, 'ok');
    await until('no call runs', async () =>
      (await (await world.ask('/healthz', { key: null })).json()).requestsInFlight === 0);
  });

  test('a reader that takes nothing costs no memory, and loses nothing', async () => {
    const body = JSON.stringify(chat('flood', { stream: true }));
    const base = residentBytes(server.pid);
    const socket = open();
    socket.removeAllListeners('data');
    let bytes = 0;
    let tail = '';
    socket.on('data', (piece) => {
      bytes += piece.length;
      tail = (tail + piece.toString('latin1')).slice(-200);
      if (bytes < 100000) socket.pause();
    });
    socket.write(post([`Content-Length: ${body.length}`, 'Connection: close'], body));
    await until('the first bytes', () => bytes > 0);
    let most = 0;
    for (const end = Date.now() + 1500; Date.now() < end;) {
      most = Math.max(most, residentBytes(server.pid) - base);
      await new Promise((tick) => setTimeout(tick, 25));
    }
    assert.ok(most < megabytes / 3 * 2 ** 20, `${most} bytes more while nothing was read`);
    const health = await world.ask('/healthz', { key: null });
    assert.equal(health.status, 200, 'others are served meanwhile');
    const closed = new Promise((done) => { socket.on('close', done); });
    const drain = setInterval(() => socket.resume(), 5);
    await closed;
    clearInterval(drain);
    assert.ok(bytes > megabytes << 20, `${bytes} bytes came`);
    assert.ok(tail.endsWith('data: [DONE]\n\n\r\n0\r\n\r\n'), tail);
    await world.noHoldLeft();
  });
});
