/** `simple-pay@1.0` (resolver.md §9.11): a price for each message, and a ledger in the node's options. */
import { Message } from '../message/message.ts';
import { As, Atom, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { error, type Device, type KeyFunction } from '../resolver/device.ts';
import { parseSingleton } from '../resolver/path.ts';
import { findRoute } from './route-match.ts';
import { isOperator, requestIn, signersOf } from './signers.ts';
import { integerOf, itemsOf, readKey, textOf } from './values.ts';

function priceOption(context: Context): bigint {
  return BigInt(integerOf(context.option('simple-pay-price')) ?? 1);
}

const estimate: KeyFunction = async (_base, request, context) => {
  const asked = await requestIn(request, context);
  if (await isOperator(asked, context)) return 0n;
  const offered = await readKey(context.option('router-opts'), 'offered', context);
  const route = await findRoute(itemsOf(offered) ?? [], asked, context);
  if (route) return BigInt(integerOf(route.route.get('price')) ?? 0);
  return priceOption(context) * BigInt(countMessages(parseSingleton(asked), asked));
};

/** Messages that a request makes the node walk; a path that `apply@1.0` runs counts instead of the two that ask for it. */
function countMessages(sequence: readonly Value[], request: Message): number {
  const [base, step] = sequence;
  if (
    sequence.length !== 2 ||
    !(base instanceof As) ||
    base.device !== 'apply@1.0' ||
    !(step instanceof Message)
  )
    return sequence.length;
  const path = textOf(request.get(textOf(step.get('path')) ?? ''));
  return path === undefined ? sequence.length : parseSingleton(Message.of({ path })).length;
}

function ledgerOf(context: Context): Message {
  const ledger = context.option('simple-pay-ledger');
  return ledger instanceof Message ? ledger : Message.empty;
}

function balanceOf(address: string, context: Context): bigint {
  return BigInt(integerOf(ledgerOf(context).get(address)) ?? 0);
}

async function setBalance(address: string, amount: bigint, context: Context): Promise<void> {
  await context.configure({ simple_pay_ledger: ledgerOf(context).with({ [address]: amount }) });
}

const charge: KeyFunction = async (_base, request, context) => {
  const signers = await signersOf(await requestIn(request, context), context);
  const [account] = signers;
  if (account === undefined) return Atom.false;
  if (signers.length > 1) return error(Message.of({ status: 400n, body: 'Multiple signers in charge.' }));
  // Only the node itself charges: anyone else could empty the account of another.
  if (!(await signersOf(request, context)).includes(context.identity.address)) return error('Unauthorized');
  const quantity = BigInt(integerOf(await readKey(request, 'quantity', context)) ?? 0);
  const left = balanceOf(account, context) - (quantity > 0n ? quantity : 0n);
  await setBalance(account, left, context);
  if (left >= 0n) return Atom.true;
  return error(Message.of({ status: 402n, body: `Insufficient funds. Current balance: ${left}.` }));
};

const balance: KeyFunction = async (_base, request, context) => {
  const [signer] = await signersOf(await requestIn(request, context), context);
  const target = signer ?? textOf(await readKey(request, 'target', context));
  return target === undefined ? 0n : balanceOf(target, context);
};

const topup: KeyFunction = async (_base, request, context) => {
  if (!(await isOperator(request, context))) return error('Unauthorized');
  const amount = integerOf(await readKey(request, 'amount', context));
  const recipient = textOf(await readKey(request, 'recipient', context));
  if (amount === undefined || amount < 0 || !recipient)
    return error(Message.of({ status: 400n, body: 'A top-up needs an amount and a recipient.' }));
  const after = balanceOf(recipient, context) + BigInt(amount);
  await setBalance(recipient, after, context);
  return after;
};

export const simplePay: Device = { name: 'simple-pay@1.0', keys: { estimate, charge, balance, topup } };
