/**
 * Level `attested` (attestation.md §2, §4.3): the key that signs the answers belongs to a measured program on genuine
 * hardware. The report is bound to the key by what the guest put into it, never by what the node says beside it.
 */
import { parseChain } from '../attestation/chain.ts';
import { checkRevocation } from '../attestation/crl.ts';
import { AMD_ROOTS, type Pins } from '../attestation/pins.ts';
import { reportBytes } from '../attestation/report-json.ts';
import { parseReport, type Report as SnpReport } from '../attestation/report.ts';
import { measurementsOf, reportDataFor, type TrustEntry } from '../attestation/trust.ts';
import { verifyReport } from '../attestation/verify-report.ts';
import { refuse } from '../attestation/error.ts';
import { equalBytes, fromBase64, fromBytes, toBase64Url, toHex } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { committedKeys, commitmentsOf, committerOf } from '../commitment/commitment.ts';
import { contentId } from '../commitment/id.ts';
import { checkMessage } from '../commitment/verify.ts';
import { sha256 } from '../crypto/hash.ts';
import { textOf } from '../device/values.ts';
import { Message } from '../message/message.ts';
import { Atom, isBinary } from '../message/value.ts';
import type { TrustedRoot } from '../protocol/api.ts';
import type { Context } from '../resolver/context.ts';
import type { Answer, Peer } from './peer.ts';
import type { Facts } from './report.ts';
import { signedBy } from './signed.ts';
import { certificatesOf, keepChain, productNamed, type Certificates } from './snp-certificates.ts';

export interface AttestOptions {
  /** Programs that are trusted: the user's own list, never the node's. */
  readonly trust: readonly TrustEntry[];
  /** Leaf certificate, and those that issued it where they are at hand: PEM, DER or a certificate table. */
  readonly certificates?: string | Uint8Array;
  /** Roots that the user trusts beside AMD's; the report names the one that was used. */
  readonly roots?: readonly TrustedRoot[];
  /** Other nodes that may be asked to relay, for certificates. */
  readonly relays?: readonly Peer[];
}

export interface Attested {
  readonly fact: NonNullable<Facts['attested']>;
  readonly notChecked: readonly string[];
}

/**
 * @param signers addresses that signed the answer: the report must be about one of them
 * @throws AoError with the code of the rule that is broken (`SNP_…`), `no-signer`, `not-live`, or `bad-trust`
 *   for a root that is none
 */
export async function attest(
  peer: Peer,
  signers: readonly string[],
  options: AttestOptions,
  context: Context,
  onBad: (
    answer: Answer,
    certificates: readonly Uint8Array[],
    error: AoError,
  ) => Promise<void> = async () => {},
): Promise<Attested> {
  if (signers.length === 0)
    throw new AoError('no-signer', 'Nobody signed the answer, so there is no key to attest.', {
      status: 422,
    });
  for (const root of options.roots ?? [])
    if (typeof root.name !== 'string' || !/^[0-9a-f]{64}$/i.test(root.certificate))
      throw new AoError('bad-trust', 'A root of yours has no name, or no SHA-256 of its certificate.');
  const answer = await peer.ask('/~snp@1.0/generate', 4 * 1024 * 1024);
  const used: Uint8Array[] = [];
  try {
    return await judged(answer, used, peer, signers, options, context);
  } catch (thrown) {
    const error = AoError.wrap(thrown);
    await onBad(answer, used, error);
    throw error;
  }
}

/** @param used takes the certificates that the report was checked with: leaf, issuer, root */
async function judged(
  { message }: Answer,
  used: Uint8Array[],
  peer: Peer,
  signers: readonly string[],
  options: AttestOptions,
  context: Context,
): Promise<Attested> {
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
  const bound = await configurationBound(report, nodeMessage instanceof Message ? nodeMessage : undefined);
  const now = context.clock.now();
  const measured = measurementsOf(options.trust, now);
  const entry = measured.get(toHex(report.measurement))?.entry;
  const found = await certificatesOf(
    report,
    message,
    options.certificates,
    [peer, ...(options.relays ?? [])],
    context.store,
  );
  const chain = found?.chain;
  if (chain) used.push(chain.leaf, chain.issuer, chain.root);
  const own =
    chain && options.roots?.find((root) => root.certificate.toLowerCase() === toHex(sha256(chain.root)));
  const crl = found && (await revocationsOf(found, now));
  const product = chain ? productNamed(chain) : undefined;
  const minTcb = product ? entry?.minTcb?.[product] : undefined;
  // What is wrong with the report itself comes before whether its program is trusted, and that before what is missing.
  const unknown = () =>
    refuse('SNP_MEASUREMENT', 'The program that the report names is not on your trust list.', {
      measurement: toHex(report.measurement),
    });
  if (!chain && !entry) unknown();
  const verdict = await verifyReport({
    report: bytes,
    chain,
    pins: own ? pinOf(own) : AMD_ROOTS,
    now,
    ...(crl ? { crl } : {}),
    policy: {
      measurements: [...measured.keys()],
      // The second half is free where the configuration is not shown: the first is bound already.
      reportData: toHex(address) + toHex(report.reportData.subarray(32)),
      ...(minTcb ? { minTcb } : {}),
      ...(entry?.hostData === undefined ? {} : { hostData: entry.hostData }),
      ...(entry?.idKeyDigest === undefined ? {} : { idKeyDigest: entry.idKeyDigest }),
      ...(entry?.requirePlatformBits === undefined
        ? {}
        : { requirePlatformBits: BigInt(entry.requirePlatformBits) }),
    },
  });
  if (!entry) return unknown();
  if (entry.products && !entry.products.includes(verdict.product))
    refuse('SNP_PRODUCT', `The program is not trusted on ${verdict.product}.`);
  await requireLive(peer, toBase64Url(address));
  if (chain && !own) await keepChain(report, chain, context.store);
  const findings =
    nodeMessage instanceof Message && bound === 'full'
      ? configurationFindings(nodeMessage, toBase64Url(address))
      : [];
  return {
    fact: {
      address: signers.find((signer) => isFor(report, signer))!,
      product: verdict.product,
      measurement: toHex(report.measurement),
      program: entry.name,
      bound,
      root: own ? own.name : 'AMD',
    },
    notChecked: [
      ...(own
        ? [
            `The certificates end in the root ${own.name}, which you named, not in AMD’s: it proves no hardware.`,
          ]
        : []),
      ...(bound === 'key' ? ['The report binds the node’s key, not its configuration.'] : []),
      ...(verdict.notChecked.includes('crl') ? ['Whether AMD revoked the issuer was not checked.'] : []),
      ...(verdict.notChecked.includes('tcbPolicy') ? ['No lowest firmware version was asked for.'] : []),
      'A report does not say that the key never left the guest: only that whoever holds it answers now.',
      ...findings,
    ],
  };
}

/** The list, unless it is something else than the root's word: then it says nothing either way. */
async function revocationsOf({ chain, crl }: Certificates, now: number): Promise<Uint8Array | undefined> {
  if (!crl) return undefined;
  try {
    await checkRevocation(crl, parseChain(chain), now);
  } catch (thrown) {
    const { code } = AoError.wrap(thrown);
    if (code !== 'SNP_REVOKED' && code !== 'SNP_CRL_STALE') return undefined;
  }
  return crl;
}

function pinOf({ product, certificate }: TrustedRoot): Pins {
  return { [product]: { certificate: certificate.toLowerCase() } };
}

/**
 * The attested key signs something that nobody could have kept from before: reports and answers can be replayed by
 * anybody, this cannot (attestation.md §2.8).
 * @throws AoError `not-live` (422)
 */
async function requireLive(peer: Peer, address: string): Promise<void> {
  const challenge = toHex(crypto.getRandomValues(new Uint8Array(16)));
  const answer = await peer
    .ask(`/~message@1.0&challenge=${challenge}/challenge`, 64 * 1024)
    .catch((thrown: unknown) => {
      const error = AoError.wrap(thrown);
      if (error.code === 'cancelled') throw error;
      return undefined;
    });
  const live = answer && textOf(answer.value) === challenge && (await signedBy(answer)).by.includes(address);
  if (!live)
    throw new AoError(
      'not-live',
      'The node does not sign anything new with the attested key: what it shows may be replayed.',
      { status: 422, detail: { address } },
    );
}

function isFor(report: SnpReport, address: string): boolean {
  return equalBytes(fromBase64(address), report.reportData.subarray(0, 32));
}

/** True binding: both halves recomputed. The message's own claim of its ID counts for nothing. */
async function configurationBound(
  report: SnpReport,
  nodeMessage: Message | undefined,
): Promise<'full' | 'key'> {
  if (!nodeMessage) return 'key';
  const [address, named] = [report.reportData.subarray(0, 32), report.reportData.subarray(32)];
  const bare = nodeMessage.without('commitments');
  if (toHex(report.reportData) === reportDataFor(address, fromBase64(contentId(bare)))) return 'full';
  // Of more than 32 keys older nodes take another order: any order over all of them proves as much.
  const ordered = commitmentsOf(nodeMessage).get(toBase64Url(named));
  if (!ordered || committerOf(ordered) !== undefined) return 'key';
  const covered = committedKeys(ordered);
  if (![...bare.keys()].every((key) => covered.includes(key))) return 'key';
  const checked = await checkMessage(nodeMessage, { commitments: [toBase64Url(named)] });
  return checked.length > 0 && checked.every(({ verdict }) => verdict.valid) ? 'full' : 'key';
}

/** What in an attested configuration takes away from the guarantee (attestation.md §2.9). */
function configurationFindings(options: Message, attested: string): string[] {
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
  if (operator === undefined || operator === 'unclaimed')
    out.push('Anybody may become the operator of the node, who can change it.');
  else if (operator !== 'trustless')
    out.push(`The node has an operator (${operator.slice(0, 43)}), who can change it.`);
  const address = text('address');
  if (address !== undefined && address !== attested)
    out.push('The configuration names another address than the one that is attested.');
  if (text('load_remote_devices') === 'true') {
    const signers = option('trusted_device_signers');
    const nobody = signers === undefined || (Array.isArray(signers) && signers.length === 0);
    out.push(
      nobody
        ? 'The node may run code that others publish.'
        : 'The node runs code that certain others publish (trusted_device_signers).',
    );
  }
  for (const name of ['routes', 'node_processes', 'route_provider', 'on'])
    if (option(name) !== undefined) out.push(`The node may have others compute for it (${name}).`);
  const cached = text('process_now_from_cache');
  if (cached !== undefined && cached !== 'false')
    out.push('The node answers from what it kept, not from the newest slot (process_now_from_cache).');
  for (const name of ['green_zone_required_config', 'green_zone_required_opts', 'trusted', 'trusted_nodes'])
    if (option(name) !== undefined) out.push(`Other machines may hold the node’s key (${name}).`);
  for (const name of ['scheduling_mode', 'snp_trusted', 'snp_enforced_keys'])
    if (option(name) !== undefined) out.push(`The configuration sets ${name}, which was not judged.`);
  return out;
}
