// A recording from a file: sent in pieces, from where the server has it after a cut or a reload; then decoded and transcribed.
import { Connection } from './connection.js';
import { follow } from './follow.js';

const PIECE = 256 * 1024;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30000;
/** The states in which a file is taken. */
const TAKES_FILE = ['created', 'abandoned', 'damaged'];

/**
 * @param {HTMLFormElement} form
 * @param {{server: import('./server.js').Server, say: (key: string, values?: object) => void,
 *   progress: (key: string, percent: number) => void, waiting: (place: number) => void, heard: (event: object) => void, done: (state: object) => void}} parts
 */
export function startUpload(form, parts) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const button = form.querySelector('button');
    button.disabled = true;
    send(form, parts)
      .then((made) => watch(made.id, parts, made.state))
      .catch((error) => parts.say('upload-refused', { why: error.message }))
      .finally(() => { button.disabled = false; });
    form.closest('details')?.removeAttribute('open');
  });
}

/** Sends what the server does not have of the form's file; ends when it has all of it. */
async function send(form, { server, say, progress }) {
  const file = form.querySelector('input[type="file"]').files[0];
  let state = await begun(server, file, form.elements.language.value);
  remember(server, file, state.id);
  let wait = FIRST_WAIT;
  while (TAKES_FILE.includes(state.state)) {
    try {
      state = await server.piece(state.id, file, state.uploadedBytes, PIECE);
      wait = FIRST_WAIT;
      progress('sending', Math.floor((100 * state.uploadedBytes) / Math.max(1, file.size)));
    } catch (error) {
      if (!error.passing && error.status !== 401) throw error;
      say(error.status === 401 ? 'logged-out' : 'upload-waiting');
      await new Promise((resolve) => { setTimeout(resolve, wait * (0.5 + Math.random() / 2)); });
      wait = Math.min(LONGEST_WAIT, wait * 2);
      // Of a piece that was cut off some may have arrived.
      state = await server.state(state.id).catch(() => state);
    }
  }
  return state;
}

/** The dictation of this file whose sending was cut off, or one whose file was damaged, or else a new one. */
async function begun(server, file, language) {
  const known = remembered(server);
  const state = known && (await server.state(known.id).catch(() => null));
  if (state && TAKES_FILE.includes(state.state) && (state.state === 'damaged' || known.file === nameOf(file))) return state;
  return server.create({ language, mode: 'upload' });
}

const keyOf = (server) => `upload ${server.base}`;
const nameOf = (file) => `${file.name} ${file.size} ${file.lastModified}`;

function remembered(server) {
  try {
    return JSON.parse(localStorage.getItem(keyOf(server)));
  } catch {
    return null;
  }
}

function remember(server, file, id) {
  try {
    localStorage.setItem(keyOf(server), JSON.stringify({ id, file: nameOf(file) }));
  } catch {
    // Without it a file goes on after a cut, and begins anew after a reload.
  }
}

function forget(server) {
  try {
    localStorage.removeItem(keyOf(server));
  } catch {
    // Nothing was kept.
  }
}

/** Listens to a dictation that an engine works on. */
export async function watch(dictation, parts, state = '') {
  const wake = {};
  let work = state === 'uploaded' ? 'decoding' : 'transcribing';
  if (state) parts.progress(work, 0);
  const connection = new Connection({
    dictation,
    server: parts.server,
    heard: (event) => {
      if (event.type === 'state') work = event.state === 'uploaded' ? 'decoding' : 'transcribing';
      if (event.type === 'progress') parts.progress(work, event.percent);
      if (event.type === 'queue' && event.place > 0) parts.waiting(event.place);
      if (event.type === 'draft' || event.type === 'no-speech' || event.type === 'closing') wake.wake?.();
      parts.heard(event);
    },
    acknowledged: () => {},
    changed: () => {},
    ended: () => {},
  });
  const end = await follow(parts.server, dictation, { recorder: wake });
  connection.close();
  if (end.state !== 'damaged') forget(parts.server);
  parts.done(end);
}
