// The transcript while it is spoken: partials replaced by segment, finals into the log, entities marked in the text.

/** Screen readers hear the finals at most so often. */
const ANNOUNCE = 5000;

const clock = (ms) => {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
};

const make = (tag, attributes = {}, text = '') => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
};

/** The kind of mark, as the server marks a finished transcript. */
function kindOf({ category, traits }) {
  const denied = traits.includes('NEGATION');
  if (category === 'ALLERGY' && !denied) return 'allergy';
  if (denied) return 'denied';
  if (category === 'MEDICAL_CONDITION') return traits.includes('SYMPTOM') ? 'symptom' : 'diagnosis';
  return { MEDICATION: 'medicine', VITAL: 'vital', TEST_TREATMENT_PROCEDURE: 'test', ANATOMY: 'site' }[category] ?? '';
}

export class Transcript {
  /** @param {HTMLElement} pane @param {string} encounter */
  constructor(pane, encounter) {
    this.encounter = encounter;
    this.clear(pane);
  }

  clear(pane = document.querySelector('[data-transcript]')) {
    clearTimeout(this.timer);
    this.timer = null;
    this.pane = pane;
    this.log = null;
    /** @type {Map<number, {line: HTMLElement, text: string}>} */
    this.finals = new Map();
    this.lines = new Map();
  }

  /** The log and, beside it, the part that changes and is not read out. */
  begin(dictation, language) {
    const body = this.pane.querySelector('.pane-body') ?? this.pane;
    for (const hint of body.querySelectorAll('[data-empty]')) hint.remove();
    this.dictation = dictation;
    this.log = make('ol', { class: 'lines', role: 'log', 'aria-live': 'polite', lang: language, 'data-live': 'log' });
    this.open = make('ol', { class: 'lines', 'aria-hidden': 'true', lang: language, 'data-live': 'open' });
    body.append(this.log, this.open);
  }

  hear(event) {
    if (!this.log) return;
    if (event.type === 'partial') this.partial(event);
    if (event.type === 'final') this.final(event);
    if (event.type === 'entity') this.mark(event.entity);
  }

  line(segment) {
    let line = this.lines.get(segment);
    if (!line) {
      line = make('li', { class: 'said', 'data-segment': segment, 'data-state': 'partial' });
      line.append(make('span', { class: 'said-who' }), make('span', { class: 'said-at' }), make('p', { class: 'said-text' }));
      this.lines.set(segment, line);
      this.open.append(line);
    }
    return line;
  }

  partial({ segment, text }) {
    if (this.finals.has(segment)) return;
    this.write(this.line(segment), text);
  }

  final({ segment, startMs, endMs, text, command }) {
    const line = this.line(segment);
    line.dataset.state = 'final';
    const place = `/consultations/${this.encounter}/audio/${this.dictation}#t=${Math.floor(startMs / 1000)}`;
    const chip = make('a', { class: 'said-at', href: place, 'data-play': '', 'data-dictation': this.dictation, 'data-start': startMs, 'data-end': endMs }, clock(startMs));
    line.querySelector('.said-at').replaceWith(chip);
    this.write(line, text);
    if (command) line.dataset.command = command;
    this.finals.set(segment, { line, text: text.trim(), command, struck: false });
    if (command === 'scratch-that') this.strike(segment);
    this.timer ??= setTimeout(() => this.announce(), ANNOUNCE);
  }

  /** "Scratch that" strikes the dictated segment before it; behind a command it is for the server. */
  strike(segment) {
    const earlier = [...this.finals.entries()].filter(([number]) => number < segment).map(([, final]) => final).reverse();
    const before = earlier.find((final) => !final.struck && final.command !== 'scratch-that');
    if (!before || before.command) return;
    before.struck = true;
    before.line.dataset.struck = '';
    this.finals.get(segment).strikes = true;
  }

  /** Whether a command has struck dictated words. */
  strikes({ segment }) {
    return this.finals.get(segment)?.strikes === true;
  }

  write(line, text) {
    line.querySelector('.said-text').textContent = text.trim();
    const caption = document.querySelector('[data-voice="caption"]');
    if (caption) caption.textContent = text.trim();
    const body = this.pane.querySelector('.pane-body');
    if (body && body.scrollHeight - body.scrollTop - body.clientHeight < 200) body.scrollTop = body.scrollHeight;
  }

  /** Moves what is final into the log, which is read out. */
  announce() {
    this.timer = null;
    for (const { line } of this.finals.values()) if (line.parentElement === this.open) this.log.append(line);
  }

  /** Marks an entity if the text is where the server says; offsets count code points of the whole text. */
  mark(entity) {
    const kind = kindOf(entity);
    let offset = 0;
    for (const { line, text, command, struck } of this.finals.values()) {
      if (command || struck) continue;
      const letters = [...text];
      const [begin, end] = [entity.begin - offset, entity.end - offset];
      offset += letters.length + (letters.length > 0 ? 1 : 0);
      if (begin < 0 || end > letters.length) continue;
      if (kind && letters.slice(begin, end).join('') === entity.text) wrap(line.querySelector('.said-text'), begin, end, kind);
      return;
    }
  }
}

/** Wraps code points of a line that no mark holds yet; hidden words of other marks do not count. */
function wrap(place, begin, end, kind) {
  let at = 0;
  for (const node of [...place.childNodes]) {
    const own = node.nodeType === Node.TEXT_NODE ? node.data : node.dataset.text;
    const letters = [...own];
    if (node.nodeType === Node.TEXT_NODE && begin >= at && end <= at + letters.length) {
      const part = (from, to) => letters.slice(from, to).join('');
      const mark = make('mark', { class: 'mark', 'data-kind': kind });
      mark.dataset.text = part(begin - at, end - at);
      const legend = document.querySelector(`.legend .mark[data-kind="${kind}"]`)?.textContent ?? kind;
      mark.append(make('span', { class: 'visually-hidden' }, `${legend}: `), mark.dataset.text);
      node.replaceWith(part(0, begin - at), mark, part(end - at, letters.length));
      return;
    }
    at += letters.length;
  }
}
