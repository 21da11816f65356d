import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { fromBytes, toBytes, utf8 } from '../../../src/base/bytes.ts';

/** Octets among which the edges of UTF-8 are frequent. */
const octets = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.string({ unit: 'binary', maxLength: 3 }).map((text) => new TextEncoder().encode(text)),
      fc.constantFrom(
        ...['c080', 'c2', 'e080', 'e09f80', 'ed9fbf', 'eda080', 'edbfbf', 'efbbbf', 'efbfbd'].map(hex),
        ...['f0808080', 'f08fbfbf', 'f0908080', 'f48fbfbf', 'f4908080', 'f5808080', 'f09f', 'ff'].map(hex),
      ),
    ),
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** What the engine's own decoder makes of it, character by character. */
function slowly(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length;) {
    let taken = 0;
    for (let length = 4; length > 0 && !taken; length--) {
      const text = at + length <= bytes.length ? utf8(bytes.subarray(at, at + length)) : undefined;
      if (text !== undefined && [...text].length === 1) {
        out += text;
        taken = length;
      }
    }
    if (!taken) out += String.fromCharCode(0xdc00 + bytes[at]!);
    at += taken || 1;
  }
  return out;
}

describe('octets as text', () => {
  it('has one form for any octets, and leads back to them', () => {
    fc.assert(
      fc.property(octets, (bytes) => {
        const text = fromBytes(bytes);
        expect(text).toBe(slowly(bytes));
        expect(toBytes(text)).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('is text itself for text', () => {
    for (const text of ['', 'a', 'ü€😀', '\0\ufeffx', '\u{10ffff}'])
      expect(fromBytes(toBytes(text))).toBe(text);
  });

  it('refuses a lone surrogate that stands for no byte', () => {
    for (const text of ['\ud800', 'a\udc00', '\udfff', '\udc7f', '\udd00'])
      expect(() => toBytes(text)).toThrow(expect.objectContaining({ code: 'bad-text' }));
  });

  it('takes no longer for octets that are no text', () => {
    const bytes = new Uint8Array(4 << 20).map((_, index) => (index % 3 ? 0xff : 0xe2));
    const started = performance.now();
    const back = toBytes(fromBytes(bytes));
    expect(performance.now() - started).toBeLessThan(3000);
    expect(Buffer.compare(back, bytes)).toBe(0);
  });
});
