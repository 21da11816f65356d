/**
 * Small programs of every legacynet family (process.md §4.6), as WebAssembly text: what a published module of each is
 * built on, a few instructions each, where the module itself is large or not to be had.
 *
 * A program answers by the first letter of the message, or of its `Data` where the message is JSON:
 *   `c` counts its messages in memory; `x` counts and then traps; `a` counts and aborts
 *   `n` whether the clock went on between two looks at it
 *   `l` what comes back after a longjmp through `invoke_*` (5)
 *   `p` prints; `g` asks for a byte more heap than there is (1 if it got it)
 *   `s` turns a loop a thousand times; `w` reads the drive's file whose path is in the message
 */

export type FamilyName = '1' | '2' | '3' | '4' | '64';

/** Pages of memory at the start. */
export const INITIAL_PAGES = 32;
const MAXIMUM_PAGES = 100;

/** Where things are. */
const COUNT = 2048;
const REPLY = 4096;
const PATH = 8192;
const STACK_END = 65_536;
const STACK_BASE = 524_288;
/** What `malloc` answers, always: the block for a suspended call, of which these programs use the header alone. */
const HEAP = 1_048_576;

const PREFIX = '{"ok":true,"response":{"Output":{"data":"';
const SUFFIX = '"}}}';

/** Names of the first family (process.md §4.6). */
const SHORT: Readonly<Record<string, string>> = {
  emscripten_date_now: 'a',
  fd_write: 'f',
  _emscripten_throw_longjmp: 'p',
  emscripten_resize_heap: 'q',
  invoke: 'x',
  abort: 'D',
  memory: 'E',
  __wasm_call_ctors: 'F',
  handle: 'G',
  main: 'H',
  __indirect_function_table: 'I',
  malloc: 'J',
  setThrew: 'L',
  stackSave: 'M',
  stackRestore: 'N',
  stackAlloc: 'O',
};

export function emscriptenProgram(family: FamilyName): string {
  const wide = family === '64';
  const W = wide ? 'i64' : 'i32';
  const at = (address: number) => `(${W}.const ${address})`;
  const drive = family === '4' || wide;
  const name = (long: string) => (family === '1' ? SHORT[long]! : long);
  const from = (module: string, long: string) =>
    family === '1' ? `"a" "${SHORT[long]!}"` : `"${module}" "${long}"`;
  const invoke =
    family === '1' ? '"a" "x"' : `"env" "invoke_vi${family === '2' || family === '3' ? '' : 'i'}"`;
  const invoked = family === '2' || family === '3' ? `${W}` : `${W} ${W}`;
  const save = drive ? 'emscripten_stack_get_current' : name('stackSave');
  const restore = drive ? '_emscripten_stack_restore' : name('stackRestore');
  const allocate = drive ? '_emscripten_stack_alloc' : name('stackAlloc');
  const text = (value: string) => value.replaceAll('"', '\\22');
  const digit = (value: string) =>
    `(i32.store8 ${at(REPLY + PREFIX.length)} (i32.add (i32.const 48) ${value})) (call $end ${at(1)})`;
  const when = (letter: string, body: string) =>
    `(if (i32.eq (local.get $c) (i32.const ${letter.charCodeAt(0)})) (then ${body} (return ${at(REPLY)})))`;
  const count = `(i32.store ${at(COUNT)} (i32.add (i32.load ${at(COUNT)}) (i32.const 1)))`;
  const old = family === '1' || family === '2';
  return `(module
    (import ${from('env', 'emscripten_resize_heap')} (func $resize (param ${W}) (result i32)))
    (import ${from('env', 'emscripten_date_now')} (func $now (result f64)))
    (import ${invoke} (func $invoke (param ${W} ${invoked})))
    (import ${from('env', '_emscripten_throw_longjmp')} (func $throw))
    (import ${from('env', 'abort')} (func $abort))
    (import ${from('wasi_snapshot_preview1', 'fd_write')} (func $write (param i32 ${W} ${W} ${W}) (result i32)))
    ${family === '2' ? '(import "env" "getTempRet0" (func (result i32)))' : ''}
    ${old ? '(import "metering" "usegas" (func $gas (param i32)))' : ''}
    ${
      drive
        ? `(import "env" "__asyncjs__weavedrive_open" (func $open (param ${W} ${W}) (result i32)))
    (import "env" "__asyncjs__weavedrive_read" (func $read (param i32 ${W} ${W}) (result i32)))
    (import "env" "__asyncjs__weavedrive_close" (func $close (param i32) (result i32)))`
        : ''
    }
    (memory (export "${name('memory')}") ${wide ? 'i64 ' : ''}${INITIAL_PAGES} ${MAXIMUM_PAGES})
    (table (export "${name('__indirect_function_table')}") 1 funcref)
    (elem (i32.const 0) $jump)
    (global $sp (mut ${W}) ${at(STACK_BASE)})
    (global $threw (mut ${W}) ${at(0)})
    (data ${at(REPLY)} "${text(PREFIX)}")
    (data ${at(STACK_END - 1024)} "${text(SUFFIX)}\\00\\00\\00\\00")
    (data ${at(STACK_END - 512)} "printed")
    (data ${at(STACK_END - 256)} "${pointer(STACK_END - 512, wide)}${pointer(7, wide)}")
    (func $jump (param ${invoked}) (call $throw))
    (func (export "${name('__wasm_call_ctors')}"))
    (func (export "${name('main')}") (param i32 i32) (result i32) (i32.const 0))
    (func (export "${name('malloc')}") (param ${W}) (result ${W}) ${at(HEAP)})
    (func (export "free") (param ${W}))
    (func (export "${name('setThrew')}") (param ${W} i32) (global.set $threw (local.get 0)))
    (func (export "${save}") (result ${W}) (global.get $sp))
    (func (export "${restore}") (param ${W}) (global.set $sp (local.get 0)))
    (func (export "${allocate}") (param ${W}) (result ${W})
      (global.set $sp (${W}.and (${W}.sub (global.get $sp) (local.get 0)) (${W}.const -16)))
      (global.get $sp))
    ${
      family === '1'
        ? ''
        : `(func (export "emscripten_stack_init"))
    (func (export "emscripten_stack_get_end") (result ${W}) ${at(STACK_END)})
    (func (export "emscripten_stack_get_base") (result ${W}) ${at(STACK_BASE)})
    (func (export "emscripten_stack_get_free") (result ${W}) (${W}.sub (global.get $sp) ${at(STACK_END)}))`
    }
    ${drive ? asyncify(W) : ''}
    (func $end (param $length ${W})
      (i64.store (${W}.add ${at(REPLY + PREFIX.length)} (local.get $length)) (i64.load ${at(STACK_END - 1024)})))
    (func $turn (local $i i32)
      (loop $next
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        ${old ? '(call $gas (i32.const 1000))' : ''}
        (br_if $next (i32.lt_u (local.get $i) (i32.const 1000)))))
    (func (export "${name('handle')}") (param $m ${W}) (param $e ${W}) (result ${W})
      (local $c i32)
      ${findData(W)}
      (local.set $c (i32.load8_u (local.get $m)))
      ${when('c', `${count} ${digit(`(i32.load ${at(COUNT)})`)}`)}
      ${when('x', `${count} (unreachable)`)}
      ${when('a', `${count} (call $abort)`)}
      ${when('n', digit('(f64.lt (call $now) (call $now))'))}
      ${when(
        'l',
        `(call $invoke ${at(0)} ${invoked
          .split(' ')
          .map(() => at(7))
          .join(' ')})
         ${digit(`(i32.add (i32.const 4) ${wide ? '(i32.wrap_i64 (global.get $threw))' : '(global.get $threw)'})`)}`,
      )}
      ${when(
        'p',
        `(drop (call $write (i32.const 1) ${at(STACK_END - 256)} ${at(1)} ${at(STACK_END - 128)})) ${digit('(i32.const 0)')}`,
      )}
      ${when('g', digit(`(call $resize (${W}.add (${W}.mul (memory.size) ${at(65_536)}) ${at(1)}))`))}
      ${when('s', `(call $turn) ${digit('(i32.const 0)')}`)}
      ${drive ? when('w', '(call $drive (local.get $m))') : ''}
      (unreachable)))`;
}

function pointer(value: number, wide: boolean): string {
  const bytes = wide ? 8 : 4;
  return Array.from({ length: bytes }, (_, i) => {
    const byte = Math.floor(value / 2 ** (8 * i)) % 256;
    return `\\${byte.toString(16).padStart(2, '0')}`;
  }).join('');
}

/** Moves on to what stands behind `"Data":"` in a message that is JSON. */
function findData(W: 'i32' | 'i64'): string {
  const on = (count: number) => `(local.set $m (${W}.add (local.get $m) (${W}.const ${count})))`;
  return `(if (i32.eq (i32.load8_u (local.get $m)) (i32.const 123)) (then
        (block $found (loop $next
          (br_if $found (i64.eq (i64.load (local.get $m)) (i64.const 0x223a226174614422)))
          ${on(1)} (br $next)))
        ${on(8)}))`;
}

/**
 * Suspending as Binaryen's pass has it, by hand: while the state is not 0 a function returns at once, and is called
 * again later. How far it came is in globals.
 */
function asyncify(W: 'i32' | 'i64'): string {
  const at = (address: number) => `(${W}.const ${address})`;
  const add = (a: string, b: string) => `(${W}.add ${a} ${b})`;
  const long = (value: string) => (W === 'i64' ? `(i64.extend_i32_u ${value})` : value);
  return `
    (global $state (mut i32) (i32.const 0))
    (global $step (mut i32) (i32.const 0))
    (global $fd (mut i32) (i32.const 0))
    (global $length (mut i32) (i32.const 0))
    (func (export "asyncify_start_unwind") (param ${W}) (global.set $state (i32.const 1)))
    (func (export "asyncify_stop_unwind") (global.set $state (i32.const 0)))
    (func (export "asyncify_start_rewind") (param ${W}) (global.set $state (i32.const 2)))
    (func (export "asyncify_stop_rewind") (global.set $state (i32.const 0)))
    (func $path (param $m ${W}) (local $to ${W}) (local $c i32)
      (block $found (loop $next
        (br_if $found (i32.eq (i32.load8_u (local.get $m)) (i32.const 47)))
        (local.set $m ${add('(local.get $m)', at(1))})
        (br $next)))
      (local.set $to ${at(PATH)})
      (block $done (loop $next
        (local.set $c (i32.load8_u (local.get $m)))
        (br_if $done (i32.or (i32.eqz (local.get $c)) (i32.eq (local.get $c) (i32.const 34))))
        (i32.store8 (local.get $to) (local.get $c))
        (local.set $m ${add('(local.get $m)', at(1))})
        (local.set $to ${add('(local.get $to)', at(1))})
        (br $next)))
      (i32.store8 (local.get $to) (i32.const 0)))
    (func $drive (param $m ${W}) (local $answer i32)
      (if (i32.eqz (global.get $step)) (then
        (call $path (local.get $m))
        (local.set $answer (call $open ${at(PATH)} ${at(PATH)}))
        (if (i32.eq (global.get $state) (i32.const 1)) (then (return)))
        (global.set $fd (local.get $answer))
        (global.set $length (i32.const 0))
        (global.set $step (i32.const 1))))
      (if (global.get $fd) (then
        (if (i32.eq (global.get $step) (i32.const 1)) (then
          (local.set $answer (call $read (global.get $fd) ${at(REPLY + PREFIX.length)} ${at(1024)}))
          (if (i32.eq (global.get $state) (i32.const 1)) (then (return)))
          (global.set $length (local.get $answer))
          (global.set $step (i32.const 2))))
        (drop (call $close (global.get $fd)))
        (if (i32.eq (global.get $state) (i32.const 1)) (then (return)))))
      (global.set $step (i32.const 0))
      (call $end ${long('(global.get $length)')}))`;
}
