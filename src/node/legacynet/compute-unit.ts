/** The routes of a compute unit (process.md §5.2): results of what this node evaluates itself. */
import { AoError } from '../../base/errors.ts';
import { PAGE_BYTES, type MemoryImage } from '../../engine/engine.ts';
import { Schedules } from '../../device/schedules.ts';
import { integerOf } from '../../device/values.ts';
import { instanceOf } from '../../device/wasm-instance.ts';
import type { Context } from '../../resolver/context.ts';
import { refuseCron } from './cron.ts';
import { readRange, writeCursor, type Cursor } from './cursors.ts';
import { dryRunOn, type DryRunMessage } from './dry-run.ts';
import { slotOf } from './message-slots.ts';
import { liveProcess, resultOf, type UnitResult } from './results.ts';
import { idIn, jsonBody, notFound, numberIn, type UnitAnswer, type UnitRequest } from './unit-http.ts';

/** Slots that one page may look at, of which those with errors are left out. */
const MAX_SCAN = 10_000;

export async function computeUnit(request: UnitRequest, context: Context): Promise<UnitAnswer> {
  const { method, path, query, http } = request;
  const [first, second] = path;
  if (first === undefined)
    return { body: { timestamp: context.clock.now(), address: context.identity.address } };
  if (first === 'dry-run') {
    if (method !== 'POST') throw new AoError('bad-method', 'A dry run is a POST.', { status: 405 });
    const to = numberIn(query, 'to');
    const message = jsonBody(http) as DryRunMessage;
    return { body: await dryRunOn(idIn(query, 'process-id'), message, context, to) };
  }
  if (method !== 'GET' && method !== 'HEAD')
    throw new AoError('bad-method', 'This route of a compute unit takes GET.', { status: 405 });
  if (first === 'status')
    return { body: { status: 'ok', address: context.identity.address, timestamp: context.clock.now() } };
  if (second === undefined) throw notFound('A compute unit has no such route.');
  switch (first) {
    case 'result':
      return { body: await result(idIn(query, 'process-id'), second, context) };
    case 'results':
      return { body: await results(second, query, context) };
    case 'cron':
      // No evaluation here comes from a clock: only what is scheduled is evaluated.
      await refuseCron(await (await liveProcess(second, context)).process(context), context);
      return { body: { pageInfo: { hasNextPage: false }, edges: [] } };
    case 'state':
      return state(second, context);
    default:
      throw notFound('A compute unit has no such route.');
  }
}

async function result(process: string, named: string, context: Context): Promise<UnitResult> {
  const slot = /^\d{1,15}$/.test(named) ? Number(named) : await slotOf(process, named, context);
  if (slot === undefined) throw notFound(`The message ${named} is not in the schedule of ${process}.`);
  return resultOf(process, slot, context);
}

/** The slot that a cursor names; for a timestamp that before the first slot of that moment (`from`) or its last (`to`). */
async function slotAt(
  { timestamp, ordinate }: Cursor,
  bound: 'from' | 'to',
  process: string,
  head: number,
  context: Context,
): Promise<number> {
  if (ordinate !== undefined) return ordinate;
  let low = 0;
  let high = head + 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = await timestampOf(process, middle, context);
    if (bound === 'from' ? at >= timestamp : at > timestamp) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

async function timestampOf(process: string, slot: number, context: Context): Promise<number> {
  const [found] = await Schedules.of(context).read(process, slot, slot, context);
  return integerOf(found?.assignment.get('timestamp')) ?? 0;
}

/** Slots after `from` up to `to`, whichever way they are sorted; those that failed are left out. */
async function results(process: string, query: URLSearchParams, context: Context) {
  const live = await liveProcess(process, context);
  const { from, to, sort, limit } = readRange(query);
  const head = (await Schedules.of(context).head(process, context))?.slot ?? -1;
  if (head >= 0) await live.compute(head, context);
  const first = from ? (await slotAt(from, 'from', process, head, context)) + 1 : 0;
  const last = to ? Math.min(await slotAt(to, 'to', process, head, context), head) : head;
  const step = sort === 'ASC' ? 1 : -1;
  const left = (slot: number) => first <= slot && slot <= last;
  const edges: { node: UnitResult; cursor: string }[] = [];
  let slot = sort === 'ASC' ? Math.max(0, first) : last;
  for (let scanned = 0; scanned < MAX_SCAN && left(slot) && edges.length < limit; scanned++) {
    const node = await resultOf(process, slot, context);
    if (!node.Error) {
      const timestamp = await timestampOf(process, slot, context);
      edges.push({ node, cursor: writeCursor({ timestamp, ordinate: slot, sort }) });
    }
    slot += step;
  }
  return { pageInfo: { hasNextPage: left(slot) }, edges };
}

/** The machine's memory as it stands after the newest slot that is computed. */
async function state(process: string, context: Context): Promise<UnitAnswer> {
  const live = await liveProcess(process, context);
  const head = (await Schedules.of(context).head(process, context))?.slot ?? -1;
  if (head >= 0) await live.compute(head, context);
  const { image, slot } = await live.withLiveState(context, async (running) => ({
    image: await instanceOf(running)?.engine.image(),
    slot: integerOf(running.get('at-slot')) ?? -1,
  }));
  if (!image) throw notFound('This process has no memory of a WASM module.');
  const [last] = await Schedules.of(context).read(process, slot, slot, context);
  const number = (key: string) => String(integerOf(last?.assignment.get(key)) ?? 0);
  return {
    headers: [
      ['last-timestamp', number('timestamp')],
      ['last-ordinate', String(slot)],
      ['last-block-height', number('block-height')],
    ],
    body: memoryOf(image),
  };
}

function memoryOf({ byteLength, pages }: MemoryImage): Uint8Array {
  const out = new Uint8Array(byteLength);
  for (const { index, bytes } of pages) out.set(bytes, index * PAGE_BYTES);
  return out;
}
