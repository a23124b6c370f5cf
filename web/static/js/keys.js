// The keys: each has a visible button (`data-key`); off inside fields, and they can be moved to Alt or switched off.

const CHOICE = 'seva.keys';
const FIELDS = 'input, textarea, select, [contenteditable]';
const INTERACTIVE = `${FIELDS}, a[href], button, summary, audio, [tabindex]:not(main)`;

const choice = () => localStorage.getItem(CHOICE) ?? 'on';
const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

/** The button of a key: that of the focused section or medicine first. */
function target(key) {
  const all = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)];
  const usable = all.filter((element) => visible(element) && !element.disabled && element.ariaDisabled !== 'true');
  const around = document.activeElement?.closest('.section, .medicine, .finding, .said');
  return usable.find((element) => around?.contains(element)) ?? usable[0];
}

function press(element) {
  if (element.matches(FIELDS)) element.focus(); else element.click();
}

/** The key as it stands in `data-key`. */
function nameOf(event) {
  const name = event.key.toLowerCase();
  return event.ctrlKey || event.metaKey ? `ctrl+${name}` : name;
}

/** @param {{word: (key: string) => string, hold: {down: () => void, up: () => void} | null}} parts */
export function startKeys({ word, hold }) {
  let holding = false;
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const key = nameOf(event);
    const single = !key.startsWith('ctrl+') && key !== 'escape';
    if (single) {
      const mode = choice();
      if (mode === 'off' && key !== '?') return;
      if (mode !== 'off' && (mode === 'alt') !== event.altKey && key !== '?') return;
      if (event.target.closest?.(FIELDS) || document.querySelector('dialog[open]')) return;
    }
    if (key === '?') return open(word);
    if (key === ' ' && hold) {
      if (event.target.closest?.(INTERACTIVE)) return;
      event.preventDefault();
      if (!event.repeat) { holding = true; hold.down(); }
      return;
    }
    const element = event.repeat ? null : target(key);
    if (!element) return;
    event.preventDefault();
    press(element);
  });
  document.addEventListener('keyup', (event) => {
    if (event.key === ' ' && holding) { holding = false; hold.up(); }
  });
}

/** What each key does, as its button says. */
function list() {
  const rows = new Map();
  for (const element of document.querySelectorAll('[data-key]:not([data-key="escape"])')) {
    const { key } = element.dataset;
    if (!visible(element) || rows.has(key)) continue;
    const text = (element.labels?.[0] ?? element).cloneNode(true);
    text.querySelectorAll('kbd').forEach((cap) => cap.remove());
    rows.set(key, (element.ariaLabel ?? text.textContent).split(':')[0].trim());
  }
  return rows;
}

function open(word) {
  const dialog = document.createElement('dialog');
  dialog.className = 'dialog keys';
  const title = document.createElement('h2');
  title.textContent = word('keys');
  title.id = 'keys-title';
  dialog.setAttribute('aria-labelledby', title.id);
  const rows = document.createElement('dl');
  const row = (key, text) => {
    const [term, what] = [document.createElement('dt'), document.createElement('dd')];
    const cap = document.createElement('kbd');
    cap.textContent = key.length === 1 ? key.toUpperCase() : key.replace('ctrl', 'Ctrl').replace('enter', 'Enter');
    term.append(cap);
    what.textContent = text;
    rows.append(term, what);
  };
  list().forEach((text, key) => row(key, text));
  if (document.querySelector('[data-voice="start"]')) row(word('key-space'), word('keys-hold'));
  row('?', word('keys'));
  row('Esc', word('keys-close'));
  dialog.append(title, rows, choices(word));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function choices(word) {
  const form = document.createElement('form');
  form.method = 'dialog';
  for (const mode of ['on', 'alt', 'off']) {
    const label = document.createElement('label');
    const radio = document.createElement('input');
    Object.assign(radio, { type: 'radio', name: 'keys', value: mode, checked: choice() === mode });
    radio.addEventListener('change', () => localStorage.setItem(CHOICE, mode));
    label.append(radio, ` ${word(`keys-${mode}`)}`);
    form.append(label);
  }
  const button = document.createElement('button');
  button.className = 'button';
  button.textContent = word('keys-close');
  form.append(button);
  return form;
}
