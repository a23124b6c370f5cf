// Voice commands: typed into the field, or heard as a final segment; the server alone knows the grammar.
import { refresh } from './panes.js';
import { word } from './words.js';

const CHOICE = 'seva.commands';

export class Commands {
  /** @param {import('./server.js').Server} server @param {HTMLFormElement} form */
  constructor(server, form) {
    this.server = server;
    this.form = form;
    this.status = document.querySelector('[data-status]');
    this.chain = Promise.resolve();
    const box = document.querySelector('[data-voice="commands"]');
    if (box) {
      box.checked = localStorage.getItem(CHOICE) === 'on';
      box.closest('label').hidden = false;
      box.addEventListener('change', () => localStorage.setItem(CHOICE, box.checked ? 'on' : 'off'));
    }
    document.addEventListener('submit', (event) => {
      if (!event.target.matches('[data-commands]')) return;
      event.preventDefault();
      const input = event.target.elements.text;
      this.carryOut({ text: input.value, once: crypto.randomUUID() }).then((done) => { if (done) input.value = ''; });
    });
    document.addEventListener('focusin', (event) => {
      const section = event.target.closest?.('.section[id^="section-"]');
      if (section) this.field = section.id.replace('section-', '');
    });
  }

  get on() {
    return document.querySelector('[data-voice="commands"]')?.checked ?? false;
  }

  /** One after the other, in the order in which they were said. */
  carryOut(command) {
    this.chain = this.chain.then(() => this.send(command)).catch(() => false);
    return this.chain;
  }

  async send(command) {
    let outcome;
    try {
      outcome = await this.server.call('POST', '/commands', { field: this.field ?? '', ...command });
    } catch (error) {
      this.say(word('command-failed', { why: error.message }));
      return false;
    }
    if (!outcome.recognised) {
      this.say(word('command-unknown'));
      return false;
    }
    if (outcome.effect !== 'moved' && outcome.effect !== 'read' && outcome.effect !== 'refused') await refresh();
    this.go(outcome);
    this.say(outcome.say ?? word(`command-${outcome.effect}`));
    if (outcome.effect === 'read') this.aloud(outcome.say);
    return true;
  }

  /** Goes to the section or medicine, unless somebody is typing there. */
  go({ field, medicine }) {
    if (field) this.field = field;
    const place = (medicine && document.getElementById(`medicine-${medicine}`)) || document.getElementById(`section-${field}`);
    place?.scrollIntoView({ block: 'nearest' });
    const typed = document.activeElement?.closest('input, textarea, select');
    if (!typed || typed.closest('[data-commands]')) place?.querySelector('button, a[href]')?.focus({ preventScroll: true });
  }

  say(words) {
    if (this.status) this.status.textContent = words;
    let told = document.querySelector('.commands-told');
    if (!told) {
      told = document.createElement('p');
      told.className = 'commands-told';
      document.querySelector('.commands')?.prepend(told);
    }
    told.textContent = words;
  }

  /** Reads aloud where the device has a voice of its own: nothing is sent elsewhere. */
  aloud(words) {
    const voice = globalThis.speechSynthesis?.getVoices().find((each) => each.localService && each.lang.startsWith('en'));
    if (!voice) return;
    const spoken = new SpeechSynthesisUtterance(words);
    spoken.voice = voice;
    speechSynthesis.speak(spoken);
  }
}
