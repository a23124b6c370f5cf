// Sends recordings from files: what is no recording is told in words and replaced, a recording becomes a draft, with script and
// without; a file whose sending is cut off goes on from where it stood.
// Arguments: the base URL, a short WAV file. Ends with a line of JSON.
const { launch, logIn } = require('./doctor.js');

async function choose(page, file) {
  await page.click('summary:has-text("From a file")');
  await page.setInputFiles('[data-voice="file"]', file);
  await page.click('form:has([data-voice="file"]) button');
}

async function main(base, wav) {
  const { browser, page, faults } = await launch();
  await logIn(page, base);
  await page.goto(`${base}/consultations/visit-rane`);
  await choose(page, { name: 'letter.wav', mimeType: 'audio/wav', buffer: Buffer.from('Dear colleague, this is no recording.') });
  await page.waitForSelector('.voice-bar-message:has-text("This file can’t be read")', { timeout: 20000 });
  const refused = await page.innerText('.voice-bar-message');
  const damaged = await page.locator('[data-dictation-state="damaged"]').count();
  const network = faults.splice(0);

  // The connection is gone when the second piece is sent, and comes back.
  const ranges = [];
  let cuts = 1;
  await page.route('**/piece', (route) => {
    const range = route.request().headers()['content-range'];
    if (!range.startsWith('bytes 0-') && cuts > 0) { cuts -= 1; return route.abort('connectionreset'); }
    ranges.push(range);
    return route.continue();
  });
  await choose(page, wav);
  await page.waitForSelector('.voice-bar-message:has-text("goes on from where it stands")', { timeout: 20000 });
  await page.waitForSelector('[data-voice="progress"] progress', { timeout: 20000 });
  await page.waitForSelector('.said-text', { timeout: 240000 });
  const cut = faults.splice(0);
  const text = await page.innerText('[data-transcript]');
  const draft = await page.locator('.section .section-text').count();
  const left = await page.locator('[data-dictation-state="damaged"]').count();

  const plain = await browser.newContext({ javaScriptEnabled: false });
  await plain.addCookies(await page.context().cookies());
  const bare = await plain.newPage();
  const answer = () => bare.waitForResponse((response) => response.request().method() === 'POST');
  const until = async (selector, words) => {
    for (let tries = 0; tries < 60; tries += 1) {
      await bare.goto(`${base}/consultations/visit-varghese`);
      const found = await bare.locator(selector).allInnerTexts();
      if (found.some((one) => one.includes(words))) return true;
      await bare.waitForTimeout(500);
    }
    return false;
  };
  await bare.goto(`${base}/consultations/visit-varghese`);
  const [broken] = await Promise.all([answer(), choose(bare, { name: 'a.wav', mimeType: 'audio/wav', buffer: Buffer.from('no') })]);
  const words = await until('[data-transcript] .notice', 'is not WAV');
  await bare.setInputFiles('form[action*="/dictations/"] input[type="file"]', wav);
  const [taken] = await Promise.all([answer(), bare.click('form[action*="/dictations/"] button')]);
  const saved = await until('[data-voice="saved"]', 'Saved to 00:12 on the server');
  await browser.close();
  console.log(JSON.stringify({
    refused, damaged, network, pieces: ranges.map((range) => range.split('-')[0]), cut: cut.length > 0, faults,
    heard: /patient|fever|cough/i.test(text), draft: draft > 0, left, broken: broken.status(), words, taken: taken.status(), saved,
  }));
}

main(process.argv[2], process.argv[3]).catch((error) => { console.error(error); process.exit(1); });
