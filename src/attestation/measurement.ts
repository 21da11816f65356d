/** The launch measurement, recomputed (attestation.md §2.1 to §2.3). */
import { concatBytes, fromHex, toBytes, toHex } from '../base/bytes.ts';
import { sha256, sha384 } from '../crypto/hash.ts';
import { refuse } from './error.ts';
import { guidBytes, type OvmfLayout } from './ovmf.ts';

/** 1 QEMU, 2 EC2, 3 krun: HyperBEAM's numbers. */
export type Vmm = 1 | 2 | 3;

export interface LaunchInput {
  /** Launch digest after the OVMF image (`firmware` of a trust entry), hex. */
  readonly firmware: string;
  readonly ovmf: OvmfLayout;
  /** SHA-256 of kernel, initrd and command line, hex; undefined: the guest was started without a kernel. */
  readonly hashes?: { readonly kernel: string; readonly initrd: string; readonly append: string } | undefined;
  readonly vmm: Vmm;
  readonly cpuSignature: number;
  readonly guestFeatures: bigint;
}

const PAGE = 4096;
const VMSA_ADDRESS = 0xfffffffff000n;
const BSP_EIP = 0xfffffff0;

/** One step of the chain: `LD' = SHA-384(PAGE_INFO)`. */
function extend(digest: Uint8Array, contents: Uint8Array, type: number, address: bigint): Uint8Array {
  const info = new Uint8Array(0x70);
  info.set(digest, 0);
  info.set(contents, 48);
  const view = new DataView(info.buffer);
  view.setUint16(96, 0x70, true);
  view.setUint8(98, type);
  view.setBigUint64(104, address, true);
  return sha384(info);
}

const NOTHING = new Uint8Array(48);

/**
 * Digests for 1 … `maxVcpus` virtual CPUs, lower-case hex, in that order: the vCPUs come last in the chain, so
 * one pass gives them all.
 */
export function launchDigests(input: LaunchInput, maxVcpus: number): string[] {
  const { ovmf, vmm } = input;
  let digest: Uint8Array = fromHex(input.firmware);
  const pages = (gpa: number, size: number, type: number) => {
    for (let at = 0; at < size; at += PAGE) digest = extend(digest, NOTHING, type, BigInt(gpa + at));
  };
  const postponed: { gpa: number; size: number }[] = [];
  for (const { gpa, size, type } of ovmf.sections) {
    if (type === 1 || type === 4) pages(gpa, size, 3);
    else if (type === 2) pages(gpa, size, 5);
    else if (type === 3 && vmm === 2) postponed.push({ gpa, size });
    else if (type === 3) pages(gpa, size, 6);
    else if (type === 0x10 && input.hashes) {
      if (ovmf.hashTableGpa === undefined) refuse('SNP_OVMF', 'The firmware has no table for kernel hashes.');
      digest = extend(
        digest,
        sha384(kernelHashesPage(input.hashes, ovmf.hashTableGpa! % PAGE)),
        1,
        BigInt(gpa),
      );
    } else if (type === 0x10) pages(gpa, size, 3);
    else refuse('SNP_OVMF', `The firmware has a section of unknown type ${type}.`);
  }
  for (const { gpa, size } of postponed) pages(gpa, size, 6);
  const boot = sha384(vmsaPage(BSP_EIP, input));
  const other = sha384(vmsaPage(ovmf.apResetEip, input));
  const out: string[] = [];
  for (let vcpu = 0; vcpu < maxVcpus; vcpu++) {
    digest = extend(digest, vcpu === 0 ? boot : other, 2, VMSA_ADDRESS);
    out.push(toHex(digest));
  }
  return out;
}

/** The launch digest after an OVMF image of these bytes. */
export function firmwareDigest(image: Uint8Array): string {
  let digest: Uint8Array = NOTHING;
  for (let at = 0; at < image.length; at += PAGE)
    digest = extend(
      digest,
      sha384(image.subarray(at, at + PAGE)),
      1,
      0x1_0000_0000n - BigInt(image.length - at),
    );
  return toHex(digest);
}

/** The page with SHA-256 of command line, initrd and kernel; `offset` is where its table begins. */
export function kernelHashesPage(
  hashes: { kernel: string; initrd: string; append: string },
  offset: number,
): Uint8Array {
  const entry = (guid: string, hash: string) =>
    concatBytes(guidBytes(guid), Uint8Array.of(50, 0), fromHex(hash));
  const table = concatBytes(
    guidBytes('9438d606-4f22-4cc9-b479-a793d411fd21'),
    Uint8Array.of(168, 0),
    entry('97d02dd8-bd20-4c94-aa78-e7714d36ab2a', hashes.append),
    entry('44baf731-3a2f-4bd7-9af1-41e29169781d', hashes.initrd),
    entry('4de79437-abd2-427f-b835-d5b172d2045b', hashes.kernel),
  );
  const page = new Uint8Array(PAGE);
  page.set(table, offset);
  return page;
}

/** SHA-256 of a kernel command line as the table holds it: with one NUL, also when there is none. */
export function commandLineHash(text: string): string {
  return toHex(sha256(toBytes(`${text}\0`)));
}

/** The register page of one virtual CPU at reset. */
export function vmsaPage(eip: number, { vmm, cpuSignature, guestFeatures }: LaunchInput): Uint8Array {
  const page = new Uint8Array(PAGE);
  const view = new DataView(page.buffer);
  const segment = (at: number, selector: number, attributes: number, base = 0) => {
    view.setUint16(at, selector, true);
    view.setUint16(at + 2, attributes, true);
    view.setUint32(at + 4, 0xffff, true);
    view.setBigUint64(at + 8, BigInt(base >>> 0), true);
  };
  const u64 = (at: number, value: bigint) => view.setBigUint64(at, value, true);
  const boot = eip >>> 0 === BSP_EIP;
  for (const at of [0x000, 0x030, 0x040, 0x050]) segment(at, 0, 0x93);
  segment(0x010, 0xf000, vmm === 3 || (vmm === 2 && boot) ? 0x9a : 0x9b, eip & 0xffff0000);
  segment(0x020, 0, vmm === 1 ? 0x93 : 0x92);
  segment(0x060, 0, 0);
  segment(0x080, 0, 0);
  segment(0x070, 0, 0x82);
  segment(0x090, 0, vmm === 1 ? 0x8b : 0x83);
  u64(0x0d0, 0x1000n);
  u64(0x148, 0x40n);
  u64(0x158, 0x10n);
  u64(0x160, 0x400n);
  u64(0x168, 0xffff0ff0n);
  u64(0x170, 2n);
  u64(0x178, BigInt(eip & 0xffff));
  u64(0x268, 0x0007040600070406n);
  u64(0x310, vmm === 2 ? 0n : BigInt(cpuSignature));
  u64(0x3b0, guestFeatures);
  u64(0x3e8, 1n);
  if (vmm !== 2) {
    view.setUint32(0x408, 0x1f80, true);
    view.setUint16(0x410, 0x37f, true);
  }
  return page;
}

const CPU_SIGNATURES: Record<number, number> = Object.fromEntries([
  ...[0, 1, 3, 4, 5].map((type) => [type, 0x800f12]),
  ...[6, 7, 8, 9].map((type) => [type, 0x830f10]),
  ...[10, 11, 12].map((type) => [type, 0xa00f11]),
  ...[13, 14].map((type) => [type, 0xa10f10]),
]);

/** CPUID signature of HyperBEAM's numeric `vcpu_type`. @throws AoError `SNP_OVMF` for a number it does not use */
export function cpuSignatureOf(vcpuType: number): number {
  return CPU_SIGNATURES[vcpuType] ?? refuse('SNP_OVMF', `There is no virtual CPU of type ${vcpuType}.`);
}
