/**
 * Level `attested` (attestation.md §2, §4.3): the key that signs the answers belongs to a measured program on genuine
 * hardware. The report is bound to the key by what the guest put into it, never by what the node says beside it.
 */
import { certificatesFrom, COMMON_NAME, parseCertificate } from '../attestation/certificate.ts';
import { parseCertificateTable } from '../attestation/certificate-table.ts';
import type { ChainInput } from '../attestation/chain.ts';
import { AMD_ROOTS, type Pins } from '../attestation/pins.ts';
import { reportBytes } from '../attestation/report-json.ts';
import { parseReport, type Report as SnpReport } from '../attestation/report.ts';
import { decodeTcb, productOf, type Product, type Tcb } from '../attestation/tcb.ts';
import { measurementsOf, reportDataFor, type TrustEntry } from '../attestation/trust.ts';
import { verifyReport } from '../attestation/verify-report.ts';
import { equalBytes, fromBase64, fromBytes, toHex } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { contentId } from '../commitment/id.ts';
import { textOf } from '../device/values.ts';
import { Message } from '../message/message.ts';
import { Atom, isBinary } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Peer } from './peer.ts';
import type { Facts } from './report.ts';

export interface AttestOptions {
  /** Programs that are trusted: the user's own list, never the node's. */
  readonly trust: readonly TrustEntry[];
  /** Leaf certificate, and those that issued it where they are at hand: PEM or DER. */
  readonly certificates?: string | Uint8Array;
  readonly pins?: Pins;
}

export interface Attested {
  readonly fact: NonNullable<Facts['attested']>;
  readonly notChecked: readonly string[];
}

/** AMD's key server; reached only through a node's relay, since it refuses pages. */
const KDS = 'https://kdsintf.amd.com';

/**
 * @param signers addresses that signed the answer: the report must be about one of them
 * @throws AoError with the code of the rule that is broken (`SNP_…`), or `no-signer`
 */
export async function attest(
  peer: Peer,
  signers: readonly string[],
  options: AttestOptions,
  context: Context,
): Promise<Attested> {
  if (signers.length === 0)
    throw new AoError('no-signer', 'Nobody signed the answer, so there is no key to attest.', {
      status: 422,
    });
  const { message } = await peer.ask('/~snp@1.0/generate', 4 * 1024 * 1024);
  const text = textOf(message.get('report'));
  if (text === undefined)
    throw new AoError('SNP_JSON', 'The node shows no attestation report.', { status: 422 });
  const bytes = reportBytes(text);
  const report = parseReport(bytes);
  const address = fromBase64(signers.find((signer) => isFor(report, signer)) ?? '');
  if (address.length !== 32)
    throw new AoError(
      'SNP_REPORT_DATA',
      'The report is about another key than the one that signed the answer.',
      { status: 422 },
    );
  const nodeMessage = message.get('node-message');
  const bound = configurationBound(report, nodeMessage instanceof Message ? nodeMessage : undefined);
  const now = context.clock.now();
  const measured = measurementsOf(options.trust, now);
  const entry = measured.get(toHex(report.measurement));
  if (!entry)
    throw new AoError('SNP_MEASUREMENT', 'The program that the report names is not on your trust list.', {
      status: 422,
      detail: { measurement: toHex(report.measurement) },
    });
  const chain = await certificates(report, message, options, peer);
  const product = chain ? productNamed(chain) : undefined;
  const minTcb = product ? entry.entry.minTcb?.[product] : undefined;
  const verdict = await verifyReport({
    report: bytes,
    chain,
    pins: options.pins ?? AMD_ROOTS,
    now,
    policy: {
      measurements: [...measured.keys()],
      // The second half is free where the configuration is not shown: the first is bound already.
      reportData: toHex(address) + toHex(report.reportData.subarray(32)),
      ...(minTcb ? { minTcb } : {}),
    },
  });
  const findings =
    nodeMessage instanceof Message && bound === 'full' ? configurationFindings(nodeMessage) : [];
  return {
    fact: {
      address: signers.find((signer) => isFor(report, signer))!,
      product: verdict.product,
      measurement: toHex(report.measurement),
      program: entry.entry.name,
      bound,
    },
    notChecked: [
      ...(bound === 'key' ? ['The report binds the node’s key, not its configuration.'] : []),
      ...(verdict.notChecked.includes('crl') ? ['Whether AMD revoked the issuer was not checked.'] : []),
      ...(verdict.notChecked.includes('tcbPolicy') ? ['No lowest firmware version was asked for.'] : []),
      'A report does not say that the key never left the guest, nor that the program is still running.',
      ...findings,
    ],
  };
}

function isFor(report: SnpReport, address: string): boolean {
  return equalBytes(fromBase64(address), report.reportData.subarray(0, 32));
}

/** True binding: both halves recomputed. The message's own claim of its ID counts for nothing. */
function configurationBound(report: SnpReport, nodeMessage: Message | undefined): 'full' | 'key' {
  if (!nodeMessage) return 'key';
  const id = fromBase64(contentId(nodeMessage.without('commitments')));
  return toHex(report.reportData) === reportDataFor(report.reportData.subarray(0, 32), id) ? 'full' : 'key';
}

/** What in an attested configuration takes away from the guarantee (attestation.md §2.9). */
function configurationFindings(options: Message): string[] {
  const option = (name: string) => options.get(name) ?? options.get(name.replaceAll('_', '-'));
  const text = (name: string) => {
    const value = option(name);
    return value instanceof Atom
      ? value.name
      : isBinary(value)
        ? typeof value === 'string'
          ? value
          : fromBytes(value)
        : undefined;
  };
  const out: string[] = [];
  if (text('initialized') !== 'permanent') out.push('The node’s configuration can still be changed.');
  const operator = text('operator');
  if (operator !== undefined && operator !== 'trustless')
    out.push(`The node has an operator (${operator.slice(0, 43)}), who can change it.`);
  if (text('load_remote_devices') === 'true') out.push('The node runs code that others publish.');
  for (const name of ['routes', 'node_processes', 'route_provider', 'on'])
    if (option(name) !== undefined) out.push(`The node may have others compute for it (${name}).`);
  return out;
}

/** Leaf, issuer and root: handed in, else beside the report, else from AMD through the node's relay. */
async function certificates(
  report: SnpReport,
  message: Message,
  options: AttestOptions,
  peer: Peer,
): Promise<ChainInput | undefined> {
  const given: Uint8Array[] = options.certificates ? certificatesFrom(options.certificates) : [];
  for (const key of ['vek', 'certificates', 'certificate-chain']) {
    const value = textOf(message.get(key));
    if (value !== undefined)
      given.push(
        ...(value.includes('BEGIN') ? certificatesFrom(value) : fromOctets(fromBase64(value.trim()))),
      );
  }
  const known = sort(given);
  // Version 2 does not say; HyperBEAM's own machines are Milan, and the chain decides afterwards.
  const product = productOfReport(report) ?? 'Milan';
  const kind = report.signer.toLowerCase();
  const leaf = known.leaf ?? (await relayed(`${KDS}${leafPath(report, product)}`, peer));
  if (!leaf) return undefined;
  if (known.issuer && known.root) return { leaf, issuer: known.issuer, root: known.root };
  const chain = await relayed(`${KDS}/${kind}/v1/${product}/cert_chain`, peer);
  const fetched = chain ? sort(certificatesFrom(fromBytes(chain))) : {};
  const issuer = known.issuer ?? fetched.issuer;
  const root = known.root ?? fetched.root;
  return issuer && root ? { leaf, issuer, root } : undefined;
}

/** One certificate, or the table in which a hypervisor hands several to its guest. */
function fromOctets(octets: Uint8Array): Uint8Array[] {
  if (octets[0] === 0x30) return [octets];
  const { vcek, vlek, issuer, root } = parseCertificateTable(octets);
  return [vcek ?? vlek, issuer, root].filter((der) => der !== undefined);
}

function sort(given: readonly Uint8Array[]): { leaf?: Uint8Array; issuer?: Uint8Array; root?: Uint8Array } {
  const out: { leaf?: Uint8Array; issuer?: Uint8Array; root?: Uint8Array } = {};
  for (const der of given) {
    const name = parseCertificate(der).subject.get(COMMON_NAME) ?? '';
    if (name.startsWith('ARK-')) out.root = der;
    else if (/^SEV-(VLEK-)?(Milan|Genoa|Turin)$/.test(name)) out.issuer = der;
    else out.leaf = der;
  }
  return out;
}

function productNamed({ issuer }: ChainInput): Product | undefined {
  const name = parseCertificate(issuer).subject.get(COMMON_NAME) ?? '';
  return (['Milan', 'Genoa', 'Turin'] as const).find((product) => name.endsWith(product));
}

function productOfReport({ cpuid }: SnpReport): Product | undefined {
  return cpuid ? productOf(cpuid[0], cpuid[1]) : undefined;
}

function leafPath(report: SnpReport, product: Product): string {
  const tcb: Tcb = decodeTcb(report.tcb.reported, product);
  const hardware = toHex(product === 'Turin' ? report.chipId.subarray(0, 8) : report.chipId);
  const fmc = tcb.fmc === undefined ? '' : `fmcSPL=${tcb.fmc}&`;
  const query = `${fmc}blSPL=${tcb.bootloader}&teeSPL=${tcb.tee}&snpSPL=${tcb.snp}&ucodeSPL=${tcb.microcode}`;
  return `/vcek/v1/${product}/${hardware}?${query}`;
}

/** The relay needs no trust: the chain is checked against the pinned root. */
async function relayed(url: string, peer: Peer): Promise<Uint8Array | undefined> {
  try {
    const { response } = await peer.ask(`/~relay@1.0/call?relay-path=${encodeURIComponent(url)}`, 64 * 1024);
    return response.body.length ? response.body : undefined;
  } catch {
    return undefined;
  }
}
