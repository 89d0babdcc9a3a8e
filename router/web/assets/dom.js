// SPDX-License-Identifier: Apache-2.0
// Elements from data. Text only ever becomes text nodes: there is no way from an answer of the
// service to markup.

const SVG = 'http://www.w3.org/2000/svg';

function add(element, child) {
  if (Array.isArray(child)) for (const one of child) add(element, one);
  else if (child !== null && child !== undefined && child !== false) element.append(child);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  add(element, children);
  return element;
}

/** h('p', { class: 'note', onclick: fn, hidden: true }, 'text', node, [nodes], null) */
export const h = (tag, props, ...children) => fill(document.createElement(tag), props, children);

/** The same for SVG. */
export const svg = (tag, props, ...children) =>
  fill(document.createElementNS(SVG, tag), props, children);

/** An id that no other element has, for labels. */
let ids = 0;
export const uniqueId = (stem) => `${stem}-${++ids}`;

/** Drawn with strokes in a square of 20. */
const ICONS = {
  overview: 'M3 17V9m5 8V3m5 14v-6m4 6V6',
  requests: 'M3 5h14M3 10h14M3 15h9',
  credit: 'M2.5 5h15v10h-15zM2.5 8.5h15M5.5 12h3',
  keys: 'M12.5 2.5a5 5 0 1 1-4.6 7L2.5 15v2.5h3V15.5h2v-2h2l.6-1.3M13.5 6.5h.01',
  accounts: 'M10 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3.5 17c.5-3.5 3-5 6.5-5s6 1.5 6.5 5',
  upstreams: 'M6 17V4m0 0L3 7m3-3 3 3m5-4v13m0 0 3-3m-3 3-3-3',
  models: 'M10 2.5l6.5 3.7v7.6L10 17.5l-6.5-3.7V6.2zM3.5 6.2 10 10l6.5-3.8M10 10v7.5',
  errors: 'M10 3 2.5 16.5h15zM10 8v4m0 2.2v.1',
  ledger: 'M4 3h10.5A1.5 1.5 0 0 1 16 4.5v12.5H5.5A1.5 1.5 0 0 1 4 15.5zM7 7h6M7 10.5h6M7 14h3',
  audit: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 6v4.2l2.8 1.8',
  service: 'M2 10h4l2.5-6 3.5 12 2.5-6H18',
  copy: 'M7 7V3.5h9.5V13H13M3.5 7H13v9.5H3.5z',
  refresh: 'M16.5 8.5A7 7 0 0 0 4 6.5m-.5 5a7 7 0 0 0 12.5 2M4 3v3.5h3.5M16 17v-3.5h-3.5',
  leave: 'M8 3H3.5v14H8M8 10h9m-3-3 3 3-3 3',
};

export const icon = (name) => svg('svg',
  { class: 'icon', viewBox: '0 0 20 20', 'aria-hidden': 'true', focusable: 'false' },
  svg('path', { d: ICONS[name] }));
