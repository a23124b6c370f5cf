// A recording from a file: how much is sent, then how much is transcribed.
import { Connection } from './connection.js';
import { follow } from './follow.js';

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
      .then((made) => watch(made.id, parts))
      .catch((error) => parts.say('upload-refused', { why: error.message }))
      .finally(() => { button.disabled = false; });
    form.closest('details')?.removeAttribute('open');
  });
}

function send(form, parts) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', form.action);
    request.responseType = 'json';
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('x-form-token', parts.server.csrf);
    request.upload.onprogress = ({ loaded, total }) => parts.progress('sending', Math.floor((100 * loaded) / Math.max(1, total)));
    request.upload.onload = () => parts.progress('transcribing', 0);
    request.onload = () => (request.status === 202 ? resolve(request.response) : reject(new Error(request.response?.detail ?? '')));
    request.onerror = () => reject(new Error(''));
    request.send(new FormData(form));
  });
}

/** Listens to a dictation that an engine works on. */
export async function watch(dictation, parts) {
  const wake = {};
  const connection = new Connection({
    dictation,
    server: parts.server,
    heard: (event) => {
      if (event.type === 'progress') parts.progress('transcribing', event.percent);
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
  parts.done(end);
}
