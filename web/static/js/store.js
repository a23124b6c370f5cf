// What a device keeps of recordings until the server has them: frames by dictation and sequence, in IndexedDB.

const NAME = 'seva-recordings';
const FRAMES = 'frames';
const RECORDINGS = 'recordings';

const result = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Opens the store, or fails where the browser refuses one. */
export async function openStore() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(FRAMES, { keyPath: ['dictation', 'sequence'] });
    request.result.createObjectStore(RECORDINGS, { keyPath: 'dictation' });
  };
  return new Store(await result(request));
}

const all = (dictation, last = Infinity) => IDBKeyRange.bound([dictation, 0], [dictation, last]);

export class Store {
  constructor(database) {
    this.database = database;
  }

  /** One transaction; it is committed at once, so that leaving the page does not undo it. */
  write(change) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction([FRAMES, RECORDINGS], 'readwrite', { durability: 'strict' });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error('the device did not keep it'));
      change(transaction.objectStore(FRAMES), transaction.objectStore(RECORDINGS));
      transaction.commit();
    });
  }

  /** Keeps a frame, and the recording as it stands with it. */
  keep(recording, sequence, samples) {
    const row = { ...recording };
    return this.write((frames, recordings) => {
      frames.put({ dictation: recording.dictation, sequence, samples });
      recordings.put(row);
    });
  }

  note(recording) {
    const row = { ...recording };
    return this.write((_, recordings) => recordings.put(row));
  }

  /** Lets go what the server has. */
  release(dictation, last) {
    return this.write((frames) => frames.delete(all(dictation, last)));
  }

  forget(dictation) {
    return this.write((frames, recordings) => {
      frames.delete(all(dictation));
      recordings.delete(dictation);
    });
  }

  read(name, range) {
    return result(this.database.transaction(name).objectStore(name).getAll(range));
  }

  recordings() {
    return this.read(RECORDINGS);
  }

  /** The frames that the server has not acknowledged, in order. */
  frames(dictation) {
    return this.read(FRAMES, all(dictation));
  }
}

/** An hour of audio, as long as a recording may be. */
const HOUR = 3600 * 32000;

/** Minutes for which there is room; none where the browser does not tell or there is enough. */
export async function scarceMinutes() {
  const estimate = await navigator.storage?.estimate?.();
  if (!estimate?.quota) return null;
  const room = estimate.quota - estimate.usage;
  return room < HOUR ? Math.floor(room / 32000 / 60) : null;
}
