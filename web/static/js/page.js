// Starts what a page needs beyond HTML: keys everywhere, and the microphone on a consultation.
import { Commands } from './commands.js';
import { startEvidence } from './evidence.js';
import { startKeys } from './keys.js';
import { refresh } from './panes.js';
import { Recorder } from './recorder.js';
import { recover } from './recovery.js';
import { Server } from './server.js';
import { Transcript } from './transcript.js';
import { startUpload, watch } from './upload.js';
import { startWalk } from './walk.js';
import { VoiceBar } from './voice-bar.js';
import { word } from './words.js';

/** Where the page could not be brought up to date, the user loads it. */
async function update(bar, transcript, end) {
  const words = { drafted: 'done-drafted', 'no-speech': 'done-no-speech', failed: 'done-failed', damaged: 'done-damaged' }[end.state];
  bar.settled();
  if (words) bar.say(words, { why: end.problem ?? '' });
  if (!(await refresh())) return bar.say('refresh-failed');
  return transcript?.clear();
}

/** @param {HTMLElement} element */
function startVoice(element) {
  const { encounter, csrf } = element.dataset;
  const server = new Server(encounter, csrf);
  const bar = new VoiceBar(element);
  startEvidence((dictation) => server.audio(dictation), () => bar.say('audio-failed'));
  const form = document.querySelector('[data-commands]');
  const commands = form && new Commands(server, form);
  if (!bar.part('start')) return null;
  const pane = document.querySelector('[data-transcript]');
  const transcript = pane && new Transcript(pane, encounter);
  const done = (end) => update(bar, transcript, end);
  const recorder = new Recorder({
    server,
    encounter,
    language: () => bar.language,
    device: () => bar.device,
    commands: () => commands?.on ?? false,
    changed: () => bar.show(),
    level: (level) => bar.level?.show(level),
    heard: (event) => {
      if (transcript && !transcript.log) transcript.begin(recorder.recording.dictation, bar.language);
      transcript?.hear(event);
      // A command that strikes dictated words has done its work.
      if (event.type === 'final' && event.command && !transcript?.strikes(event)) {
        commands?.carryOut({ text: event.text, dictation: recorder.recording.dictation, segment: String(event.segment) });
      }
    },
    say: (key, values) => bar.say(key, values),
    done,
  });
  bar.bind(recorder);
  bar.show();
  bar.buttons(recorder.state);

  const say = (key, values) => bar.say(key, values);
  const progress = (key, percent) => bar.progress(key, percent);
  const waiting = (place) => bar.waiting(place);
  const parts = { server, say, progress, waiting, heard: () => {}, done };
  const upload = bar.part('file')?.closest('form');
  if (upload) startUpload(upload, parts);
  // An upload without script, or a demo, on which an engine still works.
  const working = element.dataset.working;
  recover(recorder).then(() => { if (working && !recorder.busy) watch(working, parts); }).catch(() => {});
  addEventListener('beforeunload', (event) => { if (recorder.state === 'recording') event.preventDefault(); });
  return { down: () => recorder.start(), up: () => recorder.pause() };
}

const walk = document.querySelector('[data-walk]');
if (walk) {
  const server = new Server(walk.dataset.encounter, '');
  const failed = () => { document.querySelector('[data-status]').textContent = word('audio-failed'); };
  startEvidence((dictation) => server.audio(dictation), failed);
  startWalk(walk);
}

const element = document.querySelector('[data-voice-bar]');
startKeys({ word, hold: element ? startVoice(element) : null });
