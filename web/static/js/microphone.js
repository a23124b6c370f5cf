// The microphone: asks for it, runs the audio worklet, hands over frames and levels.

/** As the microphone hears it: what a browser makes of speech for telephony costs a recogniser words. */
const CONSTRAINTS = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const PATIENCE = 1000;

export class Microphone {
  /** @param {{device: string, frame: (samples: Uint8Array) => void, level: (level: object) => void, gone: () => void}} parts */
  static async open(parts) {
    const audio = parts.device ? { ...CONSTRAINTS, deviceId: { ideal: parts.device } } : CONSTRAINTS;
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    const context = new AudioContext();
    try {
      await context.audioWorklet.addModule(new URL('./audio-worklet.js', import.meta.url));
      await context.resume();
    } catch (error) {
      stream.getTracks().forEach((track) => track.stop());
      throw error;
    }
    return new Microphone(parts, stream, context);
  }

  constructor(parts, stream, context) {
    this.stream = stream;
    this.context = context;
    this.track = stream.getAudioTracks()[0];
    this.track.onended = parts.gone;
    this.node = new AudioWorkletNode(context, 'dictation', { numberOfOutputs: 0 });
    this.node.port.onmessage = ({ data }) => {
      if (data.type === 'frame') parts.frame(new Uint8Array(data.pcm));
      if (data.type === 'level') parts.level(data);
      if (data.type === 'paused') this.paused?.();
    };
    context.createMediaStreamSource(stream).connect(this.node);
  }

  record() {
    this.open = true;
    this.track.enabled = true;
    this.node.port.postMessage('record');
  }

  /** Resolves after the last frame was handed over. */
  async pause() {
    this.open = false;
    const last = new Promise((resolve) => { this.paused = resolve; });
    const patience = new Promise((resolve) => { setTimeout(resolve, PATIENCE); });
    this.node.port.postMessage('pause');
    await Promise.race([last, patience]);
    // Recording may go on already.
    if (!this.open) this.track.enabled = false;
  }

  async stop() {
    await this.pause();
    this.stream.getTracks().forEach((track) => track.stop());
    await this.context.close();
  }
}

/** The microphones that the browser tells of; their names are known after the first permission. */
export async function microphones() {
  const devices = await navigator.mediaDevices?.enumerateDevices?.();
  return (devices ?? []).filter((device) => device.kind === 'audioinput' && device.deviceId !== '');
}
