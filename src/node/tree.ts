/** Values as a page shows them: a tree of plain nodes, children only as deep as asked. */
import { toHex } from '../base/bytes.ts';
import type { TreeNode } from '../protocol/api.ts';
import { iterationOrder } from '../message/order.ts';
import { Message } from '../message/message.ts';
import { As, Atom, binaryBytes, isBinary, Link, Subpath, type Value } from '../message/value.ts';

/** Text longer than this is cut, in characters; the whole of it is at the node's path. */
const MAX_TEXT = 65_536;
/** Children of one node that are listed; a page asks for the rest by path. */
const MAX_CHILDREN = 1_000;

/** `value` as a tree, `depth` levels of children (0: none). `path` is the node's own, for asking further. */
export function toTree(key: string, value: Value, depth = 1, path = ''): TreeNode {
  if (isBinary(value)) return binaryNode(key, value, path);
  if (typeof value === 'bigint') return { key, path, type: 'integer', text: value.toString() };
  if (typeof value === 'number') return { key, path, type: 'float', text: floatText(value) };
  if (value instanceof Atom) return { key, path, type: 'atom', text: value.name };
  if (value instanceof Link) return { key, path, type: 'link', id: value.id, text: value.id };
  if (value instanceof Message) {
    const node: TreeNode = { key, path, type: 'message', size: value.size };
    if (depth > 0)
      node.children = iterationOrder([...value.keys()])
        .slice(0, MAX_CHILDREN)
        .map((child) => toTree(child, value.get(child)!, depth - 1, join(path, child)));
    return node;
  }
  if (value instanceof Subpath || value instanceof As)
    return { key, path, type: 'message', size: 0, text: 'resolved when it is read' };
  const node: TreeNode = { key, path, type: 'list', size: value.length };
  if (depth > 0)
    node.children = value
      .slice(0, MAX_CHILDREN)
      .map((item, index) => toTree(String(index + 1), item, depth - 1, join(path, String(index + 1))));
  return node;
}

function binaryNode(key: string, value: string | Uint8Array, path: string): TreeNode {
  const bytes = binaryBytes(value);
  const text = typeof value === 'string' && value.isWellFormed() ? value : undefined;
  const shown =
    text === undefined ? `hex:${toHex(bytes.subarray(0, MAX_TEXT / 4))}` : text.slice(0, MAX_TEXT);
  return { key, path, type: 'binary', text: shown, bytes: bytes.length };
}

function floatText(value: number): string {
  const text = String(value);
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}/${key}`;
}
