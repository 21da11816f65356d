/** In what the emscripten families of legacynet, and the loaders that go with them, differ (process.md §4.6). */
import type { ModuleKind } from './engine.ts';

export interface Family {
  /** Most bytes that the loader lets the heap have. */
  readonly heapMaximum: number;
  /** The clock as the program sees it: a counter, or always 0. */
  readonly clock: 'counter' | 'zero';
  readonly environment: readonly string[];
  /** Marks at address 0 and at the end of the stack, by which its loader notices an overflow. */
  readonly marks: boolean;
  /** The loader makes the directory `/data` after start. */
  readonly dataDirectory: boolean;
  /** Whether the loader runs `main` at start, and with which arguments. */
  readonly main?: 'no arguments' | 'program name';
  /**
   * The generation of the first two families: an older C library, and a loader that reserves four bytes for each
   * UTF-16 unit of a text, whatever it needs.
   */
  readonly old?: true;
}

/** What a program without a name of its own is called. */
export const PROGRAM_NAME = './this.program';
const ENVIRONMENT = [
  'USER=web_user',
  'LOGNAME=web_user',
  'PATH=/',
  'PWD=/',
  'HOME=/home/web_user',
  'LANG=C.UTF-8',
  `_=${PROGRAM_NAME}`,
];

export const FAMILIES: Partial<Record<ModuleKind, Family>> = {
  'emscripten-wasm64-draft_2024_02_15': {
    heapMaximum: 17_179_869_184,
    clock: 'counter',
    environment: [],
    marks: true,
    dataDirectory: true,
  },
  'emscripten-wasm32-4': {
    heapMaximum: 4_294_901_760,
    clock: 'counter',
    environment: [],
    marks: true,
    dataDirectory: true,
  },
  'emscripten-wasm32-3': {
    heapMaximum: 4_294_901_760,
    clock: 'counter',
    environment: ENVIRONMENT,
    marks: true,
    dataDirectory: false,
    main: 'no arguments',
  },
  'emscripten-wasm32-2': {
    heapMaximum: 524_288_000,
    clock: 'zero',
    environment: ENVIRONMENT,
    marks: true,
    dataDirectory: false,
    main: 'program name',
    old: true,
  },
  'emscripten-wasm32': {
    heapMaximum: 524_288_000,
    clock: 'zero',
    environment: ENVIRONMENT,
    marks: false,
    dataDirectory: false,
    main: 'no arguments',
    old: true,
  },
};
