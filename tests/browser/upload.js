// Sends recordings from files: what is no recording is refused in words, a recording becomes a draft, with script and without.
// Arguments: the base URL, a short WAV file. Ends with a line of JSON.
const { launch, logIn } = require('./doctor.js');

async function choose(page, file) {
  await page.click('summary:has-text("From a file")');
  await page.setInputFiles('[data-voice="file"]', file);
  await page.click('form[action$="/recording"] button');
}

async function main(base, wav) {
  const { browser, page, faults } = await launch();
  await logIn(page, base);
  await page.goto(`${base}/consultations/visit-rane`);
  await choose(page, { name: 'letter.wav', mimeType: 'audio/wav', buffer: Buffer.from('Dear colleague, this is no recording.') });
  await page.waitForSelector('.voice-bar-message:has-text("The file was not taken")', { timeout: 20000 });
  const refused = await page.innerText('.voice-bar-message');
  const expected = faults.splice(0);
  await choose(page, wav);
  await page.waitForSelector('[data-voice="progress"] progress', { timeout: 20000 });
  await page.waitForSelector('.said-text', { timeout: 240000 });
  const text = await page.innerText('[data-transcript]');
  const draft = await page.locator('.section .section-text').count();

  const plain = await browser.newContext({ javaScriptEnabled: false });
  await plain.addCookies(await page.context().cookies());
  const bare = await plain.newPage();
  const answer = () => bare.waitForResponse((response) => response.request().method() === 'POST');
  await bare.goto(`${base}/consultations/visit-varghese`);
  const [broken] = await Promise.all([answer(), choose(bare, { name: 'a.wav', mimeType: 'audio/wav', buffer: Buffer.from('no') })]);
  const words = await bare.innerText('body');
  await bare.goto(`${base}/consultations/visit-varghese`);
  const [taken] = await Promise.all([answer(), choose(bare, wav)]);
  await bare.waitForURL('**/consultations/visit-varghese');
  const saved = await bare.innerText('[data-voice="saved"]');
  await browser.close();
  console.log(JSON.stringify({
    refused, faults, network: expected.every((fault) => fault.includes('415')), heard: /patient|fever|cough/i.test(text), draft: draft > 0,
    broken: broken.status(), words: words.includes('none of WAV'), taken: taken.status(), saved,
  }));
}

main(process.argv[2], process.argv[3]).catch((error) => { console.error(error); process.exit(1); });
