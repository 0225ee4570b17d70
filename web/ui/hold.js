// What must not happen by a slip of a glove is held for a while: pointer or
// key. One who cannot hold (a screen reader's or a switch's click) presses
// twice. Elements of class "hold" have `held`, called once when it was.

import { t } from '/ui/text.js';
import { say } from '/ui/parts.js';

const HOLD_MS = 1200;
const AGAIN_MS = 6000;

let at = null; // the element, its timer
let done = false; // by this press already: the click that ends it is no other

function stop() {
  if (!at) return;
  clearTimeout(at.timer);
  at.e.removeAttribute('data-live-held');
  at = null;
}

function start(e) {
  stop();
  done = false;
  if (e.disabled || e.getAttribute('aria-disabled') === 'true') return;
  e.setAttribute('data-live-held', '');
  at = {
    e,
    timer: setTimeout(() => {
      stop();
      done = true;
      e.held?.();
    }, HOLD_MS),
  };
}

const target = (ev) => (ev.target instanceof Element ? ev.target.closest('button.hold') : null);

function press(ev) {
  const e = target(ev);
  if (!e) return;
  // Of a pointer or a key; its way is to hold.
  if (ev.detail !== 0) {
    if (!done) say(t('hold.how'));
    return;
  }
  if (e.disabled) return;
  if (Number(e.dataset.liveArmed) > performance.now()) {
    delete e.dataset.liveArmed;
    e.held?.();
    return;
  }
  e.dataset.liveArmed = performance.now() + AGAIN_MS;
  say(t('hold.again'));
}

export function watchHolds() {
  addEventListener('pointerdown', (ev) => {
    const e = target(ev);
    if (e && ev.button === 0) start(e);
  });
  for (const end of ['pointerup', 'pointercancel', 'blur']) addEventListener(end, stop);
  addEventListener('pointermove', (ev) => {
    if (at && ev.pointerType && !at.e.contains(document.elementFromPoint(ev.clientX, ev.clientY))) stop();
  });
  addEventListener('keydown', (ev) => {
    const e = target(ev);
    if (!e || (ev.key !== 'Enter' && ev.key !== ' ')) {
      if (ev.key === 'Escape') stop();
      return;
    }
    ev.preventDefault();
    if (!ev.repeat) start(e);
  });
  addEventListener('keyup', (ev) => {
    if (at && (ev.key === 'Enter' || ev.key === ' ')) {
      ev.preventDefault();
      stop();
    }
  });
  addEventListener('contextmenu', (ev) => {
    if (target(ev)) ev.preventDefault();
  });
  addEventListener('click', press);
}
