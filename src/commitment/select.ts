/** Which commitments a request means, and what they cover (messages.md §11.4, §11.5). */
import { AoError } from '../base/errors.ts';
import { isIdShaped, isLinkKey, withoutLinkSuffix } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { keysOrder } from '../message/order.ts';
import { textOf } from '../message/tabm.ts';
import { Atom, isBinary, type Value } from '../message/value.ts';
import {
  commitmentsOf,
  committedKeys,
  committerOf,
  deviceOf,
  HTTPSIG_DEVICE,
  isBundled,
  listedKeys,
} from './commitment.ts';

export type Which = 'all' | 'none' | (string & {}) | readonly string[];

export interface Selection {
  /** Addresses, `all` that have one, or `none` (default). */
  readonly committers?: Which | undefined;
  /** IDs of commitments, `all`, or `none` (default). */
  readonly commitments?: Which | undefined;
}

/** No selection, by committers and by IDs: what `id`, `verify` and `committed` do without being told. */
export const UNSIGNED: Selection = Object.freeze({});
/** All commitments that somebody made. */
export const SIGNED: Selection = Object.freeze({ committers: 'all' });
/** All commitments, the unsigned ones too. */
export const EVERY: Selection = Object.freeze({ commitments: 'all' });

/**
 * IDs of the commitments that are meant. Nothing meant: those of `httpsig@1.0` that nobody in particular made.
 * @throws AoError `unknown-committer` (404) for a committer who has made none
 */
export function selectCommitments(message: Message, selection: Selection = UNSIGNED): string[] {
  const all = commitmentsOf(message);
  const chosen = new Set<string>();
  const { committers = 'none', commitments = 'none' } = selection;
  if (commitments === 'all') for (const id of all.keys()) chosen.add(id);
  else for (const id of listed(commitments)) if (all.has(id)) chosen.add(id);
  if (committers === 'all') {
    for (const [id, commitment] of all) if (committerOf(commitment) !== undefined) chosen.add(id);
  } else
    for (const committer of listed(committers)) {
      let found = false;
      for (const [id, commitment] of all)
        if (committerOf(commitment) === committer) {
          chosen.add(id);
          found = true;
        }
      if (!found)
        throw new AoError('unknown-committer', `Nobody with the address ${committer} has committed.`, {
          status: 404,
          detail: { committer },
        });
    }
  if (chosen.size === 0)
    for (const [id, commitment] of all)
      if (committerOf(commitment) === undefined && deviceOf(commitment) === HTTPSIG_DEVICE) chosen.add(id);
  return keysOrder(chosen);
}

function listed(which: Which): readonly string[] {
  if (which === 'none') return [];
  return typeof which === 'string' ? [which] : which;
}

/**
 * The selection that a request names; newer names of `commitments` are read too (messages.md §15).
 * @throws AoError `bad-selection`
 */
export function selectionOf(request: Message): Selection {
  const commitments = request.get('commitments') ?? request.get('commitment-ids') ?? request.get('ids');
  return { committers: whichOf(request.get('committers')), commitments: whichOf(commitments) };
}

function whichOf(value: Value | undefined): Which | undefined {
  if (value === undefined) return undefined;
  if (isBinary(value)) return textOf(value)!;
  if (value instanceof Atom) return value.name;
  const items = value instanceof Message ? [...value].map(([, item]) => item) : value;
  if (!Array.isArray(items)) throw new AoError('bad-selection', 'A selection is text or a list of text.');
  return items.map((item: Value) => {
    const text = item instanceof Atom ? item.name : textOf(item);
    if (text === undefined) throw new AoError('bad-selection', 'A selection is text or a list of text.');
    return text;
  });
}

/** Addresses of all who have committed, in the reference's order of commitment IDs, repeated as often. */
export function committers(message: Message): string[] {
  const all = commitmentsOf(message);
  return keysOrder(all.keys()).flatMap((id) => committerOf(all.get(id)!) ?? []);
}

/**
 * Keys that every selected commitment covers; none if nothing is selected.
 * `raw` keeps `+link` as it is listed.
 */
export function committed(message: Message, selection: Selection = UNSIGNED, raw = false): string[] {
  const all = commitmentsOf(message);
  return commonKeys(
    selectCommitments(message, selection).map((id) => all.get(id)!),
    raw,
  );
}

/** Keys that all of these commitments cover, in the order of the last. */
export function commonKeys(commitments: readonly Message[], raw = false): string[] {
  const last = commitments.at(-1);
  if (!last) return [];
  const lists = commitments.slice(0, -1).map((commitment) => new Set(committedKeys(commitment)));
  return (raw ? listedKeys(last) : committedKeys(last)).filter((key) =>
    lists.every((list) => list.has(withoutLinkSuffix(key))),
  );
}

/**
 * The message cut down to what all of its commitments cover, here and in nested messages that are covered by
 * their own commitments alone. A message without commitments is returned as it is.
 */
export function withOnlyCommitted(message: Message): Message {
  const all = [...commitmentsOf(message).values()];
  if (all.length === 0) return message;
  const keys = new Set(commonKeys(all));
  const bundled = all.some(isBundled);
  const fields = new Map<string, Value>();
  for (const [key, value] of message) {
    const plain = isLinkKey(key) ? withoutLinkSuffix(key) : key;
    if (key === 'commitments') fields.set(key, value);
    else if (keys.has(plain) || (keys.has('ao-ids') && isIdShaped(key) && isBinary(value)))
      fields.set(key, bundled ? value : cutNested(value));
  }
  return fields.size === message.size && [...fields].every(([key, value]) => message.get(key) === value)
    ? message
    : new Message(fields, message.private);
}

function cutNested(value: Value): Value {
  if (value instanceof Message) {
    if (value.has('commitments')) return withOnlyCommitted(value);
    let changed: Map<string, Value> | undefined;
    for (const [key, item] of value) {
      const cut = cutNested(item);
      if (cut !== item) (changed ??= new Map(value)).set(key, cut);
    }
    return changed ? new Message(changed, value.private) : value;
  }
  if (!Array.isArray(value)) return value;
  const list = value as readonly Value[];
  const cut = list.map(cutNested);
  return cut.every((item, index) => item === list[index]) ? value : cut;
}
