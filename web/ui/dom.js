// Elements from data. Text only ever becomes text nodes; nothing is parsed as
// markup (the Content-Security-Policy would refuse it as well).

const PROPERTIES = ['onclick', 'onchange', 'oninput', 'onsubmit', 'onkeydown', 'held'];

function add(e, child) {
  if (Array.isArray(child)) child.forEach((c) => add(e, c));
  else if (child instanceof Node) e.append(child);
  else if (child !== null && child !== undefined && child !== false) e.append(String(child));
}

/** h('button', {class: 'big', onclick: f, key: 'x'}, 'text', ...) */
export function h(tag, props, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (PROPERTIES.includes(name)) e[name] = value;
    else if (name === 'key') e.dataset.key = value;
    else if (name === 'fill') e.style.setProperty('--fill', value);
    else e.setAttribute(name, value === true ? '' : String(value));
  }
  add(e, children);
  return e;
}

// What somebody opened stays open.
const KEPT = /^(style|open|data-live.*)$/;

function attributes(from, to) {
  for (const { name } of [...from.attributes])
    if (!KEPT.test(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes)
    if (name !== 'style' && from.getAttribute(name) !== value) from.setAttribute(name, value);
  if (from.style && from.style.cssText !== to.style.cssText) from.style.cssText = to.style.cssText;
  for (const p of PROPERTIES) if (from[p] !== to[p]) from[p] = to[p] ?? null;
}

const keyOf = (n) => (n.nodeType === 1 ? n.dataset.key : undefined);
const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

function children(from, to) {
  let at = from.firstChild;
  for (const want of [...to.childNodes]) {
    let same = at && alike(at, want) ? at : null;
    if (!same && keyOf(want)) {
      for (let n = at; n; n = n.nextSibling) if (alike(n, want)) { same = n; break; }
      if (same) from.insertBefore(same, at);
    }
    if (!same) {
      from.insertBefore(want, at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    morph(same, want);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** Makes an element like another and leaves in place what is alike already:
 *  the focus, a button that is being held, what a screen reader is at. */
export function morph(from, to) {
  if (from.nodeType !== 1) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  attributes(from, to);
  // What somebody types or chooses is his.
  if (/^(INPUT|TEXTAREA)$/.test(from.nodeName)) return;
  const kept = from.nodeName === 'SELECT' ? from.value : null;
  children(from, to);
  if (kept !== null && from.value !== kept) from.value = kept;
}

/** Shows these children in an element, keeping what is there. */
export function show(e, ...kids) {
  const want = e.cloneNode(false);
  add(want, kids);
  children(e, want);
}
