/**
 * Checkpoints that compute units published on Arweave (attestation.md §4.8): found, and used only where the user trusts
 * who signed them. A process is begun from the last but one of them and replayed to the newest, so that what was begun
 * from is held against what came out. A checkpoint is a claim by its signer; only replaying tells whether it is true.
 */
import { fromBase64, toBase64Url, toHex } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { createHasher, sha256, sha256Async } from '../../crypto/hash.ts';
import { MEMORY_CEILING } from '../../device/limits.ts';
import { firstState, withLinksLoaded } from '../../device/process-definition.ts';
import { Processes } from '../../device/processes.ts';
import { Schedules } from '../../device/schedules.ts';
import { recordOf, writesOf } from '../../device/slot-records.ts';
import { integerOf, textOf } from '../../device/values.ts';
import { instanceOf } from '../../device/wasm-instance.ts';
import { PAGE_BYTES, type MemoryImage } from '../../engine/engine.ts';
import { PageHashes } from '../../engine/page-hashes.ts';
import type { CheckpointInfo, CheckpointUse } from '../../protocol/api.ts';
import type { Context } from '../../resolver/context.ts';
import { SnapshotStore } from '../../store/snapshots.ts';
import { checked, type GatewayClient, type GatewayNode } from './gateway-client.ts';

const PLAN = 'legacynet-checkpoints';
/** Largest item of a checkpoint, in bytes. */
const MAX_ITEM = 512 * 1024 * 1024;
const ZERO = new Uint8Array(PAGE_BYTES);

interface Found extends CheckpointInfo {
  readonly node: GatewayNode;
}

/** What a process is begun from, and what it is held against on the way. */
interface Plan {
  readonly start: CheckpointInfo;
  /** The next one by a trusted signer, if there is one. */
  readonly mark?: CheckpointInfo;
  /** Everything that is needed to check the items again. */
  readonly nodes: Readonly<Record<string, GatewayNode>>;
}

function tagsOf(node: GatewayNode): (name: string) => string | undefined {
  const tags = Array.isArray(node.tags) ? (node.tags as { name?: unknown; value?: unknown }[]) : [];
  return (name) => {
    const value = tags.find((tag) => tag?.name === name)?.value;
    return typeof value === 'string' ? value : undefined;
  };
}

/** A checkpoint as its tags say; undefined for what is none of this process. */
function infoOf(node: GatewayNode, process: string, module: string | undefined): CheckpointInfo | undefined {
  const tag = tagsOf(node);
  const nonce = Number(tag('Nonce'));
  const hash = tag('SHA-256')?.toLowerCase();
  const key = node.owner?.key;
  const good =
    tag('Type') === 'Checkpoint' &&
    tag('Process') === process &&
    (module === undefined || tag('Module') === module) &&
    Number.isSafeInteger(nonce) &&
    nonce >= 0 &&
    /^[0-9a-f]{64}$/.test(hash ?? '') &&
    typeof node.id === 'string' &&
    typeof key === 'string';
  if (!good) return undefined;
  let signer: string;
  try {
    // The address that the gateway shows beside the key is not believed.
    signer = toBase64Url(sha256(fromBase64(key)));
  } catch {
    return undefined;
  }
  const timestamp = Number(tag('Timestamp'));
  return {
    id: node.id as string,
    signer,
    nonce,
    timestamp: Number.isFinite(timestamp) ? timestamp : 0,
    hash: hash!,
    confidence: 'one-owner',
  };
}

/** Checkpoints of a process that a gateway knows, newest nonce first, as they say: items are checked when used. */
export async function findCheckpoints(
  process: string,
  trust: readonly string[] | undefined,
  gateway: GatewayClient,
  context: Context,
): Promise<Found[]> {
  const module = (await Processes.of(context).definition(process, context))?.text('module');
  const nodes = await gateway.checkpoints(process, trust);
  const found = nodes.flatMap((node) => {
    const info = infoOf(node, process, module);
    return info && (!trust?.length || trust.includes(info.signer)) ? [{ ...info, node }] : [];
  });
  const same = (one: CheckpointInfo) =>
    new Set(
      found.filter(({ nonce, hash }) => nonce === one.nonce && hash === one.hash).map(({ signer }) => signer),
    );
  return found
    .map((one): Found => (same(one).size > 1 ? { ...one, confidence: 'k-owners' } : one))
    .sort((a, b) => b.nonce - a.nonce || b.timestamp - a.timestamp);
}

/**
 * Decides, once for a process, what to begin from. Undefined where nobody who is trusted has published anything.
 * @throws AoError those of the gateway
 */
export async function planCheckpoints(
  process: string,
  trust: readonly string[],
  gateway: GatewayClient,
  context: Context,
): Promise<CheckpointInfo | undefined> {
  const found = await findCheckpoints(process, trust, gateway, context);
  const newest = found[0];
  if (!newest) return undefined;
  const before = found.find(({ nonce }) => nonce < newest.nonce);
  const start = before ?? newest;
  const nodes = Object.fromEntries([start, newest].map(({ id, node }) => [id, node]));
  const plan: Plan = { start: bare(start), ...(before ? { mark: bare(newest) } : {}), nodes };
  await context.store.write([{ table: 'node', key: [PLAN, process], value: plan }]);
  return plan.start;
}

function bare({ id, signer, nonce, timestamp, hash, confidence }: CheckpointInfo): CheckpointInfo {
  return { id, signer, nonce, timestamp, hash, confidence };
}

function planOf(process: string, context: Context): Promise<Plan | undefined> {
  return context.store.get<Plan>('node', [PLAN, process]);
}

/**
 * Makes the planned checkpoint the process's newest state, as if it had been computed. The schedule is audited up to it.
 * @throws AoError `checkpoint-hash`, `checkpoint-schedule` (422), those of items and of the gateway
 */
export async function beginFromCheckpoint(
  process: string,
  gateway: GatewayClient,
  context: Context,
): Promise<CheckpointUse | undefined> {
  const plan = await planOf(process, context);
  if (!plan) return undefined;
  const { start, nodes } = plan;
  await fitsSchedule(process, start, nodes[start.id]!, context);
  const memory = await memoryOf(start, nodes[start.id]!, gateway);
  const live = await Processes.of(context).find(process, context);
  if (!live) throw new AoError('no-process', 'The process is not here.', { status: 404 });
  const definition = await withLinksLoaded(await live.process(context), context);
  const state = firstState(definition).with({
    initialized: 'true',
    device: 'process@1.0',
    'at-slot': BigInt(start.nonce),
  });
  const taken = context.clock.now();
  await live.stop();
  const snapshot = { byteLength: memory.byteLength, pages: memory.pages, globals: {}, taken };
  await SnapshotStore.of(context.store).write(process, start.nonce, snapshot, memory.bytes);
  const record = recordOf(start.nonce, state, { took: 0, at: taken, machine: 'wasm' }, undefined);
  await context.store.write(writesOf(process, [{ slot: start.nonce, record }]), { durable: true });
  return { ...start, checked: [] };
}

/** Slot at which what is computed is to be held against a checkpoint; undefined where none is ahead. */
export async function nextMark(process: string, slot: number, context: Context): Promise<number | undefined> {
  const nonce = (await planOf(process, context))?.mark?.nonce;
  return nonce !== undefined && nonce > slot ? nonce : undefined;
}

/** Holds the memory after the marked slot, which is the newest that is computed, against its checkpoint. */
export async function compareMark(
  process: string,
  used: CheckpointUse,
  gateway: GatewayClient,
  context: Context,
): Promise<CheckpointUse> {
  const plan = await planOf(process, context);
  if (!plan?.mark) return used;
  const { mark, nodes, start } = plan;
  await fitsSchedule(process, mark, nodes[mark.id]!, context);
  // That its signer says so is what is compared with; what it holds is not needed.
  await itemOf(mark, nodes[mark.id]!, gateway);
  const same = (await memoryHash(process, context)) === mark.hash;
  const confidence = same && used.confidence === 'one-owner' ? 'replay-sampled' : used.confidence;
  return { ...used, confidence, checked: [...used.checked, { from: start.nonce, to: mark.nonce, same }] };
}

/** Hexadecimal SHA-256 of the memory of a process as it stands. */
export async function memoryHash(process: string, context: Context): Promise<string> {
  const live = await Processes.of(context).find(process, context);
  if (!live) throw new AoError('no-process', 'The process is not here.', { status: 404 });
  return live.withLiveState(context, async (state) => {
    const instance = instanceOf(state);
    if (!instance) throw new AoError('engine-closed', 'There is no machine to look into.', { status: 503 });
    return hashOf(await instance.engine.image());
  });
}

function hashOf({ byteLength, pages }: MemoryImage): string {
  const hasher = createHasher('sha256');
  const byIndex = new Map(pages.map(({ index, bytes }) => [index, bytes]));
  for (let index = 0; index < byteLength / PAGE_BYTES; index++) hasher.update(byIndex.get(index) ?? ZERO);
  return toHex(hasher.digest());
}

/** What a checkpoint says of its slot has to be what the audited schedule says. */
async function fitsSchedule(
  process: string,
  { nonce }: CheckpointInfo,
  node: GatewayNode,
  context: Context,
): Promise<void> {
  const [found] = await Schedules.of(context).read(process, nonce, nonce, context);
  const refuse = (what: string) => {
    throw new AoError(
      'checkpoint-schedule',
      `The checkpoint after slot ${nonce} names another ${what} than the schedule.`,
      {
        status: 422,
        detail: { slot: nonce, checkpoint: node.id },
      },
    );
  };
  if (!found) return refuse('slot');
  const tag = tagsOf(node);
  const { assignment, id } = found;
  const said = { chain: tag('Hash-Chain'), assignment: tag('Assignment'), timestamp: tag('Timestamp') };
  if (said.chain !== undefined && said.chain !== textOf(assignment.get('hash-chain'))) refuse('hash');
  if (said.assignment !== undefined && said.assignment !== id) refuse('assignment');
  if (said.timestamp !== undefined && Number(said.timestamp) !== integerOf(assignment.get('timestamp')))
    refuse('time');
}

async function itemOf(info: CheckpointInfo, node: GatewayNode, gateway: GatewayClient) {
  const data = await gateway.data(info.id, MAX_ITEM);
  return checked(node, info.id, 'checkpoint', data, MAX_ITEM);
}

interface Memory {
  readonly byteLength: number;
  readonly pages: PageHashes;
  readonly bytes: Map<string, Uint8Array>;
}

/** The memory that a checkpoint holds, unpacked page by page and never beyond the limit. */
async function memoryOf(info: CheckpointInfo, node: GatewayNode, gateway: GatewayClient): Promise<Memory> {
  const item = await itemOf(info, node, gateway);
  const encoding = tagsOf(node)('Content-Encoding');
  const packed = new Blob([item.data as Uint8Array<ArrayBuffer>]).stream();
  const stream = encoding === 'gzip' ? packed.pipeThrough(new DecompressionStream('gzip')) : packed;
  const hasher = createHasher('sha256');
  const pages = new PageHashes();
  const bytes = new Map<string, Uint8Array>();
  let length = 0;
  let page = new Uint8Array(PAGE_BYTES);
  for await (const part of stream as unknown as AsyncIterable<Uint8Array>) {
    hasher.update(part);
    for (let at = 0; at < part.length;) {
      const within = length % PAGE_BYTES;
      const piece = part.subarray(at, at + PAGE_BYTES - within);
      page.set(piece, within);
      at += piece.length;
      length += piece.length;
      if (length > MEMORY_CEILING)
        throw new AoError(
          'checkpoint-too-large',
          'The checkpoint holds more memory than a process may have.',
          {
            status: 413,
            detail: { checkpoint: info.id },
          },
        );
      if (length % PAGE_BYTES !== 0) continue;
      if (page.some((byte) => byte !== 0)) {
        const hash = toBase64Url(await sha256Async(page));
        pages.set(length / PAGE_BYTES - 1, hash);
        bytes.set(hash, page);
        page = new Uint8Array(PAGE_BYTES);
      }
    }
  }
  if (length % PAGE_BYTES !== 0 || toHex(hasher.digest()) !== info.hash)
    throw new AoError(
      'checkpoint-hash',
      'The checkpoint does not hold the memory that its signer says it holds.',
      {
        status: 422,
        detail: { checkpoint: info.id, hash: info.hash },
      },
    );
  return { byteLength: length, pages, bytes };
}
