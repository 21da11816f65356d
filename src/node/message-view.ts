/** A stored message as a page shows it: fields, IDs, commitments with a verdict on each, and its form in every codec. */
import { AoError } from '../base/errors.ts';
import { concatBytes, toBytes } from '../base/bytes.ts';
import { ans104Bytes } from '../codec/ans104-encode.ts';
import { flatToText } from '../codec/flat.ts';
import { encodeJson } from '../codec/json.ts';
import { committedKeys, committerOf, deviceOf, HMAC_TYPE } from '../commitment/commitment.ts';
import { encodeHttp, toTabm } from '../commitment/http.ts';
import { messageId } from '../commitment/id.ts';
import type { Load } from '../commitment/link.ts';
import { EVERY } from '../commitment/select.ts';
import { checkMessage, type CheckedCommitment } from '../commitment/verify.ts';
import { Message } from '../message/message.ts';
import { binaryBytes, isBinary, type Value } from '../message/value.ts';
import type { CommitmentReport, EncodedMessage, MessageReport } from '../protocol/api.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import { toTree } from './tree.ts';

const DEPTH = 4;

type Encoder = (message: Message, load: Load) => Promise<EncodedMessage>;

const CODECS: Readonly<Record<string, Encoder>> = {
  'httpsig@1.0': async (message, load) => {
    const { headers, body } = await encodeHttp(message, { bundle: true, load });
    const lines = [...headers].map(([name, value]) =>
      concatBytes(toBytes(`${name}: `), binaryBytes(value), CRLF),
    );
    return { type: 'application/http', body: concatBytes(...lines, CRLF, body ?? new Uint8Array()) };
  },
  'ans104@1.0': async (message, load) => ({
    type: 'application/ans104',
    body: ans104Bytes(await toTabm(message, { bundle: true, load })),
  }),
  'json@1.0': async (message, load) => ({
    type: 'application/json',
    body: toBytes(encodeJson(await toTabm(message, { bundle: true, load }))),
  }),
  'flat@1.0': async (message, load) => ({
    type: 'text/plain',
    body: binaryBytes(flatToText(await toTabm(message, { bundle: true, load }))),
  }),
};
const CRLF = toBytes('\r\n');

/** @throws AoError `not-found` (404), `not-a-message` */
export async function messageReport(id: string, context: NodeContext): Promise<MessageReport> {
  const message = await stored(id, context);
  const checked = await checkMessage(message, EVERY, { load: loader(context) });
  return {
    id,
    tree: toTree('', message.without('commitments'), DEPTH),
    ids: ids(message),
    commitments: checked.map(commitmentReport),
    codecs: Object.keys(CODECS),
  };
}

/** @throws AoError `not-found` (404), `unknown-codec`, and what the codec refuses */
export async function encodeStored(id: string, codec: string, context: NodeContext): Promise<EncodedMessage> {
  const encode = Object.hasOwn(CODECS, codec) ? CODECS[codec] : undefined;
  if (!encode) throw new AoError('unknown-codec', `There is no codec ${codec}.`, { detail: { codec } });
  return encode(await stored(id, context), loader(context));
}

async function stored(id: string, context: NodeContext): Promise<Message> {
  const value: Value | undefined = await context.cache.read(id);
  if (value === undefined)
    throw new AoError('not-found', `This node has no message ${id}.`, { status: 404, detail: { id } });
  if (!(value instanceof Message))
    throw new AoError(
      'not-a-message',
      `What is stored under ${id} is ${isBinary(value) ? 'data' : 'a value'}, not a message.`,
    );
  return value;
}

function loader(context: NodeContext): Load {
  return (link) => context.cache.load(link);
}

function ids(message: Message): MessageReport['ids'] {
  const unsigned = messageId(message, 'unsigned');
  const signed = messageId(message, 'signed');
  return signed === unsigned
    ? [{ kind: 'unsigned', id: unsigned }]
    : [
        { kind: 'signed', id: signed },
        { kind: 'unsigned', id: unsigned },
      ];
}

function commitmentReport({ id, commitment, verdict }: CheckedCommitment): CommitmentReport {
  const committer = committerOf(commitment);
  const type = commitment.text('type') ?? '';
  const keyid = commitment.text('keyid');
  return {
    id,
    device: deviceOf(commitment),
    type,
    ...(committer === undefined ? {} : { committer }),
    ...(keyid === undefined ? {} : { keyid }),
    committed: committedKeys(commitment),
    // An HMAC whose key everybody knows names the content; that it holds proves nothing about who said it.
    proves: committer !== undefined && type !== HMAC_TYPE,
    valid: verdict.valid,
    ...(verdict.valid ? {} : { reason: verdict.reason }),
  };
}
