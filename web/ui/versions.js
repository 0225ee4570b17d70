// The uploads of a message that are kept: hear one, go back to it, delete all.

import { h } from '/ui/dom.js';
import { audioOf, del, get, post } from '/ui/api.js';
import { number, span, t, when } from '/ui/text.js';
import { act, button, holdButton, mayAct, say, state } from '/ui/parts.js';

const kept = new Map(); // message -> its versions, while they are shown

const path = (m) => `/messages/${encodeURIComponent(m.name)}`;

async function load(m, redraw) {
  try {
    kept.set(m.name, await get(`${path(m)}/versions`));
  } catch (e) {
    say(e.message, true);
  }
  redraw();
}

async function order(m, what, done, redraw) {
  if (!(await act(what, done))) return;
  kept.delete(m.name);
  redraw();
}

function row(m, v, redraw, play) {
  return h('li', { key: v.version, class: 'version' },
    h('div', null, h('strong', null, t('versions.one', { n: v.version })), ' ', v.current ? state('good', t('versions.current')) : ''),
    h('div', { class: 'small' }, [when(v.time), v.actor, span(v.duration_ms / 1000),
      v.lufs !== null && v.lufs !== undefined ? `${number(v.lufs, 1)} LUFS` : ''].filter(Boolean).join(' · ')),
    h('div', { class: 'actions' },
      button(t('sounds.play'), () => play(m, `${audioOf(m.name)}?version=${v.version}`),
        { 'aria-label': `${t('sounds.play')}: ${m.name} ${v.version}` }),
      mayAct() && !v.current && holdButton(t('versions.back'),
        () => order(m, () => post(`${path(m)}/rollback`, { version: v.version }), t('versions.was-back', { name: m.name, n: v.version }), redraw),
        { 'aria-label': `${t('versions.back')}: ${m.name} ${v.version}` })));
}

/** Of a message that has uploads; nothing for one as configured. */
export function versions(m, redraw, play) {
  if (!m.upload) return '';
  const rows = kept.get(m.name);
  return h('div', { key: 'versions' },
    button(t('versions.show'), () => {
      if (kept.delete(m.name)) redraw();
      else load(m, redraw);
    }, { 'aria-expanded': !!rows, 'aria-label': `${t('versions.show')}: ${m.name}` }),
    rows && h('ul', { class: 'plain' }, rows.map((v) => row(m, v, redraw, play))),
    rows && mayAct() && holdButton(t('versions.delete'),
      () => order(m, () => del(path(m)), t('versions.deleted', { name: m.name }), redraw),
      { class: 'danger', 'aria-label': `${t('versions.delete')}: ${m.name}` }));
}

export const forgetVersions = () => kept.clear();
