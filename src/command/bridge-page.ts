/** The bridge's page: opens the node as any page does, takes requests from the bridge and gives back the answers. */
import { toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { openNode, type HttpAnswer, type OpenNode } from '../client/index.ts';
import { FrameReader, frameHead, type RequestHead } from './envelope.ts';

declare global {
  interface Window {
    /** Resolves with the node's address once requests are taken. Called by the bridge. */
    startBridge(): Promise<string>;
  }
}

async function answer(node: OpenNode, head: RequestHead, body: Uint8Array): Promise<void> {
  const { id, method, target, headers } = head;
  let reply: HttpAnswer;
  try {
    reply = await node.request({ method, target, headers, body });
  } catch (thrown) {
    const error = AoError.wrap(thrown);
    reply = {
      status: error.status,
      headers: [['content-type', 'application/json']],
      body: toBytes(`${JSON.stringify(error.toJSON())}\n`),
    };
  }
  await fetch('/bridge/answers', {
    method: 'POST',
    // A blob, so that the browser's debugging protocol does not carry a copy of every answer.
    body: new Blob([
      frameHead({ id, status: reply.status, headers: reply.headers }, reply.body.length),
      reply.body as Uint8Array<ArrayBuffer>,
    ]),
  });
}

window.startBridge = async () => {
  const node = await openNode({ serviceWorker: false });
  const { address } = await node.info();
  const { body } = await fetch('/bridge/requests');
  void (async () => {
    const reader = new FrameReader<RequestHead>();
    const source = body!.getReader();
    for (let chunk = await source.read(); !chunk.done; chunk = await source.read())
      for (const { head, body: octets } of reader.push(chunk.value)) void answer(node, head, octets);
  })();
  return address;
};
