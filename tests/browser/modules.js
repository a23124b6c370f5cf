// The scripts that need no browser: frames, resampling, level. Ends with a line of JSON.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

// As an address with its content: older Nodes take a file named .js for CommonJS.
const module_ = (name) => import(`data:text/javascript,${encodeURIComponent(readFileSync(join(__dirname, '../../web/static/js', name), 'utf8'))}`);
const tone = (rate, hertz, seconds) => Float32Array.from({ length: rate * seconds }, (_, place) => 0.5 * Math.sin((2 * Math.PI * hertz * place) / rate));
const rms = (samples) => Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);

async function resampled(rate, hertz) {
  const { Resampler } = await module_('resampler.js');
  const resampler = new Resampler(rate);
  const input = tone(rate, hertz, 1);
  const output = [];
  // As the audio thread gives it: 128 samples at a time.
  for (let place = 0; place < input.length; place += 128) output.push(...resampler.push(input.subarray(place, place + 128)));
  output.push(...resampler.flush());
  const middle = output.slice(2000, 14000);
  const crossings = middle.filter((sample, place) => place > 0 && middle[place - 1] < 0 && sample >= 0).length;
  return { length: output.length, rms: rms(middle), hertz: (crossings * 16000) / middle.length };
}

async function main() {
  const { crc32, encode } = await module_('frame.js');
  const { toPcm } = await module_('resampler.js');
  const { levelWord } = await module_('level.js');
  const tones = [];
  for (const rate of [8000, 16000, 22050, 44100, 48000, 96000]) {
    const { length, rms: loudness, hertz } = await resampled(rate, 440);
    tones.push(Math.abs(length - 16000) <= 2 && Math.abs(loudness - 0.3536) < 0.005 && Math.abs(hertz - 440) < 3);
  }
  const folded = await resampled(48000, 9500);
  console.log(JSON.stringify({
    crc: crc32(new TextEncoder().encode('123456789')),
    frame: [...encode(258, Uint8Array.of(1, 2))],
    tones: tones.every(Boolean),
    folded: folded.rms < 0.002,
    pcm: [...toPcm(Float32Array.of(0, 1, -1, 2, -2))],
    levels: [0.001, 0.05, 0.99].map((peak) => levelWord({ peak, rms: peak / 3 })),
  }));
}

main().catch((error) => { console.error(error); process.exit(1); });
