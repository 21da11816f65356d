/**
 * `auth-hook@1.0` (resolver.md §7.8, §9.13): a request hook that signs for callers who cannot sign themselves, with a
 * wallet that the node keeps for whoever knows a secret. A key `!` on a message asks for that message to be signed.
 */
import { commitmentDevice } from '../commitment/devices.ts';
import { committers } from '../commitment/select.ts';
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { As, type Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { error, ok, type Device, type KeyFunction } from '../resolver/device.ts';
import { isTrue } from '../resolver/options.ts';
import { parseSingleton } from '../resolver/path.ts';
import { markRequest, withSigners } from '../resolver/request-marks.ts';
import { copyTransport } from '../resolver/transport-keys.ts';
import { hostedWallet, keyidOf } from './hosted-wallet.ts';
import { itemsOf, readKey, textOf } from './values.ts';

/** Never part of what is signed: secrets, and where the request goes. */
const IGNORED = ['secret', 'cookie', 'set-cookie', 'path', 'method', 'authorization', '!', 'commitments'];

const request: KeyFunction = async (handler, hook, context) => {
  const asked = hook.get('request');
  const sequence = itemsOf(hook.get('body')) ?? [];
  if (!(asked instanceof Message) || !(await isRelevant(handler, asked, sequence, context))) return ok(hook);
  const provider = providerOf(handler);
  if (!provider)
    return error(Message.of({ status: 500n, details: 'The auth hook names no secret provider.' }));
  const generated = await context.resolve(
    provider,
    asked.with({ path: textOf(handler.get('generate-path')) ?? 'generate' }),
  );
  if (generated.status !== 'ok') return generated;
  const answer = generated.value;
  const secret = answer instanceof Message ? await readKey(answer, 'secret', context) : answer;
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array))
    return error(
      Message.of({ status: 400n, details: 'The secret provider has no secret for this request.' }),
    );
  const wallet = await hostedWallet(keyidOf(secret), context);
  const sign = (message: Message) => signWith(message, wallet, context);
  const bare = (answer instanceof Message && answer.has('path') ? answer : asked).without('secret');
  const signed = copyTransport(asked, withSigners(await sign(bare), [wallet.address]));
  const parsed = markRequest(parseSingleton(signed), signed);
  const flag = textOf(context.option('auth-hook-commit-key')) ?? '!';
  const body = await Promise.all(parsed.map((element) => signFlagged(element, flag, sign)));
  return finalize(provider, handler, hook.with({ request: signed, body }), context);
};

/** Whether this request is one that the node should sign: by who has signed it, and by the keys that it has. */
async function isRelevant(
  handler: Message,
  asked: Message,
  sequence: readonly Value[],
  context: Context,
): Promise<boolean> {
  const when = handler.message('when');
  const keys = when === undefined ? undefined : await readKey(when, 'keys', context);
  const names = itemsOf(keys)?.map(textOf);
  if (names && !names.some((name) => name !== undefined && hasKey([asked, ...sequence], name))) return false;
  const who = when?.get('committers');
  const signers = committers(asked);
  const listed = itemsOf(who)?.map(textOf);
  if (listed) return signers.some((signer) => listed.includes(signer));
  return textOf(who) === 'always' || signers.length === 0;
}

function hasKey(values: readonly Value[], name: string): boolean {
  return values.some((value) => {
    const message = value instanceof As ? value.message : value;
    return message instanceof Message && message.has(name);
  });
}

function providerOf(handler: Message): Message | undefined {
  const provider = handler.get('secret-provider');
  if (provider instanceof Message) return provider;
  const device = textOf(provider);
  return device === undefined ? undefined : Message.of({ device });
}

type Wallet = Awaited<ReturnType<typeof hostedWallet>>;

async function signWith(message: Message, wallet: Wallet, context: Context): Promise<Message> {
  const committed = [...message.keys()].filter((key) => !IGNORED.includes(key) && !isPrivateKey(key));
  const load = (link: Link) => context.cache.load(link);
  const bare = message.without('commitments');
  return commitmentDevice('httpsig@1.0')!.commit(bare, { committed }, { signer: wallet, load });
}

/** An element that carries the flag is signed by itself, whatever the request's own signature covers. */
async function signFlagged(
  element: Value,
  flag: string,
  sign: (message: Message) => Promise<Message>,
): Promise<Value> {
  if (element instanceof As) return new As(element.device, await signFlagged(element.message, flag, sign));
  if (!(element instanceof Message) || !isTrue(element.get(flag))) return element;
  return sign(element.without(flag));
}

/** The provider may add to the sequence (a cookie to set, say). */
async function finalize(provider: Message, handler: Message, hook: Message, context: Context) {
  const path = textOf(handler.get('finalize-path')) ?? 'finalize';
  const device = textOf(provider.get('device')) ?? '';
  if (!context.devices.find(device)?.keys[path]) return ok(hook);
  const result = await context.resolve(provider, hook.with({ path }));
  return result.status === 'ok' && Array.isArray(result.value)
    ? ok(hook.with({ body: result.value }))
    : ok(hook);
}

export const authHook: Device = { name: 'auth-hook@1.0', keys: { request } };
