/** A node for targets that need one. Its signatures are none: making them would take most of the time. */
import { addressOf } from '../../src/crypto/address.ts';
import type { NodeContext } from '../../src/resolver/node-context.ts';
import { testNode, type NodeOptions } from '../conformance/node.ts';

const publicKey = new Uint8Array(512).fill(0xab);
const identity = {
  address: addressOf(publicKey),
  publicKey,
  sign: () => Promise.resolve(new Uint8Array(512).fill(1)),
};

export function fuzzNode(options: NodeOptions = {}): Promise<NodeContext> {
  return testNode({ identity, ...options });
}
