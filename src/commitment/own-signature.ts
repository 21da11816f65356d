/**
 * The signature fields of a message that has a `signature` of its own, as a commitment has (messages.md §4.9):
 * they are components when its ID is computed.
 */
import { fromBase64, toBase64, toBase64Url } from '../base/bytes.ts';
import { encodeHttpsig } from '../codec/httpsig.ts';
import { writeString } from '../codec/structured-fields.ts';
import { sha256 } from '../crypto/hash.ts';
import { Message } from '../message/message.ts';
import { keysOrder } from '../message/order.ts';
import { type Tabm, textOf } from '../message/tabm.ts';
import { listedKeys } from './commitment.ts';
import { restrict } from './signature-base.ts';

/** Label of a commitment in both fields. */
export function labelOf(signature: Uint8Array): string {
  return `comm-${toBase64Url(sha256(signature)).toLowerCase()}`;
}

/** `signature` and `signature-input`, or nothing for a message that has commitments or no `signature`. */
export function signatureFieldsOf(tabm: Tabm): [string, string][] {
  const text = tabm.has('commitments') ? undefined : textOf(tabm.get('signature'));
  if (text === undefined) return [];
  const signature = fromBase64(text);
  const label = labelOf(signature);
  const listed = tabm.get('committed') instanceof Message ? listedKeys(tabm) : [];
  const names = keysOrder(encodeHttpsig(restrict(tabm, listed)).headers.keys());
  const alg = textOf(tabm.get('type')) ?? '';
  const keyid = textOf(tabm.get('keyid')) ?? '';
  const bundle = textOf(tabm.get('bundle'));
  const parameters = `;alg=${writeString(alg)};keyid=${writeString(keyid)}`;
  const extra = bundle === undefined ? '' : `;bundle=${writeString(bundle)}`;
  return [
    ['signature', `${label}=:${toBase64(signature)}:`],
    ['signature-input', `${label}=(${names.map(writeString).join(' ')})${parameters}${extra}`],
  ];
}
