// The live events: one stream, taken up again after the last event that was
// seen. Silence for longer than the daemon's signs of life is a lost one.

import { open } from '/ui/api.js';

const SILENCE_MS = 40000;
const AGAIN_MS = 1000;
const MAX_AGAIN_MS = 8000;

let current = null;

function parse(block) {
  let type = '';
  let data = '';
  let id = null;
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) type = line.slice(7);
    else if (line.startsWith('data: ')) data += line.slice(6);
    else if (line.startsWith('id: ')) id = line.slice(4);
  }
  if (!type) return null;
  try {
    return { type, id, event: JSON.parse(data) };
  } catch {
    return null;
  }
}

async function follow(run, on) {
  const after = run.last ? `?after=${run.last}` : '';
  const r = await open(`/events${after}`, run.abort.signal);
  if (!r.ok) throw Object.assign(new Error('refused'), { status: r.status });
  on.up();
  run.wait = AGAIN_MS;
  const reader = r.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const watch = setTimeout(() => run.abort.abort(), SILENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(watch));
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const b of blocks) {
      const e = parse(b);
      if (!e) continue;
      if (e.id) run.last = e.id;
      on.event(e.type, e.event);
    }
  }
}

async function keep(run, on) {
  while (!run.stopped) {
    run.abort = new AbortController();
    try {
      await follow(run, on);
    } catch (e) {
      if (e.status === 401) {
        if (!run.stopped) on.refused();
        return;
      }
    }
    if (run.stopped) return;
    on.down();
    await new Promise((done) => setTimeout(done, run.wait));
    run.wait = Math.min(run.wait * 2, MAX_AGAIN_MS);
  }
}

/** Starts the stream: on.up(), on.down(), on.event(type, event), on.refused(). */
export function listen(on) {
  quiet();
  current = { stopped: false, last: null, wait: AGAIN_MS, abort: null };
  keep(current, on);
}

export function quiet() {
  if (!current) return;
  current.stopped = true;
  current.abort?.abort();
  current = null;
}
