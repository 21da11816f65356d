/**
 * Finds what is not zero in a large memory at the speed of memory itself: a helper module of a few instructions,
 * assembled from `zero-scan.wat`, that imports the memory it looks at. Where it cannot run, JavaScript looks.
 */
import { fromBase64 } from '../base/bytes.ts';
import type { LinearMemory } from './linear-memory.ts';

/** `zero-scan.wat` for 32- and 64-bit addresses; a test assembles it anew and compares. */
export const ZERO_SCAN: Readonly<Record<32 | 64, string>> = {
  32: 'AGFzbQEAAAABBwFgAn9/AX8CCAEBZQFtAgAAAwIBAAcIAQRuZXh0AAAKrAEBqQEAA0AgACABTwRAIAEPCyAA/QAEACAA/QAEEP1QIAD9AAQgIAD9AAQw/VD9UCAA/QAEQCAA/QAEUP1QIAD9AARgIAD9AARw/VD9UP1QIAD9AASAASAA/QAEkAH9UCAA/QAEoAEgAP0ABLAB/VD9UCAA/QAEwAEgAP0ABNAB/VAgAP0ABOABIAD9AATwAf1Q/VD9UP1Q/VMEQCAADwsgAEGAAmohAAwACwAL',
  64: 'AGFzbQEAAAABBwFgAn5+AX4CCAEBZQFtAgQAAwIBAAcIAQRuZXh0AAAKrAEBqQEAA0AgACABWgRAIAEPCyAA/QAEACAA/QAEEP1QIAD9AAQgIAD9AAQw/VD9UCAA/QAEQCAA/QAEUP1QIAD9AARgIAD9AARw/VD9UP1QIAD9AASAASAA/QAEkAH9UCAA/QAEoAEgAP0ABLAB/VD9UCAA/QAEwAEgAP0ABNAB/VAgAP0ABOABIAD9AATwAf1Q/VD9UP1Q/VMEQCAADwsgAEKAAnwhAAwACwAL',
};

/** Address of the first 256-byte block from `from` on that is not all zero, or `end`. Both are multiples of 256. */
export type ZeroScan = (from: number, end: number) => number;

const scans = new WeakMap<WebAssembly.Memory, ZeroScan>();
const modules: { 32?: WebAssembly.Module; 64?: WebAssembly.Module } = {};

export function zeroScan({ memory, wordBits }: LinearMemory): ZeroScan {
  let scan = scans.get(memory);
  if (!scan) {
    scan = fastScan(memory, wordBits) ?? slowScan(memory);
    scans.set(memory, scan);
  }
  return scan;
}

function fastScan(memory: WebAssembly.Memory, wordBits: 32 | 64): ZeroScan | undefined {
  try {
    const module = (modules[wordBits] ??= new WebAssembly.Module(fromBase64(ZERO_SCAN[wordBits])));
    const { exports } = new WebAssembly.Instance(module, { e: { m: memory } });
    const next = exports.next as (from: number | bigint, end: number | bigint) => number | bigint;
    if (wordBits === 64) return (from, end) => Number(next(BigInt(from), BigInt(end)));
    return (from, end) => (next(from, end) as number) >>> 0;
  } catch {
    return undefined;
  }
}

/** The same in JavaScript, for an engine without vector instructions. */
export function slowScan(memory: WebAssembly.Memory): ZeroScan {
  return (from, end) => {
    const words = new Int32Array(memory.buffer);
    for (let at = from; at < end; at += 256) {
      let any = 0;
      for (let i = at / 4, last = i + 64; i < last; i += 4)
        any |= words[i]! | words[i + 1]! | words[i + 2]! | words[i + 3]!;
      if (any) return at;
    }
    return end;
  };
}
