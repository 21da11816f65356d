/**
 * A WASM machine of a few lines, for tests of what is around one: it keeps a running total in its memory and
 * answers the JSON of AO messages. Tags of the message say what it shall do besides.
 */
import { AoError } from '../../src/base/errors.ts';
import { toBase64Url } from '../../src/base/bytes.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import {
  PAGE_BYTES,
  type EvaluateOptions,
  type Evaluation,
  type MemoryImage,
  type SnapshotDelta,
  type WasmEngine,
  type WasmStart,
} from '../../src/engine/engine.ts';
import type { Engines } from '../../src/resolver/context.ts';

interface Struct {
  Tags: { name: string; value: string }[];
}

export interface FakeLog {
  /** Machines that were started, with the total that each began with. */
  readonly started: number[];
  /** Messages that were evaluated, by their `By` tag. */
  readonly evaluated: string[];
  closed: number;
  snapshots: number;
  /** Called before each evaluation; may wait or throw. */
  before?: ((tags: Map<string, string>) => Promise<void> | void) | undefined;
  /** Told of the text of every message. */
  text?: ((message: string) => void) | undefined;
}

class FakeMachine implements WasmEngine {
  readonly inspection = {} as WasmEngine['inspection'];
  readonly #log: FakeLog;
  #total: number;
  #saved: number | undefined;
  #dead: AoError | undefined;

  constructor(total: number, log: FakeLog, restored: boolean) {
    this.#total = total;
    this.#log = log;
    this.#saved = restored ? total : undefined;
    log.started.push(total);
  }

  async evaluate(message: string, _environment: string, options: EvaluateOptions = {}): Promise<Evaluation> {
    if (this.#dead) throw this.#dead;
    const { Tags } = JSON.parse(message) as Struct;
    const tags = new Map(Tags.map(({ name, value }) => [name, value]));
    const by = tags.get('By') ?? '0';
    this.#log.evaluated.push(by);
    this.#log.text?.(message);
    await this.#log.before?.(tags);
    if (this.#dead) throw this.#dead;
    const action = tags.get('Action');
    if (action === 'Forever') {
      this.#dead = new AoError('runaway', 'The program did not come back.', { status: 503 });
      throw this.#dead;
    }
    const before = this.#total;
    this.#total += Number(by);
    if (action === 'Trap') {
      if (options.onError === 'restore') this.#total = before;
      return { ok: false, reason: 'trap', error: 'unreachable', output: '' };
    }
    const response: Record<string, unknown> =
      action === 'Error'
        ? { Error: 'as asked' }
        : {
            Output: { data: String(this.#total) },
            Messages: sent(action, tags),
            ...asked(action, tags),
          };
    if (response.Error && options.replyErrorIsFailure) this.#total = before;
    return {
      ok: true,
      reply:
        action === 'Large'
          ? `{"ok":true,"response":{"Output":{"data":${by}},"Messages":[{"Amount":${by}}]}}`
          : JSON.stringify({ ok: action !== 'NotOk', response }),
      output: action === 'Print' ? 'printed' : '',
      pointers: { message: '16', environment: '32', reply: '64' },
    };
  }

  async evaluateAll(
    messages: readonly { message: string; environment: string }[],
    options: EvaluateOptions & { stopAtFailure?: boolean } = {},
  ): Promise<Evaluation[]> {
    const out: Evaluation[] = [];
    for (const { message, environment } of messages) {
      const evaluation = await this.evaluate(message, environment, options);
      out.push(evaluation);
      if (!evaluation.ok && options.stopAtFailure) break;
    }
    return out;
  }

  call(): Promise<never> {
    return Promise.reject(new AoError('no-call', 'Not here.'));
  }

  async snapshot(): Promise<SnapshotDelta> {
    if (this.#dead) throw this.#dead;
    this.#log.snapshots++;
    const bytes = pageOf(this.#total);
    const changed =
      this.#saved === this.#total ? [] : [{ index: 0, hash: toBase64Url(sha256(bytes)), bytes }];
    this.#saved = this.#total;
    return { byteLength: PAGE_BYTES, changed, globals: {} };
  }

  async digest() {
    return { sha256: String(this.#total), byteLength: PAGE_BYTES };
  }

  async image(): Promise<MemoryImage> {
    return { byteLength: PAGE_BYTES, pages: [{ index: 0, bytes: pageOf(this.#total) }], globals: {} };
  }

  async close(): Promise<void> {
    this.#log.closed++;
    this.#dead ??= new AoError('engine-closed', 'This machine was closed.', { status: 503 });
  }
}

/** `Send` tells another process to add `Next`; `Ask` tells it to send `Next` back to `Me`. */
function sent(action: string | undefined, tags: Map<string, string>): unknown[] {
  const next = tags.get('Next');
  if (action === 'Send') return [{ Target: tags.get('To'), Tags: sentTags(next) }];
  if (action !== 'Ask') return [];
  const back = { Action: 'Send', To: tags.get('Me') ?? '', Next: next ?? '0' };
  return [{ Target: tags.get('To'), Tags: Object.entries(back).map(([name, value]) => ({ name, value })) }];
}

/** `Spawn` asks for a process of its module; `Assign` for `Item` to be assigned to all in `To`. */
function asked(action: string | undefined, tags: Map<string, string>): Record<string, unknown> {
  if (action === 'Spawn') return { Spawns: [{ Tags: [{ name: 'By', value: '50' }], Data: 'born' }] };
  if (action !== 'Assign') return {};
  return { Assignments: [{ Processes: tags.get('To')?.split(' '), Message: tags.get('Item') }] };
}

function sentTags(next: string | undefined): { name: string; value: string }[] {
  const action = { name: 'Action', value: 'Add' };
  return next === undefined ? [action] : [action, { name: 'By', value: next }];
}

/** The first page of a memory that holds a total; never all zero. */
function pageOf(total: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PAGE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, total);
  bytes[8] = 1;
  return bytes;
}

export function fakeEngines(): { engines: Engines; log: FakeLog } {
  const log: FakeLog = { started: [], evaluated: [], closed: 0, snapshots: 0 };
  const engines: Engines = {
    async startWasm({ memory }: WasmStart) {
      const page = memory?.pages[0]?.bytes;
      const total = page ? new DataView(page.buffer).getFloat64(0) : 0;
      return new FakeMachine(total, log, memory !== undefined);
    },
    startLua: () => Promise.reject(new AoError('no-lua', 'Not here.')),
  };
  return { engines, log };
}
