import { describe, expect, it } from 'vitest';
import { parsePrograms } from '../../../src/app/lib/trusted-programs.ts';

const entry = {
  name: 'An image',
  provenance: 'Built from source',
  firmware: 'ab'.repeat(48),
  kernel: '01'.repeat(32),
  initrd: '02'.repeat(32),
  append: '03'.repeat(32),
  vmm: 1,
  guestFeatures: 1,
  vcpuTypes: [5],
  vcpus: [1, 32],
};

describe('programs that a user trusts', () => {
  it('are read from a list, a single entry and a trust file', () => {
    expect(parsePrograms(JSON.stringify([entry, entry]))).toHaveLength(2);
    expect(parsePrograms(JSON.stringify(entry))).toEqual([entry]);
    expect(parsePrograms(JSON.stringify({ programs: [entry], keys: [] }))).toEqual([entry]);
  });

  it.each([
    ['{', 'not JSON'],
    ['[]', 'empty'],
    ['[1]', 'no program'],
    [JSON.stringify({ ...entry, name: ' ' }), 'no name'],
    [JSON.stringify({ ...entry, provenance: undefined }), 'no provenance'],
    [JSON.stringify({ ...entry, firmware: 'ab' }), 'firmware is not 96'],
    [JSON.stringify({ ...entry, kernel: 'zz'.repeat(32) }), 'kernel is not 64'],
    [JSON.stringify({ ...entry, vmm: 9 }), 'vmm'],
    [JSON.stringify({ ...entry, vcpuTypes: [] }), 'vcpuTypes'],
    [JSON.stringify({ ...entry, vcpus: [1] }), 'vcpus'],
    [JSON.stringify({ ...entry, guestFeatures: 0.5 }), 'guestFeatures'],
    [JSON.stringify({ ...entry, validUntil: 'soon' }), 'validUntil'],
  ])('are refused with a sentence: %.40s', (text, reason) => {
    expect(() => parsePrograms(text)).toThrow(reason);
  });
});
