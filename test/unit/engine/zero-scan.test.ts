import { readFileSync } from 'node:fs';
import wabt from 'wabt';
import { describe, expect, it } from 'vitest';
import { fromBase64 } from '../../../src/base/bytes.ts';
import { LinearMemory } from '../../../src/engine/linear-memory.ts';
import { slowScan, ZERO_SCAN, zeroScan } from '../../../src/engine/zero-scan.ts';

describe('zero-scan', () => {
  it('is what its text assembles to', async () => {
    const { parseWat } = await wabt();
    const text = readFileSync('src/engine/zero-scan.wat', 'utf8');
    for (const bits of [32, 64] as const) {
      const source = text
        .replaceAll('(memory @ ', bits === 64 ? '(memory i64 ' : '(memory ')
        .replaceAll('@', String(bits));
      const module = parseWat('zero-scan.wat', source, { memory64: true, simd: true });
      const bytes = new Uint8Array(module.toBinary({}).buffer);
      module.destroy();
      expect(Buffer.from(bytes).equals(fromBase64(ZERO_SCAN[bits]))).toBe(true);
    }
  });

  it('finds the first block that is not zero, as the plain loop does, also after growth', () => {
    const memory = new LinearMemory(new WebAssembly.Memory({ initial: 2 }), 32);
    const fast = zeroScan(memory);
    const slow = slowScan(memory.memory);
    const both = (from: number, end: number) => {
      expect(fast(from, end)).toBe(slow(from, end));
      return fast(from, end);
    };
    expect(both(0, 131072)).toBe(131072);
    memory.bytes[70_000] = 1;
    expect(both(0, 131072)).toBe(70_000 - (70_000 % 256));
    expect(both(0, 65536)).toBe(65536);
    expect(both(70_144, 131072)).toBe(131072);
    for (const at of [0, 15, 16, 127, 128, 255]) {
      memory.bytes.fill(0);
      memory.bytes[512 + at] = 0x80;
      expect(both(0, 131072)).toBe(512);
    }
    memory.grow(1);
    memory.bytes[512] = 0;
    memory.bytes.fill(0);
    memory.bytes[196_607] = 4;
    expect(both(0, 196_608)).toBe(196_352);
  });
});
