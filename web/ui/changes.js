// One-off changes of the plan: those there are, an extra bell, days of another
// type.

import { h } from '/ui/dom.js';
import { del, post } from '/ui/api.js';
import { ask, read } from '/ui/store.js';
import { day, t, word } from '/ui/text.js';
import { act, button, list, mayAct, table } from '/ui/parts.js';

const CHANGES = '/schedule-changes';
export const needs = [CHANGES, '/messages', '/zones', '/calendars'];

const form = { at: '', message: '', zone: '', type: '', first: '', last: '' };

const what = (c) => ({
  bell: () => t('change.bell', { message: c.message, zones: (c.zones || []).join(', '), when: c.local }),
  move: () => t('change.move', { name: c.schedule, from: c.from_local || c.from, to: c.local }),
  'day-type': () => t('change.day-type', { type: c.day_type, first: day(c.first), last: day(c.last) }),
})[c.kind]();

function row(c, done) {
  return { key: c.id, cells: [word('change-kind', c.kind), what(c), c.actor,
    mayAct() ? button(t('change.undo'), () => act(() => del(`${CHANGES}/${c.id}`), t('change.undone')).then(() => {
      ask(CHANGES);
      done();
    }), { 'aria-label': `${t('change.undo')}: ${what(c)}` }) : ''] };
}

/** A field that keeps what was entered over a redraw. */
function entry(name, label, tag, props, options) {
  const id = `change-${name}`;
  return h('div', { key: name }, h('label', { for: id }, label),
    h(tag, { id, value: tag === 'input' ? form[name] : undefined, onchange: (ev) => { form[name] = ev.target.value; }, ...props },
      options?.map((o) => h('option', { value: o, selected: form[name] === o }, o || t('choose')))));
}

async function add(path, body, done) {
  if (!(await act(() => post(`${CHANGES}/${path}`, body), t('change.added')))) return;
  ask(CHANGES);
  done();
}

const names = (path) => ['', ...(read(path) || []).map((x) => x.name)];
const types = () => ['', 'normal', ...new Set((read('/calendars') || []).map((c) => c.day_type).filter(Boolean))];

function forms(done) {
  return [
    h('form', { class: 'search', key: 'bell', onsubmit: (ev) => {
      ev.preventDefault();
      add('bell', { at: form.at, message: form.message, zones: [form.zone] }, done);
    } }, h('h3', null, t('change.extra-bell')),
    entry('at', t('change.at'), 'input', { type: 'datetime-local', required: true }),
    entry('message', t('talk.message'), 'select', { required: true }, names('/messages')),
    entry('zone', t('calls.zone'), 'select', { required: true }, names('/zones')),
    h('button', { class: 'big' }, t('change.add'))),
    types().length > 2 && h('form', { class: 'search', key: 'type', onsubmit: (ev) => {
      ev.preventDefault();
      add('day-type', { type: form.type, first: form.first, ...(form.last ? { last: form.last } : {}) }, done);
    } }, h('h3', null, t('change.other-days')),
    entry('type', t('change.type'), 'select', { required: true }, types()),
    entry('first', t('change.first'), 'input', { type: 'date', required: true }),
    entry('last', t('change.last'), 'input', { type: 'date' }),
    h('button', { class: 'big' }, t('change.add'))),
  ];
}

export function leave() {
  for (const k of Object.keys(form)) form[k] = '';
}

export function section(done) {
  const rows = read(CHANGES);
  return h('section', { 'aria-labelledby': 'h-changes', key: 'changes' }, h('h2', { id: 'h-changes' }, t('change.title')),
    rows?.length ? table(t('change.title'), [t('head.kind'), t('journal.type'), t('change.who'), t('head.act')], rows.map((c) => row(c, done)))
      : list(rows, 'change.none'),
    mayAct() && forms(done));
}
