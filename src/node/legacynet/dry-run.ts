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

/** The message of a dry run, as clients send it. Nothing of it is verified: it changes nothing. */
export interface DryRunMessage {
  readonly Id?: string;
  readonly Owner?: string;
  readonly From?: string;
  readonly Target?: string;
  readonly Anchor?: string;
  readonly Data?: string;
  readonly Tags?: readonly NamedTag[];
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
  const asked = checked(message, process);
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
    return dryRunText(state, textOf(asked, moment), context);
  });
  return unitResult(results, context);
}

async function upToDate(process: string, live: LiveProcess, context: Context, to?: number): Promise<void> {
  const head = await Schedules.of(context).head(process, context);
  const wanted = Math.min(to ?? Infinity, head?.slot ?? -1);
  if (wanted < 0) return;
  const { status, value } = await live.compute(wanted, context);
  if (status !== 'ok')
    throw new AoError('not-computed', 'The process can not be computed up to here.', {
      status: 500,
      detail: { slot: wanted, value: String(value) },
    });
}

type Checked = Required<Omit<DryRunMessage, 'From'>> & Pick<DryRunMessage, 'From'>;

/** The message with its defaults. @throws AoError `bad-message` (400) */
function checked(message: DryRunMessage, process: string): Checked {
  const { Id = NOBODY, Owner = NOBODY, Target = process, Anchor = '0', Data = '', Tags = [], From } = message;
  if (!Array.isArray(Tags) || Tags.length > MAX_TAGS)
    throw new AoError('bad-message', `Tags are a list of up to ${MAX_TAGS}.`);
  for (const tag of Tags as readonly NamedTag[])
    if (typeof tag?.name !== 'string' || typeof tag.value !== 'string')
      throw new AoError('bad-message', 'A tag has a name and a value, both text.');
  for (const text of [Id, Owner, Target, Anchor, Data, From ?? ''])
    if (typeof text !== 'string') throw new AoError('bad-message', 'Fields of a message are texts.');
  return { Id, Owner, Target, Anchor, Data, Tags, ...(From === undefined ? {} : { From }) };
}

/** As the program gets it: at the moment of the last evaluation. */
function textOf(message: Checked, moment: { timestamp: number; blockHeight: number }): string {
  const { Id, Owner, Target, Anchor, Data, Tags, From } = message;
  return JSON.stringify({
    Id,
    Data,
    Owner,
    Target,
    Anchor,
    From: From ?? Tags.find(({ name }) => name === 'From-Process')?.value ?? Owner,
    Tags: Tags.flatMap(({ name, value }) => (name === 'From' || name === 'Owner' ? [] : [{ name, value }])),
    Timestamp: moment.timestamp,
    'Block-Height': moment.blockHeight,
    Cron: false,
    'Read-Only': true,
  });
}
