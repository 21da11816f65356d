/** The SEV-SNP attestation report: 1184 bytes and what they say (attestation.md §1.1 to §1.6). */
import { concatBytes } from '../base/bytes.ts';
import { refuse } from './error.ts';

export const REPORT_BYTES = 1184;
/** The part that is signed. */
export const SIGNED_BYTES = 0x2a0;
/** Newest version whose layout is known; the signature covers unknown fields anyway. */
export const NEWEST_VERSION = 5;

export interface Report {
  readonly bytes: Uint8Array;
  readonly version: number;
  readonly guestSvn: number;
  readonly policy: bigint;
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  readonly vmpl: number;
  readonly platformInfo: bigint;
  readonly signerInfo: number;
  readonly signer: 'VCEK' | 'VLEK';
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly hostData: Uint8Array;
  readonly idKeyDigest: Uint8Array;
  readonly authorKeyDigest: Uint8Array;
  readonly reportId: Uint8Array;
  readonly reportIdMa: Uint8Array;
  /** CPUID family, model, stepping; from version 3 on. */
  readonly cpuid: readonly [number, number, number] | undefined;
  readonly chipId: Uint8Array;
  /** Raw: their layout depends on the product. */
  readonly tcb: Readonly<Record<'current' | 'reported' | 'committed' | 'launch', Uint8Array>>;
  /** major.minor.build of the firmware. */
  readonly currentVersion: string;
  readonly committedVersion: string;
  /** From version 5 on. */
  readonly mitigations: { readonly launch: bigint; readonly current: bigint } | undefined;
  /** r and s, 48 bytes each, big endian: the form that WebCrypto takes. */
  readonly signature: Uint8Array<ArrayBuffer>;
}

/**
 * Parses and checks what needs no certificate: steps 1 to 6 of attestation.md §1.8.
 * @throws AoError `SNP_LENGTH`, `SNP_VERSION`, `SNP_MBZ`, `SNP_SIG_ALGO`, `SNP_SIGNER`
 */
export function parseReport(bytes: Uint8Array): Report {
  if (bytes.length !== REPORT_BYTES)
    refuse('SNP_LENGTH', `A report has ${REPORT_BYTES} bytes, not ${bytes.length}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (at: number) => view.getUint32(at, true);
  const u64 = (at: number) => view.getBigUint64(at, true);
  const part = (at: number, size: number) => bytes.subarray(at, at + size);

  const version = u32(0);
  if (version < 2 || version > NEWEST_VERSION)
    refuse('SNP_VERSION', `Reports of version ${version} are not known.`);
  const policy = u64(0x08);
  if (!(policy & (1n << 17n)) || policy >> 26n)
    refuse('SNP_MBZ', 'The guest policy has a reserved bit wrong.');
  const signerInfo = u32(0x48);
  const zero: [number, number][] = [
    [0x4c, 4],
    version < 3 ? [0x188, 24] : [0x18b, 21],
    [0x1eb, 1],
    [0x1ef, 1],
    version < 5 ? [0x1f8, 168] : [0x208, 152],
    [0x2a0 + 48, 24],
    [0x2e8 + 48, 24],
    [0x330, 368],
  ];
  if (signerInfo >>> 5 || zero.some(([at, size]) => part(at, size).some((octet) => octet !== 0)))
    refuse('SNP_MBZ', 'A reserved field of the report is not zero.');
  if (u32(0x34) !== 1) refuse('SNP_SIG_ALGO', 'The report is not signed with ECDSA P-384 and SHA-384.');
  const key = (signerInfo >> 2) & 7;
  if (key > 1 || (key === 0 && signerInfo & 2))
    refuse('SNP_SIGNER', 'The report names no key that may sign it.');

  const firmware = (at: number) => `${bytes[at + 2]}.${bytes[at + 1]}.${bytes[at]}`;
  return {
    bytes,
    version,
    guestSvn: u32(0x04),
    policy,
    familyId: part(0x10, 16),
    imageId: part(0x20, 16),
    vmpl: u32(0x30),
    platformInfo: u64(0x40),
    signerInfo,
    signer: key === 0 ? 'VCEK' : 'VLEK',
    reportData: part(0x50, 64),
    measurement: part(0x90, 48),
    hostData: part(0xc0, 32),
    idKeyDigest: part(0xe0, 48),
    authorKeyDigest: part(0x110, 48),
    reportId: part(0x140, 32),
    reportIdMa: part(0x160, 32),
    cpuid: version < 3 ? undefined : [bytes[0x188]!, bytes[0x189]!, bytes[0x18a]!],
    chipId: part(0x1a0, 64),
    tcb: {
      current: part(0x38, 8),
      reported: part(0x180, 8),
      committed: part(0x1e0, 8),
      launch: part(0x1f0, 8),
    },
    currentVersion: firmware(0x1e8),
    committedVersion: firmware(0x1ec),
    mitigations: version < 5 ? undefined : { launch: u64(0x1f8), current: u64(0x200) },
    signature: concatBytes(part(0x2a0, 48).slice().reverse(), part(0x2e8, 48).slice().reverse()),
  };
}
