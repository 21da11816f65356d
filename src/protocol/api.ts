/**
 * Everything that crosses between a page and the node: plain, structured-cloneable data.
 * Every room above may import these types; nothing here knows the node or the page.
 */
import type { FollowApi } from './following.ts';
import type { EncodedMessage, MessageReport, TreeNode } from './message.ts';
import type {
  DryRunOptions,
  DryRunResult,
  ForkOptions,
  ModuleReport,
  PreparedSpawn,
  ProcessSummary,
  SampleInfo,
  SendOptions,
  SendResult,
  SlotDetail,
  SlotSummary,
  SpawnOptions,
} from './process.ts';
import type {
  EvidenceInfo,
  EvidenceVerdict,
  VerifiableSample,
  Verification,
  VerifyRequest,
} from './verification.ts';

export type * from './following.ts';
export type * from './message.ts';
export type * from './process.ts';
export type * from './verification.ts';

export interface HttpExchange {
  method: string;
  /** Path and query as typed: not re-encoded. */
  target: string;
  headers: [string, string][];
  body: Uint8Array;
  /**
   * A request that is made again with the same key schedules its message once. Whoever makes it again by hand gives
   * one; the library, the Service Worker and the bridge have their own.
   */
  once?: string;
}

export interface HttpAnswer {
  status: number;
  headers: [string, string][];
  body: Uint8Array;
}

export interface NodeInfo {
  /** b64u address of the node's key. */
  address: string;
  version: string;
  /** Where state lives: `indexeddb`, or `memory` when the browser offers none. */
  storage: 'indexeddb' | 'memory';
  /** When it was found that the browser had lost all that was stored here, in milliseconds since 1970. */
  lost?: number;
  /** Bytes, from the browser's estimate. */
  usage: number;
  quota: number;
  persisted: boolean;
  liveProcesses: number;
  /** This tab runs the node; false: another tab does and this one talks to it. */
  leader: boolean;
  /** The browser runs memory64 modules. */
  memory64: boolean;
  startedAt: number;
}

export interface TraceStep {
  device: string;
  key: string;
  cached: boolean;
  took: number;
  status: string;
  hashpath?: string;
}

export interface StorageReport {
  usage: number;
  quota: number;
  persisted: boolean;
  /** Bytes that `freeStorage` gives back at least. */
  reclaimable: number;
  processes: { id: string; name: string; bytes: number; pages: number; slots: number }[];
}

export type NodeEventData =
  | { type: 'process'; id: string }
  | { type: 'followed'; id: string }
  | { type: 'slot'; id: string; slot: number; ok: boolean }
  | { type: 'verification'; id: string }
  | { type: 'node' }
  | { type: 'notice'; text: string; level: 'info' | 'warning' | 'error' };

/** The node as a page sees it; the same whether it runs in this tab or another. Refusals are `AoError`s. */
export interface NodeApi extends FollowApi {
  info(): Promise<NodeInfo>;
  /** Any AO path, as the Service Worker would answer it. */
  request(exchange: HttpExchange): Promise<HttpAnswer>;
  /** The same with a trace of every resolution step. */
  trace(exchange: HttpExchange): Promise<{ answer: HttpAnswer; steps: TraceStep[] }>;
  samples(): Promise<SampleInfo[]>;
  inspectModule(bytes: Uint8Array): Promise<ModuleReport>;
  spawn(options: SpawnOptions): Promise<ProcessSummary>;
  /** What a wallet has to sign so that a process is its own; `spawnSigned` takes the signed item. */
  prepareSpawn(options: SpawnOptions): Promise<PreparedSpawn>;
  spawnSigned(item: Uint8Array, view: { kind: string; name?: string }): Promise<ProcessSummary>;
  /**
   * A copy of a process up to a slot, as a new process of this node: the same program, to which the same messages are
   * assigned again and computed here. What this node signed it signs anew for the copy; messages of others stay
   * addressed to the original, which some programs refuse.
   */
  fork(process: string, options?: ForkOptions): Promise<ProcessSummary>;
  send(process: string, message: SendOptions): Promise<SendResult>;
  /** Schedules a data item that a wallet signed, as it is. The same item again keeps its slot. */
  sendSigned(process: string, item: Uint8Array, options?: { compute?: boolean }): Promise<SendResult>;
  /**
   * Evaluates a message on a copy of a legacynet process and throws the copy away: neither process nor schedule change.
   * Nothing is signed; `owner` is who the message says it is from (default: this node).
   */
  dryrun(process: string, message: DryRunOptions): Promise<DryRunResult>;
  processes(): Promise<ProcessSummary[]>;
  process(id: string): Promise<ProcessSummary>;
  /** Newest first. `before` is exclusive. */
  slots(process: string, range?: { before?: number; limit?: number }): Promise<SlotSummary[]>;
  slot(process: string, slot: number): Promise<SlotDetail>;
  /** State after a slot (default: newest computed), at a path inside it, `depth` levels deep (default 1). */
  state(process: string, options?: { slot?: number; path?: string; depth?: number }): Promise<TreeNode>;
  /** Computes up to the newest slot; used to retry after a failure. */
  compute(process: string): Promise<ProcessSummary>;
  /** Stops what the process is computing now. */
  stop(process: string): Promise<void>;
  rename(process: string, name: string): Promise<void>;
  exportProcess(id: string): Promise<Uint8Array>;
  /** The newest state of a process that this node computed, signed by this node, for others to start a replay from. */
  exportCheckpoint(process: string): Promise<Uint8Array>;
  importProcess(file: Uint8Array): Promise<ProcessSummary>;
  removeProcess(id: string): Promise<void>;
  /** A stored message, its commitments checked. */
  message(id: string): Promise<MessageReport>;
  /** The bytes of a stored message in one of its report's codecs, nested messages whole. */
  encode(id: string, codec: string): Promise<EncodedMessage>;
  /** Starts a verification; it goes on in the node, and `verifications` tells how far it is. */
  startVerification(request: VerifyRequest): Promise<Verification>;
  verifications(): Promise<Verification[]>;
  pauseVerification(id: string): Promise<void>;
  /** Goes on, or verifies again: only what is new since then costs anything. */
  resumeVerification(id: string): Promise<void>;
  removeVerification(id: string): Promise<void>;
  /** The report as a message signed by this node, in JSON. */
  exportReport(id: string): Promise<Uint8Array>;
  /** A piece of evidence as a file that anybody can check. */
  evidence(id: string): Promise<Uint8Array>;
  /**
   * Loads a module of this origin and registers the device that it makes (docs/writing-a-device.md); answers the
   * device's name. Pages use `node.devices`, which also registers it anew when the node moves to another tab.
   */
  registerDevice(url: string): Promise<string>;
  /** Names of all devices that the node has. */
  deviceNames(): Promise<string[]>;
  storage(): Promise<StorageReport>;
  /** Removes what can be computed again: kept results, old snapshots, old states. Answers what is there then. */
  freeStorage(): Promise<StorageReport>;
  persist(): Promise<boolean>;
  /** Recorded processes that ship, an honest one and one that lies. */
  verifiableSamples(): Promise<VerifiableSample[]>;
  /** Every contradiction that was kept, newest first. */
  evidenceList(): Promise<EvidenceInfo[]>;
  /** Checks an evidence file, offline. */
  checkEvidence(file: string): Promise<EvidenceVerdict>;
}
