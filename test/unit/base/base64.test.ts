import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { fromBase64, toBase64, toBase64Url } from '../../../src/base/bytes.ts';

describe('base64', () => {
  it('is written as Node writes it and read back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
        expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
        expect(fromBase64(toBase64Url(bytes))).toEqual(bytes);
      }),
    );
  });

  it('is read in either alphabet, padded or not, left-over bits ignored', () => {
    expect(fromBase64('-_+/')).toEqual(fromBase64('+/-_'));
    expect([...fromBase64('AB')]).toEqual([0]);
    expect([...fromBase64('AB==')]).toEqual([0]);
    for (const text of ['A', 'AAAAA', 'A A=', 'A\n==', 'AA=A', 'é'])
      expect(() => fromBase64(text)).toThrow(expect.objectContaining({ code: 'bad-base64' }));
  });
});
