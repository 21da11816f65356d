/** What the tests of lying peers share: one honest process, and what is said instead of the truth. */
import { expect } from 'vitest';
import { toBytes } from '../../../../src/base/bytes.ts';
import { uncommitted } from '../../../../src/commitment/commitment.ts';
import { RsaWallet } from '../../../../src/crypto/wallet.ts';
import type { Message } from '../../../../src/message/message.ts';
import type { HttpResponse, Transport } from '../../../../src/resolver/context.ts';
import type { NodeContext } from '../../../../src/resolver/node-context.ts';
import { decodeReply } from '../../../../src/resolver/reply.ts';
import { checkEvidence } from '../../../../src/verify/check-evidence.ts';
import { evidenceText, parseEvidence, type Evidence } from '../../../../src/verify/evidence.ts';
import type { Level, Report } from '../../../../src/verify/report.ts';
import { verify, type VerifyOptions } from '../../../../src/verify/verify.ts';
import { enginesHere } from '../../../conformance/families/support/process-case.ts';
import { testNode } from '../../../conformance/node.ts';
import { SchedulingPeer, type Keys } from '../scheduling-peer.ts';

export let keys: Keys;
export let honest: SchedulingPeer;

/** For `beforeAll`: making keys takes seconds. */
export async function prepare(): Promise<void> {
  const [scheduler, author, stranger] = await Promise.all([
    RsaWallet.generate(),
    RsaWallet.generate(),
    RsaWallet.generate(),
  ]);
  keys = { scheduler, author, stranger };
  honest = await SchedulingPeer.open(keys);
}

/** A liar with the same process as all others: making one takes time. */
export function liar(): SchedulingPeer {
  honest.answer = (_, truth) => truth();
  honest.asked.length = 0;
  return honest;
}

export const node = (http: Transport): Promise<NodeContext> =>
  testNode({ identity: keys.stranger, capabilities: { engines: enginesHere, http } });

export const codes = ({ problems }: Report) => problems.map(({ code }) => code);

/** True if who asked would take the answer for proven. */
export const accepted = ({ level, reached, asked }: Report) =>
  level !== 'contradicted' && reached.includes(asked);

/** Each is a row of the table in docs/threat-model.md. */
export interface Lie {
  readonly name: string;
  readonly level: Level;
  readonly code: string;
  readonly path?: string;
  readonly options?: VerifyOptions;
  readonly tell: (peer: SchedulingPeer) => void | Promise<void>;
}

export async function tried(lie: Lie): Promise<Report> {
  const peer = liar();
  await lie.tell(peer);
  return verify(peer.url(lie.path), { level: lie.level, ...lie.options }, await node(peer));
}

export type Truth = () => Promise<HttpResponse>;

export const header =
  (change: (headers: [string, string][]) => readonly (readonly [string, string])[]) =>
  async (truth: Truth): Promise<HttpResponse> => {
    const answer = await truth();
    return { ...answer, headers: change(answer.headers.map(([name, value]) => [name.toLowerCase(), value])) };
  };

export const refusal = (status: number) => (): Promise<HttpResponse> =>
  Promise.resolve({ status, headers: [], body: toBytes('') });

/** Changes the honest state at a slot and after it. */
export const state =
  (from: number, change: (state: Message) => Message) =>
  (peer: SchedulingPeer): void => {
    for (let slot = from; slot <= 5; slot++)
      peer.instead(new RegExp(`compute&slot=${slot}$`), async (truth) => {
        return peer.reply(change(uncommitted(decodeReply(await truth()))));
      });
  };

/**
 * Evidence that was kept proves its kind to somebody without a network, and a file of it in which anything was changed
 * is refused.
 */
export async function proves(id: string | undefined, context: NodeContext, kind: string): Promise<Evidence> {
  const text = evidenceText((await context.store.get<Evidence>('evidence', id ?? ''))!);
  const item = parseEvidence(text);
  const verdict = await checkEvidence(item, await testNode({ capabilities: { engines: enginesHere } }));
  expect(verdict.findings.join(' ')).not.toBe('');
  expect(verdict).toMatchObject({ proves: true, kind });
  for (let at = 11; at < text.length; at += Math.ceil(text.length / 97)) {
    const changed = text.slice(0, at) + (text[at] === '1' ? '2' : '1') + text.slice(at + 1);
    if (changed.replaceAll(/\s/g, '') === text.replaceAll(/\s/g, '')) continue;
    expect(() => parseEvidence(changed), `character ${at}`).toThrow();
  }
  return item;
}
