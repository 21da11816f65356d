/** Which programs are trusted: entries of the app's or the user's own, never a node's (attestation.md §2.4). */
import { toHex } from '../base/bytes.ts';
import { cpuSignatureOf, launchDigests, type Vmm } from './measurement.ts';
import { HYPERBEAM_OVMF, type OvmfLayout } from './ovmf.ts';
import type { Product, Tcb } from './tcb.ts';

export interface TrustEntry {
  readonly name: string;
  /** Launch digest after the firmware image, and SHA-256 of kernel, initrd and command line: hex. */
  readonly firmware: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly append: string;
  readonly vmm: Vmm;
  readonly guestFeatures: number;
  /** HyperBEAM's numbers of virtual CPU types, and how many of them: operators may vary the count. */
  readonly vcpuTypes: readonly number[];
  readonly vcpus: readonly [number, number];
  readonly ovmf?: OvmfLayout;
  readonly products?: readonly Product[];
  readonly minTcb?: Partial<Record<Product, Partial<Tcb>>>;
  /** Bits of `platform_info` that have to be set: 32 is the check against aliased memory. */
  readonly requirePlatformBits?: number;
  /** What the report has to name, hex. */
  readonly hostData?: string;
  readonly idKeyDigest?: string;
  /** Where the entry comes from and who looked at it. */
  readonly provenance: string;
  /** Milliseconds since 1970 after which the entry no longer counts. */
  readonly validUntil?: number;
}

export interface Measured {
  readonly entry: TrustEntry;
  readonly vcpus: number;
  readonly vcpuType: number;
}

/** More virtual CPUs than a guest has. */
const MAX_VCPUS = 512;

/** Every launch digest (lower-case hex) that the entries stand for. Compute once, look up often. */
export function measurementsOf(entries: readonly TrustEntry[], now: number): Map<string, Measured> {
  const out = new Map<string, Measured>();
  for (const entry of entries) {
    if (entry.validUntil !== undefined && entry.validUntil < now) continue;
    for (const vcpuType of entry.vcpuTypes) {
      const digests = launchDigests(
        {
          firmware: entry.firmware,
          ovmf: entry.ovmf ?? HYPERBEAM_OVMF,
          hashes: { kernel: entry.kernel, initrd: entry.initrd, append: entry.append },
          vmm: entry.vmm,
          cpuSignature: cpuSignatureOf(vcpuType),
          guestFeatures: BigInt(entry.guestFeatures),
        },
        Math.min(entry.vcpus[1], MAX_VCPUS),
      );
      digests.forEach((digest, index) => {
        if (index + 1 >= entry.vcpus[0]) out.set(digest, { entry, vcpus: index + 1, vcpuType });
      });
    }
  }
  return out;
}

/**
 * What a guest must have put into its report so that it speaks for this key and configuration, hex
 * (attestation.md §2.6). `nodeMessageId` undefined: the older form, which binds the key alone.
 */
export function reportDataFor(address: Uint8Array, nodeMessageId: Uint8Array | undefined): string {
  return toHex(address) + (nodeMessageId ? toHex(nodeMessageId) : '00'.repeat(32));
}
