/** What a signature is over (messages.md §6.3, §6.4): the components of a message, and the base they make. */
import { toBytes } from '../base/bytes.ts';
import { httpsigFields } from '../codec/httpsig.ts';
import { writeString } from '../codec/structured-fields.ts';
import { linkKey, withoutLinkSuffix } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { keysOrder } from '../message/order.ts';
import { type Tabm, textOf } from '../message/tabm.ts';
import { type Binary, isBinary, type Value } from '../message/value.ts';
import { signatureFieldsOf } from './own-signature.ts';

/** Components in their order, with their values. */
export interface Components {
  readonly names: readonly string[];
  readonly values: ReadonlyMap<string, Binary>;
  /** Names are written as they are, also those that the reference writes with `@`. */
  readonly plain?: boolean;
}

/** The message restricted to these keys, each found under its name or as a link. Absent keys are left out. */
export function restrict(tabm: Tabm, keys: Iterable<string>): Tabm {
  const fields = new Map<string, Value>();
  for (const key of keys) {
    const name = tabm.has(key) ? key : linkKey(key);
    const value = tabm.get(name);
    if (value !== undefined) fields.set(name, value);
  }
  return new Message(fields);
}

/** Components of a whole TABM, in KO. */
export function componentsOf(tabm: Tabm): Components {
  const values = componentValues(tabm);
  return { names: keysOrder(values.keys()), values };
}

export function componentValues(tabm: Tabm): Map<string, Binary> {
  const values = httpsigFields(tabm);
  for (const [name, value] of signatureFieldsOf(tabm)) values.set(name, value);
  return values;
}

/** Names that are written with `@` in the parameters, though never in the lines. */
const DERIVED = new Set([
  'method',
  'target-uri',
  'authority',
  'scheme',
  'request-target',
  'path',
  'query',
  'query-param',
]);

/** Parameters that are part of the base, besides `alg`, in the order in which they stand. */
const SIGNED_PARAMETERS = ['alg', 'bundle', 'created', 'expires', 'keyid', 'nonce', 'tag'] as const;

/** `commitment` gives the parameters; its `type` is `alg`. */
export function signatureBase(components: Components, commitment: Message): Uint8Array {
  let out = '';
  let list = '';
  for (const name of components.names) {
    const bare = name.startsWith('@') ? name.slice(1) : name;
    out += `"${bare}": ${textOf(components.values.get(name))!}\n`;
    list += `${list ? ' ' : ''}${writeString(DERIVED.has(bare) && !components.plain ? `@${bare}` : bare)}`;
  }
  // Without any component the base begins with a line feed all the same.
  if (out === '') out = '\n';
  return toBytes(`${out}"@signature-params": (${list})${baseParameters(commitment)}`);
}

function baseParameters(commitment: Message): string {
  let out = '';
  for (const name of SIGNED_PARAMETERS) {
    const value = commitment.get(name === 'alg' ? 'type' : name);
    if (typeof value === 'bigint') out += `;${name}=${value}`;
    else if (isBinary(value)) out += `;${name}=${writeString(textOf(value)!)}`;
  }
  return out;
}

/**
 * True if a value holds what reads as the beginning of another component's line: then one base stands for two
 * messages, and a signature over it proves neither.
 */
export function isAmbiguous(components: Components): boolean {
  for (const value of components.values.values()) {
    const text = textOf(value)!;
    if (text.includes('\n"') && components.names.some((name) => text.includes(`\n"${name}": `))) return true;
  }
  return false;
}

/**
 * Components as AO-Core keys (messages.md §6.3, last paragraph): the body's keys instead of its digest, no
 * generated fields, no `+link`.
 */
export function keysOfComponents(
  names: readonly string[],
  values: ReadonlyMap<string, Binary>,
  bodyKeys: readonly string[],
): string[] {
  const bare = names.map((name) => (name.startsWith('@') ? name.slice(1) : name));
  const inlineKey = bare.includes('ao-body-key') ? textOf(values.get('ao-body-key')) : undefined;
  const contentType = textOf(values.get('content-type'));
  const keys: string[] = [];
  for (const name of bare) {
    if (name === 'content-digest') keys.push(...bodyKeys);
    else if (name === 'content-type' && contentType?.startsWith('multipart/')) continue;
    else keys.push(name);
  }
  if (inlineKey === undefined) return keys.map(withoutLinkSuffix);
  return keys
    .filter((key) => key !== 'ao-body-key')
    .map((key) => (key === 'body' ? inlineKey : withoutLinkSuffix(key)));
}
