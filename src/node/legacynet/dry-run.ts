/** Dry runs: a message evaluated on a copy of a process's machine, which is then thrown away (process.md §5.2). */
import { AoError } from '../../base/errors.ts';
import { dryRunText, momentOfDryRun } from '../../device/legacy-evaluation.ts';
import { onFork, withFork } from '../../device/machine-fork.ts';
import type { LiveProcess } from '../../device/process-live.ts';
import { asRole, roleDevice } from '../../device/process-roles.ts';
import { Schedules } from '../../device/schedules.ts';
import type { Context } from '../../resolver/context.ts';
import type { NamedTag } from './items.ts';
import { liveProcess, unitResult, type UnitResult } from './results.ts';
import { notFound } from './unit-http.ts';

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
 * @throws AoError `not-found` (404), `no-dry-run` (501) for a process that is no legacynet process
 */
export async function dryRunOn(
  process: string,
  message: DryRunMessage,
  context: Context,
  to?: number,
): Promise<UnitResult> {
  const live = await liveProcess(process, context);
  await upToDate(process, live, context, to);
  const definition = await live.process(context);
  if (roleDevice('execution', definition) !== 'genesis-wasm@1.0')
    throw new AoError(
      'no-dry-run',
      'Dry runs are for legacynet processes; read the state of this one by its paths.',
      { status: 501 },
    );
  const newest = await live.newest(context);
  if (!newest) throw notFound(`Nothing of the process ${process} is computed yet.`);
  const state = withFork(asRole('execution', newest.state), live);
  const text = await messageText(process, message, await momentOfDryRun(newest.state, process, context));
  const results = await onFork(state, context, (ready) => dryRunText(ready, text, context));
  if (!results) throw new AoError('engine-closed', 'There is no machine to run this on.', { status: 503 });
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

interface Moment {
  readonly timestamp: number;
  readonly blockHeight: number;
}

function messageText(process: string, message: DryRunMessage, moment: Moment): string {
  const { Id = NOBODY, Owner = NOBODY, Target = process, Anchor = '0', Data = '', Tags = [] } = message;
  if (!Array.isArray(Tags) || Tags.length > MAX_TAGS)
    throw new AoError('bad-message', `Tags are a list of up to ${MAX_TAGS}.`);
  const tags = Tags.map((tag: NamedTag) => {
    if (typeof tag?.name !== 'string' || typeof tag.value !== 'string')
      throw new AoError('bad-message', 'A tag has a name and a value, both text.');
    return { name: tag.name, value: tag.value };
  });
  const from = message.From ?? tags.find(({ name }) => name === 'From-Process')?.value ?? Owner;
  for (const text of [Id, Owner, Target, Anchor, Data, from])
    if (typeof text !== 'string') throw new AoError('bad-message', 'Fields of a message are texts.');
  return JSON.stringify({
    Id,
    Data,
    Owner,
    Target,
    Anchor,
    From: from,
    Tags: tags.filter(({ name }) => name !== 'From' && name !== 'Owner'),
    Timestamp: moment.timestamp,
    'Block-Height': moment.blockHeight,
    Cron: false,
    'Read-Only': true,
  });
}
