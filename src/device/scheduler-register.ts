/** Location records (process.md §2.6): taking those of others in, making this node's own, telling peers of it. */
import { commitmentDevice } from '../commitment/devices.ts';
import { withOnlyCommitted } from '../commitment/select.ts';
import { verifyMessage } from '../commitment/verify.ts';
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Result } from '../resolver/device.ts';
import { signaturesOf } from './message-id.ts';
import { postMessage } from './remote-schedule.ts';
import { RECORDS } from './scheduler-location.ts';
import { integerOf, itemsOf, textOf } from './values.ts';

/** Milliseconds for a peer to take a record, and peers that are told. */
const PEER_TIME = 10_000;
const MAX_PEERS = 32;

/** Another scheduler's signed record, or, asked by the operator, one of our own. */
export async function registerLocation(request: Message, context: Context): Promise<Result> {
  let record: Value | undefined = request.get('body');
  if (record instanceof Link) record = await context.cache.load(record);
  let given = record instanceof Message ? withOnlyCommitted(record) : withOnlyCommitted(request);
  let isOwn = false;
  const operator = textOf(context.option('operator')) ?? context.identity.address;
  const signer = signaturesOf(given)[0]?.committer;
  if (signer === operator && textOf(given.get('type')) !== 'scheduler-location') {
    if (!(await verifyMessage(given)))
      return {
        status: 'error',
        value: Message.of({
          status: 400n,
          body: 'Message is not valid.',
          reason: 'Given message is invalid.',
        }),
      };
    const bare = Message.of({
      'data-protocol': 'ao',
      variant: 'ao.N.1',
      type: 'scheduler-location',
      url: textOf(given.get('url')) ?? textOf(context.option('host')) ?? '',
      nonce: BigInt(integerOf(given.get('nonce')) ?? 0),
      'time-to-live': BigInt(integerOf(given.get('time-to-live')) ?? 604_800_000),
      'codec-device': textOf(given.get('require-codec')) ?? 'httpsig@1.0',
    });
    given = await commitmentDevice('httpsig@1.0')!.commit(
      bare,
      { type: 'signed' },
      { signer: context.identity },
    );
    isOwn = true;
  }
  const wrong = await keepRecord(given, context);
  if (wrong) return { status: 'error', value: Message.of({ status: 400n, body: wrong }) };
  if (isOwn) await tellPeers(given, context);
  return { status: 'ok', value: given };
}

/** Tells the nodes of option `scheduler-location-notify-peers`. One that cannot be told learns it when it asks. */
async function tellPeers(record: Message, context: Context): Promise<void> {
  const listed = itemsOf(context.option('scheduler-location-notify-peers')) ?? [];
  const peers = listed.flatMap((peer) => textOf(peer)?.replace(/\/+$/, '') ?? []).slice(0, MAX_PEERS);
  await Promise.all(
    peers.map(async (peer) => {
      try {
        const target = `${peer}/~scheduler@1.0/record`;
        const { status } = await postMessage(target, record, context, { timeout: PEER_TIME });
        if (status >= 400) context.report({ type: 'peer-not-told', peer, reason: `It answered ${status}.` });
      } catch (thrown) {
        context.report({ type: 'peer-not-told', peer, reason: AoError.wrap(thrown).message });
      }
    }),
  );
}

/**
 * Keeps a location record: signed, for its signer, newer than the one before.
 * Answers what is wrong with it, if anything.
 */
async function keepRecord(record: Message, context: Context): Promise<string | undefined> {
  const [signer] = signaturesOf(record);
  if (!signer || !(await verifyMessage(record))) return 'The location record is not signed.';
  if (textOf(record.get('url')) === undefined) return 'The location record names no url.';
  const kept = await context.cache.read(`${RECORDS}/${signer.committer}`);
  const known = kept instanceof Message ? (integerOf(kept.get('nonce')) ?? -1) : -1;
  if ((integerOf(record.get('nonce')) ?? 0) <= known) return 'Known nonce higher than requested nonce.';
  const id = await context.cache.write(record);
  await context.cache.link(id, `${RECORDS}/${signer.committer}`);
  return undefined;
}
