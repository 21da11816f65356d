/** `commit` and `verify` of `message@1.0` and of the codec devices (messages.md §11.6). */
import { AoError } from '../base/errors.ts';
import { commitmentDevice } from '../commitment/devices.ts';
import type { CommitRequest } from '../commitment/commitment-device.ts';
import { selectionOf } from '../commitment/select.ts';
import { verifyMessage as verifyCommitments } from '../commitment/verify.ts';
import type { Message } from '../message/message.ts';
import { binaryBytes, isBinary, type Link, type Value } from '../message/value.ts';
import { isTrue } from '../resolver/options.ts';
import type { Context } from '../resolver/context.ts';
import { ok, type Result } from '../resolver/device.ts';
import { isOperator } from './signers.ts';
import { itemsOf, textOf } from './values.ts';

function secretOf(request: Message): Uint8Array | undefined {
  const secret = request.get('secret');
  return isBinary(secret) ? binaryBytes(secret) : undefined;
}

function commitRequest(request: Message): CommitRequest {
  const committed = itemsOf(request.get('committed'))?.map(textOf);
  return {
    type: textOf(request.get('type')),
    committed: committed?.filter((key) => key !== undefined),
    bundle: isTrue(request.get('bundle')),
    keyid: textOf(request.get('keyid')),
    scheme: textOf(request.get('scheme')),
    secret: secretOf(request),
  };
}

/** Types that no private key is needed for. */
const UNSIGNED = new Set(['unsigned', 'hmac-sha256']);

/**
 * The message with one more commitment. The node's own signature is given to the operator alone: with it anybody
 * could speak in the node's name.
 * @throws AoError `not-authorized` (403), `unknown-commitment-device`, and all that committing throws
 */
export async function commitMessage(message: Message, request: Message, context: Context): Promise<Result> {
  const name =
    textOf(request.get('commitment-device')) ?? textOf(context.option('commitment-device')) ?? 'httpsig@1.0';
  const device = commitmentDevice(name);
  if (!device) throw new AoError('unknown-commitment-device', `Nobody can commit with ${name.slice(0, 80)}.`);
  const asked = commitRequest(request);
  const signs = !UNSIGNED.has(asked.type ?? 'signed');
  if (signs && !(await isOperator(request, context)))
    throw new AoError('not-authorized', 'Only the operator has the node sign.', { status: 403 });
  const load = (link: Link) => context.cache.load(link);
  return ok(await device.commit(message, asked, { ...(signs ? { signer: context.identity } : {}), load }));
}

/** True if every selected commitment holds. @throws AoError `unknown-committer` (404) */
export async function verifyMessage(message: Message, request: Message, context: Context): Promise<boolean> {
  const load = (link: Link): Promise<Value> => context.cache.load(link);
  return verifyCommitments(message, selectionOf(request), { load, secret: secretOf(request) });
}
