/**
 * The JSON forms in which nodes publish reports, to the 1184 bytes that AMD signed (attestation.md §2.5).
 * A missing key is an error, never a zero. The signature proves afterwards that the conversion was right.
 */
import { fromBase64, fromHex } from '../base/bytes.ts';
import { refuse } from './error.ts';
import { REPORT_BYTES } from './report.ts';
import { productOf } from './tcb.ts';

type Json = Readonly<Record<string, unknown>>;

/** Longest JSON text that is read, in characters. */
const MAX_TEXT = 65_536;

const fail = (what: string): never => refuse('SNP_JSON', `The report's JSON ${what}.`);

function object(value: unknown, key: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail(`has no object at ${key}`);
  return value as Json;
}

/** Own properties only: a key named like a method of Object must not be found. */
function read(parent: Json, key: string): unknown {
  return Object.hasOwn(parent, key) ? parent[key] : undefined;
}

class Writer {
  readonly bytes = new Uint8Array(REPORT_BYTES);
  readonly #view = new DataView(this.bytes.buffer);

  number(at: number, size: 1 | 4 | 8, value: unknown, key: string): void {
    const limit = size === 8 ? Number.MAX_SAFE_INTEGER : 2 ** (8 * size) - 1;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > limit)
      return fail(`has no number of ${size} bytes at ${key}`);
    if (size === 8) this.#view.setBigUint64(at, BigInt(value), true);
    else if (size === 4) this.#view.setUint32(at, value, true);
    else this.#view.setUint8(at, value);
  }

  array(at: number, size: number, value: unknown, key: string): void {
    if (!Array.isArray(value) || value.length !== size)
      return fail(`has no array of ${size} bytes at ${key}`);
    value.forEach((octet, index) => this.number(at + index, 1, octet, `${key}.${index}`));
  }
}

const ARRAYS: [string, number, number][] = [
  ['family_id', 0x10, 16],
  ['image_id', 0x20, 16],
  ['report_data', 0x50, 64],
  ['measurement', 0x90, 48],
  ['host_data', 0xc0, 32],
  ['id_key_digest', 0xe0, 48],
  ['author_key_digest', 0x110, 48],
  ['report_id', 0x140, 32],
  ['report_id_ma', 0x160, 32],
  ['chip_id', 0x1a0, 64],
];
const NUMBERS: [string, number, 4 | 8][] = [
  ['version', 0x00, 4],
  ['guest_svn', 0x04, 4],
  ['policy', 0x08, 8],
  ['vmpl', 0x30, 4],
  ['sig_algo', 0x34, 4],
  ['plat_info', 0x40, 8],
];
const TCBS: [string, number][] = [
  ['current_tcb', 0x38],
  ['reported_tcb', 0x180],
  ['committed_tcb', 0x1e0],
  ['launch_tcb', 0x1f0],
];
const PARTS = ['build', 'minor', 'major'] as const;

/**
 * Report bytes from a node's JSON text (both shapes), hex, base64, or the bytes themselves.
 * @throws AoError `SNP_JSON`
 */
export function reportBytes(input: string | Uint8Array): Uint8Array {
  if (input instanceof Uint8Array) return input;
  const text = input.trim();
  if (text.length > MAX_TEXT) fail(`is longer than ${MAX_TEXT} characters`);
  if (/^[0-9a-fA-F]+$/.test(text)) return text.length % 2 ? fail('is hex of an odd length') : fromHex(text);
  if (/^[A-Za-z0-9+/_-]+=*$/.test(text)) return fromBase64(text);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return fail('does not parse');
  }
  return reportFromJson(parsed);
}

/** @throws AoError `SNP_JSON` */
export function reportFromJson(json: unknown): Uint8Array {
  const root = object(json, 'its top');
  const old = read(root, '_author_key_en') !== undefined;
  if (old === (read(root, 'key_info') !== undefined)) fail('is of neither shape, or of both');
  const out = new Writer();
  for (const [key, at, size] of NUMBERS) out.number(at, size, read(root, key), key);
  for (const [key, at, size] of ARRAYS) out.array(at, size, read(root, key), key);
  if (old) writeOld(root, out);
  else writeNew(root, out);
  return out.bytes;
}

function writeOld(root: Json, out: Writer): void {
  out.number(0x48, 4, read(root, '_author_key_en'), '_author_key_en');
  out.number(0x4c, 4, read(root, '_reserved_0'), '_reserved_0');
  out.array(0x188, 24, read(root, '_reserved_1'), '_reserved_1');
  out.number(0x1eb, 1, read(root, '_reserved_2'), '_reserved_2');
  out.number(0x1ef, 1, read(root, '_reserved_3'), '_reserved_3');
  out.array(0x1f8, 168, read(root, '_reserved_4'), '_reserved_4');
  for (const [name, at] of [
    ['current', 0x1e8],
    ['committed', 0x1ec],
  ] as const)
    PARTS.forEach((part, index) =>
      out.number(at + index, 1, read(root, `${name}_${part}`), `${name}_${part}`),
    );
  for (const [key, at] of TCBS) {
    const tcb = object(read(root, key), key);
    out.number(at, 1, read(tcb, 'bootloader'), `${key}.bootloader`);
    out.number(at + 1, 1, read(tcb, 'tee'), `${key}.tee`);
    out.array(at + 2, 4, read(tcb, '_reserved'), `${key}._reserved`);
    out.number(at + 6, 1, read(tcb, 'snp'), `${key}.snp`);
    out.number(at + 7, 1, read(tcb, 'microcode'), `${key}.microcode`);
  }
  const signature = object(read(root, 'signature'), 'signature');
  out.array(0x2a0, 72, read(signature, 'r'), 'signature.r');
  out.array(0x2e8, 72, read(signature, 's'), 'signature.s');
  out.array(0x330, 368, read(signature, '_reserved'), 'signature._reserved');
}

function writeNew(root: Json, out: Writer): void {
  const version = read(root, 'version') as number;
  out.number(0x48, 4, read(root, 'key_info'), 'key_info');
  if (version >= 3)
    ['cpuid_fam_id', 'cpuid_mod_id', 'cpuid_step'].forEach((key, index) =>
      out.number(0x188 + index, 1, read(root, key), key),
    );
  if (version >= 5) {
    out.number(0x1f8, 8, read(root, 'launch_mit_vector'), 'launch_mit_vector');
    out.number(0x200, 8, read(root, 'current_mit_vector'), 'current_mit_vector');
  }
  for (const [name, at] of [
    ['current', 0x1e8],
    ['committed', 0x1ec],
  ] as const) {
    const firmware = object(read(root, name), name);
    PARTS.forEach((part, index) => out.number(at + index, 1, read(firmware, part), `${name}.${part}`));
  }
  const turin = version >= 3 && productOf(out.bytes[0x188]!, out.bytes[0x189]!) === 'Turin';
  for (const [key, at] of TCBS) {
    const tcb = object(read(root, key), key);
    const fmc = read(tcb, 'fmc') ?? null;
    if (turin) out.number(at, 1, fmc, `${key}.fmc`);
    else if (fmc !== null) fail(`has ${key}.fmc, which only Turin has`);
    const places = turin ? ([1, 2, 3, 7] as const) : ([0, 1, 6, 7] as const);
    (['bootloader', 'tee', 'snp', 'microcode'] as const).forEach((part, index) =>
      out.number(at + places[index]!, 1, read(tcb, part), `${key}.${part}`),
    );
  }
  const signature = object(read(root, 'signature'), 'signature');
  out.array(0x2a0, 72, read(signature, 'r'), 'signature.r');
  out.array(0x2e8, 72, read(signature, 's'), 'signature.s');
}
