// One tab alone works on a recording (Web Locks).

/** @returns {Promise<(() => void) | null>} what gives the lock back; null when another tab has it */
export function lock(dictation) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    navigator.locks.request(`seva-recording-${dictation}`, { ifAvailable: true }, (held) => {
      if (held === null) return resolve(null);
      return new Promise((release) => { resolve(release); });
    });
  });
}
