// Looks at every page as axe-core does, in light and dark, at three widths, and works one consultation by keyboard alone.
// Arguments: the base URL. Ends with a line of JSON.
const { chromium } = require('playwright-core');
const { QUIET, logIn } = require('./doctor.js');
const axe = require.resolve('axe-core/axe.min.js');

/** Desk and telephone: within each, a page is loaded once. */
const WIDTHS = [[1440, 1024], [390]];
const PAGES = [
  '/worklist', '/account', '/patients', '/patients?q=nobody', '/patients/rane', '/consultations/visit-rane', '/consultations/visit-naik',
  '/consultations/visit-naik?tab=transcript', '/consultations/visit-naik?tab=medicines', '/consultations/visit-naik?edit=diagnosis',
  '/consultations/visit-naik/prescription', '/consultations/visit-gawande', '/consultations/visit-gawande?tab=medicines',
  '/consultations/visit-gawande?sign=1', '/consultations/visit-sheikh/walk', '/consultations/visit-rane/walk', '/consultations/visit-gawande/prescription', '/nothing-here',
];
const LINE = 'tab paracetamol 500 mg TDS x 3 days';

async function focus(page, wanted) {
  for (let step = 0; step < 150; step += 1) {
    if (await page.evaluate((selector) => document.activeElement.matches(selector), wanted)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the Tab key does not reach ${wanted} on ${page.url()}`);
}

async function press(page, wanted, key = 'Enter') {
  await focus(page, wanted);
  await Promise.all([page.waitForNavigation(), page.keyboard.press(key)]);
}

async function type(page, wanted, text) {
  await focus(page, wanted);
  await page.keyboard.type(text);
}

// Log in, type a medicine, write and approve the required sections, approve the medicine, sign: never the mouse.
async function byKeyboard(browser, base) {
  const context = await browser.newContext({ bypassCSP: true, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${base}/log-in`);
  await type(page, 'input[name=username]', 'dr.kelkar');
  await type(page, 'input[name=password]', 'namaste-seva-demo');
  await press(page, 'input[name=password]');
  await press(page, '.worklist-act a[href$="/visit-naik"]');
  await type(page, '#add-medicine', LINE);
  await press(page, '#add-medicine');
  for (const [code, words] of [['diagnosis', 'Viral fever'], ['instructions', 'Rest and fluids']]) {
    await press(page, `#section-${code} a[href*="edit=${code}"]`);
    await type(page, `#text-${code}`, words);
    await press(page, `#section-${code} button[value=approved]`);
  }
  await press(page, '#section-medications button[value=approved]');
  await press(page, '.medicine button[value=approved]');
  await press(page, '.foot button[name=sign]');
  await type(page, 'input[name=pin]', '1111');
  await press(page, 'input[name=pin]');
  const refused = await page.locator('dialog [role=alert]').count();
  const faults = await faultsOf(page, 'the signature dialog', 1440);
  await type(page, 'input[name=pin]', '2468');
  await press(page, 'input[name=pin]');
  const sealed = await page.locator('.foot-sealed').count();
  await context.close();
  return { refused, sealed, faults };
}

// The same visit in two windows: the slower one is shown both texts and loses nothing.
async function conflict(browser, base, state) {
  const context = await browser.newContext({ storageState: state });
  const [one, other] = [await context.newPage(), await context.newPage()];
  await one.goto(`${base}/consultations/visit-gawande`);
  await one.fill('#add-medicine', LINE);
  await one.press('#add-medicine', 'Enter');
  await one.waitForSelector('.medicine');
  for (const page of [one, other]) await page.goto(`${base}/consultations/visit-gawande?edit=diagnosis`);
  for (const [page, words] of [[one, 'Migraine'], [other, 'Tension headache']]) {
    await page.fill('#text-diagnosis', words);
    await Promise.all([page.waitForNavigation(), page.click('#section-diagnosis button[value=approved]')]);
  }
  const both = await other.innerText('.versions');
  await Promise.all([other.waitForNavigation(), other.click('.finding button[name=state]')]);
  const kept = await other.innerText('#section-diagnosis .section-text');
  await context.close();
  return both.includes('Migraine') && both.includes('Tension headache') && kept.includes('Tension headache');
}

// A page without JavaScript: consent, typed medicine, patients found by name and by number.
async function withoutScripts(browser, base, state) {
  const context = await browser.newContext({ storageState: state, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${base}/consultations/visit-naik`);
  const before = await page.locator('[data-voice=start]').count();
  await page.click('form[action$="/consent"] button');
  await page.waitForSelector('[data-voice-bar][data-state=ready]');
  const found = [];
  for (const words of ['rane', '0042-7718']) {
    await page.goto(`${base}/patients?q=${words}`);
    found.push(await page.locator('tbody tr').count());
  }
  await page.click('summary:has-text("New patient")');
  await page.fill('input[name=given]', 'Asha');
  await page.fill('input[name=family]', 'Lokhande');
  await page.selectOption('select[name=gender]', 'female');
  await page.fill('input[name=born]', '1960-02-01');
  await page.click('form[action="/patients"][method=post] button[data-kind=main]');
  await page.waitForSelector('h1:has-text("Lokhande, Asha")');
  const unasked = await page.locator('.banner-allergy[data-state=unasked]').count();
  await page.click('#allergies summary');
  await page.fill('input[name=substance]', 'Penicillin');
  await page.fill('input[name=reaction]', 'Rash');
  await page.click('form[action$="/allergies"] button[data-kind=main]');
  await page.waitForSelector('.banner-allergy[data-state=known]:has-text("Rash")');
  await page.fill('#reason', 'Knee pain');
  await page.click('form[action$="/visits"] button');
  await page.waitForSelector('[data-voice-bar][data-state=off]');
  await page.goto(`${base}/worklist`);
  const visit = await page.innerText('tr[data-progress=room]:has-text("Lokhande")');
  await context.close();
  return { before, found, unasked, visit: visit.includes('18') && visit.includes('Knee pain') && visit.includes('Penicillin') };
}

// A dictation of the test: its dangerous words walked by keyboard alone, the meter and a command beside the note; without scripts too.
async function reviewing(browser, base, state) {
  const context = await browser.newContext({ storageState: state });
  const page = await context.newPage();
  await page.goto(`${base}/consultations/visit-rane`);
  const meters = await page.locator('.omissions meter').count();
  await page.fill('#command', 'go to diagnosis');
  await page.press('#command', 'Enter');
  await page.waitForFunction(() => document.activeElement?.closest('#section-diagnosis'));
  await page.keyboard.press('n');
  await page.waitForSelector('[data-walk]');
  const left = () => page.locator('[data-stop][data-state=pending]').count();
  const before = await left();
  const [asked] = await Promise.all([page.waitForRequest(/\/audio\//), page.keyboard.press('n')]);
  await page.waitForFunction(() => document.activeElement?.closest('[data-stop]'));
  await Promise.all([page.waitForNavigation(), page.keyboard.press('v')]);
  const marked = before - await left();
  await page.reload();
  const kept = before - await left();
  const plain = await browser.newContext({ storageState: state, javaScriptEnabled: false });
  const other = await plain.newPage();
  await other.goto(`${base}/consultations/visit-rane/walk`);
  await other.click('#next button[value=heard]');
  await other.waitForSelector('[data-walk]');
  const scriptless = before - await other.locator('[data-stop][data-state=pending]').count();
  await other.goto(`${base}/consultations/visit-rane`);
  await other.fill('#command', 'prescribe azithromycin five hundred once daily for three days');
  await other.click('[data-commands] button');
  const drafted = await other.locator('.medicine:has-text("azithromycin")').count();
  await plain.close();
  await context.close();
  return { meters, walked: before > 3, heard: asked.url().includes('/visit-rane/audio/'), marked, kept, scriptless, drafted: drafted > 0 };
}

// Without JavaScript: advice is written, translated, and refused where the machine's words say something else.
async function translating(browser, base, state) {
  const context = await browser.newContext({ storageState: state, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${base}/consultations/visit-rane?edit=instructions`);
  await page.fill('#text-instructions', 'Drink three litres of water a day.');
  await page.click('#section-instructions button[value=approved]');
  await page.goto(`${base}/consultations/visit-rane/prescription`);
  const offered = await page.locator('.translation').count();
  await page.click('#translation-instructions button[value=hi]');
  const said = await page.innerText('[data-translated]');
  await page.click('#translation-instructions button[value=mr]');
  const refused = await page.locator('[data-refused] li').allInnerTexts();
  await context.close();
  const seeing = await browser.newContext({ storageState: state, bypassCSP: true, viewport: { width: 390, height: 844 } });
  const again = await seeing.newPage();
  await again.goto(`${base}/consultations/visit-rane/prescription`);
  await again.click('#translation-instructions button[value=mr]');
  const faults = await faultsOf(again, 'a refused translation', 390);
  await again.click('#translation-instructions button[value=hi]');
  faults.push(...await faultsOf(again, 'a translation', 390));
  await seeing.close();
  return { offered, said, refused, faults };
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** What another colour scheme can change. */
const COLOURS = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };

async function faultsOf(page, place, width) {
  await page.addScriptTag({ path: axe });
  return axeFaults(page, place, width);
}

/** Where axe is on the page already. */
async function axeFaults(page, place, width, rules = RULES) {
  const result = await page.evaluate((runOnly) => window.axe.run(document, { runOnly }), rules);
  const faults = result.violations.map((fault) => `${place} ${width} ${fault.id}: ${fault.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) faults.push(`${place} ${width}: scrolls sideways by ${wide} px`);
  return faults;
}

/** Looks at a page in both colour schemes, at the widths of one way in which it is laid out. */
async function lookAt(page, address, place, widths) {
  const faults = [];
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: widths[0], height: 844 });
  await page.goto(address);
  await page.addScriptTag({ path: axe });
  for (const width of widths) {
    await page.setViewportSize({ width, height: 844 });
    for (const [colorScheme, rules] of [['light', RULES], ['dark', COLOURS]]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      faults.push(...await axeFaults(page, `${colorScheme} ${place}`, width, rules));
    }
  }
  return faults;
}

async function look(browser, base, state) {
  const faults = [];
  for (const [storageState, places] of [[state, PAGES], [undefined, ['/log-in']]]) {
    for (const widths of WIDTHS) {
      const context = await browser.newContext({ storageState, bypassCSP: true });
      const page = await context.newPage();
      page.on('pageerror', (error) => faults.push(String(error)));
      for (const place of places) faults.push(...await lookAt(page, base + place, place, widths));
      await context.close();
    }
  }
  return faults;
}

// What axe would not see in English: every page in Hindi and Marathi still fits a telephone.
async function fits(browser, base, state) {
  const context = await browser.newContext({ storageState: state, viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  const faults = [];
  for (const language of ['hi', 'mr']) {
    await context.addCookies([{ name: 'seva_language', value: language, url: base }]);
    for (const place of PAGES) {
      await page.goto(base + place);
      const seen = await page.evaluate(() => [document.documentElement.lang, document.documentElement.scrollWidth - window.innerWidth]);
      if (seen[0] !== language || seen[1] > 0) faults.push(`${place} in ${language}: ${seen}`);
    }
  }
  await context.close();
  return faults;
}

async function main(base) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: QUIET });
  const context = await browser.newContext();
  const page = await context.newPage();
  await logIn(page, base);
  const state = await context.storageState();
  const scriptless = await withoutScripts(browser, base, state);
  const review = await reviewing(browser, base, state);
  const translated = await translating(browser, base, state);
  const keyboard = await byKeyboard(browser, base);
  const seen = { scriptless, review, translated, keyboard, conflict: await conflict(browser, base, state), faults: [...await look(browser, base, state), ...await fits(browser, base, state)] };
  await browser.close();
  console.log(JSON.stringify(seen));
}

main(process.argv[2]).catch((error) => { console.error(error); process.exit(1); });
