import { expect, it } from 'vitest';
import { parseCertificateTable } from '../../../src/attestation/certificate-table.ts';
import { concatBytes, fromHex } from '../../../src/base/bytes.ts';

const VCEK = fromHex('63da758de6644564adc5f4b93be8accd');
const ROOT = fromHex('c0b406a4a80349529743' + '3fb6014cd0ae');

function entry(guid: Uint8Array, offset: number, length: number): Uint8Array {
  const out = new Uint8Array(24);
  out.set(guid);
  new DataView(out.buffer).setUint32(16, offset, true);
  new DataView(out.buffer).setUint32(20, length, true);
  return out;
}

const END = new Uint8Array(24);

it('reads what stands at each offset', () => {
  const blob = concatBytes(entry(VCEK, 72, 2), entry(ROOT, 74, 1), END, Uint8Array.of(1, 2, 3));
  expect(parseCertificateTable(blob)).toEqual({ vcek: Uint8Array.of(1, 2), root: Uint8Array.of(3) });
});

it.each([
  ['an offset outside', concatBytes(entry(VCEK, 72, 9), entry(ROOT, 74, 1), END, Uint8Array.of(1, 2, 3))],
  ['an overlap', concatBytes(entry(VCEK, 72, 3), entry(ROOT, 74, 1), END, Uint8Array.of(1, 2, 3))],
  ['an offset into the table', concatBytes(entry(VCEK, 8, 2), END)],
  ['a table without an end', entry(VCEK, 0, 1)],
])('refuses %s', (_, blob) => {
  expect(() => parseCertificateTable(blob)).toThrow(expect.objectContaining({ code: 'SNP_DER' }));
});
