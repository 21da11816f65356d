/** Dry runs on a real aos process: up to date, of a process that is not live, of a program that does not come back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import docs from '../../../docs/legacynet.md?raw';
import { createItem, rsaSigner } from '../../../src/commitment/ans104-sign.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Processes } from '../../../src/device/processes.ts';
import { Message } from '../../../src/message/message.ts';
import { createNode, type Node } from '../../../src/node/node.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import recorded from '../../vectors/legacy-aos.json';

interface Result {
  readonly Output: { readonly data: unknown };
  readonly Messages: readonly { readonly Data?: string }[];
  readonly Error?: unknown;
  readonly code?: string;
}

const LIMIT = 1500;
const UNITS = '/~legacynet@1.0';
let node: Node;
let wallet: RsaWallet;
let process = '';

async function handle(method: string, target: string, body: Uint8Array = new Uint8Array(0)) {
  const { status, body: answer } = await node.handle({ method, target, headers: [], body });
  return { status, text: new TextDecoder().decode(answer) };
}

const tagged = (tags: Record<string, string>) =>
  Object.entries(tags).map(([name, value]) => ({ name, value }));

async function post(unit: string, tags: Record<string, string>, data: string | Uint8Array, target?: string) {
  const all = tagged({ 'Data-Protocol': 'ao', Variant: 'ao.TN.1', ...tags });
  const content = { data, tags: all, ...(target === undefined ? {} : { target }) };
  const item = await createItem(content, rsaSigner(wallet));
  expect((await handle('POST', `${UNITS}/${unit}`, item.toBytes())).status).toBeLessThan(300);
  return item.idText;
}

/** An evaluation that is scheduled; what it answers. */
async function evaluate(code: string): Promise<Result> {
  const id = await post('su', { Type: 'Message', Action: 'Eval' }, code, process);
  const { text } = await handle('GET', `${UNITS}/cu/result/${id}?process-id=${process}`);
  return JSON.parse(text) as Result;
}

async function dry(code: string, tags: Record<string, string> = { Action: 'Eval' }) {
  const body = { Id: '1234', Owner: wallet.address, Target: process, Data: code, Tags: tagged(tags) };
  const octets = new TextEncoder().encode(JSON.stringify(body));
  const { status, text } = await handle('POST', `${UNITS}/cu/dry-run?process-id=${process}`, octets);
  return { status, ...(JSON.parse(text) as Result) };
}

const said = async (code: string) => (await dry(code)).Output?.data;

beforeAll(async () => {
  wallet = await RsaWallet.generate();
  node = await createNode({
    store: new MemoryStore(),
    wallet,
    createWorker: () =>
      new Worker(new URL('../../../workers/process.worker.ts', import.meta.url), { type: 'module' }),
    options: Message.of({ 'process-time-limit': BigInt(LIMIT) }),
  });
  const { module, env } = (
    recorded as unknown as {
      cases: { module: { sha256: string }; env: { Module: { Tags: { name: string; value: string }[] } } }[];
    }
  ).cases[0]!;
  const data = new Uint8Array(await (await fetch(`/.cache/modules/${module.sha256}.wasm`)).arrayBuffer());
  const image = await createItem({ data, tags: env.Module.Tags }, rsaSigner(wallet));
  await handle('POST', `${UNITS}/gateway/tx`, image.toBytes());
  const { address } = wallet;
  process = await post(
    'su',
    { Type: 'Process', Module: image.idText, Scheduler: address, Authority: address },
    '1984',
  );
  await evaluate('Count = 1');
}, 120_000);

afterAll(() => node.close());

describe('a dry run', () => {
  it('sees the newest state and leaves it as it was', async () => {
    expect(await said('Count = Count + 10; return Count')).toBe('11');
    expect(await said('Count = Count + 10; return Count')).toBe('11');
    expect((await evaluate('return Count')).Output.data).toBe('1');
  });

  it('catches up with a process that went on, by a little and by much', async () => {
    expect(await said('return Count')).toBe('1');
    for (const count of [3, 20]) {
      for (let index = 0; index < count; index++)
        await post('su', { Type: 'Message', Action: 'Eval' }, 'Count = Count + 1', process);
      // Nobody has asked for these: the dry run has them computed first.
      const { Output } = await dry('Count = Count + 100; return Count');
      expect(Output.data).toBe(count === 3 ? '104' : '124');
    }
    expect((await evaluate('return Count')).Output.data).toBe('24');
  });

  it('runs on a process that is not live', async () => {
    await Processes.of(node.context).get(process)!.hibernate(node.context);
    expect(await said('return Count')).toBe('24');
    // Also where the copy is what had to go.
    expect(await node.engines.live).toBeGreaterThan(0);
    expect((await evaluate('Count = Count + 1; return Count')).Output.data).toBe('25');
    await Processes.of(node.context).get(process)!.hibernate(node.context);
    expect(await said('Count = 0; return Count')).toBe('0');
    expect(await said('return Count')).toBe('25');
  });

  it('that does not come back is stopped in its limit; process and queue go on', async () => {
    const began = performance.now();
    const stuck = dry('while true do end');
    // The process is evaluated meanwhile.
    expect((await evaluate('Count = Count + 1; return Count')).Output.data).toBe('26');
    const { status, code } = await stuck;
    expect([status, code]).toEqual([503, 'runaway']);
    expect(performance.now() - began).toBeLessThan(LIMIT + 5_000);
    expect(await said('return Count')).toBe('26');
    expect((await evaluate('return Count')).Output.data).toBe('26');
    const live = Processes.of(node.context).get(process)!;
    expect((await live.status(node.context)).failure).toBeUndefined();
  });

  it('that fails answers its error', async () => {
    expect((await dry('error("dry boom")')).Error).toContain('dry boom');
    expect(await said('return Count')).toBe('26');
  });
});

describe('a read that a path answers', () => {
  /** The first block of code in a language. */
  const block = (language: string) => {
    const [, body] = docs.slice(docs.indexOf('## Dry runs')).split(`\`\`\`${language}\n`);
    return body!.slice(0, body!.indexOf('```'));
  };

  it('moves from a dry run to a path as the docs show it', async () => {
    await evaluate(`Balances = { alice = '10', bob = '20' }
      Handlers.add('Balances', 'Balances', function (msg)
        msg.reply({ Data = require('json').encode(Balances) })
      end)`);
    await evaluate(block('lua'));
    const ao = {
      dryrun: ({ tags }: { process: string; tags: { name: string; value: string }[] }) =>
        dry('1234', Object.fromEntries(tags.map(({ name, value }) => [name, value]))),
    };
    const get = async (target: string) => {
      const { text } = await handle('GET', target);
      return { json: async () => JSON.parse(text) as unknown };
    };
    const run = new Function(
      'ao',
      'process',
      'fetch',
      `return (async () => { ${block('js')}; return { Messages, balances }; })()`,
    ) as (...given: unknown[]) => Promise<{ Messages: { Data: string }[]; balances: Record<string, string> }>;
    const { Messages, balances } = await run(ao, process, get);
    expect(JSON.parse(Messages[0]!.Data)).toEqual({ alice: '10', bob: '20' });
    expect(balances).toMatchObject({ alice: '10', bob: '20' });
  });
});
