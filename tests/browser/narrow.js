// The microphone's bar on a telephone in the longer languages: in each of its states nothing of it lies beyond the screen or is cut off.
// Arguments: the base URL. Ends with a line of JSON.
const { chromium } = require('playwright-core');
const { QUIET, logIn } = require('./doctor.js');

// Two microphones, as a telephone has them.
const ARGUMENTS = [...QUIET, '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'];
const WIDTHS = [390, 320];

// What of the bar reaches beyond the window, or beyond the part that hides what does not fit.
function beyond() {
  const width = document.documentElement.clientWidth;
  const faults = document.documentElement.scrollWidth > width ? [`the page is ${document.documentElement.scrollWidth} wide`] : [];
  for (const part of document.querySelectorAll('.voice-bar *')) {
    const menu = part.closest('details');
    const shown = part.checkVisibility() && !(menu && !menu.open && part.closest('.menu-sheet'));
    const { left, right, width: own } = part.getBoundingClientRect();
    if (!shown || own < 2) continue;
    const name = part.className.baseVal ?? part.className;
    if (left < -0.5 || right > width + 0.5) faults.push(`${part.tagName} ${name} from ${Math.round(left)} to ${Math.round(right)}`);
    if (getComputedStyle(part).overflowX === 'hidden' && part.scrollWidth > part.clientWidth + 1) faults.push(`${part.tagName} ${name} hides some of itself`);
  }
  return faults;
}

async function main(base) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ARGUMENTS });
  const faults = [];
  let microphones = 0;
  for (const [language, patient] of [['hi', 'rane'], ['mr', 'gawande']]) {
    const context = await browser.newContext({ viewport: { width: WIDTHS[0], height: 844 }, permissions: ['microphone'] });
    await context.addCookies([{ name: 'seva_language', value: language, url: base }]);
    const page = await context.newPage();
    await logIn(page, base);
    const look = async (state) => {
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 844 });
        faults.push(...(await page.evaluate(beyond)).map((fault) => `${language} ${state} ${width}: ${fault}`));
      }
    };
    await page.goto(`${base}/consultations/visit-naik`);
    await look('off');
    await page.goto(`${base}/consultations/visit-${patient}`);
    await page.waitForSelector('[data-voice="start"]:visible');
    microphones = await page.locator('[data-voice="microphone"] option').count();
    await look('ready');
    await page.click('.voice-bar .menu summary');
    await look('menu');
    await page.click('.voice-bar .menu summary');
    await page.click('[data-voice="start"]');
    await page.waitForFunction(() => Number(document.querySelector('[data-voice="saved"]').dataset.saved) >= 1, null, { timeout: 20000 });
    await page.waitForSelector('.meter > span:not(.meter-cells):not(:empty)');
    await look('recording');
    await page.click('[data-voice="pause"]');
    await page.waitForSelector('[data-voice-bar][data-state=paused]');
    await look('paused');
    await page.click('[data-voice="stop"]');
    await page.waitForSelector('[data-voice-bar][data-state=finishing]');
    await look('finishing');
    await context.close();
  }
  await browser.close();
  console.log(JSON.stringify({ several: microphones > 1, faults }));
}

main(process.argv[2]).catch((error) => { console.error(error); process.exit(1); });
