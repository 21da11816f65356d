/** `relay@1.0` (resolver.md §9.3): asks another node and hands on what it answers. */
import { AoError } from '../base/errors.ts';
import { commitmentDevice } from '../commitment/devices.ts';
import { Message } from '../message/message.ts';
import { Atom, type Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { error, ok, type Device, type KeyFunction, type Result } from '../resolver/device.ts';
import { isTrue } from '../resolver/options.ts';
import { transportKeys } from '../resolver/transport-keys.ts';
import { multiRequest } from './multi-request.ts';
import { isHonest, send, urlOf } from './outgoing.ts';
import { routeOf } from './router.ts';
import { readFirst, readKey, textOf } from './values.ts';

interface Outgoing {
  readonly message: Message;
  readonly path: string;
  readonly method: string;
  readonly peer: string | undefined;
}

/** What is sent: the base, or what the request's `target` names. */
async function targetOf(base: Message, request: Message, context: Context): Promise<Message> {
  const name = textOf(await readKey(request, 'target', context));
  if (name === undefined || name === 'self') return base;
  const found = (await readKey(request, name, context)) ?? (await readKey(request, 'body', context));
  return found instanceof Message ? found : base;
}

async function prepare(base: Message, request: Message, context: Context): Promise<Outgoing | undefined> {
  const target = await targetOf(base, request, context);
  const first = async (...places: [Message, string][]) => readFirst(places, context);
  const path = textOf(
    await first([base, 'path'], [target, 'path'], [request, 'relay-path'], [base, 'relay-path']),
  );
  if (path === undefined) return undefined;
  const method = textOf(
    await first(
      [base, 'method'],
      [target, 'method'],
      [request, 'relay-method'],
      [base, 'relay-method'],
      [request, 'method'],
    ),
  );
  const device = await first([base, 'relay-device'], [target, 'relay-device'], [request, 'relay-device']);
  const body = await first(
    [base, 'body'],
    [target, 'body'],
    [request, 'relay-body'],
    [base, 'relay-body'],
    [request, 'body'],
  );
  const peer = textOf(await first([base, 'peer'], [target, 'peer'], [request, 'peer']));
  const fields: [string, Value][] = [
    ['path', path],
    ['method', method ?? 'GET'],
  ];
  if (body !== undefined) fields.push(['body', body]);
  if (device !== undefined) fields.push(['device', device]);
  // Only what the caller said travels on, not how the caller's own browser reached this node.
  const inherited = target.without(
    'device',
    'peer',
    'relay-path',
    'relay-method',
    'relay-body',
    'relay-device',
    ...transportKeys(target),
  );
  const signed = target.has('commitments');
  const message = signed ? target : inherited.with(fields);
  return {
    message: await committed(message, base, request, target, context),
    path,
    method: method ?? 'GET',
    peer,
  };
}

/** Signed by the node, if the request wants it and the operator lets it. */
async function committed(
  message: Message,
  base: Message,
  request: Message,
  target: Message,
  context: Context,
): Promise<Message> {
  const asked = await readFirst(
    [
      [target, 'commit-request'],
      [request, 'relay-commit-request'],
      [base, 'relay-commit-request'],
      [request, 'commit-request'],
      [base, 'commit-request'],
    ],
    context,
  );
  if (!isTrue(asked)) return message;
  if (!isTrue(context.option('relay-allow-commit-request')))
    throw new AoError('relay-commit-forbidden', 'This node does not sign what it relays.', { status: 403 });
  const load = (link: Link) => context.cache.load(link);
  return commitmentDevice('httpsig@1.0')!.commit(
    message.without('commitments'),
    {},
    { signer: context.identity, load },
  );
}

async function relay(base: Message, request: Message, context: Context): Promise<Result> {
  const outgoing = await prepare(base, request, context);
  if (!outgoing) return error(Atom.notFound);
  const { message, path, method, peer } = outgoing;
  if (!(await isHonest(message, context)))
    return error(Message.of({ status: 400n, body: 'The message to be relayed does not verify.' }));
  const route = peer === undefined ? await routeOf(message.with({ path }), context) : undefined;
  if (route instanceof Message && route.has('nodes'))
    return handOn(await multiRequest(message, route, method, context));
  const url = peer === undefined ? urlOf(route) : joinUrl(peer, path);
  if (url === undefined) return error(Atom.of('no_matches'));
  const target = /^https?:\/\//.test(path) ? path : peer === undefined ? withPath(url, path) : url;
  return handOn(await send(message, { target, method }, context));
}

/** A node given without a path is the front of one. */
function withPath(url: string, path: string): string {
  return /^https?:\/\/[^/]+\/?$/.test(url) ? joinUrl(url, path) : url;
}

function joinUrl(front: string, path: string): string {
  return `${front.replace(/\/$/, '')}/${path.replace(/^\//, '')}`;
}

/** Cookies of the other node are not for this one's callers. */
function handOn(result: Result): Result {
  return result.value instanceof Message ? { ...result, value: result.value.without('set-cookie') } : result;
}

const call: KeyFunction = (base, request, context) => relay(base, request, context);

const cast: KeyFunction = (base, request, context) => {
  relay(base, request, context).catch((thrown: unknown) =>
    context.report({ type: 'relay-failed', error: AoError.wrap(thrown).message }),
  );
  return 'OK';
};

/** Hook: any request becomes a relay of itself. */
const request: KeyFunction = async (_base, hook, context) => {
  const asked = await readKey(hook, 'request', context);
  if (!(asked instanceof Message)) return ok(hook);
  const relayed = Message.from([
    ['path', 'call'],
    ['target', 'body'],
    ['body', asked.withoutPrivate()],
  ]);
  return ok(hook.with({ body: [Message.of({ device: 'relay@1.0' }), relayed] }));
};

export const relayDevice: Device = { name: 'relay@1.0', keys: { call, cast, request } };
