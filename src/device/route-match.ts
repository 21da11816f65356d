/** Which route is meant for a message (resolver.md §9.2): templates that are messages or regular expressions. */
import { fromBytes } from '../base/bytes.ts';
import { equalValues } from '../message/equal.ts';
import { Message } from '../message/message.ts';
import { Atom, binaryBytes, isBinary, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { readKey, textOf } from './values.ts';

/** Characters of a template; a longer one matches nothing. */
const MAX_TEMPLATE = 512;
/** Characters of a path that a template is tried on. */
const MAX_PATH = 8192;

/** A route and where it stands among its like, from 1. */
export interface FoundRoute {
  readonly route: Message;
  readonly index: number;
}

/** The path by which routes are chosen: `route-path`, else `path`. */
export function routePath(request: Message): string {
  return textOf(request.get('route-path')) ?? textOf(request.get('path')) ?? '';
}

/** First of the routes whose template matches; one without a template matches everything. */
export async function findRoute(
  routes: readonly Value[],
  request: Message,
  context: Context,
): Promise<FoundRoute | undefined> {
  for (const [index, route] of routes.entries()) {
    if (!(route instanceof Message)) continue;
    if (await matchesTemplate(await readKey(route, 'template', context), request, context))
      return { route, index: index + 1 };
  }
  return undefined;
}

export async function matchesTemplate(
  template: Value | undefined,
  request: Message,
  context: Context,
): Promise<boolean> {
  if (template === undefined) return true;
  if (isBinary(template)) return regexMatches(routePath(request), fromBytes(binaryBytes(template)));
  if (template instanceof Message) return includes(template, request, context);
  return false;
}

/** Every key of the template is there and equal, at any depth; the atom `_` equals anything. */
async function includes(template: Message, message: Message, context: Context): Promise<boolean> {
  for (const [key, wanted] of template) {
    if (key === 'commitments' || key.startsWith('priv')) continue;
    const value = await readKey(message, key, context);
    if (value === undefined) return false;
    if (Atom.of('_').is(wanted)) continue;
    if (wanted instanceof Message) {
      if (!(value instanceof Message) || !(await includes(wanted, value, context))) return false;
    } else if (!equalValues(wanted, value)) return false;
  }
  return true;
}

/** An unanchored search; both get a slash in front. A template that is no expression matches nothing (§5.3). */
export function regexMatches(path: string, template: string): boolean {
  if (template.length > MAX_TEMPLATE || path.length > MAX_PATH) return false;
  const slashed = (text: string) => (text.startsWith('/') ? text : `/${text}`);
  try {
    return new RegExp(template.startsWith('^') ? template : slashed(template)).test(slashed(path));
  } catch {
    return false;
  }
}
