/** A page of the app's origin that asks by `node.fetch`, for tests that take away what is between it and the node. */
import { openNode } from '../../src/client/index.ts';

export interface Sent {
  readonly slot: number;
  readonly id: string;
}

declare global {
  interface Window {
    ask(path: string): Promise<{ status: number; text: string }>;
    /** Makes a process that counts; answers its ID. */
    makeCounter(): Promise<string>;
    /** Sends `count` messages by three senders at a time; answers where each went. */
    sendMany(process: string, count: number): Promise<Sent[]>;
    /** How many of them are acknowledged. */
    acknowledged: number;
    /** ID of the message at each slot but the first, the newest first. */
    messages(process: string): Promise<string[]>;
  }
}

const node = openNode();

window.ask = async (path) => {
  const response = await (await node).fetch(path, { headers: { 'accept-bundle': 'true' } });
  return { status: response.status, text: await response.text() };
};

window.makeCounter = async () => {
  const { id } = await (await node).spawn({ module: { type: 'sample', name: 'counter' } });
  return id;
};

window.acknowledged = 0;
window.sendMany = async (process, count) => {
  const opened = await node;
  const sent: Sent[] = [];
  let begun = 0;
  const sender = async () => {
    while (begun++ < count) {
      const { slot, id } = await opened.send(process, { action: 'Inc' });
      sent.push({ slot, id });
      window.acknowledged = sent.length;
    }
  };
  await Promise.all([sender(), sender(), sender()]);
  return sent;
};

window.messages = async (process) => {
  const slots = await (await node).slots(process, { limit: 500 });
  return slots.filter(({ slot }) => slot > 0).map(({ id }) => id);
};
