/** Which of a route's nodes are asked (resolver.md §9.2). */
import { fromBase64, toBytes } from '../base/bytes.ts';
import { toNumber } from '../commitment/id.ts';
import { sha256 } from '../crypto/hash.ts';
import { isIdShaped } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { readKey, textOf } from './values.ts';

const RING = 1n << 256n;

/** `choose` of the nodes; all of them where there is no strategy, none where there are none. */
export async function chooseNodes(
  nodes: readonly Value[],
  strategy: string | undefined,
  choose: number,
  path: string,
  context: Context,
): Promise<Value[]> {
  const count = Math.min(Math.max(choose, 1), nodes.length);
  switch (strategy) {
    case undefined:
    case 'All':
      return [...nodes];
    case 'Random':
      return pick(nodes, count, () => Math.random());
    case 'By-Weight':
      return byWeight(nodes, count, context);
    case 'By-Base':
      return byBase(nodes, count, path);
    case 'Nearest':
      return nearest(nodes, count, path, context);
    default:
      return nodes.slice(0, count);
  }
}

function pick(nodes: readonly Value[], count: number, random: () => number): Value[] {
  const left = [...nodes];
  const out: Value[] = [];
  while (out.length < count) out.push(...left.splice(Math.floor(random() * left.length), 1));
  return out;
}

async function byWeight(nodes: readonly Value[], count: number, context: Context): Promise<Value[]> {
  const left: { node: Value; weight: number }[] = [];
  for (const node of nodes) left.push({ node, weight: weightOf(await readKey(node, 'weight', context)) });
  const out: Value[] = [];
  while (out.length < count) {
    let at = Math.random() * left.reduce((sum, { weight }) => sum + weight, 0);
    const index = left.findIndex(({ weight }) => (at -= weight) < 0);
    out.push(left.splice(index < 0 ? left.length - 1 : index, 1)[0]!.node);
  }
  return out;
}

function weightOf(value: Value | undefined): number {
  const weight = typeof value === 'number' ? value : Number(textOf(value) ?? 1);
  return Number.isFinite(weight) && weight > 0 ? weight : 0;
}

/** The same base goes to the same node. */
function byBase(nodes: readonly Value[], count: number, path: string): Value[] {
  const left = [...nodes];
  const out: Value[] = [];
  const base = baseNumber(path);
  while (out.length < count) out.push(...left.splice(Number(base % BigInt(left.length)), 1));
  return out;
}

/** Nodes whose wallets are next to the base on the ring of all addresses. */
async function nearest(
  nodes: readonly Value[],
  count: number,
  path: string,
  context: Context,
): Promise<Value[]> {
  const base = baseNumber(path);
  const measured: { node: Value; distance: bigint }[] = [];
  for (const node of nodes) {
    const wallet = node instanceof Message ? textOf(await readKey(node, 'wallet', context)) : undefined;
    const apart = wallet === undefined ? RING : idNumber(wallet) - base;
    const distance = apart < 0n ? -apart : apart;
    measured.push({
      node,
      distance: distance * 2n > RING && wallet !== undefined ? RING - distance : distance,
    });
  }
  measured.sort((a, b) => (a.distance < b.distance ? -1 : a.distance > b.distance ? 1 : 0));
  return measured.slice(0, count).map(({ node }) => node);
}

/** The first part of a path as a number: an ID by its octets, anything else by its hash. */
function baseNumber(path: string): bigint {
  const first = path.split('/').find((part) => part !== '') ?? '';
  return idNumber(/^([A-Za-z0-9_-]{43})(?=[~&]|$)/.exec(first)?.[1] ?? first);
}

function idNumber(text: string): bigint {
  if (isIdShaped(text) && text.length === 43) {
    try {
      return toNumber(fromBase64(text));
    } catch {
      // No ID after all: by its hash.
    }
  }
  return toNumber(sha256(toBytes(text)));
}
