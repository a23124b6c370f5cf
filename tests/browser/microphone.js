// Dictates by microphone as a doctor does: record, see the text and what is saved, stop, review, sign, print.
// Arguments: the base URL, and the WAV file that the browser takes for its microphone. Ends with a line of JSON.
const { approveAll, finish, launch, logIn, record, sign } = require('./doctor.js');

async function main(base, wav) {
  const { browser, page, faults } = await launch(wav);
  await logIn(page, base);
  await page.goto(`${base}/consultations/visit-dhillon`);
  // Text that appears by itself, before the page is brought up to date.
  await page.evaluate(() => new MutationObserver(() => {
    window.live ||= [...document.querySelectorAll('[data-live] .said-text')].some((said) => said.textContent !== '');
  }).observe(document.body, { childList: true, subtree: true, characterData: true }));
  const ready = await page.getAttribute('[data-voice-bar]', 'data-state');
  await record(page);
  await page.waitForFunction(() => Number(document.querySelector('[data-voice="saved"]').dataset.saved) >= 3, null, { timeout: 20000 });
  const level = await page.innerText('[data-voice="level"]');
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  await page.keyboard.press('r');
  const paused = await page.getAttribute('[data-voice-bar]', 'data-state');
  await page.keyboard.press('r');
  await page.waitForFunction(() => Number(document.querySelector('[data-voice="saved"]').dataset.saved) >= 21, null, { timeout: 40000 });
  // What is being typed stays when the draft arrives.
  await page.fill('#add-medicine', 'half a wo');
  await finish(page);
  await page.waitForSelector('.medicine', { timeout: 240000 });
  const live = await page.evaluate(() => window.live === true);
  const typed = await page.inputValue('#add-medicine');
  await page.fill('#add-medicine', '');
  const text = await page.innerText('body');
  const chip = page.locator('.medicine [data-play]').first();
  await chip.click();
  await page.waitForFunction(() => document.querySelector('[data-playing]') !== null);
  const left = await page.evaluate(() => indexedDB.databases().then((list) => new Promise((resolve) => {
    const request = indexedDB.open(list[0].name);
    request.onsuccess = () => {
      const all = request.result.transaction('frames').objectStore('frames').count();
      all.onsuccess = () => resolve(all.result);
    };
  })));
  const medicines = await approveAll(page);
  await sign(page);
  const pdf = await page.request.get(`${base}/consultations/visit-dhillon/document.pdf`);
  await browser.close();
  console.log(JSON.stringify({
    faults, ready, paused, live, left, typed, medicines, pdf: pdf.headers()['content-type'],
    level: /good|low|loud/.test(level),
    paracetamol: text.includes('paracetamol'), azithromycin: text.includes('azithromycin'), temperature: text.includes('38.5'),
  }));
}

main(process.argv[2], process.argv[3]).catch((error) => { console.error(error); process.exit(1); });
