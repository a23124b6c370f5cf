// The level meter: twenty bars and a word; the word alone where less motion is wanted.

const BARS = 20;
/** Decibels below full scale at the left end. */
const FLOOR = -50;
const LOW = -38;
const LOUD = -1;
/** A word stands for a while, else it flickers. */
const STEADY = 700;

const decibels = (amplitude) => 20 * Math.log10(Math.max(amplitude, 1e-5));

export function levelWord({ peak, rms }) {
  if (decibels(peak) > LOUD) return 'loud';
  return decibels(rms) < LOW ? 'low' : 'good';
}

export class Level {
  /** @param {HTMLElement} place @param {(key: string) => string} word */
  constructor(place, word) {
    this.place = place;
    this.word = word;
    this.bars = document.createElement('span');
    this.bars.className = 'meter-cells';
    this.bars.setAttribute('aria-hidden', 'true');
    this.bars.append(...Array.from({ length: BARS }, () => Object.assign(document.createElement('i'), { className: 'meter-cell' })));
    this.text = document.createElement('span');
    place.classList.add('meter');
    place.replaceChildren(this.bars, this.text);
    this.heard = [];
  }

  show(level) {
    const now = performance.now();
    this.heard = [...this.heard.filter(({ at }) => now - at < STEADY), { at: now, ...level }];
    const lit = Math.round(BARS * Math.max(0, Math.min(1, 1 - decibels(level.peak) / FLOOR)));
    [...this.bars.children].forEach((bar, place) => {
      if (place >= lit) delete bar.dataset.lit;
      else bar.dataset.lit = place >= BARS - 2 ? 'hot' : 'on';
    });
    const loudest = this.heard.reduce((a, b) => ({ peak: Math.max(a.peak, b.peak), rms: Math.max(a.rms, b.rms) }));
    const word = levelWord(loudest);
    this.place.dataset.level = word;
    const text = this.word(`level-${word}`);
    if (this.text.textContent !== text) this.text.textContent = text;
  }
}
