/** A page of the app's origin that asks by `node.fetch`, for tests that take away what is between it and the node. */
import { openNode } from '../../src/client/index.ts';

declare global {
  interface Window {
    ask(path: string): Promise<{ status: number; text: string }>;
  }
}

const node = openNode();

window.ask = async (path) => {
  const response = await (await node).fetch(path, { headers: { 'accept-bundle': 'true' } });
  return { status: response.status, text: await response.text() };
};
