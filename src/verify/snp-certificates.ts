/**
 * Where the certificates of a report come from (attestation.md §1.7): handed in by the user, beside the report, kept from
 * an earlier verification, or from AMD through a node's relay, since AMD's server refuses pages. None of these needs
 * trust: the chain is checked.
 */
import { certificatesFrom, COMMON_NAME, parseCertificate } from '../attestation/certificate.ts';
import { parseCertificateTable } from '../attestation/certificate-table.ts';
import type { ChainInput } from '../attestation/chain.ts';
import type { Report as SnpReport } from '../attestation/report.ts';
import { decodeTcb, productOf, type Product, type Tcb } from '../attestation/tcb.ts';
import { fromBase64, fromBytes, toHex } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { textOf } from '../device/values.ts';
import type { Message } from '../message/message.ts';
import type { Store } from '../store/store.ts';
import type { Peer } from './peer.ts';

/** AMD's key server; reached only through a node's relay. */
const KDS = 'https://kdsintf.amd.com';
/** Limits on what a relay answers with: bytes of certificates and of a revocation list, milliseconds. */
const MAX_CERTIFICATES = 64 * 1024;
const MAX_CRL = 1024 * 1024;
const RELAY_TIMEOUT = 20_000;

export interface Certificates {
  readonly chain: ChainInput;
  /** AMD's revocation list, where one came along. */
  readonly crl?: Uint8Array;
}

/**
 * @param given PEM, DER or a certificate table that the user hands in
 * @param relays nodes that are asked to relay, in this order
 * @returns undefined where the leaf or what issued it cannot be had
 */
export async function certificatesOf(
  report: SnpReport,
  message: Message,
  given: string | Uint8Array | undefined,
  relays: readonly Peer[],
  store: Store,
): Promise<Certificates | undefined> {
  const found: Found = {};
  if (given !== undefined) take(given, found);
  for (const key of ['vek', 'certificates', 'certificate-chain']) {
    const text = textOf(message.get(key));
    if (text !== undefined) take(text.includes('BEGIN') ? text : fromBase64(text.trim()), found);
  }
  const kept = found.leaf && found.issuer && found.root ? undefined : await keptChain(report, store);
  // Version 2 does not say; HyperBEAM's own machines are Milan, and the chain decides afterwards.
  const product = productOfReport(report) ?? 'Milan';
  const isLeaf = (der: Uint8Array) => parseCertificate(der);
  const leaf = found.leaf ?? kept?.leaf ?? (await relayed(leafPath(report, product), relays, isLeaf));
  if (!leaf) return undefined;
  let issuer = found.issuer ?? kept?.issuer;
  let root = found.root ?? kept?.root;
  if (!issuer || !root) {
    const fetched: Found = {};
    const path = `/${report.signer.toLowerCase()}/v1/${product}/cert_chain`;
    await relayed(path, relays, (pem) => take(pem, fetched));
    issuer ??= fetched.issuer;
    root ??= fetched.root;
  }
  if (!issuer || !root) return undefined;
  const crl = found.crl ?? (await relayed(`/vcek/v1/${product}/crl`, relays, undefined, MAX_CRL));
  return { chain: { leaf, issuer, root }, ...(crl ? { crl } : {}) };
}

interface Found {
  leaf?: Uint8Array;
  issuer?: Uint8Array;
  root?: Uint8Array;
  crl?: Uint8Array;
}

const PEM = '-----BEGIN';

/** PEM, one certificate in DER, or the table in which a hypervisor hands several to its guest. @throws AoError `SNP_DER` */
function take(input: string | Uint8Array, into: Found): void {
  const text = typeof input === 'string' ? input : isPem(input) ? fromBytes(input) : undefined;
  if (text === undefined && (input as Uint8Array)[0] !== 0x30) {
    const { vcek, vlek, issuer, root, crl } = parseCertificateTable(input as Uint8Array);
    for (const der of [vcek ?? vlek, issuer, root]) if (der) sort(der, into);
    if (crl) into.crl ??= crl;
  } else for (const der of certificatesFrom(text ?? input)) sort(der, into);
}

function isPem(bytes: Uint8Array): boolean {
  return fromBytes(bytes.subarray(0, 4096)).includes(PEM);
}

/** The first of each kind counts: what the user hands in goes before what the node shows. */
function sort(der: Uint8Array, into: Found): void {
  const name = parseCertificate(der).subject.get(COMMON_NAME) ?? '';
  if (name.startsWith('ARK-')) into.root ??= der;
  else if (/^SEV-(VLEK-)?(Milan|Genoa|Turin)$/.test(name)) into.issuer ??= der;
  else into.leaf ??= der;
}

/** A chip's leaf for one firmware version never changes. A VLEK is of a provider, and no chip names it. */
function keyOf({ chipId, tcb, signer }: SnpReport): string[] | undefined {
  if (signer !== 'VCEK') return undefined;
  return ['attestation', toHex(chipId), toHex(tcb.reported)];
}

/** Keeps a chain that a report was verified with. */
export async function keepChain(report: SnpReport, chain: ChainInput, store: Store): Promise<void> {
  const key = keyOf(report);
  if (key) await store.write([{ table: 'peers', key, value: chain }]);
}

async function keptChain(report: SnpReport, store: Store): Promise<ChainInput | undefined> {
  const key = keyOf(report);
  return key && (await store.get<ChainInput>('peers', key));
}

export function productNamed({ issuer }: ChainInput): Product | undefined {
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

/**
 * What the key server has at a path, through the first relay that answers with it.
 * @param read throws for what is something else
 */
async function relayed(
  path: string,
  relays: readonly Peer[],
  read: (bytes: Uint8Array) => unknown = () => undefined,
  maxBytes = MAX_CERTIFICATES,
): Promise<Uint8Array | undefined> {
  const target = `/~relay@1.0/call?relay-path=${encodeURIComponent(KDS + path)}`;
  for (const peer of relays)
    try {
      const { response } = await peer.ask(target, maxBytes, { timeout: RELAY_TIMEOUT });
      if (response.body.length === 0) continue;
      read(response.body);
      return response.body;
    } catch (thrown) {
      if (AoError.wrap(thrown).code === 'cancelled') throw thrown;
    }
  return undefined;
}
