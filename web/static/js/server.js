// The page's own routes: they carry the session; this side adds the CSRF token and a time limit.

/** A refusal in words for the user; `status` 0 means that there is no connection. */
export class Refusal extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }

  /** Trying again can help. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export class Server {
  /** @param {string} encounter @param {string} csrf */
  constructor(encounter, csrf) {
    this.base = `/consultations/${encodeURIComponent(encounter)}`;
    this.csrf = csrf;
  }

  create(body) {
    return this.call('POST', '/dictations', body);
  }

  state(dictation) {
    return this.call('GET', `/dictations/${dictation}`);
  }

  ticket(dictation) {
    return this.call('POST', `/dictations/${dictation}/ticket`, {});
  }

  finish(dictation) {
    return this.call('POST', `/dictations/${dictation}/finish`, {});
  }

  /** Sends frames without a socket; answers what is saved. @param {Uint8Array} body */
  frames(dictation, body) {
    return this.call('POST', `/dictations/${dictation}/frames`, body);
  }

  /** Sends so many bytes of a file from a place on, or asks what became of it where nothing is left. @param {File} file */
  piece(dictation, file, at, most) {
    const end = Math.min(file.size, at + most);
    const range = end > at ? `bytes ${at}-${end - 1}/${file.size}` : `bytes */${file.size}`;
    const more = { headers: { 'content-range': range }, patience: 60000 };
    return this.call('POST', `/dictations/${dictation}/piece`, file.slice(at, end), more);
  }

  audio(dictation) {
    return `${this.base}/audio/${encodeURIComponent(dictation)}`;
  }

  async call(method, path, body, { headers = {}, patience = 8000 } = {}) {
    const signal = AbortSignal.timeout(patience);
    const options = { method, redirect: 'manual', signal, headers: { accept: 'application/json', ...headers } };
    if (body !== undefined) {
      const binary = body instanceof Uint8Array || body instanceof Blob;
      options.headers['content-type'] = binary ? 'application/octet-stream' : 'application/json';
      options.headers['x-form-token'] = this.csrf;
      options.body = binary ? body : JSON.stringify(body);
    }
    let response;
    try {
      response = await fetch(this.base + path, options);
    } catch {
      throw new Refusal(0, 'offline');
    }
    // A redirect leads to the log-in page.
    if (response.type === 'opaqueredirect') throw new Refusal(401, '');
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Refusal(response.status, answer.detail ?? '');
    return answer;
  }
}
