// SPDX-License-Identifier: Apache-2.0
// A stdio MCP server behind Streamable HTTP on loopback, because the official conformance suite
// speaks nothing else. What HTTP asks of a server (Host and Origin, headers that repeat the body,
// status codes, sessions) is done here; every JSON-RPC message is the server's own.
//   initialize era: one process for each Mcp-Session-Id
//   2026-07-28:     one process for all; ids are replaced, since callers may use the same ones
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { createInterface } from 'node:readline';

const meta = (name) => `io.modelcontextprotocol/${name}`;
const VERSION = meta('protocolVersion');
const CAPABILITIES = meta('clientCapabilities');
const SUBSCRIPTION = meta('subscriptionId');
const isResponse = (message) => message.method === undefined;

/** An HTTP answer: plain JSON if the first message ends it, else a stream of events. */
class Answer {
  constructor(res, { id, token, listens, badMeta, session } = {}) {
    Object.assign(this, { res, id, token, listens, badMeta });
    this.headers = session ? { 'mcp-session-id': session } : {};
  }

  event(message) {
    if (!this.res.headersSent)
      this.res.writeHead(200, { 'content-type': 'text/event-stream', ...this.headers });
    this.res.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  }

  end(message) {
    if (this.res.headersSent) {
      this.event(message);
      this.res.end();
      return;
    }
    this.res.writeHead(this.status(message.error?.code), { 'content-type': 'application/json', ...this.headers });
    this.res.end(JSON.stringify(message));
  }

  status(code) {
    if (this.headers['mcp-session-id'] || code === undefined) return 200;
    if (code === -32601) return 404;
    return this.badMeta || [-32020, -32021, -32022, -32700, -32600].includes(code) ? 400 : 200;
  }
}

/** One process of the server; `complaints` collects what no server may do. */
class Pipe {
  constructor(command, env, complaints) {
    this.waiting = new Map(); // id on the pipe -> Answer
    this.child = spawn(command[0], command.slice(1), { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdin.on('error', () => {});
    this.gone = new Promise((done) => this.child.once('exit', done));
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      let message;
      try { message = JSON.parse(line); } catch { complaints.push(`not JSON: ${line.slice(0, 200)}`); return; }
      if (isResponse(message)) this.onResponse(message);
      else this.onOther(message, complaints);
    });
  }

  say(message) { this.child.stdin.write(`${JSON.stringify(message)}\n`); }

  byToken(message) {
    const token = message.params?.progressToken;
    return [...this.waiting.values()].find((answer) => answer.token !== undefined && answer.token === token);
  }

  latest() { return [...this.waiting.values()].filter((answer) => !answer.listens).at(-1); }

  onResponse(message) {
    const answer = this.waiting.get(message.id);
    if (!answer) return;
    this.waiting.delete(message.id);
    if (message.result?._meta?.[SUBSCRIPTION] !== undefined) message.result._meta[SUBSCRIPTION] = answer.id;
    answer.end({ ...message, id: answer.id });
  }

  async close() {
    this.child.stdin.end();
    const late = setTimeout(() => this.child.kill('SIGKILL'), 3000);
    await this.gone;
    clearTimeout(late);
  }
}

class LegacyPipe extends Pipe {
  unsent = [];

  onOther(message) {
    const answer = this.byToken(message) ?? this.latest();
    if (answer) answer.event(message);
    else if (this.stream) this.stream.event(message);
    else this.unsent.push(message);
  }

  /** The GET stream of a session. */
  attach(res) {
    this.stream = new Answer(res);
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.flushHeaders();
    for (const message of this.unsent.splice(0)) this.stream.event(message);
    res.on('close', () => { this.stream = undefined; });
  }
}

class ModernPipe extends Pipe {
  lastId = 0;

  onOther(message, complaints) {
    if (message.id !== undefined) {
      complaints.push(`a request of the server in the era without sessions: ${message.method}`);
      return;
    }
    const tag = message.params?._meta?.[SUBSCRIPTION];
    const answer = tag === undefined ? this.byToken(message) ?? this.latest() : this.waiting.get(tag);
    if (tag !== undefined && answer) message.params._meta[SUBSCRIPTION] = answer.id;
    answer?.event(message);
  }

  ask(message, answer) {
    const id = ++this.lastId;
    this.waiting.set(id, answer);
    answer.res.on('close', () => {
      if (this.waiting.delete(id))
        this.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } });
    });
    this.say({ ...message, id });
  }
}

function refuse(res, status, code, message, id) {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify({ jsonrpc: '2.0', ...(id === undefined ? {} : { id }), error: { code, message } }));
}

const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

function isLocal({ host = '', origin }) {
  if (!LOCAL.has(host.replace(/:\d+$/, ''))) return false;
  if (!origin) return true;
  try { return LOCAL.has(new URL(origin).hostname); } catch { return false; }
}

/** What the headers say otherwise than the body; undefined if nothing. */
function mismatch(headers, message) {
  const version = headers['mcp-protocol-version'];
  const said = message.params?._meta?.[VERSION];
  if (!version || (said !== undefined && said !== version)) return 'MCP-Protocol-Version';
  if (headers['mcp-method'] !== message.method) return 'Mcp-Method';
  const named = ['tools/call', 'prompts/get', 'resources/read'].includes(message.method);
  return named && headers['mcp-name'] !== (message.params?.name ?? message.params?.uri) ? 'Mcp-Name' : undefined;
}

function isModern(headers, message) {
  const claims = message.params?._meta;
  if (claims && (VERSION in claims || CAPABILITIES in claims)) return true;
  if (headers['mcp-protocol-version'] >= '2026') return true;
  return !headers['mcp-session-id'] && message.method !== 'initialize';
}

async function bodyOf(req) {
  let body = '';
  for await (const piece of req.setEncoding('utf8')) body += piece;
  return JSON.parse(body);
}

/** Listens on a free port. `close` ends every process. */
export async function bridge(command, env = process.env) {
  const sessions = new Map();
  const complaints = [];
  let shared;

  function onLegacy(headers, message, res) {
    const known = headers['mcp-session-id'];
    const pipe = known ? sessions.get(known) : new LegacyPipe(command, env, complaints);
    if (!pipe) { refuse(res, 404, -32001, 'no such session', message.id); return; }
    const session = known ?? randomUUID();
    sessions.set(session, pipe);
    if (message.id === undefined || isResponse(message)) {
      res.writeHead(202).end();
    } else {
      const { id } = message;
      pipe.waiting.set(id, new Answer(res, { id, session, token: message.params?._meta?.progressToken }));
    }
    pipe.say(message);
  }

  function onModern(headers, message, res) {
    const what = mismatch(headers, message);
    if (what) { refuse(res, 400, -32020, `the header ${what} differs from the body`, message.id); return; }
    shared ??= new ModernPipe(command, env, complaints);
    if (message.id === undefined) {
      res.writeHead(202).end();
      shared.say(message);
      return;
    }
    const claims = message.params?._meta;
    shared.ask(message, new Answer(res, { id: message.id, token: claims?.progressToken,
      listens: message.method === 'subscriptions/listen',
      badMeta: !claims || !(VERSION in claims) || !(CAPABILITIES in claims) }));
  }

  async function onRequest(req, res) {
    const pipe = sessions.get(req.headers['mcp-session-id']);
    if (!isLocal(req.headers)) { refuse(res, 403, -32000, 'a foreign Host or Origin'); return; }
    if (req.method === 'GET' && pipe) { pipe.attach(res); return; }
    if (req.method === 'DELETE' && pipe) {
      sessions.delete(req.headers['mcp-session-id']);
      await pipe.close();
      res.writeHead(200).end();
      return;
    }
    if (req.method !== 'POST') { res.writeHead(req.headers['mcp-session-id'] ? 404 : 405).end(); return; }
    let message;
    try { message = await bodyOf(req); } catch { refuse(res, 400, -32700, 'parse error'); return; }
    if (pipe || !isModern(req.headers, message)) onLegacy(req.headers, message, res);
    else onModern(req.headers, message, res);
  }

  const server = http.createServer((req, res) => { onRequest(req, res); });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://localhost:${server.address().port}/mcp`,
    complaints,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await Promise.all([...sessions.values(), ...(shared ? [shared] : [])].map((pipe) => pipe.close()));
    },
  };
}
