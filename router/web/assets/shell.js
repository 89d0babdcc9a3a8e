// SPDX-License-Identifier: Apache-2.0
// The frame around the screens: sign-in, navigation by the address's fragment, focus, the line that
// screen readers hear. Both the console and the admin panel are one Shell with screens of their own.
import { Api, pathOf } from './api.js';
import { h, icon, uniqueId } from './dom.js';
import { button, notice } from './parts.js';
import { closeDialogs } from './dialog.js';

/* A yes or no that outlives the page; where nothing may be stored it is always no. */
function storedMark(name) {
  const tried = (act) => {
    try {
      return act(localStorage);
    } catch {
      return false;
    }
  };
  return {
    get: () => tried((storage) => storage.getItem(name) !== null),
    set: (on) => tried((storage) => (on ? storage.setItem(name, 'signed in') : storage.removeItem(name))),
  };
}

const logo = () => h('img', { src: '../assets/icon.svg', alt: '', width: '28', height: '28' });

/* "#/requests/req_1" as ['requests', 'req_1']; what was mistyped names nothing. */
function placeNamed(hash) {
  try {
    return hash.replace(/^#\//, '').split('/').map(decodeURIComponent);
  } catch {
    return [];
  }
}

/** `screens`: [{ id, title, icon, draw(ctx, args), nav }]. `signIn`: { title, text, label, member }
 * words of the form and the member of the body that carries the credential. `whoami(api)` proves
 * the session and gives `me`; `name(me)` is shown above the navigation. */
export class Shell {
  constructor({ product, base, screens, signIn, whoami, name }) {
    Object.assign(this, { product, screens, signIn, whoami, name, me: null, leaving: null });
    this.mark = storedMark(`agent-store ${product}`);
    this.api = new Api(base, () => this.expired());
    this.voice = h('p', { class: 'hidden', role: 'status' });
    this.frame = h('div', { class: 'frame' });
    document.body.append(this.frame, this.voice);
    window.addEventListener('hashchange', () => this.show(true));
    this.start();
  }

  /** Is there a session already? Only asked if somebody signed in here: a mark, no credential, is all
   * that a browser keeps of it. */
  async start() {
    if (!this.mark.get()) {
      this.askToSignIn();
      return;
    }
    this.frame.replaceChildren(h('main', { class: 'alone' }, h('p', { class: 'hint', role: 'status' }, 'Loading')));
    try {
      this.me = await this.whoami(this.api);
    } catch (cause) {
      if (cause.status === 401) this.askToSignIn('Your session is over. Sign in again to go on.');
      else this.unreachable(cause);
      return;
    }
    this.enter(false);
  }

  unreachable(cause) {
    this.frame.replaceChildren(h('main', { class: 'alone' }, h('div', { class: 'card', role: 'alert' },
      h('h1', {}, 'Not available'), h('p', {}, cause.message),
      button('Try again', () => this.start(), { kind: 'primary' }))));
  }

  /** Called at every 401: it means something only while somebody is signed in. */
  expired(why = 'Your session is over. Sign in again to go on.') {
    if (!this.me) return;
    this.leave();
    closeDialogs();
    this.askToSignIn(why);
  }

  leave() {
    this.me = null;
    this.mark.set(false);
    this.leaving?.abort();
    this.leaving = null;
  }

  /* ---- Sign-in ---- */

  askToSignIn(why = null) {
    const { title, text, label, member } = this.signIn;
    const id = uniqueId('key');
    const field = h('input', { id, type: 'password', class: 'mono', autocomplete: 'off', required: true,
      maxlength: '256', spellcheck: 'false', autocapitalize: 'off' });
    const problem = h('div', { role: 'alert' }, why && notice(why, { tone: 'warn' }));
    const submit = h('button', { type: 'submit', class: 'button primary wide' }, 'Sign in');
    const send = async (event) => {
      event.preventDefault();
      const secret = field.value.trim();
      field.value = ''; // the key is not kept, whatever the answer
      submit.disabled = true;
      try {
        await this.api.post('session', { [member]: secret });
        this.me = await this.whoami(this.api);
        this.mark.set(true);
        this.enter(true);
      } catch (cause) {
        problem.replaceChildren(notice(this.whyNot(cause), { tone: 'bad' }));
        submit.disabled = false;
        field.focus();
      }
    };
    document.title = `Sign in \u00b7 ${this.product}`;
    this.frame.replaceChildren(h('main', { class: 'alone' },
      h('form', { class: 'card', method: 'post', onsubmit: send },
        h('p', { class: 'brand' }, logo(), 'agent-store'),
        h('h1', {}, title), h('p', { class: 'hint' }, text), problem,
        h('div', { class: 'field' }, h('label', { for: id }, label), field), submit)));
    field.focus();
  }

  whyNot(cause) {
    if (cause.status === 429)
      return `Too many tries. Wait ${cause.retryAfter || 60} seconds, then try again.`;
    return cause.status === 401 ? this.signIn.wrong : cause.message;
  }

  async signOut() {
    const { api } = this;
    this.leave();
    await api.delete('session').catch(() => {}); // over is over, whatever the answer
    this.askToSignIn('You are signed out.');
  }

  /* ---- Screens ---- */

  enter(moveFocus) {
    const links = this.screens.filter((screen) => screen.icon).map((screen) => h('li', {},
      h('a', { href: `#/${screen.id}`, 'data-screen': screen.id }, icon(screen.icon), h('span', {}, screen.title))));
    this.main = h('main', { id: 'main', tabindex: '-1' });
    this.frame.replaceChildren(
      h('a', { class: 'skip', href: '#main', onclick: (event) => { event.preventDefault(); this.main.focus(); } },
        'Skip to content'),
      h('header', { class: 'side' },
        h('p', { class: 'brand' }, logo(), h('span', {}, 'agent-store', h('small', {}, this.product))),
        h('nav', { 'aria-label': 'Main' }, h('ul', { class: links.length > 5 ? 'many' : null }, links)),
        h('div', { class: 'who' }, h('p', { title: this.name(this.me) }, this.name(this.me)),
          button('Sign out', () => this.signOut(), { kind: 'plain', name: 'leave' }))),
      this.main);
    this.show(moveFocus);
  }

  go(...parts) {
    location.hash = `#/${pathOf(...parts)}`;
  }

  /** Draws the screen that the address names. */
  show(moveFocus) {
    if (!this.me) return;
    closeDialogs();
    const [id, ...args] = placeNamed(location.hash);
    const screen = this.screens.find((one) => one.id === id) ?? this.screens[0];
    this.leaving?.abort();
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    const heading = h('h1', { tabindex: '-1' }, screen.title);
    const ctx = { api: this.api, me: this.me, signal, heading, shell: this,
      say: (text) => { this.voice.textContent = text; } };
    this.main.replaceChildren(...[screen.draw(ctx, args)].flat().filter(Boolean));
    this.markLink(screen);
    document.title = `${heading.textContent} \u00b7 ${this.product}`;
    window.scrollTo(0, 0);
    if (moveFocus) heading.focus({ preventScroll: true });
  }

  markLink(screen) {
    for (const link of this.frame.querySelectorAll('[data-screen]')) {
      const here = link.dataset.screen === (screen.nav ?? screen.id);
      if (here) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }
}

/** The top of a screen: its heading, a line about it, buttons. */
export const top = (ctx, about, ...actions) => h('div', { class: 'top' },
  h('div', {}, ctx.heading, about && h('p', { class: 'hint' }, about)), h('div', { class: 'actions' }, actions));
