/**
 * `p4@1.0` (resolver.md §9.10): asks a pricing device what a request costs and a ledger device whether it can be
 * paid, before the request runs; charges for it afterwards.
 */
import { Message } from '../message/message.ts';
import { Atom, isBinary, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { error, ok, type Device, type KeyFunction, type Result } from '../resolver/device.ts';
import { findHandlers } from '../resolver/hooks.ts';
import { matchesTemplate } from './route-match.ts';
import { operatorOf, requestIn, signersOf, withSigners } from './signers.ts';
import { itemsOf, readKey, textOf } from './values.ts';

interface Devices {
  readonly pricing: Message;
  readonly ledger: Message;
}

/** The handler's devices, each as the handler with its own device swapped. */
function devicesOf(handler: Message): Devices | undefined {
  const pricing = textOf(handler.get('pricing-device'));
  const ledger = textOf(handler.get('ledger-device'));
  if (!pricing || !ledger) return undefined;
  return { pricing: handler.with({ device: pricing }), ledger: handler.with({ device: ledger }) };
}

async function isChargeable(request: Message, context: Context): Promise<boolean> {
  if (request.private['paid'] === true) return false;
  const free = itemsOf(context.option('p4-non-chargable-routes')) ?? [];
  for (const route of free)
    if (route instanceof Message && (await matchesTemplate(route.get('template'), request, context)))
      return false;
  return true;
}

const asRequest = (path: string, entries: readonly (readonly [string, Value])[]): Message =>
  Message.from([['path', path], ...entries]);

/** A price, or `infinity` for what is not for sale. */
function priceOf(value: Value): bigint | 'infinity' | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return BigInt(Math.ceil(value));
  if (textOf(value) === 'infinity') return 'infinity';
  return isBinary(value) && /^\d{1,30}$/.test(textOf(value)!) ? BigInt(textOf(value)!) : undefined;
}

/** One signer by itself, several as a list, none as `unknown`. */
function payer(signers: readonly string[]): Value {
  return signers.length === 1 ? signers[0]! : signers.length === 0 ? 'unknown' : [...signers];
}

const request: KeyFunction = async (handler, hook, context) => {
  const devices = devicesOf(handler);
  const asked = await requestIn(hook, context);
  if (!devices || !(await isChargeable(asked, context))) return ok(hook);
  const body = hook.get('body') ?? [];
  const estimated = await context.resolve(
    devices.pricing,
    asRequest('estimate', [
      ['request', asked],
      ['body', body],
    ]),
  );
  const price = estimated.status === 'ok' ? priceOf(estimated.value) : undefined;
  if (price === undefined)
    return error(
      Message.from([
        ['type', Atom.of('pricing')],
        ['body', 'Could not estimate price of request.'],
      ]),
    );
  if (price === 'infinity') return error('Node will not service this request under any circumstances.');
  if (price === 0n) return ok(hook);
  return (await checkFunds(devices.ledger, asked, price, context)) ?? ok(hook);
};

/** A refusal if the signers' balance does not cover the price. */
async function checkFunds(
  ledger: Message,
  asked: Message,
  price: bigint,
  context: Context,
): Promise<Result | undefined> {
  const signers = await signersOf(asked, context);
  const query = asRequest('balance', [
    ['target', payer(signers)],
    ['request', asked],
  ]);
  const balance = await context.resolve(ledger, query);
  if (balance.status !== 'ok')
    return error(Message.of({ status: 500n, body: 'Error checking ledger balance.' }));
  if (Atom.true.is(balance.value)) return undefined;
  const amount = priceOf(balance.value);
  if (amount === 'infinity' || (amount !== undefined && amount >= price)) return undefined;
  return error(Message.of({ status: 402n, body: 'Insufficient funds', price, balance: amount ?? 0n }));
}

const response: KeyFunction = async (handler, hook, context) => {
  const devices = devicesOf(handler);
  const asked = await requestIn(hook, context);
  if (!devices || !(await isChargeable(asked, context))) return ok(hook);
  const body = hook.get('body') ?? Message.empty;
  const query: [string, Value][] = [
    ['request', asked],
    ['body', body],
  ];
  let priced = await context.resolve(devices.pricing, asRequest('price', query));
  if (priced.status !== 'ok') priced = await context.resolve(devices.pricing, asRequest('estimate', query));
  const price = priced.status === 'ok' ? priceOf(priced.value) : undefined;
  if (price === undefined || price === 0n || price === 'infinity') return ok(hook);
  const recipient = textOf(context.option('p4-recipient')) ?? operatorOf(context);
  const charge = asRequest('charge', [
    ['quantity', price],
    ['account', payer(await signersOf(asked, context))],
    ['recipient', recipient],
    ['request', asked],
  ]);
  // The ledger sees a charge that the node itself stands for.
  const charged = await context.resolve(devices.ledger, withSigners(charge, [context.identity.address]));
  return charged.status === 'ok' ? ok(hook) : charged;
};

const balance: KeyFunction = async (_base, req, context) => {
  const [handler] = await findHandlers('request', context);
  if (!handler) return error('No request hook found.');
  const ledger = textOf(await readKey(handler, 'ledger-device', context));
  if (!ledger) return error(Message.of({ status: 500n, body: 'The request hook names no ledger.' }));
  return context.resolve(handler.with({ device: ledger }), req.with({ path: 'balance' }));
};

export const p4: Device = { name: 'p4@1.0', keys: { request, response, balance } };
