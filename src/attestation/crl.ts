/** AMD's revocation list (attestation.md §1.7): signed by the ARK, can revoke an issuer. */
import { toHex } from '../base/bytes.ts';
import { PSS_ALGORITHMS, signedBy, type Chain } from './chain.ts';
import { children, expectTag, readBits, readDer, readTime, readUnsigned, TAG } from './der.ts';
import { refuse } from './error.ts';

/** Longest list that is read, in bytes. */
const MAX_BYTES = 1024 * 1024;

/** @throws AoError `SNP_REVOKED`, `SNP_CRL_STALE`, `SNP_CERT_ALG`, `SNP_CHAIN_SIG`, `SNP_DER` */
export async function checkRevocation(der: Uint8Array, chain: Chain, now: number): Promise<void> {
  if (der.length > MAX_BYTES) refuse('SNP_DER', `A revocation list is longer than ${MAX_BYTES} bytes.`);
  const [list, algorithm, signature, ...rest] = children(readDer(der, TAG.sequence));
  if (!list || !algorithm || !signature || rest.length)
    return refuse('SNP_DER', 'A revocation list lacks a part.');
  const fields = children(expectTag(list, TAG.sequence));
  if (fields[0]?.tag === TAG.integer) fields.shift();
  const [inner, issuer, thisUpdate, ...more] = fields;
  if (!inner || !issuer || !thisUpdate) return refuse('SNP_DER', 'A revocation list lacks a field.');
  const outer = toHex(algorithm.raw);
  if (toHex(inner.raw) !== outer || !PSS_ALGORITHMS.includes(outer))
    refuse('SNP_CERT_ALG', 'The revocation list is not signed as AMD does.');
  const rootName = children(readDer(chain.root.tbs, TAG.sequence))[5];
  if (!rootName || toHex(issuer.raw) !== toHex(rootName.raw))
    refuse('SNP_NAME', 'The revocation list is not the root’s.');
  if (!(await signedBy({ tbs: list.raw, signature: readBits(signature) }, chain.root)))
    refuse('SNP_CHAIN_SIG', 'The signature of the revocation list does not verify.');
  const isTime = (tag: number | undefined) => tag === TAG.utcTime || tag === TAG.generalizedTime;
  const nextUpdate = isTime(more[0]?.tag) ? readTime(more.shift()!) : undefined;
  if (readTime(thisUpdate) > now || nextUpdate === undefined || nextUpdate < now)
    refuse('SNP_CRL_STALE', 'The revocation list is not current.');
  const revoked = more[0]?.tag === TAG.sequence ? children(more[0]) : [];
  const serials = revoked.map((entry) =>
    readUnsigned(children(entry)[0] ?? refuse('SNP_DER', 'A revoked entry is empty.')),
  );
  if (serials.includes(chain.issuer.serial) || serials.includes(chain.root.serial))
    refuse('SNP_REVOKED', 'AMD revoked an issuer of this certificate.');
}
