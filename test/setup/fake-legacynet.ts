/** A legacynet in memory for tests: gateway and scheduler unit over the node's own transport, and ways to make them lie. */
import { concatBytes, fromBase64, toBase64Url, toBytes, toHex, utf8 } from '../../src/base/bytes.ts';
import { AoError } from '../../src/base/errors.ts';
import { DataItem } from '../../src/codec/ans104-item.ts';
import { createItem, ethereumSigner, rsaSigner, type ItemSigner } from '../../src/commitment/ans104-sign.ts';
import { EthereumKey } from '../../src/crypto/ecdsa.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { RsaWallet } from '../../src/crypto/wallet.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../src/resolver/context.ts';

export const GATEWAY = 'http://gateway.test';
export const SCHEDULER = 'http://scheduler.test';
export const MESSENGER = 'http://messenger.test';
export const COMPUTE = 'http://compute.test';

type Tags = readonly (readonly [string, string])[];
type Json = Record<string, unknown>;

/** A module without a function: machines in tests that look at it do not run it. */
export const EMPTY_MODULE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

let keys: Promise<{ scheduler: RsaWallet; user: EthereumKey }> | undefined;

export interface FakeOptions {
  readonly module?: Uint8Array;
  readonly format?: string;
  readonly encoding?: string;
  readonly moduleTags?: Tags;
  readonly processTags?: Tags;
  /** Block of everything. */
  readonly height?: number;
  /** The process has a slot of its own (default true). */
  readonly assignsProcess?: boolean;
}

export class FakeLegacynet {
  readonly scheduler: RsaWallet;
  readonly user: ItemSigner;
  readonly process: DataItem;
  readonly module: DataItem;
  readonly items = new Map<string, DataItem>();
  readonly slots: { message: DataItem | null; assignment: DataItem }[] = [];
  /** Every request that came, as `METHOD URL`. */
  readonly asked: string[] = [];
  /** Items that the messenger took. */
  readonly handedOver: DataItem[] = [];
  /** What the messenger was asked to assign: `MESSAGE to PROCESS`. */
  readonly assigned: string[] = [];
  /** Slots that the scheduler shows at once at most. */
  pageSize = Infinity;
  /** What the compute unit answers for a message. */
  readonly results = new Map<string, unknown>();
  /** Changes what a route answers, by its URL; or answers in its place. */
  tamper: (url: URL, reply: unknown) => unknown = (_url, reply) => reply;
  answer: (url: URL) => HttpResponse | Error | undefined = () => undefined;
  readonly #height: number;
  #hash = '';
  #time = 1_700_000_000_000;

  private constructor(
    scheduler: RsaWallet,
    user: ItemSigner,
    module: DataItem,
    process: DataItem,
    height: number,
  ) {
    this.scheduler = scheduler;
    this.user = user;
    this.module = module;
    this.process = process;
    this.#height = height;
    for (const item of [module, process]) this.items.set(item.idText, item);
  }

  static async create(options: FakeOptions = {}): Promise<FakeLegacynet> {
    keys ??= RsaWallet.generate().then((scheduler) => ({ scheduler, user: EthereumKey.generate() }));
    const { scheduler, user } = await keys;
    const signer = ethereumSigner(user);
    const module = await createItem(
      {
        data: options.module ?? EMPTY_MODULE,
        tags: list([
          ['Data-Protocol', 'ao'],
          ['Variant', 'ao.TN.1'],
          ['Type', 'Module'],
          ['Module-Format', options.format ?? 'wasm64-unknown-emscripten-draft_2024_02_15'],
          ['Input-Encoding', options.encoding ?? 'JSON-1'],
          ['Output-Encoding', 'JSON-1'],
          ['Memory-Limit', '1-gb'],
          ...(options.moduleTags ?? []),
        ]),
      },
      signer,
    );
    const process = await createItem(
      {
        data: '1984',
        tags: list([
          ['Data-Protocol', 'ao'],
          ['Variant', 'ao.TN.1'],
          ['Type', 'Process'],
          ['Module', module.idText],
          ['Scheduler', scheduler.address],
          ['Name', 'Followed'],
          ...(options.processTags ?? []),
        ]),
      },
      signer,
    );
    const made = new FakeLegacynet(scheduler, signer, module, process, options.height ?? 1_500_000);
    if (options.assignsProcess !== false) await made.assign(process);
    return made;
  }

  get id(): string {
    return this.process.idText;
  }

  async item(tags: Tags, content: { data?: string | Uint8Array; target?: string; anchor?: string } = {}) {
    const { anchor, ...rest } = content;
    const item = await createItem(
      { ...rest, ...(anchor === undefined ? {} : { anchor: toBytes(anchor) }), tags: list(tags) },
      this.user,
    );
    this.items.set(item.idText, item);
    return item;
  }

  /** A message to the process, scheduled. */
  async send(tags: Tags, data: string | Uint8Array = ' ', anchor?: string): Promise<DataItem> {
    const message = await this.item(
      [['Data-Protocol', 'ao'], ['Variant', 'ao.TN.1'], ['Type', 'Message'], ...tags],
      { target: this.id, data, ...(anchor === undefined ? {} : { anchor }) },
    );
    await this.assign(message);
    return message;
  }

  /** Gives a message the next slot; `named` for one that is only named, as one that was sent to somebody else. */
  async assign(message: DataItem, { named = false, extra = [] as Tags } = {}): Promise<void> {
    const nonce = this.slots.length;
    const before = this.slots.at(-1)?.assignment;
    this.#hash = toBase64Url(
      sha256(before ? concatBytes(before.id, fromBase64(this.#hash)) : fromBase64(this.id)),
    );
    const assignment = await this.assignment(nonce, this.#hash, message.idText, extra);
    this.slots.push({ message: named ? null : message, assignment });
  }

  assignment(
    nonce: number,
    hash: string,
    message: string,
    extra: Tags = [],
    { process = this.id, signer = rsaSigner(this.scheduler) as ItemSigner } = {},
  ): Promise<DataItem> {
    return createItem(
      {
        tags: list([
          ['Process', process],
          ['Epoch', '0'],
          ['Nonce', String(nonce)],
          ['Hash-Chain', hash],
          ['Block-Height', String(this.#height).padStart(12, '0')],
          ['Timestamp', String((this.#time += 1000))],
          ['Data-Protocol', 'ao'],
          ['Type', 'Assignment'],
          ['Variant', 'ao.TN.1'],
          ['Message', message],
          ...extra,
        ]),
      },
      signer,
    );
  }

  /** A checkpoint of a memory, signed by the user. */
  async checkpoint(
    nonce: number,
    memory: Uint8Array<ArrayBuffer>,
    change: { hash?: string } = {},
  ): Promise<DataItem> {
    const packed = new Blob([memory]).stream().pipeThrough(new CompressionStream('gzip'));
    const { assignment } = this.slots[nonce]!;
    return this.item(
      [
        ['Data-Protocol', 'ao'],
        ['Variant', 'ao.TN.1'],
        ['Type', 'Checkpoint'],
        ['Module', this.module.idText],
        ['Process', this.id],
        ['Nonce', String(nonce)],
        ['Timestamp', String(assignment.tag('Timestamp'))],
        ['Block-Height', String(this.#height)],
        ['Content-Type', 'application/octet-stream'],
        ['SHA-256', change.hash ?? toHex(sha256(memory))],
        ['Content-Encoding', 'gzip'],
        ['Hash-Chain', String(assignment.tag('Hash-Chain'))],
      ],
      { data: new Uint8Array(await new Response(packed).arrayBuffer()) },
    );
  }

  /** Address of the user, as checkpoints name a signer. */
  get userAddress(): string {
    return toBase64Url(sha256(this.user.owner));
  }

  transport(): Transport {
    return { request: (request) => this.#request(request) };
  }

  async #request(request: HttpRequest): Promise<HttpResponse> {
    const url = new URL(request.target);
    this.asked.push(`${request.method} ${request.target}`);
    const instead = this.answer(url);
    if (instead instanceof Error) throw instead;
    if (instead) return instead;
    const body = request.body.length ? utf8(request.body) : undefined;
    switch (url.origin) {
      case GATEWAY:
        return this.#gateway(url, body);
      case SCHEDULER:
        return this.#json(url, this.#schedule(url));
      case COMPUTE:
        return this.#json(url, this.results.get(url.pathname.slice('/result/'.length)));
      case MESSENGER:
        if (request.body.length) this.handedOver.push(DataItem.parse(request.body));
        else this.assigned.push(`${url.searchParams.get('assign')} to ${url.searchParams.get('process-id')}`);
        return this.#json(url, { message: 'Processing' });
      default:
        throw new AoError('peer-unreachable', 'There is nobody there.', { status: 502 });
    }
  }

  #json(url: URL, reply: unknown): HttpResponse {
    const changed = reply === undefined ? undefined : this.tamper(url, structuredClone(reply));
    if (changed === undefined) return { status: 404, headers: [], body: toBytes('{"error":"not found"}') };
    return {
      status: 200,
      headers: [['content-type', 'application/json']],
      body: toBytes(JSON.stringify(changed)),
    };
  }

  #gateway(url: URL, body: string | undefined): HttpResponse {
    if (url.pathname === '/graphql') {
      const { query, variables } = JSON.parse(body ?? '{}') as { query: string; variables: Json };
      const edges = this.#found(query, variables).map((node) => ({ node }));
      return this.#json(url, { data: { transactions: { edges } } });
    }
    const [, id] = /^\/(?:raw\/)?([\w-]{43})$/.exec(url.pathname) ?? [];
    const item = id === undefined ? undefined : this.items.get(id);
    if (!item) return this.#json(url, undefined);
    const data = this.tamper(url, item.data) as Uint8Array;
    return { status: 200, headers: [['content-type', 'application/octet-stream']], body: data };
  }

  #found(query: string, variables: Json): Json[] {
    if (query.includes('Scheduler-Location')) {
      const [address] = variables.owners as string[];
      if (address !== this.scheduler.address) return [];
      const tags = [
        { name: 'Url', value: SCHEDULER },
        { name: 'Time-To-Live', value: '3600000' },
      ];
      return [{ id: 'A'.repeat(43), owner: { address, key: '' }, tags }];
    }
    const all = [...this.items.values()];
    if (query.includes('Checkpoint')) {
      const owners = variables.owners as string[] | undefined;
      return all
        .filter((item) => item.tag('Type') === 'Checkpoint' && item.tag('Process') === variables.process)
        .filter((item) => !owners || owners.includes(toBase64Url(sha256(item.owner))))
        .map((item) => this.node(item));
    }
    return all
      .filter(({ idText }) => (variables.ids as string[]).includes(idText))
      .map((item) => this.node(item));
  }

  node(item: DataItem): Json {
    const { target, ...shown } = shownItem(item);
    return {
      ...shown,
      recipient: target,
      data: { size: String(item.data.length) },
      bundledIn: { id: 'B'.repeat(43) },
      block: { height: this.#height, timestamp: 1 },
    };
  }

  #schedule(url: URL): unknown {
    const path = url.pathname.slice(1);
    if (path === `processes/${this.id}`)
      return {
        process_id: this.id,
        block: String(this.#height).padStart(12, '0'),
        timestamp: 1_700_000_000_000,
        ...shownItem(this.process),
      };
    if (path === `${this.id}/latest`) return this.edge(this.slots.length - 1)?.node;
    if (path !== this.id) return undefined;
    const query = url.searchParams;
    const limit = Math.min(Number(query.get('limit') ?? 100), this.pageSize);
    const from = Number(query.get('from-nonce') ?? -1);
    const nonces = this.slots.map((_, nonce) => nonce).filter((nonce) => nonce > from);
    return {
      page_info: { has_next_page: nonces.length > limit },
      edges: nonces.slice(0, limit).map((nonce) => this.edge(nonce)),
    };
  }

  edge(nonce: number): { node: { message: Json | null; assignment: Json }; cursor: string } | undefined {
    const slot = this.slots[nonce];
    if (!slot) return undefined;
    const message = slot.message && shownItem(slot.message);
    return { node: { message, assignment: shownItem(slot.assignment) }, cursor: String(nonce) };
  }
}

function list(tags: Tags): { name: string; value: string }[] {
  return tags.map(([name, value]) => ({ name, value }));
}

/** An item in the JSON of units. */
export function shownItem(item: DataItem): Json {
  return {
    id: item.idText,
    owner: { address: item.signer, key: toBase64Url(item.owner) },
    tags: item.tags.map(({ name, value }) => ({ name, value })),
    signature: toBase64Url(item.signature),
    anchor: item.anchor.length ? (utf8(item.anchor) ?? toBase64Url(item.anchor)) : '',
    target: item.target.length ? toBase64Url(item.target) : '',
    data: utf8(item.data) ?? null,
  };
}

export function html(): HttpResponse {
  return {
    status: 200,
    headers: [['content-type', 'text/html']],
    body: toBytes('<!doctype html><title>Welcome</title>'),
  };
}

export function redirect(location: string): HttpResponse {
  return { status: 307, headers: [['location', location]], body: new Uint8Array(0) };
}
