/**
 * Suspending an instrumented program in the middle of a call (Binaryen's Asyncify).
 *
 * An import that has to wait unwinds the program's frames into a buffer that the program's own `malloc` gives;
 * the call is then made again and rewinds to where it was. The buffer and its header are part of linear memory,
 * so its size and the order of allocations are the network loader's (vectors/legacy-aos.md).
 */
import type { LinearMemory, Word } from './linear-memory.ts';
import { NoMemory } from './program.ts';

type Callable = (...parameters: Word[]) => Word | undefined;

const STACK_BYTES = 41_943_040;

export class Asyncify {
  readonly #memory: () => LinearMemory;
  readonly #exports: () => WebAssembly.Exports;
  #state: 'normal' | 'unwinding' | 'rewinding' = 'normal';
  #data = 0;
  /** What the import that sleeps will answer; a promise until it is known. */
  #pending: number | Promise<number> = 0;

  constructor(memory: () => LinearMemory, exports: () => WebAssembly.Exports) {
    this.#memory = memory;
    this.#exports = exports;
  }

  /** Turns `start` into an import that suspends the program until its answer is there. */
  import(start: (...words: Word[]) => number | Promise<number>): (...words: Word[]) => number {
    return (...words) => {
      if (this.#state === 'rewinding') {
        this.#state = 'normal';
        this.#call('asyncify_stop_rewind');
        this.#call('free', this.#memory().pointer(this.#data));
        this.#data = 0;
        return this.#pending as number;
      }
      this.#pending = start(...words);
      this.#state = 'unwinding';
      this.#data = this.#allocate();
      this.#call('asyncify_start_unwind', this.#memory().pointer(this.#data));
      return 0;
    };
  }

  /** Makes a call and makes it again after each sleep, until it has really returned. */
  run(call: () => Word): Word | Promise<Word> {
    for (;;) {
      const result = call();
      if (this.#state !== 'unwinding') return result;
      this.#state = 'normal';
      this.#call('asyncify_stop_unwind');
      if (typeof this.#pending !== 'number') return this.#wait(call, this.#pending);
      this.#rewind();
    }
  }

  async #wait(call: () => Word, pending: Promise<number>): Promise<Word> {
    this.#pending = await pending;
    this.#rewind();
    return this.run(call);
  }

  #rewind(): void {
    this.#state = 'rewinding';
    this.#call('asyncify_start_rewind', this.#memory().pointer(this.#data));
  }

  /** Header: start and end of the saved stack, then the number of the function to call again (always the first, 0). */
  #allocate(): number {
    const before = this.#memory();
    const header = 2 * before.word + (before.word === 8 ? 8 : 4);
    const size = header + STACK_BYTES;
    const at = before.address(this.#call('malloc', before.wordBits === 64 ? BigInt(size) : size)!);
    if (at === 0) throw new NoMemory('The program has no room to suspend a call (40 MiB).');
    const memory = this.#memory();
    memory.writeWord(at, at + header);
    memory.writeWord(at + memory.word, at + header + STACK_BYTES);
    memory.writeInt(at + 2 * memory.word, 0);
    return at;
  }

  #call(name: string, ...words: Word[]): Word | undefined {
    return (this.#exports()[name] as Callable)(...words);
  }
}
