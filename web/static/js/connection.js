// The socket of one dictation: sends frames in order, lets them go when they are acknowledged, and comes back after a drop.
import { encode, milliseconds } from './frame.js';

/** Frames that are under way at once. */
const WINDOW = 32;
const HEARTBEAT = 2000;
/** A server that says nothing for so long is not there. */
const SILENCE = 6000;
/** Warnings after which frames are sent again. */
const AGAIN = ['checksum', 'gap', 'unsaved'];
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

  /** Milliseconds of audio that the server has not acknowledged. */
  get unsaved() {
    let sum = 0;
    for (const samples of this.waiting.values()) sum += milliseconds(samples);
    return sum;
  }

  add(sequence, samples) {
    this.waiting.set(sequence, samples);
    this.send();
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
    if (this.closed || this.connecting) return;
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

  drop() {
    clearInterval(this.beat);
    const socket = this.socket;
    this.socket = null;
    this.ready = false;
    this.connecting = false;
    socket?.close();
  }

  lose() {
    this.drop();
    if (this.closed) return;
    this.lostAt ??= new Date();
    this.changed();
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.attempts);
    this.attempts += 1;
    // Half of it by chance, so that a ward does not come back in one moment.
    this.retry(longest / 2 + (Math.random() * longest) / 2);
  }

  retry(wait) {
    if (this.closed || this.online) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), wait);
  }
}
