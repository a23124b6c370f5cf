// The verify walk: N and P go from stop to stop, each is heard with a second and a half around it.

/** @param {HTMLElement} walk */
export function startWalk(walk) {
  const stops = () => [...walk.querySelectorAll('[data-stop]')];
  const waits = (stop) => stop.dataset.state === 'pending';
  let at = stops().findIndex((stop) => stop.hasAttribute('data-next')) - 1;

  const go = (step) => {
    const all = stops();
    if (all.length === 0) return;
    const open = all.some(waits);
    // What is marked already is walked again only when nothing else is left.
    for (let tried = 0; tried < all.length; tried += 1) {
      at = (at + step + all.length) % all.length;
      if (!open || waits(all[at])) break;
    }
    const stop = all[at];
    stop.scrollIntoView({ block: 'center' });
    stop.querySelector('button[value=heard]').focus({ preventScroll: true });
    const chip = stop.querySelector('[data-play]');
    if (chip && !chip.hasAttribute('data-playing')) chip.click();
  };

  walk.addEventListener('click', (event) => {
    const pressed = event.target.closest('[data-walk-to]');
    if (!pressed) return;
    event.preventDefault();
    go(pressed.dataset.walkTo === 'next' ? 1 : -1);
  });
  walk.addEventListener('focusin', (event) => {
    const stop = event.target.closest('[data-stop]');
    if (stop) at = stops().indexOf(stop);
  });
  walk.addEventListener('toggle', (event) => {
    if (event.target.open) event.target.querySelector('input[name=meant]')?.select();
  }, true);
}
