/** What crosses between the torture runner and its page. */
import type { SendOptions } from '../../src/protocol/api.ts';

/** The node said that this message is in the schedule. */
export interface Ack {
  readonly process: string;
  readonly slot: number;
  readonly id: string;
}

export interface LoadPlan {
  readonly process: string;
  readonly messages: readonly SendOptions[];
  readonly seed: number;
}

/** What the node answers for one slot, less signatures. */
export interface SlotState {
  readonly slot: number;
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
}
