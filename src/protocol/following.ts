/** Legacynet processes of other schedulers, run here. */

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
