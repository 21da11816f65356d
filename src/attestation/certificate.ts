/** AMD's certificates as data (attestation.md §1.7): strictly parsed, nothing judged yet. */
import { fromBase64, toHex } from '../base/bytes.ts';
import {
  children,
  expectTag,
  readBits,
  readDer,
  readObjectId,
  readTime,
  readUnsigned,
  TAG,
  type Der,
} from './der.ts';
import { refuse } from './error.ts';

export interface Certificate {
  /** The whole certificate. */
  readonly der: Uint8Array;
  /** The octets that are signed. */
  readonly tbs: Uint8Array;
  readonly serial: bigint;
  /** Hex of the inner and the outer AlgorithmIdentifier. */
  readonly innerAlgorithm: string;
  readonly outerAlgorithm: string;
  readonly signature: Uint8Array;
  readonly issuer: Name;
  readonly subject: Name;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly key: PublicKey;
  /** Content of each extension by object identifier. */
  readonly extensions: ReadonlyMap<string, Uint8Array>;
}

/** Attributes by object identifier; compared as a set. */
export type Name = ReadonlyMap<string, string>;

export type PublicKey =
  | { readonly type: 'rsa'; readonly bits: number }
  | { readonly type: 'ec'; readonly curve: string }
  | { readonly type: 'other' };

const RSA = '1.2.840.113549.1.1.1';
const EC = '1.2.840.10045.2.1';
export const COMMON_NAME = '2.5.4.3';
export const BASIC_CONSTRAINTS = '2.5.29.19';
/** Longest certificate that is read, in bytes. */
const MAX_BYTES = 8192;
/** Extensions that a certificate may mark critical because we act on them. */
const UNDERSTOOD = new Set([BASIC_CONSTRAINTS, '2.5.29.15']);

/** @throws AoError `SNP_DER` */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_BYTES) refuse('SNP_DER', `A certificate is longer than ${MAX_BYTES} bytes.`);
  const [tbs, outer, signature, ...rest] = children(readDer(der, TAG.sequence));
  if (rest.length || !signature) refuse('SNP_DER', 'A certificate does not have its three parts.');
  const fields = children(expectTag(tbs, TAG.sequence));
  const [version, serial, inner, issuer, validity, subject, spki, ...more] = fields;
  if (version?.tag !== 0xa0 || readUnsigned(readDer(version.content)) !== 2n)
    refuse('SNP_DER', 'A certificate is not X.509 v3.');
  if (!serial || !inner || !issuer || !validity || !subject || !spki)
    return refuse('SNP_DER', 'A certificate lacks a field.');
  const [from, until, ...others] = children(expectTag(validity, TAG.sequence));
  if (!from || !until || others.length) return refuse('SNP_DER', 'A validity does not have its two times.');
  if (more.length > 1 || (more[0] && more[0].tag !== 0xa3))
    refuse('SNP_DER', 'A certificate has unknown fields.');
  return {
    der,
    tbs: tbs!.raw,
    serial: readUnsigned(serial),
    innerAlgorithm: toHex(expectTag(inner, TAG.sequence).raw),
    outerAlgorithm: toHex(expectTag(outer, TAG.sequence).raw),
    signature: readBits(signature!),
    issuer: readName(issuer),
    subject: readName(subject),
    notBefore: readTime(from),
    notAfter: readTime(until),
    spki: expectTag(spki, TAG.sequence).raw,
    key: readKey(spki),
    extensions: more[0] ? readExtensions(more[0]) : new Map(),
  };
}

function readName(element: Der): Name {
  const name = new Map<string, string>();
  for (const set of children(expectTag(element, TAG.sequence))) {
    const attributes = children(expectTag(set, TAG.set));
    if (attributes.length !== 1) refuse('SNP_DER', 'A name has a compound attribute.');
    const [type, value, ...rest] = children(expectTag(attributes[0], TAG.sequence));
    if (!type || !value || rest.length)
      return refuse('SNP_DER', 'A name attribute does not have its two parts.');
    if (![TAG.utf8, TAG.printable, TAG.ia5].includes(value.tag as never))
      refuse('SNP_DER', 'A name attribute is not text.');
    const id = readObjectId(type);
    if (name.has(id)) refuse('SNP_DER', 'A name has an attribute twice.');
    name.set(id, new TextDecoder().decode(value.content));
  }
  return name;
}

function readKey(spki: Der): PublicKey {
  const [algorithm, bits, ...rest] = children(spki);
  if (!algorithm || !bits || rest.length)
    return refuse('SNP_DER', 'A public key does not have its two parts.');
  const [type, parameters] = children(expectTag(algorithm, TAG.sequence));
  const id = readObjectId(expectTag(type, TAG.objectId));
  if (id === RSA) {
    const [modulus] = children(readDer(readBits(bits), TAG.sequence));
    if (!modulus) return refuse('SNP_DER', 'An RSA key has no modulus.');
    return { type: 'rsa', bits: readUnsigned(modulus).toString(2).length };
  }
  if (id === EC && parameters?.tag === TAG.objectId) return { type: 'ec', curve: readObjectId(parameters) };
  return { type: 'other' };
}

function readExtensions(wrapper: Der): Map<string, Uint8Array> {
  const out = new Map<string, Uint8Array>();
  for (const element of children(readDer(wrapper.content, TAG.sequence))) {
    const parts = children(expectTag(element, TAG.sequence));
    const id = readObjectId(expectTag(parts[0], TAG.objectId));
    const critical = parts.length === 3 && expectTag(parts[1], TAG.boolean).content[0] === 0xff;
    if (parts.length < 2 || parts.length > 3)
      refuse('SNP_DER', 'An extension has the wrong number of parts.');
    if (out.has(id)) refuse('SNP_DER', 'A certificate has an extension twice.');
    if (critical && !UNDERSTOOD.has(id) && !id.startsWith('1.3.6.1.4.1.3704.1.'))
      refuse('SNP_DER', `A certificate has the critical extension ${id}, which is not understood.`);
    out.set(id, expectTag(parts.at(-1), TAG.octetString).content);
  }
  return out;
}

/** The certificates in a PEM text, in its order; DER bytes are taken as one certificate. */
export function certificatesFrom(input: string | Uint8Array): Uint8Array[] {
  if (typeof input !== 'string') return [input];
  const blocks = [
    ...input.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g),
  ];
  if (blocks.length === 0) refuse('SNP_DER', 'The text holds no PEM certificate.');
  return blocks.map((block) => fromBase64(block[1]!.replace(/\s+/g, '')));
}
