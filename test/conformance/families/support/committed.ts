/** What holds for a committed message and everything made of it, whoever committed it. */
import { commitmentsOf, deviceOf, HTTPSIG_DEVICE } from '../../../../src/commitment/commitment.ts';
import { messageId } from '../../../../src/commitment/id.ts';
import type { Load } from '../../../../src/commitment/link.ts';
import { checkMessage, type CheckedCommitment } from '../../../../src/commitment/verify.ts';
import { committed, committers, EVERY, type Selection, SIGNED } from '../../../../src/commitment/select.ts';
import type { Message } from '../../../../src/message/message.ts';
import { check, checkJson, type Json, Mismatch } from '../../family.ts';
import { fromValue } from '../../value.ts';
import { commitDeviceName } from './commit-request.ts';

/** What a case of the `commit-…` families says of its message. */
export interface Recorded {
  readonly 'committed-keys': Json;
  readonly signers: Json;
  readonly 'id-all': string;
  readonly 'id-none': string;
}

/** Throws a `Mismatch` unless the message has commitments of this selection and all of them are valid. */
export async function checkValid(
  message: Message,
  load: Load,
  where: string,
  selection: Selection = EVERY,
): Promise<void> {
  const checked = await checkMessage(message, selection, { load });
  if (checked.length === 0) throw new Mismatch('commitments', 'none', where);
  const wrong = checked.find(({ verdict }) => !verdict.valid);
  if (wrong) throw new Mismatch('a valid commitment', reason(wrong), where);
}

export function reason({ id, verdict }: CheckedCommitment): string {
  return `${id}: ${verdict.valid ? 'valid' : `${verdict.code}, ${verdict.reason}`}`;
}

export function checkRecorded(message: Message, data: Recorded, where: string): void {
  check(data['id-all'], messageId(message, 'signed'), `id-all ${where}`);
  check(data['id-none'], messageId(message, 'unsigned'), `id-none ${where}`);
  checkJson(data.signers, fromValue(committers(message)), `signers ${where}`);
  checkJson(data['committed-keys'], fromValue(committed(message, SIGNED)), `committed-keys ${where}`);
}

/** Codecs that have `httpsig@1.0` commit for them (messages.md §9.1). */
const DELEGATE = ['structured@1.0', 'flat@1.0', 'json@1.0'];

/** What was recorded has a commitment by the device that it says it was committed with. */
export function checkDevice(recorded: Message, json: Json): void {
  const name = commitDeviceName(json);
  const wanted = DELEGATE.includes(name) ? HTTPSIG_DEVICE : name;
  const found = [...commitmentsOf(recorded).values()].map((commitment) => deviceOf(commitment) ?? '');
  if (!found.includes(wanted)) throw new Mismatch(wanted, found, 'device');
}
