// To sound something: where, what, how urgent.

import { h, show } from '/ui/dom.js';
import { post } from '/ui/api.js';
import { ask, read } from '/ui/store.js';
import { count, t, word } from '/ui/text.js';
import { EMERGENCY, PRIORITIES, act, button, empty, holdButton, list, me, narrow, narrowed, priorityWord } from '/ui/parts.js';
import { broadcastCard } from '/ui/now.js';

export const needs = ['/zones', '/messages', '/tones', '/broadcasts'];

const MAX_WORDS = 1000; // bytes, as the API says
const zones = new Set();
const chosen = { kind: 'message', message: '', tone: '', text: '', voice: '', priority: 'page', repeat: '' };
const by = { where: { text: '' }, what: { text: '' } };
let parts = null;
let busy = false;

const level = () => PRIORITIES.find(([name]) => name === chosen.priority)[1];
const mine = (z) => !me.zones || me.zones.includes(z.name);
const bytes = (s) => new TextEncoder().encode(s).length;

function toggle(name) {
  if (!zones.delete(name)) zones.add(name);
  update();
}

function zoneButton(z) {
  const on = zones.has(z.name);
  return button(h('span', null, h('span', { class: 'mark', 'aria-hidden': 'true' }, on ? '☑ ' : '☐ '), z.name,
    z.playing && h('span', { class: 'small' }, ` ${t('talk.busy', { what: z.playing.what || '' })}`)),
  () => toggle(z.name), { key: z.name, class: `choice ${on ? 'chosen' : ''}`, 'aria-pressed': on });
}

function pick(kind, name, sub) {
  const on = chosen[kind] === name;
  return button(h('span', null, name, sub && h('span', { class: 'small' }, ` ${sub}`)), () => {
    chosen[kind] = on ? '' : name;
    update();
  }, { key: name, class: `choice ${on ? 'chosen' : ''}`, 'aria-pressed': on });
}

function kindTab(kind) {
  return button(t(`talk.${kind}`), () => {
    chosen.kind = kind;
    update();
  }, { key: kind, class: `tab ${chosen.kind === kind ? 'chosen' : ''}`, 'aria-pressed': chosen.kind === kind });
}

function priorityButton([name, n]) {
  const on = chosen.priority === name;
  return button(priorityWord(name), () => {
    chosen.priority = name;
    update();
  }, { key: name, class: `choice ${on ? 'chosen' : ''} ${n >= EMERGENCY ? 'urgent' : ''}`, 'aria-pressed': on });
}

/** What keeps it from being sent; '' when nothing does. */
function lacking() {
  if (!zones.size) return t('talk.no-zone');
  if (!chosen[chosen.kind].trim()) return t(`talk.no-${chosen.kind}`);
  if (chosen.kind === 'text' && bytes(chosen.text) > MAX_WORDS) return t('talk.too-long', { max: MAX_WORDS });
  return '';
}

async function send() {
  const body = { zones: [...zones], priority: chosen.priority, [chosen.kind]: chosen[chosen.kind].trim() };
  if (chosen.kind === 'text' && chosen.voice.trim()) body.voice = chosen.voice.trim();
  if (chosen.repeat) body.repeat = Number(chosen.repeat);
  busy = true;
  update();
  let answer = null;
  const ok = await act(async () => { answer = await post('/broadcasts', body); });
  busy = false;
  if (ok) await act(async () => { if (answer.warning) throw new Error(answer.warning); },
    t('talk.sent', { what: answer.what, zones: answer.zones.join(', ') }));
  ask('/broadcasts');
  update();
}

/** In words, before it is done. */
function summary() {
  const what = chosen.kind === 'text' ? `"${chosen.text.trim()}"` : chosen[chosen.kind];
  return `${priorityWord(chosen.priority)}: ${what} → ${[...zones].join(', ')}`;
}

function sendButton() {
  const why = lacking();
  const urgent = level() >= EMERGENCY;
  const text = busy ? t('talk.sending') : urgent ? t('talk.send-hold', { zones: count('zones', zones.size) })
    : t('talk.send', { zones: count('zones', zones.size) });
  const props = { class: `huge ${urgent ? 'danger' : 'primary'}`, disabled: !!why || busy, 'aria-describedby': 'talk-why',
    key: urgent ? 'hold' : 'press' };
  return [urgent ? holdButton(text, send, props) : button(text, send, props),
    h('p', { id: 'talk-why', role: 'status' }, why || summary())];
}

function words() {
  const area = h('textarea', { id: 'talk-text', rows: 4, placeholder: t('talk.text-hint'),
    oninput: (ev) => { chosen.text = ev.target.value; update(); } });
  area.value = chosen.text;
  const voice = h('input', { id: 'talk-voice', maxlength: 20, autocomplete: 'off', placeholder: 'en',
    oninput: (ev) => { chosen.voice = ev.target.value; } });
  voice.value = chosen.voice;
  return h('div', { key: 'text' }, h('label', { for: 'talk-text' }, t('talk.text-label')), area,
    h('label', { for: 'talk-voice' }, t('talk.voice')), voice);
}

function repeats() {
  const select = h('select', { id: 'talk-repeat', onchange: (ev) => { chosen.repeat = ev.target.value; } },
    [['', t('talk.repeat-own')], ['1', '1 ×'], ['2', '2 ×'], ['3', '3 ×'], ['5', '5 ×'], ['10', '10 ×']]
      .map(([v, s]) => h('option', { value: v, selected: chosen.repeat === v }, s)));
  return h('div', { key: 'repeat' }, h('label', { for: 'talk-repeat' }, t('talk.repeat')), select);
}

function what() {
  if (chosen.kind === 'text') return words();
  if (chosen.kind === 'tone')
    return h('div', { class: 'choices', key: 'tone' },
      list(read('/tones'), 'talk.no-tones', (x) => pick('tone', x.name, x.title)));
  return [narrow('talk-messages', by.what, read('/messages'), update), h('div', { class: 'choices', key: 'message' },
    list(narrowed(by.what, read('/messages')), 'talk.no-messages', (m) => pick('message', m.name,
      m.state === 'ready' ? '' : word('message', m.state))))];
}

export function build(e) {
  parts = e;
}

export function leave() {
  parts = null;
}

export function update() {
  if (!parts) return;
  const all = (read('/zones') || []).filter(mine);
  for (const name of zones) if (read('/zones') && !all.some((z) => z.name === name)) zones.delete(name);
  show(parts,
    me.role === 'viewer' ? h('p', { class: 'empty' }, t('viewer'))
      : h('div', { class: 'talk' },
        h('section', { 'aria-labelledby': 'h-where' }, h('h2', { id: 'h-where' }, t('talk.where')),
          narrow('talk-zones', by.where, all, update),
          h('div', { class: 'choices' }, read('/zones') ? narrowed(by.where, all).map(zoneButton) : t('loading')),
          all.length === 0 && read('/zones') && empty('now.no-zone'),
          zones.size > 0 && button(t('talk.none'), () => { zones.clear(); update(); }, { key: 'none' })),
        h('section', { 'aria-labelledby': 'h-what' }, h('h2', { id: 'h-what' }, t('talk.what')),
          h('div', { class: 'tabs', role: 'group', 'aria-label': t('talk.what') }, ['message', 'text', 'tone'].map(kindTab)),
          what(), repeats()),
        h('section', { 'aria-labelledby': 'h-urgent' }, h('h2', { id: 'h-urgent' }, t('talk.priority')),
          h('div', { class: 'choices' }, PRIORITIES.map(priorityButton)))),
    me.role !== 'viewer' && h('section', { class: 'send', 'aria-label': t('talk.summary'), key: 'send' }, sendButton()),
    h('section', { 'aria-labelledby': 'h-on', key: 'on' }, h('h2', { id: 'h-on' }, t('now.sounds')),
      h('div', { class: 'cards' }, list(read('/broadcasts'), 'now.no-sound', broadcastCard))));
}
