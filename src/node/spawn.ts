/** Makes new processes: the module's message, the definition that fits its kind, slot 0 (process.md §1.1). */
import { AoError } from '../base/errors.ts';
import { messageId } from '../commitment/id.ts';
import { inspectModule, whyUnsupported } from '../engine/inspect.ts';
import type { ModuleKind } from '../engine/engine.ts';
import { hasMemory64 } from '../engine/webassembly.ts';
import { Message, type ValueInput } from '../message/message.ts';
import { Link } from '../message/value.ts';
import type { ModuleReport, SpawnOptions } from '../protocol/api.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import type { Samples } from './samples.ts';
import { signMessage } from './sign-message.ts';

/** Largest module that is taken, in bytes. */
const MAX_MODULE = 64 * 1024 * 1024;
/** Most tags of one message: ANS-104 allows 128, some of them are ours. */
const MAX_TAGS = 120;

const NO_MEMORY64 =
  'This browser does not run modules with a 64-bit memory. Modules with a 32-bit memory and Lua work.';

/** What a process is called in a word. */
export type ProcessKind = 'aos' | 'wasm64' | 'legacynet' | 'lua';

/** Module-Format tags of the legacynet families, by what the module's imports say. */
const FORMATS: Partial<Record<ModuleKind, string>> = {
  'emscripten-wasm64-draft_2024_02_15': 'wasm64-unknown-emscripten-draft_2024_02_15',
  'emscripten-wasm32': 'wasm32-unknown-emscripten',
  'emscripten-wasm32-2': 'wasm32-unknown-emscripten2',
  'emscripten-wasm32-3': 'wasm32-unknown-emscripten3',
  'emscripten-wasm32-4': 'wasm32-unknown-emscripten4',
};

/** What a file is, in words for a person; never throws for a file that is no module. */
export function reportModule(bytes: Uint8Array): ModuleReport {
  try {
    const inspection = inspectModule(bytes);
    const lacks = inspection.wordBits === 64 && !hasMemory64();
    const reason = whyUnsupported(inspection) ?? (lacks ? NO_MEMORY64 : undefined);
    const report = { kind: inspection.kind, memoryPages: inspection.initialPages, size: bytes.length };
    return reason ? { ...report, supported: false, reason } : { ...report, supported: true };
  } catch (thrown) {
    const { message } = AoError.wrap(thrown);
    return { kind: 'unknown', supported: false, reason: message, memoryPages: 0, size: bytes.length };
  }
}

/**
 * The signed definition of a new process, everything it needs stored.
 * @throws AoError `module-too-large` (413), `no-memory64` (501), `unsupported-module` (422), `bad-module` (422), `no-sample` (404), `bad-tag` (400)
 */
export async function defineProcess(
  options: SpawnOptions,
  context: NodeContext,
  samples: Samples,
  anchor: string,
): Promise<{ definition: Message; id: string; kind: ProcessKind }> {
  const { kind, definition } = await unsignedDefinition(options, context, samples, anchor);
  const signed = await signMessage(definition, context);
  return { definition: signed, id: messageId(signed, 'signed'), kind };
}

/** The same before anybody signed it: who does becomes the owner. */
export async function unsignedDefinition(
  options: SpawnOptions,
  context: NodeContext,
  samples: Samples,
  anchor: string,
): Promise<{ definition: Message; kind: ProcessKind }> {
  const { kind, keys } = await moduleKeys(options, context, samples);
  const { address } = context.identity;
  const definition = Message.of({
    ...checkedTags(options.tags ?? {}),
    ...(options.name ? { name: options.name } : {}),
    ...keys,
    device: 'process@1.0',
    type: 'Process',
    'scheduler-device': 'scheduler@1.0',
    scheduler: address,
    authority: address,
    'data-protocol': 'ao',
    variant: 'ao.N.1',
    anchor,
  });
  return { definition, kind };
}

type Keys = Record<string, ValueInput>;

async function moduleKeys(
  { module }: SpawnOptions,
  context: NodeContext,
  samples: Samples,
): Promise<{ kind: ProcessKind; keys: Keys }> {
  if (module.type === 'lua') return luaKeys(module.source, context);
  if (module.type === 'id') return keysOfStored(module.id, context);
  if (module.type === 'sample' && (await isLua(module.name, samples)))
    return luaKeys(new TextDecoder().decode(await samples.bytes(module.name)), context);
  const bytes =
    module.type === 'wasm'
      ? own(module.bytes)
      : await samples.bytes(module.type === 'aos' ? 'aos' : module.name);
  const keys = await wasmKeys(bytes, context);
  return module.type === 'aos' ? { ...keys, kind: 'aos' } : keys;
}

async function isLua(name: string, samples: Samples): Promise<boolean> {
  return (await samples.list()).some((sample) => sample.name === name && sample.kind === 'lua');
}

function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();
}

async function wasmKeys(
  bytes: Uint8Array<ArrayBuffer>,
  context: NodeContext,
): Promise<{ kind: ProcessKind; keys: Keys }> {
  if (bytes.length > MAX_MODULE)
    throw new AoError(
      'module-too-large',
      `A module may have ${MAX_MODULE / 1024 / 1024} MiB; this one has more.`,
      { status: 413 },
    );
  const inspection = inspectModule(bytes);
  if (inspection.wordBits === 64 && !hasMemory64())
    throw new AoError('no-memory64', NO_MEMORY64, { status: 501, detail: { kind: inspection.kind } });
  const reason = whyUnsupported(inspection);
  if (reason)
    throw new AoError('unsupported-module', reason, { status: 422, detail: { kind: inspection.kind } });
  const format = FORMATS[inspection.kind];
  if (format) {
    const message = Message.of({
      data: bytes,
      type: 'Module',
      'data-protocol': 'ao',
      variant: 'ao.TN.1',
      'module-format': format,
      'input-encoding': 'JSON-1',
      'output-encoding': 'JSON-1',
      'memory-limit': '1-gb',
      'compute-limit': '9000000000000',
      'content-type': 'application/wasm',
    });
    const signed = await signMessage(message, context);
    await context.cache.write(signed);
    const id = messageId(signed, 'signed');
    return { kind: 'legacynet', keys: { 'execution-device': 'genesis-wasm@1.0', module: id } };
  }
  const image = await context.cache.write(Message.of({ body: bytes, 'content-type': 'application/wasm' }));
  return {
    kind: 'wasm64',
    keys: {
      'execution-device': 'stack@1.0',
      'device-stack': ['wasi@1.0', 'json-iface@1.0', 'wasm-64@1.0', 'patch@1.0', 'multipass@1.0'],
      'stack-keys': ['init', 'compute', 'snapshot', 'normalize'],
      passes: 2n,
      'output-prefix': 'wasm',
      'patch-from': '/results/outbox',
      image,
    },
  };
}

/** By ID, not in place: as a part of a body the module would lose its content type, and the definition its signature. */
async function luaKeys(source: string, context: NodeContext): Promise<{ kind: ProcessKind; keys: Keys }> {
  if (source.trim() === '') throw new AoError('bad-module', 'There is no Lua source.', { status: 422 });
  const module = await context.cache.write(Message.of({ 'content-type': 'application/lua', body: source }));
  return { kind: 'lua', keys: { 'execution-device': 'lua@5.3a', module } };
}

/** A module that the store (or a peer of it) has under an ID. */
async function keysOfStored(id: string, context: NodeContext): Promise<{ kind: ProcessKind; keys: Keys }> {
  const stored = await context.cache.read(id);
  if (!(stored instanceof Message))
    throw new AoError('no-module', `The module ${id} is not here.`, { status: 404 });
  const type = stored.text('content-type') ?? '';
  if (/lua/.test(type)) return { kind: 'lua', keys: { 'execution-device': 'lua@5.3a', module: id } };
  const value = stored.get('body') ?? stored.get('data');
  const loaded = value instanceof Link ? await context.cache.load(value) : value;
  if (!(loaded instanceof Uint8Array) && typeof loaded !== 'string')
    throw new AoError('bad-module', `What is at ${id} holds no module.`, { status: 422 });
  const bytes = typeof loaded === 'string' ? new TextEncoder().encode(loaded) : own(loaded);
  return wasmKeys(bytes, context);
}

/** Tags of the user's, by the names that keys have: lower case, nothing that the definition itself needs. */
export function checkedTags(tags: Record<string, string>): Keys {
  const entries = Object.entries(tags).map(([name, value]) => [name.trim().toLowerCase(), value] as const);
  if (entries.length > MAX_TAGS)
    throw new AoError('bad-tag', `A message may carry ${MAX_TAGS} tags; this one has ${entries.length}.`);
  for (const [name] of entries)
    if (!/^[a-z0-9][a-z0-9._-]{0,127}$/.test(name) || /^(priv|commitments$|ao-types$)/.test(name))
      throw new AoError('bad-tag', `${JSON.stringify(name)} cannot be the name of a tag.`, {
        detail: { name },
      });
  return Object.fromEntries(entries);
}
