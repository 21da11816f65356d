/**
 * The legacynet processes of other schedulers that a user runs here: started, watched, paused, and gone on with after the
 * node moved or the page was reloaded.
 */
import { AoError } from '../../base/errors.ts';
import { textOf } from '../../device/values.ts';
import type { CheckpointInfo, Followed, FollowOptions } from '../../protocol/api.ts';
import type { NodeContext } from '../../resolver/node-context.ts';
import { findCheckpoints } from './checkpoints.ts';
import { forgetPushed } from './follow-push.ts';
import { changed, FollowRun, type Changes } from './follow-run.ts';
import { GatewayClient } from './gateway-client.ts';
import { unitUrl } from './json-fetch.ts';

const PREFIX = 'followed';
/** Pages are told of progress, and it is written down, at most this often, milliseconds. */
const TELL = 250;
const MAX_TRUSTED = 64;
const ID = /^[A-Za-z0-9_-]{43}$/;

export class Followings {
  readonly #context: NodeContext;
  readonly #known = new Map<string, Followed>();
  readonly #running = new Map<string, { readonly stop: AbortController; readonly done: Promise<void> }>();
  readonly #told = new Map<string, number>();
  readonly #ready: Promise<void>;
  #closed = false;

  constructor(context: NodeContext) {
    this.#context = context;
    this.#ready = this.#restore();
    this.#ready.catch(() => undefined);
  }

  /** Those that were under way when the node stopped go on. */
  async #restore(): Promise<void> {
    const range = { from: [PREFIX], to: [PREFIX, '\uffff'] };
    for (const { value } of await this.#context.store.range<Followed>('node', range)) {
      this.#known.set(value.id, value);
      if (value.state === 'running' || value.state === 'waiting') this.#run(value);
    }
  }

  async list(): Promise<Followed[]> {
    await this.#ready;
    return [...this.#known.values()].sort((a, b) => b.startedAt - a.startedAt);
  }

  /** @throws AoError `bad-id`, `bad-url`, `bad-address`, `bad-number`, `own-schedule` (409) */
  async start(process: string, options: FollowOptions = {}): Promise<Followed> {
    await this.#ready;
    if (!ID.test(process)) throw new AoError('bad-id', 'The ID of a process has 43 characters.');
    const checked = checkedOptions(options);
    const known = this.#known.get(process);
    await this.#halt(process);
    const pushes = checked.push !== undefined && checked.push === known?.options.push;
    const { compare } = checked;
    const before = known?.options.compare;
    const compares = compare && compare.url === before?.url && compare.every === before.every;
    const record = changed(
      known ?? {
        id: process,
        options: checked,
        state: 'running',
        phase: 'locating',
        head: -1,
        audited: -1,
        computed: -1,
        rate: 0,
        notes: [],
        startedAt: this.#context.clock.now(),
      },
      {
        options: checked,
        state: 'running',
        error: undefined,
        ...(compares ? {} : { comparison: undefined }),
      },
    );
    if (!pushes) await this.#context.store.write([forgetPushed(process)], { durable: true });
    await this.#keep(record);
    this.#run(record);
    return record;
  }

  async pause(process: string): Promise<void> {
    await this.#ready;
    const found = this.#find(process);
    await this.#halt(process);
    if (found.state !== 'failed')
      await this.#keep(changed(this.#find(process), { state: 'paused', rate: 0 }));
  }

  async resume(process: string): Promise<void> {
    await this.#ready;
    const found = this.#find(process);
    if (this.#running.has(process)) return;
    const record = changed(found, { state: 'running', error: undefined });
    await this.#keep(record);
    this.#run(record);
  }

  /** Stops following and forgets that it was; answers whether it was followed. */
  async stop(process: string): Promise<boolean> {
    await this.#ready;
    if (!this.#known.has(process)) return false;
    await this.#halt(process);
    this.#known.delete(process);
    await this.#context.store.write([{ table: 'node', key: [PREFIX, process] }, forgetPushed(process)], {
      durable: true,
    });
    this.#tell(process);
    return true;
  }

  async checkpoints(
    process: string,
    { gateway, trust }: Pick<FollowOptions, 'gateway' | 'trust'> = {},
  ): Promise<CheckpointInfo[]> {
    if (!ID.test(process)) throw new AoError('bad-id', 'The ID of a process has 43 characters.');
    const url = gateway ?? textOf(this.#context.option('gateway')) ?? 'https://arweave.net';
    const found = await findCheckpoints(process, trust, new GatewayClient(url, this.#context), this.#context);
    return found.map(({ node: _node, ...info }) => info);
  }

  /** Ends what is under way, without saying so: it goes on when the node starts again. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running.keys()].map((process) => this.#halt(process)));
  }

  #find(process: string): Followed {
    const found = this.#known.get(process);
    if (found) return found;
    throw new AoError('not-followed', 'This process is not followed here.', {
      status: 404,
      detail: { process },
    });
  }

  async #halt(process: string): Promise<void> {
    const running = this.#running.get(process);
    running?.stop.abort();
    await running?.done;
  }

  #run(record: Followed): void {
    const { id } = record;
    const stop = new AbortController();
    const update = (change: Changes) => {
      const known = this.#known.get(id);
      if (!known || this.#closed) return;
      this.#known.set(id, changed(known, change));
      this.#later(id);
    };
    const done = this.#ended(record, stop.signal, update).finally(() => this.#running.delete(id));
    this.#running.set(id, { stop, done });
  }

  async #ended(record: Followed, signal: AbortSignal, tell: (change: Changes) => void): Promise<void> {
    try {
      await new FollowRun(record, this.#context, { tell, signal }).run();
    } catch (thrown) {
      const error = AoError.wrap(thrown);
      const known = this.#known.get(record.id);
      if (signal.aborted || !known || this.#closed) return;
      const { slot, evidence } = error.detail as { slot?: unknown; evidence?: unknown };
      await this.#keep(
        changed(known, {
          state: 'failed',
          rate: 0,
          error: {
            code: error.code,
            message: error.message,
            ...(typeof slot === 'number' ? { slot } : {}),
            ...(typeof evidence === 'string' ? { evidence } : {}),
          },
        }),
      );
    }
  }

  /** Says and writes what changed, not with every slot. */
  #later(id: string): void {
    const now = performance.now();
    if (now - (this.#told.get(id) ?? -Infinity) < TELL && this.#known.get(id)?.state !== 'waiting') return;
    this.#told.set(id, now);
    const record = this.#known.get(id);
    if (record) void this.#keep(record).catch(() => undefined);
  }

  async #keep(record: Followed): Promise<void> {
    this.#known.set(record.id, record);
    await this.#context.store.write([{ table: 'node', key: [PREFIX, record.id], value: record }]);
    this.#tell(record.id);
  }

  #tell(process: string): void {
    this.#context.report({ type: 'followed', process });
  }
}

/** @throws AoError `bad-url`, `bad-address`, `bad-number` */
function checkedOptions({ gateway, scheduler, trust, push, compare }: FollowOptions): FollowOptions {
  if (trust && (trust.length > MAX_TRUSTED || !trust.every((address) => ID.test(address))))
    throw new AoError('bad-address', `Signers are trusted by their addresses, at most ${MAX_TRUSTED}.`);
  const every = compare?.every ?? 1;
  if (!Number.isSafeInteger(every) || every < 1)
    throw new AoError(
      'bad-number',
      'Of every how many messages the result is compared is a whole number from 1 on.',
    );
  return {
    ...(gateway ? { gateway: unitUrl(gateway) } : {}),
    ...(scheduler ? { scheduler: unitUrl(scheduler) } : {}),
    ...(trust?.length ? { trust: [...trust] } : {}),
    ...(push ? { push: push === 'here' ? push : unitUrl(push) } : {}),
    ...(compare ? { compare: { url: unitUrl(compare.url), every } } : {}),
  };
}
