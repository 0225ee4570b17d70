// What is wrong and what sounds: faults and alarms first, then the zones.

import { h, show } from '/ui/dom.js';
import { del, get, post } from '/ui/api.js';
import { ask, read } from '/ui/store.js';
import { count, span, t, when, word } from '/ui/text.js';
import * as tune from '/ui/tune.js';
import { EMERGENCY, act, badge, button, empty, holdButton, items, list, mayAct, meter, narrow, narrowed, priorityWord, state } from '/ui/parts.js';

export const needs = ['/faults', '/alarms', '/inputs', '/broadcasts', '/zones', '/summons', ...tune.needs];

const LEVELS_MS = 1000;
let root = null;
let timer = null;
const by = { text: '' };
const causes = new Map(); // alarm and since -> the event that began it

/* ---------------------------------------------------------------- alarms */

const raised = (a) => a.state !== 'normal';
const sign = (a) => ({ active: 'bad', latched: 'warn', acknowledged: 'warn', 'latched-acknowledged': 'warn' })[a.state];

/** What the journal has as the cause of an alarm: the event that led to it. */
async function learnCause(a, key) {
  const subject = encodeURIComponent(`alarm:${a.name}`);
  const [began] = await get(`/journal?type=alarm.active&limit=1&subject=${subject}`);
  const [led] = began?.cause ? await get(`/journal?after=${began.cause - 1}&limit=1`) : [];
  causes.set(key, led || began || null);
  update();
}

function causeOf(a) {
  const key = `${a.name} ${a.since}`;
  if (!causes.has(key)) {
    causes.set(key, null);
    learnCause(a, key).catch(() => causes.delete(key));
  }
  return causes.get(key);
}

function inputsOf(a) {
  const inputs = read('/inputs') || [];
  return (a.inputs || []).map((name) => {
    const i = inputs.find((x) => x.name === name);
    const odd = i && i.quality !== 'good';
    return state(odd ? 'warn' : i?.active ? 'bad' : 'off',
      `${name}: ${odd ? word('quality', i.quality) : t(i?.active ? 'input.active' : 'input.rest')}`);
  });
}

async function order(a, verb, done) {
  await act(() => post(`/alarms/${encodeURIComponent(a.name)}/${verb}`), done);
  ask('/alarms');
}

/** Of a phased evacuation: on with it, or stop its time. */
const phaseOrders = (a) => h('div', { class: 'actions' },
  a.phase.number < a.phase.of && holdButton(t('alarm.advance'), () => order(a, 'advance')),
  button(t(a.phase.held ? 'alarm.release' : 'alarm.hold'), () => order(a, a.phase.held ? 'release' : 'hold')));

function alarmCard(a) {
  const why = causeOf(a);
  const acked = a.state.endsWith('acknowledged');
  return h('article', { class: `card ${sign(a)}`, key: a.name, 'aria-label': t('alarm.of', { name: a.name }) },
    h('header', null, h('h3', null, a.name), state(sign(a), word('alarm', a.state)),
      a.inhibited_until && badge('warn', t('alarm.inhibited', { until: when(a.inhibited_until) }))),
    h('p', null, t('since', { when: when(a.since) }), a.actor ? ` · ${a.actor}` : ''),
    why && h('p', { class: 'why' }, t('alarm.why', { what: why.text })),
    h('p', { class: 'states' }, inputsOf(a)),
    a.phase?.name && h('p', null, t('alarm.phase', { name: a.phase.name, number: a.phase.number, of: a.phase.of }),
      a.phase.held ? ` · ${t('alarm.phase-held')}` : a.phase.left_s ? ` · ${t('alarm.phase-left', { time: span(a.phase.left_s) })}` : ''),
    h('p', { class: a.cause ? 'strong' : '' }, t(a.cause ? 'alarm.cause-there' : 'alarm.cause-gone')),
    a.phase?.name && mayAct() && phaseOrders(a),
    mayAct() && h('div', { class: 'actions' },
      button(t('alarm.ack'), () => order(a, 'ack', t('alarm.acked', { name: a.name })), { class: 'big', disabled: acked }),
      holdButton(t('alarm.reset'), () => order(a, 'reset', t('alarm.was-reset', { name: a.name })),
        { class: 'big danger', disabled: a.cause })));
}

const HOURS = ['30m', '2h', '8h'];

function quietAlarm(a) {
  return h('details', { key: a.name, class: 'row' },
    h('summary', null, h('span', { class: 'name' }, a.name), state('off', word('alarm', a.state)),
      a.inhibited_until && badge('warn', t('alarm.inhibited', { until: when(a.inhibited_until) })),
      a.excluded && badge('', t('alarm.excluded'))),
    h('p', { class: 'states' }, inputsOf(a)),
    mayAct() && h('div', { class: 'actions' },
      holdButton(t('alarm.trigger'), () => order(a, 'trigger', t('alarm.triggered', { name: a.name })), { class: 'danger' }),
      a.inhibited_until
        ? button(t('alarm.enable'), () => order(a, 'enable'))
        : HOURS.map((d) => holdButton(t('alarm.inhibit', { for: t(`for.${d}`) }),
          () => act(() => post(`/alarms/${encodeURIComponent(a.name)}/inhibit`, { for: d }))))));
}

function faultRow(f) {
  return h('li', { key: f.fault, class: `card ${f.grade === 'fault' ? 'bad' : 'warn'}` },
    h('header', null, h('strong', null, f.text), state(f.grade === 'fault' ? 'bad' : 'warn', word('grade', f.grade))),
    f.remedy && h('p', null, t('fault.do', { what: f.remedy })),
    h('p', { class: 'small' }, `${f.fault} · ${t('since', { when: when(f.since) })}`));
}

const SHOWN_FAULTS = 6;

/** The first (the oldest, which often led to the others), the rest on demand. */
function faultList(faults) {
  const part = (rows) => h('ul', { class: 'plain cards', 'aria-label': t('now.faults') }, rows.map(faultRow));
  return [faults.length > 0 && part(faults.slice(0, SHOWN_FAULTS)),
    faults.length > SHOWN_FAULTS && h('details', { key: 'more-faults', class: 'row' },
      h('summary', null, t('now.more-faults', { n: faults.length - SHOWN_FAULTS })), part(faults.slice(SHOWN_FAULTS)))];
}

/* ----------------------------------------------------------------- sounds */

export async function stop(b) {
  if (await act(() => del(`/broadcasts/${b.id}`), t('stopped', { what: b.what }))) ask('/broadcasts');
}

export function broadcastCard(b) {
  const urgent = b.level >= EMERGENCY;
  const end = urgent ? holdButton : button;
  return h('article', { class: `card ${urgent ? 'bad' : 'on'}`, key: b.id, 'aria-label': b.what },
    h('header', null, h('h3', null, b.what), state(urgent ? 'bad' : 'good', word('broadcast', b.state)),
      badge('', priorityWord(b.priority))),
    h('p', null, `${b.zones.join(', ')} · ${b.actor} · ${t('since', { when: when(b.since) })}`),
    b.cause && h('p', { class: 'why' }, b.cause),
    mayAct() && h('div', { class: 'actions' }, end(t('stop'), () => stop(b), { class: 'big' })));
}

function owner(z) {
  const b = z.playing;
  if (!b) return h('span', { class: 'muted' }, z.waiting?.length ? t('zone.waits') : t('silent'));
  return [h('strong', null, b.what || b.message || `#${b.id ?? b}`), b.actor ? ` · ${b.actor}` : ''];
}

function zoneCard(z) {
  const b = z.playing;
  return h('li', { class: `zone ${b ? (b.level >= EMERGENCY ? 'bad' : 'on') : ''}`, key: z.name },
    h('div', { class: 'zone-head' }, h('strong', { class: 'name' }, z.name),
      b && badge('', priorityWord(b.priority)),
      z.quiet && badge('', t('zone.quiet'))),
    h('div', { class: 'owner' }, owner(z)),
    meter(z.level_dbfs, t('zone.level', { zone: z.name })),
    h('div', { class: 'small' }, count('outputs', z.outputs), z.extension ? ` · ${t('zone.dial', { number: z.extension })}` : ''),
    tune.volume(z));
}

function summonRow(s) {
  return h('li', { key: `${s.about}${s.operators}`, class: 'card warn' },
    t('summons.row', { about: s.about, who: s.operators, state: word('summons', s.state) }),
    s.taken_by ? ` · ${s.taken_by}` : '');
}

/* ------------------------------------------------------------------- all */

function levels() {
  if (!document.hidden && (read('/zones') || []).some((z) => z.playing)) ask('/zones');
}

export function build(e) {
  root = e;
  timer = setInterval(levels, LEVELS_MS);
}

export function leave() {
  clearInterval(timer);
  root = null;
}

export function update() {
  if (!root) return;
  const alarms = read('/alarms');
  const up = (alarms || []).filter(raised);
  const faults = read('/faults');
  const sounds = read('/broadcasts');
  const well = faults && alarms && !faults.length && !up.length;

  show(root,
    h('section', { 'aria-labelledby': 'h-alarms', key: 'alarms' }, h('h2', { id: 'h-alarms' }, t('now.alarms')),
      well ? h('p', { class: 'well', role: 'status' }, state('good', t('now.well')))
        : [up.length > 0 && h('div', { class: 'cards', key: 'up' }, up.map(alarmCard)),
          faultList(faults || [])],
      (read('/summons') || []).length > 0 &&
        h('ul', { class: 'plain', 'aria-label': t('now.summons'), key: 'summons' }, read('/summons').map(summonRow))),
    h('section', { 'aria-labelledby': 'h-sounds', key: 'sounds' }, h('h2', { id: 'h-sounds' }, t('now.sounds')),
      h('div', { class: 'cards' }, list(sounds, 'now.no-sound', broadcastCard))),
    h('section', { 'aria-labelledby': 'h-zones', key: 'zones' }, h('h2', { id: 'h-zones' }, t('now.zones')),
      narrow('now-narrow', by, read('/zones'), update),
      items('zones', narrowed(by, read('/zones')), 'now.no-zone', zoneCard)),
    h('section', { 'aria-labelledby': 'h-quiet', key: 'quiet' }, h('h2', { id: 'h-quiet' }, t('now.quiet-alarms')),
      alarms && alarms.length === up.length ? empty('now.none-quiet')
        : list(alarms?.filter((a) => !raised(a)), 'now.none-quiet', quietAlarm)),
    tune.modes(), tune.music());
}
