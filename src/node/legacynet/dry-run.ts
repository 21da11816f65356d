/** Dry runs: a message evaluated on a copy of a process's machine, of which nothing is kept (process.md §5.2). */
import { AoError } from '../../base/errors.ts';
import { DryMachines } from '../../device/dry-machines.ts';
import { dryRunText, momentOfDryRun } from '../../device/legacy-evaluation.ts';
import type { LiveProcess } from '../../device/process-live.ts';
import { roleDevice } from '../../device/process-roles.ts';
import { Schedules } from '../../device/schedules.ts';
import type { Context } from '../../resolver/context.ts';
import type { NamedTag } from './items.ts';
import { liveProcess, unitResult, type UnitResult } from './results.ts';

/**
 * The message of a dry run, as clients send it. Nothing of it is verified: it changes nothing. Its sender is the process
 * in its tag `From-Process`, else its owner.
 */
export interface DryRunMessage {
  readonly Id?: string | null;
  readonly Signature?: string | null;
  readonly Owner?: string | null;
  readonly Target?: string | null;
  readonly Anchor?: string | null;
  readonly Data?: string | null;
  readonly Tags?: readonly NamedTag[] | null;
  /** Milliseconds; default: that of the last evaluation, as for the height. */
  readonly Timestamp?: number | string | null;
  readonly 'Block-Height'?: number | string | null;
}

const MAX_TAGS = 1000;
const NOBODY = '0'.repeat(43);

/**
 * @param to slot up to which the process has to be computed; default: all that is scheduled
 * @throws AoError `bad-message` (400), `not-found` (404), `runaway` (503), `no-dry-run` (501) for a process that is no legacynet process
 */
export async function dryRunOn(
  process: string,
  message: DryRunMessage,
  context: Context,
  to?: number,
): Promise<UnitResult> {
  const asked = textOf(message, process);
  const live = await liveProcess(process, context);
  await upToDate(process, live, context, to);
  const definition = await live.process(context);
  if (roleDevice('execution', definition) !== 'genesis-wasm@1.0')
    throw new AoError(
      'no-dry-run',
      'Dry runs are for legacynet processes; read the state of this one by its paths.',
      { status: 501 },
    );
  const results = await DryMachines.of(context).run(live, context, async (state) => {
    const moment = await momentOfDryRun(state, process, context);
    return dryRunText(state, asked(moment), context);
  });
  return unitResult(results, context);
}

async function upToDate(process: string, live: LiveProcess, context: Context, to?: number): Promise<void> {
  const head = await Schedules.of(context).head(process, context);
  const wanted = Math.min(to ?? Infinity, head?.slot ?? -1);
  if (wanted < 0) return;
  const { status, value } = await live.compute(wanted, context);
  if (status !== 'ok')
    throw new AoError('not-computed', 'The process cannot be computed up to here.', {
      status: 500,
      detail: { slot: wanted, value: String(value) },
    });
}

interface Moment {
  readonly timestamp: number;
  readonly blockHeight: number;
}

/** The text that the program gets, at a moment. @throws AoError `bad-message` (400) */
function textOf(message: DryRunMessage, process: string): (moment: Moment) => string {
  const text = (name: 'Id' | 'Signature' | 'Owner' | 'Target' | 'Anchor' | 'Data', otherwise: string) => {
    const value = message[name] ?? otherwise;
    if (typeof value !== 'string') throw new AoError('bad-message', `${name} of a message is a text.`);
    return value;
  };
  const number = (name: 'Timestamp' | 'Block-Height') => {
    const value = message[name] ?? undefined;
    if (value !== undefined && !Number.isSafeInteger(Number(value)))
      throw new AoError('bad-message', `${name} of a message is a whole number.`);
    return value === undefined ? undefined : Number(value);
  };
  const tags = message.Tags ?? [];
  if (!Array.isArray(tags) || tags.length > MAX_TAGS)
    throw new AoError('bad-message', `Tags are a list of up to ${MAX_TAGS}.`);
  for (const tag of tags as readonly NamedTag[])
    if (typeof tag?.name !== 'string' || typeof tag.value !== 'string')
      throw new AoError('bad-message', 'A tag has a name and a value, both text.');
  const named = tags as readonly NamedTag[];
  const owner = text('Owner', NOBODY);
  const given = {
    Id: text('Id', NOBODY),
    Signature: text('Signature', '') || undefined,
    Data: text('Data', ''),
    Owner: owner,
    Target: text('Target', process),
    Anchor: text('Anchor', '0'),
    From: named.find(({ name }) => name === 'From-Process')?.value ?? owner,
    Tags: named.flatMap(({ name, value }) => (name === 'From' || name === 'Owner' ? [] : [{ name, value }])),
  };
  const [timestamp, height] = [number('Timestamp'), number('Block-Height')];
  return (moment) =>
    JSON.stringify({
      ...given,
      Timestamp: timestamp ?? moment.timestamp,
      'Block-Height': height ?? moment.blockHeight,
      Cron: false,
      'Read-Only': true,
    });
}
