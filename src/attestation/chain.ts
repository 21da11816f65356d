/** The certificate chain: pinned ARK, ASK or ASVK, leaf (attestation.md §1.7, steps 7 to 17 of §1.8). */
import { equalBytes, fromHex, toHex } from '../base/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import {
  BASIC_CONSTRAINTS,
  COMMON_NAME,
  parseCertificate,
  type Certificate,
  type Name,
} from './certificate.ts';
import { children, readDer, readUnsigned, TAG } from './der.ts';
import { isSnpCode, refuse } from './error.ts';
import type { Pins } from './pins.ts';
import { TCB_PARTS, type Product, type Tcb } from './tcb.ts';
import { AoError } from '../base/errors.ts';

export interface ChainInput {
  readonly leaf: Uint8Array;
  readonly issuer: Uint8Array;
  readonly root: Uint8Array;
}

export interface Chain {
  readonly product: Product;
  readonly kind: 'VCEK' | 'VLEK';
  readonly leaf: Certificate;
  readonly issuer: Certificate;
  readonly root: Certificate;
}

/** What AMD writes into a leaf. */
export interface LeafFacts {
  readonly tcb: Partial<Tcb>;
  readonly hardwareId: Uint8Array | undefined;
  readonly cloudProvider: string | undefined;
  readonly productName: string;
}

/** RSASSA-PSS with SHA-384, MGF1-SHA-384 and salt 48, with and without the explicit trailer field. */
export const PSS_ALGORITHMS = [
  '304606092a864886f70d01010a3039a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130a303020101',
  '304106092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130',
];

/** What every AMD name holds beside its common name. */
const FIXED: Record<string, string> = {
  '2.5.4.6': 'US',
  '2.5.4.7': 'Santa Clara',
  '2.5.4.8': 'CA',
  '2.5.4.10': 'Advanced Micro Devices',
  '2.5.4.11': 'Engineering',
};
const AMD = '1.3.6.1.4.1.3704.1';
const P384 = '1.3.132.0.34';

/** Steps 7 and 8: three certificates that name each other as AMD's do. */
export function parseChain(input: ChainInput): Chain {
  const leaf = parseCertificate(input.leaf);
  const issuer = parseCertificate(input.issuer);
  const root = parseCertificate(input.root);
  const issuerName = issuer.subject.get(COMMON_NAME) ?? '';
  const match = /^SEV-(VLEK-)?(Milan|Genoa|Turin)$/.exec(issuerName);
  if (!match) return refuse('SNP_NAME', `${JSON.stringify(issuerName)} is no issuer of AMD's.`);
  const kind = match[1] ? 'VLEK' : 'VCEK';
  const product = match[2] as Product;
  const expect = (name: Name, common: string, whose: string) => {
    const wanted = Object.entries({ ...FIXED, [COMMON_NAME]: common });
    if (name.size !== wanted.length || wanted.some(([id, text]) => name.get(id) !== text))
      refuse('SNP_NAME', `The ${whose} is not ${common} of AMD.`);
  };
  expect(root.subject, `ARK-${product}`, 'subject of the root');
  expect(root.issuer, `ARK-${product}`, 'issuer of the root');
  expect(issuer.subject, issuerName, 'subject of the issuer');
  expect(issuer.issuer, `ARK-${product}`, 'issuer of the issuer');
  expect(leaf.subject, `SEV-${kind}`, 'subject of the leaf');
  expect(leaf.issuer, issuerName, 'issuer of the leaf');
  return { product, kind, leaf, issuer, root };
}

/** Steps 10 to 15: algorithms, key types, the pin, times, CA marks, signatures. `now`: milliseconds since 1970. */
export async function verifyChain(
  { product, leaf, issuer, root }: Chain,
  pins: Pins,
  now: number,
): Promise<void> {
  const all = [leaf, issuer, root];
  for (const { innerAlgorithm, outerAlgorithm } of all)
    if (innerAlgorithm !== outerAlgorithm || !PSS_ALGORITHMS.includes(outerAlgorithm))
      refuse('SNP_CERT_ALG', 'A certificate is not signed with RSASSA-PSS and SHA-384 as AMD does.');
  if (leaf.key.type !== 'ec' || leaf.key.curve !== P384)
    refuse('SNP_KEY_TYPE', 'The leaf holds no P-384 key.');
  for (const { key } of [issuer, root])
    if (key.type !== 'rsa' || key.bits !== 4096) refuse('SNP_KEY_TYPE', 'An issuer holds no RSA-4096 key.');
  const pin = pins[product];
  if (
    !pin ||
    !equalBytes(sha256(root.der), fromHex(pin.certificate)) ||
    (pin.spki && toHex(sha256(root.spki)) !== pin.spki)
  )
    refuse('SNP_PIN', `The root is not the ARK-${product} that is pinned.`);
  for (const { notBefore, notAfter } of all)
    if (now < notBefore || now > notAfter) refuse('SNP_TIME', 'A certificate is not valid at this time.');
  if (!isAuthority(issuer) || !isAuthority(root))
    refuse('SNP_CA', 'An issuer is not marked as a certificate authority.');
  for (const [child, parent] of [
    [root, root],
    [issuer, root],
    [leaf, issuer],
  ] as const)
    if (!(await signedBy(child, parent)))
      refuse('SNP_CHAIN_SIG', 'A signature in the certificate chain does not verify.');
}

function isAuthority(certificate: Certificate): boolean {
  const extension = certificate.extensions.get(BASIC_CONSTRAINTS);
  if (!extension) return false;
  const [flag] = children(readDer(extension, TAG.sequence));
  return flag?.tag === TAG.boolean && flag.content.length === 1 && flag.content[0] === 0xff;
}

/** RSA-PSS with SHA-384 and salt 48 over `tbs`, by the key of `parent`. */
export async function signedBy(
  child: { tbs: Uint8Array; signature: Uint8Array },
  parent: Certificate,
): Promise<boolean> {
  try {
    const algorithm = { name: 'RSA-PSS', hash: 'SHA-384' };
    const key = await crypto.subtle.importKey(
      'spki',
      parent.spki as Uint8Array<ArrayBuffer>,
      algorithm,
      false,
      ['verify'],
    );
    const { signature, tbs } = child as { signature: Uint8Array<ArrayBuffer>; tbs: Uint8Array<ArrayBuffer> };
    return await crypto.subtle.verify({ name: 'RSA-PSS', saltLength: 48 }, key, signature, tbs);
  } catch {
    return false;
  }
}

/** Step 16: AMD's own extensions. @throws AoError `SNP_EXT` */
export function leafFacts({ leaf, kind, product }: Chain): LeafFacts {
  try {
    const raw = (suffix: string) => leaf.extensions.get(`${AMD}.${suffix}`);
    const integer = (suffix: string): number => {
      const bytes = raw(suffix);
      return bytes
        ? Number(readUnsigned(readDer(bytes)))
        : refuse('SNP_EXT', `The leaf lacks the extension ${suffix}.`);
    };
    const text = (suffix: string): string => {
      const bytes = raw(suffix);
      return bytes
        ? String.fromCharCode(...readDer(bytes, TAG.ia5).content)
        : refuse('SNP_EXT', `The leaf lacks the extension ${suffix}.`);
    };
    const turin = product === 'Turin';
    if (integer('1') !== (turin ? 1 : 0))
      refuse('SNP_EXT', 'The structure version of the leaf does not fit the product.');
    const facts = {
      productName: text('2'),
      tcb: {
        ...(turin ? { fmc: integer('3.9') } : {}),
        bootloader: integer('3.1'),
        tee: integer('3.2'),
        snp: integer('3.3'),
        microcode: integer('3.8'),
      },
      hardwareId: raw('4'),
      cloudProvider: raw('5') ? text('5') : undefined,
    };
    const fits =
      kind === 'VCEK' ? facts.hardwareId && !facts.cloudProvider : facts.cloudProvider && !facts.hardwareId;
    if (!fits) refuse('SNP_EXT', `The leaf's hardware ID or cloud provider does not fit a ${kind}.`);
    return facts;
  } catch (thrown) {
    if (thrown instanceof AoError && isSnpCode(thrown.code) && thrown.code !== 'SNP_DER') throw thrown;
    return refuse('SNP_EXT', 'An extension of the leaf is malformed.');
  }
}

/** True if the product name in the leaf is this product's; its stepping part says nothing. */
export function namesProduct(name: string, product: Product): boolean {
  return name === product || name.startsWith(`${product}-`);
}

/** True if both have the same components. */
export function sameTcb(a: Partial<Tcb>, b: Partial<Tcb>): boolean {
  return TCB_PARTS.every((part) => a[part] === b[part]);
}
