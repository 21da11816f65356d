/**
 * `scale.slots`: microseconds of a slot of the smallest C module of the `process-wasm` vectors around slot 10,000 and
 * around slot 100,000, the worse of the two, beside the same around slot 100 of fresh processes, measured in turn.
 * Assignments are prepared unsigned, outside the measure. `memory`: bytes on the JavaScript heaps of all workers after
 * slot 100,000 beside those after slot 100 of the same process (the module's own linear memory is not counted: its ABI
 * never frees a message).
 */
import { messageId } from '../../../src/commitment/id.ts';
import { assignmentWrite, headWrite } from '../../../src/device/schedule-records.ts';
import { Message } from '../../../src/message/message.ts';
import type { Node } from '../../../src/node/node.ts';
import { defineBench, median, time } from '../bench.ts';
import { benchNode, get, nativeKeys, sign, smallestModule, type BenchNode } from '../process-node.ts';

/** Slots that are timed together. */
const WINDOW = 200;
/** Assignments that are written in one transaction. */
const BATCH = 1000;

/** A process with slots up to `newest`, none computed. Answers its ID. */
async function prepared({ node, wallet }: BenchNode, module: Uint8Array, newest: number): Promise<string> {
  const image = await node.context.cache.write(Message.of({ body: module }));
  const name = `scale-${newest}-${crypto.randomUUID()}`;
  const definition = await sign(nativeKeys(image, wallet.address, name), wallet);
  const process = messageId(definition, 'signed');
  await node.context.cache.write(definition);
  for (let from = 0; from <= newest; from += BATCH) {
    const writes = [];
    for (let slot = from; slot < from + BATCH && slot <= newest; slot++) {
      const message = Message.of({ target: process, type: 'Message', action: 'Inc', by: String(slot) });
      const assignment = assignmentOf(process, slot, slot === 0 ? definition : message);
      writes.push(assignmentWrite(process, slot, `unsigned-${slot}`, assignment));
    }
    await node.store.write(writes);
  }
  const head = { slot: newest, hashChain: '', timestamp: newest, own: true, created: 0 };
  await node.store.write([headWrite(process, head)]);
  return process;
}

function assignmentOf(process: string, slot: number, body: Message): Message {
  return Message.of({
    path: 'compute',
    'data-protocol': 'ao',
    variant: 'ao.N.1',
    type: 'assignment',
    process,
    epoch: '0',
    slot: BigInt(slot),
    'block-height': 0n,
    timestamp: BigInt(slot),
    body,
  });
}

async function computeTo(node: Node, process: string, slot: number): Promise<void> {
  await get(node, `/${process}~process@1.0/compute&slot=${slot}/at-slot`);
}

export default defineBench(async (context) => {
  const module = smallestModule(await context.vectors('process-wasm.json'));
  const places = context.quick ? [1_000, 4_000] : [10_000, 100_000];
  const windows = context.quick ? 3 : 15;
  /** Microseconds a slot of one window of the process, which stands before it. */
  const timed = async (node: Node, process: string, from: number) =>
    ((await time(() => computeTo(node, process, from + WINDOW))) / WINDOW) * 1000;
  /** The same around slot 100 of a process of its own. */
  const early = async () => {
    const bench = await benchNode();
    try {
      const process = await prepared(bench, module, WINDOW);
      await computeTo(bench.node, process, 0);
      return await timed(bench.node, process, 0);
    } finally {
      await bench.end();
    }
  };
  const bench = await benchNode();
  try {
    const { node } = bench;
    const process = await prepared(bench, module, places.at(-1)! + windows * WINDOW);
    await computeTo(node, process, WINDOW);
    // Compiled code is on the heap as well: the first windows make it.
    for (let round = 0; round < windows; round++) await early();
    const heapBefore = await context.heap();
    // Each place beside what was measured in turn with it: the machine is not the same minutes later.
    const around: { late: number; early: number }[] = [];
    for (const place of places) {
      const times: number[] = [];
      const base: number[] = [];
      let slot = place - Math.floor((windows * WINDOW) / 2);
      await computeTo(node, process, slot);
      for (let round = 0; round < windows; round++, slot += WINDOW) {
        base.push(await early());
        times.push(await timed(node, process, slot));
      }
      around.push({ late: median(times), early: median(base) });
    }
    const worst = around.reduce((one, two) => (two.late / two.early > one.late / one.early ? two : one));
    return [
      {
        value: worst.late,
        unit: 'µs/slot',
        baseline: 'around slot 100',
        baselineValue: worst.early,
      },
      {
        part: 'memory',
        value: await context.heap(),
        unit: 'B',
        baseline: 'after slot 100',
        baselineValue: heapBefore,
      },
    ];
  } finally {
    await bench.end();
  }
});
