/** The open node and what the whole app knows of it: one connection, kept current by the node's events. */
import {
  openNode,
  type Followed,
  type NodeInfo,
  type OpenNode,
  type ProcessSummary,
  type Verification,
} from '../../client/index.ts';
import { SvelteMap } from 'svelte/reactivity';
import { failure, type Failure } from './errors.ts';
import { toasts } from './toasts.svelte.ts';
import { walletChosen } from './wallet-choice.ts';

class Session {
  phase = $state<'opening' | 'open' | 'failed'>('opening');
  problem = $state.raw<Failure | undefined>();
  info = $state.raw<NodeInfo | undefined>();
  processes = $state.raw<ProcessSummary[] | undefined>();
  verifications = $state.raw<Verification[]>([]);
  /** Legacynet processes of other schedulers that are run here. */
  followed = $state.raw<Followed[]>([]);
  online = $state(navigator.onLine);
  /** Grows with every event of a process: what shows the process reads it to know when to read again. */
  readonly changes = new SvelteMap<string, number>();
  #node: OpenNode | undefined;
  #refreshing: Promise<void> | undefined;
  #again = false;

  /** The node. Only screens use it, and they are shown once it is open. */
  get node(): OpenNode {
    if (!this.#node) throw new Error('The node is not open yet.');
    return this.#node;
  }

  async open(): Promise<void> {
    this.phase = 'opening';
    addEventListener('online', () => (this.online = true));
    addEventListener('offline', () => (this.online = false));
    try {
      const node = await openNode();
      this.#node = node;
      // Before anything can be sent: who signs is what the user chose at the last visit.
      if (walletChosen()) (await import('./wallets.svelte.ts')).wallets.restore();
      node.subscribe((event) => {
        if (event.type === 'notice') toasts.show(event.text, event.level);
        else if (event.type === 'verification') void this.#readVerifications();
        else if (event.type === 'followed') void this.#readFollowed();
        else {
          if (event.type !== 'node') this.changes.set(event.id, (this.changes.get(event.id) ?? 0) + 1);
          void this.refresh();
        }
      });
      await this.refresh();
      this.phase = 'open';
    } catch (thrown) {
      this.problem = failure(thrown);
      this.phase = 'failed';
    }
  }

  /** Reads the node and its processes again; calls that come meanwhile are answered by one more read. */
  refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#again = true;
      return this.#refreshing;
    }
    this.#refreshing = this.#read().finally(() => {
      this.#refreshing = undefined;
      if (this.#again) {
        this.#again = false;
        void this.refresh();
      }
    });
    return this.#refreshing;
  }

  async #readVerifications(): Promise<void> {
    this.verifications = await this.node.verifications();
  }

  async #readFollowed(): Promise<void> {
    this.followed = await this.node.followed();
  }

  async #read(): Promise<void> {
    const [info, processes] = await Promise.all([
      this.node.info(),
      this.node.processes(),
      this.#readVerifications(),
      this.#readFollowed(),
    ]);
    this.info = info;
    this.processes = processes.toSorted((a, b) => b.lastActivity - a.lastActivity);
  }

  summary(id: string): ProcessSummary | undefined {
    return this.processes?.find((process) => process.id === id);
  }
}

export const session = new Session();
