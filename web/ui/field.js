// Inputs, outputs and stations, with how far they can be trusted.

import { h, show } from '/ui/dom.js';
import { post } from '/ui/api.js';
import { ask, read } from '/ui/store.js';
import { number, span, t, when, word } from '/ui/text.js';
import { act, button, empty, holdButton, mayAct, state, table } from '/ui/parts.js';

export const needs = ['/inputs', '/outputs', '/endpoints', '/accounts'];

let root = null;

const QUALITY = { good: 'good', unknown: 'warn', stale: 'warn', fault: 'bad' };

function virtual(i) {
  if (i.kind !== 'virtual' || !mayAct()) return '';
  const text = t(i.active ? 'field.release' : 'field.press');
  const move = () => act(() => post(`/inputs/${encodeURIComponent(i.name)}`, { active: !i.active })).then(() => ask('/inputs'));
  return (i.active ? button : holdButton)(text, move, { 'aria-label': `${text}: ${i.name}` });
}

const inputRow = (i) => ({ key: i.name, class: i.active ? 'on' : '', cells: [
  h('strong', null, i.name), word('point', i.kind),
  state(i.active ? 'bad' : 'off', t(i.active ? 'input.active' : 'input.rest')),
  h('span', null, state(QUALITY[i.quality], word('quality', i.quality)), i.why ? h('span', { class: 'small' }, ` ${i.why}`) : ''),
  i.value !== null && i.value !== undefined ? number(i.value, Number.isInteger(i.value) ? 0 : 2) : i.raw || '',
  when(i.changed), virtual(i)] });

const outputRow = (o) => ({ key: o.name, cells: [h('strong', null, o.name), word('point', o.kind || ''),
  state(o.active ? 'good' : 'off', t(o.active ? 'field.on' : 'field.off')),
  o.quality ? state(QUALITY[o.quality] || 'off', word('quality', o.quality)) : ''] });

const registered = (s) => state(s === 'registered' ? 'good' : 'bad', word('endpoint', s));

const endpointRow = (e) => ({ key: e.name, cells: [h('strong', null, e.name), e.extension || '', registered(e.state),
  span(e.since_s || 0), (e.contacts || []).map((c) => `${c.from} ${c.transport}`).join(', '),
  e.contacts?.[0]?.agent || ''] });

const accountRow = (a) => ({ key: a.name, cells: [h('strong', null, a.name), a.aor, registered(a.state), a.registrar || '',
  a.error || ''] });

function part(id, heads, rows, one) {
  return h('section', { 'aria-labelledby': `h-${id}`, key: id }, h('h2', { id: `h-${id}` }, t(`field.${id}`)),
    !rows ? h('p', { class: 'empty' }, t('loading')) : rows.length === 0 ? empty(`field.no-${id}`)
      : table(t(`field.${id}`), heads.map((k) => (k ? t(`head.${k}`) : '')), rows.map(one)));
}

export function build(e) {
  root = e;
}

export function leave() {
  root = null;
}

export function update() {
  if (!root) return;
  show(root,
    part('inputs', ['name', 'kind', 'state', 'quality', 'value', 'changed', 'act'], read('/inputs'), inputRow),
    part('endpoints', ['name', 'extension', 'state', 'for', 'where', 'agent'], read('/endpoints'), endpointRow),
    part('accounts', ['name', 'aor', 'state', 'registrar', 'error'], read('/accounts'), accountRow),
    part('outputs', ['name', 'kind', 'state', 'quality'], read('/outputs'), outputRow));
}
