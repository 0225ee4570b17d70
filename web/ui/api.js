// Requests to the daemon that served this page.

import { t } from '/ui/text.js';

const BASE = '/api/v1';
let csrf = '';
let actor = '';
let onLost = () => {};

export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message || `HTTP ${status}`);
    this.status = status;
    this.code = error?.code || '';
  }
}

/** What is called when the session has ended. */
export function whenLoggedOut(f) {
  onLost = f;
}

async function answer(r, quiet) {
  if (r.status === 204) return null;
  const text = await r.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    body = null;
  }
  if (r.ok) return body;
  if (r.status === 401 && !quiet) onLost();
  throw new ApiError(r.status, body?.error);
}

function request(method, path, body, type, signal) {
  const headers = {};
  if (method !== 'GET' && csrf) headers['X-CSRF-Token'] = csrf;
  if (body !== undefined) headers['Content-Type'] = type;
  return fetch(BASE + path, { method, headers, body, signal, cache: 'no-store', credentials: 'same-origin' })
    .catch(() => { throw new ApiError(0, { message: t('login.away') }); });
}

/** Acts. One who logged in anew in another window has another token since;
 *  somebody else must not act under the name that is shown here. */
async function send(method, path, body, type) {
  const r = await request(method, path, body, type);
  const error = r.status === 403 ? (await r.clone().json().catch(() => null))?.error : null;
  if (error?.code !== 'csrf') return answer(r);
  const was = actor;
  await session();
  if (actor !== was) location.reload();
  return actor === was ? answer(await request(method, path, body, type)) : answer(r);
}

export const get = async (path) => answer(await request('GET', path));
export const post = (path, body = {}) => send('POST', path, JSON.stringify(body), 'application/json');
export const put = (path, file, type) => send('PUT', path, file, type);
export const del = (path) => send('DELETE', path);
export const open = (path, signal) => request('GET', path, undefined, undefined, signal);
export const audioOf = (name) => `${BASE}/messages/${encodeURIComponent(name)}/audio`;

/** Who I am, or null when nobody yet. */
export async function session() {
  try {
    const s = await answer(await request('GET', '/session'), true);
    csrf = s.csrf || '';
    actor = s.actor;
    return s;
  } catch (e) {
    if (e.status === 401) return null;
    throw e;
  }
}

export async function login(user, password) {
  csrf = '';
  await answer(await request('POST', '/session', JSON.stringify({ user, password }), 'application/json'), true);
  return session();
}

export async function logout() {
  await del('/session');
  csrf = '';
}
