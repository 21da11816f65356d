/**
 * What a verification found: facts that add up, not a ladder (attestation.md §4, §4.11). A report says which levels
 * were reached, for which slots, on which evidence, and what was not checked. It is an AO message, so a node can
 * commit to it.
 */
import type { AoError } from '../base/errors.ts';
import { Message, type ValueInput } from '../message/message.ts';
import type { ReachedLevel, VerificationProblem, VerificationReport } from '../protocol/api.ts';

export const LEVELS = [
  'claimed',
  'signed',
  'attested',
  'agreed',
  'audited',
  'replayed',
] as const satisfies readonly ReachedLevel[];
export type Level = ReachedLevel;
export type Report = VerificationReport;
export type Problem = VerificationProblem;
export type Facts = Report['facts'];
export type Freshness = NonNullable<Report['freshness']>;

/** Collects facts and problems while a verification runs. */
export class Findings {
  facts: Facts = {};
  freshness: Freshness | undefined;
  readonly problems: Problem[] = [];
  readonly notChecked: string[] = [];

  add(facts: Facts): void {
    this.facts = { ...this.facts, ...facts };
  }

  /** Something could not be shown: the level is lower and the reason is named. */
  missing(code: string, text: string, more: Partial<Problem> = {}): void {
    this.problems.push({ code, text, contradiction: false, ...more });
  }

  contradiction(code: string, text: string, more: Partial<Problem> = {}): void {
    this.problems.push({ code, text, contradiction: true, ...more });
  }

  /** A refusal met on the way. Those of an audit are contradictions: the node showed a schedule that cannot be. */
  refused(error: AoError, more: Partial<Problem> = {}): void {
    const slot = error.detail['slot'];
    const contradiction = error.code.startsWith('audit-');
    this.problems.push({
      code: error.code,
      text: error.message,
      contradiction,
      ...(typeof slot === 'number' ? { slot } : {}),
      ...more,
    });
  }

  get contradicted(): boolean {
    return this.problems.some(({ contradiction }) => contradiction);
  }

  /** Replaying proves an answer only for inputs that are audited. */
  reached(): Level[] {
    const { signed, attested, agreed, audited, replayed } = this.facts;
    const has: Record<Level, boolean> = {
      claimed: true,
      signed: signed !== undefined,
      attested: attested !== undefined,
      agreed: agreed !== undefined && agreed.agree.length >= agreed.k,
      audited: audited !== undefined,
      replayed: replayed !== undefined && audited !== undefined,
    };
    return LEVELS.filter((level) => has[level]);
  }
}

/** The report as a message, for the node to commit to. */
export function reportMessage(report: Report): Message {
  const record = toInput(report) as Record<string, ValueInput>;
  return Message.of({ type: 'verification-report', variant: 'beamlet-report@1.0', ...record });
}

/**
 * Whole numbers become integers: as floats they would be other values. What is undefined is left out. Keys are in lower
 * case: fields of HTTP have no other.
 */
function toInput(value: unknown): ValueInput {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toInput);
  if (typeof value !== 'object' || value === null) return value as ValueInput;
  const named = (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [named(key), toInput(item)]));
}

/** Why a level was not reached, in a line each, worst first; for a person. */
export function explain(report: Report): string[] {
  const sorted = [...report.problems].sort((a, b) => Number(b.contradiction) - Number(a.contradiction));
  return sorted.map(({ text, said, right, slot }) => {
    const where = slot === undefined || text.startsWith('Slot') ? '' : `Slot ${slot}: `;
    const values = said === undefined ? '' : ` The node said ${said}, right is ${right ?? 'something else'}.`;
    return where + text + values;
  });
}
