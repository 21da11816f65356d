/**
 * `snp`: reports, certificates, launch measurements and JSON forms (attestation.md §1 and §2). What an entry is,
 * its shape says: a report with certificates, a patch on one, a JSON edit, a measurement.
 */
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { AoError } from '../../../src/base/errors.ts';
import { certificatesFrom, COMMON_NAME, parseCertificate } from '../../../src/attestation/certificate.ts';
import { parseChain, verifyChain } from '../../../src/attestation/chain.ts';
import { cpuSignatureOf, launchDigests, type Vmm } from '../../../src/attestation/measurement.ts';
import { parseOvmf, type OvmfLayout } from '../../../src/attestation/ovmf.ts';
import { reportFromJson } from '../../../src/attestation/report-json.ts';
import { parseReport, type Report } from '../../../src/attestation/report.ts';
import { decodeTcb, type Product } from '../../../src/attestation/tcb.ts';
import { judgeReport, type Policy } from '../../../src/attestation/verify-report.ts';
import { sha256 } from '../../../src/crypto/hash.ts';
import {
  check,
  checkBytes,
  checkJson,
  defineFamily,
  Mismatch,
  type Environment,
  type Json,
} from '../family.ts';

type Entry = Record<string, Json>;
interface Document {
  pins?: Record<string, { arkCertSha256: string; arkSpkiSha256?: string }>;
  certificates?: Record<string, string | Entry>;
  defaultPolicy?: Entry;
  cases?: Entry[];
  ovmf?: Record<string, Entry>;
  vectors?: Entry[];
}

export default defineFamily<Entry>({
  family: 'snp',
  async run({ data, document }, env) {
    const own = document as unknown as Document;
    if ('firmwareDigestSeed' in data) return measurement(data, own, env);
    if ('changedFrom' in data) return differs(data, own, env);
    if ('op' in data) return jsonEdit(data, env);
    if ('json' in data) return conversion(data, env);
    if ('base' in data) return patched(data, own, env);
    if ('report' in data) return report(data, own, env);
    if ('leaf' in data) return chainOnly(data, own, env);
    throw new Mismatch('an entry of a known shape', Object.keys(data));
  },
});

const text = (value: Json | undefined): string => {
  if (typeof value !== 'string') throw new Mismatch('a text in the vector', value);
  return value;
};

async function certificate(
  name: Json | undefined,
  document: Document,
  env: Environment,
): Promise<Uint8Array> {
  const entry = document.certificates?.[text(name)];
  if (entry === undefined) throw new Mismatch(`the certificate ${text(name)}`, undefined);
  if (typeof entry === 'string') return certificatesFrom(entry)[0]!;
  const der = certificatesFrom(await env.siblingText(text(entry['file'])))[0]!;
  check(entry['derSha256'], toHex(sha256(der)), `${text(name)} DER`);
  const parsed = parseCertificate(der);
  check(entry['spkiSha256'], toHex(sha256(parsed.spki)), `${text(name)} SPKI`);
  check(entry['subjectCN'], parsed.subject.get(COMMON_NAME), `${text(name)} subject`);
  check(entry['issuerCN'], parsed.issuer.get(COMMON_NAME), `${text(name)} issuer`);
  check(Date.parse(text(entry['notBefore'])), parsed.notBefore, `${text(name)} notBefore`);
  check(Date.parse(text(entry['notAfter'])), parsed.notAfter, `${text(name)} notAfter`);
  return der;
}

async function chain(data: Entry, document: Document, env: Environment) {
  return {
    leaf: await certificate(data['leaf'], document, env),
    issuer: await certificate(data['issuer'], document, env),
    root: await certificate(data['root'], document, env),
  };
}

function pins(document: Document) {
  const entries = Object.entries(document.pins ?? {});
  return Object.fromEntries(
    entries.map(([product, pin]) => [
      product,
      { certificate: pin.arkCertSha256, ...(pin.arkSpkiSha256 ? { spki: pin.arkSpkiSha256 } : {}) },
    ]),
  );
}

function policy(document: Document, data: Entry): Policy {
  const { requirePlatformBits, forbidPlatformBits, ...rest } = {
    ...document.defaultPolicy,
    ...(data['policy'] as Entry | undefined),
  } as Entry;
  const bits = (value: Json | undefined) => (value === undefined ? undefined : BigInt(text(value)));
  const required = bits(requirePlatformBits);
  const forbidden = bits(forbidPlatformBits);
  return {
    ...(rest as Policy),
    ...(required === undefined ? {} : { requirePlatformBits: required }),
    ...(forbidden === undefined ? {} : { forbidPlatformBits: forbidden }),
  };
}

async function bytesOf(value: Json | undefined, env: Environment): Promise<Uint8Array> {
  const source = text(value);
  return fromHex(source.endsWith('.hex') ? (await env.siblingText(source)).trim() : source);
}

async function report(data: Entry, document: Document, env: Environment): Promise<void> {
  const bytes = await bytesOf(data['report'], env);
  if (data['reportSha256']) check(data['reportSha256'], toHex(sha256(bytes)), 'reportSha256');
  if (data['parsed']) checkParsed(data['parsed'] as Entry, bytes);
  if ('sIsHigh' in data) check(data['sIsHigh'], isHigh(parseReport(bytes)), 'sIsHigh');
  const certificates = data['leaf'] === undefined ? undefined : await chain(data, document, env);
  const now = data['now'] === undefined ? Date.UTC(2026, 5, 1) : Date.parse(text(data['now']));
  const verdict = await judgeReport({
    report: bytes,
    chain: certificates,
    pins: pins(document),
    now,
    policy: policy(document, data),
  });
  check(data['expect'], verdict);
}

const HALF_ORDER = BigInt(
  '0x7fffffffffffffffffffffffffffffffffffffffffffffffe3b1a6c0fa1b96efac0d06d9245853bd76760cb5666294b9',
);
const isHigh = ({ signature }: Report) => BigInt(`0x${toHex(signature.subarray(48))}`) > HALF_ORDER;

function checkParsed(expected: Entry, bytes: Uint8Array): void {
  const parsed = parseReport(bytes);
  const product: Product = (expected['currentTcb'] as Entry)['fmc'] === undefined ? 'Milan' : 'Turin';
  const hex = (value: bigint | number) => `0x${value.toString(16)}`;
  checkJson(
    expected,
    {
      version: parsed.version,
      guestSvn: parsed.guestSvn,
      policy: hex(parsed.policy),
      vmpl: parsed.vmpl,
      sigAlgo: 1,
      platformInfo: hex(parsed.platformInfo),
      signerInfo: hex(parsed.signerInfo),
      reportData: toHex(parsed.reportData),
      measurement: toHex(parsed.measurement),
      hostData: toHex(parsed.hostData),
      idKeyDigest: toHex(parsed.idKeyDigest),
      reportId: toHex(parsed.reportId),
      reportIdMa: toHex(parsed.reportIdMa),
      currentTcb: { ...decodeTcb(parsed.tcb.current, product) },
      reportedTcb: { ...decodeTcb(parsed.tcb.reported, product) },
      committedTcb: { ...decodeTcb(parsed.tcb.committed, product) },
      launchTcb: { ...decodeTcb(parsed.tcb.launch, product) },
      cpuid: parsed.cpuid ? [...parsed.cpuid] : null,
      chipId: toHex(parsed.chipId),
      currentVersion: parsed.currentVersion,
      committedVersion: parsed.committedVersion,
      mitVectors: parsed.mitigations
        ? [hex(parsed.mitigations.launch), hex(parsed.mitigations.current)]
        : null,
    },
    'parsed',
  );
}

async function chainOnly(data: Entry, document: Document, env: Environment): Promise<void> {
  const certificates = await chain(data, document, env);
  const verdict = await verdictOf(() =>
    verifyChain(
      parseChain(certificates),
      pins(document),
      Date.parse(text(data['now'] ?? '2026-06-01T00:00:00Z')),
    ),
  );
  check(data['expect'], verdict);
}

/** A patch, or another length, of a report that stands in this file or in the one of real reports. */
async function patched(data: Entry, document: Document, env: Environment): Promise<void> {
  const real = document.cases ? document : await env.siblingJson<Document>('real.json');
  const base = real.cases?.find((entry) => entry['id'] === data['base']);
  if (!base) throw new Mismatch(`the base ${text(data['base'])}`, undefined);
  let bytes = Uint8Array.from(await bytesOf(base['report'], env));
  if (typeof data['length'] === 'number') {
    const longer = new Uint8Array(data['length']);
    longer.set(bytes.subarray(0, data['length']));
    bytes = longer;
  }
  for (const patch of (data['patch'] ?? []) as Entry[]) {
    const offset = Number(patch['offset']);
    if (patch['set'] !== undefined) bytes.set(fromHex(text(patch['set'])), offset);
    if (patch['xor'] !== undefined)
      fromHex(text(patch['xor'])).forEach((mask, index) => (bytes[offset + index]! ^= mask));
  }
  const verdict = await judgeReport({
    report: bytes,
    chain: await chain({ ...base, ...data }, real, env),
    pins: pins(real),
    now: Date.parse(text(data['now'] ?? base['now'])),
    policy: policy(real, { policy: data['policy'] ?? base['policy'] ?? {} }),
  });
  check(data['expect'], verdict);
}

async function conversion(data: Entry, env: Environment): Promise<void> {
  const json = await env.siblingJson(text(data['json']));
  if (data['report'] !== undefined) checkBytes(await bytesOf(data['report'], env), reportFromJson(json));
  else check(data['expect'], await verdictOf(() => reportFromJson(json)));
}

/** One edit (`set` or `delete`) at a dot path of a report in JSON, then the conversion. */
async function jsonEdit(data: Entry, env: Environment): Promise<void> {
  const name = text(data['base']);
  const json = structuredClone(await env.siblingJson<Entry>(name.includes('/') ? name : `hyperbeam/${name}`));
  const path = text(data['path']).split('.');
  const last = path.pop()!;
  const parent = path.reduce<Entry>((at, key) => at[key] as Entry, json);
  if (data['op'] === 'delete') delete parent[last];
  else parent[last] = data['value']!;
  check(data['expect'], await verdictOf(() => reportFromJson(json)));
}

async function measurement(data: Entry, document: Document, env: Environment): Promise<void> {
  check(data['expect'], await digestOf(data, document, env));
}

/** A digest of other inputs: it must not be what the named vector gives. */
async function differs(data: Entry, document: Document, env: Environment): Promise<void> {
  const base = document.vectors?.find((entry) => entry['id'] === data['changedFrom']);
  if (!base) throw new Mismatch(`the vector ${text(data['changedFrom'])}`, undefined);
  if ((await digestOf(base, document, env)) === data['value'])
    throw new Mismatch('another digest', data['value']);
}

async function digestOf(data: Entry, document: Document, env: Environment): Promise<string> {
  const entry = document.ovmf?.[text(data['ovmf'])];
  if (!entry) throw new Mismatch(`the firmware ${text(data['ovmf'])}`, undefined);
  const number = (value: Json | undefined) => Number(text(value));
  const recorded: OvmfLayout = {
    sections: (entry['sections'] as Entry[]).map((section) => ({
      gpa: number(section['gpa']),
      size: number(section['size']),
      type: Number(section['type']),
    })),
    hashTableGpa: entry['sevHashTableGpa'] ? number(entry['sevHashTableGpa']) : undefined,
    apResetEip: number(entry['apResetEip']),
  };
  if (entry['suffixFile']) {
    const parsed = parseOvmf(fromHex((await env.siblingText(text(entry['suffixFile']))).trim()));
    checkJson(JSON.parse(JSON.stringify(recorded)), JSON.parse(JSON.stringify(parsed)), 'ovmf');
  }
  check(number(data['cpuSignature']), cpuSignatureOf(Number(data['vcpuTypeNumber'])), 'cpuSignature');
  const vcpus = Number(data['vcpus']);
  const kernel = data['kernelSha256'];
  return launchDigests(
    {
      firmware: text(data['firmwareDigestSeed']),
      ovmf: recorded,
      hashes: kernel
        ? { kernel: text(kernel), initrd: text(data['initrdSha256']), append: text(data['cmdlineSha256']) }
        : undefined,
      vmm: Number(data['vmmType']) as Vmm,
      cpuSignature: number(data['cpuSignature']),
      guestFeatures: BigInt(Number(data['guestFeatures'])),
    },
    vcpus,
  )[vcpus - 1]!;
}

async function verdictOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return 'ok';
  } catch (thrown) {
    if (thrown instanceof AoError) return thrown.code;
    throw thrown;
  }
}
