/** AO paths as the path bar shows and checks them. The node parses them; this only helps the eye. */
import { isId, shortId } from './ids.ts';

export interface PathPiece {
  /** As it is shown. */
  text: string;
  /** `id` and `key` stand out, `device` and `mark` stay quiet. */
  kind: 'id' | 'device' | 'key' | 'mark' | 'query';
  full?: string;
}

/** What the user typed as a request target: trimmed, origin and scheme removed, with a leading slash. */
export function toTarget(typed: string, origin = ''): string {
  let text = typed.trim();
  if (origin && (text === origin || text.startsWith(`${origin}/`))) text = text.slice(origin.length);
  // `~meta@1.0/info`, `PID~process@1.0/now`: people leave the slash out.
  return text.startsWith('/') ? text : `/${text}`;
}

/** Splits a target for display, with IDs shortened. */
export function pathPieces(target: string): PathPiece[] {
  const queryAt = target.indexOf('?');
  const path = queryAt < 0 ? target : target.slice(0, queryAt);
  const pieces: PathPiece[] = [];
  for (const part of path.split(/([/~&])/)) {
    if (part === '') continue;
    const last = pieces.at(-1);
    if (part === '/' || part === '&') pieces.push({ text: part, kind: 'mark' });
    else if (part === '~') pieces.push({ text: part, kind: 'device' });
    else if (last?.kind === 'device' && last.text === '~') last.text += part;
    else if (isId(part)) pieces.push({ text: shortId(part), kind: 'id', full: part });
    else pieces.push({ text: part, kind: 'key' });
  }
  if (queryAt >= 0) pieces.push({ text: target.slice(queryAt), kind: 'query' });
  return pieces;
}

/** The target in one line with IDs shortened: for titles and lists. */
export function shortPath(target: string): string {
  return pathPieces(target)
    .map((piece) => piece.text)
    .join('');
}

/** First process or message that the target names, if any. */
export function targetId(target: string): string | undefined {
  return pathPieces(target).find((piece) => piece.kind === 'id')?.full;
}
