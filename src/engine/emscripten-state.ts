import { Files } from './emscripten-files.ts';
import { utf8Bytes } from './linear-memory.ts';
import type { Output } from './program.ts';

/** First value of the clock counter in every instance, in milliseconds. */
const CLOCK_START = 10_000;

/** What the host remembers between messages. */
export class HostState {
  clock = CLOCK_START;
  /** The clock's value once the instance is ready. */
  bootClock = CLOCK_START;
  gasUsed = 0;
  temporary = 0;
  readonly gasLimit: number;
  readonly #output: Output;
  #files: Files | undefined;
  #lastText = '';
  #lastOctets = new Uint8Array(0);

  constructor(output: Output, gasLimit: number | undefined) {
    this.#output = output;
    this.gasLimit = gasLimit ?? Infinity;
  }

  readonly tick = (): number => this.clock++;
  #done = new Set<string>();

  /** Does something once in the life of an instance. */
  once(name: string, act: () => void): void {
    if (this.#done.has(name)) return;
    this.#done.add(name);
    act();
  }

  startFiles(): void {
    this.#files = new Files(this.tick, this.#output);
  }

  get files(): Files {
    if (!this.#files) this.startFiles();
    return this.#files!;
  }

  /** UTF-8 of the environment, which hardly ever changes between messages. */
  encode(text: string): Uint8Array {
    if (text !== this.#lastText) {
      this.#lastText = text;
      this.#lastOctets = utf8Bytes(text);
    }
    return this.#lastOctets;
  }

  save(): Record<string, string> {
    const files = this.files.save();
    return {
      ...(this.clock === this.bootClock ? {} : { clock: String(this.clock) }),
      ...(files ? { files } : {}),
      ...(this.#done.size ? { done: [...this.#done].join(',') } : {}),
    };
  }

  load(saved: Readonly<Record<string, string>>, dataDirectory: boolean): void {
    this.#done = new Set(saved.done?.split(','));
    this.clock = CLOCK_START;
    this.startFiles();
    if (dataDirectory) this.files.makeDirectory('/data', 0o777);
    this.files.touched = false;
    if (saved.files) this.files.load(saved.files);
    this.clock = saved.clock === undefined ? this.bootClock : Number(saved.clock);
  }
}
