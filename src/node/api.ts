/** The node as pages call it: `NodeApi` of `protocol/api.ts`, over one node. */
import { AoError } from '../base/errors.ts';
import { messageId } from '../commitment/id.ts';
import { knownProcesses, readAssignments, readHead } from '../device/schedule-records.ts';
import { newestSlot, readState } from '../device/slot-records.ts';
import { callDevice } from '../device/direct.ts';
import { Processes } from '../device/processes.ts';
import { ALSO_WRITE } from '../device/scheduler.ts';
import { Schedules, type AlsoWrite } from '../device/schedules.ts';
import { hasMemory64 } from '../engine/webassembly.ts';
import { Message } from '../message/message.ts';
import { Link, type Value } from '../message/value.ts';
import type {
  ForkOptions,
  HttpAnswer,
  HttpExchange,
  NodeApi,
  NodeEventData,
  NodeInfo,
  ProcessSummary,
  SendOptions,
  SendResult,
  SpawnOptions,
  TraceStep,
} from '../protocol/api.ts';
import { portable } from '../protocol/body.ts';
import type { Result } from '../resolver/device.ts';
import type { NodeEvent } from '../resolver/context.ts';
import type { Node } from './node.ts';
import { dryRunOn } from './legacynet/dry-run.ts';
import { registerModule } from './device-module.ts';
import { encodeStored, messageReport } from './message-view.ts';
import { Once } from '../device/once.ts';
import { forkProcess } from './fork.ts';
import { exportProcess, importProcess } from './process-file.ts';
import { removeProcess } from './process-removal.ts';
import { verifiableSamples } from './sample-peer.ts';
import { Samples } from './samples.ts';
import { signMessage } from './sign-message.ts';
import { prepareSpawn, takeDefinition, takeMessage } from './signed-items.ts';
import { checkedTags, defineProcess, reportModule } from './spawn.ts';
import { freeStorage, storageReport } from './storage.ts';
import { toTree } from './tree.ts';
import { Followings } from './legacynet/followings.ts';
import { Verifications } from './verifications.ts';
import { checkEvidence } from '../verify/check-evidence.ts';
import { makeCheckpoint } from '../verify/checkpoint.ts';
import { parseEvidence } from '../verify/evidence.ts';
import { requireHead, slotDetail, slotResult, slotSummaries, summary, type ViewKeys } from './view.ts';

export interface ServiceOptions {
  readonly storage: 'indexeddb' | 'memory';
  /** When the browser lost what was stored before, in milliseconds since 1970. */
  readonly lost?: number;
  /** URL of the list of downloaded modules. */
  readonly modules: string;
}

/** What the node worker exposes: the API, and what its own client needs beside it. */
export interface NodeService extends Omit<NodeApi, 'spawn' | 'fork' | 'send'> {
  spawn(options: SpawnOptions, once?: string): Promise<ProcessSummary>;
  fork(process: string, options?: ForkOptions, once?: string): Promise<ProcessSummary>;
  send(process: string, message: SendOptions, once?: string): Promise<SendResult>;
  subscribe(listener: (event: NodeEventData) => void): Promise<void>;
  ping(): Promise<true>;
}

/** Largest data of one message, in bytes. */
const MAX_DATA = 16 * 1024 * 1024;
/** What signature, owner and tags of a data item may have on top of its data, in bytes. */
const MAX_TAG_BYTES = 64 * 1024;

export function nodeApi(node: Node, options: ServiceOptions): NodeService {
  const { context, store } = node;
  const samples = new Samples(options.modules);
  const verifications = new Verifications(context);
  const followings = new Followings(context);
  const startedAt = Date.now();
  const live = Processes.of(context);
  const calls = Once.of(context);

  const addView = (id: string, keys: ViewKeys) => Schedules.of(context).annotate(id, { ...keys }, context);

  return {
    ping: async () => true,

    async subscribe(listener) {
      node.listen((event) => {
        const data = toEventData(event);
        if (data) listener(data);
      });
    },

    async info(): Promise<NodeInfo> {
      const estimate = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
      return {
        address: node.wallet.address,
        version: VERSION,
        storage: options.storage,
        ...(options.lost === undefined ? {} : { lost: options.lost }),
        usage: estimate.usage ?? 0,
        quota: estimate.quota ?? 0,
        persisted: (await globalThis.navigator?.storage?.persisted?.()) ?? false,
        liveProcesses: node.engines.live,
        leader: true,
        memory64: hasMemory64(),
        startedAt,
      };
    },

    async request(exchange) {
      const { status, headers, body } = await node.handle(exchange);
      return portable<HttpAnswer>({ status, headers: headers.map(([name, value]) => [name, value]), body });
    },

    async trace(exchange: HttpExchange) {
      const steps: TraceStep[] = [];
      const { status, headers, body } = await node.handle(exchange, (step) => steps.push({ ...step }));
      return {
        answer: { status, headers: headers.map(([name, value]): [string, string] => [name, value]), body },
        steps,
      };
    },

    samples: () => samples.list(),
    inspectModule: async (bytes) => reportModule(bytes),

    async spawn(spawn, once = crypto.randomUUID()) {
      const known = await calls.processOf(once);
      if (known && (await readHead(store, known))) return summary(known, context);
      const { definition, id, kind } = await defineProcess(spawn, context, samples, once);
      return begin(definition, id, kind, spawn.name, once);
    },
    prepareSpawn: (spawn) => prepareSpawn(spawn, context, samples),
    async spawnSigned(item, { kind, name }) {
      const { definition, id } = await takeDefinition(item, context);
      // The same item again is the same process.
      return (await readHead(store, id)) ? summary(id, context) : begin(definition, id, kind, name, id);
    },

    async fork(process, options = {}, once = crypto.randomUUID()) {
      const copy = await forkProcess(process, options, once, calls, context);
      const { kind } = await summary(process, context);
      await addView(copy, { kind, level: 'replayed', ...(options.name ? { name: options.name } : {}) });
      // Its page shows how far it is; a slot that fails there failed in the original too.
      void computeQuietly(copy, (await requireHead(copy, context)).slot).catch(() => {});
      return summary(copy, context);
    },

    async send(process, message, once = crypto.randomUUID()) {
      await requireHead(process, context);
      const data = message.data ?? '';
      if (data.length > MAX_DATA) throw tooLarge();
      const sent = (await sentBefore(process, once)) ?? (await schedule(process, message, once));
      return message.compute === false ? sent : withResult(process, sent);
    },
    async sendSigned(process, item, { compute = true } = {}) {
      await requireHead(process, context);
      if (item.length > MAX_DATA + MAX_TAG_BYTES) throw tooLarge();
      const { body, id } = await takeMessage(process, item, context);
      const sent = (await sentBefore(process, id)) ?? { slot: await assign(process, body, id), id };
      return compute ? withResult(process, sent) : sent;
    },

    dryrun(process, { action, data = '', tags = {}, owner = node.wallet.address }) {
      const named = Object.entries({ ...tags, ...(action ? { Action: action } : {}) });
      const Tags = named.map(([name, value]) => ({ name, value }));
      return dryRunOn(process, { Owner: owner, Data: data, Tags }, context);
    },

    async processes() {
      const ids = await knownProcesses(store);
      const all = await Promise.all(ids.map((id) => summary(id, context)));
      return all.sort((a, b) => b.lastActivity - a.lastActivity);
    },
    process: (id) => summary(id, context),
    slots: (process, range = {}) => slotSummaries(process, range, context),
    slot: (process, slot) => slotDetail(process, slot, context),

    async state(process, { slot, path = '', depth = 1 } = {}) {
      await requireHead(process, context);
      const at = slot ?? (await newestSlot(store, process));
      if (at < 0) throw new AoError('no-slot', 'Nothing of this process is computed yet.', { status: 404 });
      let value: Value = await stateAt(process, at);
      for (const key of path.split('/').filter((part) => part !== '')) value = await child(value, key);
      if (value instanceof Link) value = await context.cache.load(value);
      return toTree(path.split('/').pop() ?? '', value, Math.min(depth, 8), path);
    },

    async compute(process) {
      const head = await requireHead(process, context);
      (await live.find(process, context))?.retry();
      await stateAt(process, head.slot);
      return summary(process, context);
    },

    async stop(process) {
      await live.get(process)?.stop();
    },

    async rename(process, name) {
      await requireHead(process, context);
      await addView(process, { name: name.slice(0, 200) });
    },

    exportProcess: (id) => exportProcess(id, context),
    exportCheckpoint: (id) => makeCheckpoint(id, context),
    async importProcess(file) {
      return summary(await importProcess(file, context), context);
    },
    async removeProcess(id) {
      await followings.stop(id);
      await removeProcess(id, context);
      calls.forget(id);
    },
    startFollowing: (process, options) => followings.start(process, options),
    followed: () => followings.list(),
    pauseFollowing: (process) => followings.pause(process),
    resumeFollowing: (process) => followings.resume(process),
    async stopFollowing(process) {
      await followings.stop(process);
    },
    checkpoints: (process, options) => followings.checkpoints(process, options),
    message: (id) => messageReport(id, context),
    encode: (id, codec) => encodeStored(id, codec, context),
    startVerification: (request) => verifications.start(request),
    verifications: () => verifications.list(),
    pauseVerification: (id) => verifications.pause(id),
    resumeVerification: (id) => verifications.resume(id),
    removeVerification: (id) => verifications.remove(id),
    exportReport: (id) => verifications.exportReport(id),
    evidence: (id) => verifications.evidence(id),
    verifiableSamples: () => verifiableSamples(),
    evidenceList: () => verifications.evidenceList(),
    checkEvidence: async (file) => checkEvidence(parseEvidence(file), context),
    registerDevice: (url) => registerModule(url, context, globalThis.location?.origin ?? ''),
    deviceNames: async () => context.devices.names(),
    storage: () => storageReport(context),
    freeStorage: () => freeStorage(context),
    persist: async () => (await globalThis.navigator?.storage?.persist?.()) ?? false,
  };

  /** Schedules a definition and computes its first slot. */
  async function begin(
    definition: Message,
    id: string,
    kind: string,
    name: string | undefined,
    once: string,
  ): Promise<ProcessSummary> {
    await post(definition, definition, () => calls.spawned(id, once, Date.now()));
    await addView(id, { kind, level: 'replayed', ...(name ? { name } : {}) });
    await computeQuietly(id, 0);
    return summary(id, context);
  }

  async function withResult(process: string, sent: SendResult): Promise<SendResult> {
    const state = await stateAt(process, sent.slot);
    const stored = await readState(store, process, sent.slot);
    return { ...sent, result: slotResult(sent.slot, state.get('results'), stored?.record) };
  }

  async function sentBefore(process: string, once: string): Promise<SendResult | undefined> {
    const slot = await calls.slotOf(process, once);
    const [found] = slot === undefined ? [] : await readAssignments(store, process, slot, slot);
    const body = found?.assignment.message('body');
    return found && body ? { slot: found.slot, id: messageId(body, 'signed') } : undefined;
  }

  async function schedule(process: string, message: SendOptions, once: string): Promise<SendResult> {
    const body = await signMessage(
      Message.of({
        ...checkedTags(message.tags ?? {}),
        ...(message.action ? { action: message.action } : {}),
        ...(message.data === undefined ? {} : { data: message.data }),
        type: 'Message',
        'data-protocol': 'ao',
        variant: 'ao.N.1',
        target: process,
        anchor: once,
      }),
      context,
    );
    return { slot: await assign(process, body, once), id: messageId(body, 'signed') };
  }

  /** The slot that a signed message gets. */
  async function assign(process: string, body: Message, once: string): Promise<number> {
    const definition = await definitionOf(process);
    const assignment = await post(definition, body, (slot) => calls.sent(process, once, slot));
    const slot = Number(assignment.get('slot'));
    await calls.remember(process, once, slot);
    return slot;
  }

  /** Schedules `body`; what `also` gives goes to disk with the assignment. */
  async function post(definition: Message, body: Message, also: AlsoWrite): Promise<Message> {
    const request = Message.of({ path: 'schedule', method: 'POST', body }).withPrivate({
      [ALSO_WRITE]: also,
    });
    const process = definition.with({ device: 'process@1.0' });
    return unwrap(await callDevice('process@1.0', 'schedule', process, request, context)) as Message;
  }

  async function definitionOf(process: string): Promise<Message> {
    const definition = await context.cache.read(process);
    if (!(definition instanceof Message))
      throw new AoError('no-process', `The definition of ${process} is not here.`, { status: 404 });
    return definition;
  }

  async function stateAt(process: string, slot: number): Promise<Message> {
    const request = Message.of({ path: 'compute', slot: BigInt(slot) });
    return unwrap(await context.resolve(await definitionOf(process), request)) as Message;
  }

  /** The first slot of a new process; that it fails is shown on its page, not as a failure of making it. */
  async function computeQuietly(process: string, slot: number): Promise<void> {
    try {
      await stateAt(process, slot);
    } catch (thrown) {
      await addView(process, { trouble: AoError.wrap(thrown).message });
    }
  }

  async function child(value: Value, key: string): Promise<Value> {
    const loaded = value instanceof Link ? await context.cache.load(value) : value;
    const found =
      loaded instanceof Message
        ? loaded.get(key)
        : Array.isArray(loaded)
          ? (loaded as Value[])[Number(key) - 1]
          : undefined;
    if (found === undefined)
      throw new AoError('no-key', `There is nothing at ${key}.`, { status: 404, detail: { key } });
    return found;
  }
}

const VERSION = '0.1.0';

function tooLarge(): AoError {
  return new AoError('message-too-large', `A message may carry ${MAX_DATA / 1024 / 1024} MiB of data.`, {
    status: 413,
  });
}

/** A result's value, or its refusal as an error with the status that it maps to. */
function unwrap(result: Result): Value {
  if (result.status === 'ok' || result.status === 'created') return result.value;
  const { value } = result;
  const message = value instanceof Message ? value : Message.empty;
  const text = (key: string) => message.text(key);
  const status = message.get('status');
  const sentence =
    text('body') ??
    text('message') ??
    text('error') ??
    text('reason') ??
    (typeof value === 'string' ? value : 'The node refused.');
  throw new AoError(text('code') ?? 'refused', sentence, {
    status: typeof status === 'bigint' ? Number(status) : result.status === 'failure' ? 500 : 400,
  });
}

function toEventData(event: NodeEvent): NodeEventData | undefined {
  if (event.type === 'verification') return { type: 'verification', id: String(event['id']) };
  const id = event['process'];
  if (event.type === 'followed') return { type: 'followed', id: String(id) };
  const slot = event['slot'];
  if (typeof id === 'string' && typeof slot === 'number')
    return { type: 'slot', id, slot, ok: event.type !== 'slot-failed' };
  if (typeof id === 'string') return { type: 'process', id };
  return undefined;
}
