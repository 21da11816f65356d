/**
 * `genesis-wasm@1.0` (process.md §3.6): legacynet processes. Where the reference asks a compute unit beside it,
 * this node evaluates in its own engine; the results have the same form, with the unit's reply under `json` and,
 * decoded, under `raw`.
 */
import { Message } from '../message/message.ts';
import type { Device, KeyFunction } from '../resolver/device.ts';
import { asLegacy, dryRun, evaluateLegacy } from './legacy-evaluation.ts';
import { DryMachines } from './dry-machines.ts';
import { forkOf } from './machine-fork.ts';
import { textOf } from './values.ts';
import { bytesFromImage } from './wasm-64.ts';
import { instanceOf, withInstance } from './wasm-instance.ts';
import { startInstance } from './wasm-start.ts';

const init: KeyFunction = async (base, _request, context) => {
  await instanceOf(base)?.engine.close();
  return { status: 'ok', value: asLegacy(withInstance(base, await startInstance(base, context))) };
};

const compute: KeyFunction = async (base, request, context) => {
  if (textOf(request.get('type'))?.toLowerCase() === 'assignment') {
    const ready = instanceOf(base) && base.private.legacy !== true ? asLegacy(base) : base;
    return { status: 'ok', value: await evaluateLegacy(ready, request, context) };
  }
  const live = forkOf(base);
  const run = (state: Message) => dryRun(state, request, context);
  return { status: 'ok', value: await (live ? DryMachines.of(context).run(live, context, run) : run(base)) };
};

const normalize: KeyFunction = async (base, _request, context) => {
  if (instanceOf(base)) return { status: 'ok', value: base.without('snapshot') };
  return {
    status: 'ok',
    value: asLegacy(withInstance(base.without('snapshot'), await startInstance(base, context))),
  };
};

const snapshot: KeyFunction = async (base) => {
  const instance = instanceOf(base);
  if (!instance) return { status: 'ok', value: Message.of({ error: 'No checkpoint produced.' }) };
  return { status: 'ok', value: Message.of({ body: bytesFromImage(await instance.engine.image()) }) };
};

export const genesisWasm: Device = {
  name: 'genesis-wasm@1.0',
  keys: { init, compute, normalize, snapshot },
};
