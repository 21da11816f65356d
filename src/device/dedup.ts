/**
 * `dedup@1.0` (process.md §3.2): ends the stack for a subject that was seen before. The IDs seen are in the
 * base's list `dedup`, newest first.
 */
import type { AnyKeyFunction, Device } from '../resolver/device.ts';
import { signedId } from './message-id.ts';
import { integerOf, itemsOf, readFirst, readKey, readPath, textOf } from './values.ts';

const check: AnyKeyFunction = async (_key, base, request, context) => {
  const named = await readFirst(
    [
      [base, 'dedup-subject'],
      [request, 'dedup-subject'],
    ],
    context,
  );
  const key = textOf(named) ?? 'body';
  const subject =
    key === 'request'
      ? request
      : ((await readPath(base, key, context)) ?? (await readPath(request, key, context)));
  if (subject === undefined || (integerOf(base.get('pass')) ?? 1) !== 1) return { status: 'ok', value: base };
  const id = await signedId(subject, context);
  const seen = itemsOf(await readKey(base, 'dedup', context)) ?? [];
  if (seen.some((one) => textOf(one) === id)) return { status: 'skip', value: base };
  return { status: 'ok', value: base.with([['dedup', [id, ...seen]]]) };
};

export const dedup: Device = {
  name: 'dedup@1.0',
  info: { handler: check, excludes: ['keys', 'set'] },
  keys: {},
};
