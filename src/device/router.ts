/**
 * `router@1.0` (resolver.md §9.2): which node a message goes to. Routes are the option `routes`, or what the path
 * `router_opts/provider` answers with.
 */
import { Message } from '../message/message.ts';
import { Atom, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { error, ok, type Device, type KeyFunction, type Result } from '../resolver/device.ts';
import { commitmentDevice } from '../commitment/devices.ts';
import { listItems } from '../resolver/lists.ts';
import { send } from './outgoing.ts';
import { findRoute, routePath } from './route-match.ts';
import { chooseNodes } from './route-strategy.ts';
import { requestIn, signersOf, operatorOf } from './signers.ts';
import { integerOf, itemsOf, readKey, readPath, textOf } from './values.ts';

/** The node's routes, in order. */
export async function routesOf(context: Context): Promise<readonly Value[]> {
  const provider = await readKey(context.option('router-opts'), 'provider', context);
  if (provider instanceof Message) {
    const result = await context.resolveSingleton(provider);
    return result.status === 'ok' ? (listItems(result.value) ?? []) : [];
  }
  const routes = context.option('routes');
  return listItems(routes === undefined ? undefined : await context.cache.loadAll(routes)) ?? [];
}

/** Where a message goes: a URL, `{uri, opts}`, or a route with several nodes; undefined if no route matches. */
export async function routeOf(request: Message, context: Context): Promise<Value | undefined> {
  const path = routePath(request);
  if (/^https?:\/\//.test(textOf(request.get('path')) ?? '')) return textOf(request.get('path'));
  const found = await findRoute(await routesOf(context), request, context);
  return found
    ? destination(found.route.with({ reference: `routes/${found.index}` }), path, context)
    : undefined;
}

/** A route's node, or those of its nodes that its strategy chooses, with the path put in. */
async function destination(route: Message, path: string, context: Context): Promise<Value> {
  const node = await readKey(route, 'node', context);
  if (node !== undefined) return applyNode(node, path);
  const nodes = itemsOf(await readKey(route, 'nodes', context)) ?? [];
  const strategy = textOf(await readKey(route, 'strategy', context));
  const chosen = await chooseNodes(nodes, strategy, integerOf(route.get('choose')) ?? 1, path, context);
  if (strategy === undefined || strategy === 'All' || chosen.length > 1)
    return route.with({ nodes: chosen.map((one) => withUri(one, path)) });
  return chosen[0] === undefined ? route : applyNode(chosen[0], path);
}

function withUri(node: Value, path: string): Value {
  const applied = applyNode(node, path);
  const uri = applied instanceof Message ? applied.get('uri') : applied;
  return node instanceof Message && uri !== undefined ? node.with({ uri }) : applied;
}

/** A node as text is the URL in front of the path; a message says how the path is changed. */
function applyNode(node: Value, path: string): Value {
  if (!(node instanceof Message)) return textOf(node) ?? '';
  const field = (key: string) => textOf(node.get(key));
  let uri = path;
  const [match, replacement] = [field('match'), field('with')];
  if (match !== undefined && replacement !== undefined) uri = replaceAll(path, match, replacement);
  else uri = `${field('prefix') ?? ''}${path}${field('suffix') ?? ''}`;
  const opts = node.get('opts');
  if (field('prefix') === undefined && field('suffix') === undefined && match === undefined) {
    const direct = field('uri') ?? field('node') ?? field('url');
    if (direct !== undefined) uri = direct;
  }
  return opts === undefined
    ? uri
    : Message.from([
        ['uri', uri],
        ['opts', opts],
      ]);
}

function replaceAll(text: string, pattern: string, replacement: string): string {
  try {
    return text.replace(new RegExp(pattern, 'g'), () => replacement);
  } catch {
    return text;
  }
}

const route: KeyFunction = async (base, request, context) =>
  (await routeOf(request.has('route-path') ? request : base.with(request), context)) ??
  error(Atom.of('no_matches'));

const match: KeyFunction = async (base, request, context) => {
  const routes = listItems(await readKey(base, 'routes', context)) ?? [];
  const found = await findRoute(routes, request, context);
  if (!found) return error(Atom.of('no_matching_route'));
  return found.route.with({ reference: `routes/${found.index}` });
};

const routes: KeyFunction = async (_base, request, context) =>
  textOf(request.get('method')) === 'POST' ? addRoute(request, context) : [...(await routesOf(context))];

async function addRoute(request: Message, context: Context): Promise<Result> {
  const registrar = await readPath(context.option('router-opts'), 'registrar', context);
  const added = (await readKey(request, 'route', context)) ?? request;
  if (registrar instanceof Message) {
    const path = textOf(await readPath(context.option('router-opts'), 'registrar-path', context)) ?? 'routes';
    const result = await context.resolve(registrar, request.with({ path }));
    return result.status === 'ok' ? ok('Route added.') : result;
  }
  const owners = itemsOf(context.option('route-owners'))?.map(textOf) ?? [operatorOf(context)];
  const signers = await signersOf(request, context);
  if (!signers.some((signer) => owners.includes(signer))) return error(Atom.of('not_authorized'));
  if (!(added instanceof Message)) return error(Message.of({ status: 400n, body: 'A route is a message.' }));
  const clean = added.without('path', 'method', 'commitments', 'accept', 'accept-bundle').withoutPrivate();
  const priority = (one: Value) => (one instanceof Message ? (integerOf(one.get('priority')) ?? 0) : 0);
  const all = [...(await routesOf(context)), clean].sort((a, b) => priority(a) - priority(b));
  await context.configure({ routes: all });
  return ok('Route added.');
}

const register: KeyFunction = async (_base, request, context) => {
  if (!(await signersOf(request, context)).includes(operatorOf(context)))
    return error(Atom.of('not_authorized'));
  const offered = listItems(await readPath(context.option('router-opts'), 'offered', context)) ?? [];
  for (const one of offered) {
    const peer =
      one instanceof Message ? textOf(await readKey(one, 'registration-peer', context)) : undefined;
    if (peer === undefined) continue;
    const message = Message.from([
      ['path', '/~router@1.0/routes'],
      ['method', 'POST'],
      ['subject', 'self'],
      ['action', 'register'],
      ['route', one],
    ]);
    const signed = await commitmentDevice('httpsig@1.0')!.commit(message, {}, { signer: context.identity });
    const answer = await send(
      signed,
      { target: `${peer.replace(/\/$/, '')}/~router@1.0/routes`, method: 'POST' },
      context,
    );
    if (answer.status !== 'ok') return answer;
  }
  return 'Routes registered.';
};

/** Request hook: what a route matches is relayed there instead of being answered here. */
const preprocess: KeyFunction = async (base, hook, context) => {
  const asked = await requestIn(hook, context);
  const found = await findRoute(await routesOf(context), asked, context);
  if (!found) {
    if (textOf(context.option('router-preprocess-default')) !== 'error') return ok(hook);
    return error(Message.of({ status: 404n, body: 'No matching template found in the given routes.' }));
  }
  const target = await destination(found.route, routePath(asked), context);
  const peer = target instanceof Message ? textOf(target.get('uri')) : textOf(target);
  const userMessage = asked.without('path').withoutPrivate();
  const relayed = Message.from([
    ['path', 'call'],
    ['target', 'proxy-message'],
    ['relay-method', 'POST'],
    ...(peer === undefined ? [] : [['peer', peer] as const]),
    ['commit-request', base.get('commit-request') ?? Atom.false],
    [
      'proxy-message',
      Message.from([
        ['device', 'apply@1.0'],
        ['path', 'user-path'],
        ['source', 'user-message'],
        ['user-path', asked.get('path') ?? '/'],
        ['user-message', userMessage],
      ]),
    ],
  ]);
  return ok(hook.with({ body: [Message.of({ device: 'relay@1.0' }), relayed] }));
};

const INFO = {
  version: '1.0',
  description: 'Router device for handling outbound message routing',
  paths: {
    info: 'Get device info',
    routes: 'Get or add routes',
    route: 'Find where a message goes',
    match: 'Find the first matching route of the base message',
    register: 'Register offered routes with peers',
    preprocess: 'Relay what a route matches (a request hook)',
  },
};

export const router: Device = {
  name: 'router@1.0',
  keys: {
    info: () => Message.of({ status: 200n, body: INFO }),
    routes,
    route,
    match,
    register,
    preprocess,
  },
};
