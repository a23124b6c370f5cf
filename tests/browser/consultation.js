// Drives the pages as a doctor does: log in, open a consultation, play the demo dictation, review, sign, print.
// Arguments: the base URL. Ends with a line of JSON. With SCREENSHOT set, keeps a picture there.
const { chromium } = require('playwright-core');

const arguments_ = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

async function main(base) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: arguments_ });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') faults.push(message.text()); });

  const refused = await page.goto(`${base}/consultations/visit-dhillon`);
  const before = new URL(page.url()).pathname;
  await page.goto(`${base}/log-in`);
  await page.fill('input[name=username]', 'dr.kelkar');
  await page.fill('input[name=password]', 'namaste-seva-demo');
  await page.press('input[name=password]', 'Enter');
  await page.waitForURL('**/worklist');
  const patients = await page.locator('.worklist-table a[href^="/patients/"]').count();
  await page.click('.worklist-act a[href="/consultations/visit-dhillon"]');
  await page.click('form[action$="/demo"] button');
  await page.waitForSelector('.medicine:has-text("azithromycin")', { timeout: 240000 });
  const text = await page.innerText('body');
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
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
    await page.locator('.medicine[data-state=pending] button[value=approved]').first().click();
    await page.waitForFunction((done) => document.querySelectorAll('.medicine[data-state=approved]').length === done, place + 1);
  }
  await page.click('.foot button[name=sign]');
  await page.fill('input[name=pin]', '2468');
  await page.press('input[name=pin]', 'Enter');
  await page.waitForSelector('.foot-sealed');
  const pdf = await page.request.get(`${base}/consultations/visit-dhillon/document.pdf`);
  const signed = { medicines, pdf: pdf.headers()['content-type'], hindi: (await page.innerText('.medicine-patient >> nth=0')).includes('दिन') };
  const cookies = await page.context().cookies();
  await browser.close();
  console.log(JSON.stringify({
    ...signed, before, status: refused.status(), patients, faults,
    httpOnly: cookies.every((cookie) => cookie.httpOnly),
    transcript: text.includes('known allergies'), temperature: text.includes('38.5'), paracetamol: text.includes('paracetamol'),
  }));
}

main(process.argv[2]).catch((error) => { console.error(error); process.exit(1); });
