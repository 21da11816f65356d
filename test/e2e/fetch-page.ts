/** A page of the app's origin that asks by `node.fetch`, for tests that take away what is between it and the node. */
import { AoError, openNode } from '../../src/client/index.ts';

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
    /** Sends one message with so many characters of data, and answers its slot or why it has none. */
    sendLarge(process: string, size: number): Promise<number | { code: string; status: number }>;
    /** Ends the machine of a process, which takes a snapshot first. */
    stopMachine(process: string): Promise<void>;
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

/** Text that storage cannot make smaller. */
function noise(size: number): string {
  let text = '';
  while (text.length < size)
    text += String.fromCharCode(
      ...crypto.getRandomValues(new Uint8Array(8192)).map((octet) => 33 + (octet % 90)),
    );
  return text.slice(0, size);
}

window.sendLarge = async (process, size) => {
  try {
    return (await (await node).send(process, { action: 'Inc', data: noise(size) })).slot;
  } catch (thrown) {
    const { code, status } = AoError.wrap(thrown);
    return { code, status };
  }
};

window.stopMachine = async (process) => (await node).stop(process);

window.messages = async (process) => {
  const slots = await (await node).slots(process, { limit: 500 });
  return slots.filter(({ slot }) => slot > 0).map(({ id }) => id);
};
