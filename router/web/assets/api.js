// SPDX-License-Identifier: Apache-2.0
// The way to the service. The session is a cookie that scripts cannot read, so nothing here holds a
// credential; the header tells the service that the request comes from a page of its own.

/** An answer that is not a success, or none at all (status 0). */
export class Refusal extends Error {
  constructor(status, error, retryAfter) {
    super(error?.message ?? (status ? `The service answered with status ${status}.`
      : 'The service cannot be reached.'));
    this.status = status;
    this.code = error?.code ?? null;
    this.retryAfter = retryAfter;
  }
}

export class Api {
  /** `onExpired` is called when a session is over that was good before. */
  constructor(base, onExpired) {
    this.base = base;
    this.onExpired = onExpired;
  }

  get(path, query = {}, signal = undefined) {
    const given = Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined);
    const text = new URLSearchParams(given).toString();
    return this.send('GET', path + (text && `?${text}`), undefined, signal);
  }

  post(path, body = undefined) { return this.send('POST', path, body); }
  put(path, body) { return this.send('PUT', path, body); }
  delete(path) { return this.send('DELETE', path); }

  async send(method, path, body, signal) {
    const headers = { accept: 'application/json', 'x-requested-with': 'agent-store-console' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const request = { method, headers, signal, cache: 'no-store', redirect: 'error',
      body: body === undefined ? undefined : JSON.stringify(body) };
    const answer = await fetch(this.base + path, request).catch((cause) => {
      if (cause.name === 'AbortError') throw cause;
      throw new Refusal(0);
    });
    const json = await answer.json().catch(() => null);
    if (answer.ok && json) return json;
    const refusal = new Refusal(answer.status, json?.error, Number(answer.headers.get('retry-after')));
    if (answer.status === 401 && path !== 'session') this.onExpired();
    throw refusal;
  }
}

/** A path of parts that come from outside. */
export const pathOf = (...parts) => parts.map(encodeURIComponent).join('/');
