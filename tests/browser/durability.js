// Begins a recording where no socket gets through, cuts the network twice, loads the page anew once, signs the note, and compares what the microphone gave and the
// page kept with what the server serves. Arguments: the base URL, the WAV file for the microphone, the seconds to record. Ends with a line of JSON.
const { createHash } = require('node:crypto');
const { approveAll, finish, giveReasons, launch, logIn, record, rejectProposals, sign } = require('./doctor.js');
const { lay } = require('./proxy.js');

const HEADER = 44;
const digest = (parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

/**
 * Hears each frame where the audio thread hands it over, and where the device keeps it. What a page says while it is loaded
 * anew may not get through: it notes what it says until that is heard, and the next page says again what is left.
 */
async function listen(page) {
  const given = new Map();
  const kept = new Map();
  let dictation = '';
  await page.exposeBinding('given', (_, moment, { pcm }) => { given.set(moment, Buffer.from(pcm, 'base64')); });
  await page.exposeBinding('kept', (_, moment, row) => {
    const pcm = Buffer.from(row.pcm, 'base64');
    dictation = row.dictation;
    if (kept.has(row.sequence) && !kept.get(row.sequence).equals(pcm)) throw new Error(`frame ${row.sequence} changed`);
    kept.set(row.sequence, pcm);
  });
  await page.addInitScript(() => {
    const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
    const NOTED = 'told ';
    const say = async (said, name, value) => {
      await window[name](said, value);
      sessionStorage.removeItem(NOTED + said);
    };
    // Each page begins some seconds after the one before it, and says less than a thousand things in each of them.
    let moment = Math.round(performance.timeOrigin) * 1000;
    const tell = (name, value) => {
      moment += 1;
      sessionStorage.setItem(NOTED + moment, JSON.stringify([moment, name, value]));
      say(moment, name, value);
    };
    Object.keys(sessionStorage).filter((key) => key.startsWith(NOTED)).forEach((key) => say(...JSON.parse(sessionStorage.getItem(key))));
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (row, ...rest) {
      if (this.name === 'frames') tell('kept', { dictation: row.dictation, sequence: row.sequence, pcm: text(row.samples) });
      return put.call(this, row, ...rest);
    };
    const Node = window.AudioWorkletNode;
    window.AudioWorkletNode = class extends Node {
      constructor(...parts) {
        super(...parts);
        this.port.addEventListener('message', ({ data }) => { if (data.type === 'frame') tell('given', { pcm: text(data.pcm) }); });
      }
    };
  });
  const inOrder = (frames) => [...frames.entries()].sort(([a], [b]) => a - b).map(([, pcm]) => pcm);
  return { given: () => inOrder(given), kept, frames: () => inOrder(kept), dictation: () => dictation };
}

const savedAtLeast = (page, seconds) => page.waitForFunction(
  (wanted) => Number(document.querySelector('[data-voice="saved"]').dataset.saved) >= wanted, seconds, { timeout: 30000 + 1500 * seconds },
);

/** Cuts the network for a while; returns what the page says meanwhile. */
async function cut(page, network, state) {
  await network.cut();
  await page.waitForSelector('[data-voice-bar][data-state="offline"]', { timeout: 15000 });
  await page.waitForTimeout(3000);
  const said = await page.innerText('.voice-bar-message');
  await network.lay();
  await page.waitForSelector(`[data-voice-bar][data-state="${state}"]`, { timeout: 20000 });
  return /kept on this device/.test(said);
}

async function main(base, wav, seconds) {
  const { browser, page } = await launch(wav);
  const network = await lay(base);
  const heard = await listen(page);
  await logIn(page, network.base);
  await page.goto(`${network.base}/consultations/visit-dhillon`);
  network.bar(true);
  await record(page);
  await savedAtLeast(page, 3);
  network.bar(false);

  const first = await cut(page, network, 'recording');
  await savedAtLeast(page, Math.max(7, seconds / 3));

  const before = heard.kept.size;
  await page.reload();
  await page.waitForSelector('[data-voice-bar][data-state="paused"]', { timeout: 20000 });
  // The microphone's file begins anew: what follows holds the whole dictation.
  await record(page);
  await page.waitForTimeout(5000);
  const second = await cut(page, network, 'recording');
  await savedAtLeast(page, seconds);
  await finish(page);
  await page.waitForSelector('.medicine', { timeout: 60000 });
  const medicines = await approveAll(page);
  // Its beginning was heard twice: a medicine that is there twice asks for a reason, and one that was heard otherwise for a decision.
  await giveReasons(page);
  await rejectProposals(page);
  await sign(page);

  const answer = await page.request.get(`${network.base}/consultations/visit-dhillon/audio/${heard.dictation()}`);
  const served = await answer.body();
  const frames = [...heard.kept.keys()].sort((a, b) => a - b);
  await browser.close();
  network.end();
  console.log(JSON.stringify({
    offline: first && second,
    medicines,
    gapless: frames.every((sequence, place) => sequence === place),
    wentOn: heard.kept.size > before,
    given: digest(heard.given()),
    kept: digest(heard.frames()),
    served: digest([served.subarray(HEADER)]),
    milliseconds: (served.length - HEADER) / 32,
  }));
}

main(process.argv[2], process.argv[3], Number(process.argv[4])).catch((error) => { console.error(error); process.exit(1); });
