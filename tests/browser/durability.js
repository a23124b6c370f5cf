// Begins a recording where no socket gets through, cuts the network in the middle, loads the page anew once, and compares what the microphone gave and the
// page kept with what the server serves. Arguments: the base URL, the WAV file for the microphone. Ends with a line of JSON.
const { createHash } = require('node:crypto');
const { launch, logIn, record } = require('./doctor.js');
const { lay } = require('./proxy.js');

const HEADER = 44;
const digest = (parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

/** Hears each frame where the audio thread hands it over, and where the device keeps it. */
async function listen(page) {
  const given = [];
  const kept = new Map();
  let dictation = '';
  await page.exposeBinding('given', (_, pcm) => { given.push(Buffer.from(pcm, 'base64')); });
  await page.exposeBinding('kept', (_, row) => {
    const pcm = Buffer.from(row.pcm, 'base64');
    dictation = row.dictation;
    if (kept.has(row.sequence) && !kept.get(row.sequence).equals(pcm)) throw new Error(`frame ${row.sequence} changed`);
    kept.set(row.sequence, pcm);
  });
  await page.addInitScript(() => {
    const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (row, ...rest) {
      if (this.name === 'frames') window.kept({ dictation: row.dictation, sequence: row.sequence, pcm: text(row.samples) });
      return put.call(this, row, ...rest);
    };
    const Node = window.AudioWorkletNode;
    window.AudioWorkletNode = class extends Node {
      constructor(...parts) {
        super(...parts);
        this.port.addEventListener('message', ({ data }) => { if (data.type === 'frame') window.given(text(data.pcm)); });
      }
    };
  });
  return { given, kept, dictation: () => dictation };
}

const savedAtLeast = (page, seconds) => page.waitForFunction(
  (wanted) => Number(document.querySelector('[data-voice="saved"]').dataset.saved) >= wanted, seconds, { timeout: 30000 },
);

async function main(base, wav) {
  const { browser, page } = await launch(wav);
  const network = await lay(base);
  const heard = await listen(page);
  await logIn(page, network.base);
  await page.goto(`${network.base}/consultations/visit-dhillon`);
  network.bar(true);
  await record(page);
  await savedAtLeast(page, 3);
  network.bar(false);

  await network.cut();
  await page.waitForSelector('[data-voice-bar][data-state="offline"]', { timeout: 15000 });
  await page.waitForTimeout(3000);
  const offline = await page.innerText('.voice-bar-message');
  await network.lay();
  await page.waitForSelector('[data-voice-bar][data-state="recording"]', { timeout: 20000 });
  await savedAtLeast(page, 7);

  const before = heard.kept.size;
  await page.reload();
  await page.waitForSelector('[data-voice-bar][data-state="paused"]', { timeout: 20000 });
  await record(page);
  await page.waitForTimeout(4000);
  await page.click('[data-voice="stop"]');
  // What is finished is acknowledged as a whole; the engine's work on it is another test's.
  const state = () => page.request.get(`${network.base}/consultations/visit-dhillon/dictations/${heard.dictation()}`);
  while ((await (await state()).json()).state === 'open') await page.waitForTimeout(200);

  const answer = await page.request.get(`${network.base}/consultations/visit-dhillon/audio/${heard.dictation()}`);
  const served = await answer.body();
  const frames = [...heard.kept.keys()].sort((a, b) => a - b);
  await browser.close();
  network.end();
  console.log(JSON.stringify({
    offline: /kept on this device/.test(offline),
    gapless: frames.every((sequence, place) => sequence === place),
    wentOn: heard.kept.size > before,
    given: digest(heard.given),
    kept: digest(frames.map((sequence) => heard.kept.get(sequence))),
    served: digest([served.subarray(HEADER)]),
    milliseconds: (served.length - HEADER) / 32,
  }));
}

main(process.argv[2], process.argv[3]).catch((error) => { console.error(error); process.exit(1); });
