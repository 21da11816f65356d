/**
 * `audit.schedule`: assignments a second of a native schedule, fully checked (process.md §2.9): the scheduler's
 * signature, the author's, identity, order and hash chain; beside the bare signature checks among them, two an
 * assignment, at the same concurrency.
 */
import { commitmentsOf, committerOf } from '../../../src/commitment/commitment.ts';
import { readAssignments } from '../../../src/device/schedule-records.ts';
import type { Message } from '../../../src/message/message.ts';
import { fromPlain, toPlain } from '../../../src/message/plain.ts';
import { auditAssignment, auditDefinition } from '../../../src/verify/native-audit.ts';
import { checksAhead } from '../../../src/verify/schedule-source.ts';
import { defineBench, interleave } from '../bench.ts';
import { smallestModule } from '../process-node.ts';
import { remoteProcess } from '../verified-node.ts';

/** Checks that are under way at the same time. */
const CONCURRENCY = 16;

export default defineBench(async (context) => {
  const count = context.quick ? 60 : 1000;
  const pair = await remoteProcess(smallestModule(await context.vectors('process-wasm.json')), count - 1);
  try {
    const { node, wallet } = pair.remote;
    const stored = await readAssignments(node.store, pair.process, 0, count - 1);
    const plain = stored.map(({ assignment }) => toPlain(assignment));
    // Fresh messages each time: what was verified once is remembered.
    const fresh = () => plain.map((one) => fromPlain(one) as Message);
    const audit = async () => {
      const all = fresh();
      const ahead = checksAhead(all);
      let state = await auditDefinition(pair.process, all[0]!.get('body') as Message);
      for (const [index, assignment] of all.entries()) {
        ahead(index);
        state = (await auditAssignment(state, assignment, { key: index })).state;
      }
    };
    const key = await crypto.subtle.importKey(
      'jwk',
      { kty: 'RSA', e: 'AQAB', n: base64Url(wallet.publicKey) },
      { name: 'RSA-PSS', hash: 'SHA-512' },
      false,
      ['verify'],
    );
    const signature = await wallet.sign(new Uint8Array(1024), 'rsa-pss-sha512');
    const signatures = stored.reduce(
      (sum, { assignment }) => sum + signed(assignment) + signed(assignment.get('body') as Message),
      0,
    );
    const bare = () =>
      each(Array.from({ length: signatures }), () =>
        crypto.subtle.verify(
          { name: 'RSA-PSS', saltLength: 64 },
          key,
          signature as Uint8Array<ArrayBuffer>,
          new Uint8Array(1024),
        ),
      );
    const times = await interleave(context.quick ? 2 : 5, audit, bare);
    return {
      value: (count / times.subject) * 1000,
      unit: 'assignments/s',
      baseline: 'bare signature checks',
      baselineValue: (count / times.baseline) * 1000,
    };
  } finally {
    await pair.end();
  }
});

const signed = (message: Message) =>
  [...commitmentsOf(message).values()].filter((one) => committerOf(one) !== undefined).length;

async function each<T>(list: readonly T[], check: (one: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < list.length) await check(list[next++]!);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
}

function base64Url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
