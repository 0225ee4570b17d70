// Calls for help in their order, then the other calls.

import { h, show } from '/ui/dom.js';
import { post } from '/ui/api.js';
import { ask, read } from '/ui/store.js';
import { span, t, when, word } from '/ui/text.js';
import { act, badge, holdButton, items, mayAct, state, table } from '/ui/parts.js';

export const needs = ['/calls', '/summons'];

let root = null;
let timer = null;

async function hangup(c) {
  if (await act(() => post(`/calls/${c.id}/hangup`), t('calls.ended', { who: c.caller }))) ask('/calls');
}

const KINDS = { waiting: 'bad', offered: 'bad', held: 'warn', preempted: 'warn' };

function helpCard(c) {
  const waited = c.operator ? c.waited_s : Math.max(c.waited_s ?? 0, (Date.now() - new Date(c.since)) / 1000);
  return h('li', { class: `card ${KINDS[c.state] || 'on'}`, key: c.id },
    h('header', null, h('h3', null, c.point || c.caller), state(KINDS[c.state] || 'good', word('call', c.state)),
      c.place && badge('bad', t('calls.place', { n: c.place }))),
    c.location && h('p', { class: 'strong' }, c.location),
    h('p', null, `${c.caller} · ${t('calls.waited', { time: span(waited) })}`,
      c.stage ? ` · ${t('calls.stage', { stage: c.stage, round: c.round })}` : '',
      c.operator ? ` · ${t('calls.operator', { who: c.operator })}` : ''),
    c.camera && h('p', { class: 'small' }, t('calls.camera', { url: c.camera })),
    mayAct() && h('div', { class: 'actions' }, holdButton(t('calls.hangup'), () => hangup(c), { class: 'big danger' })));
}

export function build(e) {
  root = e;
  timer = setInterval(() => {
    if ((read('/calls') || []).some((c) => c.kind === 'help')) update();
  }, 1000);
}

export function leave() {
  clearInterval(timer);
  root = null;
}

export function update() {
  if (!root) return;
  const calls = read('/calls');
  const pages = (calls || []).filter((c) => c.kind !== 'help');
  show(root,
    h('section', { 'aria-labelledby': 'h-help', key: 'help' }, h('h2', { id: 'h-help' }, t('calls.help')),
      items('cards', calls?.filter((c) => c.kind === 'help'), 'calls.none', helpCard)),
    h('section', { 'aria-labelledby': 'h-pages', key: 'pages' }, h('h2', { id: 'h-pages' }, t('calls.pages')),
      pages.length
        ? table(t('calls.pages'), [t('calls.caller'), t('calls.zone'), t('calls.state'), t('calls.since'), t('head.act')],
          pages.map((c) => ({ key: c.id, cells: [c.caller, c.zone || c.code || '', word('call', c.state), when(c.since),
            mayAct() ? holdButton(t('calls.hangup'), () => hangup(c)) : ''] })))
        : h('p', { class: 'empty' }, t('calls.no-pages'))));
}
