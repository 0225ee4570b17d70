// What can be checked of a page by machine: names, labels, headings, contrast,
// size of what is touched. Answers with a list of what is wrong.
(() => {
  const wrong = [];
  const folded = [...document.querySelectorAll('details:not([open])')];
  folded.forEach((e) => { e.open = true; });
  const label = (e) => `<${e.tagName.toLowerCase()}${e.id ? ` id=${e.id}` : ''}${e.className ? ` class="${e.getAttribute('class')}"` : ''}> ${(e.innerText || '').slice(0, 40)}`;
  const seen = (e) => e.checkVisibility({ visibilityProperty: true });
  const all = (s) => [...document.querySelectorAll(s)].filter(seen);

  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  for (const id of new Set(ids)) if (ids.filter((x) => x === id).length > 1) wrong.push(`id ${id} is there twice`);
  for (const attr of ['aria-labelledby', 'aria-describedby', 'for'])
    for (const e of document.querySelectorAll(`[${attr}]`))
      for (const id of e.getAttribute(attr).split(/\s+/))
        if (!document.getElementById(id)) wrong.push(`${attr}=${id} names nothing: ${label(e)}`);

  if (!document.documentElement.lang) wrong.push('the page has no language');
  if (all('main').length !== 1) wrong.push('not one main');
  if (all('h1').length !== 1) wrong.push('not one h1');
  let last = 0;
  for (const e of all('h1, h2, h3, h4')) {
    const n = Number(e.tagName[1]);
    if (last && n > last + 1) wrong.push(`heading jumps from ${last}: ${label(e)}`);
    last = n;
  }
  for (const e of all('button, a[href], summary')) {
    if (!(e.getAttribute('aria-label') || e.innerText).trim()) wrong.push(`no name: ${label(e)}`);
    const plain = (x) => x.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
    if (e.hasAttribute('aria-label') && !plain(e.getAttribute('aria-label')).includes(plain(e.innerText))) wrong.push(`not called as it reads: ${label(e)}`);
    const r = e.getBoundingClientRect();
    if (r.right > 0 && r.bottom > 0 && (r.height < 44 || r.width < 44)) wrong.push(`${r.width}x${r.height} is small for gloves: ${label(e)}`);
  }
  for (const e of all('input, select, textarea'))
    if (!e.labels?.length && !e.getAttribute('aria-label')) wrong.push(`no label: ${label(e)}`);
  for (const e of all('img, [role=img]'))
    if (!e.hasAttribute('alt') && !e.getAttribute('aria-label')) wrong.push(`no text for a picture: ${label(e)}`);
  for (const e of all('th')) if (!e.innerText.trim()) wrong.push('a column has no head');
  for (const e of all('ul, ol')) for (const c of e.children) if (c.tagName !== 'LI') wrong.push(`${c.tagName} in a list: ${label(c)}`);
  for (const e of all('li')) if (!/^(UL|OL)$/.test(e.parentElement.tagName)) wrong.push(`li outside a list: ${label(e)}`);

  const rgb = (s) => (s.match(/[\d.]+/g) || []).map(Number);
  const part = (v) => { const x = v / 255; return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ground = (e) => {
    for (let x = e; x; x = x.parentElement) {
      const c = rgb(getComputedStyle(x).backgroundColor);
      if (c.length === 3 || c[3] > 0.99) return c.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !seen(e) || e.closest(':disabled, option, script, noscript, .hidden')) continue;
    const a = light(rgb(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(getComputedStyle(e).fontSize), bold = Number(getComputedStyle(e).fontWeight) >= 700;
    if (ratio < (size >= 24 || (bold && size >= 18.66) ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)}: ${label(e)}`);
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) wrong.push(`it is ${document.documentElement.scrollWidth} wide on a screen of ${innerWidth}`);
  folded.forEach((e) => { e.open = false; });
  return wrong;
})()
