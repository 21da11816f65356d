/**
 * Pushes that are under way, on disk: which outbox still has to be delivered, and which of its entries have been.
 * A delivery and its mark are written in one transaction with the assignment, so that after a reload nothing is
 * pushed twice and nothing is lost.
 */
import type { Context } from '../resolver/context.ts';
import type { Write } from '../store/store.ts';

const PREFIX = 'push';

/** Outbox keys that are delivered, with the slot that each got. */
export type Delivered = Map<string, number>;

function keyOf(process: string, slot: number): [string, string, number] {
  return [PREFIX, process, slot];
}

export function pushWrite(process: string, slot: number, delivered: Delivered = new Map()): Write {
  return { table: 'node', key: keyOf(process, slot), value: delivered };
}

/** First and last key of what is kept of one process. */
export function pushesOf(process: string): readonly [readonly string[], readonly string[]] {
  return [
    [PREFIX, process],
    [PREFIX, process, '\uffff'],
  ];
}

export async function readDelivered(process: string, slot: number, context: Context): Promise<Delivered> {
  return (await context.store.get<Delivered>('node', keyOf(process, slot))) ?? new Map<string, number>();
}

export async function isUnfinished(process: string, slot: number, context: Context): Promise<boolean> {
  return (await context.store.get('node', keyOf(process, slot))) !== undefined;
}

/** `also`: what is to be on disk exactly if the push is finished. */
export async function finishPush(
  process: string,
  slot: number,
  context: Context,
  also: readonly Write[] = [],
): Promise<void> {
  await context.store.write([{ table: 'node', key: keyOf(process, slot) }, ...also]);
}

/** Pushes that were begun and not finished. */
export async function unfinishedPushes(context: Context): Promise<{ process: string; slot: number }[]> {
  const keys = await context.store.keys('node', { from: [PREFIX], to: [PREFIX, '\uffff'] });
  return (keys as [string, string, number][]).map(([, process, slot]) => ({ process, slot }));
}
