import { describe, expect, it } from 'vitest';
import { parseReport, type Report } from '../../../src/attestation/report.ts';
import { Message } from '../../../src/message/message.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { certificatesOf, keepChain } from '../../../src/verify/snp-certificates.ts';

/** The parts of a report that name whose certificate signs it. */
function reportOf(chip: number, { microcode = 213, vlek = false } = {}): Report {
  const bytes = new Uint8Array(1184);
  bytes.set([3], 0);
  bytes.set([3], 0x0a);
  bytes.set([1], 0x34);
  bytes.set([vlek ? 4 : 0], 0x48);
  bytes.set([4, 0, 0, 0, 0, 0, 22, microcode], 0x180);
  bytes.set([0x19, 1, 1], 0x188);
  bytes.fill(vlek ? 0 : chip, 0x1a0, 0x1e0);
  return parseReport(bytes);
}

const chain = { leaf: Uint8Array.of(1), issuer: Uint8Array.of(2), root: Uint8Array.of(3) };
const find = (report: Report, store: MemoryStore) =>
  certificatesOf(report, Message.empty, undefined, [], store);

describe('certificates of an attestation', () => {
  it('are kept for the next report of the same chip and firmware, which then needs no relay', async () => {
    const store = new MemoryStore();
    await keepChain(reportOf(7), chain, store);
    expect(await find(reportOf(7), store)).toEqual({ chain });
    expect(await find(reportOf(8), store)).toBeUndefined();
    expect(await find(reportOf(7, { microcode: 214 }), store)).toBeUndefined();
  });

  it('are not kept for a provider’s key, which no chip names', async () => {
    const store = new MemoryStore();
    await keepChain(reportOf(7, { vlek: true }), chain, store);
    expect(await find(reportOf(7, { vlek: true }), store)).toBeUndefined();
  });

  it('are refused where they are none', async () => {
    const found = (given: string | Uint8Array) =>
      certificatesOf(reportOf(7), Message.empty, given, [], new MemoryStore());
    for (const given of ['no certificate', Uint8Array.of(0x30, 1, 2), new Uint8Array(0), new Uint8Array(40)])
      await expect(found(given).then((got) => got ?? Promise.reject(new Error('none')))).rejects.toThrow();
  });
});
