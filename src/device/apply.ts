/**
 * `apply@1.0` (resolver.md §9.5): runs a path that stands in a message, on that message or on another.
 */
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import {
  error,
  type AnyKeyFunction,
  type Device,
  type KeyFunction,
  type Result,
} from '../resolver/device.ts';
import { isId } from '../resolver/path.ts';
import { readPath, textOf } from './values.ts';

/**
 * What `path` names: `base:` or `request:` (`req:`) in front says in which message; alone it is that message;
 * with neither the request is looked at first. Always read as plain keys.
 */
async function find(
  path: string,
  base: Message,
  request: Message,
  context: Context,
): Promise<Value | undefined> {
  const prefixed = /^(base|request|req):(.*)$/s.exec(path);
  if (!prefixed) return (await lookUp(request, path, context)) ?? lookUp(base, path, context);
  const from = prefixed[1] === 'base' ? base : request;
  return prefixed[2] === '' ? from : lookUp(from, prefixed[2]!, context);
}

async function lookUp(from: Message, path: string, context: Context): Promise<Value | undefined> {
  if (path.split('/').some(isPrivateKey)) return undefined;
  return readPath(from, path, context);
}

const body = (text: string): Result => error(Message.of({ body: text }));

/** Resolves the path that stands under `name` on the source as a singleton. */
const evaluate: AnyKeyFunction = async (name, base, request, context) => {
  const sourcePath = textOf(
    (await lookUp(request, 'source', context)) ?? (await lookUp(base, 'source', context)),
  );
  let source: Message = base.without('device');
  if (sourcePath !== undefined) {
    const found = await find(sourcePath, base, request, context);
    if (!(found instanceof Message)) return body(`Source path \`${sourcePath}\` to apply not found.`);
    source = found;
  }
  const path = (await find(name, source, request, context)) ?? undefined;
  const text = textOf(path);
  if (text === undefined) return error(`Path \`${name}\` to execute not found.`);
  return context.resolveSingleton(source.with({ path: text }));
};

/** Resolves the named base with the named request; called under another name than `pair`, that is the path. */
async function pair(
  key: string | undefined,
  base: Message,
  request: Message,
  context: Context,
): Promise<Result> {
  const basePath =
    textOf((await lookUp(request, 'base', context)) ?? (await lookUp(base, 'base', context))) ?? 'base:';
  const left = await find(basePath, base, request, context);
  if (left === undefined) return body(`Source path \`${basePath}\` to apply not found.`);
  const requestPath =
    textOf((await lookUp(request, 'request', context)) ?? (await lookUp(base, 'request', context))) ??
    'request:';
  const right = await find(requestPath, base, request, context);
  if (right === undefined) return body(`Path \`${requestPath}\` to apply not found.`);
  const target =
    left instanceof Message ? left.without('base', 'request') : isId(left) ? new Link(textOf(left)!) : left;
  if (key !== undefined) {
    const message = right instanceof Message ? right.without('base', 'request') : Message.empty;
    return context.resolve(target, message.with({ path: key }));
  }
  if (right instanceof Message)
    return right.has('path') ? context.resolve(target, right) : body(`Path \`${requestPath}\` is invalid.`);
  const text = textOf(right);
  return text ? context.resolve(target, text) : body(`Path \`${requestPath}\` is invalid.`);
}

const anyKey: AnyKeyFunction = async (key, base, request, context) =>
  request.has('base') && request.has('request')
    ? pair(key, base, request, context)
    : evaluate(key, base, request, context);

const evalKey: KeyFunction = async (base, request, context) => {
  const name = textOf(
    (await lookUp(request, 'apply-path', context)) ?? (await lookUp(base, 'apply-path', context)),
  );
  return name === undefined
    ? error('Path `apply-path` to execute not found.')
    : evaluate(name, base, request, context);
};

export const apply: Device = {
  name: 'apply@1.0',
  info: { default: anyKey, excludes: ['keys', 'set', 'set-path', 'remove'] },
  keys: { eval: evalKey, pair: (base, request, context) => pair(undefined, base, request, context) },
};
