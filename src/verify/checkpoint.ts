/**
 * Checkpoints (attestation.md §4.8): a state after a slot with the memory of its machine, named by the ID of a signed
 * statement that binds both. It is a claim of who signed it; who starts from one trusts that signer for every slot
 * before it, and the report says so.
 *
 * A file is gzip over JSON: the statement, the text of state and memory, and the pages of the memory.
 */
import { fromBase64, fromBytes, toBase64Url, toBytes } from '../base/bytes.ts';
import { cloneToJson, jsonToClone } from '../base/clone-json.ts';
import { AoError } from '../base/errors.ts';
import { gunzip, gzip } from '../base/gzip.ts';
import { commitmentDevice } from '../commitment/devices.ts';
import { messageId } from '../commitment/id.ts';
import { committers, withOnlyCommitted } from '../commitment/select.ts';
import { verifyMessage } from '../commitment/verify.ts';
import { sha256 } from '../crypto/hash.ts';
import { Processes } from '../device/processes.ts';
import type { MachineKind } from '../device/process-machine.ts';
import { readAssignments } from '../device/schedule-records.ts';
import { newestSlot, readState } from '../device/slot-records.ts';
import { integerOf, textOf } from '../device/values.ts';
import { PAGE_BYTES } from '../engine/engine.ts';
import { Message } from '../message/message.ts';
import { fromPlain, toPlain, type Plain } from '../message/plain.ts';
import type { Context } from '../resolver/context.ts';
import { SnapshotStore, type Snapshot } from '../store/snapshots.ts';

const TYPE = 'beamlet-checkpoint';
const VARIANT = 'beamlet-checkpoint@1.0';
/** Largest file, unpacked, in bytes. */
const MAX_BYTES = 1024 * 1024 * 1024;

export interface Checkpoint {
  /** ID of the statement over its signatures: what users and reports call the checkpoint by. */
  readonly id: string;
  readonly process: string;
  readonly slot: number;
  /** `hash-chain` of that slot: which schedule it belongs to. */
  readonly hashChain: string;
  /** Addresses whose signatures on the statement verify; at least one. */
  readonly signers: readonly string[];
  readonly state: Message;
  /** What has to run for the next slot; undefined where the state is all there is. */
  readonly machine: MachineKind | undefined;
  readonly memory: Memory | undefined;
}

/** A machine's memory without its zero pages. */
export interface Memory {
  readonly snapshot: Snapshot;
  /** By hash; empty where only the names of the pages are known. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
}

interface File {
  readonly v: 1;
  readonly type: typeof TYPE;
  readonly statement: unknown;
  /** Text of the state; its SHA-256 is in the statement. */
  readonly state: string;
  /** Text of size, globals, pages by their hashes, and state outside linear memory. */
  readonly memory?: string;
  /** b64u by b64u SHA-256. */
  readonly pages?: Readonly<Record<string, string>>;
}

/**
 * The newest state that is computed here and can be gone on from, signed by this node.
 * @throws AoError `no-process`, `no-slot` (404)
 */
export async function makeCheckpoint(process: string, context: Context): Promise<Uint8Array> {
  const live = await Processes.of(context).find(process, context);
  if (!live) throw new AoError('no-process', 'This process is not here.', { status: 404 });
  // Whatever runs is written down first.
  await live.hibernate(context);
  const found = await standAt(process, Infinity, context);
  if (!found) throw new AoError('no-slot', 'Nothing of this process is computed yet.', { status: 404 });
  const { slot, machine, memory } = found;
  const [assigned] = await readAssignments(context.store, process, slot, slot);
  const state = stateText(found.state);
  const text = memory && memoryText(memory.snapshot);
  const statement = await commitmentDevice('httpsig@1.0')!.commit(
    Message.of({
      type: 'checkpoint',
      variant: VARIANT,
      process,
      slot: BigInt(slot),
      'hash-chain': textOf(assigned?.assignment.get('hash-chain')) ?? '',
      state: hash(state),
      machine: machine ?? 'none',
      ...(text === undefined ? {} : { memory: hash(text) }),
      timestamp: BigInt(context.clock.now()),
    }),
    { type: 'signed' },
    { signer: context.identity, load: (link) => context.cache.load(link) },
  );
  const pages = [...(memory?.bytes ?? [])].map(([name, bytes]) => [name, toBase64Url(bytes)]);
  const file: File = {
    v: 1,
    type: TYPE,
    statement: cloneToJson(toPlain(statement)),
    state,
    ...(text === undefined ? {} : { memory: text, pages: Object.fromEntries(pages) as File['pages'] & {} }),
  };
  return gzip(toBytes(JSON.stringify(file)));
}

/**
 * Reads a file and checks that the statement is signed and that state and memory are what it names.
 * @throws AoError `bad-checkpoint` (422)
 */
export async function readCheckpoint(bytes: Uint8Array): Promise<Checkpoint> {
  const file = await fileOf(bytes);
  const plain = attempt(() => fromPlain(jsonToClone(file.statement) as Plain));
  if (!(plain instanceof Message)) throw bad('holds no statement');
  if (committers(plain).length === 0 || !(await verifyMessage(plain).catch(() => false)))
    throw bad('is not signed, or its signature does not verify');
  const statement = withOnlyCommitted(plain);
  const text = (key: string) => textOf(statement.get(key)) ?? '';
  const slot = integerOf(statement.get('slot'));
  if (text('type') !== 'checkpoint' || text('variant') !== VARIANT || slot === undefined || slot < 0)
    throw bad('is signed, but as something else');
  if (hash(file.state) !== text('state')) throw bad('holds another state than was signed');
  const state = attempt(() => fromPlain(jsonToClone(JSON.parse(file.state)) as Plain));
  if (!(state instanceof Message)) throw bad('holds a state that is no message');
  const machine = text('machine');
  if (machine !== 'wasm' && machine !== 'lua' && machine !== 'none')
    throw bad('needs a machine that is not known');
  return {
    id: messageId(plain, 'signed'),
    process: text('process'),
    slot,
    hashChain: text('hash-chain'),
    signers: committers(statement),
    state,
    machine: machine === 'none' ? undefined : machine,
    memory: machine === 'none' ? undefined : memoryOf(file, text('memory')),
  };
}

/** Lays a checkpoint into a store, so that a process there goes on from it. */
export async function layDown({ process, slot, state, machine, memory }: Checkpoint, context: Context) {
  const plain = toPlain(state);
  const record = { base: slot, state: plain, took: 0, at: context.clock.now() };
  if (memory) await SnapshotStore.of(context.store).write(process, slot, memory.snapshot, memory.bytes);
  await context.store.write([
    { table: 'slots', key: [process, slot], value: machine ? { ...record, machine } : record },
  ]);
}

/** A state and its memory as they stand in a store, at the newest slot up to `limit` that can be gone on from. */
export async function standAt(
  process: string,
  limit: number,
  context: Context,
): Promise<Pick<Checkpoint, 'slot' | 'state' | 'machine' | 'memory'> | undefined> {
  const newest = await newestSlot(context.store, process, limit);
  const stored = newest < 0 ? undefined : await readState(context.store, process, newest);
  if (stored && !stored.record.machine)
    return { slot: newest, state: stored.state, machine: undefined, memory: undefined };
  const snapshots = SnapshotStore.of(context.store);
  const found = await snapshots.latest(process, limit);
  if (!found) return undefined;
  const at = await readState(context.store, process, found.slot);
  if (!at?.record.machine) return undefined;
  const image = await snapshots.image(found.snapshot);
  const names = found.snapshot.pages;
  const bytes = new Map(image.pages.map((page) => [names.get(page.index)!, page.bytes]));
  return {
    slot: found.slot,
    state: at.state,
    machine: at.record.machine,
    memory: { snapshot: found.snapshot, bytes },
  };
}

/** Text of a state; equal states have equal texts. */
export function stateText(state: Message): string {
  return JSON.stringify(cloneToJson(toPlain(state)));
}

/** Text of a memory: size, globals, pages by name, and what is outside linear memory. */
export function memoryText({ byteLength, globals, pages, extra }: Snapshot): string {
  const sorted = <T>(entries: Iterable<[T, string]>) => [...entries].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  const rows = { byteLength, globals: sorted(Object.entries(globals)), pages: sorted(pages), extra };
  return JSON.stringify(cloneToJson(rows));
}

function memoryOf({ memory, pages = {} }: File, signed: string): Memory {
  if (memory === undefined || hash(memory) !== signed) throw bad('holds another memory than was signed');
  const rows = attempt(() => jsonToClone(JSON.parse(memory))) as {
    byteLength?: unknown;
    globals?: unknown;
    pages?: unknown;
    extra?: unknown;
  };
  if (!Number.isSafeInteger(rows.byteLength) || !Array.isArray(rows.globals) || !Array.isArray(rows.pages))
    throw bad('holds a memory that is not whole');
  const named = new Map(rows.pages as [number, string][]);
  const bytes = new Map<string, Uint8Array>();
  for (const name of new Set(named.values())) {
    const page = fromBase64(pages[name] ?? '');
    if (page.length !== PAGE_BYTES || toBase64Url(sha256(page)) !== name)
      throw bad('lacks a page of the memory, or holds another');
    bytes.set(name, page);
  }
  const globals = Object.fromEntries(rows.globals as [string, string][]);
  const bare = { byteLength: rows.byteLength as number, globals, pages: named, taken: 0 };
  return { snapshot: rows.extra === undefined ? bare : { ...bare, extra: rows.extra }, bytes };
}

async function fileOf(bytes: Uint8Array): Promise<File> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(fromBytes(await gunzip(bytes, MAX_BYTES)));
  } catch {
    throw bad('cannot be read');
  }
  const file = parsed as File | null;
  if (typeof file !== 'object' || file?.v !== 1 || file.type !== TYPE || typeof file.state !== 'string')
    throw bad('is no checkpoint of a form that is known');
  return file;
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw bad('is damaged');
  }
}

const hash = (text: string) => toBase64Url(sha256(toBytes(text)));

function bad(what: string): AoError {
  return new AoError('bad-checkpoint', `The checkpoint ${what}.`, { status: 422 });
}
