/**
 * Schedules on disk: table `processes` holds the head of each schedule, table `assignments` its slots. A head and
 * its assignments are written in one transaction.
 */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { fromPlain, toPlain, type Plain } from '../message/plain.ts';
import type { Store, Write } from '../store/store.ts';

/** Head of a schedule. Structured-cloneable; other parts of the node may add keys that this one keeps. */
export interface ScheduleHead {
  /** Newest slot that is scheduled and stored; -1 before the first. */
  slot: number;
  /** b64u of the last hash; empty before the first slot, or where the schedule has none. */
  hashChain: string;
  /** Of the newest assignment: milliseconds. */
  timestamp: number;
  /** True: this node is the scheduler. */
  own: boolean;
  /** Where the schedule came from, if not from here. */
  source?: string;
  /** Milliseconds since 1970. */
  created: number;
  [key: string]: unknown;
}

export interface AssignmentRecord {
  /** ID over all signatures of the assignment. */
  readonly id: string;
  /** The assignment with its body in place, both with their commitments. */
  readonly message: Plain;
}

export async function readHead(store: Store, process: string): Promise<ScheduleHead | undefined> {
  return store.get<ScheduleHead>('processes', process);
}

/** Process IDs with a schedule on this node, in byte order. */
export async function knownProcesses(store: Store): Promise<string[]> {
  return (await store.keys('processes')).filter((key): key is string => typeof key === 'string');
}

export function headWrite(process: string, head: ScheduleHead): Write {
  return { table: 'processes', key: process, value: head };
}

export function assignmentWrite(process: string, slot: number, id: string, assignment: Message): Write {
  const record: AssignmentRecord = { id, message: toPlain(assignment) };
  return { table: 'assignments', key: [process, slot], value: record };
}

export interface StoredAssignment {
  readonly slot: number;
  readonly id: string;
  readonly assignment: Message;
}

function fromRecord(slot: number, record: AssignmentRecord): StoredAssignment {
  const assignment = fromPlain(record.message);
  if (!(assignment instanceof Message))
    throw new AoError('bad-record', 'A stored assignment is no message.', { status: 500 });
  return { slot, id: record.id, assignment };
}

/** Assignments `from` … `to` (inclusive), up to the first that is missing. */
export async function readAssignments(
  store: Store,
  process: string,
  from: number,
  to: number,
  limit = 1001,
): Promise<StoredAssignment[]> {
  if (to < from) return [];
  const entries = await store.range<AssignmentRecord>('assignments', {
    from: [process, from],
    to: [process, to],
    limit,
  });
  const out: StoredAssignment[] = [];
  for (const { key, value } of entries) {
    const slot = (key as [string, number])[1];
    if (slot !== from + out.length) break;
    out.push(fromRecord(slot, value));
  }
  return out;
}
