/** HTTP statuses of results (resolver.md §7.5). */
import { Message } from '../message/message.ts';
import { Atom, isBinary, type Value } from '../message/value.ts';
import { fromBytes } from '../base/bytes.ts';
import { committed, SIGNED } from '../commitment/select.ts';
import type { Result } from './device.ts';

/**
 * The last three are 200 in the reference, which knows no status for them (resolver.md §13, Q10): a refusal that
 * looks like success is of no use to anyone.
 */
const STATUSES: Readonly<Record<string, number>> = {
  ok: 200,
  error: 400,
  created: 201,
  not_found: 404,
  failure: 500,
  unavailable: 503,
  unauthorized: 401,
  forbidden: 403,
  not_authorized: 403,
  no_matches: 404,
  no_matching_route: 404,
  no_viable_responses: 502,
};

export function statusOfName(name: string): number | undefined {
  return Object.hasOwn(STATUSES, name) ? STATUSES[name] : undefined;
}

/** The status that a result answers with. */
export function statusOf({ status, value }: Result): number {
  const fallback = statusOfName(status) ?? 200;
  if (value instanceof Atom) return statusOfName(value.name) ?? fallback;
  if (!(value instanceof Message)) return fallback;
  const body = value.get('body');
  if (body instanceof Atom && statusOfName(body.name) !== undefined) return statusOfName(body.name)!;
  return statusValue(value.get('status')) ?? fallback;
}

function statusValue(status: Value | undefined): number | undefined {
  if (typeof status === 'bigint') return status >= 100n && status <= 599n ? Number(status) : undefined;
  if (status instanceof Atom) return statusOfName(status.name);
  if (!isBinary(status)) return undefined;
  const text = typeof status === 'string' ? status : fromBytes(status);
  return /^[1-5]\d\d$/.test(text) ? Number(text) : statusOfName(text);
}

/** The result as a message with its status as a number, unless a signature covers the status that it has. */
export function embedStatus(result: Result): Message {
  const status = BigInt(statusOf(result));
  const { value } = result;
  if (!(value instanceof Message))
    return Message.from([
      ['status', status],
      ['body', value],
    ]);
  if (value.has('status') && value.has('commitments') && committed(value, SIGNED).includes('status'))
    return value;
  // A message that is type-annotated already has its types in a key that a typed status would replace.
  return value.with({ status: value.has('ao-types') ? status.toString() : status });
}
