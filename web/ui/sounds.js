// The message library: what there is, how loud, how it sounds; uploads.

import { h, show } from '/ui/dom.js';
import { audioOf, put } from '/ui/api.js';
import { ask, read } from '/ui/store.js';
import { number, span, t, word } from '/ui/text.js';
import { forgetVersions, versions } from '/ui/versions.js';
import { act, button, items, mayAct, state } from '/ui/parts.js';

export const needs = ['/messages'];

const WAVE_POINTS = 200;
const waves = new Map(); // name and version -> points of -1..1, or an error
let root = null;
let body = null;
let audio = null;

/** The peaks of a message's sound, in equal pieces. */
async function peaks(bytes) {
  const context = new OfflineAudioContext(1, 1, 48000);
  const sound = await context.decodeAudioData(bytes);
  const data = sound.getChannelData(0);
  const step = Math.max(1, Math.floor(data.length / WAVE_POINTS));
  const points = [];
  for (let i = 0; i + step <= data.length && points.length < WAVE_POINTS; i += step) {
    let top = 0;
    for (let k = i; k < i + step; k++) top = Math.max(top, Math.abs(data[k]));
    points.push(top);
  }
  return points;
}

async function wave(m) {
  const key = `${m.name} ${m.etag || m.version || 0}`;
  if (waves.has(key)) return;
  waves.set(key, []);
  try {
    const r = await fetch(audioOf(m.name), { cache: 'no-store' });
    if (!r.ok) throw new Error(`HTTP ${r.status}`);
    waves.set(key, await peaks(await r.arrayBuffer()));
  } catch (e) {
    waves.delete(key);
    console.warn(m.name, e.message);
  }
  draw();
}

const SVG = 'http://www.w3.org/2000/svg';

function picture(points, name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 -1 ${WAVE_POINTS} 2`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'wave');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', t('sounds.wave', { name }));
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', points.map((p, i) => `M${i} ${-Math.max(p, 0.01).toFixed(3)}V${Math.max(p, 0.01).toFixed(3)}`).join(''));
  svg.append(path);
  return svg;
}

function play(m, url = audioOf(m.name)) {
  audio ??= new Audio();
  if (!audio.paused && audio.dataset.url === url) {
    audio.pause();
    return;
  }
  audio.dataset.name = m.name;
  audio.dataset.url = url;
  audio.src = url;
  audio.onplay = audio.onpause = audio.onended = draw;
  act(() => audio.play());
}

const playing = (m) => audio && !audio.paused && !audio.ended && audio.dataset.name === m.name;

function card(m) {
  const points = waves.get(`${m.name} ${m.etag || m.version || 0}`);
  return h('li', { class: `card ${m.state === 'ready' ? '' : 'warn'}`, key: m.name },
    h('header', null, h('h3', null, m.name), state(m.state === 'ready' ? 'good' : 'warn', word('message', m.state))),
    m.problem && h('p', { class: 'why' }, m.problem),
    h('p', null, [m.duration_ms ? span(m.duration_ms / 1000) : '',
      m.lufs !== null && m.lufs !== undefined ? `${number(m.lufs, 1)} LUFS` : '',
      m.peak_dbtp !== null && m.peak_dbtp !== undefined ? `${number(m.peak_dbtp, 1)} dBTP` : '',
      m.repeat !== undefined ? t('sounds.repeat', { n: word('repeat', String(m.repeat)) }) : '',
      m.version ? t('sounds.version', { n: m.version, who: m.upload?.actor || '' }) : ''].filter(Boolean).join(' · ')),
    points?.length ? picture(points, m.name) : '',
    h('div', { class: 'actions' },
      button(t(playing(m) ? 'sounds.pause' : 'sounds.play'), () => { wave(m); play(m); },
        { class: 'big', 'aria-label': `${t(playing(m) ? 'sounds.pause' : 'sounds.play')}: ${m.name}` }),
      button(t('sounds.show-wave'), () => wave(m), { 'aria-label': `${t('sounds.show-wave')}: ${m.name}` })),
    versions(m, draw, play));
}

function uploadForm() {
  const name = h('input', { id: 'up-name', required: true, maxlength: 64, autocomplete: 'off' });
  const file = h('input', { id: 'up-file', type: 'file', required: true, accept: 'audio/*,.wav,.flac,.ogg,.mp3' });
  const send = h('button', { class: 'big primary' }, t('sounds.upload'));
  return h('form', { class: 'search', onsubmit: async (ev) => {
    ev.preventDefault();
    const f = file.files[0];
    send.disabled = true;
    const ok = await act(() => put(`/messages/${encodeURIComponent(name.value.trim())}`, f,
      f.type.startsWith('audio/') ? f.type : 'application/octet-stream'), t('sounds.uploaded', { name: name.value.trim() }));
    send.disabled = false;
    if (ok) ev.target.reset();
    ask('/messages');
  } }, h('div', null, h('label', { for: 'up-name' }, t('sounds.name')), name),
  h('div', null, h('label', { for: 'up-file' }, t('sounds.file')), file), send);
}

function draw() {
  if (!root) return;
  show(body, items('cards', read('/messages'), 'sounds.none', card));
}

export function build(e) {
  root = e;
  body = h('div');
  show(root, h('section', { 'aria-labelledby': 'h-sounds' }, h('h2', { id: 'h-sounds' }, t('sounds.title')),
    mayAct() && uploadForm(), body));
}

export function leave() {
  audio?.pause();
  forgetVersions();
  root = null;
}

export function update() {
  draw();
}
