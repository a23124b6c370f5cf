// Shows a recording in the voice bar, and gives the bar's buttons to the recorder.
import { Level } from './level.js';
import { microphones } from './microphone.js';
import { word } from './words.js';

const DEVICE = 'seva.microphone';
const ICONS = { ready: 'mic', recording: 'mic', paused: 'pause', offline: 'mic', finishing: 'clock' };

export const clock = (ms) => {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
};

/** @param {Element | null} place */
function text(place, words) {
  if (!place) return;
  const span = place.querySelector('span') ?? place.appendChild(document.createElement('span'));
  if (span.textContent !== words) span.textContent = words;
}

export class VoiceBar {
  /** @param {HTMLElement} bar */
  constructor(bar) {
    this.bar = bar;
    this.status = document.querySelector('[data-status]');
    const level = this.part('level');
    if (level) this.level = new Level(level, word);
    this.note = document.createElement('p');
    this.note.className = 'voice-bar-cell voice-bar-message';
    this.note.hidden = true;
    this.bar.querySelector('.voice-bar-cells')?.prepend(this.note);
    this.fillMicrophones();
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.fillMicrophones());
    this.part('microphone')?.addEventListener('change', (event) => localStorage.setItem(DEVICE, event.target.value));
  }

  part(name) {
    return this.bar.querySelector(`[data-voice="${name}"]`);
  }

  get language() {
    return this.part('language')?.value || document.documentElement.lang || 'en';
  }

  get device() {
    return localStorage.getItem(DEVICE) ?? '';
  }

  /** Binds the buttons to a recorder. */
  bind(recorder) {
    this.recorder = recorder;
    this.part('start')?.addEventListener('click', () => recorder.start().then(() => this.fillMicrophones()));
    this.part('pause')?.addEventListener('click', () => recorder.pause());
    this.part('stop')?.addEventListener('click', () => recorder.stop());
  }

  async fillMicrophones() {
    const select = this.part('microphone');
    if (!select) return;
    const found = await microphones().catch(() => []);
    const chosen = this.device;
    select.replaceChildren(...found.map((device, place) => {
      const option = new Option(device.label || `${word('microphone')} ${place + 1}`, device.deviceId);
      option.selected = device.deviceId === chosen;
      return option;
    }));
    if (select.parentElement.matches('label')) select.parentElement.hidden = found.length < 2;
  }

  /** Says something in the bar and to screen readers. */
  say(key, values) {
    const words = word(key, values);
    this.note.textContent = words;
    this.note.hidden = false;
    this.bar.querySelector('.voice-bar-hint')?.setAttribute('hidden', '');
    if (this.status) this.status.textContent = words;
  }

  quiet() {
    this.note.hidden = true;
  }

  /** Swaps Start and Pause without losing the focus. */
  buttons(state) {
    const [start, pause, stop] = ['start', 'pause', 'stop'].map((name) => this.part(name));
    if (!start) return;
    const recording = state === 'recording';
    const focused = document.activeElement === start || document.activeElement === pause;
    start.hidden = recording;
    pause.hidden = !recording;
    start.disabled = state === 'finishing';
    stop.hidden = false;
    stop.disabled = state === 'ready' || state === 'finishing';
    pause.dataset.key = 'r';
    text(start, word(state === 'paused' ? 'resume' : 'start'));
    if (focused) (recording ? pause : start).focus();
  }

  show() {
    const { recorder } = this;
    const offline = recorder.recording && recorder.offlineSince;
    const shown = offline && recorder.state !== 'paused' ? 'offline' : recorder.state;
    if (this.bar.dataset.state !== shown) {
      this.bar.dataset.state = shown;
      const use = this.part('state')?.querySelector('use');
      use?.setAttribute('href', use.getAttribute('href').replace(/#.*/, `#${ICONS[shown]}`));
      if (this.status) this.status.textContent = word(`state-${shown}`);
      if (shown === 'recording') this.quiet();
      this.buttons(recorder.state);
    }
    const length = recorder.recording ? ` ${clock(recorder.recording.milliseconds)}` : '';
    text(this.part('state'), word(`state-${shown}`) + length);
    if (this.part('level')) this.part('level').hidden = recorder.state !== 'recording';
    for (const hint of this.bar.querySelectorAll('.voice-bar-hint')) hint.hidden = recorder.state !== 'ready' || !this.note.hidden;
    if (this.part('language')) this.part('language').disabled = recorder.recording !== null;
    const saved = this.part('saved');
    if (saved && recorder.recording) {
      saved.hidden = false;
      saved.dataset.saved = Math.floor(recorder.saved / 1000);
      text(saved, word('saved', { time: clock(recorder.saved) }));
    }
    if (offline) this.offline(recorder);
    if (recorder.place > 0) this.waiting(recorder.place);
    else if (recorder.progress !== null) this.progress('transcribing', recorder.progress);
  }

  offline(recorder) {
    const since = recorder.offlineSince.toTimeString().slice(0, 5);
    const seconds = Math.ceil(recorder.connection.unsaved / 1000);
    this.note.textContent = word(recorder.state === 'recording' ? 'offline-recording' : 'offline-waiting', { since, seconds });
    this.note.hidden = false;
  }

  /** A bar with its number. */
  progress(key, percent) {
    this.work(`${word(key)} ${percent} %`, percent);
  }

  /** The place among the recordings that wait for a worker. */
  waiting(place) {
    this.work(word('waiting', { place }), 0);
  }

  /** Shows what is being done; the bar is made where the page has none. */
  work(words, percent) {
    let place = this.part('progress');
    if (!place) {
      place = document.createElement('p');
      place.className = 'voice-bar-cell';
      place.dataset.voice = 'progress';
      const label = document.createElement('label');
      label.append(document.createElement('span'), ' ', Object.assign(document.createElement('progress'), { max: 100 }));
      place.append(label);
      this.bar.querySelector('.voice-bar-cells')?.prepend(place);
    }
    place.hidden = false;
    const [label, bar] = [place.querySelector('label'), place.querySelector('progress')];
    bar.value = percent;
    const told = label.querySelector('span') ?? document.createElement('span');
    told.textContent = words;
    label.replaceChildren(told, ' ', bar);
    place.querySelector('[data-voice="percent"]')?.remove();
  }

  settled() {
    const place = this.part('progress');
    if (place) place.hidden = true;
  }
}
