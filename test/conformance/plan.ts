/** What crosses between the runner, its page and the page's workers. */

/** One case to run. The worker reads its data from `file` itself. */
export interface PlannedCase {
  /** Position in the whole plan. */
  readonly id: number;
  readonly family: string;
  readonly name: string;
  /** Path of the file under the runner's `/vectors/`. */
  readonly url: string;
  readonly file: string;
  readonly list: string;
  /** Index in its list. */
  readonly index: number;
}

export interface Outcome {
  readonly id: number;
  readonly ok: boolean;
  readonly skipped?: boolean;
  readonly expected?: string;
  readonly got?: string;
  /** Milliseconds. */
  readonly took: number;
}

/** Milliseconds for one case where its family names no other. */
export const CASE_TIMEOUT = 120_000;

/** A worker's answers to a `PlannedCase`: first when it begins, with its time limit, then the outcome. */
export type LaneMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'begin'; readonly timeout: number }
  | { readonly type: 'end'; readonly outcome: Outcome };
