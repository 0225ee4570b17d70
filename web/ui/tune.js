// What is set rather than sounded: a zone's volume, the site's mode, music.

import { h } from '/ui/dom.js';
import { post } from '/ui/api.js';
import { ask, read } from '/ui/store.js';
import { number, t, when, word } from '/ui/text.js';
import { act, button, holdButton, mayAct, me, state } from '/ui/parts.js';

export const needs = ['/mode', '/music'];

const STEP_DB = 3;

async function set(path, body, list) {
  await act(() => post(path, body));
  ask(list);
}

/** Softer and louder, over the configured gain. */
export function volume(z) {
  const db = z.volume_db;
  const mine = mayAct() && (!me.zones || me.zones.includes(z.name));
  const to = (n) => set(`/zones/${encodeURIComponent(z.name)}/volume`, { db: n }, '/zones');
  const name = t('zone.volume', { db: db === null || db === undefined ? '±' : number(db) });
  if (!mine) return db ? h('div', { class: 'small' }, name) : '';
  return h('details', { key: 'volume' }, h('summary', null, name),
    h('div', { class: 'volume' },
      button('−', () => to((db || 0) - STEP_DB), { 'aria-label': t('zone.softer', { zone: z.name }) }),
      button('0 dB', () => to(0), { 'aria-label': `0 dB: ${t('zone.plain', { zone: z.name })}` }),
      button('+', () => to((db || 0) + STEP_DB), { 'aria-label': t('zone.louder', { zone: z.name }) })));
}

/** The site's mode, where there is more than one. */
export function modes() {
  const m = read('/mode');
  if (!m || (m.modes || []).length < 2) return '';
  const to = (mode) => set('/mode', { mode }, '/mode');
  return h('section', { 'aria-labelledby': 'h-mode', key: 'mode' }, h('h2', { id: 'h-mode' }, t('mode.title')),
    h('p', null, h('strong', null, m.mode), ` · ${word('mode-by', m.by)}`, m.since ? ` · ${t('since', { when: when(m.since) })}` : '',
      m.until ? ` · ${t('mode.until', { when: when(m.until) })}` : ''),
    mayAct() && h('div', { class: 'actions' },
      m.modes.map((x) => holdButton(x, () => to(x), { key: x, class: 'big', disabled: x === m.mode && m.by === 'hand' })),
      m.by === 'hand' && button(t('mode.auto'), () => to('auto'), { class: 'big', key: 'auto' })));
}

const SIGNS = { playing: 'good', starting: 'warn', paused: 'off', stopped: 'off', fault: 'bad' };

function player(m) {
  const path = `/music/${encodeURIComponent(m.name)}`;
  const order = (verb) => set(`${path}/${verb}`, {}, '/music');
  const off = m.state === 'stopped';
  return h('li', { class: 'card', key: m.name },
    h('header', null, h('h3', null, m.name), state(SIGNS[m.state] || 'off', word('music', m.state))),
    h('p', { class: 'small' }, (m.zones || []).join(', '), m.playing ? ` · ${m.playing}` : ''),
    mayAct() && h('div', { class: 'actions' },
      button(t(off ? 'music.start' : 'stop'), () => order(off ? 'start' : 'stop'),
        { 'aria-label': `${t(off ? 'music.start' : 'stop')}: ${m.name}` }),
      !off && button(t('music.next'), () => order('next'), { 'aria-label': `${t('music.next')}: ${m.name}` })));
}

export function music() {
  const rows = read('/music') || [];
  return rows.length ? h('section', { 'aria-labelledby': 'h-music', key: 'music' }, h('h2', { id: 'h-music' }, t('music.title')),
    h('ul', { class: 'plain cards' }, rows.map(player))) : '';
}
