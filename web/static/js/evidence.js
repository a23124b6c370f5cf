// Evidence chips: the place of the recording that a statement comes from, with a second and a half around it.

const AROUND = 1.5;

/** @param {(dictation: string) => string} address of a dictation's audio @param {() => void} failed */
export function startEvidence(address, failed) {
  const player = new Audio();
  player.preload = 'none';
  let chip = null;
  let end = 0;

  const stop = () => {
    player.pause();
    chip?.removeAttribute('data-playing');
    chip = null;
  };
  player.addEventListener('timeupdate', () => { if (player.currentTime >= end) stop(); });
  player.addEventListener('ended', stop);
  player.addEventListener('error', () => { if (chip) { stop(); failed(); } });

  const play = async (wanted) => {
    stop();
    chip = wanted;
    chip.setAttribute('data-playing', '');
    const { dictation, start, end: last } = wanted.dataset;
    const source = address(dictation);
    if (player.getAttribute('src') !== source) player.src = source;
    end = Number(last) / 1000 + AROUND;
    player.currentTime = Math.max(0, Number(start) / 1000 - AROUND);
    await player.play().catch(() => {});
  };

  document.addEventListener('click', (event) => {
    const pressed = event.target.closest?.('[data-play]');
    if (!pressed || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (pressed === chip) stop(); else play(pressed);
  });
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') stop(); });
}
