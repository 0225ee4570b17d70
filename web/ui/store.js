// What the daemon last said of each list, and who wants to know. An event says
// which lists to ask for anew; nothing is worked out here a second time.

import { get } from '/ui/api.js';

const GATHER_MS = 60;
const APART_MS = 400;
const BUSY_MS = 1000;

/** Lists, and the events after which they are another. */
const LISTS = {
  '/status': ['mode.', 'config.', 'mqtt.', 'walktest.'],
  '/faults': ['fault.', 'config.'],
  '/alarms': ['alarm.', 'input.', 'config.', 'mode.', 'broadcast.', 'help.'],
  '/broadcasts': ['broadcast.', 'call.', 'config.'],
  '/zones': ['broadcast.', 'zone.', 'call.', 'help.', 'music.', 'source.', 'config.'],
  '/calls': ['call.', 'help.', 'config.'],
  '/summons': ['alarm.told', 'help.', 'alarm.'],
  '/messages': ['message.', 'config.'],
  '/tones': ['config.'],
  '/inputs': ['input.', 'config.', 'mqtt.'],
  '/outputs': ['output.', 'config.', 'mqtt.'],
  '/endpoints': ['endpoint.', 'config.'],
  '/accounts': ['account.', 'config.'],
  '/schedules/next': ['schedule.', 'calendar.', 'config.', 'clock.', 'mode.'],
  '/schedule-changes': ['schedule.', 'config.'],
  '/calendars': ['calendar.', 'config.'],
  '/mode': ['mode.', 'config.'],
  '/music': ['music.', 'config.'],
};

const data = new Map();
const wanted = new Map(); // path -> how many views need it
const timers = new Map(); // path -> what will ask for it
const running = new Set(); // paths that are being asked for
const next = new Map(); // path -> when it may be asked for again
let changed = () => {};

export const read = (path) => data.get(path);

/** What is called with the path of a list that was read anew. */
export function whenChanged(f) {
  changed = f;
}

const REFUSED = [401, 403, 404];

async function refresh(path) {
  running.add(path);
  next.set(path, performance.now() + APART_MS);
  let again = false;
  try {
    data.set(path, await get(path));
    changed(path);
  } catch (e) {
    // A daemon that is busy answers the next time; one that is away is told of
    // by the stream.
    again = !REFUSED.includes(e.status);
    next.set(path, performance.now() + BUSY_MS * (1 + Math.random()));
  }
  running.delete(path);
  if (again && wanted.has(path)) ask(path);
}

/** Has a list read soon, and not more often than it can be looked at. */
export function ask(path) {
  if (timers.has(path)) return;
  const wait = Math.max(GATHER_MS, (next.get(path) || 0) - performance.now());
  timers.set(path, setTimeout(() => {
    timers.delete(path);
    if (running.has(path)) ask(path);
    else refresh(path);
  }, wait));
}

export function askAll() {
  for (const path of wanted.keys()) ask(path);
}

export function heard(type) {
  for (const path of wanted.keys()) {
    const by = LISTS[path.split('?')[0]];
    if (type === 'gap' || (by && by.some((p) => type.startsWith(p)))) ask(path);
  }
}

export function want(paths) {
  for (const p of paths) {
    wanted.set(p, (wanted.get(p) || 0) + 1);
    ask(p);
  }
}

export function unwant(paths) {
  for (const p of paths) {
    const n = (wanted.get(p) || 1) - 1;
    if (n) wanted.set(p, n);
    else wanted.delete(p);
  }
}

export function forget() {
  data.clear();
  wanted.clear();
  timers.forEach(clearTimeout);
  timers.clear();
  next.clear();
}
