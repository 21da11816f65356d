import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import { Processes } from '../../../src/device/processes.ts';
import { pushWrite } from '../../../src/device/push-queue.ts';
import { Schedules } from '../../../src/device/schedules.ts';
import { Message } from '../../../src/message/message.ts';
import { slotWrite } from '../../../src/node/legacynet/message-slots.ts';
import { exportProcess, importProcess } from '../../../src/node/process-file.ts';
import { removeProcess } from '../../../src/node/process-removal.ts';
import { storageReport, freeStorage } from '../../../src/node/storage.ts';
import { TABLES, type Store } from '../../../src/store/store.ts';
import { Random } from '../../fuzz/random.ts';
import { scheduled, send, testNode, type TestNode } from '../../setup/test-node.ts';

const add = (by: number) => ({ action: 'Add', by: String(by) });

let node: TestNode;
let process: { id: string; definition: Message };
let file: Uint8Array;
let lines: string[];

async function contents(store: Store): Promise<string> {
  const out: string[] = [];
  for (const table of TABLES)
    for (const { key } of await store.range(table)) out.push(`${table} ${JSON.stringify(key)}`);
  return out.join('\n');
}

const linesOf = (packed: Uint8Array) => new TextDecoder().decode(gunzipSync(packed)).trimEnd().split('\n');
const pack = (some: readonly string[]) => new Uint8Array(gzipSync(some.map((line) => `${line}\n`).join('')));

/** Every refusal is one of ours, and leaves nothing behind. */
async function refused(damaged: Uint8Array, code?: RegExp): Promise<AoError> {
  const other = await testNode();
  const before = await contents(other.store);
  let error: unknown;
  await importProcess(damaged, other.context).catch((thrown: unknown) => (error = thrown));
  expect(error).toBeInstanceOf(AoError);
  expect((error as AoError).code).toMatch(code ?? /^(bad-|audit-)/);
  expect((error as AoError).status).toBe(422);
  expect(await contents(other.store)).toBe(before);
  return error as AoError;
}

beforeAll(async () => {
  node = await testNode();
  process = await scheduled(node, 'native', [add(5), add(7), add(1)], { name: 'kept' });
  file = await exportProcess(process.id, node.context);
  lines = linesOf(file);
}, 120_000);

describe('a process as one file', () => {
  it('is taken in elsewhere whole, and only once', async () => {
    const other = await testNode();
    expect(await importProcess(file, other.context)).toBe(process.id);
    const { value } = await (await Processes.of(other.context).find(process.id, other.context))!.compute(
      3,
      other.context,
    );
    expect((value as Message).message('results')?.get('data')).toBe('13');
    await expect(importProcess(file, other.context)).rejects.toMatchObject({
      code: 'process-exists',
      status: 409,
    });
    expect(linesOf(await exportProcess(process.id, other.context)).slice(1)).toEqual(lines.slice(1));
  });

  it('says in its first line what is in it', () => {
    expect(JSON.parse(lines[0]!)).toMatchObject({ version: 1, process: process.id, slots: 4, messages: 1 });
    expect(lines).toHaveLength(6);
  });

  it('is refused when it was cut, wherever', async () => {
    for (const share of [0, 0.01, 0.3, 0.7, 0.99])
      await refused(file.slice(0, Math.floor(file.length * share)), /^bad-file$/);
    const text = lines.map((line) => `${line}\n`).join('');
    for (const share of [0.1, 0.5, 0.9, 0.9999])
      await refused(new Uint8Array(gzipSync(text.slice(0, Math.floor(text.length * share)))));
    for (let count = 0; count < lines.length; count++) await refused(pack(lines.slice(0, count)));
  });

  it('is refused with another version, format or count', async () => {
    const head = JSON.parse(lines[0]!) as Record<string, unknown>;
    for (const change of [
      { version: 2 },
      { version: '1' },
      { format: 'other' },
      { process: 7 },
      { process: 'x'.repeat(43) },
      { process: null },
      { slots: 0 },
      { slots: -1 },
      { slots: 3 },
      { slots: 5 },
      { slots: 1e300 },
      { slots: Number.MAX_SAFE_INTEGER },
      { messages: 0 },
      { messages: 2 },
      { messages: Number.MAX_SAFE_INTEGER },
      { name: 'n'.repeat(100_000) },
      { kind: {} },
    ])
      await refused(pack([JSON.stringify({ ...head, ...change }), ...lines.slice(1)]));
  });

  it('is refused with records that are twice there, missing, in another order, or of no kind', async () => {
    const [head, module, ...slots] = lines as [string, string, ...string[]];
    const more = (count: number) => JSON.stringify({ ...(JSON.parse(head) as object), messages: count });
    for (const some of [
      [head, module, slots[0]!, slots[0]!, ...slots.slice(1, 3)],
      [head, module, ...slots, slots[3]!],
      [head, module, slots[0]!, slots[2]!, slots[1]!, slots[3]!],
      [head, module, ...slots.slice(1), slots[0]!],
      [head, ...slots],
      [more(2), module, module, ...slots],
      [more(2), module, JSON.stringify({ message: { m: [['body', 'not asked for']] } }), ...slots],
      [head, head, module, ...slots],
      [head, module, ...slots, '{}'],
      [head, module, ...slots, '[]'],
      [head, module, ...slots, 'null'],
      [head, module, ...slots, JSON.stringify({ assignment: 'text' })],
      [head, module, ...slots, JSON.stringify({ assignment: { m: [] }, message: { m: [] } })],
      [head, JSON.stringify({ message: { t: [1e9] } }), ...slots],
      [head, JSON.stringify({ message: '[['.repeat(5_000) }), ...slots],
      [head, `{"message":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, ...slots],
    ])
      await refused(pack(some));
  });

  it('is refused with an assignment of another process', async () => {
    const stranger = await scheduled(node, 'native', [add(1)], { name: 'stranger' });
    const theirs = new TextDecoder()
      .decode(gunzipSync(await exportProcess(stranger.id, node.context)))
      .trimEnd()
      .split('\n');
    await refused(pack([...lines.slice(0, 3), theirs.at(-1)!, ...lines.slice(4)]), /^audit-/);
  });

  it('is refused, or is what it was, whatever single character or octet is changed', async () => {
    const random = new Random(20_25);
    const whole = lines.join('\n');
    const reference = await testNode();
    await importProcess(file, reference.context);
    const wanted = await contents(reference.store);
    let accepted = 0;
    for (let n = 0; n < 120; n++) {
      let damaged: Uint8Array;
      if (n % 3 === 0) {
        damaged = file.slice();
        damaged[random.below(file.length)]! ^= 1 << random.below(8);
      } else {
        const text = new TextEncoder().encode(`${whole}\n`);
        // Long texts of base64 would get nearly all of it: every line gets its share.
        const line = random.below(lines.length);
        const start = lines.slice(0, line).reduce((sum, { length }) => sum + length + 1, 0);
        text[start + random.below(Math.min(lines[line]!.length, 4_000))]! ^= 1 << random.below(7);
        damaged = new Uint8Array(gzipSync(text));
      }
      const other = await testNode();
      const before = await contents(other.store);
      let error: unknown;
      await importProcess(damaged, other.context).catch((thrown: unknown) => (error = thrown));
      if (error !== undefined) {
        expect(error, String(error)).toBeInstanceOf(AoError);
        expect(await contents(other.store)).toBe(before);
      } else {
        // What nobody signs: the name, the order of what is signed as a set, what the format ignores.
        accepted++;
        expect(await contents(other.store)).toBe(wanted);
      }
    }
    expect(accepted).toBeLessThan(40);
  }, 120_000);

  it('leaves nothing when there is no room in the middle', async () => {
    const other = await testNode();
    const before = await contents(other.store);
    const full = new Proxy(other.store, {
      get: (target, name) =>
        name === 'write'
          ? () => Promise.reject(new AoError('storage-full', 'No room.', { status: 507 }))
          : (Reflect.get(target, name, target) as () => unknown).bind(target),
    });
    const cramped = await testNode({ store: full });
    await expect(importProcess(file, cramped.context)).rejects.toMatchObject({
      code: 'storage-full',
      status: 507,
    });
    expect(await contents(other.store)).toBe(before);
    await importProcess(file, other.context);
  });
});

describe('taking a process off the node', () => {
  it('leaves nothing that is its alone, also while it is computed and sent to', async () => {
    const own = await testNode();
    const stays = await scheduled(own, 'native', [add(1)], { name: 'stays' });
    const before = (await contents(own.store)).split('\n').filter((row) => !row.startsWith('pages'));
    const goes = await scheduled(
      own,
      'native',
      Array.from({ length: 20 }, () => add(2)),
      { name: 'goes' },
    );
    await own.store.write([pushWrite(goes.id, 3), slotWrite(goes.id, 'm'.repeat(43), 3)]);
    const live = (await Processes.of(own.context).find(goes.id, own.context))!;
    await live.compute(2, own.context);
    own.log.before = () => new Promise((resolve) => setTimeout(resolve, 5));
    const computing = live.compute(20, own.context).catch((thrown: unknown) => AoError.wrap(thrown).code);
    const sending = send(own, goes.id, [add(3), add(4), add(5), add(6)]).catch(
      (thrown: unknown) => AoError.wrap(thrown).code,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    await removeProcess(goes.id, own.context);
    expect(await computing).toBe('stopped');
    expect(await sending).toBe('no-process');
    await expect(live.compute(1, own.context)).rejects.toMatchObject({ code: 'no-process' });
    const after = (await contents(own.store)).split('\n');
    const left = after.filter((row) => row.includes(goes.id) && !/^(messages|links|matches)/.test(row));
    expect(left).toEqual([]);
    expect(after).toEqual(expect.arrayContaining(before));
    await expect(removeProcess(goes.id, own.context)).rejects.toMatchObject({
      code: 'no-process',
      status: 404,
    });
    // Scheduled anew it begins at slot 0.
    await Schedules.of(own.context).assign(goes.id, goes.definition, own.context);
    expect((await Schedules.of(own.context).head(goes.id, own.context))?.slot).toBe(0);
    expect(await Processes.of(own.context).find(stays.id, own.context)).toBeDefined();
  });
});

describe('storage', () => {
  it('is reported, and gives back what can be computed again', async () => {
    const own = await testNode({ config: Message.of({ 'process-snapshot-slots': 2n }) });
    const { id } = await scheduled(
      own,
      'native',
      Array.from({ length: 9 }, (_, n) => add(n + 1)),
    );
    const live = (await Processes.of(own.context).find(id, own.context))!;
    const { value } = await live.compute(9, own.context);
    const data = (value as Message).message('results')?.get('data');
    const report = await storageReport(own.context);
    expect(report.processes).toMatchObject([{ id, slots: 10 }]);
    expect(report.reclaimable).toBeGreaterThan(0);
    const freed = await freeStorage(own.context);
    expect(freed.reclaimable).toBe(0);
    expect(freed.processes[0]!.bytes).toBe(65536);
    const again = await own.again();
    await send(again, id, [add(1)]);
    const result = await (await Processes.of(again.context).find(id, again.context))!.compute(
      10,
      again.context,
    );
    expect((result.value as Message).message('results')?.get('data')).toBe(String(Number(data) + 1));
    expect(again.log.evaluated.length).toBeLessThan(4);
  });
});
