// Runs on the audio thread: one channel, 16 kHz, signed 16 bits little-endian, in frames of a quarter of a second.
// In: "record", "pause". Out: {type:"frame", pcm}, {type:"level", peak, rms}, {type:"paused"} after the last frame.
import { Resampler, toPcm } from './resampler.js';

const FRAME = 4000;
const LEVEL = 1600;

class DictationProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.recording = false;
    this.begin();
    this.port.onmessage = ({ data }) => {
      if (data === 'record') this.begin();
      if (data === 'pause') this.end();
      this.recording = data === 'record';
    };
  }

  begin() {
    this.resampler = new Resampler(sampleRate);
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.loudness = { peak: 0, squares: 0, count: 0 };
  }

  end() {
    if (this.recording) {
      this.take(this.resampler.flush());
      this.emit();
    }
    this.port.postMessage({ type: 'paused' });
  }

  process([input]) {
    if (this.recording && input.length > 0) this.take(this.resampler.push(mix(input)));
    return true;
  }

  take(samples) {
    this.measure(samples);
    for (const sample of toPcm(samples)) {
      this.frame[this.filled] = sample;
      this.filled += 1;
      if (this.filled === FRAME) this.emit();
    }
  }

  emit() {
    if (this.filled === 0) return;
    const pcm = this.frame.slice(0, this.filled).buffer;
    this.filled = 0;
    this.port.postMessage({ type: 'frame', pcm }, [pcm]);
  }

  measure(samples) {
    const loudness = this.loudness;
    for (const sample of samples) {
      loudness.peak = Math.max(loudness.peak, Math.abs(sample));
      loudness.squares += sample * sample;
    }
    loudness.count += samples.length;
    if (loudness.count < LEVEL) return;
    this.port.postMessage({ type: 'level', peak: loudness.peak, rms: Math.sqrt(loudness.squares / loudness.count) });
    this.loudness = { peak: 0, squares: 0, count: 0 };
  }
}

function mix(channels) {
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, place) => channels.reduce((sum, channel) => sum + channel[place], 0) / channels.length);
}

registerProcessor('dictation', DictationProcessor);
