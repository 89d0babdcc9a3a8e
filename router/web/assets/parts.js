// SPDX-License-Identifier: Apache-2.0
// What screens are made of: tables, panels, states (loading, empty, failed), buttons.
import { h, icon, uniqueId } from './dom.js';

export function button(label, onclick, { kind = '', name = null, describe = null, disabled = false } = {}) {
  return h('button', { type: 'button', class: `button ${kind}`, onclick, disabled,
    'aria-label': describe }, name && icon(name), label);
}

/** A word that stands for a state. `tone`: good, bad, warn, quiet. */
export const badge = (text, tone = 'quiet') => h('span', { class: `badge ${tone}` }, text);

export const code = (text) => h('code', {}, text);

/** A name, and beneath it what is smaller: an id, words. `href` makes it a link. */
export const named = (name, beneath, href = null) => h(href ? 'a' : 'span', { class: 'two', href },
  h('span', { class: 'name' }, name), beneath);
/** An id beneath a name. */
export const under = (text) => h('code', { class: 'hint' }, text);

export function notice(text, { tone = 'quiet', role = null } = {}) {
  return h('p', { class: `notice ${tone}`, role }, text);
}

/** Says that there is nothing, and what would change that. */
export const empty = (title, hint) => h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title),
  hint && h('p', {}, hint));

export function panel(title, { hint = null, actions = [], level = 'h2' } = {}, ...content) {
  const id = uniqueId('panel');
  return h('section', { class: 'panel', 'aria-labelledby': id },
    h('div', { class: 'panel-head' },
      h('div', {}, h(level, { id }, title), hint && h('p', { class: 'hint' }, hint)),
      h('div', { class: 'actions' }, actions)),
    content);
}

/** Numbers at the top of a screen: [[label, value node, explanation], ...] */
export const stats = (entries) => h('dl', { class: 'stats' }, entries.filter(Boolean).map(([label, value, note]) =>
  h('div', { class: 'stat' }, h('dt', {}, label), h('dd', {}, value), note && h('dd', { class: 'hint' }, note))));

/** Facts in two columns: [[label, value], ...]; null entries are left out. */
export const facts = (entries) => h('dl', { class: 'facts' }, entries.filter(Boolean).map(([label, value]) =>
  h('div', {}, h('dt', {}, label), h('dd', {}, value ?? '\u2013'))));

/** A table that becomes a list of cards on narrow screens. Columns: { head, cell(row), num, sole }.
 * The first is the row's name. Roles are written out, because a table that is laid out as blocks
 * would lose its own. `foot`: a last row, a cell for each column. */
export function table({ caption, columns, rows, foot = null, rowClass = () => null }) {
  const cells = (values) => values.map((value, i) => {
    const { head, num, sole } = columns[i];
    const classes = [num && 'num', sole && 'sole'].filter(Boolean).join(' ') || null;
    return i === 0
      ? h('th', { scope: 'row', role: 'rowheader', class: classes }, value)
      : h('td', { role: 'cell', class: classes, 'data-label': head || null },
        Array.isArray(value) ? h('span', {}, value) : value);
  });
  return h('div', { class: 'table-wrap' }, h('table', { role: 'table', class: 'data' },
    h('caption', { class: 'hidden' }, caption),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map(({ head, num }) =>
      h('th', { scope: 'col', role: 'columnheader', class: num ? 'num' : null },
        head || h('span', { class: 'hidden' }, 'Actions'))))),
    h('tbody', { role: 'rowgroup' }, rows.map((row) => h('tr', { role: 'row', class: rowClass(row) },
      cells(columns.map((column) => column.cell(row)))))),
    foot && h('tfoot', { role: 'rowgroup' }, h('tr', { role: 'row' }, cells(foot)))));
}

/** A search box. `onfind` is called at Enter, at the button, and when one of `more` changes; `words()`
 * is what stands in it. `more`: [[label, control], ...] beside it. */
export function searchForm({ words, hint, more = [], onfind }) {
  const box = h('input', { type: 'search', value: words, maxlength: '96', autocomplete: 'off', placeholder: hint });
  const find = (event) => {
    event.preventDefault();
    onfind();
  };
  const fields = [['Search', box, 'field grow'], ...more].map(([label, control, kind = 'field']) => {
    control.id = uniqueId('search');
    return h('div', { class: kind }, h('label', { for: control.id }, label), control);
  });
  for (const [, control] of more) control.addEventListener('change', find);
  return { words: () => box.value.trim(),
    node: h('form', { class: 'filters', role: 'search', onsubmit: find }, fields,
      h('button', { type: 'submit', class: 'button' }, 'Search')) };
}

/** Has everything fetched again. */
export const refresh = (act) => button('Refresh', act, { name: 'refresh' });

const nameOf = (element) => element.getAttribute('aria-label') ?? element.textContent;

/* Draws anew without losing the focus: it goes to the control of the same name, or to the place. */
function redraw(place, nodes) {
  const focused = place.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  place.replaceChildren(...nodes);
  if (focused === null) return;
  const same = [...place.querySelectorAll('button:enabled, a[href]')].find((one) => nameOf(one) === focused);
  (same ?? place).focus();
}

/** A place whose content has to be fetched. `load(signal)` gives what `draw(value)` turns into
 * nodes. The first wait shows lines that stand for the content, later ones keep what is there. */
export function loaded(load, draw, { what, signal }) {
  const place = h('div', { class: 'loaded', tabindex: '-1', 'aria-busy': 'true' });
  let turn = 0;
  const skeleton = () => h('div', { class: 'skeleton' },
    h('p', { class: 'hidden' }, `Loading ${what}`), h('span'), h('span'), h('span'));
  const failed = (cause) => h('div', { class: 'failed', role: 'alert' },
    h('p', {}, h('strong', {}, `Could not load ${what}. `), cause.message),
    button('Try again', () => place.reload(), { name: 'refresh' }));
  place.reload = async () => {
    const mine = ++turn;
    place.setAttribute('aria-busy', 'true');
    if (!place.hasChildNodes() || place.querySelector(':scope > .failed')) place.replaceChildren(skeleton());
    try {
      const value = await load(signal);
      if (mine === turn) redraw(place, [draw(value)].flat().filter(Boolean));
    } catch (cause) {
      if (cause.name === 'AbortError' || cause.status === 401) return;
      if (mine === turn) place.replaceChildren(failed(cause));
    }
    if (mine === turn) place.setAttribute('aria-busy', 'false');
  };
  place.reload();
  return place;
}

/** Writes to the clipboard; without one (plain http from another machine) by the old way. */
async function copyText(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select();
    return document.execCommand('copy');
  }
}

/** A text to be taken along whole: a field that can be read and selected, and a copy button. */
export function copyField(label, value, { secret = false } = {}) {
  const id = uniqueId('copy');
  const said = h('span', { class: 'said', role: 'status' });
  const field = h('input', { id, class: 'mono', readonly: true, value, autocomplete: 'off',
    spellcheck: 'false', onfocus: (event) => event.target.select() });
  const copy = async () => {
    said.textContent = await copyText(field) ? 'Copied' : 'Select the text and copy it';
  };
  return h('div', { class: secret ? 'field copy secret' : 'field copy' }, h('label', { for: id }, label),
    h('div', { class: 'joined' }, field,
      button('Copy', copy, { name: 'copy', describe: `Copy: ${label}`, kind: secret ? 'primary' : '' })), said);
}

/** A list page by page. `turn(cursor)` shows the page; what came before is remembered. */
export class Pages {
  constructor(turn) {
    this.turn = turn;
    this.cursors = [''];
  }

  get cursor() { return this.cursors.at(-1); }

  reset() {
    this.cursors = [''];
    this.turn();
  }

  /** Buttons under a page; null if all fits on one. */
  bar(next, what, [back, on] = ['Newer', 'Older']) {
    if (this.cursors.length === 1 && !next) return null;
    const go = (change) => () => { change(); this.turn(); };
    return h('nav', { class: 'pages', 'aria-label': `Pages of ${what}` },
      button(back, go(() => this.cursors.pop()), { disabled: this.cursors.length === 1 }),
      h('span', { class: 'hint', role: 'status' }, `Page ${this.cursors.length}`),
      button(on, go(() => this.cursors.push(next)), { disabled: !next }));
  }
}
