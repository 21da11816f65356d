/** Messages as a page shows them. */

/** A value as a page shows it. Messages and lists carry children only when asked for (`depth`). */
export interface TreeNode {
  key: string;
  type: 'binary' | 'integer' | 'float' | 'atom' | 'list' | 'message' | 'link';
  /** Text form of a scalar; bytes that are not text as `hex:`. Cut at 64 KiB. */
  text?: string;
  bytes?: number;
  /** Number of entries of a message or list. */
  size?: number;
  /** Path from the tree's root, to ask for children. */
  path: string;
  id?: string;
  children?: TreeNode[];
}

/** One commitment of a message, checked by this node. */
export interface CommitmentReport {
  id: string;
  device: string;
  type: string;
  /** Address of who made it; absent where anybody could have. */
  committer?: string;
  keyid?: string;
  /** Keys that it covers. */
  committed: string[];
  valid: boolean;
  /** Why it is not valid, in a sentence. */
  reason?: string;
  /** False for an HMAC with a key that everybody knows: it names the content and proves nothing. */
  proves: boolean;
}

export interface MessageReport {
  id: string;
  /** The message without its commitments. */
  tree: TreeNode;
  ids: { kind: 'signed' | 'unsigned'; id: string }[];
  commitments: CommitmentReport[];
  /** What `encode` can write it in. */
  codecs: string[];
}

export interface EncodedMessage {
  /** Media type of `body`. */
  type: string;
  body: Uint8Array;
}
