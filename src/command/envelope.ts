/**
 * How a whole HTTP exchange crosses between the bridge and its page: what a browser's `Request` cannot carry (target
 * as typed, `host`, `content-length`, repeated headers, any octets in values, bodies on GET) is in here.
 *
 * A frame: length of the head (u32, big endian), head as JSON, length of the body (u32), body.
 */
import { concatBytes, toBytes } from '../base/bytes.ts';
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

/** What of a frame stands before its body of `size` bytes. */
export function frameHead(head: RequestHead | AnswerHead, size: number): Uint8Array<ArrayBuffer> {
  // JSON writes the surrogates that stand for octets as escapes, so the text is always well-formed.
  const text = toBytes(JSON.stringify(head));
  return concatBytes(u32(text.length), text, u32(size));
}

export function writeFrame(head: RequestHead | AnswerHead, body: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(frameHead(head, body.length), body);
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
  /** Octets that have to be there before there is anything to do: pieces are not joined sooner. */
  #needed = 8;

  /** @throws AoError `bad-frame` */
  push(chunk: Uint8Array): { head: Head; body: Uint8Array }[] {
    this.#held.push(chunk);
    this.#size += chunk.length;
    const frames: { head: Head; body: Uint8Array }[] = [];
    while (this.#size >= this.#needed) {
      const all = this.#held.length === 1 ? this.#held[0]! : concatBytes(...this.#held);
      this.#held = [all];
      const headEnd = 4 + length(all, 0);
      this.#needed = headEnd + 4;
      if (this.#size < this.#needed) continue;
      this.#needed += length(all, headEnd);
      const end = this.#needed;
      if (this.#size < end) continue;
      const head = parse(all.subarray(4, headEnd)) as Head;
      // Not copied: a large body fills its buffer, and a small one is soon read.
      frames.push({ head, body: all.subarray(headEnd + 4, end) });
      this.#held = [all.subarray(end)];
      this.#size -= end;
      this.#needed = 8;
    }
    return frames;
  }
}

export interface OpenFrame<Head> {
  readonly head: Head;
  /** Octets of the body. */
  readonly size: number;
  /** The body as it comes, never more than `size` octets. */
  readonly body: AsyncGenerator<Uint8Array>;
}

/**
 * Reads one frame up to its body, which is left to be read as it comes.
 * @throws AoError `bad-frame`; also the body, where it ends too soon
 */
export async function openFrame<Head>(octets: AsyncIterable<Uint8Array>): Promise<OpenFrame<Head>> {
  const source = octets[Symbol.asyncIterator]();
  let held: Uint8Array = new Uint8Array(0);
  const more = async () => {
    const next = await source.next();
    if (next.done) throw new AoError('bad-frame', 'A frame of the bridge ends too soon.');
    return next.value;
  };
  const until = async (size: number) => {
    while (held.length < size) held = concatBytes(held, await more());
  };
  await until(4);
  const headEnd = 4 + length(held, 0);
  await until(headEnd + 4);
  const head = parse(held.subarray(4, headEnd)) as Head;
  const size = length(held, headEnd);
  const first = held.subarray(headEnd + 4);
  async function* body() {
    for (let left = size, piece = first; left > 0; piece = await more()) {
      const part = piece.subarray(0, left);
      left -= part.length;
      if (part.length > 0) yield part;
      if (left === 0) return;
    }
  }
  return { head, size, body: body() };
}

function parse(head: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(head)) as unknown;
  } catch (cause) {
    throw new AoError('bad-frame', 'The head of a frame of the bridge is no JSON.', { cause });
  }
}

function length(bytes: Uint8Array, at: number): number {
  const value = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
  if (value > MAX_PART) throw new AoError('bad-frame', 'A frame of the bridge is too large.');
  return value;
}
