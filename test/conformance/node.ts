/** A node for families that need one: in memory, offline, with the options of the recordings. */
import { AoError } from '../../src/base/errors.ts';
import { decodeJson } from '../../src/codec/json.ts';
import { decodeHttpMessage, httpForm } from '../../src/commitment/http.ts';
import { messageId } from '../../src/commitment/id.ts';
import { RsaWallet } from '../../src/crypto/wallet.ts';
import { builtInDevices } from '../../src/device/index.ts';
import { startWasm } from '../../src/engine/wasm-engine.ts';
import { Message } from '../../src/message/message.ts';
import { Atom, Link, type Value } from '../../src/message/value.ts';
import type { Capabilities, Identity } from '../../src/resolver/context.ts';
import { createContext, type NodeContext } from '../../src/resolver/node-context.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import { startLuaHere } from './families/support/lua-engine.ts';
import { toRequest, type RecordedRequest } from './http.ts';
import linkedMessages from './linked-messages.json' with { type: 'json' };
import { toMessage, toValue } from './value.ts';
import type { Json } from './family.ts';

let own: Promise<RsaWallet> | undefined;

/** One key for all nodes of a run: making one takes seconds. */
function ownWallet(): Promise<RsaWallet> {
  return (own ??= RsaWallet.generate());
}

const wallets = new Map<string, Promise<RsaWallet>>();

/** The wallet of a recorded JWK. */
export function walletOf(jwk: Json): Promise<RsaWallet> {
  const name = JSON.stringify(jwk);
  let wallet = wallets.get(name);
  if (!wallet) wallets.set(name, (wallet = RsaWallet.fromJwk(jwk)));
  return wallet;
}

export interface NodeOptions {
  /** Node options beyond the defaults, as the vectors write them. */
  readonly config?: Json;
  readonly identity?: Identity;
  readonly capabilities?: Partial<Capabilities>;
}

const unreachable = (): Promise<never> =>
  Promise.reject(new AoError('peer-unreachable', 'There is no network here.', { status: 502 }));

export async function testNode({
  config = {},
  identity,
  capabilities,
}: NodeOptions = {}): Promise<NodeContext> {
  const options = Message.from([['generate_index', Atom.false]]).with(toMessage(config));
  return createContext(
    {
      store: new MemoryStore(),
      engines: { startWasm: (start) => startWasm(start), startLua: startLuaHere },
      http: { request: unreachable },
      clock: { now: () => Date.now() },
      identity: identity ?? (await ownWallet()),
      report: () => undefined,
      ...capabilities,
    },
    options,
    builtInDevices,
  );
}

/**
 * Puts the messages of a case into a node's store. The node of the recordings had been sent every request of the file:
 * what a message links to and the case does not hold is looked for in those, and then among the few messages that the
 * recorder stored and no file holds (`linked-messages.json`; found again by their IDs, which prove them).
 */
export async function preload(
  context: NodeContext,
  entries: readonly { id: string; message: Json }[],
  document: Json = [],
): Promise<void> {
  for (const { message } of entries) {
    const value = toValue(message);
    for (const link of linksIn(value)) await preloadLinked(link, context, document);
    await context.cache.write(value);
  }
}

async function preloadLinked(link: Link, context: NodeContext, document: Json): Promise<void> {
  if ((await context.cache.read(link.id)) !== undefined) return;
  const value = sentMessages(document).get(link.id) ?? unrecorded().get(link.id);
  if (value === undefined) return;
  for (const inner of linksIn(value)) await preloadLinked(inner, context, document);
  await context.cache.write(value);
}

/** Links as values, and those in JSON that is held as text. */
function* linksIn(value: Value): Generator<Link> {
  if (value instanceof Link) yield value;
  else if (typeof value === 'string' && /^\{.*\+link"/s.test(value)) yield* linksIn(decodeJson(value));
  else if (Array.isArray(value)) for (const item of value as readonly Value[]) yield* linksIn(item);
  else if (value instanceof Message)
    for (const [key, item] of value) if (key !== 'commitments') yield* linksIn(item);
}

const sent = new WeakMap<object, Map<string, Value>>();

/** Every nested message of every request of a file, by its ID. */
function sentMessages(document: Json): Map<string, Value> {
  if (typeof document !== 'object' || document === null) return new Map();
  let found = sent.get(document);
  if (found) return found;
  sent.set(document, (found = new Map()));
  for (const entry of Array.isArray(document) ? document : []) {
    const request = (entry as { request?: RecordedRequest }).request;
    if (!request) continue;
    const { headers, body } = toRequest(request);
    try {
      collect(decodeHttpMessage(httpForm(headers, body.length > 0 ? body : undefined)), found);
    } catch {
      // A request that is no good holds nothing.
    }
  }
  return found;
}

let others: Map<string, Value> | undefined;

function unrecorded(): Map<string, Value> {
  if (others) return others;
  others = new Map();
  for (const message of linkedMessages) collect(toMessage(message), others);
  return others;
}

function collect(value: Value, into: Map<string, Value>): void {
  if (!(value instanceof Message) && !Array.isArray(value)) return;
  into.set(messageId(value, 'signed'), value);
  const items = value instanceof Message ? [...value.without('commitments')].map(([, item]) => item) : value;
  for (const item of items as readonly Value[]) collect(item, into);
}
