/**
 * Signatures of JavaScript clients (aoconnect, ao-core-libs, hbsig). They sign a request as RFC 9421 has it, under
 * labels `http-sig-…` and with the bare modulus as key ID. The reference passes such signatures over; here they count,
 * and where the message itself bears them out they become commitments, so that it can be scheduled.
 */
import { toBytes } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import {
  isInnerList,
  parseDictionary,
  writeDictionary,
  type InnerList,
} from '../../codec/structured-fields.ts';
import type { HttpForm } from '../../commitment/http.ts';
import { resolveKeyid } from '../../commitment/keyid.ts';
import { verifyPss } from '../../crypto/rsa.ts';
import { textOf } from '../../message/tabm.ts';
import type { HttpRequest } from '../../resolver/context.ts';

export const CLIENT_LABELS = 'http-sig-';
const ALGORITHM = 'rsa-pss-sha512';
/** Signatures of one request that are looked at. */
const MAX_SIGNATURES = 16;

export function isClientSigned(form: HttpForm): boolean {
  return [form.headers.get('signature'), form.headers.get('signature-input')].every((field) =>
    textOf(field)?.startsWith(CLIENT_LABELS),
  );
}

/**
 * Verifies every signature of such a request over the fields as they came.
 * @returns addresses of those who signed
 * @throws AoError `bad-signature`, `bad-signature-input`, `bad-keyid`, `bad-structured-field` (400)
 */
export async function verifyClientSignatures(form: HttpForm, request: HttpRequest): Promise<string[]> {
  const inputs = parseDictionary(textOf(form.headers.get('signature-input')) ?? '');
  const signatures = [...parseDictionary(textOf(form.headers.get('signature')) ?? '')];
  if (signatures.length > MAX_SIGNATURES)
    throw new AoError('bad-signature', 'The request bears too many signatures.');
  const signers = new Set<string>();
  for (const [label, member] of signatures) {
    const input = inputs.get(label);
    if (isInnerList(member) || member.bare.kind !== 'bytes' || !input || !isInnerList(input))
      throw new AoError('bad-signature-input', `The signature ${label.slice(0, 60)} is not described.`);
    const covered = input.items.map(({ bare }) => (bare.kind === 'string' ? bare.text : ''));
    const key = resolveKeyid(parameter(input, 'keyid'), ALGORITHM);
    const known = parameter(input, 'alg') === ALGORITHM && key.committer !== undefined;
    const base = known ? baseOf(label, input, covered, form, request) : undefined;
    if (!base || !(await verifyPss(key.key, member.bare.bytes, base, 'sha512')))
      throw new AoError('bad-signature', 'A signature of the request does not hold.');
    signers.add(key.committer!);
  }
  return [...signers];
}

function parameter(input: InnerList, name: string): string {
  const bare = input.parameters.get(name);
  return bare?.kind === 'string' ? bare.text : '';
}

/** The signature base (RFC 9421, section 2.5); undefined where a component is not there. */
function baseOf(
  label: string,
  input: InnerList,
  covered: readonly string[],
  form: HttpForm,
  request: HttpRequest,
): Uint8Array | undefined {
  let base = '';
  for (const name of covered) {
    const value = name.startsWith('@') ? derived(name, form, request) : textOf(form.headers.get(name));
    if (value === undefined) return undefined;
    base += `"${name}": ${value.trim()}\n`;
  }
  const written = writeDictionary([[label, input]]).slice(label.length + 1);
  return toBytes(`${base}"@signature-params": ${written}`);
}

/** Derived components (RFC 9421, section 2.2) that a node can know of its own request. */
function derived(name: string, form: HttpForm, request: HttpRequest): string | undefined {
  const mark = request.target.indexOf('?');
  const path = mark < 0 ? request.target : request.target.slice(0, mark);
  switch (name) {
    case '@method':
      return request.method;
    case '@path':
      return path;
    case '@query':
      return mark < 0 ? '?' : request.target.slice(mark);
    case '@request-target':
      return request.target;
    case '@authority':
      return textOf(form.headers.get('host'))?.toLowerCase();
    default:
      return undefined;
  }
}
