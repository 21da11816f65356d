import { afterEach, describe, expect, it } from 'vitest';
import { fromBytes, toBytes } from '../../../src/base/bytes.ts';
import { commitmentDevice } from '../../../src/commitment/devices.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Processes } from '../../../src/device/processes.ts';
import { Schedules } from '../../../src/device/schedules.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import { createNode, type Node } from '../../../src/node/node.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import type { Store } from '../../../src/store/store.ts';
import { ANSWERING_MODULE } from '../../setup/answering-module.ts';

const LIMIT = 1000;

let wallet: Promise<RsaWallet> | undefined;
const nodes: Node[] = [];

async function start(store: Store = new MemoryStore()): Promise<Node> {
  const node = await createNode({
    store,
    wallet: await (wallet ??= RsaWallet.generate()),
    options: Message.of({ 'process-time-limit': BigInt(LIMIT) }),
    createWorker: () =>
      new Worker(new URL('../../../workers/process.worker.ts', import.meta.url), { type: 'module' }),
  });
  nodes.push(node);
  return node;
}

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close();
});

async function sign(message: Record<string, ValueInput>): Promise<Message> {
  return commitmentDevice('httpsig@1.0')!.commit(
    Message.of(message),
    { type: 'signed' },
    { signer: await wallet! },
  );
}

async function spawn(
  node: Node,
  keys: Record<string, ValueInput>,
  messages: readonly string[],
): Promise<string> {
  const { address } = node.wallet;
  const definition = await sign({
    device: 'process@1.0',
    type: 'Process',
    scheduler: address,
    authority: address,
    ...keys,
  });
  const id = messageId(definition, 'signed');
  await node.context.cache.write(definition);
  const schedules = Schedules.of(node.context);
  await schedules.assign(id, definition, node.context);
  for (const data of messages)
    await schedules.assign(id, await sign({ target: id, type: 'Message', data }), node.context);
  return id;
}

async function native(node: Node, name: string, messages: readonly string[]): Promise<string> {
  const image = await node.context.cache.write(Message.of({ body: ANSWERING_MODULE }));
  return spawn(
    node,
    {
      name,
      'execution-device': 'stack@1.0',
      'device-stack': ['wasi@1.0', 'json-iface@1.0', 'wasm-64@1.0', 'patch@1.0', 'multipass@1.0'],
      'stack-keys': ['init', 'compute', 'snapshot', 'normalize'],
      passes: 2n,
      'output-prefix': 'wasm',
      image,
    },
    messages,
  );
}

async function get(node: Node, path: string): Promise<{ status: number; text: string; took: number }> {
  const began = performance.now();
  const { status, body } = await node.handle({ method: 'GET', target: path, headers: [], body: toBytes('') });
  return { status, text: fromBytes(body), took: performance.now() - began };
}

describe('a program that does not come back', () => {
  it('is stopped; its earlier slots are read, later ones answer the error, others are not held up', async () => {
    const node = await start();
    const bad = await native(node, 'bad', ['fine', '#', 'after']);
    const good = await native(
      node,
      'good',
      Array.from({ length: 20 }, () => 'fine'),
    );
    expect((await get(node, `/${good}~process@1.0/compute&slot=1/results/data`)).text).toBe('fine');
    expect((await get(node, `/${bad}~process@1.0/compute&slot=1/results/data`)).text).toBe('fine');
    const live = Processes.of(node.context).get(bad)!;
    let isStuck = true;
    const stuck = get(node, `/${bad}~process@1.0/now/results/data`).finally(() => (isStuck = false));
    // What the other does meanwhile is what counts: how long it takes says more about the machine of the test.
    let meanwhile = 0;
    let longest = 0;
    for (let slot = 2; slot <= 20 && isStuck; slot++) {
      const { text, took } = await get(node, `/${good}~process@1.0/compute&slot=${slot}/results/data`);
      expect(text).toBe('fine');
      longest = Math.max(longest, took);
      if (isStuck) meanwhile++;
    }
    expect(meanwhile).toBeGreaterThan(0);
    const answer = await stuck;
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answer.took).toBeLessThan(LIMIT + 2000 + 10 * longest);
    const { failure } = await live.status(node.context);
    expect(failure?.slot).toBe(2);
    const again = await get(node, `/${bad}~process@1.0/compute&slot=3/results`);
    expect(again.status).toBeGreaterThanOrEqual(500);
    // It was not tried again.
    expect((await live.status(node.context)).failure).toBe(failure);
    expect((await get(node, `/${bad}~process@1.0/compute/at-slot`)).text).toBe('1');
  });

  it('in Lua as well', async () => {
    const node = await start();
    const source = `function compute(base, req)
      if req.body.data == '#' then while true do end end
      base.n = (base.n or 0) + 1
      base.results = { outbox = {} }
      return base
    end`;
    const module = { 'content-type': 'application/lua', body: source };
    const id = await spawn(node, { 'execution-device': 'lua@5.3a', module }, ['fine', '#']);
    const first = await get(node, `/${id}~process@1.0/compute&slot=1/n`);
    expect(first.text).toBe('2');
    const stuck = await get(node, `/${id}~process@1.0/now/n`);
    expect(stuck.status).toBeGreaterThanOrEqual(500);
    expect(stuck.took).toBeLessThan(LIMIT + 2000 + 10 * first.took);
    expect((await get(node, `/${id}~process@1.0/compute/n`)).text).toBe('2');
  });
});

describe('a node that starts again', () => {
  it('goes on from snapshots of real machines, with the same memory', async () => {
    const store = new MemoryStore();
    const first = await start(store);
    const id = await native(first, 'again', ['a', 'b']);
    await get(first, `/${id}~process@1.0/now/at-slot`);
    const live = Processes.of(first.context).get(id)!;
    await live.hibernate(first.context);
    expect(first.engines.live).toBe(0);
    expect((await get(first, `/${id}~process@1.0/compute&slot=2/parameters/1`)).status).toBe(200);
    const schedules = Schedules.of(first.context);
    await schedules.assign(id, await sign({ target: id, type: 'Message', data: 'c' }), first.context);
    const straight = await get(first, `/${id}~process@1.0/now/parameters/1`);

    // The same again without any snapshot in between.
    const second = await start();
    const image = await second.context.cache.write(Message.of({ body: ANSWERING_MODULE }));
    expect(image).toHaveLength(43);
    const kept = await schedules.read(id, 0, 9, first.context);
    await second.context.cache.write(kept[0]!.assignment.get('body')!);
    await Schedules.of(second.context).import(
      id,
      kept.map(({ assignment }) => assignment),
      second.context,
    );
    const other = await get(second, `/${id}~process@1.0/compute&slot=3/parameters/1`);
    expect(other.text).toBe(straight.text);
  });
});
