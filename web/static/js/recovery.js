// Goes on with what a reload, a crash or a dead battery left behind, and tells of other visits' recordings.
import { lock } from './lock.js';

/** States in which the server takes audio. */
const TAKES_AUDIO = ['created', 'live', 'paused', 'abandoned'];

/** @param {import('./recorder.js').Recorder} recorder */
export async function recover(recorder) {
  await recorder.prepare();
  if (!recorder.store) return;
  const kept = await recorder.store.recordings();
  const [own] = kept.filter((recording) => recording.encounter === recorder.encounter);
  const other = kept.find((recording) => recording.encounter !== recorder.encounter);
  if (other) recorder.say('kept-elsewhere', { encounter: other.encounter });
  if (own && !recorder.busy) await goOn(recorder, own);
}

async function goOn(recorder, recording) {
  const { dictation } = recording;
  const unlock = await lock(dictation);
  if (!unlock) return recorder.say('other-tab');
  const state = await recorder.server.state(dictation).catch((error) => error);
  const frames = await recorder.store.frames(dictation);
  const missing = frames.filter((frame) => frame.sequence > (state.savedSequence ?? -1));
  const closed = state.state !== undefined && !TAKES_AUDIO.includes(state.state);
  const refused = state instanceof Error && !state.passing;
  // What the server does not take is kept: nobody but the user lets go of audio.
  if (refused || (closed && missing.length > 0)) {
    unlock();
    return recorder.say('send-refused', { why: state.message ?? '' });
  }
  recorder.unlock = unlock;
  // The device may have been too slow to note a frame that the server has; its number is taken.
  recording.next = Math.max(recording.next, (state.savedSequence ?? -1) + 1);
  recorder.recording = recording;
  recorder.connect();
  missing.forEach((frame) => recorder.connection.add(frame.sequence, frame.samples));
  if (recording.stopped || closed) {
    recorder.set('finishing');
    return recorder.finish();
  }
  recorder.set('paused');
  return recorder.say('interrupted');
}
