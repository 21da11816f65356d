import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import type { Message } from '../../../src/message/message.ts';
import { auditAssignment, auditDefinition } from '../../../src/verify/native-audit.ts';
import { checkSchedule, type ScheduleCase } from '../../conformance/schedule-case.ts';
import { toMessage } from '../../conformance/value.ts';

const all = JSON.parse(readFileSync('test/vectors/signed-node.json', 'utf8')) as ({
  kind: string;
} & ScheduleCase)[];
const schedules = all.filter(({ kind }) => kind === 'schedule');
const whole = schedules.find(({ verdict, assignments }) => verdict === 'valid' && assignments.length > 4)!;

async function code(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return 'ok';
  } catch (thrown) {
    if (thrown instanceof AoError) return thrown.code;
    throw thrown;
  }
}

describe('the audit of a native schedule', () => {
  it('agrees with every recorded verdict', async () => {
    for (const data of schedules) await checkSchedule(data);
  });

  it('goes on from a state that was stored', async () => {
    const assignments = whole.assignments.map(toMessage);
    let state = await auditDefinition(whole['process-id'], assignments[0]!.get('body') as Message);
    for (const assignment of assignments) {
      const stored = structuredClone(state);
      state = (await auditAssignment(stored, assignment)).state;
    }
    expect(state.slot).toBe(assignments.length - 1);
    expect(state.restarts).toEqual([]);
  });

  it('names the rule that is broken', async () => {
    const assignments = whole.assignments.map(toMessage);
    const start = await auditDefinition(whole['process-id'], assignments[0]!.get('body') as Message);
    const { state } = await auditAssignment(start, assignments[0]!);
    expect(await code(() => auditAssignment(state, assignments[2]!))).toBe('audit-slot');
    expect(await code(() => auditAssignment(state, assignments[1]!, { key: 7 }))).toBe('audit-slot');
    expect(await code(() => auditAssignment({ ...state, schedulers: [] }, assignments[1]!))).toBe(
      'audit-signer',
    );
    expect(await code(() => auditAssignment({ ...state, process: 'x'.repeat(43) }, assignments[1]!))).toBe(
      'audit-wrong-process',
    );
    expect(await code(() => auditAssignment({ ...state, chain: 'A'.repeat(43) }, assignments[1]!))).toBe(
      'audit-chain',
    );
    expect(await code(() => auditAssignment(state, assignments[1]!.without('body')))).toBe('audit-signature');
    const altered = assignments[1]!.with({ timestamp: 1n });
    expect(await code(() => auditAssignment(state, altered))).toBe('audit-signature');
    expect(await code(() => auditDefinition('y'.repeat(43), assignments[0]!.get('body') as Message))).toBe(
      'audit-process-id',
    );
  });
});
