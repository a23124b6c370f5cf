// What a doctor does on the pages, step by step, for the tests in this folder.
const { chromium } = require('playwright-core');

const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** A browser whose microphone plays a file once. */
async function launch(wav) {
  const microphone = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-audio-capture=${wav}%noloop`];
  const arguments_ = wav ? [...QUIET, ...microphone] : QUIET;
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: arguments_ });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') faults.push(message.text()); });
  page.on('dialog', (dialog) => dialog.accept());
  return { browser, page, faults };
}

async function logIn(page, base) {
  await page.goto(`${base}/log-in`);
  await page.fill('input[name=username]', 'dr.kelkar');
  await page.fill('input[name=password]', 'namaste-seva-demo');
  await page.press('input[name=password]', 'Enter');
  await page.waitForURL('**/worklist');
}

/** Starts, or goes on after a pause. */
async function record(page) {
  await page.click('[data-voice="start"]');
  await page.waitForSelector('[data-voice-bar][data-state="recording"]', { timeout: 20000 });
}

/** Stops, and waits for the draft; an engine on a busy machine takes its time. */
async function finish(page) {
  await page.click('[data-voice="stop"]');
  await page.waitForSelector('[data-voice-bar][data-state="ready"]', { timeout: 180000 });
}

/** Fills what is required and approves everything; returns the number of medicines. */
async function approveAll(page) {
  for (const [code, words] of [['diagnosis', 'Acute febrile illness'], ['medications', ''], ['instructions', 'Plenty of fluids']]) {
    if (words) {
      await page.click(`#section-${code} a[href*="edit=${code}"]`);
      await page.fill(`#text-${code}`, words);
    }
    await page.click(`form[action$="/sections/${code}"] button[value=approved]`);
    await page.waitForSelector(`#section-${code} .section-done`);
  }
  const medicines = await page.locator('.medicine').count();
  for (let place = 0; place < medicines; place += 1) {
    const medicine = page.locator('.medicine[data-state=pending]').first();
    const id = (await medicine.getAttribute('id')).replace('medicine-', '');
    // What the engine did not hear of a name or a dose, the doctor types.
    if (await page.locator(`.foot-before .blocker[data-tone][href*="${id}"]`).count()) {
      const heard = await medicine.locator('h3').innerText();
      await medicine.locator('[data-key=e]').click();
      await page.fill(`#medicine-${id} input[name=text]`, /^p/i.test(heard) ? 'tab paracetamol 650 mg TDS x 5 days' : 'tab azithromycin 500 mg OD x 3 days');
    }
    await page.locator(`#medicine-${id} button[value=approved]`).click();
    await page.waitForFunction((done) => document.querySelectorAll('.medicine[data-state=approved]').length === done, place + 1);
  }
  return medicines;
}

/** Gives a coded reason for each safety finding that asks for one. */
async function giveReasons(page) {
  const asked = page.locator('form.reasons button[name=reason][value="1"]');
  for (let left = await asked.count(); left > 0; left -= 1) {
    await asked.first().click();
    await page.waitForFunction((before) => document.querySelectorAll('form.reasons button[name=reason][value="1"]').length < before, left);
  }
}

/** Keeps what was drafted where a recording proposes something else, as for what was said twice and heard differently. */
async function rejectProposals(page) {
  const button = '#proposals button[name=decision][value=rejected]';
  const waiting = page.locator(button);
  for (let left = await waiting.count(); left > 0; left -= 1) {
    await waiting.first().click();
    await page.waitForFunction(([what, before]) => document.querySelectorAll(what).length < before, [button, left]);
  }
}

async function sign(page) {
  const blockers = await page.locator('.foot-before .blocker').allInnerTexts();
  if (blockers.length > 0) throw new Error(`the signature is blocked: ${blockers.join(', ')}`);
  await page.click('.foot button[name=sign]');
  await page.fill('input[name=pin]', '2468');
  await page.press('input[name=pin]', 'Enter');
  await page.waitForSelector('text=Read-only');
}

module.exports = { QUIET, approveAll, finish, giveReasons, launch, logIn, record, rejectProposals, sign };
