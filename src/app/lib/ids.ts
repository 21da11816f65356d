/** AO identifiers as people read them. */

const ID = /^[A-Za-z0-9_-]{43}$/;

/** True for 43 characters of base64url: a message, a process, an address. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** `xU9zAbc…` as `xU9z…Q4kE`. Text that is not longer than the short form stays as it is. */
export function shortId(id: string, head = 4, tail = 4): string {
  return id.length <= head + tail + 1 ? id : `${id.slice(0, head)}…${id.slice(-tail)}`;
}

export interface IdPiece {
  text: string;
  id: boolean;
}

/** Splits text into IDs and what stands between them, so that each ID can be shortened and linked. */
export function splitIds(text: string): IdPiece[] {
  const pieces: IdPiece[] = [];
  let at = 0;
  for (const match of text.matchAll(/(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/g)) {
    if (match.index > at) pieces.push({ text: text.slice(at, match.index), id: false });
    pieces.push({ text: match[0], id: true });
    at = match.index + match[0].length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), id: false });
  return pieces;
}
