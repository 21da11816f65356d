/**
 * The recorded evaluations of real aos modules, sent the way a client sends them: items signed by wallets, posted to the
 * scheduler's route, results asked of the compute unit's. The recordings' IDs and addresses are made up, so those of
 * the items take their places, in what is sent and in what is expected.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createItem, rsaSigner } from '../../../src/commitment/ans104-sign.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Message } from '../../../src/message/message.ts';
import { createNode, type Node } from '../../../src/node/node.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import recorded from '../../vectors/legacy-aos.json';

interface Tag {
  readonly name: string;
  readonly value: string;
}

interface Sent {
  readonly Id: string;
  readonly Owner: string;
  readonly Target: string;
  readonly Tags: readonly Tag[];
  readonly Data?: string;
  readonly Anchor?: string;
  readonly Timestamp: number;
  readonly 'Block-Height': number;
  readonly Cron: boolean;
}

interface Case {
  readonly name: string;
  readonly module: { readonly sha256: string };
  readonly env: { readonly Process: { readonly Id: string }; readonly Module: { Id: string; Tags: Tag[] } };
  readonly steps: readonly { readonly msg: Sent; readonly expected: Record<string, unknown> }[];
}

const cases = (recorded as unknown as { cases: Case[] }).cases;
const wallets = new Map<string, RsaWallet>();
let own: RsaWallet;

beforeAll(async () => {
  own = await RsaWallet.generate();
  for (const { steps } of cases)
    for (const { msg } of steps)
      if (!wallets.has(msg.Owner)) wallets.set(msg.Owner, await RsaWallet.generate());
}, 120_000);

const nodes: Node[] = [];
afterAll(async () => {
  for (const node of nodes) await node.close();
});

/** A node whose clock and block are the recording's. */
async function open(height: number): Promise<{ node: Node; clock: { time: number } }> {
  const clock = { time: 0 };
  const node = await createNode({
    store: new MemoryStore(),
    wallet: own,
    createWorker: () =>
      new Worker(new URL('../../../workers/process.worker.ts', import.meta.url), { type: 'module' }),
    clock: { now: () => clock.time },
    options: Message.of({ 'block-height': BigInt(height) }),
  });
  nodes.push(node);
  return { node, clock };
}

async function ask(node: Node, method: string, path: string, body: Uint8Array = new Uint8Array(0)) {
  const target = `/~legacynet@1.0/${path}`;
  const answer = await node.handle({ method, target, headers: [], body });
  return { status: answer.status, json: JSON.parse(new TextDecoder().decode(answer.body)) as unknown };
}

/** Names of one recording that stand for others here, also in the short form that aos prints. */
class Names {
  readonly #names = new Map<string, string>();

  set(recorded: string, here: string): void {
    this.#names.set(recorded, here);
    this.#names.set(short(recorded), short(here));
  }

  in(text: string): string {
    let out = text;
    for (const [recorded, here] of this.#names) out = out.replaceAll(recorded, here);
    return out;
  }

  of<T>(value: T): T {
    return JSON.parse(this.in(JSON.stringify(value))) as T;
  }
}

function short(name: string): string {
  return `${name.slice(0, 3)}...${name.slice(-3)}`;
}

/**
 * Without what follows from the names and the lengths of the texts that the program was given: addresses, the order in
 * which it goes through a table (its lines and tags are sorted here), and numbers drawn at random.
 */
function comparable(value: unknown): unknown {
  if (typeof value === 'string')
    return value
      .replace(/\b0x[0-9a-f]{4,}\b/g, '0x')
      .replace(/\b0\.\d{9,}/g, '0.random')
      .split('\n')
      .map((line) => line.replace(/[,\\]+$/, ''))
      .sort()
      .join('\n');
  if (Array.isArray(value)) {
    const items = value.map(comparable);
    return items.every(isTag) ? items.map(({ name, value: text }) => `${name}=${text}`).sort() : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, comparable(inner)]));
}

function isTag(value: unknown): value is Tag {
  return typeof value === 'object' && value !== null && 'name' in value && 'value' in value;
}

const SHOWN = ['Output', 'Messages', 'Spawns', 'Assignments', 'Error'] as const;

function shown(result: Record<string, unknown>): unknown {
  const out = Object.fromEntries(
    SHOWN.flatMap((key) => (result[key] === undefined ? [] : [[key, result[key]]])),
  );
  // The compute unit fills in what the loader left out.
  return comparable({ Output: '', Messages: [], Spawns: [], Assignments: [], ...out });
}

/** Programs that draw random numbers, whose seed is made of names, or that cut names into pieces. */
const FROM_NAMES = /\brandom\b|:sub\(/;

/** What a value is made of, without its texts. */
function kinds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(kinds);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, kinds(inner)]));
}

describe('legacy-aos through the units', () => {
  for (const { name, module, env, steps } of cases)
    it(
      name,
      async () => {
        const { node, clock } = await open(steps[0]!.msg['Block-Height']);
        const names = new Names();
        for (const [owner, wallet] of wallets) names.set(owner, wallet.address);
        const tagged = (tags: readonly Tag[]) =>
          tags.map(({ name: key, value }) =>
            key === 'Scheduler' ? { name: key, value: own.address } : { name: key, value: names.in(value) },
          );
        const bytes = await (await fetch(`/.cache/modules/${module.sha256}.wasm`)).arrayBuffer();
        const image = await createItem(
          { data: new Uint8Array(bytes), tags: env.Module.Tags },
          rsaSigner(own),
        );
        expect(await ask(node, 'POST', 'gateway/tx', image.toBytes())).toMatchObject({ status: 200 });
        names.set(env.Module.Id, image.idText);
        let process = '';
        for (const [index, { msg, expected }] of steps.entries()) {
          // What the clock inserts, what was sent to somebody else, and what has no data, no client sends as an item;
          // what names no protocol, no scheduler takes. What comes behind it builds on it.
          const isItem = !msg.Cron && msg.Target === env.Process.Id && msg.Data !== undefined;
          if (!isItem || !msg.Tags.some((tag) => tag.name === 'Data-Protocol')) break;
          clock.time = msg.Timestamp;
          const item = await createItem(
            {
              data: names.in(msg.Data),
              tags: tagged(msg.Tags),
              ...(process ? { target: process } : {}),
              ...(msg.Anchor ? { anchor: new TextEncoder().encode(msg.Anchor) } : {}),
            },
            rsaSigner(wallets.get(msg.Owner)!),
          );
          names.set(msg.Id, item.idText);
          process ||= item.idText;
          expect(await ask(node, 'POST', 'su', item.toBytes())).toEqual({
            status: 200,
            json: { timestamp: msg.Timestamp, id: item.idText },
          });
          const { status, json } = await ask(node, 'GET', `cu/result/${item.idText}?process-id=${process}`);
          expect(status).toBe(200);
          const [here, there] = [shown(json as Record<string, unknown>), shown(names.of(expected))];
          if (FROM_NAMES.test(msg.Data)) expect(kinds(here), `step ${index}`).toEqual(kinds(there));
          else expect(here, `step ${index}`).toEqual(there);
        }
      },
      300_000,
    );
});
