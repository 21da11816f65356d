/**
 * `wasi@1.0` (process.md §3.8): puts the virtual files of a WASM program into its state.
 *
 * The imports themselves are answered inside the engine, with what the reference answers: writing counts the
 * octets and changes nothing else, the clock refuses. So the files stay as they are made here.
 */
import { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import type { Device, KeyFunction } from '../resolver/device.ts';
import { deepMerge } from './values.ts';

const STREAMS = ['stdin', 'stdout', 'stderr'];

const init: KeyFunction = (base) => {
  const descriptors = new Map<string, Value>();
  STREAMS.forEach((name, index) =>
    descriptors.set(String(index), Message.of({ filename: `/dev/${name}`, offset: 0n })),
  );
  const files = Message.from(STREAMS.map((name) => [name, '']));
  const value = deepMerge(
    base,
    Message.of({
      wasm: { stdlib: { wasi_snapshot_preview1: { device: 'wasi@1.0' } } },
      'file-descriptors': new Message(descriptors),
      vfs: { dev: files },
    }),
  );
  return { status: 'ok', value };
};

const same: KeyFunction = (base) => ({ status: 'ok', value: base });

export const wasi: Device = {
  name: 'wasi@1.0',
  keys: { init, compute: same, stdout: (base) => base.message('vfs')?.message('dev')?.get('stdout') ?? '' },
};
