/** `faff@1.0` (resolver.md §9.11): free for friends and family, not for sale to anyone else. */
import type { Message } from '../message/message.ts';
import { Atom } from '../message/value.ts';
import type { Device, KeyFunction } from '../resolver/device.ts';
import { requestIn, signersOf } from './signers.ts';
import { itemsOf, textOf } from './values.ts';

const estimate: KeyFunction = async (_base, request: Message, context) => {
  const allowed = (itemsOf(context.option('faff-allow-list')) ?? []).map(textOf);
  const signers = await signersOf(await requestIn(request, context), context);
  return signers.every((signer) => allowed.includes(signer)) ? 0n : 'infinity';
};

export const faff: Device = { name: 'faff@1.0', keys: { estimate, charge: () => Atom.true } };
