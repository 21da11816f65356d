/** Where a page of a compute unit's results begins and ends (process.md §5.2): texts that are opaque to clients. */
import { fromBase64, fromBytes, toBase64, toBytes } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { numberIn } from './unit-http.ts';

export type Sort = 'ASC' | 'DESC';

export interface Cursor {
  /** Milliseconds. */
  readonly timestamp: number;
  /** The slot; absent where only a moment is named. */
  readonly ordinate?: number;
  readonly sort?: Sort;
}

export interface Range {
  /** Exclusive. */
  readonly from?: Cursor;
  /** Inclusive. */
  readonly to?: Cursor;
  readonly sort: Sort;
  readonly limit: number;
}

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 1000;

/** base64 of JSON, as the unit of the network writes it. */
export function writeCursor({ timestamp, ordinate, sort }: Required<Cursor>): string {
  return toBase64(toBytes(JSON.stringify({ timestamp, ordinate: String(ordinate), sort })));
}

/** A cursor of a page, or a timestamp in milliseconds. @throws AoError `bad-cursor` (400) */
export function readCursor(text: string): Cursor {
  if (/^\d{1,15}$/.test(text)) return { timestamp: Number(text) };
  try {
    const { timestamp, ordinate, sort } = JSON.parse(fromBytes(fromBase64(text))) as Record<string, unknown>;
    const slot = ordinate === undefined || ordinate === null ? undefined : Number(ordinate);
    if (Number.isSafeInteger(Number(timestamp)) && (slot === undefined || Number.isSafeInteger(slot)))
      return {
        timestamp: Number(timestamp),
        ...(slot === undefined ? {} : { ordinate: slot }),
        ...(sort === 'ASC' || sort === 'DESC' ? { sort } : {}),
      };
  } catch {
    // Said below.
  }
  throw new AoError('bad-cursor', 'This is no cursor of a page of results.');
}

/**
 * What a query asks for. A cursor goes on in the order that its page had, whatever the query says.
 * @throws AoError `bad-cursor`, `bad-number`, `bad-sort` (400)
 */
export function readRange(query: URLSearchParams): Range {
  const at = (name: string) => {
    const text = query.get(name);
    return text ? readCursor(text) : undefined;
  };
  const [from, to] = [at('from'), at('to')];
  const named = query.get('sort') || 'ASC';
  if (!/^(?:asc|desc)$/i.test(named)) throw new AoError('bad-sort', 'Results are sorted ASC or DESC.');
  return {
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    sort: from?.sort ?? to?.sort ?? (named.toUpperCase() as Sort),
    limit: Math.min(Math.max(numberIn(query, 'limit') ?? DEFAULT_LIMIT, 1), MAX_LIMIT),
  };
}
