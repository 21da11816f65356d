/** Other nodes that the user knows, kept in this browser: asked when a verification wants several to agree. */

const KEY = 'beamlet:nodes';
const TIMEOUT = 10_000;

export interface PeerHealth {
  state: 'asking' | 'well' | 'ill';
  address?: string;
  /** Milliseconds of the last answer. */
  latency?: number;
  /** Why it is ill, in a sentence. */
  reason?: string;
}

class Peers {
  urls = $state.raw<string[]>(read());
  health = $state.raw<Record<string, PeerHealth>>({});

  /** @throws Error with a sentence if `text` is no address of a node */
  add(text: string): string {
    const origin = originOf(text);
    if (!this.urls.includes(origin)) this.#keep([...this.urls, origin]);
    void this.ask(origin);
    return origin;
  }

  remove(url: string): void {
    this.#keep(this.urls.filter((other) => other !== url));
  }

  /** Asks a node for its address: that it answers at all, how fast, and who it says it is. */
  async ask(url: string): Promise<void> {
    this.#set(url, { state: 'asking' });
    const start = performance.now();
    try {
      const response = await fetch(`${url}/~meta@1.0/info/address`, { signal: AbortSignal.timeout(TIMEOUT) });
      const text = (await response.text()).trim();
      const latency = performance.now() - start;
      if (!response.ok)
        this.#set(url, { state: 'ill', latency, reason: `It answers with ${response.status}.` });
      else if (/^[A-Za-z0-9_-]{43}$/.test(text)) this.#set(url, { state: 'well', latency, address: text });
      else this.#set(url, { state: 'ill', latency, reason: 'It answers, but not as an AO-Core node does.' });
    } catch (thrown) {
      const late = thrown instanceof DOMException && thrown.name === 'TimeoutError';
      this.#set(url, {
        state: 'ill',
        reason: late
          ? 'It did not answer within 10 seconds.'
          : 'It cannot be reached from this page: it is down, or does not let pages ask.',
      });
    }
  }

  #set(url: string, health: PeerHealth): void {
    this.health = { ...this.health, [url]: health };
  }

  #keep(urls: string[]): void {
    this.urls = urls;
    try {
      localStorage.setItem(KEY, JSON.stringify(urls));
    } catch {
      // Storage denied: they last for this visit.
    }
  }
}

export function originOf(text: string): string {
  const typed = text.trim();
  try {
    const url = new URL(/^[a-z]+:\/\//i.test(typed) ? typed : `https://${typed}`);
    if (/^https?:$/.test(url.protocol) && /^[\w.:[\]-]+$/.test(url.hostname)) return url.origin;
  } catch {
    // Said below.
  }
  throw new Error(`${typed || 'Nothing'} is not the address of a node. It looks like https://node.example.`);
}

function read(): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(value) ? value.filter((url) => typeof url === 'string') : [];
  } catch {
    return [];
  }
}

export const peers = new Peers();
