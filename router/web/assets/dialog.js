// SPDX-License-Identifier: Apache-2.0
// Questions, forms and secrets in <dialog>, which keeps the focus inside and gives it back. Each
// promise settles when the dialog is gone; a secret leaves the document with it.
import { h, uniqueId } from './dom.js';
import { button, copyField, notice } from './parts.js';

/* Opens and waits; the opener may have been drawn anew meanwhile, then the heading gets the focus. */
function show(dialog) {
  const opener = document.activeElement;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener('close', () => {
    dialog.remove();
    const target = opener?.isConnected && !opener.disabled ? opener : document.querySelector('main h1');
    target?.focus();
    done(dialog.returnValue);
  }, { once: true }));
}

function frame(title, body, foot) {
  const [name, about] = [uniqueId('dialog'), uniqueId('dialog')];
  return h('dialog', { 'aria-labelledby': name, 'aria-describedby': about },
    h('h2', { id: name }, title), h('div', { id: about, class: 'dialog-body' }, body), foot);
}

/** Leaves all questions, as when another screen is opened. A new key stays until it is stored. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog[open]:not([data-secret])')) dialog.close('');
}

/** Says what will happen, and does it if the answer is yes. A refusal is shown and can be tried
 * again. Gives what `act(values)` gave, or null if nothing was done. `fields` are of field(). */
export async function ask({ title, body, fields = [], action, danger = false, act, preview = null }) {
  let result = null;
  const problem = h('div', { role: 'alert' });
  const outlook = preview && h('p', { class: 'outlook', 'aria-live': 'polite' });
  const cancel = button('Cancel', () => dialog.close(''));
  const submit = h('button', { type: 'submit', class: `button ${danger ? 'danger' : 'primary'}` }, action);
  const values = () => Object.fromEntries(fields.map((one) => [one.name, one.read()]));
  const send = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    form.setAttribute('aria-busy', 'true');
    problem.replaceChildren();
    try {
      result = await act(values());
      dialog.close('done');
    } catch (cause) {
      problem.replaceChildren(notice(cause.message, { tone: 'bad' }));
      submit.disabled = false;
      form.removeAttribute('aria-busy');
    }
  };
  const look = () => { if (outlook) outlook.textContent = preview(values()); };
  const form = h('form', { class: 'dialog-form', method: 'dialog', onsubmit: send, oninput: look },
    fields.map((one) => one.node), outlook, problem, h('div', { class: 'dialog-foot' }, cancel, submit));
  const dialog = frame(title, body, form);
  if (fields.length === 0) cancel.autofocus = true;
  look();
  await show(dialog);
  return result;
}

/** Shows a key that will not be shown again. */
export async function showSecret({ title, body, label, secret, more = [] }) {
  const stored = () => {
    dialog.close('');
    dialog.remove(); // at once: the event comes later
  };
  const done = button('I have stored it', stored, { kind: 'plain' });
  const dialog = frame(title, body, h('div', { class: 'dialog-form' },
    copyField(label, secret, { secret: true }), more,
    h('div', { class: 'dialog-foot' }, done)));
  dialog.dataset.secret = '';
  dialog.addEventListener('cancel', (event) => event.preventDefault()); // Escape would lose the key
  await show(dialog);
}

/* ---- Fields of a form ---- */

/** A labelled input with a name and a reader. `control`: its element. */
export function field(name, label, control, { hint = null, read = () => control.value.trim() } = {}) {
  const [id, about] = [uniqueId('field'), uniqueId('hint')];
  control.id = id;
  if (hint) control.setAttribute('aria-describedby', about);
  return { name, control, read, node: h('div', { class: 'field' }, h('label', { for: id }, label), control,
    hint && h('p', { id: about, class: 'hint' }, hint)) };
}

export const input = (props = {}) => h('input', { type: 'text', autocomplete: 'off', ...props });

/** A number, or undefined if it is left empty. */
export function numberField(name, label, { hint, ...props } = {}) {
  const control = input({ type: 'number', step: '1', inputmode: 'decimal', ...props });
  return field(name, label, control, { hint, read: () => (control.value === '' ? undefined : Number(control.value)) });
}

export function checkField(name, label) {
  const control = h('input', { type: 'checkbox' });
  return { name, read: () => control.checked || undefined,
    node: h('label', { class: 'check' }, control, label) };
}

/** Any number of options in a folded list; undefined if none is chosen. */
export function choiceField(name, label, options, hint) {
  const boxes = options.map((value) => h('input', { type: 'checkbox', value }));
  return { name,
    read: () => {
      const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
      return chosen.length ? chosen : undefined;
    },
    node: h('details', { class: 'choices' }, h('summary', {}, label), h('p', { class: 'hint' }, hint),
      h('div', { role: 'group', 'aria-label': label, class: 'choice-list' },
        boxes.map((box) => h('label', { class: 'check' }, box, box.value)))) };
}
