// The socket of one dictation: sends frames in order, lets them go when they are acknowledged, and comes back after a drop.
// Where the network lets no socket through, the frames go in plain requests until it does.
import { encode, encodeAll, milliseconds } from './frame.js';

/** Frames that are under way at once. */
const WINDOW = 32;
const HEARTBEAT = 2000;
/** A server that says nothing for so long is not there. */
const SILENCE = 6000;
/** Warnings after which frames are sent again. */
const AGAIN = ['checksum', 'gap', 'unsaved'];
/** Sockets that were not opened, one after the other, before frames go in plain requests. */
const REFUSALS = 3;
/** How long frames go in plain requests before a socket is tried again. */
const PLAIN = 60000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

export class Connection {
  /**
   * @param {{dictation: string, server: import('./server.js').Server, heard: (event: object) => void,
   *   acknowledged: (sequence: number, saved: number) => void, changed: () => void, ended: (error: Error) => void}} parts
   */
  constructor(parts) {
    Object.assign(this, parts);
    /** @type {Map<number, Uint8Array>} frames without acknowledgement, in order */
    this.waiting = new Map();
    this.sent = -1;
    this.attempts = 0;
    this.refusals = 0;
    this.plain = false;
    this.lostAt = null;
    this.closed = false;
    this.emptied = [];
    this.awake = () => this.retry(0);
    addEventListener('online', this.awake);
    this.connect();
  }

  get online() {
    return this.ready === true;
  }

  /** No socket gets through, though the server answers. */
  get barred() {
    return this.refusals >= REFUSALS;
  }

  /** Milliseconds of audio that the server has not acknowledged. */
  get unsaved() {
    let sum = 0;
    for (const samples of this.waiting.values()) sum += milliseconds(samples);
    return sum;
  }

  add(sequence, samples) {
    this.waiting.set(sequence, samples);
    this.send();
    this.added?.();
  }

  /** Says that no audio comes for now; without a socket the server sees it by itself. */
  pause() {
    if (this.online) this.socket.send('{"type":"pause"}');
  }

  /** Resolves when everything that was added is acknowledged. */
  drained() {
    if (this.waiting.size === 0) return Promise.resolve();
    return new Promise((resolve) => { this.emptied.push(resolve); });
  }

  close() {
    this.closed = true;
    removeEventListener('online', this.awake);
    clearTimeout(this.timer);
    this.drop();
  }

  async connect() {
    if (this.closed || this.connecting || this.plain) return;
    this.connecting = true;
    try {
      const { ticket } = await this.server.ticket(this.dictation);
      if (!this.closed) this.open(ticket);
    } catch (error) {
      this.connecting = false;
      if (error.passing || error.status === 401) this.lose();
      if (!error.passing) this.ended(error);
    }
  }

  open(ticket) {
    const address = new URL(`/v1/dictations/${this.dictation}/socket?ticket=${encodeURIComponent(ticket)}`, location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address);
    this.socket = socket;
    this.heardAt = performance.now();
    this.beat = setInterval(() => this.watch(), HEARTBEAT);
    socket.onmessage = ({ data }) => { if (socket === this.socket) this.hear(JSON.parse(data)); };
    socket.onclose = () => { if (socket === this.socket) this.lose(); };
  }

  watch() {
    if (performance.now() - this.heardAt > SILENCE) this.lose();
    else if (this.online) this.socket.send('{"type":"heartbeat"}');
  }

  hear(event) {
    this.heardAt = performance.now();
    if (event.type === 'ready') this.begin(event);
    else if (event.type === 'ack') this.release(event.sequence, event.savedMilliseconds);
    // What was refused is sent again from the last acknowledged frame, over a new socket.
    else if (event.type === 'warning' && AGAIN.includes(event.code)) this.lose();
    else if (event.code === 'refused') this.ended(new Error(event.text));
    else if (event.type !== 'heartbeat') this.heard(event);
  }

  begin(event) {
    this.connecting = false;
    this.ready = true;
    this.attempts = 0;
    this.refusals = 0;
    this.lostAt = null;
    this.sent = event.savedSequence;
    if (event.savedSequence >= 0) this.release(event.savedSequence, event.savedMilliseconds);
    this.changed();
    this.send();
  }

  release(last, saved) {
    for (const sequence of this.waiting.keys()) {
      if (sequence > last) break;
      this.waiting.delete(sequence);
    }
    this.acknowledged(last, saved);
    if (this.waiting.size === 0) this.emptied.splice(0).forEach((resolve) => resolve());
    this.send();
  }

  send() {
    if (!this.online) return;
    let underWay = 0;
    for (const [sequence, samples] of this.waiting) {
      underWay += 1;
      if (underWay > WINDOW) return;
      if (sequence <= this.sent) continue;
      this.socket.send(encode(sequence, samples));
      this.sent = sequence;
    }
  }

  /** Sends frames in plain requests for a while, then tries the socket again. */
  async sendPlain() {
    this.plain = true;
    const until = performance.now() + PLAIN;
    try {
      while (!this.closed && performance.now() < until) {
        if (this.waiting.size === 0) await this.someAdded(until - performance.now());
        else await this.sendSome();
      }
      this.plain = false;
      // One more refusal is enough to come back here.
      this.refusals = REFUSALS - 1;
      this.connect();
    } catch (error) {
      this.plain = false;
      if (error.passing || error.status === 401) this.wait();
      if (!error.passing) this.ended(error);
    }
  }

  async sendSome() {
    const frames = [...this.waiting].slice(0, WINDOW);
    const kept = await this.server.frames(this.dictation, encodeAll(frames));
    this.attempts = 0;
    this.lostAt = null;
    this.release(kept.savedSequence, kept.savedMilliseconds);
    this.changed();
    // A frame was damaged on its way, or the server has to be asked where it stands: not at once again.
    if (kept.warning) await this.someAdded(FIRST_WAIT);
  }

  /** Resolves with the next frame, or after a while. */
  someAdded(wait) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, wait));
      this.added = () => { clearTimeout(timer); this.added = null; resolve(); };
    });
  }

  drop() {
    clearInterval(this.beat);
    const socket = this.socket;
    this.socket = null;
    this.ready = false;
    this.connecting = false;
    socket?.close();
  }

  lose() {
    if (this.socket && !this.online) this.refusals += 1;
    this.drop();
    if (this.closed) return;
    if (this.barred && !this.plain) {
      this.sendPlain();
      return;
    }
    this.wait();
  }

  wait() {
    this.lostAt ??= new Date();
    this.changed();
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.attempts);
    this.attempts += 1;
    // Half of it by chance, so that a ward does not come back in one moment.
    this.retry(longest / 2 + (Math.random() * longest) / 2);
  }

  retry(wait) {
    if (this.closed || this.online || this.plain) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), wait);
  }
}
