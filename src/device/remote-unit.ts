/** Sending a message to a legacynet scheduler unit (process.md §2.7): an ANS-104 item, which then has a nonce. */
import { fromBytes } from '../base/bytes.ts';
import type { DataItem } from '../codec/ans104-item.ts';
import { Message } from '../message/message.ts';
import type { Context, HttpResponse } from '../resolver/context.ts';
import type { Result } from '../resolver/device.ts';
import { itemOf } from './message-item.ts';
import { exchange } from './remote-exchange.ts';
import { integerOf } from './values.ts';

const MAX_REPLY = 64 * 1024 * 1024;
/** A unit may say a moment later only which slot an item got. */
const ASKED = 4;
const PAUSE = 500;

/**
 * Hands the item that a message was signed as to the unit at `url`. Answers its slot and the message; 422 for a
 * message that is no such item, 502 where the unit refuses or does not say the slot.
 */
export async function sendToUnit(
  url: string,
  process: string,
  message: Message,
  context: Context,
): Promise<Result> {
  const item = await itemOf(message, context);
  if (!item) return refusal(422, 'Legacynet takes ANS-104 messages alone.');
  const response = await exchange(
    {
      method: 'POST',
      target: `${url}/?proc-id=${process}`,
      headers: [
        ['content-type', 'application/octet-stream'],
        ['accept', 'application/json'],
      ],
      body: item.toBytes(),
    },
    context,
    { maxBytes: MAX_REPLY },
  );
  if (response.status >= 300)
    return refusal(502, `The scheduler unit answered ${response.status}.`, response);
  await context.cache.write(message);
  const slot = await slotOf(url, process, item, context);
  if (slot === undefined) return refusal(502, 'The scheduler unit does not say which slot the message has.');
  return { status: 'ok', value: Message.of({ process, slot: BigInt(slot), body: message }) };
}

async function slotOf(
  url: string,
  process: string,
  item: DataItem,
  context: Context,
): Promise<number | undefined> {
  const target = `${url}/${item.idText}?process-id=${process}`;
  for (let asked = 0; asked < ASKED; asked++) {
    if (asked > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    const request = { method: 'GET', target, headers: [], body: new Uint8Array(0) };
    const response = await exchange(request, context, { maxBytes: MAX_REPLY });
    const slot = response.status === 200 ? nonceIn(response) : undefined;
    if (slot !== undefined) return slot;
  }
  return undefined;
}

function nonceIn({ body }: HttpResponse): number | undefined {
  try {
    const { assignment } = JSON.parse(fromBytes(body)) as {
      assignment?: { tags?: { name?: unknown; value?: unknown }[] };
    };
    const nonce = assignment?.tags?.find(({ name }) => name === 'Nonce')?.value;
    return integerOf(typeof nonce === 'string' ? nonce : undefined);
  } catch {
    // Whatever it is, it is no answer of a scheduler unit.
    return undefined;
  }
}

function refusal(status: number, body: string, response?: HttpResponse): Result {
  const said = response && fromBytes(response.body.subarray(0, 500));
  return {
    status: 'error',
    value: Message.of({ status: BigInt(status), body, ...(said ? { reason: said } : {}) }),
  };
}
