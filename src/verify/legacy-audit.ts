/**
 * The audit of a schedule that a legacynet scheduler unit keeps (attestation.md §4.5, process.md §5.1): slot after
 * slot, both items of it, the scheduler's identity, the order, and the hash chain. Streams: its state is small and
 * plain, so an audit goes on where it stopped, also after a reload.
 */
import { concatBytes, fromBase64, toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import type { DataItem } from '../codec/ans104-item.ts';
import { sha256 } from '../crypto/hash.ts';
import { itemFrom, lacksData, MAX_MESSAGE_DATA, tagText, type ShownItem } from './legacy-item.ts';

/** Processes of earlier blocks have chains that nobody kept to the rule. */
export const CHAINED_FROM = 1_440_000;

/** Tags of an assignment, in this order; then perhaps `Message`, and `Exclude` any number of times. */
const TAGS = [
  'Process',
  'Epoch',
  'Nonce',
  'Hash-Chain',
  'Block-Height',
  'Timestamp',
  'Data-Protocol',
  'Type',
  'Variant',
];

/** Something worth knowing that does not make a schedule invalid. */
export interface LegacyNote {
  readonly slot: number;
  readonly code: 'not-chained' | 'not-bound' | 'clock-went-back' | 'foreign' | 'process-not-assigned';
  readonly text: string;
}

/** Where an audit stands. Structured-cloneable. */
export interface LegacyAuditState {
  readonly kind: 'legacynet';
  readonly process: string;
  /** Address of the scheduler that the process names. */
  readonly scheduler: string;
  /** The hash chain has to follow its rule. */
  readonly chained: boolean;
  /** Of the last audited slot; nonce -1 before the first. */
  readonly slot: number;
  readonly epoch: number;
  readonly assignment: string;
  readonly hashChain: string;
  readonly timestamp: number;
  readonly height: number;
}

/** One entry of a page, as a unit shows it. */
export interface ShownSlot {
  readonly message?: ShownItem | null;
  readonly assignment?: ShownItem | null;
}

export interface LegacyAudited {
  readonly slot: number;
  readonly assignment: DataItem;
  readonly message: DataItem;
  /** The message was made for somebody else: the assignment alone brings it here. */
  readonly foreign: boolean;
  /** Where a compute unit shows no data: `null` for what its scheduler does not show, `absent` for what is excluded. */
  readonly dataWithheld: 'null' | 'absent' | undefined;
  readonly timestamp: number;
  readonly height: number;
  readonly notes: readonly LegacyNote[];
}

export interface LegacyLoad {
  /** Data of an item that the scheduler does not show. */
  data(id: string, limit: number): Promise<Uint8Array>;
  /** An item that the scheduler only names, checked. */
  item(id: string): Promise<DataItem>;
}

function refuse(code: string, slot: number, sentence: string, detail: Record<string, unknown> = {}): never {
  throw new AoError(`audit-${code}`, `Slot ${slot}: ${sentence}`, {
    status: 422,
    detail: { slot, ...detail },
  });
}

/**
 * The rules on the definition: its ID, its type, its scheduler. `height`: block of the process, where it is known.
 * @throws AoError `audit-process-id`, `audit-not-a-process`, `audit-no-scheduler` (422)
 */
export function auditLegacyDefinition(process: string, item: DataItem, height?: number): LegacyAuditState {
  if (item.idText !== process)
    refuse('process-id', 0, 'the definition is not the process that was asked for', { process });
  if (tagText(item, 'Type') !== 'Process' || tagText(item, 'Data-Protocol') !== 'ao')
    refuse('not-a-process', 0, 'the definition is of another type than Process');
  const scheduler = tagText(item, 'Scheduler')?.trim();
  if (!scheduler)
    return refuse('no-scheduler', 0, 'the definition names no scheduler, so nobody can be held to it');
  return {
    kind: 'legacynet',
    process,
    scheduler,
    // Without a height the rule holds: it is the laxer one that has to be earned.
    chained: height === undefined || height >= CHAINED_FROM,
    slot: -1,
    epoch: 0,
    assignment: '',
    hashChain: '',
    timestamp: 0,
    height: 0,
  };
}

/** b64u hash that the assignment after this one has to carry; of the first one where none is before it. */
export function nextLegacyHash({ process, assignment, hashChain }: LegacyAuditState): string {
  if (!assignment) return toBase64Url(sha256(fromBase64(process)));
  return toBase64Url(sha256(concatBytes(fromBase64(assignment), fromBase64(hashChain))));
}

/** The items of a slot, being checked. */
interface Prepared {
  readonly assignment: Promise<DataItem>;
  readonly message: Promise<DataItem> | undefined;
  /** The page shows the message without data. */
  readonly dataless: boolean;
}

/**
 * Audits the next slots of a schedule, as a page shows them. All signatures are checked side by side, then the rules
 * slot after slot.
 * @returns what was found, with the state after each
 * @throws AoError `audit-…` (422) naming the rule and the slot, and those of loading what the scheduler does not show
 */
export async function auditLegacySlots(
  state: LegacyAuditState,
  shown: readonly ShownSlot[],
  load: LegacyLoad,
): Promise<{ state: LegacyAuditState; audited: LegacyAudited }[]> {
  const prepared = shown.map((one, index) => prepare(one, state.slot + 1 + index, load));
  const out: { state: LegacyAuditState; audited: LegacyAudited }[] = [];
  let last = state;
  for (const one of prepared) {
    const next = await auditSlot(last, one, load);
    last = next.state;
    out.push(next);
  }
  return out;
}

/** A slot as it is kept: both items were put together from octets, their signatures verified. */
export interface KeptSlot {
  readonly assignment: DataItem;
  readonly message: DataItem;
  /** The page named the message, and did not show it. */
  readonly foreign: boolean;
  /** Where the page showed no data. */
  readonly dataless: boolean;
}

/**
 * The same for slots that are at hand. Who calls it has verified the signatures.
 * @throws AoError `audit-…` (422) naming the rule and the slot
 */
export async function auditKeptSlot(
  state: LegacyAuditState,
  { assignment, message, foreign, dataless }: KeptSlot,
): Promise<{ state: LegacyAuditState; audited: LegacyAudited }> {
  const known = Promise.resolve(message);
  const prepared = {
    assignment: Promise.resolve(assignment),
    message: foreign ? undefined : known,
    dataless,
  };
  const load: LegacyLoad = { item: () => known, data: () => Promise.resolve(message.data) };
  return auditSlot(state, prepared, load);
}

function prepare(shown: ShownSlot, slot: number, load: LegacyLoad): Prepared {
  const assignment = shown?.assignment
    ? inSlot(slot, 'assignment', () =>
        itemFrom(shown.assignment!, { what: 'assignment', limit: 0, data: new Uint8Array(0) }),
      )
    : inSlot<DataItem>(slot, 'assignment', () => refuse('form', slot, 'the page shows no assignment'));
  const message = shown?.message ? inSlot(slot, 'body', () => shownMessage(shown.message!, load)) : undefined;
  // Whoever comes to it meets the failure; it must not count as unhandled until then.
  assignment.catch(() => undefined);
  message?.catch(() => undefined);
  const dataless = shown?.message ? typeof shown.message.data !== 'string' : false;
  return { assignment, message, dataless };
}

async function shownMessage(shown: ShownItem, load: LegacyLoad): Promise<DataItem> {
  const data = lacksData(shown) ? await load.data(String(shown.id), MAX_MESSAGE_DATA) : undefined;
  return itemFrom(shown, { what: 'message', ...(data ? { data } : {}) });
}

async function auditSlot(
  state: LegacyAuditState,
  prepared: Prepared,
  load: LegacyLoad,
): Promise<{ state: LegacyAuditState; audited: LegacyAudited }> {
  const slot = state.slot + 1;
  const assignment = await prepared.assignment;
  const notes: LegacyNote[] = [];
  const note = (code: LegacyNote['code'], text: string) => notes.push({ slot, code, text });
  const { epoch, height, timestamp, hashChain, named, exclude } = fieldsOf(state, assignment, slot);

  const expected = nextLegacyHash(state);
  if (hashChain !== expected) {
    if (state.chained)
      refuse('chain', slot, 'the hash chain does not follow from the assignment before', {
        said: hashChain,
        right: expected,
      });
    note('not-chained', 'The process is older than the hash chain: the order rests on the nonces alone.');
  }
  if (timestamp < state.timestamp || height < state.height)
    note('clock-went-back', 'The scheduler’s clock or block height went back.');

  const foreign = !prepared.message;
  const message = prepared.message
    ? ownMessage(state, slot, await prepared.message, named)
    : await foreignMessage(slot, named, load);
  if (foreign) note('foreign', 'The message was made for another process and assigned to this one.');
  else if (named === undefined)
    note('not-bound', 'The assignment does not name its message: the scheduler’s page alone joins them.');
  if (slot === 0 && message.idText !== state.process)
    note('process-not-assigned', 'The process itself has no slot: it is evaluated before the first message.');
  const excluded = foreign && exclude.includes('Data');
  const dataWithheld = excluded ? 'absent' : prepared.dataless ? 'null' : undefined;
  return {
    state: {
      ...state,
      slot,
      epoch,
      assignment: assignment.idText,
      hashChain,
      timestamp: Math.max(timestamp, state.timestamp),
      height: Math.max(height, state.height),
    },
    audited: { slot, assignment, message, foreign, dataWithheld, timestamp, height, notes },
  };
}

/** What the assignment says, held against the state. */
function fieldsOf(state: LegacyAuditState, assignment: DataItem, slot: number) {
  if (assignment.signer !== state.scheduler)
    refuse('signer', slot, 'the scheduler of the process has not signed the assignment', {
      signer: assignment.signer,
      scheduler: state.scheduler,
    });
  const names = assignment.tags.map(({ name }) => String(name));
  if (!TAGS.every((name, index) => names[index] === name))
    refuse('form', slot, 'the assignment has other tags than assignments have', { tags: names });
  const rest = names.slice(TAGS.length);
  if (!rest.every((name, index) => name === 'Exclude' || (name === 'Message' && index === 0)))
    refuse('form', slot, 'the assignment has tags that no assignment has', { tags: names });
  const field = (name: string) => tagText(assignment, name) ?? '';
  if (field('Type') !== 'Assignment') refuse('type', slot, 'the item is no assignment');
  if (field('Variant') !== 'ao.TN.1' || field('Data-Protocol') !== 'ao')
    refuse('variant', slot, 'the assignment is of another protocol variant');
  if (field('Process') !== state.process)
    refuse('wrong-process', slot, 'the assignment belongs to another process', { process: field('Process') });
  const number = (name: string): number => {
    const text = field(name);
    return /^\d{1,15}$/.test(text) ? Number(text) : refuse('form', slot, `${name} is no number`, { text });
  };
  const nonce = number('Nonce');
  if (nonce !== slot) refuse('slot', slot, `the assignment is for slot ${nonce}`, { got: nonce });
  const epoch = number('Epoch');
  if (slot > 0 && epoch !== state.epoch) refuse('epoch', slot, 'the assignment is of another epoch');
  const hashChain = field('Hash-Chain');
  if (!/^[A-Za-z0-9_-]{43}$/.test(hashChain) && (state.chained || hashChain === ''))
    refuse('chain', slot, 'the assignment carries no hash');
  return {
    epoch,
    hashChain,
    height: number('Block-Height'),
    timestamp: number('Timestamp'),
    named: tagText(assignment, 'Message'),
    exclude: assignment.tags.filter(({ name }) => name === 'Exclude').map(({ value }) => String(value)),
  };
}

/** The message that the page shows, held against what was assigned. */
function ownMessage(
  state: LegacyAuditState,
  slot: number,
  item: DataItem,
  named: string | undefined,
): DataItem {
  if (named !== undefined && named !== item.idText)
    refuse('body', slot, 'the page shows another message than the one that was assigned', {
      named,
      shown: item.idText,
    });
  const target = item.target.length ? toBase64Url(item.target) : undefined;
  if (target !== state.process && item.idText !== state.process)
    refuse('body', slot, 'the message is for another process, and yet shown as one for this', { target });
  return item;
}

/** A message that the page only names: one that was sent to somebody else. */
async function foreignMessage(slot: number, named: string | undefined, load: LegacyLoad): Promise<DataItem> {
  if (named === undefined) return refuse('body', slot, 'no message was assigned');
  const item = await load.item(named);
  if (item.idText !== named) refuse('body', slot, 'another message came than the one that was assigned');
  return item;
}

/** A refusal of an item as one of the slot that it stands in. */
async function inSlot<T>(slot: number, rule: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    const error = AoError.wrap(thrown);
    if (!error.code.startsWith('item-')) throw thrown;
    const code = error.code === 'item-too-large' ? 'too-large' : `${rule}-${error.code.slice(5)}`;
    return refuse(code, slot, error.message, error.detail);
  }
}
