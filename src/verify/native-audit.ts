/**
 * The audit of a native schedule (process.md §2.9, attestation.md §4.5): slot after slot, every signature, the
 * scheduler's identity, the order, and the hash chain. Streams: its state is small and plain, so an audit goes on
 * where it stopped, also after a reload.
 */
import { concatBytes, fromBase64, fromBytes, toBase64Url, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { committedKeys, commitmentsOf, committerOf } from '../commitment/commitment.ts';
import { messageId } from '../commitment/id.ts';
import { committers, withOnlyCommitted } from '../commitment/select.ts';
import { checkMessage } from '../commitment/verify.ts';
import type { Load } from '../commitment/link.ts';
import { sha256 } from '../crypto/hash.ts';
import { Message } from '../message/message.ts';
import { isBinary, Link, type Value } from '../message/value.ts';

/** What must be under a scheduler's signature; what is not is not believed. */
const COVERED = [
  'process',
  'slot',
  'epoch',
  'hash-chain',
  'body',
  'path',
  'timestamp',
  'block-height',
  'block-hash',
  'block-timestamp',
  'type',
  'variant',
  'data-protocol',
];
/** More signatures than any honest message carries; a summed ID is weak when an attacker may add to it freely. */
const MAX_COMMITMENTS = 8;

/** Something worth knowing that does not make a schedule invalid. */
export interface AuditNote {
  readonly slot: number;
  readonly code: 'clock-went-back' | 'path' | 'restart' | 'foreign' | 'no-authority' | 'replayed';
  readonly text: string;
}

/** Where an audit stands. Structured-cloneable. */
export interface AuditState {
  readonly process: string;
  readonly schedulers: readonly string[];
  readonly authorities: readonly string[];
  /** Last audited slot; -1 before the first. */
  readonly slot: number;
  /** `hash-chain` of that slot. */
  readonly chain: string;
  readonly timestamp: number;
  readonly height: number;
  /** Of the newest block that was named, seconds; states of older versions lack it. */
  readonly blockTime?: number;
  /** Slots before which the scheduler was restarted. */
  readonly restarts: readonly number[];
}

export interface AuditedSlot {
  readonly slot: number;
  /** The assignment, cut down to what the scheduler signed. */
  readonly assignment: Message;
  /** The message, cut down to what its authors signed. */
  readonly body: Message;
  /** ID of the body over its signatures: what the hash chain names. */
  readonly id: string;
  readonly authors: readonly string[];
  /** Who signed the assignment, of those that the process allows. */
  readonly scheduler: string;
  readonly notes: readonly AuditNote[];
}

function refuse(code: string, slot: number, sentence: string, detail: Record<string, unknown> = {}): never {
  throw new AoError(`audit-${code}`, `Slot ${slot}: ${sentence}`, {
    status: 422,
    detail: { slot, ...detail },
  });
}

function text(value: Value | undefined): string | undefined {
  if (!isBinary(value)) return undefined;
  return typeof value === 'string' ? value : fromBytes(value);
}

/** Addresses of a key that holds one, several with commas, or a list; quotes are stripped. */
function addresses(message: Message, key: string): string[] {
  const value = message.get(key);
  const parts = Array.isArray(value) ? value.map((item) => text(item as Value) ?? '') : [text(value) ?? ''];
  return parts
    .flatMap((part) => part.split(','))
    .map((part) => part.trim().replace(/^"|"$/g, '').split('?')[0]!)
    .filter((part) => part !== '');
}

function integer(value: Value | undefined): number | undefined {
  if (typeof value !== 'bigint' || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return Number(value);
}

/**
 * The rules of process.md §2.9 on the definition itself: its ID, its signature, its scheduler.
 * @throws AoError `audit-process-id`, `audit-process-signature`, `audit-not-a-process`, `audit-no-scheduler` (422)
 */
export async function auditDefinition(
  process: string,
  definition: Message,
  load?: Load,
): Promise<AuditState> {
  const body = await checkAuthored(definition, 0, load);
  if (messageId(definition, 'signed') !== process)
    refuse('process-id', 0, 'the definition is not the process that was asked for', { process });
  if (text(body.get('type')) !== 'Process')
    refuse('not-a-process', 0, 'the definition is of another type than Process');
  const schedulers = [...addresses(body, 'scheduler'), ...addresses(body, 'scheduler-location')];
  if (schedulers.length === 0)
    refuse('no-scheduler', 0, 'the definition names no scheduler, so nobody can be held to it');
  return {
    process,
    schedulers: [...new Set(schedulers)],
    authorities: addresses(body, 'authority'),
    slot: -1,
    chain: '',
    timestamp: 0,
    height: 0,
    restarts: [],
  };
}

/**
 * Audits the next assignment of a schedule.
 * @param key the slot under which the node listed it, where it did
 * @returns the state after it and what was found
 * @throws AoError `audit-…` (422) naming the rule and the slot
 */
export async function auditAssignment(
  state: AuditState,
  given: Message,
  options: { key?: number; load?: Load | undefined } = {},
): Promise<{ state: AuditState; audited: AuditedSlot }> {
  const expected = state.slot + 1;
  const { load } = options;
  if (!(given instanceof Message)) refuse('form', expected, 'the assignment is no message');
  const scheduler = await checkScheduler(state, given, expected, load);
  const assignment = withOnlyCommitted(given);
  checkFields(state, assignment, expected, options.key);

  const value = assignment.get('body');
  const loaded = value instanceof Link && load ? await load(value) : value;
  if (!(loaded instanceof Message)) return refuse('body', expected, 'the assigned message is missing');
  const id = messageId(loaded, 'signed');
  const chain = text(assignment.get('hash-chain'))!;
  const restarted = checkChain(state, id, chain, expected);
  const body = await checkAuthored(loaded, expected, load);
  const notes = [...checkBody(state, body, id, expected)];
  if (restarted)
    notes.push({ slot: expected, code: 'restart', text: 'The scheduler was restarted before this slot.' });

  const timestamp = integer(assignment.get('timestamp')) ?? 0;
  const height = integer(assignment.get('block-height')) ?? 0;
  const blockTime = integer(assignment.get('block-timestamp')) ?? 0;
  const lastBlock = state.blockTime ?? 0;
  if (timestamp < state.timestamp || height < state.height || blockTime < lastBlock)
    notes.push({
      slot: expected,
      code: 'clock-went-back',
      text: 'The scheduler’s clock or block height went back.',
    });
  const path = text(assignment.get('path'));
  if (path !== 'compute')
    notes.push({
      slot: expected,
      code: 'path',
      text: `The message asks for the key ${path ?? 'of a list'} instead of compute.`,
    });
  return {
    state: {
      ...state,
      slot: expected,
      chain,
      timestamp: Math.max(timestamp, state.timestamp),
      height: Math.max(height, state.height),
      blockTime: Math.max(blockTime, lastBlock),
      restarts: restarted ? [...state.restarts, expected] : state.restarts,
    },
    audited: { slot: expected, assignment, body, id, authors: committers(body), scheduler, notes },
  };
}

/** Rules 5 and 6: a scheduler that the process names has signed, and signed everything that matters. */
async function checkScheduler(
  state: AuditState,
  given: Message,
  slot: number,
  load: Load | undefined,
): Promise<string> {
  const all = commitmentsOf(given);
  if (all.size > MAX_COMMITMENTS) refuse('signer', slot, 'the assignment carries too many signatures');
  const rightful = [...all].filter(([, commitment]) =>
    state.schedulers.includes(committerOf(commitment) ?? ''),
  );
  const first = rightful[0];
  if (!first)
    return refuse('signer', slot, 'no scheduler of the process has signed the assignment', {
      signers: committers(given),
    });
  const selection = { commitments: rightful.map(([id]) => id) };
  for (const { verdict, commitment } of await checkMessage(given, selection, { load })) {
    if (!verdict.valid)
      refuse('signature', slot, `the scheduler’s signature does not verify (${verdict.reason})`, {
        reason: verdict.code,
      });
    const covered = committedKeys(commitment);
    const missing = COVERED.filter((key) => !covered.includes(key));
    if (missing.length)
      refuse('coverage', slot, `the scheduler’s signature leaves out ${missing.join(', ')}`, { missing });
  }
  return committerOf(first[1])!;
}

/** Rules 3, 4, 7 and 8. */
function checkFields(
  state: AuditState,
  assignment: Message,
  expected: number,
  key: number | undefined,
): void {
  const field = (name: string) => text(assignment.get(name));
  if (field('type')?.toLowerCase() !== 'assignment') refuse('type', expected, 'the message is no assignment');
  if (field('variant') !== 'ao.N.1' || field('data-protocol') !== 'ao')
    refuse('variant', expected, 'the assignment is of another protocol variant');
  if (field('process') !== state.process)
    refuse('wrong-process', expected, 'the assignment belongs to another process', {
      process: field('process'),
    });
  const slot = integer(assignment.get('slot'));
  if (slot !== expected || (key !== undefined && key !== slot))
    refuse('slot', expected, `the assignment is for slot ${slot ?? 'unknown'}`, { got: slot, listed: key });
  if (field('epoch') !== '0') refuse('epoch', expected, 'the assignment is of another epoch');
}

/** Rule 9: the chain follows from the slot before, by its raw value or, after a restart, by its text. */
function checkChain(state: AuditState, id: string, chain: string, slot: number): boolean {
  const link = (previous: Uint8Array) => toBase64Url(sha256(concatBytes(previous, toBytes(id))));
  if (slot === 0) {
    if (chain !== link(new Uint8Array(0)))
      refuse('chain', slot, 'the hash chain does not begin with the process itself');
    return false;
  }
  if (chain === link(fromBase64(state.chain))) return false;
  if (chain === link(toBytes(state.chain))) return true;
  return refuse('chain', slot, 'the hash chain does not follow from the slot before', { id });
}

/** Rules 12 and 13: somebody signed the message, every signature verifies, and only what is signed is kept. */
async function checkAuthored(message: Message, slot: number, load: Load | undefined): Promise<Message> {
  if (commitmentsOf(message).size > MAX_COMMITMENTS)
    refuse('body', slot, 'the message carries too many signatures');
  if (committers(message).length === 0) refuse('body-unsigned', slot, 'nobody signed the message');
  for (const { verdict } of await checkMessage(message, { committers: 'all' }, { load }))
    if (!verdict.valid)
      refuse('body-signature', slot, `a signature of the message does not verify (${verdict.reason})`, {
        reason: verdict.code,
      });
  return withOnlyCommitted(message);
}

/** Rules 14 and 15: for whom the message is, and who may speak for another process. */
function checkBody(state: AuditState, body: Message, id: string, slot: number): AuditNote[] {
  const notes: AuditNote[] = [];
  if (slot === 0) {
    if (id !== state.process) refuse('body', slot, 'the first message is not the process itself');
    return notes;
  }
  const target = text(body.get('target'));
  if (target !== state.process)
    notes.push({
      slot,
      code: 'foreign',
      text: 'The message was made for another process and assigned to this one.',
    });
  if (body.has('from-process') && !committers(body).some((author) => state.authorities.includes(author)))
    notes.push({
      slot,
      code: 'no-authority',
      text: 'The message says that a process sent it, but no authority of this process signed it.',
    });
  return notes;
}
