// Pieces that several screens are made of.

import { h, show } from '/ui/dom.js';
import { t, word } from '/ui/text.js';

/** Priority classes as the API names them, with their default levels. */
export const PRIORITIES = [
  ['evacuate', 250], ['alert', 220], ['emergency', 200],
  ['urgent', 150], ['page', 100], ['bell', 60], ['music', 10],
];
export const EMERGENCY = 200;

export const me = { role: 'viewer', zones: null };
export const mayAct = () => me.role !== 'viewer';

let toast = null;
let timer = null;

/** Tells what came of an act, also to a screen reader. */
export function say(text, bad) {
  toast ??= document.querySelector('#said');
  if (!toast) return;
  toast.className = bad ? 'bad' : 'good';
  show(toast, h('span', null, text), h('button', { type: 'button', onclick: hush, 'aria-label': t('close') }, '×'));
  clearTimeout(timer);
  timer = setTimeout(hush, bad ? 15000 : 5000);
}

export function hush() {
  if (toast) show(toast);
}

export function forgetToast() {
  toast = null;
}

/** Does it and tells of a refusal; true when it was done. */
export async function act(what, done) {
  try {
    await what();
    if (done) say(done);
    return true;
  } catch (e) {
    say(e.message, true);
    return false;
  }
}

export const button = (text, onclick, props = {}) => h('button', { type: 'button', onclick, ...props }, text);

/** One to hold, with the ring that fills meanwhile. */
export const holdButton = (text, held, props = {}) =>
  h('button', { type: 'button', held, ...props, class: `hold ${props.class || ''}`.trim(),
    'aria-description': t('hold.how') }, text);

export const badge = (kind, text) => h('span', { class: `badge ${kind}` }, text);

/** A state of the API: its word, and a mark that is not by colour alone. */
const MARKS = { good: '●', bad: '▲', warn: '◆', off: '○' };
export const state = (kind, text) => h('span', { class: `state ${kind}` },
  h('span', { class: 'mark', 'aria-hidden': 'true' }, MARKS[kind]), text);

export const empty = (key) => h('p', { class: 'empty' }, t(key));

/** A list that has not been answered yet, is empty, or is shown. */
export function list(rows, emptyKey, one) {
  if (!rows) return h('p', { class: 'empty' }, t('loading'));
  return rows.length ? rows.map(one) : empty(emptyKey);
}

/** The same as a list of <li>. */
export const items = (kind, rows, emptyKey, one) =>
  (rows?.length ? h('ul', { class: `plain ${kind}` }, rows.map(one)) : list(rows, emptyKey));

const MANY = 12;

/** A box that narrows a long list down to names with these letters; nothing for
 *  a short one. `by` keeps what is in it. */
export const narrow = (id, by, rows, redraw) => (rows?.length > MANY || by.text
  ? h('div', { class: 'narrow', key: id }, h('label', { for: id }, t('narrow')),
    h('input', { id, type: 'search', autocomplete: 'off', value: by.text, oninput: (ev) => {
      by.text = ev.target.value;
      redraw();
    } })) : '');

export const narrowed = (by, rows) => rows?.filter((x) => x.name.toLowerCase().includes(by.text.toLowerCase()));

/** dBFS as a bar; -60 is its begin. */
export function meter(db, name) {
  const silent = db === null || db === undefined;
  const part = silent ? 0 : Math.min(100, Math.max(0, (db + 60) / 0.6));
  return h('div', { class: 'meter', role: 'meter', 'aria-label': name, 'aria-valuemin': -60, 'aria-valuemax': 0,
    'aria-valuenow': silent ? -60 : Math.max(-60, db), 'aria-valuetext': silent ? t('silent') : `${db} dB`,
    fill: `${part.toFixed(0)}%` });
}

export const priorityWord = (p) => word('priority', p);

/** A table with headings; on a narrow screen each row is a card. */
export function table(name, heads, rows) {
  return h('table', { 'aria-label': name },
    h('thead', null, h('tr', null, heads.map((x) => h('th', { scope: 'col' }, x)))),
    h('tbody', null, rows.map((r) => h('tr', { key: r.key, class: r.class },
      r.cells.map((c, i) => h('td', { 'data-head': heads[i] }, c))))));
}
