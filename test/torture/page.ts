/** The page that is killed: opens the node as any page does, and puts load on it. */
import { AoError } from '../../src/base/errors.ts';
import { openNode, type OpenNode } from '../../src/client/index.ts';
import type { SpawnOptions } from '../../src/protocol/api.ts';
import { RING, token } from '../setup/ring-program.ts';
import { census, inspectDatabase } from './inspect.ts';
import type { LoadPlan, Note, RingPlan, SlotState, VisitPlan } from './wire.ts';

declare global {
  interface Window {
    /** Given by the runner: called as soon as the node has done something. */
    note(note: Note): Promise<void>;
    /** Answers where the node keeps its state, and whether the browser lost what was there. */
    openTorture(): Promise<{ storage: string; lost: boolean }>;
    /** What the browser keeps for this page, in a line. */
    census(): Promise<string>;
    /** Makes a process of a sample, of `aos`, or of the ring's program; answers its ID. */
    makeProcess(kind: string): Promise<string>;
    hasAos(): Promise<boolean>;
    /** These go on until the page dies. */
    startLoad(plan: LoadPlan): void;
    startVisits(plan: VisitPlan): void;
    startRing(plan: RingPlan): void;
    /** What is wrong with the database as it is on disk, in sentences. */
    inspect(): Promise<string[]>;
    /** Resolves when no push is under way any more. */
    settled(): Promise<void>;
    /** Names of all processes here. */
    processIds(): Promise<string[]>;
    /** ID of the message at each slot, from 0 to the newest. */
    messageIds(process: string): Promise<string[]>;
    /** `token-hop` of each message that a process of the ring got. */
    arrived(process: string): Promise<string[]>;
    /** Computes to the head; what the node then answers for each slot. */
    states(process: string): Promise<SlotState[]>;
    /** The process as a file, in base64; and the way back. */
    exportFile(process: string): Promise<string>;
    importFile(file: string): Promise<string>;
  }
}

const DATABASE = 'beamlet';
let node: OpenNode;

/** Errors of ours have no text of their own where Playwright shows them. */
async function plainly<T>(action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (thrown) {
    const { code, message } = AoError.wrap(thrown);
    throw new Error(`${code}: ${message}`, { cause: thrown });
  }
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

window.openTorture = async () => {
  node = await openNode({ serviceWorker: false });
  const { storage, lost } = await node.info();
  return { storage, lost: lost !== undefined };
};

window.census = () => census(DATABASE);

window.makeProcess = async (kind) => {
  const module: SpawnOptions['module'] =
    kind === 'aos'
      ? { type: 'aos' }
      : kind === 'ring'
        ? { type: 'lua', source: RING }
        : { type: 'sample', name: kind };
  return (await node.spawn({ module, name: kind })).id;
};

window.hasAos = async () => (await node.samples()).some(({ name, available }) => name === 'aos' && available);

window.startLoad = ({ process, messages, seed, senders }) => {
  const below = random(seed);
  const sender = async () => {
    for (;;) {
      const message = messages[below(messages.length)]!;
      // Some senders wait for the result, some only for the schedule.
      const compute = below(3) > 0;
      try {
        const { slot, id } = await node.send(process, { ...message, compute });
        await window.note({ type: 'sent', process, slot, id });
      } catch (error) {
        console.warn('send', AoError.wrap(error).code, String(error));
      }
      // Now and then there is nothing to do for a moment: that is when a snapshot is taken.
      if (below(12) === 0) await wait(2_100);
      if (below(40) === 0) await node.stop(process).catch(() => undefined);
      if (below(60) === 0) await node.freeStorage().catch(() => undefined);
    }
  };
  for (let n = 0; n < senders; n++) void sender();
};

window.startVisits = ({ process, file }) => {
  const visit = async () => {
    for (;;) {
      try {
        const here = (await node.processes()).some(({ id }) => id === process);
        await window.note({ type: 'moving' });
        if (here) await node.removeProcess(process);
        else await window.importFile(file);
        await window.note({ type: here ? 'off' : 'in' });
        if (!here) await Promise.race([node.compute(process), wait(200)]);
      } catch (error) {
        console.warn('visit', AoError.wrap(error).code, String(error));
      }
      await wait(50);
    }
  };
  void visit();
};

window.startRing = ({ ring, hops, life }) => {
  const turn = async () => {
    for (let n = 0; ; n++) {
      const first = ring[n % ring.length]!;
      const rest = [...ring.slice(n % ring.length), ...ring.slice(0, n % ring.length)];
      try {
        const { slot, id } = await node.send(first, {
          ...token(`${life}.${n}`, rest, hops),
          compute: false,
        });
        await window.note({ type: 'sent', process: first, slot, id });
        await ask('POST', `/${first}~process@1.0/push&slot=${slot}`);
      } catch (error) {
        console.warn('ring', AoError.wrap(error).code, String(error));
      }
    }
  };
  void turn();
};

window.inspect = () => inspectDatabase(DATABASE);

window.settled = async () => {
  while ((await inspectDatabase(DATABASE, 'pushes')).length > 0) await wait(100);
};

window.processIds = async () => (await node.processes()).map(({ id }) => id);

window.messageIds = async (process) => {
  const { slot } = await node.process(process);
  const ids: string[] = [];
  for (let before = slot + 1; before > 0; before -= 500)
    for (const summary of await node.slots(process, { before, limit: 500 })) ids[summary.slot] = summary.id;
  return ids;
};

window.arrived = async (process) => {
  const { slot } = await node.process(process);
  const out: string[] = [];
  for (let at = 1; at <= slot; at++) {
    const { children = [] } = (await node.slot(process, at)).message;
    const text = (key: string) => children.find((child) => child.key === key)?.text ?? '';
    out.push(`${text('token')}-${text('hop')}`);
  }
  return out;
};

window.states = async (process) => {
  const { slot } = await plainly(node.compute(process));
  const states: SlotState[] = [];
  // The newest first: what lacks is then computed in one go.
  for (let at = slot; at >= 0; at--) {
    const { status, headers, body } = await ask('GET', `/${process}~process@1.0/compute&slot=${at}`);
    // Signatures are random and each node's own.
    const fields = headers.filter(([name]) => !name.startsWith('signature')).map((field) => field.join(': '));
    states.unshift({ slot: at, status, fields: fields.sort(), body: base64(body) });
  }
  return states;
};

window.exportFile = async (process) => base64(await node.exportProcess(process));
window.importFile = async (file) => {
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
  return (await node.importProcess(bytes)).id;
};

function ask(method: string, target: string) {
  return node.request({ method, target, headers: [['accept-bundle', 'true']], body: new Uint8Array(0) });
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
