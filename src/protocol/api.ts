/**
 * Everything that crosses between a page and the node: plain, structured-cloneable data.
 * Every room above may import these types; nothing here knows the node or the page.
 */

export interface HttpExchange {
  method: string;
  /** Path and query as typed: not re-encoded. */
  target: string;
  headers: [string, string][];
  body: Uint8Array;
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

/** How far a value has been proven (attestation.md §4). */
export type Level = 'claimed' | 'signed' | 'attested' | 'agreed' | 'audited' | 'replayed' | 'contradicted';

export interface ProcessSummary {
  id: string;
  name: string;
  /** `aos`, `wasm64`, `lua`, `legacynet` …: what runs it, in a word. */
  kind: string;
  /** Newest scheduled and newest computed slot; -1 before the first. */
  slot: number;
  computed: number;
  /** Own: this node schedules it. */
  own: boolean;
  level: Level;
  /** Milliseconds since 1970. */
  lastActivity: number;
  /** Set while it cannot go on, in a sentence. */
  trouble?: string;
  /** Bytes on disk that are its alone, where known. */
  bytes?: number;
}

export interface SpawnOptions {
  name?: string;
  /** A sample that ships, the real aos module, or bytes of the user's. */
  module:
    | { type: 'sample'; name: string }
    | { type: 'aos' }
    | { type: 'wasm'; bytes: Uint8Array; fileName?: string }
    | { type: 'lua'; source: string }
    | { type: 'id'; id: string };
  /** Further keys of the process message. */
  tags?: Record<string, string>;
}

export interface ForkOptions {
  /** Last slot that the copy begins with (default: the newest). */
  slot?: number;
  name?: string;
}

export interface SampleInfo {
  name: string;
  title: string;
  about: string;
  kind: 'wasm64' | 'lua' | 'aos';
  /** False with the reason, for example the aos module that was not downloaded. */
  available: boolean;
  reason?: string;
}

export interface SendOptions {
  action?: string;
  data?: string | Uint8Array;
  tags?: Record<string, string>;
  /** Wait until the slot is computed (default true). */
  compute?: boolean;
}

/** What a data item (ANS-104) is made of, before a wallet signs it. */
export interface ItemContent {
  /** 43 characters: whom it is for. */
  target?: string;
  /** 32 characters. */
  anchor?: string;
  tags: { name: string; value: string }[];
  data: string | Uint8Array;
}

/** A new process that waits for its owner's signature. */
export interface PreparedSpawn {
  content: ItemContent;
  kind: string;
}

export interface DryRunOptions {
  action?: string;
  data?: string;
  tags?: Record<string, string>;
  /** Address; default that of this node. */
  owner?: string;
}

/** As a compute unit answers. */
export interface DryRunResult {
  Output?: unknown;
  Messages?: readonly unknown[];
  Spawns?: readonly unknown[];
  Assignments?: readonly unknown[];
  Error?: unknown;
}

export interface SendResult {
  slot: number;
  /** ID of the message that was scheduled. */
  id: string;
  /** Present when computed. */
  result?: SlotResult;
}

export interface OutboxEntry {
  key: string;
  target?: string;
  action?: string;
  /** The whole entry as a tree. */
  tree: TreeNode;
}

export interface SlotResult {
  slot: number;
  ok: boolean;
  /** What the program answered: text with ANSI colours as aos writes it. */
  output: string;
  /** Prompt that the program asks for, where it does. */
  prompt?: string;
  error?: string;
  /** Lines that it printed or that the runtime logged. */
  logs: string[];
  outbox: OutboxEntry[];
  /** Milliseconds that computing took; absent when it came from the store. */
  took?: number;
  divergence?: string[];
}

export interface SlotSummary {
  slot: number;
  id: string;
  action: string;
  from: string;
  timestamp: number;
  computed: boolean;
  ok?: boolean;
  took?: number;
}

export interface SlotDetail extends SlotSummary {
  message: TreeNode;
  assignment: TreeNode;
  result?: SlotResult;
  resultTree?: TreeNode;
}

/** A value as a page shows it. Messages and lists carry children only when asked for (`depth`). */
export interface TreeNode {
  key: string;
  type: 'binary' | 'integer' | 'float' | 'atom' | 'list' | 'message' | 'link';
  /** Text form of a scalar; bytes that are not text as `hex:`. Cut at 64 KiB. */
  text?: string;
  bytes?: number;
  /** Number of entries of a message or list. */
  size?: number;
  /** Path from the tree's root, to ask for children. */
  path: string;
  id?: string;
  children?: TreeNode[];
}

/** One commitment of a message, checked by this node. */
export interface CommitmentReport {
  id: string;
  device: string;
  type: string;
  /** Address of who made it; absent where anybody could have. */
  committer?: string;
  keyid?: string;
  /** Keys that it covers. */
  committed: string[];
  valid: boolean;
  /** Why it is not valid, in a sentence. */
  reason?: string;
  /** False for an HMAC with a key that everybody knows: it names the content and proves nothing. */
  proves: boolean;
}

export interface MessageReport {
  id: string;
  /** The message without its commitments. */
  tree: TreeNode;
  ids: { kind: 'signed' | 'unsigned'; id: string }[];
  commitments: CommitmentReport[];
  /** What `encode` can write it in. */
  codecs: string[];
}

export interface EncodedMessage {
  /** Media type of `body`. */
  type: string;
  body: Uint8Array;
}

export interface ModuleReport {
  kind: string;
  supported: boolean;
  /** The sentence that says why not. */
  reason?: string;
  memoryPages: number;
  size: number;
}

export interface TraceStep {
  device: string;
  key: string;
  cached: boolean;
  took: number;
  status: string;
  hashpath?: string;
}

/** A level that a report may say was reached. */
export type ReachedLevel = Exclude<Level, 'contradicted'>;

/** What the user trusts, and nobody else (docs/verification.md). */
export interface TrustList {
  /** Programs that are trusted to run in a TEE; needed for `attested`. */
  programs?: unknown[];
  /** Addresses of which one has to have signed the answer; empty: any. */
  keys?: string[];
  /** Addresses whose checkpoints may be started from. */
  checkpointSigners?: string[];
  /** Single checkpoints that may be started from, whoever signed them: a name of the user's and the checkpoint's ID. */
  checkpoints?: { name: string; id: string }[];
  /** Roots that an attestation may end in beside AMD's own, as a laboratory with a root of its own needs them. */
  roots?: TrustedRoot[];
}

/** The root certificate of an attestation that is not AMD's. */
export interface TrustedRoot {
  /** What the report calls it. */
  name: string;
  product: 'Milan' | 'Genoa' | 'Turin';
  /** SHA-256 of the certificate's DER, hex. */
  certificate: string;
}

/** What to verify (attestation.md §4). */
export interface VerifyRequest {
  /** `https://host/PID~process@1.0/now/key/…` or `…/compute&slot=N/…`. */
  url: string;
  level: ReachedLevel;
  /** Origins of other nodes, asked the same. */
  peers?: string[];
  /** How many must agree, of all that are asked. */
  k?: number;
  /** A list alone is one of programs. */
  trust?: unknown[] | TrustList;
  /** PEM certificates for the attestation, leaf first, where the node shows none. */
  certificates?: string;
  /**
   * Where computing starts: `own` (default) goes on from what this node computed before, `genesis` computes everything
   * anew, anything else is the name or ID of one of `checkpoints`.
   */
  from?: string;
  /** Checkpoint files, as `exportCheckpoint` makes them: to start from, and as borders of stretches for `sample`. */
  checkpoints?: Uint8Array[];
  /** Computes so many stretches between checkpoints, chosen at random, instead of every slot. */
  sample?: { stretches: number };
}

export interface VerificationProgress {
  phase: 'asking' | 'auditing' | 'computing' | 'comparing';
  done: number;
  total: number;
  /** Steps a second, lately. */
  rate: number;
  /** Milliseconds that this phase still takes at that rate; absent while that is unknown. */
  left?: number;
}

export interface VerificationProblem {
  /** Stable word: `answer-differs`, `audit-chain`, `peer-timeout`, `SNP_DEBUG` … */
  readonly code: string;
  /** A sentence for a person. */
  readonly text: string;
  /** True: it cannot be honest. False: something could not be shown. */
  readonly contradiction: boolean;
  readonly slot?: number;
  /** Text of what the node said and of what is right, where that can be shown in a line. */
  readonly said?: string;
  readonly right?: string;
  /** ID of evidence, for `evidence()`. */
  readonly evidence?: string;
}

/** What was proven, for which slots, by whose keys, and what nobody looked at (attestation.md §4.11). */
export interface VerificationReport {
  readonly url: string;
  readonly process: string;
  /** Path inside the state: `balances/alice`. */
  readonly path: string;
  /**
   * What the node answered there, which is as good as `level` says; of a message its JSON. Absent where there was no
   * answer, or one that is no text or longer than 64 Ki characters.
   */
  readonly answer?: { readonly text: string; readonly form: 'text' | 'json' };
  readonly asked: ReachedLevel;
  /** Highest level whose facts hold; `contradicted` beats all. */
  readonly level: Level;
  readonly reached: readonly ReachedLevel[];
  readonly facts: {
    /** Addresses whose signatures cover the answer. */
    readonly signed?: { readonly by: readonly string[]; readonly covered: readonly string[] };
    readonly attested?: {
      readonly address: string;
      readonly product: string;
      readonly measurement: string;
      readonly program: string;
      /** `full`: key and configuration are bound; `key`: the key alone. */
      readonly bound: 'full' | 'key';
      /** `AMD`, or the name of a root that the user added; reports of older versions lack it. */
      readonly root?: string;
    };
    readonly agreed?: {
      readonly k: number;
      readonly n: number;
      readonly agree: readonly string[];
      readonly differ: readonly string[];
      readonly stale: readonly string[];
    };
    readonly audited?: {
      readonly from: number;
      readonly to: number;
      readonly scheduler: readonly string[];
      readonly restarts: readonly number[];
      readonly notes: readonly { readonly slot: number; readonly code: string; readonly text: string }[];
    };
    readonly replayed?: {
      /** First slot that was computed now; after `to` where all of them were computed before. */
      readonly from: number;
      readonly to: number;
      /** `genesis`, `own` (an earlier computation of this node), or who signed the checkpoint. */
      readonly start: string;
      /** What was compared with the node's state. */
      readonly compared: readonly string[];
      /** The checkpoint that it started from. Slots up to its own rest on who signed it. */
      readonly checkpoint?: { readonly id: string; readonly slot: number; readonly name?: string };
    };
    /** Instead of `replayed`, where stretches chosen at random were computed. */
    readonly sampled?: {
      /** Stretches that there are, and those that were computed. `start`: who says the state before the first slot. */
      readonly stretches: number;
      readonly computed: readonly { readonly from: number; readonly to: number; readonly start: string }[];
      /** Slots that were computed, of how many. */
      readonly slots: number;
      readonly of: number;
      /** How likely it is that a lie in so many of the stretches was missed, 0 to 1. */
      readonly missed: readonly { readonly stretches: number; readonly probability: number }[];
      readonly compared: readonly string[];
    };
  };
  readonly freshness:
    | {
        /** Newest slot that anybody showed to exist. */
        readonly head: number;
        /** Slot that the answer is about. */
        readonly slot: number;
        /** Milliseconds since the newest assignment was made, by this computer's clock. */
        readonly age: number | undefined;
      }
    | undefined;
  /** What nobody looked at, in sentences. */
  readonly notChecked: readonly string[];
  readonly problems: readonly VerificationProblem[];
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly cost: { readonly milliseconds: number; readonly bytes: number };
}

export interface Verification {
  id: string;
  request: VerifyRequest;
  state: 'running' | 'paused' | 'done' | 'failed';
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt?: number;
  progress?: VerificationProgress;
  report?: VerificationReport;
  /** ID of the report as a message that this node has signed: it answers at that path. */
  reportId?: string;
  /** Why it could not be made at all. */
  error?: { code: string; message: string };
}

export interface StorageReport {
  usage: number;
  quota: number;
  persisted: boolean;
  /** Bytes that `freeStorage` gives back at least. */
  reclaimable: number;
  processes: { id: string; name: string; bytes: number; pages: number; slots: number }[];
}

/** Something to verify that ships with the app and needs no network. */
export interface VerifiableSample {
  title: string;
  about: string;
  url: string;
}

export interface EvidenceInfo {
  id: string;
  kind: string;
  process: string;
  slot: number;
  createdAt: number;
  said?: string;
  right?: string;
  /** Whom it holds to it: `signer`, or `nobody` where what was said is unsigned and shows only that somebody said it. */
  against?: 'signer' | 'nobody';
}

export interface EvidenceVerdict {
  /** The file proves what it says. */
  proves: boolean;
  kind: string;
  /** What was found, in sentences. */
  findings: string[];
  /** Whom it holds to it: `nobody` where what was said is unsigned. */
  against?: 'signer' | 'nobody';
}

/** How to run a legacynet process that another scheduler orders. */
export interface FollowOptions {
  /** URL of the gateway that knows its items (default: the node's option `gateway`, else Arweave's own). */
  gateway?: string;
  /** URL of its scheduler unit (default: found through the gateway). */
  scheduler?: string;
  /** Whose checkpoints may be begun from: addresses. Without any, everything is computed from the first message. */
  trust?: string[];
  /**
   * Send on what its results ask for: `here` gives messages for processes of this node their slots; a URL is that of a
   * messenger unit. Only for a process whose results nobody else pushes; default: nothing is sent.
   */
  push?: 'here' | (string & {});
  /**
   * Hold the results against those of a compute unit, given by its URL: of every message, or of every `every`th. A
   * result that differs ends it (`result-differs`), with evidence of what the unit said.
   */
  compare?: { url: string; every?: number };
}

/** What a compute unit was asked, and what it answered otherwise than this node. */
export interface UnitComparison {
  /** Slots up to this one are done; -1 before the first. */
  through: number;
  /** Results that were the same. */
  same: number;
  /** Why the unit could not be asked the last time. */
  error?: string;
  /** `path` inside the result; `evidence`: ID of what was kept. */
  difference?: { slot: number; path: string; said: string; right: string; evidence?: string };
}

/** A checkpoint of a process's memory that somebody has published. */
export interface CheckpointInfo {
  /** ID of its item. */
  id: string;
  /** Address of who signed it. */
  signer: string;
  nonce: number;
  /** Milliseconds since 1970. */
  timestamp: number;
  /** SHA-256 of the memory in hexadecimal, as its signer says. */
  hash: string;
  /** `own`: this node replayed to it and got the same memory. */
  confidence: 'own' | 'replay-sampled' | 'k-owners' | 'one-owner';
}

/** What became of the checkpoint that a process was begun from. */
export interface CheckpointUse extends CheckpointInfo {
  /** Slots that were replayed from an earlier one to the next, with what came out. */
  checked: { from: number; to: number; same: boolean }[];
}

/** A legacynet process that another scheduler orders, as it is run here. */
export interface Followed {
  /** Process ID. */
  id: string;
  options: FollowOptions;
  /** `waiting`: at the newest message, looking for more from time to time. */
  state: 'running' | 'waiting' | 'paused' | 'failed';
  phase: 'locating' | 'loading' | 'auditing' | 'computing';
  /** URL of its scheduler, and the address that signs its assignments. */
  scheduler?: string;
  address?: string;
  /** Newest nonce that the scheduler speaks of, that is audited and stored here, that is computed here; -1 for none. */
  head: number;
  audited: number;
  computed: number;
  /** Slots a second, lately. */
  rate: number;
  /** What is to be known about it, in sentences: what was not checked, what this node does otherwise. */
  notes: string[];
  checkpoint?: CheckpointUse;
  comparison?: UnitComparison;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** Why it cannot go on; `evidence`: ID of what was kept of it. */
  error?: { code: string; message: string; slot?: number; evidence?: string };
}

export type NodeEventData =
  | { type: 'process'; id: string }
  | { type: 'followed'; id: string }
  | { type: 'slot'; id: string; slot: number; ok: boolean }
  | { type: 'verification'; id: string }
  | { type: 'node' }
  | { type: 'notice'; text: string; level: 'info' | 'warning' | 'error' };

/** Legacynet processes of other schedulers, run here. */
export interface FollowApi {
  /**
   * Runs a legacynet process that another scheduler orders: its schedule is fetched, audited and computed here, and new
   * messages are looked for until it is paused. It goes on by itself after a reload. Called again, it goes on with the
   * new options.
   */
  startFollowing(process: string, options?: FollowOptions): Promise<Followed>;
  followed(): Promise<Followed[]>;
  pauseFollowing(process: string): Promise<void>;
  /** Goes on, also after a failure. */
  resumeFollowing(process: string): Promise<void>;
  /** Stops and forgets that it was followed; what was computed stays, until the process is removed. */
  stopFollowing(process: string): Promise<void>;
  /** Checkpoints of a process that a gateway knows, newest first, as they say: one is checked when it is used. */
  checkpoints(process: string, options?: Pick<FollowOptions, 'gateway' | 'trust'>): Promise<CheckpointInfo[]>;
}

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
