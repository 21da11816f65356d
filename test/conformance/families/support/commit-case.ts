/** The families `commit-httpsig` and `commit-hmac`: what both ask of their cases. */
import { decodeJson } from '../../../../src/codec/json.ts';
import { commitmentsOf, committedKeys } from '../../../../src/commitment/commitment.ts';
import { commitHttpsig } from '../../../../src/commitment/httpsig.ts';
import {
  decodeHttpMessage,
  encodeHttp,
  formToMessage,
  messageToForm,
} from '../../../../src/commitment/http.ts';
import { messageId } from '../../../../src/commitment/id.ts';
import type { Load } from '../../../../src/commitment/link.ts';
import { EVERY } from '../../../../src/commitment/select.ts';
import { verifyMessage } from '../../../../src/commitment/verify.ts';
import { Message } from '../../../../src/message/message.ts';
import type { Value } from '../../../../src/message/value.ts';
import { check, checkJson, checkRefused, type Json, Mismatch } from '../../family.ts';
import { expectValue, fromValue, isError, toMessage } from '../../value.ts';
import { commitRequest } from './commit-request.ts';
import { checkDevice, checkRecorded, checkValid, type Recorded } from './committed.ts';
import { loader } from './links.ts';
import { signatureInputs } from './wire.ts';
import { testWallet } from './ans104.ts';

export interface CommitCase extends Recorded {
  readonly message: Json;
  readonly device: Json;
  readonly committed: Json;
  readonly verify: boolean;
  readonly wire: Json;
  readonly 'wire-verify': boolean;
  readonly json: Json;
}

export const linkId = (value: Value) => messageId(value, 'signed');

/** Checks all that is recorded and commits the message anew, which is what comes back. */
export async function checkCommitCase(data: CommitCase): Promise<Message> {
  const message = toMessage(data.message);
  const load = loader(message);
  const request = commitRequest(data.device);
  const signer = await testWallet();
  if (isError(data.committed)) {
    await checkRefused(() => commitHttpsig(message, signer, request, { load }));
    return message;
  }
  const recorded = toMessage(data.committed);
  checkDevice(recorded, data.device);
  if (data.verify) await checkValid(recorded, load, 'committed');
  else check(false, await verifyMessage(recorded, EVERY, { load }), 'verify');
  checkRecorded(recorded, data, 'of committed');
  if (!isError(data.wire)) await checkWire(data, recorded, load);
  if (!isError(data.json)) await checkJsonForm(data, load);

  const anew = await commitHttpsig(message, signer, request, { load });
  await checkValid(anew, load, 'committed anew');
  check(data['id-none'], messageId(anew, 'unsigned'), 'id-none anew');
  return anew;
}

async function checkWire(data: CommitCase, recorded: Message, load: Load): Promise<void> {
  const wire = toMessage(data.wire);
  const ours = formToMessage(await encodeHttp(recorded, { bundle: true, load }));
  await expectValue(fromValue(wire.without('signature-input')), ours.without('signature-input'), {
    where: 'wire',
  });
  checkJson(
    signatureInputs(messageToForm(wire)),
    signatureInputs(messageToForm(ours)),
    'wire signature-input',
  );
  if (!data['wire-verify']) return;
  for (const [where, form] of [
    ['wire', wire],
    ['our wire', ours],
  ] as const) {
    const decoded = decodeHttpMessage(messageToForm(form));
    check(true, decoded.has('commitments'), `commitments of ${where}`);
    await checkValid(decoded, load, where);
    check(data['id-all'], messageId(decoded, 'signed'), `id-all of ${where}`);
    await sameCommitments(recorded, decoded, where);
  }
}

/**
 * The same commitments over the same keys. Their order may differ, and some may be there twice, where a body of
 * several parts stands for keys that were signed by the IDs of what is under them.
 */
async function sameCommitments(recorded: Message, decoded: Message, where: string): Promise<void> {
  const ours = commitmentsOf(decoded);
  for (const [id, commitment] of commitmentsOf(recorded)) {
    const other = ours.get(id);
    if (!other) throw new Mismatch(id, 'no such commitment', where);
    await expectValue(fromValue(commitment.without('committed')), other.without('committed'), { where });
    checkJson(sortedKeys(commitment), sortedKeys(other), `committed of ${where}`);
  }
  check(commitmentsOf(recorded).size, ours.size, `commitments of ${where}`);
}

function sortedKeys(commitment: Message): string[] {
  return [...new Set(committedKeys(commitment))].sort();
}

async function checkJsonForm(data: CommitCase, load: Load): Promise<void> {
  const decoded = decodeJson(data.json as string);
  if (!(decoded instanceof Message)) throw new Mismatch('a message', fromValue(decoded), 'json');
  await checkValid(decoded, load, 'json');
  checkRecorded(decoded, data, 'of json');
  await expectValue(data.committed, decoded, { where: 'json', id: linkId });
}
