// The bells to come: a week day by day, or a month with each day's bells on
// demand; in the schedule's own time, with what stays silent and why.

import { h, show } from '/ui/dom.js';
import { post } from '/ui/api.js';
import { ask, read, unwant, want } from '/ui/store.js';
import { count, day, t, weekday, when, word } from '/ui/text.js';
import { act, badge, button, empty, holdButton, mayAct, priorityWord } from '/ui/parts.js';
import * as changes from '/ui/changes.js';

const NEXT = '/schedules/next';
const SPANS = { week: `${NEXT}?days=7&all=true`, month: `${NEXT}?days=31` };
const DAY_MS = 86400000;

export const needs = changes.needs;
export const concerns = (path) => path.startsWith(NEXT);

let root = null;
let span = 'week';
let chosen = null; // a day of the month
let wanted = [];

/** What this view looks at now. */
function look() {
  const paths = [SPANS[span], ...(span === 'month' && chosen ? [`${NEXT}?date=${chosen}`] : [])];
  unwant(wanted);
  want(paths);
  wanted = paths;
}

function again() {
  wanted.forEach(ask);
}

async function order(r, verb, body, done) {
  if (await act(() => post(`/schedules/${encodeURIComponent(r.schedule)}/${verb}`, body), done)) again();
}

/* ---------------------------------------------------------------- a bell */

const rings = (r) => !r.verdict || r.verdict === 'rings';

/** The first that each schedule sounds: the one that can be left out or moved. */
function firsts(rows) {
  const seen = new Set();
  return new Set(rows.filter((r) => {
    if (!r.schedule || !rings(r) || seen.has(r.schedule)) return false;
    seen.add(r.schedule);
    return true;
  }));
}

function orders(r) {
  const id = `move-${r.schedule}`;
  const to = h('input', { id, type: 'datetime-local', value: r.local.slice(0, 16) });
  return h('details', { key: 'orders' }, h('summary', null, t('plan.change')),
    h('div', { class: 'actions' },
      holdButton(t('plan.skip'), () => order(r, 'skip', { count: 1 }, t('plan.skipped', { name: r.schedule, when: when(r.time) }))),
      holdButton(t('plan.run'), () => order(r, 'run', {}, t('plan.ran', { name: r.schedule })))),
    h('label', { for: id }, t('plan.move-to')), to,
    button(t('plan.move'), () => order(r, 'move', { from: r.time, to: root.querySelector(`#${CSS.escape(id)}`).value },
      t('plan.moved', { name: r.schedule }))));
}

function bell(r, mine) {
  return h('li', { key: `${r.schedule} ${r.time} ${r.verdict}`, class: `bell ${rings(r) ? '' : 'off'}` },
    h('div', null, h('strong', null, r.local.slice(11, 16)), ' ', r.schedule || t('plan.one-off'), ' ',
      !rings(r) && badge('warn', word('verdict', r.verdict))),
    h('div', { class: 'small' }, `${r.message || ''} · ${(r.zones || []).join(', ')} · ${priorityWord(r.priority)}`),
    r.why && (!rings(r) || !r.schedule) && h('div', { class: 'small' }, r.why),
    mine && mayAct() && orders(r));
}

function byDay(rows) {
  const days = new Map();
  for (const r of rows) {
    const d = r.local.slice(0, 10);
    days.set(d, [...(days.get(d) || []), r]);
  }
  return days;
}

/* ------------------------------------------------------------- the views */

function week(rows) {
  const first = firsts(rows);
  return h('div', { class: 'week', key: 'week' }, [...byDay(rows)].map(([d, bells]) =>
    h('section', { key: d, class: 'day', 'aria-label': day(d) }, h('h3', null, day(d)),
      h('ul', { class: 'plain' }, bells.map((r) => bell(r, first.has(r)))))));
}

const iso = (ms) => new Date(ms).toISOString().slice(0, 10);

function cell(d, bells) {
  const on = d === chosen;
  return h('li', { key: d }, button([h('strong', null, day(d)),
    h('span', { class: 'small' }, bells.length ? count('bells', bells.length) : t('plan.no-bell')),
    h('span', { class: 'small' }, bells.slice(0, 3).map((r) => r.local.slice(11, 16)).join(' '), bells.length > 3 ? ' …' : '')],
  () => {
    chosen = on ? null : d;
    look();
    update();
  }, { class: `cell ${on ? 'chosen' : ''}`, 'aria-expanded': on }));
}

function month(rows) {
  const days = byDay(rows);
  const from = Date.parse(`${[...days.keys()][0]}T00:00:00Z`);
  const to = Date.parse(`${[...days.keys()].at(-1)}T00:00:00Z`);
  const lead = (new Date(from).getUTCDay() + 6) % 7; // weeks begin on Monday
  const cells = [];
  for (let i = 0; i < lead; i++) cells.push(h('li', { key: `before ${i}`, 'aria-hidden': 'true' }));
  for (let ms = from; ms <= to; ms += DAY_MS) cells.push(cell(iso(ms), days.get(iso(ms)) || []));
  const one = chosen && read(`${NEXT}?date=${chosen}`);
  return h('div', { key: 'month' },
    h('div', { class: 'weekdays', 'aria-hidden': 'true' }, [1, 2, 3, 4, 5, 6, 7].map((n) => h('span', null, weekday(n)))),
    h('ul', { class: 'plain month' }, cells),
    chosen && h('section', { class: 'day', 'aria-label': day(chosen) }, h('h3', null, day(chosen)),
      !one ? h('p', { class: 'empty' }, t('loading'))
        : one.length ? h('ul', { class: 'plain' }, one.map((r) => bell(r, false))) : empty('plan.no-bell')));
}

function tab(name) {
  return button(t(`plan.${name}`), () => {
    span = name;
    look();
    update();
  }, { key: name, class: `tab ${span === name ? 'chosen' : ''}`, 'aria-pressed': span === name });
}

export function build(e) {
  root = e;
  look();
}

export function leave() {
  unwant(wanted);
  wanted = [];
  changes.leave();
  root = null;
}

export function update() {
  if (!root) return;
  const rows = read(SPANS[span]);
  show(root, h('section', { 'aria-labelledby': 'h-plan' }, h('h2', { id: 'h-plan' }, t('plan.title')),
    h('div', { class: 'tabs short', role: 'group', 'aria-label': t('plan.title') }, Object.keys(SPANS).map(tab)),
    !rows ? h('p', { class: 'empty' }, t('loading')) : rows.length === 0 ? empty('plan.none')
      : span === 'week' ? week(rows) : month(rows)),
  changes.section(again));
}
