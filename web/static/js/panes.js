// Brings the page up to date without a reload: what changed is replaced, but never what is focused or being typed into.

const PANES = '[data-transcript], .note, .medicines, .foot, .tabs, .caption';

const name = (element) => element.id || element.dataset.segment || element.dataset.dictation || '';
const same = (old, fresh, inPlace) => old.tagName === fresh.tagName && name(old) === name(fresh)
  && (name(old) !== '' || inPlace || old.className === fresh.className);

/** A field whose text the user changed. */
const typed = (field) => (field.type === 'checkbox' || field.type === 'radio'
  ? field.checked !== field.defaultChecked
  : field.tagName !== 'SELECT' && field.type !== 'hidden' && field.value !== field.defaultValue);

function inUse(element) {
  if (element.contains(document.activeElement) && document.activeElement !== document.body) return true;
  return [...element.querySelectorAll('input, textarea')].some(typed) || (element.matches('input, textarea') && typed(element));
}

/** @param {Element} old @param {Element} fresh */
function bring(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (!inUse(old)) {
    // A menu that is open stays open.
    if (old.tagName === 'DETAILS') fresh.open = old.open;
    old.replaceWith(document.adoptNode(fresh));
    return;
  }
  if (old === document.activeElement || old.tagName !== fresh.tagName || old.matches('form, input, textarea, select')) return;
  const used = [...old.children].filter(inUse);
  const wanted = [...fresh.childNodes].map((child, place) => {
    const match = child instanceof Element && used.find((each) => same(each, child, [...old.childNodes].indexOf(each) === place));
    if (match) bring(match, child);
    return match || document.adoptNode(child);
  });
  [...old.childNodes].forEach((child) => { if (!used.includes(child)) child.remove(); });
  // What is in use stays where it is: moving it would take the focus away.
  let before = old.firstChild;
  for (const child of wanted) {
    if (used.includes(child)) before = child.nextSibling; else old.insertBefore(child, before);
  }
}

/** Fetches the page and brings its panes up to date. @returns {Promise<boolean>} whether that was possible */
export async function refresh() {
  const response = await fetch(location.href, { redirect: 'manual', signal: AbortSignal.timeout(15000) }).catch(() => null);
  if (!response?.ok) return false;
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  const news = [...fresh.querySelectorAll(PANES)];
  const olds = [...document.querySelectorAll(PANES)];
  for (const pane of news) {
    const key = pane.classList[pane.classList.length - 1];
    const old = olds.find((each) => each.classList.contains(key));
    if (!old) continue;
    const place = old.querySelector('.pane-body')?.scrollTop ?? 0;
    bring(old, pane);
    const body = (old.isConnected ? old : document.querySelector(`.${key}`))?.querySelector('.pane-body');
    if (body) body.scrollTop = place;
  }
  return true;
}
