import { describe, expect, it } from 'vitest';
import type { VerificationReport } from '../../../src/protocol/api.ts';
import { isProven, proven, unproven, verified } from '../../../src/protocol/verified.ts';

const report = (level: VerificationReport['level'], reached: VerificationReport['reached']) =>
  ({ level, reached }) as VerificationReport;

describe('a verified value', () => {
  it('comes out at a level that was reached', () => {
    const item = verified(report('audited', ['claimed', 'signed', 'audited']), '42');
    expect(proven(item, 'signed')).toBe('42');
    expect(isProven(item, 'audited')).toBe(true);
  });

  it('does not come out as more than it is', () => {
    const item = verified(report('signed', ['claimed', 'signed']), '42');
    expect(() => proven(item, 'replayed')).toThrow('signed, not replayed');
    expect(unproven(item)).toBe('42');
    expect(JSON.stringify(item)).not.toContain('42');
  });

  it('is worth nothing once it was contradicted', () => {
    const item = verified(report('contradicted', ['claimed', 'signed', 'replayed']), '42');
    expect(() => proven(item, 'signed')).toThrow();
  });
});
