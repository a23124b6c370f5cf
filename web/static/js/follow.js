// Follows a dictation to its end: asks for its state, at once when the socket tells of something, else each second.

const EVERY = 1000;
const LONGEST = 8000;
/** Nothing is to be waited for in any other state. */
const GOES_ON = ['created', 'live', 'paused', 'uploaded', 'draining', 'transcribed', 'extracted'];

/**
 * @param {import('./server.js').Server} server @param {string} dictation
 * @param {{finish?: boolean, recorder?: object, progress?: (percent: number) => void}} options
 * @returns {Promise<object>} the state at the end
 */
export async function follow(server, dictation, { finish = false, recorder, progress }) {
  let asked = !finish;
  let wait = EVERY;
  for (;;) {
    try {
      const state = asked ? await server.state(dictation) : await server.finish(dictation);
      asked = true;
      wait = EVERY;
      if (!GOES_ON.includes(state.state)) return state;
      progress?.(state.progress);
    } catch (error) {
      if (!error.passing && error.status !== 401) return { state: 'failed', problem: error.message };
      wait = Math.min(LONGEST, wait * 2);
    }
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      if (recorder) recorder.wake = () => { clearTimeout(timer); setTimeout(resolve, 50); };
    });
  }
}
