/**
 * What was said at a process's prompt: read back from its slots, so that it is the same after a reload and in
 * every tab, plus what is being said now.
 */
import type { ProcessSummary, SlotDetail, SlotResult, TreeNode } from '../../client/index.ts';
import { failure, type Failure } from './errors.ts';
import { session } from './session.svelte.ts';

export interface Entry {
  /** Stable key for the list. */
  key: string;
  slot?: number;
  /** Lua that was evaluated; absent for any other message. */
  code?: string;
  /** What the prompt said when it was typed. */
  prompt?: string;
  action?: string;
  data?: string;
  from?: string;
  result?: SlotResult;
  problem?: Failure;
  busySince?: number;
}

/** Slots read back when the page opens. */
const BACK = 30;

export class Transcript {
  entries = $state.raw<Entry[]>([]);
  loaded = $state(false);
  problem = $state.raw<Failure | undefined>();
  /** The newest prompt that a result asked for. */
  prompt = $state<string | undefined>();
  readonly #id: string;
  #running = 0;
  #newest = -1;
  #next = 0;
  #reading = false;

  constructor(process: string) {
    this.#id = process;
  }

  /** Reads slots that are computed and not shown yet. Called again with every event of the process. */
  async follow(process: ProcessSummary): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      // Slots that this page waits for are shown when their call answers.
      if (process.computed > this.#newest && this.#running === 0) {
        const from = Math.max(this.#newest + 1, process.computed - BACK + 1);
        const slots = Array.from({ length: process.computed - from + 1 }, (_, index) => from + index);
        const details = await Promise.all(slots.map((slot) => session.node.slot(this.#id, slot)));
        let before = this.prompt;
        const fresh = details
          .filter((detail) => !this.entries.some((entry) => entry.slot === detail.slot))
          .map((detail) => {
            const entry = entryOf(detail, before);
            before = detail.result?.prompt ?? before;
            return entry;
          });
        this.entries = [...this.entries, ...fresh];
        this.prompt = before;
        this.#newest = process.computed;
      }
    } catch (thrown) {
      this.problem = failure(thrown);
    } finally {
      this.#reading = false;
      this.loaded = true;
    }
  }

  /** Sends a message and shows it with its result. Resolves when it is computed or has failed. */
  async say(
    message: { action?: string; data?: string; tags?: Record<string, string> },
    code?: string,
  ): Promise<void> {
    const key = `new-${this.#next++}`;
    this.#running++;
    const start: Entry = {
      key,
      busySince: Date.now(),
      ...(code === undefined ? { action: message.action ?? '', data: message.data ?? '' } : { code }),
      ...(this.prompt === undefined ? {} : { prompt: this.prompt }),
    };
    this.entries = [...this.entries, start];
    const { busySince: _, ...rest } = start;
    try {
      const sent = await session.node.send(this.#id, message);
      this.#newest = Math.max(this.#newest, sent.slot);
      if (sent.result?.prompt !== undefined) this.prompt = sent.result.prompt;
      this.#replace(key, { ...rest, slot: sent.slot, ...(sent.result ? { result: sent.result } : {}) });
    } catch (thrown) {
      this.#replace(key, { ...rest, problem: failure(thrown) });
    } finally {
      this.#running--;
    }
  }

  clear(): void {
    this.entries = this.entries.filter((entry) => entry.busySince !== undefined);
  }

  #replace(key: string, entry: Entry): void {
    this.entries = this.entries.map((old) => (old.key === key ? entry : old));
  }
}

function entryOf(detail: SlotDetail, prompt: string | undefined): Entry {
  const data = field(detail.message, 'data');
  const evaluated = detail.action.toLowerCase() === 'eval';
  return {
    key: `slot-${detail.slot}`,
    slot: detail.slot,
    from: detail.from,
    ...(evaluated ? { code: data ?? '' } : { action: detail.action, data: data ?? '' }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(detail.result ? { result: detail.result } : {}),
  };
}

function field(tree: TreeNode, key: string): string | undefined {
  return tree.children?.find((child) => child.key.toLowerCase() === key)?.text;
}
