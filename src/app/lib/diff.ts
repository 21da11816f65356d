/** Difference between two states, walked only where they can differ. */
import type { TreeNode } from '../../client/index.ts';

export interface Difference {
  path: string;
  kind: 'added' | 'removed' | 'changed';
  before?: TreeNode;
  after?: TreeNode;
}

export interface DiffResult {
  differences: Difference[];
  /** False when a limit ended the walk: there may be more. */
  complete: boolean;
}

/** Reads one node with its children. */
export type ReadState = (path: string) => Promise<TreeNode>;

const compound = (node: TreeNode) => node.type === 'message' || node.type === 'list' || node.type === 'link';

/**
 * Compares the states that `before` and `after` read, depth first in key order. Nodes with the same ID are equal
 * without a look inside. Ends after `limit` differences or reads, or when the signal aborts.
 */
export async function diffStates(
  before: ReadState,
  after: ReadState,
  options: { limit?: number; depth?: number; signal?: AbortSignal } = {},
): Promise<DiffResult> {
  const limit = options.limit ?? 500;
  const differences: Difference[] = [];
  let reads = 0;
  let complete = true;

  async function walk(path: string, depth: number): Promise<void> {
    options.signal?.throwIfAborted();
    if (reads++ >= limit || depth > (options.depth ?? 32)) {
      complete = false;
      return;
    }
    const [left, right] = await Promise.all([before(path), after(path)]);
    const others = new Map((right.children ?? []).map((child) => [child.key, child]));
    for (const child of left.children ?? []) {
      if (differences.length >= limit) {
        complete = false;
        return;
      }
      const other = others.get(child.key);
      others.delete(child.key);
      if (!other) differences.push({ path: child.path, kind: 'removed', before: child });
      else if (compound(child) && compound(other)) {
        if (!(child.id && child.id === other.id)) await walk(child.path, depth + 1);
      } else if (child.type !== other.type || child.text !== other.text || child.bytes !== other.bytes)
        differences.push({ path: child.path, kind: 'changed', before: child, after: other });
    }
    for (const child of others.values()) differences.push({ path: child.path, kind: 'added', after: child });
  }

  await walk('', 0);
  return { differences, complete };
}
