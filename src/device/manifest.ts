/**
 * `manifest@1.0` (resolver.md §9.12): a tree of pages, each by the ID of a stored message. The longest path that the
 * manifest has is taken; where there is none, its fallback.
 */
import { decodeJson } from '../codec/json.ts';
import { Message } from '../message/message.ts';
import { Atom, isBinary, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { isResult, ok, type AnyKeyFunction, type Device, type Result } from '../resolver/device.ts';
import { readFirst, readKey, readPath, textOf } from './values.ts';

/** Levels of a manifest that are looked at. */
const MAX_DEPTH = 64;

const route: AnyKeyFunction = async (key, base, _request, context) => {
  const manifest = await manifestOf(base, context);
  if (!manifest) return Atom.notFound;
  const path = key === 'index' ? await indexPath(manifest, context) : key;
  const found = path === undefined ? undefined : await findPath(manifest, path, context);
  return found ?? (await fallback(manifest, context)) ?? Atom.notFound;
};

/** The manifest as a message: JSON text in `data` or `body`, or the keys of the base itself. */
async function manifestOf(base: Message, context: Context): Promise<Message | undefined> {
  const text = await readFirst(
    [
      [base, 'data'],
      [base, 'body'],
    ],
    context,
  );
  if (!isBinary(text)) return base.has('paths') ? base : undefined;
  const value = await withParts(decodeJson(text), context);
  return value instanceof Message ? value : undefined;
}

/** JSON that was written with links to its parts (`paths+link`) with these put in; a part that is not here is left out. */
async function withParts(value: Value, context: Context, depth = 0): Promise<Value | undefined> {
  if (depth > MAX_DEPTH) return undefined;
  const whole = value instanceof Link ? await context.cache.read(value.id) : value;
  if (!(whole instanceof Message)) return whole;
  const fields: [string, Value][] = [];
  for (const [key, item] of whole) {
    const part = await withParts(item, context, depth + 1);
    if (part !== undefined) fields.push([key, part]);
  }
  return Message.from(fields);
}

async function indexPath(manifest: Message, context: Context): Promise<string | undefined> {
  return textOf(await readPath(manifest, 'index/path', context));
}

/** The page at a path, or the part of the tree below it. */
async function findPath(manifest: Message, path: string, context: Context): Promise<Value | undefined> {
  const paths = await readKey(manifest, 'paths', context);
  if (!(paths instanceof Message)) return undefined;
  const exact = (await readKey(paths, path, context)) ?? (await readPath(paths, path, context));
  if (exact !== undefined) return linked(exact);
  // `a/b.html` is one key of the manifest, and two steps of a request.
  const below = [...paths].filter(([key]) => key.startsWith(`${path}/`));
  if (below.length === 0) return undefined;
  return nest(below.map(([key, value]) => [key.slice(path.length + 1).split('/'), linked(value)] as const));
}

function nest(entries: readonly (readonly [readonly string[], Value])[]): Message {
  const groups = new Map<string, (readonly [readonly string[], Value])[]>();
  for (const [[first, ...rest], value] of entries) {
    const group = groups.get(first!) ?? [];
    group.push([rest, value]);
    groups.set(first!, group);
  }
  return Message.from(
    [...groups].map(([key, group]) => {
      const leaf = group.find(([rest]) => rest.length === 0);
      return [key, leaf ? leaf[1] : nest(group)] as const;
    }),
  );
}

/** `{id}` as a link to the message with that ID, at every depth. */
function linked(value: Value): Value {
  if (!(value instanceof Message)) return value;
  const id = value.text('id');
  if (id !== undefined) return new Link(id);
  return Message.from(
    [...value].filter(([key]) => key !== 'commitments').map(([key, item]) => [key, linked(item)] as const),
  );
}

async function fallback(manifest: Message, context: Context): Promise<Value | undefined> {
  const id = textOf(await readPath(manifest, 'fallback/id', context));
  return id === undefined ? undefined : new Link(id);
}

/** A page that is not here is not found, however the manifest names it. */
const page: AnyKeyFunction = async (key, base, request, context) => {
  const answer = await route(key, base, request, context);
  const value: Value = isResult(answer) ? answer.value : answer;
  if (!(value instanceof Link)) return value;
  const loaded = await context.cache.read(value.id);
  return (loaded === undefined ? ok(Atom.notFound) : ok(loaded)) satisfies Result;
};

export const manifest: Device = {
  name: 'manifest@1.0',
  info: { default: page, excludes: ['keys', 'set', 'committers'] },
  keys: { index: (base, request, context) => page('index', base, request, context) },
};
