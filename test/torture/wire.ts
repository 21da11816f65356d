/** What crosses between the torture runner and its page. */
import type { SendOptions } from '../../src/protocol/api.ts';

/** What the node has done, said by the page as soon as it heard of it. */
export type Note =
  /** This message is in the schedule. */
  | { readonly type: 'sent'; readonly process: string; readonly slot: number; readonly id: string }
  /** The visiting process is about to be taken in or off; it is in; it is off. */
  | { readonly type: 'moving' | 'in' | 'off' };

export interface LoadPlan {
  readonly process: string;
  readonly messages: readonly SendOptions[];
  readonly seed: number;
  /** Senders at a time. */
  readonly senders: number;
}

export interface VisitPlan {
  readonly process: string;
  /** A process file, in base64. */
  readonly file: string;
}

export interface RingPlan {
  readonly ring: readonly string[];
  readonly hops: number;
  /** Tells the tokens of one life from those of another. */
  readonly life: number;
}

/** What the node answers for one slot, less signatures. */
export interface SlotState {
  readonly slot: number;
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
}
