/**
 * Octet strings: UTF-8, base64, comparison. Everything in AO-Core is bytes; text is only a view of them.
 *
 * A message key is held as a JavaScript string. Bytes that are not valid UTF-8 appear in it as the lone
 * surrogates U+DC80 … U+DCFF (one per byte), so every octet string has exactly one string form and back.
 */
import { AoError } from './errors.ts';

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const EMPTY = new Uint8Array(0);

/** UTF-8 bytes of well-formed text. Lone surrogates U+DC80…U+DCFF become the single byte they stand for. */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = encoder.encode(text);
  // The encoder writes U+FFFD for a lone surrogate: only then is the slow path needed.
  return text.isWellFormed() ? bytes : escapedToBytes(text);
}

function escapedToBytes(text: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(3 * text.length);
  let at = 0;
  for (let i = 0; i < text.length;) {
    const code = text.codePointAt(i)!;
    if (code >= 0xdc80 && code <= 0xdcff) out[at++] = code - 0xdc00;
    else if (code >= 0xd800 && code <= 0xdfff)
      throw new AoError('bad-text', 'Text holds a lone surrogate that stands for no byte.');
    else if (code < 0x80) out[at++] = code;
    else if (code < 0x800) {
      out[at++] = 0xc0 | (code >> 6);
      out[at++] = 0x80 | (code & 63);
    } else {
      if (code < 0x10000) out[at++] = 0xe0 | (code >> 12);
      else {
        out[at++] = 0xf0 | (code >> 18);
        out[at++] = 0x80 | ((code >> 12) & 63);
      }
      out[at++] = 0x80 | ((code >> 6) & 63);
      out[at++] = 0x80 | (code & 63);
    }
    i += code > 0xffff ? 2 : 1;
  }
  return out.slice(0, at);
}

/** The text of `bytes` if they are valid UTF-8, else undefined. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The string form of any octet string: UTF-8 text, with bytes that are not UTF-8 as U+DC80 … U+DCFF. */
export function fromBytes(bytes: Uint8Array): string {
  return utf8(bytes) ?? escaped(bytes);
}

const PIECE = 8192;

/** Without the decoder, which throws at every byte that is not UTF-8: that takes a thousand times as long. */
function escaped(bytes: Uint8Array): string {
  let out = '';
  let units: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) units.push(0xdc00 + bytes[at++]!);
    else {
      let code = length === 1 ? bytes[at]! : bytes[at]! & (0xff >> (length + 1));
      for (let i = 1; i < length; i++) code = (code << 6) | (bytes[at + i]! & 63);
      if (code > 0xffff) units.push(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
      else units.push(code);
      at += length;
    }
    if (units.length >= PIECE) {
      out += String.fromCharCode(...units);
      units = [];
    }
  }
  return out + String.fromCharCode(...units);
}

/** Octets of the character that begins here; 0 where none does (RFC 3629 §4). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (at + length > bytes.length) return 0;
  for (let i = 1; i < length; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1]!;
  // No long forms, no surrogates, nothing above U+10FFFF.
  if (first === 0xe0 && second < 0xa0) return 0;
  if (first === 0xed && second > 0x9f) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  if (first === 0xf4 && second > 0x8f) return 0;
  return length;
}

/** One byte per character: how HTTP field values travel. Throws `bad-text` above U+00FF. */
export function latin1ToBytes(text: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) throw new AoError('bad-text', 'Text holds a character above U+00FF.');
    out[i] = code;
  }
  return out;
}

/** Each byte as the character of the same number. */
export function bytesToLatin1(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 8192)
    out += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return out;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Unsigned lexicographic order of octets; a proper prefix comes first (messages.md §0, "byte order"). */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

const ASCII = /^[\0-\x7f]*$/;

/** Byte order of two strings, without encoding them where both are ASCII. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  if (ASCII.test(a) && ASCII.test(b)) return a < b ? -1 : 1;
  return compareBytes(toBytes(a), toBytes(b));
}

const URL_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const STANDARD_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) {
  VALUES[URL_ALPHABET.charCodeAt(i)] = i;
  VALUES[STANDARD_ALPHABET.charCodeAt(i)] = i;
}

/** Two characters for every 12 bits. */
function pairs(alphabet: string): string[] {
  return Array.from({ length: 4096 }, (_, bits) => alphabet[bits >> 6]! + alphabet[bits & 63]!);
}

const URL_PAIRS = pairs(URL_ALPHABET);
const STANDARD_PAIRS = pairs(STANDARD_ALPHABET);

function encode64(bytes: Uint8Array, alphabet: string, table: readonly string[]): string {
  let out = '';
  let i = 0;
  for (; i + 2 < bytes.length; i += 3) {
    const n = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    out += table[n >> 12]! + table[n & 4095]!;
  }
  const left = bytes.length - i;
  if (left === 1) out += table[bytes[i]! << 4]!;
  if (left === 2) {
    const n = (bytes[i]! << 10) | (bytes[i + 1]! << 2);
    out += table[n >> 6]! + alphabet[n & 63]!;
  }
  return out;
}

/** Newer engines have it built in (ECMAScript's typed array base64). */
interface Base64Encoder {
  toBase64?(options: { alphabet: 'base64' | 'base64url'; omitPadding: boolean }): string;
}

const URL_OPTIONS = { alphabet: 'base64url', omitPadding: true } as const;
const STANDARD_OPTIONS = { alphabet: 'base64', omitPadding: false } as const;

/** `b64u` of the specifications: base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return (bytes as Base64Encoder).toBase64?.(URL_OPTIONS) ?? encode64(bytes, URL_ALPHABET, URL_PAIRS);
}

/** `b64` of the specifications: standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  const built = (bytes as Base64Encoder).toBase64?.(STANDARD_OPTIONS);
  if (built !== undefined) return built;
  const text = encode64(bytes, STANDARD_ALPHABET, STANDARD_PAIRS);
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}

/**
 * `unb64` of messages.md §0: either alphabet, even mixed, with or without trailing padding; left-over bits ignored.
 * @throws AoError `bad-base64`
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 61) end--;
  if (end % 4 === 1) throw new AoError('bad-base64', 'Base64 text has an impossible length.');
  const out = new Uint8Array((end * 3) >> 2);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? VALUES[code]! : -1;
    if (value < 0)
      throw new AoError('bad-base64', `Base64 text holds the character ${JSON.stringify(text[i])}.`);
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (held >> bits) & 0xff;
    }
  }
  return out;
}

const HEX = '0123456789abcdef';

export function toHex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += HEX[byte >> 4]! + HEX[byte & 15]!;
  return out;
}

/** @throws AoError `bad-hex` */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 || !/^[0-9a-fA-F]*$/.test(text))
    throw new AoError('bad-hex', 'Text is not hexadecimal.');
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}
