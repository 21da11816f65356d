/** The page that is killed: opens the node as any page does, and puts load on it. */
import { openNode, type OpenNode } from '../../src/client/index.ts';
import type { Ack, LoadPlan, SlotState } from './wire.ts';

declare global {
  interface Window {
    /** Given by the runner: called as soon as the node has acknowledged a message. */
    acknowledged(ack: Ack): Promise<void>;
    openTorture(): Promise<void>;
    /** Makes a process of a sample; answers its ID. */
    makeProcess(sample: string): Promise<string>;
    /** Sends until the page dies. */
    startLoad(plan: LoadPlan): void;
    /** ID of the message at each slot, from 0 to the newest. */
    messageIds(process: string): Promise<string[]>;
    /** Computes to the head; what the node then answers for each slot. */
    states(process: string): Promise<SlotState[]>;
    /** The process as a file, in base64; and the way back. */
    exportFile(process: string): Promise<string>;
    importFile(file: string): Promise<string>;
  }
}

let node: OpenNode;

window.openTorture = async () => {
  node = await openNode({ serviceWorker: false });
  await node.info();
};

window.makeProcess = async (name) => (await node.spawn({ module: { type: 'sample', name } })).id;

window.startLoad = ({ process, messages, seed }) => {
  let state = seed;
  const random = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const sender = async () => {
    for (;;) {
      const message = messages[random(messages.length)]!;
      // Some senders wait for the result, some only for the schedule.
      const compute = random(3) > 0;
      try {
        const { slot, id } = await node.send(process, { ...message, compute });
        await window.acknowledged({ process, slot, id });
      } catch (error) {
        console.warn('send', String(error));
      }
    }
  };
  void sender();
  void sender();
};

window.messageIds = async (process) => {
  const { slot } = await node.process(process);
  const ids: string[] = [];
  for (let at = 0; at <= slot; at++) ids.push((await node.slot(process, at)).id);
  return ids;
};

window.states = async (process) => {
  const { slot } = await node.compute(process);
  const states: SlotState[] = [];
  for (let at = 0; at <= slot; at++) {
    const { status, headers, body } = await node.request({
      method: 'GET',
      target: `/${process}~process@1.0/compute&slot=${at}`,
      headers: [['accept-bundle', 'true']],
      body: new Uint8Array(0),
    });
    // Signatures are random and each node's own.
    const fields = headers.filter(([name]) => !name.startsWith('signature')).map((field) => field.join(': '));
    states.push({ slot: at, status, fields: fields.sort(), body: base64(body) });
  }
  return states;
};

window.exportFile = async (process) => base64(await node.exportProcess(process));
window.importFile = async (file) => {
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
  return (await node.importProcess(bytes)).id;
};

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
