/** Verifies a report with its certificates and a policy: the whole procedure of attestation.md §1.8 and §1.9. */
import { equalBytes, fromHex, toHex } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import {
  leafFacts,
  namesProduct,
  parseChain,
  sameTcb,
  verifyChain,
  type Chain,
  type ChainInput,
  type LeafFacts,
} from './chain.ts';
import { checkRevocation } from './crl.ts';
import { refuse, type SnpCode } from './error.ts';
import type { Pins } from './pins.ts';
import { parseReport, SIGNED_BYTES, type Report } from './report.ts';
import { decodeTcb, notAbove, productOf, type Product, type Tcb } from './tcb.ts';

/** What is required beyond genuine hardware. Absent means the default of attestation.md §1.9. */
export interface Policy {
  readonly allowedVmpl?: readonly number[];
  readonly allowDebug?: boolean;
  readonly allowMigrationAgent?: boolean;
  /** Lowest reported TCB, component by component. */
  readonly minTcb?: Partial<Tcb>;
  readonly requirePlatformBits?: bigint;
  readonly forbidPlatformBits?: bigint;
  /** Lower-case hex. */
  readonly hostData?: string;
  readonly idKeyDigest?: string;
  /** Launch measurements that are trusted, lower-case hex. */
  readonly measurements?: readonly string[];
  /** The 64 bytes that the guest must have put in, lower-case hex. */
  readonly reportData?: string;
}

export interface Attestation {
  readonly report: Report;
  readonly product: Product;
  readonly signer: 'VCEK' | 'VLEK';
  readonly tcb: Readonly<Record<'current' | 'reported' | 'committed' | 'launch', Tcb>>;
  readonly cloudProvider: string | undefined;
  /** What this verdict does not rest on. */
  readonly notChecked: readonly ('crl' | 'tcbPolicy' | 'measurement' | 'reportData' | 'freshness')[];
}

export interface VerifyInput {
  readonly report: Uint8Array;
  /** Undefined where no leaf could be had: then the result is "unverified" (`SNP_NO_LEAF`), not "failed". */
  readonly chain: ChainInput | undefined;
  readonly pins: Pins;
  /** Milliseconds since 1970 at which the evidence is judged. */
  readonly now: number;
  readonly policy?: Policy;
  /** AMD's revocation list, DER. */
  readonly crl?: Uint8Array;
}

/** @throws AoError with the code of the first rule that is broken. */
export async function verifyReport(input: VerifyInput): Promise<Attestation> {
  const report = parseReport(input.report);
  if (!input.chain)
    return refuse(
      'SNP_NO_LEAF',
      'The certificate of the chip could not be had, so the report is unverified.',
    );
  const chain = parseChain(input.chain);
  if (chain.kind !== report.signer)
    refuse('SNP_SIGNER', `The report is signed by a ${report.signer}, the leaf is a ${chain.kind}.`);
  await verifyChain(chain, input.pins, input.now);
  if (input.crl) await checkRevocation(input.crl, chain, input.now);
  const facts = leafFacts(chain);
  checkProduct(report, chain, facts);
  const tcb = {
    current: decodeTcb(report.tcb.current, chain.product),
    reported: decodeTcb(report.tcb.reported, chain.product),
    committed: decodeTcb(report.tcb.committed, chain.product),
    launch: decodeTcb(report.tcb.launch, chain.product),
  };
  if (chain.kind === 'VCEK') checkHardware(report, chain, facts);
  if (!sameTcb(facts.tcb, tcb.reported))
    refuse('SNP_TCB_CERT', 'The leaf was made for another TCB than the report says.');
  if (!(await verifySignature(report, chain.leaf.spki)))
    refuse('SNP_REPORT_SIG', 'The signature of the report does not verify.');
  checkPolicy(report, tcb, input.policy ?? {});
  const { minTcb, measurements, reportData } = input.policy ?? {};
  const notChecked = [
    ...(input.crl ? [] : (['crl'] as const)),
    ...(minTcb ? [] : (['tcbPolicy'] as const)),
    ...(measurements ? [] : (['measurement'] as const)),
    ...(reportData ? [] : (['reportData'] as const)),
    // A report proves "at some time since launch"; only a fresh answer by the attested key proves "now".
    'freshness' as const,
  ];
  return {
    report,
    product: chain.product,
    signer: chain.kind,
    tcb,
    cloudProvider: facts.cloudProvider,
    notChecked,
  };
}

/** The same as a verdict: `ok` or the code of the broken rule. */
export async function judgeReport(input: VerifyInput): Promise<'ok' | SnpCode> {
  try {
    await verifyReport(input);
    return 'ok';
  } catch (thrown) {
    if (thrown instanceof AoError && thrown.code.startsWith('SNP_')) return thrown.code as SnpCode;
    throw thrown;
  }
}

function checkProduct(report: Report, chain: Chain, facts: LeafFacts): void {
  if (!namesProduct(facts.productName, chain.product))
    refuse('SNP_PRODUCT', 'The leaf names another product than its issuer.');
  if (report.cpuid && productOf(report.cpuid[0], report.cpuid[1]) !== chain.product)
    refuse('SNP_PRODUCT', `The report comes from another product than ${chain.product}.`);
}

function checkHardware(report: Report, { product }: Chain, { hardwareId }: LeafFacts): void {
  const size = product === 'Turin' ? 8 : 64;
  const known = hardwareId && hardwareId.length === size && hardwareId.some((octet) => octet !== 0);
  const rest = report.chipId.subarray(size);
  if (!known || !equalBytes(report.chipId.subarray(0, size), hardwareId) || rest.some((octet) => octet !== 0))
    refuse('SNP_HWID', 'The leaf belongs to another chip, or the chip hides its ID.');
}

/** AMD does not normalise s, and neither does WebCrypto ask for it (attestation.md §1.6). */
async function verifySignature(report: Report, spki: Uint8Array): Promise<boolean> {
  try {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-384' };
    const key = await crypto.subtle.importKey('spki', spki as Uint8Array<ArrayBuffer>, algorithm, false, [
      'verify',
    ]);
    const signed = report.bytes.subarray(0, SIGNED_BYTES) as Uint8Array<ArrayBuffer>;
    return await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-384' }, key, report.signature, signed);
  } catch {
    return false;
  }
}

function checkPolicy(report: Report, tcb: Attestation['tcb'], policy: Policy): void {
  if (!policy.allowDebug && report.policy & (1n << 19n))
    refuse('SNP_DEBUG', 'The guest may be debugged: its host can read its memory.');
  const noAgent = !(report.policy & (1n << 18n)) && report.reportIdMa.every((octet) => octet === 0xff);
  if (!policy.allowMigrationAgent && !noAgent)
    refuse('SNP_MIGRATION', 'A migration agent could move the guest.');
  if (!(policy.allowedVmpl ?? [0, 1]).includes(report.vmpl))
    refuse('SNP_VMPL', `The report was asked for at level ${report.vmpl}.`);
  const ordered =
    notAbove(tcb.reported, tcb.committed) &&
    notAbove(tcb.committed, tcb.current) &&
    notAbove(tcb.launch, tcb.current);
  if (!ordered) refuse('SNP_TCB_ORDER', 'The TCB versions of the report are not in order.');
  if (policy.minTcb && !notAbove(policy.minTcb, tcb.reported))
    refuse('SNP_TCB_MIN', 'The reported TCB is older than is accepted.');
  const required = policy.requirePlatformBits ?? 0n;
  if (
    (report.platformInfo & required) !== required ||
    report.platformInfo & (policy.forbidPlatformBits ?? 0n)
  )
    refuse('SNP_PLATFORM', 'The platform is not configured as is required.');
  const equals = (bytes: Uint8Array, hex: string) => equalBytes(bytes, fromHex(hex));
  if (policy.hostData !== undefined && !equals(report.hostData, policy.hostData))
    refuse('SNP_HOST_DATA', 'The host data is not what is expected.');
  if (policy.idKeyDigest !== undefined && !equals(report.idKeyDigest, policy.idKeyDigest))
    refuse('SNP_ID_KEY', 'The ID key is not the one that is expected.');
  if (policy.measurements && !policy.measurements.includes(toHex(report.measurement)))
    refuse('SNP_MEASUREMENT', 'The program that was measured is not on the trust list.');
  if (policy.reportData !== undefined && !equals(report.reportData, policy.reportData))
    refuse('SNP_REPORT_DATA', 'The report is not bound to this key and configuration.');
}
