/**
 * The AO standalone ABI (process.md §4.3, §4.4): WASI and a few `env` functions, texts handed over through the
 * module's own `malloc`, nothing freed. Every import answers as in the reference (process.md §3.8): writing to
 * a file counts the octets, the clock answers errno 1 and writes nothing, everything else is 0.
 */
import type { Signature } from './binary.ts';
import { LinearMemory, utf8Bytes, type Word } from './linear-memory.ts';
import { Abort, NoMemory, Output, type Handled, type Program, type ProgramStart } from './program.ts';
import { instantiateModule } from './webassembly.ts';
import { invoker, longjmp } from './longjmp.ts';

type Callable = (...parameters: Word[]) => Word;

export class StandaloneProgram implements Program {
  readonly memory: LinearMemory;
  readonly exports: WebAssembly.Exports;
  readonly #output: Output;
  readonly #malloc: Callable;
  readonly #handle: Callable;

  private constructor(instance: WebAssembly.Instance, memory: LinearMemory, output: Output) {
    this.exports = instance.exports;
    this.memory = memory;
    this.#output = output;
    this.#malloc = instance.exports.malloc as Callable;
    this.#handle = instance.exports.handle as Callable;
  }

  static async start(start: ProgramStart): Promise<StandaloneProgram> {
    const output = new Output();
    const late: { memory?: LinearMemory; exports?: WebAssembly.Exports } = {};
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const [path, signature] of start.importSignatures) {
      const dot = path.indexOf('.');
      const module = path.slice(0, dot);
      const name = path.slice(dot + 1);
      (imports[module] ??= {})[name] = importFor(name, signature, late, output);
    }
    const instance = await instantiateModule(start.module, imports);
    const memory = instance.exports.memory;
    late.exports = instance.exports;
    late.memory = new LinearMemory(memory as WebAssembly.Memory, start.inspection.wordBits);
    return new StandaloneProgram(instance, late.memory, output);
  }

  handle(message: string, environment: string): Handled {
    const first = this.#put(message);
    const second = this.#put(environment);
    const { memory } = this;
    const reply = this.#handle(memory.pointer(first), memory.pointer(second));
    return { message: first, environment: second, reply: memory.address(reply) };
  }

  #put(text: string): number {
    const octets = utf8Bytes(text);
    const { memory } = this;
    const size = octets.length + 1;
    const at = memory.address(this.#malloc(memory.wordBits === 64 ? BigInt(size) : size));
    if (at === 0 || at + size > memory.byteLength)
      throw new NoMemory(`The module has no room for a text of ${size} bytes.`);
    memory.writeText(at, octets);
    return at;
  }

  takeOutput(): string {
    return this.#output.take();
  }

  hostState(): Record<string, string> {
    return {};
  }

  restoreHost(): void {
    // Nothing is remembered outside memory.
  }
}

function importFor(
  name: string,
  signature: Signature,
  late: { memory?: LinearMemory; exports?: WebAssembly.Exports },
  output: Output,
): WebAssembly.ImportValue {
  const zero = zeroOf(signature);
  if (name === 'proc_exit')
    return (code: Word) => {
      throw new Abort(`The program ended itself with code ${code}.`);
    };
  if (name === 'abort' || name === '_abort_js' || name === '__resumeException')
    return () => {
      throw new Abort('The program called abort().');
    };
  if (name === 'clock_time_get') return () => 1;
  if (name === 'fd_write')
    return (file: Word, vectors: Word, count: Word, written: Word) =>
      writeVectors(late.memory!, output, Number(file), vectors, count, written);
  if (name === '_emscripten_throw_longjmp') return longjmp;
  if (name.startsWith('invoke_')) return invoker(name, signature, () => late.exports!);
  return () => zero;
}

/** WASI `fd_write`: descriptors 1 and 2 are the output, of any other the octets are only counted. */
function writeVectors(
  memory: LinearMemory,
  output: Output,
  file: number,
  vectors: Word,
  count: Word,
  written: Word,
): number {
  let at = memory.address(vectors);
  let total = 0;
  for (let left = Number(count); left > 0; left--) {
    const from = memory.readWord(at);
    const length = memory.readWord(at + memory.word);
    if (file === 1 || file === 2) output.write(memory.bytes.subarray(from, from + length));
    total += length;
    at += 2 * memory.word;
  }
  memory.writeWord(memory.address(written), total);
  return 0;
}

export function zeroOf(signature: Signature): Word | undefined {
  const type = signature.results[0];
  return type === undefined ? undefined : type === 'i64' ? 0n : 0;
}
