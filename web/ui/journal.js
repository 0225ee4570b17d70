// What happened: newest first, searched, and for each line why.

import { h, show } from '/ui/dom.js';
import { get } from '/ui/api.js';
import { stamp, t, when, word } from '/ui/text.js';
import { button, empty, say } from '/ui/parts.js';

export const needs = [];

const KINDS = ['', 'alarm.', 'broadcast.', 'fault.', 'help.', 'call.', 'input.', 'schedule.', 'message.', 'session.', 'command', 'config.'];
const CHAIN = 12;
const find = { type: '', words: '', subject: '', limit: 200 };
const chains = new Map(); // id -> its causes, once asked for

let rows = null;
let root = null;
let body = null;
let more = false;
let again = false;
let running = false;

async function load() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  const q = new URLSearchParams({ limit: find.limit });
  if (find.type) q.set('type', find.type);
  if (find.subject) q.set('subject', find.subject);
  try {
    rows = await get(`/journal?${q}`);
    more = rows.length >= find.limit && find.limit < 1000;
  } catch (e) {
    say(e.message, true);
  }
  running = false;
  if (again) {
    again = false;
    load();
  }
  draw();
}

/** Who and what led to an event, the nearest first. */
async function why(e) {
  if (chains.has(e.id)) {
    chains.delete(e.id);
    draw();
    return;
  }
  const chain = [];
  try {
    for (let id = e.cause; id && chain.length < CHAIN;) {
      const [c] = await get(`/journal?after=${id - 1}&limit=1`);
      if (c?.id !== id) break;
      chain.push(c);
      id = c.cause;
    }
  } catch (x) {
    say(x.message, true);
  }
  chains.set(e.id, chain);
  draw();
}

const fits = (e) => {
  const words = find.words.toLowerCase().split(/\s+/).filter(Boolean);
  const all = `${e.type} ${e.subject} ${e.actor} ${e.text}`.toLowerCase();
  return words.every((w) => all.includes(w));
};

const line = (e) => [h('time', { datetime: e.time, title: stamp(e.time) }, when(e.time)),
  h('span', { class: 'type' }, e.type), h('span', { class: 'text' }, e.text)];

const who = (e) => h('span', { class: 'small' }, [e.subject, e.actor].filter(Boolean).join(' · '));

function row(e) {
  const chain = chains.get(e.id);
  return h('li', { key: e.id, class: 'event' },
    h('div', { class: 'line' }, line(e),
      who(e),
      e.cause ? button(t('journal.why'), () => why(e), { 'aria-expanded': !!chain,
        'aria-label': t('journal.why-of', { what: e.text }) }) : ''),
    chain && h('ol', { class: 'chain' }, chain.length ? chain.map((c) => h('li', { key: c.id }, line(c), who(c)))
      : h('li', null, t('journal.why-unknown'))));
}

function draw() {
  if (!root) return;
  const shown = rows?.filter(fits);
  show(body,
    h('p', { class: 'small', role: 'status' }, rows ? t('journal.shown', { n: shown.length, of: rows.length }) : t('loading')),
    shown?.length ? h('ol', { class: 'plain events' }, shown.map(row)) : rows && empty('journal.none'),
    more && button(t('journal.more'), () => {
      find.limit = 1000;
      load();
    }, { class: 'big' }));
}

function field(id, label, input) {
  return h('div', null, h('label', { for: id }, label), input);
}

export function build(e) {
  root = e;
  body = h('div');
  const words = h('input', { id: 'j-words', type: 'search', autocomplete: 'off', oninput: (ev) => {
    find.words = ev.target.value;
    draw();
  } });
  words.value = find.words;
  const subject = h('input', { id: 'j-subject', autocomplete: 'off', placeholder: 'zone:hall', onchange: (ev) => {
    find.subject = ev.target.value.trim();
    load();
  } });
  subject.value = find.subject;
  const type = h('select', { id: 'j-type', onchange: (ev) => {
    find.type = ev.target.value;
    load();
  } }, KINDS.map((k) => h('option', { value: k, selected: k === find.type }, word('kind', k || 'all'))));
  show(root, h('section', { 'aria-labelledby': 'h-journal' }, h('h2', { id: 'h-journal' }, t('journal.title')),
    h('form', { class: 'search', role: 'search', onsubmit: (ev) => { ev.preventDefault(); load(); } },
      field('j-words', t('journal.words'), words), field('j-type', t('journal.type'), type),
      field('j-subject', t('journal.subject'), subject)),
    body));
  load();
}

export function leave() {
  root = null;
}

export function heard() {
  if (root) load();
}

export function update() {
  draw();
}
