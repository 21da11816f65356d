/** A tree as the rows that are visible: what the tree component shows and its arrow keys walk. */
import type { TreeNode } from '../../client/index.ts';
import type { Failure } from './errors.ts';

export interface TreeRow {
  node: TreeNode;
  /** 1 for the root's children. */
  level: number;
  position: number;
  of: number;
  /** Open, but its children are not here yet. */
  missing: boolean;
  problem?: Failure;
  /** Entries that the node has beyond those that were sent; shown after the last child. */
  cut?: number;
}

/** A node that has something inside. An empty message has not; what a link leads to is not known yet. */
export function isBranch(node: TreeNode): boolean {
  return node.type === 'link' || ((node.type === 'message' || node.type === 'list') && (node.size ?? 0) > 0);
}

/**
 * The visible rows below `root`, in order. `read` gives children that were loaded later, or why they could not be.
 */
export function flatten(
  root: TreeNode,
  open: ReadonlySet<string>,
  read: (path: string) => TreeNode[] | Failure | undefined,
): TreeRow[] {
  const rows: TreeRow[] = [];

  function add(children: readonly TreeNode[], level: number): void {
    children.forEach((node, index) => {
      const row: TreeRow = { node, level, position: index + 1, of: children.length, missing: false };
      rows.push(row);
      if (!isBranch(node) || !open.has(node.path)) return;
      const later = node.children ?? read(node.path);
      if (later === undefined) row.missing = true;
      else if (!Array.isArray(later)) row.problem = later;
      else {
        add(later, level + 1);
        const cut = (node.size ?? later.length) - later.length;
        if (cut > 0) rows.at(-1)!.cut = cut;
      }
    });
  }

  add(root.children ?? [], 1);
  const cut = (root.size ?? 0) - (root.children?.length ?? 0);
  if (cut > 0 && rows.length > 0) rows.at(-1)!.cut = cut;
  return rows;
}
