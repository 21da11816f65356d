/**
 * `monitor@1.0` (resolver.md §9.0): part of a process's stack that asks each message of the key `monitors` to look
 * at every pass. What a monitor answers changes nothing; the node's own events are the better way to watch.
 */
import { Message } from '../message/message.ts';
import type { Device, KeyFunction } from '../resolver/device.ts';
import { itemsOf, readKey } from './values.ts';

const signal =
  (signal: string): KeyFunction =>
  async (base, request, context) => {
    const monitors = itemsOf(await readKey(base, 'monitors', context)) ?? [];
    for (const monitor of monitors) {
      if (!(monitor instanceof Message)) continue;
      const seen = Message.from([
        ['path', 'monitor'],
        ['signal', signal],
        ['base', base],
        ['body', request],
      ]);
      // A monitor that fails must not stop what it watches.
      await context.resolve(monitor, seen).catch(() => undefined);
    }
    return base;
  };

export const monitor: Device = {
  name: 'monitor@1.0',
  keys: { init: (base) => base, compute: signal('compute'), end_of_schedule: signal('end-of-schedule') },
};
