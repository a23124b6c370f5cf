// Brings audio of any rate to 16 kHz, block by block and without seams: polyphase filters from a windowed sinc.

const ZERO_CROSSINGS = 24;
/** Part of the band that passes; what lies above would fold back into speech. */
const PASS = 0.94;

const divisor = (a, b) => (b === 0 ? a : divisor(b, a % b));
const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Blackman's window over -1..1. */
function window_(x) {
  return Math.abs(x) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}

/** One filter for each place that an output sample can have between two input samples. */
function filters(up, cutoff, half) {
  return Array.from({ length: up }, (_, phase) => {
    const taps = new Float32Array(2 * half);
    let sum = 0;
    for (let k = 0; k < taps.length; k += 1) {
      const t = k - half + 1 - phase / up;
      taps[k] = sinc(2 * cutoff * t) * window_(t / half);
      sum += taps[k];
    }
    return taps.map((tap) => tap / sum);
  });
}

export class Resampler {
  /** @param {number} rate samples a second that come in @param {number} target samples a second that go out */
  constructor(rate, target = 16000) {
    const common = divisor(rate, target);
    this.up = target / common;
    this.down = rate / common;
    this.same = this.up === this.down;
    const cutoff = 0.5 * PASS * Math.min(1, target / rate);
    this.half = Math.ceil(ZERO_CROSSINGS / (2 * cutoff));
    this.filters = this.same ? [] : filters(this.up, cutoff, this.half);
    this.rest = new Float32Array(this.half - 1);
    this.at = 0;
    this.phase = 0;
  }

  /** @param {Float32Array} input @returns {Float32Array} what can be told already */
  push(input) {
    if (this.same) return input.slice();
    const joined = new Float32Array(this.rest.length + input.length);
    joined.set(this.rest);
    joined.set(input, this.rest.length);
    const taps = 2 * this.half;
    const output = [];
    while (this.at + taps <= joined.length) {
      const filter = this.filters[this.phase];
      let sum = 0;
      for (let k = 0; k < taps; k += 1) sum += filter[k] * joined[this.at + k];
      output.push(sum);
      this.phase += this.down;
      this.at += Math.floor(this.phase / this.up);
      this.phase %= this.up;
    }
    const used = Math.min(this.at, joined.length);
    this.rest = joined.slice(used);
    this.at -= used;
    return Float32Array.from(output);
  }

  /** The tail that still waits for samples to come. */
  flush() {
    return this.same ? new Float32Array(0) : this.push(new Float32Array(this.half));
  }
}

/** Samples from -1..1 as signed 16 bits; what is louder is cut. */
export function toPcm(samples) {
  return Int16Array.from(samples, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32767));
}
