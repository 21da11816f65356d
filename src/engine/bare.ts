/**
 * A module with no calling convention: its exports can be called one by one (`wasm-64@1.0` without JSON). An
 * import that nobody provides answers 0, as in the reference (process.md §3.10, `import`).
 */
import { LinearMemory } from './linear-memory.ts';
import { Abort, type Handled, type Program, type ProgramStart } from './program.ts';
import { zeroOf } from './standalone.ts';
import { instantiateModule } from './webassembly.ts';

export class BareProgram implements Program {
  readonly memory: LinearMemory;
  readonly exports: WebAssembly.Exports;

  private constructor(exports: WebAssembly.Exports, memory: LinearMemory) {
    this.exports = exports;
    this.memory = memory;
  }

  static async start(start: ProgramStart): Promise<BareProgram> {
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const [path, signature] of start.importSignatures) {
      const dot = path.indexOf('.');
      const zero = zeroOf(signature);
      (imports[path.slice(0, dot)] ??= {})[path.slice(dot + 1)] = () => zero;
    }
    const { exports } = await instantiateModule(start.module, imports);
    const found = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
    // Without a memory of its own a module has an empty one, so that digests and snapshots have a meaning.
    const memory = found ?? new WebAssembly.Memory({ initial: 0 });
    return new BareProgram(exports, new LinearMemory(memory, found ? start.inspection.wordBits : 32));
  }

  handle(): Handled {
    throw new Abort('The module does not answer AO messages.');
  }

  takeOutput(): string {
    return '';
  }

  hostState(): Record<string, string> {
    return {};
  }

  restoreHost(): void {
    // Nothing is remembered outside memory.
  }
}
