/** The page of `verify` and `verify-evidence`: a node of its own, in memory, that checks what it is given. */
import { AoError, type AoErrorData } from '../base/errors.ts';
import { fromBase64 } from '../base/bytes.ts';
import { decodeAns104 } from '../codec/ans104.ts';
import { decodeStructured } from '../codec/structured.ts';
import { verifyMessage } from '../commitment/verify.ts';
import { Message } from '../message/message.ts';
import { createNode, type Node } from '../node/node.ts';
import { openIndexedDb } from '../store/indexeddb.ts';
import type { TrustList } from '../protocol/api.ts';
import type { TrustEntry } from '../attestation/trust.ts';
import { checkEvidence, type Verdict } from '../verify/check-evidence.ts';
import { evidenceText, parseEvidence, type Evidence } from '../verify/evidence.ts';
import type { Level, Report } from '../verify/report.ts';
import { verify } from '../verify/verify.ts';

export interface VerifyJob {
  readonly url: string;
  readonly level: Level;
  readonly peers: readonly string[];
  /** Base64url: WASM or Lua bytes, or the data item that carries them. */
  readonly modules: readonly string[];
  readonly trust?: TrustList;
  /** Base64url of checkpoint files. */
  readonly checkpoints?: readonly string[];
  readonly from?: string;
  readonly sample?: { readonly stretches: number };
  /** Base64url of PEM or DER. */
  readonly certificates?: string;
}

/** What a call answers, or how it was refused. */
export type Answered<T> = { readonly value: T } | { readonly error: AoErrorData };

declare global {
  interface Window {
    tellProgress(phase: string, done: number, total: number): Promise<void>;
    /** With the text of each piece of evidence that was kept, by its ID. */
    runVerify(job: VerifyJob): Promise<Answered<{ report: Report; evidence: Record<string, string> }>>;
    runVerifyEvidence(text: string, modules: readonly string[]): Promise<Answered<Verdict>>;
  }
}

const createWorker = () =>
  new Worker(new URL('../../workers/process.worker.ts', import.meta.url), { type: 'module' });

async function open(modules: readonly string[]): Promise<Node> {
  const node = await createNode({ store: await openIndexedDb('verify'), createWorker });
  for (const text of modules) await keepModule(fromBase64(text), node);
  return node;
}

/** A module is named by the ID of the message that carries it: kept in the forms that such messages have. */
async function keepModule(bytes: Uint8Array, { context }: Node): Promise<void> {
  await context.cache.write(bytes);
  await context.cache.write(Message.of({ body: bytes }));
  for (const type of ['application/wasm', 'application/lua', 'text/x-lua'])
    await context.cache.write(Message.of({ body: bytes, 'content-type': type }));
  try {
    const item = decodeStructured(decodeAns104(bytes));
    // Only a valid signature makes an item what its ID names.
    if (item instanceof Message && (await verifyMessage(item))) await context.cache.write(item);
  } catch (thrown) {
    // It is the module itself, not the data item around it.
    if (!(thrown instanceof AoError)) throw thrown;
  }
}

async function answered<T>(act: () => Promise<T>): Promise<Answered<T>> {
  try {
    return { value: await act() };
  } catch (thrown) {
    return { error: AoError.wrap(thrown).toJSON() };
  }
}

window.runVerify = ({ url, level, peers, modules, trust = {}, certificates, checkpoints = [], ...how }) =>
  answered(async () => {
    const { context } = await open(modules);
    const attest = {
      trust: (trust.programs ?? []) as TrustEntry[],
      ...(certificates === undefined ? {} : { certificates: fromBase64(certificates) }),
    };
    const asked = attest.trust.length > 0 || certificates !== undefined || level === 'attested';
    const report = await verify(
      url,
      {
        level,
        peers,
        trust,
        checkpoints: checkpoints.map((file) => fromBase64(file)),
        ...how,
        ...(asked ? { attest } : {}),
        onProgress: ({ phase, done, total }) => void window.tellProgress(phase, done, total),
      },
      context,
    );
    const evidence: Record<string, string> = {};
    for (const { evidence: id } of report.problems) {
      const item = id === undefined ? undefined : await context.store.get<Evidence>('evidence', id);
      if (id !== undefined && item) evidence[id] = evidenceText(item);
    }
    return { report, evidence };
  });

window.runVerifyEvidence = (text, modules) =>
  answered(async () => {
    const node = await open(modules);
    try {
      return await checkEvidence(parseEvidence(text), node.context);
    } finally {
      await node.close();
    }
  });
