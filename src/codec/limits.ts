/** What no decoder goes beyond, so that hostile bytes cost no more than they should. */
import { AoError } from '../base/errors.ts';

/** Messages and lists within one another. */
export const MAX_DEPTH = 256;
/** Keys, members and items of one decoded message with all under it. */
export const MAX_KEYS = 4_000_000;
/** Parts of a multipart body. */
export const MAX_PARTS = 200_000;
/** Octets of one structured field (`ao-types` of a long list, `signature-input` of many signatures). */
export const MAX_FIELD = 64 * 1024 * 1024;

/** @throws AoError `too-deep` */
export function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH)
    throw new AoError('too-deep', `Messages are nested more than ${MAX_DEPTH} levels deep.`, {
      detail: { limit: MAX_DEPTH },
    });
}

/** Counts what is decoded. @throws AoError `too-many-keys` */
export class KeyCount {
  #count = 0;
  readonly #limit: number;

  constructor(limit = MAX_KEYS) {
    this.#limit = limit;
  }

  add(count = 1): void {
    this.#count += count;
    if (this.#count > this.#limit)
      throw new AoError('too-many-keys', `A message has more than ${this.#limit} keys.`, {
        detail: { limit: this.#limit },
      });
  }
}
