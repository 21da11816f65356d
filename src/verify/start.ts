/** Where a replay starts: this node's own work, genesis, or a checkpoint that the user trusts (attestation.md §4.8). */
import { AoError } from '../base/errors.ts';
import { Processes } from '../device/processes.ts';
import { readAssignments } from '../device/schedule-records.ts';
import { newestSlot } from '../device/slot-records.ts';
import { textOf } from '../device/values.ts';
import type { TrustList } from '../protocol/api.ts';
import type { Context } from '../resolver/context.ts';
import { layDown, type Checkpoint } from './checkpoint.ts';
import type { Findings } from './report.ts';
import { scratch } from './scratch.ts';

export interface Start {
  /** Where to compute: this node, or one beside it. */
  readonly context: Context;
  /** Newest slot whose state is there to go on from; -1 for none. */
  readonly computed: number;
  /** `own`, `genesis`, or the address that signed the checkpoint. */
  readonly label: string;
  readonly checkpoint?: { readonly id: string; readonly slot: number; readonly name?: string };
  /** Lets go of what was computed beside this node. */
  end(): Promise<void>;
}

/**
 * The checkpoints that may be used: of this process and this schedule, not behind `slot`, signed by somebody whom the
 * user trusts or named by the user. Ascending; what is left out is said.
 */
export async function usableCheckpoints(
  process: string,
  slot: number,
  checkpoints: readonly Checkpoint[],
  trust: TrustList,
  findings: Findings,
  context: Context,
): Promise<Checkpoint[]> {
  const out: Checkpoint[] = [];
  const refuse = (code: string, { id }: Checkpoint, why: string) =>
    findings.missing(`checkpoint-${code}`, `The checkpoint ${id} is not used: ${why}`);
  for (const checkpoint of checkpoints) {
    const [assigned] = await readAssignments(context.store, process, checkpoint.slot, checkpoint.slot);
    if (checkpoint.process !== process) refuse('process', checkpoint, 'it is of another process.');
    else if (!signerOf(checkpoint, trust))
      refuse('untrusted', checkpoint, `you trust none of its signers (${checkpoint.signers.join(', ')}).`);
    else if (checkpoint.slot > slot) refuse('late', checkpoint, 'it is of a later slot.');
    else if (textOf(assigned?.assignment.get('hash-chain')) !== checkpoint.hashChain)
      refuse('schedule', checkpoint, 'it belongs to another schedule than the one that was audited.');
    else if (!out.some(({ slot: taken }) => taken === checkpoint.slot)) out.push(checkpoint);
  }
  return out.sort((a, b) => a.slot - b.slot);
}

/** Whose word a checkpoint is taken on, if it is taken at all. */
export function signerOf({ id, signers }: Checkpoint, trust: TrustList): string | undefined {
  const trusted = signers.find((address) => trust.checkpointSigners?.includes(address));
  return trusted ?? (trust.checkpoints?.some((named) => named.id === id) ? signers[0] : undefined);
}

/**
 * @param from `own`, `genesis`, or the name or ID of a checkpoint; without it what is furthest
 * @throws AoError `checkpoint-unknown` (404) for a checkpoint that was named and cannot be used
 */
export async function startOf(
  process: string,
  from: string | undefined,
  usable: readonly Checkpoint[],
  trust: TrustList,
  context: Context,
): Promise<Start> {
  const own = await newestSlot(context.store, process);
  const chosen = chooseFrom(from, usable, trust, own);
  if (chosen) return startAt(chosen, trust, context);
  if (from === 'genesis' && own >= 0) return startAfresh(process, context);
  return { context, computed: own, label: own < 0 ? 'genesis' : 'own', end: async () => {} };
}

/** A node beside this one that has computed nothing yet. */
export async function startAfresh(process: string, context: Context): Promise<Start> {
  const beside = await scratch(context);
  return { context: beside, computed: -1, label: 'genesis', end: () => ended(process, beside) };
}

/** A node beside this one that stands at a checkpoint. */
export async function startAt(chosen: Checkpoint, trust: TrustList, context: Context): Promise<Start> {
  const beside = await scratch(context);
  await layDown(chosen, beside);
  const name = trust.checkpoints?.find(({ id }) => id === chosen.id)?.name;
  const { id, slot, process } = chosen;
  return {
    context: beside,
    computed: slot,
    label: signerOf(chosen, trust) ?? 'nobody',
    checkpoint: name === undefined ? { id, slot } : { id, slot, name },
    end: () => ended(process, beside),
  };
}

function chooseFrom(
  from: string | undefined,
  usable: readonly Checkpoint[],
  trust: TrustList,
  own: number,
): Checkpoint | undefined {
  if (from === 'own' || from === 'genesis') return undefined;
  const newest = usable.at(-1);
  if (from === undefined) return newest && newest.slot > own ? newest : undefined;
  const named = trust.checkpoints?.find(({ name }) => name === from)?.id ?? from;
  const found = usable.find(({ id }) => id === named);
  if (!found)
    throw new AoError(
      'checkpoint-unknown',
      `There is no checkpoint ${from.slice(0, 60)} that can be started from.`,
      { status: 404 },
    );
  return found;
}

async function ended(process: string, context: Context): Promise<void> {
  await Processes.of(context).get(process)?.stop();
}
