// The console as a whole: log in, choose a screen, keep it true.

import { h, show } from '/ui/dom.js';
import { login, logout, session, whenLoggedOut } from '/ui/api.js';
import { listen, quiet } from '/ui/live.js';
import { ask, askAll, forget, heard, read, unwant, want, whenChanged } from '/ui/store.js';
import { LANGUAGES, language, setLanguage, t, count } from '/ui/text.js';
import { act, button, forgetToast, hush, me } from '/ui/parts.js';
import { watchHolds } from '/ui/hold.js';
import * as now from '/ui/now.js';
import * as talk from '/ui/talk.js';
import * as calls from '/ui/calls.js';
import * as plan from '/ui/plan.js';
import * as journal from '/ui/journal.js';
import * as field from '/ui/field.js';
import * as sounds from '/ui/sounds.js';

const SCREENS = { now, talk, calls, plan, sounds, field, journal };
/** What the bar at the top needs on every screen. */
const BAR = ['/status', '/faults', '/alarms', '/calls'];
/** Everything is asked for again so often, whatever was heard; it also keeps
 *  the session of a console that nobody touches. */
const RESYNC_MS = 60000;
const THEMES = ['auto', 'light', 'dark'];
const THEME = 'tocsin.theme';

const app = document.querySelector('#app');
let screen = null;
let connected = false;
let lost = false; // was connected once, and is not now
let bar = null;
let lamps = null;
let nav = null;

/* ----------------------------------------------------------------- looks */

const theme = () => (THEMES.includes(localStorage.getItem(THEME)) ? localStorage.getItem(THEME) : 'auto');

function dress() {
  document.documentElement.lang = language();
  if (theme() === 'auto') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.dataset.theme = theme();
}

const select = (id, label, values, value, on) =>
  h('label', { class: 'pick', for: id }, h('span', { class: 'hidden' }, label),
    h('select', { id, onchange: (ev) => on(ev.target.value) },
      values.map(([v, text]) => h('option', { value: v, selected: v === value }, text))));

function looks(redraw) {
  return [
    select('language', t('language'), Object.entries(LANGUAGES), language(), (v) => {
      setLanguage(v);
      redraw();
    }),
    select('theme', t('theme'), THEMES.map((x) => [x, t(`theme.${x}`)]), theme(), (v) => {
      localStorage.setItem(THEME, v);
      dress();
    }),
  ];
}

/* ---------------------------------------------------------------- log in */

function door(message) {
  quiet();
  leave();
  forget();
  forgetToast();
  lost = false;
  dress();
  const user = h('input', { id: 'user', required: true, autocomplete: 'username', autocapitalize: 'none', maxlength: 255 });
  const password = h('input', { id: 'password', type: 'password', required: true, autocomplete: 'current-password', maxlength: 255 });
  const said = h('p', { role: 'alert', class: 'bad' }, message || '');
  const enter = h('button', { class: 'big primary' }, t('login.enter'));
  const form = h('form', { onsubmit: async (ev) => {
    ev.preventDefault();
    enter.disabled = true;
    said.textContent = '';
    try {
      await login(user.value, password.value);
      await begin();
    } catch (e) {
      said.textContent = e.status === 401 ? t('login.wrong') : e.status === 429 ? t('login.wait')
        : e.status ? e.message : t('login.away');
      password.value = '';
      password.focus();
    }
    enter.disabled = false;
  } }, h('label', { for: 'user' }, t('login.user')), user,
  h('label', { for: 'password' }, t('login.password')), password, said, enter);
  app.replaceChildren(h('main', { class: 'door' }, h('h1', null, h('img', { src: '/ui/icon.svg', alt: '', width: 48, height: 48 }), 'Tocsin'),
    form, h('div', { class: 'looks' }, looks(() => door(said.textContent)))));
  document.title = `Tocsin · ${t('login.enter')}`;
  user.focus();
}

/* ------------------------------------------------------------------ frame */

const chosen = () => {
  const name = location.hash.slice(1);
  return SCREENS[name] ? name : 'now';
};

function drawBar() {
  if (!bar) return;
  const s = read('/status');
  const alarms = (read('/alarms') || []).filter((a) => a.state !== 'normal').length;
  const faults = (read('/faults') || []).length;
  const help = (read('/calls') || []).filter((c) => c.kind === 'help' && !c.operator).length;
  document.title = `${alarms || faults ? `(${alarms + faults}) ` : ''}${t(`screen.${chosen()}`)} · ${s?.site || 'Tocsin'}`;
  const inhibited = (read('/alarms') || []).filter((a) => a.inhibited_until).length;
  const tests = s?.walk_tests || 0;
  const lamp = (kind, n, key, to) => n > 0 && h('a', { href: to, class: `lamp ${kind}`, key }, count(key, n));
  show(bar,
    h('h1', { class: 'site' }, s?.site || 'Tocsin'),
    s?.mode && h('span', { class: 'badge' }, t('bar.mode', { mode: s.mode })));
  show(lamps,
    lost && h('span', { class: 'lamp bad' }, t('bar.lost')),
    lamp('bad', alarms, 'alarms', '#now'), lamp('bad', help, 'help-calls', '#calls'), lamp('warn', faults, 'faults', '#now'),
    lamp('warn', inhibited, 'inhibited', '#now'), lamp('warn', tests, 'walk-tests', '#journal'),
    !lost && connected && !alarms && !faults && !help && !inhibited && !tests && h('span', { class: 'lamp good' }, t('bar.well')));
}

function drawNav() {
  const at = chosen();
  show(nav, Object.keys(SCREENS).map((name) =>
    h('a', { href: `#${name}`, key: name, 'aria-current': name === at ? 'page' : false }, t(`screen.${name}`))));
}

function leave() {
  if (!screen) return;
  SCREENS[screen].leave();
  unwant(SCREENS[screen].needs);
  screen = null;
}

function enter() {
  const main = document.querySelector('main');
  if (!main || !nav) return;
  const name = chosen();
  if (name === screen) return;
  leave();
  screen = name;
  main.replaceChildren();
  want(SCREENS[name].needs);
  SCREENS[name].build(main);
  SCREENS[name].update();
  scrollTo(0, 0);
  drawNav();
  drawBar();
}

function frame() {
  leave();
  forgetToast();
  dress();
  bar = h('div', { class: 'bar' });
  lamps = h('div', { class: 'lamps', role: 'status' });
  nav = h('nav', { 'aria-label': t('screens') });
  app.replaceChildren(
    h('a', { href: '#main', class: 'skip', onclick: (ev) => {
      ev.preventDefault();
      document.querySelector('main').focus();
    } }, t('skip')),
    h('header', { class: 'top' }, bar,
      h('div', { class: 'looks' }, looks(frame), h('span', { class: 'who' }, `${me.actor.replace('user:', '')} (${t(`role.${me.role}`)})`),
        button(t('logout'), async () => {
          if (await act(logout)) door();
        }))),
    h('div', { class: 'strip' }, nav, lamps), h('main', { id: 'main', tabindex: -1 }),
    h('div', { id: 'said', role: 'alert' }));
  drawBar();
  enter();
}

async function begin() {
  const s = await session();
  if (!s) {
    door();
    return;
  }
  Object.assign(me, { actor: s.actor, role: s.role, zones: s.zones || null });
  frame();
  want(BAR);
  listen({
    up() {
      connected = true;
      lost = false;
      document.body.removeAttribute('data-lost');
      askAll();
      drawBar();
    },
    down() {
      lost = true;
      // What is on the screen is old now, and must look it.
      document.body.dataset.lost = '';
      drawBar();
    },
    event(type) {
      heard(type);
      SCREENS[screen]?.heard?.(type);
    },
    refused: () => door(t('login.over')),
  });
}

whenLoggedOut(() => door(t('login.over')));
whenChanged((path) => {
  if (BAR.includes(path)) drawBar();
  if (screen && (SCREENS[screen].needs.includes(path) || SCREENS[screen].concerns?.(path))) SCREENS[screen].update();
});
addEventListener('hashchange', enter);
addEventListener('keydown', (ev) => {
  if (ev.key === 'Escape') hush();
});
setInterval(() => {
  if (screen) {
    askAll();
    ask('/status');
  }
}, RESYNC_MS);
watchHolds();
begin().catch((e) => door(e.message));
