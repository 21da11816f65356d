/** The certificate table of an extended report (attestation.md §1.10), as hypervisors hand it to guests. */
import { equalBytes, fromHex } from '../base/bytes.ts';
import { refuse } from './error.ts';

export interface CertificateTable {
  readonly vcek?: Uint8Array;
  readonly vlek?: Uint8Array;
  /** ASK or ASVK. */
  readonly issuer?: Uint8Array;
  /** Only for information: the pinned root decides. */
  readonly root?: Uint8Array;
  readonly crl?: Uint8Array;
}

const GUIDS: [keyof CertificateTable, Uint8Array][] = (
  [
    ['vcek', '63da758d-e664-4564-adc5-f4b93be8accd'],
    ['vlek', 'a8074bc2-a25a-483e-aae6-39c045a0b8a1'],
    ['issuer', '4ab7b379-bbac-4fe4-a02f-05aef327c782'],
    ['root', 'c0b406a4-a803-4952-9743-3fb6014cd0ae'],
    ['crl', '92f81bc3-5811-4d3d-97ff-d19f88dc67ea'],
  ] as const
).map(([name, guid]) => [name, fromHex(guid.replaceAll('-', ''))]);

const ENTRY = 24;
const MAX_ENTRIES = 64;

/** @throws AoError `SNP_DER` where offsets leave the table or overlap */
export function parseCertificateTable(blob: Uint8Array): CertificateTable {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const out: { -readonly [K in keyof CertificateTable]: CertificateTable[K] } = {};
  const taken: [number, number][] = [];
  for (let index = 0; ; index++) {
    const at = index * ENTRY;
    if (index >= MAX_ENTRIES || at + ENTRY > blob.length)
      return refuse('SNP_DER', 'The certificate table has no end.');
    const guid = blob.subarray(at, at + 16);
    if (blob.subarray(at, at + ENTRY).every((octet) => octet === 0)) {
      if (taken.some(([start]) => start < at + ENTRY))
        refuse('SNP_DER', 'A certificate lies inside the table itself.');
      return out;
    }
    const start = view.getUint32(at + 16, true);
    const end = start + view.getUint32(at + 20, true);
    if (end > blob.length || taken.some(([from, to]) => start < to && from < end))
      refuse('SNP_DER', 'A certificate lies outside its table or over another.');
    taken.push([start, end]);
    const known = GUIDS.find(([, value]) => equalBytes(value, guid));
    if (known) out[known[0]] = blob.subarray(start, end);
  }
}
