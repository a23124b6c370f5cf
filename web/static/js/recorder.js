// One recording from the microphone to its draft: kept on the device first, then sent, and gone on with after a reload.
import { Connection } from './connection.js';
import { follow } from './follow.js';
import { milliseconds } from './frame.js';
import { lock } from './lock.js';
import { Microphone } from './microphone.js';
import { openStore, scarceMinutes } from './store.js';

/** A device that has not written a frame after so long does not hold the frame up on its way to the server. */
const SLOW_DEVICE = 5000;

const pause = (wait) => new Promise((resolve) => { setTimeout(resolve, wait); });

/** @typedef {'ready' | 'recording' | 'paused' | 'finishing'} State */

export class Recorder {
  /**
   * @param {{server: import('./server.js').Server, encounter: string, language: () => string, device: () => string, commands?: () => boolean,
   *   changed: () => void, level: (level: object) => void, heard: (event: object) => void,
   *   say: (key: string, values?: object) => void, done: (state: object) => void}} parts
   */
  constructor(parts) {
    Object.assign(this, parts);
    /** @type {State} */
    this.state = 'ready';
    this.reset();
  }

  reset() {
    this.recording = null;
    this.connection?.close();
    this.connection = null;
    this.saved = 0;
    this.chain = Promise.resolve();
    this.progress = null;
    this.place = 0;
    this.unlock?.();
    this.unlock = null;
  }

  get busy() {
    return this.recording !== null || this.starting === true;
  }

  get offlineSince() {
    return this.connection?.lostAt ?? null;
  }

  set(state) {
    this.state = state;
    this.changed();
  }

  /** Opens the device's store; whether nothing had to be said that is read before a recording begins. */
  async prepare() {
    const first = !this.prepared;
    this.prepared ??= this.openStore();
    return (await this.prepared) || !first;
  }

  async openStore() {
    try {
      this.store = await openStore();
    } catch {
      this.say('store-refused');
      return false;
    }
    const minutes = await scarceMinutes();
    if (minutes !== null) this.say('store-scarce', { minutes });
    return minutes === null;
  }

  async toggle() {
    if (this.state === 'recording') await this.pause();
    else await this.start();
  }

  async start() {
    if (this.state === 'finishing' || this.state === 'recording' || this.starting) return;
    this.starting = true;
    try {
      // A warning is read first; the next press goes on.
      if (!(await this.prepare())) return;
      await this.openMicrophone();
      if (!this.recording) await this.begin();
      this.microphone.record();
      this.set('recording');
    } catch (error) {
      await this.closeMicrophone();
      this.refused(error);
    } finally {
      this.starting = false;
    }
  }

  refused(error) {
    const known = { NotAllowedError: 'microphone-refused', NotFoundError: 'microphone-none', NotReadableError: 'microphone-busy' };
    if (known[error.name]) this.say(known[error.name]);
    else if (error.status === 0) this.say('begin-offline');
    else if (error.status === 401) this.say('logged-out');
    else this.say('begin-refused', { why: error.message });
    this.changed();
  }

  async openMicrophone() {
    this.microphone ??= await Microphone.open({
      device: this.device(),
      frame: (samples) => this.take(samples),
      level: (level) => this.level(level),
      gone: () => { this.say('microphone-gone'); this.pause(); this.closeMicrophone(); },
    });
  }

  async closeMicrophone() {
    const microphone = this.microphone;
    this.microphone = null;
    await microphone?.stop();
  }

  async begin() {
    const made = await this.server.create({ language: this.language(), mode: 'toggle', commands: this.commands?.() ?? false });
    this.unlock = await lock(made.id);
    this.recording = { dictation: made.id, encounter: this.encounter, next: 0, milliseconds: 0, stopped: false, began: Date.now() };
    this.connect();
  }

  connect() {
    const { dictation } = this.recording;
    this.connection = new Connection({
      dictation,
      server: this.server,
      heard: (event) => this.event(event),
      acknowledged: (sequence, saved) => {
        this.saved = Math.max(this.saved, saved);
        this.recording.next = Math.max(this.recording.next, sequence + 1);
        this.recording.milliseconds = Math.max(this.recording.milliseconds, saved);
        this.store?.release(dictation, sequence).catch(() => {});
        this.changed();
      },
      changed: () => this.changed(),
      ended: (error) => this.say(error.status === 401 ? 'logged-out' : 'send-refused', { why: error.message }),
    });
  }

  /** The device keeps a frame before it is sent. */
  take(samples) {
    const recording = this.recording;
    const sequence = recording.next;
    recording.next += 1;
    recording.milliseconds += milliseconds(samples);
    const kept = this.store?.keep(recording, sequence, samples) ?? Promise.resolve();
    const written = Promise.race([kept, pause(SLOW_DEVICE)]).catch(() => this.say('store-full'));
    this.chain = this.chain.then(() => written).then(() => this.connection?.add(sequence, samples));
    this.changed();
  }

  event(event) {
    if (event.type === 'progress') this.progress = event.percent;
    if (event.type === 'queue') this.place = event.place;
    if (event.type === 'draft' || event.type === 'no-speech' || event.type === 'closing') this.wake?.();
    if (event.type === 'warning') this.say('warning', { why: event.text });
    this.heard(event);
    this.changed();
  }

  async pause() {
    if (this.state !== 'recording') return;
    this.set('paused');
    await this.microphone?.pause();
    await this.chain;
    this.connection?.pause();
    this.changed();
  }

  async stop() {
    if (this.state !== 'recording' && this.state !== 'paused') return;
    this.set('finishing');
    await this.closeMicrophone();
    await this.chain;
    this.recording.stopped = true;
    await this.store?.note(this.recording).catch(() => {});
    await this.finish();
  }

  /** Waits until the server has everything, however long that takes, then for the draft. */
  async finish() {
    const { dictation } = this.recording;
    await this.connection.drained();
    const end = await follow(this.server, dictation, { finish: true, recorder: this });
    await this.store?.forget(dictation).catch(() => {});
    this.reset();
    this.set('ready');
    this.done(end);
  }
}
