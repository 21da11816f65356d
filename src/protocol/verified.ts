/**
 * A value together with how far it was verified. It is no value by itself, so that a claim cannot be used by mistake
 * where something proven is needed: taking it out names the level that is asked for.
 */
import { AoError } from '../base/errors.ts';
import type { VerificationReport } from './api.ts';

type Shown = VerificationReport['asked'];

/** What was shown about a value. The value itself comes out through `proven` or `unproven`. */
export interface Verified<T, Reached extends Shown = Shown> {
  readonly report: VerificationReport;
  /** Which levels a holder may count on, for the type checker. */
  readonly reached: readonly Reached[];
  /** @internal Use `proven`. */
  readonly [VALUE]: T;
}

const VALUE: unique symbol = Symbol('verified value');

/** The value with what a report says about it. */
export function verified<T>(report: VerificationReport, value: T): Verified<T> {
  return Object.freeze({ report, reached: report.reached, [VALUE]: value });
}

/** True if the level was reached and nothing contradicted. */
export function isProven<T, Reached extends Shown>(
  item: Verified<T>,
  level: Reached,
): item is Verified<T, Reached> {
  return item.report.level !== 'contradicted' && item.reached.includes(level);
}

/** The value, if it was shown as far as `level`. @throws AoError `not-proven` (422) */
export function proven<T>(item: Verified<T>, level: Exclude<Shown, 'claimed'>): T {
  if (isProven(item, level)) return item[VALUE];
  throw new AoError('not-proven', `This value is ${item.report.level}, not ${level}.`, {
    status: 422,
    detail: { level: item.report.level, asked: level },
  });
}

/** The value whatever was shown, for displaying it beside its level. */
export function unproven<T>(item: Verified<T>): T {
  return item[VALUE];
}
