/** What an OVMF image says about itself: metadata sections, reset vector, hash table (attestation.md §2.1). */
import { equalBytes, fromHex } from '../base/bytes.ts';
import { refuse } from './error.ts';

export interface OvmfLayout {
  readonly sections: readonly { readonly gpa: number; readonly size: number; readonly type: number }[];
  /** Undefined: this image cannot be given kernel hashes. */
  readonly hashTableGpa: number | undefined;
  readonly apResetEip: number;
}

/** HyperBEAM's OVMF 1.55, so that no image is needed to recompute its measurements. */
export const HYPERBEAM_OVMF: OvmfLayout = {
  sections: [
    { gpa: 0x800000, size: 0x9000, type: 1 },
    { gpa: 0x80a000, size: 0x3000, type: 1 },
    { gpa: 0x80d000, size: 0x1000, type: 2 },
    { gpa: 0x80e000, size: 0x1000, type: 3 },
    { gpa: 0x80f000, size: 0x1000, type: 0x10 },
    { gpa: 0x810000, size: 0x10000, type: 1 },
  ],
  hashTableGpa: 0x80fc00,
  apResetEip: 0x80b004,
};

/** A GUID in the mixed-endian order that Microsoft and UEFI write. */
export function guidBytes(guid: string): Uint8Array<ArrayBuffer> {
  const bytes = fromHex(guid.replaceAll('-', ''));
  return Uint8Array.of(...[3, 2, 1, 0, 5, 4, 7, 6].map((at) => bytes[at]!), ...bytes.subarray(8));
}

const FOOTER = guidBytes('96b582de-1fb2-45f7-baea-a366c55a082d');
const HASH_TABLE = guidBytes('7255371f-3a3b-4b04-927b-1da6efa8d454');
const RESET = guidBytes('00f771de-1a7e-4fcb-890e-68c77e2fb44e');
const METADATA = guidBytes('dc886566-984a-4798-a75e-5585a7bf67cc');
const TRAILER = 18;
/** More sections than any image has. */
const MAX_SECTIONS = 64;

/** Layout from an image, or from its last few KiB: offsets count from the end. @throws AoError `SNP_OVMF` */
export function parseOvmf(image: Uint8Array): OvmfLayout {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const bad = (): never => refuse('SNP_OVMF', 'The firmware image has no readable footer.');
  const u32 = (at: number) => (at >= 0 && at + 4 <= image.length ? view.getUint32(at, true) : bad());
  const trailerAt = (end: number): { size: number; guid: Uint8Array } => {
    if (end < TRAILER) return bad();
    return { size: view.getUint16(end - TRAILER, true), guid: image.subarray(end - 16, end) };
  };
  const end = image.length - 32;
  const footer = trailerAt(end);
  if (!equalBytes(footer.guid, FOOTER) || footer.size < TRAILER || footer.size > end) bad();
  const start = end - footer.size;
  let hashTableGpa: number | undefined;
  let apResetEip: number | undefined;
  let header: number | undefined;
  for (let at = end - TRAILER; at > start;) {
    const { size, guid } = trailerAt(at);
    if (size < TRAILER || at - size < start) return bad();
    const data = at - size;
    if (equalBytes(guid, HASH_TABLE)) hashTableGpa = u32(data) || undefined;
    if (equalBytes(guid, RESET)) apResetEip = u32(data);
    if (equalBytes(guid, METADATA)) header = image.length - u32(data);
    at = data;
  }
  if (apResetEip === undefined || header === undefined || u32(header) !== 0x56455341 || u32(header + 8) !== 1)
    return bad();
  const count = u32(header + 12);
  if (count > MAX_SECTIONS) bad();
  const sections = Array.from({ length: count }, (_, index) => {
    const at = header + 16 + 12 * index;
    return { gpa: u32(at), size: u32(at + 4), type: u32(at + 8) };
  });
  return { sections, hashTableGpa, apResetEip };
}
