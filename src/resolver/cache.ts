/**
 * Messages by ID and path over a store (resolver.md §6).
 *
 * One record for each message, under its unsigned ID, with what is nested in it as links; every commitment ID leads
 * to it. The reference's path for each key (`U/key`, `data/<hash>`) is answered from the record.
 */
import { utf8 } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { encodeStructured } from '../codec/structured.ts';
import { linkKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { fromPlain, toPlain, type Plain } from '../message/plain.ts';
import { Atom, isBinary, Link, type Value } from '../message/value.ts';
import type { Store, Write } from '../store/store.ts';
import type { Cache } from './context.ts';
import { Lru } from './cache/lru.ts';
import { matchKey, prepare, type Prepared } from './cache/prepare.ts';
import { numbered } from './force-message.ts';

const LINKED_MESSAGE = /^[A-Za-z0-9_-]{43}$/;
/** Names that lead to names before a circle is suspected. */
const MAX_LINKS = 64;
/** Levels below a message that are loaded with it before it is refused. */
const MAX_LOAD_DEPTH = 128;

/** After everything that begins with the same text. */
const LAST = '\uffff';

export class MessageCache implements Cache {
  readonly #store: Store;
  readonly #values = new Lru<Value>(4096, 64 * 1024 * 1024);
  readonly #aliases = new Lru<string>(16_384, 16_384);

  constructor(store: Store) {
    this.#store = store;
  }

  async write(value: Value): Promise<string> {
    const prepared = await prepare(value, (link) => this.load(link));
    const writes = await this.#changes(prepared);
    if (writes.length === 0) return prepared.id;
    await this.#store.write(writes);
    for (const { table, key, value: stored } of writes) {
      if (table === 'messages') this.#remember(key as string, fromPlain(stored as Plain), stored as Plain);
      if (table === 'links') this.#aliases.set(key as string, stored as string);
    }
    return prepared.id;
  }

  /** What `write` would write, for who writes it together with other things; and every name that leads to it. */
  async toWrite(value: Value): Promise<{ names: string[]; writes: Write[] }> {
    const prepared = await prepare(value, (link) => this.load(link));
    const links = prepared.writes.filter(({ table, value: to }) => table === 'links' && to === prepared.id);
    return {
      names: [prepared.id, prepared.linkId, ...links.map(({ key }) => key as string)],
      writes: await this.#changes(prepared),
    };
  }

  /** Only what the store does not have yet. */
  async #changes({ writes, claims }: Prepared): Promise<Write[]> {
    const out: Write[] = [];
    const unchanged = new Set<string>();
    for (const write of writes) {
      if (write.table === 'messages') {
        const id = write.key as string;
        const unproven = new Set(claims.filter(([, to]) => to === id).map(([name]) => name));
        const joined = joinCommitments(await this.#record(id), write.value as Plain, unproven);
        if (joined === undefined) unchanged.add(id);
        else out.push({ ...write, value: joined });
      } else if (write.table === 'matches') {
        if (!unchanged.has((write.key as readonly string[])[2]!)) out.push(write);
      } else if (write.table !== 'links' || (await this.#alias(write.key as string)) !== write.value)
        out.push(write);
    }
    for (const [name, id] of claims)
      if (!(await this.#isTaken(name))) out.push({ table: 'links', key: name, value: id });
    return out;
  }

  async #isTaken(name: string): Promise<boolean> {
    return (await this.#record(name)) !== undefined || (await this.#alias(name)) !== undefined;
  }

  #remember(id: string, value: Value, plain: Plain): void {
    this.#values.set(id, value, weigh(plain));
  }

  async #record(id: string): Promise<Value | undefined> {
    const known = this.#values.get(id);
    if (known !== undefined) return known;
    const plain = await this.#store.get<Plain>('messages', id);
    if (plain === undefined) return undefined;
    const value = fromPlain(plain);
    this.#remember(id, value, plain);
    return value;
  }

  async #alias(name: string): Promise<string | undefined> {
    const known = this.#aliases.get(name);
    if (known !== undefined) return known;
    const to = await this.#store.get<string>('links', name);
    if (to !== undefined) this.#aliases.set(name, to);
    return to;
  }

  async read(path: string): Promise<Value | undefined> {
    return this.#read(path.replace(/^\/+|\/+$/g, ''), 0);
  }

  async #read(path: string, links: number): Promise<Value | undefined> {
    if (path === '') return undefined;
    if (links > MAX_LINKS)
      throw new AoError('too-many-links', 'Names in the store lead round in a circle.', { status: 508 });
    if (LINKED_MESSAGE.test(path)) {
      const record = await this.#record(path);
      if (record !== undefined) return record;
    }
    const to = await this.#alias(path);
    if (to !== undefined) return this.#read(to, links + 1);
    if (path.startsWith('data/')) return this.#readData(path.slice(5));
    // The longest name that leads anywhere, then the keys after it.
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const front = await this.#readName(path.slice(0, at), links + 1);
      if (front !== undefined) return this.#walk(front, path.slice(at + 1).split('/'));
    }
    return undefined;
  }

  /** A name without looking into messages for its parts: the caller tries shorter ones itself. */
  async #readName(name: string, links: number): Promise<Value | undefined> {
    if (LINKED_MESSAGE.test(name)) {
      const record = await this.#record(name);
      if (record !== undefined) return record;
    }
    const to = await this.#alias(name);
    return to === undefined ? undefined : this.#read(to, links);
  }

  /** `U/key`: octets of a scalar, a nested message, or the text of its ID under `key+link`. */
  async #walk(value: Value, keys: readonly string[]): Promise<Value | undefined> {
    let current: Value = value;
    for (const [index, key] of keys.entries()) {
      if (Array.isArray(current)) current = numbered(current as readonly Value[]);
      if (!(current instanceof Message)) return undefined;
      const last = index === keys.length - 1;
      const found: Value | undefined = current.get(key);
      if (found === undefined) {
        const plain = key.endsWith('+link') ? current.get(key.slice(0, -5)) : undefined;
        return last && plain instanceof Link ? plain.id : undefined;
      }
      if (last) return found instanceof Link ? this.load(found) : octets(found);
      current = found instanceof Link ? await this.load(found) : found;
    }
    return current;
  }

  async #readData(hash: string): Promise<Value | undefined> {
    const bytes = await this.#store.get<Uint8Array>('data', hash);
    if (bytes) return utf8(bytes) ?? bytes;
    const [found] = await this.#store.keys('matches', { from: [hash], to: [hash, LAST], limit: 1 });
    if (!Array.isArray(found)) return undefined;
    const [, key, id] = found as [string, string, string];
    return this.#read(`${id}/${key}`, 1);
  }

  async load(value: Value): Promise<Value> {
    let current = value;
    for (let links = 0; current instanceof Link; links++) {
      if (links > MAX_LINKS)
        throw new AoError('too-many-links', 'Links lead round in a circle.', { status: 508 });
      const found: Value | undefined = await this.read(current.id);
      if (found === undefined)
        throw new AoError('necessary-message-not-found', `The message ${current.id} is not here.`, {
          status: 404,
          detail: { reason: 'necessary_message_not_found', id: current.id },
        });
      current = found;
    }
    return current;
  }

  async loadAll(value: Value): Promise<Value> {
    return this.#loadAll(value, 0);
  }

  async #loadAll(value: Value, depth: number): Promise<Value> {
    if (depth > MAX_LOAD_DEPTH) throw new AoError('too-deep', 'A message is nested too deeply to be loaded.');
    if (value instanceof Link) return this.#loadAll(await this.load(value), depth + 1);
    if (Array.isArray(value)) {
      const list = value as readonly Value[];
      const items = await Promise.all(list.map((item) => this.#loadAll(item, depth + 1)));
      return items.every((item, index) => item === list[index]) ? value : items;
    }
    if (!(value instanceof Message)) return value;
    const changes: [string, Value][] = [];
    for (const [key, item] of value) {
      if (isBinary(item)) continue;
      const loaded = await this.#loadAll(item, depth + 1);
      if (loaded !== item) changes.push([key, loaded]);
    }
    return changes.length === 0 ? value : value.with(changes);
  }

  async link(from: string, to: string): Promise<void> {
    if (from === to) return;
    await this.#store.write([{ table: 'links', key: to, value: from }]);
    this.#aliases.set(to, from);
  }

  async match(spec: Message): Promise<string[]> {
    let found: Set<string> | undefined;
    for (const [key, value] of spec) {
      const wanted = matchKey(key, await this.#asStored(value));
      if (!wanted) return [];
      const keys = await this.#store.keys('matches', {
        from: [wanted.hash, wanted.key],
        to: [wanted.hash, wanted.key, LAST],
      });
      const ids = keys.map((entry) => (entry as readonly string[])[2]!);
      found = new Set(found ? ids.filter((id) => found!.has(id)) : ids);
      if (found.size === 0) return [];
    }
    return [...(found ?? [])];
  }

  async #asStored(value: Value): Promise<Value> {
    if (!(value instanceof Message) && !Array.isArray(value)) return value;
    return new Link((await prepare(value, (link) => this.load(link))).linkId);
  }

  async list(path: string): Promise<string[]> {
    const name = path.replace(/^\/+|\/+$/g, '');
    const names = await this.#store.keys('links', { from: `${name}/`, to: `${name}/${LAST}` });
    const children = new Set(
      names.map(
        (key) =>
          String(key)
            .slice(name.length + 1)
            .split('/')[0]!,
      ),
    );
    const value = await this.read(name);
    const message = Array.isArray(value) ? numbered(value as readonly Value[]) : value;
    if (message instanceof Message)
      for (const [key, item] of message) children.add(item instanceof Link ? linkKey(key) : key);
    return [...children];
  }

  // ---- Results (resolver.md §6.4) and the node message

  async readResult(base: string, request: string): Promise<Value | undefined> {
    const id = await this.#store.get<string>('results', [base, request]);
    return id === undefined ? undefined : this.read(id);
  }

  async writeResult(base: string, request: string, value: Value): Promise<void> {
    if (!isBinary(value) && !(value instanceof Message)) return;
    const id = await this.write(value);
    await this.#store.write([{ table: 'results', key: [base, request], value: id }]);
  }

  async readNodeMessage(name: string): Promise<Message | undefined> {
    const plain = await this.#store.get<Plain>('node', name);
    const value = plain === undefined ? undefined : fromPlain(plain);
    return value instanceof Message ? value : undefined;
  }

  async writeNodeMessage(name: string, message: Message): Promise<void> {
    await this.#store.write([{ table: 'node', key: name, value: toPlain(message) }], { durable: true });
  }
}

/**
 * A message that is stored again keeps the signatures it had and gains those that hold: others would only discredit
 * it. `undefined` where nothing is new.
 */
function joinCommitments(
  known: Value | undefined,
  plain: Plain,
  unproven: ReadonlySet<string>,
): Plain | undefined {
  if (known === undefined || !(plain instanceof Map)) return known === undefined ? plain : undefined;
  const before = known instanceof Message ? known.message('commitments') : undefined;
  const now = plain.get('commitments');
  const offered = now === undefined ? Message.empty : (fromPlain(now) as Message);
  const added = offered.filter((id) => !unproven.has(id) && !before?.has(id));
  if (added.size === 0) return undefined;
  return new Map([...plain, ['commitments', toPlain((before ?? Message.empty).with(added))]]);
}

/** A scalar as the octets that the reference would have in its store. */
function octets(value: Value): Value {
  if (typeof value === 'bigint' || value instanceof Atom) return encodeStructured(value) as string;
  if (value instanceof Uint8Array) return utf8(value) ?? value;
  return value;
}

function weigh(plain: Plain): number {
  if (typeof plain === 'string') return 2 * plain.length + 16;
  if (plain instanceof Uint8Array) return plain.length + 16;
  if (plain instanceof Map) {
    let sum = 64;
    for (const [key, item] of plain) sum += 2 * key.length + weigh(item) + 32;
    return sum;
  }
  if (Array.isArray(plain)) return plain.reduce<number>((sum, item) => sum + weigh(item), 32);
  return 48;
}
