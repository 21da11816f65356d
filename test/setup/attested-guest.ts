/**
 * A guest that can be attested, for tests: a root, an issuer and a chip of its own, which sign as AMD's do. AMD's real
 * ones sign no report about a key of ours. Its root is trusted only by who names it.
 */
import { concatBytes, fromHex, toBase64Url, toHex } from '../../src/base/bytes.ts';
import { measurementsOf, type TrustEntry } from '../../src/attestation/trust.ts';
import { PSS_ALGORITHMS } from '../../src/attestation/chain.ts';
import { SIGNED_BYTES } from '../../src/attestation/report.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import type { TrustedRoot } from '../../src/protocol/api.ts';

/** The program that the guest runs, as a user lists it. */
export const PROGRAM: TrustEntry = {
  name: 'a program of the tests',
  firmware: 'b8'.repeat(48),
  kernel: '69'.repeat(32),
  initrd: '54'.repeat(32),
  append: '95'.repeat(32),
  vmm: 1,
  guestFeatures: 1,
  vcpuTypes: [5],
  vcpus: [1, 2],
  provenance: 'made by the tests',
};

const PSS = { name: 'RSA-PSS', hash: 'SHA-384' };
const TCB = { bootloader: 4, tee: 0, snp: 22, microcode: 213 };
const YEAR = 365 * 24 * 3600 * 1000;

/** What of a report is not as it should be. */
export interface Changes {
  /** Bytes by offset, put in before the report is signed. */
  readonly bytes?: Readonly<Record<number, Uint8Array>>;
  /** The same, put in afterwards. */
  readonly forged?: Readonly<Record<number, Uint8Array>>;
  readonly measurement?: string;
}

export class AttestedGuest {
  readonly root: Uint8Array;
  readonly issuer: Uint8Array;
  readonly leaf: Uint8Array;
  readonly #keys: { readonly root: CryptoKeyPair; readonly chip: CryptoKeyPair };
  readonly #chip: Uint8Array;

  private constructor(
    keys: { readonly root: CryptoKeyPair; readonly chip: CryptoKeyPair },
    chip: Uint8Array,
    [root, issuer, leaf]: readonly [Uint8Array, Uint8Array, Uint8Array],
  ) {
    this.#keys = keys;
    this.#chip = chip;
    this.root = root;
    this.issuer = issuer;
    this.leaf = leaf;
  }

  /** Takes seconds: its root and issuer have RSA keys of 4096 bits. */
  static async make(now = Date.now()): Promise<AttestedGuest> {
    const rsa = { ...PSS, modulusLength: 4096, publicExponent: Uint8Array.of(1, 0, 1) };
    const [root, issuer, chip] = (await Promise.all([
      crypto.subtle.generateKey(rsa, false, ['sign', 'verify']),
      crypto.subtle.generateKey(rsa, false, ['sign', 'verify']),
      crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign', 'verify']),
    ])) as [CryptoKeyPair, CryptoKeyPair, CryptoKeyPair];
    const chipId = crypto.getRandomValues(new Uint8Array(64));
    const ca = extension('2.5.29.19', sequence(der(0x01, Uint8Array.of(0xff))));
    const certificates = await Promise.all([
      certificate({
        subject: 'ARK-Milan',
        issuer: 'ARK-Milan',
        serial: 1,
        key: root,
        by: root,
        now,
        more: [ca],
      }),
      certificate({
        subject: 'SEV-Milan',
        issuer: 'ARK-Milan',
        serial: 2,
        key: issuer,
        by: root,
        now,
        more: [ca],
      }),
      certificate({
        subject: 'SEV-VCEK',
        issuer: 'SEV-Milan',
        serial: 0,
        key: chip,
        by: issuer,
        now,
        more: leafExtensions(chipId),
      }),
    ]);
    return new AttestedGuest({ root, chip }, chipId, certificates);
  }

  /** How a user says that this root may be trusted. */
  get trusted(): TrustedRoot {
    return { name: 'the root of the tests', product: 'Milan', certificate: toHex(sha256(this.root)) };
  }

  get pem(): string {
    return [this.leaf, this.issuer, this.root].map(pemOf).join('');
  }

  /** The certificate table of an extended report, base64url. */
  get table(): string {
    const parts: [string, Uint8Array][] = [
      ['63da758de6644564adc5f4b93be8accd', this.leaf],
      ['4ab7b379bbac4fe4a02f05aef327c782', this.issuer],
      ['c0b406a4a803495297433fb6014cd0ae', this.root],
    ];
    let at = (parts.length + 1) * 24;
    const head = parts.map(([guid, { length }]) => {
      const entry = concatBytes(fromHex(guid), u32(at), u32(length));
      at += length;
      return entry;
    });
    return toBase64Url(concatBytes(...head, new Uint8Array(24), ...parts.map(([, bytes]) => bytes)));
  }

  /**
   * A report in hex.
   * @param reportData address of the node's key and ID of its configuration, 64 bytes
   */
  async report(
    reportData: Uint8Array,
    { bytes = {}, forged = {}, measurement }: Changes = {},
  ): Promise<string> {
    const measured = measurement ?? [...measurementsOf([PROGRAM], 0).keys()][0]!;
    const tcb = Uint8Array.of(TCB.bootloader, TCB.tee, 0, 0, 0, 0, TCB.snp, TCB.microcode);
    const report = new Uint8Array(1184);
    const put = (parts: Readonly<Record<number, Uint8Array>>) => {
      for (const [at, part] of Object.entries(parts)) report.set(part, Number(at));
    };
    put({
      0x000: Uint8Array.of(3),
      0x008: Uint8Array.of(0, 0, 3),
      0x030: Uint8Array.of(1),
      0x034: Uint8Array.of(1),
      0x038: tcb,
      0x050: reportData,
      0x090: fromHex(measured),
      0x160: new Uint8Array(32).fill(0xff),
      0x180: tcb,
      0x188: Uint8Array.of(0x19, 1, 1),
      0x1a0: this.#chip,
      0x1e0: tcb,
      0x1f0: tcb,
      ...bytes,
    });
    const signed = report.slice(0, SIGNED_BYTES);
    const signature = new Uint8Array(
      await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-384' }, this.#keys.chip.privateKey, signed),
    );
    report.set(signature.slice(0, 48).reverse(), 0x2a0);
    report.set(signature.slice(48).reverse(), 0x2e8);
    put(forged);
    return toHex(report);
  }

  /** A revocation list of the root. */
  async crl(serials: readonly number[], now = Date.now()): Promise<Uint8Array> {
    const entries = serials.map((serial) => sequence(integer(serial), time(now)));
    const list = sequence(
      integer(1),
      fromHex(PSS_ALGORITHMS[0]!),
      name('ARK-Milan'),
      time(now - YEAR),
      time(now + YEAR),
      ...(entries.length ? [sequence(...entries)] : []),
    );
    return signedDer(list, this.#keys.root);
  }
}

interface Certified {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: number;
  readonly key: CryptoKeyPair;
  readonly by: CryptoKeyPair;
  readonly now: number;
  readonly more: readonly Uint8Array[];
}

async function certificate({ subject, issuer, serial, key, by, now, more }: Certified): Promise<Uint8Array> {
  const spki = new Uint8Array(await crypto.subtle.exportKey('spki', key.publicKey));
  const body = sequence(
    der(0xa0, integer(2)),
    integer(serial),
    fromHex(PSS_ALGORITHMS[0]!),
    name(issuer),
    sequence(time(now - YEAR), time(now + YEAR)),
    name(subject),
    spki,
    der(0xa3, sequence(...more)),
  );
  return signedDer(body, by);
}

async function signedDer(body: Uint8Array, by: CryptoKeyPair): Promise<Uint8Array> {
  const algorithm = { name: 'RSA-PSS', saltLength: 48 };
  const signature = await crypto.subtle.sign(algorithm, by.privateKey, body as Uint8Array<ArrayBuffer>);
  const bits = der(0x03, concatBytes(Uint8Array.of(0), new Uint8Array(signature)));
  return sequence(body, fromHex(PSS_ALGORITHMS[0]!), bits);
}

function leafExtensions(chip: Uint8Array): Uint8Array[] {
  const arc = '1.3.6.1.4.1.3704.1';
  return [
    extension(`${arc}.1`, integer(0)),
    extension(`${arc}.2`, der(0x16, ascii('Milan-B0'))),
    extension(`${arc}.3.1`, integer(TCB.bootloader)),
    extension(`${arc}.3.2`, integer(TCB.tee)),
    extension(`${arc}.3.3`, integer(TCB.snp)),
    extension(`${arc}.3.8`, integer(TCB.microcode)),
    extension(`${arc}.4`, chip),
  ];
}

const ascii = (text: string) => new TextEncoder().encode(text);

function der(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const size =
    length < 128
      ? Uint8Array.of(length)
      : length < 256
        ? Uint8Array.of(0x81, length)
        : Uint8Array.of(0x82, length >> 8, length & 255);
  return concatBytes(Uint8Array.of(tag), size, content);
}

const sequence = (...parts: readonly Uint8Array[]) => der(0x30, concatBytes(...parts));

function integer(value: number): Uint8Array {
  const octets = value > 127 ? [0, value] : [value];
  return der(0x02, Uint8Array.from(octets));
}

function objectId(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const octets = [first * 40 + second];
  for (const arc of rest) {
    const part = [arc & 127];
    for (let left = arc >> 7; left > 0; left >>= 7) part.unshift((left & 127) | 128);
    octets.push(...part);
  }
  return der(0x06, Uint8Array.from(octets));
}

const extension = (id: string, content: Uint8Array) => sequence(objectId(id), der(0x04, content));

function name(common: string): Uint8Array {
  const parts: [string, string][] = [
    ['2.5.4.11', 'Engineering'],
    ['2.5.4.6', 'US'],
    ['2.5.4.7', 'Santa Clara'],
    ['2.5.4.8', 'CA'],
    ['2.5.4.10', 'Advanced Micro Devices'],
    ['2.5.4.3', common],
  ];
  return sequence(...parts.map(([id, text]) => der(0x31, sequence(objectId(id), der(0x13, ascii(text))))));
}

function time(at: number): Uint8Array {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(0x18, ascii(digits));
}

function u32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
}

function pemOf(bytes: Uint8Array): string {
  const text = btoa(bytes.reduce((all, octet) => all + String.fromCharCode(octet), ''));
  return `-----BEGIN CERTIFICATE-----\n${text.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}
