/**
 * How a whole HTTP exchange crosses between the bridge and its page: what a browser's `Request` can not carry (target
 * as typed, `host`, `content-length`, repeated headers, any octets in values, bodies on GET) is in here.
 *
 * A frame: length of the head (u32, big endian), head as JSON, length of the body (u32), body.
 */
import { concatBytes, EMPTY, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';

/** Largest frame part in bytes; what is longer is a mistake. */
const MAX_PART = 1 << 30;

export interface RequestHead {
  readonly id: number;
  readonly method: string;
  readonly target: string;
  /** Names in lower case; values as octets in their string form (`base/bytes.ts`). */
  readonly headers: [string, string][];
}

export interface AnswerHead {
  readonly id: number;
  readonly status: number;
  readonly headers: [string, string][];
}

export function writeFrame(head: RequestHead | AnswerHead, body: Uint8Array): Uint8Array<ArrayBuffer> {
  // JSON writes the surrogates that stand for octets as escapes, so the text is always well-formed.
  const text = toBytes(JSON.stringify(head));
  return concatBytes(u32(text.length), text, u32(body.length), body);
}

function u32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

/** Collects octets as they come and gives back whole frames. */
export class FrameReader<Head> {
  #held: Uint8Array[] = [];
  #size = 0;

  /** @throws AoError `bad-frame` */
  push(chunk: Uint8Array): { head: Head; body: Uint8Array }[] {
    this.#held.push(chunk);
    this.#size += chunk.length;
    const frames: { head: Head; body: Uint8Array }[] = [];
    for (;;) {
      const headLength = this.#u32(0);
      if (headLength === undefined) return frames;
      const bodyLength = this.#u32(4 + headLength);
      if (bodyLength === undefined) return frames;
      const whole = 8 + headLength + bodyLength;
      if (this.#size < whole) return frames;
      const all = this.#join();
      frames.push({
        head: JSON.parse(new TextDecoder().decode(all.subarray(4, 4 + headLength))) as Head,
        body: all.slice(8 + headLength, whole),
      });
      this.#held = whole === this.#size ? [] : [all.subarray(whole)];
      this.#size -= whole;
    }
  }

  #u32(at: number): number | undefined {
    if (this.#size < at + 4) return undefined;
    const first = this.#held[0]!;
    const bytes = first.length >= at + 4 ? first : this.#join();
    const value = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
    if (value > MAX_PART) throw new AoError('bad-frame', 'A frame of the bridge is too large.');
    return value;
  }

  #join(): Uint8Array {
    if (this.#held.length === 1) return this.#held[0]!;
    const all = this.#held.length === 0 ? EMPTY : concatBytes(...this.#held);
    this.#held = [all];
    return all;
  }
}
