// SPDX-License-Identifier: Apache-2.0
// Numbers and times as text. Money is whole micro-USD in BigInt, or picos (millionths of a micro)
// where a price per million tokens is multiplied out; it never becomes a fraction of a Number.
import { h } from './dom.js';

const MINUS = '\u2212';
const group = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ',');

/** Micros of a decimal text of the service: "24.999628". */
export function micros(text) {
  const [, sign, whole, rest = ''] = text.match(/^(-?)(\d+)(?:\.(\d+))?$/);
  const value = BigInt(whole) * 1000000n + BigInt(rest.padEnd(6, '0'));
  return sign ? -value : value;
}

/** `value` in units of 10^-`scale` USD as "$1,234.50": zeros at the end go down to `least` decimals. */
function dollars(value, scale, least) {
  const size = BigInt(value) < 0n ? -BigInt(value) : BigInt(value);
  const digits = size.toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, -scale);
  const rest = digits.slice(-scale);
  const kept = rest.slice(0, Math.max(least, rest.replace(/0+$/, '').length));
  return `${BigInt(value) < 0n ? MINUS : ''}$${group(whole)}${kept && '.'}${kept}`;
}

/** At least two decimals: $5.00, $0.0312. */
export const usd = (value) => dollars(value, 6, 2);
/** Always six, for columns whose points stand below each other. */
export const usdFull = (value) => dollars(value, 6, 6);
/** Picos with `places` decimals at least. */
export const usdPicos = (value, places) => dollars(value, 12, places);
/** Decimals that `picos` needs to be exact. */
export const placesOf = (picos) => BigInt(picos).toString().padStart(12, '0').slice(-12)
  .replace(/0+$/, '').length;

/** A price in USD per million tokens (a JSON number) as whole micros. */
export const priceMicros = (price) => BigInt(Math.round(price * 1e6));
export const price = (value) => (value === null ? 'not sold' : dollars(priceMicros(value), 6, 2));

/** Money to read at a glance: what is below a cent is smaller. */
export function amount(value) {
  const text = usd(value);
  const cut = text.indexOf('.') + 3;
  return h('span', { class: 'amount' }, text.slice(0, cut),
    cut < text.length && h('span', { class: 'fraction' }, text.slice(cut)));
}

export const count = (n) => group(String(n));
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/* ---- Times ---- */

const dateFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const timeFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export const dateText = (iso) => dateFormat.format(new Date(iso));
/** A UTC day, "2026-11-22", as "22 Nov". */
export const dayText = (day) => dayFormat.format(new Date(`${day}T00:00:00Z`));

/** A moment in the reader's zone; the exact UTC time is its title. */
export function moment(iso, none = 'never') {
  if (!iso) return h('span', { class: 'muted' }, none);
  return h('time', { datetime: iso, title: iso, class: 'moment' },
    `${dateText(iso)} `, h('span', { class: 'clock' }, timeFormat.format(new Date(iso))));
}

const STEPS = [[60, 'second'], [60, 'minute'], [24, 'hour'], [Infinity, 'day']];

/** A length of time in its largest unit that fits: "3 hours". */
export function duration(ms) {
  let left = Math.max(0, Math.round(ms / 1000));
  for (const [size, unit] of STEPS) {
    if (left < size) return plural(left, unit);
    left = Math.floor(left / size);
  }
  return '';
}

export function ago(iso, none = 'never') {
  if (!iso) return h('span', { class: 'muted' }, none);
  const passed = Date.now() - Date.parse(iso);
  return h('time', { datetime: iso, title: iso, class: 'nowrap' },
    passed < 60000 ? 'just now' : `${duration(passed)} ago`);
}

export const milliseconds = (ms) => (ms === null ? '\u2013' : ms < 10000 ? `${count(ms)} ms` : duration(ms));
