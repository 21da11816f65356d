import { describe, expect, expectTypeOf, it } from 'vitest';
import type { VerificationReport } from '../../../src/protocol/api.ts';
import { isProven, proven, unproven, verified, type Verified } from '../../../src/protocol/verified.ts';

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

/** These are checked by the type checker: a line that it accepts by mistake fails `npm run typecheck`. */
describe('the type of a verified value', () => {
  const pay = (amount: Verified<string, 'replayed'>): string => proven(amount, 'replayed');
  const item = verified(report('replayed', ['claimed', 'signed', 'audited', 'replayed']), '42');

  it('is not the type of the value, nor of what only looks like it', () => {
    // @ts-expect-error a value is no proof
    const bare: Verified<string> = '42';
    // @ts-expect-error neither is a report with a value beside it: only `verified` joins the two
    const made: Verified<string> = { report: item.report, reached: item.reached, value: '42' };
    // @ts-expect-error and what was verified cannot be used as the value
    const text: string = item;
    expect([bare, made, text]).toHaveLength(3);
    expectTypeOf<Verified<string>>().not.toExtend<string>();
  });

  it('lets no claim through where proof is wanted, before it was asked for', () => {
    // @ts-expect-error nobody looked whether it was replayed
    expect(pay(item)).toBe('42');
    if (!isProven(item, 'replayed')) throw new Error('It was.');
    expect(pay(item)).toBe('42');
    expectTypeOf(item).toExtend<Verified<string, 'replayed'>>();
  });

  it('is not taken for more than was looked at', () => {
    if (!isProven(item, 'signed')) throw new Error('It was.');
    // @ts-expect-error signed is not replayed
    expect(pay(item)).toBe('42');
  });

  it('does not come out as proven at the level of a claim', () => {
    // @ts-expect-error that level proves nothing
    expect(() => proven(item, 'claimed')).not.toThrow();
    expectTypeOf(proven(item, 'signed')).toEqualTypeOf<string>();
  });
});
