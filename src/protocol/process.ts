/** Processes and their slots, as a page makes, feeds and sees them. */
import type { TreeNode } from './message.ts';
import type { Level } from './verification.ts';

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

export interface ModuleReport {
  kind: string;
  supported: boolean;
  /** The sentence that says why not. */
  reason?: string;
  memoryPages: number;
  size: number;
}
