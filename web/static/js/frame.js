// A frame of the dictation socket (docs/voice-protocol.md): sequence, CRC-32, samples.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest >>> 0;
});

/** CRC-32 (IEEE). @param {Uint8Array} bytes */
export function crc32(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = (rest >>> 8) ^ TABLE[(rest ^ byte) & 0xff];
  return (rest ^ 0xffffffff) >>> 0;
}

/** @param {number} sequence @param {Uint8Array} samples @returns {Uint8Array} */
export function encode(sequence, samples) {
  const frame = new Uint8Array(8 + samples.length);
  const head = new DataView(frame.buffer);
  head.setUint32(0, sequence);
  head.setUint32(4, crc32(samples));
  frame.set(samples, 8);
  return frame;
}

/** The body of a plain request: frames, each after its size. @param {[number, Uint8Array][]} frames @returns {Uint8Array} */
export function encodeAll(frames) {
  const parts = frames.map(([sequence, samples]) => encode(sequence, samples));
  const body = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  const view = new DataView(body.buffer);
  let place = 0;
  for (const part of parts) {
    view.setUint32(place, part.length);
    body.set(part, place + 4);
    place += 4 + part.length;
  }
  return body;
}

/** How long samples sound. @param {Uint8Array} samples */
export const milliseconds = (samples) => samples.length / 32;
