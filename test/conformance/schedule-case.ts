/** The `schedule` cases of `signed-node`: a schedule passes the audit exactly if it is genuine (process.md §2.9). */
import { AoError } from '../../src/base/errors.ts';
import { Message } from '../../src/message/message.ts';
import { auditAssignment, auditDefinition } from '../../src/verify/native-audit.ts';
import { check, Mismatch, type Json } from './family.ts';
import { toMessage } from './value.ts';

export interface ScheduleCase {
  'process-id': string;
  node: string;
  verdict: string;
  assignments: Json[];
}

export async function checkSchedule(data: ScheduleCase): Promise<void> {
  let verdict = 'valid';
  try {
    await audit(data);
  } catch (thrown) {
    if (!(thrown instanceof AoError)) throw thrown;
    if (!thrown.code.startsWith('audit-')) throw new Mismatch('a refusal of the audit', thrown.code);
    verdict = 'invalid';
    if (data.verdict === 'valid') throw new Mismatch('valid', `${thrown.code}: ${thrown.message}`);
  }
  check(data.verdict, verdict);
}

async function audit(data: ScheduleCase): Promise<void> {
  const assignments = data.assignments.map(toMessage);
  const first = assignments[0]?.get('body');
  if (!(first instanceof Message))
    throw new AoError('audit-body', 'The schedule does not begin with a process.');
  let state = await auditDefinition(data['process-id'], first);
  for (const assignment of assignments) {
    const step = await auditAssignment(state, assignment);
    check(data.node, step.audited.scheduler, `scheduler of slot ${step.audited.slot}`);
    state = step.state;
  }
}
