/**
 * Devices that make no sense in a browser's tab: every key of theirs is answered with a 501 that says why
 * (resolver.md §9.0; docs/compatibility.md lists them).
 */
import { Message } from '../message/message.ts';
import type { AnyKeyFunction, Device } from '../resolver/device.ts';

const REASONS = {
  'greenzone@1.0': 'a green zone needs a trusted execution environment, which a browser does not offer',
  'volume@1.0': 'a browser has no disk volumes to mount or encrypt',
  'cacheviz@1.0': 'drawing the store needs Graphviz',
  'snp@1.0': 'making attestation reports needs an AMD SEV-SNP machine (checking those of others is built in)',
  'cookie@1.0': 'a Service Worker can neither see nor set the cookies of a browser',
  'secret@1.0': 'a tab keeps wallets for nobody but its own user',
  'node-process@1.0': 'processes of the node itself are not run in a tab',
  'poda@1.0': 'proof of data availability needs a set of peers that accept connections',
  'compute@1.0': 'this device only exists in other releases',
  'arweave@2.9-pre': 'a tab is no Arweave node; blocks and transactions are read through a gateway',
  'copycat@1.0': 'a tab does not copy other nodes wholesale',
} as const;

function unavailable(name: string, reason: string): Device {
  const refuse: AnyKeyFunction = (key) => ({
    status: 'error',
    value: Message.of({
      status: 501n,
      body: `${name} does not run in a browser: ${reason}.`,
      device: name,
      key,
    }),
  });
  return { name, info: { handler: refuse, excludes: ['keys', 'set', 'id'] }, keys: {} };
}

export const unavailableDevices: readonly Device[] = Object.entries(REASONS).map(([name, reason]) =>
  unavailable(name, reason),
);
