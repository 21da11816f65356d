/** Products and their TCB versions (attestation.md §1.5, §1.7). */
import { refuse } from './error.ts';

export type Product = 'Milan' | 'Genoa' | 'Turin';

/** Security versions, component by component; `fmc` exists on Turin only. */
export interface Tcb {
  readonly fmc?: number;
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}

/** @throws AoError `SNP_MBZ` where a reserved byte is set */
export function decodeTcb(bytes: Uint8Array, product: Product): Tcb {
  const at = (index: number) => bytes[index]!;
  const reserved = product === 'Turin' ? [4, 5, 6] : [2, 3, 4, 5];
  if (reserved.some((index) => at(index) !== 0))
    refuse('SNP_MBZ', 'A reserved byte of a TCB version is set.');
  return product === 'Turin'
    ? { fmc: at(0), bootloader: at(1), tee: at(2), snp: at(3), microcode: at(7) }
    : { bootloader: at(0), tee: at(1), snp: at(6), microcode: at(7) };
}

export const TCB_PARTS = ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const;

/** True if every component of `low` is at most that of `high`. */
export function notAbove(low: Partial<Tcb>, high: Partial<Tcb>): boolean {
  return TCB_PARTS.every((part) => (low[part] ?? 0) <= (high[part] ?? 0));
}

/** The product that CPUID family and model name; undefined if none that is known. */
export function productOf(family: number, model: number): Product | undefined {
  if (family === 0x19 && model <= 0x0f) return 'Milan';
  if (family === 0x19 && ((model >= 0x10 && model <= 0x1f) || (model >= 0xa0 && model <= 0xaf)))
    return 'Genoa';
  if (family === 0x1a && model <= 0x11) return 'Turin';
  return undefined;
}
