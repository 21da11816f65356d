/**
 * What can be fuzzed: anything that reads octets from outside. One file in `targets/` for each, named after it.
 *
 * `run` may answer or throw an `AoError`; anything else that it throws is a finding, and so is taking over a second.
 */
export interface Target {
  /** Valid inputs, to be changed. */
  readonly seeds: () => readonly Uint8Array[];
  readonly run: (input: Uint8Array) => unknown;
  /** Pieces of the format that a change may put in. */
  readonly words?: readonly string[];
}

export function defineTarget(target: Target): Target {
  return target;
}

/** Thrown by a target when an answer breaks a rule that must hold for every input. */
export class Broken extends Error {
  override readonly name = 'Broken';
}
