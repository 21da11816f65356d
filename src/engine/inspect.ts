/**
 * Looks at a module without running it: which family it belongs to, by what it imports and exports and never
 * by its name (process.md §4.1), and whether this node can run it.
 */
import { AoError } from '../base/errors.ts';
import { readOutline, type Export, type ModuleOutline, type ValueType } from './binary.ts';
import type { ModuleInspection, ModuleKind } from './engine.ts';

/** Largest module that is looked at. */
export const MAX_MODULE_BYTES = 256 * 1024 * 1024;

const WASI = 'wasi_snapshot_preview1';
const EMSCRIPTEN_MARKS = ['__asyncjs__weavedrive_open', 'emscripten_resize_heap', 'getTempRet0'];

/**
 * @throws AoError `bad-module` (422): not WebAssembly, cut off, contradictory; `module-too-large` (413)
 */
export function inspectModule(bytes: Uint8Array): ModuleInspection {
  if (bytes.length > MAX_MODULE_BYTES)
    throw new AoError('module-too-large', `The module has more than ${MAX_MODULE_BYTES} bytes.`, {
      status: 413,
    });
  return inspectOutline(readOutline(bytes));
}

export function inspectOutline(outline: ModuleOutline): ModuleInspection {
  const memory = outline.memories[0];
  return {
    kind: kindOf(outline),
    wordBits: memory?.wordBits ?? 32,
    metered: outline.imports.some(({ module }) => module === 'metering'),
    asyncify: outline.exports.some(({ name }) => name === 'asyncify_start_unwind'),
    initialPages: memory?.initialPages ?? 0,
    maximumPages: memory?.maximumPages,
    imports: outline.imports.map(({ module, name, kind }) => ({ module, name, kind })),
    exports: outline.exports.map(({ name, kind }) => ({ name, kind })),
  };
}

function kindOf({ imports, exports, memories }: ModuleOutline): ModuleKind {
  const imported = new Set(imports.map(({ module, name }) => `${module}.${name}`));
  const exported = (name: string, kind = 'function') =>
    exports.some((entry) => entry.name === name && entry.kind === kind);
  const wide = memories[0]?.wordBits === 64;
  // The first emscripten family is minified: everything it needs comes from a module called `a`.
  if (!wide && imports.some(({ module }) => module === 'a')) return 'emscripten-wasm32';
  const word = wide ? 'i64' : 'i32';
  if (!fits(exports, 'handle', [word, word], word)) return 'bare';
  if (EMSCRIPTEN_MARKS.some((name) => imported.has(`env.${name}`))) {
    if (wide) return 'emscripten-wasm64-draft_2024_02_15';
    if (exported('asyncify_start_unwind') || exported('_emscripten_stack_alloc'))
      return 'emscripten-wasm32-4';
    if (imported.has('env.getTempRet0')) return 'emscripten-wasm32-2';
    return 'emscripten-wasm32-3';
  }
  if (!fits(exports, 'malloc', [word], word) || !exported('memory', 'memory')) return 'bare';
  const standalone = imports.every(
    ({ module, name }) => module === WASI || (module === 'env' && known(name)),
  );
  if (!standalone) return 'bare';
  return wide ? 'ao-standalone-wasm64' : 'ao-standalone-wasm32';
}

/** True if the module exports a function of exactly this signature. */
function fits(exports: readonly Export[], name: string, parameters: ValueType[], result: ValueType): boolean {
  const signature = exports.find((entry) => entry.name === name)?.signature;
  return (
    signature?.parameters.join() === parameters.join() &&
    signature.results.length === 1 &&
    signature.results[0] === result
  );
}

/** Imports of standalone modules beside WASI's (process.md §4.4). */
function known(name: string): boolean {
  return (
    name.startsWith('__syscall_') ||
    name.startsWith('invoke_') ||
    name.startsWith('__cxa_') ||
    ['_emscripten_system', '_emscripten_throw_longjmp', '__resumeException', 'abort', '_abort_js'].includes(
      name,
    )
  );
}

/** The kinds that a Module's format tag stands for (process.md §4.6). */
const FORMATS: Readonly<Record<string, readonly ModuleKind[]>> = {
  'wasm32-unknown-emscripten': ['emscripten-wasm32'],
  'wasm32-unknown-emscripten2': ['emscripten-wasm32-2'],
  'wasm32-unknown-emscripten3': ['emscripten-wasm32-3'],
  'wasm32-unknown-emscripten4': ['emscripten-wasm32-4'],
  'wasm32-unknown-emscripten-metering': ['emscripten-wasm32-4'],
  'wasm64-unknown-emscripten-draft_2024_02_15': [
    'emscripten-wasm64-draft_2024_02_15',
    'ao-standalone-wasm64',
    'ao-standalone-wasm32',
  ],
  'wasm64-unknown-emscripten-draft_2024_10_16-metering': ['emscripten-wasm64-draft_2024_02_15'],
};

/** True for the formats whose gas is counted by code that is put in when the module is loaded. */
export function metersAtLoad(format: string | undefined): boolean {
  return format !== undefined && format.endsWith('-metering');
}

/**
 * The kind, cross-checked with the format tag of the Module.
 * @throws AoError `module-format` (422) when the tag contradicts what the module imports
 */
export function kindWithFormat(inspection: ModuleInspection, format: string | undefined): ModuleKind {
  if (format === undefined || format === 'WASM' || format === 'wasm') return inspection.kind;
  const allowed = FORMATS[format];
  // Outside legacynet the tag is anybody's text, and nothing depends on it.
  if (!allowed && !inspection.kind.startsWith('emscripten')) return inspection.kind;
  if (!allowed)
    throw new AoError('module-format', `The module format ${JSON.stringify(format)} is not known.`, {
      status: 422,
    });
  if (!allowed.includes(inspection.kind))
    throw new AoError(
      'module-format',
      `The module is said to be ${JSON.stringify(format)}, but what it imports is that of ${inspection.kind}.`,
      { status: 422 },
    );
  return inspection.kind;
}

/** Why a process cannot be made of this module, in a sentence; undefined if it can. */
export function whyUnsupported(inspection: ModuleInspection): string | undefined {
  const { imports, exports } = inspection;
  if (imports.some(({ kind }) => kind === 'memory'))
    return 'The module expects its memory from the host; AO modules bring their own.';
  const strange = imports.find(({ kind }) => kind !== 'function');
  if (strange) return `The module imports a ${strange.kind} (${strange.module}.${strange.name}).`;
  if (inspection.kind !== 'bare') return undefined;
  const has = (name: string) => exports.some((entry) => entry.name === name);
  if (!has('memory')) return 'The module exports no memory, so no message can be handed to it.';
  if (!has('handle')) return 'The module exports no function "handle", so it does not answer AO messages.';
  if (!has('malloc')) return 'The module exports no function "malloc", so no message can be handed to it.';
  const foreign = imports.find(({ module, name }) => module !== WASI && !(module === 'env' && known(name)));
  return foreign
    ? `The module imports ${foreign.module}.${foreign.name}, which no AO host provides.`
    : 'The module follows no calling convention that AO knows.';
}
