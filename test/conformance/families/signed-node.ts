/**
 * `signed-node`: signed replies and schedules of a node, and changed copies of them. Each is read and judged, and
 * the verdict is the recorded one; a valid reply is signed by the node, a valid schedule by nobody else.
 */
import { AoError } from '../../../src/base/errors.ts';
import { fromBase64 } from '../../../src/base/bytes.ts';
import { decodeHttpMessage, httpForm } from '../../../src/commitment/http.ts';
import { committers, EVERY } from '../../../src/commitment/select.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { check, defineFamily, Mismatch, type Json } from '../family.ts';
import { checkSchedule, type ScheduleCase } from '../schedule-case.ts';

interface SignedCase {
  kind: string;
  node: string;
  verdict: string;
  response?: { status: number; headers: Record<string, string>; body: string };
  'process-id'?: string;
  assignments?: Json[];
}

export default defineFamily<SignedCase>({
  family: 'signed-node',
  async run({ data }) {
    if (data.kind === 'response') return response(data);
    if (data.kind === 'schedule') return checkSchedule(data as unknown as ScheduleCase);
    throw new Mismatch('a reply or a schedule', data.kind);
  },
});

/** What `act` answers, or undefined where it refuses. */
async function orRefused<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (thrown) {
    if (thrown instanceof AoError) return undefined;
    throw thrown;
  }
}

async function response({ response, verdict, node }: SignedCase): Promise<void> {
  const { headers, body, status } = response!;
  const signers = await orRefused(async () => {
    const form = httpForm(Object.entries(headers), fromBase64(body));
    const message = decodeHttpMessage(form, { checkDigest: true });
    const valid = committers(message).length > 0 && (await verifyMessage(message, EVERY));
    return valid ? committers(message) : undefined;
  });
  check(verdict, signers ? 'valid' : 'invalid', 'verdict');
  if (!signers) return;
  if (!signers.includes(node)) throw new Mismatch(node, signers, 'signer');
  check(String(status), headers['status'] ?? String(status), 'status');
}
