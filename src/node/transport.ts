/**
 * Outgoing HTTP over the browser's `fetch`: time-outs, size limits, retries with back-off.
 * A peer can be slow, endless, or lie about lengths; it cannot make us hang or hold more than we allow.
 */
import { bytesToLatin1, latin1ToBytes, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import type { HttpRequest, HttpResponse, Transport } from '../resolver/context.ts';

export interface TransportOptions {
  /** Milliseconds for a whole exchange (default 30,000). */
  timeout?: number;
  /** Largest reply in bytes (default 256 MiB). */
  maxBytes?: number;
  /** How often a GET that failed for a passing reason is asked again (default 2). */
  retries?: number;
  fetch?: typeof globalThis.fetch;
}

/** Statuses that say "later", not "no". */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Headers that a page may not set; the browser writes them itself. */
const FORBIDDEN =
  /^(host|connection|content-length|transfer-encoding|cookie|user-agent|origin|referer|accept-encoding|date|keep-alive|te|trailer|upgrade|via|proxy-.*|sec-.*)$/;

/** A transport over `fetch`. Failures are `AoError`s: `peer-timeout` 504, `peer-unreachable` 502, `peer-too-large` 502. */
export function fetchTransport(defaults: TransportOptions = {}): Transport {
  const doFetch = defaults.fetch ?? globalThis.fetch.bind(globalThis);

  async function once(
    request: HttpRequest,
    timeout: number,
    maxBytes: number,
    signal?: AbortSignal,
  ): Promise<HttpResponse> {
    const clock = AbortSignal.timeout(timeout);
    const both = signal ? AbortSignal.any([signal, clock]) : clock;
    try {
      const headers = new Headers();
      for (const [name, value] of request.headers)
        if (!FORBIDDEN.test(name.toLowerCase())) headers.append(name, bytesToLatin1(toBytes(value)));
      const bodyless = request.method === 'GET' || request.method === 'HEAD';
      const response = await doFetch(request.target, {
        method: request.method,
        headers,
        mode: 'cors',
        credentials: 'omit',
        signal: both,
        ...(bodyless ? {} : { body: request.body as Uint8Array<ArrayBuffer> }),
      });
      const body = await readLimited(response, maxBytes);
      const list = [...response.headers].map(([name, value]) => [name, headerText(value)] as const);
      return { status: response.status, headers: list, body };
    } catch (thrown) {
      if (thrown instanceof AoError) throw thrown;
      if (clock.aborted)
        throw new AoError(
          'peer-timeout',
          `${hostOf(request.target)} did not answer within ${timeout / 1000} s.`,
          {
            status: 504,
            detail: { url: request.target },
            cause: thrown,
          },
        );
      if (signal?.aborted)
        throw new AoError('cancelled', 'The request was cancelled.', { status: 499, cause: thrown });
      throw new AoError(
        'peer-unreachable',
        `${hostOf(request.target)} could not be reached: it is down, refuses pages of other origins, or there is no network.`,
        { status: 502, detail: { url: request.target }, cause: thrown },
      );
    }
  }

  return {
    async request(request, options = {}) {
      const timeout = options.timeout ?? defaults.timeout ?? 30_000;
      const maxBytes = options.maxBytes ?? defaults.maxBytes ?? 256 * 1024 * 1024;
      // Only what is safe to ask twice is asked twice.
      const retries = request.method === 'GET' || request.method === 'HEAD' ? (defaults.retries ?? 2) : 0;
      for (let attempt = 0; ; attempt++) {
        const last = attempt >= retries || options.signal?.aborted;
        try {
          const response = await once(request, timeout, maxBytes, options.signal);
          if (last || !PASSING.has(response.status)) return response;
        } catch (thrown) {
          const passing =
            thrown instanceof AoError && ['peer-timeout', 'peer-unreachable'].includes(thrown.code);
          if (last || !passing) throw thrown;
        }
        await new Promise((resolve) => setTimeout(resolve, 200 * 3 ** attempt * (0.75 + Math.random() / 2)));
      }
    },
  };
}

/** Header values come as one character a byte; we hold octets in their string form. */
function headerText(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(latin1ToBytes(value));
  } catch {
    return value;
  }
}

async function readLimited(response: Response, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new AoError('peer-too-large', `The reply is larger than ${maxBytes} bytes.`, {
      status: 502,
      detail: { maxBytes },
    });
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await response.body?.cancel();
    throw tooLarge();
  }
  if (!response.body) return new Uint8Array(0);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body) {
    size += part.length;
    if (size > maxBytes) throw tooLarge();
    parts.push(part);
  }
  if (parts.length === 1) return parts[0]!;
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function hostOf(target: string): string {
  try {
    return new URL(target).host;
  } catch {
    return target;
  }
}
