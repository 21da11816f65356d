/** The examples of the documents, where the type checker sees them; a test holds the documents to them. */
import { openNode, openWallet } from 'beamlet';

export async function readme() {
  const node = await openNode();
  const { id } = await node.spawn({ module: { type: 'aos' }, name: 'mine' });
  await node.send(id, { action: 'Eval', data: 'return 1 + 1' });
  const state = await node.fetch(`/${id}~process@1.0/now/results/data`);
  const report = await node.verify('https://some-node/PID~process@1.0/now/balances', { level: 'replayed' });
  return { state, report };
}

export async function library() {
  const node = await openNode();
  node.use(await openWallet('wander')); // or 'ethereum', 'local', 'file'
  const { id } = await node.spawn({ module: { type: 'aos' } }); // the wallet's from now on
  await node.send(id, { action: 'Eval', data: 'return Owner' });
}
