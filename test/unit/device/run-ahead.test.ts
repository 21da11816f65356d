import { describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import type { AssignmentFeed, Fed } from '../../../src/device/assignment-feed.ts';
import { RunAhead, isOutOfStep, type CallOf, type NextCall } from '../../../src/device/run-ahead.ts';
import { Processes } from '../../../src/device/processes.ts';
import type { Evaluation, WasmEngine } from '../../../src/engine/engine.ts';
import { Message } from '../../../src/message/message.ts';
import { scheduled, testNode, type TestNode } from '../../setup/test-node.ts';

const KEEP = { onError: 'keep' } as const;

function call(slot: number, message = `m${slot}`): NextCall {
  return { slot, message, environment: 'e' };
}

/** Slots up to `newest` are scheduled. */
function feed(newest: number): AssignmentFeed {
  const after = async (slot: number, count: number): Promise<Fed[]> =>
    Array.from({ length: Math.min(count, newest - slot) }, (_, index) => ({
      slot: slot + 1 + index,
      assignment: Message.empty,
    }));
  return { after } as unknown as AssignmentFeed;
}

const callOf: CallOf = async ({ slot }) => call(slot);

function machine(failing?: number): { engine: WasmEngine; batches: string[][] } {
  const batches: string[][] = [];
  const answer = (message: string): Evaluation =>
    message === `m${failing}`
      ? { ok: false, reason: 'trap', error: 'unreachable', output: '' }
      : {
          ok: true,
          reply: `of ${message}`,
          output: '',
          pointers: { message: '', environment: '', reply: '' },
        };
  const engine = {
    async evaluate(message: string) {
      batches.push([message]);
      return answer(message);
    },
    async evaluateAll(messages: { message: string }[], options: { stopAtFailure?: boolean }) {
      batches.push(messages.map(({ message }) => message));
      const out: Evaluation[] = [];
      for (const { message } of messages) {
        out.push(answer(message));
        if (!out.at(-1)!.ok && options.stopAtFailure) break;
      }
      return out;
    },
  };
  return { engine: engine as unknown as WasmEngine, batches };
}

async function takeUp(ahead: RunAhead, engine: WasmEngine, from: number, to: number): Promise<string[]> {
  const out: string[] = [];
  for (let slot = from; slot <= to; slot++) {
    const result = await ahead.evaluate(engine, call(slot), callOf, KEEP);
    out.push(result.ok ? result.reply : result.reason);
  }
  return out;
}

describe('a machine that runs ahead', () => {
  it('is handed many messages at once, the next ones while these are taken up', async () => {
    const { engine, batches } = machine();
    const ahead = new RunAhead(feed(150));
    const replies = await takeUp(ahead, engine, 1, 150);
    expect(replies).toEqual(Array.from({ length: 150 }, (_, index) => `of m${index + 1}`));
    expect(batches.flat()).toHaveLength(150);
    expect(batches.length).toBeLessThan(5);
    expect(ahead.settled).toBe(true);
  });

  it('runs no further than it may, and settles when it is held', async () => {
    const { engine } = machine();
    const ahead = new RunAhead(feed(100));
    ahead.limit = 10;
    await takeUp(ahead, engine, 1, 10);
    expect(ahead.settled).toBe(true);
    ahead.limit = Infinity;
    await takeUp(ahead, engine, 11, 11);
    expect(ahead.settled).toBe(false);
  });

  it('hands over nothing behind a failure', async () => {
    const { engine, batches } = machine(3);
    const ahead = new RunAhead(feed(200));
    expect(await takeUp(ahead, engine, 1, 3)).toEqual(['of m1', 'of m2', 'trap']);
    expect(batches).toHaveLength(1);
  });

  it('gives a result only for the text that it was computed from', async () => {
    const { engine } = machine();
    const ahead = new RunAhead(feed(5));
    await takeUp(ahead, engine, 1, 1);
    const wrong = ahead.evaluate(engine, call(2, 'another text'), callOf, KEEP);
    await expect(wrong).rejects.toSatisfy((error) => isOutOfStep(error as AoError));
    expect(ahead.passed(1)).toBe(false);
    expect(ahead.passed(2)).toBe(true);
    ahead.giveUp();
    expect(ahead.settled).toBe(true);
  });

  it('says that one of several did not end, and runs them one by one afterwards', async () => {
    const { engine, batches } = machine();
    const all = engine.evaluateAll.bind(engine);
    engine.evaluateAll = async () => {
      throw new AoError('runaway', 'Too long.', { status: 503 });
    };
    const ahead = new RunAhead(feed(4));
    await expect(takeUp(ahead, engine, 1, 1)).rejects.toMatchObject({ code: 'runaway-in-batch' });
    ahead.giveUp();
    engine.evaluateAll = all;
    await takeUp(ahead, engine, 1, 4);
    expect(batches).toEqual([['m1'], ['m2'], ['m3'], ['m4']]);
  });
});

describe('a process whose machine runs ahead', () => {
  const dataAt = async (node: TestNode, id: string, slot: number) => {
    const live = (await Processes.of(node.context).find(id, node.context))!;
    const { value } = await live.compute(slot, node.context);
    return (value as Message).message('results')?.get('data');
  };
  const add = (by: number) => ({ action: 'Add', by: String(by) });

  it('gives every slot the state that running them one by one gives', async () => {
    const node = await testNode();
    const messages = Array.from({ length: 70 }, (_, index) => add(index));
    const { id } = await scheduled(node, 'native', messages);
    expect(await dataAt(node, id, 70)).toBe(String((69 * 70) / 2));
    for (const slot of [1, 33, 64, 65])
      expect(await dataAt(node, id, slot)).toBe(String((slot * (slot - 1)) / 2));
    expect(node.log.started).toEqual([0]);
  }, 60_000);

  it('is put back where a message calls something else than was run', async () => {
    const node = await testNode();
    // `function` in a message calls another function of the program, which this one lacks.
    const messages = [add(1), add(2), { ...add(4), function: 'other' }, add(8)];
    const { id } = await scheduled(node, 'native', messages);
    expect(await dataAt(node, id, 2)).toBe('3');
    expect(node.log.evaluated).toEqual(['0', '1', '2']);
  });

  it('a message that takes a path of its own is not run ahead', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(1), { ...add(2), path: 'init' }, add(4)]);
    expect(await dataAt(node, id, 1)).toBe('1');
    await dataAt(node, id, 3).catch(() => undefined);
    expect(node.log.evaluated.filter((by) => by === '2')).toEqual([]);
  });
});
