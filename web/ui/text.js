// Words in three languages. A table holds sentences; {name} is replaced.

import en from '/ui/text-en.js';
import de from '/ui/text-de.js';
import ru from '/ui/text-ru.js';

export const LANGUAGES = { en: 'English', de: 'Deutsch', ru: 'Русский' };
export const tables = { en, de, ru };
const KEY = 'tocsin.language';

function choose() {
  const kept = localStorage.getItem(KEY);
  for (const l of [kept, ...navigator.languages]) {
    const short = (l || '').slice(0, 2);
    if (tables[short]) return short;
  }
  return 'en';
}

let lang = choose();
// Days before months, and 24 hours.
const locale = () => (lang === 'en' ? 'en-GB' : lang);

export const language = () => lang;

export function setLanguage(l) {
  lang = tables[l] ? l : 'en';
  localStorage.setItem(KEY, lang);
}

export function t(key, values) {
  const s = tables[lang][key] ?? en[key] ?? key;
  return values ? s.replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all)) : s;
}

/** A word of the API, "state.playing"; as it is where there is none. */
export const word = (group, value) => tables[lang][`${group}.${value}`] ?? en[`${group}.${value}`] ?? value;

/** "3 zones" by the language's rule of plurals: key.one, key.few, key.many, key.other. */
export function count(key, n) {
  const rule = new Intl.PluralRules(lang).select(n);
  const s = tables[lang][`${key}.${rule}`] ?? tables[lang][`${key}.other`] ?? key;
  return s.replace('{n}', new Intl.NumberFormat(lang).format(n));
}

const made = new Map();
function format(options) {
  const key = lang + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(locale(), options));
  return made.get(key);
}

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false };

/** A time of the API as a person says it: of another day with its date. */
export function when(iso) {
  if (!iso) return '';
  const d = new Date(iso);
  const today = d.toDateString() === new Date().toDateString();
  return format(today ? CLOCK : { day: '2-digit', month: '2-digit', ...CLOCK }).format(d);
}

/** Whole date and time, for what must be beyond doubt. */
export const stamp = (iso) => format({ year: 'numeric', month: '2-digit', day: '2-digit', ...CLOCK }).format(new Date(iso));

/** A day "2026-12-24", whatever the browser's time zone. */
export const day = (iso) =>
  format({ weekday: 'short', day: '2-digit', month: '2-digit', timeZone: 'UTC' }).format(new Date(`${iso}T12:00:00Z`));

/** The name of a day of the week, 1 is Monday. */
export const weekday = (n) => format({ weekday: 'short', timeZone: 'UTC' }).format(new Date(Date.UTC(2024, 0, n)));

export const number = (n, digits = 0) =>
  new Intl.NumberFormat(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);

/** Seconds as "3:07" or "2:03:07". */
export function span(s) {
  const n = Math.max(0, Math.floor(s));
  const two = (v) => String(v).padStart(2, '0');
  const m = Math.floor(n / 60);
  return m < 60 ? `${m}:${two(n % 60)}` : `${Math.floor(m / 60)}:${two(m % 60)}:${two(n % 60)}`;
}
